package openmoove

import (
	"time"
)

// maxLogged bounds the log of changes.
const maxLogged = 20_000

// ChangeKind says what was changed of a sale.
type ChangeKind string

// The kinds of changes.
const (
	Created              ChangeKind = "created"
	StatusChanged        ChangeKind = "status"
	Accepted             ChangeKind = "accepted"
	MilestoneAdded       ChangeKind = "milestone_added"
	MilestoneReached     ChangeKind = "milestone_completed"
	MilestoneReopened    ChangeKind = "milestone_reopened"
	MilestoneRescheduled ChangeKind = "due_date_moved"
)

// Change is one thing that happened to a sale, whoever did it. Where one act does two,
// such as to complete a milestone and to move its due date, each is a Change.
type Change struct {
	// N rises by one with every change since the server began. The log does not outlive
	// the process, and then N begins at 1 again; after a Reset it goes on.
	N int `json:"n"`
	// At is business time.
	At         time.Time  `json:"at"`
	PropertyID int        `json:"property_id"`
	Kind       ChangeKind `json:"kind"`
	// MilestoneID, Milestone and DueDate are the milestone as it stands after the change.
	MilestoneID int       `json:"milestone_id,omitempty"`
	Milestone   string    `json:"milestone,omitempty"`
	DueDate     time.Time `json:"due_date,omitzero"`
	// Role is who has accepted.
	Role string `json:"role,omitempty"`
	// Status is the new one, or that of a new sale.
	Status string `json:"status,omitempty"`
}

// changeLog keeps the last changes, oldest first. The Server's lock guards it.
type changeLog struct {
	kept []Change
	last int
}

func (l *changeLog) add(c Change) {
	l.last++
	c.N = l.last
	if len(l.kept) >= maxLogged {
		// Dropped in lots, so that a full log does not move all on every change.
		l.kept = append([]Change(nil), l.kept[maxLogged/10:]...)
	}
	l.kept = append(l.kept, c)
}

// after are the changes with a higher number, those that are kept.
func (l *changeLog) after(n int) []Change {
	from := len(l.kept) - max(0, l.last-n)
	return append([]Change{}, l.kept[min(max(0, from), len(l.kept)):]...)
}

// ChangesAfter lists the changes with a number above n, oldest first. The last 18,000
// at least are kept since the last Reset: where the first number is above n+1 some are
// gone.
func (s *Server) ChangesAfter(n int) []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.after(n)
}

// note puts a change of a property into the log, under the lock and just before it is
// committed, so that the log has them in their order.
func (s *Server) note(p *Property, c Change) {
	c.PropertyID, c.At = p.ID, s.cfg.Now().UTC().Truncate(time.Microsecond)
	s.log.add(c)
}

// noteMilestone notes what has become of a milestone; one without an id before is new.
func (s *Server) noteMilestone(p *Property, before, after Milestone) {
	c := Change{MilestoneID: after.ID, Milestone: after.Name, DueDate: after.DueDate}
	made := func(kind ChangeKind) {
		c.Kind = kind
		s.note(p, c)
	}
	switch {
	case before.ID == 0:
		made(MilestoneAdded)
	case !after.DueDate.Equal(before.DueDate):
		made(MilestoneRescheduled)
	}
	switch {
	case after.Completed() && !before.Completed():
		made(MilestoneReached)
	case before.Completed() && !after.Completed():
		made(MilestoneReopened)
	}
}
