package polling

import (
	"time"

	"github.com/aictive/keyholder/store"
)

// Read is one read to make now.
type Read struct {
	Watch store.Watch
	// Detail takes team and status too, not the milestones alone: every so many reads,
	// and where they are not known at all. The status needs the UUID
	// (contracts/openmoove.md 2).
	Detail bool
}

// mostCalls is what a read costs at most.
const mostCalls = 3

// Calls is what the read costs.
func (r Read) Calls() int {
	switch {
	case r.Detail && r.Watch.TransactionID != "":
		return mostCalls
	case r.Detail:
		return 2
	}
	return 1
}

// Plan chooses the reads to make at a real time, in their order, and says where the
// poller stands after them. due holds each class's watches as the store's
// DueWatches lists them: longest due first, at least PlanLimit of each or all that
// there are. every is DetailEvery's. A sale is planned at most once.
//
// While a class with a least share waits, at least that share of the calls goes to
// it, less 4 calls over any stretch. What a class does not need goes to the others.
func (r Rules) Plan(s State, now time.Time, every int, due map[store.WatchClass][]store.Watch) ([]Read, State) {
	s = r.earn(s, now)
	p := planner{rules: r, now: now, every: every, due: map[store.WatchClass][]store.Watch{}}
	for class, list := range due {
		p.due[class] = list // shortened as reads are chosen; the caller's map stays
	}
	var reads []Read
	for {
		class, ok := p.turn(&s)
		if !ok {
			return reads, s
		}
		read, _ := p.first(class)
		if float64(read.Calls()) > s.Calls+1e-9 {
			return reads, s // its turn stays: nobody cheaper comes first
		}
		p.pay(&s, class, float64(read.Calls()))
		p.due[class] = p.due[class][1:]
		reads = append(reads, read)
	}
}

// PlanLimit is how many watches of a class Plan looks at: one more than it can read,
// to know that the class still waits.
func (r Rules) PlanLimit() int { return r.burst() + 1 }

// planner is one decision.
type planner struct {
	rules Rules
	now   time.Time
	every int
	due   map[store.WatchClass][]store.Watch
}

// first is the next read of a class; ok is false where none is due.
func (p *planner) first(class store.WatchClass) (read Read, ok bool) {
	list := p.due[class]
	if len(list) == 0 || list[0].DueAt.After(p.now) {
		return Read{}, false
	}
	w := list[0]
	return Read{Watch: w, Detail: w.DetailDigest == "" || w.Reads+1 >= p.every}, true
}

// turn is the class whose read is next: one that is owed it, else the most pressing
// that waits.
func (p *planner) turn(s *State) (store.WatchClass, bool) {
	next, found := store.WatchClass(""), false
	for _, class := range store.WatchClasses() {
		read, waits := p.first(class)
		owed := s.owed(class)
		if !waits {
			if owed != nil {
				*owed = 0 // who does not wait is owed nothing
			}
			continue
		}
		if owed != nil && *owed >= float64(read.Calls())-1e-9 {
			return class, true
		}
		if !found {
			next, found = class, true
		}
	}
	return next, found
}

// pay takes a read's calls from the budget, and books the least shares of them.
func (p *planner) pay(s *State, class store.WatchClass, calls float64) {
	s.Calls = max(s.Calls-calls, 0)
	for _, other := range []store.WatchClass{store.WatchDueSoon, store.WatchRest} {
		if _, waits := p.first(other); !waits {
			continue
		}
		owed := s.owed(other)
		*owed += p.rules.share(other) * calls
		if other == class {
			*owed = max(*owed-calls, 0)
		}
	}
}

func (r Rules) share(class store.WatchClass) float64 {
	switch class {
	case store.WatchDueSoon:
		return r.DueSoonShare
	case store.WatchRest:
		return r.RestShare
	case store.WatchOverdue:
	}
	return 0
}

// owed is where the calls owed to a class are kept, nil for the overdue, who come
// first anyway.
func (s *State) owed(class store.WatchClass) *float64 {
	switch class {
	case store.WatchDueSoon:
		return &s.DueSoonOwed
	case store.WatchRest:
		return &s.RestOwed
	case store.WatchOverdue:
	}
	return nil
}
