package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// newTracing is Temporal's own interceptor for OpenTelemetry: it carries the trace in the
// headers of starts, signals, updates, children and activities.
func newTracing(t trace.Tracer) (interceptor.Interceptor, error) {
	tracer, err := opentelemetry.NewTracer(opentelemetry.TracerOptions{
		Tracer: t,
		// Pages and collectors ask queries again and again, and a query changes nothing.
		DisableQueryTracing: true,
		// Baggage would be kept in histories for good.
		DisableBaggage:    true,
		TextMapPropagator: propagation.TraceContext{},
		// A header that cannot be read must not stop a workflow.
		AllowInvalidParentSpans: true,
		SpanStarter:             startSpan,
	})
	if err != nil {
		return nil, err
	}
	return interceptor.NewTracingInterceptor(namesTrace{tracer}), nil
}

// startSpan starts a span that tells nothing of a failure but its type. The interceptor
// starts a span of a handled update again at each replay, long after it has ended: such a
// span is left out, and what the handler does hangs below the caller's.
func startSpan(ctx context.Context, t trace.Tracer, name string, opts ...trace.SpanStartOption) trace.Span {
	if strings.HasPrefix(name, "HandleUpdate:") {
		return trace.SpanFromContext(ctx)
	}
	_, span := t.Start(ctx, name, opts...)
	return &discreetSpan{Span: span}
}

// discreetSpan keeps the words of errors out of traces: on the way to a partner or out of
// a workflow they are encrypted, in a trace they would not be.
type discreetSpan struct {
	trace.Span
	// again is set where a run ends only to go on as a new one.
	again bool
}

// RecordError notes what kind of error it was.
func (s *discreetSpan) RecordError(err error, _ ...trace.EventOption) {
	var again *workflow.ContinueAsNewError
	switch {
	case err == nil:
	case errors.As(err, &again):
		s.again = true
		s.SetAttributes(attribute.Bool("keyholder.continued_as_new", true))
	default:
		s.SetAttributes(attribute.String("error.type", errorType(err)))
	}
}

// SetStatus leaves the description out.
func (s *discreetSpan) SetStatus(code codes.Code, _ string) {
	if !s.again {
		s.Span.SetStatus(code, "")
	}
}

// errorType is a name from code, never from data.
func errorType(err error) string {
	var application *temporal.ApplicationError
	var timeout *temporal.TimeoutError
	switch {
	case errors.As(err, &application) && application.Type() != "":
		return application.Type()
	case errors.As(err, &timeout):
		return "timeout"
	case temporal.IsCanceledError(err), errors.Is(err, context.Canceled):
		return "canceled"
	}
	return fmt.Sprintf("%T", err)
}

// namesTrace writes the trace into what workflows and activities log through the SDK, under the
// name that the ingress uses.
type namesTrace struct{ interceptor.Tracer }

// GetLogger is the logger with trace_id.
func (namesTrace) GetLogger(logger log.Logger, ref interceptor.TracerSpanRef) log.Logger {
	span, ok := ref.(interface{ SpanContext() trace.SpanContext })
	if !ok || !span.SpanContext().IsValid() {
		return logger
	}
	return log.With(logger, "trace_id", span.SpanContext().TraceID().String())
}
