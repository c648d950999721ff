// Package progress judges the course of a sale: how far it is, what is overdue or
// at risk, whether it takes longer than sales do, and who is told when that
// changes. Everything is a pure function of its arguments.
//
// OpenMoove's contract does not say whether a due date is a day or an instant. Here
// a due time at midnight or in the last minute of a day, of UTC or of the zone of
// sales, means that day, and the milestone is overdue when the day has ended in the
// zone of sales; any other due time is meant to the second. Whether OpenMoove calls
// a milestone overdue plays no part (contracts/openmoove.md 4.5).
package progress

import (
	"github.com/aictive/keyholder/policy"
)

// Rules are what a sale is judged by.
type Rules struct {
	// Zone is where days are meant.
	Zone string
	// AtRiskDays is how many days of the calendar before its due day a milestone is at
	// risk.
	AtRiskDays int
	// Norms are those of the sale's method.
	Norms    policy.Norms
	Holidays []policy.Date
	// Tell is who is told, by kind of alert.
	Tell map[string][]string
}

// RulesOf are the policy's rules for a sale method; an unknown one has no norms.
func RulesOf(s policy.Sales, method string) Rules {
	return Rules{
		Zone: s.TimeZone, AtRiskDays: int(s.Progress.AtRiskWithin / day), Norms: s.Progress.Norms[method],
		Holidays: s.Progress.Holidays, Tell: s.Progress.Tell,
	}
}
