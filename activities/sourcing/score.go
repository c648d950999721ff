package sourcing

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"github.com/aictive/keyholder/policy"
)

const (
	// full is the best that a part of a score can be.
	full = 1000
	// unknown stands in for a part of which nothing is known, such as a distance.
	unknown = full / 2
	// newcomer is the record of somebody without one: most work goes well.
	newcomer = 600
	// doubt is how many imagined newcomer's jobs a record begins with, so that one good
	// or bad job does not decide.
	doubt = 3
)

// part is one reason for a score.
type part struct {
	// value is from 0 to full.
	value  int
	weight int
	// words say what it is, such as "3.0 km away".
	words string
}

// score is the weighted mean of parts, from 0 to full, and its words.
func score(parts ...part) (int, string) {
	sum, weights := 0, 0
	var words []string
	for _, p := range parts {
		weight := max(p.weight, 0)
		sum += min(max(p.value, 0), full) * weight
		weights += weight
		if p.words != "" {
			words = append(words, p.words)
		}
	}
	return sum / max(weights, 1), strings.Join(words, ", ")
}

// share is full where part is the whole, 0 where it is nothing, or less.
func share(part, whole int) int { return full * min(max(part, 0), whole) / max(whole, 1) }

// Score is how good a record is, from 0 to 1000; somebody new has 600. What is known
// of few jobs counts less.
func (c Card) Score() int {
	const (
		longest  = 2 * 24 * 60 // minutes to an answer that are worth nothing
		dearest  = 50          // percent above the estimate that are worth nothing
		counted  = 1_000_000
		weighted = 100
	)
	count := func(n int) int { return min(max(n, 0), counted) }
	// earned is the mean of n values that come to sum and a newcomer's.
	earned := func(sum, n int) int { return (sum + doubt*newcomer) / (n + doubt) }

	asked, jobs, priced, rated := count(c.Asked), count(c.Jobs), count(c.Priced), count(c.Rated)
	quick := full - share(c.ResponseMinutes, longest)
	cheap := full - share(c.OverPercent, dearest)
	liked := share(c.RatingTenths-10, 40)
	return (40*earned(full*min(count(c.FirstTimeFixed), jobs), jobs) +
		15*earned(quick*min(count(c.Answered), asked), asked) +
		20*earned(cheap*priced, priced) +
		25*earned(liked*rated, rated)) / weighted
}

// record is a card as part of a score.
func record(c Card, weight int) part {
	words := "no record yet"
	if c != (Card{}) {
		words = fmt.Sprintf("record %d of %d", c.Score(), full)
	}
	return part{c.Score(), weight, words}
}

// trade is that of the job; none is general work.
func (j Job) trade() string { return cmp.Or(j.Trade, policy.TradeGeneral) }

// Suits tells whether a vendor with these trades does work of a trade: generalists do
// everything but gas.
func Suits(trades []string, trade string) bool {
	return slices.Contains(trades, trade) || trade != policy.TradeGas && slices.Contains(trades, policy.TradeGeneral)
}

// skill is how well trades fit as part of a score.
func (j Job) skill(trades []string, weight int) part {
	if j.trade() == policy.TradeGeneral || slices.Contains(trades, j.trade()) {
		return part{full, weight, ""}
	}
	return part{unknown, weight, "a generalist"}
}

// distance is in tenths of a kilometre, as the crow flies: the last bits of floating
// point, which differ between processors, must decide nothing when a history is
// replayed elsewhere.
func (j Job) distance(known bool, latitude, longitude float64) (tenths int, ok bool) {
	if !j.HasPosition || !known {
		return 0, false
	}
	metres := geo.DistanceHaversine(orb.Point{longitude, latitude}, orb.Point{j.Longitude, j.Latitude})
	if math.IsNaN(metres) {
		return 0, false
	}
	return int(math.Round(metres / 100)), true
}

// tooFar says so, "" where not.
func (j Job) tooFar(tenths int, known bool) string {
	if !known || j.MaxDistanceKm <= 0 || tenths <= int(math.Round(10*j.MaxDistanceKm)) {
		return ""
	}
	return fmt.Sprintf("is %s km away, more than %.0f", tenth(tenths), j.MaxDistanceKm)
}

// near is a distance as part of a score.
func (j Job) near(tenths int, known bool, weight int) part {
	const usual = 100 // km that are worth nothing where there is no limit
	if !known {
		return part{unknown, weight, "distance unknown"}
	}
	farthest := 10 * usual
	if j.MaxDistanceKm > 0 {
		farthest = max(int(math.Round(10*j.MaxDistanceKm)), 1)
	}
	return part{full - share(tenths, farthest), weight, tenth(tenths) + " km away"}
}

func tenth(n int) string { return fmt.Sprintf("%d.%d", n/10, n%10) }

// estimate is what the work costs at a rate an hour, to the nearest cent.
func (j Job) estimate(rate policy.Cents) policy.Cents {
	return (max(rate, 0)*policy.Cents(max(j.Minutes, 0)) + 30) / 60
}

// best puts candidates in their order: the best score, then the nearest, then the
// lower id.
func best(a, b Candidate) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.DistanceKm, b.DistanceKm), compareID(a.ID, b.ID))
}

// compareID puts numbers in their order: "9" before "10".
func compareID(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

// dayOf reads "2026-11-24".
func dayOf(text string) (time.Time, bool) {
	at, err := time.Parse(time.DateOnly, text)
	return at, err == nil
}

// daysBetween counts days, negative where to is before from.
func daysBetween(from, to time.Time) int { return int(to.Sub(from) / (24 * time.Hour)) }
