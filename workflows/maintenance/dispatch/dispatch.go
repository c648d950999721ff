// Package dispatch ranks technicians for a job. It is a pure function: who is on
// shift, has the trade, has room and is near enough comes before who is farther,
// and everybody passed over is listed with the reason.
package dispatch

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"github.com/aictive/keyholder/policy"
)

// Job is what a technician is wanted for.
type Job struct {
	// Trade is one of policy.Trades; "" is general, which anybody may take.
	Trade string
	// Latitude and Longitude are the property's, in degrees, where HasPosition.
	Latitude, Longitude float64
	HasPosition         bool
	// MaxDistanceKm is how far off a technician may be; 0 is no limit.
	MaxDistanceKm float64
	// Zone is the property's time zone, for shifts that have none of their own.
	Zone string
}

// Candidate is a technician who may be offered the job.
type Candidate struct {
	Technician policy.Technician `json:"technician"`
	// DistanceKm is as the crow flies, to 0.1 km; 0 where the property has no
	// position.
	DistanceKm float64 `json:"distance_km"`
	// Reason says in words why, without personal data.
	Reason string `json:"reason"`
}

// Passed is a technician who was not considered.
type Passed struct {
	// ID is the person's in policy.
	ID  string `json:"id"`
	Why string `json:"why"`
}

// Ranking is the candidates, best first, and those passed over, in the order of
// the roster.
type Ranking struct {
	Candidates []Candidate `json:"candidates"`
	Passed     []Passed    `json:"passed"`
}

// Rank decides who is asked, in which order, at the business time now. load is how
// many open jobs each technician holds; excluded are those who were asked already
// or declined; both by the id of the person in policy. The nearest comes first,
// then who has fewer jobs, then the lower id. Where the property has no position,
// distance plays no part.
func Rank(job Job, technicians []policy.Technician, now time.Time, load map[string]int, excluded map[string]bool) Ranking {
	var r Ranking
	for _, t := range technicians {
		km := distance(t, job)
		if why := unfit(t, job, km, now, load[t.Person.ID], excluded[t.Person.ID]); why != "" {
			r.Passed = append(r.Passed, Passed{t.Person.ID, why})
			continue
		}
		r.Candidates = append(r.Candidates, Candidate{t, km, reason(job, km, load[t.Person.ID], t.MaxJobs)})
	}
	slices.SortStableFunc(r.Candidates, func(a, b Candidate) int {
		return cmp.Or(
			cmp.Compare(a.DistanceKm, b.DistanceKm),
			cmp.Compare(load[a.Technician.Person.ID], load[b.Technician.Person.ID]),
			compareID(a.Technician.Person.ID, b.Technician.Person.ID),
		)
	})
	return r
}

// compareID puts numbers in their order: "9" before "10".
func compareID(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

// distance is rounded, so that the last bits of floating point, which differ
// between processors, decide nothing when a history is replayed elsewhere.
func distance(t policy.Technician, job Job) float64 {
	if !job.HasPosition {
		return 0
	}
	metres := geo.DistanceHaversine(orb.Point{t.Longitude, t.Latitude}, orb.Point{job.Longitude, job.Latitude})
	return math.Round(metres/100) / 10
}

// unfit says why the technician is passed over, "" where not.
func unfit(t policy.Technician, job Job, km float64, now time.Time, load int, excluded bool) string {
	switch {
	case excluded:
		return "asked before"
	case !hasTrade(t, job.Trade):
		return "does not do " + job.Trade
	case !onShift(t, now, job.Zone):
		return "off shift"
	case load >= t.MaxJobs:
		return fmt.Sprintf("has %d of %d jobs", load, t.MaxJobs)
	case job.HasPosition && job.MaxDistanceKm > 0 && km > job.MaxDistanceKm:
		return fmt.Sprintf("is %.1f km away, more than %.0f", km, job.MaxDistanceKm)
	}
	return ""
}

// hasTrade: a generalist does everything but gas, and anybody a general job.
func hasTrade(t policy.Technician, trade string) bool {
	if trade == "" || trade == policy.TradeGeneral || slices.Contains(t.Trades, trade) {
		return true
	}
	return trade != policy.TradeGas && slices.Contains(t.Trades, policy.TradeGeneral)
}

func onShift(t policy.Technician, now time.Time, zone string) bool {
	return slices.ContainsFunc(t.Shifts, func(s policy.Shift) bool {
		_, on := s.Covers(now, zone)
		return on
	})
}

func reason(job Job, km float64, load, most int) string {
	if !job.HasPosition {
		return fmt.Sprintf("on shift, %d of %d jobs, distance unknown", load, most)
	}
	return fmt.Sprintf("on shift, %.1f km away, %d of %d jobs", km, load, most)
}
