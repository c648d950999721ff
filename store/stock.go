package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Stock is which parts of the stock are spoken for. How many there are is not kept
// here: it comes with each question, from a stock list that somebody else keeps and
// that is told apart by its digest.
//
// What is set aside is missing for everybody else until it is released or used up.
// What was used up stays missing until the list changes: then somebody has counted
// again, or the system behind the list has booked it.
type Stock interface {
	// ReserveStock sets parts aside for a work order, as many of each as are free of the
	// list named by digest, and tells by SKU how many that are. A work order that has
	// parts set aside already gets the same answer again, whatever it wants now.
	ReserveStock(ctx context.Context, workOrder, digest string, wants []StockWant) (granted map[string]int, err error)
	// ReleaseStock gives back what is set aside for a work order.
	ReleaseStock(ctx context.Context, workOrder string) error
	// UseStock notes that what is set aside for a work order is used up, as of the list
	// named by digest; "" stands for the one that parts were last set aside from.
	UseStock(ctx context.Context, workOrder, digest string) error
}

// StockWant is a part that somebody wants: each SKU once.
type StockWant struct {
	SKU string
	// Quantity is how many are wanted, OnHand how many the list has.
	Quantity, OnHand int
}

// ReserveStock sets parts aside for a work order.
func (d *database) ReserveStock(ctx context.Context, workOrder, digest string, wants []StockWant) (map[string]int, error) {
	var granted map[string]int
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		now := micros(time.Now())
		// The row's lock makes those who ask at once take turns.
		_, err := tx.ExecContext(ctx, `
			INSERT INTO stock_list (id, digest, read_at) VALUES (1, $1, $2)
			ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, read_at = excluded.read_at`, digest, now)
		if err != nil {
			return err
		}
		if granted, err = reservedBy(ctx, tx, workOrder); err != nil || len(granted) > 0 {
			return err
		}
		for _, w := range wants {
			taken := 0
			err := tx.QueryRowContext(ctx, `
				SELECT CAST(COALESCE((SELECT SUM(granted) FROM stock_reservations WHERE sku = $1), 0)
				          + COALESCE((SELECT SUM(quantity) FROM stock_used WHERE sku = $1 AND digest = $2), 0) AS BIGINT)`,
				w.SKU, digest).Scan(&taken)
			if err != nil {
				return err
			}
			grant := max(min(w.Quantity, w.OnHand-taken), 0)
			_, err = tx.ExecContext(ctx, `
				INSERT INTO stock_reservations (work_order, sku, wanted, granted, reserved_at) VALUES ($1, $2, $3, $4, $5)`,
				workOrder, w.SKU, w.Quantity, grant, now)
			if err != nil {
				return err
			}
			granted[w.SKU] = grant
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: reserve stock: %w", err)
	}
	return granted, nil
}

// reservedBy is what is set aside for a work order, by SKU; never nil without an
// error.
func reservedBy(ctx context.Context, tx *sql.Tx, workOrder string) (map[string]int, error) {
	rows, err := tx.QueryContext(ctx, `SELECT sku, granted FROM stock_reservations WHERE work_order = $1`, workOrder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	granted := map[string]int{}
	for rows.Next() {
		var sku string
		var n int
		if err := rows.Scan(&sku, &n); err != nil {
			return nil, err
		}
		granted[sku] = n
	}
	return granted, rows.Err()
}

// ReleaseStock gives back what is set aside for a work order.
func (d *database) ReleaseStock(ctx context.Context, workOrder string) error {
	if _, err := d.change(ctx, `DELETE FROM stock_reservations WHERE work_order = $1`, workOrder); err != nil {
		return fmt.Errorf("store: release stock: %w", err)
	}
	return nil
}

// UseStock notes that what is set aside for a work order is used up.
func (d *database) UseStock(ctx context.Context, workOrder, digest string) error {
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		// Two that use the same at once take turns, and the second finds nothing.
		if _, err := tx.ExecContext(ctx, `UPDATE stock_list SET read_at = read_at WHERE id = 1`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO stock_used (sku, digest, quantity, used_at)
			SELECT r.sku, CASE WHEN $2 = '' THEN l.digest ELSE CAST($2 AS TEXT) END, r.granted, CAST($3 AS BIGINT)
			FROM stock_reservations r JOIN stock_list l ON l.id = 1
			WHERE r.work_order = $1 AND r.granted > 0
			ON CONFLICT (sku, digest) DO UPDATE SET quantity = stock_used.quantity + excluded.quantity, used_at = excluded.used_at`,
			workOrder, digest, micros(time.Now()))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM stock_reservations WHERE work_order = $1`, workOrder)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: use stock: %w", err)
	}
	return nil
}
