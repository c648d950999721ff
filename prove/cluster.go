package prove

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
)

const (
	// callLimit bounds each question to the cluster.
	callLimit = 20 * time.Second
	// runsPage is how many runs are listed at a time.
	runsPage = 500
	// mostEvents is how much of a history is read.
	mostEvents = 20_000
	// mostBack is how many pages of a history are read from its end.
	mostBack = 5
)

// Cluster is a running Temporal cluster.
type Cluster struct {
	client    client.Client
	namespace string
	payloads  converter.DataConverter

	mu sync.Mutex
	// queues has the task queues that were asked, and whether anybody works on them.
	queues map[string]bool
}

var _ Temporal = (*Cluster)(nil)

// NewCluster asks the cluster of a client. The converter is the client's own, nil for the
// default one.
func NewCluster(c client.Client, namespace string, payloads converter.DataConverter) *Cluster {
	if payloads == nil {
		payloads = converter.GetDefaultDataConverter()
	}
	return &Cluster{client: c, namespace: namespace, payloads: payloads, queues: map[string]bool{}}
}

// absent makes ErrNoWorkflow of what Temporal says of a workflow that is not there.
func absent(err error) error {
	if errors.As(err, new(*serviceerror.NotFound)) {
		return ErrNoWorkflow
	}
	return err
}

// Latest implements Temporal.
func (c *Cluster) Latest(ctx context.Context, workflowID string) (WorkflowRun, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	d, err := c.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return WorkflowRun{}, absent(err)
	}
	return runOf(d.GetWorkflowExecutionInfo()), nil
}

func runOf(info *workflowpb.WorkflowExecutionInfo) WorkflowRun {
	r := WorkflowRun{
		WorkflowID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId(), Type: info.GetType().GetName(), Status: info.GetStatus(),
	}
	if at := info.GetCloseTime(); at != nil {
		r.EndedAt = at.AsTime()
	}
	return r
}

// Seen implements Temporal.
func (c *Cluster) Seen(ctx context.Context, workflowID string) (durable.Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	seen, err := durable.SeenEvents.Ask(ctx, c.client, workflowID, "")
	return seen, absent(err)
}

// Signalled implements Temporal. What a workflow could not read either is passed over.
func (c *Cluster) Signalled(ctx context.Context, workflowID, runID string, keys []string) (History, error) {
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	// The limit is for each page: a long history may take longer.
	limit := time.AfterFunc(callLimit, cancel)
	defer limit.Stop()
	said := History{Signalled: make(map[string]Signalled, len(keys))}
	handled := 0
	events := c.client.GetWorkflowHistory(reading, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for n := 0; handled < len(keys) && events.HasNext(); n++ {
		if n == mostEvents {
			said.Unread = fmt.Sprintf("it has more than %d events", mostEvents)
			return said, nil
		}
		limit.Reset(callLimit)
		event, err := events.Next()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return said, ctx.Err()
		case errors.Is(absent(err), ErrNoWorkflow):
			return said, ErrNoWorkflow
		default:
			said.Unread = err.Error()
			return said, nil
		}
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			if key := c.keyOf(event.GetWorkflowExecutionSignaledEventAttributes()); slices.Contains(keys, key) {
				said.Signalled[key] = Signalled{Found: true, Handled: said.Signalled[key].Handled}
			}
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			handled = len(said.Signalled)
			for key := range said.Signalled {
				said.Signalled[key] = Signalled{Found: true, Handled: true}
			}
		}
	}
	return said, nil
}

// keyOf is the key of the event that a signal brought, "" for what its workflow does not
// take for one.
func (c *Cluster) keyOf(signal *historypb.WorkflowExecutionSignaledEventAttributes) string {
	switch signal.GetSignalName() {
	case durable.EventReceived.Name:
		var e durable.Event
		if c.payloads.FromPayloads(signal.GetInput(), &e) == nil {
			return e.Key
		}
	case sales.MilestoneReported.Name:
		var r sales.MilestoneReport
		if c.payloads.FromPayloads(signal.GetInput(), &r) == nil {
			return r.Key
		}
	}
	return ""
}

// EndedBadly implements Temporal.
func (c *Cluster) EndedBadly(ctx context.Context, since, until time.Time, most int, each func(WorkflowRun) error) (bool, error) {
	query := fmt.Sprintf(`ExecutionStatus IN ("Failed", "Terminated", "TimedOut") AND CloseTime BETWEEN "%s" AND "%s"`,
		since.UTC().Format(time.RFC3339Nano), until.UTC().Format(time.RFC3339Nano))
	return c.list(ctx, query, most, each)
}

// EachRunning implements Temporal.
func (c *Cluster) EachRunning(ctx context.Context, most int, each func(WorkflowRun) error) (bool, error) {
	return c.list(ctx, `ExecutionStatus = "Running"`, most, each)
}

// list lists runs, at most most, and tells whether these were all.
func (c *Cluster) list(ctx context.Context, query string, most int, each func(WorkflowRun) error) (bool, error) {
	var token []byte
	for n := 0; ; {
		page, err := c.page(ctx, query, token)
		if err != nil {
			return false, err
		}
		for _, info := range page.GetExecutions() {
			if n == most {
				return false, nil
			}
			n++
			if err := each(runOf(info)); err != nil {
				return false, err
			}
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return true, nil
		}
	}
}

func (c *Cluster) page(ctx context.Context, query string, token []byte) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return c.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, PageSize: runsPage, NextPageToken: token})
}

// Troubles implements Temporal. What was tried once is under way, or waits for a worker.
func (c *Cluster) Troubles(ctx context.Context, workflowID string) ([]Trouble, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	d, err := c.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return nil, absent(err)
	}
	var list []Trouble
	if task := d.GetPendingWorkflowTask(); task != nil {
		trouble := Trouble{Since: task.GetOriginalScheduledTime().AsTime(), What: "a workflow task waits for a worker"}
		if task.GetAttempt() > 1 {
			trouble.What = fmt.Sprintf("a workflow task fails, %d tries", task.GetAttempt())
		}
		list = append(list, trouble)
	}
	for _, a := range d.GetPendingActivities() {
		if a.GetLastFailure() == nil {
			if a.GetState() == enumspb.PENDING_ACTIVITY_STATE_SCHEDULED {
				waits, err := c.waiting(ctx, a)
				if err != nil {
					return nil, err
				}
				list = append(list, waits)
			}
			continue
		}
		since, err := c.scheduledAt(ctx, d.GetWorkflowExecutionInfo().GetExecution(), a.GetActivityId())
		if err != nil {
			return nil, absent(err)
		}
		why := a.GetLastFailure().GetApplicationFailureInfo().GetType()
		if why == "" {
			why = "timeout or crash"
		}
		list = append(list, Trouble{Since: since, What: fmt.Sprintf("activity %s fails as %s, %d tries", a.GetActivityType().GetName(), why, a.GetAttempt())})
	}
	return list, nil
}

// waiting tells of an activity that was not tried yet: it waits its turn, unless its task
// queue has no worker.
func (c *Cluster) waiting(ctx context.Context, a *workflowpb.PendingActivityInfo) (Trouble, error) {
	t := Trouble{Since: a.GetScheduledTime().AsTime(), What: "activity " + a.GetActivityType().GetName() + " waits for a worker"}
	queue := a.GetActivityOptions().GetTaskQueue().GetName()
	if queue == "" {
		return t, nil
	}
	polled, err := c.polled(ctx, queue)
	if err == nil && polled {
		t.What, t.Queued = "activity "+a.GetActivityType().GetName()+" waits its turn", true
	}
	return t, err
}

// polled tells whether anybody asks a task queue for activities; it asks once.
func (c *Cluster) polled(ctx context.Context, queue string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if polled, known := c.queues[queue]; known {
		return polled, nil
	}
	d, err := c.client.DescribeTaskQueue(ctx, queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	if err != nil {
		return false, err
	}
	c.queues[queue] = len(d.GetPollers()) > 0
	return c.queues[queue], nil
}

// scheduledAt is when an activity was first to be done: what is pending says only when it is
// tried next. It is zero where that is too far back in the history.
func (c *Cluster) scheduledAt(ctx context.Context, run *commonpb.WorkflowExecution, activityID string) (time.Time, error) {
	request := &workflowservice.GetWorkflowExecutionHistoryReverseRequest{Namespace: c.namespace, Execution: run, MaximumPageSize: runsPage}
	for range mostBack {
		page, err := c.client.WorkflowService().GetWorkflowExecutionHistoryReverse(ctx, request)
		if err != nil {
			return time.Time{}, err
		}
		for _, event := range page.GetHistory().GetEvents() {
			if event.GetActivityTaskScheduledEventAttributes().GetActivityId() == activityID {
				return event.GetEventTime().AsTime(), nil
			}
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			break
		}
	}
	return time.Time{}, nil
}
