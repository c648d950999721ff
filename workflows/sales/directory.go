package sales

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
)

// readDirectory reads the sales policy inside the workflow task, and where that
// fails, as when the store is away, as an activity that is tried until it succeeds.
func readDirectory(ctx workflow.Context, in activities.ReadDirectoryInput) (activities.Directory, error) {
	directory, err := activities.ReadDirectory.RunLocal(ctx, in, "sales policy")
	if err == nil || temporal.IsCanceledError(err) {
		return directory, err
	}
	return activities.ReadDirectory.Run(ctx, in, "sales policy")
}
