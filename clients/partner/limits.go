package partner

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits is what a partner said about its own limit (real time).
type Limits struct {
	// Known is false until a reply said what is left; the rest is then zero.
	Known bool
	// Limit is how many calls the window takes, 0 where the partner did not say.
	Limit int
	// Remaining is how many are left.
	Remaining int
	// Reset is when the window ends by our clock, never before SeenAt; zero where the
	// partner did not say.
	Reset time.Time
	// SeenAt is when the reply arrived.
	SeenAt time.Time
}

// ReadLimits reads X-RateLimit-Limit, -Remaining and -Reset (unix seconds). A Date
// header makes good for a partner's clock that differs from ours. ok is false
// where the reply does not say what is left.
func ReadLimits(h http.Header, now time.Time) (l Limits, ok bool) {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(strings.TrimSpace(h.Get(name)))
		return max(n, 0), err == nil
	}
	l = Limits{SeenAt: now}
	if l.Remaining, l.Known = number("X-RateLimit-Remaining"); !l.Known {
		return Limits{}, false
	}
	l.Limit, _ = number("X-RateLimit-Limit")
	if _, said := number("X-RateLimit-Reset"); said {
		l.Reset = now.Add(untilReset(h, now))
	}
	return l, true
}

// LimitMeter remembers what a partner last said about its limit. Its zero value
// is ready, and it is safe for concurrent use.
type LimitMeter struct {
	mu     sync.Mutex
	last   Limits
	window [2]string // limit and reset as they arrived
}

// Note takes a reply's header; HTTPConfig.OnHeader calls it. A reply that says
// nothing changes nothing. Within one window the least is kept, as replies to
// concurrent calls arrive out of order.
func (m *LimitMeter) Note(h http.Header) {
	l, ok := ReadLimits(h, time.Now())
	if !ok {
		return
	}
	window := [2]string{h.Get("X-RateLimit-Limit"), h.Get("X-RateLimit-Reset")}
	m.mu.Lock()
	defer m.mu.Unlock()
	if window == m.window && window[1] != "" {
		l.Remaining = min(l.Remaining, m.last.Remaining)
	}
	m.last, m.window = l, window
}

// Last is what was said last.
func (m *LimitMeter) Last() Limits {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}
