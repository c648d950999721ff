package polling

import (
	"math"
	"time"

	"github.com/aictive/keyholder/store"
)

// State is where a poller stands between two decisions. The zero value is a poller
// that starts: it has no calls yet, so that one which starts again and again keeps
// the limits too.
type State struct {
	// Calls are those that may be made at once, as of At (real time).
	Calls float64   `json:"calls"`
	At    time.Time `json:"at"`
	// DueSoonOwed and RestOwed are the calls that their least shares owe to classes
	// that wait.
	DueSoonOwed float64 `json:"due_soon_owed,omitempty"`
	RestOwed    float64 `json:"rest_owed,omitempty"`
}

// allowance is how many calls of a limit are for polling.
func (r Rules) allowance(limit store.Limit) int {
	return int(float64(limit.Calls)*(1-r.Reserve) + 1e-9)
}

// burst is how many calls one poller may make at once: enough for a read with
// team and status, else a twentieth of the least limit.
func (r Rules) burst() int {
	least := math.MaxInt
	for _, limit := range r.Limits {
		least = min(least, r.allowance(limit))
	}
	return max(mostCalls, least/20/r.shards())
}

// perSecond is the steady pace of one poller. In no window do all pollers make more
// calls than its allowance: their bursts and the pace over the window are that.
func (r Rules) perSecond() float64 {
	pace := math.MaxFloat64
	for _, limit := range r.Limits {
		free := float64(r.allowance(limit) - r.burst()*r.shards())
		pace = min(pace, free/limit.Window.Seconds())
	}
	return max(pace, 0) / float64(r.shards())
}

// earn is the state at a later time. A clock that went back earns nothing until it
// is where it was.
func (r Rules) earn(s State, now time.Time) State {
	if s.At.IsZero() {
		s.At = now
	}
	if passed := now.Sub(s.At); passed > 0 {
		s.Calls = min(s.Calls+passed.Seconds()*r.perSecond(), float64(r.burst()))
		s.At = now
	}
	return s
}

// Return gives back calls that were planned and not made, such as those that the
// ledger refused.
func (r Rules) Return(s State, calls int) State {
	s.Calls = min(s.Calls+float64(calls), float64(r.burst()))
	return s
}

// Wait is how long it takes until a read with team and status can be planned.
func (r Rules) Wait(s State, now time.Time) time.Duration {
	s = r.earn(s, now)
	lacks, pace := mostCalls-s.Calls, r.perSecond()
	if lacks <= 0 || pace == 0 {
		return 0
	}
	return time.Duration(math.Ceil(lacks / pace * float64(time.Second)))
}

// Needs is the share of the limits that it takes to meet the targets for as many
// sales of each class, with team and status as seldom as may be.
func (r Rules) Needs(sales map[store.WatchClass]int) float64 {
	pace := math.MaxFloat64
	for _, limit := range r.Limits {
		pace = min(pace, float64(limit.Calls)/limit.Window.Seconds())
	}
	return r.readsPerSecond(sales) * (1 + float64(mostCalls-1)/float64(r.MaxDetailEvery)) / pace
}

func (r Rules) readsPerSecond(sales map[store.WatchClass]int) float64 {
	reads := 0.0
	for class, n := range sales {
		reads += float64(n) / (r.Target(class).Seconds() * (1 - jitter/2))
	}
	return reads
}

// DetailEvery is the smallest N, such that every Nth read takes team and status,
// with which one poller's budget meets the targets for as many sales of each class
// and keeps a tenth to catch up with; at most Rules.MaxDetailEvery.
func (r Rules) DetailEvery(sales map[store.WatchClass]int) int {
	reads := r.readsPerSecond(sales)
	for every := 1; every < r.MaxDetailEvery; every++ {
		if reads*(1+float64(mostCalls-1)/float64(every)) <= 0.9*r.perSecond() {
			return every
		}
	}
	return r.MaxDetailEvery
}
