// Package books makes up the books of a property manager: leases, a year of charges,
// payments and bills, what happens to them, and the bank's statement. Whatever is wrong
// in them was planted and is known. It is pure: the same Config gives the same books.
//
// Money is whole cents.
package books

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// The accounts of RentVine's stand-in.
const (
	Rent           = "1"
	Parking        = "2"
	LateFee        = "3"
	Utilities      = "4"
	PetRent        = "5"
	Repairs        = "7"
	Cleaning       = "8"
	Insurance      = "9"
	Misc           = "10"
	UtilitiesOwned = "11"
)

// Bounds of what is made.
const (
	MaxCount  = 40_000
	MaxLeases = 2_000
	// MaxMonths is the longest time between From and To.
	MaxMonths = 36
)

// Config says what is made.
type Config struct {
	Seed uint64 `json:"seed"`
	// Count is about how many transactions there are, bills too: leases are added until
	// there are so many. Where Leases is given, there are so many leases instead.
	Count  int `json:"count"`
	Leases int `json:"leases"`
	// From and To are the first and the last day, YYYY-MM-DD. An outlier needs eight
	// months.
	From string `json:"from"`
	To   string `json:"to"`
	// Duplicates, Gaps, Outliers and Unsure are how many are planted. Each duplicate,
	// gap and outlier has a lease of its own.
	Duplicates int `json:"duplicates"`
	Gaps       int `json:"gaps"`
	Outliers   int `json:"outliers"`
	Unsure     int `json:"unsure"`
	// Updated and Voided are how many of a thousand utility charges are corrected and
	// taken back some days later.
	Updated int `json:"updated"`
	Voided  int `json:"voided"`
	// After are the last ids in use: new ones follow.
	After IDs `json:"-"`
}

// IDs are the highest of each kind.
type IDs struct{ Portfolios, Properties, Units, Leases, Transactions, Bills int }

// Portfolio is a made-up owner's.
type Portfolio struct{ ID, Name string }

// Property is a made-up building of up to ten units.
type Property struct{ ID, PortfolioID, Name, Street string }

// Lease is one with what it is charged each month.
type Lease struct {
	ID, UnitID, PropertyID, PortfolioID string
	Unit                                string
	Start, End                          string
	Recurring                           []Recurring
}

// Recurring is a charge of the 1st of each month.
type Recurring struct {
	AccountID, Text string
	Amount          int64
}

// The kinds of transactions.
const (
	Charge  = "charge"
	Payment = "payment"
	Bill    = "bill"
)

// Transaction is one as it is at first; Events tell what becomes of it. The ids of bills
// are numbers of their own.
type Transaction struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// LeaseID is "" for bills; AccountID is "" for payments.
	LeaseID    string `json:"lease_id,omitempty"`
	PropertyID string `json:"property_id"`
	AccountID  string `json:"account_id,omitempty"`
	Amount     int64  `json:"amount"`
	// Day is when it was posted, YYYY-MM-DD.
	Day       string `json:"day"`
	Text      string `json:"text"`
	Reference string `json:"reference,omitempty"`
	// PayeeID is the vendor of a bill.
	PayeeID string `json:"payee_id,omitempty"`
}

// Event is what RentVine tells: that a transaction is there, or has changed.
type Event struct {
	// Day is when it happens, YYYY-MM-DD.
	Day string
	// Transaction is the index in Books.Transactions.
	Transaction int
	// Update is true for a change: to Amount, or to being void.
	Update bool
	Amount int64
	Voided bool
}

// The kinds of what is planted.
const (
	// Duplicate is a charge of a lease that comes twice, 1 to 3 days apart; the second
	// one is named last.
	Duplicate = "duplicate_charge"
	// Gap is rent that nobody has paid: the tenant has stopped paying at all.
	Gap = "missing_payment"
	// Outlier is a utility charge of 4 to 10 times the usual.
	Outlier = "unusual_amount"
	// Unsure is a charge on Misc with a text that says nothing.
	Unsure = "unsure"
	// BankFee is a line of the statement that no transaction has.
	BankFee = "bank_fee"
	// Batch is a deposit of several payments.
	Batch = "batch_deposit"
	// Pending are payments that the bank does not have by To.
	Pending = "not_at_bank"
)

// Planted is something wrong, or worth knowing, that was put there.
type Planted struct {
	Kind    string `json:"kind"`
	LeaseID string `json:"lease_id,omitempty"`
	// Transactions are ids of charges and payments.
	Transactions []string `json:"transactions,omitempty"`
	// Line is the FITID of the statement's line.
	Line   string `json:"line,omitempty"`
	Amount int64  `json:"amount"`
}

// Totals are sums of what is not void, in cents, when all events have happened.
type Totals struct {
	Charges  int64 `json:"charges"`
	Payments int64 `json:"payments"`
	Bills    int64 `json:"bills"`
}

// Books is all of it.
type Books struct {
	Portfolios   []Portfolio
	Properties   []Property
	Leases       []Lease
	Transactions []Transaction
	// Events are in the order of their days: one for each transaction, and the changes.
	Events    []Event
	Planted   []Planted
	Statement Statement
}

// Totals sums what there is in the end.
func (b Books) Totals() Totals {
	var t Totals
	amounts := map[int]int64{}
	for i, one := range b.Transactions {
		amounts[i] = one.Amount
	}
	for _, e := range b.Events {
		switch {
		case e.Voided:
			amounts[e.Transaction] = 0
		case e.Update:
			amounts[e.Transaction] = e.Amount
		}
	}
	for i, amount := range amounts {
		switch b.Transactions[i].Kind {
		case Charge:
			t.Charges += amount
		case Payment:
			t.Payments += amount
		case Bill:
			t.Bills += amount
		}
	}
	return t
}

// period is the checked time of a Config.
type period struct {
	from, to time.Time
	// firsts are the 1sts of the months in it.
	firsts []time.Time
}

func (c Config) check() (period, error) {
	from, err := time.Parse(time.DateOnly, c.From)
	to, err2 := time.Parse(time.DateOnly, c.To)
	if err != nil || err2 != nil || to.Before(from) {
		return period{}, errors.New("from and to must be days such as 2026-11-22, to not before from")
	}
	for _, n := range []struct {
		name        string
		value, most int
	}{
		{"count", c.Count, MaxCount}, {"leases", c.Leases, MaxLeases}, {"duplicates", c.Duplicates, MaxLeases}, {"gaps", c.Gaps, MaxLeases},
		{"outliers", c.Outliers, MaxLeases}, {"unsure", c.Unsure, MaxLeases}, {"updated", c.Updated, 1000}, {"voided", c.Voided, 1000},
	} {
		if n.value < 0 || n.value > n.most {
			return period{}, fmt.Errorf("%s must be 0 to %d", n.name, n.most)
		}
	}
	if c.Count == 0 && c.Leases == 0 {
		return period{}, errors.New("count or leases must be given")
	}
	if c.Updated+c.Voided > 1000 {
		return period{}, errors.New("updated and voided are shares of the same thousand")
	}
	p := period{from: from, to: to}
	for at := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC); !at.After(to); at = at.AddDate(0, 1, 0) {
		if !at.Before(from) {
			p.firsts = append(p.firsts, at)
		}
	}
	if len(p.firsts) < 2 || len(p.firsts) > MaxMonths {
		return period{}, fmt.Errorf("from and to must hold the 1st of 2 to %d months", MaxMonths)
	}
	if c.Outliers > 0 && len(p.firsts) < outlierFrom+2 {
		return period{}, fmt.Errorf("outliers need %d months, so that there is something usual", outlierFrom+2)
	}
	if gap := p.to.AddDate(0, 0, -gapAge); c.Gaps > 0 && p.firsts[0].After(gap) {
		return period{}, fmt.Errorf("gaps need rent of %d days before the end", gapAge)
	}
	return p, nil
}

func day(at time.Time) string { return at.Format(time.DateOnly) }

// amountOf is "1850.50", "-15.00".
func amountOf(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	part := strconv.FormatInt(100+cents%100, 10)
	return sign + strconv.FormatInt(cents/100, 10) + "." + part[1:]
}
