package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
)

// perSecond prints how many webhooks are acknowledged a second, and how many by a dev
// server in memory with a SQLite store, each while the other has nothing to do; then what
// the databases have grown to.
func perSecond(t *testing.T, o *operated) {
	rate(t, o.s, "PostgreSQL")
	for _, name := range []string{"temporal", "temporal_visibility", "keyholder"} {
		size, err := o.Database.Size(t.Context(), name)
		require.NoError(t, err)
		t.Logf("database %s: %d MB", name, size>>20)
	}
	t.Logf("%d workflows", countRuns(t, o.s, ""))
	rate(t, start(t, e2e.Options{Args: []string{"--ephemeral", "--policy", capless(t)}, Env: []string{"KEYHOLDER_WEBHOOKS_PER_SECOND=5000"}}), "dev server")
}

func rate(t *testing.T, s *e2e.Stack, name string) {
	t.Helper()
	const first, events = 90000, 200
	for n := range events {
		require.NoError(t, s.Post(t.Context(), "/_records/rentvine/work-orders", ordinary(fmt.Sprint(first + n))["data"], nil))
	}
	settled(t, s)
	began := time.Now()
	deliverAll(t, s, first, events)
	t.Logf("%s: %.0f webhooks a second at 8 connections, with what they cause", name, events/time.Since(began).Seconds())
	settled(t, s)
	t.Logf("%s: %.0f work orders a second from webhook to the last message", name, events/(time.Since(began)-calm).Seconds())
}

// calm is how long nobody is written to where nothing is left to do.
const calm = 3 * time.Second

// settled waits until nobody is written to any more.
func settled(t *testing.T, s *e2e.Stack) {
	t.Helper()
	sent, since := -1, time.Now()
	require.Eventually(t, func() bool {
		if now := countTexts(t, s); now != sent {
			sent, since = now, time.Now()
		}
		return time.Since(since) >= calm
	}, 2*patience, 100*time.Millisecond, "messages come to an end")
}

// deliverAll posts a webhook for each of n work orders over 8 connections.
func deliverAll(t *testing.T, s *e2e.Stack, first, n int) {
	t.Helper()
	var group sync.WaitGroup
	for part := range 8 {
		group.Go(func() {
			for at := part; at < n; at += 8 {
				reply, err := s.Deliver(t.Context(), s.Ingress, ordinary(fmt.Sprint(first+at)))
				if err != nil || !slices.Contains([]int{http.StatusAccepted, http.StatusOK}, reply.Status) {
					t.Errorf("%v %d %s", err, reply.Status, reply.Body)
					return
				}
			}
		})
	}
	group.Wait()
}

func countTexts(t *testing.T, s *e2e.Stack) int {
	t.Helper()
	texts, err := s.Texts(t.Context(), "")
	require.NoError(t, err)
	return len(texts)
}
