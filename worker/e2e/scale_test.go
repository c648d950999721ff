package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// One worker runs workflows and sends texts, another all that partners bound, and one of
// two ingresses takes each event: an emergency is answered, a charge is booked, and neither
// worker does the other's work.
func TestWorkersAndIngressesScaleApart(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--without", "worker,ingress", "--policy", steady(t)}})
	others := []string{activities.QueueRentVine, activities.QueueOpenMoove, activities.QueueBulk, activities.QueueQuickBooks, activities.QueueWebhooks}
	first, firstAt := someQueues(t, s, workflows.TaskQueue)
	second, secondAt := someQueues(t, s, others...)
	require.Equal(t, "ready: keyholder\n", ready(t, firstAt))
	require.Equal(t, "ready: "+strings.Join(others, ", ")+"\n", ready(t, secondAt))
	// The sandbox sends to the first, whose place is the stack's own.
	besides(t, s, strings.TrimPrefix(s.Ingress, "http://"))
	free, err := cluster.FreePort(t.Context())
	require.NoError(t, err)
	another := fmt.Sprintf("127.0.0.1:%d", free)
	besides(t, s, another)

	id := emergency(t, s, nil)
	paged := page(t, s, alma, 1)
	require.Contains(t, reply(t, s, paged.To, "1"), "you are on it")
	// The other ingress takes the same event again, and one about the same work order.
	for _, event := range []string{"another-1", "another-1", "another-2"} {
		said, err := s.Deliver(t.Context(), "http://"+another, map[string]any{
			"event_type": "work_order.updated", "event_id": event, "data": map[string]any{"workOrderID": id},
		})
		require.NoError(t, err)
		require.Less(t, said.Status, http.StatusMultipleChoices, said.Body)
	}
	_, err = s.Until(t.Context(), id, func(d maintenance.Description) bool {
		return d.Stage == maintenance.StageDispatching && d.Acknowledged != nil
	}, time.Minute)
	require.NoError(t, err)

	charge, err := s.Charge(t.Context(), "lease_charge.created", nil)
	require.NoError(t, err)
	require.NoError(t, s.Ended(t.Context(), charge, time.Minute))
	books, err := s.QuickBooks(t.Context())
	require.NoError(t, err)
	require.Positive(t, books.Entries)
	require.True(t, books.Balanced)
	require.Zero(t, books.Duplicates)

	done := `temporal_activity_execution_latency_seconds_count`
	require.True(t, slices.ContainsFunc(metricLines(t, firstAt, done), inQueue(workflows.TaskQueue)), "texts were sent by the first worker")
	require.False(t, slices.ContainsFunc(metricLines(t, firstAt, done), inQueue(activities.QueueQuickBooks)))
	require.True(t, slices.ContainsFunc(metricLines(t, secondAt, done), inQueue(activities.QueueQuickBooks)), "the charge was booked by the second")
	require.False(t, slices.ContainsFunc(metricLines(t, secondAt, done), inQueue(workflows.TaskQueue)))
	noDuplicates(t, s)
	require.NoError(t, first.Stop(15*time.Second))
	require.NoError(t, second.Stop(15*time.Second))
}

func inQueue(queue string) func(string) bool {
	return func(line string) bool { return strings.Contains(line, `task_queue="`+queue+`"`) }
}

// someQueues runs a worker for some queues; its metrics are at that address.
func someQueues(t *testing.T, s *e2e.Stack, queues ...string) (w *e2e.Process, metrics string) {
	t.Helper()
	port, err := cluster.FreePort(t.Context())
	require.NoError(t, err)
	metrics = fmt.Sprintf("http://127.0.0.1:%d", port)
	w, err = s.WorkerOf(t.Context(), queues, "KEYHOLDER_METRICS_ADDR="+strings.TrimPrefix(metrics, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Kill() })
	return w, metrics
}

// besides runs an ingress until the end of the test.
func besides(t *testing.T, s *e2e.Stack, address string) {
	t.Helper()
	p, err := s.IngressBeside(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := p.Stop(15 * time.Second); err != nil {
			t.Errorf("an ingress did not stop cleanly: %v", err)
		}
	})
}

// ready is what a worker says when it is asked whether it can work.
func ready(t *testing.T, metrics string) string {
	t.Helper()
	status, body := fetched(t, metrics+"/readyz")
	require.Equal(t, http.StatusOK, status, body)
	return body
}

// metricLines are the lines of one metric.
func metricLines(t *testing.T, metrics, name string) []string {
	t.Helper()
	status, body := fetched(t, metrics+"/metrics")
	require.Equal(t, http.StatusOK, status)
	var lines []string
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, name) {
			lines = append(lines, line)
		}
	}
	return lines
}

func fetched(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}
