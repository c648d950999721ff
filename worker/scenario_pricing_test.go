package worker_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// graceMail and omarMail are the manager and the escalation contact.
const (
	graceMail = "grace@example.com"
	omarMail  = "omar@example.com"
)

// pricing is a scenario about the rent of one unit, which stands empty and is offered for
// 1,900.00: comparable homes pay about 2,050.00.
type pricing struct {
	*books
	in portfolio.PricingInput
}

func newPricing(t *testing.T) *pricing {
	t.Helper()
	p := &pricing{books: newBooks(t), in: portfolio.PricingInput{
		UnitNow: portfolio.UnitNow{
			Property: activities.PropertyView{
				ID: "2", PortfolioID: "1", Found: true, Active: true, Address: "400 NW Alder Street", City: "Portland", State: "OR",
				PostalCode: "97209", Zone: "America/Los_Angeles",
			},
			Unit: activities.UnitView{ID: "3", Label: "Apt 3", Active: true, Beds: 2, BedsKnown: true, Baths: 1, Size: 850, Rent: 1900_00},
		},
		Why: "nobody applies", Vacancy: "vacancy/3",
	}}
	p.others["vacancy/3"], p.others["property/2"] = true, true
	p.market(2050_00)
	return p
}

// market has ten homes offered for a rent.
func (p *pricing) market(rent int64) {
	p.t.Helper()
	var rows []store.MarketRent
	for i := range 10 {
		rows = append(rows, store.MarketRent{
			Source: "zillow", Ref: string(rune('a' + i)), Day: "2026-11-20", ZipCode: "97209", City: "Portland", State: "OR", Beds: 2, Baths: 1, Size: 850, Rent: rent,
		})
	}
	_, err := p.store.AddMarketRents(context.Background(), rows)
	require.NoError(p.t, err)
}

// plays runs the pricing to its end.
func (p *pricing) plays(during func()) portfolio.PricingResult {
	p.t.Helper()
	require.NoError(p.t, p.execute(portfolio.PricingID("3"), portfolio.PricingName, p.in, during))
	var result portfolio.PricingResult
	require.NoError(p.t, p.env.GetWorkflowResult(&result))
	told := []string{"vacancy/3 price_settled", "property/2 child_ended"}
	if result.Rent > 0 {
		told = slices.Insert(told, 0, "property/2 price_settled")
	}
	require.Equal(p.t, told, p.signals, "each is told once")
	require.Empty(p.t, p.openBids(graceMail))
	require.Empty(p.t, p.openBids(omarMail))
	return result
}

// told are the signals that were sent up to now.
func (p *pricing) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.signals)
}

func (p *pricing) rent() string {
	p.t.Helper()
	unit, err := p.acts.RentVine.Unit(context.Background(), "2", "3")
	require.NoError(p.t, err)
	return unit.Rent
}

func (p *pricing) unitIs(change func(*portfolio.UnitNow)) {
	now := p.in.UnitNow
	change(&now)
	p.env.SignalWorkflow(portfolio.UnitChanged.Name, now)
}

func (p *pricing) shown() portfolio.PricingDescription {
	p.t.Helper()
	value, err := p.env.QueryWorkflow(portfolio.DescribePricing.Name)
	require.NoError(p.t, err)
	var d portfolio.PricingDescription
	require.NoError(p.t, value.Get(&d))
	return d
}

func TestARentIsAccepted(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	var told *updated
	result := p.plays(func() {
		p.at(time.Hour, func() {
			require.Equal(t, "asking", p.shown().Stage)
			require.Zero(t, strings.Count(p.rent(), "2050"), "nothing changes without an answer")
			said := p.said(graceMail, "price", "accept")
			told = command(p.scenario, durable.GiveAnswer, said)
			p.fact(said) // once more, another way
		})
	})
	require.Equal(t, portfolio.PricingResult{Outcome: portfolio.PricingChanged, Rent: 2050_00, Written: true}, result)
	require.Equal(t, "2050.00", p.rent())
	require.NoError(t, told.err)
	mails := p.mails(graceMail)
	require.Len(t, mails, 1)
	require.Contains(t, mails[0].Text, "400 NW Alder Street, Apt 3: $2,050.00 a month is suggested, $1,900.00 is asked now.")
	require.NotContains(t, mails[0].Text, "{link}")
	p.nothingTwice()
}

func TestAnotherRentAndNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		choice, rent string
		want         portfolio.PricingResult
	}{
		"another": {"other", "1999.00", portfolio.PricingResult{Outcome: portfolio.PricingChanged, Rent: 1999_00, Written: true}},
		"none":    {"keep", "", portfolio.PricingResult{Outcome: portfolio.PricingKept}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPricing(t)
			before := p.rent()
			require.Equal(t, c.want, p.plays(func() {
				p.at(time.Hour, func() {
					a := p.said(graceMail, "price", c.choice)
					a.Fields = map[string]string{"rent": c.rent}
					p.fact(a)
				})
			}))
			if c.rent != "" {
				before = c.rent
			}
			require.Equal(t, before, p.rent())
		})
	}
}

// The manager, two days apart, then the escalation contact, and then it is left.
func TestNobodyAnswersAboutARent(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	began := p.start
	require.Equal(t, portfolio.PricingUnanswered, p.plays(nil).Outcome)
	require.Equal(t, 4, p.questions(graceMail))
	require.Equal(t, 1, p.questions(omarMail))
	require.InDelta(t, 15*24, p.start.Sub(began).Hours(), 24)
}

func TestARentThatNeedsNoQuestion(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	p.in.Unit.Rent = 2045_00
	require.Equal(t, portfolio.PricingStays, p.plays(nil).Outcome)
	require.Empty(t, p.mails(graceMail))

	p = newPricing(t)
	where := &p.in.Property
	where.ID, where.City, where.State, where.PostalCode = "99", "Boise", "ID", "83701"
	require.NoError(t, p.execute(portfolio.PricingID("3"), portfolio.PricingName, p.in, nil))
	var result portfolio.PricingResult
	require.NoError(t, p.env.GetWorkflowResult(&result))
	require.Equal(t, portfolio.PricingNothing, result.Outcome)
	require.Equal(t, []string{"vacancy/3 price_settled"}, p.signals, "the property's workflow may have ended")
}

// RentVine's rent may be a placeholder: a price is compared with what the marketing asks.
func TestARentIsComparedWithWhatIsAsked(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	p.in.Unit.Rent, p.in.Asked = 1_00, 2045_00
	require.Equal(t, portfolio.PricingStays, p.plays(nil).Outcome)
	require.Equal(t, policy.Cents(2045_00), p.shown().Suggestion.Current)
}

// Where few homes compare, what was taken off once is not taken off again.
func TestDaysOnTheMarketTakeOffOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		priced time.Duration
		rent   policy.Cents
	}{
		"never priced":     {0, 1900_00 - 38_00},
		"priced meanwhile": {22 * 24 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPricing(t)
			where := &p.in.Property
			where.ID, where.City, where.State, where.PostalCode = "99", "Boise", "ID", "83701"
			p.in.ListedAt = p.start.Add(-23 * 24 * time.Hour)
			p.in.PricedAt = p.in.ListedAt.Add(c.priced)
			require.NoError(t, p.execute(portfolio.PricingID("3"), portfolio.PricingName, p.in, nil))
			require.InDelta(t, int64(c.rent), int64(p.shown().Suggestion.Rent), 10_00)
		})
	}
}

func TestAUnitIsLetWhileItsRentIsAsked(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	result := p.plays(func() {
		p.at(time.Hour, func() { require.Len(t, p.openBids(graceMail), 1) })
		p.at(2*time.Hour, func() { p.unitIs(func(n *portfolio.UnitNow) { n.Unit.LeaseID = "77" }) })
	})
	require.Equal(t, portfolio.PricingResult{Outcome: portfolio.PricingLet}, result)
	require.Len(t, p.mails(graceMail), 1)
}

// An answer to a suggestion that no longer holds decides nothing.
func TestARentChangesWhileItIsAsked(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	result := p.plays(func() {
		p.at(time.Hour, func() {
			old := p.said(graceMail, "price", "accept")
			p.market(2100_00)
			p.unitIs(func(n *portfolio.UnitNow) { n.Unit.Rent = 2300_00 })
			p.at(time.Hour, func() {
				p.fact(old)
				p.at(time.Hour, func() {
					require.Zero(t, p.shown().Rent)
					p.says(graceMail, "price", "accept")
				})
			})
		})
	})
	require.Equal(t, policy.Cents(2100_00), result.Rent)
	require.Contains(t, p.mails(graceMail)[1].Text, "$2,100.00 a month is suggested, $2,300.00 is asked now.")
}

// RentVine answers 200 and changes nothing: the vacancy goes by the decision, and the
// manager is told to enter it by hand.
func TestARentThatRentVineDoesNotKeep(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	var before []string
	p.rentvine.set(func(r *http.Request) []byte {
		if r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/units/3") {
			return nil
		}
		before = p.told()
		return []byte(`{"unit":{"unitID":"3","propertyID":"2"}}`)
	}, nil)
	result := p.plays(func() { p.at(time.Hour, func() { p.says(graceMail, "price", "accept") }) })
	require.Equal(t, []string{"property/2 price_settled"}, before, "RentVine tells the property of our own write")
	require.Equal(t, portfolio.PricingResult{Outcome: portfolio.PricingNotWritten, Rent: 2050_00}, result)
	mails := p.mails(graceMail)
	require.Len(t, mails, 2)
	require.Contains(t, mails[1].Text, "was decided to be $2,050.00, and RentVine does not hold it")
	require.NotEqual(t, "2050.00", p.rent())
}

func TestAPricingGoesOn(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	err := p.execute(portfolio.PricingID("3"), portfolio.PricingName, p.in, func() {
		p.at(30*time.Hour, func() {
			p.env.SetContinueAsNewSuggested(true)
			p.env.SignalWorkflow("nobody knows it", 1)
			p.unitIs(func(*portfolio.UnitNow) {})
		})
	})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &next)
	require.Empty(t, p.signals)
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &p.in))
	require.Equal(t, 1, p.in.State.Unusable)
	p.start = p.env.Now()
	result := p.plays(func() {
		p.at(time.Hour, func() { require.Len(t, p.mails(graceMail), 1, "not before it is due") })
		p.at(40*time.Hour, func() {
			require.Len(t, p.mails(graceMail), 2)
			p.says(graceMail, "price", "accept")
		})
	})
	require.Equal(t, portfolio.PricingChanged, result.Outcome)
}

func TestAPricingIsCancelled(t *testing.T) {
	t.Parallel()
	p := newPricing(t)
	err := p.execute(portfolio.PricingID("3"), portfolio.PricingName, p.in, func() { p.at(time.Hour, p.env.CancelWorkflow) })
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Equal(t, []string{"vacancy/3 price_settled", "property/2 child_ended"}, p.signals)
	require.Empty(t, p.openBids(graceMail))
	require.Equal(t, portfolio.PricingCancelled, p.shown().Stage)
}
