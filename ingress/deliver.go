package ingress

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// Why an event is parked, as the search attribute Reason says it.
const (
	ParkedUnknownType  = "unknown type"
	ParkedEntityClosed = "entity closed"
)

// eventPriority is Temporal's priority key of workflows begun by an event, of 1
// (an emergency) to 5 (bulk). Sales come in thousands: they let others pass.
const (
	eventPriority = 2
	bulkPriority  = 4
)

// Outcome says what became of an event.
type Outcome string

// The outcomes. Each of them means that Temporal has confirmed it.
const (
	// Accepted: the workflow of the entity has the event.
	Accepted Outcome = "accepted"
	// Duplicate: a closed run knew the event already.
	Duplicate Outcome = "duplicate"
	// Parked: the event is held, visible and replayable.
	Parked Outcome = "parked"
)

// Result is a confirmed delivery.
type Result struct {
	Outcome    Outcome
	WorkflowID string
	RunID      string
	// Reason is why the event was parked, else "".
	Reason string
}

// RouterConfig is what a Router needs.
type RouterConfig struct {
	Client client.Client
	// TaskQueue is where workflows are started; "" is workflows.TaskQueue.
	TaskQueue string
	// Clock is recorded in every workflow that an event starts.
	Clock durable.Clock
	// Limit is how long Deliver may take in all; 0 means 5 seconds.
	Limit time.Duration
	// Receipts keeps what Temporal has confirmed; nil keeps nothing. Via is how the events of
	// Deliver come.
	Receipts Receipts
	Via      string
}

// Router hands events to the workflows of their entities. It needs no HTTP: the
// worker uses it too, to replay parked events. It is safe for concurrent use.
type Router struct {
	cfg    RouterConfig
	tables map[string]routeTable
	book   *receiptBook
}

// NewRouter makes a Router over the route table of every source.
func NewRouter(cfg RouterConfig) *Router {
	if cfg.TaskQueue == "" {
		cfg.TaskQueue = workflows.TaskQueue
	}
	if cfg.Limit == 0 {
		cfg.Limit = 5 * time.Second
	}
	return &Router{cfg: cfg, book: newReceiptBook(cfg.Receipts), tables: map[string]routeTable{
		SourceRentVine:  routeTableOf(SourceRentVine),
		SourceOpenMoove: routeTableOf(SourceOpenMoove),
	}}
}

// Deliver starts or signals the entity's workflow in one call and returns only
// after Temporal has confirmed and the receipt is kept. An error means that nothing
// is known to have happened: delivering the same event again is safe, because
// workflows take an event key once, and so do receipts.
func (r *Router) Deliver(ctx context.Context, e durable.Event) (Result, error) {
	return r.DeliverAs(ctx, e, r.cfg.Via)
}

// DeliverAs is Deliver for an event that came in another way than the Router's others.
func (r *Router) DeliverAs(ctx context.Context, e durable.Event, via string) (Result, error) {
	return r.deliver(ctx, e, origin{via: via})
}

func (r *Router) deliver(ctx context.Context, e durable.Event, from origin) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Limit)
	defer cancel()
	result, err := r.route(ctx, e)
	if err != nil {
		return Result{}, err
	}
	if err := r.book.keep(ctx, receiptOf(e, from, result)); err != nil {
		return Result{}, err
	}
	return result, nil
}

// route brings the event to the workflow that it is for, or parks it.
func (r *Router) route(ctx context.Context, e durable.Event) (Result, error) {
	route, known := r.tables[e.Source][e.Type]
	if !known {
		return r.park(ctx, e, ParkedUnknownType)
	}
	s := start{target: route.Target, id: e.EntityID, event: e, idField: route.IDField}
	runID, err := r.signalWithStart(ctx, s)
	var closed *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &closed) {
		return r.closed(ctx, route, s, closed.RunId)
	}
	return settled(Accepted, s, runID, err)
}

// closed decides about an event of a closed entity: SignalWithStart was refused
// for a new fact as for an old one (contracts/temporal.md 2.5), so the closed run
// is asked whether it knew this one.
func (r *Router) closed(ctx context.Context, route Route, s start, runID string) (Result, error) {
	seen, err := durable.SeenEvents.Ask(ctx, r.cfg.Client, s.workflowID(), runID)
	if err != nil {
		return Result{}, fmt.Errorf("ask closed workflow %s: %w", s.workflowID(), err)
	}
	if seen.Has(s.event.Key) {
		return settled(Duplicate, s, runID, nil)
	}
	if route.Reopens == nil || !route.Reopens(s.event) {
		return r.park(ctx, s.event, ParkedEntityClosed)
	}
	s.reopen, s.seen = true, seen
	runID, err = r.signalWithStart(ctx, s)
	return settled(Accepted, s, runID, err)
}

// park holds the event in a workflow of its own, named after the event. A closed
// one was replayed or discarded by a person: it is not opened again.
func (r *Router) park(ctx context.Context, e durable.Event, reason string) (Result, error) {
	sum := sha256.Sum256([]byte(e.Key))
	s := start{target: Target{Workflow: partnersync.ParkedEventName, Prefix: "parked/" + e.Source + "/"},
		id: hex.EncodeToString(sum[:])[:32], event: e, idField: r.tables[e.Source][e.Type].IDField, reason: reason}
	runID, err := r.signalWithStart(ctx, s)
	var closed *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &closed) {
		return settled(Duplicate, s, closed.RunId, nil)
	}
	return settled(Parked, s, runID, err)
}

func settled(o Outcome, s start, runID string, err error) (Result, error) {
	if err != nil {
		return Result{}, fmt.Errorf("deliver to %s: %w", s.workflowID(), err)
	}
	result := Result{Outcome: o, WorkflowID: s.workflowID(), RunID: runID}
	if o == Parked {
		result.Reason = s.reason
	}
	return result, nil
}

// start is one SignalWithStart.
type start struct {
	target  Target
	id      string
	event   durable.Event
	idField string
	// reason is why the event is parked, "" where it is not.
	reason string
	// reopen starts a new run after a closed one, which had seen these events.
	reopen bool
	seen   durable.Seen
}

func (s start) workflowID() string { return s.target.Prefix + s.id }

func (r *Router) signalWithStart(ctx context.Context, s start) (runID string, err error) {
	reuse := enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	if s.reopen {
		reuse = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	// A workflow of an entity sets its own search attributes in its first task,
	// where they cost less time: here they take a tenth of the throughput. Sales come
	// in thousands and slowly, so for them the billed action counts.
	var attributes temporal.SearchAttributes
	switch {
	case s.reason != "":
		attributes = s.searchAttributes()
	case s.target.Workflow == sales.SaleName:
		attributes = sales.Attributes(s.id)
	}
	priority := eventPriority
	if s.target.Workflow == sales.SaleName {
		priority = bulkPriority
	}
	run, err := r.cfg.Client.SignalWithStartWorkflow(ctx, s.workflowID(), durable.EventReceived.Name, s.event,
		client.StartWorkflowOptions{
			TaskQueue:             r.cfg.TaskQueue,
			WorkflowIDReusePolicy: reuse,
			TypedSearchAttributes: attributes,
			StaticSummary:         s.summary(),
			StaticDetails:         s.details(),
			Priority:              temporal.Priority{PriorityKey: priority},
		}, s.target.Workflow, durable.Entity[json.RawMessage]{ID: s.id, Clock: r.cfg.Clock, Seen: s.seen})
	if err != nil {
		return "", err
	}
	return run.GetRunID(), nil
}
