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
// the rest. The error is ErrSaleEnded where the sale is over.
func HandOver(ctx context.Context, c client.Client, taskQueue string, clock durable.Clock, facts activities.SaleFacts) error {
	return begin(ctx, c, taskQueue, clock, facts.PropertyID, SaleHandedOver.Name, facts)
}

// Show tells the workflow of a sale what a read has shown. The error is
// ErrSaleEnded where the sale is over.
func Show(ctx context.Context, c client.Client, taskQueue string, clock durable.Clock, propertyID string, view activities.SaleView) error {
	return begin(ctx, c, taskQueue, clock, propertyID, SaleSeen.Name, view)
}

// begin signals the workflow of a sale, and starts it where none ever ran.
func begin(ctx context.Context, c client.Client, taskQueue string, clock durable.Clock, propertyID, signal string, fact any) error {
	_, err := c.SignalWithStartWorkflow(ctx, SaleID(propertyID), signal, fact,
		client.StartWorkflowOptions{
			TaskQueue: taskQueue, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			StaticSummary:         "sale of property " + propertyID,
			TypedSearchAttributes: Attributes(propertyID),
			Priority:              temporal.Priority{PriorityKey: 4},
		}, SaleName, SaleInput{ID: propertyID, Clock: clock})
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &ended) {
		return ErrSaleEnded
	}
	if err != nil {
		return fmt.Errorf("signal %s: %w", SaleID(propertyID), err)
	}
	return nil
}

// AllSales are the search attributes of what is about no sale of its own.
func AllSales() temporal.SearchAttributes {
	return temporal.NewSearchAttributes(durable.EventSource.ValueSet("openmoove"))
}

// Attributes are the search attributes of everything about a property, given at
// the start, where they are free.
func Attributes(propertyID string) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(durable.EventSource.ValueSet("openmoove"), durable.PropertyID.ValueSet(propertyID))
}
