package leasescore

import (
	"cmp"
	"slices"
	"time"

	"github.com/aictive/keyholder/policy"
)

// Payment is what fell due on one day, and when it was paid in full.
type Payment struct {
	// Due and Paid are YYYY-MM-DD; Paid is "" while some of it is open.
	Due    string       `json:"due"`
	Paid   string       `json:"paid,omitempty"`
	Amount policy.Cents `json:"amount"`
	// LateDays counts from Due to Paid, or to today; 0 within the days of grace.
	LateDays int `json:"late_days"`
}

// Booking is a charge or a payment on a lease's ledger.
type Booking struct {
	// Date is YYYY-MM-DD.
	Date   string
	Amount policy.Cents
}

// maxBookings bounds what is matched; the newest count.
const maxBookings = 5000

// PaymentsOf finds when the charges of the 12 months before today were paid: the
// oldest charge is paid first, whatever a payment was meant for. Charges of one day are
// one. Earlier bookings only use each other up; whoever reads some months more than 12
// loses little by the first of them. A charge in its days of grace that is still open is
// left out: nobody knows yet. ok is false where a date cannot be read: what is built on
// it would mislead.
func PaymentsOf(charges, payments []Booking, today string, grace int) (list []Payment, ok bool) {
	end, known := dayOf(today)
	if !known {
		return nil, false
	}
	due, ok := byDay(charges)
	paid, fine := byDay(payments)
	if !ok || !fine {
		return nil, false
	}
	due, paid = offset(due, paid)
	begin := end.AddDate(-1, 0, 0)
	var left policy.Cents
	next := 0
	for _, c := range due {
		open, last := c.amount, time.Time{}
		for open > 0 {
			if left == 0 {
				if next == len(paid) || paid[next].at.After(end) {
					break
				}
				left, next = paid[next].amount, next+1
			}
			used := min(open, left)
			open, left = open-used, left-used
			if open == 0 {
				last = paid[next-1].at
			}
		}
		p := Payment{Due: c.at.Format(time.DateOnly), Amount: c.amount}
		until := end
		if !last.IsZero() {
			p.Paid, until = last.Format(time.DateOnly), last
		}
		late := daysBetween(c.at, until)
		if late > max(grace, 0) {
			p.LateDays = late
		}
		decided := p.Paid != "" || p.LateDays > 0
		if decided && c.at.After(begin) && !c.at.After(end) {
			list = append(list, p)
		}
	}
	return list, true
}

// sum is what was booked on a day.
type sum struct {
	at     time.Time
	amount policy.Cents
}

// byDay adds up each day's bookings, the oldest first.
func byDay(list []Booking) ([]sum, bool) {
	var days []sum
	for _, b := range list {
		at, ok := dayOf(b.Date)
		if !ok {
			return nil, false
		}
		days = append(days, sum{at, b.Amount})
	}
	slices.SortStableFunc(days, func(a, b sum) int { return a.at.Compare(b.at) })
	var out []sum
	for _, d := range days {
		if n := len(out); n > 0 && out[n-1].at.Equal(d.at) {
			out[n-1].amount += d.amount
			continue
		}
		out = append(out, d)
	}
	return out[max(0, len(out)-maxBookings):], true
}

// offset moves what is negative to the other side: a credit pays, a payment that is
// taken back is owed from the day of that on.
func offset(due, paid []sum) (charges, payments []sum) {
	split := func(list []sum, same, other *[]sum) {
		for _, s := range list {
			switch {
			case s.amount > 0:
				*same = append(*same, s)
			case s.amount < 0:
				*other = append(*other, sum{s.at, -s.amount})
			}
		}
	}
	split(due, &charges, &payments)
	split(paid, &payments, &charges)
	order := func(a, b sum) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.amount, b.amount)) }
	slices.SortStableFunc(charges, order)
	slices.SortStableFunc(payments, order)
	return charges, payments
}

// dayOf reads "2026-11-24".
func dayOf(text string) (time.Time, bool) {
	at, err := time.Parse(time.DateOnly, text)
	return at, err == nil
}

// daysBetween counts days, negative where to is before from.
func daysBetween(from, to time.Time) int { return int(to.Sub(from) / (24 * time.Hour)) }

// MonthsBetween counts whole months from one day to another, YYYY-MM-DD; ok is false
// where one cannot be read. Never negative.
func MonthsBetween(from, to string) (months int, ok bool) {
	a, known := dayOf(from)
	b, valid := dayOf(to)
	if !known || !valid {
		return 0, false
	}
	months = (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month())
	if b.Day() < a.Day() {
		months--
	}
	return max(months, 0), true
}
