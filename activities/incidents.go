package activities

import (
	"context"
	"time"

	"github.com/aictive/keyholder/workflows/durable"
)

// ClaimIncident makes a work order lead the response to an emergency in its
// building, or names the one that already does. Repeating it gives the same lead.
var ClaimIncident = durable.Activity[ClaimIncidentInput, string]{
	Name: "incidents.claim", Attempt: 5 * time.Second,
}

// EndIncident ends the response that a work order leads. Repeating it is
// harmless.
var EndIncident = durable.Activity[string, None]{
	Name: "incidents.end", Attempt: 5 * time.Second,
}

// ClaimIncidentInput names the building, the kind of emergency and who asks.
type ClaimIncidentInput struct {
	PropertyID  string `json:"property_id"`
	Category    string `json:"category"`
	WorkOrderID string `json:"work_order_id"`
	// At and NotBefore are business time: an incident older than NotBefore is not
	// joined.
	At        time.Time `json:"at"`
	NotBefore time.Time `json:"not_before"`
}

func (a *Activities) claimIncident(ctx context.Context, in ClaimIncidentInput) (string, error) {
	return a.Store.ClaimIncident(ctx, in.PropertyID, in.Category, in.WorkOrderID, in.At, in.NotBefore)
}

func (a *Activities) endIncident(ctx context.Context, workOrderID string) (None, error) {
	return None{}, a.Store.EndIncident(ctx, workOrderID)
}
