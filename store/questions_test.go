package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func question(id, address string) store.Question {
	return store.Question{
		ID: id, Address: address, WorkflowID: "work-order/1", Step: "page-1", Person: "p1",
		Purpose: "acknowledge", Title: "Water leak, 12 Elm St",
		Options: []store.Option{
			{Key: "1", Choice: "acknowledge", Label: "I'm on it"},
			{Key: "2", Choice: "decline", Label: "I can't", WantsNote: true},
		},
		AskedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	}
}

func ids(list []store.Question) []string {
	var out []string
	for _, q := range list {
		out = append(out, q.ID)
	}
	return out
}

func TestAskKeepsEverything(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		want := question("q1", "a")
		want.Code, want.Answer, want.ClosedAt = "X1", "acknowledge", time.Now() // not for the asker to say
		got, err := s.Ask(ctx, want)
		require.NoError(t, err)
		require.Regexp(t, `^[A-HJ-NP-Z][2-9]$`, got.Code)
		want.Code, want.Answer, want.ClosedAt = got.Code, "", time.Time{}
		want.AskedAt = want.AskedAt.UTC().Truncate(time.Microsecond)
		want.ExpiresAt = want.ExpiresAt.UTC().Truncate(time.Microsecond)
		require.Equal(t, want, got)

		read, err := s.Question(ctx, "q1")
		require.NoError(t, err)
		require.Equal(t, got, read)

		_, err = s.Question(ctx, "q2")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

func TestAskAgainReturnsWhatWasAsked(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		first, err := s.Ask(ctx, question("q1", "a"))
		require.NoError(t, err)
		_, err = s.RecordAnswer(ctx, "q1", "decline")
		require.NoError(t, err)
		first.Answer = "decline"

		changed := question("q1", "another address")
		changed.Title = "Another title"
		again, err := s.Ask(ctx, changed)
		require.NoError(t, err)
		require.Equal(t, first, again)
	})
}

func TestAskMakesTitlesOneCleanLine(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		q := question("q1", "a")
		q.Title = "  Leak,\x00 12\r\n Elm\xff St " + strings.Repeat("é", 300)
		got, err := s.Ask(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, "Leak, 12 Elm St "+strings.Repeat("é", 184), got.Title)
	})
}

func TestAskRefusesAnOptionThatLooksLikeACode(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		q := question("q1", "a")
		q.Options[0].Key = "b7"
		_, err := s.Ask(t.Context(), q)
		require.ErrorContains(t, err, `"b7" could be mistaken for a code`)
		_, err = s.Question(t.Context(), "q1")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

// More questions to one address at once than there are codes of two characters,
// each asked twice, through two stores.
func TestCodesAreUniqueUnderConcurrency(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		const questions = 24*8 + 10
		stores := []store.Store{open(), open()}
		got := make([]store.Question, 2*questions)
		errs := make([]error, len(got))
		together(20, func(worker int) {
			for i := worker; i < len(got); i += 20 {
				got[i], errs[i] = stores[(i/questions+i)%2].Ask(t.Context(), question(fmt.Sprint(i%questions), "a"))
			}
		})
		codes, lengths := map[string]string{}, map[int]int{}
		for i, q := range got {
			require.NoError(t, errs[i])
			if earlier, ok := codes[q.Code]; ok {
				require.Equal(t, earlier, q.ID, "code %s", q.Code)
				continue
			}
			codes[q.Code] = q.ID
			lengths[len(q.Code)]++
		}
		require.Equal(t, map[int]int{2: 24 * 8, 3: 10}, lengths)
	})
}

func TestCodesReturnAfterAWeek(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		ask := func(n, from int, age time.Duration, workflow string) (codes map[string]bool) {
			codes = map[string]bool{}
			for i := range n {
				q := question(fmt.Sprint(from+i), "a")
				q.AskedAt, q.WorkflowID = time.Now().Add(-age), workflow
				q, err := s.Ask(ctx, q)
				require.NoError(t, err)
				codes[q.Code] = true
			}
			return codes
		}
		ask(24*8-1, 0, 8*24*time.Hour, "old")
		stillOpen := ask(1, 1000, 8*24*time.Hour, "old and open")
		require.NoError(t, s.CloseQuestions(ctx, "old", ""))
		for code := range ask(24*8-1, 2000, time.Hour, "new") {
			require.Len(t, code, 2)
			require.NotContains(t, stillOpen, code, "an open question keeps its code")
		}
	})
}

func TestQuestionLists(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		business := time.Date(2030, 1, 10, 12, 0, 0, 0, time.UTC)
		for id, change := range map[string]func(*store.Question){
			"old":      func(q *store.Question) { q.AskedAt = q.AskedAt.Add(-8 * 24 * time.Hour) },
			"second":   func(q *store.Question) { q.AskedAt = q.AskedAt.Add(-time.Minute) },
			"first":    func(q *store.Question) { q.AskedAt = q.AskedAt.Add(-time.Hour) },
			"expired":  func(q *store.Question) { q.ExpiresAt = business },
			"for ever": func(q *store.Question) { q.AskedAt, q.ExpiresAt = q.AskedAt.Add(-2*time.Hour), time.Time{} },
			"closed":   func(q *store.Question) { q.Step = "other"; q.AskedAt = q.AskedAt.Add(-time.Second) },
			"foreign":  func(q *store.Question) { q.Address = "b" },
		} {
			q := question(id, "a")
			q.ExpiresAt = business.Add(time.Second)
			change(&q)
			_, err := s.Ask(ctx, q)
			require.NoError(t, err)
		}
		require.NoError(t, s.CloseQuestions(ctx, "work-order/1", "other"))

		list, err := s.OpenQuestions(ctx, "a", business)
		require.NoError(t, err)
		require.Equal(t, []string{"old", "for ever", "first", "second"}, ids(list))
		last, err := s.LastQuestions(ctx, "a")
		require.NoError(t, err)
		require.Equal(t, []string{"expired", "closed", "second", "first", "for ever"}, ids(last))
		require.False(t, last[1].ClosedAt.IsZero())

		none, err := s.OpenQuestions(ctx, "c", business)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func TestQuestionListsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for i := range 25 {
			q := question(fmt.Sprint(i), "a")
			q.AskedAt = q.AskedAt.Add(time.Duration(i-30) * time.Second)
			_, err := s.Ask(ctx, q)
			require.NoError(t, err)
		}
		list, err := s.OpenQuestions(ctx, "a", time.Now())
		require.NoError(t, err)
		require.Len(t, list, 20)
		require.Equal(t, "0", list[0].ID)
		last, err := s.LastQuestions(ctx, "a")
		require.NoError(t, err)
		require.Len(t, last, 20)
		require.Equal(t, "24", last[0].ID)
	})
}

func TestFirstAnswerIsKept(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		ctx := t.Context()
		_, err := stores[0].RecordAnswer(ctx, "nobody asked", "yes")
		require.ErrorIs(t, err, store.ErrNotFound)

		_, err = stores[0].Ask(ctx, question("q1", "a"))
		require.NoError(t, err)
		require.NoError(t, stores[0].CloseQuestions(ctx, "work-order/1", ""), "a late answer is kept too")
		kept, errs := make([]string, 30), make([]error, 30)
		together(len(kept), func(i int) {
			kept[i], errs[i] = stores[i%2].RecordAnswer(ctx, "q1", fmt.Sprint("choice ", i))
		})
		q, err := stores[1].Question(ctx, "q1")
		require.NoError(t, err)
		require.NotEmpty(t, q.Answer)
		for i := range kept {
			require.NoError(t, errs[i])
			require.Equal(t, q.Answer, kept[i])
		}
	})
}

func TestCloseQuestions(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		for _, step := range []string{"page_%/1", "page_%/2", "page_%/é", "Page_%/1", "pageX%/1", "page_"} {
			q := question(step, "a")
			q.Step = step
			_, err := s.Ask(ctx, q)
			require.NoError(t, err)
		}
		other := question("other workflow", "a")
		other.WorkflowID, other.Step = "work-order/11", "page_%/1"
		_, err := s.Ask(ctx, other)
		require.NoError(t, err)

		require.NoError(t, s.CloseQuestions(ctx, "work-order/1", "page_%/", "page_%/2", "no such step"))
		list, err := s.OpenQuestions(ctx, "a", time.Now())
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"page_%/2", "Page_%/1", "pageX%/1", "page_", "other workflow"}, ids(list))

		closed, err := s.Question(ctx, "page_%/é")
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), closed.ClosedAt, time.Minute)
		require.NoError(t, s.CloseQuestions(ctx, "work-order/1", "page_%/é"))
		again, err := s.Question(ctx, "page_%/é")
		require.NoError(t, err)
		require.Equal(t, closed, again, "closed once")
	})
}
