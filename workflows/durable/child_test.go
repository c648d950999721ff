package durable_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/workflows/durable"
)

// An abandoned child goes on when its parent has ended; whoever starts it again is told
// that it runs, and any other failure is an error.
func TestAnAbandonedChildIsStartedOnce(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	var slept []string
	var parentEnded, childEnded time.Time
	env.RegisterWorkflowWithOptions(func(ctx workflow.Context, who string) error {
		err := workflow.Sleep(ctx, time.Hour)
		slept, childEnded = append(slept, who), workflow.Now(ctx)
		return err
	}, workflow.RegisterOptions{Name: "sleeper"})
	env.RegisterWorkflowWithOptions(func(ctx workflow.Context) (all []bool, err error) {
		for _, who := range []string{"first", "second"} {
			started, err := durable.StartAbandoned(ctx, "sleeper", who, workflow.ChildWorkflowOptions{WorkflowID: "sleeper/1"})
			if err != nil {
				return nil, err
			}
			all = append(all, started)
		}
		cancelled, cancel := workflow.WithCancel(ctx)
		cancel()
		if started, err := durable.StartAbandoned(cancelled, "sleeper", "third", workflow.ChildWorkflowOptions{WorkflowID: "sleeper/2"}); err != nil {
			all = append(all, started)
		}
		parentEnded = workflow.Now(ctx)
		return all, nil
	}, workflow.RegisterOptions{Name: "parent"})
	env.ExecuteWorkflow("parent")
	require.NoError(t, env.GetWorkflowError())
	var started []bool
	require.NoError(t, env.GetWorkflowResult(&started))
	require.Equal(t, []bool{true, false, false}, started)
	require.Equal(t, []string{"first"}, slept)
	require.GreaterOrEqual(t, childEnded.Sub(parentEnded), 59*time.Minute)
}
