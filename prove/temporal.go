package prove

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/aictive/keyholder/workflows/durable"
)

// ErrNoWorkflow says that Temporal knows no such workflow or run.
var ErrNoWorkflow = errors.New("Temporal knows no such workflow")

// A WorkflowRun is a run of a workflow as Temporal knows it.
type WorkflowRun struct {
	WorkflowID, RunID, Type string
	Status                  enumspb.WorkflowExecutionStatus
	// EndedAt is zero while it runs (real time).
	EndedAt time.Time
}

// Running tells whether the run goes on.
func (r WorkflowRun) Running() bool {
	return r.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || r.Status == enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED
}

// badly tells whether the run has ended otherwise than by its own decision.
func (r WorkflowRun) badly() bool {
	switch r.Status {
	case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return true
	}
	return false
}

// A Trouble is work of a running workflow that fails again and again, or that nobody does.
type Trouble struct {
	// Since is when it was first to be done (real time), zero where that is long ago.
	Since time.Time
	// What is one line without personal data, such as "activity rentvine.read fails as
	// unavailable, 12 tries".
	What string
	// Queued: it has not been tried, and there are workers that will.
	Queued bool
}

func (t Trouble) line() string {
	if t.Since.IsZero() {
		return t.What
	}
	return t.What + ", since " + stamp(t.Since)
}

// Signalled is what a history says of an event.
type Signalled struct {
	// Found: the run has received it. Handled: it has decided since.
	Found, Handled bool
}

// A History is what the history of a run says of the events that it was asked for.
type History struct {
	// Signalled has those that the run has received, by key.
	Signalled map[string]Signalled
	// Unread is why it could not be read to its end, "" where it was, or needed not be.
	Unread string
}

// Temporal is what is asked of the cluster. Whatever it is asked of a workflow that is
// not there is ErrNoWorkflow.
type Temporal interface {
	// Latest is the last run of a workflow.
	Latest(ctx context.Context, workflowID string) (WorkflowRun, error)
	// Seen asks the last run which events it has taken.
	Seen(ctx context.Context, workflowID string) (durable.Seen, error)
	// Signalled looks events up in the history of a run, which is read once.
	Signalled(ctx context.Context, workflowID, runID string, keys []string) (History, error)
	// EndedBadly lists the runs that failed, were terminated or timed out in a period, at
	// most most, the latest first, and tells whether these were all.
	EndedBadly(ctx context.Context, since, until time.Time, most int, each func(WorkflowRun) error) (all bool, err error)
	// EachRunning lists the running workflows, at most most, the latest first, and tells
	// whether these were all.
	EachRunning(ctx context.Context, most int, each func(WorkflowRun) error) (all bool, err error)
	// Troubles tells what a running workflow fails to do.
	Troubles(ctx context.Context, workflowID string) ([]Trouble, error)
}
