package rentvine

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aictive/keyholder/sandbox/books"
)

// GenerateBooks makes up portfolios, leases, transactions and bills and adds them, each
// transaction as it is at first: Happen lets what the events tell happen. Where the days
// are left out, it is the year to today. It tells nobody. Errors say what cannot be;
// nothing has changed then.
func (s *Server) GenerateBooks(cfg books.Config) (books.Books, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cfg.To == "" {
		cfg.To = s.today()
	}
	if to, err := time.Parse(time.DateOnly, cfg.To); err == nil && cfg.From == "" {
		cfg.From = time.Date(to.Year(), to.Month()-11, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	if cfg.To > s.today() {
		return books.Books{}, fmt.Errorf("to must not be after today, %s: RentVine does not list what is to come", s.today())
	}
	last := func(name string) int { return s.tables[name].last }
	cfg.After = books.IDs{
		Portfolios: last("portfolios"), Properties: last("properties"), Units: last("units"),
		Leases: last("leases"), Transactions: last("transactions"), Bills: last("bills"),
	}
	b, err := books.Generate(cfg)
	if err != nil {
		return books.Books{}, err
	}
	s.addPlaces(b)
	for _, l := range b.Leases {
		s.addLease(l)
	}
	for _, t := range b.Transactions {
		s.addMoney(t)
	}
	return b, nil
}

// addPlaces adds portfolios, each of an owner of its own, and properties.
func (s *Server) addPlaces(b books.Books) {
	for _, p := range b.Portfolios {
		tenants := s.tables["tenants"] // ids of contacts are in one row
		tenants.last++
		owner := contact(tenants.last, 1, "Owner of "+p.Name, "(213) 555-0120")
		s.tables["owners"].add(owner)
		s.tables["portfolios"].add(record{
			"portfolioID": p.ID, "name": p.Name, "isActive": "1", "reserveAmount": "500.00",
			"owners": []record{{"contactID": owner["contactID"], "percent": "100.00"}},
		})
	}
	for _, p := range b.Properties {
		s.tables["properties"].add(property(p.ID, p.PortfolioID, p.Name, p.Street, "Los Angeles", "CA", "90026", "1", "34.077200", "-118.260300"))
	}
}

// addLease adds one with its unit, its tenant and its recurring charges.
func (s *Server) addLease(l books.Lease) {
	place := s.tables["properties"].get(l.PropertyID)
	s.tables["units"].add(unit(l.UnitID, l.PropertyID, str(place["address"]), l.Unit, "Los Angeles", "CA", "90026", "2", "1", "800"))
	lease := blankLease()
	for f, v := range (record{
		"leaseID": l.ID, "code": "L-" + l.ID, "propertyID": l.PropertyID, "unitID": l.UnitID, "primaryLeaseStatusID": "2", "leaseStatusID": "2",
		"moveInDate": l.Start, "startDate": l.Start, "endDate": l.End, "dateTimeCreated": l.Start + "T09:00:00Z", "dateTimeModified": l.Start + "T09:00:00Z",
	}) {
		lease[f] = v
	}
	lease["tenants"] = []string{s.newTenant(lease, nil)}
	s.tables["leases"].add(lease)
	for _, r := range l.Recurring {
		s.tables["charges"].add(record{
			"leaseID": l.ID, "accountID": r.AccountID, "description": r.Text, "amount": books.Dollars(r.Amount), "dayDue": "1", "frequency": "1",
			"startDate": inUSOrder(l.Start), "endDate": inUSOrder(l.End),
		})
	}
}

func (s *Server) addMoney(t books.Transaction) {
	amount := books.Dollars(t.Amount)
	if t.Kind == books.Bill {
		bill := blankBill()
		for f, v := range (record{
			"billID": t.ID, "payeeContactID": t.PayeeID, "billDate": t.Day, "dateDue": t.Day, "reference": t.Reference,
			"charges": []record{{
				"ledgerID":        strconv.Itoa(propertyLedgers + number(t.PropertyID)),
				"chargeAccountID": t.AccountID, "amount": amount, "description": t.Text,
			}},
		}) {
			bill[f] = v
		}
		s.tables["bills"].add(bill)
		return
	}
	kind := map[string]string{books.Charge: "Charge", books.Payment: "Payment"}[t.Kind]
	rec := transaction(t.LeaseID, t.AccountID, kind, amount, t.Day, t.Text)
	rec["transactionID"], rec["reference"] = t.ID, t.Reference
	s.tables["transactions"].add(rec)
}

// Happen lets an event of generated books happen, and is what RentVine then tells: the
// event's name, its data, and what changed as {old, new}. The errors are
// ErrNoTransaction and ErrNoBill, where the record has gone since.
func (s *Server) Happen(t books.Transaction, e books.Event) (event string, data map[string]any, changes map[string][2]any, err error) {
	if t.Kind == books.Bill {
		data, ok := s.BillEvent(t.ID)
		if !ok {
			return "", nil, nil, ErrNoBill
		}
		return "invoice.generated", data, nil, nil
	}
	before, ok := s.AccountingEvent(t.ID)
	switch {
	case !ok:
		return "", nil, nil, ErrNoTransaction
	case t.Kind == books.Payment:
		return "payment.received", before, nil, nil
	case !e.Update:
		return "lease_charge.created", before, nil, nil
	}
	if err := s.ChangeTransaction(t.ID, map[string]any{"amount": books.Dollars(e.Amount), "isVoided": e.Voided}); err != nil {
		return "", nil, nil, err
	}
	after, _ := s.AccountingEvent(t.ID)
	return "lease_charge.updated", after, difference(before, after), nil
}
