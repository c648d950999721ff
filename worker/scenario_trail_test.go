package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// The audit tells an emergency as its own timeline does, with the events, the command and
// the answers, in chains that hold.
func TestTheAuditTellsTheStoryOfAnEmergency(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	var seen maintenance.Description
	s.at(2*time.Minute, func() { command(s, maintenance.Acknowledge, maintenance.Command{By: "grace", Why: "alma is away"}) })
	s.at(time.Hour, func() { s.status("Completed") })
	s.play(s.event("work_order.created", nil))
	seen = s.describe()

	entity := "work-order/" + s.id
	entries, err := s.store.AuditEntries(t.Context(), store.AuditFilter{Entity: entity})
	require.NoError(t, err)
	told, whys, kinds := map[string]bool{}, map[string]string{}, map[store.AuditKind]int{}
	for _, e := range entries {
		told[e.What], whys[e.What] = true, e.Details
		kinds[e.Kind]++
	}
	var left struct {
		Trail []durable.Note `json:"trail"`
	}
	require.NoError(t, s.env.GetWorkflowResult(&left))
	for _, n := range left.Trail {
		told[n.What] = true
	}
	require.NotEmpty(t, seen.Timeline)
	for _, line := range seen.Timeline {
		require.True(t, told[line.What], line.What)
	}
	require.Equal(t, 2, kinds[store.AuditTook], "the events of its creation and end")
	require.Equal(t, 1, kinds[store.AuditCommand])
	require.Equal(t, "alma is away", whys["acknowledge"])
	faults, err := s.store.VerifyAudit(t.Context(), entity)
	require.NoError(t, err)
	require.Empty(t, faults)
}
