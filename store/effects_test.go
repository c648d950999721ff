package store_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestEffect(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		before := time.Now().Add(-time.Second)

		e, first, err := s.BeginEffect(ctx, "work-order/1/page-1", "")
		require.NoError(t, err)
		require.True(t, first)
		require.False(t, e.Done)
		require.True(t, e.BegunAt.After(before))
		require.Equal(t, time.UTC, e.BegunAt.Location())

		again, first, err := s.BeginEffect(ctx, "work-order/1/page-1", "")
		require.NoError(t, err)
		require.False(t, first)
		again.Quiet = e.Quiet
		require.Equal(t, e, again)

		require.NoError(t, s.FinishEffect(ctx, "work-order/1/page-1", "SM1"))
		require.NoError(t, s.FinishEffect(ctx, "work-order/1/page-1", "SM2"))
		require.NoError(t, s.ForgetEffect(ctx, e), "a success is not forgotten")
		done, first, err := s.BeginEffect(ctx, "work-order/1/page-1", "")
		require.NoError(t, err)
		require.False(t, first)
		done.Quiet = 0
		require.Equal(t, store.Effect{Key: e.Key, BegunAt: e.BegunAt, TriedAt: e.TriedAt, Done: true, Ref: "SM1"}, done)
	})
}

func TestOneOfSeveralRepeatsTries(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.Effect(ctx, "k")
		require.ErrorIs(t, err, store.ErrNotFound)
		e, _, err := s.BeginEffect(ctx, "k", "")
		require.NoError(t, err)
		read, err := s.Effect(ctx, "k")
		require.NoError(t, err)
		read.Quiet = e.Quiet
		require.Equal(t, e, read)

		require.Eventually(t, func() bool { // the clock goes by the millisecond
			now, err := s.Effect(ctx, "k")
			return err == nil && now.Quiet > 2*time.Millisecond
		}, time.Second, time.Millisecond)
		_, mine, err := s.TryEffect(ctx, read, "again")
		require.NoError(t, err)
		require.True(t, mine)
		_, also, err := s.TryEffect(ctx, read, "")
		require.NoError(t, err)
		require.False(t, also, "somebody else tries")
		require.NoError(t, s.ForgetEffect(ctx, e), "a later try has taken it over")
		after, err := s.Effect(ctx, "k")
		require.NoError(t, err)
		require.Equal(t, e.BegunAt, after.BegunAt)
		require.True(t, after.TriedAt.After(e.TriedAt))
		require.Equal(t, "again", after.Note)

		require.NoError(t, s.FinishEffect(ctx, "k", "ref"))
		_, mine, err = s.TryEffect(ctx, after, "")
		require.NoError(t, err)
		require.False(t, mine, "it is done")
	})
}

func TestForgottenEffectIsFirstAgain(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for range 2 {
			e, first, err := s.BeginEffect(ctx, "k", "")
			require.NoError(t, err)
			require.True(t, first)
			require.NoError(t, s.ForgetEffect(ctx, e))
		}
		require.NoError(t, s.FinishEffect(ctx, "k", "SM1"), "a success counts though another try forgot the record")
		e, first, err := s.BeginEffect(ctx, "k", "")
		require.NoError(t, err)
		require.False(t, first)
		require.Equal(t, "SM1", e.Ref)
	})
}

// Two stores on one database stand for two processes.
func TestOneFirstAmongMany(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		for round := range 5 {
			var firsts atomic.Int32
			errs := make([]error, 40)
			together(len(errs), func(i int) {
				_, first, err := stores[i%2].BeginEffect(t.Context(), fmt.Sprint("key ", round), "")
				if errs[i] = err; first {
					firsts.Add(1)
				}
			})
			for _, err := range errs {
				require.NoError(t, err)
			}
			require.EqualValues(t, 1, firsts.Load())
		}
	})
}

// The store's part in an emergency text: a question asked, an effect begun, the
// effect finished.
func BenchmarkEmergencyText(b *testing.B) {
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	n := 0
	for b.Loop() {
		n++
		key := fmt.Sprintf("work-order/%d/page-1", n)
		q := question(key, fmt.Sprint("address ", n%100))
		_, err := s.Ask(b.Context(), q)
		require.NoError(b, err)
		_, first, err := s.BeginEffect(b.Context(), key, "")
		require.NoError(b, err)
		require.True(b, first)
		require.NoError(b, s.FinishEffect(b.Context(), key, "SM1"))
	}
}
