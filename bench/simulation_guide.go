package main

import (
	"slices"
	"time"

	"github.com/aictive/keyholder/store"
)

// How long a call of the guide's loop takes, answered and refused.
const (
	guideCall    = 150 * time.Millisecond
	guideRefused = 50 * time.Millisecond
)

// simulateGuide runs the algorithm of the guide's "Smart Polling Strategy" as it is
// written: one loop over the sales in their order, each whose interval is over is
// read by two calls, one after the other. The interval is 300, 900 or 1,800 s by
// the sale's cached milestones. A refused call fails the poll, whatever the first
// call brought, and the sale is tried again at its next interval.
func simulateGuide(p portfolio) result {
	partner, watcher := newPartner(p), newWatcher()
	sales := len(p.nextDue)
	// At the start of the day the cache holds what is true.
	cached := append([]time.Duration(nil), p.nextDue...)
	next := make([]time.Duration, sales)
	step := func(at time.Duration) {
		for _, c := range partner.until(at) {
			watcher.happened(c)
		}
	}
	attempts := 0
	call := func(at *time.Duration) bool {
		step(*at)
		attempts++
		if !partner.call(*at) {
			*at += guideRefused
			return false
		}
		*at += guideCall
		return true
	}
	for at := time.Duration(0); at < simulatedDay; at = max(at, slices.Min(next)) {
		for i := 0; i < sales && at < simulatedDay; i++ {
			if next[i] > at {
				continue
			}
			began := at
			if call(&at) {
				milestones := at
				if call(&at) {
					watcher.found(i, began, true)
					watcher.found(i, milestones, false)
					cached[i] = partner.nextDue[i]
				}
			}
			next[i] = at + guideInterval(cached[i], at)
		}
	}
	step(simulatedDay)
	watcher.end()
	return result{name: "the guide's", watcher: watcher, calls: attempts, refused: partner.refused}
}

// guideInterval is the guide's get_poll_interval.
func guideInterval(due, at time.Duration) time.Duration {
	switch trueClass(due, at) {
	case store.WatchOverdue:
		return 300 * time.Second
	case store.WatchDueSoon:
		return 900 * time.Second
	case store.WatchRest:
	}
	return 1800 * time.Second
}
