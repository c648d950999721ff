package activities

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/store"
)

// recordKind is a kind of RentVine's records, and how it is gone through.
type recordKind struct {
	name string
	walk func(context.Context) error
	// fullOnly is gone through in looks at everything alone: no filter shows what has changed.
	fullOnly bool
}

// The kinds.
const (
	kindWorkOrders   = "work_orders"
	kindLeases       = "leases"
	kindTransactions = "transactions"
	kindBills        = "bills"
	kindProperties   = "properties"
	kindUnits        = "units"
)

// kinds are all, the most pressing first.
func (r *reconciling) kinds() []recordKind {
	return []recordKind{
		{kindWorkOrders, r.workOrders, false}, {kindLeases, r.leases, false}, {kindTransactions, r.transactions, false},
		{kindBills, r.bills, true}, {kindProperties, r.properties, true}, {kindUnits, r.units, true},
	}
}

// each is how a list is gone through: page by page, compare for every record, until one
// fails. A page is compared when the next one was read, or none could be.
func each[T any](ctx context.Context, r *reconciling, list func(visit func(page int, t T) (more bool)) error, of func(T) (h held, follow bool)) error {
	var failed error
	var waiting []held
	number, began := 0, r.Now()
	compare := func() error {
		list := waiting
		waiting = nil
		if number == 0 {
			return nil
		}
		if err := r.page(ctx, number, began); err != nil {
			return err
		}
		return r.comparePage(ctx, list)
	}
	err := list(func(page int, t T) bool {
		if page != number {
			// Of a page that follows, nothing was read before the last record of the page before.
			read := r.visited
			if failed = compare(); failed != nil {
				return false
			}
			number, began = page, read
		}
		r.visited = r.Now()
		if h, follow := of(t); follow {
			waiting = append(waiting, h)
		}
		return true
	})
	if failed != nil {
		return failed
	}
	// What could be read is compared, also where the next page cannot be.
	return cmp.Or(compare(), err)
}

// workOrders goes through the open ones by their statuses, since there is no filter by time
// of change (contracts/rentvine.md 4.15), and then reads those one by one that are known as
// open and were not there. It begins anew after a break: what was told is not told again.
func (r *reconciling) workOrders(ctx context.Context) error {
	statuses, err := r.RentVine.WorkOrderStatuses(ctx)
	if err != nil {
		return err
	}
	open := map[string]bool{}
	for _, s := range statuses {
		if s.Primary.Ended() {
			continue
		}
		r.newList()
		err := each(ctx, r, func(visit func(int, rentvine.WorkOrder) bool) error {
			return r.RentVine.EachWorkOrder(ctx, rentvine.WorkOrderFilter{StatusID: s.ID}, visit)
		}, func(w rentvine.WorkOrder) (held, bool) {
			follow := !w.PrimaryStatus.Ended() && !open[w.ID] // should RentVine not filter
			open[w.ID] = open[w.ID] || follow
			return r.heldWorkOrder(w), follow
		})
		if err != nil {
			return err
		}
	}
	return r.endedWorkOrders(ctx, open)
}

// endedWorkOrders reads those that are known as open and are not on the lists of open ones.
// One that RentVine does not know any more is told of once, and left out then, as are those
// that have ended.
func (r *reconciling) endedWorkOrders(ctx context.Context, open map[string]bool) error {
	kind := strings.TrimSuffix(workOrderRecord, "/")
	for after := ""; ; {
		list, err := r.Store.KnownRecords(ctx, kind, after, knownAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1].Record
		for _, k := range list {
			if open[k.Record[len(workOrderRecord):]] {
				continue
			}
			if knownOpen(k) {
				err = r.endedWorkOrder(ctx, k)
			} else {
				err = r.leaveOut(ctx, k)
			}
			if err != nil {
				return err
			}
		}
	}
}

func (r *reconciling) leaveOut(ctx context.Context, k store.KnownRecord) error {
	if r.dry {
		return nil
	}
	return r.Store.LeaveOut(ctx, k)
}

// endedWorkOrder reads one that is known as open.
func (r *reconciling) endedWorkOrder(ctx context.Context, k store.KnownRecord) error {
	r.began = r.Now()
	r.done.Seen++
	w, err := r.RentVine.WorkOrder(ctx, k.Record[len(workOrderRecord):])
	switch kind := partner.KindOf(err); {
	case err == nil:
		r.untold = 0
		err = r.compare(ctx, r.heldWorkOrder(w))
	case kind == partner.NotFound:
		h := r.heldWorkOrder(rentvine.WorkOrder{ID: k.Record[len(workOrderRecord):]})
		h.fields = map[string]string{primaryStatusField: ""}
		before := r.done.Untold
		if err = r.compare(ctx, h); err == nil && r.done.Untold == before {
			err = r.leaveOut(ctx, k)
		}
	case kind == partner.Invalid, kind == partner.Malformed, kind == partner.Forbidden:
		err = r.failed(ctx, k.Record, string(kind), err)
	}
	if err != nil {
		return err
	}
	return r.rest(ctx)
}

// knownAtOnce is how many known records are read at once.
const knownAtOnce = 500

const primaryStatusField = "primaryWorkOrderStatusID"

// knownOpen tells whether a work order has not ended, as far as is known.
func knownOpen(k store.KnownRecord) bool {
	status, err := strconv.Atoi(k.Fields[primaryStatusField])
	return err == nil && !rentvine.PrimaryWorkOrderStatus(status).Ended()
}

func (r *reconciling) heldWorkOrder(w rentvine.WorkOrder) held {
	data := map[string]any{
		"workOrderID": w.ID, "workOrderNumber": w.Number, "propertyID": w.PropertyID, "unitID": w.UnitID, "leaseID": w.LeaseID,
		"workOrderStatusID": w.StatusID, primaryStatusField: strconv.Itoa(int(w.PrimaryStatus)), "priorityID": strconv.Itoa(int(w.Priority)),
		"vendorTradeID": w.VendorTradeID, "requestedByContactID": w.RequestedByContactID, "description": w.Description,
	}
	return held{
		record: workOrderRecord + w.ID, entity: w.ID, created: "work_order.created", updated: "work_order.updated",
		fields: r.workOrderFields(w), createdAt: w.CreatedAt, data: data,
	}
}

// leases goes through those changed since the last walk began, or all.
func (r *reconciling) leases(ctx context.Context) error {
	since, err := r.settingTime(ctx, syncLeases)
	if err != nil {
		return err
	}
	if r.done.Full || since.IsZero() {
		since = time.Time{}
	} else {
		since = since.Add(-modifiedOverlap)
	}
	err = each(ctx, r, func(visit func(int, rentvine.Lease) bool) error {
		return r.RentVine.EachLeaseFrom(ctx, r.done.Page, since, nil, visit)
	}, func(l rentvine.Lease) (held, bool) {
		return held{
			record: leaseRecord + l.ID, entity: l.ID, created: "lease.created", updated: "lease.updated",
			fields: r.leaseFields(l), createdAt: l.CreatedAt,
			data: map[string]any{"leaseID": l.ID, "propertyID": l.PropertyID, "unitID": l.UnitID},
		}, true
	})
	if err != nil || r.dry || r.done.Untold > 0 {
		return err
	}
	return r.setSettingTime(ctx, syncLeases, r.done.Began)
}

// transactions goes through the charges, credits and payments that were posted lately. What
// was posted long before they were learned first is learned whenever it is seen.
func (r *reconciling) transactions(ctx context.Context) error {
	back := r.rules.LookBack
	if r.done.Full {
		back = r.rules.FullLookBack
	}
	// A day more, whatever the zone of RentVine's days.
	from := r.done.Began.Add(-back - 24*time.Hour).UTC().Format(time.DateOnly)
	return each(ctx, r, func(visit func(int, rentvine.Transaction) bool) error {
		return r.RentVine.EachTransaction(ctx, r.done.Page, rentvine.TransactionFilter{From: from}, visit)
	}, func(t rentvine.Transaction) (held, bool) {
		h := held{
			record: transactionRecord(t), entity: t.ID, fields: r.transactionFields(t), day: t.DatePosted,
			data: map[string]any{"leaseID": t.LeaseID, "propertyID": t.PropertyID, "unitID": t.UnitID, "datePosted": t.DatePosted},
		}
		h.created, h.updated = "lease_charge.created", "lease_charge.updated"
		id := "leaseChargeID"
		if t.Type == rentvine.TransactionPayment {
			h.created, h.updated, id = "payment.received", "payment.received", "paymentID"
		}
		h.data[id] = t.ID
		return h, h.record != ""
	})
}

// bills goes through all: no filter is documented.
func (r *reconciling) bills(ctx context.Context) error {
	return each(ctx, r, func(visit func(int, rentvine.Bill) bool) error {
		return r.RentVine.EachBill(ctx, r.done.Page, visit)
	}, func(b rentvine.Bill) (held, bool) {
		return held{
			record: invoiceRecord + b.ID, entity: b.ID, created: "invoice.generated", updated: "invoice.generated",
			fields: r.billFields(b), day: b.Day, data: map[string]any{"invoiceID": b.ID, "payeeContactID": b.PayeeContactID},
		}, true
	})
}

func (r *reconciling) properties(ctx context.Context) error {
	return each(ctx, r, func(visit func(int, rentvine.Property) bool) error {
		return r.RentVine.EachProperty(ctx, r.done.Page, visit)
	}, func(p rentvine.Property) (held, bool) {
		return held{
			record: propertyRecord + p.ID, entity: p.ID, created: "property.created", updated: "property.updated",
			fields: r.propertyFields(p), createdAt: p.CreatedAt, data: map[string]any{"propertyID": p.ID},
		}, true
	})
}

// units goes through all; their events are their property's.
func (r *reconciling) units(ctx context.Context) error {
	return each(ctx, r, func(visit func(int, rentvine.Unit) bool) error {
		return r.RentVine.EachUnit(ctx, r.done.Page, visit)
	}, func(u rentvine.Unit) (held, bool) {
		return held{
			record: unitRecord + u.ID, entity: u.PropertyID, created: "unit.created", updated: "unit.updated",
			fields: r.unitFields(u), data: map[string]any{"unitID": u.ID, "propertyID": u.PropertyID},
		}, u.PropertyID != ""
	})
}

// newList is the beginning of a list that is not gone on with after a break.
func (r *reconciling) newList() { r.done.Page, r.visited = 1, r.Now() }
