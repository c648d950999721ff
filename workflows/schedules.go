package workflows

import (
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/finance"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/portfolio"
	"github.com/aictive/keyholder/workflows/sales"
	"github.com/aictive/keyholder/workflows/sync"
)

// The ids of the Schedules.
const (
	ScheduleOpenMoove   = "sync-openmoove"
	ScheduleRentVine    = "sync-rentvine"
	ScheduleSalesReport = "sales-report"
	ScheduleLeases      = "lease-sweep"
	ScheduleBank        = "finance-reconcile-bank"
	ScheduleDay         = "finance-close-day"
	ScheduleMonth       = "finance-close-month"
	ScheduleSweep       = "portfolio-sweep"
	SchedulePacks       = "portfolio-month-end"
	ScheduleDigest      = "portfolio-digest"
)

// Schedules is everything that the clock starts: the Schedules that should exist, and
// the ids of those that should not, because the policy does not ask for them.
//
// A Schedule runs in real time. On a business clock that is not real, what happens
// on days of the week happens on every business day.
func Schedules(rules policy.Sales, leases policy.Leasing, books policy.Finance, homes policy.Portfolio, compare policy.Sync, clock durable.Clock) (wanted []client.ScheduleOptions, unwanted []string) {
	wanted, unwanted = salesSchedules(rules, clock)
	if compare.On() {
		wanted = append(wanted, comparison(compare, clock))
	} else {
		unwanted = append(unwanted, ScheduleRentVine)
	}
	if leases.On() {
		wanted = append(wanted, leaseSweep(leases, clock))
	} else {
		unwanted = append(unwanted, ScheduleLeases)
	}
	if homes.On() {
		wanted = append(wanted, portfolioSchedules(homes, clock)...)
	} else {
		unwanted = append(unwanted, ScheduleSweep, SchedulePacks, ScheduleDigest)
	}
	if !books.On() {
		return wanted, append(unwanted, ScheduleBank, ScheduleDay, ScheduleMonth)
	}
	return append(wanted, bookSchedules(books, clock)...), unwanted
}

// comparison is that of RentVine with what is known of it. A run finds by itself whether the
// daily look through everything is due, so none has to be caught up with.
func comparison(rules policy.Sync, clock durable.Clock) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID: ScheduleRentVine, Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: max(clock.Real(rules.Every), shortestComparison)}}},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: time.Minute, TriggerImmediately: true,
		Action: &client.ScheduleWorkflowAction{
			ID: sync.RentVineID, Workflow: sync.RentVineName, Args: []any{activities.ReconcileInput{}}, TaskQueue: TaskQueue,
			StaticSummary: "compares RentVine with what is known", TypedSearchAttributes: sync.AllRentVine(),
		},
		Note: "Compares RentVine with what is known here, and tells workflows what no webhook has told. Its first run learns what there is silently. Trigger it for one more.",
	}
}

// shortestComparison is how often it is compared at most, on a fast clock.
const shortestComparison = 10 * time.Second

func leaseSweep(leases policy.Leasing, clock durable.Clock) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID: ScheduleLeases, Spec: nightly(sweepAt, leases.TimeZone, clock),
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: 12 * time.Hour,
		Action: &client.ScheduleWorkflowAction{
			ID: "lease-sweep", Workflow: leasing.SweepName, Args: []any{activities.None{}}, TaskQueue: TaskQueue,
			StaticSummary: "looks through the leases", TypedSearchAttributes: leasing.AllLeases(),
		},
		Note: "Looks through RentVine's leases for what no webhook has told. Its first run adopts them silently. Trigger it for one more.",
	}
}

// bookSchedules are those of the books. Days that were missed are made up for by the next
// daily run, which reports all of them; a month that was missed is not.
func bookSchedules(books policy.Finance, clock durable.Clock) []client.ScheduleOptions {
	of := func(id, workflow, summary, note string, spec client.ScheduleSpec) client.ScheduleOptions {
		return client.ScheduleOptions{
			ID: id, Spec: spec, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: 12 * time.Hour, Note: note,
			Action: &client.ScheduleWorkflowAction{
				ID: id, Workflow: workflow, Args: []any{finance.BooksInput{Clock: clock}}, TaskQueue: TaskQueue,
				StaticSummary: summary, TypedSearchAttributes: finance.AllBooks(),
			},
		}
	}
	at := func(t policy.TimeOfDay) time.Duration { return time.Duration(t) * time.Minute }
	return []client.ScheduleOptions{
		of(ScheduleBank, finance.ReconcileBankName, "matches bank statements with bookings",
			"Matches the lines of bank statements with the journal. It runs after each import too. Trigger it for one more.",
			nightly(at(books.Bank.At), books.TimeZone, clock)),
		of(ScheduleDay, finance.CloseDayName, "looks for missing payments, mails the daily report",
			"Looks for payments that are missing, and mails the accounting team's daily report. Trigger it to look now.",
			nightly(at(books.Reports.DailyAt), books.TimeZone, clock)),
		of(ScheduleMonth, finance.CloseMonthName, "mails the monthly report, files owners' ledgers",
			"Mails the accounting team's report on the month before, and files each owner's ledger at RentVine.",
			monthly(books.Reports.MonthDay, at(books.Reports.MonthlyAt), books.TimeZone, clock)),
	}
}

// portfolioSchedules are those of homes. A night that was missed by more than twelve hours
// is not made up for: the next looks at everything.
func portfolioSchedules(homes policy.Portfolio, clock durable.Clock) []client.ScheduleOptions {
	of := func(id, workflow string, in any, summary, note string, spec client.ScheduleSpec) client.ScheduleOptions {
		return client.ScheduleOptions{
			ID: id, Spec: spec, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: 12 * time.Hour, Note: note,
			Action: &client.ScheduleWorkflowAction{
				ID: id, Workflow: workflow, Args: []any{in}, TaskQueue: TaskQueue,
				StaticSummary: summary, TypedSearchAttributes: portfolio.AllProperties(),
			},
		}
	}
	at := func(t policy.TimeOfDay) time.Duration { return time.Duration(t) * time.Minute }
	sweep := of(ScheduleSweep, portfolio.SweepName, activities.None{}, "looks through the properties",
		"Looks through RentVine's properties for what no webhook has told. Its first run adopts them silently. Trigger it for one more.",
		nightly(propertiesAt, homes.TimeZone, clock))
	// What changes is seen by whoever has looked before: the first look is not left to the
	// first night.
	sweep.TriggerImmediately = true
	return []client.ScheduleOptions{
		sweep,
		of(SchedulePacks, portfolio.MonthEndName, portfolio.MonthEndInput{Clock: clock}, "sends the owners' packs",
			"Mails each owner the statement pack of the month before, and files it at RentVine. What was sent is not sent again: trigger it for what is missing.",
			monthly(homes.Owners.PackDay, at(homes.Owners.PackAt), homes.TimeZone, clock)),
		of(ScheduleDigest, portfolio.DigestName, portfolio.DigestInput{Clock: clock}, "tells owners of open requests",
			"Mails owners the requests that have been open for long. Trigger it to look now.",
			nightly(at(homes.Owners.DigestAt), homes.TimeZone, clock)),
	}
}

// propertiesAt is when properties are looked through, at night in the company's zone.
const propertiesAt = 2*time.Hour + 30*time.Minute

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
		Calendars:    []client.ScheduleCalendarSpec{{Hour: []client.ScheduleRange{{Start: int(at / time.Hour)}}, Minute: []client.ScheduleRange{{Start: int(at % time.Hour / time.Minute)}}, Comment: "once a day"}},
		TimeZoneName: zone, Jitter: 10 * time.Minute,
	}
}

// monthly is once a month, on a day at a time of day in a zone; on a fast clock once in 30
// business days.
func monthly(day int, at time.Duration, zone string, clock durable.Clock) client.ScheduleSpec {
	if !clock.IsReal() {
		spec := everyDay(at, clock)
		spec.Intervals[0].Every = max(clock.Real(30*24*time.Hour), shortestDaily)
		spec.Intervals[0].Offset %= spec.Intervals[0].Every
		return spec
	}
	spec := nightly(at, zone, clock)
	spec.Calendars[0].DayOfMonth = []client.ScheduleRange{{Start: day}}
	spec.Calendars[0].Comment = "once a month"
	return spec
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
