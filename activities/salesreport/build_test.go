package salesreport_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/activities/salesreport"
	"github.com/aictive/keyholder/policy"
)

func TestWhereASaleIsCounted(t *testing.T) {
	t.Parallel()
	with := func(change func(*salesreport.Sale), milestones ...progress.Milestone) salesreport.Sale {
		s := sale("1", milestones...)
		change(&s)
		return s
	}
	same := func(*salesreport.Sale) {}
	allDone := []progress.Milestone{done(1, "Instruction", -20), done(2, "Completion", -10)}
	for _, c := range []struct {
		what string
		sale salesreport.Sale
		want salesreport.Counts
	}{
		{"on track", with(same, open(1, "Instruction", 3)), salesreport.Counts{Followed: 1, PropertiesAnalyzed: 1, OnTrack: 1}},
		{"due soon", with(same, open(1, "Instruction", 2)), salesreport.Counts{Followed: 1, PropertiesAnalyzed: 1, AtRisk: 1}},
		{"overdue", with(same, open(1, "Instruction", -1)), salesreport.Counts{Followed: 1, PropertiesAnalyzed: 1, Overdue: 1, NeedAttention: 1}},
		{"slow", with(same, done(1, "Offer Acceptance", -80), open(2, "Exchange of Contracts", 9)), salesreport.Counts{Followed: 1, PropertiesAnalyzed: 1, AtRisk: 1}},
		{
			"stalled", with(same, done(1, "Offer Acceptance", -110), open(2, "Exchange of Contracts", 9)),
			salesreport.Counts{Followed: 1, PropertiesAnalyzed: 1, AtRisk: 1, Stalled: 1, NeedAttention: 1},
		},
		{
			"overdue and stalled", with(same, done(1, "Offer Acceptance", -110), open(2, "Exchange of Contracts", -9)),
			salesreport.Counts{Followed: 1, PropertiesAnalyzed: 1, Overdue: 1, Stalled: 1, NeedAttention: 1},
		},
		{"no milestones", with(same), salesreport.Counts{Followed: 1, Unknown: 1}},
		{
			"never read: whatever the milestones", with(func(s *salesreport.Sale) { s.Known = false }, open(1, "Instruction", -1)),
			salesreport.Counts{Followed: 1, Unknown: 1},
		},
		{"all done", with(same, allDone...), salesreport.Counts{Completed: 1}},
		{"done long ago", with(same, done(1, "Completion", -31)), salesreport.Counts{}},
		{"ended 30 days ago", with(func(s *salesreport.Sale) { s.EndedAt = monday.Add(-30 * day) }, allDone...), salesreport.Counts{Completed: 1}},
		{"ended early, 30 days ago and a second", with(func(s *salesreport.Sale) { s.EndedAt = monday.Add(-30*day - time.Second) }, open(1, "Instruction", -1)), salesreport.Counts{}},
		{"done long ago, and followed until now", with(func(s *salesreport.Sale) { s.EndedAt = monday }, done(1, "Completion", -31)), salesreport.Counts{}},
		{
			"ended early", with(func(s *salesreport.Sale) { s.EndedAt = monday.Add(-day) }, open(1, "Instruction", -1)),
			salesreport.Counts{Completed: 1, EndedEarly: 1},
		},
		{"ended, and nobody ever read it", with(func(s *salesreport.Sale) { s.EndedAt, s.Known = monday.Add(-day), false }), salesreport.Counts{Completed: 1}},
		{"another method has no norms", with(func(s *salesreport.Sale) { s.Method = "barter" }, done(1, "Offer Acceptance", -110), open(2, "Exchange of Contracts", 9)), salesreport.Counts{Followed: 1, PropertiesAnalyzed: 1, OnTrack: 1}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, salesreport.Build([]salesreport.Sale{c.sale}, builtIn(t), monday).Counts)
		})
	}
}

func TestLinesSayWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what       string
		milestones []progress.Milestone
		want       string
		due        string
		late       int
	}{
		{"overdue", []progress.Milestone{open(1, "Instruction", -5), open(2, "Completion", 30)}, "Instruction was due on Wed 10 Jun, 5 days ago.", "2026-06-10", 5},
		{"yesterday", []progress.Milestone{open(1, "Instruction", -1)}, "Instruction was due yesterday.", "2026-06-14", 1},
		{
			"last year, and a later one longer overdue", []progress.Milestone{open(1, "Instruction", -1), open(2, "Searches", -181), open(3, "Enquiries", -2)},
			"Searches was due on Tue 16 Dec 2025, 181 days ago. 2 more are overdue.", "2025-12-16", 181,
		},
		{"today", []progress.Milestone{open(1, "Instruction", 0)}, "Instruction is due today.", "2026-06-15", 0},
		{"tomorrow", []progress.Milestone{open(1, "Instruction", 1), open(2, "Searches", 2)}, "Instruction is due tomorrow. 1 more is due soon.", "2026-06-16", 0},
		{"in two days", []progress.Milestone{open(1, "Instruction", 40), open(2, "Searches", 2)}, "Searches is due on Wed 17 Jun.", "2026-06-17", 0},
		{
			"overdue and due soon", []progress.Milestone{open(1, "Instruction", -1), open(2, "Searches", 1)},
			"Instruction was due yesterday. Searches is due tomorrow.", "2026-06-14", 1,
		},
		{
			"slow", []progress.Milestone{done(1, "Offer", -80), open(2, "Exchange of Contracts", 9)},
			"Exchange of Contracts has taken 80 days; usual is up to 71.", "2026-06-24", 0,
		},
		{
			"stalled", []progress.Milestone{done(1, "Offer", -110), open(2, "Exchange of Contracts", 9)},
			"Exchange of Contracts has taken 110 days; usual is up to 71, late after 107.", "2026-06-24", 0,
		},
		{
			"overdue and slow", []progress.Milestone{done(1, "Offer", -80), open(2, "Exchange of Contracts", -9)},
			"Exchange of Contracts was due on Sat 6 Jun, 9 days ago. It has taken 80 days; usual is up to 71.", "2026-06-06", 9,
		},
		{
			"slow, and others overdue", []progress.Milestone{done(1, "Offer", -80), open(2, "Exchange of Contracts", -9), open(3, "%s", -10)},
			"%s was due on Fri 5 Jun, 10 days ago. 1 more is overdue. Exchange of Contracts has taken 80 days; usual is up to 71.", "2026-06-05", 10,
		},
		{"without a name", []progress.Milestone{open(1, " \u202e", -1)}, "A milestone without a name was due yesterday.", "2026-06-14", 1},
		{"on track", []progress.Milestone{open(1, "Instruction", 9)}, "", "2026-06-24", 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			r := salesreport.Build([]salesreport.Sale{sale("1", c.milestones...)}, builtIn(t), monday)
			got := append(append(r.Lists.Overdue.Sales, r.Lists.AtRisk.Sales...), r.Lists.OnTrack.Sales...)
			require.Len(t, got, 1)
			require.Equal(t, c.want, got[0].Why)
			due, err := got[0].DueOn.MarshalText()
			require.NoError(t, err)
			require.Equal(t, c.due, string(due))
			require.Equal(t, c.late, got[0].DaysOverdue)
		})
	}
	old := sale("1", done(1, "Instruction", -2), open(2, "Legal", 9))
	old.BeganAt = monday.Add(-180 * day)
	r := salesreport.Build([]salesreport.Sale{old}, builtIn(t), monday)
	require.Equal(t, "The sale is 123 working days old; usual is up to 120.", r.Lists.AtRisk.Sales[0].Why)
	require.Equal(t, 180, r.Lists.AtRisk.Sales[0].AgeDays)

	noon := sale("1", progress.Milestone{ID: "1", Name: "Instruction", DueAt: monday.Add(-time.Hour)})
	r = salesreport.Build([]salesreport.Sale{noon}, builtIn(t), monday)
	require.Equal(t, "Instruction was due earlier today.", r.Lists.Overdue.Sales[0].Why)
	require.Zero(t, r.Lists.Overdue.Sales[0].DaysOverdue)
}

// Days are those of London: at 23:30 UTC in June the next one has begun there.
func TestDaysAreThoseOfTheZone(t *testing.T) {
	t.Parallel()
	s := []salesreport.Sale{sale("1", open(1, "Instruction", 0))} // all of Monday
	night := monday.Truncate(day).Add(22*time.Hour + 59*time.Minute)
	require.Equal(t, "Instruction is due today.", salesreport.Build(s, builtIn(t), night).Lists.AtRisk.Sales[0].Why)
	r := salesreport.Build(s, builtIn(t), night.Add(time.Minute))
	require.Equal(t, "Instruction was due yesterday.", r.Lists.Overdue.Sales[0].Why)
	subject, _, _, err := r.Mail()
	require.NoError(t, err)
	require.Equal(t, "Sales report Tuesday 16 June: 1 overdue, 0 at risk, 0 on track", subject)
	require.Equal(t, r, salesreport.Build(s, builtIn(t), night.Add(time.Minute).In(time.FixedZone("", 9*3600))))
}

// The JSON has what the guide's monitor_portfolio gives.
func TestJSONIsThatOfTheGuide(t *testing.T) {
	t.Parallel()
	r := salesreport.Build([]salesreport.Sale{
		sale("1", open(1, "Instruction", 9)), sale("2", open(1, "Instruction", 1)), sale("4"),
		sale("3", open(1, "Instruction", -1), open(2, "Searches", -2)),
	}, builtIn(t), monday)
	encoded, err := json.Marshal(r)
	require.NoError(t, err)
	var guide struct {
		PropertiesAnalyzed int `json:"properties_analyzed"`
		OnTrack            int `json:"on_track"`
		AtRisk             int `json:"at_risk"`
		Overdue            int `json:"overdue"`
		Alerts             []struct {
			Type          string `json:"type"`
			TransactionID string `json:"transaction_id"`
			OverdueCount  *int   `json:"overdue_count"`
			AtRiskCount   *int   `json:"at_risk_count"`
		} `json:"alerts"`
	}
	require.NoError(t, json.Unmarshal(encoded, &guide))
	require.Equal(t, []int{3, 1, 1, 1}, []int{guide.PropertiesAnalyzed, guide.OnTrack, guide.AtRisk, guide.Overdue})
	require.Len(t, guide.Alerts, 2)
	first, second := guide.Alerts[0], guide.Alerts[1]
	require.Equal(t, []string{"overdue", "uuid-3"}, []string{first.Type, first.TransactionID})
	require.Equal(t, 2, *first.OverdueCount)
	require.Nil(t, first.AtRiskCount)
	require.Equal(t, []string{"at_risk", "uuid-2"}, []string{second.Type, second.TransactionID})
	require.Equal(t, 1, *second.AtRiskCount)

	empty, err := json.Marshal(salesreport.Build(nil, builtIn(t), monday))
	require.NoError(t, err)
	require.NotContains(t, string(empty), "null", "empty lists are lists")
}

func TestListsAreBoundedAndWorstFirst(t *testing.T) {
	t.Parallel()
	var sales []salesreport.Sale
	for i := range salesreport.MaxListed + 7 {
		n := strconv.Itoa(1000 + i)
		sales = append(
			sales, sale("1"+n, open(1, "Instruction", -1-i)), sale("2"+n, open(1, "Instruction", 1)),
			sale("3"+n, open(1, "Instruction", 9+i)), sale("4"+n), sale("5"+n, done(1, "Completion", -1-i%20)),
		)
	}
	r := salesreport.Build(sales, builtIn(t), monday)
	for name, list := range map[string]salesreport.List{
		"1": r.Lists.Overdue, "2": r.Lists.AtRisk, "3": r.Lists.OnTrack, "4": r.Lists.Unknown, "5": r.Lists.Completed,
	} {
		require.Len(t, list.Sales, salesreport.MaxListed, name)
		require.Equal(t, 7, list.LeftOut, name)
		for _, l := range list.Sales {
			require.Equal(t, name, l.PropertyID[:1])
		}
	}
	require.Equal(t, salesreport.MaxListed+7, r.Lists.Overdue.Sales[0].DaysOverdue, "the one that is overdue for longest")
	require.Equal(t, "31000", r.Lists.OnTrack.Sales[0].PropertyID, "the one that is due first")
	require.Equal(t, policy.Date{Year: 2026, Month: time.June, Day: 14}, r.Lists.Completed.Sales[0].EndedOn, "the last one")
	require.Len(t, r.Alerts, salesreport.MaxListed)
	require.Equal(t, salesreport.MaxListed+14, r.AlertsLeftOut)
	require.Equal(t, r.Lists.Overdue.Sales[0].PropertyID, r.Alerts[0].PropertyID)
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	one, two, never, ahead, over := sale("1"), sale("2"), sale("3"), sale("4"), sale("5", done(1, "Completion", -1))
	one.ReadAt, two.ReadAt, never.ReadAt, ahead.ReadAt = monday.Add(-time.Minute), monday.Add(-2*time.Hour), time.Time{}, monday.Add(time.Hour)
	over.ReadAt = monday.Add(-300 * day)
	r := salesreport.Build([]salesreport.Sale{one, two, never, ahead, over}, builtIn(t), monday)
	require.Equal(t, salesreport.Freshness{Read: 3, NeverRead: 1, OldestReadAt: two.ReadAt, OldestSeconds: 7200, MeanSeconds: 2420}, r.Freshness)
	require.Equal(t, salesreport.Freshness{}, salesreport.Build(nil, builtIn(t), monday).Freshness)
}

func TestMilestonesStandInThePolicysOrder(t *testing.T) {
	t.Parallel()
	auction := sale("2", open(1, " auction exchange", 1))
	auction.Method = policy.MethodModernAuction
	sales := []salesreport.Sale{
		sale("1", open(1, "Completion", -1)), auction, sale("3", open(1, "Party", 9)), sale("4", open(1, "party ", 9)), sale("5", open(1, "Ball", 9)), sale("6"),
	}
	names := func(r salesreport.Report) (out []string) {
		for _, m := range r.ByMilestone {
			out = append(out, fmt.Sprint(m.Name, " ", m.Red, m.Amber, m.Green))
		}
		return out
	}
	r := salesreport.Build(sales, builtIn(t), monday)
	require.Equal(t, []string{
		"Instruction 0 0 0", "Legal Pack Preparation 0 0 0", "Property Marketing 0 0 0", "Offer Acceptance 0 0 0", "Exchange of Contracts 0 0 0",
		"Auction Marketing Period 0 0 0", "Auction Exchange 0 1 0", "Completion 1 0 0", "Party 0 0 2", "Ball 0 0 1",
	}, names(r))
	require.Equal(t, []salesreport.Method{
		{Method: "standard", Followed: 5, OnTrack: 3, Overdue: 1, Unknown: 1}, {Method: "modern_auction", Followed: 1, AtRisk: 1},
	}, r.ByMethod)
	r = salesreport.Build(sales[1:2], builtIn(t), monday)
	require.Equal(t, []string{"Legal Pack Preparation 0 0 0", "Auction Marketing Period 0 0 0", "Auction Exchange 0 1 0", "Completion 0 0 0"}, names(r))

	var many []salesreport.Sale
	for i := range 40 {
		many = append(many, sale(strconv.Itoa(i), open(1, "Step "+strconv.Itoa(i), 9)))
	}
	r = salesreport.Build(many, builtIn(t), monday)
	require.Equal(t, salesreport.Milestone{Name: "Other milestones", Sales: 28, Green: 28}, r.ByMilestone[len(r.ByMilestone)-1])
	require.Len(t, r.ByMilestone, 6+12+1)
}

func TestAgesBesideTheNorm(t *testing.T) {
	t.Parallel()
	aged := func(id string, days int) salesreport.Sale {
		s := sale(id, open(1, "Legal", 9))
		s.BeganAt = monday.Add(-time.Duration(days) * day)
		return s
	}
	auction, unknown, begins := aged("8", 28), aged("9", 0), aged("10", 29)
	auction.Method, unknown.BeganAt, begins.Method = policy.MethodModernAuction, time.Time{}, policy.MethodSecureSale
	// 175 and 176 days before are 120 and 121 working days, in which six are holidays.
	r := salesreport.Build([]salesreport.Sale{aged("1", 0), aged("2", 175), aged("3", 176), aged("4", 900), auction, unknown, begins}, builtIn(t), monday)
	want := map[int]salesreport.AgeBucket{
		0: {FromWeek: 1, ToWeek: 4, Sales: 2, Usual: 1, NoNorm: 1}, 1: {FromWeek: 5, ToWeek: 8, Sales: 1, NoNorm: 1},
		5: {FromWeek: 21, ToWeek: 24, Sales: 1, Usual: 1}, 6: {FromWeek: 25, ToWeek: 28, Sales: 1, Slow: 1}, 12: {FromWeek: 49, Sales: 1, Stalled: 1},
	}
	require.Len(t, r.Ages.Buckets, 13)
	for i, b := range r.Ages.Buckets {
		if w, ok := want[i]; ok {
			require.Equal(t, w, b)
			continue
		}
		require.Zero(t, b.Sales, i)
	}
	require.Equal(t, 1, r.Ages.NotKnown)
	require.Equal(t, []salesreport.Norm{{Method: "standard", Typical: policy.Days{Count: 120, Working: true}, Late: policy.Days{Count: 180, Working: true}}}, r.Ages.Norms)
}

func TestASaleCountsOnceAsItWasReadLast(t *testing.T) {
	t.Parallel()
	old, fresh := sale("1", open(1, "Instruction", -1)), sale("1", done(1, "Instruction", -1), open(2, "Completion", 9))
	old.ReadAt = old.ReadAt.Add(-time.Hour)
	nobody := salesreport.Sale{Address: "1 Mill Lane"}
	r := salesreport.Build([]salesreport.Sale{old, fresh, nobody}, builtIn(t), monday)
	require.Equal(t, salesreport.Counts{Followed: 2, PropertiesAnalyzed: 1, OnTrack: 1, Unknown: 1}, r.Counts)
}

// drawn is any portfolio.
func drawn() *rapid.Generator[[]salesreport.Sale] {
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return monday.Add(-time.Duration(rapid.IntRange(-30, 400).Draw(t, "days")) * day).Add(time.Duration(rapid.IntRange(0, 86399).Draw(t, "second")) * time.Second)
	})
	maybe := rapid.OneOf(at, rapid.Just(time.Time{}))
	names := rapid.SampledFrom([]string{"Instruction", "Exchange of Contracts", "exchange of contracts", "Completion", "Party", "", "<b>&\u202e"})
	milestone := rapid.Custom(func(t *rapid.T) progress.Milestone {
		m := progress.Milestone{ID: rapid.StringMatching("[0-9]").Draw(t, "id"), Name: names.Draw(t, "name"), Order: rapid.IntRange(0, 4).Draw(t, "order"), DueAt: maybe.Draw(t, "due")}
		if m.Completed = rapid.Bool().Draw(t, "completed"); m.Completed {
			m.CompletedAt = maybe.Draw(t, "end")
		}
		return m
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) salesreport.Sale {
		return salesreport.Sale{
			PropertyID:    rapid.OneOf(rapid.StringMatching("[0-9]{1,2}"), rapid.Just("")).Draw(t, "property"),
			TransactionID: rapid.StringMatching("[ab]?").Draw(t, "transaction"), Address: rapid.String().Draw(t, "address"),
			Postcode: rapid.StringN(0, 9, -1).Draw(t, "postcode"), Method: rapid.SampledFrom(append(policy.Methods(), "", "barter")).Draw(t, "method"),
			Milestones: rapid.SliceOfN(milestone, 0, 4).Draw(t, "milestones"), Known: rapid.Bool().Draw(t, "known"),
			BeganAt: maybe.Draw(t, "began"), EndedAt: rapid.SampledFrom([]time.Time{{}, {}, monday.Add(-day), monday.Add(-40 * day)}).Draw(t, "ended"),
			ReadAt: maybe.Draw(t, "read"),
		}
	}), 0, 25)
}

func TestReportAddsUp(t *testing.T) {
	t.Parallel()
	rules := builtIn(t)
	rapid.Check(t, func(t *rapid.T) {
		sales := drawn().Draw(t, "sales")
		r := salesreport.Build(sales, rules, monday)
		require.Equal(t, r, salesreport.Build(rapid.Permutation(sales).Draw(t, "shuffled"), rules, monday), "the order does not matter")

		c := r.Counts
		require.Equal(t, c.PropertiesAnalyzed, c.OnTrack+c.AtRisk+c.Overdue)
		require.Equal(t, c.Followed, c.PropertiesAnalyzed+c.Unknown)
		require.Equal(t, c.Followed, r.Freshness.Read+r.Freshness.NeverRead)
		require.LessOrEqual(t, c.Overdue, c.NeedAttention)
		require.LessOrEqual(t, c.NeedAttention, c.Overdue+c.Stalled)
		require.LessOrEqual(t, c.EndedEarly, c.Completed)
		require.Len(t, r.Alerts, c.Overdue+c.AtRisk)
		for n, list := range map[int]salesreport.List{c.Overdue: r.Lists.Overdue, c.AtRisk + 100: r.Lists.AtRisk, c.OnTrack + 200: r.Lists.OnTrack, c.Unknown + 300: r.Lists.Unknown, c.Completed + 400: r.Lists.Completed} {
			require.Len(t, list.Sales, n%100)
		}
		if p := r.Percent; c.Followed > 0 {
			require.Equal(t, 100, p.OnTrack+p.AtRisk+p.Overdue+p.Unknown)
		}
		var methods salesreport.Method
		for _, m := range r.ByMethod {
			methods.Followed, methods.Overdue, methods.Completed = methods.Followed+m.Followed, methods.Overdue+m.Overdue, methods.Completed+m.Completed
			require.Equal(t, m.Followed, m.OnTrack+m.AtRisk+m.Overdue+m.Unknown)
		}
		require.Equal(t, []int{c.Followed, c.Overdue, c.Completed}, []int{methods.Followed, methods.Overdue, methods.Completed})
		at, redOnes := 0, 0
		for _, m := range r.ByMilestone {
			at, redOnes = at+m.Sales, redOnes+m.Red
			require.Equal(t, m.Sales, m.Red+m.Amber+m.Green)
		}
		require.Equal(t, []int{c.PropertiesAnalyzed, c.NeedAttention}, []int{at, redOnes})
		aged := r.Ages.NotKnown
		for _, b := range r.Ages.Buckets {
			aged += b.Sales
			require.Equal(t, b.Sales, b.Usual+b.Slow+b.Stalled+b.NoNorm)
		}
		require.Equal(t, c.Followed, aged)

		encoded, err := json.Marshal(r)
		require.NoError(t, err)
		var back salesreport.Report
		require.NoError(t, json.Unmarshal(encoded, &back))
		require.Equal(t, r, back, "it may be kept as JSON")
		require.Equal(t, pageOf(t, r), pageOf(t, back))
	})
}

func BenchmarkBuild(b *testing.B) {
	rules := builtIn(b)
	sales := portfolio(rules, 5000)
	b.ReportAllocs()
	for b.Loop() {
		salesreport.Build(sales, rules, monday)
	}
}
