package rentvine

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// Lease is a tenancy with its tenants (contracts/rentvine.md 2.3). Dates are
// YYYY-MM-DD, "" for none.
type Lease struct {
	ID, PropertyID, UnitID, PortfolioID string
	// PrimaryStatus is the fixed group of StatusID.
	PrimaryStatus PrimaryLeaseStatus
	StatusID      string

	StartDate, EndDate, MoveInDate, MoveOutDate string

	Tenants []Contact
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
	LeaseID              key               `json:"leaseID"`
	PropertyID           key               `json:"propertyID"`
	UnitID               key               `json:"unitID"`
	PortfolioID          key               `json:"portfolioID"`
	PrimaryLeaseStatusID whole             `json:"primaryLeaseStatusID"`
	LeaseStatusID        key               `json:"leaseStatusID"`
	StartDate            date              `json:"startDate"`
	EndDate              date              `json:"endDate"`
	MoveInDate           date              `json:"moveInDate"`
	MoveOutDate          date              `json:"moveOutDate"`
	Tenants              []json.RawMessage `json:"tenants"`
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
		PrimaryStatus: PrimaryLeaseStatus(w.PrimaryLeaseStatusID), StatusID: string(w.LeaseStatusID),
		StartDate: string(w.StartDate), EndDate: string(w.EndDate),
		MoveInDate: string(w.MoveInDate), MoveOutDate: string(w.MoveOutDate),
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
	return l, l.fill(r)
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
	return nil
}
