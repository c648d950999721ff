package anomalies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

const (
	// lookBack is for how many months missing rent is looked for.
	lookBack = 12
	// ahead is how many days before it is due rent may be charged.
	ahead = 14
	// firstDay and lastDay are no bounds.
	firstDay, lastDay = "0001-01-01", "9999-12-31"
)

// Lease is what was charged to a lease and paid, from a day on at which nothing was owed.
type Lease struct {
	ID                         string
	Charges, Payments, Credits []Known
	// Since is that day (YYYY-MM-DD), "" for the lease's beginning: nobody knows what was
	// charged before.
	Since string
	// RentAccount is the Account of charges of rent; "" takes every charge for one.
	RentAccount string
	// Recurring are the charges of rent that are to come every month.
	Recurring []Recurring
}

// Recurring is a charge of rent that is due every month, from and to a day (YYYY-MM-DD,
// included; "" is no bound).
type Recurring struct {
	Amount policy.Cents
	// DayDue is the day of the month, 31 for the last.
	DayDue   int
	From, To string
}

// Missing is the rent of a lease that should have come by today: charges that are not
// paid, and months that were not even charged, oldest first. Payments and credits cover
// the oldest charges first, of whatever account. It looks back twelve months.
func Missing(l Lease, today string, rules policy.Anomalies) []Finding {
	now, ok := dayOf(today)
	if !ok {
		return nil
	}
	return append(l.unpaid(now, rules), l.uncharged(now, rules)...)
}

// unpaid are charges of rent that are due for long and not covered.
func (l Lease) unpaid(now time.Time, rules policy.Anomalies) []Finding {
	all := func(Known) bool { return true }
	charges := read(l.Charges, all)
	cover := policy.Cents(0)
	for _, k := range slices.Concat(read(l.Payments, all), read(l.Credits, all)) {
		if !k.day.After(now) {
			cover += k.Amount
		}
	}
	var found []Finding
	for _, c := range charges {
		covered := max(0, min(cover, c.Amount))
		cover -= covered
		due := l.due(c.day)
		late := daysBetween(due, now)
		rest := c.Amount - covered
		if !l.isRent(c.Known) || rest <= 0 || rest < rules.MissingLeast || late <= rules.MissingAfter || due.Before(now.AddDate(0, -lookBack, 0)) {
			continue
		}
		found = append(found, Finding{
			ID: MissingPayment + "/" + c.ID, Kind: MissingPayment, Severity: severity(rest, rules),
			Reason: fmt.Sprintf("Of the rent of %s due on %s, %s has not been paid for %s.", c.Amount, due.Format(time.DateOnly), rest, days(late)),
			Evidence: []Evidence{
				{"Charged", c.Amount.String() + " on " + c.Day},
				{"Covered by payments and credits", covered.String()},
				{"Missing", rest.String()},
				{"Due", due.Format(time.DateOnly)},
			},
			Transactions: []string{c.ID}, LeaseID: l.ID, Amount: rest,
		})
	}
	return found
}

func (l Lease) isRent(k Known) bool { return l.RentAccount == "" || k.Account == l.RentAccount }

// due is when a charge of rent of a day is due: on that day, or on the next day due where
// it was charged ahead.
func (l Lease) due(charged time.Time) time.Time {
	for _, r := range l.Recurring {
		for month := range 2 {
			if d := r.due(charged.Year(), charged.Month()+time.Month(month)); r.runs(d) && !d.Before(charged) && daysBetween(charged, d) <= ahead {
				return d
			}
		}
	}
	return charged
}

// due is the day due of a month, the last one where it is shorter.
func (r Recurring) due(year int, month time.Month) time.Time {
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
	return time.Date(last.Year(), last.Month(), min(max(r.DayDue, 1), last.Day()), 0, 0, 0, 0, time.UTC)
}

// runs tells whether it is to be charged on a day; one whose bounds cannot be read is not.
func (r Recurring) runs(day time.Time) bool {
	from, fromOK := dayOf(cmp.Or(r.From, firstDay))
	to, toOK := dayOf(cmp.Or(r.To, lastDay))
	return fromOK && toOK && !day.Before(from) && !day.After(to) && r.Amount > 0
}

// uncharged are months whose rent was due for long and for which none was charged: one
// finding a month, however many charges recur.
func (l Lease) uncharged(now time.Time, rules policy.Anomalies) []Finding {
	since, ok := dayOf(cmp.Or(l.Since, firstDay))
	if !ok {
		return nil
	}
	rents := read(l.Charges, l.isRent)
	var found []Finding
	for back := lookBack; back >= 0; back-- {
		month := time.Date(now.Year(), now.Month()-time.Month(back), 1, 0, 0, 0, 0, time.UTC)
		sum, due := l.expected(month)
		late := daysBetween(due, now)
		unknown := due.AddDate(0, 0, -ahead).Before(since)
		charged := slices.ContainsFunc(rents, func(c dated) bool { return belongs(c.day, due) })
		if unknown || charged || sum <= 0 || sum < rules.MissingLeast || late <= rules.MissingAfter {
			continue
		}
		name := month.Format("2006-01")
		found = append(found, Finding{
			ID: strings.Join([]string{MissingPayment, "lease", l.ID, name}, "/"), Kind: MissingPayment, Severity: severity(sum, rules),
			Reason: fmt.Sprintf("The rent of %s due on %s was not even charged.", sum, due.Format(time.DateOnly)),
			Evidence: []Evidence{
				{"Expected", sum.String() + " from the lease's recurring charges"},
				{"Due", due.Format(time.DateOnly)},
				{"Charged", "nothing"},
			},
			LeaseID: l.ID, Amount: sum,
		})
	}
	return found
}

// expected is what recurs in a month, and when the first of it is due.
func (l Lease) expected(month time.Time) (sum policy.Cents, due time.Time) {
	for _, r := range l.Recurring {
		d := r.due(month.Year(), month.Month())
		if !r.runs(d) {
			continue
		}
		if sum == 0 || d.Before(due) {
			due = d
		}
		sum += r.Amount
	}
	return sum, due
}

// belongs tells whether a charge of a day is that of a day due: from two weeks ahead until
// two weeks ahead of the same day in the next month.
func belongs(charged, due time.Time) bool {
	next := Recurring{DayDue: due.Day()}.due(due.Year(), due.Month()+1)
	return !charged.Before(due.AddDate(0, 0, -ahead)) && charged.Before(next.AddDate(0, 0, -ahead))
}
