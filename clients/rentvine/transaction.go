package rentvine

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

// TransactionType is what a transaction is. RentVine's own words are not documented:
// those that plainly mean one of the types here are read as it, any other is kept in
// lower case.
type TransactionType string

// The transaction types that this project tells apart.
const (
	TransactionCharge  TransactionType = "charge"
	TransactionPayment TransactionType = "payment"
	TransactionCredit  TransactionType = "credit"
)

// ledgerOfUnit is the ledger type of units (contracts/rentvine.md 2.10).
const ledgerOfUnit = 4

// Transaction is an entry of the accounts (contracts/rentvine.md 2.10).
type Transaction struct {
	ID   string
	Type TransactionType
	// Amount is a decimal in the account's currency as RentVine writes it; whether
	// payments have a sign is not documented.
	Amount string
	// DatePosted is YYYY-MM-DD.
	DatePosted             string
	Description, Reference string
	Voided                 bool
	// LeaseID, UnitID and LedgerID are "" where the row does not say.
	LeaseID, UnitID, LedgerID string
}

// LeaseTransactions reads the transactions of a lease posted on the day of since (UTC)
// and after, from the beginning where it is zero, voided ones too, up to 100 pages of
// 100 rows.
//
// RentVine documents no filter by lease, nor that a row names one: the search takes
// properties and ledgers, and no ledger type is that of a lease (contracts/rentvine.md
// 2.10). So the lease is read first, its property searched, and a row taken that names
// the lease, or that names none but the lease's unit (beside it, or as its ledger's
// object) and was posted in the time of the lease: from the earlier of its start and
// move-in, without either from the beginning, and until it was closed. Rent posted
// before the move-in on a row that names no lease is therefore missed, and so is what a
// row ties to neither. Errors are *partner.Error.
func (c *Client) LeaseTransactions(ctx context.Context, leaseID string, since time.Time) ([]Transaction, error) {
	const op = "search_transactions"
	lease, err := c.LeaseWithTenants(ctx, leaseID)
	if err != nil {
		return nil, err
	}
	if lease.PropertyID == "" {
		return nil, &partner.Error{Op: "rentvine." + op, Kind: partner.Malformed, Message: "the lease names no property"}
	}
	q, first := url.Values{"propertyIDs[]": {lease.PropertyID}}, ""
	if !since.IsZero() {
		first = since.UTC().Format(DateLayout)
		q.Set("datePostedMin", first)
	}
	rows, err := list[Transaction]{
		op: op, path: "/accounting/transactions/search", query: q, from: transactionFrom,
		id: func(t Transaction) string { return t.ID },
	}.all(ctx, c)
	if err != nil {
		return nil, err
	}
	var found []Transaction
	for _, t := range rows {
		if t.DatePosted >= first && t.isOf(lease) {
			found = append(found, t)
		}
	}
	return found, nil
}

// isOf tells whether the transaction is the lease's, as LeaseTransactions says.
func (t Transaction) isOf(l Lease) bool {
	if t.LeaseID != "" {
		return t.LeaseID == l.ID
	}
	if t.UnitID == "" || t.UnitID != l.UnitID {
		return false
	}
	begin := l.StartDate
	if begin == "" || l.MoveInDate != "" && l.MoveInDate < begin {
		begin = l.MoveInDate
	}
	return t.DatePosted >= begin && (l.ClosedDate == "" || t.DatePosted <= l.ClosedDate)
}

type wireLedger struct {
	LedgerID     key   `json:"ledgerID"`
	LedgerTypeID whole `json:"ledgerTypeID"`
	ObjectID     key   `json:"objectID"`
	LeaseID      key   `json:"leaseID"`
	UnitID       key   `json:"unitID"`
}

func transactionFrom(r row) (Transaction, error) {
	var w struct {
		TransactionID key  `json:"transactionID"`
		Type          text `json:"type"`
		Amount        text `json:"amount"`
		DatePosted    date `json:"datePosted"`
		Description   text `json:"description"`
		Reference     text `json:"reference"`
		IsVoided      flag `json:"isVoided"`
		LeaseID       key  `json:"leaseID"`
		UnitID        key  `json:"unitID"`
		LedgerID      key  `json:"ledgerID"`
	}
	if err := r.into("transaction", &w); err != nil {
		return Transaction{}, err
	}
	if w.TransactionID == "" {
		return Transaction{}, partner.ShapeError("a transaction without an id")
	}
	var beside struct {
		LeaseID key `json:"leaseID"`
		UnitID  key `json:"unitID"`
	}
	var ledger wireLedger
	for _, name := range []string{"lease", "unit"} {
		if err := r.beside(name, &beside); err != nil {
			return Transaction{}, err
		}
	}
	if err := r.beside("ledger", &ledger); err != nil {
		return Transaction{}, err
	}
	t := Transaction{
		ID: string(w.TransactionID), Type: transactionType(string(w.Type)), Amount: string(w.Amount), DatePosted: string(w.DatePosted),
		Description: string(w.Description), Reference: string(w.Reference), Voided: bool(w.IsVoided),
		LeaseID: firstKey(w.LeaseID, beside.LeaseID, ledger.LeaseID), LedgerID: firstKey(w.LedgerID, ledger.LedgerID),
		UnitID: firstKey(w.UnitID, beside.UnitID, ledger.UnitID),
	}
	if t.UnitID == "" && ledger.LedgerTypeID == ledgerOfUnit {
		t.UnitID = string(ledger.ObjectID)
	}
	return t, nil
}

// transactionType reads "Lease Charge" and "lease_charge" as "charge", and so on. A
// payment to a vendor or an owner is none of a tenant.
func transactionType(s string) TransactionType {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ' ' || r == '_' || r == '-' })
	if len(words) == 0 || len(words) > 2 {
		return TransactionType(strings.ToLower(s))
	}
	whose := ""
	if len(words) == 2 {
		whose = words[0]
	}
	switch whose {
	case "", "lease", "tenant", "resident", "rent", "recurring":
	default:
		return TransactionType(strings.ToLower(s))
	}
	switch words[len(words)-1] {
	case "charge", "charges":
		return TransactionCharge
	case "payment", "payments", "receipt":
		return TransactionPayment
	case "credit", "credits":
		return TransactionCredit
	default:
		return TransactionType(strings.ToLower(s))
	}
}
