package leasescore

import (
	"cmp"
	"slices"
	"time"
)

// Request is a repair that was asked for.
type Request struct {
	ID string
	// Made and Closed are YYYY-MM-DD; Closed is "" where it is not known.
	Made, Closed string
	Open         bool
	// Trade is any id, "" where unknown.
	Trade string
}

// again is within how many days a request of the same trade says that the repair before
// it did not last.
const again = 30

// RepairsOf counts the requests of the 12 months before today, YYYY-MM-DD. An open one
// counts however old it is. RentVine does not tell whether a repair was done again: one
// counts so where a request of the same trade was made within 30 days of its end. What
// has no readable date is not known to be of these months, and left out unless it is
// open.
func RepairsOf(list []Request, today string) RepairsKnown {
	out := RepairsKnown{}
	end, ok := dayOf(today)
	if !ok {
		return out
	}
	out.Known = true
	begin := end.AddDate(-1, 0, 0)
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Request) int { return cmp.Or(cmp.Compare(a.Made, b.Made), cmp.Compare(a.ID, b.ID)) })
	ended := map[string]time.Time{}
	days, done := 0, 0
	for _, r := range sorted {
		made, known := dayOf(r.Made)
		recent := known && made.After(begin) && !made.After(end)
		if r.Open {
			out.Open++
		}
		if recent || r.Open {
			out.Count++
		}
		last, before := ended[r.Trade]
		if recent && r.Trade != "" && before && !made.Before(last) && daysBetween(last, made) <= again {
			out.Reopened++
		}
		closed, shut := dayOf(r.Closed)
		if !shut || r.Open || !known || closed.Before(made) {
			continue
		}
		if closed.After(last) {
			ended[r.Trade] = closed
		}
		if recent {
			days, done = days+daysBetween(made, closed), done+1
		}
	}
	if done > 0 {
		out.Days = days / done
	}
	return out
}
