package portfolio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// clashed is a pricing whose decided rent of 2,100.00 met 1,950.00 at RentVine.
func clashed(outcome activities.ConflictOutcome) *PricingState {
	s := priced(2100_00, 2000_00)
	s.decide(durable.Answer{Choice: priceAccept, Person: "grace"}, priceNow)
	s.met(activities.Conflict{Field: policy.FieldUnitRent, Theirs: "1950.00", Ours: "2100.00", Rule: policy.ConflictPerson, Outcome: outcome}, 1950_00, priceNow)
	return s
}

func TestAPersonSaysWhichRentHolds(t *testing.T) {
	t.Parallel()
	rules := priceRules()
	s := clashed(activities.ConflictAsks)
	require.Equal(t, priceAsk, s.todo(rules, priceNow))
	require.Equal(t, stageAsking, s.stage())
	s.asked(rules, priceNow)
	require.Equal(t, priceWait, s.todo(rules, priceNow), "nothing is written meanwhile")
	require.True(t, s.decide(durable.Answer{Choice: priceAccept, Step: "price/1/0"}, priceNow).Late, "the suggestion is settled")
	require.True(t, s.decide(durable.Answer{Choice: priceOther, Step: "conflict/1/0"}, priceNow).Late)

	ours := *s
	require.False(t, ours.decide(durable.Answer{Choice: priceOurs, Step: "conflict/1/0", Person: "omar"}, priceNow).Late)
	require.Equal(t, priceWrite, ours.todo(rules, priceNow))
	require.Equal(t, []policy.Cents{2100_00, 1950_00}, []policy.Cents{ours.Rent, ours.Was}, "written in the face of theirs")

	theirs := *s
	theirs.decide(durable.Answer{Choice: priceTheirs, Step: "conflict/1/0", Person: "omar"}, priceNow)
	require.Equal(t, PricingKept, theirs.Outcome)
	require.Equal(t, policy.Cents(1950_00), theirs.Rent)
	require.True(t, theirs.Kept)
	require.Equal(t, priceEnd, theirs.todo(rules, priceNow))

	silent := *s
	for now := priceNow; silent.Outcome == ""; now = now.Add(time.Hour) {
		switch silent.todo(rules, now) {
		case priceAsk:
			silent.asked(rules, now)
		case priceLeave:
			silent.unanswered(now)
		case priceWait:
		case priceSuggest, priceWrite, priceTell, priceEnd:
			t.Fatal("nothing else is done")
		}
	}
	require.Equal(t, PricingUnanswered, silent.Outcome)
	require.Equal(t, policy.Cents(1950_00), silent.Rent, "RentVine keeps its rent")

	left := *s
	left.off(priceNow)
	require.Equal(t, PricingOff, left.Outcome)
}

func TestARentMovesWhileAPersonIsAskedWhichHolds(t *testing.T) {
	t.Parallel()
	to := func(s *PricingState, change func(*UnitNow)) {
		now := s.Now
		change(&now)
		s.changed(now, s.Now, priceNow)
	}
	s := clashed(activities.ConflictAsks)
	to(s, func(n *UnitNow) { n.Unit.Rent = 1950_00 })
	require.Equal(t, 1, s.Clashes, "it is known")
	to(s, func(n *UnitNow) { n.Unit.Rent = 1975_00 })
	require.Equal(t, policy.Cents(1975_00), s.Theirs)
	require.True(t, s.decide(durable.Answer{Choice: priceOurs, Step: "conflict/1/0"}, priceNow).Late, "asked about another rent")
	to(s, func(n *UnitNow) { n.Unit.Rent = 2100_00 })
	require.Equal(t, PricingChanged, s.Outcome, "somebody has entered what was decided")
	require.True(t, s.Wrote)

	s = clashed(activities.ConflictAsks)
	to(s, func(n *UnitNow) { n.Unit.LeaseID = "77" })
	require.Equal(t, PricingLet, s.Outcome)
	require.Zero(t, s.Rent)
}

func TestTheirRentStaysByTheRule(t *testing.T) {
	t.Parallel()
	s := clashed(activities.ConflictTheirs)
	require.Equal(t, PricingNotWritten, s.Outcome)
	require.Equal(t, policy.Cents(1950_00), s.Rent)
	require.Equal(t, priceTell, s.todo(priceRules(), priceNow), "and the manager hears of it")

	s = clashed(activities.ConflictAsks)
	s.Theirs, s.Clashes = 0, priceRounds
	s.met(activities.Conflict{Outcome: activities.ConflictAsks}, 1950_00, priceNow)
	require.Equal(t, PricingNotWritten, s.Outcome, "it is not asked for ever")
}
