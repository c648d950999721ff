package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// PropertyRef is one property of OpenMoove as the store knows it: both ids, and
// keyed hashes by which it is found again. Empty fields are not known.
type PropertyRef struct {
	// ID is OpenMoove's integer id, in decimal.
	ID string
	// TransactionID is the UUID of the same property.
	TransactionID string
	// AddressKey is Keys.SaleAddress, SellerKey Keys.Address of the seller's e-mail.
	AddressKey string
	SellerKey  string
}

// Properties is the map of OpenMoove's properties.
type Properties interface {
	// PutProperties adds or completes: an empty field leaves what is known. It
	// writes 100 at a time; a failure may leave earlier hundreds written.
	PutProperties(ctx context.Context, refs ...PropertyRef) error
	// Property returns one by its integer id, or ErrNotFound.
	Property(ctx context.Context, id string) (PropertyRef, error)
	// PropertiesAt lists those of one address, lowest id first, at most 100.
	PropertiesAt(ctx context.Context, addressKey string) ([]PropertyRef, error)
	// CountProperties counts them all.
	CountProperties(ctx context.Context) (int, error)
	// ForgetProperties removes those that were not put since a real time, and says
	// how many.
	ForgetProperties(ctx context.Context, notSince time.Time) (int, error)
}

// propertiesMax bounds what one statement puts and one list returns.
const propertiesMax = 100

// PutProperties adds or completes: an empty field leaves what is known.
func (d *database) PutProperties(ctx context.Context, refs ...PropertyRef) error {
	// One statement must not touch a row twice, and two of them that touch the same
	// rows in different orders would wait for each other.
	byID := map[string]PropertyRef{}
	for _, ref := range refs {
		if ref.ID == "" {
			return errors.New("store: put properties: one has no id")
		}
		known := byID[ref.ID]
		byID[ref.ID] = PropertyRef{
			ID:            ref.ID,
			TransactionID: orElse(ref.TransactionID, known.TransactionID),
			AddressKey:    orElse(ref.AddressKey, known.AddressKey),
			SellerKey:     orElse(ref.SellerKey, known.SellerKey),
		}
	}
	now := micros(time.Now())
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(byID)), propertiesMax) {
		args := make([]any, 0, 5*len(ids))
		for _, id := range ids {
			ref := byID[id]
			args = append(args, ref.ID, ref.TransactionID, ref.AddressKey, ref.SellerKey, now)
		}
		_, err := d.change(ctx, `
			INSERT INTO properties (id, transaction_id, address_key, seller_key, seen_at) VALUES `+places(len(ids), 5)+`
			ON CONFLICT (id) DO UPDATE SET
				transaction_id = CASE WHEN excluded.transaction_id = '' THEN properties.transaction_id ELSE excluded.transaction_id END,
				address_key    = CASE WHEN excluded.address_key    = '' THEN properties.address_key    ELSE excluded.address_key    END,
				seller_key     = CASE WHEN excluded.seller_key     = '' THEN properties.seller_key     ELSE excluded.seller_key     END,
				seen_at        = excluded.seen_at`, args...)
		if err != nil {
			return fmt.Errorf("store: put properties: %w", err)
		}
	}
	return nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

const propertyColumns = `id, transaction_id, address_key, seller_key`

// Property returns one by its integer id, or ErrNotFound.
func (d *database) Property(ctx context.Context, id string) (PropertyRef, error) {
	var ref PropertyRef
	err := d.read.QueryRowContext(ctx, `SELECT `+propertyColumns+` FROM properties WHERE id = $1`, id).
		Scan(&ref.ID, &ref.TransactionID, &ref.AddressKey, &ref.SellerKey)
	return ref, orNotFound(err)
}

// PropertiesAt lists those of one address, lowest id first. An empty key is the
// address of none.
func (d *database) PropertiesAt(ctx context.Context, addressKey string) ([]PropertyRef, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT `+propertyColumns+` FROM properties WHERE address_key = $1 AND address_key <> ''
		ORDER BY length(id), id LIMIT $2`, addressKey, propertiesMax)
	if err != nil {
		return nil, fmt.Errorf("store: properties at: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []PropertyRef
	for rows.Next() {
		var ref PropertyRef
		if err := rows.Scan(&ref.ID, &ref.TransactionID, &ref.AddressKey, &ref.SellerKey); err != nil {
			return nil, fmt.Errorf("store: properties at: %w", err)
		}
		list = append(list, ref)
	}
	return list, orNotFound(rows.Err())
}

// CountProperties counts them all.
func (d *database) CountProperties(ctx context.Context) (int, error) {
	var n int
	if err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM properties`).Scan(&n); err != nil {
		return 0, fmt.Errorf("store: count properties: %w", err)
	}
	return n, nil
}

// ForgetProperties removes those that were not put since a real time.
func (d *database) ForgetProperties(ctx context.Context, notSince time.Time) (int, error) {
	// The time is asked again outside: one that is put meanwhile stays.
	n, err := d.deleteInBatches(ctx, `DELETE FROM properties
		WHERE id IN (SELECT id FROM properties WHERE seen_at < $1 LIMIT $2) AND seen_at < $1`, micros(notSince))
	if err != nil {
		return int(n), fmt.Errorf("store: forget properties: %w", err)
	}
	return int(n), nil
}
