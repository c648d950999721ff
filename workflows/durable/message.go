package durable

import (
	"context"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
)

// Signal is a fact in the past tense, such as "event_received". Whoever sends it
// gets no answer, so a workflow must be able to take any.
type Signal[T any] struct {
	Name string
}

// Pending tells whether facts wait to be drained. It is meant for conditions of
// workflow.Await.
func (s Signal[T]) Pending(ctx workflow.Context) bool {
	return workflow.GetSignalChannel(ctx, s.Name).Len() > 0
}

// Drain takes every fact that waits. One that cannot be decoded is counted in
// undecodable and passed over: Receive would wedge the workflow for ever. The audit is
// told of people's answers.
func (s Signal[T]) Drain(ctx workflow.Context) (facts []T, undecodable int) {
	ch := workflow.GetSignalChannel(ctx, s.Name)
	for {
		var raw converter.RawValue
		if !ch.ReceiveAsync(&raw) {
			return facts, undecodable
		}
		var fact T
		if err := converter.GetDefaultDataConverter().FromPayload(raw.Payload(), &fact); err != nil {
			undecodable++
			continue
		}
		tellOf(ctx, s.Name, fact)
		facts = append(facts, fact)
	}
}

// Send sends the fact to a running workflow. The error is the SDK's:
// serviceerror.NotFound where no such workflow is running.
func (s Signal[T]) Send(ctx context.Context, c client.Client, workflowID string, fact T) error {
	return c.SignalWorkflow(ctx, workflowID, "", s.Name, fact)
}

// SendFrom sends the fact from one workflow to another running one.
func (s Signal[T]) SendFrom(ctx workflow.Context, workflowID string, fact T) workflow.Future {
	return workflow.SignalExternalWorkflow(ctx, workflowID, "", s.Name, fact)
}

// Update is a command in the imperative, such as "acknowledge". It is refused to
// its sender by the validator, or answered.
type Update[I, O any] struct {
	Name string
	// Description is shown in the Web UI.
	Description string
}

// Handle answers the command from now on, on the clock of ctx: the SDK gives
// handlers a context of their own. validate may be nil; it must not change
// anything. The audit is told of commands and answers that were not refused.
func (u Update[I, O]) Handle(ctx workflow.Context, validate func(workflow.Context, I) error, handle func(workflow.Context, I) (O, error)) error {
	opts := workflow.UpdateHandlerOptions{Description: u.Description}
	if validate != nil {
		opts.Validator = validate
	}
	clock := ClockOf(ctx)
	return workflow.SetUpdateHandlerWithOptions(ctx, u.Name, func(ctx workflow.Context, in I) (O, error) {
		tellOf(ctx, u.Name, in)
		return handle(WithClock(ctx, clock), in)
	}, opts)
}

// Send sends the command to a running workflow and waits for its answer until
// ctx ends. The same id twice is one command.
func (u Update[I, O]) Send(ctx context.Context, c client.Client, workflowID, id string, in I) (O, error) {
	var out O
	h, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateID: id, UpdateName: u.Name,
		Args: []any{in}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return out, err
	}
	return out, h.Get(ctx, &out)
}

// Query is a question that changes nothing.
type Query[O any] struct {
	Name string
	// Description is shown in the Web UI.
	Description string
}

// Handle answers the question from now on.
func (q Query[O]) Handle(ctx workflow.Context, answer func() (O, error)) error {
	return workflow.SetQueryHandlerWithOptions(ctx, q.Name, answer, workflow.QueryHandlerOptions{Description: q.Description})
}

// Ask asks a running or closed workflow; a worker must be up. runID may be "".
func (q Query[O]) Ask(ctx context.Context, c client.Client, workflowID, runID string) (O, error) {
	var out O
	v, err := c.QueryWorkflow(ctx, workflowID, runID, q.Name)
	if err != nil {
		return out, err
	}
	return out, v.Get(&out)
}
