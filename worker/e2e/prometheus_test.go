package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// quiet are metrics that a system without that trouble does not have. Whatever asks for
// them alone may be empty; the rules' own tests show that they fire.
func quiet() map[string]string {
	return map[string]string{
		"temporal_unregistered_activity_invocation_total": "a worker knows all its activities",
		"temporal_long_request_failure_total":             "nobody throttles the dev server's pollers",
		"temporal_request_failure_total":                  "a request need not fail",
		"temporal_workflow_failed_total":                  "no workflow fails",
		"temporal_workflow_canceled_total":                "nobody cancels one",
		"temporal_workflow_continue_as_new_total":         "none is old enough within minutes",
		"temporal_sticky_cache_miss_total":                "nothing leaves the cache within minutes",
		"schedule_missed_catchup_window":                  "no Schedule is missed",
		"keyholder_conflicts_total":                       "nobody edits RentVine at the same time",
		"keyholder_campaigns_ended_total":                 "a campaign takes weeks",
		"keyholder_lettings_ended_total":                  "a letting takes weeks",
		"keyholder_invitations_ended_total":               "an invitation takes days",
		"keyholder_ingress_key_reused_total":              "no id comes twice with another body",
		"ALERTS":                                          "no rules are loaded, so that the test does not wait for one to fire",
	}
}

// unmatched are label values that show trouble which this test does not make. The metric
// must be there, with these labels; the value need not.
func unmatched() []string {
	return []string{
		`code=~"5.."`, `code="429"`, `outcome="unauthorised"`, `outcome="failed"`, `failure_reason="NonDeterminismError"`, `failure_reason=~"GrpcMessageTooLarge|RequestTooLarge|PayloadsTooLarge"`,
		`error_type=~"serviceerror_(Unavailable|Internal|DataLoss|DeadlineExceeded)|context_deadline_exceeded"`,
	}
}

// A real Prometheus looks at a system that works: every query of every dashboard, and
// every metric that an alert asks for, with its labels, must be there.
func TestDashboardsAndAlertsFindTheirMetrics(t *testing.T) {
	t.Parallel()
	p := watch(t)
	work(t, p)

	queries := p.dashboards(t)
	require.Greater(t, len(queries), 100)
	selectors := p.alerts(t)
	require.Greater(t, len(selectors), 50)
	missing := slices.DeleteFunc(slices.Concat(queries, selectors), ask.empty)
	for end := time.Now().Add(6 * soon); len(missing) > 0 && time.Now().Before(end); time.Sleep(time.Second) {
		missing = slices.DeleteFunc(missing, func(a ask) bool { return p.series(t, a.expr) > 0 })
	}
	require.Empty(t, missing, "no series")
	t.Logf("%d queries of dashboards and %d selectors of alerts have series", len(queries), len(selectors))
}

// ask is one expression and where it stands.
type ask struct{ where, expr string }

// empty tells whether all metrics of the expression are quiet ones.
func (a ask) empty() bool {
	names := metricNames.FindAllString(a.expr, -1)
	return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { _, ok := quiet()[name]; return !ok })
}

// metricNames finds metrics in PromQL; names of labels begin otherwise.
var metricNames = regexp.MustCompile(`\b(ALERTS|(keyholder|temporal|service|persistence|visibility_persistence|poll|schedule|lock|task_latency|process|go|history|memory|loaded|workflow_success)_[a-z_]+|up)\b`)

// watched is a stack that Prometheus looks at.
type watched struct {
	*e2e.Stack
	// door is an ingress of its own process; prometheus is a base URL.
	door, prometheus string
}

// watch starts a stack, an ingress and a worker beside it, and Prometheus.
func watch(t *testing.T) *watched {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("needs Prometheus: apt-get install prometheus")
	}
	policy := steady(t, "    acknowledge: 15m\n", "    acknowledge: 2s\n")
	data := t.TempDir()
	p := &watched{Stack: start(t, e2e.Options{Data: data, Args: []string{"--policy", policy}})}
	ports := make([]string, 4)
	for i := range ports {
		port, err := cluster.FreePort(t.Context())
		require.NoError(t, err)
		ports[i] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	p.door, p.prometheus = "http://"+ports[0], "http://"+ports[3]
	beside, err := p.IngressBeside(t.Context(), ports[0], "KEYHOLDER_METRICS_ADDR="+ports[1])
	require.NoError(t, err)
	t.Cleanup(func() { _ = beside.Stop(10 * time.Second) })
	worker(t, p.Stack, "KEYHOLDER_METRICS_ADDR="+ports[2], "KEYHOLDER_POLICY="+policy)

	dev, err := url.Parse(p.Metrics)
	require.NoError(t, err)
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 5s, scrape_timeout: 5s}
scrape_configs:
  - {job_name: keyholder-ingress, static_configs: [{targets: [%q]}]}
  - {job_name: keyholder-worker, static_configs: [{targets: [%q, %q]}]}
  - {job_name: temporal, static_configs: [{targets: [%q]}]}
`, ports[1], ports[2], dev.Host, temporalMetrics(t, data)), 0o600))
	running, err := e2e.Run(binary, []string{"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + ports[3]}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = running.Stop(20 * time.Second) })
	require.NoError(t, running.WaitFor(t.Context(), "Server is ready"))
	return p
}

// temporalMetrics is where the dev server says that it shows its own metrics.
func temporalMetrics(t *testing.T, data string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "temporal.log"))
	require.NoError(t, err)
	found := regexp.MustCompile(`Metrics: +http://localhost:(\d+)/metrics`).FindSubmatch(text)
	require.NotNil(t, found, "the dev server does not say where its metrics are:\n%s", text)
	return "127.0.0.1:" + string(found[1])
}

// work lets everything happen that leaves a trace in the metrics: an emergency that misses a
// promise and is then repaired, a booking, a parked event, a forged delivery, a partner
// that fails for a while, a page of the API, a comparison.
func work(t *testing.T, p *watched) {
	t.Helper()
	id := emergency(t, p.Stack, nil)
	paged := page(t, p.Stack, alma, 1)
	_, err := p.Until(t.Context(), id, func(d maintenance.Description) bool { return d.SLA == "acknowledge_missed" }, 6*soon)
	require.NoError(t, err)
	p.says(t, paged.To, "1")
	for _, offered := range []string{"EMERGENCY JOB", "Reply 1 when you are there", "reply 1 when #"} {
		_, err = p.WaitForText(t.Context(), offered, maria, 6*soon)
		require.NoError(t, err)
		p.says(t, maria, "1")
	}
	_, err = p.WaitForText(t.Context(), "reports the work on", tenant1, 6*soon)
	require.NoError(t, err)

	deliver(t, p.Stack, p.door, created("7101", "evt_watched"), http.StatusAccepted)
	sneezed := created("7102", "evt_sneezed")
	sneezed["event_type"] = "tenant.sneezed"
	require.True(t, deliver(t, p.Stack, p.door, sneezed, http.StatusAccepted).Parked)
	forged(t, p.door)

	require.NoError(t, p.Fault(t.Context(), "quickbooks", map[string]any{"status": 503, "times": 2}))
	charge, err := p.Charge(t.Context(), "lease_charge.created", map[string]any{"leaseID": 1, "amount": "1850.00"})
	require.NoError(t, err)
	require.NoError(t, p.Ended(t.Context(), charge, 6*soon))
	require.NoError(t, p.Mend(t.Context(), "quickbooks"))

	// A type that nobody has lets its tasks fail, until somebody ends it.
	run, err := p.Client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "no-such-type", TaskQueue: workflows.TaskQueue}, "tests.no_such_type")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return p.series(t, "temporal_workflow_task_execution_failed_total") > 0 }, 4*soon, time.Second)
	require.NoError(t, p.Client.TerminateWorkflow(t.Context(), run.GetID(), "", "the test has seen it fail"))

	_, err = p.Client.DescribeWorkflowExecution(t.Context(), "nobody", "") // an error of the frontend
	require.Error(t, err)

	env, err := p.Settings()
	require.NoError(t, err)
	said, code := command(t, env, "sync", "now", "--full", "--wait", "50s")
	require.Zero(t, code, said)
	report(t, p)
}

// says answers a text, again where a busy ingress could not take it.
func (p *watched) says(t *testing.T, from, body string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := p.AnswerText(t.Context(), from, body)
		return err == nil
	}, 6*soon, time.Second)
}

// forged posts a delivery that RentVine has not signed.
func forged(t *testing.T, door string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, door+"/webhooks/rentvine", strings.NewReader("{}"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-RentVine-Signature", "sha256=00")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
}

// report asks the API for something, through either ingress.
func report(t *testing.T, p *watched) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.door+"/v1/reports/sales", http.NoBody)
	require.NoError(t, err)
	env, err := p.Settings()
	require.NoError(t, err)
	for _, setting := range env {
		if key, ok := strings.CutPrefix(setting, "KEYHOLDER_API_KEY="); ok {
			req.Header.Set("Authorization", "Bearer "+key)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// dashboards are the queries of deploy/grafana, with everything chosen at the top.
func (p *watched) dashboards(t *testing.T) []ask {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repo, "deploy", "grafana", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	filled := strings.NewReplacer("$__rate_interval", "1m", "$__range", "10m", "$source", ".*", "$partner", ".*", "$queue", ".*", "$type", ".*", " or vector(0)", "")
	var asks []ask
	for _, file := range files {
		var d struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &d))
		for _, panel := range d.Panels {
			for _, target := range panel.Targets {
				asks = append(asks, ask{where: filepath.Base(file) + ", " + panel.Title, expr: filled.Replace(target.Expr)})
			}
		}
	}
	return asks
}

// selectors finds what an expression reads: a metric and its labels.
var selectors = regexp.MustCompile(metricNames.String() + `(\{[^}]*\})?`)

// alerts are what the rules of deploy/prometheus read. Rules as such return nothing on a
// system that is well.
func (p *watched) alerts(t *testing.T) []ask {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repo, "deploy", "prometheus", "alerts.yaml"))
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	var asks []ask
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			for _, selector := range selectors.FindAllString(rule.Expr, -1) {
				for _, value := range unmatched() {
					label, _, _ := strings.Cut(strings.Replace(value, "=~", "=", 1), "=")
					selector = strings.Replace(selector, value, label+`!=""`, 1)
				}
				asks = append(asks, ask{where: rule.Alert, expr: "last_over_time(" + selector + "[10m])"})
			}
		}
	}
	return asks
}

// series counts what a query returns; one that Prometheus refuses fails the test.
func (p *watched) series(t *testing.T, query string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.prometheus+"/api/v1/query?query="+url.QueryEscape(query), http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Equal(t, "success", answer.Status, "%s: %s", query, answer.Error)
	return len(answer.Data.Result)
}
