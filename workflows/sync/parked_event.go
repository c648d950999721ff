// Package sync holds the workflows that keep Keyholder and its partners in step.
package sync

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// ParkedEvent holds one authentic event that no workflow takes yet, shows it, and
// ends when an operator replays or discards it. Its id is
// "parked/<source>/<digest of the event's key>".
var ParkedEvent = durable.Definition[ParkedInput, ParkedResult]{
	Name: ParkedEventName, Run: parkedEvent, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// ParkedEventName is the durable name.
const ParkedEventName = "sync.parked_event"

// The operator's commands.
var (
	// Replay sends the event through the route table again. It is refused while
	// the event has not arrived; it fails where there is still no route.
	Replay = durable.Update[ParkedCommand, activities.Redelivery]{
		Name: "replay", Description: "Send this event through the route table again",
	}
	// Discard gives the event up for good.
	Discard = durable.Update[ParkedCommand, string]{
		Name: "discard", Description: "Give this event up for good; say who and why",
	}
	// DescribeParked shows the event without its data.
	DescribeParked = durable.Query[ParkedDescription]{
		Name: "describe", Description: "What is parked here, since when and why",
	}
	// ShowParked shows the event with its data, which may be personal.
	ShowParked = durable.Query[durable.Event]{
		Name: "event", Description: "The event with its data, which may be personal",
	}
)

type (
	// ParkedInput starts the workflow; the event follows as a signal.
	ParkedInput = durable.Entity[ParkedState]
	// ParkedState is what the workflow keeps.
	ParkedState struct {
		Event     *durable.Event `json:"event,omitempty"`
		Repeats   int            `json:"repeats,omitempty"`
		Unusable  int            `json:"unusable,omitempty"`
		Discarded *ParkedCommand `json:"discarded,omitempty"`
		Replayed  *ParkedCommand `json:"replayed,omitempty"`
		SentTo    string         `json:"sent_to,omitempty"`
	}
	// ParkedCommand says who decided and why; both are kept.
	ParkedCommand = durable.Command
	// ParkedDescription is what an operator sees.
	ParkedDescription struct {
		Source     string    `json:"source"`
		Type       string    `json:"type"`
		EntityID   string    `json:"entity_id,omitempty"`
		Key        string    `json:"key"`
		ReceivedAt time.Time `json:"received_at"`
		Repeats    int       `json:"repeats,omitempty"`
		Unusable   int       `json:"unusable,omitempty"`
		State      string    `json:"state"`
	}
	// ParkedResult tells how it ended.
	ParkedResult struct {
		State  string `json:"state"`
		SentTo string `json:"sent_to,omitempty"`
		By     string `json:"by"`
		Why    string `json:"why"`
	}
)

func (s ParkedState) status() string {
	switch {
	case s.Replayed != nil:
		return "replayed"
	case s.Discarded != nil:
		return "discarded"
	}
	return "parked"
}

func (s ParkedState) describe() ParkedDescription {
	d := ParkedDescription{Repeats: s.Repeats, Unusable: s.Unusable, State: s.status()}
	if s.Event != nil {
		d.Source, d.Type, d.EntityID = s.Event.Source, s.Event.Type, s.Event.EntityID
		d.Key, d.ReceivedAt = s.Event.Key, s.Event.ReceivedAt
	}
	return d
}

func parkedEvent(ctx workflow.Context, in ParkedInput) (ParkedResult, error) {
	state := ParkedState{}
	if in.State != nil {
		state = *in.State
	}
	seen := in.Seen
	if err := handleParked(ctx, &state, &seen); err != nil {
		return ParkedResult{}, err
	}
	drain := func(ctx workflow.Context) bool { return takeParked(ctx, &state, &seen) }
	for {
		drain(ctx)
		workflow.SetCurrentDetails(ctx, parkedDetails(state))
		ended := func() bool { return state.status() != "parked" }
		if err := workflow.Await(ctx, func() bool { return ended() || durable.EventReceived.Pending(ctx) }); err != nil {
			return ParkedResult{}, err
		}
		if ended() {
			break
		}
	}
	if err := durable.Settle(ctx, drain); err != nil {
		return ParkedResult{}, err
	}
	decision := state.Discarded
	if state.Replayed != nil {
		decision = state.Replayed
	}
	return ParkedResult{State: state.status(), SentTo: state.SentTo, By: decision.By, Why: decision.Why}, nil
}

// takeParked drains the events: the first is kept, the rest can only be repeats,
// because the workflow's id is made of the event's key.
func takeParked(ctx workflow.Context, state *ParkedState, seen *durable.Seen) bool {
	events, unusable := durable.EventReceived.Drain(ctx)
	state.Unusable += unusable
	for _, ev := range events {
		if durable.TakeOnce(ctx, seen, ev.Key) && state.Event == nil {
			state.Event = &ev
			continue
		}
		state.Repeats++
	}
	return len(events)+unusable > 0
}

func handleParked(ctx workflow.Context, state *ParkedState, seen *durable.Seen) error {
	open := func(_ workflow.Context, c ParkedCommand) error {
		if state.Event == nil {
			return temporal.NewApplicationError("the event has not arrived yet; try again", "conflict")
		}
		if s := state.status(); s != "parked" {
			return temporal.NewApplicationError("the event was "+s+" already", "conflict")
		}
		return c.Validate()
	}
	lock := workflow.NewMutex(ctx)
	if err := Replay.Handle(ctx, open, func(ctx workflow.Context, c ParkedCommand) (activities.Redelivery, error) {
		if err := lock.Lock(ctx); err != nil {
			return activities.Redelivery{}, err
		}
		defer lock.Unlock()
		if s := state.status(); s != "parked" {
			return activities.Redelivery{}, temporal.NewApplicationError("the event was "+s+" meanwhile", "conflict")
		}
		r, err := activities.RedeliverEvent.Run(ctx, *state.Event, "replay "+state.Event.Type)
		if err != nil {
			return r, err
		}
		if !r.Routed {
			return r, temporal.NewApplicationError("no workflow takes "+state.Event.Type+" yet; it stays parked", "no_route")
		}
		state.Replayed, state.SentTo = &c, r.WorkflowID
		return r, nil
	}); err != nil {
		return err
	}
	// What arrived and could not be read can at least be given up.
	discardable := func(ctx workflow.Context, c ParkedCommand) error {
		if state.Event == nil && state.Unusable > 0 && state.status() == "parked" {
			return c.Validate()
		}
		return open(ctx, c)
	}
	if err := Discard.Handle(ctx, discardable, func(ctx workflow.Context, c ParkedCommand) (string, error) {
		if err := lock.Lock(ctx); err != nil {
			return "", err
		}
		defer lock.Unlock()
		if s := state.status(); s != "parked" {
			return "", temporal.NewApplicationError("the event was "+s+" meanwhile", "conflict")
		}
		state.Discarded = &c
		return "discarded", nil
	}); err != nil {
		return err
	}
	if err := DescribeParked.Handle(ctx, func() (ParkedDescription, error) { return state.describe(), nil }); err != nil {
		return err
	}
	if err := ShowParked.Handle(ctx, func() (durable.Event, error) {
		if state.Event == nil {
			return durable.Event{}, temporal.NewApplicationError("the event has not arrived, or cannot be read", "conflict")
		}
		return *state.Event, nil
	}); err != nil {
		return err
	}
	return durable.SeenEvents.Handle(ctx, func() (durable.Seen, error) { return *seen, nil })
}

func parkedDetails(s ParkedState) string {
	if s.Event == nil {
		return "Waiting for the event."
	}
	return fmt.Sprintf("**%s** `%s` of %s, %s since %s. Update `replay` or `discard` decides.",
		s.Event.Type, s.Event.EntityID, s.Event.Source, s.status(), s.Event.ReceivedAt.Format(time.RFC3339))
}
