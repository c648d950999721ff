package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/store"
)

var auditAt = time.Date(2026, 11, 20, 9, 0, 0, 123456000, time.UTC)

// audited is an entry with every field set.
func audited(entity string, n int) store.AuditEntry {
	return store.AuditEntry{
		ID: fmt.Sprint(entity, "#", n), Entity: entity, Kind: store.AuditDecision, At: auditAt.Add(time.Duration(n) * time.Minute),
		Actor: "policy", What: fmt.Sprint("decided ", n), Partner: "rentvine", Ref: fmt.Sprint(n), Links: []string{"question/a", "b,c"},
		RunID: "run", Step: "assign", Subject: fmt.Sprint("contact/", n%2), Details: fmt.Sprint("Jane Roe ", n),
	}
}

func receipt(key string) store.Receipt {
	return store.Receipt{
		Source: "rentvine", Key: key, Type: "work_order.created", EntityID: "7", Via: "webhook", WorkflowID: "work-order/7", RunID: "run",
		Outcome: "accepted", Digest: "00ff", ReceivedAt: auditAt,
	}
}

func entriesOf(t *testing.T, s store.Store, f store.AuditFilter) []store.AuditEntry {
	t.Helper()
	list, err := s.AuditEntries(t.Context(), f)
	require.NoError(t, err)
	return list
}

func requireHolds(t require.TestingT, s store.Store, entity string) {
	faults, err := s.VerifyAudit(backgroundFor(t), entity)
	require.NoError(t, err)
	require.Empty(t, faults, entity)
}

func TestAppendChainsAnEntity(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		first, other, second := audited("work-order/7", 1), audited("sale/1", 1), audited("work-order/7", 2)
		require.NoError(t, s.Append(ctx))
		require.NoError(t, s.Append(ctx, first, other, second))
		got := entriesOf(t, s, store.AuditFilter{Entity: "work-order/7"})
		require.Len(t, got, 2)
		require.Equal(t, int64(1), got[0].Seq)
		require.Empty(t, got[0].Prev)
		require.Len(t, got[0].Hash, 64)
		require.Equal(t, int64(2), got[1].Seq)
		require.Equal(t, got[0].Hash, got[1].Prev)
		first.Seq, first.Hash = 1, got[0].Hash
		require.Equal(t, first, got[0])

		changed := audited("work-order/7", 1)
		changed.What = "something else"
		require.NoError(t, open().Append(ctx, changed, audited("work-order/7", 3), audited("work-order/7", 3)))
		after := entriesOf(t, s, store.AuditFilter{Entity: "work-order/7"})
		require.Equal(t, got, after[:2], "an id that is there stays as it was")
		require.Len(t, after, 3, "and an id twice in one call is one")
		requireHolds(t, s, "work-order/7")
		requireHolds(t, s, "sale/1")
		requireHolds(t, s, "unknown")

		heads, err := s.AuditEntities(ctx, "", "", 0)
		require.NoError(t, err)
		require.Equal(t, []store.AuditHead{{"sale/1", 1, entriesOf(t, s, store.AuditFilter{Entity: "sale/1"})[0].Hash}, {"work-order/7", 3, after[2].Hash}}, heads)
		heads, err = s.AuditEntities(ctx, "", "sale/1", 5)
		require.NoError(t, err)
		require.Len(t, heads, 1)
		heads, err = s.AuditEntities(ctx, "sale/", "", 5)
		require.NoError(t, err)
		require.Len(t, heads, 1)
	})
}

func TestAppendIsAllOrNone(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		for _, bad := range []store.AuditEntry{{Entity: "e", Kind: store.AuditTook}, {ID: "x", Kind: store.AuditTook}, {ID: "x", Entity: "e"}} {
			require.ErrorContains(t, s.Append(t.Context(), audited("e", 1), bad), "needs an id, an entity and a kind")
		}
		require.Empty(t, entriesOf(t, s, store.AuditFilter{}))
		require.Error(t, s.Accept(t.Context(), receipt("a"), store.Receipt{Key: "b"}))
		_, err := s.Receipt(t.Context(), "a")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

// What partners and people write may be no text that PostgreSQL takes, or without end.
func TestAppendTakesAnyText(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		e := store.AuditEntry{
			ID: "id\x00\xff", Entity: "e\x00", Kind: "decision", What: strings.Repeat("é", 5000), Links: slices.Repeat([]string{"l\x00\xfe"}, 3000),
			Details: strings.Repeat("\x00ü", 100_000),
		}
		require.NoError(t, s.Append(t.Context(), e, e))
		got := entriesOf(t, s, store.AuditFilter{Entity: "e"})
		require.Len(t, got, 1)
		require.Equal(t, "id?", got[0].ID)
		require.LessOrEqual(t, len(got[0].What), 1000)
		require.True(t, strings.HasSuffix(got[0].What, "é…"))
		require.Len(t, got[0].Links, 1000)
		require.LessOrEqual(t, len(got[0].Details), 64<<10)
		require.WithinDuration(t, time.Now(), got[0].At, time.Minute, "now where no time is given")
		requireHolds(t, s, "e")

		r := receipt("k\x00")
		r.Type = "odd\x00\xff"
		require.NoError(t, s.Accept(t.Context(), r, r))
		kept, err := s.Receipt(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "odd?", kept.Type)
	})
}

func TestAuditEntriesFilters(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		var all []store.AuditEntry
		for n := range 6 {
			all = append(all, audited("work-order/7", n), audited("work-order/70", n), audited("work_order/7", n))
		}
		all[0].Kind = store.AuditMessage
		require.NoError(t, s.Append(t.Context(), all...))
		for _, test := range []struct {
			name string
			f    store.AuditFilter
			want int
		}{
			{"everything", store.AuditFilter{}, 18},
			{"at most some", store.AuditFilter{Most: 4}, 4},
			{"an entity", store.AuditFilter{Entity: "work-order/7"}, 6},
			{"a prefix, which is no pattern", store.AuditFilter{Prefix: "work_order/"}, 6},
			{"entities of a prefix", store.AuditFilter{Prefix: "work-order/"}, 12},
			{"kinds", store.AuditFilter{Kinds: []store.AuditKind{store.AuditMessage, store.AuditTook}}, 1},
			{"a subject", store.AuditFilter{Subject: "contact/1"}, 9},
			{"from", store.AuditFilter{From: auditAt.Add(4 * time.Minute)}, 6},
			{"to, excluded", store.AuditFilter{To: auditAt.Add(time.Minute)}, 3},
			{"together", store.AuditFilter{Prefix: "work-order/", Subject: "contact/0", From: auditAt.Add(time.Minute), To: auditAt.Add(5 * time.Minute)}, 4},
		} {
			require.Len(t, entriesOf(t, s, test.f), test.want, test.name)
		}
		var paged []store.AuditEntry
		f := store.AuditFilter{Most: 5}
		for page := entriesOf(t, s, f); len(page) > 0; page = entriesOf(t, s, f) {
			paged = append(paged, page...)
			f.AfterEntity, f.AfterSeq = page[len(page)-1].Entity, page[len(page)-1].Seq
		}
		require.Equal(t, entriesOf(t, s, store.AuditFilter{}), paged)
	})
}

func TestEraseDetails(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		plain := audited("work-order/7", 9)
		plain.Details = ""
		require.NoError(t, s.Append(ctx, audited("work-order/7", 1), audited("work-order/7", 2), plain, audited("sale/1", 1)))
		_, err := s.EraseDetails(ctx, "", "", "ann", "asked", auditAt)
		require.ErrorContains(t, err, "say whose details")
		before := entriesOf(t, s, store.AuditFilter{})

		n, err := s.EraseDetails(ctx, "contact/1", "", "ann", "asked for it", auditAt)
		require.NoError(t, err)
		require.Equal(t, 2, n, "what has no details loses none")
		n, err = s.EraseDetails(ctx, "contact/1", "", "ann", "again", auditAt)
		require.NoError(t, err)
		require.Zero(t, n)
		got := entriesOf(t, s, store.AuditFilter{Entity: "work-order/7"})
		require.Len(t, got, 4, "erasing again tells nothing again")
		require.True(t, got[0].Erased)
		require.Empty(t, got[0].Details)
		require.Equal(t, before[1].Hash, got[0].Hash)
		require.Equal(t, "Jane Roe 2", got[1].Details, "somebody else's stay")
		require.False(t, got[2].Erased)
		told := got[3]
		require.Equal(t, store.AuditErased, told.Kind)
		require.Equal(t, "operator/ann", told.Actor)
		require.Equal(t, "details of 1 entries erased: asked for it", told.What)
		require.Equal(t, []string{"work-order/7#1"}, told.Links)
		require.Equal(t, "contact/1", told.Subject)
		requireHolds(t, s, "work-order/7")
		requireHolds(t, s, "sale/1")

		n, err = s.EraseDetails(ctx, "", "work-order/7", "ann", "all of it", auditAt)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		requireHolds(t, s, "work-order/7")
		require.NoError(t, s.Append(ctx, audited("work-order/7", 1), audited("work-order/7", 10)))
		requireHolds(t, s, "work-order/7")
		require.Empty(t, entriesOf(t, s, store.AuditFilter{Entity: "work-order/7"})[0].Details, "a repeat brings nothing back")
	})
}

// More than a batch of one subject, over entities.
func TestEraseMany(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		const entities, entries = 7, 90
		for entity := range entities {
			var list []store.AuditEntry
			for n := range entries {
				e := audited(fmt.Sprint("sale/", entity), n)
				e.Subject = "contact/21"
				list = append(list, e)
			}
			require.NoError(t, s.Append(t.Context(), list...))
		}
		n, err := s.EraseDetails(t.Context(), "contact/21", "", "ann", "asked", auditAt)
		require.NoError(t, err)
		require.Equal(t, entities*entries, n)
		for entity := range entities {
			requireHolds(t, s, fmt.Sprint("sale/", entity))
		}
	})
}

func TestAccept(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.NoError(t, s.Accept(ctx))
		second, parked := receipt("rentvine:1"), receipt("rentvine:2")
		second.Outcome, second.Via = "duplicate", "replay"
		parked.Outcome, parked.Reason, parked.WorkflowID = "parked", "unknown type", "parked/rentvine/1"
		begun := time.Now().Truncate(time.Microsecond)
		require.NoError(t, s.Accept(ctx, parked, receipt("rentvine:1"), second))
		require.NoError(t, open().Accept(ctx, second), "the first stays")

		got, err := s.Receipt(ctx, "rentvine:1")
		require.NoError(t, err)
		require.WithinRange(t, got.RecordedAt, begun, time.Now())
		want := receipt("rentvine:1")
		want.RecordedAt = got.RecordedAt
		require.Equal(t, want, got)
		_, err = s.Receipt(ctx, "rentvine:3")
		require.ErrorIs(t, err, store.ErrNotFound)

		entries := entriesOf(t, s, store.AuditFilter{Kinds: []store.AuditKind{store.AuditEvent}})
		require.Len(t, entries, 2)
		require.Equal(t, "work_order.created by webhook: parked, unknown type", entries[0].What)
		require.Equal(t, "parked/rentvine/1", entries[0].Entity)
		e := entries[1]
		require.Equal(t, store.AuditEntry{
			ID: "event/rentvine:1", Entity: "work-order/7", Kind: store.AuditEvent, At: got.RecordedAt, Actor: "rentvine",
			What: "work_order.created by webhook", Ref: "7", RunID: "run", Links: []string{}, Seq: 1, Hash: e.Hash,
		}, e)
	})
}

// The entity to which a parked event has come at last has an entry of it.
func TestAcceptOfAReplay(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		parked, replay := receipt("rentvine:2"), receipt("rentvine:2")
		parked.Outcome, parked.Reason, parked.WorkflowID = "parked", "unknown type", "parked/rentvine/1"
		again := parked
		again.Via, replay.Via = "replay", "replay"
		require.NoError(t, s.Accept(ctx, parked))
		require.NoError(t, s.Accept(ctx, again), "it was held back again")
		require.NoError(t, s.Accept(ctx, replay, receipt("rentvine:3")))
		require.NoError(t, s.Accept(ctx, replay))
		require.NoError(t, s.Accept(ctx, receipt("rentvine:2")), "the sender repeats")
		first := receipt("rentvine:4")
		first.Via = "replay"
		require.NoError(t, s.Accept(ctx, first, first))
		kept, err := s.Receipt(ctx, "rentvine:2")
		require.NoError(t, err)
		require.Equal(t, "parked/rentvine/1", kept.WorkflowID)
		require.Len(t, entriesOf(t, s, store.AuditFilter{Entity: "parked/rentvine/1"}), 1)
		list := entriesOf(t, s, store.AuditFilter{Entity: "work-order/7"})
		require.Len(t, list, 3)
		require.Equal(t, "event/rentvine:2/replay", list[0].ID)
		require.Equal(t, "work_order.created by replay", list[0].What)
		require.Equal(t, []string{"event/rentvine:2"}, list[0].Links)
		require.Equal(t, store.AuditEvent, list[0].Kind)
		require.Equal(t, "event/rentvine:3", list[1].ID)
		require.Equal(t, "event/rentvine:4", list[2].ID)
		requireHolds(t, s, "work-order/7")
	})
}

// Receipts of one entity are entries in the order in which they were given.
func TestAcceptKeepsTheOrder(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		require.NoError(t, s.Accept(t.Context(), receipt("c"), receipt("a"), receipt("b")))
		var ids []string
		for _, e := range entriesOf(t, s, store.AuditFilter{}) {
			ids = append(ids, e.ID)
		}
		require.Equal(t, []string{"event/c", "event/a", "event/b"}, ids)
	})
}

func TestReceiptsFilters(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		var all []store.Receipt
		for n := range 9 {
			r := receipt(fmt.Sprint("k", n))
			r.RecordedAt = auditAt.Add(time.Duration(n/3) * time.Minute)
			if n%3 == 0 {
				r.Source, r.Type, r.Outcome = "openmoove", "sale.updated", "parked"
			}
			all = append(all, r)
		}
		require.NoError(t, s.Accept(t.Context(), all...))
		list := func(f store.ReceiptFilter) []store.Receipt {
			list, err := s.Receipts(t.Context(), f)
			require.NoError(t, err)
			return list
		}
		require.Equal(t, all, list(store.ReceiptFilter{}))
		require.Len(t, list(store.ReceiptFilter{Source: "openmoove"}), 3)
		require.Len(t, list(store.ReceiptFilter{Type: "sale.updated"}), 3)
		require.Len(t, list(store.ReceiptFilter{Outcome: "accepted"}), 6)
		require.Len(t, list(store.ReceiptFilter{From: auditAt.Add(time.Minute), To: auditAt.Add(2 * time.Minute)}), 3)
		var paged []store.Receipt
		f := store.ReceiptFilter{Most: 2}
		for page := list(f); len(page) > 0; page = list(f) {
			paged = append(paged, page...)
			f.AfterAt, f.After = page[len(page)-1].RecordedAt, page[len(page)-1].Key
		}
		require.Equal(t, all, paged)
	})
}

// Appends and erasures in any order, with ids that repeat: every chain holds and an entity
// has each of its ids once, in the order of first appearance.
func TestAuditHoldsWhateverHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := store.Open(backgroundFor(t), ":memory:")
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		want, known := map[string][]string{}, map[string]bool{}
		for range rapid.IntRange(1, 8).Draw(t, "calls") {
			if rapid.IntRange(0, 4).Draw(t, "erase") == 0 {
				_, err := s.EraseDetails(backgroundFor(t), rapid.SampledFrom([]string{"contact/0", "contact/1"}).Draw(t, "subject"), "", "ann", "", auditAt)
				require.NoError(t, err)
				continue
			}
			var entries []store.AuditEntry
			for range rapid.IntRange(0, 12).Draw(t, "entries") {
				e := audited(fmt.Sprint("sale/", rapid.IntRange(0, 3).Draw(t, "entity")), rapid.IntRange(0, 9).Draw(t, "n"))
				e.Details = rapid.SampledFrom([]string{"", "Jane Roe"}).Draw(t, "details")
				entries = append(entries, e)
				if !known[e.ID] {
					known[e.ID] = true
					want[e.Entity] = append(want[e.Entity], e.ID)
				}
			}
			require.NoError(t, s.Append(backgroundFor(t), entries...))
		}
		for entity, ids := range want {
			requireHolds(t, s, entity)
			list, err := s.AuditEntries(backgroundFor(t), store.AuditFilter{Entity: entity})
			require.NoError(t, err)
			var got []string
			for _, e := range list {
				if e.Kind != store.AuditErased {
					got = append(got, e.ID)
				}
			}
			require.Equal(t, ids, got)
		}
	})
}

// BenchmarkAppend appends 500 entries of 300 entities at a time.
func BenchmarkAppend(b *testing.B) {
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "audit.db"))
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	const entries, entities = 500, 300
	for i := range b.N {
		var list []store.AuditEntry
		for n := range entries {
			list = append(list, audited(fmt.Sprint("work-order/", n%entities), i*entries+n))
		}
		require.NoError(b, s.Append(b.Context(), list...))
	}
	b.ReportMetric(float64(b.N*entries)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkAccept keeps 100 receipts at a time.
func BenchmarkAccept(b *testing.B) {
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "audit.db"))
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	const receipts = 100
	for i := range b.N {
		var list []store.Receipt
		for n := range receipts {
			r := receipt(fmt.Sprint("rentvine:", i*receipts+n))
			r.WorkflowID = fmt.Sprint("work-order/", i*receipts+n)
			list = append(list, r)
		}
		require.NoError(b, s.Accept(b.Context(), list...))
	}
	b.ReportMetric(float64(b.N*receipts)/b.Elapsed().Seconds(), "receipts/s")
}
