package ingress

import (
	"strings"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/finance"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/portfolio"
	"github.com/aictive/keyholder/workflows/sales"
)

// The sources of events.
const (
	SourceRentVine  = "rentvine"
	SourceOpenMoove = "openmoove"
)

// Target is a workflow that takes events: its durable name and what stands
// before the entity's id in the workflow id.
type Target struct{ Workflow, Prefix string }

// Route says where an event type goes.
type Route struct {
	// Type is the dotted event name.
	Type string
	// IDField is the field of data that holds the id of the entity. Where that is not the
	// record that the event is about, it alone counts: see decode.go.
	IDField string
	// Target is the workflow of that entity.
	Target Target
	// Reopens tells whether an event about a closed entity begins a new run; nil
	// is never, and such an event is parked.
	Reopens func(durable.Event) bool
}

// Routes is the whole event table of a source, nil for an unknown source. A type
// that is not in it is parked. Events of units go to the workflow of their property.
func Routes(source string) []Route {
	workOrder := Target{Workflow: maintenance.WorkOrderName, Prefix: "work-order/"}
	lease := Target{Workflow: leasing.LeaseName, Prefix: leasing.LeaseID("")}
	charge := Target{Workflow: finance.TransactionName, Prefix: finance.ChargePrefix}
	payment := Target{Workflow: finance.TransactionName, Prefix: finance.PaymentPrefix}
	invoice := Target{Workflow: finance.TransactionName, Prefix: finance.InvoicePrefix}
	sale := Target{Workflow: sales.SaleName, Prefix: sales.SaleID("")}
	property := Target{Workflow: portfolio.PropertyName, Prefix: portfolio.PropertyID("")}
	switch source {
	case SourceRentVine:
		return []Route{
			{"property.created", "propertyID", property, always},
			{"property.updated", "propertyID", property, always},
			{"unit.created", "propertyID", property, always},
			{"unit.updated", "propertyID", property, always},
			{"lease.created", "leaseID", lease, always},
			{"lease.updated", "leaseID", lease, always},
			{"lease_charge.created", "leaseChargeID", charge, always},
			{"lease_charge.updated", "leaseChargeID", charge, always},
			{"work_order.created", "workOrderID", workOrder, reopensWorkOrder},
			{"work_order.updated", "workOrderID", workOrder, reopensWorkOrder},
			{"payment.received", "paymentID", payment, always},
			{"invoice.generated", "invoiceID", invoice, always},
		}
	case SourceOpenMoove:
		return []Route{
			{"property.created", "property_id", sale, always},
			{"property.updated", "property_id", sale, always},
			{"property.milestone.created", "property_id", sale, always},
			{"property.milestone.updated", "property_id", sale, always},
			{"property.milestone.completed", "property_id", sale, always},
		}
	}
	return nil
}

// always begins a new run, which finds out by itself whether there is anything to
// do: a milestone of a completed sale may have moved, a lease may be open again, a charge
// may have been voided.
func always(durable.Event) bool { return true }

// reopensWorkOrder: a new order, one whose status has moved, or one of which the
// event does not say what changed. Whether it moved
// to an open one is for the workflow to read, because statuses are per account.
func reopensWorkOrder(e durable.Event) bool {
	if e.Type == "work_order.created" || len(e.Changes) == 0 {
		return true
	}
	for _, field := range []string{"workOrderStatusID", "primaryWorkOrderStatusID", "status"} {
		if _, changed := e.Changes[field]; changed {
			return true
		}
	}
	return false
}

// routeTable is Routes by type.
type routeTable map[string]Route

func routeTableOf(source string) routeTable {
	table := routeTable{}
	for _, r := range Routes(source) {
		table[r.Type] = r
	}
	return table
}

// dotted maps the spelling of a sender on the dotted name of the table. The live
// eventType strings are not known (contracts/rentvine.md 3), so every way to
// write the same words counts: workOrderCreated, "Work Order Created",
// work_order_created.
func (t routeTable) dotted(sent string) (string, bool) {
	if _, ok := t[sent]; ok {
		return sent, true
	}
	words := squash(sent)
	for name := range t {
		if squash(name) == words {
			return name, true
		}
	}
	return "", false
}

// squash keeps the letters of a name, in lower case.
func squash(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}
