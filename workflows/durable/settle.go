package durable

import "go.temporal.io/sdk/workflow"

// Settle makes a run fit to end, by completing or by continue-as-new: it waits
// until no command is being handled and drain has found nothing left to take.
// drain takes all waiting facts and tells whether there were any. Without it
// Temporal completes the workflow and confirmed facts vanish without an error.
//
// The caller looks at its state again afterwards: what was drained may have
// changed its mind about ending.
func Settle(ctx workflow.Context, drain func(workflow.Context) bool) error {
	for {
		if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
			return err
		}
		if !drain(ctx) {
			return nil
		}
	}
}

// DrainUnknown takes the signals of names that the workflow does not know and
// returns how many there were.
func DrainUnknown(ctx workflow.Context, known ...string) (count int) {
	names := map[string]bool{}
	for _, k := range known {
		names[k] = true
	}
	for _, name := range workflow.GetUnhandledSignalNames(ctx) {
		if names[name] {
			continue
		}
		ch := workflow.GetSignalChannel(ctx, name)
		for ch.ReceiveAsync(nil) {
			count++
		}
	}
	return count
}
