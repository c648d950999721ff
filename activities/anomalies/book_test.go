package anomalies

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/policy"
)

// bookEnd is the day after which the book of the test ends.
const bookEnd = "2026-11-22"

// book is a made-up rent roll: what leases are charged and pay, with what is planted.
type book struct {
	r      *rand.Rand
	leases []Lease
	serial int
	// planted are the IDs of what is to be found.
	planted map[string]bool
}

// naturalBook has 200 leases of 24 months: rent that rises once a year, utilities with a
// season of 40 % about their mean, late fees, deposits, parking and credits, paid a few
// days later and now and then in two parts. The first 60 leases have something planted.
func naturalBook(seed uint64) *book {
	b := &book{r: rand.New(rand.NewPCG(seed, 1)), planted: map[string]bool{}}
	for i := range 200 {
		b.lease(i)
	}
	return b
}

func (b *book) cents(from, to int) policy.Cents {
	return policy.Cents(from+b.r.IntN(to-from+1)) * 100
}

func (b *book) add(l *Lease, account string, cents policy.Cents, day time.Time) Known {
	b.serial++
	k := Known{ID: fmt.Sprintf("charge/%d", b.serial), Kind: Charge, LeaseID: l.ID, Account: account, Amount: cents, Day: day.Format(time.DateOnly)}
	l.Charges = append(l.Charges, k)
	return k
}

// pay is a payment some days later, now and then in two parts.
func (b *book) pay(l *Lease, cents policy.Cents, day time.Time) {
	parts := []policy.Cents{cents}
	if b.r.IntN(12) == 0 {
		parts = []policy.Cents{cents / 2, cents - cents/2}
	}
	for _, part := range parts {
		b.serial++
		day = day.AddDate(0, 0, b.r.IntN(4))
		l.Payments = append(l.Payments, Known{ID: fmt.Sprintf("payment/%d", b.serial), Kind: Payment, LeaseID: l.ID, Amount: part, Day: day.Format(time.DateOnly)})
	}
}

// seasons are the share of the mean that a month's utilities are, in percent.
var seasons = []int{140, 135, 120, 100, 80, 65, 60, 65, 80, 100, 120, 135}

func (b *book) lease(i int) {
	l := Lease{ID: fmt.Sprint(i + 1), RentAccount: "rent"}
	rent, mean, parking, late := b.cents(900, 3200), b.cents(60, 220), b.cents(25, 120), b.cents(35, 90)
	start := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC)
	stopped := start.AddDate(5, 0, 0)
	if i >= 40 && i < 50 {
		stopped = start.AddDate(0, 20+b.r.IntN(4), 0)
	}
	b.add(&l, "deposit", rent, start)
	b.pay(&l, rent, start)
	recurring := Recurring{Amount: rent, DayDue: 1, From: start.Format(time.DateOnly)}
	for month := range 24 {
		first := start.AddDate(0, month, 0)
		if month == 12 {
			recurring.To = first.AddDate(0, 0, -1).Format(time.DateOnly)
			l.Recurring = append(l.Recurring, recurring)
			rent += rent * policy.Cents(20+b.r.IntN(70)) / 1000
			recurring = Recurring{Amount: rent, DayDue: 1, From: first.Format(time.DateOnly)}
		}
		owed := policy.Cents(0)
		charge := func(account string, cents policy.Cents, day int) Known {
			owed += cents
			return b.add(&l, account, cents, first.AddDate(0, 0, day))
		}
		if i >= 50 && i < 60 && month == 12+i%10 {
			b.planted["missing_payment/lease/"+l.ID+"/"+first.Format("2006-01")] = true
		} else if c := charge("rent", rent, -b.r.IntN(2)*b.r.IntN(6)); !first.Before(stopped) {
			b.planted["missing_payment/"+c.ID] = true
		}
		season := policy.Cents(seasons[(int(first.Month())-1)%12] * (85 + b.r.IntN(31)))
		utilities := mean * season / 10000
		switch planted := month == 10+i%13; {
		case planted && i < 20:
			c := charge("utilities", utilities, 9)
			again := charge("utilities", utilities, 9+b.r.IntN(7))
			b.planted["duplicate_charge/"+c.ID+"+"+again.ID] = true
		case planted && i < 40:
			b.planted["unusual_amount/"+charge("utilities", mean*policy.Cents(4+b.r.IntN(7)), 9).ID] = true
		default:
			charge("utilities", utilities, 9)
		}
		if i%3 == 0 {
			charge("parking", parking, 0)
		}
		if b.r.IntN(9) == 0 {
			charge("late_fee", late, 6)
		}
		if first.Before(stopped) {
			b.pay(&l, owed, first.AddDate(0, 0, 10))
		}
	}
	l.Recurring = append(l.Recurring, recurring)
	b.leases = append(b.leases, l)
}

// Whatever the order in which charges come, what is planted among them is found.
func TestPlantedIsFoundInAnyOrder(t *testing.T) {
	t.Parallel()
	b := naturalBook(99)
	found := map[string]bool{}
	for _, l := range b.leases {
		b.r.Shuffle(len(l.Charges), func(i, j int) { l.Charges[i], l.Charges[j] = l.Charges[j], l.Charges[i] })
		for i, c := range l.Charges {
			for _, f := range Of(c, l.Charges[:i], rules()) {
				found[f.ID] = true
			}
		}
	}
	for id := range b.planted {
		require.True(t, found[id] || strings.HasPrefix(id, MissingPayment), id)
	}
}

// What is planted in a natural book is found, all of it and once, and hardly anything
// else. The counts are logged: go test -v.
func TestNaturalBook(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		b := naturalBook(seed)
		charges, wrong := 0, map[string]int{}
		found := map[string]int{}
		for _, l := range b.leases {
			history := slices.Clone(l.Charges)
			slices.SortStableFunc(history, func(x, y Known) int { return strings.Compare(x.Day, y.Day) })
			once := map[string]bool{}
			for i, c := range history {
				charges++
				// As it comes, and again when all is known.
				for _, f := range slices.Concat(Of(c, history[:i], rules()), Of(c, history, rules())) {
					once[f.ID] = true
				}
			}
			for _, f := range Missing(l, bookEnd, rules()) {
				once[f.ID] = true
			}
			for id := range once {
				found[id]++
				if kind, _, _ := strings.Cut(id, "/"); !b.planted[id] {
					wrong[kind]++
				}
			}
		}
		for id := range b.planted {
			require.Equal(t, 1, found[id], "%s of seed %d", id, seed)
		}
		t.Logf("seed %d: %d charges, %d planted and found; false alarms: %d duplicates, %d unusual, %d missing",
			seed, charges, len(b.planted), wrong[DuplicateCharge], wrong[UnusualAmount], wrong[MissingPayment])
		require.GreaterOrEqual(t, len(b.planted), 60)
		require.Zero(t, wrong[DuplicateCharge])
		require.Less(t, wrong[UnusualAmount]*100, charges)
		require.Zero(t, wrong[MissingPayment])
	}
}
