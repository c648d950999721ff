package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnEditAppliesWithoutARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	write := func(text []byte, at time.Time) {
		require.NoError(t, os.WriteFile(path, text, 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	first := time.Now().Add(-time.Hour)
	write(embedded, first)
	var told []error
	f, err := Open(path, func(err error) { told = append(told, err) })
	require.NoError(t, err)
	require.Equal(t, "Harbor Homes", f.For("", "").Company)

	edited := bytes.Replace(embedded, []byte("Harbor Homes"), []byte("Quayside Homes"), 1)
	write(edited, first.Add(time.Minute))
	f.lookAt = time.Time{} // two seconds later
	require.Equal(t, "Quayside Homes", f.For("", "").Company)

	write([]byte("company: nonsense"), first.Add(2*time.Minute))
	for range 3 {
		f.lookAt = time.Time{}
		require.Equal(t, "Quayside Homes", f.For("", "").Company, "the last good policy stays in force")
	}
	require.Len(t, told, 1, "told once an edit")

	require.NoError(t, os.Remove(path))
	f.lookAt = time.Time{}
	require.Equal(t, "Quayside Homes", f.For("", "").Company)
}
