package ownerreport

import (
	"fmt"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/policy"
)

// view is the report as text, with all its tables.
func (r Report) view() (paper.View, error) {
	if err := r.check(); err != nil {
		return paper.View{}, err
	}
	portfolio := sheet.Line(r.Portfolio, paper.MaxName)
	v := paper.View{
		Company: sheet.Line(r.Company, paper.MaxName), Sub: portfolio, Paper: paper.Size(r.Currency), Stamp: r.At,
		Alt: r.alt(), Foot: r.foot(), Elsewhere: "in the attached files",
	}
	if v.Stamp.IsZero() {
		v.Stamp = time.Unix(0, 0)
	}
	month := paper.Day(r.From, "January 2006")
	switch r.Kind {
	case Pack:
		v.Title = "Owner's report, " + month
		v.Subject = join(", ", v.Title, portfolio)
	case Page:
		v.Title = month + " so far"
		v.Subject = join(", ", portfolio, v.Title)
	case Digest:
		old := r.Old()
		v.Title = "Open for longer than " + span(r.oldAfter())
		v.Subject = fmt.Sprintf("%s open for longer than %s, %s", paper.Plural(len(old), "request is", "requests are"), span(r.oldAfter()), portfolio)
		v.Elsewhere, v.Alt = "that your manager can tell of", ""
		v.Tables = []paper.Table{r.requests(old)}
		v.Sums = []paper.Sum{{Label: "Open for long", Text: fmt.Sprint(len(old))}, {Label: "Open in all", Text: fmt.Sprint(len(r.Requests))}}
		if len(old) > 0 {
			v.Sums = append(v.Sums, paper.Sum{Label: "The oldest", Text: span(r.At.Sub(old[0].OpenedAt))})
		}
	}
	v.Subject = sheet.Line(v.Subject, maxTitle)
	if r.Kind == Digest {
		return v, nil
	}
	v.Sums, v.States = r.sums(), r.states()
	v.Tables = []paper.Table{
		r.kpis(), r.next(), r.homes(), r.categories(), r.repairs(), r.requests(r.open()), r.lettings(), r.compliance(), r.notes(),
	}
	return v, nil
}

// The most characters of a subject and of a note.
const (
	maxTitle = 150
	maxNote  = 400
)

// sums are what an owner looks at first.
func (r Report) sums() []paper.Sum {
	var out []paper.Sum
	if m := r.Money; m.Known {
		out = append(out, paper.Sum{Label: "Received", Text: r.money(m.Received)}, paper.Sum{Label: "Costs", Text: r.money(m.Costs)},
			paper.Sum{Label: map[bool]string{true: "Balance", false: "Closing balance"}[r.Kind == Page], Text: r.money(m.Closing())})
	}
	if let, all := r.units(); all > 0 {
		out = append(out, paper.Sum{Label: "Homes let", Text: fmt.Sprintf("%d of %d", let, all)})
	}
	return append(out, paper.Sum{Label: "Open requests", Text: fmt.Sprint(len(r.Requests))})
}

// states say whether all is right, and what is not.
func (r Report) states() []paper.State {
	var out []paper.State
	add := func(good bool, format string, args ...any) {
		out = append(out, paper.State{Good: good, Text: fmt.Sprintf(format, args...)})
	}
	let, all := r.units()
	switch {
	case all == 0:
	case let == all:
		add(true, "No home is empty.")
	default:
		add(false, "%s empty, %s offered.", paper.Plural(all-let, "home is", "homes are"), paper.Plural(r.listed(), "is", "are"))
	}
	if old := r.Old(); len(old) > 0 {
		add(false, "%s open for longer than %s, the oldest for %s.",
			paper.Plural(len(old), "request is", "requests are"), span(r.oldAfter()), span(r.At.Sub(old[0].OpenedAt)))
	} else {
		add(true, "No request is open for longer than %s.", span(r.oldAfter()))
	}
	states := map[string]int{}
	for _, c := range r.Compliance {
		states[c.State]++
	}
	if n := states[overdue]; n > 0 {
		add(false, "%s overdue.", paper.Plural(n, "certificate, licence or inspection is", "certificates, licences or inspections are"))
	} else if len(r.Compliance) > states[unknown] {
		add(true, "No certificate, licence or inspection is overdue.")
	}
	if n := states[unknown]; n > 0 {
		add(false, "Nobody has said yet how long %s good.", paper.Plural(n, "certificate, licence or inspection is", "certificates, licences or inspections are"))
	}
	known, missed := 0, []string(nil)
	for _, k := range r.KPIs {
		if !k.Known() {
			continue
		}
		if known++; !k.Met() {
			missed = append(missed, sheet.Line(k.Name, paper.MaxName))
		}
	}
	if len(missed) > 0 {
		add(false, "%d of %s missed: %s.", len(missed), paper.Count(known, "target"), strings.Join(missed[:min(len(missed), 4)], "; "))
	} else if known > 0 {
		add(true, "%s kept.", paper.Plural(known, "target is", "targets are"))
	}
	add(true, "%s done, %s let.", paper.Plural(len(r.Repairs), "repair was", "repairs were"), paper.Plural(r.newLets(), "empty home was", "empty homes were"))
	return out
}

// listed counts the empty homes that are offered.
func (r Report) listed() int {
	n := 0
	for _, p := range r.Properties {
		for _, u := range p.Units {
			if u.State == Listed {
				n++
			}
		}
	}
	return n
}

// newLets counts the campaigns that ended with a lease.
func (r Report) newLets() int {
	n := 0
	for _, l := range r.Lettings {
		if !l.Withdrawn {
			n++
		}
	}
	return n
}

func (r Report) foot() string {
	var said []string
	if r.Kind != Digest && r.Money.Known {
		said = append(said, "The balance is cash: what was received minus what was billed. What is charged counts when it is received.")
	}
	if r.Kind != Digest {
		said = append(said, "Amounts are in "+sheet.Line(r.Currency, 3)+".")
	}
	return paper.Join(" ", append(said, paper.Written(r.At, r.TimeZone))...)
}

func (r Report) money(c policy.Cents) string { return paper.Money(c, r.Currency) }

// some is an amount, a dash for nothing.
func (r Report) some(c policy.Cents) string {
	if c == 0 {
		return "–"
	}
	return r.money(c)
}

// today is the day on which the report is written, where it is meant.
func (r Report) today() string { return r.in(r.At).Format(time.DateOnly) }

func (r Report) in(t time.Time) time.Time {
	zone, err := time.LoadLocation(r.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// day writes the day of a time, a dash for none.
func (r Report) day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return r.in(t).Format("Jan 2")
}

// between is how long something took, a dash where either end is not known.
func between(from, to time.Time) string {
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return "–"
	}
	return span(to.Sub(from))
}

// span writes a time in the unit that suits it: "40 seconds", "35 minutes", "48 hours",
// "2.4 days".
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "-" + span(-d)
	case d < 90*time.Second:
		return paper.Count(int(d.Round(time.Second)/time.Second), "second")
	case d < 90*time.Minute:
		return paper.Count(int(d.Round(time.Minute)/time.Minute), "minute")
	case d.Round(time.Hour) <= 2*day:
		return paper.Count(int(d.Round(time.Hour)/time.Hour), "hour")
	case d < 10*day:
		return tenths(int64(d.Round(day/10)/(day/10))) + " days"
	default:
		return paper.Count(int(d.Round(day)/day), "day")
	}
}

// tenths writes 24 as "2.4" and 20 as "2".
func tenths(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return strings.TrimSuffix(fmt.Sprintf("%s%d.%d", sign, n/10, n%10), ".0")
}

func (k KPI) write(n int64) string {
	switch k.Measure {
	case Duration:
		return span(time.Duration(n))
	case Share:
		return tenths(n) + "%"
	case Stars:
		return tenths(n) + " of 5"
	default:
		return fmt.Sprint(n)
	}
}

func join(by string, texts ...string) string { return paper.Join(by, texts...) }
