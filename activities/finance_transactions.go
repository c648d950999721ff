package activities

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/clients/llm"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadTransaction reads a charge, payment or bill at RentVine as it is now, voided or
// not. Reading has no effect.
var ReadTransaction = durable.Activity[ReadTransactionInput, bookkeeping.Transaction]{
	Name: "rentvine.read_transaction", Queue: QueueRentVine, Attempt: 30 * time.Second, Within: 24 * time.Hour,
}

// CategorizeTransaction says what each part of a transaction is for, by the rules of the
// policy; where those are not sure and a model is configured, it may be asked.
var CategorizeTransaction = durable.Activity[CategorizeInput, Categorized]{
	Name: "agents.categorize_transaction", Attempt: 30 * time.Second,
}

type (
	// ReadTransactionInput names the transaction: "charge/12", "payment/13" or
	// "invoice/14".
	ReadTransactionInput struct {
		ID   string          `json:"id"`
		Hint TransactionHint `json:"hint,omitzero"`
	}
	// TransactionHint is where a webhook says that the transaction is to be found.
	TransactionHint struct {
		LeaseID    string `json:"lease_id,omitempty"`
		PropertyID string `json:"property_id,omitempty"`
		// Day is YYYY-MM-DD.
		Day string `json:"day,omitempty"`
		// PayeeID is whom an invoice is owed to, "" for one that a tenant gets.
		PayeeID string `json:"payee_id,omitempty"`
		// Bill tells that an invoice is known to be owed to a vendor.
		Bill bool `json:"bill,omitempty"`
	}
	// CategorizeInput is the transaction. Model asks a model too.
	CategorizeInput struct {
		Transaction bookkeeping.Transaction `json:"transaction"`
		Model       bool                    `json:"model,omitempty"`
	}
	// Categorized has a category and a reason for each part, "" where it is not sure.
	Categorized struct {
		Categories []string `json:"categories"`
		Why        []string `json:"why"`
		// Unsure are the indexes of parts about which somebody is to be asked, who has
		// UnsureAfter for it (business time).
		Unsure      []int         `json:"unsure,omitempty"`
		UnsureAfter time.Duration `json:"unsure_after,omitempty"`
	}
)

// The first part of a transaction's id.
const (
	chargeOf  = "charge"
	paymentOf = "payment"
	invoiceOf = "invoice"
)

func (a *Activities) readTransaction(ctx context.Context, in ReadTransactionInput) (bookkeeping.Transaction, error) {
	kind, number, ok := strings.Cut(in.ID, "/")
	if !ok || !slices.Contains([]string{chargeOf, paymentOf, invoiceOf}, kind) {
		return bookkeeping.Transaction{}, toTemporal(ctx, &partner.Error{Op: ReadTransaction.Name, Kind: partner.Invalid, Message: "no transaction is called so"})
	}
	read := a.readLedgerTransaction
	if kind == invoiceOf {
		read = a.readBill
	}
	hint, err := a.knownPlace(ctx, in)
	if err != nil {
		return bookkeeping.Transaction{}, err
	}
	t, err := read(ctx, number, hint)
	if err == nil && t.Found && kind != invoiceOf && (kind == paymentOf) != (t.Kind == bookkeeping.Payment) {
		// Whether charges and payments share their ids is not documented.
		err = &partner.Error{Op: ReadTransaction.Name, Kind: partner.Invalid, Message: "what RentVine has under this id is no " + kind}
	}
	if partner.KindOf(err) == partner.NotFound {
		t, err = bookkeeping.Transaction{}, nil
	}
	if err != nil {
		return t, toTemporal(ctx, err)
	}
	t.ID, t.Number = in.ID, number
	if t.Found && t.PropertyID != "" && t.PortfolioID == "" {
		property, err := a.property(ctx, t.PropertyID)
		if err != nil {
			return t, toTemporal(ctx, err)
		}
		t.PortfolioID = property.PortfolioID
	}
	return t, nil
}

// knownPlace completes a hint by where the transaction was when it was booked.
func (a *Activities) knownPlace(ctx context.Context, in ReadTransactionInput) (TransactionHint, error) {
	hint := in.Hint
	booked, err := a.Store.Entries(ctx, in.ID)
	if err != nil || len(booked) == 0 {
		return hint, err
	}
	last := booked[len(booked)-1].Transaction
	hint.LeaseID, hint.PropertyID, hint.Day = cmp.Or(hint.LeaseID, last.LeaseID), cmp.Or(hint.PropertyID, last.PropertyID), cmp.Or(hint.Day, last.Day)
	hint.Bill = last.Kind == string(bookkeeping.Bill)
	return hint, nil
}

// readLedgerTransaction reads a charge or payment of a tenant. RentVine has no look-up by
// id (contracts/rentvine.md 2.10), so it is searched where the hint says.
func (a *Activities) readLedgerTransaction(ctx context.Context, number string, hint TransactionHint) (bookkeeping.Transaction, error) {
	began := a.Now()
	found, ok, err := a.RentVine.FindTransaction(ctx, number, rentvine.TransactionHint{LeaseID: hint.LeaseID, PropertyID: hint.PropertyID, Day: hint.Day})
	if err != nil || !ok {
		return bookkeeping.Transaction{}, err
	}
	if err := a.knows(ctx, began, transactionRecord(found), a.transactionFields(found)); err != nil {
		return bookkeeping.Transaction{}, err
	}
	t := bookkeeping.Transaction{
		Found: true, Voided: found.Voided, Kind: bookkeeping.Kind(found.Type), Day: found.DatePosted, Text: found.Description,
		LeaseID: cmp.Or(found.LeaseID, hint.LeaseID), UnitID: found.UnitID,
		PropertyID: cmp.Or(found.PropertyID, hint.PropertyID), PortfolioID: found.PortfolioID,
	}
	switch t.Kind {
	case bookkeeping.Charge, bookkeeping.Credit, bookkeeping.Payment:
	case bookkeeping.Bill:
		fallthrough
	default:
		return t, &partner.Error{Op: ReadTransaction.Name, Kind: partner.Invalid, Message: "RentVine calls it something that is neither charge, credit nor payment"}
	}
	amount, err := a.moneyOf(found.Amount)
	if err != nil {
		return t, err
	}
	if amount < 0 && t.Kind == bookkeeping.Charge {
		t.Kind, amount = bookkeeping.Credit, -amount
	}
	if amount < 0 {
		// Whether payments and credits have a sign is not documented: nothing is guessed.
		return t, &partner.Error{Op: ReadTransaction.Name, Kind: partner.Invalid, Message: "RentVine shows a payment or credit below zero"}
	}
	part, err := a.partOf(ctx, found.AccountID, amount, "")
	t.Parts = []bookkeeping.Part{part}
	return t, err
}

// readBill reads an invoice: what a vendor is owed. One that a tenant gets lists charges
// that are booked by themselves, so it has no parts.
func (a *Activities) readBill(ctx context.Context, number string, hint TransactionHint) (bookkeeping.Transaction, error) {
	if hint.LeaseID != "" && hint.PayeeID == "" && !hint.Bill {
		return bookkeeping.Transaction{
			Found: true, Kind: bookkeeping.Charge, Day: cmp.Or(hint.Day, a.booksToday(a.Policy.Finance())), LeaseID: hint.LeaseID, PropertyID: hint.PropertyID,
			Text: "an invoice of a tenant: its charges are booked by themselves",
		}, nil
	}
	began := a.Now()
	bill, err := a.RentVine.Bill(ctx, number)
	if err == nil {
		err = a.knows(ctx, began, invoiceRecord+bill.ID, a.billFields(bill))
	}
	if err != nil {
		return bookkeeping.Transaction{}, err
	}
	t := bookkeeping.Transaction{
		Found: true, Voided: bill.Voided, Kind: bookkeeping.Bill, Day: bill.Day, Text: bill.Reference,
		UnitID: bill.UnitID, PropertyID: bill.PropertyID, PortfolioID: bill.PortfolioID,
	}
	t.PropertyID = cmp.Or(t.PropertyID, hint.PropertyID)
	for _, c := range bill.Charges {
		amount, err := a.moneyOf(c.Amount)
		if err != nil {
			return t, err
		}
		part, err := a.partOf(ctx, c.AccountID, amount, c.Description)
		if err != nil {
			return t, err
		}
		t.Parts = append(t.Parts, part)
	}
	return t, nil
}

// moneyOf reads an amount of RentVine, which must be in whole cents.
func (a *Activities) moneyOf(text string) (policy.Cents, error) {
	amount, ok := amountOf(text)
	if !ok {
		return 0, &partner.Error{Op: ReadTransaction.Name, Kind: partner.Invalid, Message: "an amount at RentVine is not in whole cents: correct it there"}
	}
	return amount, nil
}

func (a *Activities) partOf(ctx context.Context, accountID string, amount policy.Cents, text string) (bookkeeping.Part, error) {
	part := bookkeeping.Part{AccountID: accountID, Amount: amount, Text: text}
	if accountID == "" {
		return part, nil
	}
	account, err := a.ledgerAccounts.find(ctx, a.RentVine, accountID)
	part.AccountNumber, part.Account, part.IsRent = account.Number, account.Name, account.IsRent
	return part, err
}

// ledgerAccounts keeps RentVine's chart of accounts.
type ledgerAccounts struct {
	mu     sync.Mutex
	byID   map[string]rentvine.Account
	readAt time.Time
}

// accountsFor is how long a chart of accounts is kept (real time); an account that is
// not in it makes it be read again, but not more often than accountsPause.
const (
	accountsFor   = 10 * time.Minute
	accountsPause = 10 * time.Second
)

// find is an account by its id; one that RentVine does not list has no name.
func (l *ledgerAccounts) find(ctx context.Context, c *rentvine.Client, id string) (rentvine.Account, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	age := time.Since(l.readAt)
	account, known := l.byID[id]
	if known && age < accountsFor || !known && age < accountsPause {
		return account, nil
	}
	accounts, err := c.Accounts(ctx)
	if err != nil {
		return account, err
	}
	l.byID, l.readAt = map[string]rentvine.Account{}, time.Now()
	for _, a := range accounts {
		l.byID[a.ID] = a
	}
	return l.byID[id], nil
}

func (a *Activities) categorizeTransaction(ctx context.Context, in CategorizeInput) (Categorized, error) {
	rules := a.Policy.Finance()
	t := in.Transaction
	found := bookkeeping.Categorise(t, rules)
	sure := rules.Questions.SureFrom
	if err := a.asBefore(ctx, t, &found, rules); err != nil {
		return Categorized{}, err
	}
	actor := byPolicy
	if in.Model && a.Model != nil {
		for _, i := range found.Unsure(sure) {
			choice, err := a.askCategory(ctx, t, i, rules)
			if err != nil {
				a.modelFailed(CategorizeTransaction.Name, err)
			} else if choice.Confidence >= sure {
				found.Parts[i], actor = choice, byModel
			}
		}
	}
	out := Categorized{Categories: found.Taken(sure), Unsure: found.Unsure(sure), UnsureAfter: rules.Questions.UnsureAfter}
	for _, c := range found.Parts {
		why := c.Why
		if c.Category != "" {
			why = fmt.Sprintf("%s (%d %%)", c.Why, c.Confidence)
		}
		out.Why = append(out.Why, why)
	}
	decided(ctx, actor, categoriesText(t.ID, out))
	return out, nil
}

// categoriesText says what was chosen for a transaction, with at most maxNamedParts.
func categoriesText(id string, c Categorized) string {
	var named []string
	for _, category := range c.Categories {
		named = append(named, cmp.Or(category, "not sure"))
	}
	if len(named) > maxNamedParts {
		named = append(named[:maxNamedParts], "...")
	}
	return "categories of " + id + ": " + strings.Join(named, ", ")
}

const maxNamedParts = 20

// asBefore keeps the category that somebody has said when the rules are not sure.
func (a *Activities) asBefore(ctx context.Context, t bookkeeping.Transaction, found *bookkeeping.Categories, rules policy.Finance) error {
	unsure := found.Unsure(rules.Questions.SureFrom)
	if len(unsure) == 0 {
		return nil
	}
	booked, err := a.Store.Entries(ctx, t.ID)
	if err != nil || len(booked) == 0 {
		return err
	}
	last := booked[len(booked)-1]
	before := last.Transaction.Category
	if len(t.Parts) == 1 && last.Transaction.Account != t.Parts[0].AccountID {
		return nil // it has moved since somebody said so
	}
	if len(t.Parts) > 1 {
		before = restOf(last, t.Parts, found.Taken(rules.Questions.SureFrom))
	}
	category, known := rules.Category(before)
	if !known || !bookkeeping.Fits(t.Kind, category) {
		return nil
	}
	for _, i := range unsure {
		found.Parts[i] = bookkeeping.Choice{Category: category.ID, Confidence: 100, Why: "as it was booked before"}
	}
	return nil
}

// restOf is the role on which an entry has just the parts without a category, "" where
// there is none such.
func restOf(e store.JournalEntry, parts []bookkeeping.Part, taken []string) string {
	rest, sum := map[string]policy.Cents{}, policy.Cents(0)
	for _, l := range e.Lines {
		rest[l.Role] += policy.Cents(l.Debit + l.Credit)
	}
	for i, p := range parts {
		if taken[i] == "" {
			sum += p.Amount
		} else {
			rest[taken[i]] -= p.Amount
		}
	}
	for _, role := range slices.Sorted(maps.Keys(rest)) {
		if rest[role] == sum && !slices.Contains([]string{bookkeeping.RoleReceivables, bookkeeping.RolePayables}, role) {
			return role
		}
	}
	return ""
}

func (a *Activities) askCategory(ctx context.Context, t bookkeeping.Transaction, part int, rules policy.Finance) (bookkeeping.Choice, error) {
	prompt, err := bookkeeping.Prompt(t, part, rules, analysis.Mask)
	if err != nil {
		return bookkeeping.Choice{}, err
	}
	answer, err := a.ask(ctx, llm.Request{
		System: bookkeeping.Instructions, User: prompt, SchemaName: bookkeeping.SchemaName, Schema: bookkeeping.Schema(),
	})
	if err != nil {
		return bookkeeping.Choice{}, err
	}
	choice, err := bookkeeping.ReadAnswer(answer, a.Model.Model(), t.Kind, rules)
	if err != nil {
		return choice, fmt.Errorf("%w: %w", errContradiction, err)
	}
	return choice, nil
}
