package change

import (
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
)

// Kind is what has changed.
type Kind string

// The kinds.
const (
	StatusChanged Kind = "status_changed"

	Joined      Kind = "joined"
	Left        Kind = "left"
	RoleChanged Kind = "role_changed"
	// Accepted: an invitation was open and is not; InvitedAgain is the reverse.
	Accepted     Kind = "accepted"
	InvitedAgain Kind = "invited_again"

	MilestoneAdded     Kind = "milestone_added"
	MilestoneRemoved   Kind = "milestone_removed"
	MilestoneCompleted Kind = "milestone_completed"
	MilestoneReopened  Kind = "milestone_reopened"
	// DueMoved: to another day or time, or a due date came or went.
	DueMoved         Kind = "due_moved"
	MilestoneRenamed Kind = "milestone_renamed"
	// MilestoneAmended: what means nothing to people, such as the place among the
	// others, or how the same due day is written.
	MilestoneAmended Kind = "milestone_amended"
)

// Change is one thing that has changed. It holds e-mails of people, so it stays out
// of logs; Sentence does not.
type Change struct {
	Kind Kind `json:"kind"`
	// From and To are the status, the role or the name of the milestone before and
	// after, where those changed.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Member is whom it is about, as after the change; nil where it is about nobody.
	Member *Member `json:"member,omitempty"`
	// Ref names the milestone within the look before, "" for an added one.
	Ref string `json:"ref,omitempty"`
	// Milestone is as after all changes, or as it was where it is removed; nil where
	// it is about none.
	Milestone *activities.Milestone `json:"milestone,omitempty"`
	// DueBefore is the due time before it moved, zero for none.
	DueBefore time.Time `json:"due_before,omitzero"`
}

// Quiet tells whether the change means nothing to people.
func (c Change) Quiet() bool { return c.Kind == MilestoneAmended }

// Sentence says the change without names of people; days are those of the zone of
// sales.
func (c Change) Sentence(zone string) string {
	switch c.Kind {
	case StatusChanged:
		if c.From == "" {
			return "The status is “" + c.To + "”."
		}
		return "The status has changed from “" + c.From + "” to “" + c.To + "”."
	case Joined:
		if !c.Member.Active {
			return who(c.Member.Role) + " has been invited."
		}
		return who(c.Member.Role) + " has joined."
	case Left:
		return who(c.Member.Role) + " is no longer part of the sale."
	case RoleChanged:
		return who(activities.Role(c.From)) + " now has the role " + role(activities.Role(c.To)) + "."
	case Accepted:
		return who(c.Member.Role) + " has accepted the invitation."
	case InvitedAgain:
		return who(c.Member.Role) + " has an open invitation again."
	case MilestoneAdded, MilestoneRemoved, MilestoneCompleted, MilestoneReopened, DueMoved, MilestoneRenamed, MilestoneAmended:
		return c.milestoneSentence(zone)
	}
	return "The sale has changed."
}

func (c Change) milestoneSentence(zone string) string {
	name := c.Milestone.Name
	if c.Kind == MilestoneRenamed {
		name = c.From
	}
	subject := "A milestone without a name"
	if name != "" {
		subject = "The milestone “" + name + "”"
	}
	switch c.Kind {
	case MilestoneAdded:
		if c.Milestone.DueAt.IsZero() {
			return subject + " has been added."
		}
		return subject + " has been added, due on " + dayOf(c.Milestone.DueAt, zone) + "."
	case MilestoneRemoved:
		return subject + " has been removed."
	case MilestoneCompleted:
		return subject + " is completed."
	case MilestoneReopened:
		return subject + " is open again."
	case MilestoneRenamed:
		return subject + " is now called “" + c.To + "”."
	case DueMoved:
		return subject + dueSentence(c.DueBefore, c.Milestone.DueAt, zone)
	case MilestoneAmended, StatusChanged, Joined, Left, RoleChanged, Accepted, InvitedAgain:
	}
	return subject + " has been corrected in detail."
}

func dueSentence(before, after time.Time, zone string) string {
	switch {
	case after.IsZero():
		return " has no due date any more; it was " + dayOf(before, zone) + "."
	case before.IsZero():
		return " is now due on " + dayOf(after, zone) + "."
	case dayOf(before, zone) == dayOf(after, zone):
		return " is due at another time on " + dayOf(after, zone) + "."
	default:
		return " is now due on " + dayOf(after, zone) + " rather than " + dayOf(before, zone) + "."
	}
}

func dayOf(at time.Time, zone string) string {
	d := progress.DueOn(at, zone)
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format("2 January 2006")
}

// who begins a sentence: "The estate agent".
func who(r activities.Role) string {
	if r == "" {
		return "Somebody without a role"
	}
	return "The " + role(r)
}

func role(r activities.Role) string {
	return strings.Join(strings.Fields(policy.Words(string(r))), " ")
}
