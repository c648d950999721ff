package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func hours(from, to int) (begins, ends time.Time) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return noon.Add(time.Duration(from) * time.Hour), noon.Add(time.Duration(to) * time.Hour)
}

func swapOf(id, out, in string, from, to int) store.Swap {
	begins, ends := hours(from, to)
	return store.Swap{ID: id, Out: out, In: in, From: begins, To: ends, By: "grace", At: begins.Add(-time.Minute)}
}

func swapIDs(list []store.Swap) []string {
	ids := []string{}
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}

func TestSwaps(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		now, _ := hours(0, 0)
		list, err := s.LiveSwaps(ctx, now)
		require.NoError(t, err)
		require.Empty(t, list)

		second, first := swapOf("2", "alma", "omar", 8, 12), swapOf("1", "alma", "omar", -1, 4)
		require.NoError(t, s.PutSwap(ctx, second, now))
		require.NoError(t, s.PutSwap(ctx, first, now))
		list, err = open().LiveSwaps(ctx, now)
		require.NoError(t, err)
		require.Equal(t, []store.Swap{first, second}, list)

		again := swapOf("1", "ben", "grace", 20, 30)
		require.NoError(t, s.PutSwap(ctx, again, now), "a form that is posted again")
		list, err = s.LiveSwaps(ctx, now)
		require.NoError(t, err)
		require.Equal(t, []store.Swap{first, second}, list)

		ends := first.To
		list, err = s.LiveSwaps(ctx, ends.Add(-time.Microsecond))
		require.NoError(t, err)
		require.Equal(t, []string{"1", "2"}, swapIDs(list))
		list, err = s.LiveSwaps(ctx, ends)
		require.NoError(t, err)
		require.Equal(t, []string{"2"}, swapIDs(list), "its end is not part of it")

		require.NoError(t, s.CancelSwap(ctx, "2"))
		require.NoError(t, s.CancelSwap(ctx, "2"))
		require.NoError(t, s.CancelSwap(ctx, "unknown"))
		require.NoError(t, s.PutSwap(ctx, second, now), "a cancelled one does not come back")
		list, err = s.LiveSwaps(ctx, now)
		require.NoError(t, err)
		require.Equal(t, []string{"1"}, swapIDs(list))

		soon := swapOf("3", "ben", "omar", 1, 2)
		soon.At = time.Time{}
		require.NoError(t, s.PutSwap(ctx, soon, now))
		list, err = s.LiveSwaps(ctx, now)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), list[1].At, time.Minute)
	})
}

func TestSwapsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		now, _ := hours(0, 0)
		require.NoError(t, s.PutSwap(ctx, swapOf("1", "alma", "omar", 2, 4), now))
		for _, c := range []struct {
			name     string
			swap     store.Swap
			overlaps bool
		}{
			{"within", swapOf("a", "alma", "ben", 2, 3), true},
			{"around", swapOf("b", "alma", "ben", 1, 5), true},
			{"its end", swapOf("c", "alma", "ben", 3, 5), true},
			{"just before", swapOf("d", "alma", "ben", 1, 2), false},
			{"just after", swapOf("e", "alma", "ben", 4, 5), false},
			{"somebody else", swapOf("f", "ben", "omar", 2, 4), false},
			{"who stands in", swapOf("g", "omar", "ben", 2, 4), false},
		} {
			err := s.PutSwap(ctx, c.swap, now)
			if c.overlaps {
				require.ErrorIs(t, err, store.ErrSwapOverlaps, c.name)
			} else {
				require.NoError(t, err, c.name)
			}
		}
		require.NoError(t, s.CancelSwap(ctx, "1"))
		require.NoError(t, s.PutSwap(ctx, swapOf("h", "alma", "ben", 2, 4), now), "a cancelled one is in nobody's way")
		for _, bad := range []store.Swap{
			{}, swapOf("", "alma", "ben", 50, 60), swapOf("x", "", "ben", 50, 60), swapOf("x", "alma", "", 50, 60),
			swapOf("x", "alma", "ben", 50, 50), swapOf("x", "alma", "ben", 60, 50),
		} {
			require.ErrorContains(t, s.PutSwap(ctx, bad, now), "want an id")
		}
	})
}

// However many make swaps at once, on several connections, they get no more than
// there may be, and none of one person at one time twice.
func TestSwapsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		a, b, ctx := open(), open(), t.Context()
		now, _ := hours(0, 0)
		var same, many atomic.Int64
		together(8, func(i int) {
			s := []store.Store{a, b}[i%2]
			if s.PutSwap(ctx, swapOf(fmt.Sprint("same-", i), "alma", "omar", 2, 4), now) == nil {
				same.Add(1)
			}
		})
		require.EqualValues(t, 1, same.Load())
		together(8, func(i int) {
			s := []store.Store{a, b}[i%2]
			for n := range 10 {
				if s.PutSwap(ctx, swapOf(fmt.Sprint(i, "-", n), fmt.Sprint("p", i, "-", n), "omar", 2, 4), now) == nil {
					many.Add(1)
				}
			}
		})
		require.EqualValues(t, store.MaxSwaps-1, many.Load())
		require.ErrorIs(t, a.PutSwap(ctx, swapOf("one more", "zoe", "omar", 2, 4), now), store.ErrTooManySwaps)
		list, err := b.LiveSwaps(ctx, now)
		require.NoError(t, err)
		require.Len(t, list, store.MaxSwaps)

		later, _ := hours(5, 5)
		require.NoError(t, a.PutSwap(ctx, swapOf("one more", "zoe", "omar", 6, 7), later), "those that are over do not count")
		longAfter := later.AddDate(2, 0, 0)
		begins, ends := longAfter.Add(time.Hour), longAfter.Add(2*time.Hour)
		require.NoError(t, a.PutSwap(ctx, store.Swap{ID: "same-x", Out: "alma", In: "omar", From: begins, To: ends}, longAfter))
		list, err = b.LiveSwaps(ctx, now)
		require.NoError(t, err)
		require.Equal(t, []string{"same-x"}, swapIDs(list), "what was over long ago is forgotten")
	})
}
