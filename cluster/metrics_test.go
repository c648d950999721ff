package cluster_test

import (
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/workflows/durable"
)

var (
	wakes = durable.Counter{Metric: durable.Metric{Name: "test_wakes_total", Help: "Signals taken.", Labels: []string{"what"}}}
	naps  = durable.Timer{Metric: durable.Metric{Name: "test_naps_seconds", Help: "Time slept.", Labels: []string{"kind"}}}
)

// sleeper counts each signal until the third.
func sleeper(ctx workflow.Context) error {
	for range 3 {
		workflow.GetSignalChannel(ctx, "wake").Receive(ctx, nil)
		wakes.Inc(ctx, "signal")
		naps.Record(ctx, 90*time.Minute, "short")
	}
	return nil
}

// host runs a worker for the sleeper, and returns what it shows Prometheus.
func host(t *testing.T, address, queue string) (registry *prometheus.Registry, stop func()) {
	t.Helper()
	registry = prometheus.NewPedanticRegistry()
	metrics, err := cluster.NewMetrics(registry, wakes.Metric, naps.Metric)
	require.NoError(t, err)
	w := worker.New(dial(t, cluster.Options{Address: address, Metrics: metrics}), queue, worker.Options{})
	w.RegisterWorkflowWithOptions(sleeper, workflow.RegisterOptions{Name: "sleeper"})
	require.NoError(t, w.Start())
	return registry, w.Stop
}

// shown is what the registry shows Prometheus.
func shown(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).
		ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	require.Equal(t, 200, rec.Code, rec.Body.String())
	return rec.Body.String()
}

// counted is how many wakes the registry shows, "" for none.
func counted(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^test_wakes_total\{.*what="signal".*\} (\d+)$`).FindAllStringSubmatch(shown(t, registry), -1)
	require.LessOrEqual(t, len(found), 1)
	if len(found) == 0 {
		return ""
	}
	return found[0][1]
}

// The worker that takes over replays what the first one has counted, and counts only what
// is new.
func TestWorkflowsCountOnceWhateverReplays(t *testing.T) {
	t.Parallel()
	server := devServer(t)
	queue := "metrics-" + uuid.NewString()
	c := dial(t, cluster.Options{Address: server.Address()})
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, "sleeper")
	require.NoError(t, err)
	wake := func() { require.NoError(t, c.SignalWorkflow(t.Context(), run.GetID(), "", "wake", nil)) }

	first, stop := host(t, server.Address(), queue)
	wake()
	require.Eventually(t, func() bool { return counted(t, first) == "1" }, time.Minute, 20*time.Millisecond)
	wake()
	require.Eventually(t, func() bool { return counted(t, first) == "2" }, time.Minute, 20*time.Millisecond)
	stop()
	wake()
	second, stop := host(t, server.Address(), queue)
	t.Cleanup(stop)
	require.NoError(t, run.Get(t.Context(), nil))
	require.Equal(t, "2", counted(t, first))
	require.Equal(t, "1", counted(t, second))
}

// Business time goes on for weeks: its buckets are not those of the SDK's requests.
func TestTimersOfWorkflowsMeasureUpToAMonth(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	metrics, err := cluster.NewMetrics(registry, naps.Metric)
	require.NoError(t, err)
	metrics.WithTags(map[string]string{"kind": "short"}).Timer("test_naps").Record(90 * time.Minute)
	metrics.Timer("temporal_request_latency").Record(90 * time.Millisecond)

	text := shown(t, registry)
	for _, line := range []string{
		"# HELP test_naps_seconds Time slept.",
		`test_naps_seconds_bucket{kind="short",le="60"} 0`,
		`test_naps_seconds_bucket{kind="short",le="3600"} 0`,
		`test_naps_seconds_bucket{kind="short",le="7200"} 1`,
		`test_naps_seconds_bucket{kind="short",le="2.592e+06"} 1`,
		`temporal_request_latency_seconds_bucket{le="0.05"} 0`,
		`temporal_request_latency_seconds_bucket{le="0.1"} 1`,
	} {
		require.Contains(t, text, line+"\n")
	}
	require.NotContains(t, text, `test_naps_seconds_bucket{kind="short",le="0.001"}`)
}
