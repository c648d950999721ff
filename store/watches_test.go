package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

var watchNoon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func watchAt(id string, class store.WatchClass, due time.Duration) store.Watch {
	return store.Watch{PropertyID: id, Class: class, AddedAt: watchNoon, DueAt: watchNoon.Add(due)}
}

func putWatch(t *testing.T, s store.Store, list ...store.Watch) {
	t.Helper()
	for _, w := range list {
		loaded := time.Time{}
		if known, err := s.Watch(t.Context(), w.PropertyID); err == nil {
			loaded = known.ReadAt
		}
		updated, err := s.PutWatch(t.Context(), w, loaded)
		require.NoError(t, err)
		require.True(t, updated, w.PropertyID)
	}
}

func watchIDs(list []store.Watch) []string {
	ids := []string{}
	for _, w := range list {
		ids = append(ids, w.PropertyID)
	}
	return ids
}

func TestWatch(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.Watch(ctx, "1")
		require.ErrorIs(t, err, store.ErrNotFound)
		whole := store.Watch{
			PropertyID: "1", TransactionID: "u1", Class: store.WatchDueSoon, NextDue: watchNoon.Add(time.Hour), TurnsAt: watchNoon.Add(time.Hour),
			AddedAt: watchNoon, ReadAt: watchNoon.Add(time.Minute), FailedAt: watchNoon.Add(3 * time.Minute),
			Failures: 2, DueAt: watchNoon.Add(4 * time.Minute), Reads: 3, MilestonesDigest: "m", DetailDigest: "d", View: `{"a":1}`,
		}
		putWatch(t, s, whole)
		w, err := open().Watch(ctx, "1")
		require.NoError(t, err)
		require.Equal(t, whole, w)

		next := store.Watch{
			PropertyID: "1", Class: store.WatchRest, AddedAt: watchNoon.Add(time.Hour), ReadAt: whole.ReadAt.Add(time.Second),
			DueAt: watchNoon.Add(time.Hour), MilestonesDigest: "m2",
		}
		putWatch(t, s, next)
		next.TransactionID, next.AddedAt = whole.TransactionID, whole.AddedAt
		w, err = s.Watch(ctx, "1")
		require.NoError(t, err)
		require.Equal(t, next, w)

		for _, loaded := range []time.Time{{}, whole.ReadAt} {
			updated, err := s.PutWatch(ctx, whole, loaded)
			require.NoError(t, err)
			require.False(t, updated, "somebody else has read it meanwhile")
		}
		w, err = s.Watch(ctx, "1")
		require.NoError(t, err)
		require.Equal(t, next, w)

		before := time.Now().Add(-time.Second)
		putWatch(t, s, store.Watch{PropertyID: "2", Class: store.WatchRest, DueAt: watchNoon})
		w, err = s.Watch(ctx, "2")
		require.NoError(t, err)
		require.True(t, w.AddedAt.After(before))
	})
}

func TestWatchThatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		for name, w := range map[string]store.Watch{
			"no property":  {Class: store.WatchRest, DueAt: watchNoon},
			"no class":     {PropertyID: "1", DueAt: watchNoon},
			"no such one":  {PropertyID: "1", Class: "late", DueAt: watchNoon},
			"never due":    {PropertyID: "1", Class: store.WatchRest},
			"minus counts": {PropertyID: "1", Class: store.WatchRest, DueAt: watchNoon, Reads: -1},
		} {
			_, err := s.PutWatch(t.Context(), w, time.Time{})
			require.Error(t, err, name)
			_, err = s.UpdateWatch(t.Context(), w, time.Time{})
			require.Error(t, err, name)
		}
	})
}

// A read that ends after its sale did does not bring the watch back; a sale that is
// looked at by its own workflow again does.
func TestWatchThatHasEnded(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		w := watchAt("1", store.WatchRest, 0)
		w.TurnsAt = watchNoon
		putWatch(t, s, w)
		w.ReadAt = watchNoon
		updated, err := s.UpdateWatch(ctx, w, time.Time{})
		require.NoError(t, err)
		require.True(t, updated)
		began := time.Now().Add(-time.Second)
		require.NoError(t, s.EndWatch(ctx, "1"))
		require.NoError(t, s.EndWatch(ctx, "1"))
		ended, err := s.Watch(ctx, "1")
		require.NoError(t, err)
		require.True(t, ended.EndedAt.After(began))
		updated, err = s.UpdateWatch(ctx, w, w.ReadAt)
		require.NoError(t, err)
		require.False(t, updated)
		added, err := s.AddWatch(ctx, w)
		require.NoError(t, err)
		require.False(t, added)
		due, err := s.DueWatches(ctx, store.WatchRest, watchNoon.Add(time.Hour), store.WatchShard{}, 10)
		require.NoError(t, err)
		require.Empty(t, due)
		turned, err := s.TurnedWatches(ctx, watchNoon.Add(time.Hour), store.WatchShard{}, 10)
		require.NoError(t, err)
		require.Empty(t, turned)
		counts, err := s.CountWatches(ctx, watchNoon)
		require.NoError(t, err)
		require.Empty(t, counts)

		putWatch(t, s, w)
		got, err := s.Watch(ctx, "1")
		require.NoError(t, err)
		require.Equal(t, w, got)
	})
}

// What is in OpenMoove's list and was never watched is new; what has ended is not.
func TestUnwatched(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		created := watchNoon.Add(-time.Hour)
		require.NoError(t, s.PutProperties(ctx, store.PropertyRef{ID: "10", CreatedAt: created}, store.PropertyRef{ID: "9"}, store.PropertyRef{ID: "8"}, store.PropertyRef{ID: "7"}))
		require.NoError(t, s.PutProperties(ctx, store.PropertyRef{ID: "10"}))
		putWatch(t, s, watchAt("8", store.WatchRest, 0))
		require.NoError(t, s.EndWatch(ctx, "7"))
		list, err := s.Unwatched(ctx, 10)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "9", list[0].ID)
		require.Equal(t, "10", list[1].ID)
		require.Equal(t, created, list[1].CreatedAt, "a later row without it leaves it")
		list, err = s.Unwatched(ctx, 1)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

func TestWatchesByUUIDAndAll(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		one, two := watchAt("1", store.WatchRest, 0), watchAt("2", store.WatchRest, 0)
		one.TransactionID = "u1"
		putWatch(t, s, one, two)
		got, err := s.WatchOf(ctx, "u1")
		require.NoError(t, err)
		require.Equal(t, one, got)
		for _, none := range []string{"", "u2"} {
			_, err = s.WatchOf(ctx, none)
			require.ErrorIs(t, err, store.ErrNotFound)
		}
		require.NoError(t, s.EndWatch(ctx, "2"))
		for _, c := range []struct {
			since time.Time
			want  []string
		}{{time.Now().Add(-time.Hour), []string{"1", "2"}}, {time.Now().Add(time.Hour), []string{"1"}}} {
			var all []store.Watch
			require.NoError(t, s.AllWatches(ctx, c.since, func(w store.Watch) error {
				all = append(all, w)
				return nil
			}))
			require.ElementsMatch(t, c.want, watchIDs(all))
		}
		stop := errors.New("enough")
		require.ErrorIs(t, s.AllWatches(ctx, watchNoon, func(store.Watch) error { return stop }), stop)
	})
}

func TestDueWatches(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		putWatch(t, s,
			watchAt("late", store.WatchRest, -time.Hour), watchAt("b", store.WatchRest, 0), watchAt("a", store.WatchRest, 0),
			watchAt("soon", store.WatchRest, time.Microsecond), watchAt("other", store.WatchOverdue, -time.Hour))
		list, err := s.DueWatches(ctx, store.WatchRest, watchNoon, store.WatchShard{}, 10)
		require.NoError(t, err)
		require.Equal(t, []string{"late", "a", "b"}, watchIDs(list))
		list, err = s.DueWatches(ctx, store.WatchRest, watchNoon, store.WatchShard{}, 2)
		require.NoError(t, err)
		require.Equal(t, []string{"late", "a"}, watchIDs(list))
		for _, none := range []int{0, -1} {
			list, err = s.DueWatches(ctx, store.WatchRest, watchNoon, store.WatchShard{}, none)
			require.NoError(t, err)
			require.Empty(t, list)
		}
	})
}

func TestTurnedWatches(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		never, later, first, second := watchAt("never", store.WatchRest, 0), watchAt("later", store.WatchRest, 0),
			watchAt("first", store.WatchDueSoon, 0), watchAt("second", store.WatchRest, 0)
		later.TurnsAt, first.TurnsAt, second.TurnsAt = watchNoon.Add(time.Second), watchNoon.Add(-time.Hour), watchNoon
		putWatch(t, s, never, later, first, second)
		list, err := s.TurnedWatches(ctx, watchNoon, store.WatchShard{}, 10)
		require.NoError(t, err)
		require.Equal(t, []store.Watch{first, second}, list)
		list, err = s.TurnedWatches(ctx, watchNoon, store.WatchShard{}, 1)
		require.NoError(t, err)
		require.Equal(t, []store.Watch{first}, list)
	})
}

// Each watch is in one shard, and the shards are about as large.
func TestWatchShards(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		const watches, shards = 400, 4
		for i := range watches {
			w := watchAt(fmt.Sprint(81000+i), store.WatchRest, 0)
			w.TurnsAt = watchNoon
			putWatch(t, s, w)
		}
		seen := map[string]int{}
		for i := range shards {
			shard := store.WatchShard{Number: i, Count: shards}
			due, err := s.DueWatches(ctx, store.WatchRest, watchNoon, shard, watches)
			require.NoError(t, err)
			require.InDelta(t, watches/shards, len(due), 40)
			turned, err := s.TurnedWatches(ctx, watchNoon, shard, watches)
			require.NoError(t, err)
			require.ElementsMatch(t, watchIDs(due), watchIDs(turned))
			for _, w := range due {
				seen[w.PropertyID]++
			}
		}
		require.Len(t, seen, watches)
		for id, times := range seen {
			require.Equal(t, 1, times, id)
		}
	})
}

func TestCountWatches(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		counts, err := s.CountWatches(ctx, watchNoon)
		require.NoError(t, err)
		require.Empty(t, counts)
		old, young := watchAt("1", store.WatchRest, -10*time.Minute), watchAt("2", store.WatchRest, time.Minute)
		old.ReadAt, young.ReadAt = watchNoon.Add(-40*time.Minute), watchNoon.Add(-20*time.Minute)
		putWatch(t, s, old, young, watchAt("3", store.WatchRest, -time.Minute), watchAt("4", store.WatchOverdue, time.Minute))
		counts, err = s.CountWatches(ctx, watchNoon)
		require.NoError(t, err)
		require.Equal(t, map[store.WatchClass]store.WatchCount{
			store.WatchRest:    {Watches: 3, Late: 2, LongestWait: 10 * time.Minute, Read: 2, MeanAge: 20 * time.Minute, OldestAge: 40 * time.Minute},
			store.WatchOverdue: {Watches: 1},
		}, counts)
	})
}

// Workflows and pollers write the same watch at once: of those that loaded the same
// one, the first stays.
func TestWatchPutAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		errs, updated := make([]error, 20), make([]bool, 20)
		write := func(loaded time.Time, after time.Duration) (wrote []int) {
			together(len(errs), func(i int) {
				w := watchAt("1", store.WatchRest, 0)
				w.ReadAt, w.MilestonesDigest = watchNoon.Add(after+time.Duration(i)*time.Second), fmt.Sprint(i)
				updated[i], errs[i] = stores[i%2].PutWatch(t.Context(), w, loaded)
			})
			for i := range errs {
				require.NoError(t, errs[i])
				if updated[i] {
					wrote = append(wrote, i)
				}
			}
			return wrote
		}
		for _, loaded := range []bool{false, true} {
			was := store.Watch{ReadAt: watchNoon}
			if loaded {
				var err error
				was, err = stores[0].Watch(t.Context(), "1")
				require.NoError(t, err)
			}
			known := was.ReadAt
			if !loaded {
				known = time.Time{}
			}
			wrote := write(known, was.ReadAt.Sub(watchNoon)+time.Hour)
			require.Len(t, wrote, 1)
			w, err := stores[0].Watch(t.Context(), "1")
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(wrote[0]), w.MilestonesDigest)
		}
	})
}

// What is forgotten is told by the next read, whatever it shows, also where somebody
// has the watch loaded.
func TestForgetSeen(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		w := watchAt("1", store.WatchRest, 0)
		w.ReadAt, w.MilestonesDigest, w.DetailDigest, w.View = watchNoon, "m", "d", "{}"
		putWatch(t, s, w)
		require.NoError(t, s.ForgetSeen(ctx, "1"))
		require.NoError(t, s.ForgetSeen(ctx, "2"), "none is fine too")
		updated, err := s.UpdateWatch(ctx, w, w.ReadAt)
		require.NoError(t, err)
		require.False(t, updated)
		got, err := s.Watch(ctx, "1")
		require.NoError(t, err)
		require.Empty(t, got.MilestonesDigest+got.DetailDigest)
		require.Equal(t, "{}", got.View)
	})
}
