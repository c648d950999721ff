package activities

import (
	"context"
	"sync"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadLease reads a lease as RentVine has it now, keeps who lives where, and tells the
// property where that has changed. Repeating it is harmless.
var ReadLease = durable.Activity[string, LeaseView]{
	Name: "rentvine.read_lease", Queue: QueueRentVine, Attempt: 30 * time.Second,
}

// LeaseStatus is the fixed group of a lease's status (contracts/rentvine.md 2.3).
type LeaseStatus string

// The statuses.
const (
	LeasePending LeaseStatus = "pending"
	LeaseActive  LeaseStatus = "active"
	LeaseClosed  LeaseStatus = "closed"
)

// LeaseView is a lease as RentVine shows it. Days are YYYY-MM-DD in the property's
// zone, "" for none.
type LeaseView struct {
	ID          string `json:"id"`
	PropertyID  string `json:"property_id,omitempty"`
	UnitID      string `json:"unit_id,omitempty"`
	PortfolioID string `json:"portfolio_id,omitempty"`
	// Found is false where RentVine does not know the lease (any more).
	Found  bool        `json:"found"`
	Status LeaseStatus `json:"status,omitempty"`
	// StatusName is the account's own, such as "Active - Notice Given".
	StatusName string `json:"status_name,omitempty"`

	Start           string `json:"start,omitempty"`
	End             string `json:"end,omitempty"`
	MoveIn          string `json:"move_in,omitempty"`
	MoveOut         string `json:"move_out,omitempty"`
	Notice          string `json:"notice,omitempty"`
	ExpectedMoveOut string `json:"expected_move_out,omitempty"`
	Closed          string `json:"closed,omitempty"`
	// IncreaseFrom is the first day on which the rent may rise.
	IncreaseFrom   string `json:"increase_from,omitempty"`
	MonthToMonth   bool   `json:"month_to_month,omitempty"`
	MarkedToVacate bool   `json:"marked_to_vacate,omitempty"`

	// Rent is the sum of the recurring charges of rent that apply, a month; 0 where there
	// is none, or where the amount of one cannot be read.
	Rent policy.Cents `json:"rent,omitempty"`
	// Tenants are the active ones; their IDs are RentVine's contacts.
	Tenants []Person `json:"tenants,omitempty"`

	Address string `json:"address,omitempty"`
	Unit    string `json:"unit,omitempty"`
	City    string `json:"city,omitempty"`
	// State is a postal code such as "OR".
	State      string `json:"state,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	// Zone is the property's, IANA: the policy's, else that at its coordinates.
	Zone string `json:"zone"`

	// Look counts the looks of the lease's workflow.
	Look int `json:"look,omitempty"`
	// CreatedAt is RentVine's; ReadAt is when it was read (business time).
	CreatedAt time.Time `json:"created_at,omitzero"`
	ReadAt    time.Time `json:"read_at,omitzero"`
}

// MovesInOn is the day on which the tenants move in: the move-in date, else the start.
func (l LeaseView) MovesInOn() string {
	if l.MoveIn != "" {
		return l.MoveIn
	}
	return l.Start
}

// Leaving tells whether notice was given or the move-out is known.
func (l LeaseView) Leaving() bool {
	return l.Notice != "" || l.MarkedToVacate || l.MoveOut != "" || l.ExpectedMoveOut != ""
}

// Over tells whether the lease has ended.
func (l LeaseView) Over() bool { return l.Status == LeaseClosed || l.Closed != "" || !l.Found }

// leaseStatusFresh is how long the account's names of lease statuses are not asked for
// again.
const leaseStatusFresh = time.Hour

// leaseStatuses are the account's names of lease statuses.
type leaseStatuses struct {
	mu     sync.Mutex
	names  map[string]string
	readAt time.Time
}

func (a *Activities) leaseStatusName(ctx context.Context, id string) (string, error) {
	a.leaseNames.mu.Lock()
	defer a.leaseNames.mu.Unlock()
	if name, ok := a.leaseNames.names[id]; ok && time.Since(a.leaseNames.readAt) < leaseStatusFresh {
		return name, nil
	}
	names, err := a.RentVine.LeaseStatuses(ctx)
	if err != nil {
		return "", err
	}
	a.leaseNames.names, a.leaseNames.readAt = names, time.Now()
	return names[id], nil
}

func (a *Activities) readLease(ctx context.Context, id string) (LeaseView, error) {
	began := a.Now()
	lease, err := a.RentVine.LeaseWithTenants(ctx, id)
	if partner.KindOf(err) == partner.NotFound {
		return LeaseView{ID: id, ReadAt: a.businessNow()}, nil
	}
	if err != nil {
		return LeaseView{}, toTemporal(ctx, err)
	}
	view := a.leaseView(lease)
	if lease.StatusID != "" {
		if view.StatusName, err = a.leaseStatusName(ctx, lease.StatusID); err != nil {
			return LeaseView{}, toTemporal(ctx, err)
		}
	}
	charges, err := a.RentVine.RecurringCharges(ctx, id)
	if err != nil {
		return LeaseView{}, toTemporal(ctx, err)
	}
	view.Rent = rentIn(charges, max(DayIn(a.businessNow(), view.Zone), view.Start)).rent
	if err := a.keepTenancy(ctx, view, true); err != nil {
		return LeaseView{}, toTemporal(ctx, err)
	}
	return view, a.knows(ctx, began, leaseRecord+id, a.leaseFields(lease))
}

// leaseView is a lease in the words of workflows, without what is read elsewhere.
func (a *Activities) leaseView(l rentvine.Lease) LeaseView {
	view := LeaseView{
		ID: l.ID, PropertyID: l.PropertyID, UnitID: l.UnitID, PortfolioID: l.PortfolioID, Found: true,
		Start: l.StartDate, End: l.EndDate, MoveIn: l.MoveInDate, MoveOut: l.MoveOutDate, Notice: l.NoticeDate,
		ExpectedMoveOut: l.ExpectedMoveOutDate, Closed: l.ClosedDate, IncreaseFrom: l.IncreaseEligibilityDate,
		MonthToMonth: l.MonthToMonth, MarkedToVacate: l.MarkedToVacate,
		Address: l.Address, Unit: l.UnitLabel, City: l.City, State: l.StateID, PostalCode: l.PostalCode,
		CreatedAt: l.CreatedAt, ReadAt: a.businessNow(),
	}
	switch l.PrimaryStatus {
	case rentvine.LeasePending:
		view.Status = LeasePending
	case rentvine.LeaseActive:
		view.Status = LeaseActive
	case rentvine.LeaseClosed:
		view.Status = LeaseClosed
	}
	view.Zone = a.Policy.For(l.PortfolioID, l.PropertyID).TimeZone
	if view.Zone == "" && l.Located {
		view.Zone = a.zones.at(l.Latitude, l.Longitude)
	}
	for _, t := range l.Tenants {
		if t.IsActive {
			view.Tenants = append(view.Tenants, a.person(t.ID, t.Name, t.Phone, t.Email))
		}
	}
	return view
}

func inForce(c rentvine.RecurringCharge, day string) bool {
	return (c.StartDate == "" || c.StartDate <= day) && (c.EndDate == "" || c.EndDate >= day)
}

// DayIn is the day of an instant in a zone (IANA), YYYY-MM-DD; in UTC where there is no
// such zone.
func DayIn(at time.Time, zone string) string {
	place, err := time.LoadLocation(zone)
	if err != nil {
		place = time.UTC
	}
	return at.In(place).Format(time.DateOnly)
}
