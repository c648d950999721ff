package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aictive/keyholder/store"
)

// Times of the simulation are since the start of its day, midnight.
const (
	simulatedDay = 24 * time.Hour
	// simulatedStep is how finely the process that makes changes is drawn.
	simulatedStep = 10 * time.Minute
)

// change is something that happens to a sale at the partner.
type change struct {
	at   time.Duration
	sale int
	// detail is a change of status or team, else one of milestones, after which the
	// earliest open due date is nextDue.
	detail  bool
	nextDue time.Duration
	// class is the sale's when it happens.
	class store.WatchClass
}

// noDue is the due date of a sale without one: never.
const noDue = time.Duration(1<<63 - 1)

// portfolio is what happens on one day to so many sales: the same for everybody who
// watches it.
type portfolio struct {
	// nextDue are the earliest open due dates at the start of the day.
	nextDue []time.Duration
	changes []change // in order of time
}

// newPortfolio draws a portfolio. In the morning about 5 sales of 100 are overdue,
// 8 have something due within a day, 10 have no due date, and the others' are within
// 30 days. A day brings to an overdue sale 1 change, to one due soon 1.5, to
// others 0.3; four fifths of them in office hours, one of 7 to status or team.
func newPortfolio(sales int, seed uint64) portfolio {
	r := rand.New(rand.NewPCG(seed, uint64(sales)))
	p := portfolio{nextDue: make([]time.Duration, sales)}
	for i := range sales {
		p.nextDue[i] = firstDue(r)
		due := p.nextDue[i]
		for step := time.Duration(0); step < simulatedDay; step += simulatedStep {
			at := step + time.Duration(r.Int64N(int64(simulatedStep)))
			class := trueClass(due, at)
			if r.Float64() >= changesADay(class)*dayShare(at) {
				continue
			}
			c := change{at: at, sale: i, class: class, detail: r.IntN(7) == 0}
			if !c.detail {
				due = nextDue(r, due, at)
				c.nextDue = due
			}
			p.changes = append(p.changes, c)
		}
	}
	slices.SortStableFunc(p.changes, func(a, b change) int { return int(a.at - b.at) })
	return p
}

func firstDue(r *rand.Rand) time.Duration {
	switch draw := r.Float64(); {
	case draw < 0.05:
		return -time.Duration(r.Int64N(int64(5 * 24 * time.Hour)))
	case draw < 0.13:
		return time.Duration(r.Int64N(int64(24 * time.Hour)))
	case draw < 0.23:
		return noDue
	}
	return 24*time.Hour + time.Duration(r.Int64N(int64(29*24*time.Hour)))
}

// nextDue is the earliest due date after a change of milestones: half of them
// complete the current one, others move a date or touch a later milestone.
func nextDue(r *rand.Rand, due, at time.Duration) time.Duration {
	if r.IntN(2) == 0 {
		return at + 12*time.Hour + time.Duration(r.Int64N(int64(20*24*time.Hour)))
	}
	if due == noDue || r.IntN(2) == 0 {
		return due
	}
	return due + time.Duration(r.Int64N(int64(7*24*time.Hour)))
}

func trueClass(due, at time.Duration) store.WatchClass {
	switch {
	case due <= at:
		return store.WatchOverdue
	case due-at <= 24*time.Hour:
		return store.WatchDueSoon
	}
	return store.WatchRest
}

func changesADay(class store.WatchClass) float64 {
	switch class {
	case store.WatchOverdue:
		return 1
	case store.WatchDueSoon:
		return 1.5
	case store.WatchRest:
	}
	return 0.3
}

// dayShare is which part of a day's changes a step at a time gets.
func dayShare(at time.Duration) float64 {
	const open, hours = 9, 9
	if hour := int(at / time.Hour); hour >= open && hour < open+hours {
		return 0.8 * simulatedStep.Hours() / hours
	}
	return 0.2 * simulatedStep.Hours() / (24 - hours)
}
