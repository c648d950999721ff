// Package sourcing decides who does an ordinary repair: which of our technicians and
// which vendors suit, in which order, and which bid is best. The functions are pure,
// and every decision comes with its reason.
package sourcing

import (
	"time"

	"github.com/aictive/keyholder/policy"
)

// Kind is whether somebody works for us or is a vendor.
type Kind string

// The kinds.
const (
	Technician Kind = "technician"
	Vendor     Kind = "vendor"
)

// Job is what somebody is wanted for.
type Job struct {
	// Trade is one of policy.Trades.
	Trade   string `json:"trade"`
	Urgent  bool   `json:"urgent,omitempty"`
	Minutes int    `json:"minutes"`
	// Latitude and Longitude are the property's, in degrees, where HasPosition.
	HasPosition bool    `json:"has_position,omitempty"`
	Latitude    float64 `json:"latitude,omitempty"`
	Longitude   float64 `json:"longitude,omitempty"`
	// MaxDistanceKm is how far off somebody may be; 0 is no limit.
	MaxDistanceKm float64 `json:"max_distance_km,omitempty"`
}

// Firm is a vendor as the partner and policy know it.
type Firm struct {
	// ContactID is RentVine's.
	ContactID string   `json:"contact_id"`
	Name      string   `json:"name"`
	Phone     string   `json:"phone,omitempty"`
	Email     string   `json:"email,omitempty"`
	Active    bool     `json:"active"`
	Trades    []string `json:"trades"`
	// InsuranceExpires is the last day that is covered, "" where RentVine
	// knows of no insurance.
	InsuranceExpires string  `json:"insurance_expires,omitempty"`
	HasPosition      bool    `json:"has_position,omitempty"`
	Latitude         float64 `json:"latitude,omitempty"`
	Longitude        float64 `json:"longitude,omitempty"`
}

// Card is the record of a technician or vendor. The zero value is of somebody new.
type Card struct {
	// Asked counts offers and invitations, Answered those that had an answer, and
	// ResponseMinutes is the mean time until then.
	Asked           int `json:"asked,omitempty"`
	Answered        int `json:"answered,omitempty"`
	ResponseMinutes int `json:"response_minutes,omitempty"`
	// Jobs counts finished ones, FirstTimeFixed those that did not come back.
	Jobs           int `json:"jobs,omitempty"`
	FirstTimeFixed int `json:"first_time_fixed,omitempty"`
	// Priced counts jobs with an estimate and a price; OverPercent is the mean by which
	// the price was above the estimate.
	Priced      int `json:"priced,omitempty"`
	OverPercent int `json:"over_percent,omitempty"`
	// Rated counts tenants' ratings; RatingTenths is their mean times ten.
	Rated        int `json:"rated,omitempty"`
	RatingTenths int `json:"rating_tenths,omitempty"`
}

// Candidate is somebody who may be asked.
type Candidate struct {
	Kind Kind `json:"kind"`
	// ID is a technician's id in policy, or "contact:<id>" of a vendor at RentVine.
	ID string `json:"id"`
	// UserID is a technician's at RentVine, ContactID a vendor's.
	UserID    string `json:"user_id,omitempty"`
	ContactID string `json:"contact_id,omitempty"`
	Name      string `json:"name,omitempty"`
	Phone     string `json:"phone,omitempty"`
	Email     string `json:"email,omitempty"`
	// Estimate is what the work would cost by the rates.
	Estimate policy.Cents `json:"estimate,omitempty"`
	// Score is from 0 to 1000, higher is better; Reason says what it is made of.
	Score      int     `json:"score"`
	DistanceKm float64 `json:"distance_km,omitempty"`
	Reason     string  `json:"reason"`
	// InsuranceExpires is a vendor's (see Firm).
	InsuranceExpires string `json:"insurance_expires,omitempty"`
	Card             Card   `json:"card,omitzero"`
}

// Passed is somebody who was not considered.
type Passed struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// Bid is what a vendor asks for a job.
type Bid struct {
	Candidate Candidate    `json:"candidate"`
	Price     policy.Cents `json:"price"`
	// Earliest is the first day on which the vendor can come: "2026-11-24".
	Earliest string `json:"earliest"`
	// Note is the vendor's own words; untrusted.
	Note string    `json:"note,omitempty"`
	At   time.Time `json:"at"`
}

// Scored is a bid with its score from 0 to 1000.
type Scored struct {
	Bid
	Score  int    `json:"score"`
	Reason string `json:"reason"`
}
