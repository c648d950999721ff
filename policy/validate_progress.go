package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Bounds that keep Progress small enough for workflow histories.
const (
	maxNorms    = 24 // steps with a norm, of all methods together
	maxHolidays = 100
	maxNormDays = 2000
)

// progress checks how the course of a sale is judged.
func (c *checker) progress(p Progress) {
	const path = "progress"
	c.must(p.AtRiskWithin > 0 && p.AtRiskWithin%day == 0 && p.AtRiskWithin <= 90*day, path+".at_risk_within",
		"must be whole days, from 1d to 90d")
	steps := 0
	for _, method := range slices.Sorted(maps.Keys(p.Norms)) {
		at := join(path, "norms", method)
		c.must(slices.Contains(Methods(), method), at, "is not a sale method; those are %s", strings.Join(Methods(), ", "))
		norms := p.Norms[method]
		c.must(norms.Total.Given() || len(norms.Steps) > 0, at, "must have a total or steps")
		if norms.Total.Given() {
			c.norm(norms.Total, at+".total")
		}
		c.steps(norms.Steps, at+".steps")
		steps += len(norms.Steps)
	}
	c.must(steps <= maxNorms, path+".norms", "must have at most %d steps in all", maxNorms)
	c.size(len(p.Holidays), path+".holidays", 0, maxHolidays)
	for i, d := range p.Holidays {
		at := fmt.Sprintf("%s.holidays[%d]", path, i)
		c.must(d != Date{}, at, "must be given")
		c.must(!slices.Contains(p.Holidays[:i], d), at, "is there twice")
	}
	c.tell(p.Tell, path+".tell")
}

func (c *checker) steps(steps map[string]Norm, path string) {
	seen := make(map[string]bool, len(steps))
	for _, name := range slices.Sorted(maps.Keys(steps)) {
		at := join(path, name)
		c.must(strings.TrimSpace(name) == name && name != "" && isLine(name), at, "must have a key of one line of at most 100 bytes")
		folded := foldName(name)
		c.must(!seen[folded], at, "is there twice, in other case")
		seen[folded] = true
		c.norm(steps[name], at)
	}
}

func (c *checker) norm(n Norm, path string) {
	c.count(n.Typical.Count, path+".typical", 1, maxNormDays)
	c.count(n.Late.Count, path+".late", 1, maxNormDays)
	c.must(n.Typical.Working == n.Late.Working, path, "must have both ages in days, or both in working days")
	c.must(n.Typical.Count <= n.Late.Count, path, "must not be late before it is typical")
}

// tell checks who is told. Every kind is named, so that nobody is left out by a
// slip; an empty list is nobody.
func (c *checker) tell(tell map[string][]string, path string) {
	for _, kind := range slices.Sorted(maps.Keys(tell)) {
		at := join(path, kind)
		c.must(slices.Contains(AlertKinds(), kind), at, "is not a kind of alert; those are %s", strings.Join(AlertKinds(), ", "))
		c.each(tell[kind], at, func(whom string) bool { return slices.Contains(recipients(), whom) },
			"must be one of "+strings.Join(recipients(), ", "))
	}
	for _, kind := range AlertKinds() {
		_, ok := tell[kind]
		c.must(ok, join(path, kind), "must be given; [] is nobody")
	}
}
