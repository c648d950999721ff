package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestCases(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		load := func(want map[string]int) {
			t.Helper()
			got, err := s.CaseLoad(ctx)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		load(map[string]int{})
		for _, c := range [][3]string{
			{"sale1", "estate_agent", "agent1"}, {"sale1", "auctioneer", "auctioneer1"}, {"sale2", "estate_agent", "agent1"},
			{"sale2", "estate_agent", "agent1"}, // again
		} {
			require.NoError(t, s.AssignCase(ctx, c[0], c[1], c[2]))
		}
		load(map[string]int{"agent1": 2, "auctioneer1": 1})

		require.NoError(t, s.AssignCase(ctx, "sale1", "auctioneer", "auctioneer2"))
		load(map[string]int{"agent1": 2, "auctioneer2": 1})
		require.NoError(t, s.AssignCase(ctx, "sale1", "auctioneer", ""))
		load(map[string]int{"agent1": 2})

		require.NoError(t, s.ReleaseCases(ctx, "sale1"))
		require.NoError(t, s.ReleaseCases(ctx, "sale1"))
		load(map[string]int{"agent1": 1})
	})
}
