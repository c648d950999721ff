package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store"
)

// The first parts of the names of RentVine's records. What follows is the record's id; but
// for units, whose workflow is that of their property, the name is the workflow's id.
const (
	workOrderRecord = "work-order/"
	leaseRecord     = "lease/"
	chargeRecord    = chargeOf + "/"
	paymentRecord   = paymentOf + "/"
	invoiceRecord   = invoiceOf + "/"
	propertyRecord  = "property/"
	unitRecord      = "unit/"
)

// knows keeps a record as it was read for its workflow; reading began at a time, so that
// what was written meanwhile counts more. What others read does nothing: its workflow has
// not seen it.
func (a *Activities) knows(ctx context.Context, began time.Time, record string, fields map[string]string) error {
	if !readsFor(ctx, record) {
		return nil
	}
	return a.Store.Know(ctx, store.KnownRecord{Record: record, Fields: fields, At: began})
}

// readsFor tells whether the activity was asked for by a workflow. Outside an activity it
// is true.
func readsFor(ctx context.Context, workflowID string) bool {
	return !activity.IsActivity(ctx) || activity.GetInfo(ctx).WorkflowExecution.ID == workflowID
}

// wrote keeps fields as they are after a write of our own, which has just ended: exactly
// those that were written, so that what others change at the same moment is still found.
func (a *Activities) wrote(ctx context.Context, record string, fields map[string]string) error {
	if len(fields) == 0 {
		return nil
	}
	return a.Store.KnowFields(ctx, store.KnownRecord{Record: record, Fields: fields, At: a.Now()})
}

// picked are the fields of these names.
func picked(fields map[string]string, names ...string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		if value, ok := fields[name]; ok {
			out[name] = value
		}
	}
	return out
}

// hidden hashes what may be personal or is free text, for which spaces do not count.
func (a *Activities) hidden(record string, values map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range values {
		out[name] = a.Keys.KnownValue(record, name, oneLine(value))
	}
	return out
}

// with are both sets of fields together.
func with(fields, more map[string]string) map[string]string {
	maps.Copy(fields, more)
	return fields
}

// workOrderFields is what is followed of a work order, under RentVine's names
// (contracts/rentvine.md 2.7).
func (a *Activities) workOrderFields(w rentvine.WorkOrder) map[string]string {
	return with(map[string]string{
		"propertyID": w.PropertyID, "unitID": w.UnitID, "leaseID": w.LeaseID,
		"workOrderStatusID": w.StatusID, "primaryWorkOrderStatusID": strconv.Itoa(int(w.PrimaryStatus)),
		"priorityID": strconv.Itoa(int(w.Priority)), "vendorTradeID": w.VendorTradeID, "vendorContactID": w.VendorContactID,
		"assignedToUserID": w.AssignedToUserID, "requestedByContactID": w.RequestedByContactID,
		"estimatedAmount":    plainAmount(w.EstimatedAmount),
		"scheduledStartDate": w.ScheduledStartDate, "scheduledEndDate": w.ScheduledEndDate,
		"actualStartDate": w.ActualStartDate, "actualEndDate": w.ActualEndDate,
		"appointmentWindowStartDateTime": w.AppointmentWindowStart, "appointmentWindowEndDateTime": w.AppointmentWindowEnd,
		"isOwnerApproved": strconv.FormatBool(w.IsOwnerApproved), "isVacant": strconv.FormatBool(w.IsVacant),
	}, a.hidden(workOrderRecord+w.ID, map[string]string{
		"description": w.Description, "vendorInstructions": w.VendorInstructions, "closingDescription": w.ClosingDescription,
	}))
}

// leaseFields is what is followed of a lease (2.3). Its rent is in recurring charges, which
// no list of leases shows, and its balance changes with every payment.
func (a *Activities) leaseFields(l rentvine.Lease) map[string]string {
	tenants := make([]string, 0, len(l.Tenants))
	for _, t := range l.Tenants {
		if t.IsActive {
			tenants = append(tenants, strings.Join([]string{t.ID, t.Name, t.Phone, strings.ToLower(t.Email)}, "\x00"))
		}
	}
	slices.Sort(tenants)
	return with(map[string]string{
		"propertyID": l.PropertyID, "unitID": l.UnitID,
		"primaryLeaseStatusID": strconv.Itoa(int(l.PrimaryStatus)), "leaseStatusID": l.StatusID,
		"startDate": l.StartDate, "endDate": l.EndDate, "moveInDate": l.MoveInDate, "moveOutDate": l.MoveOutDate,
		"noticeDate": l.NoticeDate, "expectedMoveOutDate": l.ExpectedMoveOutDate, "closedDate": l.ClosedDate,
		"increaseEligibilityDate": l.IncreaseEligibilityDate,
		"isMarkedToVacate":        strconv.FormatBool(l.MarkedToVacate), "isMonthToMonth": strconv.FormatBool(l.MonthToMonth),
	}, a.hidden(leaseRecord+l.ID, map[string]string{"tenants": strings.Join(tenants, "\x01")}))
}

// transactionRecord is the name of a charge, credit or payment, "" for anything else of the
// accounts, which no workflow follows.
func transactionRecord(t rentvine.Transaction) string {
	switch t.Type {
	case rentvine.TransactionCharge, rentvine.TransactionCredit:
		return chargeRecord + t.ID
	case rentvine.TransactionPayment:
		return paymentRecord + t.ID
	}
	return ""
}

// transactionFields is what is followed of a charge or payment (2.10).
func (a *Activities) transactionFields(t rentvine.Transaction) map[string]string {
	return with(map[string]string{
		"type": string(t.Type), "amount": plainAmount(t.Amount), "datePosted": t.DatePosted, "isVoided": strconv.FormatBool(t.Voided),
		"leaseID": t.LeaseID, "unitID": t.UnitID, "propertyID": t.PropertyID, "accountID": t.AccountID,
	}, a.hidden(transactionRecord(t), map[string]string{"description": t.Description, "reference": t.Reference}))
}

// billFields is what is followed of a bill (2.10): lists do not show its charges.
func (a *Activities) billFields(b rentvine.Bill) map[string]string {
	return with(map[string]string{
		"payeeContactID": b.PayeeContactID, "billDate": b.Day, "dateDue": b.DueDay, "workOrderID": b.WorkOrderID,
		"isVoided": strconv.FormatBool(b.Voided),
	}, a.hidden(invoiceRecord+b.ID, map[string]string{"reference": b.Reference}))
}

// propertyFields is what is followed of a property (2.1).
func (a *Activities) propertyFields(p rentvine.Property) map[string]string {
	return with(map[string]string{
		"city": p.City, "stateID": p.StateID, "postalCode": p.PostalCode, "isActive": strconv.FormatBool(p.IsActive),
	}, a.hidden(propertyRecord+p.ID, map[string]string{"name": p.Name, "address": p.Address}))
}

// unitFields is what is followed of a unit (2.2).
func (a *Activities) unitFields(u rentvine.Unit) map[string]string {
	return with(map[string]string{
		"propertyID": u.PropertyID, "isActive": strconv.FormatBool(u.IsActive), "beds": fmt.Sprint(u.Beds, u.BedsKnown),
		"fullBaths": strconv.Itoa(u.FullBaths), "size": strconv.Itoa(u.Size), "rent": plainAmount(u.Rent),
	}, a.hidden(unitRecord+u.ID, map[string]string{"address": u.Address, "address2": u.Label}))
}

// knowsProperty is knows for a property and its units.
func (a *Activities) knowsProperty(ctx context.Context, began time.Time, p rentvine.Property, units []rentvine.Unit) error {
	if !readsFor(ctx, propertyRecord+p.ID) {
		return nil
	}
	list := []store.KnownRecord{{Record: propertyRecord + p.ID, Fields: a.propertyFields(p), At: began}}
	for _, u := range units {
		list = append(list, store.KnownRecord{Record: unitRecord + u.ID, Fields: a.unitFields(u), At: began})
	}
	return a.Store.Know(ctx, list...)
}
