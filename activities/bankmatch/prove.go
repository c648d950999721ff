package bankmatch

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Statement is what a statement says of itself, and the sum of its lines.
type Statement struct {
	ID string
	// From and To are days, both included.
	From, To string
	// Opening and Closing are the balances where Balances is true.
	Opening, Closing policy.Cents
	Balances         bool
	Sum              policy.Cents
}

// The kinds of flaws.
const (
	// FlawSum: opening balance and lines do not give the closing balance.
	FlawSum = "sum"
	// FlawGap: money moved between two statements, or may have; FlawOverlap: two cover
	// the same days, so that their balances cannot be compared.
	FlawGap     = "gap"
	FlawOverlap = "overlap"
)

// Flaw is why statements of one account do not prove each other.
type Flaw struct {
	// Kind is one of the constants; Statement the ID of the later statement.
	Kind, Statement string
	// Why is a sentence; Difference what is missing where that is known.
	Why        string
	Difference policy.Cents
}

// Prove checks that the lines of each statement lead from its opening to its closing
// balance, and that each begins where the one before it ended. Statements may come in
// any order. Days without a statement are no gap where the balances around them are the
// same: then nothing happened.
func Prove(statements []Statement) []Flaw {
	sorted := slices.Clone(statements)
	slices.SortFunc(sorted, func(a, b Statement) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.ID, b.ID))
	})
	var flaws []Flaw
	for i, s := range sorted {
		if s.Balances && s.Opening+s.Sum != s.Closing {
			flaws = append(flaws, Flaw{Kind: FlawSum, Statement: s.ID, Difference: s.Closing - s.Opening - s.Sum,
				Why: fmt.Sprintf("The lines from %s to %s do not lead from the opening to the closing balance.", s.From, s.To)})
		}
		if i > 0 {
			flaws = append(flaws, between(sorted[i-1], s)...)
		}
	}
	return flaws
}

func between(before, s Statement) []Flaw {
	flaw := Flaw{Kind: FlawGap, Statement: s.ID}
	gap := dayNumber(s.From) - dayNumber(before.To)
	balances := before.Balances && s.Balances
	same := balances && before.Closing == s.Opening
	switch {
	case gap < 0, gap == 0 && !same:
		flaw.Kind = FlawOverlap
		flaw.Why = fmt.Sprintf("The statements until %s and from %s cover the same days: their balances cannot be compared.", before.To, s.From)
	case same:
		return nil
	case balances:
		flaw.Difference = s.Opening - before.Closing
		flaw.Why = fmt.Sprintf("The statement from %s does not begin with the balance of %s: read in what is missing between them.", s.From, before.To)
	case gap > 1:
		flaw.Why = fmt.Sprintf("There is no statement between %s and %s, and no balances prove that nothing happened.", before.To, s.From)
	default:
		return nil
	}
	return []Flaw{flaw}
}

// The ages that Age tells apart.
const (
	AgeWeek  = "0-7"
	AgeMonth = "8-30"
	AgeTwo   = "31-60"
	AgeOld   = "over 60"
)

// Age is how many days ago a day was, by the groups above. A day that cannot be read is
// old: somebody is to look at it.
func Age(day, today string) string {
	from, fromErr := time.Parse(time.DateOnly, day)
	to, toErr := time.Parse(time.DateOnly, today)
	if fromErr != nil || toErr != nil {
		return AgeOld
	}
	switch days := int(to.Sub(from).Hours() / 24); {
	case days <= 7:
		return AgeWeek
	case days <= 30:
		return AgeMonth
	case days <= 60:
		return AgeTwo
	}
	return AgeOld
}

// dayNumber counts days, so that they can be compared; -1 is for none.
func dayNumber(day string) int {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return -1
	}
	return int(t.Unix() / (24 * 60 * 60))
}
