// Package professionals chooses who works on a sale: a pure function of the
// policy's directory and the workload.
package professionals

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aictive/keyholder/policy"
)

// Need is a role to fill.
type Need struct {
	// Role is one of policy.Roles.
	Role string
	// Postcode is the property's.
	Postcode string
	// Method is one of policy.Methods; "" is the standard one.
	Method string
	// Refused are the ids of those who are not to be taken again.
	Refused []string
}

// Choice is somebody who may be taken.
type Choice struct {
	Professional policy.Professional `json:"professional"`
	// Reason says in a few words why, without personal data.
	Reason string `json:"reason"`
	// Default is set where nobody fits and it is the role's default.
	Default bool `json:"default,omitempty"`
}

// candidate is somebody of the role who was not refused.
type candidate struct {
	*policy.Professional
	load   int
	area   string
	narrow int
	covers bool
	method bool
}

// Choose takes the best of Rank. A mortgage broker is never chosen by itself: ok is
// false, as where there is nobody.
func Choose(s policy.Sales, need Need, load map[string]int) (choice Choice, ok bool) {
	if need.Role == policy.RoleMortgageBroker {
		return Choice{}, false
	}
	ranked := Rank(s, need, load)
	if len(ranked) == 0 {
		return Choice{}, false
	}
	return ranked[0], true
}

// Rank lists who fits, best first: who does the area and the method and has room
// for another case; of those who is least busy by share of capacity, then has fewer
// cases, then works the narrowest area, then has the lower id. load is how many open
// cases each has, by id.
//
// Where nobody fits it lists whom to take all the same: the role's default, full or
// not, then the others of the role who do the method, wherever they work, least busy
// first. The role is never another. The method is another only where nobody of the
// role who was not refused does it, and then the default is all there is.
func Rank(s policy.Sales, need Need, load map[string]int) []Choice {
	need.Method = cmp.Or(need.Method, policy.MethodStandard)
	at := locate(need.Postcode)
	var fit, others []candidate
	standIn, refused := candidate{Professional: &policy.Professional{}}, slices.Contains(need.Refused, s.Defaults[need.Role])
	for i := range s.Professionals {
		p := &s.Professionals[i]
		if p.Role != need.Role || slices.Contains(need.Refused, p.ID) {
			continue
		}
		c := candidate{Professional: p, load: max(load[p.ID], 0), method: slices.Contains(p.Methods, need.Method)}
		c.area, c.narrow, c.covers = at.covered(p.Areas)
		switch {
		case c.covers && c.method && c.load < c.Capacity:
			fit = append(fit, c)
		case c.method:
			others = append(others, c)
		}
		if p.ID == s.Defaults[need.Role] {
			standIn = c
		}
	}
	if len(fit) > 0 {
		return choices(fit, func(c candidate) string {
			return fmt.Sprintf("%s, does %s, %s", c.coverage(), need.Method, c.cases())
		})
	}
	return fallback(need, at, standIn, refused, others)
}

// fallback is whom to take where nobody fits.
func fallback(need Need, at place, standIn candidate, refused bool, others []candidate) []Choice {
	nobody := fmt.Sprintf("nobody free covers %s for %s", at.district(), need.Method)
	var out []Choice
	if standIn.method {
		out = append(out, Choice{Professional: *standIn.Professional, Reason: nobody + ": the default", Default: true})
		others = slices.DeleteFunc(others, func(c candidate) bool { return c.ID == standIn.ID })
	}
	why := nobody
	switch {
	case refused:
		why += ", the default was refused"
	case standIn.ID != "" && !standIn.method:
		why += ", the default does not do that"
	}
	out = append(out, choices(others, func(c candidate) string { return why + ": by workload, " + c.cases() })...)
	if len(out) == 0 && standIn.ID != "" {
		out = append(out, Choice{Professional: *standIn.Professional, Reason: "nobody does " + need.Method + ": the default", Default: true})
	}
	return out
}

func choices(from []candidate, reason func(candidate) string) []Choice {
	slices.SortFunc(from, better)
	out := make([]Choice, 0, len(from))
	for _, c := range from {
		out = append(out, Choice{Professional: *c.Professional, Reason: reason(c)})
	}
	return out
}

// better compares shares of capacity by multiplying, as the last bits of a division
// should decide nothing.
func better(a, b candidate) int {
	return cmp.Or(
		cmp.Compare(a.load*max(b.Capacity, 1), b.load*max(a.Capacity, 1)),
		cmp.Compare(a.load, b.load),
		cmp.Compare(b.narrow, a.narrow),
		cmp.Compare(a.ID, b.ID),
	)
}

func (c candidate) coverage() string {
	if c.area == policy.EveryArea {
		return "covers everywhere"
	}
	return "covers " + c.area
}

func (c candidate) cases() string { return fmt.Sprintf("%d of %d cases", c.load, c.Capacity) }
