package durable

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Activity is a typed handle on something that a workflow may ask for. The code
// behind it is bound by the worker, so that workflows import none of it.
type Activity[I, O any] struct {
	// Name is "<partner>.<verb_noun>"; it is data in every running workflow.
	Name string
	// Queue is the task queue of a limited partner; "" is the workflow's own,
	// which the server may execute eagerly.
	Queue string
	// Attempt limits one try (real time).
	Attempt time.Duration
	// Within limits all tries together (real time); 0 means until it succeeds or
	// fails for good.
	Within time.Duration
	// MaxInterval is the longest pause between tries; 0 means 5 minutes.
	MaxInterval time.Duration
	// Heartbeat is the longest silence of a running try; 0 means none is expected.
	Heartbeat time.Duration
	// WaitCancelled makes a cancelled workflow wait for what the running try did.
	WaitCancelled bool
	// Priority is 1 (an emergency) to 5 (bulk); 0 means 3.
	Priority int
}

// Bind registers the code behind the handle.
func (a Activity[I, O]) Bind(r worker.ActivityRegistry, run func(context.Context, I) (O, error)) {
	r.RegisterActivityWithOptions(run, activity.RegisterOptions{Name: a.Name})
}

// WithPriority is the handle with another priority.
func (a Activity[I, O]) WithPriority(p int) Activity[I, O] {
	a.Priority = p
	return a
}

// Limited is the handle with another limit for all tries together (real time).
func (a Activity[I, O]) Limited(within time.Duration) Activity[I, O] {
	a.Within = within
	return a
}

func (a Activity[I, O]) retries() *temporal.RetryPolicy {
	longest := a.MaxInterval
	if longest == 0 {
		longest = 5 * time.Minute
	}
	return &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: longest}
}

// Start begins the activity; summary is what the Web UI shows, without personal
// data.
func (a Activity[I, O]) Start(ctx workflow.Context, in I, summary string) Future[O] {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              a.Queue,
		StartToCloseTimeout:    a.Attempt,
		ScheduleToCloseTimeout: a.Within,
		HeartbeatTimeout:       a.Heartbeat,
		WaitForCancellation:    a.WaitCancelled,
		RetryPolicy:            a.retries(),
		Summary:                summary,
		Priority:               temporal.Priority{PriorityKey: a.Priority},
	})
	return Future[O]{workflow.ExecuteActivity(ctx, a.Name, in)}
}

// Run starts the activity and waits for its result.
func (a Activity[I, O]) Run(ctx workflow.Context, in I, summary string) (O, error) {
	return a.Start(ctx, in, summary).Get(ctx)
}

// RunLocal runs a short look-up inside the workflow task: its result is
// recorded, and all those of one task are billed as one action.
func (a Activity[I, O]) RunLocal(ctx workflow.Context, in I, summary string) (O, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout:    a.Attempt,
		ScheduleToCloseTimeout: a.Within,
		RetryPolicy:            a.retries(),
		Summary:                summary,
	})
	return Future[O]{workflow.ExecuteLocalActivity(ctx, a.Name, in)}.Get(ctx)
}

// Future is the result of an activity that may not be there yet.
type Future[O any] struct {
	f workflow.Future
}

// Get waits for the result.
func (f Future[O]) Get(ctx workflow.Context) (O, error) {
	var out O
	err := f.f.Get(ctx, &out)
	return out, err
}
