package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/store"
)

// Our polling is never refused, sees every change, and where its budget allows it
// does so within its targets.
func TestSimulatedPolling(t *testing.T) {
	t.Parallel()
	rules := polling.Defaults(simulatedLimits())
	for _, sales := range []int{100, 250, 1000} {
		for _, delivered := range []float64{0, 0.9, 1} {
			t.Run(fmt.Sprint(sales, " sales, webhooks ", delivered), func(t *testing.T) {
				t.Parallel()
				p := newPortfolio(sales, 9)
				r := simulateOurs(p, delivered, 9)
				require.Zero(t, r.refused)
				require.Positive(t, r.calls)
				_, _, noted := r.watcher.figures(groupAll)
				require.Equal(t, r, simulateOurs(newPortfolio(sales, 9), delivered, 9), "the same day again")
				require.Equal(t, len(p.changes), noted, "each change is found once, or is unseen")
				if delivered == 1 {
					_, p95, _ := r.watcher.figures(groupAll)
					require.Less(t, p95, time.Minute)
				}
				if sales > 100 {
					return
				}
				require.Zero(t, r.watcher.missed)
				for _, class := range store.WatchClasses() {
					// Reads that are due at once wait for each other a little.
					_, p95, _ := r.watcher.figures(string(class))
					require.LessOrEqual(t, p95, rules.Target(class)+time.Minute, class)
				}
			})
		}
	}
}

// The largest portfolio by far exceeds the budget; still nothing is refused, and
// the overdue are known sooner than those due soon, and these sooner than the rest.
func TestSimulatedPollingOfTooMany(t *testing.T) {
	t.Parallel()
	p := newPortfolio(5000, 9)
	r := simulateOurs(p, 0, 9)
	require.Zero(t, r.refused)
	overdue, _, _ := r.watcher.figures(string(store.WatchOverdue))
	soon, _, _ := r.watcher.figures(string(store.WatchDueSoon))
	rest, _, _ := r.watcher.figures(string(store.WatchRest))
	require.Less(t, overdue, soon)
	require.Less(t, soon, rest)
}

// The model of the partner refuses what is above its limits, and nothing else.
func TestSimulatedPartner(t *testing.T) {
	t.Parallel()
	p := newPartner(newPortfolio(1, 1))
	for range 100 {
		require.True(t, p.call(0))
	}
	require.False(t, p.call(59*time.Second))
	answered := 100
	for at := time.Minute; at < time.Hour; at += time.Second {
		if p.call(at) {
			answered++
		}
	}
	require.Equal(t, 1000, answered)
	require.True(t, p.call(time.Hour))
	require.Equal(t, answered+1, p.windows.calls)
	reserved := newWindows(simulatedLimits())
	for range 90 {
		require.True(t, reserved.take(0, 0.1))
	}
	require.False(t, reserved.take(0, 0.1))
	require.True(t, reserved.take(0, 0), "the reserve is for others")
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, simulate(&out, true))
	require.Equal(t, 4+2*3, strings.Count(out.String(), "\n")-1, out.String())
	require.Equal(t, 2, strings.Count(out.String(), "the guide's"))
}
