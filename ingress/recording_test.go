package ingress

import (
	"context"
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// testRouter delivers to a queue of the test's own, on which recordEvents runs
// under the names of the real workflows.
func testRouter(t *testing.T, change func(*RouterConfig)) *Router {
	t.Helper()
	c := testTemporal(t)
	queue := "recording-" + entity(t)
	w := worker.New(c, queue, worker.Options{})
	for _, name := range []string{maintenance.WorkOrderName, partnersync.ParkedEventName} {
		w.RegisterWorkflowWithOptions(recordEvents, workflow.RegisterOptions{Name: name})
	}
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	// The limit is wide, so that a busy machine does not fail the tests.
	cfg := RouterConfig{Client: c, TaskQueue: queue, Limit: 30 * time.Second}
	if change != nil {
		change(&cfg)
	}
	return NewRouter(cfg)
}

// awayRouter points to a port on which nobody listens.
func awayRouter(t *testing.T) *Router {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	c, err := client.NewLazyClient(client.Options{HostPort: listener.Addr().String(), Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return NewRouter(RouterConfig{Client: c, Limit: 300 * time.Millisecond})
}

// entity is an id that no other test uses.
func entity(t *testing.T) string { return digest([]byte(t.Name()))[:16] }

// record is what recordEvents has met.
type record struct {
	ID      string
	Clock   durable.Clock
	Signals int
	Taken   []durable.Event
}

// recordEvents takes each event once and ends after one whose changes have a
// field "end".
func recordEvents(ctx workflow.Context, in durable.Entity[json.RawMessage]) (int, error) {
	seen, r, ended := in.Seen, record{ID: in.ID, Clock: in.Clock}, false
	if err := durable.SeenEvents.Handle(ctx, func() (durable.Seen, error) { return seen, nil }); err != nil {
		return 0, err
	}
	if err := workflow.SetQueryHandler(ctx, "record", func() (record, error) { return r, nil }); err != nil {
		return 0, err
	}
	drain := func(ctx workflow.Context) bool {
		facts, _ := durable.EventReceived.Drain(ctx)
		for _, e := range facts {
			r.Signals++
			if seen.Add(e.Key, workflow.Now(ctx)) {
				r.Taken = append(r.Taken, e)
			}
			_, end := e.Changes["end"]
			ended = ended || end
		}
		return len(facts) > 0
	}
	for !ended {
		if err := workflow.Await(ctx, func() bool { return durable.EventReceived.Pending(ctx) }); err != nil {
			return 0, err
		}
		drain(ctx)
	}
	return r.Signals, durable.Settle(ctx, drain)
}

// recorded asks a run what it has met; runID may be "".
func recorded(t *testing.T, c client.Client, workflowID, runID string) record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	v, err := c.QueryWorkflow(ctx, workflowID, runID, "record")
	require.NoError(t, err)
	var r record
	require.NoError(t, v.Get(&r))
	return r
}
