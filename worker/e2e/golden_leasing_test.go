package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/leasing/renewal"
)

// recordLeasing plays leases: from the move-in to the renewal, cancelled before it, with
// an offer that was withdrawn, and at risk.
func recordLeasing(t *testing.T) {
	t.Run("renewed", recordRenewed)
	t.Run("withdrawn", func(t *testing.T) {
		s := start(t, e2e.Options{Args: []string{"--policy", patient(t), "--day", leaseDay}})
		moved := letLease(t, s, "lease.created", -3, 100, "+13235550179")
		id := moved.under(renewalOf)
		moved.withdrawn()
		require.Equal(t, renewal.OutcomeCancelled, moved.ended(renewalOf))
		record(t, s, leasing.Renewal.Name, "withdrawn", id)
	})
	t.Run("kept", func(t *testing.T) {
		s := start(t, e2e.Options{Args: []string{"--policy", anxious(t), "--day", leaseDay}})
		kept := letLease(t, s, "lease.created", -3, 400, "+13235550178")
		id := kept.under(retentionOf)
		kept.kept()
		record(t, s, leasing.Retention.Name, "kept", id)
		record(t, s, leasing.Sweep.Name, "found", swept(t, s))
	})
}

func recordRenewed(t *testing.T) {
	s := start(t, e2e.Options{Args: []string{"--policy", patient(t), "--day", leaseDay}})
	l := letLease(t, s, "lease.created", 35, 170, "+13235550177")
	moveIn := l.under(moveInOf)
	l.movesIn()
	ends := l.until(func(leasing.LeaseDescription) bool { return true }).Ends
	l.renewed()
	l.until(func(d leasing.LeaseDescription) bool { return d.Ends != ends })
	record(t, s, leasing.MoveIn.Name, "completed", moveIn)
	record(t, s, leasing.Renewal.Name, "renewed", "renewal/"+l.id+"/"+ends)
	record(t, s, leasing.Lease.Name, "renewed", leasing.LeaseID(l.id))

	off := letLease(t, s, "lease.created", 35, 400, "+13235550178")
	moveIn = off.under(moveInOf)
	off.texted(off.phone, "Electricity")
	require.NoError(t, s.ChangeLease(t.Context(), off.id, map[string]any{"primaryLeaseStatusID": "3"}))
	off.closed(moveIn)
	off.closed(leasing.LeaseID(off.id))
	record(t, s, leasing.MoveIn.Name, "cancelled", moveIn)
	record(t, s, leasing.Lease.Name, "cancelled", leasing.LeaseID(off.id))
}
