package activities

import (
	"time"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadLease reads a lease as RentVine has it now. Reading has no effect.
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

	// Rent is the sum of the recurring charges of rent that apply, a month.
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
