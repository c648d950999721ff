package anomalies

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

func paid(id int, cents policy.Cents, day string) Known {
	return Known{ID: fmt.Sprintf("payment/%d", id), Kind: Payment, LeaseID: "7", Amount: cents, Day: day}
}

// rented is a lease with rent charged since August.
func rented(change func(l *Lease)) Lease {
	l := Lease{
		ID: "7", RentAccount: "rent",
		Charges: []Known{
			charged(1, "rent", 150000, "2026-08-01"), charged(2, "rent", 150000, "2026-09-01"), charged(3, "late_fee", 5000, "2026-09-06"), charged(4, "rent", 150000, "2026-10-01"),
		},
		Recurring: []Recurring{{Amount: 150000, DayDue: 1, From: "2026-08-01"}},
	}
	change(&l)
	return l
}

func TestUnpaid(t *testing.T) {
	t.Parallel()
	pays := func(days ...Known) func(l *Lease) { return func(l *Lease) { l.Payments = days } }
	for name, c := range map[string]struct {
		lease  Lease
		today  string
		want   []string
		amount policy.Cents
	}{
		"all paid": {rented(pays(paid(1, 150000, "2026-08-03"), paid(2, 305000, "2026-10-02"))), "2026-10-30", nil, 0},
		"nothing paid": {rented(pays()), "2026-10-30", []string{
			"missing_payment/charge/1", "missing_payment/charge/2", "missing_payment/charge/4",
		}, 150000},
		"the newest is what is missing":    {rented(pays(paid(1, 305000, "2026-10-03"))), "2026-10-09", []string{"missing_payment/charge/4"}, 150000},
		"not yet late":                     {rented(pays(paid(1, 305000, "2026-10-03"))), "2026-10-08", nil, 0},
		"a part":                           {rented(pays(paid(1, 305000, "2026-09-03"), paid(2, 50000, "2026-10-03"))), "2026-10-09", []string{"missing_payment/charge/4"}, 100000},
		"a small rest":                     {rented(pays(paid(1, 452501, "2026-10-03"))), "2026-10-30", nil, 0},
		"a rest that matters":              {rented(pays(paid(1, 452500, "2026-10-03"))), "2026-10-30", []string{"missing_payment/charge/4"}, 2500},
		"two parts":                        {rented(pays(paid(1, 305000, "2026-09-03"), paid(2, 75000, "2026-10-03"), paid(3, 75000, "2026-10-04"))), "2026-10-30", nil, 0},
		"a payment of tomorrow":            {rented(pays(paid(1, 455000, "2026-10-31"))), "2026-10-30", []string{"missing_payment/charge/1", "missing_payment/charge/2", "missing_payment/charge/4"}, 150000},
		"a credit counts":                  {rented(func(l *Lease) { l.Credits = []Known{{ID: "charge/9", Kind: Credit, Amount: 455000, Day: "2026-10-02"}} }), "2026-10-30", nil, 0},
		"a fee is no rent, but is covered": {rented(func(l *Lease) { l.Charges, l.Payments = l.Charges[:3], []Known{paid(1, 300000, "2026-09-03")} }), "2026-09-30", nil, 0},
		"every charge is rent": {rented(func(l *Lease) {
			l.RentAccount, l.Charges, l.Payments = "", l.Charges[:3], []Known{paid(1, 300000, "2026-09-03")}
		}), "2026-09-30", []string{"missing_payment/charge/3"}, 5000},
		"charged ahead, not yet late": {rented(func(l *Lease) { l.Charges = []Known{charged(1, "rent", 150000, "2026-07-25")} }), "2026-08-08", nil, 0},
		"charged ahead, late":         {rented(func(l *Lease) { l.Charges = []Known{charged(1, "rent", 150000, "2026-07-25")} }), "2026-08-09", []string{"missing_payment/charge/1"}, 150000},
		"more than a year ago":        {rented(func(l *Lease) { l.Charges, l.Recurring = l.Charges[:1], nil }), "2027-08-02", nil, 0},
		"a year ago":                  {rented(func(l *Lease) { l.Charges, l.Recurring = l.Charges[:1], nil }), "2027-08-01", []string{"missing_payment/charge/1"}, 150000},
		"nobody knows what today is":  {rented(pays()), "", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := Missing(c.lease, c.today, rules())
			sound(t, found)
			require.Equal(t, append([]string{}, c.want...), ids(found))
			for _, f := range found {
				require.Equal(t, c.amount, f.Amount)
				require.Equal(t, "7", f.LeaseID)
			}
		})
	}
	found := Missing(rented(pays(paid(1, 305000, "2026-09-03"), paid(2, 50000, "2026-10-03"))), "2026-10-14", rules())
	require.Equal(t, "Of the rent of 1500.00 due on 2026-10-01, 1000.00 has not been paid for 13 days.", found[0].Reason)
	require.Equal(t, High, found[0].Severity)
}

func TestUncharged(t *testing.T) {
	t.Parallel()
	all := func(l *Lease) { l.Payments = []Known{paid(1, 10000000, "2026-08-01")} }
	with := func(change func(l *Lease)) Lease {
		return rented(func(l *Lease) {
			all(l)
			change(l)
		})
	}
	september := func(l *Lease) { l.Charges = slices.Delete(l.Charges, 1, 2) }
	monthly := func(r ...Recurring) func(l *Lease) {
		return func(l *Lease) { l.Charges, l.Recurring = nil, r }
	}
	for name, c := range map[string]struct {
		lease Lease
		today string
		want  []string
	}{
		"all charged":                 {with(func(*Lease) {}), "2026-10-31", nil},
		"one is missing":              {with(september), "2026-10-31", []string{"2026-09"}},
		"a fee does not stand for it": {with(func(l *Lease) { september(l); l.Charges[1].Amount = 150000 }), "2026-10-31", []string{"2026-09"}},
		"not yet late":                {with(func(*Lease) {}), "2026-11-08", nil},
		"late":                        {with(func(*Lease) {}), "2026-11-09", []string{"2026-11"}},
		"charged ahead":               {with(func(l *Lease) { l.Charges[1].Day = "2026-08-18" }), "2026-10-31", nil},
		"charged late":                {with(func(l *Lease) { l.Charges[1].Day = "2026-09-16" }), "2026-10-31", nil},
		"charged too far ahead":       {with(func(l *Lease) { l.Charges[1].Day = "2026-08-17" }), "2026-10-31", []string{"2026-09"}},
		"before it begins":            {with(monthly(Recurring{Amount: 5000, DayDue: 1, From: "2026-09-02"})), "2026-10-31", []string{"2026-10"}},
		"after it ends":               {with(monthly(Recurring{Amount: 5000, DayDue: 1, From: "2026-08-01", To: "2026-08-31"})), "2026-10-31", []string{"2026-08"}},
		"the last of every month":     {with(monthly(Recurring{Amount: 5000, DayDue: 31, From: "2027-02-28", To: "2027-04-30"})), "2027-06-01", []string{"2027-02", "2027-03", "2027-04"}},
		"two in one month are one":    {with(monthly(Recurring{Amount: 5000, DayDue: 9, From: "2026-10-01"}, Recurring{Amount: 6000, DayDue: 5, From: "2026-10-01"})), "2026-10-13", []string{"2026-10"}},
		"not even small ones":         {with(monthly(Recurring{Amount: 2499, DayDue: 1, From: "2026-10-01"})), "2026-10-31", nil},
		"a bound nobody can read":     {with(monthly(Recurring{Amount: 5000, DayDue: 1, From: "soon"})), "2026-10-31", nil},
		"nothing known before": {with(func(l *Lease) {
			monthly(Recurring{Amount: 5000, DayDue: 1})(l)
			l.Since = "2026-09-17"
		}), "2026-10-31", []string{"2026-10"}},
		"nothing known at all": {with(func(l *Lease) { september(l); l.Since = "soon" }), "2026-10-31", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := Missing(c.lease, c.today, rules())
			sound(t, found)
			var months []string
			for _, f := range found {
				months = append(months, strings.TrimPrefix(f.ID, "missing_payment/lease/7/"))
				require.Empty(t, f.Transactions)
			}
			require.Equal(t, c.want, months)
		})
	}
	found := Missing(with(monthly(Recurring{Amount: 5000, DayDue: 1})), "2026-11-22", rules())
	require.Len(t, found, lookBack+1, "it looks back a year")
	require.Equal(t, "missing_payment/lease/7/2025-11", found[0].ID)
	require.Equal(t, "The rent of 50.00 due on 2025-11-01 was not even charged.", found[0].Reason)
}

// What is missing is what is owed: never more, and nothing of a lease that is even.
func TestMissingIsOwed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		day := rapid.Map(rapid.IntRange(0, 200), func(n int) string { return start.AddDate(0, 0, n).Format(time.DateOnly) })
		l, owed := Lease{ID: "7"}, policy.Cents(0)
		for i := range rapid.IntRange(0, 8).Draw(t, "charges") {
			c := charged(i, "rent", policy.Cents(rapid.Int64Range(1, 300000).Draw(t, "charge")), day.Draw(t, "day"))
			l.Charges, owed = append(l.Charges, c), owed+c.Amount
		}
		for i := range rapid.IntRange(0, 8).Draw(t, "payments") {
			p := paid(i, policy.Cents(rapid.Int64Range(1, 300000).Draw(t, "payment")), day.Draw(t, "paid"))
			l.Payments, owed = append(l.Payments, p), owed-p.Amount
		}
		exact := rules()
		exact.MissingLeast = 1
		sum := policy.Cents(0)
		for _, f := range Missing(l, "2026-10-01", exact) {
			sum += f.Amount
		}
		require.Equal(t, max(0, owed), sum)
	})
}
