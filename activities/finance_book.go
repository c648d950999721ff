package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/quickbooks"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// BookTransaction makes the books agree with a transaction: it plans the entries that
// are missing, in the store, and posts them to QuickBooks where that is configured. It is
// safe to repeat: a plan is made once, an entry is posted under a requestid of its own
// (contracts/sms-and-accounting.md 2), and a try that may be a repeat looks for it first.
// What a run that died has planned is posted by the next.
var BookTransaction = durable.Activity[BookTransactionInput, BookedEntries]{
	Name: "finance.book", Queue: QueueQuickBooks, Attempt: 30 * time.Second, Within: 72 * time.Hour, MaxInterval: 15 * time.Minute,
}

type (
	// BookTransactionInput is the transaction as RentVine shows it, with a category for
	// each part, "" for the account of what nobody could categorise.
	BookTransactionInput struct {
		Transaction bookkeeping.Transaction `json:"transaction"`
		Categories  []string                `json:"categories,omitempty"`
		// Since is when the workflow began (business time): entries planned after it are
		// new to it, whichever try has posted them.
		Since time.Time `json:"since"`
		// ReadAt is when RentVine was read (business time).
		ReadAt time.Time `json:"read_at"`
	}
	// BookedEntries counts the entries of the transaction. New are the numbers of those
	// planned since the workflow began, or posted by this call.
	BookedEntries struct {
		Entries int   `json:"entries"`
		New     []int `json:"new,omitempty"`
		// Stale tells that somebody has booked what was read later: nothing was done.
		Stale bool `json:"stale,omitempty"`
	}
	// BookedRef names entries of a transaction.
	BookedRef struct {
		Transaction string `json:"transaction"`
		Numbers     []int  `json:"numbers"`
	}
)

// settingBooksBegan is when the first transaction was booked: what was to come before is
// not missing.
const settingBooksBegan = "books_began"

func (a *Activities) bookTransaction(ctx context.Context, in BookTransactionInput) (BookedEntries, error) {
	rules := a.Policy.Finance()
	if !rules.On() {
		return BookedEntries{}, toTemporal(ctx, &partner.Error{
			Op: BookTransaction.Name, Kind: partner.Forbidden, Message: `the policy has no section "finance": add one`,
		})
	}
	if err := a.noteBegin(ctx, rules); err != nil {
		return BookedEntries{}, err
	}
	entries, err := a.planEntries(ctx, in, rules)
	if errors.Is(err, store.ErrStale) {
		return BookedEntries{Stale: true}, nil
	}
	if err != nil {
		return BookedEntries{}, toTemporal(ctx, err)
	}
	// A minute of grace for clocks that disagree.
	since := in.Since.Add(-a.Clock.Business(time.Minute))
	out := BookedEntries{Entries: len(entries)}
	for _, e := range entries {
		if e.PostedAt.IsZero() {
			if err := a.postEntry(ctx, e); err != nil {
				return BookedEntries{}, toTemporal(ctx, err)
			}
		} else if e.PlannedAt.Before(since) {
			continue
		}
		out.New = append(out.New, e.Number)
	}
	return out, nil
}

func (a *Activities) noteBegin(ctx context.Context, rules policy.Finance) error {
	began, err := a.Store.Setting(ctx, settingBooksBegan)
	if err != nil || began != "" {
		return err
	}
	return a.Store.SetSetting(ctx, settingBooksBegan, a.booksToday(rules))
}

// planEntries records the transaction, and the entries that it needs, and returns all. Of
// one that RentVine does not show nothing is planned.
func (a *Activities) planEntries(ctx context.Context, in BookTransactionInput, rules policy.Finance) ([]store.JournalEntry, error) {
	t := in.Transaction
	if !t.Found {
		return a.Store.Entries(ctx, t.ID)
	}
	want, err := bookkeeping.Target(t, in.Categories, rules)
	if err != nil {
		return nil, &partner.Error{Op: BookTransaction.Name, Kind: partner.Invalid, Message: err.Error()}
	}
	// What is planned is never changed: it is planned on accounts alone that are fit.
	for _, l := range want {
		if _, err := a.accountIn(ctx, l.Account, rules.Currency); err != nil {
			return nil, err
		}
	}
	today := a.booksToday(rules)
	entries, err := a.Store.BookTransaction(ctx, a.bookedTransaction(in), func(booked []store.JournalEntry) ([]store.JournalEntry, error) {
		var known []bookkeeping.Entry
		for _, e := range booked {
			known = append(known, fromJournal(e))
		}
		planned, err := bookkeeping.Plan(known, want, t.Day, today, rules.ClosedAfter)
		if err != nil {
			return nil, err
		}
		var add []store.JournalEntry
		for _, e := range planned {
			add = append(add, toJournal(t.ID, e, rules.Currency, a.businessNow()))
		}
		return add, nil
	})
	if errors.Is(err, bookkeeping.ErrBroken) {
		return nil, &partner.Error{Op: BookTransaction.Name, Kind: partner.Invalid, Message: err.Error()}
	}
	return entries, err
}

func (a *Activities) bookedTransaction(in BookTransactionInput) store.BookedTransaction {
	t := in.Transaction
	b := store.BookedTransaction{
		ID: t.ID, Kind: string(t.Kind), Number: t.Number, LeaseID: t.LeaseID, UnitID: t.UnitID, PropertyID: t.PropertyID,
		PortfolioID: t.PortfolioID, Amount: int64(t.Amount()), Day: t.Day, Text: t.Text, Counts: t.Counts(), SeenAt: in.ReadAt,
	}
	if len(t.Parts) == 1 {
		b.Account = t.Parts[0].AccountID
		if len(in.Categories) == 1 {
			b.Category = in.Categories[0]
		}
	}
	return b
}

func fromJournal(e store.JournalEntry) bookkeeping.Entry {
	out := bookkeeping.Entry{Number: e.Number, Day: e.Day, Of: e.Of, Reverses: e.Reverses}
	for _, l := range e.Lines {
		out.Lines = append(out.Lines, bookkeeping.Line{Role: l.Role, Account: l.Account, Debit: policy.Cents(l.Debit), Credit: policy.Cents(l.Credit)})
	}
	return out
}

func toJournal(transactionID string, e bookkeeping.Entry, currency string, now time.Time) store.JournalEntry {
	out := store.JournalEntry{
		TransactionID: transactionID, Number: e.Number, Day: e.Day, Of: e.Of, Reverses: e.Reverses, Currency: currency, PlannedAt: now,
	}
	for _, l := range e.Lines {
		out.Lines = append(out.Lines, store.JournalLine{Role: l.Role, Account: l.Account, Debit: int64(l.Debit), Credit: int64(l.Credit)})
	}
	return out
}

// postEntry posts one entry to QuickBooks, where that is configured, and notes that.
func (a *Activities) postEntry(ctx context.Context, e store.JournalEntry) error {
	id := ""
	if qb := a.QuickBooks.Client; qb != nil {
		ref := fmt.Sprintf("%s#%d", e.TransactionID, e.Number)
		entry := quickbooks.NewJournalEntry{
			RequestID: quickbooks.RequestID(ref, "journal entry"), Number: bookkeeping.Number(e.TransactionID, e.Number),
			Day: e.Day, Note: bookkeeping.Memo(e.TransactionID, e.Number),
		}
		for _, l := range e.Lines {
			account, err := a.accountIn(ctx, l.Account, e.Currency)
			if err != nil {
				return err
			}
			entry.Lines = append(entry.Lines, quickbooks.JournalLine{
				AccountID: account, Debit: quickbooks.Amount(l.Debit), Credit: quickbooks.Amount(l.Credit), Text: entry.Note,
			})
		}
		var err error
		id, err = a.once(ctx, effect{
			key: ref + "/quickbooks", about: writing(atQuickBooks, fmt.Sprintf("journal entry %s on %s", entry.Number, e.Day), e.TransactionID),
			find: func(ctx context.Context, _ time.Time) (string, bool, error) {
				found, ok, err := qb.FindJournalEntry(ctx, entry.Number, entry.Note)
				if err == nil && ok && !found.Says(entry) {
					err = &partner.Error{
						Op: BookTransaction.Name, Kind: partner.Conflict, Message: "QuickBooks has " + entry.Number + " with other amounts: correct it there",
					}
				}
				return found.ID, ok, err
			},
			act: func(ctx context.Context) (string, error) {
				made, err := qb.CreateJournalEntry(ctx, entry)
				return made.ID, err
			},
		})
		if err == nil {
			err = writeDown(ctx)
		}
		if err != nil {
			return err
		}
	}
	return a.Store.MarkPosted(context.WithoutCancel(ctx), e.TransactionID, e.Number, id, a.businessNow())
}

// accountIn is QuickBooks' id of an account, "" where QuickBooks is not configured.
func (a *Activities) accountIn(ctx context.Context, name, currency string) (string, error) {
	if a.QuickBooks.Client == nil {
		return "", nil
	}
	return a.bookAccounts.find(ctx, a.QuickBooks.Client, name, currency)
}

// bookAccounts keeps the chart of accounts of QuickBooks.
type bookAccounts struct {
	mu     sync.Mutex
	byName map[string]quickbooks.Account
	readAt time.Time
}

func (b *bookAccounts) read(ctx context.Context, qb *quickbooks.Client) error {
	accounts, err := qb.Accounts(ctx)
	if err != nil {
		return err
	}
	b.byName, b.readAt = map[string]quickbooks.Account{}, time.Now()
	for _, account := range accounts {
		b.byName[account.Name] = account
	}
	return nil
}

// find is the id of an account by its name. An account that is not fit for bookings is an
// error that waiting mends, once somebody has put it right.
func (b *bookAccounts) find(ctx context.Context, qb *quickbooks.Client, name, currency string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.byName[name]
	if age := time.Since(b.readAt); age >= accountsFor || !known && age >= accountsPause {
		if err := b.read(ctx, qb); err != nil {
			return "", err
		}
	}
	account, known := b.byName[name]
	if problem := unfit(account, known, name, currency); problem != "" {
		return "", &partner.Error{Op: BookTransaction.Name, Kind: partner.Forbidden, Message: problem}
	}
	return account.ID, nil
}

// unfit says why bookings cannot be posted on an account, "" where they can.
func unfit(account quickbooks.Account, known bool, name, currency string) string {
	switch {
	case !known:
		return "QuickBooks has no account " + name + ": add it, or name another one in the policy (finance)"
	case !account.Active:
		return "the account " + name + " is inactive in QuickBooks: make it active, or name another one in the policy (finance)"
	case account.Type == quickbooks.TypeReceivable || account.Type == quickbooks.TypePayable:
		return "the account " + name + " is of the type " + account.Type + ", on which QuickBooks wants a customer or vendor: name one of another type in the policy (finance)"
	case account.Currency != "" && account.Currency != currency:
		return "the account " + name + " is in " + account.Currency + ", the books are in " + currency + ": name another one in the policy (finance)"
	}
	return ""
}

// checkFor limits the check of the accounts at the start of a worker (real time).
const checkFor = time.Minute

// CheckBooks logs what is wrong with the accounts that the policy names, at the start of
// a worker. Nothing stops for that: a booking waits until its accounts are fit.
func (a *Activities) CheckBooks(ctx context.Context) {
	rules := a.Policy.Finance()
	if a.QuickBooks.Client == nil || !rules.On() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	problems, err := CheckBookAccounts(ctx, a.QuickBooks.Client, rules)
	if err != nil {
		a.Log.Warn("the accounts in QuickBooks could not be checked; \"keyholder finance check\" tries again", zap.String("kind", string(partner.KindOf(err))))
	}
	for _, p := range problems {
		a.Log.Error("an account cannot be booked on", zap.String("problem", p))
	}
}

// CheckBookAccounts compares the accounts that the policy names with QuickBooks' chart,
// and returns what is wrong with each, none where all are fit.
func CheckBookAccounts(ctx context.Context, qb *quickbooks.Client, rules policy.Finance) ([]string, error) {
	var chart bookAccounts
	if err := chart.read(ctx, qb); err != nil {
		return nil, err
	}
	names := []string{rules.Accounts.Bank, rules.Accounts.Receivables, rules.Accounts.Payables, rules.Accounts.Unsure}
	for _, c := range rules.Categories {
		names = append(names, c.Account)
	}
	slices.Sort(names)
	var problems []string
	for _, name := range slices.Compact(names) {
		account, known := chart.byName[name]
		if problem := unfit(account, known, name, rules.Currency); problem != "" {
			problems = append(problems, problem)
		}
	}
	return problems, nil
}

// BookedAs is an entry of the journal that QuickBooks does not have as it was posted, or
// one of QuickBooks that looks like ours and is not in the journal.
type BookedAs struct {
	Number  string `json:"number"`
	Problem string `json:"problem"`
}

// CompareBooks compares the journal with QuickBooks between two days (YYYY-MM-DD,
// included): each entry is there once, on its day, with its amounts. It returns how many
// entries it has compared, and every difference.
func CompareBooks(ctx context.Context, s store.Finance, qb *quickbooks.Client, from, to string) (compared int, differences []BookedAs, err error) {
	var chart bookAccounts
	if err := chart.read(ctx, qb); err != nil {
		return 0, nil, err
	}
	seen := map[string][]quickbooks.JournalEntry{}
	err = qb.JournalEntries(ctx, from, to, func(e quickbooks.JournalEntry) bool {
		if strings.HasPrefix(e.Note, bookkeeping.MemoPrefix) {
			seen[e.Note] = append(seen[e.Note], e)
		}
		return true
	})
	if err != nil {
		return 0, nil, err
	}
	entries, err := s.Journal(ctx, store.JournalFilter{From: from, To: to, Most: maxCompared})
	if err != nil {
		return 0, nil, err
	}
	differ := func(number, problem string) { differences = append(differences, BookedAs{number, problem}) }
	for _, e := range entries {
		note, number := bookkeeping.Memo(e.TransactionID, e.Number), bookkeeping.Number(e.TransactionID, e.Number)
		there := seen[note]
		delete(seen, note)
		switch {
		case e.PostedAt.IsZero():
			differ(number, "is planned and not posted yet")
		case len(there) == 0:
			differ(number, "is not in QuickBooks")
		case len(there) > 1:
			differ(number, fmt.Sprintf("is %d times in QuickBooks", len(there)))
		case !sameEntry(e, there[0], chart.byName):
			differ(number, "has other amounts or accounts in QuickBooks")
		}
	}
	for _, there := range seen {
		differ(there[0].Number, "is in QuickBooks and not in the journal")
	}
	slices.SortFunc(differences, func(a, b BookedAs) int { return strings.Compare(a.Number, b.Number) })
	return len(entries), differences, nil
}

// maxCompared bounds a comparison.
const maxCompared = 50_000

func sameEntry(e store.JournalEntry, there quickbooks.JournalEntry, accounts map[string]quickbooks.Account) bool {
	sums := map[string]int64{}
	for _, l := range e.Lines {
		sums[accounts[l.Account].ID] += l.Debit - l.Credit
	}
	for _, l := range there.Lines {
		sums[l.AccountID] -= int64(l.Debit - l.Credit)
	}
	for _, rest := range sums {
		if rest != 0 {
			return false
		}
	}
	return e.Day == there.Day
}
