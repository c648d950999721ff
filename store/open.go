package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// database is the Store over SQL. On SQLite there are two pools: one connection
// that writes, so that writers in this process queue in order instead of
// polling for the file's lock, and a few that read meanwhile. On PostgreSQL and
// in memory both are the same pool.
type database struct {
	write *sql.DB
	read  *sql.DB
	// clock is SQL for the time now, in microseconds: on PostgreSQL the server's,
	// one for all machines; on SQLite that of this machine, to the millisecond.
	clock string
}

const (
	postgresClock = `(extract(epoch from clock_timestamp()) * 1000000)::BIGINT`
	sqliteClock   = `CAST(unixepoch('subsec') * 1000000 AS BIGINT)`
)

var _ Store = (*database)(nil)

// Open opens the database, brings its tables up to date and returns the store.
// Several processes may open the same one at once. The context limits opening
// alone. The URL is one of
//
//	postgres://user@host/name   PostgreSQL, with pgx's parameters; lock_timeout is 5 s and
//	                            idle_in_transaction_session_timeout 10 s unless they are set
//	sqlite:PATH, file:PATH      a SQLite file, made with its folder where missing
//	PATH                        the same
//	:memory:                    SQLite in memory, gone with Close
//
// SQLite runs in WAL mode with synchronous=FULL: what a method has confirmed
// survives a killed process and a power cut. docs/decisions/0003-store.md says
// what that costs. The file must lie on a local disk.
//
// A question's title is the only text kept that may be near to personal, such
// as a street. It stays until Prune.
func Open(ctx context.Context, rawURL string) (Store, error) {
	d, dialect, err := connect(rawURL, false)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, dialect, d.write); err != nil {
		return nil, errors.Join(fmt.Errorf("store: prepare the database: %w", err), d.Close())
	}
	return d, nil
}

// connect prepares the database and leaves its tables as they are. Where it has to be there
// already, no file is made.
func connect(rawURL string, there bool) (d *database, dialect goose.Dialect, err error) {
	if strings.HasPrefix(rawURL, "postgres://") || strings.HasPrefix(rawURL, "postgresql://") {
		d, err = openPostgres(rawURL)
		return d, goose.DialectPostgres, err
	}
	if path, err := sqlitePath(rawURL); err == nil && there {
		if err := requireFile(path); err != nil {
			return nil, "", err
		}
	}
	d, err = openSQLite(rawURL)
	return d, goose.DialectSQLite3, err
}

func openPostgres(rawURL string) (*database, error) {
	config, err := pgx.ParseConfig(rawURL)
	if err != nil {
		// pgx repeats the URL in its error; a URL that it cannot read may show the
		// password there.
		return nil, errors.New("store: the postgres URL cannot be read: want postgres://user:password@host:port/name, with special characters percent-encoded")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	// Whoever waits for a lock gives up, and whoever holds one and does not go on loses it.
	for name, limit := range map[string]string{"lock_timeout": "5s", "idle_in_transaction_session_timeout": "10s"} {
		if _, set := config.RuntimeParams[name]; !set && !strings.Contains(config.RuntimeParams["options"], name) {
			config.RuntimeParams[name] = limit
		}
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(10)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	return &database{write: db, read: db, clock: postgresClock}, nil
}

func openSQLite(rawURL string) (*database, error) {
	path, err := sqlitePath(rawURL)
	if err != nil {
		return nil, err
	}
	if path == ":memory:" {
		db, err := sqlitePool("file::memory:", 1)
		return &database{write: db, read: db, clock: sqliteClock}, err
	}
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	file := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	write, err := sqlitePool(file, 1)
	if err != nil {
		return nil, err
	}
	read, err := sqlitePool(file, 4)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &database{write: write, read: read, clock: sqliteClock}, nil
}

// sqlitePath is the path that the URL names. Parameters are refused: how the
// file is opened is decided here.
func sqlitePath(rawURL string) (string, error) {
	path, isURI := strings.CutPrefix(rawURL, "file:")
	if isURI {
		bare, query, _ := strings.Cut(path, "?")
		unescaped, err := url.PathUnescape(bare)
		if err != nil || query != "" {
			return "", errors.New("store: want file:PATH without parameters")
		}
		path = strings.TrimPrefix(unescaped, "//")
	} else {
		path = strings.TrimPrefix(strings.TrimPrefix(path, "sqlite:"), "//")
	}
	if path == "" || strings.Contains(path, "://") || strings.ContainsRune(path, 0) {
		return "", errors.New("store: want postgres://.., sqlite:PATH, file:PATH, a path, or :memory: as the database")
	}
	return path, nil
}

// createPrivate makes the file and its folder for this user alone. A file that
// exists is not even opened: closing it would drop the locks that SQLite holds
// on it elsewhere in this process.
func createPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("store: make the folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: make the file: %w", err)
	}
	return f.Close()
}

// sqlitePool opens connections whose transactions take the write lock at their
// start and wait up to 5 s for it: a transaction that first reads and then asks
// for the lock would be refused at once.
func sqlitePool(file string, size int) (*sql.DB, error) {
	parameters := url.Values{
		"_busy_timeout": {"5000"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_txlock":       {"immediate"},
		"_dqs":          {"0"},
		"_defensive":    {"1"},
		// What is removed is personal data: it goes from the file too.
		"_pragma": {"secure_delete(fast)"},
	}
	db, err := sql.Open("sqlite", file+"?"+parameters.Encode())
	if err != nil {
		return nil, fmt.Errorf("store: open SQLite: %w", err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// Ping tells whether the database answers.
func (d *database) Ping(ctx context.Context) error {
	var one int
	if err := d.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("store: ping: %w", err)
	}
	return nil
}

// Close waits for what is running and closes the connections.
func (d *database) Close() error {
	if d.read == d.write {
		return d.write.Close()
	}
	return errors.Join(d.read.Close(), d.write.Close())
}
