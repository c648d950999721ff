package ingress

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// workOrder is an event about a work order whose id is the test's own.
func workOrder(t *testing.T, kind, key string, changed ...string) durable.Event {
	t.Helper()
	e := durable.Event{Source: SourceRentVine, Type: kind, EntityID: entity(t), Key: "rentvine:" + key,
		ReceivedAt: receivedAt, Changes: map[string]durable.Change{},
		Data: json.RawMessage(`{"propertyID":"12","unitID":"13","leaseID":14,"description":"Jane Roe says a pipe burst"}`)}
	for _, field := range changed {
		e.Changes[field] = durable.Change{Old: "1", New: "2"}
	}
	return e
}

func deliver(t *testing.T, r *Router, e durable.Event) Result {
	t.Helper()
	result, err := r.Deliver(t.Context(), e)
	require.NoError(t, err)
	return result
}

// closeRun ends the running workflow by an event and waits until it is closed.
func closeRun(t *testing.T, r *Router, e durable.Event) {
	t.Helper()
	result := deliver(t, r, e)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, r.cfg.Client.GetWorkflow(ctx, result.WorkflowID, result.RunID).Get(ctx, nil))
}

func TestDeliverStartsThenSignals(t *testing.T) {
	t.Parallel()
	clock := durable.Clock{Epoch: receivedAt, Scale: 1440}
	r := testRouter(t, func(c *RouterConfig) { c.Clock = clock })
	first := deliver(t, r, workOrder(t, "work_order.created", "1"))
	require.Equal(t, Accepted, first.Outcome)
	require.Equal(t, "work-order/"+entity(t), first.WorkflowID)
	second := deliver(t, r, workOrder(t, "work_order.updated", "2"))
	require.Equal(t, Result{Outcome: Accepted, WorkflowID: first.WorkflowID, RunID: first.RunID}, second)
	again := deliver(t, r, workOrder(t, "work_order.updated", "2"))
	require.Equal(t, Accepted, again.Outcome, "a running workflow drops repeats itself")

	got := recorded(t, r.cfg.Client, first.WorkflowID, "")
	require.Equal(t, entity(t), got.ID)
	require.True(t, clock.Epoch.Equal(got.Clock.Epoch))
	require.Equal(t, 3, got.Signals)
	require.Len(t, got.Taken, 2)
	require.Equal(t, "work_order.created", got.Taken[0].Type)
	require.JSONEq(t, `{"propertyID":"12","unitID":"13","leaseID":14,"description":"Jane Roe says a pipe burst"}`, string(got.Taken[0].Data))
}

func TestDeliverIsLegible(t *testing.T) {
	t.Parallel()
	r := testRouter(t, nil)
	order := deliver(t, r, workOrder(t, "work_order.created", "1"))
	e := workOrder(t, "inspection.created", "parked-"+t.Name())
	held := deliver(t, r, e)
	require.Equal(t, Parked, held.Outcome)

	got := described(t, r.cfg.Client, order.WorkflowID)
	require.Equal(t, maintenance.WorkOrderName, got.kind)
	require.Equal(t, int32(eventPriority), got.priority)
	require.Equal(t, fmt.Sprintf("Work order %s, begun by work_order.created", entity(t)), got.summary)
	require.Equal(t, "- source: `rentvine`\n- first event: `work_order.created`\n- received: `2026-11-21T10:00:00Z`\n- entity: `"+entity(t)+
		"`\n- property: `12`\n- unit: `13`\n", got.details)
	require.Empty(t, got.attributes, "the workflow of an entity sets its own")

	got = described(t, r.cfg.Client, held.WorkflowID)
	require.Equal(t, partnersync.ParkedEventName, got.kind)
	require.Equal(t, "Parked inspection.created from rentvine: unknown type", got.summary)
	require.Equal(t, map[string]string{"PropertyID": "12", "UnitID": "13", "EventSource": "rentvine", "EventType": "inspection.created",
		"Stage": "received", "ReceivedAt": "2026-11-21T10:00:00Z", "Reason": "unknown type"}, got.attributes, "a lease id that is no text is left out")
	require.NotContains(t, got.details, "Jane")
}

type description struct {
	kind, summary, details string
	priority               int32
	attributes             map[string]string
}

func described(t *testing.T, c client.Client, workflowID string) description {
	t.Helper()
	d, err := c.DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	out := description{kind: d.GetWorkflowExecutionInfo().GetType().GetName(), attributes: map[string]string{},
		priority: d.GetWorkflowExecutionInfo().GetPriority().GetPriorityKey()}
	from := converter.GetDefaultDataConverter()
	require.NoError(t, from.FromPayload(d.GetExecutionConfig().GetUserMetadata().GetSummary(), &out.summary))
	require.NoError(t, from.FromPayload(d.GetExecutionConfig().GetUserMetadata().GetDetails(), &out.details))
	for name, p := range d.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields() {
		if _, ours := durable.SearchAttributes()[name]; !ours {
			continue
		}
		var value string
		require.NoError(t, from.FromPayload(p, &value))
		out.attributes[name] = value
	}
	return out
}

func TestDeliverToClosedEntity(t *testing.T) {
	t.Parallel()
	r := testRouter(t, nil)
	created := deliver(t, r, workOrder(t, "work_order.created", "1"))
	closeRun(t, r, workOrder(t, "work_order.updated", "2", "end"))

	known := deliver(t, r, workOrder(t, "work_order.updated", "2", "end"))
	require.Equal(t, Result{Outcome: Duplicate, WorkflowID: created.WorkflowID, RunID: created.RunID}, known)
	require.Equal(t, Duplicate, deliver(t, r, workOrder(t, "work_order.created", "1")).Outcome, "what would reopen it is known, too")

	late := workOrder(t, "work_order.updated", "late-"+t.Name(), "priorityID")
	held := deliver(t, r, late)
	require.Equal(t, Parked, held.Outcome)
	require.Equal(t, ParkedEntityClosed, held.Reason)
	require.Regexp(t, `^parked/rentvine/[0-9a-f]{32}$`, held.WorkflowID)
	require.Equal(t, late.Data, recorded(t, r.cfg.Client, held.WorkflowID, "").Taken[0].Data)

	reopened := deliver(t, r, workOrder(t, "work_order.updated", "3", "workOrderStatusID"))
	require.Equal(t, Accepted, reopened.Outcome)
	require.Equal(t, created.WorkflowID, reopened.WorkflowID)
	require.NotEqual(t, created.RunID, reopened.RunID)

	// The new run knows what the old one had taken.
	require.Equal(t, Accepted, deliver(t, r, workOrder(t, "work_order.created", "1")).Outcome)
	got := recorded(t, r.cfg.Client, reopened.WorkflowID, reopened.RunID)
	require.Equal(t, 2, got.Signals)
	require.Len(t, got.Taken, 1)
	require.Equal(t, "rentvine:3", got.Taken[0].Key)
	require.Contains(t, described(t, r.cfg.Client, reopened.WorkflowID).summary, "reopened by work_order.updated")
}

func TestDeliverToClosedEntityNobodyAnswersFor(t *testing.T) {
	t.Parallel()
	r := testRouter(t, func(c *RouterConfig) { c.TaskQueue, c.Limit = "no-worker-here", 3*time.Second })
	result := deliver(t, r, workOrder(t, "work_order.created", "1"))
	require.NoError(t, r.cfg.Client.TerminateWorkflow(t.Context(), result.WorkflowID, result.RunID, "test"))
	_, err := r.Deliver(t.Context(), workOrder(t, "work_order.updated", "2"))
	require.ErrorContains(t, err, "ask closed workflow work-order/"+entity(t))
}

func TestDeliverParksTypesThatNobodyKnows(t *testing.T) {
	t.Parallel()
	r := testRouter(t, nil)
	for _, kind := range []string{"tenant.sneezed", "inspection.updated"} {
		source := SourceRentVine
		e := durable.Event{Source: source, Type: kind, EntityID: "31", Key: source + ":" + kind, ReceivedAt: receivedAt, Data: json.RawMessage(`{"propertyID":"31"}`)}
		first := deliver(t, r, e)
		require.Equal(t, Parked, first.Outcome)
		require.Equal(t, ParkedUnknownType, first.Reason)
		require.Equal(t, "parked/"+source+"/"+digest([]byte(e.Key))[:32], first.WorkflowID)
		require.Equal(t, first, deliver(t, r, e), "the same event is parked once")
		got := recorded(t, r.cfg.Client, first.WorkflowID, "")
		require.Equal(t, digest([]byte(e.Key))[:32], got.ID)
		require.Len(t, got.Taken, 1)
	}
	require.Equal(t, "31", described(t, r.cfg.Client, "parked/rentvine/"+digest([]byte("rentvine:inspection.updated"))[:32]).attributes["PropertyID"])
}

func TestDeliverParkedAndDecided(t *testing.T) {
	t.Parallel()
	r := testRouter(t, nil)
	e := durable.Event{Source: SourceRentVine, Type: "tenant.sneezed", EntityID: "1", Key: "rentvine:" + t.Name(),
		ReceivedAt: receivedAt, Changes: map[string]durable.Change{"end": {}}}
	closeRun(t, r, e)
	require.Equal(t, Duplicate, deliver(t, r, e).Outcome, "what a person has replayed or discarded is not held again")
}

func TestDeliverConcurrentRepeats(t *testing.T) {
	t.Parallel()
	r := testRouter(t, nil)
	e := workOrder(t, "work_order.created", "1")
	const times = 60
	var all sync.WaitGroup
	errs := make(chan error, times)
	for range times {
		all.Go(func() {
			_, err := r.Deliver(context.Background(), e)
			errs <- err
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	got := recorded(t, r.cfg.Client, "work-order/"+entity(t), "")
	require.Equal(t, times, got.Signals, "all in one run")
	require.Len(t, got.Taken, 1)
}

func TestDeliverTemporalAway(t *testing.T) {
	t.Parallel()
	r := awayRouter(t)
	_, err := r.Deliver(t.Context(), workOrder(t, "work_order.created", "1"))
	require.ErrorContains(t, err, "deliver to work-order/")
	require.NotContains(t, err.Error(), "Jane")
	require.Error(t, r.Healthy(t.Context()))
}
