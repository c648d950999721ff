package activities

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/comparables"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// PriceUnit suggests the asking rent of a unit by the account's own active leases nearby
// and by imported market data, within the bounds of policy. At most 50 leases are asked
// for their rent, the nearest and most alike first; what was read is kept for the business
// day, so that a repeat goes on where it was. Reading has no effect. A Rent of 0 means that
// there is nothing to compare.
var PriceUnit = durable.Activity[PriceUnitInput, PriceSuggestion]{
	Name: "agents.price_unit", Queue: QueueRentVine, Attempt: 5 * time.Minute, Within: 12 * time.Hour,
}

// WriteUnitRent writes the asking rent of a unit to RentVine where it holds another, and
// reads it again, since a 200 may have changed nothing (contracts/rentvine.md 4.4). It is
// safe to repeat: the rent is set, not moved.
var WriteUnitRent = durable.Activity[WriteUnitRentInput, WrittenRent]{
	Name: "rentvine.write_unit_rent", Queue: QueueRentVine, Attempt: time.Minute, Within: 72 * time.Hour,
}

type (
	// PriceSuggestion is a suggested asking rent and how it came about.
	PriceSuggestion = comparables.Asking
	// PriceUnitInput is the unit. The property's list of units may be left out; the unit's
	// Rent is the present asking rent, and ListedDays for how long the home is offered, of
	// which PricedDays had passed when that rent was settled.
	PriceUnitInput struct {
		Property   PropertyView `json:"property"`
		Unit       UnitView     `json:"unit"`
		ListedDays int          `json:"listed_days,omitempty"`
		PricedDays int          `json:"priced_days,omitempty"`
	}
	// WriteUnitRentInput names the unit and its new rent, which must be above 0.
	WriteUnitRentInput struct {
		PropertyID string       `json:"property_id"`
		UnitID     string       `json:"unit_id"`
		Rent       policy.Cents `json:"rent"`
		// Was is what RentVine was known to hold when Rent was decided, 0 where that is not
		// known. A decision that knew of another rent is one about that: it is given as Was.
		Was policy.Cents `json:"was,omitempty"`
	}
	// WrittenRent tells whether RentVine holds the rent; Rent is what it holds, 0 for none.
	// Conflict is there where somebody had changed it meanwhile.
	WrittenRent struct {
		OK       bool         `json:"ok"`
		Rent     policy.Cents `json:"rent"`
		Conflict *Conflict    `json:"conflict,omitempty"`
	}
)

func (a *Activities) priceUnit(ctx context.Context, in PriceUnitInput) (PriceSuggestion, error) {
	out, err := a.price(ctx, in)
	if err == nil && out.Rent > 0 {
		decided(ctx, byPolicy, fmt.Sprintf("asking rent of unit %s: %s suggested, %d %% sure", in.Unit.ID, out.Rent, out.Confidence))
	}
	return out, toTemporal(ctx, err)
}

func (a *Activities) price(ctx context.Context, in PriceUnitInput) (PriceSuggestion, error) {
	g := gathering{a: a}
	p, u := in.Property, in.Unit
	rules := a.Policy.Portfolio(p.PortfolioID, p.ID).Pricing
	offer := comparables.Offer{
		LeaseID: u.LeaseID, Rent: u.Rent, AsOf: DayIn(a.businessNow(), p.Zone), ListedDays: in.ListedDays, PricedDays: in.PricedDays,
		Home: comparables.Home{
			PropertyID: p.ID, PostalCode: shortZip(p.PostalCode), City: p.City, State: p.State,
			Beds: u.Beds, BedsKnown: u.BedsKnown, Baths: u.Baths, Size: u.Size, Built: rules.Built,
		},
	}
	if err := g.missing(ctx, "our own leases", a.readMarket(ctx)); err != nil {
		return PriceSuggestion{}, err
	}
	list, err := a.ownRents(ctx, &g, p.PortfolioID, offer)
	if err != nil {
		return PriceSuggestion{}, err
	}
	seen, err := a.marketRents(ctx, offer, rules)
	if err != nil {
		return PriceSuggestion{}, err
	}
	out := comparables.SuggestAsking(offer, append(list, seen...), rules)
	out.Notes = g.notes
	return out, nil
}

// ownRents are what the nearest and most alike of the account's own leases pay. Those whose
// rent cannot be read are left out.
func (a *Activities) ownRents(ctx context.Context, g *gathering, portfolioID string, offer comparables.Offer) ([]comparables.Observed, error) {
	_, homes := a.market.home("")
	near := make([]comparables.Comparable, 0, len(homes))
	for _, c := range homes {
		c.PostalCode = shortZip(c.PostalCode)
		near = append(near, c)
	}
	var list []comparables.Observed
	for _, c := range comparables.Nearest(comparables.Subject{LeaseID: offer.LeaseID, Home: offer.Home, AsOf: offer.AsOf}, near, maxLookedUp) {
		found, err := a.rentAt(ctx, c.LeaseID, offer.AsOf)
		if err := g.missing(ctx, "the rent of lease "+c.LeaseID, err); err != nil {
			return nil, err
		}
		c.Built = offer.Built
		if c.PropertyID != offer.PropertyID {
			// Its portfolio is not known here, and the year is a property's.
			c.Built = a.Policy.Portfolio(portfolioID, c.PropertyID).Pricing.Built
		}
		list = append(list, comparables.Observed{
			Source: comparables.SourceLease, Ref: c.LeaseID, Rent: found.rent, Home: c.Home, Since: cmp.Or(found.since, c.Since),
		})
	}
	return list, nil
}

// marketRents is the imported market data of the offer's zip code that is fresh enough, and
// that of its city where the zip code has too little.
func (a *Activities) marketRents(ctx context.Context, offer comparables.Offer, rules policy.AskingPrice) ([]comparables.Observed, error) {
	if offer.State == "" {
		return nil, nil
	}
	since := a.businessNow().Add(-rules.MarketFresh).UTC().Format(time.DateOnly)
	state := strings.ToUpper(offer.State)
	rows, err := a.Store.MarketRents(ctx, state, offer.PostalCode, offer.City, since)
	if err != nil {
		return nil, err
	}
	if len(rows) < comparables.Enough {
		// Those of the zip code are among them, or are compared once all the same.
		more, err := a.Store.MarketRents(ctx, state, "", offer.City, since)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	list := make([]comparables.Observed, 0, len(rows))
	for _, r := range rows {
		list = append(list, comparables.Observed{
			Source: comparables.SourceMarket + r.Source, Ref: r.Ref, Rent: policy.Cents(r.Rent), Since: r.Day,
			Home: comparables.Home{
				PostalCode: shortZip(r.ZipCode), City: r.City, State: r.State,
				Beds: max(r.Beds, 0), BedsKnown: r.Beds >= 0, Baths: r.Baths, Size: r.Size, Built: r.Built,
			},
		})
	}
	return list, nil
}

// shortZip is a zip code without its four further digits.
func shortZip(code string) string {
	short, _, _ := strings.Cut(code, "-")
	return strings.TrimSpace(short)
}

func (a *Activities) writeUnitRent(ctx context.Context, in WriteUnitRentInput) (WrittenRent, error) {
	if in.Rent <= 0 {
		return WrittenRent{}, temporal.NewNonRetryableApplicationError("a rent must be above 0", string(partner.Invalid), nil)
	}
	unit, err := a.RentVine.Unit(ctx, in.PropertyID, in.UnitID)
	if err != nil {
		return WrittenRent{}, toTemporal(ctx, err)
	}
	held, _ := amountOf(unit.Rent)
	met := a.rentConflict(ctx, in, held)
	if met != nil && met.Outcome != ConflictOurs {
		return WrittenRent{Rent: held, Conflict: met}, nil
	}
	changes := held != in.Rent
	if changes {
		if unit, err = a.RentVine.UpdateUnitRent(ctx, in.PropertyID, in.UnitID, in.Rent.String()); err != nil {
			return WrittenRent{}, toTemporal(ctx, err)
		}
	}
	a.wroteAt(ctx, changes, "", writing(atRentVine, fmt.Sprintf("asking rent of unit %s: %s", in.UnitID, in.Rent)), in.UnitID)
	held, _ = amountOf(unit.Rent)
	if held == in.Rent {
		err = a.wrote(ctx, unitRecord+in.UnitID, picked(a.unitFields(unit), "rent"))
	}
	return WrittenRent{OK: held == in.Rent, Rent: held, Conflict: met}, err
}

// rentConflict is nil where nobody has set another rent since Rent was decided. A unit
// without a rent was set by nobody.
func (a *Activities) rentConflict(ctx context.Context, in WriteUnitRentInput, held policy.Cents) *Conflict {
	rule := a.Policy.ConflictRule(policy.FieldUnitRent)
	outcome, conflict := decide(rule, side{
		base: in.Was.String(), known: in.Was > 0 && held > 0, theirs: held.String(), ours: in.Rent.String(), oursAt: a.decidedAt(ctx),
	})
	if !conflict {
		return nil
	}
	c := Conflict{Field: policy.FieldUnitRent, Theirs: held.String(), Ours: in.Rent.String(), Rule: rule, Outcome: outcome}
	a.conflicted(ctx, unitRecord+in.UnitID, c)
	return &c
}
