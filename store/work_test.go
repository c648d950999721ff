package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// workNoon is business time.
var workNoon = time.Date(2031, 3, 4, 12, 0, 0, 0, time.UTC)

func recordWork(t *testing.T, s store.Store, list ...store.WorkRecord) {
	t.Helper()
	for _, w := range list {
		require.NoError(t, s.RecordWork(t.Context(), w))
	}
}

func cards(t *testing.T, s store.Store, since time.Time) map[string]store.Card {
	t.Helper()
	list, err := s.Cards(t.Context(), since)
	require.NoError(t, err)
	return list
}

func TestCards(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, yes, no := open(), true, false
		year := workNoon.AddDate(-1, 0, 0)
		require.Empty(t, cards(t, s, year))
		minutes := func(n int) time.Time { return workNoon.Add(time.Duration(n) * time.Minute) }
		recordWork(t, s,
			store.WorkRecord{Key: "a", Worker: "contact:11", WorkOrderID: "1", Trade: "plumbing", AskedAt: workNoon, AnsweredAt: minutes(10), Accepted: true},
			store.WorkRecord{Key: "b", Worker: "contact:11", AskedAt: workNoon, AnsweredAt: minutes(21)},
			store.WorkRecord{Key: "c", Worker: "contact:11", AskedAt: workNoon},
			store.WorkRecord{Key: "d", Worker: "contact:11", FinishedAt: workNoon, Estimate: 10_000, Price: 15_000, FirstTimeFixed: &yes, Rating: 5},
			store.WorkRecord{Key: "e", Worker: "contact:11", FinishedAt: workNoon, Estimate: 30_000, Price: 30_000, FirstTimeFixed: &no, Rating: 2},
			store.WorkRecord{Key: "f", Worker: "contact:11", FinishedAt: workNoon, Price: 99_999},
			store.WorkRecord{Key: "g", Worker: "maria", FinishedAt: workNoon, Estimate: 20_000, Price: 15_000, Rating: 4},
			// What has not come to an end has no price yet.
			store.WorkRecord{Key: "h", Worker: "maria", AskedAt: workNoon, Estimate: 100, Price: 900},
			// An answer before the question counts, and takes no time.
			store.WorkRecord{Key: "i", Worker: "ana", AskedAt: workNoon, AnsweredAt: minutes(-5)},
			store.WorkRecord{Key: "j", Worker: "lee", FinishedAt: workNoon.AddDate(-1, 0, 0).Add(-time.Microsecond)},
			store.WorkRecord{Key: "k", Worker: "sam", FinishedAt: workNoon.AddDate(-1, 0, 0)},
		)
		want := map[string]store.Card{
			"contact:11": {
				Asked: 3, Answered: 2, ResponseMinutes: 16, Jobs: 3, FirstTimeFixed: 2, Priced: 2, OverPercent: 13, Rated: 2, RatingTenths: 35,
			},
			"maria": {Asked: 1, Jobs: 1, FirstTimeFixed: 1, Priced: 1, OverPercent: -25, Rated: 1, RatingTenths: 40},
			"ana":   {Asked: 1, Answered: 1},
			"sam":   {Jobs: 1, FirstTimeFixed: 1},
		}
		require.Equal(t, want, cards(t, open(), year))
	})
}

// What a record leaves open stays as it was, in any order and however often.
func TestRecordsOfWorkAddUp(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, yes, no := open(), true, false
		year := workNoon.AddDate(-1, 0, 0)
		steps := []store.WorkRecord{
			{Key: "k", Worker: "w", WorkOrderID: "7", Trade: "hvac", AskedAt: workNoon, Estimate: 1000},
			{Key: "k", Worker: "w", AnsweredAt: workNoon.Add(time.Hour), Accepted: true},
			{Key: "k", Worker: "w", FinishedAt: workNoon.Add(24 * time.Hour), Price: 1100, FirstTimeFixed: &yes},
			{Key: "k", Worker: "w", Rating: 4},
		}
		whole := store.Card{
			Asked: 1, Answered: 1, ResponseMinutes: 60, Jobs: 1, FirstTimeFixed: 1, Priced: 1, OverPercent: 10, Rated: 1, RatingTenths: 40,
		}
		for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 1, 3, 0, 2, 2}} {
			for _, i := range order {
				w := steps[i]
				w.Key = fmt.Sprint(order)
				w.Worker = w.Key
				recordWork(t, s, w)
			}
			require.Equal(t, whole, cards(t, s, year)[fmt.Sprint(order)], order)
		}

		recordWork(t, s, store.WorkRecord{Key: "k", Worker: "w", FinishedAt: workNoon, FirstTimeFixed: &no, Rating: 5})
		recordWork(t, s, store.WorkRecord{Key: "k", Worker: "w", Rating: 1})
		require.Equal(t, store.Card{Jobs: 1, Rated: 1, RatingTenths: 10}, cards(t, s, year)["w"], "it came back, and the tenant thought again")
		require.NotContains(t, cards(t, s, workNoon.Add(time.Microsecond)), "w")
		require.Contains(t, cards(t, s, workNoon), "w", "a record without a time keeps the latest")
	})
}

func TestWorkIsChecked(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		for _, wrong := range []store.WorkRecord{
			{Worker: "w"},
			{Key: "k"},
			{Key: "k", Worker: "w", Rating: 6},
			{Key: "k", Worker: "w", Rating: -1},
			{Key: "k", Worker: "w", Estimate: -1},
			{Key: "k", Worker: "w", Price: 1_000_000_000_001},
		} {
			require.ErrorIs(t, s.RecordWork(t.Context(), wrong), store.ErrInvalidWork)
		}
		require.Empty(t, cards(t, s, time.Time{}))
	})
}

func TestManyRecordOneJob(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores, errs := []store.Store{open(), open()}, make([]error, 40)
		together(len(errs), func(i int) {
			w := store.WorkRecord{Key: "k", Worker: "w", AskedAt: workNoon}
			if i%4 == 0 {
				w = store.WorkRecord{Key: "k", Worker: "w", FinishedAt: workNoon, Rating: 3}
			}
			errs[i] = stores[i%2].RecordWork(t.Context(), w)
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, map[string]store.Card{"w": {Asked: 1, Jobs: 1, FirstTimeFixed: 1, Rated: 1, RatingTenths: 30}}, cards(t, stores[0], workNoon))
	})
}

func TestOldWorkIsPruned(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, now := open(), time.Now()
		recordWork(t, s,
			store.WorkRecord{Key: "old", Worker: "old", AskedAt: now.AddDate(-2, 0, -2)},
			store.WorkRecord{Key: "young", Worker: "young", AskedAt: now.AddDate(-1, 0, 0)},
		)
		rows, err := s.(store.Pruner).Prune(t.Context(), now)
		require.NoError(t, err)
		require.Equal(t, int64(1), rows)
		require.NotContains(t, cards(t, s, time.Time{}), "old")
		require.Contains(t, cards(t, s, time.Time{}), "young")
	})
}
