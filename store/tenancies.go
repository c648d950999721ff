package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// SeeTenancy keeps a lease as it was seen, and tells whether the occupancy changed.
func (d *database) SeeTenancy(ctx context.Context, t Tenancy) (changed bool, err error) {
	if t.LeaseID == "" || t.SeenAt.IsZero() {
		return false, errors.New("store: see tenancy: want the lease's id and when it was seen")
	}
	err = d.inTx(ctx, func(tx *sql.Tx) error {
		changed, err = seeTenancy(ctx, tx, t)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: see tenancy: %w", err)
	}
	return changed, nil
}

func seeTenancy(ctx context.Context, tx *sql.Tx, t Tenancy) (changed bool, err error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO tenancies (lease_id, unit_id, property_id, portfolio_id, status, start_day, end_day, notice_day, move_out_day, rent, seen_at)
		VALUES `+places(1, 11)+` ON CONFLICT DO NOTHING`,
		t.LeaseID, t.UnitID, t.PropertyID, t.PortfolioID, t.Status, t.Start, t.End, t.Notice, t.MoveOut, t.Rent, micros(t.SeenAt))
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return n > 0, err
	}
	// The row's lock makes those who see it at once take turns.
	var was Tenancy
	err = tx.QueryRowContext(ctx, `
		UPDATE tenancies SET seen_at = $2 WHERE lease_id = $1 AND seen_at <= $2
		RETURNING unit_id, status, start_day, end_day, notice_day, move_out_day`, t.LeaseID, micros(t.SeenAt)).
		Scan(&was.UnitID, &was.Status, &was.Start, &was.End, &was.Notice, &was.MoveOut)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil // it was seen later than that
	}
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE tenancies SET unit_id = $2, property_id = $3, portfolio_id = $4, status = $5, start_day = $6, end_day = $7,
			notice_day = $8, move_out_day = $9, rent = COALESCE(NULLIF(CAST($10 AS BIGINT), 0), rent) WHERE lease_id = $1`,
		t.LeaseID, t.UnitID, t.PropertyID, t.PortfolioID, t.Status, t.Start, t.End, t.Notice, t.MoveOut, t.Rent)
	now := Tenancy{UnitID: t.UnitID, Status: t.Status, Start: t.Start, End: t.End, Notice: t.Notice, MoveOut: t.MoveOut}
	return was != now, err
}

// Tenancies lists leases in the order of their ids.
func (d *database) Tenancies(ctx context.Context, f PortfolioFilter) ([]Tenancy, error) {
	end, args := f.clause(portfolioColumns{id: "lease_id"})
	return rowsOf(ctx, d, "tenancies", scanTenancy, `
		SELECT lease_id, unit_id, property_id, portfolio_id, status, start_day, end_day, notice_day, move_out_day, rent, seen_at
		FROM tenancies`+end, args...)
}

func scanTenancy(row scanner) (t Tenancy, err error) {
	var seen int64
	err = row.Scan(&t.LeaseID, &t.UnitID, &t.PropertyID, &t.PortfolioID, &t.Status, &t.Start, &t.End, &t.Notice, &t.MoveOut, &t.Rent, &seen)
	t.SeenAt = fromMicros(seen)
	return t, err
}
