package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/phone"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/workflows/durable"
)

// ReadReport reads what RentVine knows of a work order within a second and a
// half, so that an emergency does not wait for a slow partner: what cannot be
// read is left to the event's own data and Partial is set. RefreshReport reads
// the same with all the time that it takes. Reading has no effect.
var (
	ReadReport = durable.Activity[ReadReportInput, Report]{
		Name: "rentvine.read_report", Attempt: 3 * time.Second, Within: 3 * time.Second,
	}
	RefreshReport = durable.Activity[ReadReportInput, Report]{
		Name: "rentvine.refresh_report", Queue: QueueRentVine, Attempt: 20 * time.Second, Within: 10 * time.Minute,
	}
)

// quickRead limits a best-effort reading.
const quickRead = 1500 * time.Millisecond

// ReadReportInput names the work order and what the event said of it.
type ReadReportInput struct {
	WorkOrderID string          `json:"work_order_id"`
	Data        json.RawMessage `json:"data,omitempty"`
	// BestEffort returns what could be read at once rather than an error.
	BestEffort bool `json:"best_effort,omitempty"`
}

// Report is a tenant's report as RentVine holds it: the work order, where it is
// and whom it concerns.
type Report struct {
	// Found is false where RentVine does not know the work order; what is said of
	// it then comes from the event alone.
	Found bool `json:"found"`
	// Partial is true where something could not be read in time.
	Partial   bool     `json:"partial,omitempty"`
	WorkOrder Order    `json:"work_order"`
	Property  Property `json:"property"`
	Unit      string   `json:"unit,omitempty"`
	Tenants   []Person `json:"tenants,omitempty"`
	// Lease is that of the work order, where it names one.
	Lease Lease `json:"lease,omitzero"`
}

// Lease tells whether the tenants still live there.
type Lease struct {
	ID string `json:"id"`
	// Ended is true where the lease is closed, none of its tenants is active any more
	// or the day on which they moved out has passed.
	Ended bool `json:"ended,omitempty"`
	// MoveOut is the day on which they moved out, or will: YYYY-MM-DD in the
	// property's zone.
	MoveOut string `json:"move_out,omitempty"`
}

// Order is a work order in the words of contracts/rentvine.md 2.7.
type Order struct {
	ID            string `json:"id"`
	Number        string `json:"number,omitempty"`
	PropertyID    string `json:"property_id,omitempty"`
	UnitID        string `json:"unit_id,omitempty"`
	LeaseID       string `json:"lease_id,omitempty"`
	PortfolioID   string `json:"portfolio_id,omitempty"`
	StatusID      string `json:"status_id,omitempty"`
	PrimaryStatus int    `json:"primary_status,omitempty"`
	// StatusName is what the account calls the status of an ended work order, such as
	// "Merged"; of others it is not read.
	StatusName      string `json:"status_name,omitempty"`
	Priority        string `json:"priority,omitempty"`
	Trade           string `json:"trade,omitempty"`
	Description     string `json:"description,omitempty"`
	AssignedUserID  string `json:"assigned_user_id,omitempty"`
	VendorContactID string `json:"vendor_contact_id,omitempty"`
	RequestedBy     string `json:"requested_by,omitempty"`
	Vacant          bool   `json:"vacant,omitempty"`
	// Check tells that it is a recurring maintenance check that we made ourselves.
	Check bool `json:"check,omitempty"`
}

// Property is where the work is to be done.
type Property struct {
	ID          string  `json:"id"`
	PortfolioID string  `json:"portfolio_id,omitempty"`
	Address     string  `json:"address,omitempty"`
	HasPosition bool    `json:"has_position,omitempty"`
	Latitude    float64 `json:"latitude,omitempty"`
	Longitude   float64 `json:"longitude,omitempty"`
	// Zone is the IANA time zone at the coordinates, "" where they are unknown.
	Zone string `json:"zone,omitempty"`
}

// The primary statuses that end a work order (contracts/rentvine.md 6.4).
const (
	StatusPending   = int(rentvine.StatusPending)
	StatusOpen      = int(rentvine.StatusOpen)
	StatusClosed    = int(rentvine.StatusClosed)
	StatusOnHold    = int(rentvine.StatusOnHold)
	StatusCancelled = int(rentvine.StatusCancelled)
)

func (a *Activities) readReport(ctx context.Context, in ReadReportInput) (Report, error) {
	if in.BestEffort {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, quickRead)
		defer cancel()
	}
	reading := &reading{a: a, report: Report{}}
	err := reading.read(ctx, in)
	if err != nil && !in.BestEffort {
		return Report{}, toTemporal(ctx, err)
	}
	reading.report.Partial = err != nil
	reading.report.WorkOrder.Check = a.isOwnCheck(reading.report.WorkOrder.Description)
	return reading.report, nil
}

// reading collects a report from several calls.
type reading struct {
	a      *Activities
	report Report
}

// read asks for everything that the event's own ids allow at once, because each
// millisecond counts before the first page; what the work order itself names
// otherwise is read again.
func (r *reading) read(ctx context.Context, in ReadReportInput) error {
	hint := rentvine.WorkOrder{ID: in.WorkOrderID}
	if len(in.Data) > 0 {
		if decoded, err := rentvine.DecodeWorkOrder(in.Data); err == nil {
			hint = decoded
			hint.ID = in.WorkOrderID
		}
	}
	r.report.WorkOrder = orderOf(hint)
	r.report.Property = Property{ID: hint.PropertyID, PortfolioID: hint.PortfolioID}

	var order rentvine.WorkOrder
	var orderErr error
	began := r.a.Now()
	var group errgroup.Group
	group.Go(func() error {
		order, orderErr = r.a.RentVine.WorkOrder(ctx, in.WorkOrderID)
		return nil
	})
	surroundings := r.surroundings(ctx, hint)
	_ = group.Wait()

	switch {
	case orderErr == nil:
		r.report.Found = true
		// Where it cannot be kept, whoever compares tells of it once more.
		if err := r.a.knows(ctx, began, workOrderRecord+order.ID, r.a.workOrderFields(order)); err != nil && !in.BestEffort {
			return err
		}
		// An event may name the tenant where the record names nobody.
		order.LeaseID = cmp.Or(order.LeaseID, hint.LeaseID)
		order.RequestedByContactID = cmp.Or(order.RequestedByContactID, hint.RequestedByContactID)
		priorityName := r.report.WorkOrder.Priority
		r.report.WorkOrder = orderOf(order)
		// The guide's priority "emergency" exists in events only.
		if hint.PriorityName != "" {
			r.report.WorkOrder.Priority = priorityName
		}
		if order.PropertyID != hint.PropertyID || order.UnitID != hint.UnitID || order.LeaseID != hint.LeaseID || order.RequestedByContactID != hint.RequestedByContactID {
			surroundings = r.surroundings(ctx, order)
		}
		hint = order
	case partner.KindOf(orderErr) != partner.NotFound && partner.KindOf(orderErr) != partner.Invalid:
		return orderErr
	}
	r.report.Lease.Ended = r.report.Lease.Ended || r.movedOut()
	if surroundings != nil {
		return surroundings
	}
	return errors.Join(r.trade(ctx, hint.VendorTradeID), r.statusName(ctx))
}

// surroundings reads property, unit and tenants of a work order. What RentVine
// does not know is left empty; the error is the first that may pass.
func (r *reading) surroundings(ctx context.Context, order rentvine.WorkOrder) error {
	var group errgroup.Group
	if order.PropertyID != "" {
		group.Go(func() error {
			p, err := r.a.property(ctx, order.PropertyID)
			if err == nil {
				r.report.Property = p
			}
			return passing(err)
		})
	}
	if order.PropertyID != "" && order.UnitID != "" {
		group.Go(func() error {
			u, err := r.a.RentVine.Unit(ctx, order.PropertyID, order.UnitID)
			if err == nil {
				r.report.Unit = u.Label
			}
			return passing(err)
		})
	}
	group.Go(func() error {
		tenants, lease, err := r.a.tenants(ctx, order)
		if err == nil {
			r.report.Tenants, r.report.Lease = tenants, lease
		}
		return passing(err)
	})
	return group.Wait()
}

// passing drops the errors that waiting does not mend. A key that may read work
// orders but not tenants must not hide the work orders.
func passing(err error) error {
	switch kind := partner.KindOf(err); {
	case err == nil, kind == partner.Forbidden, !retryable(kind):
		return nil
	}
	return err
}

// tenants are the people of the lease, else who requested the work.
func (a *Activities) tenants(ctx context.Context, order rentvine.WorkOrder) ([]Person, Lease, error) {
	var people []Person
	var known Lease
	if order.LeaseID != "" {
		lease, err := a.RentVine.LeaseWithTenants(ctx, order.LeaseID)
		if err != nil {
			return nil, Lease{}, err
		}
		for _, t := range lease.Tenants {
			if t.IsActive {
				people = append(people, a.person(t.ID, t.Name, t.Phone, t.Email))
			}
		}
		known = Lease{
			ID: lease.ID, MoveOut: lease.MoveOutDate,
			Ended: lease.PrimaryStatus == rentvine.LeaseClosed || len(lease.Tenants) > 0 && len(people) == 0,
		}
	}
	if len(people) == 0 && order.RequestedByContactID != "" {
		t, err := a.RentVine.Tenant(ctx, order.RequestedByContactID)
		if err != nil {
			return nil, known, err
		}
		people = append(people, a.person(t.ID, t.Name, t.Phone, t.Email))
	}
	return people, known, nil
}

// movedOut tells whether the day of the move has passed at the property.
func (r *reading) movedOut() bool {
	property, lease := r.report.Property, r.report.Lease
	if lease.MoveOut == "" {
		return false
	}
	zone := cmp.Or(r.a.Policy.For(property.PortfolioID, property.ID).TimeZone, property.Zone)
	return lease.MoveOut < DayIn(r.a.businessNow(), zone)
}

// person normalises the phone to E.164; one that cannot be is left out, so that
// mail is used.
func (a *Activities) person(id, name, rawPhone, email string) Person {
	p := Person{ID: "contact:" + id, Name: name, Email: strings.TrimSpace(email)}
	if number, err := phone.E164(rawPhone, a.Policy.For("", "").Region); err == nil {
		p.Phone = number
	}
	return p
}

func (r *reading) trade(ctx context.Context, tradeID string) error {
	if tradeID == "" {
		return nil
	}
	name, err := r.a.tradeName(ctx, tradeID)
	if err == nil {
		r.report.WorkOrder.Trade = name
	}
	return passing(err)
}

// statusName reads what the account calls the status of an ended work order.
func (r *reading) statusName(ctx context.Context) error {
	order := &r.report.WorkOrder
	if !r.report.Found || !rentvine.PrimaryWorkOrderStatus(order.PrimaryStatus).Ended() {
		return nil
	}
	statuses, err := r.a.RentVine.WorkOrderStatuses(ctx)
	for _, s := range statuses {
		if s.ID == order.StatusID {
			order.StatusName = s.Name
		}
	}
	return passing(err)
}

func orderOf(w rentvine.WorkOrder) Order {
	o := Order{
		ID: w.ID, Number: w.Number, PropertyID: w.PropertyID, UnitID: w.UnitID, LeaseID: w.LeaseID,
		PortfolioID: w.PortfolioID, StatusID: w.StatusID, PrimaryStatus: int(w.PrimaryStatus),
		Description: w.Description, AssignedUserID: w.AssignedToUserID, VendorContactID: w.VendorContactID,
		RequestedBy: w.RequestedByContactID, Vacant: w.IsVacant, Priority: strings.ToLower(w.PriorityName),
	}
	if o.Priority == "" {
		switch w.Priority {
		case rentvine.PriorityLow:
			o.Priority = "low"
		case rentvine.PriorityMedium:
			o.Priority = "medium"
		case rentvine.PriorityHigh:
			o.Priority = "high"
		}
	}
	return o
}
