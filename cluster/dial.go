package cluster

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"

	"github.com/aictive/keyholder/workflows/durable"
)

// Options say which cluster to dial and how to speak to it. The zero value is
// what Temporal's environment variables and profile file say, else
// localhost:7233 and the namespace "default".
type Options struct {
	// Address and Namespace, where set, win over environment and profile.
	Address   string
	Namespace string
	// Plain leaves environment and profile alone and dials Address without TLS or
	// credentials. It is for a dev server that we started ourselves, so that an
	// API key meant for Temporal Cloud does not reach it.
	Plain bool
	// Lazy returns at once and connects at the first call; calls fail until the
	// cluster is there. Without it a cluster that is away is an error.
	Lazy bool
	// Logger may be nil for none.
	Logger *zap.Logger
	// Keys encrypt payloads and failures.
	Keys Keys
	// Metrics may be nil for none; see NewMetrics.
	Metrics client.MetricsHandler
	// Tracer traces calls, workflows and activities; nil traces nothing.
	Tracer trace.Tracer
}

// Dial connects to a cluster. The settings are Temporal's own (contrib/envconfig):
// TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*,
// TEMPORAL_PROFILE. The error says which address could not be reached.
func Dial(ctx context.Context, o Options) (client.Client, error) {
	opts, err := clientOptions(o)
	if err != nil {
		return nil, err
	}
	if o.Lazy {
		return client.NewLazyClient(opts)
	}
	c, err := client.DialContext(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("no Temporal cluster answers at %s (TEMPORAL_ADDRESS): %w", opts.HostPort, err)
	}
	return c, nil
}

// Namespace is the one that Dial uses: of the options, the environment or the
// profile, else "default".
func Namespace(o Options) (string, error) {
	opts, err := clientOptions(o)
	return opts.Namespace, err
}

func clientOptions(o Options) (client.Options, error) {
	var opts client.Options
	if !o.Plain {
		var err error
		if opts, err = envconfig.LoadDefaultClientOptions(); err != nil {
			return opts, fmt.Errorf("read Temporal's settings (TEMPORAL_* and profile): %w", err)
		}
	}
	if o.Address != "" {
		opts.HostPort = o.Address
	}
	if opts.HostPort == "" {
		opts.HostPort = client.DefaultHostPort
	}
	if o.Namespace != "" {
		opts.Namespace = o.Namespace
	}
	if opts.Namespace == "" {
		opts.Namespace = client.DefaultNamespace
	}
	logger := o.Logger
	if logger == nil {
		logger = zap.NewNop()
	}
	opts.Logger = Logger(logger)
	opts.MetricsHandler = o.Metrics
	opts.DataConverter, opts.FailureConverter = o.Keys.Converters()
	opts.Interceptors = []interceptor.ClientInterceptor{durable.NewTrail(opts.DataConverter)}
	if o.Tracer != nil {
		tracing, err := newTracing(o.Tracer)
		if err != nil {
			return opts, err
		}
		opts.Interceptors = append(opts.Interceptors, tracing)
	}
	return opts, nil
}

// noStacks is above every level: the SDK's errors say where they come from, and
// the bridge's default would add a stack trace to each failed activity.
const noStacks = slog.LevelError + 1000

// Logger is the zap logger as the SDK wants it, for replayers and test
// environments; Dial uses it too.
func Logger(l *zap.Logger) log.Logger {
	return log.NewStructuredLogger(slog.New(zapslog.NewHandler(l.Core(),
		zapslog.WithName("temporal"), zapslog.AddStacktraceAt(noStacks))))
}
