package activities

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
)

func (a *assessor) suggest(id string) comparables.Suggestion {
	a.t.Helper()
	out, err := a.acts.suggestRent(a.t.Context(), suggestInput(id))
	require.NoError(a.t, err)
	return out
}

func suggestInput(id string) SuggestRentInput {
	in := leaseInput(id)
	return SuggestRentInput{LeaseID: in.LeaseID, PropertyID: in.PropertyID, PortfolioID: in.PortfolioID, UnitID: in.UnitID}
}

// let makes a lease in force of a unit for a rent.
func (a *assessor) let(unit, rent string) string {
	a.t.Helper()
	id, _, err := a.box.PutLease(map[string]any{
		"unitID": unit, "rent": rent, "leaseStatusID": "2", "startDate": "2026-08-01", "moveInDate": "2026-08-01", "endDate": "2027-07-31",
	})
	require.NoError(a.t, err)
	return id
}

func TestTooFewLeasesAreTheUsualIncrease(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	pricing := a.acts.Policy.Leasing("2", "2").Renewal.Pricing
	out := a.suggest("3")
	require.Equal(t, policy.Cents(1850_00), out.Current)
	require.InDelta(t, int(1850_00+pricing.Usual.Of(1850_00)), int(out.Rent), float64(pricing.RoundTo))
	require.Len(t, out.Comparables, 2)
	require.Equal(t, "4", out.Comparables[0].LeaseID, "the unit of as many bedrooms")
	require.Equal(t, policy.Cents(1850_00), out.Comparables[0].Rent, "parking is no rent")
	require.Contains(t, out.Reason, "the usual increase")
	require.Empty(t, out.Notes)
	require.False(t, out.VacancyKnown, "three units say nothing of a market")
	require.Empty(t, a.posted())

	require.Empty(t, a.suggest("1").Comparables, "Portland is not Los Angeles")
}

func TestARentFromOtherLeases(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	for _, rent := range []string{"1890.00", "1895.00", "1900.00", "1905.00"} {
		a.let("3", rent)
	}
	out := a.suggest("3")
	require.Contains(t, out.Reason, "6 leases compare")
	require.Equal(t, policy.Cents(1895_00), out.Median)
	require.Equal(t, policy.Cents(1895_00), out.Rent)
	require.Greater(t, out.Confidence, 50)

	// What was read serves for the day.
	a.asked("")
	require.Equal(t, out, a.suggest("3"))
	require.Equal(t, 1, a.asked("/"), "only the lease itself is read again")
	_ = a.suggest("4")
	require.LessOrEqual(t, a.asked("/"), 1)
	a.let("4", "1900.00")
	require.Len(t, a.suggest("3").Comparables, 6)
	day := a.acts.Now().Add(24 * time.Hour)
	a.acts.Now = func() time.Time { return day }
	require.Len(t, a.suggest("3").Comparables, 7, "a day later it is read again")
}

func TestOnlySomeLeasesAreAskedForTheirRent(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	for n := range maxLookedUp + 10 {
		a.let("4", fmt.Sprintf("%d.00", 1800+n))
	}
	a.asked("")
	a.suggest("3")
	require.Equal(t, maxLookedUp+1, a.asked("/recurring-charges"), "the nearest, and its own")
}

func TestTheListsAreReadOnce(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	var wait sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		wait.Go(func() { errs <- a.acts.readMarket(t.Context()) })
	}
	wait.Wait()
	for range 8 {
		require.NoError(t, <-errs)
	}
	require.Equal(t, 1, a.asked("/properties/units/export"))
}

func TestARentThatIsNotKnownIsLeftToAPerson(t *testing.T) {
	t.Parallel()
	a := newAssessor(t)
	a.answering("/leases/3/recurring-charges", http.StatusForbidden)
	out := a.suggest("3")
	require.Zero(t, out.Rent)
	require.Equal(t, []string{"the rent: forbidden"}, out.Notes)
	require.Contains(t, out.Reason, "a person decides")

	a.acts.market = newMarket() // nothing is kept
	a.answering("/leases/4/recurring-charges", http.StatusForbidden)
	out = a.suggest("3")
	require.Len(t, out.Comparables, 1)
	require.Equal(t, []string{"the rent of lease 4: forbidden"}, out.Notes)

	a.answering("/leases/4/recurring-charges", http.StatusServiceUnavailable)
	_, err := a.acts.suggestRent(t.Context(), suggestInput("3"))
	require.Equal(t, string(partner.Unavailable), kindOf(t, err))

	b := newAssessor(t)
	b.answering("/leases/export?", http.StatusForbidden)
	out = b.suggest("3")
	require.Equal(t, []string{"the lease: forbidden", "comparable leases: forbidden"}, out.Notes)
	require.Contains(t, out.Reason, "the usual increase")
}

func TestRentIn(t *testing.T) {
	t.Parallel()
	charge := func(amount, from, to string, rent bool) rentvine.RecurringCharge {
		return rentvine.RecurringCharge{Amount: amount, StartDate: from, EndDate: to, IsRent: rent}
	}
	for _, c := range []struct {
		name    string
		charges []rentvine.RecurringCharge
		want    agreed
	}{
		{"none", nil, agreed{}},
		{"sum of those in force", []rentvine.RecurringCharge{
			charge("1800.00", "2026-06-01", "2027-05-31", true), charge("50", "2026-09-01", "", true), charge("75.00", "2026-06-01", "", false),
			charge("1700.00", "2025-06-01", "2026-05-31", true), charge("1900.00", "2027-06-01", "", true),
		}, agreed{1850_00, "2026-09-01"}},
		{"first and last day", []rentvine.RecurringCharge{charge("1800.00", "2026-11-22", "2026-11-22", true)}, agreed{1800_00, "2026-11-22"}},
		{"unreadable", []rentvine.RecurringCharge{charge("1800.00", "", "", true), charge("much", "", "", true)}, agreed{}},
	} {
		require.Equal(t, c.want, rentIn(c.charges, "2026-11-22"), c.name)
	}
}

func TestVacancyOfAPortfolio(t *testing.T) {
	t.Parallel()
	var units []rentvine.Unit
	let := map[string]bool{}
	for n := range 10 {
		id := fmt.Sprint(n)
		units = append(units, rentvine.Unit{ID: id, PropertyID: "1", IsActive: n > 0})
		let[id] = n < 8
	}
	units = append(units, rentvine.Unit{ID: "10", PropertyID: "2", IsActive: true}, rentvine.Unit{ID: "11", PropertyID: "3", IsActive: true})
	m := newMarket()
	m.stock = stockOf(units, map[string]string{"1": "7", "2": "8"}, let)
	percent, known := m.vacancy("7")
	require.True(t, known)
	require.Equal(t, 22, percent, "2 of 9 active ones")
	for _, portfolio := range []string{"8", "9", ""} {
		_, known = m.vacancy(portfolio)
		require.False(t, known, portfolio)
	}
}
