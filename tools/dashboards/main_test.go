package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("write", false, "write deploy/grafana from the code")

const grafana = "../../deploy/grafana"

func TestDashboardsAreWhatTheCodeSays(t *testing.T) {
	t.Parallel()
	if *rewrite {
		require.NoError(t, write(grafana))
	}
	found, err := filepath.Glob(filepath.Join(grafana, "*.json"))
	require.NoError(t, err)
	require.Len(t, found, len(all()), "a dashboard without code, or code without a dashboard")
	for name, d := range all() {
		wanted, err := d.JSON()
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(grafana, name))
		require.NoError(t, err)
		require.Equal(t, string(wanted), string(got), "write it anew: go run ./tools/dashboards")
	}
}

func TestEveryPanelSaysWhatItShows(t *testing.T) {
	t.Parallel()
	uids := map[string]bool{}
	for name, d := range all() {
		require.NoError(t, d.check(), name)
		require.False(t, uids[d.UID], "two dashboards have the uid %s", d.UID)
		uids[d.UID] = true
	}
}

// Panels neither overlap nor leave the page.
func TestPanelsKeepToTheGrid(t *testing.T) {
	t.Parallel()
	for name, d := range all() {
		taken := map[[2]int]string{}
		for _, p := range d.panels() {
			at := p["gridPos"].(object)
			require.LessOrEqual(t, at["x"].(int)+at["w"].(int), 24, name)
			for x := range at["w"].(int) {
				for y := range at["h"].(int) {
					cell := [2]int{at["x"].(int) + x, at["y"].(int) + y}
					require.Empty(t, taken[cell], "%s: %s lies on another", name, p["title"])
					taken[cell] = p["title"].(string)
				}
			}
		}
	}
}

func TestAPanelWithoutAUnitIsFound(t *testing.T) {
	t.Parallel()
	d := Dashboard{UID: "x", Title: "x", Description: "x", Rows: []Row{{Panels: []Panel{graph("x", "x", "", Query{Expr: "up"})}}}}
	require.ErrorContains(t, d.check(), `panel "x" needs`)
}
