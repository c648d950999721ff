package leasing

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// Sweep looks through all leases of RentVine for what no webhook has told. The first one
// adopts the leases of an account silently.
var Sweep = durable.Definition[activities.None, activities.SweptLeases]{
	Name: SweepName, Run: sweep, Versioning: workflow.VersioningBehaviorPinned,
}

// SweepName is the durable name.
const SweepName = "leasing.sweep"

// AllLeases are the search attributes of what is about no lease of its own.
func AllLeases() temporal.SearchAttributes {
	return temporal.NewSearchAttributes(durable.EventSource.ValueSet("rentvine"))
}

func sweep(ctx workflow.Context, in activities.None) (activities.SweptLeases, error) {
	swept, err := activities.SweepLeases.Run(ctx, in, "look through the leases")
	if err == nil {
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d leases seen, %d told of", swept.Seen, swept.Told))
	}
	return swept, err
}

// Find tells the workflow of a lease that the sweep has found something, and starts it
// where it does not run and starts is true.
func Find(ctx context.Context, c client.Client, taskQueue string, clock durable.Clock, ev durable.Event, starts bool) error {
	if !starts {
		err := LeaseFound.Send(ctx, c, LeaseID(ev.EntityID), ev)
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) {
			return nil
		}
		return err
	}
	_, err := c.SignalWithStartWorkflow(ctx, LeaseID(ev.EntityID), LeaseFound.Name, ev, client.StartWorkflowOptions{
		TaskQueue: taskQueue, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary: "lease " + ev.EntityID,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			durable.EventSource.ValueSet("rentvine"), durable.LeaseID.ValueSet(ev.EntityID)),
		Priority: temporal.Priority{PriorityKey: 5},
	}, LeaseName, LeaseInput{ID: ev.EntityID, Clock: clock})
	if err != nil {
		return fmt.Errorf("signal %s: %w", LeaseID(ev.EntityID), err)
	}
	return nil
}
