package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// NewEndings reads from a cluster how runs of workflows ended.
func NewEndings(c client.Client) activities.Endings { return endings{c} }

type endings struct{ client client.Client }

const (
	// endedPage is how many runs are listed at once.
	endedPage = 1000
	// endedWithin bounds each call.
	endedWithin = 20 * time.Second
	// scheduledBy is the server's search attribute of runs that a Schedule started.
	scheduledBy = "TemporalScheduledById"
)

// endedStatus are the statuses of runs that have ended; one that went on in another run has
// not.
var endedStatus = map[enumspb.WorkflowExecutionStatus]string{
	enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:  activities.EndedWell,
	enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:     "failed",
	enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:   "cancelled",
	enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED: "terminated",
	enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:  "timed out",
}

func endedQuery(from, to time.Time) string {
	return fmt.Sprintf("ExecutionStatus IN ('Completed', 'Failed', 'Canceled', 'Terminated', 'TimedOut') AND CloseTime >= '%s' AND CloseTime < '%s'",
		from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano))
}

func (e endings) CountEnded(ctx context.Context, from, to time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, endedWithin)
	defer cancel()
	n, err := e.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: endedQuery(from, to)})
	return int(n.GetCount()), err
}

func (e endings) ListEnded(ctx context.Context, from, to time.Time, token []byte) ([]activities.EndedRun, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, endedWithin)
	defer cancel()
	list, err := e.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: endedQuery(from, to), PageSize: endedPage, NextPageToken: token,
	})
	if err != nil {
		return nil, nil, err
	}
	runs := make([]activities.EndedRun, 0, len(list.GetExecutions()))
	for _, info := range list.GetExecutions() {
		runs = append(runs, EndedRunOf(info))
	}
	return runs, list.GetNextPageToken(), nil
}

// EndedRunOf is a run that has ended as a list or a description tells it.
func EndedRunOf(info *workflowpb.WorkflowExecutionInfo) activities.EndedRun {
	_, scheduled := info.GetSearchAttributes().GetIndexedFields()[scheduledBy]
	return activities.EndedRun{
		WorkflowID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId(), Type: info.GetType().GetName(),
		At: info.GetCloseTime().AsTime(), Status: endedStatus[info.GetStatus()], Scheduled: scheduled,
	}
}

func (e endings) Ending(ctx context.Context, run activities.EndedRun) (activities.Ending, error) {
	ctx, cancel := context.WithTimeout(ctx, endedWithin)
	defer cancel()
	if run.Status == endedStatus[enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED] {
		return e.terminated(ctx, run)
	}
	var result json.RawMessage
	err := e.client.GetWorkflow(ctx, run.WorkflowID, run.RunID).GetWithOptions(ctx, &result, client.WorkflowRunGetOptions{DisableFollowingRuns: true})
	var failed *temporal.WorkflowExecutionError
	switch {
	case errors.As(err, &failed):
		return activities.Ending{Why: FailureKind(failed), Notes: durable.NotesLeft(failed)}, nil
	case ctx.Err() != nil:
		return activities.Ending{}, ctx.Err()
	case errors.As(err, new(*serviceerror.NotFound)):
		return activities.Ending{}, nil
	case isServiceError(err):
		return activities.Ending{}, err
	case err != nil:
		return activities.Ending{Unread: true}, nil
	}
	var left struct {
		Trail []durable.Note `json:"trail"`
	}
	// A result that is no object, or holds something else by that name, has no notes.
	if json.Unmarshal(result, &left) != nil {
		left.Trail = nil
	}
	return activities.Ending{Notes: left.Trail}, nil
}

// terminated reads the reason that was given for a termination.
func (e endings) terminated(ctx context.Context, run activities.EndedRun) (activities.Ending, error) {
	history := e.client.GetWorkflowHistory(ctx, run.WorkflowID, run.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if errors.As(err, new(*serviceerror.NotFound)) {
			return activities.Ending{}, nil
		}
		if err != nil {
			return activities.Ending{}, err
		}
		if said := event.GetWorkflowExecutionTerminatedEventAttributes(); said != nil {
			return activities.Ending{Why: said.GetReason()}, nil
		}
	}
	return activities.Ending{}, nil
}

// isServiceError tells an answer of the server from a result that cannot be read.
func isServiceError(err error) bool {
	var e serviceerror.ServiceError
	return errors.As(err, &e)
}

// FailureKind says in a word why a workflow failed: the outermost type that somebody gave
// an error, such as "not_delivered". Messages may hold what nobody else should read.
func FailureKind(err error) string {
	var app *temporal.ApplicationError
	for rest := err; errors.As(rest, &app); rest = errors.Unwrap(app) {
		// Without a type, errors carry the name of their type in Go.
		if kind := app.Type(); kind != "" && !strings.HasSuffix(kind, "Error") && kind != "errorString" {
			return kind
		}
	}
	switch {
	case errors.As(err, new(*temporal.TimeoutError)):
		return "timeout"
	case temporal.IsCanceledError(err):
		return "cancelled"
	}
	return "failed"
}
