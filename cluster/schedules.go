package cluster

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// ApplySchedules makes the Schedules of a namespace as wanted, and removes those
// that are not. One that is there keeps whether it is paused; what ran of it goes
// on. It can run as often as you like, and says in words what it did.
func ApplySchedules(ctx context.Context, c client.Client, wanted []client.ScheduleOptions, unwanted []string) (did []string, err error) {
	for _, s := range wanted {
		_, err := c.ScheduleClient().Create(ctx, s)
		action := "created"
		if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			action, err = "up to date", updateSchedule(ctx, c, s)
		}
		if err != nil {
			return did, fmt.Errorf("schedule %s: %w", s.ID, err)
		}
		did = append(did, s.ID+" "+action)
	}
	for _, id := range unwanted {
		err := c.ScheduleClient().GetHandle(ctx, id).Delete(ctx)
		if errors.As(err, new(*serviceerror.NotFound)) {
			continue
		}
		if err != nil {
			return did, fmt.Errorf("schedule %s: %w", id, err)
		}
		did = append(did, id+" removed")
	}
	return did, nil
}

// updateSchedule leaves the state, which is the operator's.
func updateSchedule(ctx context.Context, c client.Client, s client.ScheduleOptions) error {
	return c.ScheduleClient().GetHandle(ctx, s.ID).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			next := in.Description.Schedule
			next.Spec, next.Action = &s.Spec, s.Action
			next.Policy = &client.SchedulePolicies{Overlap: s.Overlap, CatchupWindow: s.CatchupWindow, PauseOnFailure: s.PauseOnFailure}
			return &client.ScheduleUpdate{Schedule: &next}, nil
		},
	})
}
