package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// MaxSwaps is how many swaps may be live at once.
const MaxSwaps = 50

// swapsKept is how long a swap stays after its end, for questions about who was on
// call (business time).
const swapsKept = 400 * 24 * time.Hour

// What PutSwap refuses.
var (
	// ErrSwapOverlaps is that somebody stands in for the person already.
	ErrSwapOverlaps = errors.New("store: somebody stands in for this person at that time already")
	// ErrTooManySwaps is that MaxSwaps are live.
	ErrTooManySwaps = errors.New("store: too many swaps are live")
)

// A Swap lets somebody stand in for another on call.
type Swap struct {
	// ID is chosen by whoever makes it: the same again is the same swap.
	ID string
	// Out and In are ids of the policy's people.
	Out string
	In  string
	// From (included) and To (excluded) are business time.
	From time.Time
	To   time.Time
	// By is the id of who made it, At when (real time, now where it is zero).
	By string
	At time.Time
}

// Swaps are the changes of who is on call. Live are those that are not over at a
// business time, and were not cancelled.
type Swaps interface {
	// PutSwap records a swap; one with a known ID changes nothing, also where that
	// was cancelled. ErrSwapOverlaps where a live one of the same person has a time in
	// common with it, ErrTooManySwaps where MaxSwaps are live at now (business time).
	PutSwap(ctx context.Context, s Swap, now time.Time) error
	// CancelSwap ends a swap at once; one that is unknown or cancelled is none.
	CancelSwap(ctx context.Context, id string) error
	// LiveSwaps lists those live at now (business time), soonest first, at most
	// MaxSwaps.
	LiveSwaps(ctx context.Context, now time.Time) ([]Swap, error)
}

// PutSwap records a swap.
func (d *database) PutSwap(ctx context.Context, s Swap, now time.Time) error {
	if s.ID == "" || s.Out == "" || s.In == "" || s.From.IsZero() || !s.From.Before(s.To) {
		return errors.New("store: put swap: want an id, two people, and a beginning before the end")
	}
	if s.At.IsZero() {
		s.At = time.Now()
	}
	err := d.inTx(ctx, func(tx *sql.Tx) error { return putSwap(ctx, tx, s, now) })
	if err != nil && !errors.Is(err, ErrSwapOverlaps) && !errors.Is(err, ErrTooManySwaps) {
		return fmt.Errorf("store: put swap: %w", err)
	}
	return err
}

func putSwap(ctx context.Context, tx *sql.Tx, s Swap, now time.Time) error {
	// The write to this row makes others who swap at the same time wait.
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO settings (name, value) VALUES ('swaps', '')
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`); err != nil {
		return err
	}
	var known, live, common int
	err := tx.QueryRowContext(ctx, `
		SELECT count(CASE WHEN id = $1 THEN 1 END),
			count(CASE WHEN cancelled_at = 0 AND ends_at > $2 THEN 1 END),
			count(CASE WHEN cancelled_at = 0 AND ends_at > $2 AND out_person = $3 AND begins_at < $4 AND ends_at > $5 THEN 1 END)
		FROM swaps`, s.ID, micros(now), s.Out, micros(s.To), micros(s.From)).Scan(&known, &live, &common)
	switch {
	case err != nil:
		return err
	case known > 0:
		return nil
	case common > 0:
		return ErrSwapOverlaps
	case live >= MaxSwaps:
		return ErrTooManySwaps
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM swaps WHERE ends_at < $1`, micros(now.Add(-swapsKept))); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO swaps (id, out_person, in_person, begins_at, ends_at, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.ID, s.Out, s.In, micros(s.From), micros(s.To), s.By, micros(s.At))
	return err
}

// CancelSwap ends a swap at once.
func (d *database) CancelSwap(ctx context.Context, id string) error {
	if _, err := d.change(ctx, `UPDATE swaps SET cancelled_at = $2 WHERE id = $1 AND cancelled_at = 0`, id, micros(time.Now())); err != nil {
		return fmt.Errorf("store: cancel swap: %w", err)
	}
	return nil
}

// LiveSwaps lists those live at now, soonest first.
func (d *database) LiveSwaps(ctx context.Context, now time.Time) ([]Swap, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT id, out_person, in_person, begins_at, ends_at, made_by, made_at FROM swaps
		WHERE cancelled_at = 0 AND ends_at > $1 ORDER BY begins_at, made_at, id LIMIT $2`, micros(now), MaxSwaps)
	if err != nil {
		return nil, fmt.Errorf("store: list swaps: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Swap
	for rows.Next() {
		var s Swap
		var from, to, made int64
		if err := rows.Scan(&s.ID, &s.Out, &s.In, &from, &to, &s.By, &made); err != nil {
			return nil, fmt.Errorf("store: list swaps: %w", err)
		}
		s.From, s.To, s.At = fromMicros(from), fromMicros(to), fromMicros(made)
		list = append(list, s)
	}
	return list, orNotFound(rows.Err())
}
