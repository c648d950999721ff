package openmoove

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// limiter holds the key's limits: sliding windows in real time. A request that one
// of them refuses counts in none.
type limiter struct {
	mu      sync.Mutex
	windows []window
}

// window is one limit and when its calls were made, oldest first.
type window struct {
	calls  int
	length time.Duration
	made   []time.Time
}

// room is what the tightest window has left, which the headers tell.
type room struct {
	limit, remaining int
	// reset is when the window's oldest call leaves it, the whole window from now
	// where it is empty.
	reset time.Time
	// wait is above 0 where the request was refused: until one is taken again.
	wait time.Duration
}

// newLimiter reads limits such as "100/1m,1000/1h".
func newLimiter(text string) (*limiter, error) {
	l := &limiter{}
	for _, one := range strings.Split(text, ",") {
		calls, length, _ := strings.Cut(strings.TrimSpace(one), "/")
		n, errCalls := strconv.Atoi(calls)
		d, errLength := time.ParseDuration(length)
		if errCalls != nil || errLength != nil || n < 1 || d <= 0 {
			return nil, fmt.Errorf("limits are written calls/window, such as %q, not %q", DefaultLimits, text)
		}
		l.windows = append(l.windows, window{calls: n, length: d})
	}
	return l, nil
}

// take counts a request unless a window is full.
func (l *limiter) take(now time.Time) room {
	l.mu.Lock()
	defer l.mu.Unlock()
	if full := l.tightest(now); full.remaining == 0 {
		full.wait = max(full.reset.Sub(now), time.Nanosecond)
		return full
	}
	for i := range l.windows {
		l.windows[i].made = append(l.windows[i].made, now)
	}
	return l.tightest(now)
}

// look tells without counting.
func (l *limiter) look(now time.Time) room {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tightest(now)
}

// full is what a key has that has made no calls.
func (l *limiter) full(now time.Time) room {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := limiter{}
	for _, w := range l.windows {
		fresh.windows = append(fresh.windows, window{calls: w.calls, length: w.length})
	}
	return fresh.tightest(now)
}

func (l *limiter) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.windows {
		l.windows[i].made = nil
	}
}

// tightest is the window with the least left, of full ones that which stays full
// for longest.
func (l *limiter) tightest(now time.Time) room {
	var tight room
	for i := range l.windows {
		r := l.windows[i].room(now)
		if i == 0 || r.remaining < tight.remaining || (r.remaining == 0 && r.reset.After(tight.reset)) {
			tight = r
		}
	}
	return tight
}

func (w *window) room(now time.Time) room {
	gone := 0
	for gone < len(w.made) && !w.made[gone].After(now.Add(-w.length)) {
		gone++
	}
	w.made = w.made[gone:]
	oldest := now
	if len(w.made) > 0 {
		oldest = w.made[0]
	}
	return room{limit: w.calls, remaining: w.calls - len(w.made), reset: oldest.Add(w.length)}
}

// tell sets the headers. The reset is rounded up: who waits for it is let in.
func (r room) tell(h http.Header) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(r.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(r.remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(r.reset.Add(time.Second-time.Nanosecond).Unix(), 10))
}

// Throttled is the text of 429 in Django REST framework's words.
func Throttled(wait time.Duration) string {
	seconds, unit := int(math.Ceil(wait.Seconds())), "seconds"
	if seconds == 1 {
		unit = "second"
	}
	return fmt.Sprintf("Request was throttled. Expected available in %d %s.", seconds, unit)
}
