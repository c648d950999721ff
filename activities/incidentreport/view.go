package incidentreport

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/sheet"
)

// The most rows that the lists of a report show. A timeline that is longer keeps
// its beginning and its end.
const (
	maxSLAs       = 20
	maxPeople     = 40
	maxFirstSteps = 80
	maxLastSteps  = 40
)

// view is the report as text, bounded and cleaned: what all renderings show.
type view struct {
	Title   string
	Company string
	Order   string
	Address string
	Result  string
	Facts   []fact
	Said    []string
	SLAs    []promise
	People  []fact
	Days    []day
	// Zone says where the times are.
	Zone   string
	Locale locale
	// Stamp dates the document.
	Stamp time.Time
}

type fact struct{ Label, Text string }

// promise is a row of the SLA table. Verdict is one word or two; By is how much
// it was missed by, if known.
type promise struct {
	Name, Limit, Took, Verdict, By string
	Tone                           tone
}

// tone is how a verdict is shown besides its words.
type tone string

const (
	good    tone = "good"
	bad     tone = "bad"
	neutral tone = "neutral"
)

// day is the part of the timeline on one local date.
type day struct {
	Date string
	Rows []moment
}

// moment is one line of the timeline. After is the time since the report came
// in; both are empty for the line that says how many were left out.
type moment struct{ Time, After, What string }

func newView(r Report) view {
	l := localeOf(r.Zone)
	v := view{
		Title:   Title(r),
		Company: sheet.Line(r.Company, maxName),
		Order:   order(r),
		Address: address(r),
		Result:  sentence(sheet.Line(r.Result, maxSentence)),
		Said:    paragraphs(r.Description),
		SLAs:    promises(r.SLAs),
		People:  people(r.People),
		Days:    days(r, l),
		Zone:    l.note(r.OpenedAt, stamp(r)),
		Locale:  l,
		Stamp:   stamp(r),
	}
	if v.Result == "" {
		v.Result = "No result was recorded"
	}
	v.Facts = facts(r, l)
	return v
}

// Title is the report's heading, on one line: fit for the subject of a mail.
func Title(r Report) string {
	problem := sheet.Line(r.Problem, maxName)
	if problem == "" {
		return "Incident report"
	}
	return "Incident report: " + problem
}

func order(r Report) string {
	id, number := sheet.Line(r.WorkOrderID, maxName), sheet.Line(r.Number, maxName)
	switch {
	case number == "" || number == id:
		return "Work order " + id
	case id == "":
		return "Work order " + number
	default:
		return "Work order " + number + " (id " + id + ")"
	}
}

func address(r Report) string {
	where, unit := sheet.Line(r.Address, maxSentence), sheet.Line(r.Unit, maxName)
	switch {
	case unit == "":
		return where
	case !strings.Contains(strings.ToLower(unit), "unit"):
		unit = "Unit " + unit
	}
	if where == "" {
		return unit
	}
	return where + ", " + unit
}

// stamp is never the zero time, which fpdf would take for now.
func stamp(r Report) time.Time {
	switch {
	case !r.EndedAt.IsZero():
		return r.EndedAt.UTC()
	case !r.OpenedAt.IsZero():
		return r.OpenedAt.UTC()
	default:
		return time.Unix(0, 0).UTC()
	}
}

func facts(r Report, l locale) []fact {
	ended := l.moment(r.EndedAt)
	if !r.EndedAt.IsZero() && !r.OpenedAt.IsZero() && r.EndedAt.After(r.OpenedAt) {
		ended += " (after " + span(r.EndedAt.Sub(r.OpenedAt)) + ")"
	}
	why, rules := sentence(sheet.Line(r.Reason, maxSentence)), sheet.Line(r.Rules, maxName)
	if rules != "" {
		why = strings.TrimSpace(why + " (rules " + rules + ")")
	}
	all := []fact{
		{"Reported", l.moment(r.OpenedAt)},
		{"Ended", ended},
		{"Category", sentence(sheet.Line(r.Category, maxName))},
		{"Why urgent", why},
		{"Response times", kept(r.SLAs)},
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Text == "" })
}

// kept counts the promises that were put to the test and names those missed.
func kept(slas []SLA) string {
	met, tested := 0, 0
	var missed []string
	for _, s := range slas {
		switch s.Verdict {
		case NotReached:
			continue
		case Met:
			met++
		case Missed:
			missed = append(missed, sheet.Line(s.Name, maxName))
		}
		tested++
	}
	switch {
	case len(slas) == 0:
		return ""
	case tested == 0:
		return "None came to be tested"
	case met == tested && met == 1:
		return "Met"
	case met == tested:
		return fmt.Sprintf("All %d met", met)
	case len(missed) == 0:
		return fmt.Sprintf("%d of %d met", met, tested)
	default:
		return sheet.Line(fmt.Sprintf("%d of %d met, missed: %s", met, tested, strings.Join(missed, ", ")), maxSentence)
	}
}

func promises(slas []SLA) []promise {
	var out []promise
	for _, s := range slas[:min(len(slas), maxSLAs)] {
		p := promise{Name: sentence(sheet.Line(s.Name, maxName)), Limit: "none", Took: Words(s.Took), Tone: neutral,
			Verdict: sentence(sheet.Line(s.Verdict, 24))}
		if s.Limit > 0 {
			p.Limit = Words(s.Limit)
		}
		switch s.Verdict {
		case Met:
			p.Tone = good
			if s.Took <= 0 {
				p.Took = "at once"
			}
		case Missed:
			p.Tone = bad
			if over := s.Took - s.Limit; s.Limit > 0 && over > 0 {
				p.By = "by " + Words(over)
			}
		}
		out = append(out, p)
	}
	if more := len(slas) - maxSLAs; more > 0 {
		out = append(out, promise{Name: fmt.Sprintf("… and %d more", more), Tone: neutral})
	}
	return out
}

func people(roles []Role) []fact {
	var out []fact
	for _, p := range roles[:min(len(roles), maxPeople)] {
		out = append(out, fact{sentence(sheet.Line(p.Role, maxName)), sheet.Line(p.Name, maxName)})
	}
	if more := len(roles) - maxPeople; more > 0 {
		out = append(out, fact{"", fmt.Sprintf("… and %d more people", more)})
	}
	return out
}

// days sorts the steps by time, keeps those of one instant in their order, and
// starts a new day where the local date changes.
func days(r Report, l locale) []day {
	steps := slices.Clone(r.Timeline)
	slices.SortStableFunc(steps, func(a, b Step) int { return a.At.Compare(b.At) })
	leftOut := len(steps) - maxFirstSteps - maxLastSteps
	if leftOut > 0 {
		steps = slices.Delete(steps, maxFirstSteps, maxFirstSteps+leftOut)
	}
	var out []day
	for i, s := range steps {
		date := "Time not recorded"
		row := moment{What: sheet.Line(s.What, maxStep)}
		if !s.At.IsZero() {
			date = l.day(s.At)
			row.Time = l.clock(s.At)
			if after := s.At.Sub(r.OpenedAt); !r.OpenedAt.IsZero() && after >= 0 {
				row.After = "+" + span(after)
			}
		}
		if leftOut > 0 && i == maxFirstSteps {
			last := &out[len(out)-1]
			last.Rows = append(last.Rows, moment{What: gap(leftOut)})
		}
		if len(out) == 0 || out[len(out)-1].Date != date {
			out = append(out, day{Date: date})
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, row)
	}
	return out
}

func gap(steps int) string {
	if steps == 1 {
		return "… 1 step is left out here to keep the report short …"
	}
	return fmt.Sprintf("… %d steps are left out here to keep the report short …", steps)
}
