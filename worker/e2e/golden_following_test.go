package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/sales"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// recordFollowing plays the scenarios of sales that are followed by polling.
func recordFollowing(t *testing.T) {
	t.Run("poller", func(t *testing.T) {
		finished := start(t, e2e.Options{Args: []string{"--without", "worker"}})
		record(t, finished, partnersync.OpenMoove.Name, "finished", playPoller(t, finished, 12))
		policy := steady(t, "shards: 1 #", "shards: 2 #")
		parts := start(t, e2e.Options{Args: []string{"--without", "worker", "--policy", policy}, Env: []string{"KEYHOLDER_OPENMOOVE_LIMITS=1000/1m,100000/1h"}})
		record(t, parts, partnersync.OpenMoove.Name, "two_parts", playPoller(t, parts, 2))
	})
	t.Run("followed", func(t *testing.T) {
		quick := start(t, e2e.Options{Args: []string{"--day", "4s"}, Env: []string{"KEYHOLDER_OPENMOOVE_LIMITS=10000/1m,1000000/1h"}})
		record(t, quick, sales.Report.Name, "mailed", playReport(t, quick))
		record(t, quick, sales.Sale.Name, "followed", playFollowed(t, quick))
	})
	t.Run("webhooks", func(t *testing.T) {
		s := start(t, e2e.Options{})
		property := sell(t, s, saleOf(1, "standard")).PropertyID
		record(t, s, partnersync.OutgoingWebhook.Name, "delivered", playWebhook(t, s, property, 2, 0))
		record(t, s, partnersync.OutgoingWebhook.Name, "delivered_later", playWebhook(t, s, property, 3, http.StatusServiceUnavailable))
		record(t, s, partnersync.OutgoingWebhook.Name, "refused", playWebhook(t, s, property, 4, http.StatusGone))
	})
}

// playPoller lets a run of the poller make so many batches. A batch takes five
// minutes, but ends early where its worker is stopped.
func playPoller(t *testing.T, s *e2e.Stack, batches int) string {
	t.Helper()
	var id string
	for n := 1; n <= batches; n++ {
		w, err := s.Worker(t.Context())
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			if id, err = s.Newest(t.Context(), partnersync.OpenMoove.Name); err != nil {
				return false
			}
			d, err := s.Client.DescribeWorkflowExecution(t.Context(), id, "")
			pending := d.GetPendingActivities()
			return err == nil && len(pending) > 0 && pending[0].GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED
		}, 2*soon, 50*time.Millisecond, "batch %d", n)
		require.NoError(t, w.Stop(10*time.Second))
	}
	// Another worker takes the result of the last batch.
	last := worker(t, s)
	defer func() { require.NoError(t, last.Stop(10*time.Second)) }()
	require.Eventually(t, func() bool {
		return batches == 12 && ended(t, s, id) || batches < 12 && completions(t, s, id) >= batches
	}, 2*soon, 50*time.Millisecond)
	return id
}

// completions counts the batches of which the workflow knows.
func completions(t *testing.T, s *e2e.Stack, id string) int {
	t.Helper()
	n := 0
	for _, event := range exported(t, s, id).GetEvents() {
		if event.GetEventType() == enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED {
			n++
		}
	}
	return n
}

// playReport asks for a report that is mailed at once.
func playReport(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	require.NoError(t, s.Client.ScheduleClient().GetHandle(t.Context(), workflows.ScheduleSalesReport).Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	var id string
	require.Eventually(t, func() bool {
		var err error
		id, err = s.Newest(t.Context(), sales.Report.Name)
		return err == nil && ended(t, s, id)
	}, soon, 50*time.Millisecond)
	return id
}

// playFollowed is a sale that the polling finds: another system reports a milestone,
// which OpenMoove shows too late, then the others are completed and the sale ends.
// OpenMoove tells nothing of it.
func playFollowed(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	require.NoError(t, s.Put(t.Context(), "/_records/openmoove/options", map[string]bool{"without_webhooks": true}, nil))
	id := madeElsewhere(t, s)
	property := id[len(sales.SaleID("")):]
	until := func(what string, is func(sales.SaleDescription) bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			d, err := sales.DescribeSale.Ask(t.Context(), s.Client, id, "")
			return err == nil && is(d)
		}, 60*time.Second, 50*time.Millisecond, what)
	}
	until("found", func(d sales.SaleDescription) bool { return d.Progress.Total > 0 })

	body, err := json.Marshal(map[string]any{"type": "property_listed", "property_id": json.Number(property), "user": "listings", "id": "listing-4711"})
	require.NoError(t, err)
	reply, err := s.API(t.Context(), http.MethodPost, "/v1/milestone-events", "application/json", body)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, reply.Status, reply.Body)
	reported := func(state sales.ReportState) func(sales.SaleDescription) bool {
		return func(d sales.SaleDescription) bool { return len(d.Reported) == 1 && d.Reported[0].State == state }
	}
	until("reported", reported(sales.ReportAwaiting))
	until("still not confirmed", reported(sales.ReportUnconfirmed))

	for i, milestone := range milestonesOf(t, s, property) {
		path := fmt.Sprintf("/_records/openmoove/properties/%s/milestones/%d", property, milestone)
		if i == 0 {
			require.NoError(t, s.Put(t.Context(), path, map[string]string{"due_date": "2031-03-03"}, nil))
			until("told", func(d sales.SaleDescription) bool { return len(d.Timeline) > 2 })
		}
		require.NoError(t, s.Put(t.Context(), path, map[string]bool{"completed": true}, nil))
	}
	until("confirmed", reported(sales.ReportConfirmed))
	require.Eventually(t, func() bool { return ended(t, s, id) }, 60*time.Second, 200*time.Millisecond)
	return id
}

// playWebhook lets a due date move, of which the sandbox's subscriber is told: it
// answers with a status at first, 0 for as it should.
func playWebhook(t *testing.T, s *e2e.Stack, property string, milestone, status int) string {
	t.Helper()
	if status != 0 {
		require.NoError(t, s.Fault(t.Context(), "subscriber", map[string]any{"status": status, "times": 1}))
	}
	path := fmt.Sprintf("/_records/openmoove/properties/%s/milestones/%d", property, milestonesOf(t, s, property)[milestone])
	before := time.Now()
	require.NoError(t, s.Put(t.Context(), path, map[string]string{"due_date": "2031-03-03"}, nil))
	var id string
	require.Eventually(t, func() bool {
		list, err := s.Client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType = '" + partnersync.OutgoingWebhook.Name + "'",
		})
		require.NoError(t, err)
		for _, info := range list.GetExecutions() {
			one := info.GetExecution().GetWorkflowId()
			d, err := partnersync.DescribeOutgoingWebhook.Ask(t.Context(), s.Client, one, "")
			if err == nil && d.Type == sales.EventMilestoneUpdated && d.Timestamp.After(before) {
				id = one
			}
		}
		return id != "" && ended(t, s, id)
	}, 2*soon, 100*time.Millisecond)
	return id
}

// milestonesOf are the ids of a property's milestones.
func milestonesOf(t *testing.T, s *e2e.Stack, property string) []int {
	t.Helper()
	var l struct {
		Milestones []struct {
			ID int `json:"id"`
		} `json:"milestones"`
	}
	require.NoError(t, s.Get(t.Context(), "/_records/openmoove/properties/"+property, &l))
	var ids []int
	for _, m := range l.Milestones {
		ids = append(ids, m.ID)
	}
	return ids
}
