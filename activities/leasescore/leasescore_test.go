package leasescore

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

const today = "2026-11-22"

// even weighs all factors alike.
func even() policy.Scoring {
	rules := policy.Scoring{Base: 60, BaseRisk: 30, Factors: map[string]int{}, Grace: 5}
	for _, name := range Names() {
		rules.Factors[name] = 10
	}
	return rules
}

func factorOf(t require.TestingT, a Assessment, name string) Contribution {
	i := slices.IndexFunc(a.Factors, func(c Contribution) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return a.Factors[i]
}

// year has twelve payments, the newest first, late by so many days.
func year(late ...int) PaymentsKnown {
	p := PaymentsKnown{Known: true}
	for i := range 12 {
		due := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).AddDate(0, -i, 0)
		one := Payment{Due: due.Format(time.DateOnly), Amount: 185000}
		if i < len(late) {
			one.LateDays = late[i]
		}
		p.List = append(p.List, one)
	}
	return p
}

func TestNothingKnownIsTheBaseWithoutConfidence(t *testing.T) {
	t.Parallel()
	a := Assess(Inputs{AsOf: today}, even())
	require.Equal(t, 60, a.RenewalProbability)
	require.Equal(t, 30, a.Risk)
	require.Zero(t, a.Confidence)
	require.Equal(t, Medium, a.Value)
	require.Len(t, a.Factors, len(Names()))
	for _, f := range a.Factors {
		require.False(t, f.Known, f.Name)
		require.Zero(t, f.Points, f.Name)
		require.Zero(t, f.RiskPoints, f.Name)
		require.Equal(t, "not known: counts nothing", f.Reason)
	}
	require.Equal(t, 1, Assess(Inputs{}, policy.Scoring{}).RenewalProbability, "no policy is no crash")
}

func TestGrades(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		in    Inputs
		of    string
		known bool
		grade int
		words string
	}{
		{"all on time", Inputs{Payments: year()}, Payments, true, 100, "0 of 12 late"},
		{"one late long ago", Inputs{Payments: year(0, 0, 0, 0, 0, 9)}, Payments, true, 74, "1 of 12 late, by up to 9 days"},
		{"one late lately counts double", Inputs{Payments: year(9)}, Payments, true, 47, "1 of 12 late, by up to 9 days"},
		{"three by ten days", Inputs{Payments: year(0, 0, 0, 0, 10, 10, 10)}, Payments, true, -20, "3 of 12 late, by up to 10 days"},
		{"all by a month", Inputs{Payments: year(30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30)}, Payments, true, -100, "12 of 12 late, by up to 30 days"},
		{"no payment is nothing known", Inputs{Payments: PaymentsKnown{Known: true}}, Payments, false, 0, ""},
		{"not known", Inputs{Payments: PaymentsKnown{List: year().List}}, Payments, false, 0, ""},
		{"nothing owed", Inputs{PastDue: PastDueKnown{Known: true, Rent: 185000}}, PastDue, true, 30, "nothing past due"},
		{"a cent owed", Inputs{PastDue: PastDueKnown{Known: true, PastDue: 1, Rent: 185000}}, PastDue, true, 29, "0.01 past due"},
		{"half a month", Inputs{PastDue: PastDueKnown{Known: true, PastDue: 92500, Rent: 185000}}, PastDue, true, -3, "925.00 past due"},
		{"two months and more", Inputs{PastDue: PastDueKnown{Known: true, PastDue: 900000, Rent: 185000}}, PastDue, true, -100, "9000.00 past due"},
		{"owed of an unknown rent", Inputs{PastDue: PastDueKnown{Known: true, PastDue: 1}}, PastDue, true, -50, "0.01 past due"},
		{"quiet home", Inputs{Repairs: RepairsKnown{Known: true, Count: 3, Days: 7}}, Repairs, true, 30, "3 requests, 0 open, 0 done again, 7 days on average"},
		{"neglected home", Inputs{Repairs: RepairsKnown{Known: true, Count: 6, Open: 2, Reopened: 1, Days: 12}}, Repairs, true, -55, "6 requests, 2 open, 1 done again, 12 days on average"},
		{"content", Inputs{Complaints: ComplaintsKnown{Known: true, Of: 4}}, Complaints, true, 20, "0 of 4 messages"},
		{"complains", Inputs{Complaints: ComplaintsKnown{Known: true, Count: 2, Of: 4}}, Complaints, true, -60, "2 of 4 messages"},
		{"silent", Inputs{Complaints: ComplaintsKnown{Known: true}}, Complaints, false, 0, ""},
		{"angry", Inputs{Sentiment: SentimentKnown{Known: true, Average: -70, Messages: 2}}, Sentiment, true, -70, "-70 of 100 in 2 messages"},
		{"rated 4", Inputs{Survey: SurveyKnown{Known: true, Rating: 4}}, Survey, true, 50, "4 of 5"},
		{"rated 0", Inputs{Survey: SurveyKnown{Known: true}}, Survey, false, 0, ""},
		{"rated 6", Inputs{Survey: SurveyKnown{Known: true, Rating: 6}}, Survey, false, 0, ""},
		{"just moved in", Inputs{Tenure: TenureKnown{Known: true}}, Tenure, true, -25, "0 months"},
		{"a year", Inputs{Tenure: TenureKnown{Known: true, Months: 12}}, Tenure, true, 0, "12 months"},
		{"decades", Inputs{Tenure: TenureKnown{Known: true, Months: 300}}, Tenure, true, 100, "300 months"},
		{"tenth too dear", Inputs{Rent: RentKnown{Known: true, Asked: 220000, Median: 200000}}, Rent, true, -50, "2200.00 asked, 2000.00 usual"},
		{"far too dear", Inputs{Rent: RentKnown{Known: true, Asked: 9_000_000_00, Median: 200000}}, Rent, true, -100, "9000000.00 asked, 2000.00 usual"},
		{"cheap", Inputs{Rent: RentKnown{Known: true, Asked: 180000, Median: 200000}}, Rent, true, 50, "1800.00 asked, 2000.00 usual"},
		{"no median", Inputs{Rent: RentKnown{Known: true, Asked: 180000}}, Rent, false, 0, ""},
		{"none empty", Inputs{Vacancy: VacancyKnown{Known: true}}, Vacancy, true, 50, "0% of homes empty"},
		{"many empty", Inputs{Vacancy: VacancyKnown{Known: true, Percent: 30}}, Vacancy, true, -100, "30% of homes empty"},
		{"kept", Inputs{Retention: RetentionKnown{Known: true, Outcome: OutcomeAccepted}}, Retention, true, 60, "accepted"},
		{"silent before", Inputs{Retention: RetentionKnown{Known: true, Outcome: OutcomeSilent}}, Retention, true, -20, "silent"},
		{"declined", Inputs{Retention: RetentionKnown{Known: true, Outcome: OutcomeDeclined}}, Retention, true, -80, "declined"},
		{"another outcome", Inputs{Retention: RetentionKnown{Known: true, Outcome: "maybe"}}, Retention, false, 0, ""},
	} {
		c.in.AsOf = today
		f := factorOf(t, Assess(c.in, even()), c.of)
		require.Equal(t, c.known, f.Known, c.name)
		require.Equal(t, c.grade, f.Grade, c.name)
		require.Equal(t, c.words, f.Value, c.name)
	}
}

// The sums by hand: weights 30 of 100 and 10 of 100, of 80 among the factors of risk.
func TestPointsAreSharesOfAllWeights(t *testing.T) {
	t.Parallel()
	rules := policy.Scoring{Base: 55, BaseRisk: 20, Factors: map[string]int{Payments: 30, Survey: 10, Tenure: 20, Repairs: 40}}
	a := Assess(Inputs{
		AsOf: today, Payments: year(0, 0, 0, 0, 10, 10, 10), Survey: SurveyKnown{Known: true, Rating: 5}, Tenure: TenureKnown{Known: true, Months: 36},
	}, rules)
	require.Equal(t, []int{-6, 10, 10}, []int{factorOf(t, a, Payments).Points, factorOf(t, a, Survey).Points, factorOf(t, a, Tenure).Points})
	require.Equal(t, []int{8, -13, 0}, []int{factorOf(t, a, Payments).RiskPoints, factorOf(t, a, Survey).RiskPoints, factorOf(t, a, Tenure).RiskPoints})
	require.Equal(t, 55-6+10+10, a.RenewalProbability)
	require.Equal(t, 20+8-13, a.Risk)
	require.Equal(t, 60, a.Confidence, "the repairs are not known")
	require.Equal(t, 30, factorOf(t, a, Payments).Weight)
}

func TestFewPaymentsAndMessagesAreLessEvidence(t *testing.T) {
	t.Parallel()
	rules := policy.Scoring{Base: 50, BaseRisk: 50, Factors: map[string]int{Payments: 1}}
	in := Inputs{AsOf: today, Payments: year()}
	require.Equal(t, 100, Assess(in, rules).Confidence)
	in.Payments.List = in.Payments.List[:3]
	require.Equal(t, 25, Assess(in, rules).Confidence)
	rules.Factors = map[string]int{Sentiment: 1}
	in.Sentiment = SentimentKnown{Known: true, Messages: 2}
	require.Equal(t, 40, Assess(in, rules).Confidence)
}

func TestValueOfATenant(t *testing.T) {
	t.Parallel()
	for want, in := range map[string]Inputs{
		"high 1":   {Payments: year()},
		"high 2":   {Payments: year(9), Tenure: TenureKnown{Known: true, Months: 24}},
		"high 3":   {Payments: year(), Sentiment: SentimentKnown{Known: true, Average: -100, Messages: 9}},
		"medium 1": {Payments: year(9), Tenure: TenureKnown{Known: true, Months: 23}},
		"medium 2": {Payments: year(), PastDue: PastDueKnown{Known: true, PastDue: 1, Rent: 185000}},
		"medium 3": {Payments: PaymentsKnown{Known: true, List: year().List[:5]}},
		"low 1":    {Payments: year(9, 9, 9, 9, 9, 9)},
		"low 2":    {Payments: year(), PastDue: PastDueKnown{Known: true, PastDue: 185001, Rent: 185000}},
	} {
		in.AsOf = today
		require.Equal(t, want[:len(want)-2], string(Assess(in, even()).Value), want)
	}
}

// some draws what may be known of a lease.
func some(t *rapid.T) Inputs {
	known := func(name string) bool { return rapid.Bool().Draw(t, name+" known") }
	n := func(name string, low, high int) int { return rapid.IntRange(low, high).Draw(t, name) }
	in := Inputs{
		AsOf:       today,
		Payments:   year(rapid.SliceOfN(rapid.IntRange(0, 60), 0, 12).Draw(t, "late")...),
		PastDue:    PastDueKnown{Known: known("owed"), PastDue: policy.Cents(n("owed", -100, 1_000_000)), Rent: policy.Cents(n("rent", 0, 500_000))},
		Repairs:    RepairsKnown{Known: known("repairs"), Count: n("count", 0, 20), Open: n("open", 0, 5), Reopened: n("reopened", 0, 5), Days: n("days", 0, 60)},
		Complaints: ComplaintsKnown{Known: known("complaints"), Count: n("complaints", 0, 10), Of: n("of", 0, 10)},
		Sentiment:  SentimentKnown{Known: known("tone"), Average: n("tone", -100, 100), Messages: n("messages", 0, 9)},
		Survey:     SurveyKnown{Known: known("survey"), Rating: n("rating", 0, 5)},
		Tenure:     TenureKnown{Known: known("tenure"), Months: n("months", 0, 400)},
		Rent:       RentKnown{Known: known("rent"), Asked: policy.Cents(n("asked", 0, 900_000)), Median: policy.Cents(n("median", 0, 900_000))},
		Vacancy:    VacancyKnown{Known: known("vacancy"), Percent: n("vacancy", 0, 100)},
		Retention: RetentionKnown{
			Known: known("retention"), Outcome: rapid.SampledFrom([]Outcome{OutcomeAccepted, OutcomeSilent, OutcomeDeclined, "x", ""}).Draw(t, "outcome"),
		},
	}
	in.Payments.Known = known("payments")
	return in
}

func weights(t *rapid.T) policy.Scoring {
	rules := policy.Scoring{Base: rapid.IntRange(-10, 110).Draw(t, "base"), BaseRisk: rapid.IntRange(-10, 110).Draw(t, "base risk"), Factors: map[string]int{}}
	for _, name := range Names() {
		rules.Factors[name] = rapid.IntRange(-5, 1000).Draw(t, name)
	}
	return rules
}

func TestSumsCanBeDoneAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in, rules := some(t), weights(t)
		a := Assess(in, rules)
		require.Equal(t, a, Assess(in, rules))
		data, err := json.Marshal(a)
		require.NoError(t, err)
		var read Assessment
		require.NoError(t, json.Unmarshal(data, &read))
		probability, risk := read.Base, read.BaseRisk
		for _, f := range read.Factors {
			probability, risk = probability+f.Points, risk+f.RiskPoints
			if !f.Known {
				require.Zero(t, f.Points)
				require.Zero(t, f.RiskPoints)
			}
			require.GreaterOrEqual(t, f.Weight, 0)
			require.LessOrEqual(t, max(f.Grade, -f.Grade), 100)
		}
		require.Equal(t, min(max(probability, 1), 99), a.RenewalProbability)
		require.Equal(t, min(max(risk, 1), 99), a.Risk)
		require.GreaterOrEqual(t, a.Confidence, 0)
		require.LessOrEqual(t, a.Confidence, 100)
	})
}

// worse are changes for the worse, one a time.
func worse(t *rapid.T, in *Inputs) {
	by := rapid.IntRange(0, 50).Draw(t, "by")
	switch rapid.IntRange(0, 9).Draw(t, "change") {
	case 0: // one payment later
		in.Payments.List = slices.Clone(in.Payments.List)
		in.Payments.List[rapid.IntRange(0, len(in.Payments.List)-1).Draw(t, "payment")].LateDays += by
	case 1: // one more late payment
		due := rapid.SampledFrom([]string{"2026-11-01", "2025-12-15", "nonsense"}).Draw(t, "due")
		in.Payments.List = append(slices.Clone(in.Payments.List), Payment{Due: due, LateDays: 1 + by})
	case 2:
		in.PastDue.PastDue += policy.Cents(by * 1000)
	case 3:
		in.Repairs.Open += by
	case 4:
		in.Repairs.Reopened += by
		in.Repairs.Days += by
	case 5:
		in.Complaints.Count += by
	case 6:
		in.Sentiment.Average -= by
	case 7:
		in.Survey.Rating = max(in.Survey.Rating-by, min(in.Survey.Rating, 1))
	case 8:
		in.Rent.Asked += policy.Cents(by * 1000)
		if in.Rent.Asked == policy.Cents(by*1000) {
			in.Rent.Known = false // a rent of nothing was not known
		}
	case 9:
		in.Vacancy.Percent += by
	}
}

func TestWorseIsNeverBetter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in, rules := some(t), weights(t)
		before := Assess(in, rules)
		worse(t, &in)
		after := Assess(in, rules)
		require.LessOrEqual(t, after.RenewalProbability, before.RenewalProbability, fmt.Sprint(in))
		require.GreaterOrEqual(t, after.Risk, before.Risk, fmt.Sprint(in))
	})
}
