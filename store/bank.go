package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// bankMost is how many lines or bookings a list has at most, statementsMost how many
// statements.
const (
	bankMost       = 5000
	statementsMost = 100
)

// BookingID names a booking in a match.
func (b BankBooking) BookingID() string { return b.TransactionID + "#" + strconv.Itoa(b.Number) }

// AddBankStatement reads a statement in.
func (d *database) AddBankStatement(ctx context.Context, s BankStatement, lines []BankLine) (int, bool, error) {
	if s.ID == "" || s.Account == "" || s.Currency == "" || !isDay(s.From) || !isDay(s.To) || s.From > s.To || s.At.IsZero() {
		return 0, false, errors.New("store: add bank statement: want an id, an account, a currency, days from and to, and a time")
	}
	s.Lines, s.Sum = len(lines), 0
	for i, l := range lines {
		if l.ID == "" || !isDay(l.Day) || l.Account != "" && l.Account != s.Account {
			return 0, false, fmt.Errorf("store: add bank statement: line %d wants an id, a day, and the statement's account", i+1)
		}
		s.Sum += l.Amount
	}
	added, known := 0, false
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		n, err := insertStatement(ctx, tx, s)
		if err != nil || n == 0 {
			known = err == nil
			return err
		}
		added, err = insertBankLines(ctx, tx, s, lines)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("store: add bank statement: %w", err)
	}
	return added, known, nil
}

func insertStatement(ctx context.Context, tx *sql.Tx, s BankStatement) (int64, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO bank_statements (id, account, currency, from_day, to_day, opening, closing, balances, lines, sum, read_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING`,
		s.ID, s.Account, s.Currency, s.From, s.To, s.Opening, s.Closing, flag(s.Balances), s.Lines, s.Sum, micros(s.At))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// insertBankLines goes in the order of the lines' IDs: two statements with common lines
// that are read in at once would else wait for each other.
func insertBankLines(ctx context.Context, tx *sql.Tx, s BankStatement, lines []BankLine) (int, error) {
	const columns = 7
	added := 0
	sorted := slices.Clone(lines)
	slices.SortFunc(sorted, func(a, b BankLine) int { return strings.Compare(a.ID, b.ID) })
	for part := range slices.Chunk(sorted, rowsAtOnce) {
		args := make([]any, 0, columns*len(part))
		for _, l := range part {
			args = append(args, l.ID, s.Account, s.ID, l.Day, l.Amount, l.Text, l.Reference)
		}
		result, err := tx.ExecContext(ctx, `
			INSERT INTO bank_lines (id, account, statement_id, day, amount, text, reference)
			VALUES `+places(len(part), columns)+` ON CONFLICT (id, account) DO NOTHING`, args...)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		added += int(n)
	}
	return added, nil
}

// BankStatements lists those of an account, the newest first.
func (d *database) BankStatements(ctx context.Context, account string) ([]BankStatement, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT id, account, currency, from_day, to_day, opening, closing, balances, lines, sum, read_at
		FROM bank_statements WHERE account = $1 ORDER BY to_day DESC, from_day DESC, id LIMIT $2`, account, statementsMost)
	if err != nil {
		return nil, fmt.Errorf("store: bank statements: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []BankStatement
	for rows.Next() {
		var s BankStatement
		var balances, at int64
		if err := rows.Scan(&s.ID, &s.Account, &s.Currency, &s.From, &s.To, &s.Opening, &s.Closing, &balances, &s.Lines, &s.Sum, &at); err != nil {
			return nil, fmt.Errorf("store: bank statements: %w", err)
		}
		s.Balances, s.At = balances != 0, fromMicros(at)
		list = append(list, s)
	}
	return list, orNotFound(rows.Err())
}

// OpenBankLines lists an account's lines that are not matched, oldest first.
func (d *database) OpenBankLines(ctx context.Context, account, since string) ([]BankLine, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT id, statement_id, account, day, amount, text, reference, match_id FROM bank_lines
		WHERE account = $1 AND match_id = '' AND day >= $3 ORDER BY day, id LIMIT $2`, account, bankMost, since)
	if err != nil {
		return nil, fmt.Errorf("store: open bank lines: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []BankLine
	for rows.Next() {
		var l BankLine
		if err := rows.Scan(&l.ID, &l.StatementID, &l.Account, &l.Day, &l.Amount, &l.Text, &l.Reference, &l.MatchID); err != nil {
			return nil, fmt.Errorf("store: open bank lines: %w", err)
		}
		list = append(list, l)
	}
	return list, orNotFound(rows.Err())
}

// OpenBankBookings lists what the bank does not know of posted entries, oldest first.
func (d *database) OpenBankBookings(ctx context.Context, since string) ([]BankBooking, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT e.transaction_id, e.number, CASE WHEN e.reverses > 0 THEN e.day ELSE e.of_day END AS of_bank,
			e.bank, e.reverses, t.lease_id, e.match_id
		FROM journal_entries e JOIN finance_transactions t ON t.id = e.transaction_id
		WHERE e.bank <> 0 AND e.match_id = '' AND e.posted_at > 0 AND CASE WHEN e.reverses > 0 THEN e.day ELSE e.of_day END >= $2
		ORDER BY of_bank, e.transaction_id, e.number LIMIT $1`, bankMost, since)
	if err != nil {
		return nil, fmt.Errorf("store: open bank bookings: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []BankBooking
	for rows.Next() {
		var b BankBooking
		if err := rows.Scan(&b.TransactionID, &b.Number, &b.Day, &b.Amount, &b.Reverses, &b.LeaseID, &b.MatchID); err != nil {
			return nil, fmt.Errorf("store: open bank bookings: %w", err)
		}
		b.Text = b.TransactionID + " of " + b.Day
		list = append(list, b)
	}
	return list, orNotFound(rows.Err())
}

// MatchBank records matches.
func (d *database) MatchBank(ctx context.Context, matches []BankMatch) (int, error) {
	if len(matches) == 0 {
		return 0, nil
	}
	recorded := 0
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		// The write to this row makes others who match at the same time wait.
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO settings (name, value) VALUES ('bank_matches', '')
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`); err != nil {
			return err
		}
		for _, m := range matches {
			done, err := matchBank(ctx, tx, m)
			if err != nil {
				return fmt.Errorf("match %s: %w", m.ID, err)
			}
			if done {
				recorded++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store: match bank: %w", err)
	}
	return recorded, nil
}

// matchBank records one, or tells that a member of it is matched.
func matchBank(ctx context.Context, tx *sql.Tx, m BankMatch) (bool, error) {
	if m.ID == "" || m.How == "" || m.At.IsZero() || len(m.Bookings) == 0 || len(m.Lines)+len(m.Bookings) < 2 {
		return false, errors.New("want an id, how, a time, and at least a line and a booking, or two bookings")
	}
	bookings := make([]BankBooking, len(m.Bookings))
	for i, id := range m.Bookings {
		b, err := bookingOf(id)
		if err != nil {
			return false, err
		}
		bookings[i] = b
	}
	if open, err := allOpen(ctx, tx, m, bookings); err != nil || !open {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO bank_matches (id, how, why, decided_by, matched_at) VALUES ($1, $2, $3, $4, $5)`,
		m.ID, m.How, m.Why, m.By, micros(m.At)); err != nil {
		return false, err
	}
	for _, id := range m.Lines {
		if _, err := tx.ExecContext(ctx, `UPDATE bank_lines SET match_id = $1 WHERE id = $2`, m.ID, id); err != nil {
			return false, err
		}
	}
	for _, b := range bookings {
		if _, err := tx.ExecContext(ctx, `
			UPDATE journal_entries SET match_id = $1 WHERE transaction_id = $2 AND number = $3`, m.ID, b.TransactionID, b.Number); err != nil {
			return false, err
		}
	}
	return true, nil
}

// allOpen tells whether nothing of a match is matched. A member that there is not, or
// that is named twice, is an error.
func allOpen(ctx context.Context, tx *sql.Tx, m BankMatch, bookings []BankBooking) (bool, error) {
	open := true
	named := map[string]bool{}
	look := func(what, id, query string, args ...any) error {
		var found, matched int
		if err := tx.QueryRowContext(ctx, query, args...).Scan(&found, &matched); err != nil {
			return err
		}
		switch {
		case named[what+id]:
			return fmt.Errorf("%s %s is named twice", what, id)
		case found == 0:
			return fmt.Errorf("%s %s is not known", what, id)
		case found > 1:
			return fmt.Errorf("%s %s is one of several accounts", what, id)
		}
		named[what+id] = true
		open = open && matched == 0
		return nil
	}
	for _, id := range m.Lines {
		if err := look("line", id, `
			SELECT count(*), count(CASE WHEN match_id <> '' THEN 1 END) FROM bank_lines WHERE id = $1`, id); err != nil {
			return false, err
		}
	}
	for _, b := range bookings {
		if err := look("booking", b.BookingID(), `
			SELECT count(*), count(CASE WHEN match_id <> '' THEN 1 END) FROM journal_entries
			WHERE transaction_id = $1 AND number = $2 AND bank <> 0 AND posted_at > 0`, b.TransactionID, b.Number); err != nil {
			return false, err
		}
	}
	return open, nil
}

// bookingOf reads what BookingID wrote.
func bookingOf(id string) (BankBooking, error) {
	at := strings.LastIndex(id, "#")
	number, err := strconv.Atoi(id[at+1:])
	if at < 1 || err != nil {
		return BankBooking{}, errors.New(`want bookings as "<transaction>#<number>"`)
	}
	return BankBooking{TransactionID: id[:at], Number: number}, nil
}

// BankTotals sums up an account's lines, and all posted bookings on the bank.
func (d *database) BankTotals(ctx context.Context, account string) (BankTotals, error) {
	var t BankTotals
	err := d.read.QueryRowContext(ctx, `
		SELECT l.total, l.matched, b.total, b.matched FROM
			(SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS total,
				CAST(COALESCE(SUM(CASE WHEN match_id <> '' THEN amount END), 0) AS BIGINT) AS matched
			FROM bank_lines WHERE account = $1) l,
			(SELECT CAST(COALESCE(SUM(bank), 0) AS BIGINT) AS total,
				CAST(COALESCE(SUM(CASE WHEN match_id <> '' THEN bank END), 0) AS BIGINT) AS matched
			FROM journal_entries WHERE bank <> 0 AND posted_at > 0) b`, account).
		Scan(&t.Lines, &t.MatchedLines, &t.Bookings, &t.MatchedBookings)
	if err != nil {
		return BankTotals{}, fmt.Errorf("store: bank totals: %w", err)
	}
	t.OpenLines, t.OpenBookings = t.Lines-t.MatchedLines, t.Bookings-t.MatchedBookings
	return t, nil
}
