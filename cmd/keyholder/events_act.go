package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/aictive/keyholder/ingress"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

const (
	// actWithin is how long one replay may take: the workflow tries for a minute.
	actWithin = 90 * time.Second
	// actsAtOnce is how many may be under way, so that those that take long hold up no other.
	actsAtOnce = 256
	// actsInVain is after how many failures without one success nobody seems to answer.
	actsInVain = 20
)

// What became of each event, beside "replayed" and "discarded".
const (
	// outcomeHeld: its holder had ended without a decision, and holds it again.
	outcomeHeld      = "held again"
	outcomeFailed    = "failed"
	outcomePassed    = "passed over"
	outcomeWould     = "would be done"
	outcomeWouldHold = "would be held again"
	outcomeStopped   = "not tried"
)

// actResult is what became of one event.
type actResult struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"`
	// SentTo is the workflow that has the event now, or the new run.
	SentTo string `json:"sent_to,omitempty"`
	// Why is why it failed, or was passed over.
	Why string `json:"why,omitempty"`
}

func (r actResult) print(cmd *cobra.Command) {
	line := r.Outcome + "  " + r.ID
	if r.SentTo != "" {
		line += "  to " + r.SentTo
	}
	if r.Why != "" {
		line += ": " + oneLine(r.Why)
	}
	to := cmd.OutOrStdout()
	if r.Outcome == outcomeFailed || r.Outcome == outcomeStopped {
		to = cmd.ErrOrStderr()
	}
	fmt.Fprintln(to, line)
}

// actRun does something to many events.
type actRun struct {
	actOptions
	perSecond float64
	// byName tells that somebody named each of them.
	byName bool
	do     func(context.Context, eventRow, durable.Command) (sentTo string, err error)
}

// all does it to each, in order of time, at the rate; one that fails or takes long holds up
// no other. It stops early where nobody seems to answer, and where ctx ends.
func (a actRun) all(ctx context.Context, rows []eventRow, tell func(actResult)) []actResult {
	results := make([]actResult, len(rows))
	var mu sync.Mutex
	failed, succeeded := 0, 0
	settle := func(i int, r actResult) {
		mu.Lock()
		defer mu.Unlock()
		if r.Outcome == outcomeFailed {
			failed++
		}
		if r.Outcome == a.done || r.Outcome == outcomeHeld {
			succeeded++
		}
		results[i] = r
		tell(r)
	}
	inVain := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return succeeded == 0 && failed >= actsInVain
	}
	limiter := rate.NewLimiter(rate.Limit(a.perSecond), 1)
	var group errgroup.Group
	group.SetLimit(actsAtOnce)
	for i, r := range rows {
		if outcome, why := a.ahead(r); outcome != "" {
			settle(i, actResult{ID: r.ID, Outcome: outcome, Why: why})
			continue
		}
		if inVain() {
			settle(i, actResult{ID: r.ID, Outcome: outcomeStopped, Why: fmt.Sprintf("the first %d have all failed", actsInVain)})
			continue
		}
		if limiter.Wait(ctx) != nil {
			settle(i, actResult{ID: r.ID, Outcome: outcomeStopped, Why: "stopped"})
			continue
		}
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, actWithin)
			defer cancel()
			sentTo, err := a.do(ctx, r, a.command())
			if err != nil {
				settle(i, actResult{ID: r.ID, Outcome: outcomeFailed, Why: err.Error()})
				return nil
			}
			settle(i, a.success(r, sentTo))
			return nil
		})
	}
	_ = group.Wait() // none returns an error
	return results
}

// success is what became of an event where nothing failed. A parked event whose holder had
// ended has gone nowhere yet.
func (a actRun) success(r eventRow, sentTo string) actResult {
	if r.holderEnded() {
		return actResult{ID: r.ID, Outcome: outcomeHeld, SentTo: sentTo, Why: "replay or discard it now"}
	}
	return actResult{ID: r.ID, Outcome: a.done, SentTo: sentTo}
}

// holderEnded tells whether the holder of a parked event ended without a decision.
func (r eventRow) holderEnded() bool { return r.parked() && r.State == stateFailed }

// ahead settles what needs no trying: "" where it does.
func (a actRun) ahead(r eventRow) (outcome, why string) {
	if r.failure != nil {
		return outcomeFailed, r.failure.Error()
	}
	if a.verb == "replay" && r.State == stateStuck && r.trying {
		return outcomePassed, "its activity goes on by itself; mend what it fails of: " + r.Reason
	}
	if !a.byName && a.verb == "replay" {
		switch {
		case r.State == stateParked && !routed(r):
			return outcomePassed, noRoute(r)
		case r.status == enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
			return outcomePassed, "somebody has terminated it; name it to replay it"
		}
	}
	if a.dry && a.verb == "replay" && r.holderEnded() {
		return outcomeWouldHold, ""
	}
	if a.dry {
		return outcomeWould, ""
	}
	return "", ""
}

// routed tells whether this build has a workflow for a parked event.
func routed(r eventRow) bool {
	return slices.ContainsFunc(ingress.Routes(r.Source), func(route ingress.Route) bool { return route.Type == r.Type })
}

func noRoute(r eventRow) string {
	if r.Source == ingress.SourceMail {
		return "no workflow takes a mail: read it, answer it, and discard it"
	}
	return "no workflow of this build takes " + r.Type
}

// named finds events by their ids, in the order given. What cannot be found says so.
func (e *events) named(ctx context.Context, ids []string) []eventRow {
	rows := make([]eventRow, len(ids))
	var group errgroup.Group
	group.SetLimit(eventsAtOnce)
	for i, id := range ids {
		group.Go(func() error {
			r, d, err := e.one(ctx, id)
			r.ID, r.failure = id, err
			if r.State == "running" {
				r.stuckBy(d)
			}
			rows[i] = r
			return nil
		})
	}
	_ = group.Wait() // none returns an error
	return rows
}

// one finds an event by its id.
func (e *events) one(ctx context.Context, id string) (eventRow, *workflowservice.DescribeWorkflowExecutionResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	d, err := e.client.DescribeWorkflowExecution(ctx, id, "")
	if errors.As(err, new(*serviceerror.NotFound)) {
		return eventRow{}, nil, errors.New("there is no such event or workflow, or it is past its retention; \"keyholder events list\" shows ids")
	}
	if err != nil {
		return eventRow{}, nil, err
	}
	return rowOf(d.GetWorkflowExecutionInfo()), d, nil
}

// replay sends a parked event through the routes again, or runs failed work again.
func (e *events) replay(ctx context.Context, r eventRow, c durable.Command) (sentTo string, err error) {
	switch r.State {
	case stateParked:
		// Each command is a new one: a repeated id would be told the earlier outcome.
		sent, err := partnersync.Replay.Send(ctx, e.client, r.ID, "replay-"+uuid.NewString(), c)
		return sent.WorkflowID, unanswered(ctx, err)
	case stateFailed, stateStuck, "running":
		return e.reset(ctx, r, c)
	}
	return "", errors.New("it has ended: there is nothing to replay")
}

// discard gives a parked event up.
func (e *events) discard(ctx context.Context, r eventRow, c durable.Command) (string, error) {
	if r.State != stateParked {
		return "", errors.New("only parked events can be discarded, and this is none, or none any more")
	}
	_, err := partnersync.Discard.Send(ctx, e.client, r.ID, "discard-"+uuid.NewString(), c)
	return "", unanswered(ctx, err)
}

// unanswered says what a silent workflow means.
func unanswered(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("no answer in time: is a worker running? It may be done later all the same: %w", err)
	}
	return err
}

// reset runs a workflow again from its first or last task: what it did after that is known
// by the store and not done twice.
func (e *events) reset(ctx context.Context, r eventRow, c durable.Command) (newRun string, err error) {
	d, err := e.client.DescribeWorkflowExecution(ctx, r.ID, "")
	if err != nil {
		return "", err
	}
	if d.GetWorkflowExecutionInfo().GetExecution().GetRunId() != r.RunID {
		return "", errors.New("a newer run has taken its place")
	}
	// It may have gone on since it was listed: what works is not begun anew.
	if d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && !taskFails(d) {
		return "", errors.New("it is running: there is nothing to replay. What to do where it is stuck is in docs/how-to/reset-a-stuck-workflow.md")
	}
	point, task, err := e.resetPoint(ctx, r)
	if err != nil {
		return "", err
	}
	reset, err := e.client.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: e.namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: r.ID, RunId: r.RunID},
		Reason: fmt.Sprintf("replayed by %s: %s", c.By, c.Why), WorkflowTaskFinishEventId: point, RequestId: uuid.NewString(),
		// Left out, signals alone are applied again and answers given as Updates are lost.
		ResetReapplyType: enumspb.RESET_REAPPLY_TYPE_ALL_ELIGIBLE, //nolint:staticcheck // server 1.29 has no other way to say it
	})
	if err != nil {
		return "", fmt.Errorf("it cannot be reset (%w); docs/how-to/reset-a-stuck-workflow.md says what else there is", err)
	}
	if e.audit == nil {
		return reset.GetRunId(), nil
	}
	err = e.audit(ctx, store.AuditEntry{
		ID: "reset/" + r.RunID + "/" + reset.GetRunId(), Entity: r.ID, Kind: store.AuditCommand, At: time.Now().UTC(),
		Actor: "operator/" + c.By, What: "reset to the " + task + " task: " + c.Why, Ref: reset.GetRunId(), RunID: r.RunID,
	})
	if err != nil {
		return "", fmt.Errorf("it runs again as %s, and the audit does not say so: %w", reset.GetRunId(), err)
	}
	return reset.GetRunId(), nil
}

// resetPoint is the end of the task to which a run is reset, and which that is. A run that
// somebody ended goes on from its last task, as if nothing had been. One that failed by
// itself would fail there again, so that it begins anew.
func (e *events) resetPoint(ctx context.Context, r eventRow) (event int64, task string, err error) {
	task = "first"
	if r.status == enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED || r.status == enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT {
		task = "last"
	}
	history := e.client.GetWorkflowHistory(ctx, r.ID, r.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		next, err := history.Next()
		if err != nil {
			return 0, task, err
		}
		switch next.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			event = next.GetEventId()
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			if event == 0 {
				event = next.GetEventId()
			}
		}
		if event > 0 && task == "first" {
			break
		}
	}
	if event > 0 {
		return event, task, nil
	}
	advice := "its first event has to be sent again: a sweep finds what RentVine and OpenMoove hold"
	if strings.HasPrefix(r.ID, "webhook/") {
		advice = "its subscriber has to read what happened"
	}
	return 0, task, errors.New("it ended before its first task, so it cannot be reset; " + advice)
}
