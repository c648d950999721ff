package worker_test

import (
	"context"
	"net/http"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/sync"
)

// compared is a scenario whose RentVine is compared with what is known.
type compared struct {
	*scenario
	mu     stdsync.Mutex
	events []durable.Event
}

func newCompared(t *testing.T) *compared {
	t.Helper()
	c := &compared{scenario: newScenarioWith(t, (*scenario).now)}
	c.acts.Deliver = func(_ context.Context, ev durable.Event) (activities.Redelivery, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events = append(c.events, ev)
		return activities.Redelivery{Routed: true}, nil
	}
	c.look()
	require.Empty(t, c.told(), "the first look is silent")
	return c
}

// look compares once.
func (c *compared) look() {
	c.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	c.acts.RegisterBulk(env)
	_, err := env.ExecuteActivity(activities.ReconcileRentVine.Name, activities.ReconcileInput{Full: true})
	require.NoError(c.t, err)
}

// told are the events since the last call.
func (c *compared) told() []durable.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	events := c.events
	c.events = nil
	return events
}

// The comparison may see a record before its webhook is there: the workflow takes both, and
// acts once.
func TestTheComparisonMayOvertakeTheWebhook(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]int{"the comparison first": 0, "the webhook first": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCompared(t)
			c.id = ""
			c.id = c.record(nil)
			c.look()
			found := c.told()
			require.Len(t, found, 1)
			require.Equal(t, "work_order.created", found[0].Type)
			require.Equal(t, c.id, found[0].EntityID)
			c.freshEnvironment("work-order/" + c.id)
			both := []durable.Event{found[0], c.event("work_order.created", nil)}
			c.at(time.Second, func() { c.tell(both[1-first]) })
			c.at(2*time.Second, func() { c.tell(found[0]) })
			var pages int
			c.at(time.Minute, func() {
				pages = len(c.pages(c.describe()))
				c.status("Completed")
			})
			require.Equal(t, string(maintenance.StageClosed), string(c.play(both[first]).Outcome))
			require.Equal(t, 1, pages, "one page")
			c.nothingTwice()
			c.look()
			require.Empty(t, c.told(), "the workflow has read it")
		})
	}
}

// A run waits for a RentVine that is away, tells what it missed, and records endings then.
func TestTheComparisonWaitsForRentVine(t *testing.T) {
	t.Parallel()
	c := newCompared(t)
	c.call(http.MethodPut, "/_records/rentvine/leases/2", map[string]string{"noticeDate": "2026-11-20"}, nil)
	c.call(http.MethodPut, "/_faults/rentvine", sandbox.Fault{Status: http.StatusServiceUnavailable, Times: 3}, nil)
	c.freshEnvironment("sync/rentvine-2026-11-21T18:00:00Z")
	endings := c.env.OnActivity(activities.RecordEndings.Name, mock.Anything, mock.Anything).Return(activities.RecordedEndings{}, nil)
	c.env.ExecuteWorkflow(sync.RentVineName, activities.ReconcileInput{})
	require.NoError(t, c.env.GetWorkflowError())
	var done activities.Reconciled
	require.NoError(t, c.env.GetWorkflowResult(&done))
	require.Equal(t, map[string]int{"lease.updated": 1}, done.Told)
	require.Len(t, c.told(), 1)
	require.NotNil(t, endings)
	c.env.AssertExpectations(t)
}
