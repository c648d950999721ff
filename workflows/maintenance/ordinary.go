package maintenance

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// coordinate does what an ordinary repair asks for now.
func (w *run) coordinate(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	if s.resting() {
		w.settleRepair(ctx)
		return
	}
	r.Tick(w.circumstances(), durable.Now(ctx))
	if !w.working {
		if task := r.Todo(); task != repair.Nothing {
			w.perform(ctx, task)
		}
	}
	w.settleRepair(ctx)
}

// resting tells whether the repair waits for people: an operator has paused it, or
// RentVine has it on hold.
func (s *State) resting() bool {
	return s.Paused != nil || s.Report.WorkOrder.PrimaryStatus == activities.StatusOnHold
}

// repairing tells whether an ordinary repair is under way.
func (s *State) repairing() bool { return s.Stage == StageRepairing && s.Repair != nil }

// circumstances are what the repair's decisions depend on.
func (w *run) circumstances() repair.Circumstances {
	s := w.state
	c := repair.Circumstances{
		Rules: s.Settings.Repairs, Manager: activities.PersonOf(s.Settings.Manager), Accountant: activities.PersonOf(s.Settings.Accountant),
		WorkOrder: w.id,
	}
	if !movedOut(s.Report) {
		c.Tenants = s.Report.Tenants
	}
	return c
}

// settleRepair carries out what the repair's decisions have left: what is taken back,
// whom to tell and ask, and what is written down.
func (w *run) settleRepair(ctx workflow.Context) {
	r := w.state.Repair
	if w.stopBidding != nil && r.Stage != repair.Bidding {
		w.stopBidding()
	}
	w.takeBack(ctx)
	w.holdTechnician(ctx)
	// Others may add to these while they are written.
	records, closing := r.Records, r.Close
	r.Records, r.Close = nil, nil
	for _, rec := range records {
		keep(ctx, w, activities.RecordWork, rec, "for the record of "+rec.Worker)
	}
	if len(closing) > 0 {
		keep(ctx, w, activities.CloseSteps, closing, "close questions")
	}
	w.tellRepair(ctx)
	log := r.Log
	r.Log = nil
	for _, e := range log {
		w.state.note(e.At, e.What, e.Person)
	}
}

// holdTechnician notes which technician is busy with this repair.
func (w *run) holdTechnician(ctx workflow.Context) {
	r := w.state.Repair
	holds := ""
	if r.Worker != nil && r.Worker.Kind == sourcing.Technician && !r.Over() {
		holds = r.Worker.ID
	}
	switch holds {
	case r.Holds:
	case "":
		keep(ctx, w, activities.ReleaseTechnician, activities.None{}, "the technician is free again")
	default:
		keep(ctx, w, activities.AssignTechnician, holds, "the technician is taken")
	}
	r.Holds = holds
}

// takeBack undoes what no longer holds, one batch at a time.
func (w *run) takeBack(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	if r.Undo.Parts {
		r.Undo.Parts = false
		keep(ctx, w, activities.ReleaseParts, w.id, "give the parts back")
	}
	if r.Undo.Used {
		r.Undo.Used = false
		keep(ctx, w, activities.UseParts, w.id, "the parts are used up")
	}
	if r.Undo.Booking {
		r.Undo.Booking = false
		if r.Visit == nil {
			keep(ctx, w, activities.CancelAppointment, activities.None{}, "give the time back")
		}
	}
	undo := r.Undo
	if w.undoing || len(undo.Visits)+len(undo.Orders) == 0 {
		return
	}
	r.Undo, w.undoing = repair.Undo{}, true
	landed := w.start()
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer landed()
		for _, v := range undo.Visits {
			if _, err := activities.SendInvitations.Run(ctx, w.invitations(v, true), "withdraw the visit from calendars"); err != nil {
				s.note(durable.Now(ctx), "the visit could not be withdrawn from calendars: "+durable.KindOf(err), "")
			}
		}
		for _, o := range undo.Orders {
			_, err := activities.CancelPurchaseOrder.Run(ctx, activities.CancelPurchaseOrderInput{
				Ref: w.orderRef(o.Number), ID: o.ID, Number: o.Number, Vendor: o.Vendor, Company: s.Settings.Company,
			}, "cancel order "+o.Number)
			if err != nil {
				s.note(durable.Now(ctx), "order "+o.Number+" could not be cancelled: "+durable.KindOf(err), "")
			}
		}
		w.undoing = false
	})
}

func (w *run) orderRef(number string) string { return w.ref + "/order/" + number }

// perform carries out one task of the repair and goes on; its result comes back to the
// state.
func (w *run) perform(ctx workflow.Context, task repair.Task) {
	w.working = true
	landed := w.start()
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer landed()
		defer func() { w.working = false }()
		if s := w.state; !s.repairing() || s.Ended != nil || s.Repair.Todo() != task {
			return // something has changed since
		}
		switch task {
		case repair.Analyse:
			w.analyse(ctx)
		case repair.Reserve:
			w.reserveParts(ctx)
		case repair.Choose:
			w.choose(ctx)
		case repair.Bid:
			w.bid(ctx)
		case repair.ReadOwners:
			w.readOwners(ctx)
		case repair.PlaceOrders:
			w.placeOrders(ctx)
		case repair.FindWindows:
			w.findWindows(ctx)
		case repair.Book:
			w.book(ctx)
		case repair.Invite:
			w.invite(ctx)
		case repair.Inspect:
			w.inspect(ctx)
		case repair.Finish:
			w.closeRepair(ctx)
		case repair.Nothing:
		}
	})
}

// analyse finds out what the repair needs; without an answer in time it is taken for an
// hour's work of the trade that the triage named. (The rules themselves change: run here,
// they would not replay.)
func (w *run) analyse(ctx workflow.Context) {
	s := w.state
	report := analysis.Report{
		Text: s.Report.WorkOrder.Description, Priority: triage.Priority(s.Report.WorkOrder.Priority),
		Trade: s.Report.WorkOrder.Trade, Month: monthIn(durable.Now(ctx), s.Settings.TimeZone),
	}
	found, err := activities.AnalyzeMaintenance.Run(ctx, activities.AnalyzeInput{WorkOrderID: w.id, Report: report}, "what the repair needs")
	if err != nil {
		found = analysis.Analysis{
			Priority: analysis.PriorityNormal, Trade: s.Assessment.Trade, Problem: s.Assessment.Problem, Minutes: 60,
			Reason: "the analysis did not answer (" + durable.KindOf(err) + ")", By: "triage " + s.Assessment.RulesVersion,
		}
	}
	if !s.repairing() || s.Repair.Stage != repair.Analysing {
		return
	}
	if s.Report.WorkOrder.Check {
		// What a check names is to be looked at, and has not happened.
		found.Priority, found.Problem = analysis.PriorityNormal, s.Assessment.Problem
	}
	if found.Priority == analysis.PriorityEmergency {
		// What a model saw and the rules did not is an emergency as well.
		s.Assessment.Emergency = true
		s.Assessment.Reason += "; " + found.Reason + " (by " + found.By + ")"
		s.Assessment.Problem = found.Problem
		s.raised(durable.Now(ctx))
		return
	}
	s.Repair.Analysed(found, durable.Now(ctx))
}

// raised hands an ordinary repair to the emergency response.
func (s *State) raised(now time.Time) {
	s.Repair.TakeBack("it has become an emergency")
	s.Repair.Stage = repair.Stopped
	s.Stage, s.NeedsTriage = StageReceived, true
	s.note(now, "the repair has become an emergency", "")
}

func (w *run) reserveParts(ctx workflow.Context) {
	s := w.state
	parts, err := activities.ReserveParts.Run(ctx, activities.ReservePartsInput{WorkOrderID: w.id, Parts: s.Repair.Analysis.Parts}, "parts in stock")
	if err != nil {
		s.note(durable.Now(ctx), "the stock could not be asked: "+durable.KindOf(err), "")
	}
	if s.Repair.Stage != repair.Choosing {
		s.Repair.Undo.Parts = true
		return
	}
	s.Repair.PartsReserved(parts, durable.Now(ctx))
}

// choose finds out who may do the repair.
func (w *run) choose(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	rules := w.settings(ctx).Repairs
	load, err := activities.ListTechnicians.RunLocal(ctx, activities.None{}, "who is free")
	if err != nil {
		load = nil
	}
	cards, err := activities.ReadCards.RunLocal(ctx, activities.None{}, "records")
	if err != nil {
		cards = nil
	}
	now := durable.Now(ctx)
	trade := string(r.Analysis.Trade)
	p := s.Report.Property
	job := sourcing.Job{
		Trade: trade, Urgent: r.Analysis.Priority == analysis.PriorityUrgent, Minutes: r.Analysis.Minutes,
		HasPosition: p.HasPosition, Latitude: p.Latitude, Longitude: p.Longitude, MaxDistanceKm: s.Settings.Dispatch.MaxDistanceKm,
	}
	var technicians, vendors []sourcing.Candidate
	var passed []sourcing.Passed
	if !r.VendorsOnly {
		technicians, passed = sourcing.Technicians(job, s.Settings.Technicians, rules.RateOf(trade).Technician, load, cards, r.OutSet(), now)
	}
	kind, why := sourcing.Prefer(job, technicians, nil, rules)
	if kind == sourcing.Vendor || len(technicians) == 0 {
		kind = sourcing.Vendor
		firms, err := activities.ListVendors.Run(ctx, activities.ListVendorsInput{Trade: trade, PortfolioID: p.PortfolioID, PropertyID: p.ID}, "vendors of the trade")
		if err != nil {
			why += "; the vendors could not be read: " + durable.KindOf(err)
		}
		var more []sourcing.Passed
		vendors, more = sourcing.Vendors(job, firms, rules.RateOf(trade).Vendor, localDate(now, w.zone()), cards, r.OutSet())
		passed = append(passed, more...)
	}
	if r.Stage != repair.Choosing {
		return
	}
	if len(vendors) == 0 && len(technicians) > 0 {
		kind, why = sourcing.Technician, why+"; no vendor suits"
	}
	r.Chosen(kind, why, technicians, vendors, passed, w.circumstances(), durable.Now(ctx))
}

// bid lets vendors bid, in a workflow of its own.
func (w *run) bid(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	ctx, w.stopBidding = workflow.WithCancel(ctx)
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:          BiddingID(w.id, r.Round) + r.Suffix(),
		ParentClosePolicy:   enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		WaitForCancellation: true, StaticSummary: "bids for work order " + w.id,
	})
	in := BiddingInput{
		WorkOrderID: w.id, Round: r.Round, Trade: string(r.Analysis.Trade), Clock: w.clock, Zone: w.zone(), PortfolioID: s.Report.Property.PortfolioID,
		PropertyID: s.Report.Property.ID, Settings: s.Settings, Vendors: r.Invite,
		Urgent: r.Analysis.Priority == analysis.PriorityUrgent, Estimate: r.Invite[0].Estimate, About: w.about(), Details: w.jobDetails(),
	}
	var result BiddingResult
	err := workflow.ExecuteChildWorkflow(child, BiddingName, in).Get(ctx, &result)
	w.stopBidding = nil
	now := durable.Now(ctx)
	if err != nil {
		s.note(now, "the bidding ended without a result: "+durable.KindOf(err), "")
	}
	r.Bids(result.Bids, result.LeftToManager, result.Reason, w.circumstances(), now)
}

func (w *run) readOwners(ctx workflow.Context) {
	p := w.state.Report.Property
	owners, err := activities.ReadOwners.Run(ctx, activities.ReadOwnersInput{PortfolioID: p.PortfolioID, PropertyID: p.ID}, "whom to ask about the price")
	if err != nil {
		w.state.note(durable.Now(ctx), "the owners could not be read: "+durable.KindOf(err), "")
	}
	w.state.Repair.OwnersFound(owners, w.circumstances(), durable.Now(ctx))
}

// maxOrderNumber is the longest number that an order may have: see PurchaseOrderInput.
const maxOrderNumber = 21

// placeOrders orders what the repair needs, and cancels what was ordered for work that
// has changed hands meanwhile.
func (w *run) placeOrders(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	readyOn := ""
	for _, o := range r.ToOrder(r.Analysis.Problem + ", " + w.about().Address) {
		number := fmt.Sprintf("WO%s-%d%s", w.about().WorkOrder, o.Number, r.Suffix())
		number = number[max(0, len(number)-maxOrderNumber):]
		placed, err := activities.CreatePurchaseOrder.Run(ctx, activities.PurchaseOrderInput{
			Ref: w.orderRef(number), Number: number, WorkOrderID: w.id, WorkOrderNumber: w.about().WorkOrder,
			Vendor: o.Vendor, VendorContact: o.Contact, Currency: s.Settings.Repairs.Currency, Lines: o.Lines,
			Address: w.about().Address, Company: s.Settings.Company,
		}, "order "+number)
		now := durable.Now(ctx)
		if err != nil {
			s.note(now, "order "+number+" could not be placed: "+durable.KindOf(err), "")
			r.OrderFailed(number, o.Vendor)
			continue
		}
		r.OrderPlaced(repair.Order{PurchaseOrder: placed, Vendor: o.Vendor, Of: o.Of}, now)
		if o.LeadDays > 0 {
			readyOn = max(readyOn, localDate(now.AddDate(0, 0, o.LeadDays), w.zone()))
		}
	}
	r.AllOrdered(readyOn, durable.Now(ctx))
}

// findWindows finds the times at which the worker could come.
func (w *run) findWindows(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	rules := w.settings(ctx).Repairs.Windows
	if r.Stage != repair.Scheduling || r.Worker == nil {
		return
	}
	in := activities.FreeWindowsInput{Zone: w.zone(), Rules: rules, Refused: r.Refused, Earliest: w.dayStarts(r.Earliest)}
	if r.Worker.Kind == sourcing.Technician {
		in.Worker, in.JobsPerWindow = r.Worker.ID, rules.JobsPerWindow
	}
	found, err := activities.FreeWindows.RunLocal(ctx, in, "free times")
	if err != nil {
		s.note(durable.Now(ctx), "free times could not be found: "+durable.KindOf(err), "")
	}
	r.WindowsFound(found, w.circumstances(), durable.Now(ctx))
}

// dayStarts is when a day begins where the property is, zero for "".
func (w *run) dayStarts(day string) time.Time {
	at, err := time.ParseInLocation(time.DateOnly, day, w.location())
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

func (w *run) book(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	in := activities.BookInput{Worker: r.Worker.ID, Window: *r.Picked}
	if r.Worker.Kind == sourcing.Technician {
		in.JobsPerWindow = s.Settings.Repairs.Windows.JobsPerWindow
	}
	ok, err := activities.BookAppointment.RunLocal(ctx, in, "book the time")
	if err != nil {
		// The store holds nothing that the calendars do not.
		s.note(durable.Now(ctx), "the time could not be noted: "+durable.KindOf(err), "")
		ok = true
	}
	r.Booked(ok, s.Settings.Repairs.Visit, durable.Now(ctx))
}

// invite puts the visit into everybody's calendar.
func (w *run) invite(ctx workflow.Context) {
	r := w.state.Repair
	visit := *r.Visit
	visit.People = append([]activities.Person{r.Worker.Person(), activities.PersonOf(w.state.Settings.Manager)}, w.circumstances().Tenants...)
	visit.People = slices.DeleteFunc(visit.People, func(p activities.Person) bool { return p.Email == "" })
	if _, err := activities.SendInvitations.Run(ctx, w.invitations(visit, false), "calendar invitations"); err != nil {
		w.state.note(durable.Now(ctx), "calendar invitations were not sent: "+durable.KindOf(err), "")
	}
	r.Invited(visit)
}

// invitations is the visit as a calendar has it, or its cancellation.
func (w *run) invitations(v repair.Visit, cancel bool) activities.SendInvitationsInput {
	s, about := w.state, w.about()
	subject, err := s.Settings.Text(policy.TextRepairVisitSubject, about)
	if err != nil {
		subject = about.Problem
	}
	in := activities.SendInvitationsInput{
		Ref: w.ref, UID: fmt.Sprintf("visit-%d-%s", v.Number, w.ref), Cancel: cancel, Window: v.Window,
		PortfolioID: s.Report.Property.PortfolioID, PropertyID: s.Report.Property.ID, Zone: w.zone(),
		Summary: subject, Location: about.Address, Description: fmt.Sprintf("Work order #%s: %s", about.WorkOrder, about.Problem),
		People: v.People, Text: fmt.Sprintf("%s: %s. %s, %s", s.Settings.Company, subject, v.Window.Text(w.location(), s.Settings.Region), about.Address),
	}
	if about.Unit != "" {
		in.Location += ", unit " + about.Unit
	}
	if cancel {
		in.Sequence = 1
		in.Text = fmt.Sprintf("%s: the visit is cancelled. %s", s.Settings.Company, subject)
	}
	return in
}

func (w *run) location() *time.Location { return locationOf(w.zone()) }

// inspect checks the evidence of the work, and gives RentVine the photos.
func (w *run) inspect(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	rules := s.Settings.Repairs
	if fresh := r.Photos[r.Attached:]; len(fresh) > 0 {
		r.Attached = len(r.Photos)
		landed := w.start()
		attaching := activities.AttachPhotos.Start(ctx, activities.AttachPhotosInput{Ref: w.ref, WorkOrderID: w.id, Photos: fresh}, "photos to RentVine")
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer landed()
			if _, err := attaching.Get(ctx); err != nil {
				s.note(durable.Now(ctx), "RentVine did not take the photos: "+durable.KindOf(err), "")
			}
		})
	}
	verdict, err := activities.InspectQuality.Run(ctx, activities.InspectInput{
		WorkOrderID: w.id, Trade: string(r.Analysis.Trade), Problem: r.Analysis.Problem,
		Checklist: rules.Checklist(string(r.Analysis.Trade)), Ticked: r.Work.Ticked, Photos: r.Photos, Wanted: rules.Check.Photos,
	}, "check the work")
	if err != nil {
		s.note(durable.Now(ctx), "the work could not be checked: "+durable.KindOf(err), "")
		r.Unchecked(w.circumstances(), durable.Now(ctx))
		return
	}
	r.Inspected(verdict, w.circumstances(), durable.Now(ctx))
}

// closeRepair closes the work order at RentVine and ends the response.
func (w *run) closeRepair(ctx workflow.Context) {
	s, r := w.state, w.state.Repair
	keep(ctx, w, activities.UseParts, w.id, "the parts are used up")
	w.closing = true
	defer func() { w.closing = false }()
	if err := workflow.Await(ctx, func() bool { return !w.writing && !w.refreshing }); err != nil {
		return
	}
	if s.Report.Found && s.Ended == nil {
		wish := s.leaveOut(s.wish(w.zone()))
		written, err := activities.UpdateWorkOrder.Run(ctx, wish, "close the work order")
		now := durable.Now(ctx)
		s.Written = wish
		if err != nil {
			s.WriteRefused = durable.KindOf(err)
			s.note(now, "RentVine refused to close the work order: "+s.WriteRefused, "")
			r.NotClosed(s.WriteRefused)
		} else if s.conflicted(wish, written.Conflicts, now); written.Changed {
			s.note(now, "closed at RentVine", "")
			s.Report.WorkOrder.StatusID, s.Report.WorkOrder.PrimaryStatus = written.StatusID, activities.StatusClosed
		}
	}
	if s.Ended != nil {
		return
	}
	now := durable.Now(ctx)
	r.Closed(w.circumstances(), now)
	s.end(StageClosed, Mark{By: "keyholder", Via: "repair", At: now})
}

// endRepair takes a repair back that ended before it was finished: closed, cancelled or
// merged by people.
func (w *run) endRepair() {
	s, r := w.state, w.state.Repair
	if r.Over() {
		return
	}
	text := policy.TextRepairTenantStopped
	if s.Ended.Outcome == StageClosed {
		text = policy.TextTenantClosed
	}
	r.End(text, "the work order is "+string(s.Ended.Outcome))
}

// giveRepair gives the repair to a technician of the policy.
func (w *run) giveRepair(technician string, now time.Time) {
	s := w.state
	for _, t := range s.Settings.Technicians {
		if t.Person.ID != technician {
			continue
		}
		rate := s.Settings.Repairs.RateOf(string(s.Repair.Analysis.Trade)).Technician
		price := rate * policy.Cents(s.Repair.Analysis.Minutes) / 60
		s.Repair.Give(repair.Choice{Price: price, Candidate: sourcing.Candidate{
			Kind: sourcing.Technician, ID: t.Person.ID, UserID: t.ID, Name: t.Person.Name, Phone: t.Person.Phone, Email: t.Person.Email,
			Estimate: price, Reason: "given by an operator",
		}}, w.circumstances(), now)
	}
}
