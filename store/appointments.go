package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Appointment is an agreed visit; times are business time.
type Appointment struct {
	// WorkflowID is whose visit it is: a workflow has one at a time, or several as its id,
	// "#" and a name.
	WorkflowID string
	// Worker is the id of who comes, "" where nobody's visits are counted.
	Worker string
	Start  time.Time
	End    time.Time
}

// Appointments are the visits that were agreed.
type Appointments interface {
	// Book books the workflow's visit, in place of the one that it has. ok is false,
	// and nothing has changed, where other workflows have booked the same worker and
	// start so many times already; most 0, or no worker, is no limit.
	Book(ctx context.Context, a Appointment, most int) (ok bool, err error)
	// Unbook ends the workflow's visit, if it has one.
	Unbook(ctx context.Context, workflowID string) error
	// Booked counts a worker's visits that begin at from or later and before to, by
	// their start in microseconds since 1970. Nobody's are not counted.
	Booked(ctx context.Context, worker string, from, to time.Time) (map[int64]int, error)
}

// Book books the workflow's visit.
func (d *database) Book(ctx context.Context, a Appointment, most int) (bool, error) {
	if a.WorkflowID == "" || a.Start.IsZero() || !a.End.After(a.Start) || most < 0 {
		return false, errors.New("store: book: want a workflow, an end after the start, and a limit of 0 or more")
	}
	ok := false
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		if most > 0 && a.Worker != "" {
			// Who books the same worker waits here for the others' commit, and counts what
			// they have booked.
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO appointment_workers (worker, turns) VALUES ($1, 1)
				ON CONFLICT (worker) DO UPDATE SET turns = appointment_workers.turns + 1`, a.Worker); err != nil {
				return err
			}
			var others int
			if err := tx.QueryRowContext(ctx, `
				SELECT count(*) FROM appointments WHERE worker = $1 AND start_at = $2 AND workflow_id <> $3`,
				a.Worker, micros(a.Start), a.WorkflowID).Scan(&others); err != nil {
				return err
			}
			if others >= most {
				return nil
			}
		}
		ok = true
		_, err := tx.ExecContext(ctx, `
			INSERT INTO appointments (workflow_id, worker, start_at, end_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (workflow_id) DO UPDATE SET
				worker = excluded.worker, start_at = excluded.start_at, end_at = excluded.end_at`,
			a.WorkflowID, a.Worker, micros(a.Start), micros(a.End))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: book: %w", err)
	}
	return ok, nil
}

// Unbook ends the workflow's visit.
func (d *database) Unbook(ctx context.Context, workflowID string) error {
	if _, err := d.change(ctx, `DELETE FROM appointments WHERE workflow_id = $1`, workflowID); err != nil {
		return fmt.Errorf("store: unbook: %w", err)
	}
	return nil
}

// Booked counts a worker's visits by their start.
func (d *database) Booked(ctx context.Context, worker string, from, to time.Time) (map[int64]int, error) {
	const starts = 10_000
	list := map[int64]int{}
	if worker == "" {
		return list, nil
	}
	rows, err := d.read.QueryContext(ctx, `
		SELECT start_at, count(*) FROM appointments WHERE worker = $1 AND start_at >= $2 AND start_at < $3
		GROUP BY start_at ORDER BY start_at LIMIT $4`, worker, micros(from), micros(to), starts)
	if err != nil {
		return nil, fmt.Errorf("store: list what is booked: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	for rows.Next() {
		var start int64
		var n int
		if err := rows.Scan(&start, &n); err != nil {
			return nil, fmt.Errorf("store: list what is booked: %w", err)
		}
		list[start] = n
	}
	return list, orNotFound(rows.Err())
}
