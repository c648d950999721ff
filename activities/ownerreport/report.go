// Package ownerreport writes for the owners of a portfolio what was done with their homes:
// the pack of a month, the page that shows how things stand, and the digest of requests
// that are open for long. Each is one Report, drawn as a mail, a PDF, a page, a CSV file
// and a picture from the same view, so that they cannot disagree. Everything is a pure
// function of the Report: the same one gives the same bytes. Nothing in it is of tenants.
//
// Money is whole cents of one currency, shares are thousandths, days are YYYY-MM-DD.
package ownerreport

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Kind is what a report is for.
type Kind string

// The kinds. Pack and Page have all that the Report has, Pack of a month, Page of the
// present one; Digest has the open requests that are old, and nothing else.
const (
	Pack   Kind = "pack"
	Page   Kind = "page"
	Digest Kind = "digest"
)

// How far a report looks ahead, and from when on a request is old where OldAfter is 0.
const (
	leasesAhead     = 90
	complianceAhead = 60
	oldAfter        = 48 * time.Hour
)

// Report is what is reported. Texts come from people and partners: they are cleaned and
// bounded where they are drawn.
type Report struct {
	Kind    Kind
	Company string
	// Currency is ISO 4217, that of all amounts.
	Currency string
	// At is when it is written (business time), TimeZone where that and all other times
	// are meant.
	At       time.Time
	TimeZone string
	// From and To are the days that it is of, both included.
	From, To string
	// PortfolioID and Portfolio, its name, tell whose it is. All that has a PortfolioID
	// must have this one.
	PortfolioID, Portfolio string

	Money Money
	// Months are those that are known, oldest first; the last 12 are drawn.
	Months     []Month
	Properties []Property
	// Repairs are those done in the period, Requests what is open at RentVine.
	Repairs  []Repair
	Requests []Request
	// OldAfter is from which age on a request is marked, and told of in a digest; 0 is 48 h.
	OldAfter time.Duration
	// Lettings are the campaigns that ended in the period.
	Lettings   []Letting
	Compliance []Requirement
	KPIs       []KPI
	// PageURL leads from a mail to the page of the same portfolio, "" for none.
	PageURL string
	// Notes say what is not known or not sure, and why: "3 entries wait for a category."
	Notes []string
}

// Money is what was booked in the period.
type Money struct {
	// Known tells that books are kept; the rest is zero where they are not.
	Known bool
	// Opening is cash received minus costs before From.
	Opening policy.Cents
	// Charged is what tenants were charged less credits, Received what they paid, Costs
	// what vendors billed.
	Charged, Received, Costs policy.Cents
	// Charges and Bills are Charged and Costs by category, the largest first.
	Charges, Bills []Amount
}

// Closing is Opening plus what was received minus costs. It opens the next month.
func (m Money) Closing() policy.Cents { return m.Opening + m.Received - m.Costs }

// Amount is that of a category.
type Amount struct {
	Label  string
	Amount policy.Cents
}

// Month is one of the charts. Income is what was received.
type Month struct {
	// Month is YYYY-MM.
	Month         string
	Income, Costs policy.Cents
	// Occupancy is the share of homes that were let, nil where nobody knows.
	Occupancy *policy.Permille
}

// Property is one of the portfolio.
type Property struct {
	PortfolioID   string
	ID            string
	Name, Address string
	// Units are the active ones.
	Units []Unit
}

// State is that of a unit.
type State string

// The states. Leaving is let until LeaseEnds, Listed is empty and offered.
const (
	Let     State = "let"
	Leaving State = "leaving"
	Empty   State = "empty"
	Listed  State = "listed"
)

// Unit is one home.
type Unit struct {
	Label string
	State State
	// Rent is a month's: the lease's where it is let, the asking rent where not, 0 where
	// nobody knows.
	Rent policy.Cents
	// LeaseEnds is the day on which the lease ends, "" for none.
	LeaseEnds string
	// EmptyDays counts since when it is empty, 0 where it is let or nobody knows.
	EmptyDays int
	// LetFrom is the day on which a lease that is agreed begins, where it is empty until
	// then; "" for none.
	LetFrom string
}

func (u Unit) let() bool { return u.State == Let || u.State == Leaving }

// Repair is a work order that was done. Times are zero where something did not happen or
// nobody knows.
type Repair struct {
	PortfolioID string
	// What is the trade or category, Where the label of property and unit.
	What, Where string
	Emergency   bool
	// AnsweredAt is the first response to whoever asked.
	OpenedAt, AnsweredAt, OnSiteAt, DoneAt time.Time
	Cost                                   policy.Cents
	// Rating is from 1 to 5, 0 for none.
	Rating int
}

// Request is a work order that is open.
type Request struct {
	PortfolioID           string
	Number, Where, Status string
	OpenedAt              time.Time
}

// Letting is a campaign that ended.
type Letting struct {
	PortfolioID string
	Where       string
	// Withdrawn tells that it ended without a lease.
	Withdrawn bool
	// ListedDays is for how long it was offered, EmptyDays for how long empty.
	ListedDays, EmptyDays         int
	Leads, Showings, Applications int
	// Cost is what the sources cost, Lost the rent of the empty days.
	Cost, Lost policy.Cents
	// Source is where the tenant came from, "" where nobody knows.
	Source string
}

// Requirement is something that a property must have, as it stands.
type Requirement struct {
	PortfolioID string
	Name, Where string
	// State is "unknown", "valid", "due" or "overdue".
	State string
	// Due is the day on which it must be renewed, "" where unknown.
	Due string
}

// Measure is what a KPI is counted in.
type Measure string

// The measures. Duration is in nanoseconds, as time.Duration is, and less is better;
// Share is in thousandths and Stars in tenths of a star, and more is better.
const (
	Duration Measure = "duration"
	Share    Measure = "share"
	Stars    Measure = "stars"
)

// KPI is a figure that the company wants to keep.
type KPI struct {
	// Name is what people read: "Repair, from request to completion".
	Name          string
	Measure       Measure
	Value, Target int64
	// Count is of how many Value is the mean; 0 where nothing is known.
	Count int
}

// Known tells whether there is anything to say.
func (k KPI) Known() bool { return k.Count > 0 }

// Met tells whether the target is kept.
func (k KPI) Met() bool {
	if k.Measure == Duration {
		return k.Value <= k.Target
	}
	return k.Value >= k.Target
}

// Occupancy is the share of units that are let; it is not known without units.
func (r Report) Occupancy() (share policy.Permille, known bool) {
	let, all := r.units()
	if all == 0 {
		return 0, false
	}
	return policy.Permille(1000 * let / all), true
}

// units counts those that are let, and all.
func (r Report) units() (let, all int) {
	for _, p := range r.Properties {
		for _, u := range p.Units {
			if all++; u.let() {
				let++
			}
		}
	}
	return let, all
}

// Old are the requests that are open for longer than OldAfter, the oldest first: those of
// a digest. There is nothing to send where there are none.
func (r Report) Old() []Request {
	var out []Request
	for _, q := range r.open() {
		if r.old(q) {
			out = append(out, q)
		}
	}
	return out
}

// open are all requests, the oldest first.
func (r Report) open() []Request {
	out := slices.Clone(r.Requests)
	slices.SortStableFunc(out, func(a, b Request) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return out
}

func (r Report) old(q Request) bool {
	return !q.OpenedAt.IsZero() && r.At.Sub(q.OpenedAt) > r.oldAfter()
}

func (r Report) oldAfter() time.Duration {
	if r.OldAfter > 0 {
		return r.OldAfter
	}
	return oldAfter
}

// ErrOtherPortfolio is returned where a report has something of another portfolio: nothing
// is drawn, lest an owner sees it.
var ErrOtherPortfolio = errors.New("ownerreport: something belongs to another portfolio")

// check refuses what cannot be drawn.
func (r Report) check() error {
	switch r.Kind {
	case Pack, Page, Digest:
	default:
		return fmt.Errorf("ownerreport: %q is no kind of report", r.Kind)
	}
	var ids []string
	for _, p := range r.Properties {
		ids = append(ids, p.PortfolioID)
	}
	for _, p := range r.Repairs {
		ids = append(ids, p.PortfolioID)
	}
	for _, q := range r.Requests {
		ids = append(ids, q.PortfolioID)
	}
	for _, l := range r.Lettings {
		ids = append(ids, l.PortfolioID)
	}
	for _, c := range r.Compliance {
		ids = append(ids, c.PortfolioID)
	}
	if slices.ContainsFunc(ids, func(id string) bool { return id != r.PortfolioID }) {
		return ErrOtherPortfolio
	}
	return nil
}
