package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestSyncConflicts(t *testing.T) {
	t.Parallel()
	a := newAudited(t)
	said := func(args ...string) string {
		s := a.run(args...)
		require.NoError(t, s.failed)
		return s.out.String()
	}
	require.Equal(t, "No conflicts.\n", said("sync", "conflicts"))
	now := time.Now().UTC().Truncate(time.Second)
	entry := func(id, entity, what string, ago time.Duration) store.AuditEntry {
		return store.AuditEntry{ID: id, Entity: entity, Kind: store.AuditConflict, At: now.Add(-ago), Actor: "policy", What: what, Partner: "rentvine", Ref: "unit/5"}
	}
	a.append(
		entry("conflict/1", "pricing/5", "unit rent: RentVine says 1950.00, we wanted 2050.00: person -> the manager decides", time.Hour),
		entry("conflict/2", "work-order/9", "work order status: RentVine says 13, we wanted 12: partner -> kept theirs", 2*time.Hour),
		entry("conflict/3", "work-order/9", "work order status: RentVine says 14, we wanted 12: partner -> kept theirs", 50*time.Hour),
	)
	require.Equal(t, now.Add(-2*time.Hour).Format(time.RFC3339)+"  work-order/9  work order status: RentVine says 13, we wanted 12: partner -> kept theirs\n"+
		now.Add(-time.Hour).Format(time.RFC3339)+"  pricing/5  unit rent: RentVine says 1950.00, we wanted 2050.00: person -> the manager decides\n",
		said("sync", "conflicts"), "the oldest first, and nothing else of the audit")
	require.Contains(t, said("sync", "conflicts", "--since", "7d"), "RentVine says 14")
	require.Contains(t, said("sync", "conflicts", "--json"), `"record": "unit/5"`)
}
