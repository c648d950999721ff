package rentvine

import (
	"context"
	"regexp"
	"strconv"
	"time"

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
	// ContractBegins is YYYY-MM-DD, "" where unknown, and CreatedAt is read as UTC where
	// the wire gives no zone (1.6), zero where unknown.
	ContractBegins string
	CreatedAt      time.Time
	// OwnerContactIDs are those of its portfolio, which only the export has.
	OwnerContactIDs []string
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

// maxPropertyPages bounds a walk over the properties.
const maxPropertyPages = 1000

// EachProperty shows each property of the export, with its owners where the row names
// them (contracts/rentvine.md 2.1), from a page on, counting from 1, until each says
// stop. It tells which page a property is on, so that a walk that broke off goes on
// where it was. It walks at most 1,000 pages of 100 rows; more is partner.Invalid. A
// property that is added meanwhile may push another to the next page, which then comes
// twice. Errors are *partner.Error.
func (c *Client) EachProperty(ctx context.Context, fromPage int, each func(page int, p Property) (more bool)) error {
	return list[Property]{
		op: "export_properties", path: "/properties/export", from: exportedPropertyFrom,
		id: func(p Property) string { return p.ID }, most: maxPropertyPages, passes: true,
	}.eachFrom(ctx, c, fromPage, each)
}

func exportedPropertyFrom(r row) (Property, error) {
	p, err := propertyFrom(r)
	if err != nil {
		return Property{}, err
	}
	e, err := exportedFrom(r)
	p.PortfolioID, p.OwnerContactIDs = e.portfolio.ID, e.portfolio.OwnerContactIDs
	return p, err
}

func propertyFrom(r row) (Property, error) {
	var w struct {
		PropertyID            key            `json:"propertyID"`
		PortfolioID           key            `json:"portfolioID"`
		Name                  text           `json:"name"`
		Address               text           `json:"address"`
		City                  text           `json:"city"`
		StateID               text           `json:"stateID"`
		PostalCode            text           `json:"postalCode"`
		CountryID             text           `json:"countryID"`
		IsMultiUnit           flag           `json:"isMultiUnit"`
		IsActive              flag           `json:"isActive"`
		Latitude              text           `json:"latitude"`
		Longitude             text           `json:"longitude"`
		DateContractBegins    lenientDate    `json:"dateContractBegins"`
		DateTimeCreated       lenientInstant `json:"dateTimeCreated"`
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
		ContractBegins: string(w.DateContractBegins), CreatedAt: time.Time(w.DateTimeCreated),
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

// Unit is what is let (contracts/rentvine.md 2.2).
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
	// Rent is what is asked for it, a decimal such as "1850.00", "" where there is none or
	// it cannot be read. It is a placeholder, not what a tenant pays: that is the
	// recurring charges (4.13).
	Rent string
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

// EachUnit shows each unit of the export from a page on, counting from 1, until each says
// stop, and tells it which page one is on. It walks at most 1,000 pages of 100 rows; more
// is partner.Invalid. Errors are *partner.Error.
func (c *Client) EachUnit(ctx context.Context, fromPage int, each func(page int, u Unit) (more bool)) error {
	return list[Unit]{
		op: "export_units", path: "/properties/units/export", from: unitFrom, id: func(u Unit) string { return u.ID },
		most: maxPropertyPages, passes: true,
	}.eachFrom(ctx, c, fromPage, each)
}

// UnitsOf reads every unit of a property, up to 100 pages of 100 rows; more is
// partner.Invalid. Errors are *partner.Error.
func (c *Client) UnitsOf(ctx context.Context, propertyID string) ([]Unit, error) {
	const op = "list_units"
	if err := number(op, propertyID); err != nil {
		return nil, err
	}
	return list[Unit]{
		op: op, path: "/properties/" + propertyID + "/units", from: unitFrom, id: func(u Unit) string { return u.ID },
	}.all(ctx, c)
}

// UpdateUnitRent sets the rent that is asked for a unit, a decimal such as "1850.00", and
// nothing else, and returns the unit as it reads afterwards: RentVine may answer 200 and
// change nothing (contracts/rentvine.md 4.4), so the caller compares. Setting it twice does
// no harm. That units can be updated was seen (2.2); the path follows that of other
// records (1.4) and is not verified, so NotFound may mean that there is no such path.
// Errors are *partner.Error; one of the second read leaves the change done.
func (c *Client) UpdateUnitRent(ctx context.Context, propertyID, unitID, rent string) (Unit, error) {
	const op = "update_unit"
	if err := number(op, propertyID, unitID); err != nil {
		return Unit{}, err
	}
	if amount(rent) == "" {
		return Unit{}, &partner.Error{Op: "rentvine." + op, Kind: partner.Invalid, Message: "the rent is not a decimal such as 1850.00"}
	}
	b := bare(op)
	b.put("rent", rent)
	if err := b.send(ctx, c, "/properties/"+propertyID+"/units/"+unitID); err != nil {
		return Unit{}, err
	}
	return c.Unit(ctx, propertyID, unitID)
}

// decimal is an amount that is not negative.
var decimal = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,4})?$`)

// amount is a decimal that is not negative, "" where it is anything else.
func amount(s string) string {
	if !decimal.MatchString(s) {
		return ""
	}
	return s
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
		Rent       text         `json:"rent"`
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
		BedsKnown: w.Beds.n != nil && *w.Beds.n >= 0, Rent: amount(string(w.Rent)),
	}
	return u, nil
}
