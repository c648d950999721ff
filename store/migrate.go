package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate applies what is missing. Processes that start at once take turns: on
// PostgreSQL by an advisory lock. SQLite has none, but each migration and the
// note that it was applied are one transaction, and a second note of the same
// version is refused: the slower process fails whole, looks again and finds the
// work done.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	const tries = 5
	for try := 1; ; try++ {
		provider, err := newProvider(dialect, db)
		if err != nil {
			return err
		}
		if _, err = provider.Up(ctx); err == nil || try == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		}
	}
}

// schemaTable notes which migrations were applied.
const schemaTable = "keyholder_schema"

// newProvider knows all migrations.
func newProvider(dialect goose.Dialect, db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{
		goose.WithTableName(schemaTable),
		goose.WithLogger(goose.NopLogger()),
		goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(auditGuard(dialect)),
	}
	if dialect == goose.DialectPostgres {
		// Asks once a second, for up to 5 minutes.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(dialect, db, files, options...)
}
