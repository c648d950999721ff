package store

import (
	"context"
	"errors"
	"time"
)

// ErrStale is returned where a transaction was booked as it was seen later.
var ErrStale = errors.New("store: the transaction was seen later than that")

// A BookedTransaction is one of RentVine's as it was last seen. Amounts are cents.
type BookedTransaction struct {
	// ID is the workflow's: "charge/12".
	ID string
	// Kind is "charge", "credit", "payment" or "bill"; Number is RentVine's id.
	Kind, Number                             string
	LeaseID, UnitID, PropertyID, PortfolioID string
	// Account is RentVine's account id, "" for none or several; Category is the policy's
	// id, "" where it has several or none.
	Account, Category string
	Amount            int64
	// Day is YYYY-MM-DD.
	Day  string
	Text string
	// Counts is false where it was voided or is gone.
	Counts bool
	// SeenAt is when RentVine showed it so (business time).
	SeenAt time.Time
}

// A JournalEntry is one balanced entry of the journal. It never changes, but for when it
// was posted.
type JournalEntry struct {
	// TransactionID and Number name it.
	TransactionID string
	Number        int
	// Day is the one on which it is booked, Of the transaction's own; YYYY-MM-DD.
	Day      string
	Of       string
	Currency string
	Lines    []JournalLine
	// Reverses is the number of the entry that it takes back, 0 for none.
	Reverses int
	// PlannedAt is when it was decided; PostedAt is zero until QuickBooks has it, under
	// QuickBooksID. Both are business time.
	PlannedAt, PostedAt time.Time
	QuickBooksID        string
	// Transaction is what it books, as it was last seen; only read.
	Transaction BookedTransaction
}

// A JournalLine is one line; one of Debit and Credit is 0. Role is a category's id, or
// "bank", "receivables", "payables", "unsure"; Account is the name in QuickBooks.
type JournalLine struct {
	Role, Account string
	Debit, Credit int64 // cents
}

// JournalFilter bounds a look at the journal. Days are YYYY-MM-DD, both included; "" is
// no bound. IDs of "" are all.
type JournalFilter struct {
	From, To                string
	PortfolioID, PropertyID string
	// Role lists entries with a line of that role alone.
	Role string
	// PlannedFrom and PlannedTo bound when entries were decided (business time; To is
	// excluded); zero is no bound.
	PlannedFrom, PlannedTo time.Time
	// Unposted lists those that QuickBooks does not have yet alone.
	Unposted bool
	// Most is 10,000 where 0.
	Most int
}

// A FindingState is how far a finding is.
type FindingState string

// The states.
const (
	FindingOpen FindingState = "open"
	// FindingRight: a person says that all is right; FindingWrong: that it is a mistake,
	// which somebody mends; FindingGone: it has resolved itself.
	FindingRight FindingState = "right"
	FindingWrong FindingState = "wrong"
	FindingGone  FindingState = "gone"
)

// A Finding is something conspicuous in the books. It names nobody.
type Finding struct {
	// ID is made of what is conspicuous: the same is never raised twice.
	ID string
	// Kind is "duplicate_charge", "unusual_amount", "missing_payment" or
	// "ledger_against_bank"; Severity "low", "medium" or "high".
	Kind, Severity string
	Reason         string
	Evidence       []Detail
	// Transactions are IDs of what it is about.
	Transactions                     []string
	LeaseID, PropertyID, PortfolioID string
	Amount                           int64 // cents
	// Proposals are matches that a person may choose from, each with its reason in Why.
	Proposals []BankMatch
	// FoundAt, ReviewedAt and DecidedAt are business time. ReviewedAt is when its review
	// began, zero before.
	FoundAt    time.Time
	ReviewedAt time.Time
	State      FindingState
	DecidedBy  string
	DecidedAt  time.Time
	Note       string
}

// A BankStatement is one that was read in. Days are YYYY-MM-DD, amounts cents.
type BankStatement struct {
	// ID is the digest of its content: the same one twice is taken once.
	ID                string
	Account, Currency string
	From, To          string
	// Opening and Closing are the balances where Balances is true.
	Opening, Closing int64
	Balances         bool
	// Lines and Sum are counted when it is read in.
	Lines int
	Sum   int64
	At    time.Time
}

// A BankLine is one line of a statement: money that came (positive) or went.
type BankLine struct {
	// ID is the bank's own of the line within the account, or made of what it says and
	// how often that was said before.
	ID, StatementID string
	Account, Day    string
	Amount          int64 // cents
	Text, Reference string
	// MatchID is "" while it is not matched.
	MatchID string
}

// A BankBooking is one line on the bank's account in the journal. Amount is positive
// where money came.
type BankBooking struct {
	TransactionID string
	Number        int
	Day           string
	Amount        int64 // cents
	Reverses      int
	LeaseID       string
	Text          string
	// MatchID is "" while it is not matched.
	MatchID string
}

// A BankMatch says that lines and bookings are the same money.
type BankMatch struct {
	ID string
	// How is "exact", "tolerant", "deposit", "reversed" or "person".
	How, Why string
	// By is who decided, "" for the rules.
	By    string
	At    time.Time // business time
	Lines []string  // IDs
	// Bookings are "<transaction>#<number>".
	Bookings []string
}

// A MonthSum is what the entries of a month (YYYY-MM) add up to in one role of one kind of
// transaction: debits minus credits, in cents.
type MonthSum struct {
	Month, Kind, Role string
	Amount            int64
}

// Finance is the journal, what was found in it, and the bank's statements.
type Finance interface {
	// BookTransaction records a transaction as it is now, and the entries that plan says it needs
	// beside those that there are, all or nothing. It returns all entries, in order of
	// their numbers. Of several callers about one transaction, one plans after the other.
	// plan must not use the store. Entries of it that are not balanced, do not go on from
	// the last number, mix currencies or reverse what is reversed are refused; where it
	// leaves them out, TransactionID, Of and PlannedAt are the transaction's.
	BookTransaction(ctx context.Context, t BookedTransaction, plan func(booked []JournalEntry) ([]JournalEntry, error)) ([]JournalEntry, error)
	// MarkPosted notes that QuickBooks has an entry; repeating it is harmless, but another
	// id of the same entry is an error. ErrNotFound where there is no such entry.
	MarkPosted(ctx context.Context, transactionID string, number int, quickBooksID string, at time.Time) error
	// Journal lists entries by day, transaction and number; Entries those of one
	// transaction.
	Journal(ctx context.Context, f JournalFilter) ([]JournalEntry, error)
	Entries(ctx context.Context, transactionID string) ([]JournalEntry, error)
	// Balances sums up debits minus credits by account until a day (YYYY-MM-DD, included;
	// "" is all), of posted entries alone.
	Balances(ctx context.Context, until string) (map[string]int64, error)
	// RoleSums sums up debits minus credits of a portfolio by role until a day, of all
	// entries.
	RoleSums(ctx context.Context, portfolioID, until string) (map[string]int64, error)
	// PortfolioMonths sums up the entries of a portfolio between two days (both included)
	// by month, kind and role.
	PortfolioMonths(ctx context.Context, portfolioID, from, to string) ([]MonthSum, error)
	// BookedTransactions lists those of a lease that count, since a day, oldest first, at
	// most 1,000, the latest.
	BookedTransactions(ctx context.Context, leaseID, since string) ([]BookedTransaction, error)

	// RaiseFinding records one. Where it was raised before, raised is false: if it is open
	// it is brought up to date, and if a person has decided it stays so. One that has
	// resolved itself since is open again.
	RaiseFinding(ctx context.Context, f Finding) (raised bool, err error)
	// NoteReview notes that the review of a finding has begun; repeating it is harmless.
	NoteReview(ctx context.Context, id string, at time.Time) error
	// SettleFinding notes how an open one ends; one that has ended stays as it is. Settled
	// tells whether this call did it. ErrNotFound where there is none.
	SettleFinding(ctx context.Context, id string, state FindingState, by, note string, at time.Time) (settled bool, err error)
	// Finding returns one, or ErrNotFound; Findings lists those of a state, the newest
	// first, at most 1,000, "" for all; OpenFindingsOf those open about a transaction, OpenFindingsOfLease about a lease.
	Finding(ctx context.Context, id string) (Finding, error)
	Findings(ctx context.Context, state FindingState) ([]Finding, error)
	OpenFindingsOf(ctx context.Context, transactionID string) ([]Finding, error)
	OpenFindingsOfLease(ctx context.Context, leaseID string) ([]Finding, error)

	// AddBankStatement reads a statement in; lines that are known already are left out.
	// added counts the new ones; known tells that the statement itself was read before.
	AddBankStatement(ctx context.Context, s BankStatement, lines []BankLine) (added int, known bool, err error)
	// BankStatements lists those of an account, the newest first, at most 100.
	BankStatements(ctx context.Context, account string) ([]BankStatement, error)
	// OpenBankLines and OpenBankBookings list what is not matched since a day (YYYY-MM-DD),
	// oldest first, at most 5,000. Bookings are those of posted entries; a booking's day is the payment's own, that of a reversal
	// the one on which it is booked.
	OpenBankLines(ctx context.Context, account, since string) ([]BankLine, error)
	OpenBankBookings(ctx context.Context, since string) ([]BankBooking, error)
	// MatchBank records matches, all or nothing; a match with a line or booking that is
	// matched already is left out, and one that is not known is an error. It returns how
	// many were recorded.
	MatchBank(ctx context.Context, matches []BankMatch) (int, error)
	// BankTotals sums up an account's lines and all posted bookings on the bank.
	BankTotals(ctx context.Context, account string) (BankTotals, error)
}

// BankTotals are sums over all lines and bookings of an account: what is matched on both
// sides is equal but for the tolerance, and the open rest explains the difference. Cents.
type BankTotals struct {
	Lines, MatchedLines, OpenLines          int64
	Bookings, MatchedBookings, OpenBookings int64
}
