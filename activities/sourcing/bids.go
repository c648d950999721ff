package sourcing

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aictive/keyholder/policy"
)

// RankBids scores bids, best first, on a day ("2026-11-22"). The weights say what
// counts: the price against the cheapest, how soon the vendor can come, its record, and
// how long it stays insured. A vendor that is not insured on the day it would come has
// score 0 and stands last: such a bid must not be taken; every other has 1 at least. Of
// equal scores the cheaper, sooner, better proven, earlier bid comes first, then the
// lower id.
func RankBids(bids []Bid, w policy.Weights, today string) []Scored {
	offers := make([]offer, len(bids))
	cheapest := policy.Cents(-1)
	for i, b := range bids {
		offers[i] = judge(b, today)
		if o := offers[i]; o.insured && (cheapest < 0 || o.price < cheapest) {
			cheapest = o.price
		}
	}
	for i := range offers {
		offers[i].weigh(w, cheapest)
	}
	slices.SortStableFunc(offers, better)
	var ranked []Scored
	for _, o := range offers {
		ranked = append(ranked, o.Scored)
	}
	return ranked
}

// offer is a bid and what its score is made of.
type offer struct {
	Scored
	price policy.Cents
	// days until the vendor can come, and those that it stays insured from then on.
	days    int
	covered int
	insured bool
}

const (
	// latest is the wait in days that is worth nothing.
	latest = 30
	// dearest bounds prices, in hundredths: 10 billion.
	dearest policy.Cents = 1_000_000_000_000
)

func judge(b Bid, today string) offer {
	o := offer{Scored: Scored{Bid: b}, price: min(max(b.Price, 0), dearest), days: latest}
	from, known := dayOf(today)
	if at, ok := dayOf(b.Earliest); ok && known {
		o.days = min(max(daysBetween(from, at), 0), latest)
	}
	o.covered, o.insured = coverage(b.Candidate.InsuranceExpires, b.Earliest)
	return o
}

func (o *offer) weigh(w policy.Weights, cheapest policy.Cents) {
	if !o.insured {
		o.Score, o.Reason = 0, "not insured on the day"
		return
	}
	// One hundredth more on both sides: something may be free.
	price := int(full * (cheapest + 1) / (o.price + 1))
	points, reason := score(
		part{price, w.Price, fmt.Sprintf("%s against %s of the cheapest", o.price, cheapest)},
		part{full - share(o.days, latest), w.Speed, "on " + o.Earliest},
		record(o.Candidate.Card, w.Record),
		insurance(o.covered, w.Insurance),
	)
	o.Score, o.Reason = max(points, 1), reason
}

// better puts offers in their order.
func better(a, b offer) int {
	return cmp.Or(
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(a.price, b.price),
		cmp.Compare(a.days, b.days),
		cmp.Compare(b.Candidate.Card.Score(), a.Candidate.Card.Score()),
		a.At.Compare(b.At),
		compareID(a.Candidate.ID, b.Candidate.ID),
	)
}
