package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestEvidenceIsLookedUp(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.NoError(t, s.Append(ctx, store.AuditEntry{ID: "effect/a", Entity: "work-order/1", Kind: store.AuditWrite, At: time.Now()}))
		require.NoError(t, s.Accept(ctx, store.Receipt{Source: "rentvine", Key: "rentvine:1", WorkflowID: "work-order/1", Outcome: "accepted", RecordedAt: time.Now()}))
		for _, key := range []string{"done", "begun"} {
			_, _, err := s.BeginEffect(ctx, key, "")
			require.NoError(t, err)
		}
		require.NoError(t, s.FinishEffect(ctx, "done", "SM1"))

		found, err := s.AuditIDs(ctx, []string{"effect/a", "event/rentvine:1", "effect/b"})
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"effect/a": true, "event/rentvine:1": true}, found)
		found, err = s.ReceiptKeys(ctx, []string{"rentvine:1", "rentvine:2"})
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"rentvine:1": true}, found)
		found, err = s.DoneEffects(ctx, []string{"done", "begun", "none"})
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"done": true}, found)
		long := strings.Repeat("k", 2000)
		require.NoError(t, s.Accept(ctx, store.Receipt{Source: "rentvine", Key: long, WorkflowID: "work-order/1", Outcome: "accepted"}))
		found, err = s.ReceiptKeys(ctx, []string{long, long + "k"})
		require.NoError(t, err)
		require.Equal(t, map[string]bool{long: true}, found)
		_, err = s.Receipt(ctx, long)
		require.NoError(t, err)
		require.NoError(t, s.Append(ctx, store.AuditEntry{ID: "took/" + long, Entity: "work-order/1", Kind: store.AuditTook}))
		found, err = s.AuditIDs(ctx, []string{"took/" + long})
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"took/" + long: true}, found)
		found, err = s.AuditIDs(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, found)
		_, err = s.AuditIDs(ctx, make([]string, store.EvidenceMost+1))
		require.ErrorContains(t, err, "at most")
	})
}

func TestEffectsByTheirEnd(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		from, to := time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
		for i := range 7 {
			key := fmt.Sprint("e", i)
			_, _, err := s.BeginEffect(ctx, key, "a note")
			require.NoError(t, err)
			if i < 5 {
				require.NoError(t, s.FinishEffect(ctx, key, "ref"+key))
			}
		}
		var keys []string
		var after store.FinishedEffect
		for {
			page, err := s.FinishedEffects(ctx, from, to, after, 2)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			require.LessOrEqual(t, len(page), 2)
			for _, e := range page {
				require.Equal(t, "ref"+e.Key, e.Ref)
				keys = append(keys, e.Key)
			}
			after = page[len(page)-1]
		}
		require.ElementsMatch(t, []string{"e0", "e1", "e2", "e3", "e4"}, keys)
		page, err := s.FinishedEffects(ctx, to, to.Add(time.Hour), store.FinishedEffect{}, 10)
		require.NoError(t, err)
		require.Empty(t, page)

		open2, err := s.UnfinishedEffects(ctx, from, to, 10)
		require.NoError(t, err)
		require.Len(t, open2, 2)
		require.Equal(t, "a note", open2[0].Note)
		require.False(t, open2[0].Done)
		require.False(t, open2[1].TriedAt.Before(open2[0].TriedAt), "the oldest first")
		open2, err = s.UnfinishedEffects(ctx, from, to, 1)
		require.NoError(t, err)
		require.Len(t, open2, 1)
		open2, err = s.UnfinishedEffects(ctx, from.Add(-time.Hour), from, 10)
		require.NoError(t, err)
		require.Empty(t, open2)
	})
}

func TestMessagesSent(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		at := time.Now().Truncate(time.Second)
		for i, status := range []string{"queued", "delivered", "recorded", "queued"} {
			key := fmt.Sprint("m", i)
			require.NoError(t, s.RecordMessage(ctx, store.Message{
				Key: key, Ref: key, Channel: "sms", WorkflowID: "work-order/1", Step: "page", SentAt: at.Add(time.Duration(i) * time.Minute), Status: store.MessageStatus(status),
			}))
		}
		first, err := s.MessagesSent(ctx, at, at.Add(3*time.Minute), store.Message{}, 1)
		require.NoError(t, err)
		require.Len(t, first, 1)
		require.Equal(t, "m0", first[0].Key)
		require.Equal(t, "work-order/1", first[0].WorkflowID)
		rest, err := s.MessagesSent(ctx, at, at.Add(3*time.Minute), first[0], 10)
		require.NoError(t, err)
		require.Len(t, rest, 1, "one was only recorded, and one is later")
		require.Equal(t, "m1", rest[0].Key)
	})
}

func TestAuditTrace(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		at := time.Now().Truncate(time.Second)
		for i, kind := range []store.AuditKind{store.AuditWrite, store.AuditMessage, store.AuditTook, store.AuditWrite, store.AuditWrite} {
			// The second to fourth are of one moment, the last is too late.
			when := at.Add(time.Duration((i+2)/3) * time.Minute)
			require.NoError(t, s.Append(ctx, store.AuditEntry{ID: fmt.Sprint("e", i), Entity: fmt.Sprint("lease/", 9-i), Kind: kind, At: when}))
		}
		var ids []string
		var after store.AuditEntry
		for {
			page, err := s.AuditTrace(ctx, []store.AuditKind{store.AuditWrite, store.AuditMessage}, at, at.Add(2*time.Minute), after, 1)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			after = page[0]
			ids = append(ids, after.ID+" "+after.Entity)
		}
		require.Equal(t, []string{"e0 lease/9", "e1 lease/8", "e3 lease/6"}, ids)
	})
}

func TestAuditEntitiesByTheirEntriesAndHeads(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		for i, entity := range []string{"lease/1", "lease/2", "lease/2", "lease/3"} {
			require.NoError(t, s.Append(ctx, store.AuditEntry{ID: fmt.Sprint("note/", i), Entity: entity, Kind: store.AuditDecision, At: at.Add(time.Duration(i) * time.Minute)}))
		}
		touched := func(from, to int, after string, most int) []string {
			list, err := s.AuditTouched(ctx, at.Add(time.Duration(from)*time.Minute), at.Add(time.Duration(to)*time.Minute), after, most)
			require.NoError(t, err)
			return list
		}
		require.Equal(t, []string{"lease/1", "lease/2"}, touched(0, 3, "", 10))
		require.Equal(t, []string{"lease/2", "lease/3"}, touched(2, 4, "", 10))
		require.Equal(t, []string{"lease/2"}, touched(0, 4, "lease/1", 1))
		require.Empty(t, touched(4, 9, "", 10))
		list, err := s.AuditHeadless(ctx, "", 10)
		require.NoError(t, err)
		require.Empty(t, list)
	})
}
