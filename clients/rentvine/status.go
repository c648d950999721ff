package rentvine

import (
	"context"
	"strconv"

	"github.com/aictive/keyholder/clients/partner"
)

// WorkOrderStatus is one of the account's own statuses (contracts/rentvine.md 2.7).
type WorkOrderStatus struct {
	ID, Name string
	Primary  PrimaryWorkOrderStatus
	IsSystem bool
}

// WorkOrderStatuses reads the account's statuses. Ids differ by account: they are
// always read, never assumed (4.2). Errors are *partner.Error.
func (c *Client) WorkOrderStatuses(ctx context.Context) ([]WorkOrderStatus, error) {
	return list[WorkOrderStatus]{
		op:   "list_work_order_statuses",
		path: "/maintenance/work-order/statuses", // singular "work-order" (4.2)
		from: workOrderStatusFrom,
		id:   func(s WorkOrderStatus) string { return s.ID },
	}.all(ctx, c)
}

func workOrderStatusFrom(r row) (WorkOrderStatus, error) {
	var w struct {
		WorkOrderStatusID        key   `json:"workOrderStatusID"`
		PrimaryWorkOrderStatusID whole `json:"primaryWorkOrderStatusID"`
		Name                     text  `json:"name"`
		IsSystemStatus           flag  `json:"isSystemStatus"`
	}
	if err := r.into("workOrderStatus", &w); err != nil {
		return WorkOrderStatus{}, err
	}
	if w.WorkOrderStatusID == "" {
		return WorkOrderStatus{}, partner.ShapeError("status " + strconv.Itoa(int(w.PrimaryWorkOrderStatusID)) + " without an id")
	}
	return WorkOrderStatus{
		ID: string(w.WorkOrderStatusID), Name: string(w.Name),
		Primary: PrimaryWorkOrderStatus(w.PrimaryWorkOrderStatusID), IsSystem: bool(w.IsSystemStatus),
	}, nil
}
