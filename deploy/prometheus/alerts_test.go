package prometheus_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

type rule struct {
	Alert       string
	Expr        string
	Labels      struct{ Severity string }
	Annotations struct{ Summary, Description, Runbook string }
}

// rules are the alerts of alerts.yaml.
func rules(t *testing.T) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	read(t, "alerts.yaml", &file)
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	require.Greater(t, len(all), 40)
	return all
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into))
}

func TestAlertsSayWhoIsWokenAndWhatToDo(t *testing.T) {
	t.Parallel()
	var names []string
	for _, r := range rules(t) {
		require.NotContains(t, names, r.Alert)
		names = append(names, r.Alert)
		require.Contains(t, []string{"page", "ticket"}, r.Labels.Severity, r.Alert)
		require.NotEmpty(t, r.Annotations.Summary, r.Alert)
		require.NotEmpty(t, r.Annotations.Description, r.Alert)
		require.Equal(t, "docs/operations.md#"+strings.ToLower(r.Alert), r.Annotations.Runbook, r.Alert)
	}
}

// The runbook has an entry for each alert, in the order of the rules, and for nothing else.
func TestEveryAlertHasItsEntryInTheRunbook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	_, book, found := strings.Cut(string(text), "\n## Runbook\n")
	require.True(t, found, "docs/operations.md has no runbook")
	book, _, _ = strings.Cut(book, "\n## ")
	var entries, alerts []string
	for _, heading := range regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(book, -1) {
		entries = append(entries, heading[1])
	}
	for _, r := range rules(t) {
		alerts = append(alerts, r.Alert)
	}
	require.Equal(t, alerts, entries)
}

// metric finds the metrics of an expression; names of labels begin otherwise.
var metric = regexp.MustCompile(`\b((keyholder|temporal|service|persistence|poll|schedule|lock)_[a-z_]+|up)\b`)

// promtool cannot say that a rule was left out, so this does: each fires in a case, and in
// the first case, where none does, there are all the metrics that it looks at.
func TestEveryAlertIsTestedFiringAndSilent(t *testing.T) {
	t.Parallel()
	var file struct {
		Tests []struct {
			Name   string
			Series []struct{ Series string } `yaml:"input_series"`
			Expect []struct {
				Expr    string
				Samples []struct{ Labels string } `yaml:"exp_samples"`
			} `yaml:"promql_expr_test"`
		}
	}
	read(t, "alerts_test.yaml", &file)
	well := file.Tests[0]
	require.Equal(t, "all is well", well.Name)
	require.Len(t, well.Expect, 1)
	require.Equal(t, "ALERTS", well.Expect[0].Expr)
	require.Empty(t, well.Expect[0].Samples)
	var there, fires []string
	for _, s := range well.Series {
		name, _, _ := strings.Cut(s.Series, "{")
		there = append(there, name)
	}
	for _, test := range file.Tests[1:] {
		for _, expected := range test.Expect {
			for _, sample := range expected.Samples {
				fires = append(fires, regexp.MustCompile(`alertname="(\w+)"`).FindStringSubmatch(sample.Labels)[1])
			}
		}
	}
	for _, r := range rules(t) {
		require.Contains(t, fires, r.Alert, "no case in which it fires")
		for _, name := range metric.FindAllString(regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(r.Expr, ""), -1) {
			require.Contains(t, there, name, "%s is not in the case where all is well", r.Alert)
		}
	}
}

func TestPromtoolAgrees(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("needs promtool: apt-get install prometheus")
	}
	for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		said, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput()
		require.NoError(t, err, "promtool %s:\n%s", strings.Join(args, " "), said)
	}
}
