package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/store/blobs"
	"github.com/aictive/keyholder/workflows"
)

const metricsReference = "../../docs/reference/metrics.md"

// shownMetric is a metric as the reference lists it.
type shownMetric struct {
	name, kind, help string
	labels           []string
	parts            []string
}

// histograms are those of the collectors whose names end as those of gauges do. The
// end-to-end test of the metrics compares the types with what the running system shows.
var histograms = []string{"keyholder_ingress_webhook_seconds", "keyholder_ingress_api_seconds", "keyholder_partner_request_seconds"}

func kindOf(name string) string {
	switch {
	case strings.HasSuffix(name, "_total"):
		return "counter"
	case slices.Contains(histograms, name):
		return "histogram"
	}
	return "gauge"
}

// unconnected is what parts share, without a cluster.
func unconnected(t *testing.T) (*base, map[string]string) {
	t.Helper()
	d := &dev{storeDir: t.TempDir(), flags: devFlags{ingressPort: devIngressPort, sandboxPort: devSandboxPort, smtpPort: devSMTPPort}}
	env := d.defaults()
	client, err := cluster.Dial(t.Context(), cluster.Options{Address: "127.0.0.1:1", Plain: true, Lazy: true})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	kept, err := store.Open(t.Context(), "sqlite:"+filepath.Join(d.storeDir, "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = kept.Close() })
	photos, err := blobs.Open(env["KEYHOLDER_BLOB_URL"])
	require.NoError(t, err)
	t.Cleanup(func() { _ = photos.Close() })
	b := &base{
		log: zap.NewNop(), registry: newRegistry(), temporal: client, store: kept, photos: photos, keys: store.NewKeys("a link key of the tests"),
		observer: partner.NewObserver(nil),
	}
	return b, env
}

var (
	metricDesc = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: ("(?:[^"\\]|\\.)*"), (?:unit: "[^"]*", )?constLabels: \{(.*?)\}, variableLabels: \{(.*)\}\}$`)
	constLabel = regexp.MustCompile(`(\w+)="`)
)

// metricsOf are all metrics of ours that a registry knows, whether or not they have a value.
func metricsOf(t *testing.T, part string, registry *prometheus.Registry, all map[string]shownMetric) {
	t.Helper()
	descs := make(chan *prometheus.Desc, 1000)
	registry.Describe(descs)
	close(descs)
	for d := range descs {
		found := metricDesc.FindStringSubmatch(d.String())
		require.NotNil(t, found, d.String())
		if !strings.HasPrefix(found[1], "keyholder_") {
			continue // of Go and the process
		}
		help, err := strconv.Unquote(found[2])
		require.NoError(t, err)
		m := shownMetric{name: found[1], kind: kindOf(found[1]), help: help, parts: all[found[1]].parts}
		for _, l := range constLabel.FindAllStringSubmatch(found[3], -1) {
			m.labels = append(m.labels, l[1])
		}
		for l := range strings.SplitSeq(found[4], ",") {
			if l != "" {
				m.labels = append(m.labels, l)
			}
		}
		if !slices.Contains(m.parts, part) {
			m.parts = append(m.parts, part)
		}
		all[m.name] = m
	}
}

// ownMetrics are those of ingress and worker.
func ownMetrics(t *testing.T) map[string]shownMetric {
	t.Helper()
	all := map[string]shownMetric{}
	b, env := unconnected(t)
	require.NoError(t, b.registry.Register(b.observer))
	doors, err := parse[ingressConfig](env)
	require.NoError(t, err)
	_, err = b.newIngress(doors)
	require.NoError(t, err)
	metricsOf(t, "ingress", b.registry, all)

	b, env = unconnected(t)
	require.NoError(t, b.registry.Register(b.observer))
	hands, err := parse[workerConfig](env)
	require.NoError(t, err)
	_, err = b.newWorker(hands, nil, nil)
	require.NoError(t, err)
	metricsOf(t, "worker", b.registry, all)
	for _, m := range workflows.Metrics() {
		kind := "histogram"
		if strings.HasSuffix(m.Name, "_total") {
			kind = "counter"
		}
		all[m.Name] = shownMetric{name: m.Name, kind: kind, help: m.Help, labels: m.Labels, parts: []string{"worker"}}
	}
	return all
}

// metricsPage is the reference.
func metricsPage(all map[string]shownMetric) string {
	var page strings.Builder
	page.WriteString(`# Metrics

Generated from the code: ` + "`go test ./cmd/keyholder -run MetricsReference -write`" + ` writes this page anew. What to look at first, and what the numbers mean, is in [observability](../observability.md).

## Keyholder's own

Metrics of workflows (those with an SLA, a work order, a transaction, a campaign, a letting or an invitation in their name) have the labels of the SDK as well: ` + "`namespace`, `task_queue`, `workflow_type`" + ` and others. A series is there from its first value on.

| metric | type | labels | shown by | meaning |
|---|---|---|---|---|
`)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m := all[name]
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", m.name, m.kind, codes(m.labels), strings.Join(m.parts, ", "), m.help)
	}
	page.WriteString(`
## Temporal's SDK

Ingress and worker show these for their calls of Temporal, the worker for its tasks as well. Counters end in ` + "`_total`" + `, durations are histograms in seconds. A series is there from its first value on.

| metric | type | meaning |
|---|---|---|
`)
	for _, m := range sdkMetrics {
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", m.name, m.kind, m.help)
	}
	page.WriteString(`
## Go and the process

` + "`go_*` and `process_*`" + ` are those of Prometheus's own client for Go: memory, goroutines, collections of garbage, processor time, open files.
`)
	return page.String()
}

func codes(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "`" + w + "`"
	}
	return strings.Join(quoted, ", ")
}

func TestMetricsReferenceIsThatOfTheCode(t *testing.T) {
	all := ownMetrics(t)
	for name, m := range all {
		require.NotEmpty(t, m.help, name)
		require.NotContains(t, m.help, "|", name)
	}
	page := metricsPage(all)
	if *write {
		require.NoError(t, os.MkdirAll(filepath.Dir(metricsReference), 0o755))
		require.NoError(t, os.WriteFile(metricsReference, []byte(page), 0o644))
	}
	text, err := os.ReadFile(metricsReference)
	require.NoError(t, err)
	require.Equal(t, page, string(text), "write it anew: go test ./cmd/keyholder -run MetricsReference -write")
	for _, name := range histograms {
		require.Contains(t, all, name)
	}
}
