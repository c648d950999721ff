package store

import (
	"context"
	"fmt"
	"time"
)

// Cases is who works on how many open sales.
type Cases interface {
	// AssignCase records the professional of a sale's role, in place of an earlier
	// one; "" ends the role's case. sale is the sale's request id.
	AssignCase(ctx context.Context, sale, role, professional string) error
	// ReleaseCases ends a sale's cases.
	ReleaseCases(ctx context.Context, sale string) error
	// CaseLoad counts open cases by professional.
	CaseLoad(ctx context.Context) (map[string]int, error)
}

// AssignCase records the professional of a sale's role.
func (d *database) AssignCase(ctx context.Context, sale, role, professional string) error {
	var err error
	if professional == "" {
		_, err = d.change(ctx, `DELETE FROM cases WHERE sale = $1 AND role = $2`, sale, role)
	} else {
		_, err = d.change(ctx, `
			INSERT INTO cases (sale, role, professional, assigned_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (sale, role) DO UPDATE SET professional = excluded.professional, assigned_at = excluded.assigned_at`,
			sale, role, professional, micros(time.Now()))
	}
	if err != nil {
		return fmt.Errorf("store: assign case: %w", err)
	}
	return nil
}

// ReleaseCases ends a sale's cases.
func (d *database) ReleaseCases(ctx context.Context, sale string) error {
	if _, err := d.change(ctx, `DELETE FROM cases WHERE sale = $1`, sale); err != nil {
		return fmt.Errorf("store: release cases: %w", err)
	}
	return nil
}

// CaseLoad counts open cases by professional.
func (d *database) CaseLoad(ctx context.Context) (map[string]int, error) {
	const professionals = 10_000
	return d.counts(ctx, `
		SELECT professional, count(*) FROM cases GROUP BY professional ORDER BY count(*) DESC LIMIT $1`, professionals)
}
