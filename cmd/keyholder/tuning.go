package main

import (
	"errors"
	"fmt"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/worker"
)

// boundMemory tells the Go runtime how much memory the container has, so that it collects
// garbage before the kernel ends the process. GOMEMLIMIT wins.
func boundMemory(log *zap.Logger) {
	limit, err := memlimit.Set()
	if errors.Is(err, memlimit.ErrNoCgroup) || errors.Is(err, memlimit.ErrCgroupsNotSupported) {
		return // no container
	}
	if err != nil {
		log.Warn("the container's memory is not known: set GOMEMLIMIT to nine tenths of it", zap.Error(err))
		return
	}
	log.Debug("memory", zap.Int64("gomemlimit", limit))
}

// sizeCache bounds how many workflows the workers of this process keep in memory.
func (b *base) sizeCache(cfg TuningConfig) error {
	size := cfg.StickyCache
	if size == 0 {
		memory, err := memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)()
		if err != nil {
			return fmt.Errorf("the memory of this machine is not known (%w): set KEYHOLDER_STICKY_CACHE", err)
		}
		size = worker.StickyCache(memory)
	}
	worker.SetStickyCache(size)
	limit := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "keyholder_worker_sticky_cache_limit", Help: "Workflows that this process may keep in memory between their tasks.",
	})
	limit.Set(float64(size))
	return b.registry.Register(limit)
}

// showQueues says in the metrics which task queues this process serves.
func (b *base) showQueues(queues []string) error {
	served := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "keyholder_worker_queue", Help: "1 for each task queue that this process serves.",
	}, []string{"queue"})
	for _, queue := range queues {
		served.WithLabelValues(queue).Set(1)
	}
	return b.registry.Register(served)
}
