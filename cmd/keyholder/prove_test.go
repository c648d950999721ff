package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
)

func TestProvePeriod(t *testing.T) {
	t.Parallel()
	since, until, err := proveFlags{since: 2 * time.Hour, grace: time.Minute, chains: chainsPeriod, until: "2026-11-22T18:00:00Z"}.period()
	require.NoError(t, err)
	require.Equal(t, "2026-11-22T16:00:00Z", since.Format(time.RFC3339))
	require.Equal(t, "2026-11-22T18:00:00Z", until.Format(time.RFC3339))
	for _, f := range []proveFlags{
		{since: time.Hour, grace: time.Minute, chains: chainsAll, until: "yesterday"}, {grace: time.Minute}, {since: -time.Hour, grace: time.Minute}, {since: time.Hour},
		{since: time.Hour, grace: time.Minute, chains: "some"},
	} {
		_, _, err := f.period()
		require.ErrorAs(t, err, new(usageError), "%+v", f)
	}
}

func TestProveAsksPartnersOnlyWithTheirKeys(t *testing.T) {
	t.Parallel()
	all := proveConfig{LinkKey: "k", RentVineURL: "http://localhost", RentVineAccessKey: "a", RentVineAPISecret: "s"}
	require.NoError(t, all.canAsk())
	all.LinkKey = ""
	require.ErrorAs(t, all.canAsk(), new(usageError))
	require.ErrorContains(t, all.canAsk(), "--partners=false")
}

// What could not be compared is a difference: an empty list must mean something.
func TestDiffering(t *testing.T) {
	t.Parallel()
	require.Empty(t, differing(activities.Compared{Seen: 12}))
	found := differing(activities.Compared{
		Differences: []activities.Difference{{Record: "lease/3", Event: "lease.updated", Fields: []string{"endDate", "rent"}}, {Record: "charge/4", Event: "lease_charge.created"}},
		Failed:      []activities.FailedKind{{Kind: "units", Why: "forbidden"}},
		Left:        true,
	})
	require.Len(t, found, 4)
	require.Equal(t, "lease/3", found[0].Entity)
	require.Equal(t, "endDate rent", found[0].Key)
	require.Contains(t, found[1].What, "nothing is known of it")
	require.Contains(t, found[2].What, "forbidden")
	require.Contains(t, found[3].What, "the rest was not looked at")
	for _, f := range found {
		require.NotEmpty(t, f.Advice)
	}
}
