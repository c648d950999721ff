package anomalies

import (
	"fmt"
	"slices"

	"github.com/aictive/keyholder/policy"
)

const (
	// mostEarlier is how many of the latest amounts are compared: two years of months.
	mostEarlier = 24
	// maxAmount is what larger amounts are taken for, in cents, so that nothing overflows:
	// ten billion dollars.
	maxAmount policy.Cents = 1e12
	// maxScore bounds the policy's score for the same reason: 100.0.
	maxScore = 1000
	// leastSpread is the least spread, in cents: a dollar; or, of larger medians, a
	// hundredth of it. Else a rent that never changes would make a cent unusual.
	leastSpread = 100
	spreadOf    = 100
	// scoreOf times the distance from the median by the spread is the modified z-score, in
	// ten thousandths (Iglewicz and Hoaglin: 0.6745).
	scoreOf = 6745
)

// spread is the median of amounts and their median absolute deviation. Medians may lie
// between two cents: the first is in half cents, the second in quarters, so that all are
// whole numbers.
type spread struct {
	halves, quarters int64
	count            int
	least, most      policy.Cents
}

// spreadOver needs one amount at least.
func spreadOver(amounts []int64) spread {
	slices.Sort(amounts)
	s := spread{halves: twiceMedian(amounts), count: len(amounts), least: policy.Cents(amounts[0]), most: policy.Cents(amounts[len(amounts)-1])}
	far := make([]int64, len(amounts))
	for i, a := range amounts {
		far[i] = distance(2*a, s.halves)
	}
	slices.Sort(far)
	s.quarters = max(twiceMedian(far), 4*leastSpread, 2*s.halves/spreadOf)
	return s
}

// twiceMedian of sorted numbers is their median times two.
func twiceMedian(sorted []int64) int64 {
	n := len(sorted)
	return sorted[(n-1)/2] + sorted[n/2]
}

func distance(a, b int64) int64 { return max(a-b, b-a) }

// tenths is the modified z-score of an amount in tenths, rounded down.
func (s spread) tenths(amount int64) int64 {
	// Half cents by quarters is twice the ratio; ten thousandths by tenths is a thousand.
	return scoreOf * 2 * distance(2*amount, s.halves) / (1000 * s.quarters)
}

// unusual compares a charge with the earlier ones of its lease and account by median and
// median absolute deviation, which few odd amounts do not move. It has to be far by the
// score, by the share of the median and by the amount. all are in order, and hold the
// charge itself.
func unusual(t dated, all []dated, rules policy.Anomalies) (Finding, bool) {
	var amounts []int64
	for _, k := range all {
		if k.ID != t.ID && !k.day.After(t.day) {
			amounts = append(amounts, bounded(k.Amount))
		}
	}
	if len(amounts) < max(1, rules.UnusualLeast) {
		return Finding{}, false
	}
	s := spreadOver(amounts[max(0, len(amounts)-mostEarlier):])
	amount := bounded(t.Amount)
	far := distance(2*amount, s.halves)
	if s.tenths(amount) < int64(min(rules.UnusualScore, maxScore)) || far*1000 < s.halves*int64(rules.UnusualChange) || far < 2*int64(rules.UnusualAmount) {
		return Finding{}, false
	}
	median := policy.Cents(s.halves / 2)
	return Finding{
		ID: UnusualAmount + "/" + t.ID, Kind: UnusualAmount, Severity: severity(policy.Cents(far/2), rules),
		Reason: fmt.Sprintf("%s is %s times the median of %s, over %d earlier charges of the same lease and account.", t.Amount, factor(amount, s.halves), median, s.count),
		Evidence: []Evidence{
			{"Amount", t.Amount.String()},
			{"Day", t.Day},
			{"Median of the earlier ones", median.String()},
			{"Smallest and largest of them", s.least.String() + " and " + s.most.String()},
			{"Modified z-score", tenth(s.tenths(amount))},
		},
		Transactions: []string{t.ID}, LeaseID: t.LeaseID, Amount: t.Amount,
	}, true
}

func bounded(c policy.Cents) int64 { return int64(min(max(c, 0), maxAmount)) }

// factor is how many times the median an amount is, to a tenth, rounded half up.
func factor(amount, halves int64) string {
	if halves == 0 {
		return "many"
	}
	return tenth((10*2*amount + halves/2) / halves)
}

func tenth(n int64) string { return fmt.Sprintf("%d.%d", n/10, n%10) }
