package anomalies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Of is what is conspicuous about a charge among those of its lease: that it is one of
// them twice, and that its amount is unusual; and which later amounts are unusual, now
// that it is known, since charges may come in any order. history may hold t itself and
// other leases.
//
// Payments are not looked at: two of the same amount on one day are usual where tenants
// share a home, and so are parts of any size.
func Of(t Known, history []Known, rules policy.Anomalies) []Finding {
	day, ok := dayOf(t.Day)
	if !ok || t.Kind != Charge {
		return nil
	}
	this := dated{t, day}
	alike := read(history, func(k Known) bool {
		return k.Kind == Charge && k.LeaseID == t.LeaseID && k.Account == t.Account && k.ID != t.ID
	})
	found := duplicates(this, alike, rules)
	all := append([]dated{this}, alike...)
	slices.SortFunc(all, earlier)
	for _, k := range all {
		if k.day.Before(this.day) {
			continue
		}
		if f, unusual := unusual(k, all, rules); unusual {
			found = append(found, f)
		}
	}
	return found
}

// duplicates pairs a charge with the same one within the policy's days. Where there are
// more than two of them, each later one is paired with the earliest, so that whichever of
// them one looks at, the same pairs are found.
func duplicates(t dated, alike []dated, rules policy.Anomalies) []Finding {
	var found []Finding
	for _, k := range alike {
		apart := daysBetween(t.day, k.day)
		if k.Amount != t.Amount || max(apart, -apart) > rules.DuplicateDays || monthly(t.day, k.day) {
			continue
		}
		if earlier(k, t) < 0 {
			return []Finding{duplicate(k, t, rules)}
		}
		found = append(found, duplicate(t, k, rules))
	}
	return found
}

// monthly tells whether two days are one month's and the next one's same day, or the last
// of both: what recurs is no duplicate, however many days the policy allows.
func monthly(a, b time.Time) bool {
	if b.Before(a) {
		a, b = b, a
	}
	next := time.Date(a.Year(), a.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	if b.Year() != next.Year() || b.Month() != next.Month() {
		return false
	}
	return a.Day() == b.Day() || isLast(b) && a.Day() > b.Day() || isLast(a) && isLast(b)
}

func isLast(day time.Time) bool { return day.AddDate(0, 0, 1).Day() == 1 }

func duplicate(first, second dated, rules policy.Anomalies) Finding {
	apart := daysBetween(first.day, second.day)
	when := "on the same day"
	if apart > 0 {
		when = "within " + days(apart)
	}
	texts := "different"
	if strings.EqualFold(strings.TrimSpace(first.Text), strings.TrimSpace(second.Text)) {
		texts = "the same"
	}
	ids := []string{first.ID, second.ID}
	slices.SortFunc(ids, byID)
	return Finding{
		ID: DuplicateCharge + "/" + strings.Join(ids, "+"), Kind: DuplicateCharge, Severity: severity(second.Amount, rules),
		Reason: fmt.Sprintf("%s was charged twice to the same lease and account %s.", second.Amount, when),
		Evidence: []Evidence{
			{"First", first.ID + " of " + first.Day},
			{"Second", second.ID + " of " + second.Day},
			{"Amount of each", second.Amount.String()},
			{"Texts", texts},
		},
		Transactions: ids, LeaseID: second.LeaseID, Amount: second.Amount,
	}
}
