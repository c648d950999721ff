package sync

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// OutgoingWebhook tells one subscriber of one event, for three days where it must.
// One that could not be told is a failed workflow; resetting it tries again.
var OutgoingWebhook = durable.Definition[OutgoingWebhookInput, OutgoingWebhookResult]{
	Name: OutgoingWebhookName, Run: outgoingWebhook, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// OutgoingWebhookName is the durable name.
const OutgoingWebhookName = "sync.outgoing_webhook"

// OutgoingWebhookID is the workflow's id: one for each subscriber and event, so
// that whoever starts it twice tells once.
func OutgoingWebhookID(subscriber, eventID string) string {
	return "webhook/" + subscriber + "/" + eventID
}

// NotDelivered is the type of the error with which an OutgoingWebhook fails.
const NotDelivered = "not_delivered"

// DescribeOutgoingWebhook shows what is told to whom, without the event's data.
var DescribeOutgoingWebhook = durable.Query[OutgoingWebhookDescription]{
	Name: "describe", Description: "Who is told of what, and whether that has worked",
}

// The states of an outgoing webhook.
const (
	OutgoingPosting   = "posting"
	OutgoingDelivered = "delivered"
	OutgoingRefused   = "refused"
	OutgoingGivenUp   = "given_up"
)

type (
	// OutgoingWebhookInput names the subscriber and carries the event.
	OutgoingWebhookInput = activities.PostWebhookInput
	// OutgoingWebhookResult tells how it ended.
	OutgoingWebhookResult struct {
		Outcome string `json:"outcome"`
	}
	// OutgoingWebhookDescription is what an operator sees.
	OutgoingWebhookDescription struct {
		Subscriber string `json:"subscriber"`
		EventID    string `json:"event_id"`
		Type       string `json:"type"`
		// Timestamp is the event's (business time).
		Timestamp time.Time `json:"timestamp"`
		State     string    `json:"state"`
	}
)

func outgoingWebhook(ctx workflow.Context, in OutgoingWebhookInput) (OutgoingWebhookResult, error) {
	state := OutgoingPosting
	if err := DescribeOutgoingWebhook.Handle(ctx, func() (OutgoingWebhookDescription, error) {
		return OutgoingWebhookDescription{
			Subscriber: in.Subscriber, EventID: in.Event.ID, Type: in.Event.Type, Timestamp: in.Event.Timestamp, State: state,
		}, nil
	}); err != nil {
		return OutgoingWebhookResult{}, err
	}
	what := fmt.Sprintf("tell %s of %s", in.Subscriber, in.Event.Type)
	_, err := activities.PostWebhook.Run(ctx, in, what)
	if temporal.IsCanceledError(err) {
		return OutgoingWebhookResult{}, err
	}
	if err != nil {
		var message string
		state, message = whyNotDelivered(err)
		return OutgoingWebhookResult{}, temporal.NewNonRetryableApplicationError("could not "+what+": "+message, NotDelivered, err)
	}
	state = OutgoingDelivered
	return OutgoingWebhookResult{Outcome: state}, nil
}

// whyNotDelivered tells a refusal for good from three days in vain.
func whyNotDelivered(err error) (state, message string) {
	var last *temporal.ApplicationError
	if errors.As(err, &last) && last.NonRetryable() {
		return OutgoingRefused, last.Message() + "; once that is mended, reset this workflow to try again"
	}
	said := "it did not end"
	if last != nil {
		said = last.Message()
	}
	return OutgoingGivenUp, fmt.Sprintf("given up after %s; the last attempt: %s; reset this workflow to try again", activities.PostWebhook.Within, said)
}
