// Package appointments decides when a person may be visited, and writes the
// calendar entry of a visit (RFC 5545, 5546). It is pure: the time now and what is
// already taken come in as values.
package appointments

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

const (
	// aDay is how many windows of one day are offered while other days have some.
	aDay = 2
	// maxDays is how many days are looked at, whatever policy says.
	maxDays = 366
)

// Window is when somebody comes: business time, UTC.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Windows lists the next windows of policy's days and slots in a zone, first one
// first, at most rules.Offered. None begins before earliest, or before the notice
// that policy asks for, or on a start in refused; full, where it is not nil, tells
// which are taken. At most two are of the same day while other days have windows
// left. rules.Ahead counts from now, or from earliest where that is later: work
// that waits for parts is offered windows too.
//
// A slot that a change of the clock cuts short or moves is left out on that day,
// and so is one that does not end after it begins.
func Windows(rules policy.Windows, now, earliest time.Time, loc *time.Location, full func(Window) bool, refused []time.Time) []Window {
	from, until := now.Add(rules.Lead), now.Add(rules.Ahead)
	if earliest.After(now) {
		until = earliest.Add(rules.Ahead)
	}
	if earliest.After(from) {
		from = earliest
	}
	var days [][]Window
	year, month, first := from.In(loc).Date()
	for ahead := range maxDays {
		if time.Date(year, month, first+ahead, 0, 0, 0, 0, loc).After(until) {
			break
		}
		free := slices.DeleteFunc(ofDay(rules, year, month, first+ahead, loc), func(w Window) bool {
			return w.Start.Before(from) || w.Start.After(until) || slices.ContainsFunc(refused, w.Start.Equal) ||
				(full != nil && full(w))
		})
		if len(free) > 0 {
			days = append(days, free)
		}
		if enough(days, rules.Offered) {
			break
		}
	}
	return spread(days, rules.Offered)
}

// ofDay is what policy's slots are on a date, in order.
func ofDay(rules policy.Windows, year int, month time.Month, day int, loc *time.Location) []Window {
	noon := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
	if !slices.Contains(rules.Days, strings.ToLower(noon.Weekday().String()[:3])) {
		return nil
	}
	var list []Window
	for _, slot := range rules.Slots {
		start, startIs := on(slot.From, noon, loc)
		end, endIs := on(slot.To, noon, loc)
		if !startIs || !endIs || end.Sub(start) != time.Duration(slot.To-slot.From)*time.Minute || !end.After(start) {
			continue
		}
		list = append(list, Window{Start: start.UTC(), End: end.UTC()})
	}
	slices.SortFunc(list, func(a, b Window) int { return a.Start.Compare(b.Start) })
	return slices.CompactFunc(list, func(a, b Window) bool { return a.Start.Equal(b.Start) })
}

// on is the instant of a time of day on a date; is tells whether the clock of the
// zone shows that time on that date.
func on(at policy.TimeOfDay, date time.Time, loc *time.Location) (t time.Time, is bool) {
	year, month, day := date.Date()
	t = time.Date(year, month, day, int(at)/60, int(at)%60, 0, 0, loc)
	return t, t.Hour() == int(at)/60 && t.Minute() == int(at)%60
}

// enough tells whether two a day of these days are as many as are offered.
func enough(days [][]Window, offered int) bool {
	n := 0
	for _, day := range days {
		n += min(len(day), aDay)
	}
	return n >= offered
}

// spread takes two of each day, then what is left, as many as are offered.
func spread(days [][]Window, offered int) []Window {
	var chosen, rest []Window
	for _, day := range days {
		n := min(len(day), aDay)
		chosen, rest = append(chosen, day[:n]...), append(rest, day[n:]...)
	}
	chosen = append(chosen, rest...)
	chosen = chosen[:min(len(chosen), max(offered, 0))]
	slices.SortFunc(chosen, func(a, b Window) int { return a.Start.Compare(b.Start) })
	return chosen
}

// Text is the window as people of a region (ISO 3166) read it in a text message,
// in plain ASCII: "Tue Nov 24, 8 AM-12 PM" in the United States and Canada,
// "Tue 24 Nov, 08:00-12:00" elsewhere. "" is the United States.
func (w Window) Text(loc *time.Location, region string) string {
	start, end := w.Start.In(loc), w.End.In(loc)
	switch region {
	case "", "US", "CA":
		return fmt.Sprintf("%s, %s-%s", start.Format("Mon Jan 2"), twelveHours(start), twelveHours(end))
	}
	return fmt.Sprintf("%s, %s-%s", start.Format("Mon 2 Jan"), start.Format("15:04"), end.Format("15:04"))
}

// twelveHours is "8 AM" or "8:30 AM".
func twelveHours(t time.Time) string {
	if t.Minute() == 0 {
		return t.Format("3 PM")
	}
	return t.Format("3:04 PM")
}
