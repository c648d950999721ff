package comparables

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

const (
	// Enough is how many comparables a suggestion needs.
	Enough = 3
	// maxComparables bounds what is compared, maxShown what is shown.
	maxComparables = 200
	maxShown       = 20
	// maxRent bounds a month's rent that is believed, in cents.
	maxRent = 100_000_00
	// lowConfidence is that of the usual increase, in percent.
	lowConfidence = 20
)

// How much a comparable counts by where it is, in percent. Homes elsewhere do not.
const (
	sameProperty   = 100
	samePostalCode = 60
	sameCity       = 30
)

// Suggest suggests a rent. It never fails and never leaves the limits: with fewer than
// Enough comparables it is the policy's usual increase, with little confidence; where
// the present rent is not known it is 0, and a person decides.
func Suggest(s Subject, list []Comparable, limits Limits) Suggestion {
	out := Suggestion{Current: s.Rent}
	if s.Rent <= 0 || s.Rent > maxRent {
		out.Current, out.Reason = max(s.Rent, 0), "the present rent is not known, or makes no sense: a person decides"
		return out
	}
	used := weigh(s, list, limits.Pricing)
	b := limits.around(s.Rent)
	var why []string
	raw := s.Rent + limits.Usual.Of(s.Rent)
	if len(used) < Enough {
		out.Confidence = lowConfidence
		out.Low, out.High = b.low, b.high
		why = append(why, fmt.Sprintf("%s to compare, fewer than %d: the usual increase of %s", leases(len(used)), Enough, limits.Usual))
	} else {
		out.Median = quantile(used, 2)
		raw = out.Median
		out.Low, out.High = b.hold(quantile(used, 1)), b.hold(quantile(used, 3))
		out.Confidence = confidence(used, out.Median)
		why = append(why, fmt.Sprintf("%s compare, around %s", leases(len(used)), out.Median))
	}
	out.Rent = b.round(b.hold(raw), limits.RoundTo)
	out.Low, out.High = min(out.Low, out.Rent), max(out.High, out.Rent)
	if note := b.note(raw, limits); note != "" {
		why = append(why, note)
	}
	if raw > b.high && b.capped {
		out.Cap = limits.Cap
	}
	out.Reason = strings.Join(append(why, fmt.Sprintf("suggested %s after %s now", out.Rent, s.Rent)), "; ")
	slices.SortFunc(used, func(a, b Used) int { return cmp.Or(cmp.Compare(b.Weight, a.Weight), compareID(a.LeaseID, b.LeaseID)) })
	out.Comparables = used[:min(len(used), maxShown)]
	return out
}

// bounds are the least and the greatest rent.
type bounds struct {
	low, high policy.Cents
	// capped tells that the law sets the greatest.
	capped bool
}

// around are the bounds about a rent. Nothing goes above a legal cap, not even the least
// increase that the business wants.
func (l Limits) around(rent policy.Cents) bounds {
	b := bounds{low: rent + up(rent, l.Least)}
	b.high = max(rent+down(rent, l.Most), b.low)
	if lawful := rent + down(rent, l.Cap); l.Cap > 0 && lawful < b.high {
		b.high, b.capped = lawful, true
	}
	b.low = min(b.low, b.high)
	return b
}

// down and up are a share that is rounded so that it stays within the share, or reaches
// it.
func down(rent policy.Cents, p policy.Permille) policy.Cents {
	return floorDiv(rent*policy.Cents(p), 1000)
}

func up(rent policy.Cents, p policy.Permille) policy.Cents {
	return -floorDiv(-rent*policy.Cents(p), 1000)
}

func floorDiv(n, by policy.Cents) policy.Cents {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

// hold keeps a rent within the bounds.
func (b bounds) hold(rent policy.Cents) policy.Cents { return min(max(rent, b.low), b.high) }

// round takes the nearest step within the bounds, the rent itself where there is none.
func (b bounds) round(rent, step policy.Cents) policy.Cents {
	if step <= 1 {
		return rent
	}
	below := floorDiv(rent, step) * step
	nearest, other := below, below+step
	if rent-below >= other-rent {
		nearest, other = other, below
	}
	for _, r := range []policy.Cents{nearest, other} {
		if r >= b.low && r <= b.high {
			return r
		}
	}
	return rent
}

// note says what held a rent back, "" where nothing did.
func (b bounds) note(raw policy.Cents, l Limits) string {
	switch {
	case raw > b.high && b.capped:
		return fmt.Sprintf("held back by the legal limit of %s", l.Cap)
	case raw > b.high:
		return fmt.Sprintf("held back by the policy's most, %s", max(l.Most, l.Least))
	case raw < b.low:
		return fmt.Sprintf("raised to the policy's least, %s", l.Least)
	}
	return ""
}

// weigh adjusts and weighs the comparables that are like enough, by lease.
func weigh(s Subject, list []Comparable, rules policy.Pricing) []Used {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Comparable) int {
		return cmp.Or(compareID(a.LeaseID, b.LeaseID), cmp.Compare(a.Rent, b.Rent), cmp.Compare(a.Since, b.Since), compareHome(a.Home, b.Home))
	})
	sorted = slices.CompactFunc(sorted, func(a, b Comparable) bool { return a.LeaseID == b.LeaseID })
	var used []Used
	for _, c := range sorted {
		if c.LeaseID == s.LeaseID || c.Rent <= 0 || c.Rent > maxRent {
			continue
		}
		weight, why := nearness(s.Home, c.Home)
		alike, how := likeness(s.Home, c.Home)
		age, old := freshness(s.AsOf, c.Since)
		if weight = weight * alike * age / 10_000; weight <= 0 {
			continue
		}
		by := adjustment(s.Home, c.Home, rates{bed: rules.PerBed, bath: rules.PerBath, size: rules.PerSize})
		used = append(used, Used{
			LeaseID: c.LeaseID, Rent: c.Rent, AdjustedRent: c.Rent + by.Of(c.Rent), Weight: weight,
			Reason: strings.Join(append(append([]string{why}, how...), old...), ", "),
		})
	}
	return heaviest(used)
}

// heaviest sorts the comparables by their weight and leaves out the lightest. None weighs
// as much as all others together, so that one alone never decides.
func heaviest(used []Used) []Used {
	slices.SortFunc(used, func(a, b Used) int { return cmp.Or(cmp.Compare(b.Weight, a.Weight), compareID(a.LeaseID, b.LeaseID)) })
	used = used[:min(len(used), maxComparables)]
	if len(used) >= Enough {
		others := 0
		for _, u := range used[1:] {
			others += u.Weight
		}
		used[0].Weight = min(used[0].Weight, max(others-1, 1))
	}
	return used
}

// Nearest picks the n leases whose rents are most worth looking up, the best first, by
// place and likeness; their rents need not be known. It leaves the subject's own lease
// out, and what would count nothing.
func Nearest(s Subject, list []Comparable, n int) []Comparable {
	type ranked struct {
		Comparable
		weight int
	}
	var found []ranked
	for _, c := range list {
		near, _ := nearness(s.Home, c.Home)
		alike, _ := likeness(s.Home, c.Home)
		age, _ := freshness(s.AsOf, c.Since)
		if weight := near * alike * age; weight > 0 && c.LeaseID != s.LeaseID {
			found = append(found, ranked{c, weight})
		}
	}
	slices.SortStableFunc(found, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), compareID(a.LeaseID, b.LeaseID))
	})
	var out []Comparable
	for _, r := range found[:min(len(found), max(n, 0))] {
		out = append(out, r.Comparable)
	}
	return out
}

// nearness is where a home is, in percent.
func nearness(s, c Home) (percent int, why string) {
	same := func(a, b string) bool {
		return strings.TrimSpace(a) != "" && strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
	}
	switch {
	case same(s.PropertyID, c.PropertyID):
		return sameProperty, "same property"
	case same(s.PostalCode, c.PostalCode) && (s.State == "" || c.State == "" || same(s.State, c.State)):
		return samePostalCode, "same postal code"
	case same(s.City, c.City) && same(s.State, c.State):
		return sameCity, "same city"
	}
	return 0, ""
}

// likeness is how alike two homes are, in percent: three bedrooms apart is too far.
func likeness(s, c Home) (percent int, why []string) {
	percent = 100
	switch n := apart(s.Beds, c.Beds); {
	case !s.BedsKnown || !c.BedsKnown:
		percent, why = 70, append(why, "bedrooms not known")
	case n == 1:
		percent, why = 60, append(why, fmt.Sprintf("%d for %d bedrooms", c.Beds, s.Beds))
	case n == 2:
		percent, why = 25, append(why, fmt.Sprintf("%d for %d bedrooms", c.Beds, s.Beds))
	case n > 2:
		return 0, nil
	}
	if n := apart(s.Baths, c.Baths); s.Baths > 0 && c.Baths > 0 && n > 0 {
		percent, why = percent*(100-15*min(n, 3))/100, append(why, fmt.Sprintf("%d for %d baths", c.Baths, s.Baths))
	}
	if s.Size > 0 && c.Size > 0 {
		if off := 100 * apart(s.Size, c.Size) / s.Size; off >= 10 {
			percent, why = percent*(100-min(off, 60))/100, append(why, fmt.Sprintf("%d for %d sq ft", c.Size, s.Size))
		}
	}
	return percent, why
}

func apart(a, b int) int { return max(a-b, b-a) }

// freshness is how recently a rent was agreed, in percent.
func freshness(today, since string) (percent int, why []string) {
	const year = 365 * 24 * time.Hour
	end, err := time.Parse(time.DateOnly, today)
	begin, err2 := time.Parse(time.DateOnly, since)
	switch age := end.Sub(begin); {
	case err != nil || err2 != nil:
		return 80, []string{"agreed at an unknown time"}
	case age > 2*year:
		return 60, []string{"agreed more than two years ago"}
	case age > year:
		return 85, []string{"agreed more than a year ago"}
	}
	return 100, nil
}

// maxAdjustment bounds what a rent is adjusted by: a share beyond it says that the homes
// are not alike.
const maxAdjustment policy.Permille = 400

// rates are what a bedroom, a bath, a tenth more floor and a year of age are worth.
type rates struct{ bed, bath, size, year policy.Permille }

// adjustment is what a comparable's rent would be more, or less, in the subject's home.
func adjustment(s, c Home, rules rates) policy.Permille {
	var by policy.Permille
	if s.BedsKnown && c.BedsKnown {
		by += policy.Permille(clamp(s.Beds-c.Beds, 10)) * rules.bed
	}
	if s.Baths > 0 && c.Baths > 0 {
		by += policy.Permille(clamp(s.Baths-c.Baths, 10)) * rules.bath
	}
	if s.Size > 0 && c.Size > 0 {
		more := clamp(1000*clamp(s.Size-c.Size, 1_000_000)/c.Size, 1000) // in thousandths
		by += policy.Permille(more) * rules.size / 100                   // of a tenth more
	}
	if s.Built > 0 && c.Built > 0 {
		by += policy.Permille(clamp(s.Built-c.Built, 200)) * rules.year
	}
	return min(max(by, -maxAdjustment), maxAdjustment)
}

func clamp(n, limit int) int { return min(max(n, -limit), limit) }

// quantile is the least adjusted rent at or below which so many quarters of all weights
// lie.
func quantile(used []Used, quarters int) policy.Cents {
	sorted := slices.Clone(used)
	slices.SortFunc(sorted, func(a, b Used) int {
		return cmp.Or(cmp.Compare(a.AdjustedRent, b.AdjustedRent), compareID(a.LeaseID, b.LeaseID))
	})
	all, below := 0, 0
	for _, u := range sorted {
		all += u.Weight
	}
	for _, u := range sorted {
		if below += u.Weight; 4*below >= all*quarters {
			return u.AdjustedRent
		}
	}
	return 0
}

// confidence grows with the number of comparables and how alike and near they are, and
// falls with how far they lie apart: from 25 to 90 percent.
func confidence(used []Used, median policy.Cents) int {
	weight := 0
	for _, u := range used {
		weight += u.Weight
	}
	spread := int(min((quantile(used, 3)-quantile(used, 1))*100/max(median, 1), 100))
	return min(max(30+4*min(len(used), 10)+20*weight/(100*len(used))-spread, 25), 90)
}

func leases(n int) string {
	if n == 1 {
		return "1 lease"
	}
	return fmt.Sprintf("%d leases", n)
}

// compareID puts numbers in their order: "9" before "10".
func compareID(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

func compareHome(a, b Home) int {
	return cmp.Or(
		cmp.Compare(a.PropertyID, b.PropertyID), cmp.Compare(a.PostalCode, b.PostalCode), cmp.Compare(a.City, b.City),
		cmp.Compare(a.State, b.State), compareBool(a.BedsKnown, b.BedsKnown), cmp.Compare(a.Beds, b.Beds), cmp.Compare(a.Baths, b.Baths), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Built, b.Built),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
