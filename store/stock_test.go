package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestStockIsSetAsideOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		reserve := func(order, digest string, want map[string]int, wants ...store.StockWant) {
			t.Helper()
			got, err := s.ReserveStock(ctx, order, digest, wants)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		taps := func(n int) store.StockWant { return store.StockWant{SKU: "TAP", Quantity: n, OnHand: 5} }
		traps := store.StockWant{SKU: "TRAP", Quantity: 1, OnHand: 0}

		reserve("1", "monday", map[string]int{"TAP": 3, "TRAP": 0}, taps(3), traps)
		reserve("1", "monday", map[string]int{"TAP": 3, "TRAP": 0}, taps(5), traps)
		reserve("2", "monday", map[string]int{"TAP": 2}, taps(4))
		reserve("3", "monday", map[string]int{"TAP": 0}, taps(1))
		reserve("none", "monday", map[string]int{})

		require.NoError(t, s.ReleaseStock(ctx, "2"))
		require.NoError(t, s.ReleaseStock(ctx, "2"))
		reserve("4", "monday", map[string]int{"TAP": 1}, taps(1))

		// What is used up stays missing until the list is another one.
		require.NoError(t, s.UseStock(ctx, "1", ""))
		require.NoError(t, s.UseStock(ctx, "1", ""))
		require.NoError(t, s.ReleaseStock(ctx, "1"))
		reserve("5", "monday", map[string]int{"TAP": 1}, taps(9))
		reserve("6", "tuesday", map[string]int{"TAP": 3}, taps(9)) // 5 but for those of 4 and 5
		// A reopened work order asks anew.
		reserve("1", "tuesday", map[string]int{"TAP": 0}, taps(1))
		require.NoError(t, s.UseStock(ctx, "6", "wednesday"))
		reserve("7", "wednesday", map[string]int{"TAP": 0}, taps(1))
		reserve("8", "thursday", map[string]int{"TAP": 3}, taps(9))
		require.NoError(t, s.UseStock(ctx, "nobody", ""))
	})
}

func TestStockIsNeverPromisedTwice(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		ctx := t.Context()
		var granted atomic.Int64
		together(20, func(i int) {
			got, err := stores[i%2].ReserveStock(ctx, fmt.Sprint(i/2), "today", []store.StockWant{{SKU: "TAP", Quantity: 2, OnHand: 11}})
			require.NoError(t, err)
			if i%2 == 0 {
				granted.Add(int64(got["TAP"]))
			}
		})
		require.EqualValues(t, 11, granted.Load(), "ten work orders asked twice each for two of eleven")
		together(4, func(int) { require.NoError(t, stores[0].UseStock(ctx, "0", "today")) })
		require.NoError(t, stores[1].ReleaseStock(ctx, "1"))
	})
}

func TestPruneKeepsWhatTheLastListDoesNotKnow(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for _, day := range []string{"monday", "tuesday"} {
			_, err := s.ReserveStock(ctx, day, day, []store.StockWant{{SKU: "TAP", Quantity: 1, OnHand: 9}})
			require.NoError(t, err)
			require.NoError(t, s.UseStock(ctx, day, day))
		}
		rows, err := s.(store.Pruner).Prune(ctx, time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.EqualValues(t, 1, rows)
		got, err := s.ReserveStock(ctx, "x", "tuesday", []store.StockWant{{SKU: "TAP", Quantity: 9, OnHand: 9}})
		require.NoError(t, err)
		require.Equal(t, 8, got["TAP"])
	})
}
