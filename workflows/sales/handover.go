package sales

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// HandOver tells the workflow of a sale what its creation knows, in one call that
// starts it where it does not run: a webhook may have been faster, then it learns
// the rest. A sale that has ended is left alone.
func HandOver(ctx context.Context, c client.Client, taskQueue string, clock durable.Clock, facts activities.SaleFacts) error {
	_, err := c.SignalWithStartWorkflow(ctx, SaleID(facts.PropertyID), SaleHandedOver.Name, facts,
		client.StartWorkflowOptions{
			TaskQueue: taskQueue, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			StaticSummary:         "sale of property " + facts.PropertyID,
			TypedSearchAttributes: Attributes(facts.PropertyID),
			Priority:              temporal.Priority{PriorityKey: 4},
		}, SaleName, SaleInput{ID: facts.PropertyID, Clock: clock})
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &ended) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("hand over to %s: %w", SaleID(facts.PropertyID), err)
	}
	return nil
}

// Attributes are the search attributes of everything about a property, given at
// the start, where they are free.
func Attributes(propertyID string) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(durable.EventSource.ValueSet("openmoove"), durable.PropertyID.ValueSet(propertyID))
}
