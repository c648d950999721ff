package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// campaigned is a store with the messages of two campaigns.
func campaigned(t *testing.T) (url string) {
	t.Helper()
	url = "sqlite:" + filepath.Join(t.TempDir(), "keyholder.db")
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	now := time.Now()
	for _, id := range []string{"q1", "q2", "q3"} {
		_, err := s.Ask(t.Context(), store.Question{
			ID: id, Address: "a", WorkflowID: "lease/1", Step: id, Options: []store.Option{{Key: "1", Choice: "yes", Label: "Yes"}},
		})
		require.NoError(t, err)
	}
	require.NoError(t, s.Opened(t.Context(), "q1", now))
	_, err = s.RecordAnswer(t.Context(), "q1", "yes")
	require.NoError(t, err)
	for i, m := range []store.Message{
		{Campaign: "renewal", Question: "q1", SentAt: now, Status: store.StatusDelivered},
		{Campaign: "renewal", Question: "q2", SentAt: now.Add(-29 * 24 * time.Hour), Status: store.StatusQueued},
		{Campaign: "renewal", Question: "q3", SentAt: now.Add(-31 * 24 * time.Hour), Status: store.StatusFailed},
		{Campaign: "move_in", SentAt: now, Status: "recorded"},
		{SentAt: now},
	} {
		m.Key, m.Channel, m.WorkflowID = string(rune('a'+i)), "sms", "lease/1"
		require.NoError(t, s.RecordMessage(t.Context(), m))
	}
	require.NoError(t, s.Close())
	return url
}

func TestEngagementCommand(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_STORE_URL": campaigned(t)}}
	s := c.run("engagement")
	require.NoError(t, s.failed)
	var got [][]string
	for line := range strings.Lines(s.out.String()) {
		got = append(got, regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1))
	}
	require.Equal(t, [][]string{
		{"campaign", "sent", "recorded", "delivered", "failed", "asked", "opened", "answered"},
		{"move_in", "0", "1", "0", "0", "0", "0", "0"},
		{"renewal", "2", "0", "1 (50%)", "0 (0%)", "2", "1 (50%)", "1 (50%)"},
	}, got)

	s = c.run("engagement", "--days", "32", "--campaign", "renewal", "--format", "csv")
	require.NoError(t, s.failed)
	rows, err := csv.NewReader(strings.NewReader(s.out.String())).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, []string{"renewal", "3", "0", "1", "1", "3", "1", "1"}, rows[1])

	s = c.run("engagement", "--campaign", "move_in", "--format", "json")
	require.NoError(t, s.failed)
	var list []store.Total
	require.NoError(t, json.Unmarshal([]byte(s.out.String()), &list))
	require.Equal(t, []store.Total{{Campaign: "move_in", Recorded: 1}}, list)

	require.Equal(t, "[]\n", c.run("engagement", "--campaign", "none", "--format", "json").out.String())
	require.Contains(t, c.run("engagement", "--campaign", "none").out.String(), "No campaign has sent a message")
}

func TestEngagementCommandRefusesNonsense(t *testing.T) {
	t.Parallel()
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{"KEYHOLDER_STORE_URL": "sqlite:" + filepath.Join(t.TempDir(), "keyholder.db")}}
	for _, args := range [][]string{{"--format", "xml"}, {"--days", "0"}, {"--days", "3661"}, {"--days", "x"}, {"renewal"}} {
		require.ErrorAs(t, c.run(append([]string{"engagement"}, args...)...).failed, new(usageError), "%v", args)
	}
	delete(c.settings, "KEYHOLDER_STORE_URL")
	require.ErrorContains(t, c.run("engagement").failed, "KEYHOLDER_STORE_URL")
}
