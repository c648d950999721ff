package rentvine

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usDate is the form of days in recurring charges (contracts/rentvine.md 1.6).
const usDate = "01/02/2006"

// ledgerBase keeps ids of ledgers apart from those of leases.
const ledgerBase = 5000

// transaction is an entry as it is kept: what belongs beside it on the wire, too.
func transaction(leaseID, accountID, kind, amount, day, description string) record {
	return record{
		"leaseID": leaseID, "accountID": accountID, "type": kind, "amount": amount, "datePosted": day, "description": description,
		"reference": "", "isVoided": "0",
	}
}

// transactions lists those posted by today, newest first, 15 a page, with the ledger
// and the unit beside each. That each lease has a ledger of its own unit, and that a
// row names the lease, are this sandbox's own, and so is that the entry beside a charge
// names its account (contracts/rentvine.md 2.10).
func (s *Server) transactions(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, q, today := s.tables["transactions"], r.URL.Query(), s.today()
	candidates := t.ids
	if q.Has("propertyIDs[]") {
		candidates = func() []int { return s.transactionsIn(q["propertyIDs[]"]) }
	}
	var ids []int
	for _, id := range candidates() {
		rec := t.rows[id]
		day := str(rec["datePosted"])
		match := day <= today && day >= q.Get("datePostedMin") && (!q.Has("datePostedMax") || day <= q.Get("datePostedMax"))
		match = match && (!q.Has("isVoided") || yes(q.Get("isVoided")) == yes(rec["isVoided"]))
		match = match && strings.Contains(strings.ToLower(str(rec["description"])), strings.ToLower(q.Get("search")))
		match = match && (!q.Has("primaryLedgerIDs[]") || slices.Contains(q["primaryLedgerIDs[]"], ledgerID(rec)))
		if match {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b int) int {
		return strings.Compare(str(t.rows[b]["datePosted"]), str(t.rows[a]["datePosted"]))
	})
	rows := []record{}
	for _, id := range s.page(r, 15, ids) {
		rows = append(rows, s.transactionRow(t.rows[id]))
	}
	reply(w, rows)
}

// transactionsIn are those of the leases of the properties, in rising order: not all
// are looked at.
func (d *db) transactionsIn(properties []string) []int {
	var ids []int
	for _, lease := range d.tables["leases"].rows {
		if slices.Contains(properties, str(lease["propertyID"])) {
			ids = append(ids, d.tables["transactions"].by[str(lease["leaseID"])]...)
		}
	}
	slices.Sort(ids)
	return ids
}

func ledgerID(transaction record) string {
	return strconv.Itoa(ledgerBase + number(transaction["leaseID"]))
}

func (s *Server) transactionRow(rec record) record {
	out := maps.Clone(rec)
	delete(out, "accountID")
	if s.cfg.UnnamedLeases {
		delete(out, "leaseID")
	}
	lease := s.tables["leases"].get(str(rec["leaseID"]))
	entries := []record{}
	if rec["type"] != "Payment" {
		entries = append(entries, record{"transactionEntryID": rec["transactionID"], "accountID": rec["accountID"], "amount": rec["amount"]})
	}
	row := record{
		"transaction": out, "transactionEntries": entries,
		"ledger": record{
			"ledgerID": ledgerID(rec), "ledgerTypeID": "4", "objectID": lease["unitID"], "name": "Unit " + str(lease["unitID"]),
		},
	}
	if u := s.tables["units"].get(str(lease["unitID"])); u != nil {
		row["unit"] = maps.Clone(u)
	}
	if p := s.tables["properties"].get(str(lease["propertyID"])); p != nil {
		portfolioBeside(&s.db, p, row)
	}
	return row
}

// balances are what a lease owes by the end of a day, as numbers as the docs have them,
// and the charges that are not paid: payments go to the oldest first. Past due is what
// was posted before that day (contracts/rentvine.md 2.3).
func (d *db) balances(leaseID, today string) (record, []record) {
	t := d.tables["transactions"]
	var charges []record
	paid := int64(0)
	for _, id := range t.of(leaseID) {
		rec := t.rows[id]
		if yes(rec["isVoided"]) || str(rec["datePosted"]) > today {
			continue
		}
		if rec["type"] == "Charge" {
			charges = append(charges, rec)
			continue
		}
		amount, _ := cents(str(rec["amount"]))
		paid += amount
	}
	slices.SortStableFunc(charges, func(a, b record) int { return strings.Compare(str(a["datePosted"]), str(b["datePosted"])) })
	owed, unpaid := map[string]int64{}, []record{}
	for _, c := range charges {
		amount, _ := cents(str(c["amount"]))
		covered := min(amount, paid)
		paid -= covered
		rest := amount - covered
		if rest == 0 {
			continue
		}
		overdue := str(c["datePosted"]) < today
		unpaid = append(unpaid, record{"isOverdue": overdue})
		for field, counts := range map[string]bool{
			"unpaidTotalAmount": true, "unpaidRentAmount": c["accountID"] == rentAccount,
			"pastDueTotalAmount": overdue, "pastDueRentAmount": overdue && c["accountID"] == rentAccount,
		} {
			if counts {
				owed[field] += rest
			}
		}
	}
	out := record{}
	for _, field := range []string{"unpaidTotalAmount", "unpaidRentAmount", "pastDueTotalAmount", "pastDueRentAmount"} {
		out[field] = json.Number(amountOf(owed[field]))
	}
	return out, unpaid
}

// cents reads an amount such as "1850" or "1850.50" that is not below zero.
func cents(s string) (int64, bool) {
	whole, part, _ := strings.Cut(s, ".")
	if whole == "" || len(part) > 2 || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	return n, err == nil && n <= math.MaxInt32
}

// amountOf is "1850.50".
func amountOf(cents int64) string {
	part := strconv.FormatInt(100+cents%100, 10)
	return strconv.FormatInt(cents/100, 10) + "." + part[1:]
}

// inUSOrder is a day as recurring charges have it, nil for none.
func inUSOrder(day string) any {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil
	}
	return at.Format(usDate)
}
