package leasescore

import (
	"cmp"
	"fmt"
)

// factor is one reason, before it is weighed.
type factor struct {
	known bool
	// grade is from -100 to 100.
	grade int
	// evidence is how much is known, in percent.
	evidence int
	// words say what was found, reason how it is graded.
	words, reason string
}

// grade is the value of a factor by its name.
func (in Inputs) grade(name string) factor {
	var f factor
	switch name {
	case Payments:
		f = in.payments()
	case PastDue:
		f = in.PastDue.factor()
	case Repairs:
		f = in.Repairs.factor()
	case Complaints:
		f = in.Complaints.factor()
	case Sentiment:
		f = in.Sentiment.factor()
	case Survey:
		f = in.Survey.factor()
	case Tenure:
		f = in.Tenure.factor()
	case Rent:
		f = in.Rent.factor()
	case Vacancy:
		f = in.Vacancy.factor()
	case Retention:
		f = in.Retention.factor()
	}
	if !f.known {
		return factor{reason: "not known: counts nothing"}
	}
	return f
}

// The steps of lateness: a payment that is late by so many days or more counts so much
// of 100.
const (
	lateCounts     = 50
	veryLate       = 10
	veryLateCounts = 75
	monthLate      = 30
	monthCounts    = 100
	// recentDays is how long ago a payment counts double.
	recentDays = 90
	// fullYear is how many payments are all that can be known.
	fullYear = 12
)

func lateness(days int) int {
	switch {
	case days <= 0:
		return 0
	case days < veryLate:
		return lateCounts
	case days < monthLate:
		return veryLateCounts
	}
	return monthCounts
}

// payments: none late is 100, each eighth of lateness on average takes 100. A quarter
// of all payments late by some days is about 0; half of them, or a quarter by a month,
// is -100 already. Those of the last 90 days count double.
func (in Inputs) payments() factor {
	list := in.Payments.List
	if !in.Payments.Known || len(list) == 0 {
		return factor{}
	}
	today, dated := dayOf(in.AsOf)
	late, longest, sum, counted := 0, 0, 0, 0
	for _, p := range list {
		times := 1
		if due, ok := dayOf(p.Due); ok && dated && daysBetween(due, today) <= recentDays {
			times = 2
		}
		sum, counted = sum+times*lateness(p.LateDays), counted+times
		if p.LateDays > 0 {
			late, longest = late+1, max(longest, p.LateDays)
		}
	}
	f := factor{
		known: true, grade: best - 8*sum/counted, evidence: min(len(list), fullYear) * 100 / fullYear,
		words:  fmt.Sprintf("%d of %d late", late, len(list)),
		reason: "none late is best; about a quarter late is neutral; the last 90 days count double",
	}
	if late > 0 {
		f.words += fmt.Sprintf(", by up to %d days", longest)
	}
	return f
}

// factor: nothing past due is 30, two months' rent is -100, even in between. Where the
// rent is not known, anything past due is -50. What is open but not yet due counts
// nothing.
func (p PastDueKnown) factor() factor {
	f := factor{known: p.Known, evidence: 100, words: p.PastDue.String() + " past due", reason: "nothing past due is good; two months' rent is worst"}
	switch {
	case p.PastDue <= 0:
		f.grade, f.words = 30, "nothing past due"
	case p.Rent <= 0:
		f.grade, f.reason = -50, "something is past due, and the rent is not known"
	default:
		// Bounded before it is multiplied.
		owed := min(p.PastDue, 2*p.Rent)
		f.grade = 30 - int((130*owed+2*p.Rent-1)/(2*p.Rent))
	}
	return f
}

// factor: up to three requests without trouble are 30; each more takes 5, each open
// one 15, each that had to be done again 25, and each day beyond a week that repairs
// take on average 3.
func (r RepairsKnown) factor() factor {
	const usual, week = 3, 7
	bounded := func(n int) int { return min(max(n, 0), 100) }
	return factor{
		known: r.Known, evidence: 100,
		grade: 30 - 5*bounded(r.Count-usual) - 15*bounded(r.Open) - 25*bounded(r.Reopened) - 3*bounded(r.Days-week),
		words: fmt.Sprintf("%d requests, %d open, %d done again, %d days on average", r.Count, r.Open, r.Reopened, r.Days),
		reason: fmt.Sprintf("up to %d requests within a week each are good; open ones, repairs done again and long waits take most",
			usual),
	}
}

// factor: no complaint is 20, each takes 40.
func (c ComplaintsKnown) factor() factor {
	return factor{
		known: c.Known && c.Of > 0, evidence: 100, grade: 20 - 40*min(max(c.Count, 0), 10),
		words: fmt.Sprintf("%d of %d messages", c.Count, c.Of), reason: "each message that complains takes 40 of 100",
	}
}

// factor is the average itself; five messages are all the evidence that is wanted.
func (s SentimentKnown) factor() factor {
	const enough = 5
	return factor{
		known: s.Known && s.Messages > 0, grade: s.Average, evidence: min(s.Messages, enough) * 100 / enough,
		words: fmt.Sprintf("%d of 100 in %d messages", s.Average, s.Messages), reason: "the mean tone of messages, by " + cmp.Or(s.By, "hand"),
	}
}

// factor: three of five is 0, one is -100, five is 100.
func (s SurveyKnown) factor() factor {
	return factor{
		known: s.Known && s.Rating >= 1 && s.Rating <= 5, evidence: 100, grade: 50 * (s.Rating - 3),
		words: fmt.Sprintf("%d of 5", s.Rating), reason: "three of five is neutral",
	}
}

// factor: a year is 0, five years are 100, a new tenant is -25.
func (t TenureKnown) factor() factor {
	const year, long = 12, 60
	months := min(max(t.Months, 0), long)
	return factor{
		known: t.Known, evidence: 100, grade: rounded(100*(months-year), long-year),
		words: fmt.Sprintf("%d months", t.Months), reason: "a year is neutral; five years are best",
	}
}

// factor: the median of comparable homes is 0, each percent above takes 5, each below
// adds 5.
func (r RentKnown) factor() factor {
	if !r.Known || r.Asked <= 0 || r.Median <= 0 {
		return factor{}
	}
	// Beyond twice the median nothing changes; bounded before it is multiplied.
	above := min(r.Asked, 2*r.Median) - r.Median
	return factor{
		known: true, evidence: 100, grade: min(max(rounded(-500*int(above), int(r.Median)), worst), best),
		words:  fmt.Sprintf("%s asked, %s usual", r.Asked, r.Median),
		reason: "the rent asked beside the median of comparable homes; 20 percent above is worst",
	}
}

// factor: five percent is 0, each percent more takes 10, since tenants have a choice
// then; each less adds 10.
func (v VacancyKnown) factor() factor {
	return factor{
		known: v.Known, evidence: 100, grade: 10 * (5 - min(max(v.Percent, 0), 100)),
		words: fmt.Sprintf("%d%% of homes empty", v.Percent), reason: "5% is neutral; where more stands empty, tenants have more choice",
	}
}

func (r RetentionKnown) factor() factor {
	f := factor{known: r.Known, evidence: 100, words: string(r.Outcome), reason: "how the last retention campaign ended"}
	switch r.Outcome {
	case OutcomeAccepted:
		f.grade = 60
	case OutcomeSilent:
		f.grade = -20
	case OutcomeDeclined:
		f.grade = -80
	default:
		f.known = false
	}
	return f
}

// valueOf: high where a record of half a year or more is good and nothing is past due,
// or with fewer late payments after two years; low where the record is bad or more than
// a month's rent is past due; else medium.
func valueOf(in Inputs) Value {
	paid := in.payments()
	owes := in.PastDue.Known && in.PastDue.PastDue > 0
	owesMuch := owes && in.PastDue.Rent > 0 && in.PastDue.PastDue > in.PastDue.Rent
	loyal := in.Tenure.Known && in.Tenure.Months >= 24
	switch {
	case paid.known && paid.grade <= -50 || owesMuch:
		return Low
	case paid.known && len(in.Payments.List) >= fullYear/2 && !owes && (paid.grade >= 60 || loyal && paid.grade >= 30):
		return High
	}
	return Medium
}
