package comparables

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

const day = 24 * time.Hour

// askingRules are round numbers.
func askingRules() policy.AskingPrice {
	return policy.AskingPrice{
		Below: 150, Above: 150, RoundTo: 5_00, PerBed: 80, PerBath: 40, PerSize: 40, PerYear: 5,
		Standing: []policy.StandingStep{{After: 21 * day, Off: 20}, {After: 45 * day, Off: 50}},
	}
}

// offer is a home that nobody lives in.
func offer() Offer { return Offer{Rent: 2000_00, Home: flat("1", "97209", "Portland"), AsOf: today} }

func leaseAt(id string, rent policy.Cents) Observed {
	return Observed{Source: SourceLease, Ref: id, Rent: rent, Home: flat("1", "97209", "Portland"), Since: "2026-06-01"}
}

func marketAt(ref string, rent policy.Cents) Observed {
	home := flat("", "97209", "Portland")
	return Observed{Source: SourceMarket + "zillow", Ref: ref, Rent: rent, Home: home, Since: "2026-11-01"}
}

func leasesAt(rents ...policy.Cents) []Observed {
	var list []Observed
	for i, r := range rents {
		list = append(list, leaseAt(fmt.Sprint(10+i), r))
	}
	return list
}

func TestSuggestAsking(t *testing.T) {
	t.Parallel()
	with := func(change func(*Offer)) Offer {
		o := offer()
		change(&o)
		return o
	}
	listed := func(days int) Offer { return with(func(o *Offer) { o.ListedDays = days }) }
	priced := func(days, at int) Offer { return with(func(o *Offer) { o.ListedDays, o.PricedDays = days, at }) }
	none := with(func(o *Offer) { o.Rent = 0 })
	for _, c := range []struct {
		name      string
		offer     Offer
		list      []Observed
		rent      policy.Cents
		low, high policy.Cents
		off       policy.Permille
		reason    string
	}{
		{"the median", offer(), leasesAt(2040_00, 2101_99, 2140_00), 2100_00, 2040_00, 2140_00, 0, "3 homes compare (3 leases of our own, 0 of market data), around 2101.99; suggested 2100.00 after 2000.00 now"},
		{"less", offer(), leasesAt(1800_00, 1900_00, 1950_00), 1900_00, 1800_00, 1950_00, 0, "3 homes compare (3 leases of our own, 0 of market data), around 1900.00; suggested 1900.00 after 2000.00 now"},
		{"leases and market data", offer(), append(leasesAt(2100_00), marketAt("a", 2150_00), marketAt("b", 2150_00)), 2150_00, 2100_00, 2150_00, 0, "3 homes compare (1 lease of our own, 2 of market data), around 2150.00; suggested 2150.00 after 2000.00 now"},
		{"the most", offer(), leasesAt(2900_00, 2900_00, 2900_00), 2300_00, 2300_00, 2300_00, 0, "3 homes compare (3 leases of our own, 0 of market data), around 2900.00; held back by the policy's most, 15% above; suggested 2300.00 after 2000.00 now"},
		{"the least", offer(), leasesAt(1000_00, 1000_00, 1000_00), 1700_00, 1700_00, 1700_00, 0, "3 homes compare (3 leases of our own, 0 of market data), around 1000.00; raised to the policy's least, 15% below; suggested 1700.00 after 2000.00 now"},
		{"no present rent", none, leasesAt(2900_00, 2900_00, 2900_00), 2900_00, 2900_00, 2900_00, 0, "3 homes compare (3 leases of our own, 0 of market data), around 2900.00; suggested 2900.00"},
		{"a placeholder", with(func(o *Offer) { o.Rent = 1_00 }), leasesAt(2900_00, 2900_00, 2900_00), 2900_00, 2900_00, 2900_00, 0, "3 homes compare (3 leases of our own, 0 of market data), around 2900.00; the present rent of 1.00 makes no sense beside them; suggested 2900.00 after 1.00 now"},
		{"not listed for long", listed(20), leasesAt(2100_00, 2100_00, 2100_00), 2100_00, 2100_00, 2100_00, 0, "3 homes compare (3 leases of our own, 0 of market data), around 2100.00; suggested 2100.00 after 2000.00 now"},
		{"the first step", listed(21), leasesAt(2100_00, 2100_00, 2100_00), 2060_00, 2060_00, 2100_00, 20, "3 homes compare (3 leases of our own, 0 of market data), around 2100.00; 2% off for 21 days on the market; suggested 2060.00 after 2000.00 now"},
		{"the last step", listed(400), leasesAt(2100_00, 2100_00, 2100_00), 1995_00, 1995_00, 2100_00, 50, "3 homes compare (3 leases of our own, 0 of market data), around 2100.00; 5% off for 400 days on the market; suggested 1995.00 after 2000.00 now"},
		{"too few", offer(), leasesAt(2900_00, 2900_00), 0, 0, 0, 0, "2 homes compare (2 leases of our own, 0 of market data), fewer than 3; nothing is suggested"},
		{"too few, and it stands", listed(50), leasesAt(2900_00), 1900_00, 0, 0, 50, "1 home compares (1 lease of our own, 0 of market data), fewer than 3; 5% off for 50 days on the market; suggested 1900.00 after 2000.00 now"},
		{"too few, and priced since the step", priced(50, 46), leasesAt(2900_00), 0, 0, 0, 0, "1 home compares (1 lease of our own, 0 of market data), fewer than 3; nothing is suggested"},
		{"too few, and a step since it was priced", priced(50, 22), leasesAt(2900_00), 1940_00, 0, 0, 30, "1 home compares (1 lease of our own, 0 of market data), fewer than 3; 3% off for 50 days on the market; suggested 1940.00 after 2000.00 now"},
		{"enough, and priced since the step", priced(50, 46), leasesAt(2100_00, 2100_00, 2100_00), 1995_00, 1995_00, 2100_00, 50, "3 homes compare (3 leases of our own, 0 of market data), around 2100.00; 5% off for 50 days on the market; suggested 1995.00 after 2000.00 now"},
		{"too few, and no present rent", none, leasesAt(1900_00, 1800_00), 1800_00, 0, 0, 0, "2 homes compare (2 leases of our own, 0 of market data), fewer than 3: a first guess; suggested 1800.00"},
		{"nothing at all", none, nil, 0, 0, 0, 0, "0 homes compare, fewer than 3; nothing is suggested"},
		{"nothing at all, and it stands", with(func(o *Offer) { o.Rent, o.ListedDays = 0, 50 }), nil, 0, 0, 0, 50, "0 homes compare, fewer than 3; nothing is suggested"},
		{"its own lease is none", with(func(o *Offer) { o.LeaseID = "12" }), leasesAt(2100_00, 2100_00, 2100_00), 0, 0, 0, 0, "2 homes compare (2 leases of our own, 0 of market data), fewer than 3; nothing is suggested"},
		{"one of the market may have the same number", with(func(o *Offer) { o.LeaseID = "a" }), []Observed{marketAt("a", 2100_00), marketAt("b", 2100_00), marketAt("c", 2100_00)}, 2100_00, 2100_00, 2100_00, 0, "3 homes compare (0 leases of our own, 3 of market data), around 2100.00; suggested 2100.00 after 2000.00 now"},
		{"one twice is one", offer(), append(leasesAt(2100_00, 2100_00), leasesAt(2100_00)...), 0, 0, 0, 0, "2 homes compare (2 leases of our own, 0 of market data), fewer than 3; nothing is suggested"},
		{"nonsense is none", offer(), leasesAt(2100_00, 2100_00, 0, -1, maxRent+1), 0, 0, 0, 0, "2 homes compare (2 leases of our own, 0 of market data), fewer than 3; nothing is suggested"},
		{"a senseless present rent is none", with(func(o *Offer) { o.Rent = -5 }), nil, 0, 0, 0, 0, "0 homes compare, fewer than 3; nothing is suggested"},
	} {
		got := SuggestAsking(c.offer, c.list, askingRules())
		require.Equal(t, []policy.Cents{c.rent, c.low, c.high}, []policy.Cents{got.Rent, got.Low, got.High}, c.name)
		require.Equal(t, c.off, got.Off, c.name)
		require.Equal(t, c.reason, got.Reason, c.name)
		require.Equal(t, max(c.offer.Rent, 0), got.Current, c.name)
		require.Equal(t, got.Low > 0, got.Confidence > 0, c.name)
	}
}

func TestHowObservationsAreAdjusted(t *testing.T) {
	t.Parallel()
	o := offer()
	o.Built = 1962
	bigger, newer, old, unknown := leaseAt("2", 2000_00), leaseAt("3", 2000_00), marketAt("a", 2000_00), marketAt("b", 2000_00)
	bigger.Beds, bigger.Baths, bigger.Size, bigger.PropertyID = 3, 2, 1000, "1"
	newer.Built = 1982
	old.Since, old.Built = "2026-08-01", 1952
	unknown.Since, unknown.BedsKnown = "", false
	got := SuggestAsking(o, []Observed{bigger, newer, old, unknown}, askingRules())
	require.Equal(t, []UsedHome{
		// 20 years newer are 10 %.
		{SourceLease, "3", 2000_00, 1800_00, 100, "same property, built 1982, not 1962"},
		{"market:zillow", "a", 2000_00, 2100_00, 51, "same postal code, built 1952, not 1962, seen more than 90 days ago"},
		{SourceLease, "2", 2000_00, 1600_00, 38, "same property, 3 for 2 bedrooms, 2 for 1 baths, 1000 for 800 sq ft"},
		{"market:zillow", "b", 2000_00, 2000_00, 33, "same postal code, bedrooms not known, seen at an unknown time"},
	}, got.Comparables)
}

func TestAskingConfidence(t *testing.T) {
	t.Parallel()
	of := func(list []Observed) int { return SuggestAsking(offer(), list, askingRules()).Confidence }
	require.Zero(t, of(leasesAt(2100_00, 2100_00)))
	require.Equal(t, 62, of(leasesAt(2100_00, 2100_00, 2100_00)))
	require.Equal(t, 90, of(leasesAt(slices.Repeat([]policy.Cents{2100_00}, 10)...)))
	require.Less(t, of(leasesAt(1800_00, 2100_00, 2400_00)), 62, "they lie apart")
	require.Less(t, of([]Observed{marketAt("1", 2100_00), marketAt("2", 2100_00), marketAt("3", 2100_00)}), 62, "they are less near")
}

func drawObserved(t *rapid.T) []Observed {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Observed {
		home := drawHome(t)
		home.Built = rapid.SampledFrom([]int{0, 1890, 1962, 2020}).Draw(t, "built")
		return Observed{
			Source: rapid.SampledFrom([]string{SourceLease, SourceMarket + "a", SourceMarket + "b"}).Draw(t, "source"),
			Ref:    fmt.Sprint(rapid.IntRange(1, 40).Draw(t, "id")), Rent: policy.Cents(rapid.IntRange(-10, 600_000).Draw(t, "rent")), Home: home,
			Since: rapid.SampledFrom([]string{"2026-11-01", "2026-06-01", "2025-01-01", "", "x"}).Draw(t, "since"),
		}
	}), 0, 40).Draw(t, "list")
}

func drawOffer(t *rapid.T) (Offer, policy.AskingPrice) {
	share := func(name string, most int) policy.Permille {
		return policy.Permille(rapid.IntRange(0, most).Draw(t, name))
	}
	rules := policy.AskingPrice{
		Below: share("below", 999), Above: share("above", 1000), PerBed: share("bed", 300), PerBath: share("bath", 300), PerSize: share("size", 300),
		PerYear: share("year", 100), RoundTo: policy.Cents(rapid.SampledFrom([]int{1, 100, 500, 100_000}).Draw(t, "round")),
		Standing: []policy.StandingStep{{After: 10 * day, Off: share("first", 100)}, {After: 30 * day, Off: 100 + share("second", 400)}},
	}
	o := Offer{
		LeaseID: "1", Rent: policy.Cents(rapid.IntRange(0, 600_000).Draw(t, "rent")), Home: drawHome(t), AsOf: today,
		ListedDays: rapid.IntRange(-1, 60).Draw(t, "days"), PricedDays: rapid.IntRange(-1, 60).Draw(t, "priced"),
	}
	o.Built = rapid.SampledFrom([]int{0, 1962}).Draw(t, "built")
	return o, rules
}

func TestAnAskingRentIsWithinBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, rules := drawOffer(t)
		got := SuggestAsking(o, drawObserved(t), rules)
		require.GreaterOrEqual(t, got.Rent, policy.Cents(0))
		require.LessOrEqual(t, got.Rent, policy.Cents(maxRent))
		if got.Confidence > 0 {
			require.Positive(t, got.Rent)
			require.LessOrEqual(t, got.Low, got.Rent)
			require.LessOrEqual(t, got.Rent, got.High)
			require.True(t, got.Confidence >= 25 && got.Confidence <= 90)
		} else {
			require.Zero(t, got.Low+got.High)
		}
		// A placeholder bounds nothing, and then nothing sensible is near it.
		if got.Rent > 0 && o.Rent > 0 && !isPlaceholder(got) {
			require.LessOrEqual(t, int64(got.Rent)*1000, int64(o.Rent)*int64(1000+rules.Above))
			require.GreaterOrEqual(t, int64(got.Rent)*1000, int64(o.Rent)*int64(1000-rules.Below))
		}
		require.LessOrEqual(t, len(got.Comparables), maxShown)
		encoded, err := json.Marshal(got)
		require.NoError(t, err)
		require.Less(t, len(encoded), 16<<10)
	})
}

func isPlaceholder(a Asking) bool {
	for _, u := range a.Comparables {
		if u.AdjustedRent > a.Current*senseless || u.AdjustedRent*senseless < a.Current {
			return true
		}
	}
	return false
}

// However long a home stands, its rent never rises for it.
func TestStandingNeverRaises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, rules := drawOffer(t)
		list := drawObserved(t)
		longer := o
		longer.ListedDays = o.ListedDays + rapid.IntRange(0, 60).Draw(t, "longer")
		before, after := SuggestAsking(o, list, rules), SuggestAsking(longer, list, rules)
		if before.Rent > 0 {
			require.LessOrEqual(t, after.Rent, before.Rent)
		}
		require.Equal(t, before.Confidence, after.Confidence)
	})
}

func TestOrderOfObservationsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, rules := drawOffer(t)
		list := drawObserved(t)
		shuffled := slices.Clone(list)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		require.Equal(t, SuggestAsking(o, list, rules), SuggestAsking(o, shuffled, rules))
	})
}
