package e2e_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// view is a row of docs/web-ui.md.
type view struct{ question, filter, link string }

// views are those of docs/web-ui.md.
func views(t *testing.T) []view {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repo, "docs", "web-ui.md"))
	require.NoError(t, err)
	var list []view
	for _, row := range regexp.MustCompile("(?m)^\\| (.+?) \\| `(.+?)` \\| \\[open\\]\\((.+?)\\) \\|$").FindAllStringSubmatch(string(text), -1) {
		list = append(list, view{row[1], row[2], row[3]})
	}
	require.Greater(t, len(list), 30, "the tables of docs/web-ui.md are not read")
	return list
}

// Each link of the documentation opens the filter beside it.
func TestLinksOfViewsAreTheirFilters(t *testing.T) {
	t.Parallel()
	for _, v := range views(t) {
		u, err := url.Parse(v.link)
		require.NoError(t, err, v.question)
		require.Equal(t, "localhost:8233/namespaces/default/workflows", u.Host+u.Path, v.question)
		require.Equal(t, url.Values{"query": {v.filter}}, u.Query(), v.question)
	}
}

// Each view names only types of workflows that there are.
func TestViewsNameKnownWorkflows(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, w := range workflows.Registry() {
		known[w.WorkflowName()] = true
	}
	for _, v := range views(t) {
		for _, name := range regexp.MustCompile(`'([a-z]+\.[a-z_]+)'`).FindAllStringSubmatch(v.filter, -1) {
			require.True(t, known[name[1]], "%s: no workflow is called %s", v.question, name[1])
		}
	}
}

// Temporal takes the filter of every view, and those about what has happened here find it.
func TestViewsFindTheirWorkflows(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t), "--day", "10m"}})
	order := maintenance.WorkOrderID(emergency(t, s, nil))
	parked := held(t, s, "views", durable.Event{Source: "rentvine", Type: "unknown.created", EntityID: "1", Key: "rentvine:views", Data: json.RawMessage(`{}`)}, time.Hour)
	require.NoError(t, s.Client.ScheduleClient().GetHandle(t.Context(), workflows.ScheduleLeases).Trigger(t.Context(), client.ScheduleTriggerOptions{}))

	// By question, the beginning of an id that has to be among those found.
	finds := map[string]string{
		"Who is being paged now?":                          order,
		"Which promises were missed?":                      order,
		"What goes on at property 1?":                      "property/1",
		"All open work orders":                             order,
		"Leases that are accompanied":                      "lease/",
		"Everything about lease 1, ended too":              "lease/1",
		"All requirements of property 1":                   "compliance/1/",
		"Properties that are watched":                      "property/1",
		"Events that no workflow takes":                    parked,
		"Parked events of RentVine":                        parked,
		"Comparisons with RentVine and polls of OpenMoove": "sync/",
		"What did Schedules start?":                        "sync/",
		"What ran on workers without a version?":           order,
	}
	met := 0
	for _, v := range views(t) {
		ids := found(t, s, v)
		begins, ok := finds[v.question]
		if !ok {
			continue
		}
		met++
		for end := time.Now().Add(2 * time.Minute); !hasPrefix(ids, begins); ids = found(t, s, v) {
			require.True(t, time.Now().Before(end), "%s does not find %s but %v", v.question, begins, ids)
			time.Sleep(500 * time.Millisecond)
		}
	}
	require.Equal(t, len(finds), met, "a question of this test is not in docs/web-ui.md")
}

// found lists what a view finds, at most a thousand.
func found(t *testing.T, s *e2e.Stack, v view) []string {
	t.Helper()
	list, err := s.Client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: v.filter, PageSize: 1000})
	require.NoError(t, err, "%s: %s", v.question, v.filter)
	var ids []string
	for _, e := range list.GetExecutions() {
		ids = append(ids, e.GetExecution().GetWorkflowId())
	}
	return ids
}

func hasPrefix(ids []string, prefix string) bool {
	for _, id := range ids {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}
