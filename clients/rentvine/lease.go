package rentvine

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// Lease is a tenancy with its tenants (contracts/rentvine.md 2.3). Dates are
// YYYY-MM-DD, "" for none.
type Lease struct {
	ID, PropertyID, UnitID, PortfolioID string
	// Code is the account's own reference.
	Code string
	// PrimaryStatus is the fixed group of StatusID.
	PrimaryStatus PrimaryLeaseStatus
	StatusID      string

	StartDate, EndDate, MoveInDate, MoveOutDate string
	NoticeDate, ExpectedMoveOutDate, ClosedDate string
	// IncreaseEligibilityDate is the first day of a higher rent, by RentVine's own
	// reckoning; "" also where it cannot be read.
	IncreaseEligibilityDate string

	MarkedToVacate, MonthToMonth bool

	// CreatedAt and ModifiedAt are UTC, zero where RentVine does not say or it cannot
	// be read; without a zone they are read as UTC (1.6).
	CreatedAt, ModifiedAt time.Time

	Tenants []Contact

	// Balance is what the tenants owe.
	Balance Balances

	// Address, City, StateID (like "NV") and PostalCode are those of the unit, else of
	// the property; UnitLabel is the unit's own name in the building, such as "Apt 3".
	Address, UnitLabel        string
	City, StateID, PostalCode string
	// Latitude and Longitude are the property's, in degrees; Located tells whether
	// there are any.
	Latitude, Longitude float64
	Located             bool
}

// Balances are what a lease owes, as decimals in the account's currency such as
// "1850.00", "" where RentVine does not say (contracts/rentvine.md 2.3).
type Balances struct {
	UnpaidTotal, UnpaidRent   string
	PastDueTotal, PastDueRent string
}

// LeaseWithTenants reads one lease with its tenants' phones and e-mails: by the
// lease export, since elsewhere tenants are bare names (4.10). A lease that the
// export does not hold is partner.NotFound. Errors are *partner.Error.
func (c *Client) LeaseWithTenants(ctx context.Context, leaseID string) (Lease, error) {
	const op = "export_lease"
	if err := number(op, leaseID); err != nil {
		return Lease{}, err
	}
	var found Lease
	l := list[Lease]{
		op: op, path: "/leases/export", query: url.Values{"leaseIDs[]": {leaseID}},
		from: leaseFrom, id: func(l Lease) string { return l.ID },
	}
	// The filter is honoured; walking on costs nothing then, and is right where it
	// is not.
	err := l.each(ctx, c, func(l Lease) bool {
		if l.ID == leaseID {
			found = l
		}
		return found.ID == ""
	})
	if err == nil && found.ID == "" {
		err = &partner.Error{Op: "rentvine." + op, Kind: partner.NotFound, Message: "no such lease in the export"}
	}
	return found, err
}

type wireLease struct {
	LeaseID                 key               `json:"leaseID"`
	Code                    text              `json:"code"`
	PropertyID              key               `json:"propertyID"`
	UnitID                  key               `json:"unitID"`
	PortfolioID             key               `json:"portfolioID"`
	PrimaryLeaseStatusID    whole             `json:"primaryLeaseStatusID"`
	LeaseStatusID           key               `json:"leaseStatusID"`
	StartDate               date              `json:"startDate"`
	EndDate                 date              `json:"endDate"`
	MoveInDate              date              `json:"moveInDate"`
	MoveOutDate             date              `json:"moveOutDate"`
	NoticeDate              date              `json:"noticeDate"`
	ExpectedMoveOutDate     date              `json:"expectedMoveOutDate"`
	ClosedDate              date              `json:"closedDate"`
	IncreaseEligibilityDate lenientDate       `json:"increaseEligibilityDate"`
	IsMarkedToVacate        flag              `json:"isMarkedToVacate"`
	IsMonthToMonth          flag              `json:"isMonthToMonth"`
	DateTimeCreated         lenientInstant    `json:"dateTimeCreated"`
	DateTimeModified        lenientInstant    `json:"dateTimeModified"`
	Tenants                 []json.RawMessage `json:"tenants"`
}

func leaseFrom(r row) (Lease, error) {
	var w wireLease
	if err := r.into("lease", &w); err != nil {
		return Lease{}, err
	}
	if w.LeaseID == "" {
		return Lease{}, partner.ShapeError("a lease without an id")
	}
	l := Lease{
		ID: string(w.LeaseID), PropertyID: string(w.PropertyID), UnitID: string(w.UnitID), PortfolioID: string(w.PortfolioID),
		Code: string(w.Code), PrimaryStatus: PrimaryLeaseStatus(w.PrimaryLeaseStatusID), StatusID: string(w.LeaseStatusID),
		StartDate: string(w.StartDate), EndDate: string(w.EndDate),
		MoveInDate: string(w.MoveInDate), MoveOutDate: string(w.MoveOutDate),
		NoticeDate: string(w.NoticeDate), ExpectedMoveOutDate: string(w.ExpectedMoveOutDate), ClosedDate: string(w.ClosedDate),
		IncreaseEligibilityDate: string(w.IncreaseEligibilityDate),
		MarkedToVacate:          bool(w.IsMarkedToVacate), MonthToMonth: bool(w.IsMonthToMonth),
		CreatedAt: time.Time(w.DateTimeCreated), ModifiedAt: time.Time(w.DateTimeModified),
	}
	for _, raw := range w.Tenants {
		if !wire.IsObject(raw) {
			return Lease{}, partner.ShapeError("the lease export's tenants are not objects")
		}
		var t wireContact
		if err := json.Unmarshal(raw, &t); err != nil {
			return Lease{}, err
		}
		tenant, err := t.contact()
		if err != nil {
			return Lease{}, err
		}
		tenant.Type = ContactTenant
		l.Tenants = append(l.Tenants, tenant)
	}
	if err := l.owe(r); err != nil {
		return Lease{}, err
	}
	return l, l.fill(r)
}

// owe takes the balances from beside the lease.
func (l *Lease) owe(r row) error {
	var w struct {
		UnpaidTotal  text `json:"unpaidTotalAmount"`
		UnpaidRent   text `json:"unpaidRentAmount"`
		PastDueTotal text `json:"pastDueTotalAmount"`
		PastDueRent  text `json:"pastDueRentAmount"`
	}
	err := r.beside("balances", &w)
	l.Balance = Balances{
		UnpaidTotal: string(w.UnpaidTotal), UnpaidRent: string(w.UnpaidRent),
		PastDueTotal: string(w.PastDueTotal), PastDueRent: string(w.PastDueRent),
	}
	return err
}

// fill takes the place from the row's related objects where the lease has it not.
func (l *Lease) fill(r row) error {
	var place struct {
		PropertyID  key `json:"propertyID"`
		UnitID      key `json:"unitID"`
		PortfolioID key `json:"portfolioID"`
	}
	for _, name := range []string{"portfolio", "property", "unit"} {
		if err := r.beside(name, &place); err != nil {
			return err
		}
	}
	for at, id := range map[*string]key{&l.PropertyID: place.PropertyID, &l.UnitID: place.UnitID, &l.PortfolioID: place.PortfolioID} {
		if *at == "" {
			*at = string(id)
		}
	}
	return l.stand(r)
}

// stand takes the address from the unit, else from the property, and the position from
// the property.
func (l *Lease) stand(r row) error {
	type address struct {
		Address    text `json:"address"`
		Address2   text `json:"address2"`
		City       text `json:"city"`
		StateID    text `json:"stateID"`
		PostalCode text `json:"postalCode"`
		Latitude   text `json:"latitude"`
		Longitude  text `json:"longitude"`
	}
	var unit, property address
	for name, into := range map[string]*address{"unit": &unit, "property": &property} {
		if err := r.beside(name, into); err != nil {
			return err
		}
	}
	at := unit
	if at.Address == "" && at.City == "" && at.StateID == "" {
		at = property
	}
	l.Address, l.UnitLabel, l.City = string(at.Address), string(unit.Address2), string(at.City)
	l.StateID, l.PostalCode = string(at.StateID), string(at.PostalCode)
	l.Latitude, l.Longitude, l.Located = position(string(property.Latitude), string(property.Longitude))
	return nil
}
