// Package change tells by meaning what has changed between two looks at a sale: who
// has joined, not how many there are; what a milestone went through, not that some
// field differs. Everything is a pure function, and Apply proves Diff: what is found
// leads from the one look to the other.
package change

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
)

type (
	// Snapshot is what one look at a sale has shown. Lists are in any order; the zero
	// value is a sale of which nothing was known.
	Snapshot struct {
		// Status is OpenMoove's text, "" where the look did not show it.
		Status string   `json:"status,omitempty"`
		Team   []Member `json:"team,omitempty"`
		// NoTeam is true where the look did not show the team, which is then as before.
		NoTeam     bool                   `json:"no_team,omitempty"`
		Milestones []activities.Milestone `json:"milestones,omitempty"`
		// NoMilestones is true where the look did not show them.
		NoMilestones bool `json:"no_milestones,omitempty"`
	}
	// Member is somebody of the team. Role and e-mail, in any case, say who it is.
	Member struct {
		Role  activities.Role `json:"role"`
		Email string          `json:"email"`
		// Active is false while the invitation is open.
		Active bool `json:"active,omitempty"`
	}
)

// Normal is the one form of all snapshots that mean the same: without what is there
// twice, in order, with e-mails in small letters and times in UTC. A part that was
// not shown is empty.
func (s Snapshot) Normal() Snapshot {
	n := Snapshot{Status: strings.TrimSpace(s.Status)}
	if !s.NoTeam {
		n.Team = normalTeam(s.Team)
	}
	if !s.NoMilestones {
		n.Milestones = normalMilestones(s.Milestones)
	}
	return n
}

// Over is the normal form of a look that comes after another: what it does not show
// is as before. So are the id of a milestone that it shows by name alone, and how a
// status is written that differs in case alone.
func (s Snapshot) Over(before Snapshot) Snapshot {
	before, after := before.Normal(), s.Normal()
	if after.Status == "" || strings.EqualFold(after.Status, before.Status) {
		after.Status = before.Status
	}
	if s.NoTeam {
		after.Team = before.Team
	}
	if s.NoMilestones {
		after.Milestones = before.Milestones
		return after
	}
	pairs, _ := match(before.Milestones, after.Milestones)
	for i, p := range pairs {
		if p.before != nil && p.after.ID == "" {
			after.Milestones[i].ID = p.before.ID
		}
	}
	after.Milestones = normalMilestones(after.Milestones)
	return after
}

// normalTeam has each role and e-mail once; who is there twice has joined if one of
// them has.
func normalTeam(team []Member) []Member {
	var out []Member
	for _, m := range team {
		m.Email = strings.ToLower(strings.TrimSpace(m.Email))
		m.Role = activities.Role(strings.ToLower(strings.TrimSpace(string(m.Role))))
		if i := slices.IndexFunc(out, func(o Member) bool { return o.Role == m.Role && o.Email == m.Email }); i >= 0 {
			out[i].Active = out[i].Active || m.Active
			continue
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Member) int {
		return cmp.Or(strings.Compare(a.Email, b.Email), strings.Compare(string(a.Role), string(b.Role)))
	})
	return out
}

// normalMilestones has each id once: the one that comes first in order. Those
// without an id may be alike.
func normalMilestones(list []activities.Milestone) []activities.Milestone {
	sorted := make([]activities.Milestone, 0, len(list))
	for _, m := range list {
		m.ID, m.Name = strings.TrimSpace(m.ID), strings.TrimSpace(m.Name)
		if !m.Completed {
			m.CompletedAt = time.Time{}
		}
		m.CompletedAt, m.DueAt = m.CompletedAt.Round(0).UTC(), m.DueAt.Round(0).UTC()
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, inOrder)
	var out []activities.Milestone
	seen := make(map[string]bool, len(sorted))
	for _, m := range sorted {
		if m.ID != "" && seen[m.ID] {
			continue
		}
		seen[m.ID] = true
		out = append(out, m)
	}
	return out
}

// inOrder compares everything, so that the order of a reply does not matter.
func inOrder(a, b activities.Milestone) int {
	completed := 0
	if a.Completed != b.Completed {
		completed = 1
		if a.Completed {
			completed = -1
		}
	}
	return cmp.Or(cmp.Compare(a.Order, b.Order), strings.Compare(a.ID, b.ID), strings.Compare(a.Name, b.Name), completed,
		a.CompletedAt.Compare(b.CompletedAt), a.DueAt.Compare(b.DueAt))
}

// pair is a milestone of the later look and what it was in the one before, nil for
// new. ref names the earlier one.
type pair struct {
	ref    string
	before *activities.Milestone
	after  activities.Milestone
}

// gone is a milestone that the later look does not show.
type gone struct {
	ref    string
	before activities.Milestone
}

// match finds what each milestone was before: by its id; else, where one of the two
// has no id, the same in all else, or the same name, first among those that both
// have none. Both lists are normal.
func match(before, after []activities.Milestone) ([]pair, []gone) {
	refs := refsOf(before)
	taken := make([]bool, len(before))
	pairs := make([]pair, len(after))
	for i, m := range after {
		pairs[i].after = m
	}
	same := []func(b, a activities.Milestone) bool{
		func(b, a activities.Milestone) bool { return a.ID != "" && a.ID == b.ID },
		func(b, a activities.Milestone) bool {
			missing := a.ID == "" || b.ID == ""
			a.ID, b.ID = "", ""
			return missing && a == b
		},
		func(b, a activities.Milestone) bool {
			return a.ID == "" && b.ID == "" && strings.EqualFold(a.Name, b.Name)
		},
		func(b, a activities.Milestone) bool {
			return (a.ID == "") != (b.ID == "") && strings.EqualFold(a.Name, b.Name)
		},
	}
	for _, is := range same {
		for i := range pairs {
			if pairs[i].before != nil {
				continue
			}
			for j := range before {
				if !taken[j] && is(before[j], pairs[i].after) {
					taken[j] = true
					pairs[i].ref, pairs[i].before = refs[j], &before[j]
					break
				}
			}
		}
	}
	var left []gone
	for j := range before {
		if !taken[j] {
			left = append(left, gone{refs[j], before[j]})
		}
	}
	return pairs, left
}

// refsOf names milestones of a normal list within it: "id:7", or "name:exchange#0"
// for the first of that name without an id.
func refsOf(list []activities.Milestone) []string {
	refs := make([]string, len(list))
	count := make(map[string]int, len(list))
	for i, m := range list {
		if m.ID != "" {
			refs[i] = "id:" + m.ID
			continue
		}
		name := strings.ToLower(m.Name)
		refs[i] = fmt.Sprintf("name:%s#%d", name, count[name])
		count[name]++
	}
	return refs
}
