package activities

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/ownerfigures"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadProperty reads a property as RentVine has it now, its units, and who lives there as
// their leases were seen last, and keeps what it has seen. Where the leases were never
// looked through, OccupancyUnknown is set: ReadTenancies does that. It changes nothing at
// RentVine; an older look never replaces a newer one, so repeating it is harmless.
var ReadProperty = durable.Activity[string, PropertyView]{
	Name: "rentvine.read_property", Queue: QueueRentVine, Attempt: 30 * time.Second,
}

// maxPropertyUnits bounds the units of a view.
const maxPropertyUnits = 500

func (a *Activities) readProperty(ctx context.Context, id string) (PropertyView, error) {
	readAt, began := a.businessNow(), a.Now()
	raw, err := a.RentVine.Property(ctx, id)
	if partner.KindOf(err) == partner.NotFound {
		return PropertyView{ID: id, ReadAt: readAt}, toTemporal(ctx, a.losePlace(ctx, id, readAt))
	}
	if err != nil {
		return PropertyView{}, toTemporal(ctx, err)
	}
	units, err := a.RentVine.UnitsOf(ctx, id)
	if partner.KindOf(err) == partner.NotFound {
		// The property is there: this does not say that its units are not
		// (contracts/rentvine.md 4.12). If it has gone meanwhile, the next try sees it.
		return PropertyView{}, temporal.NewApplicationError(err.Error(), string(partner.NotFound))
	}
	if err != nil {
		return PropertyView{}, toTemporal(ctx, err)
	}
	looked, err := a.Store.Setting(ctx, ownerfigures.SettingTenanciesRead)
	if err != nil {
		return PropertyView{}, toTemporal(ctx, err)
	}
	tenancies, err := a.Store.Tenancies(ctx, store.PortfolioFilter{PropertyID: id})
	if err != nil {
		return PropertyView{}, toTemporal(ctx, err)
	}
	offered, err := a.Store.Listings(ctx, store.PortfolioFilter{PropertyID: id})
	if err != nil {
		return PropertyView{}, toTemporal(ctx, err)
	}
	view := a.propertyView(raw, readAt)
	view.OccupancyUnknown = looked == ""
	view.Units = unitViews(units, tenancies, offered, DayIn(readAt, view.Zone))
	if err := a.Store.SeePlace(ctx, placeOf(view)); err != nil {
		return PropertyView{}, toTemporal(ctx, err)
	}
	return view, a.knowsProperty(ctx, began, raw, units)
}

// propertyView is a property in the words of workflows, without its units.
func (a *Activities) propertyView(p rentvine.Property, readAt time.Time) PropertyView {
	view := PropertyView{
		ID: p.ID, PortfolioID: p.PortfolioID, Found: true, Active: p.IsActive, Name: p.Name,
		Address: p.Address, City: p.City, State: p.StateID, PostalCode: p.PostalCode,
		Latitude: p.Latitude, Longitude: p.Longitude, Located: p.Located, Doubtful: p.AddressDoubtful,
		ReadAt: readAt,
	}
	view.Zone = a.Policy.For(p.PortfolioID, p.ID).TimeZone
	if view.Zone == "" && p.Located {
		view.Zone = a.zones.at(p.Latitude, p.Longitude)
	}
	return view
}

// unitViews are the units in the order of their ids, at most 500, with who lives there on a
// day. A lease that names no unit is that of the only one; where there are more, it may be
// of any that has no other, so that none of those counts as empty.
func unitViews(units []rentvine.Unit, tenancies []store.Tenancy, offered []store.Listing, today string) []UnitView {
	views := make([]UnitView, 0, len(units))
	only := ""
	if len(units) == 1 {
		only = units[0].ID
	}
	of, anywhere := map[string][]store.Tenancy{}, []store.Tenancy(nil)
	for _, t := range tenancies {
		if unit := cmp.Or(t.UnitID, only); unit != "" {
			of[unit] = append(of[unit], t)
		} else {
			anywhere = append(anywhere, t)
		}
	}
	var unplaced UnitView
	occupy(&unplaced, anywhere, today)
	for _, u := range units {
		view := UnitView{
			ID: u.ID, Label: u.Label, Active: u.IsActive, Beds: u.Beds, BedsKnown: u.BedsKnown, Baths: u.FullBaths, Size: u.Size,
			Listed: slices.ContainsFunc(offered, func(l store.Listing) bool { return l.UnitID == u.ID }),
		}
		if rent, err := policy.ParseCents(u.Rent); err == nil && rent > 0 {
			view.Rent = rent
		}
		if occupy(&view, of[u.ID], today); view.LeaseID == "" && unplaced.LeaseID != "" {
			view.LeaseID, view.Pending, view.EmptySince = unplaced.LeaseID, unplaced.Pending, ""
		}
		views = append(views, view)
	}
	slices.SortFunc(views, func(x, y UnitView) int { return byID(x.ID, y.ID) })
	return views[:min(len(views), maxPropertyUnits)]
}

// occupy says who lives in a unit, by its own tenancies: the active lease whose tenants have
// not moved out, else the pending one, of several the one that began last. Where there is
// neither, the last tenancy's end says since when it is empty, at most since today.
func occupy(view *UnitView, tenancies []store.Tenancy, today string) {
	var active, pending, latest *store.Tenancy
	emptySince := ""
	for i := range tenancies {
		t := &tenancies[i]
		switch {
		case t.Holds(today):
			active = later(active, t)
		case LeaseStatus(t.Status) == LeasePending:
			pending = later(pending, t)
		case t.Began(today):
			emptySince = max(emptySince, min(t.Left(), today))
		}
		if t.Rent > 0 {
			latest = later(latest, t)
		}
	}
	switch {
	case active != nil:
		view.LeaseID = active.LeaseID
	case pending != nil:
		view.LeaseID, view.Pending = pending.LeaseID, true
	default:
		view.EmptySince = emptySince
	}
	if latest != nil {
		view.LastRent = policy.Cents(latest.Rent)
	}
}

// later is the tenancy that began later.
func later(x, y *store.Tenancy) *store.Tenancy {
	if x == nil || cmp.Or(cmp.Compare(y.Start, x.Start), byID(y.LeaseID, x.LeaseID)) > 0 {
		return y
	}
	return x
}

// byID orders ids that are numbers by their value.
func byID(x, y string) int {
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
}

func placeOf(v PropertyView) store.Place {
	p := store.Place{
		PropertyID: v.ID, PortfolioID: v.PortfolioID, Name: v.Name, Address: v.Address, City: v.City, State: v.State,
		ZipCode: v.PostalCode, Active: v.Active, SeenAt: v.ReadAt,
	}
	for _, u := range v.Units {
		unit := store.PlaceUnit{UnitID: u.ID, Label: u.Label, Active: u.Active, Beds: -1, Baths: u.Baths, Size: u.Size, Rent: int64(u.Rent)}
		if u.BedsKnown {
			unit.Beds = u.Beds
		}
		p.Units = append(p.Units, unit)
	}
	return p
}

// losePlace notes that a property that was known is no longer at RentVine.
func (a *Activities) losePlace(ctx context.Context, id string, at time.Time) error {
	place, err := a.Store.Place(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	place.Active, place.SeenAt = false, at
	return a.Store.SeePlace(ctx, place)
}
