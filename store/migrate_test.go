package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// rawDB is the database without the store.
func rawDB(t *testing.T, at string) (*sql.DB, goose.Dialect) {
	t.Helper()
	driver, dialect := "sqlite", goose.DialectSQLite3
	if strings.HasPrefix(at, "postgres://") {
		driver, dialect = "pgx", goose.DialectPostgres
	}
	db, err := sql.Open(driver, at)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, dialect
}

func countRows(t *testing.T, at, query string) (n int) {
	t.Helper()
	db, _ := rawDB(t, at)
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// A database of the first release, with data in it, opened by several processes of
// this one at once.
func TestMigrateFromVersion1(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		first, err := os.ReadFile(filepath.Join("migrations", "00001_start.sql"))
		require.NoError(t, err)
		db, dialect := rawDB(t, at)
		only := fstest.MapFS{"00001_start.sql": {Data: first}}
		provider, err := goose.NewProvider(dialect, db, only, goose.WithTableName("keyholder_schema"), goose.WithDisableGlobalRegistry(true))
		require.NoError(t, err)
		_, err = provider.Up(t.Context())
		require.NoError(t, err)
		for _, statement := range []string{
			`INSERT INTO effects (effect_key, begun_at, finished_at, ref) VALUES ('e1', 1, 2, 'SM1')`,
			`INSERT INTO addresses (address, opted_out, changed_at) VALUES ('a1', 1, 1)`,
			`INSERT INTO jobs (workflow_id, technician_id, assigned_at) VALUES ('w1', 't1', 1)`,
			`INSERT INTO settings (name, value) VALUES ('outbound_paused', '1')`,
		} {
			_, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}

		stores := make([]store.Store, 4)
		together(len(stores), func(i int) { stores[i] = open(t, at) })
		s, ctx := stores[3], t.Context()
		e, begun, err := s.BeginEffect(ctx, "e1", "")
		require.NoError(t, err)
		require.False(t, begun)
		require.Equal(t, time.UnixMicro(1).UTC(), e.BegunAt)
		require.True(t, e.Done)
		require.Equal(t, "SM1", e.Ref)
		out, err := s.OptedOut(ctx, "a1")
		require.NoError(t, err)
		require.True(t, out)
		load, err := s.Load(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]int{"t1": 1}, load)
		require.Equal(t, "1", setting(t, s, "outbound_paused"))

		create(t, s, "i1", importRow(2))
		require.NoError(t, s.PutProperties(ctx, store.PropertyRef{ID: "1"}))
		require.NoError(t, s.AssignCase(ctx, "sale1", "estate_agent", "agent1"))
		g, err := s.TakeCalls(ctx, store.CallRequest{Partner: "p", Limits: limits, Want: 1})
		require.NoError(t, err)
		require.Equal(t, 1, g.Granted)
		require.Equal(t, 1, countRows(t, at, `SELECT count(*) FROM keyholder_schema WHERE version_id = 2`))

		// The release before may still be running: it finds nothing to do and works on.
		_, err = provider.Up(ctx)
		require.NoError(t, err)
	})
}
