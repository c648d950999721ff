package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// AddMarketRents keeps rows, a thousand at a time: what it kept before an error stays.
func (d *database) AddMarketRents(ctx context.Context, rows []MarketRent) (added int, err error) {
	for _, r := range rows {
		if r.Source == "" || r.Ref == "" || r.Day == "" || r.Rent <= 0 {
			return 0, errors.New("store: add market rents: want a source, a ref, a day and a rent in each row")
		}
	}
	for some := range slices.Chunk(rows, 1000) {
		fresh := 0
		err := d.inTx(ctx, func(tx *sql.Tx) error {
			for _, r := range some {
				isNew, err := addMarketRent(ctx, tx, r)
				if err != nil {
					return err
				}
				if isNew {
					fresh++
				}
			}
			return nil
		})
		if err != nil {
			return added, fmt.Errorf("store: add market rents: %w", err)
		}
		added += fresh
	}
	return added, nil
}

func addMarketRent(ctx context.Context, tx *sql.Tx, r MarketRent) (isNew bool, err error) {
	args := []any{r.Source, r.Ref, r.Day, r.ZipCode, r.City, r.State, r.Beds, r.Baths, r.Size, r.Built, r.Rent}
	result, err := tx.ExecContext(ctx, `
		INSERT INTO market_rents (source, ref, day, zip_code, city, state, beds, baths, size, built, rent)
		VALUES `+places(1, 11)+` ON CONFLICT DO NOTHING`, args...)
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return n > 0, err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE market_rents SET day = $3, zip_code = $4, city = $5, state = $6, beds = $7, baths = $8, size = $9, built = $10, rent = $11
		WHERE source = $1 AND ref = $2`, args...)
	return false, err
}

// MarketRents lists rows of a zip code, or of the city where the zip code has none.
func (d *database) MarketRents(ctx context.Context, state, zipCode, city, since string) ([]MarketRent, error) {
	if zipCode != "" {
		list, err := d.marketRents(ctx, `zip_code = $2`, state, zipCode, since)
		if err != nil || len(list) > 0 {
			return list, err
		}
	}
	if city == "" {
		return nil, nil
	}
	return d.marketRents(ctx, `lower(city) = lower($2)`, state, city, since)
}

func (d *database) marketRents(ctx context.Context, where, state, of, since string) ([]MarketRent, error) {
	const most = 5000
	return rowsOf(ctx, d, "market rents", scanMarketRent, `
		SELECT source, ref, day, zip_code, city, state, beds, baths, size, built, rent FROM market_rents
		WHERE state = $1 AND `+where+` AND day >= $3 ORDER BY day DESC, source, ref LIMIT $4`, state, of, since, most)
}

func scanMarketRent(row scanner) (r MarketRent, err error) {
	err = row.Scan(&r.Source, &r.Ref, &r.Day, &r.ZipCode, &r.City, &r.State, &r.Beds, &r.Baths, &r.Size, &r.Built, &r.Rent)
	return r, err
}
