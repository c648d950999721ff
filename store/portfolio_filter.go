package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// portfolioMost is how many rows a list of homes has at most.
const portfolioMost = 10_000

// portfolioColumns name what a table has for a filter: its id, and the time of its end where
// it has one. unit is a condition with %s for the unit's id, "unit_id = %s" where it is "".
type portfolioColumns struct {
	id, ended, unit string
}

// clause is the end of a query that lists what the filter asks for, with its arguments.
func (f PortfolioFilter) clause(c portfolioColumns) (string, []any) {
	if c.unit == "" {
		c.unit = "unit_id = %s"
	}
	var conditions []string
	var args []any
	where := func(condition string, arg any) {
		args = append(args, arg)
		conditions = append(conditions, fmt.Sprintf(condition, fmt.Sprintf("$%d", len(args))))
	}
	for _, of := range []struct{ condition, id string }{
		{"portfolio_id = %s", f.PortfolioID},
		{"property_id = %s", f.PropertyID},
		{c.unit, f.UnitID},
		{c.id + " > %s", f.After},
	} {
		if of.id != "" {
			where(of.condition, of.id)
		}
	}
	if c.ended != "" && !f.From.IsZero() {
		where(c.ended+" >= %s", micros(f.From))
	}
	if c.ended != "" && !f.To.IsZero() {
		where(c.ended+" < %s", micros(f.To))
	}
	if c.ended != "" {
		where(c.ended+" > %s", 0)
	}
	most := f.Most
	if most <= 0 || most > portfolioMost {
		most = portfolioMost
	}
	args = append(args, most)
	text := ""
	if len(conditions) > 0 {
		text = " WHERE " + strings.Join(conditions, " AND ")
	}
	return fmt.Sprintf("%s ORDER BY %s LIMIT $%d", text, c.id, len(args)), args
}

// rowsOf runs a query that reads, and scans each of its rows. what says for errors what it
// reads.
func rowsOf[T any](ctx context.Context, d *database, what string, scan func(row scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", what, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("store: %s: %w", what, err)
		}
		list = append(list, row)
	}
	return list, orNotFound(rows.Err())
}

// scanner is a row of a result.
type scanner interface{ Scan(into ...any) error }

var _ scanner = (*sql.Rows)(nil)
