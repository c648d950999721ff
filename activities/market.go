package activities

import (
	"context"
	"sync"
	"time"

	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
)

const (
	// maxHomes bounds how many leases are kept for comparison.
	maxHomes = 20_000
	// fewUnits are too few for their vacancy to say anything of a market.
	fewUnits = 5
)

// market is what the account's own leases say of rents, as this process has read it on
// a business day.
type market struct {
	// turn is held by whoever reads the lists, so that they are read once.
	turn chan struct{}

	mu  sync.Mutex
	day string
	// homes are the leases in force, without their rents.
	homes []comparables.Comparable
	units map[string]rentvine.Unit
	// stock counts active units, and those without a lease, by portfolio.
	stock map[string]stock
	// rents are by lease.
	rents map[string]agreed
}

// stock is how many units there are.
type stock struct{ units, empty int }

// agreed is a rent and since when it applies (YYYY-MM-DD).
type agreed struct {
	rent  policy.Cents
	since string
}

func newMarket() *market { return &market{turn: make(chan struct{}, 1)} }

// readMarket reads the account's leases and units where they were not read on this
// business day. Whoever waits for another's reading waits as long as its context allows.
func (a *Activities) readMarket(ctx context.Context) error {
	m, day := a.market, a.businessNow().UTC().Format(time.DateOnly)
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	m.mu.Lock()
	fresh := m.day == day
	m.mu.Unlock()
	if fresh {
		return nil
	}
	list, err := a.RentVine.Units(ctx)
	if err != nil {
		return err
	}
	units := make(map[string]rentvine.Unit, len(list))
	for _, u := range list {
		units[u.ID] = u
	}
	var homes []comparables.Comparable
	portfolios, let := map[string]string{}, map[string]bool{}
	statuses := []rentvine.PrimaryLeaseStatus{rentvine.LeasePending, rentvine.LeaseActive}
	err = a.RentVine.EachLease(ctx, time.Time{}, statuses, func(l rentvine.Lease) bool {
		portfolios[l.PropertyID], let[l.UnitID] = l.PortfolioID, true
		if l.PrimaryStatus == rentvine.LeaseActive {
			homes = append(homes, comparables.Comparable{LeaseID: l.ID, Home: homeOf(l, units[l.UnitID]), Since: l.StartDate})
		}
		return len(homes) < maxHomes
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.day, m.homes, m.units, m.rents = day, homes, units, map[string]agreed{}
	m.stock = stockOf(list, portfolios, let)
	return nil
}

// stockOf counts units. The portfolio of a property is known from its leases; a property
// without any is not counted.
func stockOf(units []rentvine.Unit, portfolios map[string]string, let map[string]bool) map[string]stock {
	counts := map[string]stock{}
	for _, u := range units {
		portfolio, known := portfolios[u.PropertyID]
		if !u.IsActive || !known {
			continue
		}
		s := counts[portfolio]
		s.units++
		if !let[u.ID] {
			s.empty++
		}
		counts[portfolio] = s
	}
	return counts
}

// homeOf is where and what a lease is of.
func homeOf(l rentvine.Lease, u rentvine.Unit) comparables.Home {
	return comparables.Home{
		PropertyID: l.PropertyID, PostalCode: l.PostalCode, City: l.City, State: l.StateID,
		Beds: u.Beds, BedsKnown: u.BedsKnown, Baths: u.FullBaths, Size: u.Size,
	}
}

// vacancy is how many percent of a portfolio's units stand empty; known is false where
// the market was not read, or the portfolio has too few.
func (m *market) vacancy(portfolioID string) (percent int, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stock[portfolioID]
	if s.units < fewUnits {
		return 0, false
	}
	return 100 * s.empty / s.units, true
}

// home is what is known of a unit, and all homes to compare it with.
func (m *market) home(unitID string) (unit rentvine.Unit, homes []comparables.Comparable) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.units[unitID], m.homes // never changed in place
}

// rentAt is what a lease pays a month in rent on a day, kept for the business day. It is
// zero where no charge of rent is in force.
func (a *Activities) rentAt(ctx context.Context, leaseID, day string) (agreed, error) {
	m := a.market
	m.mu.Lock()
	known, ok := m.rents[leaseID]
	m.mu.Unlock()
	if ok {
		return known, nil
	}
	charges, err := a.RentVine.RecurringCharges(ctx, leaseID)
	if err != nil {
		return agreed{}, err
	}
	found := rentIn(charges, day)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rents != nil && len(m.rents) < maxHomes {
		m.rents[leaseID] = found
	}
	return found, nil
}

// rentIn is the sum of the charges of rent that are in force on a day; since is when the
// last of them began. One with an amount that cannot be read makes it unknown: 0.
func rentIn(charges []rentvine.RecurringCharge, day string) agreed {
	var out agreed
	for _, c := range charges {
		if !c.IsRent || !inForce(c, day) {
			continue
		}
		amount, ok := amountOf(c.Amount)
		if !ok {
			return agreed{}
		}
		out.rent, out.since = out.rent+amount, max(out.since, c.StartDate)
	}
	return out
}
