package main

import (
	"slices"
	"time"

	"github.com/aictive/keyholder/store"
)

// simulatedLimits are the partner's (contracts/openmoove.md 1).
func simulatedLimits() []store.Limit {
	return []store.Limit{{Calls: 100, Window: time.Minute}, {Calls: 1000, Window: time.Hour}}
}

// windows counts calls in sliding windows.
type windows struct {
	limits []store.Limit
	// last are the times of the latest calls, one ring a limit.
	last  [][]time.Duration
	calls int
}

func newWindows(limits []store.Limit) *windows {
	w := &windows{limits: limits}
	for _, limit := range limits {
		w.last = append(w.last, make([]time.Duration, limit.Calls))
	}
	return w
}

// take counts a call where all limits allow it with the reserve left free.
func (w *windows) take(at time.Duration, reserve float64) bool {
	for i, limit := range w.limits {
		allowed := limit.Calls - int(reserve*float64(limit.Calls))
		// The call that has to be out of the window.
		if n := w.calls - allowed; n >= 0 && at-w.last[i][n%limit.Calls] < limit.Window {
			return false
		}
	}
	for i, limit := range w.limits {
		w.last[i][w.calls%limit.Calls] = at
	}
	w.calls++
	return true
}

// partner is OpenMoove on the simulated day: it answers within its limits. A call
// that it refuses does not count for them, which favours whoever has many refused.
type partner struct {
	portfolio portfolio
	windows   *windows
	refused   int
	happened  int // changes so far
	nextDue   []time.Duration
}

func newPartner(p portfolio) *partner {
	return &partner{portfolio: p, windows: newWindows(simulatedLimits()), nextDue: slices.Clone(p.nextDue)}
}

// until lets happen what happens up to a time, and returns it.
func (p *partner) until(at time.Duration) []change {
	began := p.happened
	for ; p.happened < len(p.portfolio.changes) && p.portfolio.changes[p.happened].at <= at; p.happened++ {
		if c := p.portfolio.changes[p.happened]; !c.detail {
			p.nextDue[c.sale] = c.nextDue
		}
	}
	return p.portfolio.changes[began:p.happened]
}

// call answers one call, or refuses it with 429.
func (p *partner) call(at time.Duration) bool {
	if p.windows.take(at, 0) {
		return true
	}
	p.refused++
	return false
}

// The groups of changes whose delays are shown.
const (
	groupDetail = "status, team"
	groupAll    = "all"
)

func groups() []string {
	return []string{string(store.WatchOverdue), string(store.WatchDueSoon), string(store.WatchRest), groupDetail, groupAll}
}

// watcher knows which changes a poller has found, and how late.
type watcher struct {
	open   map[int][]change // by sale, not found yet
	delays map[string][]time.Duration
	missed int
}

func newWatcher() *watcher {
	return &watcher{open: map[int][]change{}, delays: map[string][]time.Duration{}}
}

func (w *watcher) happened(c change) { w.open[c.sale] = append(w.open[c.sale], c) }

// found notes what a read of a sale that began at a time shows: milestones, or
// status and team.
func (w *watcher) found(sale int, at time.Duration, detail bool) {
	w.open[sale] = slices.DeleteFunc(w.open[sale], func(c change) bool {
		if c.detail != detail || c.at > at {
			return false
		}
		w.note(c, at)
		return true
	})
}

func (w *watcher) note(c change, at time.Duration) {
	group := string(c.class)
	if c.detail {
		group = groupDetail
	}
	w.delays[group] = append(w.delays[group], at-c.at)
	w.delays[groupAll] = append(w.delays[groupAll], at-c.at)
}

// end notes what was not found by the end of the day as found then, which is
// the least that it can be.
func (w *watcher) end() {
	for _, list := range w.open {
		for _, c := range list {
			w.note(c, simulatedDay)
			// A change of the last half hour may be late by no fault of anybody.
			if simulatedDay-c.at > 30*time.Minute {
				w.missed++
			}
		}
	}
	w.open = nil
	for _, list := range w.delays {
		slices.Sort(list)
	}
}

// figures are the mean and the 95th percentile of a group's delays, and how many
// there are.
func (w *watcher) figures(group string) (mean, p95 time.Duration, n int) {
	list := w.delays[group]
	if len(list) == 0 {
		return 0, 0, 0
	}
	sum := time.Duration(0)
	for _, d := range list {
		sum += d / time.Duration(len(list))
	}
	return sum, list[min(len(list)*95/100, len(list)-1)], len(list)
}
