package rentvine

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

const workOrdersPath = "/maintenance/work-orders"

// WorkOrder is a maintenance job (contracts/rentvine.md 2.7). Ids are decimal text,
// "" for none. Dates are YYYY-MM-DD, "" for none.
type WorkOrder struct {
	// ID is what paths take; Number is the reference that people use (4.17).
	ID, Number string

	PropertyID, UnitID, LeaseID, PortfolioID string

	// StatusID is the account's own status, PrimaryStatus its fixed group.
	StatusID      string
	PrimaryStatus PrimaryWorkOrderStatus
	// SchedulingStatusID stands beside the record in a detail reply; 0 is none.
	SchedulingStatusID int

	Priority Priority
	// PriorityName is the word of the integration guide's webhooks, such as
	// "emergency"; REST replies have none.
	PriorityName string
	SourceType   SourceType

	VendorTradeID, VendorContactID, AssignedToUserID, RequestedByContactID string

	// Description, VendorInstructions and ClosingDescription are plain text; on
	// the wire they may be HTML.
	Description, VendorInstructions, ClosingDescription string

	// EstimatedAmount is a decimal in the account's currency, "" for none.
	EstimatedAmount string

	ScheduledStartDate, ScheduledEndDate string
	ActualStartDate, ActualEndDate       string
	// DateClosed is unreliable: PrimaryStatus tells whether it is closed.
	DateClosed string
	// AppointmentWindowStart and End are "YYYY-MM-DD HH:MM:SS" without a zone, taken
	// to be the property's wall clock.
	AppointmentWindowStart, AppointmentWindowEnd string
	// CreatedAt is read as UTC where the wire gives no zone (1.6).
	CreatedAt time.Time

	IsOwnerApproved, IsVacant, IsSharedWithTenant, IsSharedWithOwner, IsNew, IsInternal bool
}

type wireWorkOrder struct {
	WorkOrderID                    key     `json:"workOrderID"`
	ID                             key     `json:"id"`
	WorkOrderNumber                text    `json:"workOrderNumber"`
	PropertyID                     key     `json:"propertyID"`
	UnitID                         key     `json:"unitID"`
	LeaseID                        key     `json:"leaseID"`
	PortfolioID                    key     `json:"portfolioID"`
	WorkOrderStatusID              key     `json:"workOrderStatusID"`
	PrimaryWorkOrderStatusID       whole   `json:"primaryWorkOrderStatusID"`
	PriorityID                     whole   `json:"priorityID"`
	Priority                       text    `json:"priority"`
	SourceTypeID                   whole   `json:"sourceTypeID"`
	VendorTradeID                  key     `json:"vendorTradeID"`
	VendorContactID                key     `json:"vendorContactID"`
	AssignedToUserID               key     `json:"assignedToUserID"`
	RequestedByContactID           key     `json:"requestedByContactID"`
	TenantID                       key     `json:"tenantID"`
	Description                    text    `json:"description"`
	VendorInstructions             text    `json:"vendorInstructions"`
	ClosingDescription             text    `json:"closingDescription"`
	EstimatedAmount                text    `json:"estimatedAmount"`
	ScheduledStartDate             date    `json:"scheduledStartDate"`
	ScheduledEndDate               date    `json:"scheduledEndDate"`
	ActualStartDate                date    `json:"actualStartDate"`
	ActualEndDate                  date    `json:"actualEndDate"`
	DateClosed                     date    `json:"dateClosed"`
	AppointmentWindowStartDateTime window  `json:"appointmentWindowStartDateTime"`
	AppointmentWindowEndDateTime   window  `json:"appointmentWindowEndDateTime"`
	DateTimeCreated                instant `json:"dateTimeCreated"`
	IsOwnerApproved                flag    `json:"isOwnerApproved"`
	IsVacant                       flag    `json:"isVacant"`
	IsSharedWithTenant             flag    `json:"isSharedWithTenant"`
	IsSharedWithOwner              flag    `json:"isSharedWithOwner"`
	IsNew                          flag    `json:"isNew"`
	IsInternal                     flag    `json:"isInternal"`
}

func (w wireWorkOrder) workOrder() (WorkOrder, error) {
	id := w.WorkOrderID
	if id == "" {
		id = w.ID
	}
	if id == "" {
		return WorkOrder{}, partner.ShapeError("a work order without an id")
	}
	return WorkOrder{
		ID: string(id), Number: string(w.WorkOrderNumber),
		PropertyID: string(w.PropertyID), UnitID: string(w.UnitID), LeaseID: string(w.LeaseID), PortfolioID: string(w.PortfolioID),
		StatusID: string(w.WorkOrderStatusID), PrimaryStatus: PrimaryWorkOrderStatus(w.PrimaryWorkOrderStatusID),
		Priority: Priority(w.PriorityID), PriorityName: string(w.Priority), SourceType: SourceType(w.SourceTypeID),
		VendorTradeID: string(w.VendorTradeID), VendorContactID: string(w.VendorContactID),
		AssignedToUserID: string(w.AssignedToUserID), RequestedByContactID: string(cmp.Or(w.RequestedByContactID, w.TenantID)),
		Description:        PlainText(string(w.Description)),
		VendorInstructions: PlainText(string(w.VendorInstructions)),
		ClosingDescription: PlainText(string(w.ClosingDescription)),
		EstimatedAmount:    string(w.EstimatedAmount),
		ScheduledStartDate: string(w.ScheduledStartDate), ScheduledEndDate: string(w.ScheduledEndDate),
		ActualStartDate: string(w.ActualStartDate), ActualEndDate: string(w.ActualEndDate), DateClosed: string(w.DateClosed),
		AppointmentWindowStart: string(w.AppointmentWindowStartDateTime),
		AppointmentWindowEnd:   string(w.AppointmentWindowEndDateTime),
		CreatedAt:              time.Time(w.DateTimeCreated),
		IsOwnerApproved:        bool(w.IsOwnerApproved), IsVacant: bool(w.IsVacant),
		IsSharedWithTenant: bool(w.IsSharedWithTenant), IsSharedWithOwner: bool(w.IsSharedWithOwner),
		IsNew: bool(w.IsNew), IsInternal: bool(w.IsInternal),
	}, nil
}

func workOrderFrom(r row) (WorkOrder, error) {
	var w wireWorkOrder
	if err := r.into("workOrder", &w); err != nil {
		return WorkOrder{}, err
	}
	order, err := w.workOrder()
	var scheduling whole
	if raw, ok := r["schedulingStatusID"]; ok && err == nil {
		err = json.Unmarshal(raw, &scheduling)
	}
	order.SchedulingStatusID = int(scheduling)
	return order, err
}

// DecodeWorkOrder reads the record of a webhook: REST field names, "id" as another
// name of workOrderID, the guide's "priority" in PriorityName and its tenantID as who
// requested the work. Fields that are
// absent are zero. Errors are *partner.Error of kind Malformed.
func DecodeWorkOrder(data json.RawMessage) (WorkOrder, error) {
	order, err := decodeRecord(data)
	if err != nil {
		return WorkOrder{}, &partner.Error{
			Op: "rentvine.decode_work_order", Kind: partner.Malformed, Message: "the record is not a work order with an id",
		}
	}
	return order, nil
}

func decodeRecord(data json.RawMessage) (WorkOrder, error) {
	var w wireWorkOrder
	if !wire.IsObject(data) {
		return WorkOrder{}, partner.ShapeError("not an object")
	}
	if err := json.Unmarshal(data, &w); err != nil {
		return WorkOrder{}, err
	}
	return w.workOrder()
}

// WorkOrder reads one work order. Errors are *partner.Error.
func (c *Client) WorkOrder(ctx context.Context, id string) (WorkOrder, error) {
	const op = "get_work_order"
	var out WorkOrder
	if err := number(op, id); err != nil {
		return out, err
	}
	err := c.get(ctx, op, workOrdersPath+"/"+id, nil, one(&out, workOrderFrom))
	return out, err
}

// WorkOrderFilter narrows a list of work orders; "" and nil mean any. There is no
// filter by vendor or by time of change (4.15).
type WorkOrderFilter struct {
	PropertyID, UnitID, LeaseID, StatusID string
	// StartDate and EndDate are YYYY-MM-DD.
	StartDate, EndDate string
	IsNew              *bool
	Page               Page
}

func (f WorkOrderFilter) list(op string) (list[WorkOrder], error) {
	q := url.Values{}
	for name, id := range map[string]string{
		"propertyID": f.PropertyID, "unitID": f.UnitID, "leaseID": f.LeaseID, "workOrderStatusID": f.StatusID,
	} {
		if id == "" {
			continue
		}
		if err := number(op, id); err != nil {
			return list[WorkOrder]{}, err
		}
		q.Set(name, id)
	}
	for name, value := range map[string]string{"startDate": f.StartDate, "endDate": f.EndDate} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.IsNew != nil {
		q.Set("isNew", map[bool]string{false: "0", true: "1"}[*f.IsNew])
	}
	return list[WorkOrder]{
		op: op, path: workOrdersPath, query: q, from: workOrderFrom, id: func(w WorkOrder) string { return w.ID },
	}, nil
}

// WorkOrders reads one page, in RentVine's own order, which is not documented.
// Errors are *partner.Error.
func (c *Client) WorkOrders(ctx context.Context, f WorkOrderFilter) ([]WorkOrder, error) {
	l, err := f.list("list_work_orders")
	if err != nil {
		return nil, err
	}
	return l.page(ctx, c, f.Page, nil)
}

// AllWorkOrders reads every page, up to 100 of 100 rows; more is partner.Invalid.
// The filter's Page is not used. Errors are *partner.Error.
func (c *Client) AllWorkOrders(ctx context.Context, f WorkOrderFilter) ([]WorkOrder, error) {
	l, err := f.list("list_work_orders")
	if err != nil {
		return nil, err
	}
	return l.all(ctx, c)
}

// EachWorkOrder shows each work order of a filter, whose Page is not used, until each says
// stop, and tells it which page one is on. It walks at most 100 pages of 100 rows; more is
// partner.Invalid. Errors are *partner.Error.
func (c *Client) EachWorkOrder(ctx context.Context, f WorkOrderFilter, each func(page int, w WorkOrder) (more bool)) error {
	l, err := f.list("list_work_orders")
	if err != nil {
		return err
	}
	l.passes = true
	return l.eachFrom(ctx, c, 1, each)
}

// LeaseWorkOrders reads the work orders of a lease and, where unitID is not "", those
// of its unit that name no lease, whenever they were made. Each list is up to 100 pages
// of 100 rows; more is partner.Invalid. Rows of other leases and units are left out
// here too, should RentVine not filter. Errors are *partner.Error.
func (c *Client) LeaseWorkOrders(ctx context.Context, leaseID, unitID string) ([]WorkOrder, error) {
	if err := number("list_work_orders", leaseID); err != nil {
		return nil, err
	}
	filters := []WorkOrderFilter{{LeaseID: leaseID}}
	if unitID != "" {
		filters = append(filters, WorkOrderFilter{UnitID: unitID})
	}
	var found []WorkOrder
	seen := map[string]bool{}
	for _, f := range filters {
		orders, err := c.AllWorkOrders(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, o := range orders {
			mine := o.LeaseID == leaseID || o.LeaseID == "" && unitID != "" && o.UnitID == unitID
			if mine && !seen[o.ID] {
				seen[o.ID] = true
				found = append(found, o)
			}
		}
	}
	return found, nil
}

// EachOpenWorkOrder shows every work order that is neither closed nor cancelled once,
// until each says stop. RentVine filters by one status at a time
// (contracts/rentvine.md 2.7), so the account's statuses are read, and then a list for
// each that has not ended; rows that have ended all the same are left out, should
// RentVine not filter. Each list is up to 100 pages of 100 rows; more is
// partner.Invalid. A work order whose status changes meanwhile may be left out. Errors
// are *partner.Error.
func (c *Client) EachOpenWorkOrder(ctx context.Context, each func(WorkOrder) (more bool)) error {
	statuses, err := c.WorkOrderStatuses(ctx)
	if err != nil {
		return err
	}
	seen, more := map[string]bool{}, true
	for _, s := range statuses {
		if s.Primary.Ended() || !more {
			continue
		}
		l, err := WorkOrderFilter{StatusID: s.ID}.list("list_open_work_orders")
		if err != nil {
			return err
		}
		err = l.each(ctx, c, func(w WorkOrder) bool {
			if !seen[w.ID] && !w.PrimaryStatus.Ended() {
				seen[w.ID] = true
				more = each(w)
			}
			return more
		})
		if err != nil {
			return err
		}
	}
	return nil
}
