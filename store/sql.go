package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// micros is how a time is kept: microseconds since 1970 UTC, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the UTC time that micros kept.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// change runs a statement that writes, and tells how many rows it changed.
func (d *database) change(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := d.write.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// changeReturning runs a statement that writes and returns at most one row of
// one text. It reads to the end, so that the statement is over, and on SQLite
// committed, before it reports success. ErrNotFound where there is no row.
func (d *database) changeReturning(ctx context.Context, query string, args ...any) (string, error) {
	rows, err := d.write.QueryContext(ctx, query, args...)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }() // read to the end, rows.Err tells all
	var text string
	found := false
	for rows.Next() {
		found = true
		if err := rows.Scan(&text); err != nil {
			return "", err
		}
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	if !found {
		return "", ErrNotFound
	}
	return text, nil
}

// orNotFound is nil for nil and ErrNotFound for a query without a row.
func orNotFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("store: read: %w", err)
	}
	return nil
}

// counts runs a query whose rows are a text and a number.
func (d *database) counts(ctx context.Context, query string, args ...any) (map[string]int, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: count: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	list := map[string]int{}
	for rows.Next() {
		var what string
		var n int
		if err := rows.Scan(&what, &n); err != nil {
			return nil, fmt.Errorf("store: count: %w", err)
		}
		list[what] = n
	}
	return list, orNotFound(rows.Err())
}

// deleteInBatches repeats a statement, whose $1 is a time or day and $2 how many rows it
// may delete, until nothing is left to delete: others can write between.
func (d *database) deleteInBatches(ctx context.Context, query string, before any) (int64, error) {
	const batch = 1000
	for total := int64(0); ; {
		n, err := d.change(ctx, query, before, batch)
		total += n
		if err != nil || n < batch {
			return total, err
		}
	}
}

// inTx runs f in a transaction that writes, and commits where f returns no error.
func (d *database) inTx(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing to undo after Commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// places is "($1, $2), ($3, $4)" for 2 rows of 2 columns.
func places(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	return b.String() + ")"
}
