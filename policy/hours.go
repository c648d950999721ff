package policy

import (
	"slices"
	"time"
)

// WorkingHours are when somebody may be written to. The zero value is always.
type WorkingHours struct {
	// Days are "mon" to "sun".
	Days []string `json:"days"`
	// From and To are wall-clock times of the same day.
	From TimeOfDay `json:"from"`
	To   TimeOfDay `json:"to"`
	// Zone is where they are meant; "" is for the caller to say.
	Zone string `json:"zone,omitempty"`
}

// Next is at itself where that is within working hours, else when they begin next
// (UTC). zone stands in where the hours have none. The wall clock counts, also
// across daylight saving.
func (h WorkingHours) Next(at time.Time, zone string) time.Time {
	if len(h.Days) == 0 {
		return at
	}
	if h.Zone != "" {
		zone = h.Zone
	}
	loc := location(zone)
	if _, on := window(at, h.From, h.To, loc, h.Days); on {
		return at
	}
	year, month, today := at.In(loc).Date()
	for day := today; day <= today+14; day++ { // a change of the clocks may swallow a day's hours
		if !slices.Contains(h.Days, weekday(year, month, day)) {
			continue
		}
		start, end := h.From.on(year, month, day, loc), h.To.on(year, month, day, loc)
		if start.After(at) && start.Before(end) {
			return start.UTC()
		}
	}
	return at
}

func (h WorkingHours) clone() WorkingHours {
	h.Days = slices.Clone(h.Days)
	return h
}
