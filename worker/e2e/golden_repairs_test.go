package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// recordRepairs plays ordinary repairs: by our technician to the end, cancelled with a
// visit in the calendars, become an emergency, and by vendors with a withdrawal.
func recordRepairs(t *testing.T) {
	ours := start(t, e2e.Options{Args: []string{"--policy", allDay(t), "--day", repairDay}})
	id := bookedVisit(t, ours, nil)
	handedIn(t, ours, id, 30)
	inStage(t, ours, id, repair.Confirming)
	says(t, ours, id, "Is it?", tenant1, repair.Fixed)
	require.NoError(t, ours.UntilClosed(t.Context(), id, 4*soon))
	record(t, ours, maintenance.WorkOrder.Name, "repair_confirmed", maintenance.WorkOrderID(id))

	id = bookedVisit(t, ours, nil)
	require.NoError(t, ours.SetStatus(t.Context(), id, "Cancelled"))
	require.NoError(t, ours.UntilClosed(t.Context(), id, 4*soon))
	record(t, ours, maintenance.WorkOrder.Name, "repair_cancelled", maintenance.WorkOrderID(id))

	id = bookedVisit(t, ours, nil)
	reports(t, ours, id, "The tap burst, water is flooding the kitchen and runs through the ceiling!")
	_, err := ours.Until(t.Context(), id, func(d maintenance.Description) bool { return len(d.Pages) > 0 }, 4*soon)
	require.NoError(t, err)
	require.NoError(t, ours.SetStatus(t.Context(), id, "Cancelled"))
	require.NoError(t, ours.UntilClosed(t.Context(), id, 4*soon))
	record(t, ours, maintenance.WorkOrder.Name, "repair_became_emergency", maintenance.WorkOrderID(id))

	vendors := start(t, e2e.Options{Args: []string{"--policy", vendorsOnly(t), "--day", repairDay}})
	id = tap(t, vendors, nil)
	bidOf(t, vendors, id, pacific, "450.00")
	bidOf(t, vendors, id, "+12135550114", "410")
	inStage(t, vendors, id, repair.Approving)
	says(t, vendors, id, "May we go ahead", owner1, repair.Approve)
	says(t, vendors, id, "your bid", "+12135550114", repair.Decline)
	says(t, vendors, id, "will cost about $450.00", owner1, repair.Approve)
	says(t, vendors, id, "your bid of $450.00", pacific, repair.Accept)
	inStage(t, vendors, id, repair.Scheduling)
	require.NoError(t, vendors.CloseInRentVine(t.Context(), id))
	require.NoError(t, vendors.UntilClosed(t.Context(), id, 4*soon))
	record(t, vendors, maintenance.WorkOrder.Name, "repair_by_vendors", maintenance.WorkOrderID(id))
	record(t, vendors, maintenance.Bidding.Name, "two_of_three", maintenance.BiddingID(id, 1))
}
