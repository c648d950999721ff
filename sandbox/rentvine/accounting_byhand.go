package rentvine

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is said of records that are not there.
var (
	ErrNoTransaction = errors.New("no such transaction")
	ErrNoBill        = errors.New("no such bill")
)

// TransactionFields are those that AddTransaction and ChangeTransaction know.
func TransactionFields() []string {
	return []string{"type", "amount", "datePosted", "description", "reference", "isVoided", "accountID"}
}

// AddTransaction is a person recording a charge, payment or credit of a lease in
// RentVine's own pages: type, amount, datePosted (today where there is none),
// description, reference, isVoided, and accountID of a charge (1 is the rent, and so it
// is where there is none). It tells nobody. The errors are ErrNoLease, and those that
// say which field is wrong.
func (s *Server) AddTransaction(leaseID string, fields map[string]any) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease := s.tables["leases"].get(leaseID)
	if lease == nil {
		return "", ErrNoLease
	}
	rec := transaction(leaseID, "", "", "", s.today(), "")
	if err := s.setTransaction(rec, fields); err != nil {
		return "", err
	}
	s.touch(lease)
	return strconv.Itoa(s.tables["transactions"].add(rec)), nil
}

// ChangeTransaction is a person changing a transaction, or voiding it with isVoided. It
// tells nobody. The errors are ErrNoTransaction, and those that say which field is
// wrong; nothing has changed then.
func (s *Server) ChangeTransaction(id string, fields map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.tables["transactions"].get(id)
	if rec == nil {
		return ErrNoTransaction
	}
	next := maps.Clone(rec)
	if err := s.setTransaction(next, fields); err != nil {
		return err
	}
	maps.Copy(rec, next)
	if lease := s.tables["leases"].get(str(rec["leaseID"])); lease != nil {
		s.touch(lease)
	}
	return nil
}

func (d *db) setTransaction(rec record, fields map[string]any) error {
	for f, v := range fields {
		if !slices.Contains(TransactionFields(), f) || !scalar(v) {
			return fmt.Errorf("%s is not a field of a transaction; there are %s", f, strings.Join(TransactionFields(), ", "))
		}
		rec[f] = wire(v)
	}
	rec["isVoided"] = wire(yes(rec["isVoided"]))
	rec["type"] = map[string]string{"charge": "Charge", "payment": "Payment", "credit": "Credit"}[strings.ToLower(str(rec["type"]))]
	if rec["type"] == "" {
		return errors.New("type must be charge, payment or credit")
	}
	if _, ok := cents(str(rec["amount"])); !ok {
		return errors.New(`amount must be such as "1850.00"`)
	}
	if !fits(time.DateOnly, str(rec["datePosted"])) {
		return errors.New("datePosted is not a date as 2026-11-22")
	}
	if rec["type"] == "Charge" && str(rec["accountID"]) == "" {
		rec["accountID"] = rentAccount
	}
	if id := str(rec["accountID"]); id != "" && d.tables["accounts"].get(id) == nil {
		return fmt.Errorf("accountID: there is no %s", id)
	}
	return nil
}

// AccountingEvent is what an event says of a charge or payment: the ids by which events
// name it (leaseChargeID and paymentID are transactionID: this sandbox's own
// assumption), its lease and property, and its fields.
func (s *Server) AccountingEvent(transactionID string) (data map[string]any, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.tables["transactions"].get(transactionID)
	if rec == nil {
		return nil, false
	}
	return s.transactionEvent(rec), true
}

func (d *db) transactionEvent(rec record) record {
	out := maps.Clone(rec)
	delete(out, "type")
	if rec["type"] == "Payment" {
		delete(out, "accountID")
		out["paymentID"] = rec["transactionID"]
	} else {
		out["leaseChargeID"] = rec["transactionID"]
	}
	lease := d.tables["leases"].get(str(rec["leaseID"]))
	out["propertyID"], out["unitID"] = lease["propertyID"], lease["unitID"]
	return out
}

// BillFields are those that AddBill and ChangeBill know. amount, accountID, description
// and propertyID or unitID are those of its one charge.
func BillFields() []string {
	return []string{
		"payeeContactID", "billDate", "dateDue", "reference", "workOrderID", "isVoided",
		"amount", "accountID", "description", "propertyID",
	}
}

// AddBill is a person entering a bill of one charge in RentVine's own pages: of today
// and vendor 11, on Repairs of property 1, where the fields do not say otherwise. It
// tells nobody. Errors say which field is wrong.
func (s *Server) AddBill(fields map[string]any) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bill := blankBill()
	bill["billDate"], bill["dateDue"], bill["payeeContactID"] = s.today(), s.today(), "11"
	bill["charges"] = []record{{
		"ledgerID": strconv.Itoa(propertyLedgers + 1), "chargeAccountID": repairsAccount, "amount": "", "description": "",
	}}
	if err := s.setBill(bill, fields); err != nil {
		return "", err
	}
	return strconv.Itoa(s.tables["bills"].add(bill)), nil
}

// ChangeBill is a person changing a bill, or voiding it with isVoided, which only pages
// can. It tells nobody. The errors are ErrNoBill, and those that say which field is
// wrong; nothing has changed then.
func (s *Server) ChangeBill(id string, fields map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	bill := s.tables["bills"].get(id)
	if bill == nil {
		return ErrNoBill
	}
	next := maps.Clone(bill)
	next["charges"] = slices.Clone(chargesOf(bill))
	if err := s.setBill(next, fields); err != nil {
		return err
	}
	maps.Copy(bill, next)
	return nil
}

func (d *db) setBill(bill record, fields map[string]any) error {
	charges := chargesOf(bill)
	if len(charges) == 0 {
		charges = []record{{"ledgerID": "", "chargeAccountID": repairsAccount, "amount": "", "description": ""}}
	}
	charge := maps.Clone(charges[0])
	for f, v := range fields {
		if !slices.Contains(BillFields(), f) || !scalar(v) {
			return fmt.Errorf("%s is not a field of a bill; there are %s", f, strings.Join(BillFields(), ", "))
		}
		switch f {
		case "amount", "description":
			charge[f] = wire(v)
		case "accountID":
			charge["chargeAccountID"] = wire(v)
		case "propertyID":
			if d.tables["properties"].get(str(v)) == nil {
				return fmt.Errorf("propertyID: there is no %s", str(v))
			}
			charge["ledgerID"] = strconv.Itoa(propertyLedgers + number(v))
		default:
			bill[f] = wire(v)
		}
	}
	bill["isVoided"] = wire(yes(bill["isVoided"]))
	bill["charges"] = append([]record{charge}, charges[1:]...)
	if problems := d.billProblems(bill); len(problems) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(problems)))
		return fmt.Errorf("%s: %s", first, strings.Join(problems[first], ", "))
	}
	return nil
}

// BillEvent is what an event says of a bill; that an invoiceID is a billID is this
// sandbox's own assumption.
func (s *Server) BillEvent(billID string) (data map[string]any, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bill := s.tables["bills"].get(billID)
	if bill == nil {
		return nil, false
	}
	return s.billEvent(bill), true
}

func (d *db) billEvent(bill record) record {
	sum, out := int64(0), maps.Clone(bill)
	maps.DeleteFunc(out, func(_ string, v any) bool { return !scalar(v) })
	out["invoiceID"] = bill["billID"]
	for i, c := range chargesOf(bill) {
		amount, _ := cents(str(c["amount"]))
		sum += amount
		if i > 0 {
			continue
		}
		out["description"], out["accountID"] = c["description"], c["chargeAccountID"]
		if ledger := d.ledger(str(c["ledgerID"])); ledger != nil && ledger["ledgerTypeID"] == "3" {
			out["propertyID"] = ledger["objectID"]
		}
	}
	out["amount"], out["datePosted"] = amountOf(sum), bill["billDate"]
	return out
}
