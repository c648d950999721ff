// Package leasescore judges how likely a tenant is to renew and how much the tenancy is
// at risk, by rules that a person can follow: each factor is graded from -100 to 100 by
// a simple curve, and the weighted mean of the grades is added to a base. What each
// factor has added is kept, so that the sums can be done again by hand. What is not
// known adds nothing and lowers the confidence. Everything here is pure, and in whole
// numbers.
//
//	points      = grade * weight / the sum of all weights, rounded half away from zero
//	probability = base + the sum of all points, from 1 to 99
//	risk points = -grade * weight / the sum of the weights of the factors of risk,
//	              rounded alike
//	risk        = base risk + the sum of all risk points, from 1 to 99
//	confidence  = the share of all weights whose factors are known, in percent; few
//	              payments or messages count for less
//
// The factors of risk are payments and what is past due, complaints and repairs, the
// survey, the market (rent and vacancy) and the last retention campaign.
package leasescore

import (
	"github.com/aictive/keyholder/policy"
)

// The names of factors, as policy weighs them.
const (
	Payments   = "payment_history"
	PastDue    = "past_due"
	Repairs    = "maintenance_requests"
	Complaints = "complaints"
	Sentiment  = "sentiment"
	Survey     = "survey"
	Tenure     = "tenure"
	Rent       = "rent_to_market"
	Vacancy    = "vacancy"
	Retention  = "last_retention"
)

// Names lists the factors in the order in which they are shown.
func Names() []string {
	return []string{Payments, PastDue, Repairs, Complaints, Sentiment, Survey, Tenure, Rent, Vacancy, Retention}
}

// Inputs is what is known of a lease. The zero value knows nothing.
type Inputs struct {
	// AsOf is the day of the assessment, YYYY-MM-DD at the property.
	AsOf       string          `json:"as_of"`
	Payments   PaymentsKnown   `json:"payments"`
	PastDue    PastDueKnown    `json:"past_due"`
	Repairs    RepairsKnown    `json:"repairs"`
	Complaints ComplaintsKnown `json:"complaints"`
	Sentiment  SentimentKnown  `json:"sentiment"`
	Survey     SurveyKnown     `json:"survey"`
	Tenure     TenureKnown     `json:"tenure"`
	Rent       RentKnown       `json:"rent"`
	Vacancy    VacancyKnown    `json:"vacancy"`
	Retention  RetentionKnown  `json:"retention"`
}

// PaymentsKnown is how the last 12 months were paid.
type PaymentsKnown struct {
	Known bool      `json:"known"`
	List  []Payment `json:"list,omitempty"`
}

// PastDueKnown is what is owed now.
type PastDueKnown struct {
	Known bool `json:"known"`
	// Unpaid is all that is open, PastDue the part of it that is overdue.
	Unpaid  policy.Cents `json:"unpaid"`
	PastDue policy.Cents `json:"past_due"`
	// Rent is a month's, 0 where it is not known.
	Rent policy.Cents `json:"rent"`
}

// RepairsKnown is what was reported in the last 12 months.
type RepairsKnown struct {
	Known bool `json:"known"`
	Count int  `json:"count"`
	Open  int  `json:"open"`
	// Reopened counts repairs that had to be done again.
	Reopened int `json:"reopened"`
	// Days is the mean from report to repair, of those that are done.
	Days int `json:"days"`
}

// ComplaintsKnown is how many messages of the last 12 months were complaints.
type ComplaintsKnown struct {
	Known bool `json:"known"`
	Count int  `json:"count"`
	// Of is how many messages were read.
	Of int `json:"of"`
}

// SentimentKnown is the tone of what the tenant wrote.
type SentimentKnown struct {
	Known bool `json:"known"`
	// Average is from -100 (bad) to 100: hundredths of the range from -1 to 1.
	Average int `json:"average"`
	// Messages is how many said something of it.
	Messages int `json:"messages"`
	// By says who judged it: "lexicon ..." or "model ...".
	By string `json:"by,omitempty"`
}

// SurveyKnown is the answer to the last satisfaction survey.
type SurveyKnown struct {
	Known bool `json:"known"`
	// Rating is from 1 (bad) to 5.
	Rating int `json:"rating"`
}

// TenureKnown is how long the tenants have lived there.
type TenureKnown struct {
	Known  bool `json:"known"`
	Months int  `json:"months"`
}

// RentKnown is the rent that is asked beside those of comparable homes.
type RentKnown struct {
	Known  bool         `json:"known"`
	Asked  policy.Cents `json:"asked"`
	Median policy.Cents `json:"median"`
}

// VacancyKnown is how much of the portfolio stands empty.
type VacancyKnown struct {
	Known bool `json:"known"`
	// Percent is of its active units.
	Percent int `json:"percent"`
}

// RetentionKnown is how the last retention campaign ended.
type RetentionKnown struct {
	Known   bool    `json:"known"`
	Outcome Outcome `json:"outcome,omitempty"`
}

// Outcome is the end of a retention campaign.
type Outcome string

// The outcomes.
const (
	// OutcomeAccepted: the tenant took what was offered or was content.
	OutcomeAccepted Outcome = "accepted"
	// OutcomeSilent: the tenant did not answer.
	OutcomeSilent Outcome = "silent"
	// OutcomeDeclined: the tenant did not want it.
	OutcomeDeclined Outcome = "declined"
)

// atRisk are the factors of risk.
func atRisk(name string) bool { return name != Tenure && name != Sentiment }

// Value says how much a tenant is worth keeping, by payment and tenure alone: a good
// tenant may well be at risk.
type Value string

// The values.
const (
	High   Value = "high"
	Medium Value = "medium"
	Low    Value = "low"
)

// Assessment is the result, with all that it was made of.
type Assessment struct {
	// RenewalProbability, Risk and Confidence are in percent.
	RenewalProbability int `json:"renewal_probability"`
	Risk               int `json:"risk"`
	Confidence         int `json:"confidence"`
	// Base and BaseRisk are what the points were added to.
	Base     int `json:"base"`
	BaseRisk int `json:"base_risk"`
	// Factors are in the order of Names.
	Factors []Contribution `json:"factors"`
	Value   Value          `json:"value"`
	// Policy is the version of the policy that weighed them.
	Policy string `json:"policy,omitempty"`
	// Notes say what could not be read, or who was overruled.
	Notes []string `json:"notes,omitempty"`
}

// Contribution is what one factor has added.
type Contribution struct {
	Name string `json:"name"`
	// Value is what was found, in words: "3 of 12 late".
	Value string `json:"value,omitempty"`
	// Grade is from -100 to 100, Weight that of policy.
	Grade  int `json:"grade"`
	Weight int `json:"weight"`
	// Points were added to the probability, RiskPoints to the risk.
	Points     int  `json:"points"`
	RiskPoints int  `json:"risk_points"`
	Known      bool `json:"known"`
	// Reason says how the grade comes about.
	Reason string `json:"reason"`
}

// Sums adds the contributions up again: what RenewalProbability and Risk must be.
func (a Assessment) Sums() (probability, risk int) {
	probability, risk = a.Base, a.BaseRisk
	for _, f := range a.Factors {
		probability += f.Points
		risk += f.RiskPoints
	}
	return percent(probability), percent(risk)
}

// percent is never certain: from 1 to 99.
func percent(n int) int { return min(max(n, 1), 99) }

const (
	// maxWeight bounds a weight.
	maxWeight = 1_000_000
	// worst and best bound a grade.
	worst, best = -100, 100
)

// Assess judges a lease. It never fails: what is not known, or makes no sense, counts
// nothing.
func Assess(in Inputs, rules policy.Scoring) Assessment {
	a := Assessment{Base: percent(rules.Base), BaseRisk: percent(rules.BaseRisk), Value: valueOf(in)}
	all, allRisk, evidence := 0, 0, 0
	for _, name := range Names() {
		all += weightOf(rules, name)
		if atRisk(name) {
			allRisk += weightOf(rules, name)
		}
	}
	for _, name := range Names() {
		f, weight := in.grade(name), weightOf(rules, name)
		c := Contribution{Name: name, Weight: weight, Known: f.known, Reason: f.reason, Value: f.words}
		if f.known {
			c.Grade = min(max(f.grade, worst), best)
			c.Points = rounded(c.Grade*weight, all)
			if atRisk(name) {
				c.RiskPoints = rounded(-c.Grade*weight, allRisk)
			}
			evidence += weight * min(max(f.evidence, 0), 100)
		}
		a.Factors = append(a.Factors, c)
	}
	a.Confidence = evidence / max(all, 1)
	a.RenewalProbability, a.Risk = a.Sums()
	return a
}

func weightOf(rules policy.Scoring, name string) int {
	return min(max(rules.Factors[name], 0), maxWeight)
}

// rounded divides, half away from zero; nothing of nothing is 0.
func rounded(n, by int) int {
	if by <= 0 {
		return 0
	}
	if n < 0 {
		return -((-n + by/2) / by)
	}
	return (n + by/2) / by
}
