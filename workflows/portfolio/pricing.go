package portfolio

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/asking"
	"github.com/aictive/keyholder/workflows/durable"
)

// Pricing has the asking rent of a unit looked at; its id is "pricing/<unit id>". A rent is
// suggested by comparable homes, the manager decides by link, and what was decided is
// written to RentVine. Nothing changes without a person.
var Pricing = durable.Definition[PricingInput, PricingResult]{
	Name: PricingName, Run: pricing, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// DescribePricing shows a pricing.
var DescribePricing = durable.Query[PricingDescription]{
	Name: "describe", Description: "The suggested rent, what it was compared with, who was asked and what was decided",
}

// purposePrice is the purpose of its questions.
const purposePrice = "price"

type (
	// PricingResult tells how a pricing ended.
	PricingResult struct {
		Outcome string `json:"outcome"`
		// Rent is what was decided, or what others have set and was kept, 0 where the price
		// stays; Written tells that RentVine holds what was decided.
		Rent    policy.Cents `json:"rent,omitempty"`
		Written bool         `json:"written,omitempty"`
	}
	// PricingDescription is what an operator sees. It names nobody.
	PricingDescription struct {
		PropertyID string                      `json:"property_id"`
		UnitID     string                      `json:"unit_id"`
		Why        string                      `json:"why"`
		Stage      string                      `json:"stage"`
		Suggestion *activities.PriceSuggestion `json:"suggestion,omitempty"`
		Asked      int                         `json:"asked"`
		Rent       policy.Cents                `json:"rent,omitempty"`
		By         string                      `json:"by,omitempty"`
		Next       string                      `json:"next,omitempty"`
		NextAt     time.Time                   `json:"next_at,omitzero"`
		Timeline   []PricingNote               `json:"timeline,omitempty"`
		Unusable   int                         `json:"unusable,omitempty"`
	}
)

// pricingRun is one run of the workflow.
type pricingRun struct {
	in    PricingInput
	state *PricingState
	rules policy.Portfolio
	alarm durable.Alarm
	// woken is set when an answer has changed the state.
	woken bool
	// shown and stage are what the Web UI was told last.
	shown, stage string
}

func pricing(ctx workflow.Context, in PricingInput) (PricingResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &pricingRun{in: in, state: in.State}
	if w.state == nil {
		w.state = &PricingState{Now: in.UnitNow, Asks: in.Asked}
	}
	durable.TellTimeline(ctx, func() []PricingNote { return w.state.Timeline })
	err := w.run(ctx)
	if temporal.IsCanceledError(err) {
		// Whoever waits for it is told, and nobody can answer any more.
		last, stop := workflow.NewDisconnectedContext(ctx)
		defer stop()
		if w.state.Outcome == "" {
			w.state.end(PricingCancelled, durable.Now(ctx))
		}
		w.take(last)
		if told := w.finish(last); told != nil {
			workflow.GetLogger(ctx).Warn("a cancelled pricing could not be closed", "kind", durable.KindOf(told))
		}
	}
	return PricingResult{Outcome: w.state.Outcome, Rent: w.state.Rent, Written: w.state.Wrote}, err
}

func (w *pricingRun) run(ctx workflow.Context) error {
	if err := w.handle(ctx); err != nil {
		return err
	}
	if err := w.readRules(ctx); err != nil {
		return err
	}
	for {
		w.woken = false
		w.take(ctx)
		next := w.state.todo(w.rules, durable.Now(ctx))
		if err := w.show(ctx); err != nil {
			return err
		}
		suggested := workflow.GetInfo(ctx).GetContinueAsNewSuggested()
		switch {
		case next == priceEnd:
			w.alarm.Stop()
			if err := durable.Settle(ctx, w.take); err != nil {
				return err
			}
			return w.finish(ctx)
		case suggested:
			w.alarm.Stop()
			if err := durable.Settle(ctx, w.take); err != nil {
				return err
			}
			w.in.State = w.state
			return workflow.NewContinueAsNewError(ctx, PricingName, w.in)
		case next != priceWait:
			if err := w.perform(ctx, next); err != nil {
				return err
			}
			continue
		}
		at, why := w.state.next()
		w.alarm.Set(ctx, at, why)
		if err := workflow.Await(ctx, func() bool { return w.woken || w.alarm.Rang() || w.pending(ctx) }); err != nil {
			return err
		}
	}
}

func (w *pricingRun) handle(ctx workflow.Context) error {
	if err := DescribePricing.Handle(ctx, func() (PricingDescription, error) { return w.describe(), nil }); err != nil {
		return err
	}
	return durable.GiveAnswer.Handle(ctx, nil, func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
		w.woken = true
		return w.state.answer(a, durable.Now(ctx)), nil
	})
}

func (w *pricingRun) pending(ctx workflow.Context) bool {
	return UnitChanged.Pending(ctx) || durable.AnswerReceived.Pending(ctx)
}

// take drains all facts into the state and tells whether there were any.
func (w *pricingRun) take(ctx workflow.Context) bool {
	changes, bad := UnitChanged.Drain(ctx)
	for _, c := range changes {
		w.state.changed(c, w.in.UnitNow, durable.Now(ctx))
	}
	answers, unreadable := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		w.state.answer(a, durable.Now(ctx))
	}
	failures, unclear := durable.MessageFailed.Drain(ctx)
	unknown := durable.DrainUnknown(ctx, UnitChanged.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	lost := bad + unreadable + unclear + unknown
	w.state.Unusable += lost
	return len(changes)+len(answers)+len(failures)+lost > 0
}

// readRules reads the policy; where it does not follow the property, the pricing is over.
func (w *pricingRun) readRules(ctx workflow.Context) (err error) {
	p := w.state.Now.Property
	w.rules, err = activities.ReadPortfolio.RunLocal(ctx, activities.PlaceRef{PortfolioID: p.PortfolioID, PropertyID: p.ID}, "policy of the property")
	if err == nil && !w.rules.On() {
		w.state.off(durable.Now(ctx))
	}
	return err
}

func (w *pricingRun) perform(ctx workflow.Context, next pricingStep) error {
	switch next {
	case priceSuggest:
		return w.suggest(ctx)
	case priceAsk:
		return w.ask(ctx)
	case priceLeave:
		w.state.unanswered(durable.Now(ctx))
		return nil
	case priceWrite:
		return w.write(ctx)
	case priceTell:
		return w.tell(ctx)
	case priceWait, priceEnd:
	}
	return nil
}

// suggest has a rent suggested for the unit as it is now, and closes questions about an
// earlier suggestion.
func (w *pricingRun) suggest(ctx workflow.Context) error {
	s := w.state
	if s.Round > 0 {
		if _, err := activities.CloseQuestions.RunLocal(ctx, activities.None{}, "close the questions"); err != nil {
			return err
		}
	}
	asked := s.Now
	in := activities.PriceUnitInput{Property: asked.Property, Unit: asked.Unit, ListedDays: w.listedDays(durable.Now(ctx)), PricedDays: w.listedDays(w.in.PricedAt)}
	in.Property.Units, in.Unit.Rent = nil, cmp.Or(s.Asks, asked.Unit.Rent)
	p, err := activities.PriceUnit.Run(ctx, in, "suggest a rent")
	if temporal.IsCanceledError(err) {
		return err
	}
	w.take(ctx)
	switch now := durable.Now(ctx); {
	case s.Outcome != "":
	case err != nil:
		s.unread(durable.KindOf(err), now)
	case !pricedAlike(asked.Unit, s.Now.Unit) && s.Round < priceRounds:
		s.Round++ // it has changed meanwhile
	default:
		s.suggested(p, w.rules, now)
	}
	return nil
}

// listedDays is for how many whole days the home had been offered at a time.
func (w *pricingRun) listedDays(at time.Time) int {
	if w.in.ListedAt.IsZero() {
		return 0
	}
	return max(int(at.Sub(w.in.ListedAt)/(24*time.Hour)), 0)
}

func (w *pricingRun) ref(ctx workflow.Context) string {
	info := workflow.GetInfo(ctx)
	return info.WorkflowExecution.ID + "@" + info.FirstRunID
}

// write has RentVine hold what was decided. The property hears it first, as RentVine tells
// of our own write too. The marketing of the unit goes by the decision wherever it is held.
func (w *pricingRun) write(ctx workflow.Context) error {
	s := w.state
	if err := w.tellProperty(ctx, s.Rent); err != nil {
		return err
	}
	in := activities.WriteUnitRentInput{PropertyID: s.Now.Property.ID, UnitID: s.Now.Unit.ID, Rent: s.Rent, Was: s.Was}
	written, err := activities.WriteUnitRent.Run(ctx, in, "write the rent to RentVine")
	now := durable.Now(ctx)
	switch {
	case temporal.IsCanceledError(err):
		return err
	case err != nil:
		s.wrote(false, durable.KindOf(err), now)
	case written.Conflict != nil && written.Conflict.Outcome != activities.ConflictOurs:
		s.met(*written.Conflict, written.Rent, now)
		return w.tellProperty(ctx, written.Rent)
	case !written.OK:
		s.wrote(false, fmt.Sprintf("it holds %s", written.Rent), now)
	default:
		s.wrote(true, "", now)
	}
	return w.settle(ctx)
}

// tellProperty tells the property which rent RentVine holds, or is about to; it may have
// ended already.
func (w *pricingRun) tellProperty(ctx workflow.Context, rent policy.Cents) error {
	now := w.state.Now
	if err := PriceSettled.SendFrom(ctx, PropertyID(now.Property.ID), Price{UnitID: now.Unit.ID, Rent: rent}).Get(ctx, nil); temporal.IsCanceledError(err) {
		return err
	}
	return nil
}

// settle tells the marketing of the unit, once; it may have ended already.
func (w *pricingRun) settle(ctx workflow.Context) error {
	s := w.state
	if w.in.Vacancy == "" || s.Settled {
		return nil
	}
	s.Settled = true
	price := Price{UnitID: w.in.Unit.ID, Rent: s.Rent}
	if s.Outcome == PricingCancelled {
		price.Rent = 0
	}
	if err := PriceSettled.SendFrom(ctx, w.in.Vacancy, price).Get(ctx, nil); temporal.IsCanceledError(err) {
		return err
	}
	return nil
}

// finish closes the questions and tells who waits for it.
func (w *pricingRun) finish(ctx workflow.Context) error {
	s := w.state
	if _, err := activities.CloseQuestions.RunLocal(ctx, activities.None{}, "close the questions"); err != nil {
		return err
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	ended := Ended{WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Kind: "pricing", UnitID: w.in.Unit.ID, Outcome: s.Outcome}
	if s.Wrote || s.Kept {
		ended.Rent = s.Rent
	}
	if err := ChildEnded.SendFrom(ctx, PropertyID(w.in.Property.ID), ended).Get(ctx, nil); temporal.IsCanceledError(err) {
		return err
	}
	return w.show(ctx)
}

// zone is where quiet hours are meant.
func (w *pricingRun) zone() string {
	if zone := w.state.Now.Property.Zone; zone != "" {
		return zone
	}
	return w.rules.TimeZone
}

// place is the unit as people know it.
func (w *pricingRun) place() string {
	n := w.state.Now
	place := n.Property.Address
	if place == "" {
		place = "property " + n.Property.ID
	}
	if n.Unit.Label != "" {
		place += ", " + n.Unit.Label
	}
	return place
}

func (w *pricingRun) money(c policy.Cents) string {
	return policy.Money{Amount: c, Currency: w.rules.Currency}.String()
}

// ask asks the manager, and at last the escalation contact, by the policy as it is now.
func (w *pricingRun) ask(ctx workflow.Context) error {
	s := w.state
	if err := w.readRules(ctx); err != nil || s.Outcome != "" || s.Suggestion == nil {
		return err
	}
	q := w.question(ctx)
	if s.Theirs > 0 {
		q = w.conflictQuestion(ctx)
		if s.Asked == 0 {
			// What was asked before is settled.
			if _, err := activities.CloseQuestions.RunLocal(ctx, activities.None{}, "close the questions"); err != nil {
				return err
			}
		}
	}
	_, held, err := asking.Person(ctx, q)
	switch {
	case err != nil:
		return err
	case !held.IsZero():
		s.AskAt = held
	default:
		s.asked(w.rules, durable.Now(ctx))
	}
	return nil
}

// tell has the manager enter by hand what RentVine does not hold, or tells what was kept.
func (w *pricingRun) tell(ctx workflow.Context) error {
	s := w.state
	text := fmt.Sprintf("The rent of %s was decided to be %s, and RentVine does not hold it. Please enter it there.", w.place(), w.money(s.Rent))
	subject := "Please enter a rent in RentVine"
	if s.Kept {
		subject = "A rent was not written to RentVine"
		text = fmt.Sprintf("The rent of %s was decided to be %s. Somebody has set %s at RentVine meanwhile, which stays.", w.place(), w.money(s.Was), w.money(s.Rent))
	}
	sent, err := activities.SendMessages.Run(ctx, activities.SendMessagesInput{Ref: w.ref(ctx), Zone: w.zone(), Messages: []activities.Message{{
		Step: "price_not_written", To: activities.PersonOf(w.rules.Manager), Class: activities.Work, Channels: []activities.Channel{activities.Mail},
		Subject: subject, Text: text,
	}}}, "tell that RentVine does not hold the rent")
	switch {
	case temporal.IsCanceledError(err):
		return err
	case err != nil:
		workflow.GetLogger(ctx).Warn("the manager could not be told of a rent", "kind", durable.KindOf(err))
	case sent[0].Outcome == activities.MessageHeld:
		s.TellAt = durable.Now(ctx).Add(priceTellPause)
		if sent[0].HeldUntil.After(s.TellAt) {
			s.TellAt = sent[0].HeldUntil
		}
		return nil
	}
	s.Untold = false
	return nil
}

// priceTellPause is how long a letter that may not leave yet waits at least (business
// time).
const priceTellPause = 15 * time.Minute

// show tells the Web UI and its lists where the pricing is.
func (w *pricingRun) show(ctx workflow.Context) error {
	if text := w.details(); text != w.shown {
		w.shown = text
		workflow.SetCurrentDetails(ctx, text)
	}
	stage, waiting, due := w.state.stage(), "", durable.DueBy.ValueUnset()
	at, _ := w.state.next()
	if stage == stageAsking {
		waiting, due = "manager", durable.DueBy.ValueSet(at)
	}
	if key := stage + at.String(); key != w.stage {
		w.stage = key
		return workflow.UpsertTypedSearchAttributes(ctx, durable.Stage.ValueSet(stage), durable.WaitingFor.ValueSet(waiting), due)
	}
	return nil
}

func (w *pricingRun) describe() PricingDescription {
	s := w.state
	d := PricingDescription{
		PropertyID: w.in.Property.ID, UnitID: w.in.Unit.ID, Why: w.in.Why, Stage: s.stage(), Suggestion: s.Suggestion, Asked: s.Asked,
		Rent: s.Rent, By: s.By, Timeline: s.Timeline, Unusable: s.Unusable,
	}
	if s.Outcome == "" || s.Untold {
		d.NextAt, d.Next = s.next()
	}
	return d
}

// details is the status in the Web UI.
func (w *pricingRun) details() string {
	d := w.describe()
	lines := []string{fmt.Sprintf("Rent of unit %s, property %s: **%s**", d.UnitID, d.PropertyID, policy.Words(d.Stage))}
	if d.Suggestion != nil {
		lines = append(lines, "", d.Suggestion.Reason)
	}
	if !d.NextAt.IsZero() {
		lines = append(lines, fmt.Sprintf("\nNext: **%s**, %s", d.Next, d.NextAt.Format(time.RFC3339)))
	}
	lines = append(lines, "")
	for _, n := range d.Timeline {
		lines = append(lines, "- "+n.At.Format(time.RFC3339)+" "+n.What)
	}
	return strings.Join(lines, "\n")
}
