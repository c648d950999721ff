package partner_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/aictive/keyholder/clients/partner"
)

func observer(t testing.TB) (*partner.Observer, *tracetest.SpanRecorder, *prometheus.Registry) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	o := partner.NewObserver(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test"))
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(o))
	return o, spans, registry
}

// exposed is what Prometheus reads where it asks for OpenMetrics.
func exposed(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, req)
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

func TestCallsAreCountedByOutcomeAndTraced(t *testing.T) {
	t.Parallel()
	o, spans, registry := observer(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.Empty(t, r.Header.Get("Traceparent"), "partners are told of no trace")
		switch r.URL.Path {
		case "/ok":
			_, _ = io.WriteString(w, `{"a":1}`)
		case "/busy":
			w.WriteHeader(http.StatusTooManyRequests)
		case "/broken":
			panic(http.ErrAbortHandler)
		case "/half":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"a":`)
		}
	})
	h := caller(t, partner.HTTPConfig{Name: "example", Observer: o, BreakAfter: 100})
	do := func(method, path string) {
		_ = h.Do(t.Context(), "example"+strings.ReplaceAll(path, "/", "."), method, url+path+"?phone=5550101", nil, nil, &struct{}{})
	}
	do(http.MethodGet, "/ok")
	do(http.MethodGet, "/ok")
	do(http.MethodPost, "/busy")
	do(http.MethodPost, "/broken")
	do(http.MethodGet, "/half")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = h.Do(gone, "example.ok", http.MethodGet, url+"/ok", nil, nil, nil)

	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP keyholder_partner_requests_total Calls to partners, by partner, operation and outcome: ok, a kind of failure, breaker_open or cancelled.
# TYPE keyholder_partner_requests_total counter
keyholder_partner_requests_total{op="example.broken",outcome="unknown_outcome",partner="example"} 1
keyholder_partner_requests_total{op="example.busy",outcome="rate_limited",partner="example"} 1
keyholder_partner_requests_total{op="example.half",outcome="unavailable",partner="example"} 1
keyholder_partner_requests_total{op="example.ok",outcome="cancelled",partner="example"} 1
keyholder_partner_requests_total{op="example.ok",outcome="ok",partner="example"} 2
`), "keyholder_partner_requests_total"))
	ended := spans.Ended()
	require.Len(t, ended, 6)
	require.Equal(t, "example.ok", ended[0].Name())
	require.Equal(t, codes.Unset, ended[0].Status().Code)
	require.Equal(t, "example.busy", ended[2].Name())
	require.Equal(t, sdktrace.Status{Code: codes.Error}, ended[2].Status())
	found := map[string]string{}
	for _, a := range ended[2].Attributes() {
		found[string(a.Key)] = a.Value.String()
	}
	require.Equal(t, map[string]string{"keyholder.partner": "example", "http.request.method": "POST", "http.response.status_code": "429", "error.type": "rate_limited"}, found)
	text := exposed(t, registry)
	require.Contains(t, text, `keyholder_partner_request_seconds_count{method="GET",partner="example"} 4`)
	require.Regexp(t, `keyholder_partner_request_seconds_bucket\{.*\} \d+ # \{trace_id="[0-9a-f]{32}"\}`, text)
	require.NotContains(t, text, "5550101")
}

func TestTheBreakerIsAGauge(t *testing.T) {
	t.Parallel()
	o, spans, registry := observer(t)
	var healthy atomic.Bool
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if !healthy.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	h := caller(t, partner.HTTPConfig{Name: "example", Observer: o, BreakAfter: 2, BreakFor: 2 * time.Second})
	do := func() error { return h.Do(t.Context(), "example.read", http.MethodGet, url, nil, nil, nil) }
	const gauge = `keyholder_partner_breaker_open{partner="example"} `
	require.Contains(t, exposed(t, registry), gauge+"0", "a partner is known before its first call")
	require.Error(t, do())
	require.Error(t, do())
	require.Error(t, do())
	text := exposed(t, registry)
	require.Contains(t, text, gauge+"1")
	require.Contains(t, text, `keyholder_partner_requests_total{op="example.read",outcome="breaker_open",partner="example"} 1`)
	require.Contains(t, text, `keyholder_partner_request_seconds_count{method="GET",partner="example"} 2`, "what is refused takes no time")
	require.Len(t, spans.Ended(), 3)
	healthy.Store(true)
	require.Eventually(t, func() bool { return do() == nil }, time.Minute, 50*time.Millisecond)
	require.Contains(t, exposed(t, registry), gauge+"0")
}

// The cost of observing one exchange, beside the exchange over the loopback interface.
func BenchmarkExchange(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }))
	defer s.Close()
	traced := partner.NewObserver(sdktrace.NewTracerProvider(sdktrace.WithBatcher(tracetest.NewNoopExporter())).Tracer("bench"))
	for name, o := range map[string]*partner.Observer{"plain": nil, "measured": partner.NewObserver(nil), "traced": traced} {
		b.Run(name, func(b *testing.B) {
			h := partner.NewHTTP(partner.HTTPConfig{Name: "example", Observer: o})
			defer h.CloseIdleConnections()
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Do(context.Background(), "example.read", http.MethodGet, s.URL, nil, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
