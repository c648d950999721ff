package policy

import (
	"maps"
	"slices"
)

// Technicians lists everybody who is on a roster anywhere, by the person's id: the
// company's, and those of portfolios and properties. Of somebody who is on several, the
// first in this order counts.
func (p *Policy) Technicians() []Technician {
	all := []Settings{p.For("", "")}
	for _, id := range slices.Sorted(maps.Keys(p.portfolios)) {
		all = append(all, p.For(id, ""))
	}
	for _, id := range slices.Sorted(maps.Keys(p.properties)) {
		all = append(all, p.For("", id))
	}
	seen := map[string]Technician{}
	for _, s := range all {
		for _, t := range s.Technicians {
			if _, known := seen[t.Person.ID]; !known {
				seen[t.Person.ID] = t
			}
		}
	}
	list := make([]Technician, 0, len(seen))
	for _, id := range slices.Sorted(maps.Keys(seen)) {
		list = append(list, seen[id])
	}
	return list
}
