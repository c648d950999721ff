package durable

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// Again looks, and looks again while look says so, at most tries times more. The pauses in
// between are technical, so they are real time; each is twice the one before. summary says
// in the Web UI why it waits.
func Again(ctx workflow.Context, tries int, pause time.Duration, summary string, look func() (again bool, err error)) error {
	for done := 0; ; done++ {
		again, err := look()
		if err != nil || !again || done >= tries {
			return err
		}
		if err := workflow.NewTimerWithOptions(ctx, pause<<done, workflow.TimerOptions{Summary: summary}).Get(ctx, nil); err != nil {
			return err
		}
	}
}
