package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// SeePlace keeps a property as it was seen.
func (d *database) SeePlace(ctx context.Context, p Place) error {
	if p.PropertyID == "" || p.SeenAt.IsZero() {
		return errors.New("store: see place: want the property's id and when it was seen")
	}
	units, err := json.Marshal(slices.Concat([]PlaceUnit{}, p.Units))
	if err != nil {
		return fmt.Errorf("store: see place: %w", err)
	}
	err = d.inTx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			INSERT INTO places (property_id, portfolio_id, name, address, city, state, zip_code, active, units, seen_at)
			VALUES `+places(1, 10)+`
			ON CONFLICT (property_id) DO UPDATE SET portfolio_id = excluded.portfolio_id, name = excluded.name,
				address = excluded.address, city = excluded.city, state = excluded.state, zip_code = excluded.zip_code,
				active = excluded.active, units = excluded.units, seen_at = excluded.seen_at
			WHERE places.seen_at <= excluded.seen_at`,
			p.PropertyID, p.PortfolioID, p.Name, p.Address, p.City, p.State, p.ZipCode, flag(p.Active), string(units), micros(p.SeenAt))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM place_units WHERE property_id = $1`, p.PropertyID); err != nil {
			return err
		}
		for some := range slices.Chunk(p.Units, 500) {
			var args []any
			for _, u := range some {
				args = append(args, u.UnitID, p.PropertyID)
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO place_units (unit_id, property_id) VALUES `+places(len(some), 2)+`
				ON CONFLICT DO NOTHING`, args...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: see place: %w", err)
	}
	return nil
}

// Place returns a property, or ErrNotFound.
func (d *database) Place(ctx context.Context, propertyID string) (Place, error) {
	if propertyID == "" {
		return Place{}, ErrNotFound
	}
	return only(d.Places(ctx, PortfolioFilter{PropertyID: propertyID}))
}

// Places lists properties in the order of their ids.
func (d *database) Places(ctx context.Context, f PortfolioFilter) ([]Place, error) {
	end, args := f.clause(portfolioColumns{
		id: "property_id", unit: "property_id IN (SELECT u.property_id FROM place_units u WHERE u.unit_id = %s)",
	})
	return rowsOf(ctx, d, "places", scanPlace, `
		SELECT property_id, portfolio_id, name, address, city, state, zip_code, active, units, seen_at FROM places`+end, args...)
}

func scanPlace(row scanner) (p Place, err error) {
	var active, seen int64
	var units string
	if err := row.Scan(&p.PropertyID, &p.PortfolioID, &p.Name, &p.Address, &p.City, &p.State, &p.ZipCode, &active, &units, &seen); err != nil {
		return p, err
	}
	p.Active, p.SeenAt = active != 0, fromMicros(seen)
	if err := json.Unmarshal([]byte(units), &p.Units); err != nil {
		return p, fmt.Errorf("the units of property %s cannot be read: %w", p.PropertyID, err)
	}
	return p, nil
}

// Portfolios lists the ids of portfolios with an active place.
func (d *database) Portfolios(ctx context.Context, after string, most int) ([]string, error) {
	if most <= 0 || most > portfolioMost {
		most = portfolioMost
	}
	return rowsOf(ctx, d, "portfolios", func(row scanner) (id string, err error) { return id, row.Scan(&id) }, `
		SELECT DISTINCT portfolio_id FROM places WHERE active = 1 AND portfolio_id > $1 ORDER BY portfolio_id LIMIT $2`, after, most)
}

// only is the one row of a list, or ErrNotFound.
func only[T any](list []T, err error) (T, error) {
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return list[0], nil
}
