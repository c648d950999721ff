package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// Whoever asks for the version of the tables sees the one that is there, and changes none.
func TestSchemaVersionChangesNothing(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		s := open(t, at)
		require.NoError(t, s.Close())
		have, want, err := store.SchemaVersion(t.Context(), at)
		require.NoError(t, err)
		require.Positive(t, want)
		require.Equal(t, want, have)

		db, _ := rawDB(t, at)
		_, err = db.ExecContext(t.Context(), `DELETE FROM keyholder_schema WHERE version_id = (SELECT MAX(version_id) FROM keyholder_schema)`)
		require.NoError(t, err)
		for range 2 {
			have, again, err := store.SchemaVersion(t.Context(), at)
			require.NoError(t, err)
			require.Equal(t, want, again)
			require.Less(t, have, want, "an older database stays as it is")
		}
	})
}

func TestSchemaVersionMakesNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing.db")
	_, _, err := store.SchemaVersion(t.Context(), "sqlite:"+path)
	require.ErrorContains(t, err, "no such file")
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)
}
