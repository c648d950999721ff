package sync

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/workflows/durable"
)

// OpenMoove keeps what is known of all sales in step with OpenMoove, webhooks or
// not: it polls batch after batch under the key's one budget of calls. A Schedule
// starts it again as soon as it ends, so that pausing the Schedule stops it within
// the hour.
var OpenMoove = durable.Definition[OpenMooveInput, OpenMooveResult]{
	Name: OpenMooveName, Run: openMoove, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// OpenMooveName is the durable name.
const OpenMooveName = "sync.openmoove"

// openMooveBatches is how many batches one run makes, an hour's worth: its history
// stays short, and each run is on the build that is current when it starts.
const openMooveBatches = 12

type (
	// OpenMooveInput starts a run.
	OpenMooveInput struct{}
	// OpenMooveResult is what a run has done.
	OpenMooveResult struct {
		Read    int `json:"read"`
		Changed int `json:"changed"`
		Failed  int `json:"failed"`
		Adopted int `json:"adopted"`
	}
)

func (r *OpenMooveResult) add(batch activities.PollResult) {
	r.Read += batch.Read
	r.Changed += batch.Changed
	r.Failed += batch.Failed
	r.Adopted += batch.Adopted
}

func openMoove(ctx workflow.Context, _ OpenMooveInput) (OpenMooveResult, error) {
	var total OpenMooveResult
	states := make([]polling.State, 1)
	for range openMooveBatches {
		running := make([]durable.Future[activities.PollResult], len(states))
		for i, state := range states {
			running[i] = activities.PollSales.Start(ctx, activities.PollInput{Shard: i, Shards: len(states), State: state},
				fmt.Sprintf("part %d of %d", i+1, len(states)))
		}
		shards := len(states)
		for i, batch := range running {
			result, err := batch.Get(ctx)
			if temporal.IsCanceledError(err) {
				return total, err
			}
			if err != nil {
				return total, fmt.Errorf("part %d of %d: %w", i+1, len(states), err)
			}
			total.add(result)
			states[i], shards = result.State, max(result.Shards, 1)
		}
		if shards != len(states) {
			// A budget is that of a part: with other parts all of them begin without one.
			states = make([]polling.State, shards)
		}
		workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d reads so far, %d showed something new, %d failed; %d sales adopted from the list.",
			total.Read, total.Changed, total.Failed, total.Adopted))
	}
	return total, nil
}
