package renewal

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

func rules() policy.Leasing {
	source := "a test"
	asOf := policy.Date{Year: 2026, Month: time.November, Day: 21}
	return policy.Leasing{
		Company: "Birch Homes", Currency: "USD",
		Manager: policy.Person{ID: "grace", Name: "Grace", Email: "grace@example.com"},
		Renewal: policy.Renewal{
			Lead: 90 * day, Approval: 10 * day, WorkOrdersWait: 14 * day,
			Notice: []policy.NoticeRule{
				{State: "OR", Days: 90, Cap: 100, AsOf: asOf, Source: source},
				{State: "CA", Days: 30, AsOf: asOf, Source: source},
				{State: "CA", Over: 100, Days: 90, AsOf: asOf, Source: source, Disputed: "one source says 60 days"},
				{State: "TX", Days: 30, AsOf: asOf, Source: source, Disputed: "none is written down"},
			},
			RemindOwner: []time.Duration{day, 3 * day}, EscalateOwner: 5 * day, DecideWithin: 2 * day,
			Chase: []int{60, 45, 30}, SilentAt: 20, Term: 12, SignRemind: 3 * day, SignTimes: 3,
			OfferFrom: 40, MaxRisk: 70,
			Pricing: policy.Pricing{Usual: 30, Most: 50, RoundTo: 500},
		},
	}
}

func tenant(id string) activities.Person {
	return activities.Person{ID: id, Name: "Tenant " + id, Email: id + "@example.com"}
}

func lease(state string, tenants ...string) activities.LeaseView {
	l := activities.LeaseView{
		ID: "1", PropertyID: "1", UnitID: "1", PortfolioID: "1", Found: true, Status: activities.LeaseActive,
		Start: "2026-06-01", End: "2027-05-31", Rent: 200000, State: state, Zone: "America/Los_Angeles",
	}
	for _, id := range tenants {
		l.Tenants = append(l.Tenants, tenant(id))
	}
	return l
}

// play is a renewal in the hands of a test.
type play struct {
	*testing.T
	*State
	now time.Time
}

// newPlay begins when the renewal of the lease is due.
func newPlay(t *testing.T, l activities.LeaseView) *play {
	t.Helper()
	start, ok := StartAt(l, rules())
	require.True(t, ok)
	return &play{t, New(l, rules(), start), start}
}

func (p *play) do(want string) {
	p.Helper()
	require.Equal(p, want, p.Todo(p.now).Do, "at %s", p.Stage)
}

// priced brings a renewal to the decision about its price.
func (p *play) priced(rent policy.Cents, probability, risk int, owners ...string) {
	p.Helper()
	if p.Stage == Repairs {
		p.do(CountWorkOrders)
		p.Counted(0, p.now)
	}
	p.do(Assess)
	p.Assessed(leasescore.Assessment{RenewalProbability: probability, Risk: risk, Confidence: 60, Factors: []leasescore.Contribution{
		{Name: leasescore.Payments, Value: "none late", Points: 9, Known: true}, {Name: leasescore.Survey},
	}}, "", p.now)
	p.do(SuggestRent)
	p.Suggested(comparables.Suggestion{
		Rent: rent, Low: 190000, High: 220000, Confidence: 70, Reason: "4 leases compare",
		Comparables: []comparables.Used{{LeaseID: "7", Rent: 205000, AdjustedRent: 206000, Weight: 100, Reason: "same property"}},
	}, "", p.now)
	p.do(ReadOwners)
	var people []activities.Person
	for _, id := range owners {
		people = append(people, activities.Person{ID: id})
	}
	p.OwnersRead(people, p.now)
}

// offered brings a renewal to its offer.
func offered(t *testing.T, tenants ...string) *play {
	t.Helper()
	p := newPlay(t, lease("CA", tenants...))
	p.priced(210000, 80, 20, "owner")
	p.says(AskOwner, "owner", Approve)
	p.at(Offered)
	p.sent()
	return p
}

func (p *play) at(stage string) {
	p.Helper()
	require.Equal(p, stage, p.Stage)
}

// pass lets time go by.
func (p *play) pass(d time.Duration) {
	p.Helper()
	p.now = p.now.Add(d)
	p.Tick(p.now)
	next, _ := p.Next(p.now)
	require.True(p, next.IsZero() || next.After(p.now), "next is %s at %s", next, p.now)
}

// sent lets all messages leave.
func (p *play) sent() { p.Tells, p.Closes = nil, nil }

func (p *play) asked(purpose string) campaign.Wait {
	p.Helper()
	w := p.Waiting(purpose)
	require.NotNil(p, w, "%s is not asked at %s", purpose, p.Stage)
	return *w
}

func (p *play) says(purpose, who, choice string, fields ...string) durable.Outcome {
	p.Helper()
	w := p.asked(purpose)
	a := durable.Answer{ID: w.Step + who + choice, Step: w.Step + "/" + who, Person: who, Choice: choice, Via: "link", Fields: map[string]string{}}
	for i := 0; i+1 < len(fields); i += 2 {
		a.Fields[fields[i]] = fields[i+1]
	}
	return p.Heard(w, a, p.now)
}

// told counts the messages of a text that wait to be sent.
func (p *play) told(text string) (n int) {
	for _, t := range p.Tells {
		if t.Text == text {
			n++
		}
	}
	return n
}

// ended requires an end that leaves nothing open.
func (p *play) ended(outcome string) {
	p.Helper()
	require.Equal(p, outcome, p.Outcome, "%+v", p.State.Log)
	require.Empty(p, p.Waits)
	require.Equal(p, campaign.Nothing, p.Todo(p.now))
	next, _ := p.Next(p.now)
	require.Zero(p, next)
}

func (p *play) change(change func(*activities.LeaseView)) {
	before := p.Lease
	change(&p.Lease)
	p.Changed(before, p.now)
}

func TestWhenARenewalBegins(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state  string
		change func(*activities.LeaseView, *policy.Leasing)
		want   string
	}{
		"the policy's lead, across daylight saving": {state: "CA", want: "2027-03-02T17:00:00Z"},
		"notice and approval are longer":            {state: "OR", want: "2027-02-20T17:00:00Z"},
		"no rule is known":                          {state: "NV", want: "2027-03-02T17:00:00Z"},
		"the greatest increase counts": {state: "CA", want: "2027-02-20T17:00:00Z", change: func(_ *activities.LeaseView, r *policy.Leasing) {
			r.Renewal.Pricing.Most = 120
		}},
		"but no greater than the law allows": {state: "CA", want: "2027-03-02T17:00:00Z", change: func(_ *activities.LeaseView, r *policy.Leasing) {
			r.Renewal.Pricing.Most = 120
			r.Renewal.Notice[1].Cap = 80
		}},
		"no end":         {state: "CA", change: func(l *activities.LeaseView, _ *policy.Leasing) { l.End = "" }},
		"an end no day":  {state: "CA", change: func(l *activities.LeaseView, _ *policy.Leasing) { l.End = "soon" }},
		"month to month": {state: "CA", change: func(l *activities.LeaseView, _ *policy.Leasing) { l.MonthToMonth = true }},
		"leaving":        {state: "CA", change: func(l *activities.LeaseView, _ *policy.Leasing) { l.Notice = "2027-01-01" }},
		"closed":         {state: "CA", change: func(l *activities.LeaseView, _ *policy.Leasing) { l.Status = activities.LeaseClosed }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, r := lease(c.state, "1"), rules()
			if c.change != nil {
				c.change(&l, &r)
			}
			start, ok := StartAt(l, r)
			require.Equal(t, c.want != "", ok)
			if ok {
				require.Equal(t, c.want, start.Format(time.RFC3339))
			}
		})
	}
}

// An increase of 5 % in Oregon has to be told 90 days ahead: what begins 90 days before
// the end, with an approval to get first, would be too late.
func TestOregonBeginsInTime(t *testing.T) {
	t.Parallel()
	p := newPlay(t, lease("OR", "1"))
	end, _ := campaign.Day("2027-05-31", 0, morning, p.Lease.Zone)
	require.Greater(t, end.Sub(p.now), 90*day)
	p.priced(210000, 80, 20, "owner")
	p.pass(4 * day)
	p.says(AskOwner, "owner", Approve)
	p.at(Offered)
	require.Equal(t, &Terms{Rent: 210000, From: "2027-06-01", Start: "2027-06-01", End: "2028-05-31", Months: 12}, p.Terms)
}

func TestARenewalThatMeetsNoTrouble(t *testing.T) {
	t.Parallel()
	p := newPlay(t, lease("CA", "1", "2"))
	p.priced(210000, 80, 20, "owner")
	w := p.asked(AskOwner)
	require.Equal(t, campaign.Owners, w.Tell.To)
	require.Equal(t, policy.TextOwnerApprove, w.Tell.Text)
	require.Equal(t, policy.Permille(50), w.Tell.Data.Increase)
	require.Contains(t, w.Tell.Ask.Details, activities.Detail{Label: "Lease 7", Text: "$2,050.00, adjusted $2,060.00, counts 100: same property"})
	require.Contains(t, w.Tell.Ask.Details, activities.Detail{Label: "Notice", Text: "30 days for increases over 0% in CA"})
	p.says(AskOwner, "owner", Approve)
	p.at(Offered)
	require.Equal(t, &Terms{Rent: 210000, From: "2027-06-01", Start: "2027-06-01", End: "2028-05-31", Months: 12}, p.Terms)
	p.says(AskOffer, "2", Accept)
	p.at(Signing)
	require.False(t, p.says(AskSign, "1", Sign, FieldName, "Ann Lee").Late)
	p.at(Signing)
	require.True(t, p.says(AskSign, "1", Sign, FieldName, "Ann Lee").Late, "nobody signs twice")
	require.True(t, p.says(AskSign, "9", Sign, FieldName, "Eve").Late, "nobody else signs")
	p.says(AskSign, "2", Sign, FieldName, "Bob Lee")
	p.at(Writing)
	p.do(WriteRenewal)
	p.change(func(l *activities.LeaseView) { l.End, l.Rent = "2028-05-31", 210000 })
	p.at(Writing)
	p.sent()
	p.Written(true, nil, p.now)
	p.ended(OutcomeRenewed)
	require.Equal(t, 1, p.told(policy.TextRenewalDone))
	require.Equal(t, 1, p.told(policy.TextOwnerDone))
	require.Equal(t, 1, p.told(policy.TextManagerNotice))
	for _, e := range p.State.Log {
		require.NotContains(t, e.What, "Lee", "the log names nobody")
	}
}

func TestOpenWorkOrdersHoldTheOfferBackForAWhile(t *testing.T) {
	t.Parallel()
	p := newPlay(t, lease("CA", "1"))
	p.Counted(2, p.now)
	require.Equal(t, 1, p.told(policy.TextManagerNotice))
	require.Equal(t, campaign.Nothing, p.Todo(p.now))
	next, _ := p.Next(p.now)
	require.Equal(t, p.now.Add(3*day), next)
	keys := map[string]bool{}
	for p.Stage == Repairs {
		p.pass(3 * day)
		require.LessOrEqual(t, p.now.Sub(p.BeganAt), 17*day)
		if task := p.Todo(p.now); task != campaign.Nothing {
			require.False(t, keys[task.Key])
			keys[task.Key] = true
			p.Counted(1, p.now)
		}
	}
	require.Equal(t, 1, p.told(policy.TextManagerNotice), "the manager is told once")
	p.at(Pricing)

	closed := newPlay(t, lease("CA", "1"))
	closed.Counted(1, closed.now)
	closed.pass(3 * day)
	closed.Counted(0, closed.now)
	closed.at(Pricing)

	unknown := newPlay(t, lease("CA", "1"))
	unknown.Counted(-1, unknown.now)
	unknown.at(Pricing)
}

func TestWithoutAssessmentOrComparablesTheUsualIncreaseIsProposed(t *testing.T) {
	t.Parallel()
	p := newPlay(t, lease("CA", "1"))
	p.Counted(0, p.now)
	p.Assessed(leasescore.Assessment{}, "unavailable", p.now)
	p.Suggested(comparables.Suggestion{}, "unavailable", p.now)
	p.OwnersRead(nil, p.now)
	p.at(Approving)
	require.EqualValues(t, 206000, p.Price)
	p.asked(AskApprove)
	require.Nil(t, p.Assessment)
}

func TestARentIsProposedWithinPolicyAndLaw(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state     string
		most      policy.Permille
		suggested policy.Cents
		want      policy.Cents
	}{
		"as suggested":            {"CA", 50, 207500, 207500},
		"no more than policy":     {"CA", 50, 250000, 210000},
		"no more than the law":    {"OR", 200, 250000, 220000},
		"no less than now":        {"CA", 50, 150000, 200000},
		"the usual, rounded down": {"CA", 50, 0, 206000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := New(lease(c.state, "1"), rules(), time.Time{})
			s.Rules.Renewal.Pricing.Most = c.most
			require.Equal(t, c.want, s.proposed(c.suggested))
		})
	}
}

func TestARentThatIsNotKnownIsTheManagers(t *testing.T) {
	t.Parallel()
	l := lease("CA", "1")
	l.Rent = 0
	p := newPlay(t, l)
	p.priced(0, 80, 20, "owner")
	p.ended(OutcomeLeftToManager)
}

func TestTheManagerDecidesWhetherItIsWorthIt(t *testing.T) {
	t.Parallel()
	for name, risky := range map[string][2]int{"unlikely": {39, 20}, "at risk": {80, 71}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := func() *play {
				p := newPlay(t, lease("CA", "1"))
				p.priced(210000, risky[0], risky[1], "owner")
				p.at(Worth)
				return p
			}
			p := begin()
			p.says(AskWorth, "grace", Offer)
			p.at(Approving)
			p.change(func(l *activities.LeaseView) { l.Rent = 190000 })
			p.priced(195000, risky[0], risky[1], "owner")
			p.at(Approving) // and is not asked again

			p = begin()
			p.says(AskWorth, "grace", Leave)
			p.ended(OutcomeLetGo)

			p = begin()
			p.silence(policy.TextManagerWorth)
			p.ended(OutcomeLeftToManager)
		})
	}
	p := newPlay(t, lease("CA", "1"))
	p.priced(210000, 40, 70, "owner")
	p.at(Approving)
}

// silence lets the manager be asked as often as it goes.
func (p *play) silence(text string) {
	p.Helper()
	asked := p.told(text)
	for range 4 {
		p.pass(2 * day)
		asked = max(asked, p.told(text))
	}
	require.Equal(p, 4, asked, "asked, and again three times")
}

func TestANoticeRuleThatIsUnclearIsSignedOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ state, detail string }{
		"disputed":    {"TX", "Disputed"},
		"not known":   {"NV", "Notice"},
		"other state": {"", "Notice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := func() *play {
				p := newPlay(t, lease(c.state, "1"))
				p.priced(210000, 80, 20, "owner")
				p.at(Law)
				return p
			}
			p := begin()
			var labels []string
			for _, d := range p.asked(AskLaw).Tell.Ask.Details {
				labels = append(labels, d.Label)
			}
			require.Contains(t, labels, c.detail)
			p.says(AskLaw, "grace", Confirm)
			p.at(Approving)
			require.EqualValues(t, 210000, p.Price)
			p.says(AskOwner, "owner", Approve)
			p.at(Offered) // without another sign-off

			p = begin()
			p.says(AskLaw, "grace", Decline)
			p.at(Approving)
			require.EqualValues(t, 200000, p.Price)
			require.Contains(t, p.says(AskOwner, "owner", Change, FieldAmount, "2050").Message, "notice rule")
			p.says(AskOwner, "owner", Approve)
			require.Empty(t, p.Terms.From)

			p = begin()
			p.silence(policy.TextManagerLaw)
			p.ended(OutcomeLeftToManager)
		})
	}
	p := newPlay(t, lease("NV", "1"))
	p.priced(200000, 80, 20, "owner")
	p.at(Approving) // no increase needs no rule
}

// The rule depends on the increase: an owner who wants more may need a sign-off that the
// suggestion did not.
func TestAnOwnersRentMayNeedASignOff(t *testing.T) {
	t.Parallel()
	begin := func() *play {
		p := newPlay(t, lease("CA", "1"))
		p.priced(210000, 80, 20, "owner")
		p.says(AskOwner, "owner", Change, FieldAmount, "2240.00")
		p.at(Law)
		return p
	}
	p := begin()
	p.says(AskLaw, "grace", Confirm)
	p.at(Offered)
	require.EqualValues(t, 224000, p.Terms.Rent)
	require.Equal(t, "2027-06-01", p.Terms.From)

	p = begin()
	p.says(AskLaw, "grace", Decline)
	p.at(Approving)
	require.Nil(t, p.Approval, "the owner did not approve that rent")
	p.says(AskOwner, "owner", Approve)
	p.at(Offered)
	require.EqualValues(t, 200000, p.Terms.Rent)
}

func TestTheOwnerDecidesAboutTheRent(t *testing.T) {
	t.Parallel()
	t.Run("is reminded, and the manager decides then", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, lease("CA", "1"))
		p.priced(210000, 80, 20, "owner")
		p.sent()
		p.pass(day)
		require.Equal(t, 1, p.told(policy.TextOwnerApprove))
		p.pass(2 * day)
		require.Equal(t, 2, p.told(policy.TextOwnerApprove))
		p.pass(2 * day)
		require.Nil(t, p.Waiting(AskOwner))
		p.says(AskApprove, "grace", Change, FieldAmount, "2080")
		p.at(Offered)
		require.Equal(t, &Approval{By: "grace", Rent: 208000, At: p.now}, p.Approval)
	})
	t.Run("nobody decides", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, lease("CA", "1"))
		p.priced(210000, 80, 20, "owner")
		p.pass(5 * day)
		p.sent()
		p.pass(8 * day)
		p.ended(OutcomeLeftToManager)
		require.Equal(t, 1, p.told(policy.TextOwnerDone))
	})
	t.Run("declines", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, lease("CA", "1"))
		p.priced(210000, 80, 20, "owner", "owner2")
		require.True(t, p.says(AskOwner, "stranger", Approve).Late)
		p.says(AskOwner, "owner2", Decline)
		p.ended(OutcomeOwnerDeclined)
		require.Equal(t, 1, p.told(policy.TextManagerNotice))
		require.Zero(t, p.told(policy.TextRenewalOffer))
	})
	t.Run("amounts that cannot be taken", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, lease("OR", "1"))
		p.priced(210000, 80, 20, "owner")
		for amount, why := range map[string]string{
			"": "above zero", "0": "above zero", "-5": "above zero", "a lot": "above zero",
			"2200.01": "10% at most here: up to $2,200.00", "500": "less than half",
		} {
			p.sent()
			out := p.says(AskOwner, "owner", Change, FieldAmount, amount)
			require.Contains(t, out.Message, why, "%q", amount)
			require.Len(t, p.Tells, 1, "a new link for %q", amount)
			require.Equal(t, "owner", p.Tells[0].Person.ID)
			w, open := p.Asking(p.Tells[0].Step + "/owner")
			require.True(t, open)
			require.Equal(t, AskOwner, w.Purpose)
			p.at(Approving)
		}
		p.says(AskOwner, "owner", Change, FieldAmount, "2200.00")
		p.at(Offered)
		require.EqualValues(t, 220000, p.Terms.Rent)
	})
	t.Run("more than twice the rent is a slip", func(t *testing.T) {
		t.Parallel()
		p := newPlay(t, lease("CA", "1"))
		p.priced(210000, 80, 20, "owner")
		require.Contains(t, p.says(AskOwner, "owner", Change, FieldAmount, "21000").Message, "more than twice")
	})
}

func TestTheRentRisesNoSoonerThanTheNoticeAllows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state, on, from, increaseFrom string
	}{
		"in time":                     {state: "CA", on: "2027-05-02", from: "2027-06-01"},
		"a day late":                  {state: "CA", on: "2027-05-03", from: "2027-06-02"},
		"Oregon, late":                {state: "OR", on: "2027-04-01", from: "2027-06-30"},
		"RentVine knows a later day":  {state: "CA", on: "2027-03-03", from: "2027-07-01", increaseFrom: "2027-07-01"},
		"RentVine knows an early day": {state: "CA", on: "2027-03-03", from: "2027-06-01", increaseFrom: "2026-07-01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, lease(c.state, "1"))
			p.Lease.IncreaseFrom = c.increaseFrom
			p.now, _ = campaign.Day(c.on, 0, morning, p.Lease.Zone)
			p.priced(210000, 80, 20)
			p.sent()
			p.says(AskApprove, "grace", Approve)
			p.at(Offered)
			require.Equal(t, c.from, p.Terms.From)
			require.Equal(t, "2027-06-01", p.Terms.Start)
			late := 0
			if c.from != "2027-06-01" {
				late = 1
			}
			require.Equal(t, late, p.told(policy.TextManagerNotice), "the manager is told")
		})
	}
}

func TestTermsEndOnTheRightDay(t *testing.T) {
	t.Parallel()
	for end, c := range map[string]struct {
		months int
		want   string
	}{
		"2027-05-31": {12, "2028-05-31"}, "2027-02-28": {12, "2028-02-29"}, "2028-01-30": {13, "2029-02-27"}, "2027-08-14": {6, "2028-02-14"},
	} {
		l, r := lease("CA", "1"), rules()
		l.End, r.Renewal.Term = end, c.months
		terms, _, ok := New(l, r, time.Time{}).termsFor(l.Rent, "2027-01-01")
		require.True(t, ok)
		require.Equal(t, c.want, terms.End, end)
	}
}

func TestSilentTenantsAreChasedAndLeftToTheManager(t *testing.T) {
	t.Parallel()
	p := offered(t, "1", "2")
	var chased []string
	for p.Outcome == "" {
		next, why := p.Next(p.now)
		require.NotZero(t, next, why)
		p.pass(next.Sub(p.now))
		if p.told(policy.TextRenewalOffer) > 0 {
			chased = append(chased, activities.DayIn(p.now, p.Lease.Zone))
			p.sent()
		}
	}
	require.Equal(t, []string{"2027-04-01", "2027-04-16", "2027-05-01"}, chased)
	require.Equal(t, "2027-05-11", activities.DayIn(p.now, p.Lease.Zone))
	p.ended(OutcomeSilent)
	require.Equal(t, 1, p.told(policy.TextManagerNotice))
	require.Equal(t, 1, p.told(policy.TextOwnerDone))
	require.Zero(t, p.told(policy.TextRenewalDone))
}

func TestALateOfferGetsTimeToBeAnswered(t *testing.T) {
	t.Parallel()
	p := newPlay(t, lease("CA", "1"))
	p.now, _ = campaign.Day("2027-05-25", 0, morning, p.Lease.Zone)
	p.priced(200000, 80, 20)
	p.says(AskApprove, "grace", Approve)
	require.Equal(t, p.now.Add(2*day), p.asked(AskOffer).GiveUpAt)
	require.Empty(t, p.asked(AskOffer).RemindAt)
}

func TestADeclineEndsItForAll(t *testing.T) {
	t.Parallel()
	p := offered(t, "1", "2")
	require.True(t, p.says(AskOffer, "9", Decline).Late)
	p.says(AskOffer, "1", Decline)
	p.ended(OutcomeDeclined)
	require.Equal(t, 1, p.told(policy.TextRenewalWithdrawn), "the other tenant is told")
	require.Equal(t, 1, p.told(policy.TextManagerNotice))
	require.Equal(t, 1, p.told(policy.TextOwnerDone))

	p = offered(t, "1", "2")
	p.says(AskOffer, "1", Accept)
	p.says(AskSign, "1", Sign, FieldName, "Ann")
	p.says(AskSign, "2", Decline)
	p.ended(OutcomeDeclined)
	require.Equal(t, 1, p.told(policy.TextRenewalWithdrawn))
}

func TestACounterOfferGoesToTheManager(t *testing.T) {
	t.Parallel()
	counter := func(t *testing.T) *play {
		p := offered(t, "1", "2")
		for amount, why := range map[string]string{"": "write the rent", "0": "write the rent", "2100": "not less", "9999": "not less"} {
			require.Contains(t, p.says(AskOffer, "1", Counter, FieldAmount, amount).Message, why)
			p.at(Offered)
		}
		p.sent()
		p.says(AskOffer, "1", Counter, FieldAmount, "2050", FieldNote, "We\nlike it here")
		p.at(Countered)
		w := p.asked(AskCounter)
		require.EqualValues(t, 205000, w.Tell.Data.Amount)
		require.EqualValues(t, 205000, p.Tells[len(p.Tells)-1].Data.Amount)
		require.Contains(t, w.Tell.Ask.Details, activities.Detail{Label: "The tenant writes", Text: "We like it here"})
		return p
	}
	t.Run("agree", func(t *testing.T) {
		t.Parallel()
		p := counter(t)
		p.says(AskCounter, "grace", Agree)
		p.at(Signing)
		require.Equal(t, &Terms{Rent: 205000, From: "2027-06-01", Start: "2027-06-01", End: "2028-05-31", Months: 12}, p.Terms)
		require.Equal(t, &Approval{By: "grace", Rent: 205000, At: p.now}, p.Approval)
		require.EqualValues(t, 205000, p.asked(AskSign).Tell.Data.NewRent)
	})
	t.Run("stand", func(t *testing.T) {
		t.Parallel()
		p := offered(t, "1")
		old := p.asked(AskOffer)
		p.says(AskOffer, "1", Counter, FieldAmount, "2050")
		p.says(AskCounter, "grace", Stand)
		p.at(Offered)
		require.True(t, p.Heard(old, durable.Answer{Person: "1", Choice: Accept}, p.now).Late, "the first offer is closed")
		require.Equal(t, []string{Accept, Decline}, p.asked(AskOffer).Tell.Ask.Choices)
		require.Empty(t, p.asked(AskOffer).Tell.Ask.Fields)
		require.True(t, p.says(AskOffer, "1", Counter, FieldAmount, "2050").Late)
		p.says(AskOffer, "1", Accept)
		p.at(Signing)
		require.EqualValues(t, 210000, p.Terms.Rent)
	})
	t.Run("decline", func(t *testing.T) {
		t.Parallel()
		p := counter(t)
		p.says(AskCounter, "grace", Decline)
		p.ended(OutcomeNotAgreed)
		require.Equal(t, 2, p.told(policy.TextRenewalWithdrawn))
	})
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		p := counter(t)
		p.pass(8 * day)
		p.ended(OutcomeLeftToManager)
		require.Equal(t, 2, p.told(policy.TextRenewalWithdrawn))
	})
}

func TestNotAllSign(t *testing.T) {
	t.Parallel()
	p := offered(t, "1", "2")
	p.says(AskOffer, "1", Accept)
	require.Contains(t, p.says(AskSign, "1", Sign, FieldName, " ").Message, "full name")
	p.says(AskSign, "1", Sign, FieldName, "Ann")
	reminders := 0
	for range 4 {
		p.sent()
		p.pass(3 * day)
		reminders += p.told(policy.TextRenewalSign)
	}
	require.Equal(t, 3, reminders)
	p.ended(OutcomeUnsigned)
	require.Equal(t, 2, p.told(policy.TextRenewalWithdrawn))
	require.Equal(t, 1, p.told(policy.TextManagerNotice))
}

func TestWhatRentVineDidNotTakeIsTheManagers(t *testing.T) {
	t.Parallel()
	p := offered(t, "1")
	p.says(AskOffer, "1", Accept)
	p.says(AskSign, "1", Sign, FieldName, "Ann")
	p.sent()
	p.Written(false, []string{"the end is 2027-05-31 at RentVine, and 2028-05-31 was signed"}, p.now)
	p.ended(OutcomeRenewedUnwritten)
	require.Len(t, p.Tells, 1)
	require.Len(t, p.Tells[0].Data.Lines, 1)
}

func TestALeaseThatChangesBeforeTheOffer(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *play {
		p := newPlay(t, lease("CA", "1"))
		p.priced(210000, 80, 20, "owner")
		p.sent()
		return p
	}
	t.Run("another end", func(t *testing.T) {
		t.Parallel()
		p := begin(t)
		p.change(func(l *activities.LeaseView) { l.End = "2027-05-15" })
		p.at(Approving)
		require.Empty(t, p.Tells)
		p.says(AskOwner, "owner", Approve)
		require.Equal(t, "2027-05-16", p.Terms.Start)
	})
	t.Run("an end far ahead", func(t *testing.T) {
		t.Parallel()
		p := begin(t)
		p.change(func(l *activities.LeaseView) { l.End = "2028-05-31" })
		p.ended(OutcomeNotDue)
	})
	t.Run("another rent", func(t *testing.T) {
		t.Parallel()
		p := begin(t)
		p.change(func(l *activities.LeaseView) { l.Rent = 220000 })
		p.at(Pricing)
		require.Nil(t, p.Waiting(AskOwner))
		require.Equal(t, campaign.Task{Do: Assess, Key: "2"}, p.Todo(p.now))
	})
	t.Run("other tenants", func(t *testing.T) {
		t.Parallel()
		p := begin(t)
		p.change(func(l *activities.LeaseView) { l.Tenants = []activities.Person{tenant("5")} })
		p.says(AskOwner, "owner", Approve)
		require.Equal(t, []activities.Person{tenant("5")}, p.Offered)
	})
	t.Run("nothing that matters", func(t *testing.T) {
		t.Parallel()
		p := begin(t)
		p.change(func(l *activities.LeaseView) { l.StatusName, l.Tenants[0].Phone = "Active", "+15550100" })
		p.at(Approving)
	})
}

func TestALeaseThatChangesAfterTheOffer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*activities.LeaseView)
		outcome string
	}{
		"another end":      {func(l *activities.LeaseView) { l.End = "2027-05-15" }, ""},
		"an end far ahead": {func(l *activities.LeaseView) { l.End = "2028-05-31" }, OutcomeNotDue},
		"another rent":     {func(l *activities.LeaseView) { l.Rent = 220000 }, ""},
		"other tenants":    {func(l *activities.LeaseView) { l.Tenants = []activities.Person{tenant("1"), tenant("5")} }, ""},
		"no end":           {func(l *activities.LeaseView) { l.End = "" }, OutcomeCancelled},
		"notice":           {func(l *activities.LeaseView) { l.Notice = "2027-03-05" }, OutcomeCancelled},
		"closed":           {func(l *activities.LeaseView) { l.Closed = "2027-03-05" }, OutcomeCancelled},
		"month to month":   {func(l *activities.LeaseView) { l.MonthToMonth = true }, OutcomeCancelled},
	} {
		for stage, reach := range map[string]func(*play){
			Offered:   func(*play) {},
			Countered: func(p *play) { p.says(AskOffer, "1", Counter, FieldAmount, "2050") },
			Signing: func(p *play) {
				p.says(AskOffer, "1", Accept)
				p.says(AskSign, "2", Sign, FieldName, "Bob")
			},
		} {
			t.Run(name+" when "+stage, func(t *testing.T) {
				t.Parallel()
				p := offered(t, "1", "2")
				reach(p)
				p.sent()
				p.change(c.change)
				var withdrawn []string
				for _, tell := range p.Tells {
					if tell.Text == policy.TextRenewalWithdrawn {
						withdrawn = append(withdrawn, tell.Person.ID)
					}
				}
				require.Equal(t, []string{"1", "2"}, withdrawn, "those who were asked are told")
				if c.outcome != "" {
					p.ended(c.outcome)
					return
				}
				p.at(Pricing)
				require.Equal(t, 2, p.Attempt)
				require.Empty(t, p.Waits)
				require.Empty(t, p.Signatures)
				require.Nil(t, p.Approval)
			})
		}
	}
}

func TestAnOfferThatHasNotLeftNeedsNoWithdrawal(t *testing.T) {
	t.Parallel()
	p := newPlay(t, lease("CA", "1"))
	p.priced(210000, 80, 20)
	p.sent()
	p.says(AskApprove, "grace", Approve)
	require.Equal(t, 1, p.told(policy.TextRenewalOffer))
	p.Stop("stopped by an operator", p.now)
	p.ended(OutcomeCancelled)
	require.Zero(t, p.told(policy.TextRenewalOffer))
	require.Zero(t, p.told(policy.TextRenewalWithdrawn))
	require.Equal(t, 1, p.told(policy.TextManagerNotice))
}

func TestTenantsWhoLeaveWhileTheirRenewalIsWritten(t *testing.T) {
	t.Parallel()
	p := offered(t, "1")
	p.says(AskOffer, "1", Accept)
	p.says(AskSign, "1", Sign, FieldName, "Ann")
	p.sent()
	for range 2 {
		p.change(func(l *activities.LeaseView) { l.Notice = "2027-04-01" })
	}
	p.at(Writing)
	require.Equal(t, 1, p.told(policy.TextManagerNotice), "the manager is told once")
	p.Stop("stopped by an operator", p.now)
	p.ended(OutcomeCancelled)
	require.Equal(t, 1, p.told(policy.TextRenewalWithdrawn))
}

func TestALeaseThatKeepsChangingIsLeftToTheManager(t *testing.T) {
	t.Parallel()
	p := newPlay(t, lease("CA", "1"))
	for range maxAttempts {
		p.priced(0, 80, 20)
		p.change(func(l *activities.LeaseView) { l.Rent += 100 })
	}
	p.ended(OutcomeLeftToManager)
}

func TestLateAndForeignAnswersChangeNothing(t *testing.T) {
	t.Parallel()
	p := offered(t, "1")
	old := p.asked(AskOffer)
	require.True(t, p.says(AskOffer, "1", "nonsense").Late)
	p.says(AskOffer, "1", Accept)
	require.True(t, p.Heard(old, durable.Answer{Person: "1", Choice: Decline}, p.now).Late)
	p.at(Signing)
	require.True(t, p.Heard(campaign.Wait{Purpose: "weather"}, durable.Answer{}, p.now).Late)
	p.Stop("over", p.now)
	p.sent()
	p.Stop("over", p.now)
	p.unanswered(old, p.now)
	p.Counted(0, p.now)
	p.Written(true, nil, p.now)
	p.change(func(l *activities.LeaseView) { l.Rent = 1 })
	require.Empty(t, p.Tells)
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
