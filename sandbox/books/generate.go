package books

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	unitsEach      = 10 // a property
	propertiesEach = 5  // a portfolio
	// outlierFrom is how many usual utility charges come before an outlier, at least.
	outlierFrom = 7
	// gapAge is how many days before the end rent fell due that nobody paid.
	gapAge = 10
	// lateAfter is on which day of the month rent is late.
	lateAfter = 5
)

// maker makes books.
type maker struct {
	cfg Config
	period
	Books
	tenancies []*tenancy
	rng       *rand.Rand
	last      IDs
}

// tenancy is a lease while it is made.
type tenancy struct {
	lease   Lease
	rng     *rand.Rand
	usual   int64 // of utilities
	readOn  int   // the day of the month of utilities
	charges []*charge
	stopsAt time.Time // zero for one who goes on paying
}

// charge is one while it is made.
type charge struct {
	Transaction
	at time.Time
	// plant is what was planted here, "" for nothing.
	plant string
	// first is the amount before a correction, 0 for none.
	first  int64
	voided bool
	// changedAt is when it was corrected or voided.
	changedAt time.Time
	paid      bool
}

// Generate makes books. Errors say what of the Config cannot be.
func Generate(cfg Config) (Books, error) {
	p, err := cfg.check()
	if err != nil {
		return Books{}, err
	}
	m := &maker{cfg: cfg, period: p, rng: rand.New(rand.NewPCG(cfg.Seed, 0)), last: cfg.After}
	made := 0
	for n := 0; n < MaxLeases; n++ {
		if cfg.Leases > 0 && n == cfg.Leases || cfg.Leases == 0 && made >= cfg.Count {
			break
		}
		if n%unitsEach == 0 {
			made += m.addProperty()
		}
		made += m.addTenancy(n)
	}
	if err := m.plant(); err != nil {
		return Books{}, err
	}
	for _, t := range m.tenancies {
		m.correct(t)
		m.pay(t)
		m.Leases = append(m.Leases, t.lease)
	}
	m.finish()
	return m.Books, nil
}

func next(last *int) string {
	*last++
	return strconv.Itoa(*last)
}

// between is a number from a to b, both included.
func between(r *rand.Rand, a, b int64) int64 { return a + r.Int64N(b-a+1) }

// addProperty adds one with the bills of its months, and tells how many those are.
func (m *maker) addProperty() (bills int) {
	if len(m.Properties)%propertiesEach == 0 {
		id := next(&m.last.Portfolios)
		m.Portfolios = append(m.Portfolios, Portfolio{ID: id, Name: "Portfolio " + id})
	}
	id := next(&m.last.Properties)
	streets := []string{"Birch", "Cedar", "Hazel", "Laurel", "Maple", "Myrtle", "Olive", "Poplar", "Rowan", "Willow"}
	street := fmt.Sprintf("%d %s Street", 100+len(m.Properties), streets[len(m.Properties)%len(streets)])
	m.Properties = append(m.Properties, Property{ID: id, PortfolioID: m.Portfolios[len(m.Portfolios)-1].ID, Name: street, Street: street})
	before := len(m.Transactions)
	for i, first := range m.firsts {
		m.addBill(id, first.AddDate(0, 0, int(between(m.rng, 2, 8))), Cleaning, "Cleaning of the common areas", between(m.rng, 180_00, 220_00), "18")
		m.addBill(id, first.AddDate(0, 0, int(between(m.rng, 9, 20))), UtilitiesOwned, "Water and sewer of the building", between(m.rng, 400_00, 520_00), "13")
		if between(m.rng, 1, 3) == 1 {
			m.addBill(id, first.AddDate(0, 0, int(between(m.rng, 1, 25))), Repairs, "Repair of a leaking tap", between(m.rng, 80_00, 420_00), "11")
		}
		if i%6 == 0 {
			m.addBill(id, first.AddDate(0, 0, 4), Insurance, "Insurance premium", 1_250_00, "17")
		}
	}
	return len(m.Transactions) - before
}

func (m *maker) addBill(property string, at time.Time, account, what string, amount int64, payee string) {
	if at.After(m.to) {
		return
	}
	id := next(&m.last.Bills)
	m.Transactions = append(m.Transactions, Transaction{
		ID: id, Kind: Bill, PropertyID: property, AccountID: account, Amount: amount, Day: day(at), Text: what, Reference: "INV-" + id, PayeeID: payee,
	})
}

// addTenancy adds a lease with its charges, and tells how many transactions it has with
// the payments to come.
func (m *maker) addTenancy(n int) int {
	p := m.Properties[len(m.Properties)-1]
	t := &tenancy{rng: rand.New(rand.NewPCG(m.cfg.Seed, uint64(n)+1))}
	t.lease = Lease{
		ID: next(&m.last.Leases), UnitID: next(&m.last.Units), PropertyID: p.ID, PortfolioID: p.PortfolioID,
		Unit: "Apt " + strconv.Itoa(101+n%unitsEach), Start: day(m.firsts[0]), End: day(m.firsts[len(m.firsts)-1].AddDate(1, 0, -1)),
		Recurring: []Recurring{{AccountID: Rent, Text: "Rent", Amount: between(t.rng, 44, 120) * 25_00}},
	}
	if between(t.rng, 1, 10) <= 4 {
		t.lease.Recurring = append(t.lease.Recurring, Recurring{AccountID: Parking, Text: "Parking", Amount: 75_00})
	}
	if between(t.rng, 1, 10) <= 2 {
		t.lease.Recurring = append(t.lease.Recurring, Recurring{AccountID: PetRent, Text: "Pet rent", Amount: 35_00})
	}
	t.usual, t.readOn = between(t.rng, 60_00, 160_00), int(between(t.rng, 12, 18))
	for _, first := range m.firsts {
		for _, r := range t.lease.Recurring {
			m.charge(t, first, r.AccountID, r.Text, r.Amount)
		}
		m.charge(t, first.AddDate(0, 0, t.readOn-1), Utilities, "Water and trash", t.usual+t.usual*between(t.rng, -120, 120)/1000)
	}
	m.tenancies = append(m.tenancies, t)
	return len(t.charges) + len(m.firsts)*9/8 // some payments come in parts, or late with a fee
}

// charge adds one, or none after the end.
func (m *maker) charge(t *tenancy, at time.Time, account, what string, amount int64) *charge {
	if at.After(m.to) {
		return nil
	}
	c := &charge{at: at, Transaction: Transaction{
		Kind: Charge, LeaseID: t.lease.ID, PropertyID: t.lease.PropertyID, AccountID: account, Amount: amount, Day: day(at), Text: what,
	}}
	t.charges = append(t.charges, c)
	return c
}

// plant puts in what is to be found. Duplicates, gaps and outliers have leases of their
// own, so that one does not hide another.
func (m *maker) plant() error {
	wanted := m.cfg.Duplicates + m.cfg.Gaps + m.cfg.Outliers
	if wanted > len(m.tenancies) {
		return fmt.Errorf("duplicates, gaps and outliers are %d, but there are only %d leases to have one each", wanted, len(m.tenancies))
	}
	if m.cfg.Unsure > len(m.tenancies) {
		return fmt.Errorf("unsure are %d, but there are only %d leases to have one each", m.cfg.Unsure, len(m.tenancies))
	}
	shuffled := m.rng.Perm(len(m.tenancies))
	for i, n := range shuffled[:wanted] {
		t := m.tenancies[n]
		switch {
		case i < m.cfg.Duplicates:
			m.plantDuplicate(t)
		case i < m.cfg.Duplicates+m.cfg.Gaps:
			for _, first := range m.firsts {
				if !first.After(m.to.AddDate(0, 0, -gapAge)) {
					t.stopsAt = first
				}
			}
		default:
			m.plantOutlier(t)
		}
	}
	for i, n := range m.rng.Perm(len(m.tenancies))[:m.cfg.Unsure] {
		texts := []string{"Adj %d", "See note %d", "Per agreement %d", "As discussed, item %d"}
		t := m.tenancies[n]
		at := m.firsts[m.rng.IntN(len(m.firsts)-1)].AddDate(0, 0, int(between(m.rng, 5, 24)))
		if c := m.charge(t, at, Misc, fmt.Sprintf(texts[i%len(texts)], between(m.rng, 100, 999)), between(m.rng, 20_00, 200_00)); c != nil {
			c.plant = Unsure
		}
	}
	return nil
}

// plantDuplicate charges something of a month before the last once more.
func (m *maker) plantDuplicate(t *tenancy) {
	var of []*charge
	for _, c := range t.charges {
		if c.at.Before(m.firsts[len(m.firsts)-1].AddDate(0, 0, -5)) {
			of = append(of, c)
		}
	}
	c := of[t.rng.IntN(len(of))]
	c.plant = Duplicate
	m.charge(t, c.at.AddDate(0, 0, int(between(t.rng, 1, 3))), c.AccountID, c.Text, c.Amount).plant = Duplicate
}

// plantOutlier makes one of the later utility charges many times the usual.
func (m *maker) plantOutlier(t *tenancy) {
	var of []*charge
	for _, c := range t.charges {
		if c.AccountID == Utilities {
			of = append(of, c)
		}
	}
	c := of[outlierFrom+t.rng.IntN(len(of)-outlierFrom)]
	c.plant = Outlier
	c.Amount = t.usual * between(t.rng, 4500, 9000) / 1000
}

// correct lets a share of the utility charges be corrected, or taken back, 1 to 6 days
// after they were posted.
func (m *maker) correct(t *tenancy) {
	for _, c := range t.charges {
		share := int(between(t.rng, 0, 999))
		at := c.at.AddDate(0, 0, int(between(t.rng, 1, 6)))
		by := between(t.rng, 1_00, t.usual/20+1_00)
		if c.AccountID != Utilities || c.plant != "" || at.After(m.to) {
			continue
		}
		switch {
		case share < m.cfg.Updated:
			c.first, c.changedAt = c.Amount+by, at
		case share < m.cfg.Updated+m.cfg.Voided:
			c.voided, c.changedAt = true, at
		}
	}
}

// pay lets the tenant pay each month what is charged by the 1st, mostly within four
// days, and sometimes in two parts; who is later is charged for it. Voided charges and
// those of somebody who has stopped are not paid.
func (m *maker) pay(t *tenancy) {
	var payments []*charge
	for _, first := range m.firsts {
		if !t.stopsAt.IsZero() && !first.Before(t.stopsAt) {
			break
		}
		at := first.AddDate(0, 0, []int{0, 0, 0, 1, 1, 1, 2, 2, 3, 4}[t.rng.IntN(10)])
		isLate, parts := between(t.rng, 1, 100) <= 6, between(t.rng, 1, 100) <= 6
		if isLate {
			at = first.AddDate(0, 0, lateAfter)
			m.charge(t, at, LateFee, "Late fee", 50_00)
		}
		due := int64(0)
		for _, c := range t.charges {
			if !c.paid && !c.voided && !c.at.After(first) {
				c.paid = true
				due += c.Amount
			}
		}
		part := due
		if parts && !isLate {
			part = due * between(t.rng, 400, 600) / 1000
		}
		for i, amount := range []int64{part, due - part} {
			if c := m.payment(t, at.AddDate(0, 0, i), amount); c != nil {
				payments = append(payments, c)
			}
		}
	}
	t.charges = append(t.charges, payments...)
}

func (m *maker) payment(t *tenancy, at time.Time, amount int64) *charge {
	if at.After(m.to) || amount <= 0 {
		return nil
	}
	return &charge{at: at, Transaction: Transaction{
		Kind: Payment, LeaseID: t.lease.ID, PropertyID: t.lease.PropertyID, Amount: amount, Day: day(at), Text: "Payment",
	}}
}

// finish numbers everything by its day, and makes the events, the list of what was
// planted and the statement.
func (m *maker) finish() {
	var all []*charge
	for i := range m.Transactions {
		all = append(all, &charge{Transaction: m.Transactions[i]})
	}
	for _, t := range m.tenancies {
		all = append(all, t.charges...)
	}
	slices.SortStableFunc(all, func(a, b *charge) int { return strings.Compare(a.Day, b.Day) })
	m.Transactions = nil
	for i, c := range all {
		if c.Kind != Bill {
			c.ID = next(&m.last.Transactions)
		}
		if c.Kind == Payment {
			c.Reference = "ACH-" + c.ID
		}
		first := c.Transaction
		m.Events = append(m.Events, Event{Day: c.Day, Transaction: i})
		if !c.changedAt.IsZero() {
			m.Events = append(m.Events, Event{Day: day(c.changedAt), Transaction: i, Update: true, Amount: c.Amount, Voided: c.voided})
		}
		if c.first > 0 {
			first.Amount = c.first
		}
		m.Transactions = append(m.Transactions, first)
	}
	slices.SortStableFunc(m.Events, func(a, b Event) int { return strings.Compare(a.Day, b.Day) })
	for _, t := range m.tenancies {
		m.Planted = append(m.Planted, t.planted()...)
	}
	m.bank()
}

// planted lists what is wrong with a lease.
func (t *tenancy) planted() []Planted {
	var out []Planted
	for _, c := range t.charges {
		switch last := len(out) - 1; {
		case c.plant == "":
		case c.plant == Duplicate && last >= 0 && out[last].Kind == Duplicate:
			out[last].Transactions = append(out[last].Transactions, c.ID)
		default:
			out = append(out, Planted{Kind: c.plant, LeaseID: t.lease.ID, Transactions: []string{c.ID}, Amount: c.Amount})
		}
	}
	if !t.stopsAt.IsZero() {
		gap := Planted{Kind: Gap, LeaseID: t.lease.ID}
		for _, c := range t.charges {
			if c.AccountID == Rent && !c.at.Before(t.stopsAt) {
				gap.Transactions = append(gap.Transactions, c.ID)
				gap.Amount += c.Amount
			}
		}
		out = append(out, gap)
	}
	return out
}
