package salesreport

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
)

// light is how something is coloured. Beside every colour there are words and a mark
// of its own.
type light string

const (
	red   light = "red"
	amber light = "amber"
	green light = "green"
	grey  light = "grey"
)

// Color is what fills an area in a mail.
func (l light) Color() string {
	switch l {
	case red:
		return "#b42318"
	case amber:
		return "#d98a00"
	case green:
		return "#2f9e74"
	case grey:
	}
	return "#8a97a6"
}

// Ink is Color for text on white.
func (l light) Ink() string {
	switch l {
	case red:
		return "#b42318"
	case amber:
		return "#8a5200"
	case green:
		return "#1b6e45"
	case grey:
	}
	return "#49586a"
}

// Mark is the sign that stands beside the colour.
func (l light) Mark() string {
	switch l {
	case red:
		return "▲"
	case amber:
		return "◆"
	case green:
		return "●"
	case grey:
	}
	return "○"
}

const terms = "Overdue: the day on which a milestone was due has passed. At risk: one is due soon, or the sale or its milestone takes longer than usual. " +
	"Stalled: it takes longer than the norm calls late."

// view is the report as text, which the page and both forms of the mail show.
type view struct {
	Company string
	// Date is the day of the report, At its time of day with the zone.
	Date, At string
	PageURL  string
	Tone     light
	// Headline is one line, Lead a sentence or two.
	Headline, Lead string
	// Any tells whether a sale is followed.
	Any       bool
	Parts     []part
	Overdue   section
	AtRisk    section
	Others    []section
	Funnel    []row
	Ages      ages
	Methods   []methodRow
	Freshness string
	// Terms says what the words mean.
	Terms string
}

// part is a share of something. Width is in percent of the whole.
type part struct {
	Light light
	Label string
	Count int
	// Percent is "" where it is not shown.
	Percent  string
	X, Width string
}

// section is a list of sales.
type section struct {
	Title   string
	Light   light
	Entries []entry
	// More is how many sales are not among the entries.
	More int
}

// Total is how many sales there are, shown or not.
func (s section) Total() int { return len(s.Entries) + s.More }

// entry is one sale of a section.
type entry struct {
	Light light
	// Badge says in two words what the matter is, "" for nothing.
	Badge string
	// Where is the address; without one, OpenMoove's id.
	Where, Why string
	Facts      []string
}

// row is a milestone with the sales that are there.
type row struct {
	Name  string
	Count int
	Parts []part
	// Rest is the width beside the parts, "" for none.
	Rest string
	// Words are the parts in words.
	Words string
}

// methodRow is a method with its name in words.
type methodRow struct {
	Method
	Name string
}

func (r Report) view() view {
	zone := location(r.TimeZone)
	at := r.At.In(zone)
	v := view{
		Company: clean(r.Company, maxName), Date: at.Format("Monday 2 January 2006"), At: at.Format("15:04 MST"), PageURL: safeURL(r.PageURL),
		Any: r.Followed > 0, Parts: r.parts(), Funnel: funnel(r.ByMilestone), Ages: newAges(r.Ages), Freshness: r.Freshness.words(), Terms: terms,
	}
	for _, m := range r.ByMethod {
		v.Methods = append(v.Methods, methodRow{Name: method(m.Method), Method: m})
	}
	v.Tone, v.Headline = r.headline()
	today := dateOf(r.At, zone)
	list := func(title string, l light, from List, entry func(Line, policy.Date) entry) section {
		s := section{Title: title, Light: l, More: from.LeftOut}
		for _, sale := range from.Sales {
			s.Entries = append(s.Entries, entry(sale, today))
		}
		return s
	}
	v.Overdue = list("Overdue", red, r.Lists.Overdue, troubled)
	v.AtRisk = list("At risk", amber, r.Lists.AtRisk, troubled)
	v.Lead = r.lead(slices.Concat(v.Overdue.Entries, v.AtRisk.Entries))
	v.Others = []section{
		list("On track", green, r.Lists.OnTrack, quiet),
		list("Not known", grey, r.Lists.Unknown, quiet),
		list("Completed in the last 30 days", green, r.Lists.Completed, ended),
	}
	v.Others = slices.DeleteFunc(v.Others, func(s section) bool { return s.Total() == 0 })
	return v
}

// safeURL is a link that may be shown, "" for none.
func safeURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

func (r Report) headline() (light, string) {
	switch {
	case r.Followed == 0:
		return grey, "No sales are followed"
	case r.NeedAttention == 1:
		return red, "1 sale needs you today"
	case r.NeedAttention > 1:
		return red, fmt.Sprintf("%d sales need you today", r.NeedAttention)
	case r.AtRisk > 0:
		return amber, count(r.AtRisk, "sale", "sales") + " to keep an eye on"
	case r.OnTrack == 0:
		return grey, count(r.Unknown, "sale", "sales") + " cannot be judged yet"
	case r.OnTrack == 1 || r.Unknown > 0:
		return green, count(r.OnTrack, "sale is", "sales are") + " on track"
	default:
		return green, fmt.Sprintf("All %d sales are on track", r.OnTrack)
	}
}

// lead says what the headline counts, and where to begin.
func (r Report) lead(worst []entry) string {
	var out []string
	stalledOnly := r.NeedAttention - r.Overdue
	switch {
	case r.Overdue > 0 && stalledOnly > 0:
		out = append(out, fmt.Sprintf("%d overdue, %d stalled.", r.Overdue, stalledOnly))
	case r.Overdue > 0:
	case stalledOnly > 0:
		out = append(out, fmt.Sprintf("Nothing is overdue, but %d stalled.", stalledOnly))
	case r.PropertiesAnalyzed > 0:
		out = append(out, "Nothing is overdue.")
	}
	if len(worst) > 0 {
		out = append(out, "Begin with "+worst[0].Where+": "+lower(worst[0].Badge)+".")
	}
	if n := r.Completed - r.EndedEarly; n > 0 {
		out = append(out, fmt.Sprintf("%d completed in the last 30 days.", n))
	}
	if n := r.EndedEarly; n > 0 {
		out = append(out, fmt.Sprintf("%d ended early in the last 30 days.", n))
	}
	return strings.Join(out, " ")
}

func (r Report) parts() []part {
	c, p := r.Counts, r.Percent
	return stack(r.Followed, []part{
		{Light: red, Label: "overdue", Count: c.Overdue, Percent: percent(p.Overdue)},
		{Light: amber, Label: "at risk", Count: c.AtRisk, Percent: percent(p.AtRisk)},
		{Light: green, Label: "on track", Count: c.OnTrack, Percent: percent(p.OnTrack)},
		{Light: grey, Label: "not known", Count: c.Unknown, Percent: percent(p.Unknown)},
	})
}

func percent(n int) string { return strconv.Itoa(n) + "%" }

// stack lays parts side by side; whole is what fills the width.
func stack(whole int, parts []part) []part {
	x := 0
	for i := range parts {
		parts[i].X, parts[i].Width = share(x, whole), share(parts[i].Count, whole)
		x += parts[i].Count
	}
	return parts
}

// share is n of a whole as "12.5%".
func share(n, whole int) string {
	if whole <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(float64(n*100)/float64(whole), 'f', 2, 64) + "%"
}

func funnel(milestones []Milestone) []row {
	most := 1
	for _, m := range milestones {
		most = max(most, m.Sales)
	}
	rows := make([]row, 0, len(milestones))
	for _, m := range milestones {
		parts := some([]part{
			{Light: red, Label: "overdue or stalled", Count: m.Red},
			{Light: amber, Label: "at risk", Count: m.Amber},
			{Light: green, Label: "on track", Count: m.Green},
		})
		r := row{Name: m.Name, Count: m.Sales, Parts: stack(most, parts)}
		if most > m.Sales {
			r.Rest = share(most-m.Sales, most)
		}
		r.Words = inWords(parts)
		rows = append(rows, r)
	}
	return rows
}

// some are the parts that are not empty.
func some(parts []part) []part {
	return slices.DeleteFunc(parts, func(p part) bool { return p.Count == 0 })
}

// inWords is "2 overdue, 1 at risk".
func inWords(parts []part) string {
	var out []string
	for _, p := range parts {
		out = append(out, strconv.Itoa(p.Count)+" "+p.Label)
	}
	return strings.Join(out, ", ")
}

func (f Freshness) words() string {
	var out []string
	if f.Read > 0 {
		out = append(out, fmt.Sprintf("Read at OpenMoove %s ago on average, the oldest %s ago.", span(f.MeanSeconds), span(f.OldestSeconds)))
	}
	if f.NeverRead > 0 {
		out = append(out, count(f.NeverRead, "sale was", "sales were")+" never read.")
	}
	return strings.Join(out, " ")
}

// troubled is a sale that is overdue or at risk.
func troubled(l Line, today policy.Date) entry {
	e := quiet(l, today)
	e.Why = l.Why
	days := daysBetween(today, l.DueOn)
	switch {
	case l.OverdueCount > 0 && l.DaysOverdue == 0:
		e.Badge = "Late today"
	case l.OverdueCount > 0:
		e.Badge = count(l.DaysOverdue, "day", "days") + " late"
	case l.Stalled:
		e.Badge = "Stalled"
	case l.AtRiskCount == 0:
		e.Badge = "Slow"
	case days <= 0:
		e.Badge = "Due today"
	case days == 1:
		e.Badge = "Due tomorrow"
	default:
		e.Badge = "Due " + dayInWords(l.DueOn, today.Year)
	}
	return e
}

// quiet is a sale of which there is not much to say.
func quiet(l Line, today policy.Date) entry {
	e := entry{Light: lightOf(l.Light), Where: where(l)}
	if l.Milestone != "" && !strings.Contains(l.Why, l.Milestone) {
		e.Facts = append(e.Facts, "At "+l.Milestone)
	}
	if due := dayInWords(l.DueOn, today.Year); due != "" && l.Why == "" {
		e.Facts = append(e.Facts, "due "+due)
	}
	if l.Light != progress.Unknown {
		e.Facts = append(e.Facts, percent(l.Percent)+" done")
	}
	e.Facts = append(e.Facts, method(l.Method), count(l.AgeDays, "day", "days")+" old")
	return e
}

// ended is a sale that is over.
func ended(l Line, today policy.Date) entry {
	e := entry{Light: green, Where: where(l)}
	word := "Completed"
	if l.Milestone != "" {
		e.Light, word = grey, "Ended early, at "+l.Milestone
	}
	e.Facts = []string{word}
	if on := dayInWords(l.EndedOn, today.Year); on != "" {
		e.Facts = append(e.Facts, on)
	}
	e.Facts = append(e.Facts, method(l.Method), "after "+count(l.AgeDays, "day", "days"))
	return e
}

func lightOf(s progress.Status) light {
	switch s {
	case progress.Red:
		return red
	case progress.Amber:
		return amber
	case progress.Green:
		return green
	case progress.Unknown:
	}
	return grey
}

// where is the address on one line; the postcode is not broken.
func where(l Line) string {
	postcode := strings.ReplaceAll(l.Postcode, " ", "\u00a0")
	switch {
	case l.Address == "" && l.Postcode == "":
		return "Property " + cmp.Or(l.PropertyID, l.TransactionID, "without an address")
	case l.Address == "":
		return postcode
	case l.Postcode == "" || strings.Contains(fold(l.Address), fold(l.Postcode)):
		return l.Address
	default:
		return l.Address + ", " + postcode
	}
}

// method is a sale method in words.
func method(id string) string {
	if id == "" {
		return "Method not known"
	}
	return capital(id)
}
