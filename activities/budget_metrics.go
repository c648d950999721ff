package activities

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// budgets tell Prometheus how many calls partners take, and how many are left. They ask
// the store at each scrape.
type budgets struct {
	*Activities
	remaining, limit *prometheus.Desc
}

func (a *Activities) newBudgets() *budgets {
	labels := []string{"partner", "window"}
	return &budgets{
		Activities: a,
		remaining: prometheus.NewDesc("keyholder_partner_budget_remaining",
			"Calls that may still be made at a partner within the window. openmoove: of the key, the same in all workers; quickbooks: of this worker.", labels, nil),
		limit: prometheus.NewDesc("keyholder_partner_budget_limit",
			"Calls that may be made at a partner within the window, by partner and window.", labels, nil),
	}
}

// Describe lists the metrics.
func (b *budgets) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.remaining
	ch <- b.limit
}

// Collect asks the ledger of calls. Where the store does not answer, its metrics are
// missing.
func (b *budgets) Collect(ch chan<- prometheus.Metric) {
	show := func(partner string, window time.Duration, left, limit int) {
		ch <- prometheus.MustNewConstMetric(b.remaining, prometheus.GaugeValue, float64(left), partner, short(window))
		ch <- prometheus.MustNewConstMetric(b.limit, prometheus.GaugeValue, float64(limit), partner, short(window))
	}
	if client := b.QuickBooks.Client; client != nil {
		left, limit := client.Budget()
		show("quickbooks", time.Minute, left, limit)
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	left, err := b.Store.CallsLeft(ctx, openMoove, b.OpenMoove.Limits)
	if err != nil {
		b.Log.Warn("the calls that are left could not be read", zap.Error(err))
		return
	}
	for i, limit := range b.OpenMoove.Limits {
		show(openMoove, limit.Window, left[i], limit.Calls)
	}
}

// short is a window in few letters, such as 1m or 24h.
func short(window time.Duration) string {
	text := window.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
