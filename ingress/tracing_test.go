package ingress

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// A sender's word for a trace is linked and not believed, nothing of a path or body is in
// a span, and the log and the metrics name the trace.
func TestEachRequestHasATraceOfItsOwn(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	d := open(t, testRouter(t, nil), func(c *Config) {
		c.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	})
	body := created(t, "traced")
	h := signed(body)
	h.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	h.Set("Tracestate", "sender=jane.roe")
	require.Equal(t, http.StatusAccepted, d.do(http.MethodPost, "/webhooks/rentvine", h, strings.NewReader(body)).status)
	unsigned := headers("Content-Type", "application/json")
	require.Equal(t, http.StatusUnauthorized, d.do(http.MethodPost, "/webhooks/openmoove", unsigned, strings.NewReader(body)).status)
	require.Equal(t, http.StatusNotFound, d.do(http.MethodGet, "/a/secret-token", nil, nil).status)
	require.Equal(t, http.StatusOK, d.do(http.MethodGet, "/healthz", nil, nil).status)

	// A span ends a moment after its reply.
	require.Eventually(t, func() bool { return len(spans.Ended()) >= 3 }, time.Minute, 10*time.Millisecond)
	ended := spans.Ended()
	require.Len(t, ended, 3, "probes are not traced")
	taken := ended[0]
	require.Equal(t, "POST /webhooks/rentvine", taken.Name())
	require.False(t, taken.Parent().IsValid())
	require.NotEqual(t, "0af7651916cd43dd8448eb211c80319c", taken.SpanContext().TraceID().String())
	require.Len(t, taken.Links(), 1)
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", taken.Links()[0].SpanContext.TraceID().String())
	require.Empty(t, taken.Links()[0].SpanContext.TraceState().String())
	require.ElementsMatch(t, []attribute.KeyValue{
		attribute.String("http.request.method", "POST"), attribute.String("http.route", "/webhooks/rentvine"),
		attribute.Int("http.response.status_code", 202), attribute.String("keyholder.reason", "accepted"),
	}, taken.Attributes())
	require.Equal(t, "POST /webhooks/openmoove", ended[1].Name())
	require.Contains(t, ended[1].Attributes(), attribute.Int("http.response.status_code", 401))
	require.Equal(t, "GET (none)", ended[2].Name())

	id := taken.SpanContext().TraceID().String()
	require.Contains(t, d.log.String(), `"trace_id":"`+id+`"`)
	w := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	d.MetricsHandler().ServeHTTP(w, req)
	require.Regexp(t, `keyholder_ingress_webhook_seconds_bucket\{source="rentvine",le="[^"]+"\} 1 # \{trace_id="`+id+`"\}`, w.Body.String())
}
