package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// sentFor is a message of the workflow lease/1.
func sentFor(key, campaign, question string, at time.Time) store.Message {
	m := message(key)
	m.WorkflowID, m.Step, m.Campaign, m.Person, m.Contact, m.Question, m.SentAt = "lease/1", key, campaign, "tenant-7", "7", question, at
	return m
}

func TestEngagement(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		at := time.Now().UTC().Truncate(time.Microsecond).Add(-time.Hour)
		for _, id := range []string{"q1", "q2"} {
			q := question(id, "a")
			q.Step = id
			_, err := s.Ask(ctx, q)
			require.NoError(t, err)
		}
		byMail := sentFor("offer-mail", "renewal", "q1", at.Add(time.Minute))
		byMail.Channel = "mail"
		recorded := sentFor("chase", "renewal", "q2", at.Add(2*time.Minute))
		recorded.Status = "recorded"
		elsewhere := sentFor("elsewhere", "retention", "", at)
		elsewhere.WorkflowID = "lease/2"
		plain := sentFor("plain", "", "", at.Add(3*time.Minute))
		late := sentFor("late", "renewal", "gone", at.Add(4*time.Minute))
		for _, m := range []store.Message{late, recorded, sentFor("offer", "renewal", "q1", at), byMail, elsewhere, plain} {
			require.NoError(t, s.RecordMessage(ctx, m))
		}
		before := time.Now()
		_, _, err := s.AdvanceMessage(ctx, "SM-offer", store.StatusDelivered, "")
		require.NoError(t, err)
		_, _, err = s.AdvanceMessage(ctx, "SM-late", store.StatusFailed, "30003")
		require.NoError(t, err)
		opened := at.Add(10 * time.Minute)
		require.NoError(t, s.Opened(ctx, "q1", opened))
		require.NoError(t, s.Opened(ctx, "q1", opened.Add(time.Minute)), "the first time is kept")
		require.NoError(t, s.Opened(ctx, "nothing", opened))
		for _, choice := range []string{"acknowledge", "decline"} {
			_, err = s.RecordAnswer(ctx, "q1", choice)
			require.NoError(t, err)
		}
		q, err := s.Question(ctx, "q1")
		require.NoError(t, err)
		require.Equal(t, opened, q.OpenedAt)

		list, err := s.Engagement(ctx, "lease/1")
		require.NoError(t, err)
		require.Len(t, list, 5)
		delivered, answered := list[0].DeliveredAt, list[0].AnsweredAt
		require.WithinRange(t, delivered, before.Add(-time.Millisecond), time.Now())
		require.WithinRange(t, answered, before.Add(-time.Millisecond), time.Now())
		touch := func(step, campaign string, after time.Duration) store.Touch {
			return store.Touch{Step: step, Person: "tenant-7", Campaign: campaign, Channel: "sms", Status: store.StatusQueued, SentAt: at.Add(after)}
		}
		want := []store.Touch{
			touch("offer", "renewal", 0), touch("offer-mail", "renewal", time.Minute), touch("chase", "renewal", 2*time.Minute),
			touch("plain", "", 3*time.Minute), touch("late", "renewal", 4*time.Minute),
		}
		want[0].Status, want[0].DeliveredAt = store.StatusDelivered, delivered
		want[1].Channel = "mail"
		for i := range 2 {
			want[i].OpenedAt, want[i].AnsweredAt, want[i].Answer = opened, answered, "acknowledge"
		}
		want[2].Status, want[4].Status = "recorded", store.StatusFailed
		require.Equal(t, want, list)
		m, err := s.MessageByRef(ctx, "SM-offer")
		require.NoError(t, err)
		require.Equal(t, delivered, m.DeliveredAt)

		totals, err := s.CampaignTotals(ctx, at)
		require.NoError(t, err)
		require.Equal(t, []store.Total{
			{Campaign: "renewal", Sent: 3, Recorded: 1, Delivered: 1, Failed: 1, Asked: 2, Opened: 1, Answered: 1},
			{Campaign: "retention", Sent: 1},
		}, totals)
		totals, err = s.CampaignTotals(ctx, at.Add(time.Second))
		require.NoError(t, err)
		require.Equal(t, []store.Total{{Campaign: "renewal", Sent: 2, Recorded: 1, Failed: 1, Asked: 2, Opened: 1, Answered: 1}}, totals)
	})
}

func TestEngagementIsBounded(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		at := time.Now()
		for i := range 201 {
			require.NoError(t, s.RecordMessage(ctx, sentFor(fmt.Sprint(i), "renewal", "", at.Add(time.Duration(i)*time.Second))))
		}
		list, err := s.Engagement(ctx, "lease/1")
		require.NoError(t, err)
		require.Len(t, list, 200)
		require.Equal(t, "1", list[0].Step, "the oldest is left out")
		require.Equal(t, "200", list[199].Step)
		list, err = s.Engagement(ctx, "lease/9")
		require.NoError(t, err)
		require.Empty(t, list)
	})
}
