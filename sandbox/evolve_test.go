package sandbox_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/sandbox/openmoove"
)

const (
	options   = "/_records/openmoove/options"
	portfolio = "/_records/openmoove/portfolio"
)

// changes is what the log has after a number.
func (r *rig) changes(after int) (out []openmoove.Change) {
	r.t.Helper()
	require.Equal(r.t, 200, r.call(http.MethodGet, fmt.Sprintf("/_records/openmoove/changes?after=%d", after), "", &out))
	return out
}

// hasty is a business clock on which a day lasts 2.4 s.
func hasty(c *sandbox.Config) {
	begun := time.Now()
	c.BusinessNow = func() time.Time { return begun.Add(36_000 * time.Since(begun)) }
}

// tally counts OpenMoove's webhooks by event until the test ends: the rig's channel is
// bounded.
func (r *rig) tally() (counts func() map[string]int) {
	var mu sync.Mutex
	seen := map[string]int{}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case e := <-r.sales:
				mu.Lock()
				seen[e.body["event"].(string)]++
				mu.Unlock()
			case <-done:
				return
			}
		}
	}()
	r.t.Cleanup(func() { close(done); <-ended })
	return func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(seen)
	}
}

// Sales evolve by themselves, and OpenMoove tells of all that happens, once.
func TestSalesEvolveAndTellOfIt(t *testing.T) {
	t.Parallel()
	_, keep := stateFile(t)
	r := newRig(t, keep, hasty)
	told := r.tally()
	var made struct{ IDs []int }
	require.Equal(t, 201, r.call(http.MethodPost, portfolio, `{"count":60,"seed":1}`, &made))
	require.Len(t, made.IDs, 60)
	page := r.version()
	require.Equal(t, 200, r.call(http.MethodPut, options, `{"changes_a_day":200}`, nil))
	require.Eventually(t, func() bool { return len(r.changes(60)) >= 60 }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, 200, r.call(http.MethodPut, options, `{}`, nil))
	require.Greater(t, r.version(), page+5, "the page hears of it")

	want := map[string]int{"property.created": 60}
	for _, c := range r.changes(60) {
		switch c.Kind {
		case openmoove.MilestoneReached:
			want["property.milestone.updated"]++
			want["property.milestone.completed"]++
		case openmoove.MilestoneRescheduled:
			want["property.milestone.updated"]++
		case openmoove.MilestoneAdded:
			want["property.milestone.created"]++
		case openmoove.StatusChanged, openmoove.Accepted:
			want["property.updated"]++
		case openmoove.Created, openmoove.MilestoneReopened:
			require.Fail(t, "that does not happen by itself", c.Kind)
		}
	}
	require.Eventually(t, func() bool { return maps.Equal(want, told()) }, 30*time.Second, 5*time.Millisecond)

	// Switched off, nobody hears of anything, and what happens is in the log alone.
	require.Equal(t, 200, r.call(http.MethodPut, options, `{"without_webhooks":true,"changes_a_day":200}`, nil))
	last := 60 + len(r.changes(60))
	require.Eventually(t, func() bool { return len(r.changes(last)) >= 20 }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, 409, r.call(http.MethodPost, "/_send/openmoove/property.updated", "", nil), "by hand neither")
	require.Equal(t, 200, r.call(http.MethodPut, options, `{}`, nil))
	require.Equal(t, want, told())
	require.Equal(t, 200, r.call(http.MethodPut, sales+"/1", `{"status":"Withdrawn"}`, nil))
	want["property.updated"]++
	require.Eventually(t, func() bool { return maps.Equal(want, told()) }, 30*time.Second, 5*time.Millisecond)

	was := r.body(sales)
	stop(t, r.Sandbox)
	r.start(keep)
	require.JSONEq(t, was, r.body(sales), "what evolved outlives a restart")
	require.JSONEq(t, `[]`, r.body("/_records/openmoove/changes"), "the log does not")
}

// version is that of the page.
func (r *rig) version() int {
	r.t.Helper()
	var page struct{ Version int }
	require.Equal(r.t, 200, r.call(http.MethodGet, "/_page", "", &page))
	return page.Version
}

func TestChangesAreAskedForByTheirNumber(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 3 {
		require.Equal(t, 200, r.call(http.MethodPut, sales+"/1", `{"status":"Stage `+strconv.Itoa(i)+`"}`, nil))
		r.sale()
	}
	require.Equal(t, 200, r.call(http.MethodPut, sales+"/1", `{"status":"Stage 2"}`, nil)) // as it is
	all := r.changes(0)
	require.Len(t, all, 3)
	require.Equal(t, []string{"Stage 0", "Stage 1", "Stage 2"}, []string{all[0].Status, all[1].Status, all[2].Status})
	require.Equal(t, all[1:], r.changes(all[0].N))
	require.Empty(t, r.changes(all[2].N))
	for _, bad := range []string{"-1", "x", "1.5"} {
		require.Equal(t, 400, r.call(http.MethodGet, "/_records/openmoove/changes?after="+bad, "", nil), bad)
	}
}

func TestAPortfolioIsCreated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, bad := range []string{``, `{}`, `{"count":0}`, `{"count":5001}`, `{"count":3,"sed":1}`, `{"count":3,"seed":-1}`} {
		require.Equal(t, 400, r.call(http.MethodPost, portfolio, bad, nil), bad)
	}
	var made struct{ IDs []int }
	require.Equal(t, 201, r.call(http.MethodPost, portfolio, `{"count":300,"seed":1,"quiet":true}`, &made))
	require.Len(t, made.IDs, 300)
	require.Contains(t, r.body(fmt.Sprintf("%s/%d", sales, made.IDs[299])), "agent@")
	require.Empty(t, r.sales)
	require.Equal(t, 201, r.call(http.MethodPost, portfolio, `{"count":2}`, &made))
	require.ElementsMatch(t, []any{"property.created", "property.created"}, []any{r.sale().body["event"], r.sale().body["event"]})
	require.Zero(t, r.Duplicates()["openmoove"])
	require.JSONEq(t, `{}`, r.body("/_calls/statuses"), "it was no call")
}

// A sandbox that is stopped while sales evolve saves the last change.
func TestAStopWhileSalesEvolve(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep, hasty, func(c *sandbox.Config) { c.OpenMooveWebhookSecret = "" })
	require.Equal(t, 201, r.call(http.MethodPost, portfolio, `{"count":200}`, nil))
	require.Equal(t, 200, r.call(http.MethodPut, options, `{"changes_a_day":5000}`, nil))
	require.Eventually(t, func() bool { return len(r.changes(200)) > 20 }, 30*time.Second, 10*time.Millisecond)
	stop(t, r.Sandbox)
	require.NoFileExists(t, file+".openmoove", "the snapshot holds all: nothing has evolved after it")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(raw), "Under offer")
	r.start(keep)
	require.Contains(t, r.body(options), `"changes_a_day":0`, "options do not outlive a restart")
}
