package portfolio

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// Sweep looks through all properties of RentVine for what no webhook has told. The first
// one adopts the properties of an account silently.
var Sweep = durable.Definition[activities.None, activities.SweptProperties]{
	Name: SweepName, Run: sweep, Versioning: workflow.VersioningBehaviorPinned,
}

// AllProperties are the search attributes of what is about no property of its own.
func AllProperties() temporal.SearchAttributes {
	return temporal.NewSearchAttributes(durable.EventSource.ValueSet("rentvine"))
}

func sweep(ctx workflow.Context, in activities.None) (activities.SweptProperties, error) {
	// Thousands of properties are told next: each asks who lives there.
	if _, err := activities.ReadTenancies.Run(ctx, in, "look through the leases, once"); err != nil {
		return activities.SweptProperties{}, err
	}
	swept, err := activities.SweepProperties.Run(ctx, in, "look through the properties")
	if err == nil {
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d properties seen, %d told of", swept.Seen, swept.Told))
	}
	return swept, err
}

// Find tells the workflow of a property that the sweep, or a lease of it, has shown
// something new, and starts it where it does not run.
func Find(ctx context.Context, c client.Client, taskQueue string, clock durable.Clock, ev durable.Event) error {
	_, err := c.SignalWithStartWorkflow(ctx, PropertyID(ev.EntityID), PropertyFound.Name, ev, client.StartWorkflowOptions{
		TaskQueue: taskQueue, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary: "property " + ev.EntityID,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			durable.EventSource.ValueSet("rentvine"), durable.PropertyID.ValueSet(ev.EntityID)),
		Priority: temporal.Priority{PriorityKey: 5},
	}, PropertyName, PropertyInput{ID: ev.EntityID, Clock: clock})
	if err != nil {
		return fmt.Errorf("signal %s: %w", PropertyID(ev.EntityID), err)
	}
	return nil
}
