package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pressly/goose/v3"
)

// SchemaVersion tells which version the tables at an address (see Open) have, and which
// one this program makes of them, without changing either.
func SchemaVersion(ctx context.Context, rawURL string) (have, want int64, err error) {
	d, dialect, err := connect(rawURL, true)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if want, err = newestVersion(dialect, d.read); err != nil {
		return 0, 0, err
	}
	var found sql.NullInt64
	if err := d.read.QueryRowContext(ctx, `SELECT MAX(version_id) FROM `+schemaTable+` WHERE is_applied`).Scan(&found); err != nil {
		return 0, want, fmt.Errorf("store: read the version of the tables: %w", err)
	}
	return found.Int64, want, nil
}

// newestVersion is the last of the migrations that this program has.
func newestVersion(dialect goose.Dialect, db *sql.DB) (int64, error) {
	provider, err := newProvider(dialect, db)
	if err != nil {
		return 0, err
	}
	sources := provider.ListSources()
	return sources[len(sources)-1].Version, nil
}

// requireFile refuses a SQLite database that is not there, where none is to be made.
func requireFile(path string) error {
	if path == ":memory:" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return errors.New("store: there is no such file; a worker or an ingress makes it when it starts")
	} else if err != nil {
		return fmt.Errorf("store: look at the file: %w", err)
	}
	return nil
}
