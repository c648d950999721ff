package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
)

// resumed is where an earlier try of a walk was, as its heartbeat tells, else its beginning.
func resumed[T any](ctx context.Context, beginning T) T {
	at := beginning
	if activity.IsActivity(ctx) && activity.HasHeartbeatDetails(ctx) && activity.GetHeartbeatDetails(ctx, &at) != nil {
		return beginning
	}
	return at
}
