package ownerreport

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/policy"
)

// The states of a Requirement.
const (
	unknown = "unknown"
	overdue = "overdue"
)

// Widths are in millimetres of a page.

func text(name string, width float64) paper.Column { return paper.Column{Name: name, Width: width} }

func number(name string, width float64) paper.Column {
	return paper.Column{Name: name, Width: width, Right: true}
}

func name(s string) string { return sheet.Line(s, paper.MaxName) }

// or is a name, a dash for none.
func or(s string) string { return cmp.Or(name(s), "–") }

func (r Report) kpis() paper.Table {
	t := paper.Table{Title: "Targets", Columns: []paper.Column{text("Figure", 0), number("Cases", 18), number("Result", 30), number("Target", 30), number("", 22)}}
	for _, k := range r.KPIs {
		result, verdict := "not known", "–"
		if k.Known() {
			result, verdict = k.write(k.Value), map[bool]string{true: "kept", false: "missed"}[k.Met()]
		}
		t.Rows = append(t.Rows, paper.Row{Cells: []string{or(k.Name), fmt.Sprint(max(k.Count, 0)), result, k.write(k.Target), verdict}})
	}
	return t
}

// coming is something that has a day.
type coming struct{ day, what, where, mark string }

// next is what comes: leases that end, what must be renewed, and homes that are empty.
func (r Report) next() paper.Table {
	var all []coming
	today := r.today()
	for _, p := range r.Properties {
		for _, u := range p.Units {
			where := r.place(p, u)
			switch {
			case !u.let():
				all = append(all, coming{"", r.empty(u), where, ""})
			case u.LeaseEnds != "" && within(today, u.LeaseEnds, 0, leasesAhead):
				what := "Lease ends"
				if u.State == Leaving {
					what = "Lease ends, the tenants leave"
				}
				all = append(all, coming{u.LeaseEnds, what, where, ""})
			}
		}
	}
	for _, c := range r.Compliance {
		if c.Due == "" || !within(today, c.Due, -100*366, complianceAhead) {
			continue
		}
		due := coming{c.Due, name(c.Name), name(c.Where), ""}
		if c.Due < today {
			due.mark = "Overdue"
		}
		all = append(all, due)
	}
	slices.SortStableFunc(all, func(a, b coming) int { return cmp.Compare(a.day, b.day) })
	t := paper.Table{Title: "What is next", Columns: []paper.Column{text("", 26), text("What", 0)}}
	for _, c := range all {
		day := "now"
		if c.day != "" {
			day = paper.Day(c.day, "Jan 2, 2006")
		}
		t.Rows = append(t.Rows, paper.Row{Cells: []string{day, c.what}, Mark: c.mark, Sub: c.where})
	}
	return t
}

// within tells whether a day is from least to most days after another one.
func within(from, day string, least, most int) bool {
	a, errA := time.Parse(time.DateOnly, from)
	b, errB := time.Parse(time.DateOnly, day)
	return errA == nil && errB == nil && !b.Before(a.AddDate(0, 0, least)) && !b.After(a.AddDate(0, 0, most))
}

func (r Report) empty(u Unit) string {
	said := "Empty"
	if u.EmptyDays > 0 {
		said += " for " + paper.Count(u.EmptyDays, "day")
	}
	if u.LetFrom != "" {
		return said + ", let from " + paper.Day(u.LetFrom, "Jan 2, 2006")
	}
	if u.State != Listed {
		return said + ", not offered yet"
	}
	if u.Rent > 0 {
		return said + ", offered at " + r.money(u.Rent)
	}
	return said + ", offered"
}

func (p Property) name() string { return cmp.Or(name(p.Name), name(p.Address), "Property "+name(p.ID)) }

func (r Report) place(p Property, u Unit) string { return join(", ", p.name(), name(u.Label)) }

// homes are the units by property.
func (r Report) homes() paper.Table {
	t := paper.Table{Title: "Homes", Columns: []paper.Column{text("Home", 0), text("", 52), number("Rent a month", 30), number("Lease ends", 28)}}
	for _, p := range r.Properties {
		let, rent := 0, policy.Cents(0)
		for _, u := range p.Units {
			if u.let() {
				let++
				rent += u.Rent
			}
		}
		head := paper.Row{Cells: []string{p.name(), fmt.Sprintf("%d of %d let", let, len(p.Units)), r.some(rent), ""}, Strong: len(p.Units) > 0}
		if address := name(p.Address); address != p.name() {
			head.Sub = address
		}
		t.Rows = append(t.Rows, head)
		for _, u := range p.Units {
			state, ends := map[State]string{Let: "let", Leaving: "let, tenants leave"}[u.State], "–"
			if !u.let() {
				state = "empty"
				if u.EmptyDays > 0 {
					state += " for " + paper.Count(u.EmptyDays, "day")
				}
				switch {
				case u.LetFrom != "":
					state += ", let from " + paper.Day(u.LetFrom, "Jan 2, 2006")
				case u.State == Listed:
					state += ", offered"
				}
			}
			if u.LeaseEnds != "" && u.let() {
				ends = paper.Day(u.LeaseEnds, "Jan 2, 2006")
			}
			t.Rows = append(t.Rows, paper.Row{Cells: []string{or(u.Label), state, r.some(u.Rent), ends}})
		}
	}
	return t
}

// categories are what was charged and what it cost.
func (r Report) categories() paper.Table {
	t := paper.Table{Title: "By category", Columns: []paper.Column{text("Category", 0), number("Charged", 34), number("Costs", 34)}}
	for _, a := range r.Money.Charges {
		t.Rows = append(t.Rows, paper.Row{Cells: []string{or(a.Label), r.some(a.Amount), ""}})
	}
	for _, a := range r.Money.Bills {
		t.Rows = append(t.Rows, paper.Row{Cells: []string{or(a.Label), "", r.some(a.Amount)}})
	}
	if len(t.Rows) > 0 {
		t.Rows = append(t.Rows, paper.Row{Cells: []string{"All", r.some(r.Money.Charged), r.some(r.Money.Costs)}, Strong: true})
	}
	return t
}

func (r Report) repairs() paper.Table {
	t := paper.Table{Title: "Repairs done", Columns: []paper.Column{
		text("Done", 16), text("What", 0), number("First response", 24), number("On site", 22), number("Done after", 22), number("Cost", 26), number("Rating", 14),
	}}
	for _, p := range r.Repairs {
		rating := "–"
		if p.Rating > 0 {
			rating = fmt.Sprintf("%d of 5", p.Rating)
		}
		row := paper.Row{Cells: []string{
			r.day(p.DoneAt), cmp.Or(paper.Words(p.What), "Repair"),
			between(p.OpenedAt, p.AnsweredAt), between(p.OpenedAt, p.OnSiteAt), between(p.OpenedAt, p.DoneAt), r.some(p.Cost), rating,
		}, Sub: name(p.Where)}
		if p.Emergency {
			row.Mark = "Emergency"
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (r Report) requests(all []Request) paper.Table {
	t := paper.Table{Title: "Open requests", Columns: []paper.Column{text("Number", 24), text("Where", 0), number("Opened", 22), number("Open for", 26)}}
	for _, q := range all {
		row := paper.Row{Cells: []string{or(q.Number), or(q.Where), r.day(q.OpenedAt), between(q.OpenedAt, r.At)}, Sub: name(q.Status)}
		if r.Kind != Digest && r.old(q) {
			row.Mark = "Longer than " + span(r.oldAfter())
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (r Report) lettings() paper.Table {
	t := paper.Table{Title: "Lettings", Columns: []paper.Column{
		text("Home", 0), number("Offered", 20), number("Leads", 14), number("Showings", 18), number("Applied", 16), number("Cost", 24), number("Rent lost", 26),
	}}
	for _, l := range r.Lettings {
		row := paper.Row{Cells: []string{
			or(l.Where), paper.Count(l.ListedDays, "day"), fmt.Sprint(l.Leads), fmt.Sprint(l.Showings), fmt.Sprint(l.Applications), r.some(l.Cost), r.some(l.Lost),
		}}
		if l.Withdrawn {
			row.Mark = "Withdrawn"
		}
		if s := name(l.Source); s != "" {
			row.Sub = "Found by " + s
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// compliance is all that the homes must have, the worst first.
func (r Report) compliance() paper.Table {
	t := paper.Table{Title: "Certificates, licences and inspections", Columns: []paper.Column{text("What", 0), text("", 30), number("Due", 30)}}
	order := map[string]int{overdue: 0, "due": 1, unknown: 2, "valid": 3}
	all := slices.Clone(r.Compliance)
	slices.SortStableFunc(all, func(a, b Requirement) int { return cmp.Or(order[a.State]-order[b.State], cmp.Compare(a.Due, b.Due)) })
	for _, c := range all {
		due := "–"
		if c.Due != "" {
			due = paper.Day(c.Due, "Jan 2, 2006")
		}
		state := name(c.State)
		if c.State == unknown {
			state = "not known yet"
		}
		t.Rows = append(t.Rows, paper.Row{Cells: []string{or(c.Name), state, due}, Sub: name(c.Where)})
	}
	return t
}

// notes are what is not known.
func (r Report) notes() paper.Table {
	t := paper.Table{Title: "What is not known", Columns: []paper.Column{text("", 0)}}
	notes := r.Notes
	if !r.Money.Known {
		notes = append([]string{"No books are kept for this portfolio: there are no amounts."}, notes...)
	}
	for _, n := range notes {
		t.Rows = append(t.Rows, paper.Row{Cells: []string{sheet.Line(n, maxNote)}})
	}
	return t
}
