package anomalies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

// The kinds of transactions, as in bookkeeping. Others, such as bills, are not looked at.
const (
	Charge  = "charge"
	Payment = "payment"
	Credit  = "credit"
)

// Known is a transaction that counts. One whose day cannot be read is left out.
type Known struct {
	// ID is such as "charge/12"; Kind one of the constants.
	ID, Kind string
	LeaseID  string
	// Account is the category or RentVine's account, the same way throughout.
	Account string
	Amount  policy.Cents
	// Day is when it was posted, YYYY-MM-DD.
	Day string
	// Text is only compared, never quoted: it may name somebody.
	Text string
}

// dated is one with its day read.
type dated struct {
	Known
	day time.Time
}

// read are those that keep wants and whose days can be read, oldest first.
func read(all []Known, keep func(Known) bool) []dated {
	var out []dated
	for _, k := range all {
		if day, ok := dayOf(k.Day); ok && keep(k) {
			out = append(out, dated{k, day})
		}
	}
	slices.SortFunc(out, earlier)
	return out
}

// earlier orders by day, and within one as they were made.
func earlier(a, b dated) int {
	return cmp.Or(a.day.Compare(b.day), byID(a.ID, b.ID))
}

// byID orders "charge/9" before "charge/12".
func byID(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func dayOf(text string) (time.Time, bool) {
	day, err := time.Parse(time.DateOnly, text)
	return day, err == nil
}

// daysBetween counts from a to b; it is negative where b is earlier.
func daysBetween(a, b time.Time) int { return int(b.Sub(a) / (24 * time.Hour)) }

// severity of what concerns an amount: High from the policy's amount on, Medium from a
// fifth of it.
func severity(amount policy.Cents, rules policy.Anomalies) string {
	switch {
	case amount >= rules.High:
		return High
	case amount >= rules.High/5:
		return Medium
	}
	return Low
}

// days is "1 day" or "3 days".
func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
