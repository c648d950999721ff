package sandbox

import (
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

// callLog keeps the last calls of every partner.
type callLog struct {
	mu    sync.Mutex
	calls map[string][]Call
	total map[string]int
}

func newCallLog() *callLog {
	return &callLog{calls: map[string][]Call{}, total: map[string]int{}}
}

func (l *callLog) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total[c.Partner]++
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
	return l.total[partner]
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
