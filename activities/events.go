package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/workflows/durable"
)

// RedeliverEvent sends a parked event through the route table again. It is safe
// to repeat: the event keeps its key, by which the receiving workflow
// deduplicates.
var RedeliverEvent = durable.Activity[durable.Event, Redelivery]{
	Name: "events.redeliver", Attempt: 10 * time.Second, Within: time.Minute,
}

// Redelivery tells where a redelivered event went.
type Redelivery struct {
	// Routed is false where there is still no workflow for the event.
	Routed bool `json:"routed"`
	// WorkflowID is who has it now.
	WorkflowID string `json:"workflow_id,omitempty"`
}

func (a *Activities) redeliverEvent(ctx context.Context, ev durable.Event) (Redelivery, error) {
	return a.Redeliver(ctx, ev)
}
