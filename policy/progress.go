package policy

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Progress is how the course of a sale is judged, and who is told.
type Progress struct {
	// AtRiskWithin is how long before its due day a milestone is at risk: whole days
	// of the calendar, in the zone of sales.
	AtRiskWithin time.Duration `json:"at_risk_within"`
	// Norms are how long sales take, by sale method. What has no norm is not judged
	// by its age.
	Norms map[string]Norms `json:"norms,omitempty"`
	// Holidays are no working days, whatever the weekday.
	Holidays []Date `json:"holidays,omitempty"`
	// Tell is who is told, by kind of alert: roles, and ToManager. Where a sale has
	// nobody in the role, the manager stands in.
	Tell map[string][]string `json:"tell"`
}

// Norms are how long a sale and its steps take.
type Norms struct {
	// Total is from the instruction to the last milestone.
	Total Norm `json:"total,omitzero"`
	// Steps are by the milestone's name in small letters; see Step.
	Steps map[string]Norm `json:"steps,omitempty"`
}

// Step is the norm of the milestone of that name, in any case.
func (n Norms) Step(name string) Norm { return n.Steps[foldName(name)] }

func foldName(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Norm is two ages in the same unit; the zero value is none. What is older than
// Typical is slow, what is older than Late has stalled.
type Norm struct {
	Typical Days `json:"typical"`
	Late    Days `json:"late"`
}

// Given tells whether there is a norm.
func (n Norm) Given() bool { return n != Norm{} }

// Days is a number of days; its text is "71d" for days of the calendar, "120wd" for
// working days: Monday to Friday but for the holidays.
type Days struct {
	Count   int
	Working bool
}

// UnmarshalText reads "71d" and "120wd"; "" is no days.
func (d *Days) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Days{}
		return nil
	}
	number, working := strings.CutSuffix(string(text), "wd")
	if !working {
		number = strings.TrimSuffix(number, "d")
	}
	count, err := strconv.ParseUint(number, 10, 16)
	if err != nil || number == string(text) {
		return errors.New(`must be days such as "71d", or working days such as "120wd"`)
	}
	*d = Days{Count: int(count), Working: working}
	return nil
}

// MarshalText writes "71d", "120wd", or "" for no days.
func (d Days) MarshalText() ([]byte, error) {
	if d == (Days{}) {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// String is "71d" or "120wd".
func (d Days) String() string {
	if d.Working {
		return strconv.Itoa(d.Count) + "wd"
	}
	return strconv.Itoa(d.Count) + "d"
}

// The kinds of alerts on the course of a sale.
const (
	AlertAtRisk      = "at_risk"
	AlertOverdue     = "overdue"
	AlertStalled     = "stalled"
	AlertBackOnTrack = "back_on_track"
	AlertCompleted   = "completed"
	// AlertMilestones: a milestone was completed, reopened or added, or its due date
	// moved.
	AlertMilestones = "milestone_changes"
	// AlertTeam: somebody joined or left.
	AlertTeam = "team_changes"
	// AlertStatus: OpenMoove's status of the sale is another.
	AlertStatus = "status_changes"
	// AlertReported: another system reported a milestone as done.
	AlertReported = "milestone_reported"
	// AlertUnconfirmed: it did, and OpenMoove still does not show it.
	AlertUnconfirmed = "milestone_unconfirmed"
)

// AlertKinds lists them all: first those that a sale's progress is judged by, then
// those of what was seen or reported.
func AlertKinds() []string {
	return []string{
		AlertAtRisk, AlertOverdue, AlertStalled, AlertBackOnTrack, AlertCompleted,
		AlertMilestones, AlertTeam, AlertStatus, AlertReported, AlertUnconfirmed,
	}
}

// ToManager stands beside the roles for the manager of sales.
const ToManager = "manager"

// recipients are whom alerts may go to.
func recipients() []string { return append(Roles(), ToManager) }

// resolve has the names of steps folded, so that Step need not search.
func (p Progress) resolve() Progress {
	p = p.clone()
	for method, n := range p.Norms {
		folded := make(map[string]Norm, len(n.Steps))
		for name, norm := range n.Steps {
			folded[foldName(name)] = norm
		}
		n.Steps = folded
		p.Norms[method] = n
	}
	return p
}

func (p Progress) clone() Progress {
	p.Norms = maps.Clone(p.Norms)
	for method, n := range p.Norms {
		n.Steps = maps.Clone(n.Steps)
		p.Norms[method] = n
	}
	p.Holidays = slices.Clone(p.Holidays)
	p.Tell = maps.Clone(p.Tell)
	for kind, whom := range p.Tell {
		p.Tell[kind] = slices.Clone(whom)
	}
	return p
}
