package portfolio

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// Digest tells owners of requests that have been open for long.
var Digest = durable.Definition[DigestInput, activities.DigestsSent]{
	Name: DigestName, Run: digest, Versioning: workflow.VersioningBehaviorPinned,
}

// DigestInput starts it.
type DigestInput struct {
	Clock durable.Clock `json:"clock,omitzero"`
}

func digest(ctx workflow.Context, in DigestInput) (activities.DigestsSent, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	rules, err := activities.ReadPortfolio.RunLocal(ctx, activities.PlaceRef{}, "policy of the company")
	if err != nil || !rules.On() {
		return activities.DigestsSent{}, err
	}
	done, err := activities.SendOwnerDigests.Run(ctx, activities.OwnerDigestInput{At: durable.Now(ctx)}, "tell owners of open requests")
	if err != nil {
		return done, err
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d open requests; %d told of in %d mails, %d portfolios with a problem",
		done.Open, done.Told, done.Mails, done.Problems))
	return done, nil
}
