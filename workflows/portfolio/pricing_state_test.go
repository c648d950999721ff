package portfolio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

var priceNow = time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)

func priceRules() policy.Portfolio {
	return policy.Portfolio{
		Manager: policy.Person{ID: "grace"}, Escalation: policy.Person{ID: "omar"},
		Questions: policy.PortfolioQuestions{RemindAfter: 48 * time.Hour, Times: 2}, Pricing: policy.AskingPrice{AskFrom: 10},
	}
}

func emptyUnit() UnitNow {
	return UnitNow{
		Property: activities.PropertyView{ID: "1", Found: true, Active: true},
		Unit:     activities.UnitView{ID: "7", Active: true, Beds: 2, BedsKnown: true, Rent: 2000_00},
	}
}

func priced(rent, current policy.Cents) *PricingState {
	s := &PricingState{Now: emptyUnit()}
	s.suggested(activities.PriceSuggestion{Rent: rent, Current: current}, priceRules(), priceNow)
	return s
}

func TestWhetherAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rent, current policy.Cents
		outcome       string
	}{
		{0, 2000_00, PricingNothing},
		{0, 0, PricingNothing},
		{2000_00, 2000_00, PricingStays},
		{2019_99, 2000_00, PricingStays},
		{1980_01, 2000_00, PricingStays},
		{2020_00, 2000_00, ""},
		{1980_00, 2000_00, ""},
		{2000_00, 0, ""},
	} {
		s := priced(c.rent, c.current)
		require.Equal(t, c.outcome, s.Outcome, "%s after %s", c.rent, c.current)
		want := priceAsk
		if c.outcome != "" {
			want = priceEnd
		}
		require.Equal(t, want, s.todo(priceRules(), priceNow))
	}
	never := priceRules()
	never.Pricing.AskFrom = 0
	s := &PricingState{Now: emptyUnit()}
	s.suggested(activities.PriceSuggestion{Rent: 2000_00, Current: 2000_00}, never, priceNow)
	require.Equal(t, PricingStays, s.Outcome, "there is nothing to decide")
}

// The manager, two reminders, the escalation contact, and then nobody.
func TestWhoIsAskedWhen(t *testing.T) {
	t.Parallel()
	rules, s, now := priceRules(), priced(2100_00, 2000_00), priceNow
	require.Equal(t, "suggesting", (&PricingState{}).stage())
	for i, who := range []string{"grace", "grace", "grace", "omar"} {
		require.Equal(t, priceAsk, s.todo(rules, now), i)
		require.Equal(t, who, s.asks(rules).ID)
		s.asked(rules, now)
		require.Equal(t, stageAsking, s.stage())
		at, why := s.next()
		require.Equal(t, "ask again", why)
		require.Equal(t, priceWait, s.todo(rules, at.Add(-time.Second)), i)
		now = at
	}
	require.Equal(t, priceLeave, s.todo(rules, now))
	require.Equal(t, priceNow.Add(3*48*time.Hour+priceLeaveAfter), now)
}

func TestAnswersToASuggestion(t *testing.T) {
	t.Parallel()
	say := func(s *PricingState, choice, rent string) durable.Outcome {
		return s.answer(durable.Answer{ID: choice + rent, Step: "price/1/0", Person: "grace", Choice: choice, Fields: map[string]string{priceField: rent}}, priceNow)
	}
	for _, c := range []struct {
		choice, rent string
		late         bool
		want         policy.Cents
		outcome      string
		step         pricingStep
	}{
		{priceAccept, "", false, 2100_00, "", priceWrite},
		{priceAccept, "1.00", false, 2100_00, "", priceWrite},
		{priceOther, "2050.00", false, 2050_00, "", priceWrite},
		{priceOther, "", true, 0, "", priceAsk},
		{priceOther, "0", true, 0, "", priceAsk},
		{priceOther, "-5", true, 0, "", priceAsk},
		{priceOther, "100000.01", true, 0, "", priceAsk},
		{priceKeep, "", false, 0, PricingKept, priceEnd},
		{"maybe", "", true, 0, "", priceAsk},
	} {
		s := priced(2100_00, 2000_00)
		o := say(s, c.choice, c.rent)
		require.Equal(t, c.late, o.Late, "%s %s", c.choice, c.rent)
		require.Equal(t, []any{c.want, c.outcome, c.step}, []any{s.Rent, s.Outcome, s.todo(priceRules(), priceNow)}, "%s %s", c.choice, c.rent)
		require.Equal(t, o, say(s, c.choice, c.rent), "the same answer again is told the same")
		if !c.late {
			require.True(t, say(s, priceOther, "1.11").Late, "it is settled")
			require.Equal(t, c.want, s.Rent)
		}
	}

	s := priced(2100_00, 2000_00)
	now := emptyUnit()
	now.Unit.Rent = 1900_00
	s.changed(now, emptyUnit(), priceNow)
	require.True(t, say(s, priceAccept, "").Late, "no suggestion holds")
	s.suggested(activities.PriceSuggestion{Rent: 2050_00, Current: 1900_00}, priceRules(), priceNow)
	require.True(t, say(s, priceAccept, "again").Late, "that was another suggestion")
	require.Zero(t, s.Rent)
	require.False(t, s.answer(durable.Answer{ID: "operator", Person: "operator", Choice: priceAccept}, priceNow).Late)
	require.Equal(t, policy.Cents(2050_00), s.Rent)
	for i := range 100 {
		s.answer(durable.Answer{ID: string(rune('a' + i))}, priceNow)
	}
	require.Len(t, s.Answered, priceAnswers)
}

func TestAUnitChangesWhileItIsPriced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*UnitNow)
		outcome string
		again   bool
	}{
		"nothing":            {func(*UnitNow) {}, "", false},
		"its name":           {func(n *UnitNow) { n.Unit.Label = "B" }, "", false},
		"the rent":           {func(n *UnitNow) { n.Unit.Rent = 1900_00 }, "", true},
		"no rent any more":   {func(n *UnitNow) { n.Unit.Rent = 0 }, "", false},
		"the bedrooms":       {func(n *UnitNow) { n.Unit.Beds = 3 }, "", true},
		"let":                {func(n *UnitNow) { n.Unit.LeaseID = "12" }, PricingLet, false},
		"the lease as begun": {func(n *UnitNow) { n.Unit.LeaseID = "9" }, "", false},
		"inactive":           {func(n *UnitNow) { n.Unit.Active = false }, PricingLet, false},
		"property inactive":  {func(n *UnitNow) { n.Property.Active = false }, PricingLet, false},
		"property gone":      {func(n *UnitNow) { n.Property.Found = false }, PricingLet, false},
		"another unit":       {func(n *UnitNow) { n.Unit.ID, n.Unit.Active = "8", false }, "", false},
	} {
		began := emptyUnit()
		began.Unit.LeaseID = "9"
		to := emptyUnit()
		c.change(&to)
		s := priced(2100_00, 2000_00)
		s.changed(to, began, priceNow)
		require.Equal(t, c.outcome, s.Outcome, name)
		require.Equal(t, c.again, s.Suggestion == nil, name)
		require.NotZero(t, s.Now.Unit.Rent, name)

		marketed := priced(2100_00, 1700_00)
		marketed.Asks = 1700_00
		marketed.changed(to, began, priceNow)
		require.Equal(t, to.Unit.Rent == 1900_00, marketed.Asks == 0, "%s: what is asked stands until RentVine shows another", name)

		decided := priced(2100_00, 2000_00)
		decided.Rent = 2100_00
		decided.changed(to, began, priceNow)
		require.Equal(t, priceWrite, decided.todo(priceRules(), priceNow), "%s: what was decided is written", name)
	}
	s := priced(2100_00, 2000_00)
	for i := range 100 {
		to := emptyUnit()
		to.Unit.Rent = policy.Cents(1000_00 + i)
		s.changed(to, emptyUnit(), priceNow)
		if s.Suggestion == nil {
			s.suggested(activities.PriceSuggestion{Rent: 2100_00, Current: to.Unit.Rent}, priceRules(), priceNow)
		}
	}
	require.Equal(t, priceRounds, s.Round)
	require.LessOrEqual(t, len(s.Timeline), priceNotes)
}

func TestASuggestionThatCannotBeHad(t *testing.T) {
	t.Parallel()
	s := &PricingState{Now: emptyUnit()}
	now := priceNow
	for range priceUnreadTimes {
		require.Equal(t, priceSuggest, s.todo(priceRules(), now))
		s.unread("unavailable", now)
		if s.Outcome == "" {
			require.Equal(t, priceWait, s.todo(priceRules(), now))
			now, _ = s.next()
		}
	}
	require.Equal(t, PricingUnread, s.Outcome)
}

func TestARentThatRentVineDoesNotHold(t *testing.T) {
	t.Parallel()
	s := priced(2100_00, 2000_00)
	s.Rent = 2100_00
	require.Equal(t, "writing", s.stage())
	s.wrote(false, "it holds 2000.00", priceNow)
	require.Equal(t, PricingNotWritten, s.stage())
	require.Equal(t, priceTell, s.todo(priceRules(), priceNow))
	s.TellAt = priceNow.Add(time.Hour)
	require.Equal(t, priceWait, s.todo(priceRules(), priceNow))
	s.Untold = false
	require.Equal(t, priceEnd, s.todo(priceRules(), priceNow))

	s = priced(2100_00, 2000_00)
	s.Rent = 2100_00
	s.wrote(true, "", priceNow)
	require.Equal(t, []any{PricingChanged, true, priceEnd}, []any{s.Outcome, s.Wrote, s.todo(priceRules(), priceNow)})
}
