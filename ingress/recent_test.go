package ingress

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRecent(t *testing.T) {
	t.Parallel()
	now := receivedAt
	r, err := newRecent(2, func() time.Time { return now })
	require.NoError(t, err)
	calls := 0
	ask := func(key, body string, fail error) (Result, bool, error) {
		return r.once(key, []byte(body), func() (Result, error) {
			calls++
			return Result{Outcome: Parked, WorkflowID: "w/" + key, RunID: fmt.Sprint(calls), Reason: "x"}, fail
		})
	}
	_, _, err = ask("a", "body", errors.New("away"))
	require.ErrorContains(t, err, "away")

	got, other, err := ask("a", "body", nil)
	require.NoError(t, err)
	require.False(t, other)
	require.Equal(t, Result{Outcome: Parked, WorkflowID: "w/a", RunID: "2", Reason: "x"}, got, "a failure is not remembered")

	got, other, _ = ask("a", "body", nil)
	require.Equal(t, Result{Outcome: Duplicate, WorkflowID: "w/a", RunID: "2"}, got)
	require.False(t, other)
	_, other, _ = ask("a", "another body", nil)
	require.True(t, other)
	require.Equal(t, 2, calls)

	now = now.Add(72*time.Hour + time.Second)
	_, _, _ = ask("a", "body", nil)
	require.Equal(t, 3, calls, "forgotten after 72 hours")

	_, _, _ = ask("b", "", nil)
	_, _, _ = ask("c", "", nil)
	_, _, _ = ask("a", "body", nil)
	require.Equal(t, 6, calls, "bounded: the oldest made room")
}
