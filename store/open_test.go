package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestOpenSQLiteURLs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tc := range map[string]struct{ url, file string }{
		"path":              {filepath.Join(dir, "a", "b.db"), filepath.Join(dir, "a", "b.db")},
		"sqlite":            {"sqlite:" + filepath.Join(dir, "c.db"), filepath.Join(dir, "c.db")},
		"sqlite, slashes":   {"sqlite://" + filepath.Join(dir, "d.db"), filepath.Join(dir, "d.db")},
		"file":              {"file:" + filepath.Join(dir, "e%20e.db"), filepath.Join(dir, "e e.db")},
		"file, slashes":     {"file://" + filepath.Join(dir, "f.db"), filepath.Join(dir, "f.db")},
		"odd characters":    {filepath.Join(dir, "g?h#i%20j&k.db"), filepath.Join(dir, "g?h#i%20j&k.db")},
		"memory":            {":memory:", ""},
		"memory, as sqlite": {"sqlite::memory:", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, tc.url)
			require.NoError(t, s.SetSetting(t.Context(), "a", "b"))
			if tc.file == "" {
				return
			}
			info, err := os.Stat(tc.file)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			require.Equal(t, "b", setting(t, open(t, tc.url), "a"))
		})
	}
}

func setting(t *testing.T, s store.Store, name string) string {
	t.Helper()
	value, err := s.Setting(t.Context(), name)
	require.NoError(t, err)
	return value
}

func TestMemoryStoresAreApart(t *testing.T) {
	t.Parallel()
	one, two := open(t, ":memory:"), open(t, ":memory:")
	require.NoError(t, one.SetSetting(t.Context(), "a", "b"))
	together(8, func(int) {
		value, err := one.Setting(t.Context(), "a")
		if err != nil || value != "b" {
			t.Errorf("got %q, %v", value, err)
		}
	})
	require.Empty(t, setting(t, two, "a"))
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "sqlite:", "file:", "mysql://host/db", "file:a.db?_pragma=journal_mode(OFF)", "file:%zz", "a\x00b",
		"postgres://u:hush hush@host:port/db", "postgres://u:hush@127.0.0.1:1/db?connect_timeout=1",
	} {
		_, err := store.Open(t.Context(), url)
		require.Error(t, err, url)
		require.Contains(t, err.Error(), "store: ", url)
		require.NotContains(t, err.Error(), "hush", url)
	}
}

// Many processes that start at once on an empty database.
// Nobody waits for ever for somebody who hangs.
func TestPostgresLimits(t *testing.T) {
	t.Parallel()
	at := postgresSchema(t)
	own := at + "&lock_timeout=100ms&options=-c%20idle_in_transaction_session_timeout%3D20s"
	for url, want := range map[string][2]string{at: {"5s", "10s"}, own: {"100ms", "20s"}} {
		s := open(t, url)
		for i, name := range []string{"lock_timeout", "idle_in_transaction_session_timeout"} {
			got, err := store.Setting(t.Context(), s, name)
			require.NoError(t, err)
			require.Equal(t, want[i], got, name)
		}
	}
	s := open(t, own)
	require.NoError(t, s.Append(t.Context(), audited("sale/1", 1), audited("sale/2", 1)))
	db, _ := rawDB(t, at)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `SELECT 1 FROM audit_heads WHERE entity = 'sale/1' FOR UPDATE`)
	require.NoError(t, err)
	require.ErrorContains(t, s.Append(t.Context(), audited("sale/1", 2)), "lock timeout")
	require.NoError(t, s.Append(t.Context(), audited("sale/2", 2)))
	require.NoError(t, tx.Rollback())
	require.NoError(t, s.Append(t.Context(), audited("sale/1", 2)))
}

func TestOpenAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := make([]store.Store, 8)
		together(len(stores), func(i int) { stores[i] = open() })
		require.NoError(t, stores[0].SetSetting(t.Context(), "a", "b"))
		for _, s := range stores {
			require.Equal(t, "b", setting(t, s, "a"))
		}
	})
}

func TestContextEndsACall(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := s.BeginEffect(ctx, "k", "")
		require.ErrorIs(t, err, context.Canceled)
		_, err = s.Ask(ctx, question("q", "a"))
		require.ErrorIs(t, err, context.Canceled)
		_, first, err := s.BeginEffect(t.Context(), "k", "")
		require.NoError(t, err)
		require.True(t, first, "a call that failed before it began left nothing")
	})
}

func TestClosedStore(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.Error(t, s.Ping(t.Context()))
	require.Error(t, s.SetOptedOut(t.Context(), "a", true, time.Now()))
	_, err = s.OptedOut(t.Context(), "a")
	require.Error(t, err, "no answer is not consent")
}
