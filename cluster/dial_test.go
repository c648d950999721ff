package cluster_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/aictive/keyholder/cluster"
)

type observedLog struct {
	logger *zap.Logger
	lines  *observer.ObservedLogs
}

func observed(t *testing.T) observedLog {
	t.Helper()
	core, lines := observer.New(zapcore.DebugLevel)
	return observedLog{zap.New(core), lines}
}

func TestLoggerReachesZap(t *testing.T) {
	t.Parallel()
	log := observed(t)
	cluster.Logger(log.logger).Error("Activity error.", "WorkflowID", "work-order/1")
	require.Equal(t, 1, log.lines.Len())
	line := log.lines.All()[0]
	require.Equal(t, zapcore.ErrorLevel, line.Level)
	require.Equal(t, "temporal", line.LoggerName)
	require.Equal(t, map[string]any{"WorkflowID": "work-order/1"}, line.ContextMap())
	require.Empty(t, line.Stack)
}

// Temporal's own variables and profiles apply, and what the caller sets wins.
func TestDialReadsTemporalsSettings(t *testing.T) {
	server := devServer(t)
	profile := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(profile, []byte("[profile.here]\naddress = \""+server.Address()+"\"\n[profile.away]\naddress = \"127.0.0.1:1\"\n"), 0o600))
	t.Setenv("TEMPORAL_CONFIG_FILE", profile)

	t.Setenv("TEMPORAL_PROFILE", "here")
	c, err := cluster.Dial(t.Context(), cluster.Options{})
	require.NoError(t, err)
	c.Close()

	t.Setenv("TEMPORAL_PROFILE", "away")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = cluster.Dial(ctx, cluster.Options{})
	require.ErrorContains(t, err, "127.0.0.1:1 (TEMPORAL_ADDRESS)")
	c, err = cluster.Dial(t.Context(), cluster.Options{Lazy: true})
	require.NoError(t, err, "a lazy client does not need the cluster yet")
	c.Close()

	c, err = cluster.Dial(t.Context(), cluster.Options{Address: server.Address()})
	require.NoError(t, err)
	c.Close()

	t.Setenv("TEMPORAL_PROFILE", "unknown")
	_, err = cluster.Dial(t.Context(), cluster.Options{})
	require.ErrorContains(t, err, "unknown")
	c, err = cluster.Dial(t.Context(), cluster.Options{Address: server.Address(), Plain: true})
	require.NoError(t, err, "plain leaves the settings alone")
	c.Close()
}

func TestMetricsOfTheSDK(t *testing.T) {
	t.Parallel()
	server := devServer(t)
	reg := prometheus.NewPedanticRegistry()
	metrics, err := cluster.NewMetrics(reg)
	require.NoError(t, err)
	c := dial(t, cluster.Options{Address: server.Address(), Metrics: metrics})
	_, err = c.WorkflowService().ListNamespaces(t.Context(), &workflowservice.ListNamespacesRequest{})
	require.NoError(t, err)

	// One name with several sets of labels, as the SDK does it.
	metrics.Counter("odd.name-x").Inc(1)
	metrics.WithTags(map[string]string{"work-order": "\xff"}).Counter("odd.name-x").Inc(2)
	metrics.WithTags(map[string]string{"a": "1"}).WithTags(map[string]string{"a": "2"}).Gauge("slots").Update(3)
	metrics.Timer("wait").Record(2 * time.Second)

	rec := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).
		ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	require.Equal(t, 200, rec.Code, rec.Body.String())
	text := rec.Body.String()
	require.Contains(t, text, `temporal_request_total{`)
	require.Contains(t, text, `operation="ListNamespaces"`)
	require.Contains(t, text, `temporal_request_latency_seconds_bucket{`)
	require.Contains(t, text, "odd_name_x_total 1\n")
	require.Contains(t, text, `odd_name_x_total{work_order="?"} 2`)
	require.Contains(t, text, `slots{a="2"} 3`)
	require.Contains(t, text, "wait_seconds_sum 2\n")
}
