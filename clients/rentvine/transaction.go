package rentvine

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
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

const searchTransactions = "search_transactions"

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
	// LeaseID, UnitID, PropertyID, PortfolioID and LedgerID are "" where the row does
	// not say.
	LeaseID, UnitID, LedgerID string
	PropertyID, PortfolioID   string
	// AccountID is what it is charged on: the account that the transaction names, else
	// the one that all its entries do, "" where they do not agree.
	AccountID string
}

// TransactionFilter picks transactions; a zero field leaves all of them.
type TransactionFilter struct {
	PropertyID string
	// From and To are the first and last day of posting, YYYY-MM-DD.
	From, To string
	// Search is text in the transaction; in which fields is not documented.
	Search string
	// Most bounds the result; RentVine's order is not documented.
	Most int
}

func (f TransactionFilter) list() list[Transaction] {
	q := url.Values{}
	for name, v := range map[string]string{
		"propertyIDs[]": f.PropertyID, "datePostedMin": f.From, "datePostedMax": f.To, "search": f.Search,
	} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return list[Transaction]{
		op: searchTransactions, path: "/accounting/transactions/search", query: q, from: transactionFrom,
		id: func(t Transaction) string { return t.ID },
	}
}

// Transactions reads transactions, voided ones too, each once, up to 100 pages of 100
// rows; more is partner.Invalid. Errors are *partner.Error.
func (c *Client) Transactions(ctx context.Context, f TransactionFilter) ([]Transaction, error) {
	if f.PropertyID != "" {
		if err := number(searchTransactions, f.PropertyID); err != nil {
			return nil, err
		}
	}
	var rows []Transaction
	seen := map[string]bool{}
	err := f.list().each(ctx, c, func(t Transaction) bool {
		if !seen[t.ID] {
			seen[t.ID] = true
			rows = append(rows, t)
		}
		return f.Most <= 0 || len(rows) < f.Most
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// EachTransaction shows each transaction, voided ones too, from a page on, counting from 1,
// until each says stop, and tells it which page one is on. The filter's Most is not used.
// It walks at most 1,000 pages of 100 rows; more is partner.Invalid. A row that is added
// meanwhile may push another to the next page, which then comes twice. Errors are
// *partner.Error.
func (c *Client) EachTransaction(ctx context.Context, fromPage int, f TransactionFilter, each func(page int, t Transaction) (more bool)) error {
	if f.PropertyID != "" {
		if err := number(searchTransactions, f.PropertyID); err != nil {
			return err
		}
	}
	l := f.list()
	l.most, l.passes = maxAccountPages, true
	return l.eachFrom(ctx, c, fromPage, each)
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
	lease, err := c.LeaseWithTenants(ctx, leaseID)
	if err != nil {
		return nil, err
	}
	if lease.PropertyID == "" {
		return nil, &partner.Error{Op: "rentvine." + searchTransactions, Kind: partner.Malformed, Message: "the lease names no property"}
	}
	first := ""
	if !since.IsZero() {
		first = since.UTC().Format(DateLayout)
	}
	rows, err := c.Transactions(ctx, TransactionFilter{PropertyID: lease.PropertyID, From: first})
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

func transactionFrom(r row) (Transaction, error) {
	var w struct {
		TransactionID   key  `json:"transactionID"`
		Type            text `json:"type"`
		Amount          text `json:"amount"`
		DatePosted      date `json:"datePosted"`
		Description     text `json:"description"`
		Reference       text `json:"reference"`
		IsVoided        flag `json:"isVoided"`
		LeaseID         key  `json:"leaseID"`
		UnitID          key  `json:"unitID"`
		PropertyID      key  `json:"propertyID"`
		PortfolioID     key  `json:"portfolioID"`
		LedgerID        key  `json:"ledgerID"`
		ChargeAccountID key  `json:"chargeAccountID"`
		AccountID       key  `json:"accountID"`
	}
	if err := r.into("transaction", &w); err != nil {
		return Transaction{}, err
	}
	if w.TransactionID == "" {
		return Transaction{}, partner.ShapeError("a transaction without an id")
	}
	// Each object overwrites what the one before said: a unit says more than a portfolio.
	var beside struct {
		LeaseID     key `json:"leaseID"`
		UnitID      key `json:"unitID"`
		PropertyID  key `json:"propertyID"`
		PortfolioID key `json:"portfolioID"`
	}
	for _, name := range []string{"lease", "portfolio", "property", "unit"} {
		if err := r.beside(name, &beside); err != nil {
			return Transaction{}, err
		}
	}
	var ledger wireLedger
	if err := r.beside("ledger", &ledger); err != nil {
		return Transaction{}, err
	}
	account, err := r.accountOfEntries()
	if err != nil {
		return Transaction{}, err
	}
	of := ledger.place()
	return Transaction{
		ID: string(w.TransactionID), Type: transactionType(string(w.Type)), Amount: string(w.Amount), DatePosted: string(w.DatePosted),
		Description: string(w.Description), Reference: string(w.Reference), Voided: bool(w.IsVoided),
		LeaseID: firstKey(w.LeaseID, beside.LeaseID, ledger.LeaseID), LedgerID: firstKey(w.LedgerID, ledger.LedgerID),
		UnitID:      firstKey(w.UnitID, beside.UnitID, key(of.UnitID)),
		PropertyID:  firstKey(w.PropertyID, beside.PropertyID, key(of.PropertyID)),
		PortfolioID: firstKey(w.PortfolioID, beside.PortfolioID, key(of.PortfolioID)),
		AccountID:   firstKey(w.ChargeAccountID, w.AccountID, account),
	}, nil
}

// accountOfEntries is the account that all entries beside a transaction name which name
// one, "" where they name several. An entry may be bare or wrapped: neither is
// documented.
func (r row) accountOfEntries() (key, error) {
	raw := bytes.TrimSpace(r["transactionEntries"])
	if len(raw) == 0 || raw[0] != '[' {
		return "", nil
	}
	var entries []row
	if err := json.Unmarshal(raw, &entries); err != nil {
		return "", err
	}
	accounts := map[string]bool{}
	for _, e := range entries {
		var w struct {
			ChargeAccountID key `json:"chargeAccountID"`
			AccountID       key `json:"accountID"`
		}
		if wire.IsObject(e["transactionEntry"]) {
			if err := e.into("transactionEntry", &w); err != nil {
				return "", err
			}
		} else if err := e.itself(&w); err != nil {
			return "", err
		}
		if account := firstKey(w.ChargeAccountID, w.AccountID); account != "" {
			accounts[account] = true
		}
	}
	if len(accounts) != 1 {
		return "", nil
	}
	for account := range accounts {
		return key(account), nil
	}
	return "", nil
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
