package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestWaitingQuestions(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		now := time.Now().UTC().Truncate(time.Second)
		ask := func(id, address string, asked time.Duration, expires time.Time) {
			t.Helper()
			_, err := s.Ask(ctx, store.Question{ID: id, Address: address, WorkflowID: "w/" + id, Step: "s", Title: id, AskedAt: now.Add(asked), ExpiresAt: expires})
			require.NoError(t, err)
		}
		ids := func(list []store.Question, err error) []string {
			t.Helper()
			require.NoError(t, err)
			ids := []string{}
			for _, q := range list {
				ids = append(ids, q.ID)
			}
			return ids
		}
		asked, err := s.WasAsked(ctx, "me")
		require.NoError(t, err)
		require.False(t, asked)

		ask("older", "me", -3*time.Hour, now.Add(time.Hour))
		ask("newer", "me", -time.Hour, time.Time{})
		ask("expired", "me", -time.Hour, now)
		ask("answered", "me", -2*time.Hour, now.Add(time.Hour))
		ask("answered long ago", "me", -200*time.Hour, time.Time{})
		ask("closed lately", "me", -300*time.Hour, time.Time{})
		ask("closed", "me", -time.Hour, time.Time{})
		ask("theirs", "them", -time.Hour, now.Add(time.Hour))
		for _, id := range []string{"answered", "answered long ago", "closed lately"} {
			_, err := s.RecordAnswer(ctx, id, "yes")
			require.NoError(t, err)
		}
		require.NoError(t, s.CloseQuestions(ctx, "w/closed lately", ""))
		require.NoError(t, s.CloseQuestions(ctx, "w/closed", ""))

		require.Equal(t, []string{"newer", "older"}, ids(s.WaitingQuestions(ctx, "me", now)))
		require.Equal(t, []string{"newer"}, ids(s.WaitingQuestions(ctx, "me", now.Add(time.Hour))))
		require.Equal(t, []string{"answered", "closed lately"}, ids(s.AnsweredQuestions(ctx, "me", now.Add(-168*time.Hour))))
		for address, want := range map[string]bool{"me": true, "them": true, "nobody": false} {
			asked, err := s.WasAsked(ctx, address)
			require.NoError(t, err)
			require.Equal(t, want, asked, address)
		}

		for i := range 120 {
			ask(fmt.Sprint("many-", i), "busy", -time.Duration(i)*time.Minute, time.Time{})
		}
		many := ids(s.WaitingQuestions(ctx, "busy", now))
		require.Len(t, many, 100)
		require.Equal(t, "many-0", many[0], "the newest are shown")
		for i := range 30 {
			_, err := s.RecordAnswer(ctx, fmt.Sprint("many-", i), "yes")
			require.NoError(t, err)
		}
		require.Len(t, ids(s.AnsweredQuestions(ctx, "busy", now.Add(-time.Hour))), 20)
	})
}
