package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	// CreatedAt is when OpenMoove says that it was created (business time).
	CreatedAt time.Time
	// KnownSince is when the store first heard of it (UTC, the database's time).
	KnownSince time.Time
}

// Properties is the map of OpenMoove's properties.
type Properties interface {
	// PutProperties adds or completes: an empty field leaves what is known. It
	// writes 100 at a time; a failure may leave earlier hundreds written.
	PutProperties(ctx context.Context, refs ...PropertyRef) error
	// Property returns one by its integer id, or ErrNotFound.
	Property(ctx context.Context, id string) (PropertyRef, error)
	// KnownProperties counts how many of the ids, at most 100, are known.
	KnownProperties(ctx context.Context, ids ...string) (int, error)
	// PropertiesAt lists those of one address, lowest id first, at most 100.
	PropertiesAt(ctx context.Context, addressKey string) ([]PropertyRef, error)
	// ForgetProperty removes one that is gone.
	ForgetProperty(ctx context.Context, id string) error
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
			CreatedAt:     laterOf(ref.CreatedAt, known.CreatedAt),
		}
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(byID)), propertiesMax) {
		args := make([]any, 0, 5*len(ids))
		for _, id := range ids {
			ref := byID[id]
			args = append(args, ref.ID, ref.TransactionID, ref.AddressKey, ref.SellerKey, strconv.FormatInt(micros(ref.CreatedAt), 10))
		}
		_, err := d.change(ctx, `
			INSERT INTO properties (id, transaction_id, address_key, seller_key, created_at, known_since)
			SELECT p.column1, p.column2, p.column3, p.column4, CAST(p.column5 AS BIGINT), `+d.clock+` FROM (VALUES `+places(len(ids), 5)+`) AS p WHERE true
			ON CONFLICT (id) DO UPDATE SET
				transaction_id = CASE WHEN excluded.transaction_id = '' THEN properties.transaction_id ELSE excluded.transaction_id END,
				address_key    = CASE WHEN excluded.address_key    = '' THEN properties.address_key    ELSE excluded.address_key    END,
				seller_key     = CASE WHEN excluded.seller_key     = '' THEN properties.seller_key     ELSE excluded.seller_key     END,
				created_at     = CASE WHEN excluded.created_at     = 0  THEN properties.created_at     ELSE excluded.created_at     END`, args...)
		if err != nil {
			return fmt.Errorf("store: put properties: %w", err)
		}
	}
	return nil
}

// KnownProperties counts how many of the ids are known.
func (d *database) KnownProperties(ctx context.Context, ids ...string) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	if len(ids) > propertiesMax {
		return 0, fmt.Errorf("store: known properties: more than %d ids", propertiesMax)
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM properties WHERE id IN `+places(1, len(ids)), args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: known properties: %w", err)
	}
	return n, nil
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

const propertyColumns = `id, transaction_id, address_key, seller_key, created_at, known_since`

// Property returns one by its integer id, or ErrNotFound.
func (d *database) Property(ctx context.Context, id string) (PropertyRef, error) {
	ref, err := scanProperty(d.read.QueryRowContext(ctx, `SELECT `+propertyColumns+` FROM properties WHERE id = $1`, id))
	return ref, orNotFound(err)
}

func scanProperty(row interface{ Scan(...any) error }) (PropertyRef, error) {
	var ref PropertyRef
	var created, since int64
	err := row.Scan(&ref.ID, &ref.TransactionID, &ref.AddressKey, &ref.SellerKey, &created, &since)
	ref.CreatedAt, ref.KnownSince = fromMicros(created), fromMicros(since)
	return ref, err
}

// PropertiesAt lists those of one address, lowest id first. An empty key is the
// address of none.
func (d *database) PropertiesAt(ctx context.Context, addressKey string) ([]PropertyRef, error) {
	return d.propertyRefs(ctx, `
		WHERE address_key = $1 AND address_key <> '' ORDER BY length(id), id LIMIT $2`, addressKey, propertiesMax)
}

func (d *database) propertyRefs(ctx context.Context, where string, args ...any) ([]PropertyRef, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT `+propertyColumns+` FROM properties `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("store: list properties: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []PropertyRef
	for rows.Next() {
		ref, err := scanProperty(rows)
		if err != nil {
			return nil, fmt.Errorf("store: list properties: %w", err)
		}
		list = append(list, ref)
	}
	return list, orNotFound(rows.Err())
}

// ForgetProperty removes one that is gone.
func (d *database) ForgetProperty(ctx context.Context, id string) error {
	if _, err := d.change(ctx, `DELETE FROM properties WHERE id = $1`, id); err != nil {
		return fmt.Errorf("store: forget property: %w", err)
	}
	return nil
}
