package ingress

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// traceRequests begins a trace a request, named by the route's pattern, because a path
// can hold a secret. A sender's own trace is linked and not continued: else whoever may
// knock could choose what is traced and under which id. Probes are not traced.
func (s *Server) traceRequests(next echo.HandlerFunc) echo.HandlerFunc {
	if s.cfg.Tracer == nil {
		return next
	}
	return func(c echo.Context) error {
		req, route := c.Request(), routeOf(c)
		if route == "/healthz" || route == "/readyz" {
			return next(c)
		}
		verb := method(req.Method)
		opts := []trace.SpanStartOption{
			trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.request.method", verb), attribute.String("http.route", route)),
		}
		sender := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(req.Context(), propagation.HeaderCarrier(req.Header)))
		if sender.IsValid() {
			// Its tracestate is free text.
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: sender.WithTraceState(trace.TraceState{})}))
		}
		ctx, span := s.cfg.Tracer.Start(req.Context(), verb+" "+route, opts...)
		defer span.End()
		c.SetRequest(req.WithContext(ctx))
		err := next(c)
		status := c.Response().Status
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if reason, ok := c.Get(logReason).(string); ok && reason != "" {
			span.SetAttributes(attribute.String("keyholder.reason", reason))
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		return err
	}
}

// routeOf is the pattern of the route that answers.
func routeOf(c echo.Context) string {
	if route := c.Path(); route != "" {
		return route
	}
	return "(none)"
}

// traceField names the trace in a log line, where there is one.
func traceField(ctx context.Context) []zap.Field {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		return []zap.Field{zap.String("trace_id", span.TraceID().String())}
	}
	return nil
}

// observe adds the request's trace as an exemplar, where it is kept.
func observe(ctx context.Context, to prometheus.Observer, seconds float64) {
	exemplars, ok := to.(prometheus.ExemplarObserver)
	if span := trace.SpanContextFromContext(ctx); ok && span.IsSampled() {
		exemplars.ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": span.TraceID().String()})
		return
	}
	to.Observe(seconds)
}
