package durable_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/workflows/durable"
)

// A key is lent to a contractor and must come back within a day.

// remindHolder texts whoever holds a key. Its code is bound by the worker.
var remindHolder = durable.Activity[string, bool]{Name: "keys.remind_holder", Attempt: 10 * time.Second}

// keyReturned is the fact that ends the loan.
var keyReturned = durable.Signal[string]{Name: "key_returned"}

// keyLoan is the workflow under its durable name.
var keyLoan = durable.Definition[loan, int]{Name: "keys.loan", Run: lendKey, Versioning: workflow.VersioningBehaviorAutoUpgrade}

type loan struct {
	KeyID string        `json:"key_id"`
	Clock durable.Clock `json:"clock,omitzero"`
}

// lendKey waits for the key and reminds its holder each day; it returns how many
// reminders it took.
func lendKey(ctx workflow.Context, in loan) (int, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	var alarm durable.Alarm
	for reminders := 0; ; reminders++ {
		alarm.Set(ctx, durable.Now(ctx).Add(24*time.Hour), "the key is due back")
		if err := workflow.Await(ctx, func() bool { return alarm.Rang() || keyReturned.Pending(ctx) }); err != nil {
			return reminders, err
		}
		if returned, _ := keyReturned.Drain(ctx); len(returned) > 0 {
			return reminders, nil
		}
		if _, err := remindHolder.Run(ctx, in.KeyID, "remind the holder of key "+in.KeyID); err != nil {
			return reminders, err
		}
	}
}

func Example() {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	keyLoan.Register(env)
	remindHolder.Bind(env, func(_ context.Context, key string) (bool, error) {
		fmt.Println("reminded about key", key)
		return true, nil
	})
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(keyReturned.Name, "front desk") }, 60*time.Hour)
	env.ExecuteWorkflow(keyLoan.Name, loan{KeyID: "12"})
	var reminders int
	fmt.Println(env.GetWorkflowResult(&reminders), reminders)
	// Output:
	// reminded about key 12
	// reminded about key 12
	// <nil> 2
}
