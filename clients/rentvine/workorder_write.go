package rentvine

import (
	"context"
	"encoding/json"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// Notify says whom RentVine itself tells about a write. Its zero value is nobody;
// left unsaid, RentVine would tell the vendor (contracts/rentvine.md 4.3).
type Notify struct {
	Vendor bool
	// Email and Review are RentVine's sendEmail and sendReview.
	Email, Review bool
}

// NewWorkOrder is what a work order is created from (contracts/rentvine.md 2.7).
// Ids are decimal text, "" for none.
type NewWorkOrder struct {
	PropertyID  string
	Description string
	Priority    Priority
	// StatusID is one of WorkOrderStatuses.
	StatusID   string
	SourceType SourceType

	UnitID, LeaseID, VendorTradeID, VendorContactID, AssignedToUserID, RequestedByContactID string

	VendorInstructions string
	// EstimatedAmount is a decimal, "" for none.
	EstimatedAmount string

	IsOwnerApproved, IsVacant, IsSharedWithTenant, IsSharedWithOwner bool

	Notify Notify
}

// WorkOrderUpdate holds the fields to change; nil leaves a field alone, "" in an id,
// date or amount clears it. There is no primary status: RentVine may ignore one, so
// a status is changed by StatusID (contracts/rentvine.md 2.7).
type WorkOrderUpdate struct {
	StatusID *string
	Priority *Priority

	VendorTradeID, VendorContactID, AssignedToUserID *string

	Description, VendorInstructions, ClosingDescription *string

	EstimatedAmount *string

	// Dates are YYYY-MM-DD.
	ScheduledStartDate, ScheduledEndDate *string
	ActualStartDate, ActualEndDate       *string
	DateClosed                           *string
	// Windows are WindowLayout in the property's wall clock.
	AppointmentWindowStart, AppointmentWindowEnd *string

	IsOwnerApproved, IsSharedWithTenant, IsSharedWithOwner *bool

	Notify Notify
}

// CreateWorkOrder creates a work order. It is not safe to repeat, for RentVine has no
// idempotency key: write a reference into the description, such as "[KH-check-12-2]",
// and where an earlier try may have got through, look for it first, by LeaseWorkOrders.
// Errors are *partner.Error; UnknownOutcome means just that.
func (c *Client) CreateWorkOrder(ctx context.Context, n NewWorkOrder) (WorkOrder, error) {
	b := newBody("create_work_order", n.Notify)
	b.put("description", n.Description)
	b.put("priorityID", int(n.Priority))
	b.put("isOwnerApproved", n.IsOwnerApproved)
	b.put("isVacant", n.IsVacant)
	b.put("isSharedWithTenant", n.IsSharedWithTenant)
	b.put("isSharedWithOwner", n.IsSharedWithOwner)
	b.id("propertyID", &n.PropertyID)
	if n.SourceType != 0 {
		b.put("sourceTypeID", int(n.SourceType))
	}
	for name, id := range map[string]string{
		"workOrderStatusID": n.StatusID, "unitID": n.UnitID, "leaseID": n.LeaseID, "vendorTradeID": n.VendorTradeID,
		"vendorContactID": n.VendorContactID, "assignedToUserID": n.AssignedToUserID, "requestedByContactID": n.RequestedByContactID,
	} {
		if id != "" {
			b.id(name, &id)
		}
	}
	for name, s := range map[string]string{"vendorInstructions": n.VendorInstructions, "estimatedAmount": n.EstimatedAmount} {
		if s != "" {
			b.put(name, s)
		}
	}
	return b.post(ctx, c, workOrdersPath)
}

// UpdateWorkOrder changes the given fields and no others, and returns the work
// order as RentVine answered it. Setting fields twice does no harm. Errors are
// *partner.Error.
func (c *Client) UpdateWorkOrder(ctx context.Context, id string, u WorkOrderUpdate) (WorkOrder, error) {
	const op = "update_work_order"
	if err := number(op, id); err != nil {
		return WorkOrder{}, err
	}
	b := newBody(op, u.Notify)
	b.id("workOrderStatusID", u.StatusID)
	b.id("vendorTradeID", u.VendorTradeID)
	b.id("vendorContactID", u.VendorContactID)
	b.id("assignedToUserID", u.AssignedToUserID)
	if u.Priority != nil {
		b.put("priorityID", int(*u.Priority))
	}
	for name, s := range map[string]*string{
		"description": u.Description, "vendorInstructions": u.VendorInstructions, "closingDescription": u.ClosingDescription,
	} {
		if s != nil {
			b.put(name, *s)
		}
	}
	for name, s := range map[string]*string{
		"estimatedAmount": u.EstimatedAmount, "dateClosed": u.DateClosed,
		"scheduledStartDate": u.ScheduledStartDate, "scheduledEndDate": u.ScheduledEndDate,
		"actualStartDate": u.ActualStartDate, "actualEndDate": u.ActualEndDate,
		"appointmentWindowStartDateTime": u.AppointmentWindowStart, "appointmentWindowEndDateTime": u.AppointmentWindowEnd,
	} {
		b.orNull(name, s)
	}
	for name, f := range map[string]*bool{
		"isOwnerApproved": u.IsOwnerApproved, "isSharedWithTenant": u.IsSharedWithTenant, "isSharedWithOwner": u.IsSharedWithOwner,
	} {
		if f != nil {
			b.put(name, *f)
		}
	}
	return b.post(ctx, c, workOrdersPath+"/"+id)
}

// body is a bare request body: a wrapped one is answered with 200 and changes
// nothing (contracts/rentvine.md 1.3).
type body struct {
	op     string
	fields map[string]any
	err    error
}

func newBody(op string, n Notify) *body {
	return &body{op: op, fields: map[string]any{
		"sendVendorNotification": n.Vendor, "sendEmail": n.Email, "sendReview": n.Review,
	}}
}

func (b *body) put(name string, v any) { b.fields[name] = v }

// id sends an id as a JSON number, "" as null, nil not at all.
func (b *body) id(name string, id *string) {
	if id == nil {
		return
	}
	if *id == "" {
		b.put(name, nil)
		return
	}
	if !wire.IsID(*id) {
		b.err = &partner.Error{Op: "rentvine." + b.op, Kind: partner.Invalid, Message: name + " is not a decimal number"}
		return
	}
	b.put(name, json.Number(*id))
}

func (b *body) orNull(name string, s *string) {
	switch {
	case s == nil:
	case *s == "":
		b.put(name, nil)
	default:
		b.put(name, *s)
	}
}

func (b *body) post(ctx context.Context, c *Client, path string) (WorkOrder, error) {
	var out WorkOrder
	if b.err != nil {
		return out, b.err
	}
	err := c.post(ctx, b.op, path, b.fields, one(&out, workOrderFrom))
	return out, err
}
