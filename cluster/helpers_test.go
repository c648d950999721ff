package cluster_test

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/aictive/keyholder/workflows/durable"
)

func days(n int) *durationpb.Duration { return durationpb.New(time.Duration(n) * 24 * time.Hour) }

func durableStage(stage string) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(durable.Stage.ValueSet(stage))
}
