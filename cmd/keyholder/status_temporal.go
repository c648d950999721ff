package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// pollsWithin is how long ago a worker has polled at most that is up: a poll lasts a
	// minute, and the server remembers when it began.
	pollsWithin = 90 * time.Second
	// waitsTooLong is from when on a backlog is worth a look.
	waitsTooLong = time.Minute
	// firesWithin is how late a Schedule may be.
	firesWithin = 10 * time.Minute
	// mostSchedules bounds how many are read.
	mostSchedules = 100
)

// askCluster asks which server it is, and whether the namespace is as it has to be.
func (a *statusSources) askCluster(ctx context.Context) ([]check, error) {
	info, err := a.temporal.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		return nil, err
	}
	list := []check{fine("temporal", "server %s", info.GetServerVersion())}
	report, err := cluster.Check(ctx, a.temporal, cluster.SetupOptions{Namespace: a.namespace})
	if err != nil {
		return nil, err
	}
	return append(list, judgeNamespace(a.namespace, report.Findings)), nil
}

func judgeNamespace(namespace string, findings []cluster.Finding) check {
	if len(findings) == 0 {
		return fine("namespace", "%s, set up", namespace)
	}
	var what []string
	for _, f := range findings {
		what = append(what, f.String())
	}
	return check{Name: "namespace", Level: levelBad, Says: namespace + ": " + strings.Join(what, "; "), Do: "run \"keyholder setup\""}
}

// polledQueue is a task queue and the kinds of tasks that workers poll it for.
type polledQueue struct {
	name  string
	kinds []enumspb.TaskQueueType
}

func polledQueues() []polledQueue {
	var list []polledQueue
	for _, name := range worker.Queues() {
		q := polledQueue{name: name, kinds: []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_ACTIVITY}}
		if name == workflows.TaskQueue {
			q.kinds = append(q.kinds, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
		}
		list = append(list, q)
	}
	return list
}

// queueFacts is what the server says of one kind of tasks of a queue.
type queueFacts struct {
	kind enumspb.TaskQueueType
	// workers polls it lately; of those, right are of the version that gets the tasks.
	workers, right int
	// version gets the tasks, "" where workers have none.
	version string
	waiting int64
	oldest  time.Duration
	perHour float64
}

func (a *statusSources) askQueue(ctx context.Context, q polledQueue) ([]check, error) {
	var facts []queueFacts
	for _, kind := range q.kinds {
		d, err := a.temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace: a.namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: q.name, Kind: enumspb.TASK_QUEUE_KIND_NORMAL}, TaskQueueType: kind, ReportStats: true,
		})
		if err != nil {
			return nil, err
		}
		facts = append(facts, factsOf(kind, d, time.Now()))
	}
	return []check{judgeQueue(q.name, facts)}, nil
}

func factsOf(kind enumspb.TaskQueueType, d *workflowservice.DescribeTaskQueueResponse, now time.Time) queueFacts {
	stats := d.GetStats()
	f := queueFacts{
		kind: kind, version: d.GetVersioningInfo().GetCurrentDeploymentVersion().GetBuildId(),
		waiting: stats.GetApproximateBacklogCount(), oldest: stats.GetApproximateBacklogAge().AsDuration(), perHour: 3600 * float64(stats.GetTasksDispatchRate()),
	}
	for _, p := range d.GetPollers() {
		if now.Sub(p.GetLastAccessTime().AsTime()) > pollsWithin {
			continue
		}
		f.workers++
		options := p.GetDeploymentOptions()
		versioned := options.GetWorkerVersioningMode() == enumspb.WORKER_VERSIONING_MODE_VERSIONED
		if (f.version == "" && !versioned) || (f.version != "" && versioned && options.GetBuildId() == f.version) {
			f.right++
		}
	}
	return f
}

func judgeQueue(name string, facts []queueFacts) check {
	c := check{Name: "queue " + name, Level: levelOK, Counts: map[string]int64{}}
	workers, waiting, oldest, perHour := -1, int64(0), time.Duration(0), 0.0
	for _, f := range facts {
		kind := strings.ToLower(f.kind.String())
		c.Counts[kind+"_workers"], c.Counts[kind+"_waiting"] = int64(f.right), f.waiting
		waiting, oldest, perHour = waiting+f.waiting, max(oldest, f.oldest), perHour+f.perHour
		if workers < 0 || f.right < workers {
			workers = f.right
		}
		if f.right > 0 || c.Level == levelBad {
			continue
		}
		c.Level = levelBad
		c.Says, c.Do = fmt.Sprintf("no worker takes its %s tasks", kind), "start \"keyholder worker\"; with --queues, one that has this queue"
		if f.workers > 0 && f.version != "" {
			c.Says = fmt.Sprintf("no worker of the current version %s takes its %s tasks; %d of others do not get any", f.version, kind, f.workers)
			c.Do = "start workers of that build, or make that of the running ones current: temporal worker deployment set-current-version"
		} else if f.workers > 0 {
			c.Says = fmt.Sprintf("its %d %s a version, and none is current: %s tasks go to nobody", f.workers, plural(f.workers, "worker has", "workers have"), kind)
			c.Do = "make their build current: temporal worker deployment set-current-version"
		}
	}
	if c.Level != levelBad {
		c.Says = fmt.Sprintf("%d %s", workers, plural(workers, "worker", "workers"))
	}
	if waiting == 0 {
		c.Says += ", nothing waits"
	} else {
		c.Says += fmt.Sprintf(", %d %s, the oldest for %s", waiting, plural(waiting, "task waits", "tasks wait"), howLong(oldest))
	}
	if perHour >= 1 {
		c.Says += fmt.Sprintf(", %.0f an hour", perHour)
	}
	if c.Level == levelOK && oldest > waitsTooLong {
		c.Level, c.Do = levelLook, "start more workers for it, where it does not shrink; QuickBooks and OpenMoove have limits that hold it back"
	}
	return c
}

// askDeployment asks which build gets the work.
func (a *statusSources) askDeployment(ctx context.Context) ([]check, error) {
	d, err := a.temporal.WorkerDeploymentClient().GetHandle(a.cfg.Deployment).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if errors.As(err, new(*serviceerror.NotFound)) {
		return []check{fine("deployment", "none is called %s: workers run without versions, or under another name (KEYHOLDER_DEPLOYMENT)", a.cfg.Deployment)}, nil
	}
	if err != nil {
		return nil, err
	}
	return []check{judgeDeployment(a.cfg.Deployment, d.Info.RoutingConfig)}, nil
}

func judgeDeployment(name string, r client.WorkerDeploymentRoutingConfig) check {
	if r.CurrentVersion == nil {
		return check{
			Name: "deployment", Level: levelLook, Says: "no version is current: workers with a build id get no work",
			Do: "temporal worker deployment set-current-version --deployment-name " + name + " --build-id ...",
		}
	}
	c := fine("deployment", "version %s is current", r.CurrentVersion.BuildID)
	if r.RampingVersion != nil {
		c.Says += fmt.Sprintf(", %s gets %.0f %%", r.RampingVersion.BuildID, r.RampingVersionPercentage)
	}
	return c
}

// scheduleFacts is what the server says of one Schedule.
type scheduleFacts struct {
	id         string
	paused     bool
	last, next time.Time
	// missed counts, since it was made, what was not caught up with.
	missed int
}

func (a *statusSources) askSchedules(ctx context.Context) ([]check, error) {
	found, err := a.temporal.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: mostSchedules})
	if err != nil {
		return nil, err
	}
	var facts []scheduleFacts
	for found.HasNext() && len(facts) < mostSchedules {
		s, err := found.Next()
		if err != nil {
			return nil, err
		}
		f := scheduleFacts{id: s.ID, paused: s.Paused}
		if n := len(s.RecentActions); n > 0 {
			f.last = s.RecentActions[n-1].ActualTime
		}
		if len(s.NextActionTimes) > 0 {
			f.next = s.NextActionTimes[0]
		}
		// The list does not tell what was missed.
		if d, err := a.temporal.ScheduleClient().GetHandle(ctx, s.ID).Describe(ctx); err == nil {
			f.missed = d.Info.NumActionsMissedCatchupWindow
		}
		facts = append(facts, f)
	}
	return judgeSchedules(facts, a.wantedSchedules(), time.Now()), nil
}

// wantedSchedules are those that the policy asks for, nil where none is configured.
func (a *statusSources) wantedSchedules() []string {
	if a.rules == nil {
		return nil
	}
	wanted, _ := workflows.Schedules(a.rules.Sales(), a.rules.Leasing("", ""), a.rules.Finance(), a.rules.Portfolio("", ""), a.rules.Sync(), durable.Clock{})
	var ids []string
	for _, w := range wanted {
		ids = append(ids, w.ID)
	}
	return ids
}

// judgeSchedules makes one line of all that are well, and one of each that is not.
func judgeSchedules(facts []scheduleFacts, wanted []string, now time.Time) []check {
	var well, there []string
	var list []check
	var next, last scheduleFacts
	for _, f := range facts {
		there = append(there, f.id)
		c := check{Name: "schedule " + f.id, Level: levelLook}
		switch {
		case f.paused:
			c.Says, c.Do = "paused, so nothing starts", fmt.Sprintf("where nobody meant it: temporal schedule toggle --unpause --schedule-id %s --reason \"...\"", f.id)
		case !f.next.IsZero() && now.Sub(f.next) > firesWithin:
			c.Level = levelBad
			c.Says, c.Do = fmt.Sprintf("should have run %s ago", howLong(now.Sub(f.next))), "see that Temporal's own worker service runs; trigger it in the Web UI meanwhile"
		default:
			well = append(well, f.id)
			if !f.next.IsZero() && (next.next.IsZero() || f.next.Before(next.next)) {
				next = f
			}
			if f.last.After(last.last) {
				last = f
			}
			if f.missed == 0 {
				continue
			}
			// Counted since it was made: worth a line, and nothing that anybody can undo.
			c.Level, c.Says = levelOK, fmt.Sprintf("has missed %d %s since it was made", f.missed, plural(f.missed, "run", "runs"))
		}
		if !f.last.IsZero() {
			c.Says += fmt.Sprintf("; last run %s ago", howLong(now.Sub(f.last)))
		}
		list = append(list, c)
	}
	for _, id := range wanted {
		if !slices.Contains(there, id) {
			list = append(list, check{Name: "schedule " + id, Level: levelBad, Says: "is not there", Do: "run \"keyholder schedules apply\""})
		}
	}
	all := fine("schedules", "%d of %d are well", len(well), len(facts))
	if !last.last.IsZero() {
		all.Says += fmt.Sprintf("; last %s %s ago", last.id, howLong(now.Sub(last.last)))
	}
	if !next.next.IsZero() {
		all.Says += fmt.Sprintf(", next %s in %s", next.id, howLong(next.next.Sub(now)))
	}
	return append([]check{all}, list...)
}
