package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/errgroup"

	"github.com/aictive/keyholder/worker"
	"github.com/aictive/keyholder/workflows/durable"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// The states of events, as --state says them.
const (
	stateParked    = "parked"
	stateReplayed  = "replayed"
	stateDiscarded = "discarded"
	stateFailed    = "failed"
	stateStuck     = "stuck"
)

var eventStates = []string{stateParked, stateReplayed, stateDiscarded, stateFailed, stateStuck}

func knownState(s string) bool { return slices.Contains(eventStates, s) }

const (
	// eventsMost bounds what is looked at.
	eventsMost = 100_000
	// eventsPage is how many are listed at once, eventsAtOnce how many are asked at once.
	eventsPage   = 1000
	eventsAtOnce = 8
	// askWithin bounds each call of Temporal.
	askWithin = 20 * time.Second
	// stuckAfter is the try from which what fails again and again is called stuck.
	stuckAfter = 4
)

// eventFilter is which events are wanted; "" and zero do not bound.
type eventFilter struct {
	source, kind, reason string
	since, until         time.Time
	state                string
	limit                int
}

// query is the filter as Temporal's visibility takes it. Values have no quotes.
func (f eventFilter) query() string {
	var and []string
	add := func(format string, value any) { and = append(and, fmt.Sprintf(format, value)) }
	parked, at := fmt.Sprintf("WorkflowType = '%s'", partnersync.ParkedEventName), durable.ReceivedAt.GetName()
	switch f.state {
	case stateReplayed, stateDiscarded:
		add("%s AND ExecutionStatus = 'Completed'", parked)
	case stateFailed:
		at = "CloseTime"
		// An event whose holder was cancelled was given up by nobody who said why.
		add("(ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut') OR (ExecutionStatus = 'Canceled' AND %s))", parked)
	case stateStuck:
		at = "StartTime"
		and = append(and, "ExecutionStatus = 'Running'")
	default:
		add("%s AND ExecutionStatus = 'Running'", parked)
	}
	if f.source != "" {
		add(durable.EventSource.GetName()+" = '%s'", f.source)
	}
	if f.kind != "" && (f.state == stateFailed || f.state == stateStuck) {
		and = append(and, fmt.Sprintf("(%s = '%s' OR WorkflowType = '%s')", durable.EventType.GetName(), f.kind, f.kind))
	} else if f.kind != "" {
		add(durable.EventType.GetName()+" = '%s'", f.kind)
	}
	if f.reason != "" && f.state != stateFailed && f.state != stateStuck {
		add(durable.Reason.GetName()+" = '%s'", f.reason)
	}
	if !f.since.IsZero() {
		add(at+" >= '%s'", f.since.UTC().Format(time.RFC3339Nano))
	}
	if !f.until.IsZero() {
		add(at+" < '%s'", f.until.UTC().Format(time.RFC3339Nano))
	}
	return strings.Join(and, " AND ")
}

// eventRow is a parked event or a workflow that failed or is stuck.
type eventRow struct {
	ID     string `json:"id"`
	RunID  string `json:"run_id,omitempty"`
	State  string `json:"state"`
	Source string `json:"source,omitempty"`
	// Type is the event's, or the workflow's where it is not about a parked event.
	Type string `json:"type"`
	// Reason is why it is parked, or why it failed.
	Reason string `json:"reason,omitempty"`
	// At is when it was received; of failed work when it ended, of stuck work when it began.
	At time.Time `json:"at"`
	// SentTo, By and Why tell what became of a parked event.
	SentTo string `json:"sent_to,omitempty"`
	By     string `json:"by,omitempty"`
	Why    string `json:"why,omitempty"`

	workflow string
	status   enumspb.WorkflowExecutionStatus
	// trying tells of stuck work that an activity fails, which is tried again by itself.
	trying bool
	// failure is why it could not be looked at; it is then in no state.
	failure error
}

// parked tells whether the row is about a parked event, in whatever state.
func (r eventRow) parked() bool { return r.workflow == partnersync.ParkedEventName }

// rowOf reads what lists tell.
func rowOf(info *workflowpb.WorkflowExecutionInfo) eventRow {
	fields := info.GetSearchAttributes().GetIndexedFields()
	r := eventRow{
		ID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId(), workflow: info.GetType().GetName(), status: info.GetStatus(),
		Source: attribute[string](fields, durable.EventSource.GetName()), Type: info.GetType().GetName(),
	}
	if r.parked() {
		r.Type = attribute[string](fields, durable.EventType.GetName())
		r.Reason = attribute[string](fields, durable.Reason.GetName())
		r.At = cmp.Or(attribute[time.Time](fields, durable.ReceivedAt.GetName()), info.GetStartTime().AsTime()).UTC()
	}
	running := enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	switch {
	case r.parked() && r.status == running:
		r.State = stateParked
	case r.status == running:
		r.State, r.At = "running", info.GetStartTime().AsTime()
	case r.status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, r.status == enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
		r.status == enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED && !r.parked():
		r.State = "ended"
		r.At = cmp.Or(r.At, info.GetCloseTime().AsTime())
	default:
		r.State, r.At = stateFailed, info.GetCloseTime().AsTime()
	}
	return r
}

// attribute reads a search attribute, which is never encrypted.
func attribute[T any](fields map[string]*commonpb.Payload, name string) (value T) {
	if p := fields[name]; p != nil {
		// One that cannot be read is not there.
		_ = converter.GetDefaultDataConverter().FromPayload(p, &value)
	}
	return value
}

// find lists what the filter wants, the newest first; more tells that there is more.
func (e *events) find(ctx context.Context, f eventFilter) (rows []eventRow, more bool, err error) {
	rows = []eventRow{}
	looked := 0
	var token []byte
	for {
		page, listed, next, err := e.page(ctx, f, token)
		if err != nil {
			return nil, false, err
		}
		looked += listed
		for _, r := range page {
			if len(rows) == f.limit {
				return rows, true, nil
			}
			rows = append(rows, r)
		}
		if token = next; len(token) == 0 {
			return rows, false, nil
		}
		if len(rows) == f.limit || looked >= eventsMost {
			return rows, true, nil
		}
	}
}

// findOldest lists what the filter wants, the oldest first; left is how many there are
// beyond the limit.
func (e *events) findOldest(ctx context.Context, f eventFilter) (rows []eventRow, left int, err error) {
	all := f
	all.limit = eventsMost
	if rows, _, err = e.find(ctx, all); err != nil {
		return nil, 0, err
	}
	slices.SortStableFunc(rows, func(a, b eventRow) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	if len(rows) > f.limit {
		return rows[:f.limit], len(rows) - f.limit, nil
	}
	return rows, 0, nil
}

// page lists one page and asks about each of it what lists do not tell. listed counts those
// that are not wanted, too.
func (e *events) page(ctx context.Context, f eventFilter, token []byte) (rows []eventRow, listed int, next []byte, err error) {
	asks := e.asks(f.state)
	size := eventsPage
	if asks != nil {
		size = min(eventsPage, max(f.limit, eventsAtOnce))
	}
	limited, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	list, err := e.client.ListWorkflow(limited, &workflowservice.ListWorkflowExecutionsRequest{Query: f.query(), PageSize: int32(size), NextPageToken: token})
	if err != nil {
		return nil, 0, nil, err
	}
	for _, info := range list.GetExecutions() {
		rows = append(rows, rowOf(info))
	}
	if asks == nil {
		return rows, len(rows), list.GetNextPageToken(), nil
	}
	wanted := make([]bool, len(rows))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(eventsAtOnce)
	for i := range rows {
		group.Go(func() (err error) {
			ctx, cancel := context.WithTimeout(ctx, askWithin)
			defer cancel()
			wanted[i], err = asks(ctx, &rows[i])
			wanted[i] = wanted[i] && rows[i].State == f.state && (f.reason == "" || rows[i].Reason == f.reason)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, nil, err
	}
	kept := make([]eventRow, 0, len(rows))
	for i, r := range rows {
		if wanted[i] {
			kept = append(kept, r)
		}
	}
	return kept, len(rows), list.GetNextPageToken(), nil
}

// asks is what is asked about each row of a state, nil for nothing.
func (e *events) asks(state string) func(context.Context, *eventRow) (wanted bool, err error) {
	switch state {
	case stateReplayed, stateDiscarded:
		return e.decided
	case stateFailed:
		return e.failed
	case stateStuck:
		return e.stuck
	}
	return nil
}

// decided reads what became of a parked event.
func (e *events) decided(ctx context.Context, r *eventRow) (bool, error) {
	var result partnersync.ParkedResult
	if err := e.client.GetWorkflow(ctx, r.ID, r.RunID).Get(ctx, &result); err != nil {
		return false, fmt.Errorf("%s: %w", r.ID, err)
	}
	r.State, r.SentTo, r.By, r.Why = result.State, result.SentTo, result.By, result.Why
	return true, nil
}

// failed reads why a workflow failed. One that a newer run has replaced is not wanted.
func (e *events) failed(ctx context.Context, r *eventRow) (bool, error) {
	d, err := e.client.DescribeWorkflowExecution(ctx, r.ID, "")
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.ID, err)
	}
	if d.GetWorkflowExecutionInfo().GetExecution().GetRunId() != r.RunID {
		return false, nil
	}
	ended := worker.EndedRunOf(d.GetWorkflowExecutionInfo())
	how, err := worker.NewEndings(e.client).Ending(ctx, ended)
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.ID, err)
	}
	r.Reason = ended.Status
	switch {
	case how.Why == "":
	case r.status == enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:
		r.Reason = how.Why
	case r.status == enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		r.Reason += ": " + oneLine(how.Why)
	}
	return true, nil
}

// stuck reads whether a running workflow's task or one of its activities fails again and
// again, and which.
func (e *events) stuck(ctx context.Context, r *eventRow) (bool, error) {
	d, err := e.client.DescribeWorkflowExecution(ctx, r.ID, r.RunID)
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.ID, err)
	}
	return r.stuckBy(d), nil
}

// stuckBy takes from its description whether running work is stuck.
func (r *eventRow) stuckBy(d *workflowservice.DescribeWorkflowExecutionResponse) bool {
	why := whyStuck(d)
	if why == "" {
		return false
	}
	r.State, r.Reason, r.trying = stateStuck, why, !taskFails(d)
	return true
}

// taskFails tells whether a running workflow's task fails again and again: it does not go on
// by itself.
func taskFails(d *workflowservice.DescribeWorkflowExecutionResponse) bool {
	return d.GetPendingWorkflowTask().GetAttempt() >= stuckAfter
}

// whyStuck is what fails again and again in a running workflow, "" for nothing.
func whyStuck(d *workflowservice.DescribeWorkflowExecutionResponse) string {
	if taskFails(d) {
		return fmt.Sprintf("workflow task, try %d", d.GetPendingWorkflowTask().GetAttempt())
	}
	for _, a := range d.GetPendingActivities() {
		if a.GetAttempt() >= stuckAfter && a.GetLastFailure() != nil {
			kind := cmp.Or(a.GetLastFailure().GetApplicationFailureInfo().GetType(), "timeout")
			return fmt.Sprintf("%s, try %d: %s", a.GetActivityType().GetName(), a.GetAttempt(), kind)
		}
	}
	return ""
}

// writeEvents prints a table.
func writeEvents(to io.Writer, state string, rows []eventRow) error {
	if len(rows) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	head := []string{map[string]string{stateFailed: "ended", stateStuck: "begun"}[state], "source", "type", "reason"}
	head[0] = cmp.Or(head[0], "received")
	decided := state == stateReplayed || state == stateDiscarded
	if decided {
		head = append(head, "by", "why")
	}
	if state == stateReplayed {
		head = append(head, "sent to")
	}
	fmt.Fprintln(table, strings.Join(append(head, "id"), "\t"))
	for _, r := range rows {
		cells := []string{r.At.UTC().Format(time.RFC3339), cmp.Or(r.Source, "-"), r.Type, cmp.Or(r.Reason, "-")}
		if decided {
			cells = append(cells, oneLine(r.By), oneLine(r.Why))
		}
		if state == stateReplayed {
			cells = append(cells, r.SentTo)
		}
		fmt.Fprintln(table, strings.Join(append(cells, r.ID), "\t"))
	}
	return table.Flush()
}

// footer says how many there are, and of failed work where parked events were listed.
func (e *events) footer(ctx context.Context, to io.Writer, f eventFilter, shown int, more bool) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	count := func(state string) (int64, error) {
		f := f
		f.state = state
		n, err := e.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: f.query()})
		return n.GetCount(), err
	}
	line := fmt.Sprintf("%d %s", shown, f.state)
	if more && e.asks(f.state) == nil {
		n, err := count(f.state)
		if err != nil {
			return err
		}
		line = fmt.Sprintf("%d of %d %s; --limit shows more", shown, n, f.state)
	} else if more {
		line += ", and more; --limit shows them"
	}
	if f.state == stateParked && f.reason == "" {
		n, err := count(stateFailed)
		if err != nil {
			return err
		}
		if n > 0 {
			line += fmt.Sprintf("; %d runs have failed: \"keyholder events list --state failed\" shows those that nothing has replaced", n)
		}
	}
	_, err := fmt.Fprintln(to, line)
	return err
}
