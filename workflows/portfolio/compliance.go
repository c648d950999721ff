package portfolio

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// Compliance watches over one requirement of a property or unit for as long as it applies;
// its id is that of ComplianceID. The manager is written to before it is due, and with the
// escalation contact once it is overdue; each renewal arms the next.
var Compliance = durable.Definition[ComplianceInput, ComplianceResult]{
	Name: ComplianceName, Run: watchRequirement, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// What operators ask of it.
var (
	// RenewRequirement records a renewal.
	RenewRequirement = durable.Update[RenewCommand, durable.Outcome]{
		Name: "renew", Description: "Record a renewal: {by, why, renewed_on, good_until}",
	}
	// DropRequirement ends the watch.
	DropRequirement = durable.Update[durable.Command, durable.Outcome]{
		Name: "drop", Description: "End the watch over this requirement: {by, why}",
	}
	// DescribeCompliance shows the requirement.
	DescribeCompliance = durable.Query[ComplianceDescription]{
		Name: "describe", Description: "How the requirement stands, what was written and what is next",
	}
)

type (
	// ComplianceResult tells how it ended: "dropped" or "not_applicable".
	ComplianceResult struct {
		Outcome string `json:"outcome"`
	}
	// RenewCommand is an operator's.
	RenewCommand struct {
		durable.Command
		RequirementRenewed
	}
	// ComplianceDescription is what an operator sees. It names nobody.
	ComplianceDescription struct {
		PropertyID    string `json:"property_id"`
		UnitID        string `json:"unit_id,omitempty"`
		RequirementID string `json:"requirement_id"`
		Name          string `json:"name"`
		Kind          string `json:"kind"`
		State         string `json:"state"`
		Due           string `json:"due,omitempty"`
		Renewed       string `json:"renewed,omitempty"`
		// Letters is how many were written in all, Filing how many changes wait to be filed
		// at RentVine.
		Letters int    `json:"letters"`
		Filing  int    `json:"filing,omitempty"`
		Ended   string `json:"ended,omitempty"`
		// Next is what happens next, and NextAt when (business time).
		Next     string           `json:"next,omitempty"`
		NextAt   time.Time        `json:"next_at,omitzero"`
		Timeline []campaign.Entry `json:"timeline,omitempty"`
		Unusable int              `json:"unusable,omitempty"`
	}
)

const (
	// lookEvery is how often the policy is read where nothing else is due (business time).
	lookEvery = 30 * 24 * time.Hour
	// againAfter is the pause after RentVine has refused something (business time), and
	// filingTries how often a filing is tried.
	againAfter  = 24 * time.Hour
	filingTries = 7
	// inspectWithin limits the tries to make an inspection (real time).
	inspectWithin = 12 * time.Hour
)

// complianceRun is one run of the workflow. It goes on as new after each renewal.
type complianceRun struct {
	in    ComplianceInput
	state *ComplianceState
	alarm durable.Alarm
	// ready tells that the policy was read. said is set where somebody has said something
	// since the last look, renewed where that was a renewal, settled where the questions
	// are to be closed.
	ready, said, renewed, settled bool
	// by and why are who ended it.
	by, why string
	shown   string
	stood   standing
}

// standing is what the lists of the Web UI show.
type standing struct{ state, due, waiting string }

func watchRequirement(ctx workflow.Context, in ComplianceInput) (ComplianceResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &complianceRun{in: in, state: in.State}
	if w.state == nil {
		w.state = &ComplianceState{BeganAt: durable.Now(ctx)}
	}
	durable.TellTimeline(ctx, func() []campaign.Entry { return w.state.Timeline })
	w.ready = w.state.Requirement.ID != ""
	if err := w.handle(ctx); err != nil {
		return ComplianceResult{}, err
	}
	err := w.run(ctx)
	if temporal.IsCanceledError(err) {
		// Nobody watches over it any more, and the lists must not say so.
		undo, _ := workflow.NewDisconnectedContext(ctx)
		w.end(endedDropped, "", "")
		if err := w.finish(undo); err != nil {
			return ComplianceResult{}, err
		}
	}
	return ComplianceResult{Outcome: w.state.Ended}, err
}

func (w *complianceRun) run(ctx workflow.Context) error {
	for {
		w.said = false
		if err := w.look(ctx); err != nil {
			return err
		}
		if w.take(ctx); w.said {
			continue // what was said may be of another place, with other rules
		}
		if err := w.act(ctx); err != nil {
			return err
		}
		if w.state.Ended != "" {
			w.alarm.Stop()
			if err := w.finish(ctx); err != nil {
				return err
			}
			return durable.Settle(ctx, w.take)
		}
		if err := w.show(ctx); err != nil {
			return err
		}
		if w.renewed || workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := durable.Settle(ctx, w.take); err != nil {
				return err
			}
			if w.said {
				continue
			}
			w.alarm.Stop()
			return workflow.NewContinueAsNewError(ctx, ComplianceName, w.next())
		}
		if err := w.wait(ctx); err != nil {
			return err
		}
	}
}

// next is the input of the next run: of the property, what the letters need.
func (w *complianceRun) next() ComplianceInput {
	in := w.in
	in.State = w.state
	in.Property.Units = slices.DeleteFunc(slices.Clone(in.Property.Units), func(u activities.UnitView) bool { return u.ID != in.UnitID })
	return in
}

func (w *complianceRun) handle(ctx workflow.Context) error {
	err := DescribeCompliance.Handle(ctx, func() (ComplianceDescription, error) { return w.describe(ctx), nil })
	if err != nil {
		return err
	}
	err = durable.GiveAnswer.Handle(ctx, w.mayAnswer, func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
		if err := w.awaitReady(ctx); err != nil {
			return durable.Outcome{}, err
		}
		return w.answer(ctx, a)
	})
	if err != nil {
		return err
	}
	err = RenewRequirement.Handle(ctx, w.mayRenew, func(ctx workflow.Context, c RenewCommand) (durable.Outcome, error) {
		if err := w.awaitReady(ctx); err != nil {
			return durable.Outcome{}, err
		}
		if w.state.Ended == "" && w.state.older(c.RequirementRenewed) {
			return campaign.Late("That is known already: it was renewed on " + w.state.Renewed + ", and is due on " + w.state.due() + "."), nil
		}
		return w.renew(ctx, c.RequirementRenewed, c.By, c.Why, nil)
	})
	if err != nil {
		return err
	}
	refuse := func(_ workflow.Context, c durable.Command) error { return c.Validate() }
	return DropRequirement.Handle(ctx, refuse, func(ctx workflow.Context, c durable.Command) (durable.Outcome, error) {
		if !w.end(endedDropped, c.By, c.Why) {
			return campaign.Late("The watch has ended already."), nil
		}
		w.state.note(durable.Now(ctx), "dropped by an operator")
		return campaign.Taken("The watch ends."), nil
	})
}

// awaitReady waits for the first look at the policy.
func (w *complianceRun) awaitReady(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return w.ready })
}

// mayAnswer refuses an answer that makes no sense, so that it can be given again.
func (w *complianceRun) mayAnswer(ctx workflow.Context, a durable.Answer) error {
	if !w.ready || w.state.Ended != "" || w.state.Answers.Has(a.ID) {
		return nil
	}
	return refusal(w.state.refusesAnswer(a, w.today(ctx)))
}

func (w *complianceRun) mayRenew(ctx workflow.Context, c RenewCommand) error {
	if err := c.Validate(); err != nil || !w.ready || w.state.Ended != "" || w.state.older(c.RequirementRenewed) {
		return err
	}
	return refusal(w.state.refuses(c.RequirementRenewed, w.today(ctx)))
}

// refusal is an error that says why, nil for "".
func refusal(why string) error {
	if why == "" {
		return nil
	}
	return temporal.NewApplicationError(why, "invalid")
}

// now is the business time. Validators and queries have no clock in their context.
func (w *complianceRun) now(ctx workflow.Context) time.Time {
	return durable.Now(durable.WithClock(ctx, w.in.Clock))
}

// today is the property's day.
func (w *complianceRun) today(ctx workflow.Context) string {
	return activities.DayIn(w.now(ctx), w.zone())
}

// answer takes what somebody says, once.
func (w *complianceRun) answer(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
	s := w.state
	if s.Answers.Has(a.ID) {
		return campaign.Taken("Thank you. It is recorded."), nil
	}
	if s.Ended != "" {
		return campaign.Late("Thank you. This has been settled meanwhile."), nil
	}
	if why := s.refusesAnswer(a, w.today(ctx)); why != "" {
		return durable.Outcome{}, refusal(why)
	}
	durable.TakeOnce(ctx, &s.Answers, a.ID)
	if a.Choice == choiceNotApplicable {
		w.end(endedNotApplicable, a.Person, a.Note)
		s.note(durable.Now(ctx), "it was said not to apply")
		return campaign.Taken("Thank you. It is not watched any more."), nil
	}
	return w.renew(ctx, renewedOf(a), a.Person, a.Note, a.Photos)
}

// renew takes a renewal, and has it filed.
func (w *complianceRun) renew(ctx workflow.Context, r RequirementRenewed, by, note string, photos []durable.Photo) (durable.Outcome, error) {
	s, now := w.state, durable.Now(ctx)
	if s.Ended != "" {
		return campaign.Late("The watch has ended already."), nil
	}
	if why := s.refuses(r, w.today(ctx)); why != "" {
		return durable.Outcome{}, refusal(why)
	}
	if !s.renew(r) {
		return durable.Outcome{Late: true, Message: "That is known already: it is due on " + s.due() + "."}, nil
	}
	w.said, w.renewed, w.settled = true, true, true
	s.note(now, "renewed on %s, due on %s", s.Renewed, s.due())
	s.file(ComplianceFiling{Row: w.row(ctx), By: by, Note: note, Photos: photos, At: now})
	if s.stateOn(w.today(ctx)) == complianceOverdue {
		return campaign.Taken("Thank you. It is recorded, and was due again on " + s.due() + "."), nil
	}
	return campaign.Taken("Thank you. It is recorded, and due again on " + s.due() + "."), nil
}

// end ends the watch, and tells whether it went on until now.
func (w *complianceRun) end(outcome, by, why string) bool {
	if w.state.Ended != "" {
		return false
	}
	w.state.Ended, w.by, w.why, w.said = outcome, by, why, true
	return true
}

// take drains all facts and tells whether there were any.
func (w *complianceRun) take(ctx workflow.Context) bool {
	s, now := w.state, durable.Now(ctx)
	dropped, bad := RequirementDropped.Drain(ctx)
	if len(dropped) > 0 && w.end(endedDropped, "", dropped[0]) {
		s.note(now, "dropped: it does not apply any more")
	}
	changed, unclear := UnitChanged.Drain(ctx)
	for _, now := range changed {
		w.moved(now)
	}
	answers, unreadable := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		if _, err := w.answer(ctx, a); err != nil {
			s.note(now, "an answer could not be taken: %s", durable.KindOf(err))
		}
	}
	failures, unread := durable.MessageFailed.Drain(ctx)
	for range failures {
		s.note(now, "a message did not arrive")
	}
	unknown := durable.DrainUnknown(ctx, RequirementDropped.Name, UnitChanged.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	broken := bad + unclear + unreadable + unread + unknown
	s.Unusable += broken
	return len(dropped)+len(changed)+len(answers)+len(failures)+broken > 0
}

// moved takes the property and unit as they are now: letters go where the policy says for
// them, and to the zone in which they are.
func (w *complianceRun) moved(now UnitNow) {
	if now.Property.ID != w.in.Property.ID || w.in.UnitID != now.Unit.ID {
		return
	}
	w.in.Property, w.said = now.Property, true
	if w.in.UnitID != "" {
		w.in.Property.Units = []activities.UnitView{now.Unit}
	}
}

// look reads the policy: before each decision, so that what it says now counts.
func (w *complianceRun) look(ctx workflow.Context) error {
	s := w.state
	rules, err := activities.ReadPortfolio.RunLocal(ctx, activities.PlaceRef{
		PortfolioID: w.in.Property.PortfolioID, PropertyID: w.in.Property.ID,
	}, "policy of the property")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rules.Compliance.Requirements, func(r policy.Requirement) bool { return r.ID == w.in.RequirementID })
	if i < 0 || !rules.On() {
		w.ready = true
		if w.end(endedDropped, "", "") {
			s.note(durable.Now(ctx), "dropped: the policy does not ask for it any more")
		}
		return nil
	}
	first := s.Requirement.ID == ""
	s.Requirement = rules.Compliance.Requirements[i]
	// What others of the policy say is not carried from run to run.
	s.Rules = policy.Portfolio{TimeZone: rules.TimeZone, Manager: rules.Manager, Escalation: rules.Escalation, Compliance: rules.Compliance}
	s.Rules.Compliance.Requirements = nil
	if first {
		known, err := activities.KnownCompliance.RunLocal(ctx, workflow.GetInfo(ctx).WorkflowExecution.ID, "what was known of it before")
		if err != nil {
			return err
		}
		s.recall(known)
	}
	w.ready = true
	if w.in.New && s.FirstDue == "" {
		s.FirstDue = activities.DayIn(s.BeganAt.Add(s.Requirement.FirstWithin), w.zone())
	}
	return nil
}

// act does what is due: the store's row first, then RentVine and letters.
func (w *complianceRun) act(ctx workflow.Context) error {
	s := w.state
	for s.Ended == "" {
		now := durable.Now(ctx)
		next, known := s.nextLetter(now, w.zone())
		row := w.row(ctx)
		var err error
		switch {
		case w.settled:
			w.settled = false
			_, err = activities.CloseQuestions.RunLocal(ctx, activities.None{}, "close the questions")
		case s.stale(row):
			if _, err = activities.KeepCompliance.RunLocal(ctx, row, "keep the state: "+row.State); err == nil {
				s.Kept = row
			}
		case known && !next.At.After(now):
			err = w.send(ctx, next)
		case s.filesAt(now):
			err = w.file(ctx)
		case w.inspects(row.State) && !s.InspectAt.After(now):
			err = w.inspect(ctx)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file files the oldest change that is due at RentVine. What is refused is tried again on
// other days, after the others.
func (w *complianceRun) file(ctx workflow.Context) error {
	s := w.state
	f := s.takeFiling(durable.Now(ctx)) // others may be added meanwhile
	property, unit := complianceAbout(w.in)
	filed, err := activities.FileEvidence.Run(ctx, activities.FileEvidenceInput{
		Ref: w.ref(), ComplianceRow: f.Row, Property: property, Unit: unit, Zone: w.zone(), By: f.By, Note: f.Note, Photos: f.Photos,
	}, "file the status at RentVine")
	now := durable.Now(ctx)
	switch {
	case temporal.IsCanceledError(err):
		return err
	case err == nil:
		s.note(now, "%d files at RentVine", filed)
	case f.Tries+1 < filingTries:
		f.Tries, f.At = f.Tries+1, now.Add(againAfter)
		s.file(f)
	default:
		s.note(now, "RentVine did not take the files: %s", durable.KindOf(err))
	}
	return nil
}

// inspects tells whether an inspection is to be made at RentVine.
func (w *complianceRun) inspects(state string) bool {
	s, r := w.state, w.state.Requirement
	return (state == complianceDue || state == complianceOverdue) && s.Inspected != s.due() && w.in.UnitID != "" &&
		r.Kind == policy.RequirementInspection && r.InspectionType != "" && r.InspectionStatus != ""
}

func (w *complianceRun) inspect(ctx workflow.Context) error {
	s, due := w.state, w.state.due()
	id, err := activities.ScheduleInspection.Limited(inspectWithin).Run(ctx, activities.ScheduleInspectionInput{
		Ref: w.ref() + "/" + due, PropertyID: w.in.Property.ID, UnitID: w.in.UnitID,
		TypeID: s.Requirement.InspectionType, StatusID: s.Requirement.InspectionStatus,
	}, "make the inspection at RentVine")
	now := durable.Now(ctx)
	switch {
	case temporal.IsCanceledError(err):
		return err
	case err != nil:
		s.note(now, "RentVine did not take the inspection: %s", durable.KindOf(err))
		s.InspectAt = now.Add(againAfter)
	default:
		s.note(now, "inspection %s at RentVine", id)
		s.Inspected, s.InspectAt = due, time.Time{}
	}
	return nil
}

// finish tells everybody that the watch has ended.
func (w *complianceRun) finish(ctx workflow.Context) error {
	s, id := w.state, workflow.GetInfo(ctx).WorkflowExecution.ID
	if _, err := activities.DropCompliance.RunLocal(ctx, id, "set the requirement aside"); err != nil {
		return err
	}
	if _, err := activities.CloseQuestions.RunLocal(ctx, activities.None{}, "close the questions"); err != nil {
		return err
	}
	told := Ended{WorkflowID: id, Kind: "compliance", UnitID: w.in.UnitID, Outcome: s.Ended}
	// The property may have ended, or never have run.
	if err := ChildEnded.SendFrom(ctx, PropertyID(w.in.Property.ID), told).Get(ctx, nil); temporal.IsCanceledError(err) {
		return err
	}
	if s.Ended == endedNotApplicable {
		if err := w.tellNotApplicable(ctx); temporal.IsCanceledError(err) {
			return err
		}
		row := w.row(ctx)
		row.State, row.Due = endedNotApplicable, ""
		s.file(ComplianceFiling{Row: row, By: w.by, Note: w.why, At: durable.Now(ctx)})
	}
	for len(s.Filings) > 0 { // once each: there is no other day
		s.Filings[0].Tries, s.Filings[0].At = filingTries, time.Time{}
		if err := w.file(ctx); err != nil {
			return err
		}
	}
	workflow.SetCurrentDetails(ctx, w.describe(ctx).details())
	return nil
}

func (w *complianceRun) ref() string {
	return fmt.Sprintf("%s@%d", ComplianceID(w.in.Property.ID, w.in.UnitID, w.in.RequirementID), w.state.BeganAt.Unix())
}

func (w *complianceRun) zone() string {
	return cmp.Or(w.in.Property.Zone, w.state.Rules.TimeZone, "UTC")
}

func (w *complianceRun) row(ctx workflow.Context) activities.ComplianceRow {
	now := w.now(ctx)
	return w.state.row(workflow.GetInfo(ctx).WorkflowExecution.ID, w.in, now, w.zone())
}

// wakesAt is when something is to be done next, and what.
func (w *complianceRun) wakesAt(now time.Time) (at time.Time, why string) {
	s := w.state
	at, why = now.Add(lookEvery), "look at the policy"
	sooner := func(other time.Time, what string) {
		if !other.IsZero() && other.Before(at) {
			at, why = other, what
		}
	}
	if next, ok := s.nextLetter(now, w.zone()); ok {
		sooner(next.At, "write to the manager")
	}
	sooner(s.changesAt(now, w.zone()), "the state changes")
	for _, f := range s.Filings {
		sooner(f.At, "file at RentVine")
	}
	if w.inspects(s.stateOn(activities.DayIn(now, w.zone()))) {
		sooner(s.InspectAt, "ask RentVine for an inspection")
	}
	return at, why
}

func (w *complianceRun) wait(ctx workflow.Context) error {
	at, why := w.wakesAt(durable.Now(ctx))
	w.alarm.Set(ctx, at, why)
	return workflow.Await(ctx, func() bool {
		return w.alarm.Rang() || w.said || RequirementDropped.Pending(ctx) || UnitChanged.Pending(ctx) || durable.AnswerReceived.Pending(ctx)
	})
}

// show tells the Web UI and its lists how the requirement stands.
func (w *complianceRun) show(ctx workflow.Context) error {
	s := w.state
	if text := w.describe(ctx).details(); text != w.shown {
		w.shown = text
		workflow.SetCurrentDetails(ctx, text)
	}
	now := standing{state: s.stateOn(w.today(ctx)), due: s.due()}
	if s.due() != "" && s.Letters.For == s.due() {
		now.waiting = "manager"
	}
	if now == w.stood {
		return nil
	}
	w.stood = now
	attributes := []temporal.SearchAttributeUpdate{
		durable.PropertyID.ValueSet(w.in.Property.ID), durable.Stage.ValueSet(now.state), durable.WaitingFor.ValueSet(now.waiting),
	}
	if w.in.UnitID != "" {
		attributes = append(attributes, durable.UnitID.ValueSet(w.in.UnitID))
	}
	if by, ok := campaign.Day(now.due, 1, 0, w.zone()); ok {
		attributes = append(attributes, durable.DueBy.ValueSet(by))
	} else {
		attributes = append(attributes, durable.DueBy.ValueUnset())
	}
	return workflow.UpsertTypedSearchAttributes(ctx, attributes...)
}

func (w *complianceRun) describe(ctx workflow.Context) ComplianceDescription {
	s := w.state
	now := w.now(ctx)
	d := ComplianceDescription{
		PropertyID: w.in.Property.ID, UnitID: w.in.UnitID, RequirementID: w.in.RequirementID, Name: s.Requirement.Name, Kind: s.Requirement.Kind,
		State: s.stateOn(w.today(ctx)), Due: s.due(), Renewed: s.Renewed, Letters: s.Written, Filing: len(s.Filings), Ended: s.Ended,
		Timeline: s.Timeline, Unusable: s.Unusable,
	}
	if s.Ended == "" {
		d.NextAt, d.Next = w.wakesAt(now)
	}
	return d
}
