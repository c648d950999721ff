package repair

import (
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/policy"
)

// PartsReserved takes what the stock said.
func (r *State) PartsReserved(p activities.ReservedParts, now time.Time) {
	r.Parts = &p
	if len(p.Reserved)+len(p.Missing) > 0 {
		r.note(now, fmt.Sprintf("parts: %d in stock, %d to order", len(p.Reserved), len(p.Missing)), "")
	}
}

// partsCost is what the parts of a technician's work cost: a vendor's price has them.
func (r *State) partsCost() policy.Cents {
	if r.Parts == nil {
		return 0
	}
	var sum policy.Cents
	for _, p := range slices.Concat(r.Parts.Reserved, r.Parts.Missing) {
		sum += p.UnitCost * policy.Cents(p.Quantity)
	}
	return sum
}

// spent is what the orders cost that stand whatever comes.
func (r *State) spent() policy.Cents {
	var sum policy.Cents
	for _, o := range r.Orders {
		if o.Stands {
			sum += o.Total
		}
	}
	return sum
}

// Total is what the repair will have cost with the one who has the job, or is to get it.
func (r *State) Total() policy.Cents {
	if r.Worker != nil {
		return max(r.spent(), r.Worker.Price) // the worker's own order is among them once work was done
	}
	return r.spent() + r.Cost()
}

// ToOrder is an order that is to be placed.
type ToOrder struct {
	Number  int
	Contact string
	Vendor  activities.Person
	Lines   []activities.OrderLine
	// Of is the worker for whose work it is, "" for parts.
	Of       string
	LeadDays int
}

// total is what the order costs.
func (o ToOrder) total() policy.Cents {
	var sum policy.Cents
	for _, l := range o.Lines {
		sum += l.UnitCost * policy.Cents(l.Quantity)
	}
	return sum
}

// ToOrder lists what has to be ordered for the worker: the vendor's own work, or the
// parts that the stock lacks, by supplier.
func (r *State) ToOrder(work string) []ToOrder {
	if r.Worker == nil {
		return nil
	}
	if r.Worker.Kind == sourcing.Vendor {
		return []ToOrder{{
			Number: r.OrderCount + 1, Contact: r.Worker.ContactID, Vendor: r.Worker.Person(), Of: r.Worker.ID,
			Lines: []activities.OrderLine{{Text: work, Quantity: 1, UnitCost: r.Worker.Price}},
		}}
	}
	if r.Parts == nil || slices.ContainsFunc(r.Orders, func(o Order) bool { return o.Of == "" }) {
		return nil
	}
	var orders []ToOrder
	for _, p := range r.Parts.Missing {
		if p.SupplierContact == "" {
			continue // nobody is known to sell it: whoever does the work brings it
		}
		i := slices.IndexFunc(orders, func(o ToOrder) bool { return o.Contact == p.SupplierContact })
		if i < 0 {
			i = len(orders)
			orders = append(orders, ToOrder{
				Number: r.OrderCount + i + 1, Contact: p.SupplierContact, Vendor: activities.Person{ID: "contact:" + p.SupplierContact},
			})
		}
		orders[i].Lines = append(orders[i].Lines, activities.OrderLine{Text: p.Name + " (" + p.SKU + ")", Quantity: p.Quantity, UnitCost: p.UnitCost})
		orders[i].LeadDays = max(orders[i].LeadDays, p.LeadDays)
	}
	return orders
}

// startOrdering asks accounting where the order needs it.
func (r *State) startOrdering(c Circumstances, now time.Time) {
	var sum policy.Cents
	for _, o := range r.ToOrder("") {
		sum += o.total()
	}
	if sum <= c.Rules.Spend.AccountingLimit || c.Accountant.ID == "" {
		r.Accounted = true
		return
	}
	r.note(now, fmt.Sprintf("an order of %s is above %s: accounting is asked", sum, c.Rules.Spend.AccountingLimit), "")
	r.ask(AskAccounting, []activities.Person{c.Accountant}, now, c.Rules.Spend.RemindAfter, c.Rules.Spend.EscalateAfter)
}

// OrderPlaced takes an order that was made; it is undone where the job has moved on.
func (r *State) OrderPlaced(o Order, now time.Time) {
	r.OrderCount++
	r.note(now, "ordered "+o.Number+", "+o.Total.String(), o.Vendor.ID)
	if r.Stage != Ordering || o.Of != "" && (r.Worker == nil || r.Worker.ID != o.Of) {
		r.Undo.Orders = append(r.Undo.Orders, o)
		return
	}
	r.Orders = append(r.Orders, o)
}

// AllOrdered takes that everything is ordered; the parts come on a day.
func (r *State) AllOrdered(readyOn string, now time.Time) {
	if r.Stage != Ordering {
		return
	}
	r.Ordered = true
	r.Earliest = max(r.Earliest, readyOn)
	r.move(Scheduling, now)
}

// WindowsFound takes the times that are free.
func (r *State) WindowsFound(windows []appointments.Window, c Circumstances, now time.Time) {
	if r.Stage != Scheduling {
		return
	}
	r.Windows = windows[:min(len(windows), maxWindows)]
	r.WindowRounds++
	switch {
	case len(windows) == 0:
		r.stuck("no time is free", c, now)
	case len(c.Tenants) == 0:
		// Nobody lives there: the first time will do.
		r.Picked = &r.Windows[0]
	case r.WindowRounds > maxWindowRounds:
		r.askManagerForWindow("the tenant has chosen none of the times", c, now)
	default:
		r.ask(AskWindow, c.Tenants, now, every(c.Rules.Windows.AskAgain, c.Rules.Windows.Times),
			c.Rules.Windows.AskAgain*time.Duration(c.Rules.Windows.Times+1))
	}
}

// maxWindowRounds is how often a tenant is offered other times.
const maxWindowRounds = 3

func every(pause time.Duration, times int) []time.Duration {
	var again []time.Duration
	for i := range times {
		again = append(again, pause*time.Duration(i+1))
	}
	return again
}

func (r *State) askManagerForWindow(why string, c Circumstances, now time.Time) {
	r.note(now, "the property manager sets the time: "+why, "")
	r.stopAsking(AskWindow)
	r.ask(AskManagerWindow, []activities.Person{c.Manager}, now, daily(3), patience).Reason = why
}

// Booked takes whether the chosen time was still free.
func (r *State) Booked(ok bool, rules policy.Visit, now time.Time) {
	if r.Stage != Scheduling || r.Picked == nil {
		r.Undo.Booking = r.Undo.Booking || ok
		return
	}
	window := *r.Picked
	r.Picked = nil
	if !ok {
		r.note(now, "the chosen time has been taken meanwhile", "")
		r.Refused = append(r.Refused, window.Start)
		r.Windows = nil
		return
	}
	r.Visits++
	r.Visit = &Visit{Number: r.Visits, Window: window}
	for at := r.remindAt(rules); r.Visit.Reminded < len(rules.Remind)-1 && !at.After(now); at = r.remindAt(rules) {
		r.Visit.Reminded++ // booked within the time of that reminder
	}
	r.stopAsking(AskWindow, AskManagerWindow)
	r.note(now, "visit booked for "+window.Start.Format(time.RFC3339), r.Worker.ID)
	r.tell(Tell{To: Tenants, Text: policy.TextRepairTenantBooked, Who: r.Worker.Name, Window: &window})
	r.tell(Tell{To: One, Person: r.Worker.Person(), Text: policy.TextRepairWorkerBooked, Window: &window})
	r.move(Scheduled, now)
}

// OrderFailed takes that an order could not be placed: a person sees to it.
//
// It may have been booked all the same: what there is of it is cancelled.
func (r *State) OrderFailed(number string, vendor activities.Person) {
	r.OrderCount++
	r.Undo.Orders = append(r.Undo.Orders, Order{PurchaseOrder: activities.PurchaseOrder{Number: number}, Vendor: vendor})
	r.tell(Tell{To: Manager, Text: policy.TextRepairManagerNotice, Who: r.workerName(), Mail: true,
		Reason: "order " + number + " could not be placed: please place it by hand"})
}
