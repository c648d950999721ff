package activities

import (
	"time"

	"github.com/aictive/keyholder/policy"
)

// PropertyView is a property as RentVine shows it, with its units and who lives there.
// Days are YYYY-MM-DD in the property's zone, "" for none.
type PropertyView struct {
	ID          string `json:"id"`
	PortfolioID string `json:"portfolio_id,omitempty"`
	// Found is false where RentVine does not know the property (any more).
	Found  bool   `json:"found"`
	Active bool   `json:"active"`
	Name   string `json:"name,omitempty"`

	Address    string  `json:"address,omitempty"`
	City       string  `json:"city,omitempty"`
	State      string  `json:"state,omitempty"`
	PostalCode string  `json:"postal_code,omitempty"`
	Latitude   float64 `json:"latitude,omitempty"`
	Longitude  float64 `json:"longitude,omitempty"`
	Located    bool    `json:"located,omitempty"`
	// Doubtful tells that RentVine could not verify the address.
	Doubtful bool `json:"doubtful,omitempty"`
	// Zone is the property's, IANA: the policy's, else that at its coordinates.
	Zone string `json:"zone,omitempty"`
	// Units are at most 500, in the order of their ids.
	Units []UnitView `json:"units,omitempty"`
	// OccupancyUnknown tells that nobody has looked through the leases yet, so that no unit
	// is known to be empty.
	OccupancyUnknown bool `json:"occupancy_unknown,omitempty"`
	// ReadAt is when it was read (business time).
	ReadAt time.Time `json:"read_at,omitzero"`
}

// UnitView is a unit and who lives there.
type UnitView struct {
	ID     string `json:"id"`
	Label  string `json:"label,omitempty"`
	Active bool   `json:"active"`
	// Beds is 0 for a studio where BedsKnown; Size is in square feet.
	Beds      int  `json:"beds,omitempty"`
	BedsKnown bool `json:"beds_known,omitempty"`
	Baths     int  `json:"baths,omitempty"`
	Size      int  `json:"size,omitempty"`
	// Rent is RentVine's rent of the unit, a placeholder (contracts/rentvine.md 4.13); 0 for
	// none. LastRent is what the latest tenancy paid, 0 where nobody knows.
	Rent     policy.Cents `json:"rent,omitempty"`
	LastRent policy.Cents `json:"last_rent,omitempty"`
	// LeaseID is that of the active lease, else of the pending one, "" for none; EmptySince
	// is the day on which the last tenancy ended, where the unit is empty.
	LeaseID    string `json:"lease_id,omitempty"`
	Pending    bool   `json:"pending,omitempty"`
	EmptySince string `json:"empty_since,omitempty"`
	// Listed tells that the unit is offered now.
	Listed bool `json:"listed,omitempty"`
}

// Empty tells whether the unit is to be let: it is active, and nobody lives there or is
// about to.
func (u UnitView) Empty() bool { return u.Active && u.LeaseID == "" }

// Unit finds one by its id.
func (p PropertyView) Unit(id string) (UnitView, bool) {
	for _, u := range p.Units {
		if u.ID == id {
			return u, true
		}
	}
	return UnitView{}, false
}

// Vacancy is how many active units there are, and how many of them stand empty.
func (p PropertyView) Vacancy() (units, empty int) {
	for _, u := range p.Units {
		if u.Active {
			units++
		}
		if u.Empty() {
			empty++
		}
	}
	return units, empty
}
