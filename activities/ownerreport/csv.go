package ownerreport

import (
	"fmt"
	"io"
	"time"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/policy"
)

// record is one line of the file.
type record struct {
	section, day, what, where, state string
	amount                           *policy.Cents
	// number counts what unit says, such as days.
	number any
	unit   string
}

// CSV writes all that the report has as RFC 4180: amounts such as 1234.50 with their
// currency beside them, no cell that a spreadsheet takes for a formula, and no links. The
// error is ErrOtherPortfolio, that of an unknown Kind, or w's.
func (r Report) CSV(w io.Writer) error {
	if err := r.check(); err != nil {
		return err
	}
	rows := [][]string{{"section", "day", "what", "where", "state", "amount", "currency", "number", "unit"}}
	for _, rec := range r.records() {
		row := []string{rec.section, rec.day, paper.Cell(rec.what), paper.Cell(rec.where), paper.Cell(rec.state), "", "", "", rec.unit}
		// Amounts and numbers are such: a leading minus is meant.
		if rec.amount != nil {
			row[5], row[6] = rec.amount.String(), paper.Cell(r.Currency)
		}
		if rec.number != nil {
			row[7] = fmt.Sprint(rec.number)
		}
		rows = append(rows, row)
	}
	return paper.CSV(w, rows)
}

// records are all lines of the file but the first.
func (r Report) records() []record {
	var out []record
	if r.Kind != Digest {
		out = append(r.moneyRecords(), r.homeRecords()...)
	}
	for _, q := range r.open() {
		rec := record{section: "open request", day: r.iso(q.OpenedAt), what: q.Number, where: q.Where, state: q.Status}
		if !q.OpenedAt.IsZero() {
			rec.number, rec.unit = hours(r.At.Sub(q.OpenedAt)), "hours open"
		}
		out = append(out, rec)
	}
	if r.Kind == Digest {
		return out
	}
	for _, k := range r.KPIs {
		rec := record{section: "target", what: k.Name, state: "not known"}
		if k.Known() {
			rec.state = map[bool]string{true: "kept", false: "missed"}[k.Met()] + ": " + k.write(k.Value) + ", target " + k.write(k.Target)
			rec.number, rec.unit = k.Count, "cases"
		}
		out = append(out, rec)
	}
	notes := r.notes()
	for _, n := range notes.Rows {
		out = append(out, record{section: "note", what: n.Cells[0]})
	}
	return out
}

func (r Report) moneyRecords() []record {
	var out []record
	if m := r.Money; m.Known {
		closing := m.Closing()
		for _, s := range []struct {
			section, day string
			amount       *policy.Cents
		}{{"opening balance", r.From, &m.Opening}, {"charged", r.To, &m.Charged}, {"received", r.To, &m.Received}, {"costs", r.To, &m.Costs}, {"closing balance", r.To, &closing}} {
			out = append(out, record{section: s.section, day: s.day, amount: s.amount})
		}
	}
	for _, a := range r.Money.Charges {
		out = append(out, record{section: "charged by category", what: a.Label, amount: &a.Amount})
	}
	for _, a := range r.Money.Bills {
		out = append(out, record{section: "costs by category", what: a.Label, amount: &a.Amount})
	}
	for _, m := range r.Months {
		out = append(out, record{section: "month received", day: m.Month, amount: &m.Income}, record{section: "month costs", day: m.Month, amount: &m.Costs})
		if m.Occupancy != nil {
			out = append(out, record{section: "month let", day: m.Month, number: tenths(int64(*m.Occupancy)), unit: "percent"})
		}
	}
	return out
}

// homeRecords are of homes and what was done with them.
func (r Report) homeRecords() []record {
	var out []record
	for _, p := range r.Properties {
		for _, u := range p.Units {
			rec := record{section: "home", what: u.Label, where: p.name(), state: string(u.State), amount: &u.Rent}
			if u.let() {
				rec.day = paper.Day(u.LeaseEnds, time.DateOnly)
			} else {
				rec.number, rec.unit = u.EmptyDays, "days empty"
			}
			out = append(out, rec)
		}
	}
	for _, p := range r.Repairs {
		rec := record{section: "repair", day: r.iso(p.DoneAt), what: paper.Words(p.What), where: p.Where, amount: &p.Cost}
		if p.Emergency {
			rec.state = "emergency"
		}
		if !p.OpenedAt.IsZero() && p.DoneAt.After(p.OpenedAt) {
			rec.number, rec.unit = hours(p.DoneAt.Sub(p.OpenedAt)), "hours to done"
		}
		out = append(out, rec)
	}
	for _, l := range r.Lettings {
		state := map[bool]string{true: "withdrawn", false: "let"}[l.Withdrawn]
		out = append(out,
			record{section: "letting", what: l.Source, where: l.Where, state: state, amount: &l.Cost, number: l.Leads, unit: "leads"},
			record{section: "rent lost", where: l.Where, amount: &l.Lost, number: l.EmptyDays, unit: "days empty"})
	}
	for _, c := range r.Compliance {
		out = append(out, record{section: "requirement", day: paper.Day(c.Due, time.DateOnly), what: c.Name, where: c.Where, state: c.State})
	}
	return out
}

// iso is the day of a time, "" for none.
func (r Report) iso(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return r.in(t).Format(time.DateOnly)
}

func hours(d time.Duration) int { return int(d.Round(time.Hour) / time.Hour) }
