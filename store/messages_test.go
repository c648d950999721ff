package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func message(key string) store.Message {
	return store.Message{
		Key: key, Ref: "SM-" + key, Channel: "sms", Address: "a", WorkflowID: "work-order/1", Step: "page-1",
		Class: "routine", SentAt: time.Now().UTC().Truncate(time.Microsecond), Status: store.StatusQueued,
	}
}

func TestMessage(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		m := message("k")
		require.NoError(t, s.RecordMessage(ctx, m))
		again := m
		again.Ref, again.Status = "SM-other", store.StatusFailed
		require.NoError(t, s.RecordMessage(ctx, again))
		sameRef := message("k2")
		sameRef.Ref = m.Ref
		require.NoError(t, s.RecordMessage(ctx, sameRef))

		got, err := s.MessageByRef(ctx, m.Ref)
		require.NoError(t, err)
		require.Equal(t, m, got)

		for _, ref := range []string{"SM-other", ""} {
			_, err = s.MessageByRef(ctx, ref)
			require.ErrorIs(t, err, store.ErrNotFound)
			_, _, err = s.AdvanceMessage(ctx, ref, store.StatusSent, "")
			require.ErrorIs(t, err, store.ErrNotFound)
		}
	})
}

func TestMessagesWithoutRef(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for _, key := range []string{"k1", "k2"} {
			m := message(key)
			m.Ref = ""
			require.NoError(t, s.RecordMessage(ctx, m))
		}
		n, err := s.CountMessages(ctx, "a", "routine", time.Time{})
		require.NoError(t, err)
		require.Equal(t, 2, n)
		_, err = s.MessageByRef(ctx, "")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

func TestAdvanceMessage(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.NoError(t, s.RecordMessage(ctx, message("k")))
		for _, step := range []struct {
			to    store.MessageStatus
			code  string
			moved bool
		}{
			{to: store.StatusSent, moved: true},
			{to: store.StatusSending},
			{to: "received"},
			{to: store.StatusUndelivered, code: "30003", moved: true},
			{to: store.StatusDelivered},
			{to: store.StatusUndelivered, code: "1"},
		} {
			m, moved, err := s.AdvanceMessage(ctx, "SM-k", step.to, step.code)
			require.NoError(t, err)
			require.Equal(t, step.moved, moved, step.to)
			if moved {
				require.Equal(t, step.to, m.Status)
			}
		}
		m, err := s.MessageByRef(ctx, "SM-k")
		require.NoError(t, err)
		require.Equal(t, store.StatusUndelivered, m.Status)
		require.Equal(t, "30003", m.ErrorCode)
	})
}

// Callbacks arrive in any order and at once: each step moves at most once, and
// exactly one of the rival ends wins.
func TestAdvanceMessageConcurrently(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		statuses := []store.MessageStatus{
			store.StatusSent, store.StatusDelivered, store.StatusAccepted, store.StatusFailed, store.StatusSending, store.StatusUndelivered,
		}
		for round := range 5 {
			m := message(fmt.Sprint(round))
			require.NoError(t, stores[0].RecordMessage(t.Context(), m))
			moved, errs := make([]bool, 4*len(statuses)), make([]error, 4*len(statuses))
			together(len(moved), func(i int) {
				_, moved[i], errs[i] = stores[i%2].AdvanceMessage(t.Context(), m.Ref, statuses[i%len(statuses)], "")
			})
			times := map[store.MessageStatus]int{}
			for i := range moved {
				require.NoError(t, errs[i])
				if moved[i] {
					times[statuses[i%len(statuses)]]++
				}
			}
			for status, n := range times {
				require.Equal(t, 1, n, status)
			}
			require.Equal(t, 1, times[store.StatusDelivered]+times[store.StatusFailed]+times[store.StatusUndelivered])
			end, err := stores[1].MessageByRef(t.Context(), m.Ref)
			require.NoError(t, err)
			require.Equal(t, 1, times[end.Status])
			require.NotEqual(t, store.StatusSent, end.Status)
		}
	})
}

func TestCountMessages(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		now := time.Now()
		for key, change := range map[string]func(*store.Message){
			"now":     func(m *store.Message) { m.SentAt = now },
			"edge":    func(m *store.Message) { m.SentAt = now.Add(-time.Hour) },
			"old":     func(m *store.Message) { m.SentAt = now.Add(-time.Hour - time.Millisecond) },
			"class":   func(m *store.Message) { m.Class = "emergency" },
			"address": func(m *store.Message) { m.Address = "b" },
		} {
			m := message(key)
			change(&m)
			require.NoError(t, s.RecordMessage(ctx, m))
		}
		n, err := s.CountMessages(ctx, "a", "routine", now.Add(-time.Hour))
		require.NoError(t, err)
		require.Equal(t, 2, n)
	})
}

func TestOptedOut(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.Ask(ctx, question("q1", "a")) // the address is known, its consent is not
		require.NoError(t, err)
		now := time.Now()
		for _, step := range []struct {
			stop bool
			at   time.Time
			want bool
		}{
			{stop: true, at: now, want: true},
			{stop: false, at: now.Add(-time.Second), want: true}, // an older START arrives late
			{stop: false, at: now.Add(time.Second), want: false},
			{stop: true, at: now.Add(time.Second), want: true},
		} {
			require.NoError(t, s.SetOptedOut(ctx, "a", step.stop, step.at))
			got, err := s.OptedOut(ctx, "a")
			require.NoError(t, err)
			require.Equal(t, step.want, got)
		}
		_, err = s.Ask(ctx, question("q2", "a"))
		require.NoError(t, err)
		out, err := s.OptedOut(ctx, "a")
		require.NoError(t, err)
		require.True(t, out, "asking does not change consent")
		out, err = s.OptedOut(ctx, "b")
		require.NoError(t, err)
		require.False(t, out)
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		year := 365 * 24 * time.Hour
		old, edge := time.Now().Add(-2*year), time.Now().Add(-year)
		for i := range 1001 { // more than one batch
			m := message(fmt.Sprint(i))
			m.SentAt = old
			require.NoError(t, s.RecordMessage(ctx, m))
		}
		require.NoError(t, s.RecordMessage(ctx, message("new")))
		for id, change := range map[string]func(*store.Question){
			"old, closed":  func(q *store.Question) { q.AskedAt, q.Step = old, "closed" },
			"old, expired": func(q *store.Question) { q.AskedAt, q.ExpiresAt = old, edge.Add(-time.Hour) },
			"old, open":    func(q *store.Question) { q.AskedAt = old },
			"old, endless": func(q *store.Question) { q.AskedAt, q.ExpiresAt = old, time.Time{} },
			"new, closed":  func(q *store.Question) { q.Step = "closed" },
		} {
			q := question(id, "a")
			change(&q)
			_, err := s.Ask(ctx, q)
			require.NoError(t, err)
		}
		require.NoError(t, s.CloseQuestions(ctx, "work-order/1", "closed"))

		n, err := s.(store.Pruner).Prune(ctx, edge)
		require.NoError(t, err)
		require.EqualValues(t, 1003, n)
		for id, kept := range map[string]bool{
			"old, closed": false, "old, expired": false, "old, open": true, "old, endless": true, "new, closed": true,
		} {
			_, err := s.Question(ctx, id)
			require.Equal(t, kept, err == nil, id)
		}
		_, err = s.MessageByRef(ctx, "SM-new")
		require.NoError(t, err)
	})
}
