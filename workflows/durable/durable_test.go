package durable_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/workflows/durable"
)

func TestSeenTakesEachKeyOnce(t *testing.T) {
	t.Parallel()
	var s durable.Seen
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	require.True(t, s.Add("a", now))
	require.False(t, s.Add("a", now.Add(71*time.Hour)))
	require.True(t, s.Add("b", now.Add(73*time.Hour)))
	require.False(t, s.Has("a"), "older than 72 hours")
	for i := range 1500 {
		s.Add(fmt.Sprint(i), now.Add(73*time.Hour))
	}
	require.Len(t, s.Events, 1000)
	require.True(t, s.Has("1499"))
}

func TestTheClockScalesBusinessTimeOnly(t *testing.T) {
	t.Parallel()
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := durable.DayClock(epoch, time.Second)
	require.Equal(t, epoch.Add(24*time.Hour), c.At(epoch.Add(time.Second)))
	require.Equal(t, time.Second, c.Real(24*time.Hour))
	require.False(t, c.IsReal())

	var production durable.Clock
	require.True(t, production.IsReal())
	require.Equal(t, epoch, production.At(epoch))
	require.Equal(t, time.Hour, production.Real(time.Hour))
}

func TestSearchAttributesFitSQLVisibility(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	for _, kind := range durable.SearchAttributes() {
		kinds[kind.String()]++
	}
	require.LessOrEqual(t, kinds["Keyword"], 10)
	require.LessOrEqual(t, kinds["Datetime"], 3)
	require.Len(t, kinds, 2, "no other types")
}

func ExampleDayClock() {
	epoch := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := durable.DayClock(epoch, time.Second)
	fmt.Println(clock.At(epoch.Add(90 * time.Second)).Format(time.DateOnly))
	fmt.Println(clock.Real(15 * time.Minute).Round(100 * time.Microsecond))
	// Output:
	// 2026-05-30
	// 10.4ms
}

// A handler of an Update once read real time, because the SDK gives it a context
// that does not come from the workflow's.
func TestUpdateHandlersRunOnTheWorkflowsClock(t *testing.T) {
	t.Parallel()
	ask := durable.Update[string, time.Time]{Name: "what_time"}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 10 * time.Second})
	epoch := env.Now()
	env.RegisterWorkflow(clockTower)
	var told time.Time
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(ask.Name, "1", &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { t.Error(err) },
			OnComplete: func(v any, err error) {
				if err != nil {
					t.Error(err)
					return
				}
				told, _ = v.(time.Time)
			},
		}, "now?")
	}, time.Second)
	env.ExecuteWorkflow(clockTower, durable.DayClock(epoch, time.Second))
	require.NoError(t, env.GetWorkflowError())
	require.WithinDuration(t, epoch.Add(24*time.Hour), told, time.Hour)
}

func clockTower(ctx workflow.Context, c durable.Clock) error {
	ctx = durable.WithClock(ctx, c)
	asked := false
	ask := durable.Update[string, time.Time]{Name: "what_time"}
	if err := ask.Handle(ctx, nil, func(ctx workflow.Context, _ string) (time.Time, error) {
		asked = true
		return durable.Now(ctx), nil
	}); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return asked })
}
