package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// RecordRepair notes what is known of a work order that has come to its end.
func (d *database) RecordRepair(ctx context.Context, r Repair) error {
	if r.WorkOrderID == "" || r.Rating < 0 || r.Rating > 5 || r.Cost < 0 {
		return errors.New("store: record repair: want the work order's id, a rating from 1 to 5 or 0, and a cost of 0 or more")
	}
	fixed := int64(-1)
	if r.Fixed != nil {
		fixed = flag(*r.Fixed)
	}
	opened, acknowledged, onSite, done := micros(r.OpenedAt), micros(r.AcknowledgedAt), micros(r.OnSiteAt), micros(r.DoneAt)
	_, err := d.change(ctx, `
		INSERT INTO repairs (work_order_id, property_id, unit_id, portfolio_id, emergency, what,
			opened_at, acknowledged_at, on_site_at, done_at, last_at, cost, rating, fixed) VALUES `+places(1, 14)+`
		ON CONFLICT (work_order_id) DO UPDATE SET
			property_id     = CASE WHEN excluded.property_id = ''    THEN repairs.property_id     ELSE excluded.property_id     END,
			unit_id         = CASE WHEN excluded.unit_id = ''        THEN repairs.unit_id         ELSE excluded.unit_id         END,
			portfolio_id    = CASE WHEN excluded.portfolio_id = ''   THEN repairs.portfolio_id    ELSE excluded.portfolio_id    END,
			emergency       = CASE WHEN excluded.emergency = 0       THEN repairs.emergency       ELSE excluded.emergency       END,
			what            = CASE WHEN excluded.what = ''           THEN repairs.what            ELSE excluded.what            END,
			opened_at       = CASE WHEN excluded.opened_at = 0       THEN repairs.opened_at       ELSE excluded.opened_at       END,
			acknowledged_at = CASE WHEN excluded.acknowledged_at = 0 THEN repairs.acknowledged_at ELSE excluded.acknowledged_at END,
			on_site_at      = CASE WHEN excluded.on_site_at = 0      THEN repairs.on_site_at      ELSE excluded.on_site_at      END,
			done_at         = CASE WHEN excluded.done_at = 0         THEN repairs.done_at         ELSE excluded.done_at         END,
			last_at         = CASE WHEN excluded.last_at < repairs.last_at THEN repairs.last_at   ELSE excluded.last_at         END,
			cost            = CASE WHEN excluded.cost = 0            THEN repairs.cost            ELSE excluded.cost            END,
			rating          = CASE WHEN excluded.rating = 0          THEN repairs.rating          ELSE excluded.rating          END,
			fixed           = CASE WHEN excluded.fixed < 0           THEN repairs.fixed           ELSE excluded.fixed           END`,
		r.WorkOrderID, r.PropertyID, r.UnitID, r.PortfolioID, flag(r.Emergency), r.What,
		opened, acknowledged, onSite, done, max(opened, acknowledged, onSite, done), r.Cost, r.Rating, fixed)
	if err != nil {
		return fmt.Errorf("store: record repair: %w", err)
	}
	return nil
}

// Repairs lists those that are done, in the order of their work orders' ids.
func (d *database) Repairs(ctx context.Context, f PortfolioFilter) ([]Repair, error) {
	end, args := f.clause(portfolioColumns{id: "work_order_id", ended: "done_at"})
	return rowsOf(ctx, d, "repairs", scanRepair, `
		SELECT work_order_id, property_id, unit_id, portfolio_id, emergency, what,
			opened_at, acknowledged_at, on_site_at, done_at, cost, rating, fixed FROM repairs`+end, args...)
}

func scanRepair(row scanner) (r Repair, err error) {
	var emergency, opened, acknowledged, onSite, done, fixed int64
	err = row.Scan(&r.WorkOrderID, &r.PropertyID, &r.UnitID, &r.PortfolioID, &emergency, &r.What,
		&opened, &acknowledged, &onSite, &done, &r.Cost, &r.Rating, &fixed)
	r.Emergency = emergency != 0
	r.OpenedAt, r.AcknowledgedAt, r.OnSiteAt, r.DoneAt = fromMicros(opened), fromMicros(acknowledged), fromMicros(onSite), fromMicros(done)
	if fixed >= 0 {
		r.Fixed = new(fixed == 1)
	}
	return r, err
}

// ReplaceOpenRequests keeps what is open now, in place of all that was.
func (d *database) ReplaceOpenRequests(ctx context.Context, list []OpenRequest) error {
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		// The row's lock makes those who replace at once take turns.
		_, err := tx.ExecContext(ctx, `
			INSERT INTO settings (name, value) VALUES ('open_requests', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, fmt.Sprint(len(list)))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM open_requests`); err != nil {
			return err
		}
		for some := range slices.Chunk(list, 500) {
			var args []any
			for _, r := range some {
				args = append(args, r.WorkOrderID, r.Number, r.PropertyID, r.UnitID, r.PortfolioID, r.Status, micros(r.OpenedAt))
			}
			_, err := tx.ExecContext(ctx, `
				INSERT INTO open_requests (work_order_id, number, property_id, unit_id, portfolio_id, status, opened_at)
				VALUES `+places(len(some), 7)+` ON CONFLICT DO NOTHING`, args...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: replace open requests: %w", err)
	}
	return nil
}

// OpenRequests lists what is open, in the order of the work orders' ids.
func (d *database) OpenRequests(ctx context.Context, f PortfolioFilter) ([]OpenRequest, error) {
	end, args := f.clause(portfolioColumns{id: "work_order_id"})
	return rowsOf(ctx, d, "open requests", scanOpenRequest, `
		SELECT work_order_id, number, property_id, unit_id, portfolio_id, status, opened_at FROM open_requests`+end, args...)
}

func scanOpenRequest(row scanner) (r OpenRequest, err error) {
	var opened int64
	err = row.Scan(&r.WorkOrderID, &r.Number, &r.PropertyID, &r.UnitID, &r.PortfolioID, &r.Status, &opened)
	r.OpenedAt = fromMicros(opened)
	return r, err
}
