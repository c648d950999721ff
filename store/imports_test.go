package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func importRow(number int) store.ImportRow {
	return store.ImportRow{
		Number: number, Key: fmt.Sprint("key ", number), State: store.RowWaiting,
		Payload: fmt.Appendf(nil, `{"property_address": "%d High St"}`, number),
	}
}

func importRows(n int) []store.ImportRow {
	rows := make([]store.ImportRow, n)
	for i := range rows {
		rows[i] = importRow(i + 2)
	}
	return rows
}

func create(t *testing.T, s store.Store, id string, rows ...store.ImportRow) {
	t.Helper()
	created, err := s.CreateImport(t.Context(), id, rows)
	require.NoError(t, err)
	require.True(t, created)
}

func TestImport(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.Import(ctx, "i1")
		require.ErrorIs(t, err, store.ErrNotFound)

		before := time.Now().Add(-time.Second)
		invalid := store.ImportRow{
			Number: 4, State: store.RowInvalid, Payload: []byte(`{}`),
			Problems: []store.RowProblem{{Field: "email", Message: "is no \"address\"\x00 at all ü"}, {Message: "too few cells"}},
		}
		duplicate := store.ImportRow{Number: 5, Key: "key 2", State: store.RowDuplicate}
		create(t, s, "i1", importRow(3), importRow(2), invalid, duplicate)
		create(t, s, "i2", importRow(2))

		i, err := s.Import(ctx, "i1")
		require.NoError(t, err)
		require.True(t, i.CreatedAt.After(before))
		require.Equal(t, time.UTC, i.CreatedAt.Location())
		require.Equal(t, store.Import{
			ID: "i1", CreatedAt: i.CreatedAt,
			Counts: map[store.RowState]int{store.RowWaiting: 2, store.RowInvalid: 1, store.RowDuplicate: 1},
		}, i)

		waiting, err := s.WaitingRows(ctx, "i1", 0, 10)
		require.NoError(t, err)
		require.Equal(t, []store.ImportRow{importRow(2), importRow(3)}, waiting)
		all, err := s.Rows(ctx, "i1", 0, 10)
		require.NoError(t, err)
		require.Len(t, all, 4)
		invalid.Payload = nil
		require.Equal(t, invalid, all[2])
		require.Equal(t, duplicate, all[3])
		require.Nil(t, all[0].Payload)
	})
}

func TestImportRowsByPages(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		rows := importRows(60)
		create(t, s, "i1", rows...)
		for name, list := range map[string]func(after, limit int) ([]store.ImportRow, error){
			"waiting": func(after, limit int) ([]store.ImportRow, error) {
				return s.WaitingRows(t.Context(), "i1", after, limit)
			},
			"all": func(after, limit int) ([]store.ImportRow, error) { return s.Rows(t.Context(), "i1", after, limit) },
		} {
			var got []int
			for after := 0; ; after = got[len(got)-1] {
				page, err := list(after, 25)
				require.NoError(t, err)
				if len(page) == 0 {
					break
				}
				for _, row := range page {
					got = append(got, row.Number)
				}
			}
			require.Len(t, got, len(rows), name)
			require.IsIncreasing(t, got, name)
			for _, none := range []int{0, -1} {
				page, err := list(0, none)
				require.NoError(t, err, name)
				require.Empty(t, page, name)
			}
		}
		none, err := s.WaitingRows(t.Context(), "another", 0, 10)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func TestFinishRow(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		create(t, s, "i1", importRow(2), importRow(3), importRow(4))
		create(t, s, "i2", importRow(2))

		created := store.ImportRow{Number: 2, State: store.RowCreated, PropertyID: "71", TransactionID: "u71"}
		require.NoError(t, s.FinishRow(ctx, "i1", created))
		late := created
		late.State, late.PropertyID = store.RowExisting, "72"
		require.NoError(t, s.FinishRow(ctx, "i1", late))
		refused := store.ImportRow{Number: 3, State: store.RowRefused, Problems: []store.RowProblem{{Field: "phone_number", Message: "Invalid phone number format"}}}
		require.NoError(t, s.FinishRow(ctx, "i1", refused))
		require.Error(t, s.FinishRow(ctx, "i1", importRow(4)), "waiting is no outcome")
		require.NoError(t, s.FinishRow(ctx, "i1", store.ImportRow{Number: 99, State: store.RowCreated}), "there is none")

		all, err := s.Rows(ctx, "i1", 0, 10)
		require.NoError(t, err)
		created.Key, refused.Key = "key 2", "key 3"
		require.Equal(t, []store.ImportRow{created, refused}, all[:2])
		waiting, err := s.WaitingRows(ctx, "i1", 0, 10)
		require.NoError(t, err)
		require.Equal(t, []store.ImportRow{importRow(4)}, waiting)
		other, err := s.WaitingRows(ctx, "i2", 0, 10)
		require.NoError(t, err)
		require.Len(t, other, 1)
	})
}

func TestARowThatFailedWaitsAlone(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		create(t, s, "i1", importRow(2), importRow(3))
		require.NoError(t, s.DeferRow(ctx, "i1", 2, time.Hour))
		waiting, err := s.WaitingRows(ctx, "i1", 0, 10)
		require.NoError(t, err)
		require.Equal(t, []store.ImportRow{importRow(3)}, waiting)
		require.NoError(t, s.DeferRow(ctx, "i1", 2, -time.Second))
		waiting, err = s.WaitingRows(ctx, "i1", 0, 10)
		require.NoError(t, err)
		require.Len(t, waiting, 2)
		require.Equal(t, 2, waiting[0].Tries)
		i, err := s.Import(ctx, "i1")
		require.NoError(t, err)
		require.Equal(t, map[store.RowState]int{store.RowWaiting: 2}, i.Counts)
	})
}

func TestARowThatWasCreatedAfterItsCancelIsCreated(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		create(t, s, "i1", importRow(2), importRow(3))
		require.NoError(t, s.FinishImport(ctx, "i1"))
		require.NoError(t, s.FinishRow(ctx, "i1", store.ImportRow{Number: 2, State: store.RowCreated, PropertyID: "7"}))
		require.NoError(t, s.FinishRow(ctx, "i1", store.ImportRow{Number: 3, State: store.RowRefused}), "it stays cancelled")
		i, err := s.Import(ctx, "i1")
		require.NoError(t, err)
		require.Equal(t, map[store.RowState]int{store.RowCreated: 1, store.RowCancelled: 1}, i.Counts)
	})
}

// A thief of the file finds nothing of sellers whose rows are done.
func TestPayloadsLeaveTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyholder.db")
	s, err := store.Open(t.Context(), path)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	rows := importRows(200)
	for i := range rows {
		rows[i].Payload = []byte(`{"last_name":"Zebedee"}`)
	}
	create(t, s, "i1", rows...)
	for _, row := range rows {
		require.NoError(t, s.FinishRow(t.Context(), "i1", store.ImportRow{Number: row.Number, State: store.RowCreated, PropertyID: "7"}))
	}
	require.NoError(t, s.FinishImport(t.Context(), "i1"))
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	for _, file := range files {
		held, err := os.ReadFile(file)
		require.NoError(t, err)
		require.False(t, bytes.Contains(held, []byte("Zebedee")), file)
	}
}

func TestFinishImport(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		create(t, s, "i1", importRow(2), importRow(3))
		create(t, s, "i2", importRow(2))
		require.NoError(t, s.FinishRow(ctx, "i1", store.ImportRow{Number: 2, State: store.RowExisting, PropertyID: "7"}))
		require.NoError(t, s.FinishImport(ctx, "i1"))
		first, err := s.Import(ctx, "i1")
		require.NoError(t, err)
		require.False(t, first.FinishedAt.IsZero())
		require.Equal(t, map[store.RowState]int{store.RowExisting: 1, store.RowCancelled: 1}, first.Counts)

		require.NoError(t, s.FinishImport(ctx, "i1"))
		require.NoError(t, s.FinishRow(ctx, "i1", store.ImportRow{Number: 3, State: store.RowCreated}))
		again, err := s.Import(ctx, "i1")
		require.NoError(t, err)
		require.Equal(t, first, again)
		other, err := s.Import(ctx, "i2")
		require.NoError(t, err)
		require.True(t, other.FinishedAt.IsZero())
		require.Equal(t, 1, other.Counts[store.RowWaiting])
	})
}

// What was personal is gone from every row that is over, however it ended.
func TestNoPayloadStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	rows := importRows(3)
	rows[0].State = store.RowInvalid
	create(t, s, "i1", rows...)
	require.Equal(t, 2, countRows(t, path, `SELECT count(*) FROM import_rows WHERE payload <> ''`))
	require.NoError(t, s.FinishRow(t.Context(), "i1", store.ImportRow{Number: 3, State: store.RowCreated, Payload: rows[1].Payload}))
	require.Equal(t, 1, countRows(t, path, `SELECT count(*) FROM import_rows WHERE payload <> ''`))
	require.NoError(t, s.FinishImport(t.Context(), "i1"))
	require.Zero(t, countRows(t, path, `SELECT count(*) FROM import_rows WHERE payload <> ''`))
}

func TestCreateImportAgain(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		create(t, s, "i1", importRow(2))
		require.NoError(t, s.FinishRow(ctx, "i1", store.ImportRow{Number: 2, State: store.RowCreated}))
		created, err := s.CreateImport(ctx, "i1", importRows(5))
		require.NoError(t, err)
		require.False(t, created)
		i, err := s.Import(ctx, "i1")
		require.NoError(t, err)
		require.Equal(t, map[store.RowState]int{store.RowCreated: 1}, i.Counts)
	})
}

func TestCreateImportKeepsAllOrNone(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for name, change := range map[string]func(*store.ImportRow){
			"the number of another": func(r *store.ImportRow) { r.Number = 2 },
			"no state":              func(r *store.ImportRow) { r.State = "" },
		} {
			rows := importRows(200)
			change(&rows[199])
			created, err := s.CreateImport(ctx, "i1", rows)
			require.Error(t, err, name)
			require.False(t, created, name)
			require.NotContains(t, err.Error(), "High St", name)
			_, err = s.Import(ctx, "i1")
			require.ErrorIs(t, err, store.ErrNotFound, name)
		}
		create(t, s, "i1", importRows(200)...)
		create(t, s, "empty")
	})
}

func TestCreateImportAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		var winners atomic.Int32
		errs := make([]error, 8)
		together(len(errs), func(i int) {
			created, err := stores[i%2].CreateImport(t.Context(), "i1", importRows(100+i))
			if errs[i] = err; created {
				winners.Add(1)
				winners.Add(int32(i) << 8)
			}
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.EqualValues(t, 1, winners.Load()&0xff)
		i, err := stores[0].Import(t.Context(), "i1")
		require.NoError(t, err)
		require.Equal(t, 100+int(winners.Load()>>8), i.Counts[store.RowWaiting], "the rows of the one that created it")
	})
}

func TestPruneImports(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for _, id := range []string{"old", "new", "running"} {
			create(t, s, id, importRows(1100)...)
		}
		require.NoError(t, s.FinishImport(ctx, "old"))
		edge := time.Now()
		require.Eventually(t, func() bool { return time.Since(edge) > time.Millisecond }, time.Second, time.Millisecond)
		require.NoError(t, s.FinishImport(ctx, "new"))
		require.NoError(t, s.PutProperties(ctx, store.PropertyRef{ID: "1"}))
		require.NoError(t, s.AssignCase(ctx, "sale1", "estate_agent", "agent1"))

		n, err := s.(store.Pruner).Prune(ctx, edge)
		require.NoError(t, err)
		require.EqualValues(t, 1101, n)
		_, err = s.Import(ctx, "old")
		require.ErrorIs(t, err, store.ErrNotFound)
		for _, kept := range []string{"new", "running"} {
			rows, err := s.Rows(ctx, kept, 0, 2000)
			require.NoError(t, err)
			require.Len(t, rows, 1100, kept)
		}
		_, err = s.Property(ctx, "1")
		require.NoError(t, err)
		load, err := s.CaseLoad(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]int{"agent1": 1}, load)
	})
}

// The largest file that is taken, in one transaction.
func BenchmarkCreateImport(b *testing.B) {
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	rows := importRows(10_000)
	for i := range rows {
		rows[i].Payload = bytes.Repeat([]byte("x"), 400)
	}
	n := 0
	for b.Loop() {
		n++
		created, err := s.CreateImport(b.Context(), fmt.Sprint("import ", n), rows)
		require.NoError(b, err)
		require.True(b, created)
	}
}
