package rentvine

import (
	"context"
	"strconv"

	"github.com/aictive/keyholder/clients/partner"
)

// Property is a building or house (contracts/rentvine.md 2.1). RentVine has no
// time zone field.
type Property struct {
	ID, PortfolioID string
	Name            string
	Address         string
	City            string
	// StateID and CountryID are like "NV" and "US".
	StateID, PostalCode, CountryID string
	IsMultiUnit, IsActive          bool
	// Latitude and Longitude are degrees, geocoded by RentVine; Located tells
	// whether there are any.
	Latitude, Longitude float64
	Located             bool
	// AddressDoubtful tells that RentVine could not verify the address, so that the
	// position may be wrong.
	AddressDoubtful bool
}

// Property reads one property. Errors are *partner.Error.
func (c *Client) Property(ctx context.Context, id string) (Property, error) {
	const op = "get_property"
	var out Property
	if err := number(op, id); err != nil {
		return out, err
	}
	err := c.get(ctx, op, "/properties/"+id, nil, one(&out, propertyFrom))
	return out, err
}

func propertyFrom(r row) (Property, error) {
	var w struct {
		PropertyID            key  `json:"propertyID"`
		PortfolioID           key  `json:"portfolioID"`
		Name                  text `json:"name"`
		Address               text `json:"address"`
		City                  text `json:"city"`
		StateID               text `json:"stateID"`
		PostalCode            text `json:"postalCode"`
		CountryID             text `json:"countryID"`
		IsMultiUnit           flag `json:"isMultiUnit"`
		IsActive              flag `json:"isActive"`
		Latitude              text `json:"latitude"`
		Longitude             text `json:"longitude"`
		AddressValidationData *struct {
			IsValid *flag `json:"isValid"`
		} `json:"addressValidationData"`
	}
	if err := r.into("property", &w); err != nil {
		return Property{}, err
	}
	if w.PropertyID == "" {
		return Property{}, partner.ShapeError("a property without an id")
	}
	p := Property{
		ID: string(w.PropertyID), PortfolioID: string(w.PortfolioID), Name: string(w.Name), Address: string(w.Address),
		City: string(w.City), StateID: string(w.StateID), PostalCode: string(w.PostalCode), CountryID: string(w.CountryID),
		IsMultiUnit: bool(w.IsMultiUnit), IsActive: bool(w.IsActive),
	}
	if v := w.AddressValidationData; v != nil && v.IsValid != nil {
		p.AddressDoubtful = !bool(*v.IsValid)
	}
	p.Latitude, p.Longitude, p.Located = position(string(w.Latitude), string(w.Longitude))
	return p, nil
}

// position is false where there is none or it is not on this globe; 0,0 is a
// failed geocoding, not a house.
func position(lat, lon string) (float64, float64, bool) {
	y, err := strconv.ParseFloat(lat, 64)
	x, err2 := strconv.ParseFloat(lon, 64)
	onGlobe := y >= -90 && y <= 90 && x >= -180 && x <= 180
	if err != nil || err2 != nil || !onGlobe || y == 0 && x == 0 {
		return 0, 0, false
	}
	return y, x, true
}

// Unit is what is let (contracts/rentvine.md 2.2). It has no rent here: unit.rent
// is a placeholder (4.13).
type Unit struct {
	ID, PropertyID string
	Address        string
	// Label is the unit's own name within the building (address2), such as "Apt 3".
	Label               string
	City                string
	StateID, PostalCode string
	IsActive            bool
	// Beds is the number of bedrooms, 0 for a studio where BedsKnown, else not known.
	Beds      int
	BedsKnown bool
	// FullBaths is the number of bathrooms and Size the area in square feet; 0 where
	// RentVine does not say.
	FullBaths, Size int
}

// Unit reads one unit. Errors are *partner.Error.
func (c *Client) Unit(ctx context.Context, propertyID, unitID string) (Unit, error) {
	const op = "get_unit"
	var out Unit
	if err := number(op, propertyID, unitID); err != nil {
		return out, err
	}
	err := c.get(ctx, op, "/properties/"+propertyID+"/units/"+unitID, nil, one(&out, unitFrom))
	return out, err
}

// Units reads every unit with its beds, baths and size by the export of units
// (contracts/rentvine.md 2.2), up to 100 pages of 100 rows; more is partner.Invalid.
// Errors are *partner.Error.
func (c *Client) Units(ctx context.Context) ([]Unit, error) {
	return list[Unit]{
		op: "export_units", path: "/properties/units/export", from: unitFrom, id: func(u Unit) string { return u.ID },
	}.all(ctx, c)
}

func unitFrom(r row) (Unit, error) {
	var w struct {
		UnitID     key          `json:"unitID"`
		PropertyID key          `json:"propertyID"`
		Address    text         `json:"address"`
		Address2   text         `json:"address2"`
		City       text         `json:"city"`
		StateID    text         `json:"stateID"`
		PostalCode text         `json:"postalCode"`
		IsActive   flag         `json:"isActive"`
		Beds       lenientWhole `json:"beds"`
		FullBaths  lenientWhole `json:"fullBaths"`
		Size       lenientWhole `json:"size"`
	}
	if err := r.into("unit", &w); err != nil {
		return Unit{}, err
	}
	if w.UnitID == "" {
		return Unit{}, partner.ShapeError("a unit without an id")
	}
	u := Unit{
		ID: string(w.UnitID), PropertyID: string(w.PropertyID), Address: string(w.Address), Label: string(w.Address2),
		City: string(w.City), StateID: string(w.StateID), PostalCode: string(w.PostalCode), IsActive: bool(w.IsActive),
		FullBaths: w.FullBaths.positive(), Size: w.Size.positive(), Beds: w.Beds.positive(),
		BedsKnown: w.Beds.n != nil && *w.Beds.n >= 0,
	}
	return u, nil
}
