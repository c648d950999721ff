package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
	"github.com/aictive/keyholder/workflows/sync"
)

// salesRules are the built-in policy's.
func salesRules(t *testing.T) policy.Sales {
	t.Helper()
	rules, err := policy.Load("")
	require.NoError(t, err)
	return rules.Sales()
}

func scheduleIDs(list []client.ScheduleOptions) (ids []string) {
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}

func TestWhatTheClockStartsIsWhatThePolicyAsksFor(t *testing.T) {
	t.Parallel()
	whole := salesRules(t)
	silent := whole
	silent.Report = policy.SalesReport{}
	leases := policy.Leasing{Renewal: policy.Renewal{Lead: time.Hour}}
	booked := policy.Finance{Categories: []policy.BookCategory{{ID: "rent"}}}
	books := []string{workflows.ScheduleBank, workflows.ScheduleDay, workflows.ScheduleMonth}
	homes := policy.Portfolio{Questions: policy.PortfolioQuestions{Times: 1}}
	compare := policy.Sync{Every: time.Hour}
	kept := []string{workflows.ScheduleSweep, workflows.SchedulePacks, workflows.ScheduleDigest}
	for name, c := range map[string]struct {
		rules            policy.Sales
		leases           policy.Leasing
		books            policy.Finance
		homes            policy.Portfolio
		compare          policy.Sync
		wanted, unwanted []string
	}{
		"nothing":   {policy.Sales{}, policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, policy.Sync{}, nil, append([]string{workflows.ScheduleOpenMoove, workflows.ScheduleSalesReport, workflows.ScheduleRentVine, workflows.ScheduleLeases}, append(kept, books...)...)},
		"no sales":  {policy.Sales{}, leases, policy.Finance{}, policy.Portfolio{}, policy.Sync{}, []string{workflows.ScheduleLeases}, append([]string{workflows.ScheduleOpenMoove, workflows.ScheduleSalesReport, workflows.ScheduleRentVine}, append(kept, books...)...)},
		"no report": {silent, policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, compare, []string{workflows.ScheduleOpenMoove, workflows.ScheduleRentVine}, append([]string{workflows.ScheduleSalesReport, workflows.ScheduleLeases}, append(kept, books...)...)},
		"all":       {whole, leases, booked, homes, compare, append(append([]string{workflows.ScheduleOpenMoove, workflows.ScheduleSalesReport, workflows.ScheduleRentVine, workflows.ScheduleLeases}, kept...), books...), nil},
	} {
		wanted, unwanted := workflows.Schedules(c.rules, c.leases, c.books, c.homes, c.compare, durable.Clock{})
		require.Equal(t, c.wanted, scheduleIDs(wanted), name)
		require.Equal(t, c.unwanted, unwanted, name)
	}
}

// Polling goes on without a pause, one run at a time; every workflow that a Schedule
// starts exists.
func TestSchedulesStartWorkflowsThatExist(t *testing.T) {
	t.Parallel()
	wanted, _ := workflows.Schedules(salesRules(t), policy.Leasing{Renewal: policy.Renewal{Lead: time.Hour}}, policy.Finance{Categories: []policy.BookCategory{{ID: "rent"}}}, policy.Portfolio{Questions: policy.PortfolioQuestions{Times: 1}}, policy.Sync{Every: time.Hour}, durable.Clock{})
	names := map[string]bool{}
	for _, wf := range workflows.Registry() {
		names[wf.WorkflowName()] = true
	}
	for _, s := range wanted {
		action, ok := s.Action.(*client.ScheduleWorkflowAction)
		require.True(t, ok)
		require.Contains(t, names, action.Workflow, s.ID)
		require.Equal(t, workflows.TaskQueue, action.TaskQueue)
		require.NotEmpty(t, s.Note, "the Web UI shows what it is for")
	}
	polls, report := wanted[0], wanted[1]
	require.Equal(t, []any{sync.OpenMooveInput{}}, polls.Action.(*client.ScheduleWorkflowAction).Args)
	require.Equal(t, []any{sales.ReportInput{}}, report.Action.(*client.ScheduleWorkflowAction).Args)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, polls.Overlap)
	require.True(t, polls.TriggerImmediately)
	require.Len(t, polls.Spec.Intervals, 1)
	// A run lasts an hour: the next waits for its end when it comes.
	require.Less(t, polls.Spec.Intervals[0].Every, time.Hour)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, report.Overlap)
	require.False(t, report.TriggerImmediately, "nobody asked for a report now")
}

func TestTheReportIsMailedAtTheTimesOfThePolicy(t *testing.T) {
	t.Parallel()
	at := func(n int) []client.ScheduleRange { return []client.ScheduleRange{{Start: n}} }
	for name, c := range map[string]struct {
		report policy.SalesReport
		want   client.ScheduleCalendarSpec
	}{
		"Monday at half past seven": {policy.SalesReport{Days: []string{"mon"}, At: 7*60 + 30}, client.ScheduleCalendarSpec{
			Hour: at(7), Minute: at(30), DayOfWeek: at(1),
		}},
		"the weekend at midnight": {policy.SalesReport{Days: []string{"sat", "sun"}, At: 0}, client.ScheduleCalendarSpec{
			Hour: at(0), Minute: at(0), DayOfWeek: []client.ScheduleRange{{Start: 0}, {Start: 6}},
		}},
		"the last minute of Friday": {policy.SalesReport{Days: []string{"fri"}, At: 24*60 - 1}, client.ScheduleCalendarSpec{
			Hour: at(23), Minute: at(59), DayOfWeek: at(5),
		}},
	} {
		rules := salesRules(t)
		rules.Report = c.report
		wanted, _ := workflows.Schedules(rules, policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, policy.Sync{}, durable.Clock{})
		spec := wanted[1].Spec
		require.Equal(t, "Europe/London", spec.TimeZoneName, name)
		require.Empty(t, spec.Intervals, name)
		require.Len(t, spec.Calendars, 1, name)
		got := spec.Calendars[0]
		got.Comment = ""
		require.Equal(t, c.want, got, name)
	}
}

// On a fast clock the report comes every business day, at the business time of the
// policy, but no more than once a real minute.
func TestTheReportOnAFastClock(t *testing.T) {
	t.Parallel()
	epoch := time.Date(2026, 11, 22, 1, 49, 36, 123456789, time.UTC)
	for _, day := range []time.Duration{time.Minute, 90 * time.Second, 7 * time.Minute, 13 * time.Minute, time.Hour} {
		clock := durable.DayClock(epoch, day)
		wanted, unwanted := workflows.Schedules(salesRules(t), policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, policy.Sync{}, clock)
		require.Equal(t, []string{workflows.ScheduleRentVine, workflows.ScheduleLeases, workflows.ScheduleSweep, workflows.SchedulePacks, workflows.ScheduleDigest, workflows.ScheduleBank, workflows.ScheduleDay, workflows.ScheduleMonth}, unwanted)
		spec := wanted[1].Spec
		require.Empty(t, spec.Calendars)
		require.Len(t, spec.Intervals, 1)
		every, offset := spec.Intervals[0].Every, spec.Intervals[0].Offset
		require.Equal(t, day, every)
		require.GreaterOrEqual(t, offset, time.Duration(0))
		require.Less(t, offset, every)
		// Temporal counts an interval from 1970.
		at := time.Unix(0, 0).Add(offset + every*time.Duration(epoch.Add(10*time.Hour).Unix()/int64(every.Seconds())))
		business := clock.At(at)
		planned := business.Truncate(24 * time.Hour).Add(7*time.Hour + 30*time.Minute)
		require.WithinDuration(t, planned, business, clock.Business(2*time.Second), day)
	}
	wanted, _ := workflows.Schedules(salesRules(t), policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, policy.Sync{}, durable.DayClock(epoch, time.Second))
	require.Equal(t, time.Minute, wanted[1].Spec.Intervals[0].Every)
	require.Equal(t, 10*time.Minute, wanted[0].Spec.Intervals[0].Every, "polling is real time")
}

func TestTheBooksCloseInTheCompanysZone(t *testing.T) {
	t.Parallel()
	books := policy.Finance{
		TimeZone: "America/Los_Angeles", Categories: []policy.BookCategory{{ID: "rent"}},
		Bank:    policy.BankMatching{At: 5 * 60},
		Reports: policy.FinanceSchedule{DailyAt: 7*60 + 15, MonthlyAt: 8 * 60, MonthDay: 3},
	}
	wanted, _ := workflows.Schedules(policy.Sales{}, policy.Leasing{}, books, policy.Portfolio{}, policy.Sync{}, durable.Clock{})
	require.Len(t, wanted, 3)
	one := func(n int) []client.ScheduleRange { return []client.ScheduleRange{{Start: n}} }
	for i, want := range []client.ScheduleCalendarSpec{
		{Hour: one(5), Minute: one(0)}, {Hour: one(7), Minute: one(15)}, {Hour: one(8), Minute: one(0), DayOfMonth: one(3)},
	} {
		require.Equal(t, "America/Los_Angeles", wanted[i].Spec.TimeZoneName)
		got := wanted[i].Spec.Calendars[0]
		got.Comment = ""
		require.Equal(t, want, got)
	}
	epoch := time.Date(2026, 11, 22, 1, 49, 36, 0, time.UTC)
	wanted, _ = workflows.Schedules(policy.Sales{}, policy.Leasing{}, books, policy.Portfolio{}, policy.Sync{}, durable.DayClock(epoch, 10*time.Minute))
	require.Equal(t, 10*time.Minute, wanted[1].Spec.Intervals[0].Every)
	require.Equal(t, 300*time.Minute, wanted[2].Spec.Intervals[0].Every)
	require.Less(t, wanted[2].Spec.Intervals[0].Offset, 300*time.Minute)
}

// RentVine is compared as often as the policy says in business time, one run at a time.
func TestRentVineIsComparedOnAFastClock(t *testing.T) {
	t.Parallel()
	epoch := time.Date(2026, 11, 22, 1, 49, 36, 0, time.UTC)
	for every, c := range map[time.Duration]durable.Clock{
		15 * time.Minute: {}, 75 * time.Second: durable.DayClock(epoch, 2*time.Hour), 10 * time.Second: durable.DayClock(epoch, time.Minute),
	} {
		wanted, _ := workflows.Schedules(policy.Sales{}, policy.Leasing{}, policy.Finance{}, policy.Portfolio{}, policy.Sync{Every: 15 * time.Minute}, c)
		require.Len(t, wanted, 1)
		require.Equal(t, every, wanted[0].Spec.Intervals[0].Every)
		require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, wanted[0].Overlap)
		require.True(t, wanted[0].TriggerImmediately)
	}
}
