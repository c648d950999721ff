package financereport

import (
	"fmt"
	"io"
	"strings"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/policy"
)

// heading names the columns of CSV; all kinds of report have the same.
func heading() []string {
	return []string{"section", "day", "kind", "label", "where", "text", "charged", "received", "billed", "amount", "currency", "state"}
}

// record is one line of the file.
type record struct {
	section, day, kind, label, where, text string
	figures                                *Figures
	amount                                 *policy.Cents
	state                                  string
}

// CSV writes all that the report has as RFC 4180: amounts such as 1234.50 with their
// currency beside them, no cell that a spreadsheet takes for a formula, and no links. The
// error is ErrOtherPortfolio, that of an unknown Kind, or w's.
func (r Report) CSV(w io.Writer) error {
	if err := r.check(); err != nil {
		return err
	}
	rows := [][]string{heading()}
	for _, rec := range r.records() {
		rows = append(rows, rec.cells(r.Currency))
	}
	return paper.CSV(w, rows)
}

func (rec record) cells(currency string) []string {
	cells := []string{rec.section, rec.day, rec.kind, rec.label, rec.where, rec.text, "", "", "", "", currency, rec.state}
	for i, c := range cells {
		cells[i] = paper.Cell(c)
	}
	// Amounts are numbers: a leading minus is meant.
	if f := rec.figures; f != nil {
		cells[6], cells[7], cells[8] = f.Charged.String(), f.Received.String(), f.Billed.String()
	}
	if rec.amount != nil {
		cells[9] = rec.amount.String()
	}
	return cells
}

// records are all lines of the file but the first.
func (r Report) records() []record {
	var out []record
	switch r.Kind {
	case Summary:
		out = append(out, record{section: "month to date", day: r.To, figures: &r.MonthToDate})
	case OwnerLedger:
		out = append(out, record{section: "opening balance", day: r.From, amount: &r.Opening})
	case Daily, Monthly:
		out = r.companyRecords()
	}
	for _, l := range r.Lines {
		figures := l.Figures()
		out = append(out, record{
			section: "booking", day: l.Day, kind: l.Kind, label: l.Category, where: l.Where, text: l.Text,
			figures: &figures, amount: &l.Amount, state: strings.ToLower(l.mark()),
		})
	}
	if closing := r.Closing(); r.Kind == OwnerLedger {
		out = append(out, record{section: "closing balance", day: r.To, amount: &closing})
	}
	return out
}

func (r Report) companyRecords() []record {
	var out []record
	for _, s := range []struct {
		section string
		rows    []Row
	}{{"total", []Row{{Figures: r.Total}}}, {"category", r.Categories}, {"portfolio", r.Portfolios}} {
		for _, row := range s.rows {
			out = append(out, record{section: s.section, label: row.Label, figures: &row.Figures})
		}
	}
	for _, d := range r.Days {
		out = append(out, record{section: "day", day: d.Label, figures: &d.Figures})
	}
	for _, f := range r.Findings {
		out = append(out, record{section: "finding", kind: f.Kind, text: f.Reason, amount: &f.Amount, state: f.Severity + ", open for " + paper.Count(f.Days, "day")})
	}
	for _, u := range r.Unsure {
		out = append(out, record{section: "unsure", day: u.Day, where: u.Where, text: u.Text, amount: &u.Amount})
	}
	for _, a := range r.Bank.OpenLines {
		out = append(out, record{section: "statement lines without a booking", label: a.Age, amount: &a.Amount, state: fmt.Sprint(a.Count)})
	}
	for _, a := range r.Bank.OpenBookings {
		out = append(out, record{section: "bookings without a statement line", label: a.Age, amount: &a.Amount, state: fmt.Sprint(a.Count)})
	}
	for _, s := range r.states() {
		out = append(out, record{section: "state", text: s.Text, state: map[bool]string{true: "good", false: "bad"}[s.Good]})
	}
	return out
}
