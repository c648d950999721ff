package comparables

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

const today = "2026-11-22"

// rules are round numbers.
func rules() policy.Pricing {
	return policy.Pricing{Least: 10, Usual: 30, Most: 80, RoundTo: 5_00, PerBed: 80, PerBath: 40, PerSize: 40}
}

// flat has two bedrooms, one bath and 800 sq ft.
func flat(property, code, city string) Home {
	return Home{PropertyID: property, PostalCode: code, City: city, State: "OR", Beds: 2, BedsKnown: true, Baths: 1, Size: 800}
}

func subject() Subject {
	return Subject{LeaseID: "1", Rent: 2000_00, Home: flat("1", "97209", "Portland"), AsOf: today}
}

func other(id string, rent policy.Cents, home Home) Comparable {
	return Comparable{LeaseID: id, Rent: rent, Home: home, Since: "2026-06-01"}
}

// near are comparables in the same property.
func near(rents ...policy.Cents) []Comparable {
	var list []Comparable
	for i, r := range rents {
		list = append(list, other(fmt.Sprint(10+i), r, flat("1", "97209", "Portland")))
	}
	return list
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	limits := func(change func(*Limits)) Limits {
		l := Limits{Pricing: rules()}
		change(&l)
		return l
	}
	plain := limits(func(*Limits) {})
	for _, c := range []struct {
		name     string
		list     []Comparable
		limits   Limits
		rent     policy.Cents
		low      policy.Cents
		high     policy.Cents
		lawfully policy.Permille
		reason   string
	}{
		{"the median", near(2040_00, 2100_00, 2140_00), plain, 2100_00, 2040_00, 2140_00, 0, "3 leases compare, around 2100.00; suggested 2100.00 after 2000.00 now"},
		{"rounded to steps", near(2040_00, 2101_99, 2140_00), plain, 2100_00, 2040_00, 2140_00, 0, "3 leases compare, around 2101.99; suggested 2100.00 after 2000.00 now"},
		{"up to the next step", near(2040_00, 2102_50, 2140_00), plain, 2105_00, 2040_00, 2140_00, 0, "3 leases compare, around 2102.50; suggested 2105.00 after 2000.00 now"},
		{"the most", near(2900_00, 2900_00, 2900_00), plain, 2160_00, 2160_00, 2160_00, 0, "3 leases compare, around 2900.00; held back by the policy's most, 8%; suggested 2160.00 after 2000.00 now"},
		{"the least", near(1500_00, 1500_00, 1500_00), plain, 2020_00, 2020_00, 2020_00, 0, "3 leases compare, around 1500.00; raised to the policy's least, 1%; suggested 2020.00 after 2000.00 now"},
		{"the law", near(2900_00, 2900_00, 2900_00), limits(func(l *Limits) { l.Cap = 55 }), 2110_00, 2110_00, 2110_00, 55, "3 leases compare, around 2900.00; held back by the legal limit of 5.5%; suggested 2110.00 after 2000.00 now"},
		{"the law below the policy's least", near(2900_00, 2900_00, 2900_00), limits(func(l *Limits) { l.Cap = 5 }), 2010_00, 2010_00, 2010_00, 5, "3 leases compare, around 2900.00; held back by the legal limit of 0.5%; suggested 2010.00 after 2000.00 now"},
		{"the law above the policy's most", near(2900_00, 2900_00, 2900_00), limits(func(l *Limits) { l.Cap = 100 }), 2160_00, 2160_00, 2160_00, 0, "3 leases compare, around 2900.00; held back by the policy's most, 8%; suggested 2160.00 after 2000.00 now"},
		{"too few", near(2900_00, 2900_00), plain, 2060_00, 2020_00, 2160_00, 0, "2 leases to compare, fewer than 3: the usual increase of 3%; suggested 2060.00 after 2000.00 now"},
		{"none", nil, plain, 2060_00, 2020_00, 2160_00, 0, "0 leases to compare, fewer than 3: the usual increase of 3%; suggested 2060.00 after 2000.00 now"},
		{"no step within the limits", nil, limits(func(l *Limits) { l.RoundTo, l.Cap = 150_00, 30 }), 2060_00, 2020_00, 2060_00, 0, "0 leases to compare, fewer than 3: the usual increase of 3%; suggested 2060.00 after 2000.00 now"},
		{"one lease twice is one", append(near(2100_00, 2100_00), near(2100_00)...), plain, 2060_00, 2020_00, 2160_00, 0, "2 leases to compare, fewer than 3: the usual increase of 3%; suggested 2060.00 after 2000.00 now"},
		{"its own lease is none", append(near(2100_00, 2100_00), other("1", 2100_00, flat("1", "97209", "Portland"))), plain, 2060_00, 2020_00, 2160_00, 0, "2 leases to compare, fewer than 3: the usual increase of 3%; suggested 2060.00 after 2000.00 now"},
		{"nonsense rents are none", append(near(2100_00, 2100_00), near(0, 0, -1, maxRent+1)[2:]...), plain, 2060_00, 2020_00, 2160_00, 0, "2 leases to compare, fewer than 3: the usual increase of 3%; suggested 2060.00 after 2000.00 now"},
		{"elsewhere is none", []Comparable{
			other("2", 2100_00, flat("9", "10001", "New York")), other("3", 2100_00, flat("9", "10001", "New York")), other("4", 2100_00, Home{}),
		}, plain, 2060_00, 2020_00, 2160_00, 0, "0 leases to compare, fewer than 3: the usual increase of 3%; suggested 2060.00 after 2000.00 now"},
	} {
		got := Suggest(subject(), c.list, c.limits)
		require.Equal(t, c.rent, got.Rent, c.name)
		require.Equal(t, c.low, got.Low, c.name)
		require.Equal(t, c.high, got.High, c.name)
		require.Equal(t, c.lawfully, got.Cap, c.name)
		require.Equal(t, c.reason, got.Reason, c.name)
		require.Equal(t, policy.Cents(2000_00), got.Current)
	}
}

func TestAnUnknownRentIsLeftToAPerson(t *testing.T) {
	t.Parallel()
	for _, rent := range []policy.Cents{0, -1, maxRent + 1} {
		s := subject()
		s.Rent = rent
		got := Suggest(s, near(2100_00, 2100_00, 2100_00), Limits{Pricing: rules()})
		require.Zero(t, got.Rent)
		require.Zero(t, got.Confidence)
		require.Contains(t, got.Reason, "a person decides")
	}
}

func TestHowHomesAreComparedAndWeighed(t *testing.T) {
	t.Parallel()
	bigger := flat("1", "97209", "Portland")
	bigger.Beds, bigger.Baths, bigger.Size = 3, 2, 1000
	studio, palace := flat("1", "97209", "Portland"), flat("1", "97209", "Portland")
	studio.Beds, palace.Beds = 0, 5
	unknown := Home{PropertyID: "1"}
	old := other("7", 2000_00, flat("1", "97209", "Portland"))
	old.Since = "2024-01-01"
	got := Suggest(subject(), []Comparable{
		other("2", 2000_00, flat("1", "97209", "Portland")), other("3", 2000_00, flat("2", "97209", "Portland")),
		other("4", 2000_00, flat("3", "97210", " portland ")), other("5", 2000_00, bigger), other("6", 2000_00, unknown),
		old, other("8", 2000_00, studio), other("9", 2000_00, palace),
	}, Limits{Pricing: rules()})
	require.Equal(t, []Used{
		{"2", 2000_00, 2000_00, 100, "same property"},
		{"6", 2000_00, 2000_00, 70, "same property, bedrooms not known"},
		{"3", 2000_00, 2000_00, 60, "same postal code"},
		{"7", 2000_00, 2000_00, 60, "same property, agreed more than two years ago"},
		// 60 % for a bedroom, 85 % of it for a bath, 75 % of it for 200 sq ft; 8 % for
		// the bedroom, 4 % for the bath and 8 % for 20 % less size are taken off.
		{"5", 2000_00, 1600_00, 38, "same property, 3 for 2 bedrooms, 2 for 1 baths, 1000 for 800 sq ft"},
		{"4", 2000_00, 2000_00, 30, "same city"},
		{"8", 2000_00, 2320_00, 25, "same property, 0 for 2 bedrooms"},
	}, got.Comparables)
	require.Equal(t, policy.Cents(2000_00), got.Median)
}

// The one in the same property would outweigh the two others.
func TestNoneDecidesAlone(t *testing.T) {
	t.Parallel()
	list := []Comparable{
		other("2", 9000_00, flat("1", "97209", "Portland")), other("3", 2040_00, flat("2", "1", "Portland")), other("4", 2100_00, flat("2", "1", "Portland")),
	}
	got := Suggest(subject(), list, Limits{Pricing: rules()})
	require.Equal(t, policy.Cents(2100_00), got.Median)
	require.Equal(t, 59, got.Comparables[0].Weight)
	list[0].Rent = 100_00
	require.Equal(t, policy.Cents(2040_00), Suggest(subject(), list, Limits{Pricing: rules()}).Median)
}

// Of an even number of equal ones the lower of the two in the middle counts.
func TestTheLowerOfTwoMiddles(t *testing.T) {
	t.Parallel()
	got := Suggest(subject(), near(2040_00, 2060_00, 2100_00, 2140_00), Limits{Pricing: rules()})
	require.Equal(t, policy.Cents(2060_00), got.Rent)
}

func TestConfidence(t *testing.T) {
	t.Parallel()
	of := func(list []Comparable) int { return Suggest(subject(), list, Limits{Pricing: rules()}).Confidence }
	alike := []policy.Cents{2100_00, 2100_00, 2100_00, 2100_00, 2100_00, 2100_00, 2100_00, 2100_00, 2100_00, 2100_00}
	require.Equal(t, 20, of(near(2100_00)))
	require.Equal(t, 30+12+20, of(near(alike[:3]...)))
	require.Equal(t, 90, of(near(alike...)))
	require.Equal(t, 30+12+20-19, of(near(1900_00, 2100_00, 2300_00)), "they lie 19 percent apart")
	far := near(alike...)
	for i := range far {
		far[i].PropertyID, far[i].PostalCode = "2", "1"
	}
	require.Equal(t, 30+40+6, of(far), "they are in the same city only")
}

func TestNearest(t *testing.T) {
	t.Parallel()
	list := []Comparable{
		other("9", 0, flat("2", "97209", "Portland")), other("1", 0, flat("1", "97209", "Portland")), other("12", 0, flat("1", "97209", "Portland")),
		other("4", 0, flat("4", "1", "Elsewhere")), other("3", 0, flat("1", "97209", "Portland")),
	}
	ids := func(n int) []string {
		out := []string{}
		for _, c := range Nearest(subject(), list, n) {
			out = append(out, c.LeaseID)
		}
		return out
	}
	require.Equal(t, []string{"3", "12", "9"}, ids(50))
	require.Equal(t, []string{"3", "12"}, ids(2))
	require.Empty(t, ids(-1))
}

func TestLimitsOf(t *testing.T) {
	t.Parallel()
	r := policy.Renewal{Pricing: rules(), Notice: []policy.NoticeRule{
		{State: "*", Days: 30}, {State: "OR", Days: 90, Cap: 95}, {State: "CA", Days: 30}, {State: "CA", Over: 100, Days: 90, Cap: 100}, {State: "TX"},
	}}
	for state, want := range map[string]policy.Permille{"OR": 95, "or": 95, "CA": 100, "TX": 0, "NV": 0, "": 0} {
		l := LimitsOf(r, state)
		require.Equal(t, want, l.Cap, state)
		require.Equal(t, rules(), l.Pricing)
	}
	r.Notice[0].Cap = 200
	require.Equal(t, policy.Permille(200), LimitsOf(r, "NV").Cap)
	require.Equal(t, policy.Permille(0), LimitsOf(r, "TX").Cap, "a state's own rules stand alone")
}

func drawHome(t *rapid.T) Home {
	return Home{
		PropertyID: rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "property"), PostalCode: rapid.SampledFrom([]string{"97209", "97210", ""}).Draw(t, "code"),
		City: "Portland", State: "OR", Beds: rapid.IntRange(0, 5).Draw(t, "beds"), BedsKnown: rapid.Bool().Draw(t, "beds known"),
		Baths: rapid.IntRange(0, 3).Draw(t, "baths"), Size: rapid.IntRange(0, 3000).Draw(t, "size"),
	}
}

func drawList(t *rapid.T, least int) []Comparable {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Comparable {
		return Comparable{
			LeaseID: fmt.Sprint(rapid.IntRange(1, 40).Draw(t, "id")), Rent: policy.Cents(rapid.IntRange(-10, 600_000).Draw(t, "rent")), Home: drawHome(t),
			Since: rapid.SampledFrom([]string{"2026-06-01", "2025-01-01", "2020-01-01", "", "x"}).Draw(t, "since"),
		}
	}), least, 30).Draw(t, "list")
}

func drawLimits(t *rapid.T) Limits {
	share := func(name string, most int) policy.Permille {
		return policy.Permille(rapid.IntRange(0, most).Draw(t, name))
	}
	return Limits{
		Pricing: policy.Pricing{
			Least: share("least", 100), Usual: share("usual", 300), Most: share("most", 200), PerBed: share("bed", 300), PerBath: share("bath", 300),
			PerSize: share("size", 300), RoundTo: policy.Cents(rapid.SampledFrom([]int{0, 1, 100, 500, 1000, 100_000}).Draw(t, "round")),
		},
		Cap: share("cap", 150),
	}
}

func TestASuggestionIsWithinLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := Subject{LeaseID: "1", Rent: policy.Cents(rapid.IntRange(1, 900_000).Draw(t, "rent")), Home: drawHome(t), AsOf: today}
		list, l := drawList(t, 0), drawLimits(t)
		got := Suggest(s, list, l)
		rise := func(to policy.Cents) int64 { return int64(to-s.Rent) * 1000 } // in permille of the rent
		require.LessOrEqual(t, got.Low, got.Rent)
		require.LessOrEqual(t, got.Rent, got.High)
		require.GreaterOrEqual(t, got.Rent, s.Rent)
		if l.Cap > 0 {
			require.LessOrEqual(t, rise(got.High), int64(l.Cap)*int64(s.Rent))
			require.LessOrEqual(t, policy.Increase(s.Rent, got.Rent), l.Cap)
		}
		if l.Most >= l.Least {
			// Where a least increase of less than a cent has to be rounded up, it may be
			// a cent more.
			require.LessOrEqual(t, rise(got.High), max(int64(l.Most)*int64(s.Rent), int64(l.Least)*int64(s.Rent)+1000))
		}
		if l.Cap == 0 {
			require.GreaterOrEqual(t, rise(got.Low), int64(l.Least)*int64(s.Rent))
		}
		require.GreaterOrEqual(t, got.Confidence, 20)
		require.LessOrEqual(t, got.Confidence, 90)
		require.LessOrEqual(t, len(got.Comparables), maxShown)
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := Subject{LeaseID: "1", Rent: 200_000, Home: drawHome(t), AsOf: today}
		list, l := drawList(t, 0), drawLimits(t)
		shuffled := slices.Clone(list)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		require.Equal(t, Suggest(s, list, l), Suggest(s, shuffled, l))
		for i, c := range Nearest(s, list, 5) {
			require.Equal(t, c.LeaseID, Nearest(s, shuffled, 5)[i].LeaseID)
		}
	})
}

// One comparable, whatever its rent, moves the median no further than the rents of the
// others; among equals no further than its neighbours.
func TestOneOutlierMovesLittle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		alike := rapid.Bool().Draw(t, "alike")
		s := subject()
		var list []Comparable
		for i, c := range drawList(t, 4) {
			c.LeaseID, c.Rent, c.PropertyID = fmt.Sprint(100+i), max(c.Rent, 100_000), "1"
			c.BedsKnown = false // so that none is too unlike
			if alike {
				c.Home, c.Since = s.Home, "2026-06-01"
			}
			list = append(list, c)
		}
		without := func(rent policy.Cents) Suggestion {
			moved := slices.Clone(list)
			moved[0].Rent = rent
			return Suggest(s, moved, Limits{Pricing: rules()})
		}
		lowest, highest := without(1), without(maxRent)
		got := Suggest(s, list, Limits{Pricing: rules()})
		require.LessOrEqual(t, lowest.Median, got.Median)
		require.LessOrEqual(t, got.Median, highest.Median)
		var rents []policy.Cents
		for _, u := range weigh(s, list[1:], rules()) {
			rents = append(rents, u.AdjustedRent)
		}
		slices.Sort(rents)
		require.Contains(t, rents, lowest.Median)
		require.Contains(t, rents, highest.Median)
		if alike {
			last := len(rents) - 1
			for last > 0 && rents[last] != lowest.Median {
				last--
			}
			require.LessOrEqual(t, highest.Median, rents[min(last+1, len(rents)-1)])
		}
	})
}
