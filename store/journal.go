package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// What one look at the journal returns at most, by itself and where more is asked for.
const (
	journalMost    = 10_000
	journalCeiling = 100_000
)

// roleBank is the role of lines on the bank's account.
const roleBank = "bank"

// BookTransaction records a transaction and the entries that are missing.
func (d *database) BookTransaction(ctx context.Context, t BookedTransaction, plan func([]JournalEntry) ([]JournalEntry, error)) ([]JournalEntry, error) {
	if t.ID == "" || !isDay(t.Day) {
		return nil, errors.New("store: book: want a transaction with an id and a day such as 2026-01-31")
	}
	var all []JournalEntry
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		// The write to this row makes others who book the same transaction wait.
		if err := putTransaction(ctx, tx, t); err != nil {
			return err
		}
		booked, err := entriesOf(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		planned, err := plan(booked)
		if err != nil {
			return err
		}
		all = booked
		for _, e := range planned {
			e, err := nextEntry(t, all, e)
			if err != nil {
				return err
			}
			if err := insertEntry(ctx, tx, e); err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: book %s: %w", t.ID, err)
	}
	return all, nil
}

func putTransaction(ctx context.Context, tx *sql.Tx, t BookedTransaction) error {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO finance_transactions (id, kind, number, lease_id, unit_id, property_id, portfolio_id,
			account, category, amount, day, text, counts, seen_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, number = excluded.number, lease_id = excluded.lease_id,
			unit_id = excluded.unit_id, property_id = excluded.property_id, portfolio_id = excluded.portfolio_id,
			account = excluded.account, category = excluded.category, amount = excluded.amount, day = excluded.day,
			text = excluded.text, counts = excluded.counts, seen_at = excluded.seen_at
		WHERE finance_transactions.seen_at <= excluded.seen_at`,
		t.ID, t.Kind, t.Number, t.LeaseID, t.UnitID, t.PropertyID, t.PortfolioID,
		t.Account, t.Category, t.Amount, t.Day, t.Text, flag(t.Counts), micros(t.SeenAt))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrStale
}

// nextEntry checks an entry that is to follow those booked, and fills in what goes
// without saying.
func nextEntry(t BookedTransaction, booked []JournalEntry, e JournalEntry) (JournalEntry, error) {
	if e.TransactionID == "" {
		e.TransactionID = t.ID
	}
	if e.Of == "" {
		e.Of = t.Day
	}
	if e.PlannedAt.IsZero() {
		e.PlannedAt = t.SeenAt
	}
	e.Transaction, e.PostedAt, e.QuickBooksID = t, time.Time{}, ""
	debits, credits := int64(0), int64(0)
	for _, l := range e.Lines {
		if l.Debit < 0 || l.Credit < 0 || (l.Debit > 0) == (l.Credit > 0) || l.Role == "" || l.Account == "" {
			return e, fmt.Errorf("a line of entry %d wants a role, an account, and a debit or a credit above 0", e.Number)
		}
		if debits > math.MaxInt64-l.Debit || credits > math.MaxInt64-l.Credit {
			return e, fmt.Errorf("the amounts of entry %d are too high", e.Number)
		}
		debits += l.Debit
		credits += l.Credit
	}
	switch {
	case e.TransactionID != t.ID:
		return e, fmt.Errorf("an entry is about %s", e.TransactionID)
	case e.Number != len(booked)+1:
		return e, fmt.Errorf("the next entry is number %d, not %d", len(booked)+1, e.Number)
	case debits != credits || debits == 0:
		return e, fmt.Errorf("entry %d is not balanced: debits are %d cents, credits %d", e.Number, debits, credits)
	case !isDay(e.Day) || !isDay(e.Of):
		return e, fmt.Errorf("entry %d wants days such as 2026-01-31", e.Number)
	case e.Currency == "":
		return e, fmt.Errorf("entry %d has no currency", e.Number)
	case e.PlannedAt.IsZero():
		return e, fmt.Errorf("entry %d does not say when it was planned", e.Number)
	case e.Reverses < 0 || e.Reverses >= e.Number:
		return e, fmt.Errorf("entry %d reverses %d, which is not an earlier one", e.Number, e.Reverses)
	}
	for _, b := range booked {
		switch {
		case b.Currency != e.Currency:
			return e, fmt.Errorf("entry %d is in %s and entry %d in %s: one transaction has one currency", b.Number, b.Currency, e.Number, e.Currency)
		case e.Reverses > 0 && (b.Reverses == e.Reverses || b.Number == e.Reverses && b.Reverses > 0):
			return e, fmt.Errorf("entry %d reverses %d, which is reversed or a reversal already", e.Number, e.Reverses)
		}
	}
	return e, nil
}

func insertEntry(ctx context.Context, tx *sql.Tx, e JournalEntry) error {
	const columns = 7
	bank, args := int64(0), make([]any, 0, columns*len(e.Lines))
	for i, l := range e.Lines {
		if l.Role == roleBank {
			bank += l.Debit - l.Credit
		}
		args = append(args, e.TransactionID, e.Number, i+1, l.Role, l.Account, l.Debit, l.Credit)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO journal_entries (transaction_id, number, day, of_day, currency, reverses, bank, planned_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		e.TransactionID, e.Number, e.Day, e.Of, e.Currency, e.Reverses, bank, micros(e.PlannedAt)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO journal_lines (transaction_id, number, line, role, account, debit, credit) VALUES `+places(len(e.Lines), columns), args...)
	return err
}

// MarkPosted notes that QuickBooks has an entry.
func (d *database) MarkPosted(ctx context.Context, transactionID string, number int, quickBooksID string, at time.Time) error {
	if at.IsZero() {
		return errors.New("store: mark posted: want a time")
	}
	n, err := d.change(ctx, `
		UPDATE journal_entries SET posted_at = $4, quickbooks_id = $3
		WHERE transaction_id = $1 AND number = $2 AND posted_at = 0`, transactionID, number, quickBooksID, micros(at))
	if err != nil {
		return fmt.Errorf("store: mark posted: %w", err)
	}
	if n > 0 {
		return nil
	}
	var known string
	err = d.read.QueryRowContext(ctx, `
		SELECT quickbooks_id FROM journal_entries WHERE transaction_id = $1 AND number = $2`, transactionID, number).Scan(&known)
	if err != nil {
		return orNotFound(err)
	}
	if known != quickBooksID {
		return fmt.Errorf("store: mark posted: entry %s#%d is %s in QuickBooks already, and now %s: one of them is a duplicate", transactionID, number, known, quickBooksID)
	}
	return nil
}

// Journal lists entries by day, transaction and number.
func (d *database) Journal(ctx context.Context, f JournalFilter) ([]JournalEntry, error) {
	most := f.Most
	if most <= 0 {
		most = journalMost
	}
	where, args := []string{"1 = 1"}, []any{min(most, journalCeiling)}
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	for _, c := range []struct{ condition, value string }{
		{"e.day >= ?", f.From},
		{"e.day <= ?", f.To},
		{"t.portfolio_id = ?", f.PortfolioID},
		{"t.property_id = ?", f.PropertyID},
		{`EXISTS (SELECT 1 FROM journal_lines r
			WHERE r.transaction_id = e.transaction_id AND r.number = e.number AND r.role = ?)`, f.Role},
	} {
		if c.value != "" {
			add(c.condition, c.value)
		}
	}
	if !f.PlannedFrom.IsZero() {
		add("e.planned_at >= ?", micros(f.PlannedFrom))
	}
	if !f.PlannedTo.IsZero() {
		add("e.planned_at < ?", micros(f.PlannedTo))
	}
	if f.Unposted {
		where = append(where, "e.posted_at = 0")
	}
	list, err := entries(ctx, d.read, strings.Join(where, " AND "), args...)
	if err != nil {
		return nil, fmt.Errorf("store: journal: %w", err)
	}
	return list, nil
}

// Entries lists those of one transaction.
func (d *database) Entries(ctx context.Context, transactionID string) ([]JournalEntry, error) {
	list, err := entriesOf(ctx, d.read, transactionID)
	if err != nil {
		return nil, fmt.Errorf("store: entries: %w", err)
	}
	return list, nil
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func entriesOf(ctx context.Context, q querier, transactionID string) ([]JournalEntry, error) {
	list, err := entries(ctx, q, "e.transaction_id = $2", journalCeiling, transactionID)
	slices.SortFunc(list, func(a, b JournalEntry) int { return cmp.Compare(a.Number, b.Number) })
	return list, err
}

const transactionColumns = `t.id, t.kind, t.number, t.lease_id, t.unit_id, t.property_id, t.portfolio_id,
	t.account, t.category, t.amount, t.day, t.text, t.counts, t.seen_at`

// entries reads entries under a condition on e and t, with their lines. The first of the
// arguments, $1, is how many.
func entries(ctx context.Context, q querier, condition string, args ...any) ([]JournalEntry, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT e.transaction_id, e.number, e.day, e.of_day, e.currency, e.reverses, e.planned_at, e.posted_at, e.quickbooks_id,
			l.role, l.account, l.debit, l.credit, `+transactionColumns+`
		FROM (SELECT e.* FROM journal_entries e JOIN finance_transactions t ON t.id = e.transaction_id
			WHERE `+condition+` ORDER BY e.day, e.transaction_id, e.number LIMIT $1) e
		JOIN finance_transactions t ON t.id = e.transaction_id
		JOIN journal_lines l ON l.transaction_id = e.transaction_id AND l.number = e.number
		ORDER BY e.day, e.transaction_id, e.number, l.line`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []JournalEntry
	for rows.Next() {
		var e JournalEntry
		var l JournalLine
		var planned, posted int64
		transaction, done := transactionScan(&e.Transaction)
		if err := rows.Scan(append([]any{
			&e.TransactionID, &e.Number, &e.Day, &e.Of, &e.Currency, &e.Reverses, &planned, &posted, &e.QuickBooksID,
			&l.Role, &l.Account, &l.Debit, &l.Credit,
		}, transaction...)...); err != nil {
			return nil, err
		}
		done()
		if n := len(list); n > 0 && list[n-1].TransactionID == e.TransactionID && list[n-1].Number == e.Number {
			list[n-1].Lines = append(list[n-1].Lines, l)
			continue
		}
		e.PlannedAt, e.PostedAt, e.Lines = fromMicros(planned), fromMicros(posted), []JournalLine{l}
		list = append(list, e)
	}
	return list, rows.Err()
}

// transactionScan is where transactionColumns go, and what is to be called after.
func transactionScan(t *BookedTransaction) (to []any, done func()) {
	var counts, seen int64
	return []any{
			&t.ID, &t.Kind, &t.Number, &t.LeaseID, &t.UnitID, &t.PropertyID, &t.PortfolioID,
			&t.Account, &t.Category, &t.Amount, &t.Day, &t.Text, &counts, &seen,
		}, func() {
			t.Counts, t.SeenAt = counts != 0, fromMicros(seen)
		}
}

// Balances sums up debits minus credits by account, of posted entries.
func (d *database) Balances(ctx context.Context, until string) (map[string]int64, error) {
	return d.sums(ctx, `
		SELECT l.account, CAST(SUM(l.debit - l.credit) AS BIGINT)
		FROM journal_entries e JOIN journal_lines l ON l.transaction_id = e.transaction_id AND l.number = e.number
		WHERE e.posted_at > 0 AND e.day <= $1 GROUP BY l.account`, cmp.Or(until, lastDay))
}

// RoleSums sums up debits minus credits of a portfolio by role.
func (d *database) RoleSums(ctx context.Context, portfolioID, until string) (map[string]int64, error) {
	return d.sums(ctx, `
		SELECT l.role, CAST(SUM(l.debit - l.credit) AS BIGINT)
		FROM finance_transactions t JOIN journal_entries e ON e.transaction_id = t.id
		JOIN journal_lines l ON l.transaction_id = e.transaction_id AND l.number = e.number
		WHERE t.portfolio_id = $1 AND e.day <= $2 GROUP BY l.role`, portfolioID, cmp.Or(until, lastDay))
}

// PortfolioMonths sums up the entries of a portfolio by month, kind and role.
func (d *database) PortfolioMonths(ctx context.Context, portfolioID, from, to string) ([]MonthSum, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT SUBSTR(e.day, 1, 7) AS month, t.kind, l.role, CAST(SUM(l.debit - l.credit) AS BIGINT)
		FROM finance_transactions t JOIN journal_entries e ON e.transaction_id = t.id
		JOIN journal_lines l ON l.transaction_id = e.transaction_id AND l.number = e.number
		WHERE t.portfolio_id = $1 AND e.day >= $2 AND e.day <= $3 GROUP BY month, t.kind, l.role
		ORDER BY month, t.kind, l.role`, portfolioID, from, to)
	if err != nil {
		return nil, fmt.Errorf("store: months of the journal: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []MonthSum
	for rows.Next() {
		var m MonthSum
		if err := rows.Scan(&m.Month, &m.Kind, &m.Role, &m.Amount); err != nil {
			return nil, fmt.Errorf("store: months of the journal: %w", err)
		}
		list = append(list, m)
	}
	return list, orNotFound(rows.Err())
}

// lastDay is after all others.
const lastDay = "9999-12-31"

// sums reads names and what they add up to.
func (d *database) sums(ctx context.Context, query string, args ...any) (map[string]int64, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: sums of the journal: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	sums := map[string]int64{}
	for rows.Next() {
		var name string
		var cents int64
		if err := rows.Scan(&name, &cents); err != nil {
			return nil, fmt.Errorf("store: sums of the journal: %w", err)
		}
		sums[name] = cents
	}
	return sums, orNotFound(rows.Err())
}

// BookedTransactions lists those of a lease that count, oldest first.
func (d *database) BookedTransactions(ctx context.Context, leaseID, since string) ([]BookedTransaction, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT * FROM (SELECT `+transactionColumns+` FROM finance_transactions t
			WHERE t.lease_id = $1 AND t.day >= $2 AND t.counts = 1 ORDER BY t.day DESC, t.id DESC LIMIT 1000) t
		ORDER BY t.day, t.id`, leaseID, since)
	if err != nil {
		return nil, fmt.Errorf("store: booked transactions: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []BookedTransaction
	for rows.Next() {
		var t BookedTransaction
		to, done := transactionScan(&t)
		if err := rows.Scan(to...); err != nil {
			return nil, fmt.Errorf("store: booked transactions: %w", err)
		}
		done()
		list = append(list, t)
	}
	return list, orNotFound(rows.Err())
}

// flag is how a bool is kept.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// isDay tells whether a text is a day as they are kept.
func isDay(day string) bool {
	_, err := time.Parse(time.DateOnly, day)
	return err == nil
}
