package store

import (
	"context"
	"fmt"
	"time"
)

// HandedOn implements Portfolio.
func (d *database) HandedOn(ctx context.Context, about, digest string, since time.Time) (bool, error) {
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM handed_on WHERE about = $1 AND digest = $2 AND told_at >= $3`,
		about, digest, micros(since)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("store: read what was handed on: %w", err)
	}
	return n > 0, nil
}

// HandOn implements Portfolio.
func (d *database) HandOn(ctx context.Context, about, digest string, at time.Time) error {
	_, err := d.change(ctx, `
		INSERT INTO handed_on (about, digest, told_at) VALUES ($1, $2, $3)
		ON CONFLICT (about) DO UPDATE SET digest = excluded.digest, told_at = excluded.told_at`, about, digest, micros(at))
	if err != nil {
		return fmt.Errorf("store: note what was handed on: %w", err)
	}
	return nil
}
