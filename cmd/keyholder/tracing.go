package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	otelattribute "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// flushLimit is how long the last spans may take to leave when a part stops.
const flushLimit = 2 * time.Second

// complainEvery is how often a collector that cannot be reached is worth a log line.
const complainEvery = 5 * time.Minute

// tracing is where a process sends its spans.
type tracing struct {
	// tracer is nil where tracing is off.
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider
	log      *zap.Logger
}

// startTracing sends spans as OpenTelemetry's own variables say, and nowhere where they
// name no endpoint: OTEL_EXPORTER_OTLP_*, OTEL_TRACES_SAMPLER, OTEL_BSP_*,
// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. Nothing is connected yet, and a
// collector that is away costs spans only. Stop it.
func startTracing(ctx context.Context, log *zap.Logger, service, buildID string) (*tracing, error) {
	if !tracingWanted() {
		return &tracing{}, nil
	}
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, err
	}
	// What the environment says comes last, and wins.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		otelattribute.String("service.name", service), otelattribute.String("service.version", version),
		otelattribute.String("keyholder.build_id", buildID)), resource.WithFromEnv())
	if err != nil {
		return nil, usageError{fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)}
	}
	// It is OpenTelemetry's only way to say that spans are lost.
	otel.SetErrorHandler(newComplaints(log))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	log.Info("traces are sent", zap.String("service", service))
	return &tracing{tracer: provider.Tracer("github.com/aictive/keyholder"), provider: provider, log: log}, nil
}

func tracingWanted() bool {
	named := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")) != ""
	return named && !strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") && os.Getenv("OTEL_TRACES_EXPORTER") != "none"
}

func newExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	switch protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf"); protocol {
	case "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	default:
		return nil, usageError{fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q; it must be http/protobuf or grpc", protocol)}
	}
}

// stop sends what is left, within its limit.
func (t *tracing) stop() {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushLimit)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.Warn("the last spans could not be sent", zap.Error(err))
	}
}

// complaints logs the first failure to send spans, and then one now and then.
type complaints struct {
	log *zap.Logger

	mu      sync.Mutex
	quiet   time.Time
	dropped int
}

func newComplaints(log *zap.Logger) *complaints { return &complaints{log: log} }

// Handle takes a failure of OpenTelemetry.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.quiet) {
		c.dropped++
		return
	}
	c.log.Warn("spans are not sent; the work goes on", zap.Error(err), zap.Int("failures_not_logged", c.dropped))
	c.quiet, c.dropped = time.Now().Add(complainEvery), 0
}
