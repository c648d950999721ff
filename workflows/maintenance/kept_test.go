package maintenance

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
)

// What somebody has set at RentVine and we have kept is not overwritten by our next wish,
// until we decide about that part anew.
func TestWhatWasKeptIsWishedNoMore(t *testing.T) {
	t.Parallel()
	wish := activities.UpdateWorkOrderInput{
		WorkOrderID: "1", StatusNames: []string{"Scheduled"}, Primary: activities.StatusOpen,
		AssignedUserID: "31", ClearVendor: true, ScheduledDate: "2026-11-24", WindowStart: "2026-11-24 08:00:00", WindowEnd: "2026-11-24 12:00:00",
	}
	none := func(*activities.UpdateWorkOrderInput) {}
	noStatus := func(w *activities.UpdateWorkOrderInput) { w.StatusNames, w.Primary = nil, 0 }
	noSchedule := func(w *activities.UpdateWorkOrderInput) { w.ScheduledDate, w.WindowStart, w.WindowEnd = "", "", "" }
	noWorker := func(w *activities.UpdateWorkOrderInput) {
		w.AssignedUserID, w.ClearVendor = "", false
		noSchedule(w)
	}
	for _, c := range []struct {
		name    string
		field   policy.ConflictField
		outcome activities.ConflictOutcome
		// left is what the same wish is afterwards; next is a later wish, and leaves what
		// that is.
		left, next, leaves func(*activities.UpdateWorkOrderInput)
	}{
		{"ours was written", policy.FieldWorkOrderWorker, activities.ConflictOurs, none, none, none},
		{"their worker, with their schedule", policy.FieldWorkOrderWorker, activities.ConflictTheirs, noWorker,
			func(w *activities.UpdateWorkOrderInput) { w.StatusNames = []string{"Repaired"} }, noWorker},
		{"another worker of ours", policy.FieldWorkOrderWorker, activities.ConflictTheirs, noWorker,
			func(w *activities.UpdateWorkOrderInput) { w.AssignedUserID = "32" }, none},
		{"our worker is gone", policy.FieldWorkOrderWorker, activities.ConflictTheirs, noWorker,
			func(w *activities.UpdateWorkOrderInput) {
				noWorker(w)
				w.ClearAssigned, w.ClearSchedule = true, true
			},
			func(w *activities.UpdateWorkOrderInput) { w.ClearAssigned, w.ClearSchedule = false, false }},
		{"their schedule", policy.FieldWorkOrderSchedule, activities.ConflictTheirs, noSchedule,
			func(w *activities.UpdateWorkOrderInput) { w.AssignedUserID = "32" }, noSchedule},
		{"another visit", policy.FieldWorkOrderSchedule, activities.ConflictTheirs, noSchedule,
			func(w *activities.UpdateWorkOrderInput) { w.WindowStart = "2026-11-24 09:00:00" }, none},
		{"their status", policy.FieldWorkOrderStatus, activities.ConflictTheirs, noStatus,
			func(w *activities.UpdateWorkOrderInput) { w.AssignedUserID = "32" }, noStatus},
		{"the response moves on", policy.FieldWorkOrderStatus, activities.ConflictTheirs, noStatus,
			func(w *activities.UpdateWorkOrderInput) { w.StatusNames = []string{"Repaired"} }, none},
		{"the work order is closed", policy.FieldWorkOrderStatus, activities.ConflictTheirs, noStatus,
			func(w *activities.UpdateWorkOrderInput) { w.Primary, w.Closes = activities.StatusClosed, true }, none},
	} {
		s := &State{}
		require.Equal(t, wish, s.leaveOut(wish), "nothing is kept")
		s.conflicted(wish, []activities.Conflict{{Field: c.field, Outcome: c.outcome}}, time.Time{})
		want := wish
		c.left(&want)
		require.Equal(t, want, s.leaveOut(wish), c.name)

		text, err := json.Marshal(s)
		require.NoError(t, err)
		var carried State
		require.NoError(t, json.Unmarshal(text, &carried), "continue-as-new carries it")
		later := wish
		c.next(&later)
		want = later
		c.leaves(&want)
		require.Equal(t, want, carried.leaveOut(later), c.name)
	}
}

func TestTheTimelineSaysThatOurScheduleWasNotWritten(t *testing.T) {
	t.Parallel()
	scheduled := activities.UpdateWorkOrderInput{AssignedUserID: "31", ScheduledDate: "2026-11-24"}
	lines := func(field policy.ConflictField, outcome activities.ConflictOutcome, wish activities.UpdateWorkOrderInput) int {
		s := &State{}
		s.conflicted(wish, []activities.Conflict{{Field: field, Outcome: outcome}}, time.Time{})
		return len(s.Timeline)
	}
	require.Equal(t, 2, lines(policy.FieldWorkOrderSchedule, activities.ConflictTheirs, scheduled))
	require.Equal(t, 2, lines(policy.FieldWorkOrderWorker, activities.ConflictTheirs, scheduled))
	require.Equal(t, 1, lines(policy.FieldWorkOrderStatus, activities.ConflictTheirs, scheduled))
	require.Equal(t, 1, lines(policy.FieldWorkOrderSchedule, activities.ConflictOurs, scheduled))
	require.Equal(t, 1, lines(policy.FieldWorkOrderWorker, activities.ConflictTheirs, activities.UpdateWorkOrderInput{AssignedUserID: "31"}))
}
