package workflows

import (
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/sales"
	"github.com/aictive/keyholder/workflows/sync"
)

// The ids of the Schedules.
const (
	ScheduleOpenMoove   = "sync-openmoove"
	ScheduleSalesReport = "sales-report"
	ScheduleLeases      = "lease-sweep"
)

// Schedules is everything that the clock starts: the Schedules that should exist, and
// the ids of those that should not, because the policy does not ask for them.
//
// A Schedule runs in real time. On a business clock that is not real, what happens
// on days of the week happens on every business day.
func Schedules(rules policy.Sales, leases policy.Leasing, clock durable.Clock) (wanted []client.ScheduleOptions, unwanted []string) {
	wanted, unwanted = salesSchedules(rules, clock)
	if !leases.On() {
		return wanted, append(unwanted, ScheduleLeases)
	}
	return append(wanted, client.ScheduleOptions{
		ID: ScheduleLeases, Spec: nightly(sweepAt, leases.TimeZone, clock),
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: 12 * time.Hour,
		Action: &client.ScheduleWorkflowAction{
			ID: "lease-sweep", Workflow: leasing.SweepName, Args: []any{activities.None{}}, TaskQueue: TaskQueue,
			StaticSummary: "looks through the leases", TypedSearchAttributes: leasing.AllLeases(),
		},
		Note: "Looks through RentVine's leases for what no webhook has told. Its first run adopts them silently. Trigger it for one more.",
	}), unwanted
}

// sweepAt is when leases are looked through, at night in the company's zone.
const sweepAt = 3 * time.Hour

func salesSchedules(rules policy.Sales, clock durable.Clock) (wanted []client.ScheduleOptions, unwanted []string) {
	if !rules.Given() {
		return nil, []string{ScheduleOpenMoove, ScheduleSalesReport}
	}
	wanted = append(wanted, client.ScheduleOptions{
		ID: ScheduleOpenMoove,
		// One run is under way, one waits for its end: there is no pause between them, and
		// after a run that was terminated the next begins at once.
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: 10 * time.Minute}}},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, CatchupWindow: time.Minute, TriggerImmediately: true,
		Action: &client.ScheduleWorkflowAction{
			ID: "sync/openmoove", Workflow: sync.OpenMooveName, Args: []any{sync.OpenMooveInput{}}, TaskQueue: TaskQueue,
			StaticSummary: "polls OpenMoove", TypedSearchAttributes: sales.AllSales(),
		},
		Note: "Polls OpenMoove for changes of sales. Pause it to stop polling within the hour.",
	})
	if !rules.Report.Given() {
		return wanted, []string{ScheduleSalesReport}
	}
	return append(wanted, client.ScheduleOptions{
		ID: ScheduleSalesReport, Spec: reportTimes(rules, clock),
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: 12 * time.Hour,
		Action: &client.ScheduleWorkflowAction{
			ID: "sales-report", Workflow: sales.ReportName, Args: []any{sales.ReportInput{}}, TaskQueue: TaskQueue,
			StaticSummary: "mails the report on all sales", TypedSearchAttributes: sales.AllSales(),
		},
		Note: "Mails the report on all sales. Trigger it for one more.",
	}), nil
}

// reportTimes is when the report is mailed.
func reportTimes(rules policy.Sales, clock durable.Clock) client.ScheduleSpec {
	at := time.Duration(rules.Report.At) * time.Minute
	if clock.IsReal() {
		return client.ScheduleSpec{
			Calendars: []client.ScheduleCalendarSpec{{
				Hour: []client.ScheduleRange{{Start: int(at / time.Hour)}}, Minute: []client.ScheduleRange{{Start: int(at % time.Hour / time.Minute)}},
				DayOfWeek: weekdays(rules.Report.Days), Comment: "as the policy says",
			}},
			TimeZoneName: rules.TimeZone, Jitter: time.Minute,
		}
	}
	return everyDay(at, clock)
}

// nightly is once a day at a time of day in a zone.
func nightly(at time.Duration, zone string, clock durable.Clock) client.ScheduleSpec {
	if !clock.IsReal() {
		return everyDay(at, clock)
	}
	return client.ScheduleSpec{
		Calendars:    []client.ScheduleCalendarSpec{{Hour: []client.ScheduleRange{{Start: int(at / time.Hour)}}, Comment: "at night"}},
		TimeZoneName: zone, Jitter: 10 * time.Minute,
	}
}

// everyDay is once a business day on a fast clock, at a time of day in UTC.
func everyDay(at time.Duration, clock durable.Clock) client.ScheduleSpec {
	every := max(clock.Real(24*time.Hour), shortestDaily)
	first := clock.Epoch.Truncate(24 * time.Hour).Add(at)
	return client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every, Offset: realAt(clock, first) % every}}}
}

// shortestDaily is how often what is daily happens at most, on a fast clock.
const shortestDaily = time.Minute

// realAt is the real time of a business time, since 1970.
func realAt(clock durable.Clock, business time.Time) time.Duration {
	at := clock.Epoch.Add(clock.Real(business.Sub(clock.Epoch)))
	return time.Duration(at.UnixNano()).Truncate(time.Second)
}

func weekdays(days []string) []client.ScheduleRange {
	var out []client.ScheduleRange
	for i, name := range []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} {
		if slices.Contains(days, name) {
			out = append(out, client.ScheduleRange{Start: i})
		}
	}
	return out
}
