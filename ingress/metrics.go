package ingress

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the ingress's numbers. Labels come from closed sets: nothing that
// a sender chooses becomes one.
type metrics struct {
	webhooks  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	parked    *prometheus.CounterVec
	keyReused *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keyholder_ingress_webhooks_total",
			Help: "Webhook deliveries answered, by source, reason and HTTP status code."}, []string{"source", "reason", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "keyholder_ingress_webhook_seconds",
			Help:    "Time from the request's headers to the reply.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"source"}),
		parked: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keyholder_ingress_parked_total",
			Help: "Events parked, by source and reason."}, []string{"source", "reason"}),
		keyReused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keyholder_ingress_key_reused_total",
			Help: "Duplicates whose body differs from the one confirmed under the same event id."}, []string{"source"}),
	}
	for _, c := range []prometheus.Collector{m.webhooks, m.seconds, m.parked, m.keyReused} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) count(ctx context.Context, source string, r answered, took time.Duration) {
	m.webhooks.WithLabelValues(source, r.reason, strconv.Itoa(r.status)).Inc()
	observe(ctx, m.seconds.WithLabelValues(source), took.Seconds())
	if r.result.Outcome == Parked {
		m.parked.WithLabelValues(source, r.result.Reason).Inc()
	}
}

// apiMetrics are the numbers of the /v1 API.
type apiMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newAPIMetrics() *apiMetrics {
	return &apiMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keyholder_ingress_api_requests_total",
			Help: "Requests to the /v1 API answered, by route, reason and HTTP status code."}, []string{"route", "reason", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "keyholder_ingress_api_seconds",
			Help:    "Time from the request's headers to the reply, waiting for an outcome included.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"route"}),
	}
}

func (m *apiMetrics) register(registry prometheus.Registerer) error {
	return errors.Join(registry.Register(m.requests), registry.Register(m.seconds))
}

func (m *apiMetrics) count(ctx context.Context, route string, r apiReply, took time.Duration) {
	m.requests.WithLabelValues(route, r.reason, strconv.Itoa(r.status)).Inc()
	observe(ctx, m.seconds.WithLabelValues(route), took.Seconds())
}

// MetricsHandler serves the registry in Prometheus's text form, as OpenMetrics with
// exemplars where that is asked for; it belongs on a port of its own.
func (s *Server) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(s.cfg.Registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second, EnableOpenMetrics: true})
}
