package change

import (
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
)

// Diff is what has changed between two looks: the status, then the team, then the
// milestones in their order, removed ones last. What the later look does not show
// has not changed. Apply(before, Diff(before, after)) is after.Over(before).
func Diff(before, after Snapshot) []Change {
	from, to := before.Normal(), after.Normal()
	var out []Change
	if to.Status != "" && !strings.EqualFold(from.Status, to.Status) {
		out = append(out, Change{Kind: StatusChanged, From: from.Status, To: to.Status})
	}
	if !after.NoTeam {
		out = append(out, diffTeam(from.Team, to.Team)...)
	}
	if !after.NoMilestones {
		out = append(out, diffMilestones(from.Milestones, to.Milestones)...)
	}
	return out
}

// diffTeam compares normal teams. Who has left one role and joined another, by the
// same e-mail, has changed roles.
func diffTeam(before, after []Member) []Change {
	left := slices.DeleteFunc(slices.Clone(before), func(m Member) bool { return find(after, m) >= 0 })
	var out []Change
	for _, m := range after {
		if i := find(before, m); i >= 0 {
			out = append(out, diffInvitation(before[i], m)...)
			continue
		}
		i := slices.IndexFunc(left, func(l Member) bool { return m.Email != "" && l.Email == m.Email })
		if i < 0 {
			out = append(out, Change{Kind: Joined, Member: &m})
			continue
		}
		was := left[i]
		left = slices.Delete(left, i, i+1)
		out = append(out, Change{Kind: RoleChanged, From: string(was.Role), To: string(m.Role),
			Member: &Member{Role: m.Role, Email: m.Email, Active: was.Active}})
		out = append(out, diffInvitation(was, m)...)
	}
	for _, m := range left {
		out = append(out, Change{Kind: Left, Member: &m})
	}
	return out
}

func diffInvitation(was, is Member) []Change {
	switch {
	case is.Active && !was.Active:
		return []Change{{Kind: Accepted, Member: &is}}
	case !is.Active && was.Active:
		return []Change{{Kind: InvitedAgain, Member: &is}}
	default:
		return nil
	}
}

// find is the place of a member by role and e-mail, -1 for none.
func find(team []Member, m Member) int {
	return slices.IndexFunc(team, func(o Member) bool { return o.Role == m.Role && o.Email == m.Email })
}

func diffMilestones(before, after []activities.Milestone) []Change {
	pairs, left := match(before, after)
	var out []Change
	for _, p := range pairs {
		if p.before == nil {
			out = append(out, Change{Kind: MilestoneAdded, Milestone: &p.after})
			continue
		}
		out = append(out, diffMilestone(p)...)
	}
	for _, g := range left {
		out = append(out, Change{Kind: MilestoneRemoved, Ref: g.ref, Milestone: &g.before})
	}
	return out
}

// diffMilestone compares a milestone with what it was.
func diffMilestone(p pair) []Change {
	was, is := *p.before, p.after
	if is.ID == "" {
		is.ID = was.ID
	}
	var out []Change
	add := func(c Change) {
		c.Ref, c.Milestone = p.ref, &is
		out = append(out, c)
		was = applied(was, c)
	}
	if !strings.EqualFold(was.Name, is.Name) {
		add(Change{Kind: MilestoneRenamed, From: was.Name, To: is.Name})
	}
	switch {
	case is.Completed && !was.Completed:
		add(Change{Kind: MilestoneCompleted})
	case !is.Completed && was.Completed:
		add(Change{Kind: MilestoneReopened})
	}
	if !sameDue(was.DueAt, is.DueAt) {
		add(Change{Kind: DueMoved, DueBefore: was.DueAt})
	}
	if was != is {
		add(Change{Kind: MilestoneAmended})
	}
	return out
}

// applied is a milestone after one change of it.
func applied(m activities.Milestone, c Change) activities.Milestone {
	switch c.Kind {
	case MilestoneRenamed:
		m.Name = c.To
	case MilestoneCompleted:
		m.Completed, m.CompletedAt = true, c.Milestone.CompletedAt
	case MilestoneReopened:
		m.Completed, m.CompletedAt = false, time.Time{}
	case DueMoved:
		m.DueAt = c.Milestone.DueAt
	case MilestoneAmended:
		m = *c.Milestone
	case MilestoneAdded, MilestoneRemoved, StatusChanged, Joined, Left, RoleChanged, Accepted, InvitedAgain:
	}
	return m
}

// sameDue tells whether two due times mean the same: the same instant, or the same
// day, written once by its beginning and once by its end (package progress).
func sameDue(a, b time.Time) bool {
	if a.IsZero() || b.IsZero() {
		return a.IsZero() && b.IsZero()
	}
	return a.Equal(b) || wholeDay(a) && wholeDay(b) && a.Truncate(day).Equal(b.Truncate(day))
}

const day = 24 * time.Hour

// wholeDay tells whether a UTC time is midnight or in the last minute of a day.
func wholeDay(t time.Time) bool {
	since := t.Sub(t.Truncate(day))
	return since == 0 || since >= day-time.Minute
}

// Apply is the normal snapshot that the changes lead to. Changes that do not fit
// the snapshot have no effect.
func Apply(before Snapshot, changes []Change) Snapshot {
	s := before.Normal()
	list := slices.Clone(s.Milestones)
	refs := refsOf(list)
	for _, c := range changes {
		switch c.Kind {
		case StatusChanged:
			s.Status = c.To
		case Joined, Left, RoleChanged, Accepted, InvitedAgain:
			s.Team = appliedTeam(s.Team, c)
		case MilestoneAdded:
			if c.Milestone != nil {
				list, refs = append(list, *c.Milestone), append(refs, "")
			}
		case MilestoneRemoved, MilestoneCompleted, MilestoneReopened, DueMoved, MilestoneRenamed, MilestoneAmended:
			i := slices.Index(refs, c.Ref)
			if c.Ref == "" || c.Milestone == nil || i < 0 {
				continue
			}
			if c.Kind == MilestoneRemoved {
				list, refs = slices.Delete(list, i, i+1), slices.Delete(refs, i, i+1)
				continue
			}
			list[i] = applied(list[i], c)
		}
	}
	s.Milestones = list
	return s.Normal()
}

func appliedTeam(team []Member, c Change) []Member {
	if c.Member == nil {
		return team
	}
	was := *c.Member
	if c.Kind == RoleChanged {
		was.Role = activities.Role(c.From)
	}
	at := find(team, was)
	switch {
	case c.Kind == Joined && at < 0:
		return append(slices.Clone(team), *c.Member)
	case at < 0:
		return team
	case c.Kind == Left:
		return slices.Delete(slices.Clone(team), at, at+1)
	}
	team = slices.Clone(team)
	team[at] = *c.Member
	return team
}
