package store

import (
	"context"
	"errors"
	"fmt"
)

// Publish keeps a listing.
func (d *database) Publish(ctx context.Context, l Listing) error {
	if l.UnitID == "" || l.WorkflowID == "" || l.PublishedAt.IsZero() || l.ChangedAt.IsZero() {
		return errors.New("store: publish: want the unit's id, the workflow that takes leads, when it was published and when changed")
	}
	_, err := d.change(ctx, `
		INSERT INTO listings (unit_id, property_id, portfolio_id, address, unit_label, city, state, zip_code, latitude, longitude, located,
			beds, baths, size, rent, currency, available, headline, text, contact, workflow_id, published_at, changed_at)
		VALUES `+places(1, 23)+`
		ON CONFLICT (unit_id) DO UPDATE SET property_id = excluded.property_id, portfolio_id = excluded.portfolio_id,
			address = excluded.address, unit_label = excluded.unit_label, city = excluded.city, state = excluded.state,
			zip_code = excluded.zip_code, latitude = excluded.latitude, longitude = excluded.longitude, located = excluded.located,
			beds = excluded.beds, baths = excluded.baths, size = excluded.size, rent = excluded.rent, currency = excluded.currency,
			available = excluded.available, headline = excluded.headline, text = excluded.text, contact = excluded.contact,
			workflow_id = excluded.workflow_id, published_at = excluded.published_at, changed_at = excluded.changed_at
		WHERE listings.changed_at <= excluded.changed_at`,
		l.UnitID, l.PropertyID, l.PortfolioID, l.Address, l.UnitLabel, l.City, l.State, l.ZipCode, l.Latitude, l.Longitude, flag(l.Located),
		l.Beds, l.Baths, l.Size, l.Rent, l.Currency, l.Available, l.Headline, l.Text, l.Contact, l.WorkflowID,
		micros(l.PublishedAt), micros(l.ChangedAt))
	if err != nil {
		return fmt.Errorf("store: publish: %w", err)
	}
	return nil
}

// Listing returns what is offered of a unit, or ErrNotFound.
func (d *database) Listing(ctx context.Context, unitID string) (Listing, error) {
	if unitID == "" {
		return Listing{}, ErrNotFound
	}
	return only(d.Listings(ctx, PortfolioFilter{UnitID: unitID}))
}

// Listings lists what is offered in the order of the units' ids.
func (d *database) Listings(ctx context.Context, f PortfolioFilter) ([]Listing, error) {
	end, args := f.clause(portfolioColumns{id: "unit_id"})
	return rowsOf(ctx, d, "listings", scanListing, `
		SELECT unit_id, property_id, portfolio_id, address, unit_label, city, state, zip_code, latitude, longitude, located,
			beds, baths, size, rent, currency, available, headline, text, contact, workflow_id, published_at, changed_at
		FROM listings`+end, args...)
}

func scanListing(row scanner) (l Listing, err error) {
	var located, published, changed int64
	err = row.Scan(&l.UnitID, &l.PropertyID, &l.PortfolioID, &l.Address, &l.UnitLabel, &l.City, &l.State, &l.ZipCode, &l.Latitude, &l.Longitude, &located,
		&l.Beds, &l.Baths, &l.Size, &l.Rent, &l.Currency, &l.Available, &l.Headline, &l.Text, &l.Contact, &l.WorkflowID, &published, &changed)
	l.Located, l.PublishedAt, l.ChangedAt = located != 0, fromMicros(published), fromMicros(changed)
	return l, err
}

// Withdraw ends what is offered of a unit.
func (d *database) Withdraw(ctx context.Context, unitID string) error {
	if _, err := d.change(ctx, `DELETE FROM listings WHERE unit_id = $1`, unitID); err != nil {
		return fmt.Errorf("store: withdraw: %w", err)
	}
	return nil
}
