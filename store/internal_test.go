package store

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{}
	for i := range codesPerAddress {
		code := newCode(fmt.Sprint(i), taken)
		require.False(t, taken[code], code)
		require.True(t, looksLikeCode(code), code)
		require.Regexp(t, `^[A-HJ-NP-Z][2-9]{1,3}$`, code)
		taken[code] = true
	}
	again := newCode("q", nil)
	require.Equal(t, again, newCode("q", nil))
	require.NotEqual(t, newCode("q1", nil), newCode("q2", nil))
}

func TestLooksLikeCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"K7": true, "k7": true, "i1": true, "A234": true,
		"": false, "1": false, "K": false, "12": false, "7K": false, "STOP": false, "NO": false, "é7": false, "K-7": false,
	} {
		require.Equal(t, want, looksLikeCode(text), text)
	}
}

func TestStatusOrder(t *testing.T) {
	t.Parallel()
	way := []MessageStatus{StatusQueued, StatusAccepted, StatusScheduled, StatusSending, StatusSent}
	ends := []MessageStatus{StatusDelivered, StatusUndelivered, StatusFailed, StatusCanceled}
	for i, a := range way {
		for j, b := range way {
			require.Equal(t, i < j, b.follows(a), "%s to %s", a, b)
		}
		for _, end := range append(ends, StatusRead) {
			require.True(t, end.follows(a), "%s to %s", a, end)
			require.False(t, a.follows(end), "%s to %s", end, a)
		}
	}
	for _, a := range ends {
		for _, b := range ends {
			require.False(t, b.follows(a), "%s to %s", a, b)
		}
		require.Equal(t, a == StatusDelivered, StatusRead.follows(a), "%s to read", a)
		require.False(t, a.follows(StatusRead))
	}
	require.False(t, MessageStatus("received").follows(StatusQueued))
	require.True(t, StatusDelivered.follows("recorded"))
}

// What the documentation promises about a power cut rests on these.
func TestSQLiteSettings(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	d := s.(*database)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "foreign_keys": "1",
	} {
		var got string
		require.NoError(t, d.write.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		require.Equal(t, want, got, pragma)
	}
	require.Equal(t, 1, d.write.Stats().MaxOpenConnections)
}
