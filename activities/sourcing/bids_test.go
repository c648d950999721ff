package sourcing

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

const today = "2026-11-22"

func weights() policy.Weights {
	return policy.Weights{Price: 50, Speed: 20, Record: 25, Insurance: 5}
}

func bid(id string, price policy.Cents, earliest string) Bid {
	return Bid{
		Candidate: Candidate{Kind: Vendor, ID: VendorID(id), Name: "Firm " + id, InsuranceExpires: "2027-12-31"},
		Price:     price, Earliest: earliest, At: monday,
	}
}

func order(list []Scored) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, s.Candidate.ID)
	}
	return out
}

func TestRankBids(t *testing.T) {
	t.Parallel()
	with := func(b Bid, change func(*Bid)) Bid {
		change(&b)
		return b
	}
	free := bid("free", 0, day)
	proven := with(bid("proven", 11_000, day), func(b *Bid) { b.Candidate.Card = good() })
	shabby := with(bid("shabby", 10_000, day), func(b *Bid) { b.Candidate.Card = bad() })
	lapsing := with(bid("lapsing", 1_000, "2026-12-01"), func(b *Bid) { b.Candidate.InsuranceExpires = "2026-11-30" })
	for _, c := range []struct {
		name string
		bids []Bid
		w    policy.Weights
		want []string
	}{
		{"nothing", nil, weights(), []string{}},
		{"cheapest", []Bid{bid("1", 20_000, day), bid("2", 10_000, day)}, weights(), []string{"contact:2", "contact:1"}},
		{"soonest", []Bid{bid("1", 10_000, "2026-12-10"), bid("2", 10_000, day)}, weights(), []string{"contact:2", "contact:1"}},
		{"a little dearer and much sooner", []Bid{bid("1", 10_000, "2026-12-20"), bid("2", 10_500, day)}, weights(), []string{"contact:2", "contact:1"}},
		{"the record", []Bid{shabby, proven}, weights(), []string{"contact:proven", "contact:shabby"}},
		{"price alone", []Bid{proven, shabby}, policy.Weights{Price: 1}, []string{"contact:shabby", "contact:proven"}},
		{"for nothing", []Bid{shabby, free, proven}, weights(), []string{"contact:free", "contact:proven", "contact:shabby"}},
		{"uninsured on the day, however cheap", []Bid{lapsing, shabby}, weights(), []string{"contact:shabby", "contact:lapsing"}},
		{"a wrong date", []Bid{bid("1", 100, "at once"), shabby}, weights(), []string{"contact:shabby", "contact:1"}},
		{"no weights: by price", []Bid{bid("1", 20_000, day), bid("2", 10_000, day)}, policy.Weights{}, []string{"contact:2", "contact:1"}},
		{"equal scores: the sooner", []Bid{bid("1", 100, "2026-12-10"), bid("2", 100, day)}, policy.Weights{Price: 1}, []string{"contact:2", "contact:1"}},
		{
			"equal scores: the better proven", []Bid{with(proven, func(b *Bid) { b.Candidate.Card = bad() }), with(shabby, func(b *Bid) { b.Price, b.Candidate.Card = 11_000, good() })},
			policy.Weights{Price: 1}, []string{"contact:shabby", "contact:proven"},
		},
		{
			"equals: the earlier bid, then the id",
			[]Bid{bid("10", 100, day), bid("9", 100, day), with(bid("11", 100, day), func(b *Bid) { b.At = monday.Add(-time.Second) })}, weights(),
			[]string{"contact:11", "contact:9", "contact:10"},
		},
	} {
		require.Equal(t, c.want, order(RankBids(c.bids, c.w, today)), c.name)
	}

	require.Equal(t, 1, RankBids([]Bid{proven}, policy.Weights{}, today)[0].Score, "whoever is insured has a score")
	ranked := RankBids([]Bid{lapsing, proven, shabby}, weights(), today)
	require.Equal(t, 933, ranked[0].Score)
	require.Equal(t, "110.00 against 100.00 of the cheapest, on 2026-11-24, record 970 of 1000, insured 13 months more", ranked[0].Reason)
	require.Equal(t, proven, ranked[0].Bid)
	require.Zero(t, ranked[2].Score)
	require.Equal(t, "not insured on the day", ranked[2].Reason)
}

func drawBid(t *rapid.T, id string) Bid {
	b := bid(id, policy.Cents(rapid.Int64Range(0, 1_000_000).Draw(t, "price")), dayAfter(rapid.IntRange(-3, 60).Draw(t, "days")))
	b.Candidate.InsuranceExpires = dayAfter(rapid.IntRange(-10, 500).Draw(t, "insured"))
	b.Candidate.Card = drawCard(t, "card")
	b.At = monday.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at")) * time.Minute)
	return b
}

func dayAfter(n int) string {
	return time.Date(2026, 11, 22+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

func drawBids(t *rapid.T) (bids []Bid) {
	for i := range rapid.IntRange(0, 8).Draw(t, "n") {
		bids = append(bids, drawBid(t, fmt.Sprint(i+1)))
	}
	return bids
}

func drawWeights(t *rapid.T) policy.Weights {
	weight := rapid.IntRange(1, 100)
	return policy.Weights{
		Price: weight.Draw(t, "price weight"), Speed: weight.Draw(t, "speed weight"),
		Record: weight.Draw(t, "record weight"), Insurance: weight.Draw(t, "insurance weight"),
	}
}

func TestBidsInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bids, w := drawBids(t), drawWeights(t)
		ranked := RankBids(bids, w, today)
		require.Len(t, ranked, len(bids))
		for i, s := range ranked {
			insured := s.Candidate.InsuranceExpires >= s.Earliest
			require.Equal(t, insured, s.Score > 0)
			require.LessOrEqual(t, s.Score, full)
			require.True(t, i == 0 || ranked[i-1].Score >= s.Score)
		}
		require.Equal(t, ranked, RankBids(rapid.Permutation(bids).Draw(t, "order"), w, today))
	})
}

// A bid that gets better in one thing never gets worse in the ranking, and of two that
// are otherwise alike the better one comes first.
func TestABetterBidNeverRanksLower(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bids, w := drawBids(t), drawWeights(t)
		mine := drawBid(t, "77")
		mine.Candidate.InsuranceExpires = "2029-01-01"
		// Its twin has the lower id, which decides among equals.
		better := mine
		better.Candidate.ID = VendorID("78")
		switch rapid.IntRange(0, 2).Draw(t, "thing") {
		case 0:
			better.Price = policy.Cents(rapid.Int64Range(0, int64(mine.Price)).Draw(t, "cheaper"))
		case 1:
			earlier, _ := dayOf(mine.Earliest)
			better.Earliest = earlier.AddDate(0, 0, -rapid.IntRange(0, 30).Draw(t, "earlier")).Format(time.DateOnly)
			better.Candidate.InsuranceExpires = mine.Candidate.InsuranceExpires
		default:
			better.Candidate.Card = improve(t, mine.Candidate.Card)
		}
		place := func(b Bid, among ...Bid) int {
			return slices.IndexFunc(RankBids(append([]Bid{b}, among...), w, today), func(s Scored) bool { return s.Candidate.ID == b.Candidate.ID })
		}
		require.LessOrEqual(t, place(better, bids...), place(mine, bids...))

		both := append([]Bid{mine, better}, bids...)
		ranked := RankBids(both, w, today)
		score := func(id string) int {
			return ranked[slices.IndexFunc(ranked, func(s Scored) bool { return s.Candidate.ID == id })].Score
		}
		require.GreaterOrEqual(t, score(better.Candidate.ID), score(mine.Candidate.ID))
		if better.Price < mine.Price {
			require.Less(t, place(better, append(bids, mine)...), place(mine, append(bids, better)...))
		}
	})
}

func ExampleRankBids() {
	bids := []Bid{
		{Candidate: Candidate{ID: "contact:11", InsuranceExpires: "2027-12-31"}, Price: 18_000, Earliest: "2026-11-23"},
		{Candidate: Candidate{ID: "contact:14", InsuranceExpires: "2027-12-31"}, Price: 15_000, Earliest: "2026-11-30"},
		{Candidate: Candidate{ID: "contact:16", InsuranceExpires: "2026-01-31"}, Price: 9_000, Earliest: "2026-11-23"},
	}
	for _, b := range RankBids(bids, policy.Weights{Price: 50, Speed: 20, Record: 25, Insurance: 5}, "2026-11-22") {
		fmt.Println(b.Candidate.ID, b.Score, b.Reason)
	}
	// Output:
	// contact:14 846 150.00 against 150.00 of the cheapest, on 2026-11-30, no record yet, insured 13 months more
	// contact:11 809 180.00 against 150.00 of the cheapest, on 2026-11-23, no record yet, insured 13 months more
	// contact:16 0 not insured on the day
}
