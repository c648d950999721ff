package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestLeases(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		ctx, now := t.Context(), time.Date(2027, 1, 1, 9, 0, 0, 0, time.UTC)
		seen, err := s.LeaseSeen(ctx, "7", "a", now)
		require.NoError(t, err)
		require.False(t, seen)
		require.NoError(t, s.SeeLease(ctx, "7", "a", now))
		require.NoError(t, s.SeeLease(ctx, "7", "b", now))
		for digest, want := range map[string]bool{"a": false, "b": true} {
			seen, err := s.LeaseSeen(ctx, "7", digest, now)
			require.NoError(t, err)
			require.Equal(t, want, seen, digest)
		}

		seen, err = s.LeaseSeen(ctx, "7", "b", now.Add(time.Second))
		require.NoError(t, err)
		require.False(t, seen, "too long ago")

		require.ErrorIs(t, s.RecordRetention(ctx, store.RetentionResult{Key: "x"}), store.ErrInvalidRetention)
		for _, r := range []store.RetentionResult{
			{Key: "old", Incentive: "gift", Outcome: "improved", Kept: true, EndedAt: now.AddDate(-2, 0, 0)},
			{Key: "1", Incentive: "gift", Outcome: "unchanged", EndedAt: now},
			{Key: "1", Incentive: "gift", Outcome: "improved", Kept: true, EndedAt: now},
			{Key: "2", Incentive: "gift", Outcome: "worse", EndedAt: now},
			{Key: "3", Outcome: "unchanged", EndedAt: now},
		} {
			require.NoError(t, s.RecordRetention(ctx, r))
		}
		list, err := s.IncentiveRecords(ctx, now.AddDate(-1, 0, 0))
		require.NoError(t, err)
		require.Equal(t, []store.IncentiveRecord{{Incentive: "gift", Offered: 2, Kept: 1}}, list)
	})
}
