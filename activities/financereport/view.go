package financereport

import (
	"fmt"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/policy"
)

// The most characters that a text may have.
const (
	maxName   = paper.MaxName
	maxText   = 160
	maxReason = 400
	maxTitle  = 150
)

func (r Report) view() (paper.View, error) {
	if err := r.check(); err != nil {
		return paper.View{}, err
	}
	v := paper.View{Company: sheet.Line(r.Company, maxName), Paper: paper.Size(r.Currency), Stamp: r.At, Alt: r.alt(), Elsewhere: "in the attached files"}
	if v.Stamp.IsZero() {
		v.Stamp = time.Unix(0, 0)
	}
	portfolio := sheet.Line(r.Portfolio, maxName)
	switch r.Kind {
	case Summary:
		v.Title, v.Sub = "What was booked", portfolio
		v.Subject = fmt.Sprintf("%s: %s for %s", v.Company, paper.Count(len(r.Lines), "booking"), portfolio)
		r.sums(&v, "this month", r.MonthToDate)
		v.Tables = append(v.Tables, r.lines())
	case OwnerLedger:
		v.Title, v.Sub = "Owner's ledger, "+monthIn(r.From), portfolio
		v.Subject = fmt.Sprintf("Owner's ledger %s, %s", monthIn(r.From), portfolio)
		v.Sums = []paper.Sum{
			{Label: "Opening balance", Text: r.money(r.Opening)}, {Label: "Received", Text: r.money(r.sum().Received)},
			{Label: "Billed", Text: r.money(r.sum().Billed)}, {Label: "Closing balance", Text: r.money(r.Closing())},
		}
		v.Tables = append(v.Tables, r.ledger())
	case Daily:
		v.Title, v.Sub = "Daily finance report", paper.Day(r.From, "Monday, January 2, 2006")
		v.Subject = fmt.Sprintf("Daily finance report, %s: %s", paper.Day(r.From, "January 2, 2006"), r.news())
		r.company(&v)
	case Monthly:
		v.Title, v.Sub = "Monthly finance report", monthIn(r.From)
		v.Subject = fmt.Sprintf("Monthly finance report, %s: %s", monthIn(r.From), r.news())
		r.company(&v)
	}
	v.Subject = sheet.Line(strings.TrimPrefix(v.Subject, ": "), maxTitle)
	v.Foot = r.foot()
	return v, nil
}

// sums are the figures of a period.
func (r Report) sums(v *paper.View, when string, f Figures) {
	for _, s := range []paper.Sum{{Label: "Charged", Text: r.money(f.Charged)}, {Label: "Received", Text: r.money(f.Received)}, {Label: "Billed", Text: r.money(f.Billed)}} {
		s.Label = strings.TrimSpace(s.Label + " " + when)
		v.Sums = append(v.Sums, s)
	}
}

// company is what reports of all the company have.
func (r Report) company(v *paper.View) {
	r.sums(v, "", r.Total)
	v.States = r.states()
	v.Tables = []paper.Table{r.findings(), r.unsure(), r.figures("By category", "Category", r.Categories), r.figures("By portfolio", "Portfolio", r.Portfolios)}
	if r.Kind == Monthly {
		days := make([]Row, 0, len(r.Days))
		for _, d := range r.Days {
			days = append(days, Row{paper.Day(d.Label, "Mon, Jan 2"), d.Figures})
		}
		v.Tables = append(v.Tables, r.figures("By day", "Day", days))
	}
	v.Tables = append(v.Tables, r.open())
}

// news is what the subject says of the figures.
func (r Report) news() string {
	s := r.money(r.Total.Received) + " received"
	if n := len(r.Findings) + len(r.Unsure); n > 0 {
		s += fmt.Sprintf(", %d to decide", n)
	}
	return s
}

// states say whether all is right, and what is not.
func (r Report) states() []paper.State {
	var out []paper.State
	add := func(good bool, format string, args ...any) {
		out = append(out, paper.State{Good: good, Text: fmt.Sprintf(format, args...)})
	}
	b := r.Books
	add(b.Difference == 0, "%s", map[bool]string{
		true:  "The books balance: debits and credits are equal.",
		false: "The books do not balance: debits and credits differ by " + r.money(b.Difference) + ".",
	}[b.Difference == 0])
	add(b.Planned == b.Posted, "QuickBooks has %d of %s of this period.", b.Posted, entries(b.Planned))
	if b.Unposted > 0 {
		since := ""
		if b.UnpostedSince != "" {
			since = ", the oldest since " + paper.Day(b.UnpostedSince, "January 2")
		}
		verb := "wait"
		if b.Unposted == 1 {
			verb = "waits"
		}
		add(false, "%s in all %s for QuickBooks%s.", entries(b.Unposted), verb, since)
	}
	account := sheet.Line(r.Bank.Account, maxName)
	switch {
	case account == "":
		add(false, "No bank statement was read in yet.")
	case r.Bank.Proved:
		add(true, "%s is proved until %s: what differs from the bank is what is listed as open.", account, paper.Day(r.Bank.Until, "January 2"))
	default:
		add(false, "%s is not proved until %s: nothing explains %s.", account, paper.Day(r.Bank.Until, "January 2"), r.money(r.Bank.Difference))
	}
	if n := len(r.Findings); n > 0 {
		add(false, "%s open.", paper.Plural(n, "finding is", "findings are"))
	} else {
		add(true, "No finding is open.")
	}
	if n := len(r.Unsure); n > 0 {
		add(false, "%s for a category.", paper.Plural(n, "booking waits", "bookings wait"))
	}
	return out
}

func entries(n int) string { return paper.Plural(n, "entry", "entries") }

func (r Report) findings() paper.Table {
	t := paper.Table{Title: "Findings to decide", Columns: []paper.Column{{Name: "What"}, {Name: "Open", Width: 20, Right: true}, {Name: "Amount", Width: 28, Right: true}}}
	for _, f := range r.Findings {
		t.Rows = append(t.Rows, paper.Row{
			Cells: []string{paper.Words(f.Kind), paper.Count(f.Days, "day"), r.money(f.Amount)},
			Mark:  paper.Words(f.Severity), Sub: sheet.Line(f.Reason, maxReason), Link: f.Link, Act: "Decide",
		})
	}
	return t
}

func (r Report) unsure() paper.Table {
	t := paper.Table{Title: "Waiting for a category", Columns: []paper.Column{{Name: "Day", Width: 18}, {Name: "What"}, {Name: "Amount", Width: 28, Right: true}}}
	for _, u := range r.Unsure {
		t.Rows = append(t.Rows, paper.Row{
			Cells: []string{paper.Day(u.Day, "Jan 2"), orElse(sheet.Line(u.Text, maxText), "No description"), r.money(u.Amount)},
			Sub:   sheet.Line(u.Where, maxName), Link: u.Link, Act: "Choose a category",
		})
	}
	return t
}

// figures is a table of sums; what has none is left out.
func (r Report) figures(title, what string, rows []Row) paper.Table {
	t := paper.Table{Title: title, Columns: []paper.Column{{Name: what}, {Name: "Charged", Width: 30, Right: true}, {Name: "Received", Width: 30, Right: true}, {Name: "Billed", Width: 30, Right: true}}}
	for _, f := range rows {
		if f.Figures == (Figures{}) {
			continue
		}
		t.Rows = append(t.Rows, paper.Row{Cells: []string{sheet.Line(f.Label, maxName), r.some(f.Charged), r.some(f.Received), r.some(f.Billed)}})
	}
	if len(t.Rows) > 0 {
		all := r.Total
		t.Rows = append(t.Rows, paper.Row{Cells: []string{"All", r.some(all.Charged), r.some(all.Received), r.some(all.Billed)}, Strong: true})
	}
	return t
}

// open is what bank and books do not have in common, by age.
func (r Report) open() paper.Table {
	t := paper.Table{Title: "Open at the bank", Columns: []paper.Column{{Name: "What"}, {Name: "Number", Width: 20, Right: true}, {Name: "Amount", Width: 30, Right: true}}}
	for _, side := range []struct {
		name string
		ages []Aged
	}{{"On a statement, not booked", r.Bank.OpenLines}, {"Booked, not on a statement", r.Bank.OpenBookings}} {
		for _, a := range side.ages {
			t.Rows = append(t.Rows, paper.Row{Cells: []string{side.name + ", " + a.Age, fmt.Sprint(a.Count), r.money(a.Amount)}})
		}
	}
	return t
}

// lines are what was booked.
func (r Report) lines() paper.Table {
	t := paper.Table{Title: "Bookings", Columns: []paper.Column{{Name: "Day", Width: 18}, {Name: "What"}, {Name: "Amount", Width: 32, Right: true}}}
	for _, l := range r.Lines {
		t.Rows = append(t.Rows, l.row(r.money(l.Amount)))
	}
	return t
}

// ledger are the lines with the balance after each.
func (r Report) ledger() paper.Table {
	t := paper.Table{Title: "Bookings", Columns: []paper.Column{
		{Name: "Day", Width: 16}, {Name: "What"}, {Name: "Charged", Width: 25, Right: true}, {Name: "Received", Width: 25, Right: true}, {Name: "Billed", Width: 25, Right: true}, {Name: "Balance", Width: 27, Right: true},
	}}
	balance := r.Opening
	t.Rows = append(t.Rows, paper.Row{Cells: []string{paper.Day(r.From, "Jan 2"), "Opening balance", "", "", "", r.money(balance)}, Strong: true})
	for _, l := range r.Lines {
		f := l.Figures()
		balance += f.Cash()
		t.Rows = append(t.Rows, l.row(r.none(f.Charged), r.none(f.Received), r.none(f.Billed), r.money(balance)))
	}
	all := r.sum()
	t.Rows = append(t.Rows, paper.Row{
		Cells:  []string{paper.Day(r.To, "Jan 2"), "Closing balance", r.none(all.Charged), r.none(all.Received), r.none(all.Billed), r.money(balance)},
		Strong: true,
	})
	return t
}

func (l Line) row(amounts ...string) paper.Row {
	what := paper.Words(l.Kind)
	if c := sheet.Line(l.Category, maxName); c != "" {
		what += ": " + c
	}
	return paper.Row{
		Cells: append([]string{paper.Day(l.Day, "Jan 2"), what}, amounts...), Mark: l.mark(),
		Sub: paper.Join(" · ", sheet.Line(l.Where, maxName), sheet.Line(l.Text, maxText)),
	}
}

// mark is what sets the line apart.
func (l Line) mark() string {
	var marks []string
	if l.Corrected {
		marks = append(marks, "corrected")
	}
	if l.Review {
		marks = append(marks, "under review")
	}
	return paper.Words(strings.Join(marks, ", "))
}

func (r Report) foot() string {
	var said []string
	switch r.Kind {
	case Summary:
		said = append(said, "“Corrected” takes an earlier booking back. What is “under review” is being checked and may still change.")
	case OwnerLedger:
		said = append(said, "The balance is cash: what was received minus what was billed. What is charged counts when it is received.",
			"“Corrected” takes an earlier booking back. What is “under review” is being checked and may still change.")
	case Daily, Monthly:
		said = append(said, "A finding does not hold a booking back: the figures contain what is still to be decided.")
	}
	said = append(said, "Amounts are in "+sheet.Line(r.Currency, 3)+".")
	said = append(said, paper.Written(r.At, r.TimeZone))
	return paper.Join(" ", said...)
}

func (r Report) money(c policy.Cents) string {
	return paper.Money(c, r.Currency)
}

// some is an amount, a dash for nothing; none has nothing for nothing.
func (r Report) some(c policy.Cents) string { return orElse(r.none(c), "–") }

func (r Report) none(c policy.Cents) string {
	if c == 0 {
		return ""
	}
	return r.money(c)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func monthIn(day string) string { return paper.Day(day, "January 2006") }
