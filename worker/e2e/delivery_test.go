package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// created is a burst pipe as RentVine tells of it.
func created(workOrderID, eventID string) map[string]any {
	return map[string]any{
		"event_type": "work_order.created", "event_id": eventID, "timestamp": time.Now().UTC().Format(time.RFC3339),
		"data": map[string]any{
			"workOrderID": workOrderID, "propertyID": "1", "unitID": "1", "leaseID": "1", "portfolioID": "1",
			"workOrderStatusID": "11", "primaryWorkOrderStatusID": "1", "priorityID": "3", "requestedByContactID": "1",
			"description": "A pipe burst, water is flooding the floor.",
		},
	}
}

// updated tells that one field changed.
func updated(workOrderID, eventID, field, before, after string) map[string]any {
	e := created(workOrderID, eventID)
	e["event_type"] = "work_order.updated"
	e["changes"] = map[string]any{field: map[string]any{"old": before, "new": after}}
	return e
}

// deliver posts an event and requires that it is taken with the status.
func deliver(t *testing.T, s *e2e.Stack, ingress string, event map[string]any, status int) e2e.Acknowledged {
	t.Helper()
	reply, err := s.Deliver(t.Context(), ingress, event)
	require.NoError(t, err)
	require.Equal(t, status, reply.Status, reply.Body)
	taken, err := reply.Acknowledged()
	require.NoError(t, err)
	return taken
}

// secondIngress runs another ingress, which knows nothing of what the first has
// seen, until the end of the test.
func secondIngress(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	port, err := cluster.FreePort(t.Context())
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	p, err := s.IngressBeside(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := p.Stop(10 * time.Second); err != nil {
			t.Errorf("the second ingress did not stop cleanly: %v", err)
		}
	})
	return "http://" + address
}

// Two ingresses get the same event 25 times each at once, and again when all is
// over: one workflow, one page.
func TestManyDeliveriesOneEffect(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	second := secondIngress(t, s)
	const id = "7001"
	event := created(id, "evt_many")
	require.NoError(t, s.Post(t.Context(), "/_records/rentvine/work-orders", event["data"], nil))

	var group sync.WaitGroup
	replies := make(chan e2e.Reply, 50)
	for i := range cap(replies) {
		group.Go(func() {
			reply, err := s.Deliver(t.Context(), []string{s.Ingress, second}[i%2], event)
			if err != nil {
				reply.Body = err.Error()
			}
			replies <- reply
		})
	}
	group.Wait()
	close(replies)
	for reply := range replies {
		require.Contains(t, []int{http.StatusAccepted, http.StatusOK}, reply.Status, reply.Body)
		taken, err := reply.Acknowledged()
		require.NoError(t, err)
		require.Equal(t, maintenance.WorkOrderID(id), taken.WorkflowID)
	}
	page(t, s, alma, 1)
	d := until(t, s, id, maintenance.StagePaging)
	require.Len(t, d.Pages, 1)
	require.Len(t, pages(t, s, ""), 1)
	require.Equal(t, 1, countRuns(t, s, "WorkflowType = '"+maintenance.WorkOrderName+"'"))

	closed(t, s, id)
	third := secondIngress(t, s)
	for _, ingress := range []string{s.Ingress, second, third} {
		taken := deliver(t, s, ingress, event, http.StatusOK)
		require.Equal(t, "duplicate", taken.Status)
	}
	require.Equal(t, 1, countRuns(t, s, "WorkflowType = '"+maintenance.WorkOrderName+"'"))
	require.Len(t, pages(t, s, ""), 1)
	noDuplicates(t, s)
}

// countRuns counts workflow runs, open and closed, as soon as there is one.
func countRuns(t *testing.T, s *e2e.Stack, query string) int {
	t.Helper()
	n := 0
	require.Eventually(t, func() bool {
		list, err := s.Client.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		if err != nil {
			return false
		}
		n = int(list.GetCount())
		return n > 0
	}, soon, 50*time.Millisecond, query)
	return n
}

func TestEventsOfAClosedWorkOrder(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	id := emergency(t, s, nil)
	page(t, s, alma, 1)
	closed(t, s, id)
	first := runOf(t, s, id)
	noDuplicates(t, s)

	// Something that asks for nothing is kept for a person to look at.
	unrelated := deliver(t, s, s.Ingress, updated(id, "evt_unrelated", "estimatedAmount", "0.00", "120.00"), http.StatusAccepted)
	require.True(t, unrelated.Parked)
	require.Equal(t, first, runOf(t, s, id))
	requireParked(t, s, unrelated.WorkflowID)

	// Reopened in RentVine: the response begins again, with texts of its own.
	reopened(t, s, id)
	page(t, s, alma, 2)
	require.NotEqual(t, first, runOf(t, s, id))
	d := until(t, s, id, maintenance.StagePaging)
	require.Len(t, d.Pages, 1, "the new run begins from the top")
	closed(t, s, id)
	require.Len(t, pages(t, s, ""), 2)
}

func runOf(t *testing.T, s *e2e.Stack, id string) string {
	t.Helper()
	d, err := s.Client.DescribeWorkflowExecution(t.Context(), maintenance.WorkOrderID(id), "")
	require.NoError(t, err)
	return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
}

// requireParked asserts that an event is listed as parked, cannot be replayed while
// no workflow takes it, and can be discarded with a reason.
func requireParked(t *testing.T, s *e2e.Stack, workflow string) {
	t.Helper()
	describedAsParked(t, s, workflow)
	require.Equal(t, 1, countRuns(t, s, "WorkflowType = '"+partnersync.ParkedEventName+"' AND ExecutionStatus = 'Running' AND WorkflowId = '"+workflow+"'"))
	decision := partnersync.ParkedCommand{By: "operator", Why: "tests"}

	_, err := partnersync.Replay.Send(t.Context(), s.Client, workflow, "replay", decision)
	require.ErrorContains(t, err, "it stays parked")
	_, err = partnersync.Discard.Send(t.Context(), s.Client, workflow, "discard-for-no-reason", partnersync.ParkedCommand{By: "operator"})
	require.ErrorContains(t, err, "say who decided and why")
	describedAsParked(t, s, workflow)

	said, err := partnersync.Discard.Send(t.Context(), s.Client, workflow, "discard", decision)
	require.NoError(t, err)
	require.Equal(t, "discarded", said)
	require.Eventually(t, func() bool {
		d, err := s.Client.DescribeWorkflowExecution(t.Context(), workflow, "")
		return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	}, soon, 25*time.Millisecond)
}

func TestEventsWithoutAWorkflowAreParked(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{})
	workflow := parked(t, s)
	requireParked(t, s, workflow)

	unknown := created("7002", "evt_unknown")
	unknown["event_type"] = "tenant.sneezed"
	first := deliver(t, s, s.Ingress, unknown, http.StatusAccepted)
	require.True(t, first.Parked)
	again := deliver(t, s, secondIngress(t, s), unknown, http.StatusAccepted)
	require.Equal(t, first.WorkflowID, again.WorkflowID, "the same event is parked once")
	require.Eventually(t, func() bool {
		d, err := partnersync.DescribeParked.Ask(t.Context(), s.Client, first.WorkflowID, "")
		return err == nil && d.Repeats == 1
	}, soon, 25*time.Millisecond)
	requireParked(t, s, first.WorkflowID)
}

// A Temporal that hangs or is gone refuses nothing for good: senders are asked to
// come again, and then all is as if nothing had been.
func TestTemporalAway(t *testing.T) {
	t.Parallel()
	needTemporal(t)
	s, err := e2e.Start(t.Context(), e2e.Options{Binary: keyholder(), Data: t.TempDir(), Args: []string{"--policy", steady(t)}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Stop() }) // it has failed by then, as it should
	second := secondIngress(t, s)
	server := temporalOf(t, s)
	event := created("7003", "evt_away")
	require.NoError(t, s.Post(t.Context(), "/_records/rentvine/work-orders", event["data"], nil))

	suspend(t, server)
	refused(t, s, s.Ingress, event)
	resume(t, server)
	require.Eventually(t, func() bool {
		reply, err := s.Deliver(t.Context(), s.Ingress, event)
		return err == nil && (reply.Status == http.StatusAccepted || reply.Status == http.StatusOK)
	}, soon, 200*time.Millisecond)
	page(t, s, alma, 1)
	d := until(t, s, "7003", maintenance.StagePaging)
	require.Len(t, d.Pages, 1, "one effect of two deliveries")

	kill(t, server)
	refused(t, s, second, created("7004", "evt_gone"))
	select {
	case <-s.Dev().Done():
	case <-time.After(soon):
		require.Fail(t, "keyholder dev goes on without Temporal")
	}
	require.Equal(t, 1, s.Dev().ExitCode())
	require.Contains(t, s.Output(), "has ended; its log is ")
	require.Contains(t, s.Output(), "temporal.log")
}

// refused requires that an event is put off.
func refused(t *testing.T, s *e2e.Stack, ingress string, event map[string]any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	reply, err := s.Deliver(ctx, ingress, event)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, reply.Status, reply.Body)
	seconds, err := strconv.Atoi(reply.RetryAfter)
	require.NoError(t, err)
	require.Positive(t, seconds)
}
