package store

import "context"

// SetClock makes the ledger of calls read an SQL expression as its clock.
func SetClock(s Store, expression string) { s.(*database).clock = expression }

// Setting is what PostgreSQL has for a parameter in the store's sessions.
func Setting(ctx context.Context, s Store, name string) (value string, err error) {
	err = s.(*database).read.QueryRowContext(ctx, "SHOW "+name).Scan(&value)
	return value, err
}
