package progress

import (
	"cmp"
	"slices"
	"time"
)

// MaxListed is how many sales a summary lists.
const MaxListed = 200

// Line is one sale of a portfolio.
type Line struct {
	PropertyID string   `json:"property_id"`
	Progress   Progress `json:"progress"`
}

// Standing is where a sale is counted.
type Standing string

// The standings; each sale has one.
const (
	// StandingOverdue: a milestone is overdue.
	StandingOverdue Standing = "overdue"
	// StandingAtRisk: red or amber for any other reason, age among them.
	StandingAtRisk    Standing = "at_risk"
	StandingOnTrack   Standing = "on_track"
	StandingCompleted Standing = "completed"
	// StandingUnknown: OpenMoove shows no milestones.
	StandingUnknown Standing = "unknown"
)

// Standing is where the sale is counted.
func (p Progress) Standing() Standing {
	switch {
	case p.Total == 0:
		return StandingUnknown
	case p.Done():
		return StandingCompleted
	case p.Overdue > 0:
		return StandingOverdue
	case p.Status == Green:
		return StandingOnTrack
	default:
		return StandingAtRisk
	}
}

// Summary is a portfolio at one instant. Sales is the sum of the five counts below
// it.
type Summary struct {
	Sales     int `json:"sales"`
	Overdue   int `json:"overdue"`
	AtRisk    int `json:"at_risk"`
	OnTrack   int `json:"on_track"`
	Completed int `json:"completed"`
	Unknown   int `json:"unknown"`
	// Stalled counts sales that are older than late, wherever else they count.
	Stalled int `json:"stalled"`
	// Alerts are the sales that are overdue or at risk, the worst first: overdue ones
	// before others, red before amber, then by the day that was due first, by the
	// number overdue, and by age. At most MaxListed.
	Alerts []Line `json:"alerts,omitempty"`
	// LeftOut is how many more there are.
	LeftOut int `json:"left_out,omitempty"`
}

// Portfolio sums sales up, in any order.
func Portfolio(sales []Line) Summary {
	s := Summary{Sales: len(sales)}
	for _, line := range sales {
		if line.Progress.Sale.Pace == Stalled && !line.Progress.Done() || line.Progress.Step.Pace == Stalled {
			s.Stalled++
		}
		switch line.Progress.Standing() {
		case StandingOverdue:
			s.Overdue++
			s.Alerts = append(s.Alerts, line)
		case StandingAtRisk:
			s.AtRisk++
			s.Alerts = append(s.Alerts, line)
		case StandingOnTrack:
			s.OnTrack++
		case StandingCompleted:
			s.Completed++
		case StandingUnknown:
			s.Unknown++
		}
	}
	slices.SortStableFunc(s.Alerts, worseFirst)
	if more := len(s.Alerts) - MaxListed; more > 0 {
		s.Alerts, s.LeftOut = slices.Clone(s.Alerts[:MaxListed]), more
	}
	return s
}

func worseFirst(a, b Line) int {
	return cmp.Or(
		cmp.Compare(urgency(a.Progress), urgency(b.Progress)),
		cmp.Compare(a.Progress.firstDue().Unix(), b.Progress.firstDue().Unix()),
		cmp.Compare(b.Progress.Overdue, a.Progress.Overdue),
		cmp.Compare(b.Progress.Sale.Days, a.Progress.Sale.Days),
		byID(a.PropertyID, b.PropertyID),
	)
}

func urgency(p Progress) int {
	switch {
	case p.Overdue > 0:
		return 0
	case p.Status == Red:
		return 1
	default:
		return 2
	}
}

// firstDue is the earliest due time among the troubles; far off where there is
// none.
func (p Progress) firstDue() time.Time {
	first := time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, t := range p.Troubles {
		if t.Step != nil && !t.Step.DueAt.IsZero() && t.Step.DueAt.Before(first) {
			first = t.Step.DueAt
		}
	}
	return first
}
