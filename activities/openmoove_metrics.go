package activities

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/store"
)

// freshness tells Prometheus how fresh the followed sales are, by class. It asks the
// store at each scrape.
type freshness struct {
	*Activities
	sales, late, unread, failing, age, target *prometheus.Desc
}

// scrapeTime bounds what a scrape asks of the store.
const scrapeTime = 2 * time.Second

// Collectors are the metrics of the activities. Register them where the worker runs.
func (a *Activities) Collectors() []prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("keyholder_openmoove_"+name, help, append([]string{"class"}, labels...), nil)
	}
	more := []prometheus.Collector{a.newBudgets(), a.newSynced()}
	if client := a.QuickBooks.Client; client != nil {
		more = append(more, client.Collectors()...)
	}
	return append(more, a.conflictsMet, &freshness{
		Activities: a,
		sales:      desc("sales", "Sales that are polled, by class."),
		late:       desc("sales_late", "Sales whose next read should have begun, by class."),
		unread:     desc("sales_never_read", "Sales that were never read, by class."),
		failing:    desc("sales_failing", "Sales whose last read failed, by class."),
		age:        desc("sale_age_seconds", "Time since a sale was last read, or was added where it never was, by class: mean and max (real time).", "stat"),
		target:     desc("sale_age_target_seconds", "How old the last read of a sale should be at most, by class (real time)."),
	})
}

// Describe lists the metrics.
func (f *freshness) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.sales, f.late, f.unread, f.failing, f.age, f.target} {
		ch <- d
	}
}

// Collect asks the store. Where it does not answer, the metrics are missing.
func (f *freshness) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	counts, err := f.Store.CountWatches(ctx, time.Now())
	if err != nil {
		f.Log.Warn("the followed sales could not be counted", zap.Error(err))
		return
	}
	rules := f.pollRules(1)
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, class := range store.WatchClasses() {
		c, name := counts[class], string(class)
		gauge(f.sales, float64(c.Watches), name)
		gauge(f.late, float64(c.Late), name)
		gauge(f.unread, float64(c.Watches-c.Read), name)
		gauge(f.failing, float64(c.Failing), name)
		gauge(f.age, c.MeanAge.Seconds(), name, "mean")
		gauge(f.age, c.OldestAge.Seconds(), name, "max")
		gauge(f.target, rules.Target(class).Seconds(), name)
	}
}
