package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/aictive/keyholder/ingress"
	"github.com/aictive/keyholder/workflows/durable"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

var asOf = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func TestEventQueries(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]eventFlags{
		"WorkflowType = 'sync.parked_event' AND ExecutionStatus = 'Running'": {state: stateParked},
		"WorkflowType = 'sync.parked_event' AND ExecutionStatus = 'Running' AND EventSource = 'rentvine' AND EventType = 'lease.updated'" +
			" AND Reason = 'entity closed' AND ReceivedAt >= '2026-03-01T10:00:00Z' AND ReceivedAt < '2026-03-02T00:00:00Z'": {
			state: stateParked, source: "rentvine", kind: "lease.updated", reason: "entity closed", since: "24h", until: "2026-03-02",
		},
		"WorkflowType = 'sync.parked_event' AND ExecutionStatus = 'Completed' AND ReceivedAt >= '2026-02-23T10:00:00Z'": {state: stateDiscarded, since: "7d"},
		"(ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut') OR (ExecutionStatus = 'Canceled' AND WorkflowType = 'sync.parked_event'))" +
			" AND (EventType = 'sync.outgoing_webhook' OR WorkflowType = 'sync.outgoing_webhook') AND CloseTime >= '2026-03-02T09:00:00Z'": {
			state: stateFailed, kind: "sync.outgoing_webhook", reason: "not_delivered", since: "2026-03-02T09:00:00Z",
		},
		"ExecutionStatus = 'Running' AND StartTime < '2026-03-02T09:30:00Z'": {state: stateStuck, until: "30m"},
	} {
		f.limit = 1
		filter, err := f.filter(asOf)
		require.NoError(t, err)
		require.Equal(t, want, filter.query())
	}
}

func TestEventFiltersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	f := eventFlags{source: "x' OR '1'='1", kind: `a\`, since: "yesterday", until: "-1h", state: "lost", limit: 0}
	_, err := f.filter(asOf)
	for _, flag := range []string{"--source", "--type", "--since", "--until", "--state", "--limit"} {
		require.ErrorContains(t, err, flag, "all that is wrong is said at once")
	}
	require.ErrorAs(t, err, new(usageError))
}

func TestRates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"5/s": 5, "300/m": 5, "5": 5, "0.5/s": 0.5, "3600/h": 1} {
		got, err := rateOf(text)
		require.NoError(t, err, text)
		require.InDelta(t, want, got, 1e-9, text)
	}
	for _, text := range []string{"", "fast", "0/s", "-1/s", "5/d", "1e9/s", "NaN/s"} {
		_, err := rateOf(text)
		require.Error(t, err, text)
	}
}

// What is asked for without a word about which, who or why is refused before anything is
// done.
func TestReplayAndDiscardSayWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for want, given := range map[string][]string{
		"name events, or narrow them":              {"replay", "--by", "pat", "--why", "x"},
		"say who commands and why":                 {"replay", "parked/rentvine/1", "--by", "pat"},
		"give ids or filters, not both":            {"replay", "parked/rentvine/1", "--all", "--by", "pat", "--why", "x"},
		"give --all to discard":                    {"discard", "--type", "lease.updated", "--by", "pat", "--why", "x"},
		"only parked events can be discarded":      {"discard", "--all", "--state", "failed", "--by", "pat", "--why", "x"},
		"what is replayed or discarded is over":    {"replay", "--all", "--state", "replayed", "--by", "pat", "--why", "x"},
		"--rate must be such as":                   {"replay", "--all", "--rate", "fast", "--by", "pat", "--why", "x"},
		"--state must be one of parked, replayed,": {"list", "--state", "lost"},
		"which command?":                           {},
	} {
		c := command{t: t, dir: t.TempDir(), settings: map[string]string{"TEMPORAL_ADDRESS": nowhere}}
		s := c.run(append([]string{"events"}, given...)...)
		require.ErrorContains(t, s.failed, want)
		require.ErrorAs(t, s.failed, new(usageError), want)
	}
}

// run lets an act meet events; slow and bad are those that take until the end and fail.
func tryAll(t *testing.T, a actRun, n int, bad func(int) bool, slow func(int) bool) ([]actResult, int) {
	t.Helper()
	var mu sync.Mutex
	tried, good := 0, 0
	rest := make(chan struct{})
	expected := 0
	var rows []eventRow
	at := map[string]int{}
	for i := range n {
		id := fmt.Sprintf("parked/rentvine/%d", i)
		at[id] = i
		rows = append(rows, eventRow{ID: id, Source: "rentvine", Type: "lease.updated", State: stateParked})
		if !bad(i) && !slow(i) {
			expected++
		}
	}
	a.do = func(ctx context.Context, r eventRow, c durable.Command) (string, error) {
		i := at[r.ID]
		mu.Lock()
		tried++
		mu.Unlock()
		switch {
		case slow(i):
			select { // until all others are done
			case <-rest:
			case <-ctx.Done():
			}
			return "", errors.New("no answer in time")
		case bad(i):
			return "", errors.New("no workflow takes it")
		}
		mu.Lock()
		defer mu.Unlock()
		if good++; good == expected {
			close(rest)
		}
		return "lease/1", nil
	}
	results := a.all(t.Context(), rows, func(actResult) {})
	return results, tried
}

func counted(results []actResult) map[string]int {
	count := map[string]int{}
	for _, r := range results {
		count[r.Outcome]++
	}
	return count
}

func never(int) bool { return false }

// Events that fail, and events that hang, hold up no other.
func TestPoisonHoldsUpNobody(t *testing.T) {
	t.Parallel()
	a := actRun{actOptions: actOptions{verb: "replay", done: "replayed", by: "pat", why: "x"}, perSecond: 10_000}
	results, tried := tryAll(t, a, 300, func(i int) bool { return i%10 == 1 }, func(i int) bool { return i == 0 || i == 50 })
	require.Equal(t, map[string]int{"replayed": 268, "failed": 32}, counted(results))
	require.Equal(t, 300, tried)
	require.Equal(t, "lease/1", results[2].SentTo)
	require.ErrorContains(t, (&a.actOptions).summary(new(bytes.Buffer), results, 0), "32 could not be replayed")
}

// Where nobody answers, ten thousand are not tried.
func TestReplayStopsWhereNothingWorks(t *testing.T) {
	t.Parallel()
	a := actRun{actOptions: actOptions{verb: "replay", done: "replayed"}, perSecond: 500}
	results, tried := tryAll(t, a, 10_000, func(int) bool { return true }, never)
	require.Less(t, tried, 10_000)
	require.Equal(t, tried, counted(results)[outcomeFailed])
	require.Equal(t, 10_000-tried, counted(results)[outcomeStopped])
}

func TestReplayKeepsToItsRate(t *testing.T) {
	t.Parallel()
	began := time.Now()
	a := actRun{actOptions: actOptions{verb: "replay", done: "replayed"}, perSecond: 50}
	results, _ := tryAll(t, a, 11, never, never)
	require.Equal(t, 11, counted(results)["replayed"])
	require.GreaterOrEqual(t, time.Since(began), 195*time.Millisecond)
}

func TestWhatIsSettledWithoutTrying(t *testing.T) {
	t.Parallel()
	bulk := actRun{actOptions: actOptions{verb: "replay", done: "replayed"}}
	named := bulk
	named.byName = true
	dry := bulk
	dry.dry = true
	discard := actRun{actOptions: actOptions{verb: "discard", done: "discarded"}}
	good := eventRow{Source: ingress.SourceRentVine, Type: "lease.updated", State: stateParked}
	mail := eventRow{Source: ingress.SourceMail, Type: "lead_mail.no_unit", State: stateParked}
	unknown := eventRow{Source: ingress.SourceRentVine, Type: "tenant.sneezed", State: stateParked}
	terminated := eventRow{Type: "sales.sale", State: stateFailed, status: enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED}
	lost := eventRow{failure: errors.New("there is no such event")}
	for _, c := range []struct {
		run     actRun
		row     eventRow
		outcome string
	}{
		{bulk, good, ""}, {dry, good, outcomeWould},
		{bulk, mail, outcomePassed}, {dry, mail, outcomePassed}, {discard, mail, ""},
		{bulk, unknown, outcomePassed}, {named, unknown, ""}, {discard, unknown, ""},
		{bulk, terminated, outcomePassed}, {named, terminated, ""},
		{named, lost, outcomeFailed},
	} {
		outcome, why := c.run.ahead(c.row)
		require.Equal(t, c.outcome, outcome, c.row.Type)
		require.Equal(t, outcome == outcomePassed || outcome == outcomeFailed, why != "")
	}
	require.Contains(t, advice(mail), "cannot be replayed")
	require.Contains(t, advice(unknown), "No workflow of this build takes tenant.sneezed")
	require.Equal(t, "Replay it, or discard it.", advice(good))
	require.Contains(t, advice(terminated), "replay it")
}

func TestWhyAWorkflowIsStuck(t *testing.T) {
	t.Parallel()
	pending := func(attempt int32, failure *failurepb.Failure) *workflowservice.DescribeWorkflowExecutionResponse {
		return &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: []*workflowpb.PendingActivityInfo{{
			ActivityType: &commonpb.ActivityType{Name: "rentvine.read_lease"}, Attempt: attempt, LastFailure: failure,
		}}}
	}
	failure := &failurepb.Failure{Message: "Ana's lease", FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
		ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "forbidden"},
	}}
	for want, d := range map[string]*workflowservice.DescribeWorkflowExecutionResponse{
		"":                                      pending(stuckAfter-1, failure),
		"workflow task, try 9":                  {PendingWorkflowTask: &workflowpb.PendingWorkflowTaskInfo{Attempt: 9}},
		"rentvine.read_lease, try 7: forbidden": pending(7, failure),
		"rentvine.read_lease, try 8: timeout":   pending(8, &failurepb.Failure{}),
	} {
		require.Equal(t, want, whyStuck(d))
	}
}

func TestEventTables(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, writeEvents(&b, stateParked, nil))
	require.Empty(t, b.String())
	require.NoError(t, writeEvents(&b, stateReplayed, []eventRow{{
		ID: "parked/rentvine/1", Source: "rentvine", Type: "lease.updated", At: asOf, By: "pat\n", Why: "a \x1b[31mdeploy", SentTo: "lease/1",
	}}))
	require.Equal(t, "received              source    type           reason  by   why           sent to  id\n"+
		"2026-03-02T10:00:00Z  rentvine  lease.updated  -       pat  a [31mdeploy  lease/1  parked/rentvine/1\n", b.String())
}

// Work that goes on by itself is not begun anew, whoever names it.
func TestOnlyAFailingTaskIsReset(t *testing.T) {
	t.Parallel()
	failing := &failurepb.Failure{FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "forbidden"}}}
	activity := &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: []*workflowpb.PendingActivityInfo{{
		ActivityType: &commonpb.ActivityType{Name: "rentvine.read_lease"}, Attempt: 900, LastFailure: failing,
	}}}
	task := &workflowservice.DescribeWorkflowExecutionResponse{PendingWorkflowTask: &workflowpb.PendingWorkflowTaskInfo{Attempt: stuckAfter}}
	both := &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: activity.PendingActivities, PendingWorkflowTask: task.PendingWorkflowTask}
	for _, c := range []struct {
		d       *workflowservice.DescribeWorkflowExecutionResponse
		outcome string
		advice  string
	}{
		{activity, outcomePassed, "its activity is tried again by itself"}, {task, "", "reset-a-stuck-workflow.md"}, {both, "", "reset-a-stuck-workflow.md"},
	} {
		r := eventRow{ID: "lease/1", Type: "leasing.lease", State: "running"}
		require.True(t, r.stuckBy(c.d))
		require.Contains(t, advice(r), c.advice)
		for _, byName := range []bool{true, false} {
			outcome, why := actRun{actOptions: actOptions{verb: "replay", done: "replayed"}, byName: byName}.ahead(r)
			require.Equal(t, c.outcome, outcome)
			require.Equal(t, c.outcome != "", strings.Contains(why, "its activity goes on by itself"))
		}
	}
	well := eventRow{State: "running"}
	require.False(t, well.stuckBy(&workflowservice.DescribeWorkflowExecutionResponse{}))
	require.Equal(t, "running", well.State)
}

// A parked event whose holder had ended has gone nowhere: it is held again.
func TestAHolderThatEndedHoldsItsEventAgain(t *testing.T) {
	t.Parallel()
	row := eventRow{ID: "parked/rentvine/1", Type: "lease.updated", State: stateFailed, workflow: partnersync.ParkedEventName}
	o := actOptions{verb: "replay", done: "replayed"}
	do := func(context.Context, eventRow, durable.Command) (string, error) { return "run-2", nil }
	results := actRun{actOptions: o, perSecond: 1000, byName: true, do: do}.all(t.Context(), []eventRow{row, {ID: "lease/1", State: stateFailed}}, func(actResult) {})
	require.Equal(t, actResult{ID: row.ID, Outcome: outcomeHeld, SentTo: "run-2", Why: "replay or discard it now"}, results[0])
	require.Equal(t, outcomeWouldHold, actRun{actOptions: actOptions{verb: "replay", done: "replayed", dry: true}}.all(t.Context(), []eventRow{row}, func(actResult) {})[0].Outcome)
	var said bytes.Buffer
	require.NoError(t, o.summary(&said, results, 0))
	require.Equal(t, "1 replayed, 0 failed, 0 passed over; parked events held again, to be replayed or discarded then: 1\n", said.String())
}
