// Package comparables suggests a rent from those of similar homes nearby, for the renewal
// of a lease or for a home that is to be let: the rents are adjusted for what differs,
// weighed by likeness and nearness, and their weighted median is kept within limits.
// Everything here is pure, and in whole numbers.
package comparables

import (
	"strings"

	"github.com/aictive/keyholder/policy"
)

// Subject is the home whose rent is to be set.
type Subject struct {
	LeaseID string
	// Rent is the present one, a month; 0 where it is not known.
	Rent policy.Cents
	Home
	// AsOf is the day, YYYY-MM-DD.
	AsOf string
}

// Comparable is another lease.
type Comparable struct {
	LeaseID string
	Rent    policy.Cents
	Home
	// Since is the day from which that rent was agreed, YYYY-MM-DD, "" where unknown.
	Since string
}

// Home is what is let.
type Home struct {
	PropertyID, PostalCode, City, State string
	// Beds is 0 for a studio where BedsKnown.
	Beds      int
	BedsKnown bool
	// Baths is a count and Size is in square feet; 0 is not known.
	Baths, Size int
	// Built is the year of construction, 0 where nobody knows.
	Built int
}

// Limits is what policy and law allow.
type Limits struct {
	policy.Pricing
	// Cap is the greatest lawful increase, 0 where none is known. It stands over all
	// other limits.
	Cap policy.Permille
}

// LimitsOf takes the limits of a state out of policy: the smallest cap that any of its
// rules names, or, where the state has no rules, of those for all states.
func LimitsOf(rules policy.Renewal, state string) Limits {
	limits := Limits{Pricing: rules.Pricing}
	for _, want := range []string{state, "*"} {
		found := false
		for _, n := range rules.Notice {
			if !strings.EqualFold(n.State, want) {
				continue
			}
			found = true
			if n.Cap > 0 && (limits.Cap == 0 || n.Cap < limits.Cap) {
				limits.Cap = n.Cap
			}
		}
		if found {
			break
		}
	}
	return limits
}

// Suggestion is a rent and how it came about.
type Suggestion struct {
	// Rent is 0 where nothing can be suggested: a person decides.
	Rent policy.Cents `json:"rent"`
	// Low and High are the middle half of comparable rents, within the limits.
	Low  policy.Cents `json:"low"`
	High policy.Cents `json:"high"`
	// Current is the present rent, Median that of comparable homes as they are, without
	// any limit; 0 where there are too few.
	Current policy.Cents `json:"current"`
	Median  policy.Cents `json:"median,omitempty"`
	// Confidence is in percent.
	Confidence int `json:"confidence"`
	// Comparables are the heaviest first, at most 20.
	Comparables []Used `json:"comparables,omitempty"`
	Reason      string `json:"reason"`
	// Cap is the legal limit that held the rent back, 0 where none did.
	Cap policy.Permille `json:"cap,omitempty"`
	// VacancyPercent is how many of the portfolio's active units stand empty, where
	// VacancyKnown is true.
	VacancyPercent int  `json:"vacancy_percent,omitempty"`
	VacancyKnown   bool `json:"vacancy_known,omitempty"`
	// Notes say what could not be read.
	Notes []string `json:"notes,omitempty"`
}

// Used is a lease that was compared.
type Used struct {
	LeaseID      string       `json:"lease_id"`
	Rent         policy.Cents `json:"rent"`
	AdjustedRent policy.Cents `json:"adjusted_rent"`
	Weight       int          `json:"weight"`
	Reason       string       `json:"reason"`
}
