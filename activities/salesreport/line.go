package salesreport

import (
	"fmt"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
)

// line is a sale as the lists have it.
func (b *builder) line(j judged) Line {
	p := j.progress
	l := Line{
		PropertyID: clean(j.PropertyID, maxID), TransactionID: clean(j.TransactionID, maxID),
		Address: clean(j.Address, maxAddress), Postcode: clean(j.Postcode, maxPostcode),
		Method: clean(j.Method, maxWord), Status: clean(j.Status, maxWord),
		Light: p.Status, Percent: p.Percent,
		AgeDays: p.Sale.Days, AgeWorkingDays: p.Sale.WorkingDays, ReadAt: j.ReadAt.UTC().Round(0),
	}
	if j.standing == progress.StandingCompleted {
		if !j.ended.IsZero() {
			l.EndedOn = dateOf(j.ended, b.zone)
		}
		if p.Total > 0 && !p.Done() {
			l.Milestone = milestoneName(p.Current)
		}
		return l
	}
	if p.Current != nil {
		l.Milestone = milestoneName(p.Current)
	}
	l.OverdueCount, l.AtRiskCount, l.Stalled = p.Overdue, p.AtRisk, j.stalled()
	l.DueOn, l.Why = dueOn(p), b.why(p)
	if p.Overdue > 0 {
		l.DaysOverdue = max(daysBetween(l.DueOn, b.today), 0)
	}
	return l
}

// dueOn is when the first milestone in trouble is due, else the current one.
func dueOn(p progress.Progress) policy.Date {
	if first := firstDue(p.Troubles, progress.Overdue); first != nil {
		return first.DueOn
	}
	if first := firstDue(p.Troubles, progress.AtRisk); first != nil {
		return first.DueOn
	}
	if p.Current == nil {
		return policy.Date{}
	}
	return p.Current.DueOn
}

// firstDue is the step of a kind that is due first, nil for none.
func firstDue(troubles []progress.Trouble, kind progress.Kind) (first *progress.Step) {
	for _, t := range troubles {
		if t.Kind == kind && t.Step != nil && (first == nil || t.Step.DueAt.Before(first.DueAt)) {
			first = t.Step
		}
	}
	return first
}

// why says in sentences what is overdue, slow and due soon.
func (b *builder) why(p progress.Progress) string {
	var out []string
	overdue := firstDue(p.Troubles, progress.Overdue)
	if overdue != nil {
		out = append(out, milestoneName(overdue)+" was due "+b.ago(overdue.DueOn)+".")
		out = append(out, more(p.Overdue-1, "overdue")...)
	}
	if p.Current != nil {
		name := milestoneName(p.Current)
		if len(out) == 1 && overdue == p.Current {
			name = "It"
		}
		out = append(out, old(p.Step, name+" has taken ", "")...)
		out = append(out, old(p.Sale, "The sale is ", " old")...)
	}
	if s := firstDue(p.Troubles, progress.AtRisk); s != nil {
		out = append(out, milestoneName(s)+" is due "+b.ahead(s.DueOn)+".")
		out = append(out, more(p.AtRisk-1, "due soon")...)
	}
	return strings.Join(out, " ")
}

func milestoneName(s *progress.Step) string {
	if name := clean(s.Name, maxMilestone); name != "" {
		return name
	}
	return "A milestone without a name"
}

func more(n int, what string) []string {
	switch {
	case n <= 0:
		return nil
	case n == 1:
		return []string{"1 more is " + what + "."}
	default:
		return []string{fmt.Sprintf("%d more are %s.", n, what)}
	}
}

// old is a sentence on an age that is not usual, which stands between two texts.
func old(a progress.Age, before, after string) []string {
	age := policy.Days{Count: a.Days, Working: a.Norm.Typical.Working}
	if age.Working {
		age.Count = a.WorkingDays
	}
	sentence := before + daysInWords(age) + after + fmt.Sprintf("; usual is up to %d", a.Norm.Typical.Count)
	switch a.Pace {
	case progress.Slow:
		return []string{sentence + "."}
	case progress.Stalled:
		return []string{sentence + fmt.Sprintf(", late after %d.", a.Norm.Late.Count)}
	case progress.NoPace, progress.Usual:
	}
	return nil
}

// ago is a day that was: "on Fri 2 Jan, 5 days ago".
func (b *builder) ago(on policy.Date) string {
	switch days := daysBetween(on, b.today); {
	case days <= 0:
		return "earlier today"
	case days == 1:
		return "yesterday"
	default:
		return "on " + dayInWords(on, b.today.Year) + ", " + count(days, "day", "days") + " ago"
	}
}

// ahead is a day that comes: "tomorrow", "on Fri 2 Jan".
func (b *builder) ahead(on policy.Date) string {
	switch days := daysBetween(b.today, on); {
	case days <= 0:
		return "today"
	case days == 1:
		return "tomorrow"
	default:
		return "on " + dayInWords(on, b.today.Year)
	}
}

func dateOf(t time.Time, zone *time.Location) policy.Date {
	year, month, day := t.In(zone).Date()
	return policy.Date{Year: year, Month: month, Day: day}
}

func midnight(d policy.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

func daysBetween(from, to policy.Date) int {
	return int(midnight(to).Sub(midnight(from)) / (24 * time.Hour))
}

// compareDates has no date last.
func compareDates(a, b policy.Date) int {
	none := policy.Date{}
	switch {
	case a == b:
		return 0
	case a == none:
		return 1
	case b == none:
		return -1
	default:
		return midnight(a).Compare(midnight(b))
	}
}
