package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

// shutdownLimit is how long a part may take to finish what it accepted.
const shutdownLimit = 8 * time.Second

func ingressCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ingress",
		Short: "Take webhooks, answers by text and action links",
		Long: `Runs the HTTP door: partners' webhooks, Twilio's callbacks and action links on
KEYHOLDER_INGRESS_ADDR, metrics on KEYHOLDER_METRICS_ADDR. Any number may run.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[ingressConfig](environ(""))
			if err != nil {
				return err
			}
			return runIngress(cmd.Context(), cfg)
		},
	}
}

func runIngress(ctx context.Context, cfg ingressConfig) error {
	log, err := cfg.logger()
	if err != nil {
		return err
	}
	boundMemory(log)
	traces, err := startTracing(ctx, log, "keyholder-ingress", "")
	if err != nil {
		return err
	}
	defer traces.stop()
	b, err := openBase(ctx, log, traces.tracer, cfg.PayloadConfig, cfg.StoreURL, cfg.BlobURL, cfg.LinkKey, "", cfg.LinkSigningKeys...)
	if err != nil {
		return err
	}
	defer b.close()
	server, err := b.newIngress(cfg)
	if err != nil {
		return usageError{err}
	}
	if err := server.Start(ctx); err != nil {
		return err
	}
	metrics, err := serveMetrics(ctx, cfg.MetricsAddress, server.MetricsHandler())
	if err != nil {
		return errors.Join(err, shutdown(server))
	}
	log.Info("ingress ready", zap.String("address", server.Addr()), zap.String("metrics", metrics.addr))
	select {
	case <-ctx.Done():
	case err = <-server.Failed():
	case err = <-metrics.failed:
	}
	log.Info("ingress stops: it finishes what it accepted")
	return errors.Join(err, shutdown(server), metrics.stop())
}

type stopper interface{ Shutdown(context.Context) error }

// shutdown stops a server within the limit, whatever became of the command's own
// context.
func shutdown(s stopper) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	return s.Shutdown(ctx)
}

// metricsServer serves metrics on a port of their own.
type metricsServer struct {
	http   *http.Server
	addr   string
	failed chan error
}

func serveMetrics(ctx context.Context, addr string, metrics http.Handler) (*metricsServer, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w; choose another KEYHOLDER_METRICS_ADDR", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	m := &metricsServer{
		http:   &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second},
		addr:   listener.Addr().String(),
		failed: make(chan error, 1),
	}
	go func() {
		if err := m.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			m.failed <- err
		}
	}()
	return m, nil
}

// stop breaks off at once: whoever reads metrics asks again.
func (m *metricsServer) stop() error { return m.http.Close() }

// out is where commands print what people asked for; logs go to standard error.
func out(format string, a ...any) { fmt.Fprintf(os.Stdout, format+"\n", a...) }
