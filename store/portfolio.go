package store

import (
	"context"
	"time"
)

// A Place is a property of RentVine as it was last seen, with its units.
type Place struct {
	PropertyID, PortfolioID             string
	Name, Address, City, State, ZipCode string
	Active                              bool
	Units                               []PlaceUnit
	// SeenAt is business time.
	SeenAt time.Time
}

// A PlaceUnit is a unit of a place. Rent is the asking rent in cents, 0 for none.
type PlaceUnit struct {
	UnitID, Label string
	Active        bool
	Beds          int // -1 where unknown
	Baths, Size   int
	Rent          int64
}

// A Tenancy is a lease as it was last seen, without its tenants. Days are YYYY-MM-DD, ""
// for none.
type Tenancy struct {
	// UnitID is "" where the lease names none.
	LeaseID, UnitID, PropertyID, PortfolioID string
	// Status is "pending", "active" or "closed".
	Status                      string
	Start, End, Notice, MoveOut string
	// Rent is a month's, in cents, 0 where nobody knows.
	Rent int64
	// SeenAt is business time.
	SeenAt time.Time
}

// Left is the day on which its tenants moved out, or will: an active lease holds its home
// until they do, whatever its end says. "" where nobody knows of any.
func (t Tenancy) Left() string {
	if t.Status == "active" || t.MoveOut != "" {
		return t.MoveOut
	}
	return t.End
}

// Holds tells whether an active lease holds its home on a day, that of the move-out
// included.
func (t Tenancy) Holds(day string) bool {
	return t.Status == "active" && (t.MoveOut == "" || t.MoveOut >= day)
}

// Began tells whether anybody can have lived there until a day: a lease that was closed
// before it began held nothing.
func (t Tenancy) Began(day string) bool {
	return t.Start <= day && (t.Left() == "" || t.Start <= t.Left())
}

// A Listing is a home as it is offered. Rent is in cents a month, Available YYYY-MM-DD.
type Listing struct {
	UnitID, PropertyID, PortfolioID              string
	Address, UnitLabel, City, State, ZipCode     string
	Latitude, Longitude                          float64
	Located                                      bool
	Beds                                         int // -1 where unknown
	Baths, Size                                  int
	Rent                                         int64
	Currency, Available, Headline, Text, Contact string
	// WorkflowID takes its leads.
	WorkflowID string
	// PublishedAt and ChangedAt are business time.
	PublishedAt, ChangedAt time.Time
}

// A Letting is how the marketing of an empty home ended. Amounts are cents, times
// business time.
type Letting struct {
	// Key names it for ever: workflow id and run.
	Key                             string
	UnitID, PropertyID, PortfolioID string
	// Outcome is "let" or "withdrawn".
	Outcome                       string
	EmptyAt, ListedAt, EndedAt    time.Time
	Leads, Showings, Applications int
	// FirstReply is the mean time until a prospect had an answer, in real time.
	FirstReply time.Duration
	// Cost is what the sources cost, Lost the rent that the empty days would have brought.
	Cost, Lost int64
	// Source is where the tenant came from, "" where nobody knows; Sources count leads.
	Source  string
	Sources map[string]int
}

// A ComplianceItem is one requirement of a property or unit as it stands.
type ComplianceItem struct {
	// Key is the workflow's id.
	Key                             string
	PropertyID, UnitID, PortfolioID string
	RequirementID, Name, Kind       string
	// State is "unknown", "valid", "due" or "overdue"; "dropped" where nobody watches over it.
	State string
	// Due is the day on which it must be renewed, Renewed the last on which it was;
	// YYYY-MM-DD, "" where unknown.
	Due, Renewed string
	ChangedAt    time.Time
}

// A MarketRent is one row of market data. Rent is in cents a month.
type MarketRent struct {
	// Source and Ref name it; Day is that of the observation, YYYY-MM-DD.
	Source, Ref, Day     string
	ZipCode, City, State string
	Beds                 int // -1 where unknown
	Baths, Size, Built   int // 0 where unknown
	Rent                 int64
}

// A Repair is a work order that has come to its end, for figures. Times are business time,
// zero where it did not happen; Cost is in cents.
type Repair struct {
	WorkOrderID                     string
	PropertyID, UnitID, PortfolioID string
	Emergency                       bool
	// What is the trade or category, never free text.
	What                                       string
	OpenedAt, AcknowledgedAt, OnSiteAt, DoneAt time.Time
	Cost                                       int64
	// Rating is from 1 to 5, 0 for none.
	Rating int
	// Fixed tells whether the first visit did it, nil where nobody knows.
	Fixed *bool
}

// An OpenRequest is a work order that is open at RentVine.
type OpenRequest struct {
	WorkOrderID, Number             string
	PropertyID, UnitID, PortfolioID string
	Status                          string
	OpenedAt                        time.Time
}

// A PortfolioFilter bounds a look; "" and zero do not bound. Most is at most 10,000, which
// 0 means too. Rows come in the order of their ids.
type PortfolioFilter struct {
	PortfolioID, PropertyID, UnitID string
	// From and To are the business times between which it ended, To excluded.
	From, To time.Time
	// After is the id after which the list goes on.
	After string
	Most  int
}

// Portfolio is what is known of homes across workflows.
type Portfolio interface {
	// SeePlace keeps a property as it was seen, in place of what was known; an earlier
	// SeenAt changes nothing.
	SeePlace(ctx context.Context, p Place) error
	// Place returns one, or ErrNotFound.
	Place(ctx context.Context, propertyID string) (Place, error)
	Places(ctx context.Context, f PortfolioFilter) ([]Place, error)
	// Portfolios lists the ids of portfolios with an active place after an id, at most most.
	Portfolios(ctx context.Context, after string, most int) ([]string, error)

	// SeeTenancy keeps a lease as it was seen, and tells whether the occupancy of its unit
	// changed: another status or other days. An earlier SeenAt changes nothing, and a rent of
	// 0 leaves the one that is known.
	SeeTenancy(ctx context.Context, t Tenancy) (changed bool, err error)
	// Tenancies lists leases; After is a lease's id.
	Tenancies(ctx context.Context, f PortfolioFilter) ([]Tenancy, error)

	// HandedOn tells whether a workflow was told of something, such as "property/7", as this
	// digest says it, since a real time. HandOn notes that it was.
	HandedOn(ctx context.Context, about, digest string, since time.Time) (bool, error)
	HandOn(ctx context.Context, about, digest string, at time.Time) error

	// Publish keeps a listing; Listing returns it, or ErrNotFound; Listings lists those that
	// are published; Withdraw ends it, and repeating that is harmless.
	Publish(ctx context.Context, l Listing) error
	Listing(ctx context.Context, unitID string) (Listing, error)
	Listings(ctx context.Context, f PortfolioFilter) ([]Listing, error)
	Withdraw(ctx context.Context, unitID string) error

	// RecordLetting notes how a campaign ended; the same key again replaces it.
	RecordLetting(ctx context.Context, l Letting) error
	Lettings(ctx context.Context, f PortfolioFilter) ([]Letting, error)

	// KeepCompliance keeps an item as it stands. DropCompliance sets it aside: it is not
	// listed any more, and Compliance still returns it, for when it is wanted again;
	// ErrNotFound where there never was one.
	KeepCompliance(ctx context.Context, c ComplianceItem) error
	DropCompliance(ctx context.Context, key string) error
	Compliance(ctx context.Context, key string) (ComplianceItem, error)
	ComplianceItems(ctx context.Context, f PortfolioFilter) ([]ComplianceItem, error)

	// AddMarketRents keeps rows; one of the same source and ref is replaced. It returns how
	// many were new.
	AddMarketRents(ctx context.Context, rows []MarketRent) (added int, err error)
	// MarketRents lists rows of a state that are not older than a day (YYYY-MM-DD), the
	// newest first, at most 5,000: those of the zip code, else of the city.
	MarketRents(ctx context.Context, state, zipCode, city, since string) ([]MarketRent, error)

	// RecordRepair notes what is known; the same work order again adds to it: zero fields
	// leave what is known.
	RecordRepair(ctx context.Context, r Repair) error
	// Repairs lists those done between From and To.
	Repairs(ctx context.Context, f PortfolioFilter) ([]Repair, error)

	// ReplaceOpenRequests keeps what is open now, in place of all that was, at once.
	ReplaceOpenRequests(ctx context.Context, list []OpenRequest) error
	OpenRequests(ctx context.Context, f PortfolioFilter) ([]OpenRequest, error)
}
