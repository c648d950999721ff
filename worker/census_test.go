package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/sync"
)

func TestTheOldestIsFoundToAMinute(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	for _, ages := range [][]time.Duration{
		{0}, {30 * time.Second}, {time.Minute}, {61 * time.Second}, {2 * time.Minute},
		{time.Hour, 3 * time.Second}, {26*time.Hour + 17*time.Minute + 31*time.Second, 26 * time.Hour, time.Minute},
		{89 * 24 * time.Hour, 3 * time.Hour}, {400 * 24 * time.Hour},
	} {
		asked := 0
		found, err := oldest(now, func(before time.Time) (n int64, err error) {
			asked++
			for _, age := range ages {
				if now.Add(-age).Before(before) {
					n++
				}
			}
			return n, nil
		})
		require.NoError(t, err)
		wrong := found.Sub(now.Add(-ages[0]))
		require.GreaterOrEqual(t, wrong, time.Duration(0), "%v: it is never said to be older than it is", ages)
		require.LessOrEqual(t, wrong, time.Minute, "%v", ages)
		require.LessOrEqual(t, asked, 45, "%v", ages)
	}
	away := errors.New("visibility is away")
	_, err := oldest(now, func(time.Time) (int64, error) { return 0, away })
	require.ErrorIs(t, err, away)
}

// What began ages ago, by a clock that is wrong, does not keep the search busy for ever.
func TestTheSearchForTheOldestEnds(t *testing.T) {
	t.Parallel()
	asked := 0
	_, err := oldest(time.Now(), func(time.Time) (int64, error) { asked++; return 1, nil })
	require.NoError(t, err)
	require.Less(t, asked, 60)
}

// shown are the gauges of a census by name and label.
func shown(t *testing.T, c *census) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c))
	families, err := registry.Gather()
	require.NoError(t, err)
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			all[name] = m.GetGauge().GetValue()
		}
	}
	return all
}

func TestACensusThatFailsKeepsWhatItHasFound(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	var away error
	c := newCensus(nil)
	c.now = func() time.Time { return now }
	c.count = func(context.Context, string) (int64, error) { return 3, away }
	require.Equal(t, map[string]float64{"keyholder_visibility_up": 0}, shown(t, c), "nothing is known yet")

	c.note(c.look(t.Context()))
	before := shown(t, c)
	require.InDelta(t, 1, before["keyholder_visibility_up"], 0)
	require.InDelta(t, 3, before["keyholder_parked_events"], 0)
	require.InDelta(t, 3, before["keyholder_sla_open on_site_missed"], 0)
	require.Len(t, before, 4+len(workflows.Registry())+len(maintenance.SLAStates()))

	now, away = now.Add(time.Hour), errors.New("visibility is away")
	c.note(c.look(t.Context()))
	after := shown(t, c)
	require.InDelta(t, 0, after["keyholder_visibility_up"], 0)
	require.InDelta(t, 3600, after["keyholder_visibility_age_seconds"], 0)
	require.InDelta(t, before["keyholder_parked_oldest_age_seconds"]+3600, after["keyholder_parked_oldest_age_seconds"], 0)
	require.InDelta(t, 3, after["keyholder_parked_events"], 0)
}

func TestTheCensusCountsWhatTemporalHas(t *testing.T) {
	t.Parallel()
	if _, err := cluster.FindTemporal(); err != nil {
		t.Skipf("needs Temporal's dev server: %v", err)
	}
	server, err := cluster.StartDevServer(t.Context(), cluster.DevServerOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	conn, err := cluster.Dial(t.Context(), cluster.Options{Address: server.Address(), Plain: true})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	began := time.Now()
	begin := func(name string, attributes ...temporal.SearchAttributeUpdate) {
		_, err := conn.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
			TaskQueue: "nobody", TypedSearchAttributes: temporal.NewSearchAttributes(attributes...),
		}, name)
		require.NoError(t, err)
	}
	for range 3 {
		begin(sync.ParkedEventName)
	}
	begin(maintenance.WorkOrderName, durable.SLAState.ValueSet("accept_missed"))
	begin(maintenance.WorkOrderName)

	c := newCensus(conn)
	// By a clock that is ahead, they have been parked for hours.
	c.now = func() time.Time { return time.Now().Add(5 * time.Hour) }
	require.Eventually(t, func() bool {
		c.note(c.look(t.Context()))
		now := shown(t, c)
		return now["keyholder_parked_events"] == 3 && now["keyholder_workflows_open maintenance.work_order"] == 2
	}, 2*time.Minute, 100*time.Millisecond)
	now := shown(t, c)
	require.InDelta(t, 1, now["keyholder_visibility_up"], 0)
	require.InDelta(t, 1, now["keyholder_sla_open accept_missed"], 0)
	require.InDelta(t, 0, now["keyholder_sla_open on_track"], 0)
	require.InDelta(t, 0, now["keyholder_workflows_open leasing.lease"], 0)
	age := now["keyholder_parked_oldest_age_seconds"]
	require.Greater(t, age, (5*time.Hour - time.Minute).Seconds())
	require.Less(t, age, (5*time.Hour+time.Since(began)).Seconds()+1)
}
