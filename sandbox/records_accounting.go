package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aictive/keyholder/sandbox/rentvine"
)

// accountingRoutes are what a person does with money in RentVine's own pages, which
// tells nobody: POST /_send tells, too. The books are generated ones.
func (s *Sandbox) accountingRoutes(mux *http.ServeMux) {
	const records = "/_records/rentvine"
	mux.HandleFunc("PUT "+records+"/transactions/{id}", s.changeOf("transaction_id", s.rentvine.ChangeTransaction))
	mux.HandleFunc("POST "+records+"/bills", s.additionOf("bill_id", func(_ string, fields map[string]any) (string, error) { return s.rentvine.AddBill(fields) }))
	mux.HandleFunc("PUT "+records+"/bills/{id}", s.changeOf("bill_id", s.rentvine.ChangeBill))
	mux.HandleFunc("POST /_generate/books", s.postGenerated)
	mux.HandleFunc("GET /_generate/books", s.getGenerated)
	mux.HandleFunc("GET /_generate/books/events", s.getGeneratedEvents)
	mux.HandleFunc("GET /_generate/books/statement.csv", s.getStatement)
	mux.HandleFunc("GET /_generate/books/statement.ofx", s.getStatement)
}

// aboutMoney tells whether an event is about a charge, a payment or a bill.
func aboutMoney(event string) bool {
	return strings.HasPrefix(event, "lease_charge.") || strings.HasPrefix(event, "payment.") || strings.HasPrefix(event, "invoice.")
}

// money is what RentVine knows of one kind of record.
type money struct {
	fields []string
	ids    []string // by which an event may name it
	add    func(fields map[string]any) (string, error)
	change func(id string, fields map[string]any) error
	event  func(id string) (map[string]any, bool)
}

// moneyOf is how the records of an event are made: a charge and a payment of the lease
// in the data, and a bill.
func (s *Sandbox) moneyOf(event string, data map[string]any) money {
	if strings.HasPrefix(event, "invoice.") {
		return money{rentvine.BillFields(), []string{"invoiceID", "billID", "id"}, s.rentvine.AddBill, s.rentvine.ChangeBill, s.rentvine.BillEvent}
	}
	kind, ids := "charge", []string{"leaseChargeID", "transactionID", "id"}
	if strings.HasPrefix(event, "payment.") {
		kind, ids = "payment", []string{"paymentID", "transactionID", "id"}
	}
	return money{
		rentvine.TransactionFields(), ids,
		func(fields map[string]any) (string, error) {
			fields["type"] = kind
			return s.rentvine.AddTransaction(fmt.Sprint(data[leaseID]), fields)
		},
		s.rentvine.ChangeTransaction, s.rentvine.AccountingEvent,
	}
}

// registerMoney makes the charge, payment or bill that an event is about exist, and lets
// the event tell of it as it then is: of the one that the overrides name, as they change
// it; of the sample's where an update names none; else of a new one of today. Overrides
// that are none of its fields stay in the event alone.
func (s *Sandbox) registerMoney(event string, body, data, overrides map[string]any, sent *Sent) error {
	m := s.moneyOf(event, data)
	_, isUpdate := body["changes"]
	about := ""
	for _, name := range m.ids {
		given, ok := overrides[name]
		if !ok && isUpdate {
			given, ok = data[name]
		}
		if ok && about == "" {
			about = fmt.Sprint(given)
		}
	}
	before, known := m.event(about)
	wanted := overrides
	if !known || isUpdate && len(overrides) == 0 {
		wanted = data
	}
	fields := map[string]any{}
	for f, v := range wanted {
		_, given := overrides[f]
		isDay := slices.Contains([]string{"datePosted", "billDate", "dateDue"}, f)
		if slices.Contains(m.fields, f) && (given || known || !isDay) {
			fields[f] = v
		}
	}
	id := about
	var err error
	switch {
	case known:
		err = m.change(id, fields)
	case about != "":
		err = fmt.Errorf("there is no %s %s; leave %s out for a new one", m.ids[0], about, m.ids[0])
	default:
		id, err = m.add(fields)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errFields, err)
	}
	s.changed()
	after, _ := m.event(id)
	clear(data)
	maps.Copy(data, overrides)
	delete(data, "id")
	maps.Copy(data, after)
	if isUpdate {
		changes := map[string]any{}
		for f, v := range after {
			if before[f] != v {
				changes[f] = map[string]any{"old": before[f], "new": v}
			}
		}
		body["changes"] = changes
	}
	if sent.LeaseID, _ = after[leaseID].(string); m.ids[0] == "invoiceID" {
		sent.BillID = id
	} else {
		sent.TransactionID = id
	}
	return nil
}
