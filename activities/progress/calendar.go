package progress

import (
	"slices"
	"sort"
	"time"

	"github.com/aictive/keyholder/policy"
)

const day = 24 * time.Hour

// calendar counts the days of a zone. A day is its number since 1970-01-01.
type calendar struct {
	zone *time.Location
	// holidays are days, none twice.
	holidays []int
}

func calendarOf(r Rules) calendar {
	c := calendar{zone: location(r.Zone)}
	for _, d := range r.Holidays {
		c.holidays = append(c.holidays, number(d.Year, d.Month, d.Day))
	}
	slices.Sort(c.holidays)
	c.holidays = slices.Compact(c.holidays)
	return c
}

// location is the named zone; UTC for names that do not load, which the policy's
// loader refuses.
func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

func number(year int, month time.Month, dayOfMonth int) int {
	return int(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix() / 86400) // without a remainder
}

// date is the day as a calendar writes it.
func date(n int) policy.Date {
	year, month, dayOfMonth := time.Unix(int64(n)*86400, 0).UTC().Date()
	return policy.Date{Year: year, Month: month, Day: dayOfMonth}
}

func (c calendar) dayOf(t time.Time) int { return dayIn(t, c.zone) }

func dayIn(t time.Time, zone *time.Location) int { return number(t.In(zone).Date()) }

// start is when a day begins (UTC).
func (c calendar) start(n int) time.Time {
	return time.Date(1970, time.January, 1+n, 0, 0, 0, 0, c.zone).UTC()
}

// due is the day on which something is due, and from when it is overdue (UTC). See
// the package for which times mean a whole day.
func (c calendar) due(at time.Time) (on int, overdue time.Time) {
	for _, zone := range []*time.Location{time.UTC, c.zone} {
		local := at.In(zone)
		hour, minute, _ := local.Clock()
		if local.Equal(time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)) || hour == 23 && minute == 59 {
			on = dayIn(at, zone)
			return on, c.start(on + 1)
		}
	}
	return c.dayOf(at), at.UTC()
}

// DueOn is the day that a due time means in the zone of sales; see the package.
func DueOn(at time.Time, zone string) policy.Date {
	on, _ := calendar{zone: location(zone)}.due(at)
	return date(on)
}

// workingDays counts those after one day, up to and with another.
func (c calendar) workingDays(after, until int) int {
	n := weekdaysUntil(until) - weekdaysUntil(after)
	for _, h := range c.holidays {
		if h > after && h <= until && weekdaysUntil(h) > weekdaysUntil(h-1) {
			n--
		}
	}
	return max(n, 0)
}

// weekdaysUntil counts Mondays to Fridays up to and with a day, from a fixed Monday;
// only differences mean anything.
func weekdaysUntil(n int) int {
	n += 3 // 1970-01-01 was a Thursday
	weeks := n / 7
	if n%7 < 0 {
		weeks--
	}
	return weeks*5 + min(n-weeks*7+1, 5)
}

// older is the first instant at which something that began on a day is older than
// an age.
func (c calendar) older(began int, age policy.Days) time.Time {
	after := age.Count + 1
	if age.Working {
		// Seven days of the week have five that count, and a holiday costs three at most.
		after = sort.Search(age.Count*2+3*len(c.holidays)+14, func(days int) bool { return c.workingDays(began, began+days) > age.Count })
	}
	return c.start(began + after)
}
