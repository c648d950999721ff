package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	deploymentpb "go.temporal.io/api/deployment/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/store"
)

var statusNow = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// judged requires a level, and words that a check says or advises.
func judged(t *testing.T, c check, want level, words ...string) {
	t.Helper()
	require.Equal(t, want, c.Level, c.Says)
	for _, w := range words {
		require.Contains(t, c.Says+" "+c.Do, w)
	}
	require.NotEmpty(t, c.Name)
	require.NotEmpty(t, c.Says)
	require.Equal(t, c.Level != levelOK, c.Do != "", "what needs somebody says what to do: %s %s", c.Name, c.Do)
}

func TestAQueueIsJudgedByWhoPollsIt(t *testing.T) {
	t.Parallel()
	polled := func(ago time.Duration, build string) *taskqueuepb.PollerInfo {
		p := &taskqueuepb.PollerInfo{LastAccessTime: timestamppb.New(statusNow.Add(-ago))}
		if build != "" {
			p.DeploymentOptions = &deploymentpb.WorkerDeploymentOptions{BuildId: build, WorkerVersioningMode: enumspb.WORKER_VERSIONING_MODE_VERSIONED}
		}
		return p
	}
	judge := func(current string, waiting queueFacts, pollers ...*taskqueuepb.PollerInfo) check {
		d := &workflowservice.DescribeTaskQueueResponse{Pollers: pollers}
		if current != "" {
			d.VersioningInfo = &taskqueuepb.TaskQueueVersioningInfo{CurrentDeploymentVersion: &deploymentpb.WorkerDeploymentVersion{BuildId: current}}
		}
		f := factsOf(enumspb.TASK_QUEUE_TYPE_ACTIVITY, d, statusNow)
		f.waiting, f.oldest = waiting.waiting, waiting.oldest
		return judgeQueue("q", []queueFacts{f})
	}
	judged(t, judge("", queueFacts{}, polled(70*time.Second, "")), levelOK, "1 worker", "nothing waits")
	judged(t, judge("", queueFacts{}, polled(2*time.Minute, "")), levelBad, "no worker takes its activity tasks", "keyholder worker")
	judged(t, judge("", queueFacts{}), levelBad, "no worker takes")
	judged(t, judge("b2", queueFacts{}, polled(time.Second, "b2"), polled(time.Second, "b1")), levelOK, "1 worker,")
	judged(t, judge("b2", queueFacts{}, polled(time.Second, "b1"), polled(time.Second, "")), levelBad, "current version b2", "2 of others")
	judged(t, judge("", queueFacts{}, polled(time.Second, "b1")), levelBad, "none is current", "set-current-version")
	judged(t, judge("", queueFacts{waiting: 1, oldest: 5 * time.Second}, polled(0, "")), levelOK, "1 task waits")
	judged(t, judge("", queueFacts{waiting: 400, oldest: 5 * time.Minute}, polled(0, "")), levelLook, "400 tasks wait, the oldest for 5m0s", "more workers")
}

func TestOneKindOfTasksWithoutWorkersIsEnough(t *testing.T) {
	t.Parallel()
	c := judgeQueue("keyholder", []queueFacts{
		{kind: enumspb.TASK_QUEUE_TYPE_ACTIVITY, workers: 2, right: 2}, {kind: enumspb.TASK_QUEUE_TYPE_WORKFLOW},
	})
	judged(t, c, levelBad, "workflow tasks")
	require.Equal(t, map[string]int64{"activity_workers": 2, "activity_waiting": 0, "workflow_workers": 0, "workflow_waiting": 0}, c.Counts)
}

func TestDeploymentAndNamespaceAreJudged(t *testing.T) {
	t.Parallel()
	version := func(id string) *worker.WorkerDeploymentVersion {
		return &worker.WorkerDeploymentVersion{DeploymentName: "keyholder", BuildID: id}
	}
	judged(t, judgeDeployment("keyholder", client.WorkerDeploymentRoutingConfig{}), levelLook, "no version is current", "set-current-version")
	judged(t, judgeDeployment("keyholder", client.WorkerDeploymentRoutingConfig{CurrentVersion: version("b1"), RampingVersion: version("b2"), RampingVersionPercentage: 5}), levelOK, "b1 is current, b2 gets 5 %")
	judged(t, judgeNamespace("default", nil), levelOK, "default")
	judged(t, judgeNamespace("default", []cluster.Finding{{What: "search attribute Stage", Have: "missing", Want: "Keyword"}}), levelBad, "search attribute Stage", "keyholder setup")
}

func TestSchedulesAreJudgedEachAndTogether(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return statusNow.Add(d) }
	list := judgeSchedules([]scheduleFacts{
		{id: "well", last: at(-time.Hour), next: at(time.Hour)},
		{id: "paused", paused: true, last: at(-48 * time.Hour)},
		{id: "late", next: at(-20 * time.Minute)},
		{id: "missed", last: at(-time.Minute), next: at(2 * time.Hour), missed: 3},
	}, []string{"well", "gone"}, statusNow)
	levels := map[string]level{}
	for _, c := range list {
		levels[c.Name] = c.Level
	}
	require.Equal(t, map[string]level{
		"schedules": levelOK, "schedule paused": levelLook, "schedule late": levelBad, "schedule missed": levelOK, "schedule gone": levelBad,
	}, levels)
	judged(t, list[0], levelOK, "2 of 4 are well", "last missed 1m0s ago", "next well in 1h0m")
	judged(t, list[1], levelLook, "paused", "2 days ago", "--schedule-id paused")
	judged(t, list[3], levelOK, "missed 3 runs")
	judged(t, list[4], levelBad, "schedules apply")
}

func TestWorkIsJudged(t *testing.T) {
	t.Parallel()
	judged(t, judgeEmergencies(0, 0, nil), levelOK, "nobody")
	judged(t, judgeEmergencies(2, 0, nil), levelOK, "2 being paged")
	judged(t, judgeEmergencies(2, 1, []string{"work-order/7"}), levelLook, "1 of 2 being paged is not acknowledged", "work-order/7", "acknowledge")
	judged(t, judgePromises(4, 0, nil), levelOK, "4 open work orders")
	judged(t, judgePromises(9, 5, []string{"work-order/1", "work-order/2", "work-order/3"}), levelLook, "5 of 9", "work-order/3 and 2 more")
	judged(t, judgeParked(0, time.Time{}, statusNow), levelOK, "none")
	judged(t, judgeParked(3, statusNow.Add(-90*time.Minute), statusNow), levelLook, "3 wait for somebody, the oldest for 1h30m", "events list")
	judged(t, judgeStuck(nil, 12, false), levelOK, "none of 12 running")
	judged(t, judgeStuck(nil, 200, true), levelOK, "newest 200")
	trying := eventRow{ID: "lease/1", Reason: "rentvine.read_lease, try 9: unavailable", trying: true}
	judged(t, judgeStuck([]eventRow{trying}, 12, false), levelLook, "lease/1", "tried again by itself")
	judged(t, judgeStuck([]eventRow{trying, {ID: "lease/2", Reason: "workflow task, try 9"}}, 12, false), levelBad, "lease/2: workflow task", "deploy")
	judged(t, judgeFailed(nil, false), levelOK, "none")
	judged(t, judgeFailed([]eventRow{{ID: "sale/1", Reason: "timed out"}}, true), levelLook, "1 or more", "sale/1: timed out")
	open := describeOpen(map[string]int64{"a.a": 1, "b.b": 20, "c.c": 3, "d.d": 4, "e.e": 5, "f.f": 6, "g.g": 7})
	judged(t, open, levelOK, "46 open: 20 b.b, 7 g.g", "and 1 more types")
	require.Len(t, open.Counts, 7)
}

func TestWhatTheStoreKnowsIsJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, want int64
		err        error
		level      level
		good       bool
	}{{41, 41, nil, levelOK, true}, {40, 41, nil, levelLook, false}, {42, 41, nil, levelLook, false}, {0, 0, errors.New("no route"), levelBad, false}} {
		line, good := judgeSchema(c.have, c.want, c.err)
		judged(t, line, c.level)
		require.Equal(t, c.good, good)
	}
	at := func(r activities.Reconciled) activities.ReconcileState {
		r.Began = statusNow
		return activities.ReconcileState{Last: r, FullAt: statusNow}
	}
	judged(t, judgeComparison(comparisonFacts{}), levelOK, "none has come to its end yet")
	judged(t, judgeComparison(comparisonFacts{waiting: 7 * time.Hour}), levelLook, "7h0m", "sync status")
	judged(t, judgeComparison(comparisonFacts{age: time.Hour, full: 20 * time.Hour, state: at(activities.Reconciled{})}), levelOK, "1h0m ago", "20h0m ago")
	judged(t, judgeComparison(comparisonFacts{every: 10 * time.Minute, age: time.Hour, state: at(activities.Reconciled{})}), levelLook)
	judged(t, judgeComparison(comparisonFacts{age: time.Hour, full: 60 * time.Hour, state: at(activities.Reconciled{})}), levelLook, "2 days ago")
	judged(t, judgeComparison(comparisonFacts{state: at(activities.Reconciled{Untold: 2, Failed: []activities.FailedKind{{Kind: "bills", Why: "forbidden"}}})}),
		levelLook, "2 records could not be told of", "all bills (forbidden)")
	hour := store.Limit{Calls: 1000, Window: time.Hour}
	judged(t, judgeCalls(hour, 800), levelOK, "800 of 1000 left in 1h")
	judged(t, judgeCalls(hour, 0), levelLook, "another program")
	judged(t, judgeCalls(store.Limit{Calls: 100, Window: time.Minute}, 0), levelOK)
}

func TestTheTokenOfQuickBooksIsJudged(t *testing.T) {
	t.Parallel()
	kept := func(until time.Duration) []byte {
		text, err := json.Marshal(map[string]any{"access": "secret-a", "refresh": "secret-r", "use_until": statusNow.Add(until)})
		require.NoError(t, err)
		return text
	}
	judged(t, judgeToken(nil, 0, nil, statusNow), levelOK, "no token kept yet")
	judged(t, judgeToken(kept(time.Hour), 1, nil, statusNow), levelOK, "good for 1h0m")
	judged(t, judgeToken(kept(-time.Hour), 1, nil, statusNow), levelOK, "next call refreshes it")
	judged(t, judgeToken(kept(-90*24*time.Hour), 1, nil, statusNow), levelLook, "90 days", "authorise")
	judged(t, judgeToken(nil, 1, errors.New("no key opens it"), statusNow), levelBad, "KEYHOLDER_TOKEN_KEY")
	c := judgeToken([]byte(`"secret-a`), 1, nil, statusNow)
	judged(t, c, levelBad, "cannot be read")
	require.NotContains(t, c.Says, "secret")
}

// A question that fails, or that heeds no time limit, is a line; the others are answered.
func TestWhatDoesNotAnswerIsALine(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	defer close(stop)
	began := time.Now()
	all := askAll(t.Context(), []question{
		{"deaf", func(context.Context) ([]check, error) { <-stop; return nil, nil }},
		{"late", func(ctx context.Context) ([]check, error) { <-ctx.Done(); return nil, ctx.Err() }},
		{"failing", func(context.Context) ([]check, error) { return nil, errors.New("two\nlines") }},
		{"well", func(context.Context) ([]check, error) { return []check{fine("well", "yes")}, nil }},
	}, 200*time.Millisecond)
	require.Less(t, time.Since(began), 30*time.Second)
	require.Len(t, all, 4)
	judged(t, all[0], levelBad, "no answer within 200ms")
	judged(t, all[1], levelBad, "no answer within 200ms")
	judged(t, all[2], levelBad, "cannot be read: two lines")
	judged(t, all[3], levelOK)
}

func TestWhatAStatusPrints(t *testing.T) {
	t.Parallel()
	s := systemStatus{At: statusNow, Checks: []check{
		fine("temporal", "server 1.29.1"),
		{Name: "parked events", Level: levelLook, Says: "1 waits", Do: "replay it", Filter: "WorkflowType = 'a.b' AND ExecutionStatus = 'Running'"},
	}}
	s.finish("http://localhost:8233/", "default")
	require.Equal(t, levelLook, s.Level)
	link := "http://localhost:8233/namespaces/default/workflows?query=WorkflowType+%3D+%27a.b%27+AND+ExecutionStatus+%3D+%27Running%27"
	require.Equal(t, link, s.Checks[1].Link)
	var plain, linked strings.Builder
	require.NoError(t, s.write(&plain, false))
	require.Equal(t, "ok    temporal       server 1.29.1\nlook  parked events  1 waits\n                       -> replay it\n\n2026-11-23T10:00:00Z: 1 needs somebody\n", plain.String())
	require.NoError(t, s.write(&linked, true))
	require.Contains(t, linked.String(), link)

	s.Checks = append(s.Checks, check{Name: "store", Level: levelBad, Says: "away", Do: "start it"}, check{Name: "x", Level: levelLook, Says: "y", Do: "z"})
	s.finish("", "default")
	require.Equal(t, levelBad, s.Level)
	require.Equal(t, "1 does not work, 2 need somebody", s.sum())
	require.Equal(t, "all is well", systemStatus{Checks: []check{fine("a", "b")}}.sum())
}

func TestDurationsAreSaidShortly(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0s": -time.Second, "40s": 40 * time.Second, "4m0s": 4 * time.Minute, "3m30s": 210 * time.Second, "4m5s": 4*time.Minute + 5*time.Second,
		"1h0m": time.Hour, "26h3m": 26*time.Hour + 3*time.Minute, "3 days": 80 * time.Hour,
	} {
		require.Equal(t, want, howLong(d))
	}
}
