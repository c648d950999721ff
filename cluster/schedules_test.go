package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

// freshNamespace is a client of a namespace of its own.
func freshNamespace(t *testing.T) client.Client {
	t.Helper()
	address, namespace := devServer(t).Address(), "schedules-"+uuid.NewString()
	report, err := cluster.Setup(t.Context(), dial(t, cluster.Options{Address: address}), cluster.SetupOptions{Namespace: namespace})
	require.NoError(t, err)
	require.True(t, report.OK())
	return dial(t, cluster.Options{Address: address, Namespace: namespace})
}

func describeSchedule(t *testing.T, c client.Client, id string) *client.ScheduleDescription {
	t.Helper()
	d, err := c.ScheduleClient().GetHandle(t.Context(), id).Describe(t.Context())
	require.NoError(t, err)
	return d
}

// runs are the workflows that were started, by type.
func runs(t *testing.T, c client.Client, state enumspb.WorkflowExecutionStatus) map[string]int {
	t.Helper()
	list, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{})
	require.NoError(t, err)
	out := map[string]int{}
	for _, e := range list.Executions {
		if e.Status == state {
			out[e.Type.Name]++
		}
	}
	return out
}

// The Schedules of the built-in policy on a real cluster.
func TestApplySchedules(t *testing.T) {
	t.Parallel()
	c := freshNamespace(t)
	rules, err := policy.Load("")
	require.NoError(t, err)
	wanted, unwanted := workflows.Schedules(rules.Sales(), policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, policy.Sync{}, durable.Clock{})
	did, err := cluster.ApplySchedules(t.Context(), c, wanted, unwanted)
	require.NoError(t, err)
	require.Equal(t, []string{"sync-openmoove created", "sales-report created"}, did)

	// Nobody serves the task queue: the run that is started at once stays open.
	polling := func() bool { return runs(t, c, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING)["sync.openmoove"] == 1 }
	require.Eventually(t, polling, 30*time.Second, 100*time.Millisecond, "polling begins at once")

	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	report := describeSchedule(t, c, workflows.ScheduleSalesReport)
	require.NotEmpty(t, report.Info.NextActionTimes)
	for _, next := range report.Info.NextActionTimes {
		next = next.In(london)
		require.Equal(t, time.Monday, next.Weekday())
		require.WithinDuration(t, time.Date(next.Year(), next.Month(), next.Day(), 7, 30, 0, 0, london), next, time.Minute+time.Second, "whatever the season")
	}

	did, err = cluster.ApplySchedules(t.Context(), c, wanted, unwanted)
	require.NoError(t, err)
	require.Equal(t, []string{"sync-openmoove up to date", "sales-report up to date"}, did)
	require.Equal(t, 1, describeSchedule(t, c, workflows.ScheduleOpenMoove).Info.NumActions, "no run beside the first")
	require.True(t, polling())

	// Without sales nothing is started any more; what runs goes on to its end.
	wanted, unwanted = workflows.Schedules(policy.Sales{}, policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, policy.Sync{}, durable.Clock{})
	did, err = cluster.ApplySchedules(t.Context(), c, wanted, unwanted)
	require.NoError(t, err)
	require.Equal(t, []string{"sync-openmoove removed", "sales-report removed"}, did)
	for _, id := range unwanted {
		_, err = c.ScheduleClient().GetHandle(t.Context(), id).Describe(t.Context())
		require.ErrorAs(t, err, new(*serviceerror.NotFound))
	}
	require.True(t, polling())
	did, err = cluster.ApplySchedules(t.Context(), c, wanted, unwanted)
	require.NoError(t, err)
	require.Empty(t, did)
}

// An operator's pause outlives a deploy, and everything else follows the policy.
func TestApplySchedulesKeepsAPause(t *testing.T) {
	t.Parallel()
	c := freshNamespace(t)
	rules, err := policy.Load("")
	require.NoError(t, err)
	wanted, _ := workflows.Schedules(rules.Sales(), policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, policy.Sync{}, durable.Clock{})
	report := wanted[1]
	apply := func(s client.ScheduleOptions) {
		_, err := cluster.ApplySchedules(t.Context(), c, []client.ScheduleOptions{s}, nil)
		require.NoError(t, err)
	}
	apply(report)
	handle := c.ScheduleClient().GetHandle(t.Context(), report.ID)
	require.NoError(t, handle.Pause(t.Context(), client.SchedulePauseOptions{Note: "holidays"}))

	changed := report
	changed.Spec = client.ScheduleSpec{Calendars: []client.ScheduleCalendarSpec{{
		Hour: []client.ScheduleRange{{Start: 16}}, DayOfWeek: []client.ScheduleRange{{Start: 5}},
	}}, TimeZoneName: "Europe/Paris"}
	changed.Overlap, changed.CatchupWindow = enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, time.Hour
	changed.Action = &client.ScheduleWorkflowAction{ID: "another", Workflow: "sales.another", TaskQueue: "elsewhere"}
	apply(changed)

	d := describeSchedule(t, c, report.ID)
	require.True(t, d.Schedule.State.Paused)
	require.Equal(t, "holidays", d.Schedule.State.Note)
	require.Equal(t, "Europe/Paris", d.Schedule.Spec.TimeZoneName)
	require.Len(t, d.Schedule.Spec.Calendars, 1)
	require.Equal(t, 16, d.Schedule.Spec.Calendars[0].Hour[0].Start)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, d.Schedule.Policy.Overlap)
	require.Equal(t, time.Hour, d.Schedule.Policy.CatchupWindow)
	action, ok := d.Schedule.Action.(*client.ScheduleWorkflowAction)
	require.True(t, ok)
	require.Equal(t, "sales.another", action.Workflow)
	require.Equal(t, "elsewhere", action.TaskQueue)

	require.NoError(t, handle.Unpause(t.Context(), client.ScheduleUnpauseOptions{}))
	apply(report)
	d = describeSchedule(t, c, report.ID)
	require.False(t, d.Schedule.State.Paused)
	require.Equal(t, "Europe/London", d.Schedule.Spec.TimeZoneName)
	require.Equal(t, 7, d.Schedule.Spec.Calendars[0].Hour[0].Start)
}

// What cannot be applied is named, with what was done before it.
func TestApplySchedulesSaysWhichOneFails(t *testing.T) {
	t.Parallel()
	c := freshNamespace(t)
	schedule := func(id, zone string) client.ScheduleOptions {
		return client.ScheduleOptions{
			ID: id, Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}, TimeZoneName: zone},
			Action: &client.ScheduleWorkflowAction{ID: id, Workflow: "nothing", TaskQueue: "nobody"},
		}
	}
	did, err := cluster.ApplySchedules(t.Context(), c, []client.ScheduleOptions{
		schedule("good", "Europe/London"), schedule("bad", "Europe/Lundun"), schedule("never", "Europe/London"),
	}, []string{"neither"})
	require.ErrorContains(t, err, "schedule bad: ")
	require.Equal(t, []string{"good created"}, did)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	did, err = cluster.ApplySchedules(ctx, c, nil, []string{"good"})
	require.ErrorContains(t, err, "schedule good: ")
	require.Empty(t, did)
}
