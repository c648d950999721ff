package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// A worker is killed three times: with a page whose fate it does not know, between
// two pages, and with a page on the wire. The ladder goes on to the second person,
// never with two texts a try, until somebody answers.
func TestLadderSurvivesKilledWorkers(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--without", "worker", "--day", "10m", "--policy", steady(t)}})
	first := worker(t, s)

	// The first text is taken, but nobody hears so.
	require.NoError(t, s.Fault(t.Context(), "twilio", map[string]any{"reset_after_commit": true, "method": "POST", "times": 1}))
	id := emergency(t, s, nil)
	page(t, s, alma, 1)
	require.NoError(t, first.Kill())

	second := worker(t, s)
	page(t, s, alma, 2)
	require.NoError(t, second.Kill())

	// The third text hangs on its way while its worker is killed: it never leaves.
	require.NoError(t, s.Fault(t.Context(), "twilio", map[string]any{"latency": "2s", "method": "POST"}))
	third := worker(t, s)
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool { return len(d.Pages) == 3 }, 2*soon)
	require.NoError(t, err)
	require.Equal(t, "ben", d.Pages[2].Person)
	require.NoError(t, third.Kill())
	require.NoError(t, s.Mend(t.Context(), "twilio"))

	worker(t, s)
	require.Eventually(t, func() bool { return lookedUp(t, s) }, 2*soon, 100*time.Millisecond, "the first text was looked for")
	page(t, s, ben, 1)
	require.Contains(t, reply(t, s, ben, newest(t, s, ben)), "you are on it")
	d, err = s.Until(t.Context(), id, func(d maintenance.Description) bool {
		return d.Stage == maintenance.StageDispatching && d.UnderWay == 0
	}, 2*soon)
	require.NoError(t, err)
	require.Equal(t, "ben", d.Acknowledged.By)

	// Every try is one text, but for the one that hung when its answer was there.
	sent := pages(t, s, "")
	require.GreaterOrEqual(t, len(sent), len(d.Pages)-1)
	require.LessOrEqual(t, len(sent), len(d.Pages))
	codes := map[string]bool{}
	for _, p := range sent {
		codes[p.To+" "+codePattern.FindStringSubmatch(p.Body)[1]] = true
	}
	require.Len(t, codes, len(sent), "each try has a code of its own")
	time.Sleep(3 * time.Second)
	require.Len(t, pages(t, s, ""), len(sent), "the ladder has stopped")
	noDuplicates(t, s)
}

// lookedUp tells whether the carrier was asked for earlier texts.
func lookedUp(t *testing.T, s *e2e.Stack) bool {
	t.Helper()
	calls, err := s.Calls(t.Context(), "twilio")
	require.NoError(t, err)
	return slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "GET ") })
}

// newest answers the newest page to a person, which has to be named where there
// are several.
func newest(t *testing.T, s *e2e.Stack, to string) string {
	t.Helper()
	asked := pages(t, s, to)
	return "1 " + codePattern.FindStringSubmatch(asked[len(asked)-1].Body)[1]
}

// Without a worker events and answers are taken as facts, and have one effect once
// a worker is there.
func TestFactsWaitForAWorker(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--without", "worker", "--policy", steady(t)}})
	id := emergency(t, s, nil) // 202 without a worker
	require.Empty(t, pages(t, s, ""))

	first := worker(t, s)
	asked := link(t, page(t, s, alma, 1))
	until(t, s, id, maintenance.StagePaging)
	require.NoError(t, first.Kill())

	said, err := s.AnswerLink(t.Context(), asked, "acknowledge")
	require.NoError(t, err)
	require.Contains(t, said.Body, "eceived, we will confirm")
	said, err = s.AnswerLink(t.Context(), asked, "acknowledge")
	require.NoError(t, err)
	require.Contains(t, said.Body, "recorded")

	worker(t, s)
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool { return d.Acknowledged != nil && d.UnderWay == 0 }, 2*soon)
	require.NoError(t, err)
	require.Equal(t, "link", d.Acknowledged.Via)
	require.Zero(t, d.LateAnswers)
	taken := slices.DeleteFunc(d.Timeline, func(e maintenance.Entry) bool { return !strings.HasPrefix(e.What, "acknowledged") })
	require.Len(t, taken, 1)
	require.Len(t, pages(t, s, ""), 1)
	noDuplicates(t, s)
}
