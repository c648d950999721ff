package e2e_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// scrape reads the stack's metrics as Prometheus does: types by name, values by series.
func scrape(t *testing.T, url string) (types map[string]string, values map[string]float64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(body))
	types, values = map[string]string{}, map[string]float64{}
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		if words := strings.Fields(line); len(words) == 4 && words[1] == "TYPE" {
			types[words[2]] = words[3]
		}
		if i := strings.LastIndex(line, " "); i > 0 && !strings.HasPrefix(line, "#") {
			if v, err := strconv.ParseFloat(line[i+1:], 64); err == nil {
				values[line[:i]] = v
			}
		}
	}
	return types, values
}

// total adds the series of a name that have all of these labels, such as outcome="kept".
func total(values map[string]float64, name string, labels ...string) (sum float64) {
	for series, v := range values {
		fits := series == name || strings.HasPrefix(series, name+"{")
		for _, l := range labels {
			fits = fits && strings.Contains(series, l)
		}
		if fits {
			sum += v
		}
	}
	return sum
}

// An emergency that is acknowledged in time and whose other promises are missed, and a
// parked event, show in the metrics, which the reference names all.
func TestMetricsTellHowWorkGoes(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t, "accept: 30m\n    on_site: 4h", "accept: 20s\n    on_site: 25s")}})
	id := emergency(t, s, nil)
	paged := page(t, s, "", 1)
	require.Contains(t, reply(t, s, paged.To, "1"), "you are on it")
	_, err := s.Until(t.Context(), id, at(maintenance.StageDispatching), soon)
	require.NoError(t, err)
	describedAsParked(t, s, parked(t, s))

	// Nobody takes the job: the other promises are missed.
	types, values := scrapeUntil(t, s.Metrics, "promises are judged", func(values map[string]float64) bool {
		return total(values, "keyholder_sla_promises_total", `promise="accept"`, `outcome="missed"`) > 0 &&
			total(values, "keyholder_sla_promises_total", `promise="on_site"`, `outcome="missed"`) > 0 &&
			total(values, "keyholder_sla_promises_total", `promise="acknowledge"`, `outcome="kept"`) > 0
	})
	require.Positive(t, total(values, "keyholder_work_order_acknowledge_seconds_count", `severity="emergency"`))
	require.Less(t, total(values, "keyholder_work_order_acknowledge_seconds_sum"), (2 * time.Hour).Seconds())
	requireReferenced(t, types)

	// A new worker counts at once what runs.
	port, err := cluster.FreePort(t.Context())
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	worker(t, s, "KEYHOLDER_METRICS_ADDR="+address)
	types, counts := scrapeUntil(t, "http://"+address+"/metrics", "the census sees it", func(values map[string]float64) bool {
		return total(values, "keyholder_parked_events") == 1 && total(values, "keyholder_sla_open", `state="on_site_missed"`) == 1
	})
	require.InDelta(t, 1, total(counts, "keyholder_visibility_up"), 0)
	require.InDelta(t, 1, total(counts, "keyholder_workflows_open", `type="maintenance.work_order"`), 0)
	require.Positive(t, total(values, "keyholder_build_info"))
	require.Positive(t, total(values, "keyholder_partner_budget_limit", `partner="openmoove"`))
	require.Positive(t, total(values, "keyholder_partner_budget_limit", `partner="quickbooks"`, `window="1m"`))

	requireReferenced(t, types)
	maps.Copy(values, counts)
	for series := range values {
		require.NotContains(t, series, "Elm Street")
		require.NotContains(t, series, paged.To, "a metric names nobody")
	}
}

// scrapeUntil scrapes until the values are as wanted.
func scrapeUntil(t *testing.T, url, what string, wanted func(values map[string]float64) bool) (types map[string]string, values map[string]float64) {
	t.Helper()
	for ends := time.Now().Add(5 * time.Minute); ; time.Sleep(time.Second) {
		if types, values = scrape(t, url); wanted(values) {
			return types, values
		}
		require.True(t, time.Now().Before(ends), what)
	}
}

var referenced = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\|")

// requireReferenced requires that each metric stands in the reference, with its type.
func requireReferenced(t *testing.T, types map[string]string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/reference/metrics.md")
	require.NoError(t, err)
	known := map[string]string{}
	for _, m := range referenced.FindAllStringSubmatch(string(text), -1) {
		known[m[1]] = m[2]
	}
	for name, kind := range types {
		if strings.HasPrefix(name, "keyholder_") || strings.HasPrefix(name, "temporal_") {
			require.Equal(t, known[name], kind, "docs/reference/metrics.md does not have %s as it is", name)
		}
	}
}
