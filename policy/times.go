package policy

import (
	"slices"
	"time"
	_ "time/tzdata" // zones are the same on every machine that lacks its own
)

// weekdays are the days of a shift, Sunday first as time.Weekday counts them.
func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// weekday is that of a date, which may be out of range as time.Date takes it.
func weekday(year int, month time.Month, day int) string {
	return weekdays()[time.Date(year, month, day, 12, 0, 0, 0, time.UTC).Weekday()]
}

// location is the named one; UTC for "" and for names that do not load, which
// Load refuses.
func location(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return loc
}

// OnCallAt is the team on call at t, in the order in which it is paged, with
// stand-ins in their places. Turns change at a wall-clock time of the settings'
// zone, also across daylight saving; before the first turn the rotation is taken to
// have run already.
func (s Settings) OnCallAt(t time.Time) []Person {
	turn, ok := s.turnAt(t)
	if !ok {
		return nil
	}
	teams := len(s.OnCall.Teams)
	return s.OnCall.swapped(s.OnCall.Teams[turn-floorDiv(turn, teams)*teams], t)
}

// turnAt is the number of the turn at t, from 0 for the first.
func (s Settings) turnAt(t time.Time) (turn int, ok bool) {
	every := int(s.OnCall.Every / (24 * time.Hour))
	if every < 1 || len(s.OnCall.Teams) < 1 {
		return 0, false
	}
	loc := location(s.TimeZone)
	year, month, day := t.In(loc).Date()
	days := Date{year, month, day}.number() - s.OnCall.Starts.number()
	if t.Before(s.OnCall.ChangeAt.on(year, month, day, loc)) {
		days--
	}
	return floorDiv(days, every), true
}

// turnBegins is when a turn begins (UTC).
func (s Settings) turnBegins(turn int) time.Time {
	every, first := int(s.OnCall.Every/(24*time.Hour)), s.OnCall.Starts
	return s.OnCall.ChangeAt.on(first.Year, first.Month, first.Day+turn*every, location(s.TimeZone)).UTC()
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// QuietUntil tells whether t is within quiet hours, and when they end (UTC).
func (s Settings) QuietUntil(t time.Time) (time.Time, bool) {
	if s.QuietHours.From == s.QuietHours.To {
		return time.Time{}, false
	}
	return window(t, s.QuietHours.From, s.QuietHours.To, location(s.TimeZone), nil)
}

// Covers tells whether the shift is on at t, and until when (UTC). propertyZone
// stands in where the shift has no zone.
func (s Shift) Covers(t time.Time, propertyZone string) (until time.Time, on bool) {
	name := s.Zone
	if name == "" {
		name = propertyZone
	}
	return window(t, s.From, s.To, location(name), s.Days)
}

// window tells whether t is in the daily window that begins at from on one of
// days (nil is every day) and ends at to, on the next day if that is not after
// from.
func window(t time.Time, from, to TimeOfDay, loc *time.Location, days []string) (time.Time, bool) {
	year, month, day := t.In(loc).Date()
	ends := 0
	if to <= from {
		ends = 1
	}
	for _, begins := range []int{day - 1, day} {
		if days != nil && !slices.Contains(days, weekday(year, month, begins)) {
			continue
		}
		start, end := from.on(year, month, begins, loc), to.on(year, month, begins+ends, loc)
		if !t.Before(start) && t.Before(end) {
			return end.UTC(), true
		}
	}
	return time.Time{}, false
}
