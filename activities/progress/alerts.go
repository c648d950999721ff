package progress

import (
	"slices"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Kind is what an alert says.
type Kind string

// The kinds.
const (
	Overdue Kind = policy.AlertOverdue
	// HasStalled: the sale or its current step is older than late.
	HasStalled Kind = policy.AlertStalled
	AtRisk     Kind = policy.AlertAtRisk
	// BackOnTrack: something was overdue or had stalled, and nothing is now. What was
	// only at risk and is done in time is told to nobody.
	BackOnTrack Kind = policy.AlertBackOnTrack
	// Completed: the last milestone is. That single ones are is a change, and not told
	// here.
	Completed Kind = policy.AlertCompleted
)

// rank is the place of a kind, the worst first.
func (k Kind) rank() int {
	switch k {
	case Overdue:
		return 0
	case HasStalled:
		return 1
	case AtRisk:
		return 2
	case BackOnTrack:
		return 3
	case Completed:
		return 4
	}
	return 5
}

// Alert is something that somebody is told once.
type Alert struct {
	Kind Kind `json:"kind"`
	// Key is the same for the same state, for ever: whoever keeps the keys of what was
	// told never tells it twice, also when OpenMoove shows less for a while.
	Key string `json:"key"`
	// To are roles and policy.ToManager; the manager stands in for a role that nobody
	// of the sale has. Empty is nobody.
	To []string `json:"to,omitempty"`
	// Step is the milestone that it is about, nil for the sale as a whole.
	Step *Step `json:"step,omitempty"`
}

// Alerts are what has come about between two looks at a sale, the worst first. The
// zero Progress is before the first look; whoever adopts a sale silently keeps the
// keys of its first alerts and tells nobody.
func Alerts(before, after Progress, rules Rules) []Alert {
	var alerts []Alert
	add := func(kind Kind, key string, step *Step) {
		alerts = append(alerts, Alert{Kind: kind, Key: key, To: slices.Clone(rules.Tell[string(kind)]), Step: step})
	}
	for _, t := range after.Troubles {
		if !slices.ContainsFunc(before.Troubles, func(b Trouble) bool { return b.Key == t.Key }) {
			add(t.Kind, t.Key, t.Step)
		}
	}
	switch {
	case after.Done() && !before.Done():
		key := string(Completed)
		if !after.CompletedAt.IsZero() {
			key += "/" + after.CompletedAt.UTC().Format(time.RFC3339)
		}
		add(Completed, key, nil)
	case after.Total > 0 && !after.Done():
		was, bad := before.worst()
		if _, still := after.worst(); bad && !still {
			add(BackOnTrack, string(BackOnTrack)+"/"+was.Key, was.Step)
		}
	}
	return alerts
}

// worst is the first thing that is overdue or has stalled.
func (p Progress) worst() (Trouble, bool) {
	i := slices.IndexFunc(p.Troubles, func(t Trouble) bool { return t.Kind == Overdue || t.Kind == HasStalled })
	if i < 0 {
		return Trouble{}, false
	}
	return p.Troubles[i], true
}
