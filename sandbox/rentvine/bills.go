package rentvine

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// repairsAccount is the account of what has no other in bills made by hand.
const repairsAccount = "7"

// Ledgers of properties and portfolios have ids far above those of leases.
const (
	propertyLedgers  = 1_000_000_000
	portfolioLedgers = 2_000_000_000
)

// accountingRoutes are those of contracts/rentvine.md 2.10. There is no path for one
// transaction, and none that voids.
func (s *Server) accountingRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /accounting/accounts", s.list("accounts", 25, categoryBeside))
	m.HandleFunc("GET /accounting/bank-accounts", s.list("bankAccounts", 25, nil))
	m.HandleFunc("GET /accounting/transactions", s.transactions)
	m.HandleFunc("GET /accounting/transactions/search", s.transactions)
	m.HandleFunc("POST /accounting/leases/{id}/charges", s.addCharge)
	m.HandleFunc("GET /accounting/ledgers", s.ledgers)
	m.HandleFunc("GET /accounting/ledgers/search", s.ledgers)
	m.HandleFunc("GET /accounting/ledgers/{id}", s.ledgerDetail)
	m.HandleFunc("GET /accounting/bills", s.list("bills", 25, payeeBeside))
	m.HandleFunc("POST /accounting/bills", s.createBill)
	m.HandleFunc("GET /accounting/bills/{id}", s.detail("bills"))
	m.HandleFunc("POST /accounting/bills/{id}/approve", s.detail("bills"))
	m.HandleFunc("POST /accounting/bills/{id}", s.update("bills", "isVoided", "isApproved"))
	m.HandleFunc("DELETE /accounting/bills/{id}", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, map[string][]string{"billID": {"invalid input"}})
	})
}

func categoryBeside(_ *db, rec, row record) { row["accountCategory"] = record{"name": rec["category"]} }

func payeeBeside(d *db, rec, row record) {
	if who := d.tables["vendors"].get(str(rec["payeeContactID"])); who != nil {
		row["contact"] = maps.Clone(who)
	}
}

// addCharge charges a lease once. Nothing stops a second one alike
// (contracts/rentvine.md 4.6).
func (s *Server) addCharge(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	problems := map[string][]string{}
	if !fits(time.DateOnly, str(body["datePosted"])) {
		problems["datePosted"] = []string{"Date is Invalid"}
	}
	if n, ok := cents(str(body["amount"])); !ok || n == 0 {
		problems["amount"] = []string{"Amount is Invalid"}
	}
	s.mu.Lock()
	if s.tables["accounts"].get(str(body["chargeAccountID"])) == nil {
		problems["chargeAccountID"] = []string{"Account is Invalid"}
	}
	lease := s.tables["leases"].get(r.PathValue("id"))
	if lease == nil || len(problems) > 0 {
		s.mu.Unlock()
		if lease == nil {
			s.unknown(w)
			return
		}
		refuse(w, problems)
		return
	}
	rec := transaction(str(lease["leaseID"]), str(body["chargeAccountID"]), "Charge", str(body["amount"]), str(body["datePosted"]), str(body["description"]))
	s.tables["transactions"].add(rec)
	s.countAlike("leaseCharge", str(rec["leaseID"]), str(rec["accountID"]), str(rec["amount"]), str(rec["datePosted"]), str(rec["description"]))
	s.touch(lease)
	out, heard := record{"transaction": maps.Clone(rec)}, s.transactionEvent(rec)
	s.mu.Unlock()
	s.changed("lease_charge.created", ActorAPI, heard, nil)
	reply(w, out)
}

// blankBill holds every field of a bill (contracts/rentvine.md 2.10).
func blankBill() record {
	return record{
		"billID": "", "billTypeID": "1", "payeeContactID": nil, "billDate": nil, "dateDue": nil, "reference": "", "paymentMemo": "",
		"workOrderID": nil, "isVoided": "0", "isApproved": "1", "amountPaid": "0.00", "isDiscount": "0", "isMarkup": "0",
		"charges": []record{}, "leaseCharges": []record{}, "attachments": []record{},
	}
}

// chargesOf are a bill's, which lose their type in JSON.
func chargesOf(bill record) []record {
	switch list := bill["charges"].(type) {
	case []record:
		return list
	case []any:
		var out []record
		for _, one := range list {
			if c, ok := one.(record); ok {
				out = append(out, c)
			}
		}
		return out
	default:
		return nil
	}
}

func (d *db) billProblems(bill record) map[string][]string {
	problems := map[string][]string{}
	if d.tables["vendors"].get(str(bill["payeeContactID"])) == nil {
		problems["payeeContactID"] = []string{"Payee is Invalid"}
	}
	for _, f := range []string{"billDate", "dateDue"} {
		if !fits(time.DateOnly, str(bill[f])) {
			problems[f] = []string{"Date is Invalid"}
		}
	}
	charges := chargesOf(bill)
	if len(charges) == 0 {
		problems["charges"] = []string{"Value is Required"}
	}
	for i, c := range charges {
		at := fmt.Sprintf("charges[%d].", i)
		if d.ledger(str(c["ledgerID"])) == nil {
			problems[at+"ledgerID"] = []string{"Payer is Invalid"}
		}
		if d.tables["accounts"].get(str(c["chargeAccountID"])) == nil {
			problems[at+"chargeAccountID"] = []string{"Account is Invalid"}
		}
		if n, ok := cents(str(c["amount"])); !ok || n == 0 {
			problems[at+"amount"] = []string{"Amount is Invalid"}
		}
	}
	return problems
}

// createBill takes a bare body. A bill is approved and not voided whatever the body
// says, and nothing stops a second one alike (contracts/rentvine.md 4.4, 4.6, 4.7).
func (s *Server) createBill(w http.ResponseWriter, r *http.Request) {
	body, ok := readObject(w, r)
	if !ok {
		return
	}
	bill, problems := blankBill(), map[string][]string{}
	for _, f := range []string{"vendorContactID", "dueDate", "accountID"} {
		if _, given := body[f]; given {
			problems[f] = []string{"Unknown field"}
		}
	}
	for _, f := range []string{"payeeContactID", "billDate", "dateDue", "reference", "paymentMemo", "workOrderID"} {
		if v, given := body[f]; given && scalar(v) {
			bill[f] = emptyIsNull(v)
		}
	}
	var charges []record
	for _, c := range chargesOf(body) {
		charges = append(charges, record{
			"ledgerID": wire(c["ledgerID"]), "chargeAccountID": wire(c["chargeAccountID"]), "amount": wire(c["amount"]), "description": str(c["description"]),
		})
	}
	bill["charges"] = charges
	s.mu.Lock()
	maps.Copy(problems, s.billProblems(bill))
	if len(problems) > 0 {
		s.mu.Unlock()
		refuse(w, problems)
		return
	}
	s.tables["bills"].add(bill)
	s.countAlike("bill", str(bill["payeeContactID"]), str(bill["billDate"]), str(bill["reference"]), fmt.Sprint(charges))
	out, heard := s.tables["bills"].wrap(bill), s.billEvent(bill)
	s.mu.Unlock()
	s.changed("invoice.generated", ActorAPI, heard, nil)
	reply(w, out)
}

// ledger is one by its id: of a lease's unit, a property or a portfolio; nil where there
// is none.
func (d *db) ledger(id string) record {
	made := func(kind, object, name string) record {
		return record{"ledgerID": id, "ledgerTypeID": kind, "objectID": object, "name": name}
	}
	switch n := number(id); {
	case n > portfolioLedgers:
		if p := d.tables["portfolios"].get(strconv.Itoa(n - portfolioLedgers)); p != nil {
			return made("2", str(p["portfolioID"]), str(p["name"]))
		}
	case n > propertyLedgers:
		if p := d.tables["properties"].get(strconv.Itoa(n - propertyLedgers)); p != nil {
			return made("3", str(p["propertyID"]), str(p["name"]))
		}
	case n > ledgerBase:
		if l := d.tables["leases"].get(strconv.Itoa(n - ledgerBase)); l != nil {
			return made("4", str(l["unitID"]), "Unit "+str(l["unitID"]))
		}
	}
	return nil
}

func (d *db) ledgerRow(ledger record) record {
	row := record{"ledger": ledger}
	if ledger["ledgerTypeID"] == "4" {
		if u := d.tables["units"].get(str(ledger["objectID"])); u != nil {
			row["unit"] = maps.Clone(u)
		}
	}
	return row
}

func (s *Server) ledgerDetail(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ledger := s.ledger(r.PathValue("id"))
	if ledger == nil {
		s.unknown(w)
		return
	}
	reply(w, s.ledgerRow(ledger))
}

// ledgers lists those whose name contains what is searched for, which must be given
// (contracts/rentvine.md 2.10, 4.18).
func (s *Server) ledgers(w http.ResponseWriter, r *http.Request) {
	search := strings.ToLower(r.URL.Query().Get("search"))
	if search == "" {
		refuse(w, map[string][]string{"search": {"Value is Required"}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []int
	for name, base := range map[string]int{"leases": ledgerBase, "properties": propertyLedgers, "portfolios": portfolioLedgers} {
		for id := range s.tables[name].rows {
			ledger := s.ledger(strconv.Itoa(base + id))
			if ledger != nil && strings.Contains(strings.ToLower(str(ledger["name"])), search) {
				ids = append(ids, base+id)
			}
		}
	}
	slices.Sort(ids)
	rows := []record{}
	for _, id := range s.page(r, 25, ids) {
		rows = append(rows, s.ledgerRow(s.ledger(strconv.Itoa(id))))
	}
	reply(w, rows)
}
