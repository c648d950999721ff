package leasing

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
	"github.com/aictive/keyholder/workflows/leasing/movein"
)

// MoveIn prepares the move-in of a lease; its id is "move-in/<lease>".
var MoveIn = durable.Definition[Campaign[movein.State], CampaignResult]{
	Name: MoveInName, Run: moveIn, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// MoveInName is the durable name.
const MoveInName = "leasing.move_in"

// orderWithin is how long an order is tried (real time): all else waits for it.
const orderWithin = 2 * time.Hour

// moveInRun is one run of it.
type moveInRun struct {
	in    Campaign[movein.State]
	state *movein.State
}

func moveIn(ctx workflow.Context, in Campaign[movein.State]) (CampaignResult, error) {
	w := &moveInRun{in, in.State}
	return play(ctx, KindMoveIn, MoveInName, in, w.state, w)
}

// do carries out one piece of work.
func (w *moveInRun) do(ctx workflow.Context, task campaign.Task) error {
	switch task.Do {
	case movein.DoSaveContact:
		return w.saveContact(ctx, task.Key)
	case movein.DoScheduleInspection, movein.DoMoveInspection, movein.DoCancelInspection:
		return w.bookInspection(ctx, task.Do == movein.DoScheduleInspection)
	case movein.DoOrderPackage, movein.DoCancelPackage:
		return w.orderPackage(ctx, task)
	}
	return unknownTask(task)
}

func (w *moveInRun) ref(ctx workflow.Context) string {
	return fmt.Sprintf("%s@%d", workflow.GetInfo(ctx).WorkflowExecution.ID, w.state.BeganAt.Unix())
}

// saveContact keeps how a tenant wishes to be written to.
func (w *moveInRun) saveContact(ctx workflow.Context, person string) error {
	c, ok := w.state.Contact(person)
	if !ok {
		w.state.ContactSaved(person, "unknown", durable.Now(ctx))
		return nil
	}
	_, err := activities.SaveContact.Run(ctx, activities.SaveContactInput{
		ID: contactOf(activities.Person{ID: person}), Language: c.Language, SMSConsent: c.Consent, PreferredChannel: c.Channel,
		Source: KindMoveIn, At: c.At,
	}, "how the tenant wishes to be written to")
	if temporal.IsCanceledError(err) {
		return err
	}
	w.state.ContactSaved(person, problem(err), durable.Now(ctx))
	return nil
}

// bookInspection brings the calendars up to date, and makes RentVine's record where it is
// new.
func (w *moveInRun) bookInspection(ctx workflow.Context, isNew bool) error {
	s, b := w.state, w.state.Booking()
	invitations := activities.SendInvitations
	invitations.WaitCancelled = true
	record, failure := "", ""
	if isNew && s.Visit.Record == "" {
		rules := s.Rules.MoveIn.Inspection
		id, err := activities.ScheduleInspection.Limited(orderWithin).Run(ctx, activities.ScheduleInspectionInput{
			Ref: w.ref(ctx), PropertyID: s.Lease.PropertyID, UnitID: s.Lease.UnitID, TypeID: rules.TypeID, StatusID: rules.StatusID,
		}, "record of the inspection")
		if temporal.IsCanceledError(err) {
			return err // nobody was told of it
		}
		record, failure = id, problem(err)
	}
	for _, invited := range []struct {
		people []activities.Person
		cancel bool
		window appointments.Window
		why    string
	}{
		{b.Off, true, s.Visit.Have.Window, "withdraw the inspection from calendars"},
		{b.People, false, b.Window, "the inspection for calendars"},
	} {
		if len(invited.people) == 0 {
			continue
		}
		_, err := invitations.Run(ctx, w.invitation(ctx, b.Sequence, invited.window, invited.people, invited.cancel), invited.why)
		if err != nil {
			failure = problem(err)
		}
		if temporal.IsCanceledError(err) { // some may have it
			s.Booked(b, record, failure, durable.Now(ctx))
			return err
		}
	}
	s.Booked(b, record, failure, durable.Now(ctx))
	return nil
}

func (w *moveInRun) invitation(
	ctx workflow.Context, sequence int, window appointments.Window, people []activities.Person, cancel bool,
) activities.SendInvitationsInput {
	l := w.state.Lease
	in := activities.SendInvitationsInput{
		Ref: w.ref(ctx), UID: w.ref(ctx) + "/inspection", Sequence: sequence, Cancel: cancel, Window: window,
		PortfolioID: l.PortfolioID, PropertyID: l.PropertyID, Zone: l.Zone, Summary: "Move-in inspection, " + l.Address, Location: l.Address,
		Description: "Move-in inspection of " + l.Address, People: people,
		Text: "The move-in inspection of " + l.Address + " is planned for {window}. The calendar entry is attached.",
	}
	if cancel {
		in.Text = "The move-in inspection of " + l.Address + " on {window} is off."
	}
	return in
}

// orderPackage books the purchase order of the welcome package, or cancels it.
func (w *moveInRun) orderPackage(ctx workflow.Context, task campaign.Task) error {
	s := w.state
	o, ok := s.Order(task.Key)
	if !ok {
		return unknownTask(task)
	}
	ref, number := w.ref(ctx)+"/package/"+task.Key, fmt.Sprintf("MI%s-%d", s.Lease.ID, o.Number)
	if task.Do == movein.DoCancelPackage {
		var err error
		if o.Tried { // one that is said to have failed may be there
			_, err = activities.CancelPurchaseOrder.Run(ctx, activities.CancelPurchaseOrderInput{
				Ref: ref, ID: o.Placed.ID, Number: number, Vendor: o.Vendor, Company: s.Rules.Company,
			}, "cancel order "+number)
		}
		if temporal.IsCanceledError(err) {
			return err
		}
		s.OrderCancelled(task.Key, problem(err), durable.Now(ctx))
		return nil
	}
	order := activities.CreatePurchaseOrder.Limited(orderWithin)
	order.WaitCancelled = true
	placed, err := order.Run(ctx, activities.PurchaseOrderInput{
		Ref: ref, Number: number, Vendor: o.Vendor, VendorContact: o.Contact, Currency: s.Rules.Currency, Company: s.Rules.Company,
		Lines: []activities.OrderLine{{Text: o.Item, Quantity: 1, UnitCost: o.Cost}}, Address: s.Lease.Address,
	}, "order "+number)
	s.Ordered(task.Key, placed, problem(err), durable.Now(ctx))
	if temporal.IsCanceledError(err) {
		return err // it may be there, and is cancelled
	}
	return nil
}

// detail is what describe shows of a move-in: no names.
func (w *moveInRun) detail() any {
	s := w.state
	return struct {
		Day        string        `json:"day,omitempty"`
		Parts      []movein.Part `json:"parts"`
		Inspection time.Time     `json:"inspection,omitzero"`
	}{s.Day, s.Parts, s.Visit.Have.Start}
}
