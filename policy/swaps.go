package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// A Swap lets somebody stand in for another on call for a time.
type Swap struct {
	// Out is not paged from From (included) to To (excluded); In is, in the same place.
	Out  Person    `json:"out"`
	In   Person    `json:"in"`
	From time.Time `json:"from"` // business time
	To   time.Time `json:"to"`   // business time
}

func (w Swap) covers(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

// standIn is who is paged in a person's place at t. Whoever stands in may have a
// stand-in too; those who stand in for each other in a circle change places.
func (o OnCall) standIn(p Person, t time.Time) Person {
	seen := []string{p.ID}
	for found := p; ; {
		next, ok := o.replaced(found, t)
		if !ok {
			return found
		}
		if slices.Contains(seen, next.ID) {
			next, _ = o.replaced(p, t)
			return next
		}
		seen, found = append(seen, next.ID), next
	}
}

// replaced takes one step; of several swaps of one person the first counts.
func (o OnCall) replaced(p Person, t time.Time) (Person, bool) {
	i := slices.IndexFunc(o.Swaps, func(w Swap) bool { return w.Out.ID == p.ID && w.covers(t) })
	if i < 0 {
		return p, false
	}
	return o.Swaps[i].In, true
}

// swapped is the team with stand-ins in their places, each person once.
func (o OnCall) swapped(team []Person, t time.Time) []Person {
	var list []Person
	for _, p := range team {
		p = o.standIn(p, t)
		if !slices.ContainsFunc(list, func(q Person) bool { return q.ID == p.ID }) {
			list = append(list, p)
		}
	}
	return list
}

// OnCallUntil is when the team on call at t is next another one (UTC), zero where it
// stays the same.
func (s Settings) OnCallUntil(t time.Time) time.Time {
	turn, ok := s.turnAt(t)
	if !ok {
		return time.Time{}
	}
	var changes []time.Time
	for i := range s.OnCall.Teams {
		changes = append(changes, s.turnBegins(turn+i+1))
	}
	for _, w := range s.OnCall.Swaps {
		changes = append(changes, w.From.UTC(), w.To.UTC())
	}
	slices.SortFunc(changes, time.Time.Compare)
	now := s.OnCallAt(t)
	for _, at := range changes {
		same := func(a, b Person) bool { return a.ID == b.ID }
		if at.After(t) && !slices.EqualFunc(s.OnCallAt(at), now, same) {
			return at
		}
	}
	return time.Time{}
}

// A Duty is a part of what is managed that has managers or a rotation of its own.
type Duty struct {
	// PortfolioID or PropertyID says whose it is; both are "" for the company's.
	PortfolioID string
	PropertyID  string
	Settings    Settings
}

// Duties lists the company's duty first, then those of portfolios and properties
// whose overrides say something about people.
func (p *Policy) Duties() []Duty {
	list := []Duty{{Settings: p.For("", "")}}
	for _, id := range slices.Sorted(maps.Keys(p.portfolios)) {
		if namesPeople(p.portfolios[id]) {
			list = append(list, Duty{PortfolioID: id, Settings: p.For(id, "")})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.properties)) {
		if namesPeople(p.properties[id]) {
			list = append(list, Duty{PropertyID: id, Settings: p.For("", id)})
		}
	}
	return list
}

func namesPeople(override ast.Node) bool {
	about := []string{"property_manager", "escalation", "people", "on_call", "time_zone"}
	for key := range newDecoder().mapping(override, "") {
		if slices.Contains(about, key) {
			return true
		}
	}
	return false
}
