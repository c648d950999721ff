package sandbox

import (
	"maps"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxCalls bounds the calls kept of one partner.
	maxCalls = 5000
	// maxCallBody bounds the part of a body that is kept.
	maxCallBody = 8 << 10
)

// A Call is one request that reached a partner, and what was answered. Headers
// are not kept: they hold credentials.
type Call struct {
	Time    time.Time `json:"time"`
	Partner string    `json:"partner"`
	Method  string    `json:"method"`
	// Path is as it was called, with the query.
	Path string `json:"path"`
	Body string `json:"body"`
	// Status is what the partner decided, 0 where it could not say it. With the
	// fault reset_after_commit nobody heard it.
	Status int `json:"status"`
	// Fault names the fault that struck, "" for none.
	Fault string `json:"fault,omitempty"`
}

// callLog keeps the last calls of every partner, and counts all since the reset.
type callLog struct {
	mu    sync.Mutex
	calls map[string][]Call
	total map[string]map[int]int // by partner and status
}

func newCallLog() *callLog {
	return &callLog{calls: map[string][]Call{}, total: map[string]map[int]int{}}
}

func (l *callLog) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total[c.Partner] == nil {
		l.total[c.Partner] = map[int]int{}
	}
	l.total[c.Partner][c.Status]++
	calls := append(l.calls[c.Partner], c)
	if len(calls) > maxCalls {
		// Dropped in lots, so that a full log does not move all on every call.
		calls = append([]Call(nil), calls[maxCalls/10:]...)
	}
	l.calls[c.Partner] = calls
}

// last lists up to n calls of a partner, newest last.
func (l *callLog) last(partner string, n int) []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls[partner]
	return append([]Call{}, calls[max(0, len(calls)-n):]...)
}

// count is how many calls a partner ever got since the last reset.
func (l *callLog) count(partner string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, calls := range l.total[partner] {
		n += calls
	}
	return n
}

// statuses counts every partner's calls since the last reset by the status that was
// answered, those too that are not kept any more.
func (l *callLog) statuses() map[string]map[int]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]map[int]int{}
	for partner, counts := range l.total {
		out[partner] = maps.Clone(counts)
	}
	return out
}

func (l *callLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.calls)
	clear(l.total)
}

// loggable is the part of a body that a person can read.
func loggable(body []byte) string {
	if !utf8.Valid(body) {
		return "(binary)"
	}
	if len(body) > maxCallBody {
		return string(body[:maxCallBody]) + "…"
	}
	return string(body)
}
