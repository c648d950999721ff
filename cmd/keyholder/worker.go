package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker"
)

func workerCommand() *cobra.Command {
	var queues []string
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Host workflows and activities",
		Long: `Runs workflows and activities; /metrics, /healthz and /readyz are on
KEYHOLDER_METRICS_ADDR. Any number may run, each for all task queues or some:
` + "  " + strings.Join(worker.Queues(), ", ") + `
With KEYHOLDER_BUILD_ID set, the worker takes part in Worker Deployment versioning;
Temporal's worker controller for Kubernetes sets the version of its pods itself.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := parse[workerConfig](environ(""))
			if err != nil {
				return err
			}
			return runWorker(cmd.Context(), cfg, queues)
		},
	}
	cmd.Flags().StringSliceVar(&queues, "queues", nil, "task queues to serve (default all)")
	return cmd
}

func runWorker(ctx context.Context, cfg workerConfig, queues []string) error {
	var err error
	if cfg.BuildConfig, err = cfg.settled(); err != nil {
		return err
	}
	log, err := cfg.logger()
	if err != nil {
		return err
	}
	boundMemory(log)
	traces, err := startTracing(ctx, log, "keyholder-worker", cfg.BuildID)
	if err != nil {
		return err
	}
	defer traces.stop()
	b, err := openBase(ctx, log, traces.tracer, cfg.PayloadConfig, cfg.StoreURL, cfg.BlobURL, cfg.LinkKey, "", cfg.LinkSigningKeys...)
	if err != nil {
		return err
	}
	defer b.close()
	failed := make(chan error, 8)
	w, err := b.newWorker(cfg, queues, func(err error) {
		select {
		case failed <- err:
		default:
		}
	})
	if err != nil {
		return err
	}
	if err := b.requireSetup(ctx); err != nil {
		return err
	}
	queues = w.Queues()
	if err := w.Start(); err != nil {
		return err
	}
	go b.prune(ctx)
	health, err := serveMetrics(ctx, cfg.MetricsAddress, promhttp.HandlerFor(b.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	if err != nil {
		w.Stop()
		return err
	}
	health.http.Handler = b.workerHealth(health.http.Handler, queues, cfg.awaited())
	log.Info("worker ready", zap.Strings("queues", queues), zap.String("metrics", health.addr), zap.String("build", cfg.BuildID),
		zap.Bool("real_time", b.clock.IsReal()), zap.String("outbound", cfg.Outbound))
	select {
	case <-ctx.Done():
	case err = <-failed:
	case err = <-health.failed:
	}
	log.Info("worker stops: running activities finish")
	w.Stop()
	return errors.Join(err, health.stop())
}

// workerHealth adds liveness and readiness to the metrics port. awaited is of
// BuildConfig.
func (b *base) workerHealth(metrics http.Handler, queues []string, awaited string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if why := b.unready(ctx, awaited); why != "" {
			http.Error(w, "not ready: "+why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready:", strings.Join(queues, ", "))
	})
	return mux
}

// unready says why the worker cannot do its work now, "" where it can.
func (b *base) unready(ctx context.Context, awaited string) string {
	if _, err := b.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		b.log.Warn("not ready", zap.Error(err))
		return "Temporal does not answer"
	}
	if err := b.store.Ping(ctx); err != nil {
		b.log.Warn("not ready", zap.Error(err))
		return "the store does not answer"
	}
	if awaited == "" {
		return ""
	}
	// Without a current version a versioned worker gets no tasks
	// (contracts/temporal.md 2.10).
	d, err := b.temporal.WorkerDeploymentClient().GetHandle(awaited).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		b.log.Warn("not ready", zap.Error(err))
		return "the worker deployment cannot be described"
	}
	if d.Info.RoutingConfig.CurrentVersion == nil {
		return "no current version is set: temporal worker deployment set-current-version --deployment-name " + awaited + " --build-id ..."
	}
	return ""
}

// requireSetup refuses a cluster without the search attributes, on which every
// workflow would get stuck. A cluster that cannot be asked is given the benefit of
// the doubt.
func (b *base) requireSetup(ctx context.Context) error {
	namespace, err := cluster.Namespace(cluster.Options{})
	if err != nil {
		return usageError{err}
	}
	report, err := cluster.Check(ctx, b.temporal, cluster.SetupOptions{Namespace: namespace})
	if err != nil {
		b.log.Warn("the cluster could not be checked", zap.Error(err))
		return nil
	}
	for _, f := range report.Findings {
		if strings.HasPrefix(f.What, "search attribute ") {
			return usageError{fmt.Errorf("%s; run \"keyholder setup\" first", f)}
		}
		b.log.Warn("the cluster differs from what Keyholder needs", zap.Stringer("finding", f))
	}
	return nil
}
