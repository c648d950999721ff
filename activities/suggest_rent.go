package activities

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/workflows/durable"
)

// SuggestRent suggests the rent of a renewed lease by those of the account's own active
// leases nearby, within the limits of policy and of the state's cap as policy knows it.
// At most 50 leases are asked for their rent, the nearest and most alike first; what was
// read is kept for the business day, so that a repeat goes on where it was. Reading has
// no effect. Fewer than three comparables are the policy's usual increase, with little
// confidence; a Rent of 0 means that a person has to decide.
var SuggestRent = durable.Activity[SuggestRentInput, comparables.Suggestion]{
	Name: "agents.suggest_rent", Queue: QueueRentVine, Attempt: 5 * time.Minute, Within: 12 * time.Hour,
}

// SuggestRentInput names the lease and its place.
type SuggestRentInput struct {
	LeaseID     string `json:"lease_id"`
	PropertyID  string `json:"property_id"`
	PortfolioID string `json:"portfolio_id"`
	UnitID      string `json:"unit_id"`
}

// maxLookedUp is how many leases are asked for their rent.
const maxLookedUp = 50

func (a *Activities) suggestRent(ctx context.Context, in SuggestRentInput) (comparables.Suggestion, error) {
	out, err := a.suggest(ctx, in)
	if err == nil && out.Rent > 0 {
		decided(ctx, byPolicy, fmt.Sprintf("rent of lease %s: %s suggested, %d %% sure", in.LeaseID, out.Rent, out.Confidence), "lease/"+in.LeaseID)
	}
	return out, toTemporal(ctx, err)
}

func (a *Activities) suggest(ctx context.Context, in SuggestRentInput) (comparables.Suggestion, error) {
	g := gathering{a: a}
	rules := a.Policy.Leasing(in.PortfolioID, in.PropertyID)
	lease, err := a.RentVine.LeaseWithTenants(ctx, in.LeaseID)
	if err := g.missing(ctx, "the lease", err); err != nil {
		return comparables.Suggestion{}, err
	}
	if err := g.missing(ctx, "comparable leases", a.readMarket(ctx)); err != nil {
		return comparables.Suggestion{}, err
	}
	today := a.leaseDay(rules, lease)
	unit, homes := a.market.home(cmp.Or(lease.UnitID, in.UnitID))
	subject := comparables.Subject{LeaseID: in.LeaseID, Home: homeOf(lease, unit), AsOf: today}
	subject.PropertyID = cmp.Or(subject.PropertyID, in.PropertyID)
	// The rent of a lease that has not begun is that of its first day.
	own, err := a.rentAt(ctx, in.LeaseID, max(today, lease.StartDate))
	if err := g.missing(ctx, "the rent", err); err != nil {
		return comparables.Suggestion{}, err
	}
	subject.Rent = own.rent
	var list []comparables.Comparable
	for _, c := range comparables.Nearest(subject, homes, maxLookedUp) {
		found, err := a.rentAt(ctx, c.LeaseID, today)
		if err := g.missing(ctx, "the rent of lease "+c.LeaseID, err); err != nil {
			return comparables.Suggestion{}, err
		}
		c.Rent, c.Since = found.rent, cmp.Or(found.since, c.Since)
		list = append(list, c)
	}
	out := comparables.Suggest(subject, list, comparables.LimitsOf(rules.Renewal, subject.State))
	out.VacancyPercent, out.VacancyKnown = a.market.vacancy(cmp.Or(lease.PortfolioID, in.PortfolioID))
	out.Notes = g.notes
	return out, nil
}
