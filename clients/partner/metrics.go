package partner

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// The outcomes of a call beside the kinds of failure.
const (
	// OutcomeOK is a 2xx reply.
	OutcomeOK = "ok"
	// OutcomeBreakerOpen is a call that the open breaker refused: nothing was sent.
	OutcomeBreakerOpen = "breaker_open"
	// OutcomeCancelled is a call that its caller gave up: it says nothing of the partner.
	OutcomeCancelled = "cancelled"
)

// Observer counts, times and traces the calls to partners. One serves the clients of
// all partners; it is a prometheus.Collector to register. A nil one observes nothing.
type Observer struct {
	tracer   trace.Tracer
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	breaker  *prometheus.Desc

	mu sync.Mutex
	// openUntil is by partner, the zero time where its breaker was never open.
	openUntil map[string]time.Time
}

// NewObserver makes one; without a tracer it makes no spans.
func NewObserver(tracer trace.Tracer) *Observer {
	return &Observer{
		tracer: tracer,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keyholder_partner_requests_total",
			Help: "Calls to partners, by partner, operation and outcome: ok, a kind of failure, breaker_open or cancelled."}, []string{"partner", "op", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "keyholder_partner_request_seconds",
			Help:    "Time of a call to a partner, to the last byte of the reply. Calls that the open breaker refused are not among them.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"partner", "method"}),
		breaker: prometheus.NewDesc("keyholder_partner_breaker_open",
			"1 while the circuit breaker of a partner refuses calls, else 0. Of partners with several addresses any of them.", []string{"partner"}, nil),
		openUntil: map[string]time.Time{},
	}
}

// Describe lists the metrics.
func (o *Observer) Describe(ch chan<- *prometheus.Desc) {
	o.requests.Describe(ch)
	o.seconds.Describe(ch)
	ch <- o.breaker
}

// Collect sends the metrics.
func (o *Observer) Collect(ch chan<- prometheus.Metric) {
	o.requests.Collect(ch)
	o.seconds.Collect(ch)
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, until := range o.openUntil {
		open := 0.0
		if time.Now().Before(until) {
			open = 1
		}
		ch <- prometheus.MustNewConstMetric(o.breaker, prometheus.GaugeValue, open, name)
	}
}

// breakerOpen notes until when the breaker of a partner refuses calls; the zero time
// makes the partner known.
func (o *Observer) breakerOpen(name string, until time.Time) {
	if o == nil || name == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !until.Before(o.openUntil[name]) {
		o.openUntil[name] = until
	}
}

// Call is one call under way.
type Call struct {
	observer            *Observer
	partner, op, method string
	begun               time.Time
	span                trace.Span
	once                sync.Once
}

// Begin begins a call, which End ends. The context carries its span. op, such as
// "mail.send", and method must be names from code: they become labels.
func (o *Observer) Begin(ctx context.Context, partner, op, method string) (context.Context, *Call) {
	if o == nil {
		return ctx, nil
	}
	c := &Call{observer: o, partner: partner, op: cmp.Or(op, partner), method: cmp.Or(method, http.MethodGet), begun: time.Now(), span: noop.Span{}}
	if o.tracer != nil {
		ctx, c.span = o.tracer.Start(ctx, c.op, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("keyholder.partner", partner), attribute.String("http.request.method", c.method)))
	}
	return ctx, c
}

// End says what became of the call: the HTTP status, 0 for none, and an outcome. Only
// the first End counts.
func (c *Call) End(status int, outcome string) {
	if c == nil {
		return
	}
	c.once.Do(func() {
		c.observer.requests.WithLabelValues(c.partner, c.op, outcome).Inc()
		if outcome != OutcomeBreakerOpen {
			c.observe(c.observer.seconds.WithLabelValues(c.partner, c.method), time.Since(c.begun).Seconds())
		}
		if status != 0 {
			c.span.SetAttributes(attribute.Int("http.response.status_code", status))
		}
		if outcome != OutcomeOK {
			c.span.SetAttributes(attribute.String("error.type", outcome))
			c.span.SetStatus(codes.Error, "")
		}
		c.span.End()
	})
}

// observe adds the trace as an exemplar, where it is kept.
func (c *Call) observe(to prometheus.Observer, seconds float64) {
	exemplars, ok := to.(prometheus.ExemplarObserver)
	if span := c.span.SpanContext(); ok && span.IsSampled() {
		exemplars.ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": span.TraceID().String()})
		return
	}
	to.Observe(seconds)
}

// Outcome is the outcome of a call that ended with err.
func Outcome(err error) string {
	switch {
	case err == nil:
		return OutcomeOK
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return OutcomeBreakerOpen
	case errors.Is(err, context.Canceled):
		return OutcomeCancelled
	}
	return string(cmp.Or(KindOf(err), UnknownOutcome))
}

type opKey struct{}

// WithOp names the call that is made under ctx, for a partner's own SDK; Send does it by
// itself.
func WithOp(ctx context.Context, op string) context.Context {
	return context.WithValue(ctx, opKey{}, op)
}

func opOf(ctx context.Context) string {
	op, _ := ctx.Value(opKey{}).(string)
	return op
}
