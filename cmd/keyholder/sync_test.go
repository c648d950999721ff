package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
)

func TestWhatAComparisonPrints(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		state activities.ReconcileState
		json  bool
		want  []string
	}{
		"none yet": {want: []string{"no comparison has come to its end", "sync-rentvine"}},
		"one": {
			state: activities.ReconcileState{
				Last: activities.Reconciled{
					Began: at, Seen: 812, Adopted: 3, Events: 3, Told: map[string]int{"lease.updated": 2, "payment.received": 1}, Parked: 1, Left: true,
					Failed: []activities.FailedKind{{Kind: "bills", Why: "forbidden"}, {Kind: "leases", Record: "lease/7", Why: "not told"}}, Untold: 1,
				},
				FullAt: at.Add(-8 * time.Hour), Unlearned: []string{"bills"},
			},
			want: []string{
				"2026-11-23T10:15:00Z", "2026-11-23T02:15:00Z", "not gone through yet   bills", "812 records compared, 3 learned, 3 told of",
				"2 lease.updated", "1 of them are parked", "more to tell", "does not show all bills (forbidden)", "1 records could not be told of", "lease/7 (not told)",
			},
		},
		"JSON": {state: activities.ReconcileState{Last: activities.Reconciled{Began: at, Seen: 5}}, json: true, want: []string{`"seen":5`}},
	} {
		var out strings.Builder
		require.NoError(t, printSyncState(&out, c.state, c.json), name)
		for _, want := range c.want {
			require.Contains(t, out.String(), want, name)
		}
	}
}

// Whoever asks for everything is not told that all is well by less.
func TestShort(t *testing.T) {
	t.Parallel()
	require.NoError(t, short(activities.Reconciled{}, false))
	require.NoError(t, short(activities.Reconciled{Full: true}, true))
	require.Error(t, short(activities.Reconciled{}, true))
	require.Error(t, short(activities.Reconciled{Full: true, Left: true}, true))
	require.Error(t, short(activities.Reconciled{Full: true, Failed: []activities.FailedKind{{Kind: "bills", Why: "forbidden"}}}, true))
}
