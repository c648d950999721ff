package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

var knownNoon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func knownAt(record string, after time.Duration, pairs ...string) store.KnownRecord {
	k := store.KnownRecord{Record: record, Fields: map[string]string{}, At: knownNoon.Add(after)}
	for i := 0; i < len(pairs); i += 2 {
		k.Fields[pairs[i]] = pairs[i+1]
	}
	return k
}

// What was read later counts, also where it is written earlier.
func TestKnow(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.KnownRecord(ctx, "work-order/7")
		require.ErrorIs(t, err, store.ErrNotFound)
		require.Error(t, s.Know(ctx, store.KnownRecord{At: knownNoon}), "no record is named")
		require.Error(t, s.Know(ctx, store.KnownRecord{Record: "work-order/7"}), "nobody says when")

		for _, step := range []struct {
			give, want store.KnownRecord
		}{
			{knownAt("work-order/7", 0, "a", "1", "b", "2"), knownAt("work-order/7", 0, "a", "1", "b", "2")},
			{knownAt("work-order/7", -time.Second, "a", "0"), knownAt("work-order/7", 0, "a", "1", "b", "2")},
			{knownAt("work-order/7", 0, "a", "3"), knownAt("work-order/7", 0, "a", "3")},
			{knownAt("work-order/7", time.Second), knownAt("work-order/7", time.Second)},
		} {
			require.NoError(t, s.Know(ctx, step.give))
			got, err := s.KnownRecord(ctx, "work-order/7")
			require.NoError(t, err)
			require.Equal(t, step.want, got)
		}
	})
}

// A write of our own changes what is known of its fields alone, unless the record was
// read since.
func TestKnowFields(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.NoError(t, s.KnowFields(ctx, knownAt("lease/3", 0, "endDate", "2027-01-31")))
		_, err := s.KnownRecord(ctx, "lease/3")
		require.ErrorIs(t, err, store.ErrNotFound, "nothing is known of it")

		require.NoError(t, s.Know(ctx, knownAt("lease/3", 0, "endDate", "2026-12-31", "unitID", "5")))
		require.NoError(t, s.KnowFields(ctx, knownAt("lease/3", time.Minute, "endDate", "2027-01-31")))
		require.NoError(t, s.KnowFields(ctx, knownAt("lease/3", time.Second, "endDate", "2020-01-01")))
		require.NoError(t, s.Know(ctx, knownAt("lease/3", 30*time.Second, "endDate", "2026-12-31", "unitID", "6")), "read before the write ended")
		require.NoError(t, s.Know(ctx, knownAt("lease/3", 20*time.Second, "endDate", "2026-12-31", "unitID", "4")), "read before that")
		got, err := s.KnownRecord(ctx, "lease/3")
		require.NoError(t, err)
		want := knownAt("lease/3", 30*time.Second, "endDate", "2027-01-31", "unitID", "6")
		want.Written = map[string]time.Time{"endDate": knownNoon.Add(time.Minute)}
		require.Equal(t, want, got)

		require.NoError(t, s.Know(ctx, knownAt("lease/3", 2*time.Minute, "endDate", "2027-02-28", "unitID", "6")))
		got, err = s.KnownRecord(ctx, "lease/3")
		require.NoError(t, err)
		require.Equal(t, knownAt("lease/3", 2*time.Minute, "endDate", "2027-02-28", "unitID", "6"), got, "read after the write")
	})
}

// Of writes by several processes at once none is lost.
func TestKnowFieldsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores, ctx := []store.Store{open(), open()}, t.Context()
		require.NoError(t, stores[0].Know(ctx, knownAt("work-order/7", 0)))
		errs := make([]error, 8)
		together(len(errs), func(i int) {
			errs[i] = stores[i%2].KnowFields(ctx, knownAt("work-order/7", time.Second, fmt.Sprint(i), "x"))
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		got, err := stores[0].KnownRecord(ctx, "work-order/7")
		require.NoError(t, err)
		require.Len(t, got.Fields, len(errs))
	})
}

func TestKnownRecords(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for _, record := range []string{"work-order/1", "work-order/2", "work-order/3", "work_order/4", "lease/1"} {
			require.NoError(t, s.Know(ctx, knownAt(record, 0)))
		}
		names := func(prefix, after string, most int) (list []string) {
			got, err := s.KnownRecords(ctx, prefix, after, most)
			require.NoError(t, err)
			for _, k := range got {
				list = append(list, k.Record)
			}
			return list
		}
		require.Equal(t, []string{"work-order/1", "work-order/2"}, names("work-order", "", 2))
		require.Equal(t, []string{"work-order/3"}, names("work-order", "work-order/2", 2))
		require.Empty(t, names("work-order", "work-order/3", 2))
		known, err := s.KnownOf(ctx, []string{"work-order/2", "lease/1", "lease/2"})
		require.NoError(t, err)
		require.Equal(t, map[string]store.KnownRecord{"work-order/2": knownAt("work-order/2", 0), "lease/1": knownAt("lease/1", 0)}, known)

		require.NoError(t, s.LeaveOut(ctx, knownAt("work-order/2", 0)))
		require.NoError(t, s.LeaveOut(ctx, knownAt("work-order/3", 0, "not", "as it is known")))
		require.Equal(t, []string{"work-order/1", "work-order/3"}, names("work-order", "", 0))
		require.NoError(t, s.Know(ctx, knownAt("work-order/2", time.Second)))
		require.Len(t, names("work-order", "", 0), 3, "it is known anew")
	})
}

// What a list has shown counts until what is known changes: then nobody has looked yet.
func TestListedAs(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		require.NoError(t, s.ListedAs(ctx, "lease/3", "x", true))
		_, err := s.KnownRecord(ctx, "lease/3")
		require.ErrorIs(t, err, store.ErrNotFound, "nothing is known of it")
		for i, step := range []struct {
			do    func() error
			mark  string
			moves int
		}{
			{func() error { return s.Know(ctx, knownAt("lease/3", 0, "a", "1")) }, "", 0},
			{func() error { return s.ListedAs(ctx, "lease/3", "x", true) }, "x", 1},
			{func() error { return s.ListedAs(ctx, "lease/3", "y", false) }, "y", 1},
			{func() error { return s.Know(ctx, knownAt("lease/3", 1, "a", "1")) }, "y", 1},
			{func() error { return s.Know(ctx, knownAt("lease/3", 2*time.Second, "a", "2")) }, "", 1},
			{func() error { return s.ListedAs(ctx, "lease/3", "z", true) }, "z", 2},
			{func() error { return s.KnowFields(ctx, knownAt("lease/3", 3*time.Second, "a", "2")) }, "z", 2},
			{func() error { return s.Know(ctx, knownAt("lease/3", 4*time.Second, "a", "2")) }, "z", 2},
			{func() error { return s.KnowFields(ctx, knownAt("lease/3", 5*time.Second, "a", "3")) }, "", 2},
		} {
			require.NoError(t, step.do())
			got, err := s.KnownRecord(ctx, "lease/3")
			require.NoError(t, err)
			require.Equal(t, step.mark, got.Listed, i)
			require.Equal(t, step.moves, got.Moves, i)
		}
	})
}

// The same value is not recognised in another record or field.
func TestKnownValue(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	one := keys.KnownValue("lease/3", "tenants", "Ana")
	require.Regexp(t, `^#[a-z2-7]{4}v1:[a-z2-7]{24}$`, one)
	require.True(t, strings.HasPrefix(one, keys.KnownMark()))
	require.NotEqual(t, keys.KnownMark(), store.NewKeys("other").KnownMark())
	require.Equal(t, one, keys.KnownValue("lease/3", "tenants", "Ana"))
	require.Empty(t, keys.KnownValue("lease/3", "tenants", ""))
	for _, other := range []string{
		keys.KnownValue("lease/4", "tenants", "Ana"), keys.KnownValue("lease/3", "code", "Ana"),
		keys.KnownValue("lease/3", "tenants", "Anna"), store.NewKeys("other").KnownValue("lease/3", "tenants", "Ana"),
	} {
		require.NotEqual(t, one, other)
	}
}
