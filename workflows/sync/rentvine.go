package sync

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

// RentVine compares what RentVine holds with what is known of it, and tells workflows what
// no webhook has told. A Schedule starts it; one that finds RentVine away waits for it, and
// later ones are left out meanwhile.
var RentVine = durable.Definition[activities.ReconcileInput, activities.Reconciled]{
	Name: RentVineName, Run: rentVine, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

const (
	// RentVineName is the durable name.
	RentVineName = "sync.rentvine"
	// RentVineID is the workflow id of a run that was asked for.
	RentVineID = "sync/rentvine"
	// RentVineFullID is that of one through everything.
	RentVineFullID = "sync/rentvine-full"
)

// AllRentVine are the search attributes of what is about no record of its own.
func AllRentVine() temporal.SearchAttributes {
	return temporal.NewSearchAttributes(durable.EventSource.ValueSet("rentvine"))
}

func rentVine(ctx workflow.Context, in activities.ReconcileInput) (activities.Reconciled, error) {
	done, err := activities.ReconcileRentVine.Run(ctx, in, "compare RentVine with what is known")
	if err != nil {
		return done, err
	}
	workflow.SetCurrentDetails(ctx, reconciledText(done))
	// Each few minutes is often enough for what has ended meanwhile, too.
	if _, err := activities.RecordEndings.Run(ctx, activities.None{}, "record what has ended"); err != nil {
		return done, err
	}
	return done, nil
}

// reconciledText is a look in a line of Markdown.
func reconciledText(r activities.Reconciled) string {
	text := fmt.Sprintf("%d records compared, %d told of, %d learned.", r.Seen, r.Events, r.Adopted)
	if r.Full {
		text = "Everything: " + text
	}
	if r.Parked > 0 {
		text += fmt.Sprintf(" %d events are **parked**.", r.Parked)
	}
	if r.Left {
		text += " There is **more to tell**: the next run goes on."
	}
	if r.Untold > 0 {
		text += fmt.Sprintf(" %d records could **not be told of**.", r.Untold)
	}
	for _, f := range r.Failed {
		if f.Record != "" {
			continue
		}
		text += fmt.Sprintf(" RentVine does not show all %s (%s).", f.Kind, f.Why)
	}
	return text
}

// CompareRentVine starts a run now; one that was asked for before and is under way is
// returned in its place, but one through everything only for another one.
func CompareRentVine(ctx context.Context, c client.Client, taskQueue string, in activities.ReconcileInput) (client.WorkflowRun, error) {
	id := RentVineID
	if in.Full {
		id = RentVineFullID
	}
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: taskQueue, StaticSummary: "compares RentVine with what is known", TypedSearchAttributes: AllRentVine(),
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}, RentVineName, in)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", id, err)
	}
	return run, nil
}
