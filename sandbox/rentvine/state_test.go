package rentvine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/rentvine"
)

func TestASnapshotHoldsWhatNoCallShows(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{WorkOrdersAfter: 500})
	a.post("/maintenance/work-orders", `{"description":"leak","propertyID":1,"priorityID":3,"vendorContactID":11}`)
	require.Len(t, a.server.VendorNotifications(), 1)
	require.True(t, a.server.EndLease("2", "2026-10-31"))
	snapshot, err := a.server.Snapshot()
	require.NoError(t, err)

	later := rentvine.New(rentvine.Config{WorkOrdersAfter: 400})
	require.NoError(t, later.Restore(snapshot))
	require.Equal(t, a.server.VendorNotifications(), later.VendorNotifications())
	require.Equal(t, "502", later.PutWorkOrder(nil), "the higher of clock and snapshot counts")
	require.Equal(t, a.server.Tables()[1:], later.Tables()[1:])
	require.Equal(t, []string{"1", "3", "4"}, later.LeaseIDs())
	later.Reset()
	require.Equal(t, []string{"1", "2", "3", "4"}, later.LeaseIDs())

	latest := rentvine.New(rentvine.Config{WorkOrdersAfter: 600})
	require.NoError(t, latest.Restore(snapshot))
	require.Equal(t, "601", latest.PutWorkOrder(nil))

	require.Error(t, latest.Restore([]byte(`{"tables":{"workOrders":{"rows":{"7":{"workOrderID":"8"}}}}}`)))
	_, kept := latest.WorkOrder("601")
	require.True(t, kept, "a snapshot that is refused changes nothing")
}
