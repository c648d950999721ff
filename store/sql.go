package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
