package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestPhotos(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		at := time.Now().UTC().Truncate(time.Microsecond)
		put := func(id, workflow, digest string, age time.Duration) store.Photo {
			p := store.Photo{ID: id, QuestionID: "q", WorkflowID: workflow, Field: "after", Digest: digest, Bytes: 12, At: at.Add(-age)}
			require.NoError(t, s.PutPhoto(ctx, p))
			return p
		}
		second, first := put("b", "work-order/1", "d1", 0), put("a", "work-order/1", "d2", time.Hour)
		again := second
		again.Digest, again.WorkflowID = "another", "work-order/9"
		require.NoError(t, s.PutPhoto(ctx, again), "the same ID again is harmless")
		list, err := s.PhotosOf(ctx, "work-order/1")
		require.NoError(t, err)
		require.Equal(t, []store.Photo{first, second}, list)
		none, err := s.PhotosOf(ctx, "work-order/9")
		require.NoError(t, err)
		require.Empty(t, none)

		put("c", "work-order/3", "d1", 2*time.Hour)
		put("d", "work-order/2", "d1", 3*time.Hour)
		put("e", "work-order/2", "d1", time.Minute)
		uses, err := s.PhotoUses(ctx, "d1", "work-order/1")
		require.NoError(t, err)
		require.Equal(t, []string{"work-order/2", "work-order/3"}, uses, "each once, first use first")
		uses, err = s.PhotoUses(ctx, "d2", "work-order/1")
		require.NoError(t, err)
		require.Empty(t, uses, "its own uses do not count")
	})
}

func TestPhotosBounds(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for i := range 30 {
			require.NoError(t, s.PutPhoto(ctx, store.Photo{ID: fmt.Sprint(i), WorkflowID: fmt.Sprint("w", i), Digest: "d"}))
		}
		uses, err := s.PhotoUses(ctx, "d", "")
		require.NoError(t, err)
		require.Len(t, uses, 20)
	})
}

func TestPhotosAreForgottenAfter13Months(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		now := time.Now()
		for id, age := range map[string]int{"old": -14, "older": -20, "young": -12} {
			require.NoError(t, s.PutPhoto(ctx, store.Photo{ID: id, WorkflowID: "w", Digest: id, At: now.AddDate(0, age, 0)}))
		}
		_, err := s.(store.Pruner).Prune(ctx, now.Add(-time.Hour))
		require.NoError(t, err)
		old, err := s.OldPhotos(ctx, now)
		require.NoError(t, err)
		require.Equal(t, []string{"older", "old"}, old, "pruning leaves them: their pictures must go first")
		require.NoError(t, s.ForgetPhotos(ctx, append(old, "unknown")))
		list, err := s.PhotosOf(ctx, "w")
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, "young", list[0].ID)
		old, err = s.OldPhotos(ctx, now)
		require.NoError(t, err)
		require.Empty(t, old)
	})
}

func TestAskKeepsTheForm(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		q := question("q1", "a")
		q.Details = []store.Detail{{Label: "Price", Text: "$120.00"}}
		q.Fields = []store.Field{{Name: "after", Label: "After", Kind: store.FieldPhotos, For: []string{"acknowledge"}, Most: 3}}
		q.Photos = []string{"p1", "p2"}
		asked, err := s.Ask(ctx, q)
		require.NoError(t, err)
		read, err := s.Question(ctx, "q1")
		require.NoError(t, err)
		require.Equal(t, asked, read)
		require.Equal(t, []any{q.Details, q.Fields, q.Photos}, []any{read.Details, read.Fields, read.Photos})

		for _, fields := range [][]store.Field{{{Name: "choice"}}, {{Name: "a"}, {Name: "a"}}, {{Name: ""}}, {{Name: "A b"}}, {{Name: `a"`}}} {
			q.ID, q.Fields = "q2", fields
			_, err := s.Ask(ctx, q)
			require.ErrorContains(t, err, "field name")
		}
	})
}
