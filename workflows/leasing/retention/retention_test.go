package retention

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

var began = time.Date(2027, time.January, 11, 17, 0, 0, 0, time.UTC)

func rules() policy.Leasing {
	return policy.Leasing{
		Company: "Birch Homes", Currency: "USD",
		Manager:  policy.Person{ID: "grace", Name: "Grace", Email: "grace@example.com"},
		Outreach: policy.Person{ID: "helen", Name: "Helen", Phone: "+15550100"},
		Retention: policy.Retention{
			SurveyRemind: 3 * day, SurveyClose: 10 * day,
			Incentives: []policy.Incentive{
				{ID: "gift_card", Name: "Gift card", Cost: 10000}, {ID: "carpet_cleaning", Name: "Carpet cleaning", Cost: 18000},
				{ID: "rent_credit", Name: "Rent credit", Cost: 30000}, {ID: "too_dear", Name: "New kitchen", Cost: 900000},
			},
			MaxCost: 30000, ApproveOver: 15000, AnswerWithin: 7 * day, OutreachWithin: 5 * day, MeasureAfter: 45 * day,
		},
	}
}

func lease(tenants ...string) activities.LeaseView {
	l := activities.LeaseView{
		ID: "1", Found: true, Status: activities.LeaseActive, Start: "2026-06-01", End: "2027-05-31", Rent: 200000,
		State: "CA", Zone: "America/Los_Angeles",
	}
	for _, id := range tenants {
		l.Tenants = append(l.Tenants, activities.Person{ID: id, Email: id + "@example.com"})
	}
	return l
}

// risky is a tenancy at risk; owed is rent that is past due.
func risky(owed policy.Cents) leasescore.Assessment {
	a := leasescore.Assess(leasescore.Inputs{
		AsOf:    "2027-01-11",
		PastDue: leasescore.PastDueKnown{Known: true, PastDue: owed, Unpaid: owed, Rent: 200000},
		Repairs: leasescore.RepairsKnown{Known: true, Count: 6, Open: 2, Reopened: 1, Days: 12},
	}, policy.Scoring{Base: 50, BaseRisk: 60, Factors: map[string]int{leasescore.PastDue: 10, leasescore.Repairs: 20}})
	a.Risk = 65
	return a
}

// play is a retention in the hands of a test.
type play struct {
	*testing.T
	*State
	now time.Time
}

func newPlay(t *testing.T, tenants ...string) *play {
	t.Helper()
	return &play{t, New(lease(tenants...), rules(), risky(0), began), began}
}

func (p *play) at(stage string) {
	p.Helper()
	require.Equal(p, stage, p.Stage)
}

func (p *play) pass(d time.Duration) {
	p.Helper()
	p.now = p.now.Add(d)
	p.Tick(p.now)
	next, _ := p.Next(p.now)
	require.True(p, next.IsZero() || next.After(p.now))
}

func (p *play) asked(purpose string) campaign.Wait {
	p.Helper()
	w := p.Waiting(purpose)
	require.NotNil(p, w, "%s is not asked at %s", purpose, p.Stage)
	return *w
}

func (p *play) says(purpose, who, choice string, fields ...string) durable.Outcome {
	p.Helper()
	w := p.asked(purpose)
	a := durable.Answer{Step: w.Step + "/" + who, Person: who, Choice: choice, Fields: map[string]string{}}
	for i := 0; i+1 < len(fields); i += 2 {
		a.Fields[fields[i]] = fields[i+1]
	}
	return p.Heard(w, a, p.now)
}

func (p *play) do(want string) {
	p.Helper()
	require.Equal(p, want, p.Todo(p.now).Do, "at %s", p.Stage)
}

func (p *play) told(text string) (n int) {
	for _, t := range p.Tells {
		if t.Text == text {
			n++
		}
	}
	return n
}

// rated brings a retention to the choice of its incentive.
func (p *play) rated(rating string) {
	p.Helper()
	p.says(AskSurvey, "1", Send, FieldRating, rating, FieldNote, "The tap\nleaks")
	p.at(Offering)
	p.do(ReadRecord)
}

func (p *play) ended(outcome string) {
	p.Helper()
	require.Equal(p, outcome, p.Outcome)
	require.Empty(p, p.Waits)
	p.do(RecordResult)
	p.Recorded(p.now)
	require.Equal(p, campaign.Nothing, p.Todo(p.now))
	next, _ := p.Next(p.now)
	require.Zero(p, next)
}

func (p *play) change(change func(*activities.LeaseView)) {
	before := p.Lease
	change(&p.Lease)
	p.Changed(before, p.now)
}

func TestTenantsWhoAreKept(t *testing.T) {
	t.Parallel()
	p := newPlay(t, "1")
	w := p.asked(AskSurvey)
	require.True(t, w.Tell.Marketing)
	require.Equal(t, policy.TextRetentionSurvey, w.Tell.Text)
	p.rated("2")
	p.RecordRead(nil, p.now)
	require.Equal(t, "gift_card", p.Incentive.ID)
	offer := p.asked(AskIncentive)
	require.True(t, offer.Tell.Marketing)
	require.Equal(t, "Gift card", offer.Tell.Data.Item)
	require.True(t, p.says(AskIncentive, "9", Accept).Late)
	p.says(AskIncentive, "1", Accept)
	require.Equal(t, 1, p.told(policy.TextManagerNotice), "the manager is to provide it")
	p.at(Outreach)
	out := p.asked(AskOutreach)
	require.Equal(t, "helen", out.Tell.Person.ID)
	require.Contains(t, out.Tell.Data.Reason, "maintenance")
	require.Contains(t, out.Tell.Ask.Details, activities.Detail{Label: "Survey", Text: "2 of 5"})
	require.Contains(t, out.Tell.Ask.Details, activities.Detail{Label: "The tenant writes", Text: "The tap leaks"})
	require.Contains(t, out.Tell.Ask.Details, activities.Detail{Label: "Incentive", Text: "Gift card ($100.00): accepted"})
	p.says(AskOutreach, "helen", Done, FieldNote, "a good talk")
	p.at(Measuring)
	require.Equal(t, "a good talk", p.SpokenNote)
	require.Equal(t, campaign.Nothing, p.Todo(p.now))
	p.pass(45 * day)
	p.do(Assess)
	after := risky(0)
	after.Risk = 40
	p.Tells = nil
	p.Measured(after, "", p.now)
	require.Equal(t, 1, p.told(policy.TextManagerNotice))
	require.Contains(t, p.Tells[0].Data.Reason, "65% and is 40% now")
	p.ended(OutcomeImproved)
	require.Equal(t, Result{
		Incentive: "gift_card", Accepted: true, Outcome: OutcomeImproved, Kept: true, RiskBefore: 65, RiskAfter: 40, Rating: 2,
	}, p.Result())
}

func TestTheResultIsTheDifferenceOfRisk(t *testing.T) {
	t.Parallel()
	for risk, outcome := range map[int]string{
		40: OutcomeImproved, 55: OutcomeImproved, 56: OutcomeUnchanged, 65: OutcomeUnchanged, 74: OutcomeUnchanged, 75: OutcomeWorse,
	} {
		p := newPlay(t, "1")
		p.Settle(AskSurvey)
		p.measure(p.now)
		p.pass(45 * day)
		p.do(Assess)
		p.Measured(leasescore.Assessment{Risk: risk}, "", p.now)
		p.ended(outcome)
		require.Equal(t, outcome != OutcomeWorse, p.Result().Kept)
	}
	p := newPlay(t, "1")
	p.measure(p.now)
	p.Measured(leasescore.Assessment{}, "unavailable", p.now)
	p.ended(OutcomeUnmeasured)
	require.False(t, p.Result().Kept)
}

func TestTheSurvey(t *testing.T) {
	t.Parallel()
	t.Run("closes when all have answered", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, "1", "2")
		p.says(AskSurvey, "1", Send, FieldRating, "4")
		p.at(Surveying)
		require.True(t, p.says(AskSurvey, "1", Send, FieldRating, "1").Late)
		require.True(t, p.says(AskSurvey, "9", Send, FieldRating, "1").Late)
		p.says(AskSurvey, "2", Send, FieldRating, "3")
		p.at(Offering)
		require.Equal(t, 3, p.Lowest())
	})
	t.Run("closes when the others have moved out", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, "1", "2")
		p.says(AskSurvey, "1", Send, FieldRating, "4")
		p.change(func(l *activities.LeaseView) { l.Tenants = l.Tenants[:1] })
		p.at(Offering)
	})
	t.Run("closes in time", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, "1")
		p.Tells = nil
		p.pass(3 * day)
		require.Equal(t, 1, p.told(policy.TextRetentionSurvey))
		p.pass(7 * day)
		p.at(Offering)
		require.Zero(t, p.Lowest())
	})
	t.Run("asks again for a rating", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, "1")
		for _, rating := range []string{"", "0", "6", "good"} {
			require.Contains(t, p.says(AskSurvey, "1", Send, FieldRating, rating).Message, "from 1 to 5")
		}
		p.at(Surveying)
		require.Equal(t, 5, p.told(policy.TextRetentionSurvey))
		p.rated("1")
	})
	t.Run("has nobody to ask", func(t *testing.T) {
		t.Parallel()
		newPlay(t).ended(OutcomeCancelled)
	})
}

func TestTheIncentiveWithTheBestRecordForItsCost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		records []Record
		want    string
	}{
		"without records the cheapest": {nil, "gift_card"},
		"few cases prove little":       {[]Record{{"carpet_cleaning", 1, 1}}, "gift_card"},
		"one that never works":         {[]Record{{"gift_card", 9, 0}}, "carpet_cleaning"},
		"one that always works":        {[]Record{{"gift_card", 10, 4}, {"carpet_cleaning", 10, 10}}, "carpet_cleaning"},
		"not worth three times as much": {
			[]Record{{"gift_card", 10, 4}, {"rent_credit", 10, 10}, {"carpet_cleaning", 9, 0}}, "gift_card",
		},
		"never above the limit": {[]Record{{"too_dear", 10, 10}, {"gift_card", 1000, 0}, {"carpet_cleaning", 1000, 0}}, "rent_credit"},
		"records that make no sense": {
			[]Record{{"gift_card", -5, 7}, {"carpet_cleaning", 1, 1 << 60}, {"rent_credit", 1 << 60, 0}}, "gift_card",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			best, found := choose(rules().Retention, c.records)
			require.True(t, found)
			require.Equal(t, c.want, best.ID)
		})
	}
	_, found := choose(policy.Retention{MaxCost: 100, Incentives: rules().Retention.Incentives}, nil)
	require.False(t, found)
}

func TestWhoGetsNoIncentive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rating string
		change func(*State)
	}{
		"content":            {rating: "5", change: func(*State) {}},
		"in arrears":         {rating: "2", change: func(s *State) { s.Before = risky(1) }},
		"policy allows none": {rating: "2", change: func(s *State) { s.Rules.Retention.MaxCost = 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, "1")
			c.change(p.State)
			p.rated(c.rating)
			p.RecordRead(nil, p.now)
			p.at(Outreach)
			require.Nil(t, p.Incentive)
			require.Zero(t, p.told(policy.TextRetentionIncentive))
			require.Empty(t, p.Result().Incentive)
		})
	}
	require.False(t, pastDue(leasescore.Assessment{}), "what is not known is not held against anybody")
}

func TestADearIncentiveIsApproved(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *play {
		p := newPlay(t, "1")
		p.rated("2")
		p.RecordRead([]Record{{"gift_card", 9, 0}}, p.now)
		require.Equal(t, "carpet_cleaning", p.Incentive.ID)
		require.Nil(t, p.Waiting(AskIncentive))
		p.asked(AskManager)
		return p
	}
	p := begin(t)
	p.says(AskManager, "grace", Approve)
	p.asked(AskIncentive)

	p = begin(t)
	p.says(AskManager, "grace", Decline)
	p.at(Outreach)

	p = begin(t)
	p.pass(7 * day)
	p.at(Outreach)
	require.Empty(t, p.Result().Incentive, "it was not offered")
}

func TestAnIncentiveThatIsNotTaken(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *play {
		p := newPlay(t, "1")
		p.rated("2")
		p.RecordRead(nil, p.now)
		p.Tells = nil
		return p
	}
	p := begin(t)
	p.says(AskIncentive, "1", Decline)
	p.at(Outreach)
	require.Zero(t, p.told(policy.TextManagerNotice))
	require.Equal(t, Result{Incentive: "gift_card", RiskBefore: 65, Rating: 2}, p.Result())

	p = begin(t)
	p.pass(4 * day)
	require.Equal(t, 1, p.told(policy.TextRetentionIncentive), "a reminder")
	p.pass(3 * day)
	p.at(Outreach)
}

func TestSomebodySpeaksWithTheTenants(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *play {
		p := newPlay(t, "1")
		p.rated("5")
		p.RecordRead(nil, p.now)
		p.Tells = nil
		return p
	}
	t.Run("in time", func(t *testing.T) {
		t.Parallel()
		p := begin(t)
		p.pass(3 * day)
		require.Equal(t, 1, p.told(policy.TextOutreach), "a reminder half way")
		p.says(AskOutreach, "helen", Done)
		p.at(Measuring)
		require.Equal(t, Done, p.Spoken)
	})
	t.Run("the manager, where nobody has", func(t *testing.T) {
		t.Parallel()
		p := begin(t)
		p.pass(5 * day)
		require.Equal(t, 1, p.told(policy.TextManagerNotice))
		require.Equal(t, campaign.Manager, p.asked(AskStandIn).Tell.To)
		p.pass(5 * day)
		p.at(Measuring)
		require.Empty(t, p.Spoken)
	})
	t.Run("the manager, where one cannot", func(t *testing.T) {
		t.Parallel()
		p := begin(t)
		p.says(AskOutreach, "helen", Cannot)
		p.at(Outreach)
		p.says(AskStandIn, "grace", Cannot)
		p.at(Measuring)
	})
	t.Run("the manager is asked once", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, "1")
		p.Rules.Outreach = p.Rules.Manager
		p.rated("5")
		p.RecordRead(nil, p.now)
		p.pass(5 * day)
		p.at(Measuring)
		require.Equal(t, 1, p.told(policy.TextManagerNotice))
	})
	t.Run("nobody is named", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, "1")
		p.Rules.Outreach = policy.Person{}
		p.rated("5")
		p.RecordRead(nil, p.now)
		p.asked(AskStandIn)
	})
}

func TestALeaseThatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*activities.LeaseView)
		outcome string
	}{
		"notice":         {func(l *activities.LeaseView) { l.Notice = "2027-02-01" }, OutcomeLeft},
		"closed":         {func(l *activities.LeaseView) { l.Status = activities.LeaseClosed }, OutcomeLeft},
		"no tenants":     {func(l *activities.LeaseView) { l.Tenants = nil }, OutcomeCancelled},
		"month to month": {func(l *activities.LeaseView) { l.MonthToMonth = true }, ""},
		"renewed":        {func(l *activities.LeaseView) { l.End = "2028-05-31" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, "1")
			p.rated("2")
			p.RecordRead(nil, p.now)
			p.says(AskIncentive, "1", Accept)
			p.Tells = nil
			p.change(c.change)
			if c.outcome == "" {
				p.at(Outreach)
				return
			}
			require.Contains(t, p.Tells[0].Data.Reason, "Gift card")
			p.ended(c.outcome)
			require.Equal(t, Result{Incentive: "gift_card", Accepted: true, Outcome: c.outcome, RiskBefore: 65, Rating: 2}, p.Result())
			p.Tells = nil
			p.Stop("again", p.now)
			p.change(func(l *activities.LeaseView) { l.Rent++ })
			p.unanswered(campaign.Wait{Purpose: AskSurvey}, p.now)
			p.Measured(risky(0), "", p.now)
			require.Empty(t, p.Tells)
		})
	}
	p := newPlay(t, "1")
	p.Stop("stopped by an operator", p.now)
	p.ended(OutcomeCancelled)
}

// copied is the state as a history carries it.
func copied(t require.TestingT, s *State) *State {
	first, err := json.Marshal(s)
	require.NoError(t, err)
	again := &State{}
	require.NoError(t, json.Unmarshal(first, again))
	second, err := json.Marshal(again)
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
	return again
}
