// Package bankmatch matches lines of bank statements with bookings: exactly, then within
// the tolerance, then as proposals for a person. It is pure, and nothing is guessed: where
// two answers fit, none is taken.
package bankmatch

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/aictive/keyholder/policy"
)

// Line is a line of a statement that is not matched. Amount is positive where money came.
type Line struct {
	ID, Day, Text, Reference string
	Amount                   policy.Cents
}

// Booking is a line on the bank's account in the journal that is not matched.
type Booking struct {
	// ID is "<transaction>#<number>"; Reverses is the ID of the booking that it takes
	// back, "" for none.
	ID, Reverses string
	Day, Text    string
	LeaseID      string
	Amount       policy.Cents
}

// How lines and bookings were matched.
const (
	Exact    = "exact"
	Tolerant = "tolerant"
	Deposit  = "deposit"
	Reversed = "reversed"
)

// Match says that lines and bookings are the same money. Its lists are IDs, sorted.
type Match struct {
	// How is one of the constants; Why is a sentence.
	How, Why string
	// Lines are empty for Reversed: that money never moved.
	Lines, Bookings []string
}

// ID names the match: the same lines and bookings have the same one.
func (m Match) ID() string {
	members := slices.Concat(slices.Sorted(slices.Values(m.Lines)), []string{""}, slices.Sorted(slices.Values(m.Bookings)))
	digest := sha256.Sum256([]byte(strings.Join(members, "\x00")))
	return hex.EncodeToString(digest[:12])
}

// Proposal is what a person may find to be a match.
type Proposal struct {
	Lines, Bookings []string
	Why             string
	// Score is higher for what is more likely, at most 100.
	Score int
}

// Result is what Pair has found. Each line and booking is in one match or open;
// proposals are made of what is open.
type Result struct {
	Matches      []Match
	Proposals    []Proposal
	OpenLines    []Line
	OpenBookings []Booking
}
