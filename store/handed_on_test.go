package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestHandedOn(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		ctx, now := t.Context(), time.Date(2027, 1, 1, 9, 0, 0, 0, time.UTC)
		is := func(about, digest string, since time.Time) bool {
			t.Helper()
			told, err := s.HandedOn(ctx, about, digest, since)
			require.NoError(t, err)
			return told
		}
		require.False(t, is("property/7", "a", time.Time{}))
		require.NoError(t, s.HandOn(ctx, "property/7", "a", now))
		require.True(t, is("property/7", "a", time.Time{}))
		require.True(t, is("property/7", "a", now))
		require.False(t, is("property/7", "a", now.Add(time.Microsecond)), "too long ago")
		require.False(t, is("tenancy/7", "a", time.Time{}), "about something else")
		require.NoError(t, s.HandOn(ctx, "property/7", "b", now))
		require.False(t, is("property/7", "a", time.Time{}), "it has changed since")
		require.True(t, is("property/7", "b", time.Time{}))
	})
}
