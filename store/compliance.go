package store

import (
	"context"
	"errors"
	"fmt"
)

// KeepCompliance keeps an item as it stands.
func (d *database) KeepCompliance(ctx context.Context, c ComplianceItem) error {
	if c.Key == "" || c.State == "" || c.ChangedAt.IsZero() {
		return errors.New("store: keep compliance: want a key, a state and when it changed")
	}
	_, err := d.change(ctx, `
		INSERT INTO compliance_items (item_key, property_id, unit_id, portfolio_id, requirement_id, name, kind, state, due_day, renewed_day, changed_at)
		VALUES `+places(1, 11)+`
		ON CONFLICT (item_key) DO UPDATE SET property_id = excluded.property_id, unit_id = excluded.unit_id,
			portfolio_id = excluded.portfolio_id, requirement_id = excluded.requirement_id, name = excluded.name, kind = excluded.kind,
			state = excluded.state, due_day = excluded.due_day, renewed_day = excluded.renewed_day, changed_at = excluded.changed_at
		WHERE compliance_items.changed_at <= excluded.changed_at`,
		c.Key, c.PropertyID, c.UnitID, c.PortfolioID, c.RequirementID, c.Name, c.Kind, c.State, c.Due, c.Renewed, micros(c.ChangedAt))
	if err != nil {
		return fmt.Errorf("store: keep compliance: %w", err)
	}
	return nil
}

// DropCompliance sets an item aside.
func (d *database) DropCompliance(ctx context.Context, key string) error {
	if _, err := d.change(ctx, `UPDATE compliance_items SET state = 'dropped' WHERE item_key = $1`, key); err != nil {
		return fmt.Errorf("store: drop compliance: %w", err)
	}
	return nil
}

// Compliance returns an item, also one that was dropped, or ErrNotFound.
func (d *database) Compliance(ctx context.Context, key string) (ComplianceItem, error) {
	list, err := rowsOf(ctx, d, "compliance item", scanCompliance, selectCompliance+` WHERE item_key = $1`, key)
	if err != nil {
		return ComplianceItem{}, err
	}
	if len(list) == 0 {
		return ComplianceItem{}, ErrNotFound
	}
	return list[0], nil
}

const selectCompliance = `
	SELECT item_key, property_id, unit_id, portfolio_id, requirement_id, name, kind, state, due_day, renewed_day, changed_at
	FROM compliance_items`

// ComplianceItems lists items in the order of their keys, without those that were dropped.
func (d *database) ComplianceItems(ctx context.Context, f PortfolioFilter) ([]ComplianceItem, error) {
	end, args := f.clause(portfolioColumns{id: "item_key"})
	return rowsOf(ctx, d, "compliance items", scanCompliance,
		`SELECT * FROM (`+selectCompliance+` WHERE state <> 'dropped') AS items`+end, args...)
}

func scanCompliance(row scanner) (c ComplianceItem, err error) {
	var changed int64
	err = row.Scan(&c.Key, &c.PropertyID, &c.UnitID, &c.PortfolioID, &c.RequirementID, &c.Name, &c.Kind, &c.State, &c.Due, &c.Renewed, &changed)
	c.ChangedAt = fromMicros(changed)
	return c, err
}
