package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// synced tells Prometheus how the comparison with RentVine goes. It asks the store at each
// scrape.
type synced struct {
	*Activities
	success, untold *prometheus.Desc
}

func (a *Activities) newSynced() *synced {
	return &synced{
		Activities: a,
		success: prometheus.NewDesc("keyholder_sync_last_success_timestamp_seconds",
			"When the last comparison with RentVine began in which nothing failed (real time, unix), by kind: quick (of any kind) or full (through everything). 0 where there was none yet; missing where the policy has switched it off.",
			[]string{"kind"}, nil),
		untold: prometheus.NewDesc("keyholder_sync_untold",
			"Records that the last comparison with RentVine could not tell a workflow of.", nil, nil),
	}
}

// Describe lists the metrics.
func (s *synced) Describe(ch chan<- *prometheus.Desc) {
	ch <- s.success
	ch <- s.untold
}

// Collect asks the store. Where it does not answer, the metrics are missing.
func (s *synced) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	if err := s.collect(ctx, ch); err != nil {
		s.Log.Warn("how the comparison with RentVine goes could not be read", zap.Error(err))
	}
}

func (s *synced) collect(ctx context.Context, ch chan<- prometheus.Metric) error {
	if !s.Policy.Sync().On() {
		return nil
	}
	for kind, setting := range map[string]string{"quick": syncWhole, "full": syncFull} {
		at, err := s.settingTime(ctx, setting)
		if err != nil {
			return err
		}
		ch <- prometheus.MustNewConstMetric(s.success, prometheus.GaugeValue, s.unix(at), kind)
	}
	text, err := s.Store.Setting(ctx, SettingReconciled)
	if err != nil || text == "" {
		return err
	}
	var last Reconciled
	if err := json.Unmarshal([]byte(text), &last); err != nil {
		return err
	}
	ch <- prometheus.MustNewConstMetric(s.untold, prometheus.GaugeValue, float64(last.Untold))
	return nil
}

// unix is a business time in real seconds, 0 for never.
func (s *synced) unix(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(s.Clock.Instant(at).Unix())
}
