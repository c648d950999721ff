package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Setting reads a named setting, "" where unset.
func (d *database) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := d.read.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("store: read setting: %w", err)
	}
	return value, nil
}

// SetSetting writes a named setting.
func (d *database) SetSetting(ctx context.Context, name, value string) error {
	_, err := d.change(ctx, `
		INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	if err != nil {
		return fmt.Errorf("store: write setting: %w", err)
	}
	return nil
}
