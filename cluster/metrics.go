package cluster

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/workflows/durable"
)

// maxSeries bounds how many metrics with distinct label names are kept; the SDK
// has about a hundred.
const maxSeries = 1000

// NewMetrics registers the Temporal SDK's metrics on reg and returns the handler
// to dial with. Names follow Prometheus: counters end in _total, timers are
// histograms in seconds. Call it once for a registry and share the handler
// between clients.
//
// ours are the metrics that workflows declare. Their timers measure business time, from a
// minute to a month; those of the SDK itself measure work, from a millisecond to minutes.
//
// The SDK uses one name with several sets of labels, which a registry refuses
// from checked collectors and from tally's reporter: hence this collector.
func NewMetrics(reg prometheus.Registerer, ours ...durable.Metric) (client.MetricsHandler, error) {
	m := &sdkMetrics{series: map[string]prometheus.Collector{}, ours: map[string]durable.Metric{}}
	for _, o := range ours {
		m.ours[o.Name] = o
	}
	if err := reg.Register(m); err != nil {
		return nil, err
	}
	return metricsHandler{all: m}, nil
}

type sdkMetrics struct {
	mu     sync.RWMutex
	series map[string]prometheus.Collector
	// ours never changes.
	ours map[string]durable.Metric
}

// about is the help of a metric, and the buckets that it has as a histogram.
func (m *sdkMetrics) about(name string) (help string, buckets []float64) {
	if o, ok := m.ours[name]; ok {
		return o.Help, businessBuckets()
	}
	return sdkHelp, workBuckets()
}

// Describe sends nothing, which makes the collector an unchecked one.
func (m *sdkMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect sends every metric that the SDK has touched.
func (m *sdkMetrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, c := range m.series {
		c.Collect(ch)
	}
}

// get is the series of that name and label names, made by create at first use;
// the zero value where there are too many.
func get[C prometheus.Collector](m *sdkMetrics, name string, labels []string, create func() C) C {
	key := name + "{" + strings.Join(labels, ",")
	m.mu.RLock()
	found, ok := m.series[key].(C)
	m.mu.RUnlock()
	if ok {
		return found
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if found, ok = m.series[key].(C); ok {
		return found
	}
	var none C
	if len(m.series) >= maxSeries {
		return none
	}
	c := create()
	m.series[key] = c
	return c
}

type metricsHandler struct {
	all  *sdkMetrics
	tags map[string]string
}

// WithTags is the handler with more labels.
func (h metricsHandler) WithTags(tags map[string]string) client.MetricsHandler {
	merged := make(map[string]string, len(h.tags)+len(tags))
	maps.Copy(merged, h.tags)
	for name, value := range tags {
		merged[clean(name)] = value
	}
	return metricsHandler{all: h.all, tags: merged}
}

func (h metricsHandler) labels() (names, values []string) {
	names = slices.Sorted(maps.Keys(h.tags))
	for _, n := range names {
		values = append(values, strings.ToValidUTF8(h.tags[n], "?"))
	}
	return names, values
}

// Counter is the counter of that name under the handler's labels.
func (h metricsHandler) Counter(name string) client.MetricsCounter {
	names, values := h.labels()
	name = clean(name) + "_total"
	help, _ := h.all.about(name)
	vec := get(h.all, name, names, func() *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, names)
	})
	if vec == nil {
		return client.MetricsNopHandler.Counter(name)
	}
	return counter{vec.WithLabelValues(values...)}
}

// Gauge is the gauge of that name under the handler's labels.
func (h metricsHandler) Gauge(name string) client.MetricsGauge {
	names, values := h.labels()
	name = clean(name)
	help, _ := h.all.about(name)
	vec := get(h.all, name, names, func() *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, names)
	})
	if vec == nil {
		return client.MetricsNopHandler.Gauge(name)
	}
	return gauge{vec.WithLabelValues(values...)}
}

// Timer is the histogram of that name under the handler's labels.
func (h metricsHandler) Timer(name string) client.MetricsTimer {
	names, values := h.labels()
	name = clean(name) + "_seconds"
	help, buckets := h.all.about(name)
	vec := get(h.all, name, names, func() *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, names)
	})
	if vec == nil {
		return client.MetricsNopHandler.Timer(name)
	}
	return timer{vec.WithLabelValues(values...)}
}

// sdkHelp is the same for all of the SDK's: Prometheus wants one help text for a name.
const sdkHelp = "Metric of the Temporal SDK"

// workBuckets reach from a local activity to a long poll (seconds).
func workBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 600}
}

// businessBuckets reach from a page that is answered at once to a repair that waits for
// parts (seconds): 1 minute to 30 days.
func businessBuckets() []float64 {
	const minute, hour, day = 60, 3600, 86400
	return []float64{minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 4 * hour, 8 * hour,
		day, 2 * day, 3 * day, 7 * day, 14 * day, 30 * day}
}

type counter struct{ prometheus.Counter }

func (c counter) Inc(n int64) { c.Add(float64(max(n, 0))) }

type gauge struct{ prometheus.Gauge }

func (g gauge) Update(v float64) { g.Set(v) }

type timer struct{ prometheus.Observer }

func (t timer) Record(d time.Duration) { t.Observe(d.Seconds()) }

// clean makes a name that Prometheus takes.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}
