package comparables

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

// SourceLease is the source of a comparable that is one of our own leases; that of an
// imported one begins with SourceMarket.
const (
	SourceLease  = "lease"
	SourceMarket = "market:"
)

// Offer is a home that is to be let.
type Offer struct {
	// LeaseID is that of the lease in force, which is not compared; "" for none.
	LeaseID string
	// Rent is the present asking rent, a month; 0 where there is none.
	Rent policy.Cents
	Home
	// AsOf is the day, YYYY-MM-DD; ListedDays is for how long it has been offered, of which
	// PricedDays had passed when the present asking rent was settled.
	AsOf       string
	ListedDays int
	PricedDays int
}

// Observed is another home's rent, of a lease or of market data.
type Observed struct {
	// Source is SourceLease, or SourceMarket and the name of the data; Ref names it there.
	Source, Ref string
	Rent        policy.Cents
	Home
	// Since is the day on which the rent was agreed, or seen; YYYY-MM-DD, "" where unknown.
	Since string
}

// Asking is a suggested asking rent and how it came about.
type Asking struct {
	// Rent is 0 where nothing can be suggested.
	Rent policy.Cents `json:"rent"`
	// Low and High are the middle half of comparable rents, within the bounds; 0 where
	// there are too few.
	Low  policy.Cents `json:"low"`
	High policy.Cents `json:"high"`
	// Current is the present asking rent, 0 for none.
	Current policy.Cents `json:"current"`
	// Confidence is in percent, 0 where too few homes compare.
	Confidence int `json:"confidence"`
	// Off is what DaysListed take off.
	DaysListed int             `json:"days_listed,omitempty"`
	Off        policy.Permille `json:"off,omitempty"`
	// Comparables are the heaviest first, at most 20.
	Comparables []UsedHome `json:"comparables,omitempty"`
	Reason      string     `json:"reason"`
	// Notes say what could not be read.
	Notes []string `json:"notes,omitempty"`
}

// UsedHome is a home that was compared.
type UsedHome struct {
	Source       string       `json:"source"`
	Ref          string       `json:"ref"`
	Rent         policy.Cents `json:"rent"`
	AdjustedRent policy.Cents `json:"adjusted_rent"`
	Weight       int          `json:"weight"`
	Reason       string       `json:"reason"`
}

const (
	// senseless is how many times the present rent may be the comparables', or they it,
	// before it is taken for a placeholder.
	senseless = 4
	// marketAge is after how many days market data counts a little less.
	marketAge = 90
	// otherAge is from how many years on a difference in age is told.
	otherAge = 10
)

// SuggestAsking suggests an asking rent. It never fails and never leaves the bounds of
// policy about the present rent. With fewer than Enough comparables it has no confidence
// and no range; it suggests then what the days on the market take off the present rent since
// that was settled, a first guess where there is no present rent, and else nothing.
func SuggestAsking(o Offer, list []Observed, rules policy.AskingPrice) Asking {
	if o.Rent < 0 || o.Rent > maxRent {
		o.Rent = 0
	}
	out := Asking{Current: o.Rent, DaysListed: max(o.ListedDays, 0), Off: standing(o.ListedDays, rules.Standing)}
	used := weighObserved(o, list, rules)
	var median, raw policy.Cents
	why := []string{counted(used)}
	switch {
	case len(used) >= Enough:
		median = quantile(used, 2)
		raw, out.Confidence = median, confidence(used, median)
		why[0] += fmt.Sprintf(", around %s", median)
	case len(used) > 0 && o.Rent == 0:
		raw = quantile(used, 2)
		why[0] += fmt.Sprintf(", fewer than %d: a first guess", Enough)
	default:
		why[0] += fmt.Sprintf(", fewer than %d", Enough)
		// What was taken off before is in the present rent.
		if out.Off = max(out.Off-standing(o.PricedDays, rules.Standing), 0); out.Off > 0 {
			raw = o.Rent
		}
	}
	out.Comparables = shown(used)
	if raw <= 0 {
		out.Reason = strings.Join(append(why, "nothing is suggested"), "; ")
		return out
	}
	b, believed := o.bounds(median, rules)
	if !believed {
		why = append(why, fmt.Sprintf("the present rent of %s makes no sense beside them", o.Rent))
	}
	if median > 0 {
		out.Low, out.High = b.hold(quantile(used, 1)), b.hold(quantile(used, 3))
	}
	if out.Off > 0 {
		raw -= out.Off.Of(raw)
		why = append(why, fmt.Sprintf("%s off for %d days on the market", out.Off, out.DaysListed))
	}
	out.Rent = b.round(b.hold(raw), rules.RoundTo)
	if median > 0 {
		out.Low, out.High = min(out.Low, out.Rent), max(out.High, out.Rent)
	}
	switch {
	case raw > b.high:
		why = append(why, fmt.Sprintf("held back by the policy's most, %s above", rules.Above))
	case raw < b.low:
		why = append(why, fmt.Sprintf("raised to the policy's least, %s below", rules.Below))
	}
	last := fmt.Sprintf("suggested %s", out.Rent)
	if o.Rent > 0 {
		last += fmt.Sprintf(" after %s now", o.Rent)
	}
	out.Reason = strings.Join(append(why, last), "; ")
	return out
}

// bounds are those about the present rent, where there is one to believe.
func (o Offer) bounds(median policy.Cents, rules policy.AskingPrice) (b bounds, believed bool) {
	believed = median <= 0 || o.Rent == 0 || o.Rent*senseless >= median && o.Rent <= median*senseless
	if !believed || o.Rent == 0 {
		return bounds{low: 1, high: maxRent}, believed
	}
	return bounds{low: o.Rent - down(o.Rent, rules.Below), high: o.Rent + down(o.Rent, rules.Above)}, true
}

// standing is what the last step that was reached takes off.
func standing(days int, steps []policy.StandingStep) policy.Permille {
	var off policy.Permille
	for _, s := range steps {
		if time.Duration(days)*24*time.Hour >= s.After {
			off = s.Off
		}
	}
	return off
}

// keyOf names an observation; refOf is its way back.
func keyOf(o Observed) string { return o.Source + "\x00" + o.Ref }

func refOf(key string) (source, ref string) {
	source, ref, _ = strings.Cut(key, "\x00")
	return source, ref
}

// weighObserved adjusts and weighs the observations that are like enough.
func weighObserved(o Offer, list []Observed, rules policy.AskingPrice) []Used {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Observed) int {
		return cmp.Or(compareID(keyOf(a), keyOf(b)), cmp.Compare(a.Rent, b.Rent), cmp.Compare(a.Since, b.Since), compareHome(a.Home, b.Home))
	})
	sorted = slices.CompactFunc(sorted, func(a, b Observed) bool { return keyOf(a) == keyOf(b) })
	var used []Used
	for _, c := range sorted {
		own := c.Source == SourceLease && c.Ref == o.LeaseID
		if own || c.Rent <= 0 || c.Rent > maxRent {
			continue
		}
		weight, why := nearness(o.Home, c.Home)
		alike, how := likeness(o.Home, c.Home)
		fresh, old := freshness(o.AsOf, c.Since)
		if c.Source != SourceLease {
			fresh, old = seenFor(o.AsOf, c.Since)
		}
		if weight = weight * alike * fresh / 10_000; weight <= 0 {
			continue
		}
		reasons := append([]string{why}, how...)
		if o.Built > 0 && c.Built > 0 && apart(o.Built, c.Built) >= otherAge {
			reasons = append(reasons, fmt.Sprintf("built %d, not %d", c.Built, o.Built))
		}
		by := adjustment(o.Home, c.Home, rates{bed: rules.PerBed, bath: rules.PerBath, size: rules.PerSize, year: rules.PerYear})
		used = append(used, Used{
			LeaseID: keyOf(c), Rent: c.Rent, AdjustedRent: c.Rent + by.Of(c.Rent), Weight: weight, Reason: strings.Join(append(reasons, old...), ", "),
		})
	}
	return heaviest(used)
}

// seenFor is how recent market data is, in percent.
func seenFor(today, day string) (percent int, why []string) {
	end, err := time.Parse(time.DateOnly, today)
	seen, err2 := time.Parse(time.DateOnly, day)
	switch {
	case err != nil || err2 != nil:
		return 80, []string{"seen at an unknown time"}
	case end.Sub(seen) > marketAge*24*time.Hour:
		return 85, []string{fmt.Sprintf("seen more than %d days ago", marketAge)}
	}
	return 100, nil
}

// counted says how many homes compare.
func counted(used []Used) string {
	own := 0
	for _, u := range used {
		if source, _ := refOf(u.LeaseID); source == SourceLease {
			own++
		}
	}
	homes := fmt.Sprintf("%d homes compare", len(used))
	if len(used) == 1 {
		homes = "1 home compares"
	}
	if len(used) == 0 {
		return homes
	}
	return homes + fmt.Sprintf(" (%s of our own, %d of market data)", leases(own), len(used)-own)
}

// shown are the heaviest.
func shown(used []Used) []UsedHome {
	slices.SortFunc(used, func(a, b Used) int { return cmp.Or(cmp.Compare(b.Weight, a.Weight), compareID(a.LeaseID, b.LeaseID)) })
	var out []UsedHome
	for _, u := range used[:min(len(used), maxShown)] {
		source, ref := refOf(u.LeaseID)
		out = append(out, UsedHome{Source: source, Ref: ref, Rent: u.Rent, AdjustedRent: u.AdjustedRent, Weight: u.Weight, Reason: u.Reason})
	}
	return out
}
