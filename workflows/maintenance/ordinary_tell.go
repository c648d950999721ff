package maintenance

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// tellRepair sends what people are to be told and asked, in one batch.
func (w *run) tellRepair(ctx workflow.Context) {
	s, r, now := w.state, w.state.Repair, durable.Now(ctx)
	var batch []activities.Message
	for _, t := range r.Tells {
		r.Told++
		batch = append(batch, w.tellMessages(t, fmt.Sprintf("repair_tell/%d", r.Told))...)
	}
	r.Tells = nil
	if !s.resting() || s.Ended != nil {
		for _, q := range r.Due(now) {
			if until, quiet := w.quietUntil(now); quiet {
				// Nobody is asked at night; who is asked then has all the time from the morning on.
				r.Hold(q.Number, until, now)
				continue
			}
			batch = append(batch, w.questionMessages(q, now)...)
			r.Sent(q.Number, now)
		}
	}
	w.send(ctx, "tell and ask people", batch, 0)
}

// quietUntil tells whether it is night where the property is, and when that ends.
func (w *run) quietUntil(now time.Time) (time.Time, bool) {
	settings := w.state.Settings
	settings.TimeZone = w.zone()
	return settings.QuietUntil(now)
}

// tellMessages is one thing told to its audience.
func (w *run) tellMessages(t repair.Tell, step string) []activities.Message {
	about := w.about()
	about.Person, about.Reason = t.Who, t.Reason
	if t.Window != nil {
		about.Window = t.Window.Text(w.location(), w.state.Settings.Region)
	}
	about.Count = t.Count
	if t.Price > 0 {
		about.Price = w.money(t.Price)
	}
	var people []activities.Person
	class := activities.Work
	switch t.To {
	case repair.Tenants:
		people, class = w.state.Report.Tenants, activities.Routine
		if movedOut(w.state.Report) {
			people = nil
		}
	case repair.OwnersA:
		people, class = w.state.Repair.Owners, activities.Routine
	case repair.Manager:
		people = []activities.Person{activities.PersonOf(w.state.Settings.Manager)}
	case repair.One:
		people = []activities.Person{t.Person}
	}
	batch := w.toAbout(people, step, t.Text, class, about)
	if t.Mail {
		byMail(batch)
	}
	return batch
}

func (w *run) money(c policy.Cents) string {
	return policy.Money{Amount: c, Currency: w.state.Settings.Repairs.Currency}.String()
}

// questionMessages is a question to everybody who is asked it.
func (w *run) questionMessages(q repair.Wait, now time.Time) []activities.Message {
	r := w.state.Repair
	text, options, fields := w.question(q)
	about := w.about()
	about.Reason, about.Count = q.Reason, q.Sent
	if who := r.Worker; who != nil {
		about.Person = who.Name
	}
	if cost := r.Cost(); cost > 0 {
		about.Price = w.money(cost)
	}
	if !q.GiveUpAt.IsZero() {
		about.DueBy = w.local(q.GiveUpAt)
	}
	switch {
	case q.Purpose == repair.AskWindow || q.Purpose == repair.AskManagerWindow:
		var list []string
		for _, o := range options {
			list = append(list, o.Key+" = "+o.Label)
		}
		about.Window = strings.Join(list, ", ")
	case r.Visit != nil:
		about.Window = r.Visit.Window.Text(w.location(), w.state.Settings.Region)
	}
	ask := &activities.Ask{
		Purpose: string(q.Purpose), Title: about.Problem + ", " + about.Address, Options: options, Fields: fields,
		Details: w.questionDetails(q), ExpiresAt: w.expires(q, now),
	}
	if q.Purpose == repair.AskReview {
		for _, p := range r.Photos {
			ask.Photos = append(ask.Photos, p.ID)
		}
	}
	class := activities.Work
	switch q.Purpose {
	case repair.AskWindow, repair.AskReminder, repair.AskConfirm, repair.AskOwner:
		class = activities.Routine
	case repair.AskOffer, repair.AskAward, repair.AskSpend, repair.AskAccounting, repair.AskManagerWindow, repair.AskWay, repair.AskSite,
		repair.AskLate, repair.AskDone, repair.AskAgain, repair.AskReview, repair.AskStuck:
	}
	var batch []activities.Message
	for _, p := range q.To {
		for _, m := range w.message(p, q.Step(), text, class, about) {
			m.Ask = ask
			batch = append(batch, m)
		}
	}
	return batch
}

// expires is when the link of a question stops to work: not before silence decides.
func (w *run) expires(q repair.Wait, now time.Time) time.Time {
	at := now.Add(w.state.Settings.LinkTTL)
	if q.GiveUpAt.After(at) {
		at = q.GiveUpAt
	}
	if v := w.state.Repair.Visit; v != nil && v.Window.End.Add(24*time.Hour).After(at) {
		at = v.Window.End.Add(24 * time.Hour)
	}
	return at
}

func option(key int, choice, label string) activities.Option {
	return activities.Option{Key: fmt.Sprint(key), Choice: choice, Label: label}
}

// question is the text, the answers and the form of a question.
func (w *run) question(q repair.Wait) (text string, options []activities.Option, fields []activities.Field) {
	again := q.Sent > 0
	either := func(first, other string) string {
		if again {
			return other
		}
		return first
	}
	switch q.Purpose {
	case repair.AskOffer:
		return policy.TextRepairOffer, []activities.Option{option(1, repair.Accept, "I take the job"), option(2, repair.Decline, "I can't")}, nil
	case repair.AskAward:
		return policy.TextRepairAward, []activities.Option{option(1, repair.Accept, "I take the job"), option(2, repair.Decline, "I can't any more")}, nil
	case repair.AskOwner:
		return either(policy.TextRepairOwnerApprove, policy.TextRepairOwnerAgain), approval(), nil
	case repair.AskSpend:
		return policy.TextRepairManagerApprove, approval(), nil
	case repair.AskAccounting:
		return policy.TextRepairAccounting, approval(), nil
	case repair.AskWindow:
		return either(policy.TextRepairTenantWindows, policy.TextRepairTenantWindowsAgain), w.windowOptions("None of these"), nil
	case repair.AskManagerWindow:
		return policy.TextRepairManagerWindow, w.windowOptions("I take care of it"), nil
	case repair.AskReminder:
		return policy.TextRepairTenantReminder, []activities.Option{option(1, repair.Fine, "That is fine"), option(2, repair.Other, "I need another time")}, nil
	case repair.AskWay:
		return policy.TextRepairWorkerWay, []activities.Option{option(1, repair.Way, "I'm on my way"), option(2, repair.Cannot, "I can't make it")}, nil
	case repair.AskSite:
		return policy.TextRepairWorkerSite, siteOptions(), nil
	case repair.AskLate:
		return policy.TextRepairWorkerLate, siteOptions(), nil
	case repair.AskDone:
		return policy.TextRepairWorkerDone, doneOptions(), w.doneFields()
	case repair.AskAgain:
		return policy.TextRepairWorkerAgain, doneOptions(), w.doneFields()
	case repair.AskReview:
		return policy.TextRepairManagerReview, []activities.Option{option(1, repair.Accept, "Accept the repair"), option(2, repair.Again, "Send somebody back")}, nil
	case repair.AskConfirm:
		return either(policy.TextRepairTenantConfirm, policy.TextRepairTenantConfirmAgain),
			[]activities.Option{option(1, repair.Fixed, "It is fixed"), option(2, repair.NotFixed, "It is not fixed")},
			[]activities.Field{{Name: repair.FieldRating, Label: "How was it? (1 to 5)", Kind: activities.FieldRating}}
	case repair.AskStuck:
		return policy.TextRepairManagerStuck, []activities.Option{option(1, repair.Again, "Try again"), option(2, repair.Leave, "I take care of it")}, nil
	}
	return "", nil, nil
}

func approval() []activities.Option {
	return []activities.Option{option(1, repair.Approve, "Approve"), option(2, repair.Decline, "Decline")}
}

func siteOptions() []activities.Option {
	return []activities.Option{
		option(1, repair.Here, "I'm on site"), option(2, repair.NoAccess, "Nobody is home"), option(3, repair.Cannot, "I can't make it"),
	}
}

func doneOptions() []activities.Option {
	return []activities.Option{option(1, repair.Done, "The work is done"), option(2, repair.More, "It needs more")}
}

// doneFields are what the worker hands in.
func (w *run) doneFields() []activities.Field {
	rules := w.state.Settings.Repairs
	const most = 3
	return []activities.Field{
		{Name: activities.PhotoBefore, Label: "Photos before the work", Kind: activities.FieldPhotos, Most: most},
		{Name: activities.PhotoAfter, Label: "Photos after the work", Kind: activities.FieldPhotos, Most: most},
		{Name: repair.FieldChecklist, Label: "Checked", Kind: activities.FieldChecks, Items: rules.Checklist(string(w.state.Repair.Analysis.Trade))},
	}
}

// windowOptions are the times to choose from, and the way out.
func (w *run) windowOptions(none string) []activities.Option {
	var options []activities.Option
	for i, window := range w.state.Repair.Windows {
		options = append(options, option(i+1, repair.WindowChoice(i), window.Text(w.location(), w.state.Settings.Region)))
	}
	return append(options, option(len(options)+1, repair.Other, none))
}

// jobDetails are what everybody who works on it may see of the job.
func (w *run) jobDetails() []activities.Detail {
	s, about := w.state, w.about()
	details := []activities.Detail{{Label: "Work order", Text: "#" + about.WorkOrder}, {Label: "Problem", Text: about.Problem}, {Label: "Address", Text: about.Address}}
	if about.Unit != "" {
		details = append(details, activities.Detail{Label: "Unit", Text: about.Unit})
	}
	if a := s.Repair.Analysis; a.Minutes > 0 {
		details = append(details, activities.Detail{Label: "Likely time", Text: fmt.Sprintf("about %d minutes", a.Minutes)})
	}
	return details
}

// questionDetails are what the page of a question shows.
func (w *run) questionDetails(q repair.Wait) []activities.Detail {
	s, r := w.state, w.state.Repair
	details := w.jobDetails()
	add := func(label, text string) {
		if text != "" {
			details = append(details, activities.Detail{Label: label, Text: text})
		}
	}
	switch q.Purpose {
	case repair.AskOwner, repair.AskSpend:
		add("Price", w.money(r.Cost()))
		if total := r.Total(); total != r.Cost() {
			add("With what was spent before", w.money(total))
		}
		add("Limit without approval", w.money(s.Settings.Repairs.Spend.Limit))
		add("Why this choice", r.Current.Reason)
	case repair.AskAccounting:
		add("Order", w.money(r.Cost()))
		if r.Worker.Kind == sourcing.Vendor {
			add("Vendor", r.Worker.Name)
		}
	case repair.AskOffer, repair.AskAward:
		if r.Current != nil && r.Current.Kind == sourcing.Vendor {
			add("Your price", w.money(r.Current.Price))
		}
		add("Parts that are likely", partsOf(r))
	case repair.AskWay, repair.AskSite, repair.AskLate, repair.AskDone, repair.AskAgain, repair.AskReminder:
		if r.Visit != nil {
			add("Visit", r.Visit.Window.Text(w.location(), s.Settings.Region))
		}
		add("Parts that are likely", partsOf(r))
		add("Still missing", q.Reason)
	case repair.AskReview, repair.AskStuck, repair.AskManagerWindow:
		add("Why you are asked", q.Reason)
		if r.Work != nil {
			add("Note of the worker", r.Work.Note)
		}
	case repair.AskWindow, repair.AskConfirm:
	}
	return details
}

func partsOf(r *repair.State) string {
	var parts []string
	for _, p := range r.Analysis.Parts {
		parts = append(parts, fmt.Sprintf("%d x %s", p.Quantity, p.Name))
	}
	return strings.Join(parts, ", ")
}

// repairWish is what the work order of a repair should be in RentVine by now.
func (s *State) repairWish(zone string) activities.UpdateWorkOrderInput {
	r := s.Repair
	wish := activities.UpdateWorkOrderInput{WorkOrderID: s.Report.WorkOrder.ID}
	if r.Worker != nil {
		wish.AssignedUserID, wish.VendorContactID = r.Worker.UserID, r.Worker.ContactID
		wish.EstimatedAmount, wish.OwnerApproved = r.Worker.Price.String(), r.OwnerApproved()
		wish.ClearVendor = wish.VendorContactID == "" && s.Report.WorkOrder.VendorContactID != ""
		wish.ClearAssigned = wish.AssignedUserID == "" && s.Report.WorkOrder.AssignedUserID != ""
	}
	if v := r.Visit; v != nil {
		wish.StatusNames, wish.Primary = s.Settings.Statuses.Scheduled.Names, activities.StatusOpen
		wish.ScheduledDate = localDate(v.Window.Start, zone)
		wish.WindowStart, wish.WindowEnd = localTime(v.Window.Start, zone), localTime(v.Window.End, zone)
	}
	switch {
	case r.Stage == repair.Finishing:
		wish.StatusNames, wish.Primary, wish.Closes = s.Settings.Statuses.Closed.Names, activities.StatusClosed, true
		wish.ClosingDescription = "Checked; confirmed by " + confirmedBy(r.Confirmed) + "."
	case r.Visit == nil && s.Written.VendorContactID+s.Written.AssignedUserID != "" && r.Worker == nil:
		// Nobody has the job any more.
		wish.ClearVendor, wish.ClearAssigned, wish.ClearSchedule = s.Written.VendorContactID != "", s.Written.AssignedUserID != "", true
	case r.Visit == nil:
		// The assignment is written with the visit: one write for both.
		return activities.UpdateWorkOrderInput{WorkOrderID: wish.WorkOrderID}
	}
	return wish
}

// confirmedBy is who confirmed a repair, without a name.
func confirmedBy(who string) string {
	switch who {
	case "silence":
		return "the tenant's silence"
	case "the check":
		return who
	}
	return "the tenant"
}

// localTime is a time as RentVine's appointment windows have it (contracts/rentvine.md
// 1.6).
func localTime(t time.Time, zone string) string {
	return t.In(locationOf(zone)).Format(time.DateTime)
}
