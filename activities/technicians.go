package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/workflows/durable"
)

// ListTechnicians counts the open jobs of every technician.
var ListTechnicians = durable.Activity[None, map[string]int]{
	Name: "technicians.list_load", Attempt: 5 * time.Second,
}

// AssignTechnician records who holds the workflow's job; ReleaseTechnician ends
// it. Repeating either is harmless.
var (
	AssignTechnician = durable.Activity[string, None]{
		Name: "technicians.assign", Attempt: 5 * time.Second,
	}
	ReleaseTechnician = durable.Activity[None, None]{
		Name: "technicians.release", Attempt: 5 * time.Second,
	}
)

func (a *Activities) listTechnicians(ctx context.Context, _ None) (map[string]int, error) {
	return a.Store.Load(ctx)
}

func (a *Activities) assignTechnician(ctx context.Context, technicianID string) (None, error) {
	return None{}, a.Store.Assign(ctx, technicianID, activity.GetInfo(ctx).WorkflowExecution.ID)
}

func (a *Activities) releaseTechnician(ctx context.Context, _ None) (None, error) {
	return None{}, a.Store.Release(ctx, activity.GetInfo(ctx).WorkflowExecution.ID)
}
