package main

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// showBuild tells Prometheus which build this process is; buildID is that of the worker,
// "" for an ingress and without Worker Deployment versioning. Parts that share a process
// and a registry say it once.
func (b *base) showBuild(buildID string) error {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "keyholder_build_info", Help: "Always 1; the labels say which build runs.",
		ConstLabels: prometheus.Labels{"version": version, "build_id": buildID},
	})
	info.Set(1)
	err := b.registry.Register(info)
	if errors.As(err, new(prometheus.AlreadyRegisteredError)) {
		return nil
	}
	return err
}
