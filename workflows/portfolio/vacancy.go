package portfolio

import (
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/listingtext"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/asking"
	"github.com/aictive/keyholder/workflows/durable"
)

// Vacancy lets an empty home; its id is "vacancy/<unit>". The manager approves the listing,
// which is then published; whoever asks is answered at once, shown the home and asked to
// apply. It ends when the unit has a lease, or the listing is withdrawn.
var Vacancy = durable.Definition[VacancyInput, VacancyResult]{
	Name: VacancyName, Run: letHome, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// Withdraw takes a home off the market.
var Withdraw = durable.Update[durable.Command, durable.Outcome]{
	Name: "withdraw", Description: "Take the home off the market; prospects are told: {by, why}",
}

// VacancyResult tells how it ended.
type VacancyResult struct {
	// Outcome is "let", "withdrawn" where people took the home off the market, or "stopped"
	// where something else ended it.
	Outcome string `json:"outcome"`
	// DaysListed are of business time.
	DaysListed   int          `json:"days_listed"`
	Leads        int          `json:"leads"`
	Showings     int          `json:"showings"`
	Applications int          `json:"applications"`
	Cost         policy.Cents `json:"cost"`
}

const (
	// rulesFor is how long the policy that was read counts (business time).
	rulesFor = 24 * time.Hour
	// Real time: a partner that is away holds up nobody else for longer, and what failed is
	// not tried again sooner.
	patience  = 2 * time.Minute
	shortRest = 30 * time.Second
	// priceWithin is how long a rent is looked for where none is known.
	priceWithin = 15 * time.Minute
	// tasksAtOnce bounds the work between two looks at the clock and the history's length,
	// lettersAtOnce a batch.
	tasksAtOnce   = 50
	lettersAtOnce = 10
)

// vacancyRun is one run of the workflow: it carries out what the state decides.
type vacancyRun struct {
	in    VacancyInput
	unit  UnitNow
	state *VacancyState
	ref   string

	alarm    durable.Alarm
	said     bool // somebody has said something since the last look
	more     bool // there was more to do than at once
	told     bool // the property knows that it is over
	unusable int
	shown    string
	stage    string
	due      time.Time
}

func letHome(ctx workflow.Context, in VacancyInput) (VacancyResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	info := workflow.GetInfo(ctx)
	w := &vacancyRun{in: in, unit: in.UnitNow, state: in.State, ref: info.WorkflowExecution.ID + "@" + info.FirstRunID}
	if w.state == nil {
		w.state = newVacancy(in.UnitNow, durable.Now(ctx))
	}
	durable.TellTimeline(ctx, func() []LogEntry { return w.state.Log })
	w.state.pause = in.Clock.Business(shortRest)
	if err := w.handle(ctx); err != nil {
		return VacancyResult{}, err
	}
	w.state.over(w.unit, durable.Now(ctx))
	for {
		w.take(ctx)
		err := w.act(ctx)
		if temporal.IsCanceledError(err) || ctx.Err() != nil {
			// What was begun with people is taken back before the workflow ends.
			ctx, _ = workflow.NewDisconnectedContext(ctx)
			w.alarm.Stop()
			w.state.end(StageStopped, "cancelled by an operator", durable.Now(ctx))
			continue
		}
		if err != nil {
			return VacancyResult{}, err
		}
		if err := w.show(ctx); err != nil {
			return VacancyResult{}, err
		}
		if done, err := w.finish(ctx); done || err != nil {
			return w.state.result(), err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := durable.Settle(ctx, w.take); err != nil {
				return VacancyResult{}, err
			}
			w.in.UnitNow, w.in.State = w.unit, w.state
			return VacancyResult{}, workflow.NewContinueAsNewError(ctx, VacancyName, w.in)
		}
		if err := w.wait(ctx); err != nil && !temporal.IsCanceledError(err) {
			return VacancyResult{}, err
		}
	}
}

func (w *vacancyRun) handle(ctx workflow.Context) error {
	describe := func() (VacancyDescription, error) {
		d := w.state.describe(w.unit, durable.Now(ctx))
		d.Unusable = w.unusable
		return d, nil
	}
	if err := DescribeVacancy.Handle(ctx, describe); err != nil {
		return err
	}
	err := durable.GiveAnswer.Handle(ctx, w.mayAnswer, func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
		return w.answer(a, durable.Now(ctx)), nil
	})
	if err != nil {
		return err
	}
	refuse := func(_ workflow.Context, c durable.Command) error { return c.Validate() }
	return Withdraw.Handle(ctx, refuse, func(ctx workflow.Context, _ durable.Command) (durable.Outcome, error) {
		if w.state.Outcome != "" {
			return durable.Outcome{Late: true, Message: "It has ended already: " + w.state.Outcome + "."}, nil
		}
		w.state.end(StageWithdrawn, "withdrawn by an operator", durable.Now(ctx))
		w.said = true
		return durable.Outcome{Message: "The home is taken off the market; prospects are told."}, nil
	})
}

// mayAnswer refuses an approval that has to be mended; its form is shown again.
func (w *vacancyRun) mayAnswer(_ workflow.Context, a durable.Answer) error {
	taken := slices.ContainsFunc(w.state.Taken, func(t TakenAnswer) bool { return t.ID == a.ID })
	if why := w.state.refuses(a, w.unit); why != "" && !taken {
		return temporal.NewApplicationError(why, "invalid")
	}
	return nil
}

// answer takes what a person says, once.
func (w *vacancyRun) answer(a durable.Answer, now time.Time) durable.Outcome {
	for _, t := range w.state.Taken {
		if t.ID == a.ID {
			return t.Outcome
		}
	}
	w.said = true
	out := w.state.heard(a, w.unit, now)
	w.state.Taken = append(w.state.Taken, TakenAnswer{a.ID, out})
	w.state.Taken = w.state.Taken[max(0, len(w.state.Taken)-maxTaken):]
	return out
}

// take drains all facts into the state and tells whether there were any.
func (w *vacancyRun) take(ctx workflow.Context) bool {
	now, s := durable.Now(ctx), w.state
	units, bad1 := UnitChanged.Drain(ctx)
	for _, u := range units {
		s.changed(&w.unit, u, now)
	}
	leads, bad2 := LeadReceived.Drain(ctx)
	for _, l := range leads {
		s.take(l, now, workflow.Now(ctx)) //nolint:forbidigo // how fast people are answered is real time
	}
	prices, bad3 := PriceSettled.Drain(ctx)
	for _, p := range prices {
		s.repriced(p, now)
	}
	answers, bad4 := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		w.answer(a, now)
	}
	failures, bad5 := durable.MessageFailed.Drain(ctx)
	for _, f := range failures {
		s.failed(f.Step, now)
	}
	unknown := durable.DrainUnknown(ctx, UnitChanged.Name, LeadReceived.Name, PriceSettled.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	bad := bad1 + bad2 + bad3 + bad4 + bad5 + unknown
	w.unusable += bad
	return len(units)+len(leads)+len(prices)+len(answers)+len(failures)+bad > 0
}

// act carries out what is due.
func (w *vacancyRun) act(ctx workflow.Context) error {
	w.said, w.more = false, false
	if err := w.readRules(ctx); err != nil {
		return err
	}
	for range tasksAtOnce {
		w.take(ctx)
		w.state.tick(w.unit, durable.Now(ctx))
		wrote := false
		if len(w.state.Closes) == 0 { // before a new question of the same person leaves
			var err error
			if wrote, err = w.write(ctx); err != nil {
				return err
			}
		}
		t, n := w.state.todo(w.unit, durable.Now(ctx))
		if t == taskNone && !wrote {
			return nil
		}
		if err := w.do(ctx, t, n); err != nil {
			return err
		}
	}
	w.more = true
	return nil
}

// readRules reads the policy again where the last look at it is old. What was begun goes on
// by the last rules where the policy says nothing of homes any more.
func (w *vacancyRun) readRules(ctx workflow.Context) error {
	s, now := w.state, durable.Now(ctx)
	if !s.RulesAt.IsZero() && now.Sub(s.RulesAt) < rulesFor {
		return nil
	}
	p := w.unit.Property
	rules, err := activities.ReadPortfolio.RunLocal(ctx, activities.PlaceRef{PortfolioID: p.PortfolioID, PropertyID: p.ID}, "policy of homes")
	if err != nil {
		return err
	}
	first := s.RulesAt.IsZero()
	s.RulesAt = now
	switch {
	case rules.On():
		s.Rules = rules
	case first:
		s.end(StageStopped, "homes are not followed", now)
	}
	if first {
		s.doubt(w.unit)
	}
	return nil
}

// do carries out one piece of work. Only a cancellation is an error.
func (w *vacancyRun) do(ctx workflow.Context, t task, n int) error {
	switch t {
	case taskNone:
		return nil
	case taskPrice:
		return w.price(ctx)
	case taskWrite:
		return w.word(ctx)
	case taskAsk:
		return w.ask(ctx)
	case taskReview:
		return w.review(ctx)
	case taskBook:
		return w.book(ctx, n)
	case taskUnbook:
		return w.unbook(ctx, n)
	case taskInvite:
		return w.invite(ctx, n, false)
	case taskUninvite:
		return w.invite(ctx, n, true)
	case taskApply:
		return w.apply(ctx, n)
	case taskPublish:
		return w.publish(ctx)
	case taskClose:
		return w.closeQuestions(ctx)
	case taskWithdraw:
		return w.withdraw(ctx)
	case taskRecord:
		return w.record(ctx)
	}
	return nil
}

func (w *vacancyRun) publish(ctx workflow.Context) error {
	s, now := w.state, durable.Now(ctx)
	listing := s.listing(w.unit, workflow.GetInfo(ctx).WorkflowExecution.ID, now)
	s.Publish = false
	if _, err := activities.PublishListing.RunLocal(ctx, listing, "publish the home"); err != nil {
		s.Publish = true
		return err
	}
	if s.Outcome == "" {
		s.listed(now)
	}
	return nil
}

func (w *vacancyRun) closeQuestions(ctx workflow.Context) error {
	s := w.state
	closing := s.Closes
	s.Closes = nil
	_, err := activities.CloseSteps.RunLocal(ctx, closing, "close questions")
	if err != nil {
		s.Closes = append(closing, s.Closes...)
	}
	return err
}

func (w *vacancyRun) withdraw(ctx workflow.Context) error {
	_, err := activities.WithdrawListing.RunLocal(ctx, w.unit.Unit.ID, "withdraw the listing")
	w.state.Withdrawn = err == nil
	return err
}

func (w *vacancyRun) record(ctx workflow.Context) error {
	_, err := activities.RecordLetting.RunLocal(ctx, w.state.letting(w.unit, w.ref), "record how it ended")
	w.state.Recorded = err == nil
	return err
}

// price looks for a rent where none is known.
func (w *vacancyRun) price(ctx workflow.Context) error {
	found, err := activities.PriceUnit.Limited(priceWithin).Run(ctx, activities.PriceUnitInput{Property: w.unit.Property, Unit: w.unit.Unit}, "suggest a rent")
	if temporal.IsCanceledError(err) {
		return err
	}
	why := ""
	if err == nil && found.Rent > 0 {
		why = fmt.Sprintf("suggested, %d%% sure", found.Confidence)
	}
	w.state.priced(found.Rent, why, durable.Now(ctx))
	return nil
}

// word writes the words of the listing.
func (w *vacancyRun) word(ctx workflow.Context) error {
	s, now := w.state, durable.Now(ctx)
	in := activities.WriteListingInput{Facts: s.facts(w.unit, now), Headline: s.Rules.Vacancy.Headline, Text: s.Rules.Vacancy.Text}
	words, err := activities.WriteListing.Run(ctx, in, "write the listing")
	if temporal.IsCanceledError(err) {
		return err
	}
	if err != nil {
		words = listingtext.Template(in.Headline, in.Text, in.Facts)
	}
	s.wrote(words, in.Facts)
	return nil
}

// ask asks the manager, and then the escalation contact, whether to publish.
func (w *vacancyRun) ask(ctx workflow.Context) error {
	q := w.state.approval(w.unit, w.in.Why, durable.Now(ctx))
	q.Ref = w.ref
	reached, held, err := asking.Person(ctx, q)
	if err != nil {
		return err
	}
	if !held.IsZero() {
		w.state.AskAt = held
		return nil
	}
	w.state.askedToPublish(reached, durable.Now(ctx))
	return nil
}

// review starts the pricing of the unit, where none runs.
func (w *vacancyRun) review(ctx workflow.Context) error {
	s, p, unit := w.state, w.unit.Property, w.unit.Unit
	s.reviewed(durable.Now(ctx))
	_, err := durable.StartAbandoned(ctx, PricingName, PricingInput{
		UnitNow: w.unit, Clock: w.in.Clock, Why: fmt.Sprintf("listed for %d days and nobody applies", s.daysListed(durable.Now(ctx))),
		ListedAt: s.ListedAt, PricedAt: s.PricedAt, Asked: s.Rent, Vacancy: workflow.GetInfo(ctx).WorkflowExecution.ID,
	}, workflow.ChildWorkflowOptions{
		WorkflowID: PricingID(unit.ID), WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary: "look at the price of unit " + unit.ID,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			durable.PropertyID.ValueSet(p.ID), durable.UnitID.ValueSet(unit.ID), durable.Reason.ValueSet("nobody_applies")),
	})
	return err
}

// finish ends the workflow where all is told and taken back, and nothing has come since.
func (w *vacancyRun) finish(ctx workflow.Context) (done bool, err error) {
	s := w.state
	if !s.finished(w.unit, durable.Now(ctx)) {
		return false, nil
	}
	w.alarm.Stop()
	if !w.told {
		w.told = true
		lettingsEnded.Inc(ctx, s.Outcome)
		ended := Ended{WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Kind: "vacancy", UnitID: w.unit.Unit.ID, Outcome: s.Outcome}
		if err := ChildEnded.SendFrom(ctx, PropertyID(w.unit.Property.ID), ended).Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Info("the property is not followed any more", "kind", durable.KindOf(err))
		}
	}
	if err := durable.Settle(ctx, w.take); err != nil {
		return false, err
	}
	return s.finished(w.unit, durable.Now(ctx)), nil
}

func (w *vacancyRun) wait(ctx workflow.Context) error {
	if w.more {
		return nil
	}
	at, why := w.state.next()
	w.alarm.Set(ctx, at, why)
	return workflow.Await(ctx, func() bool {
		return w.said || w.alarm.Rang() || UnitChanged.Pending(ctx) || LeadReceived.Pending(ctx) || PriceSettled.Pending(ctx) ||
			durable.AnswerReceived.Pending(ctx) || durable.MessageFailed.Pending(ctx)
	})
}

// waitsFor says for each stage whose move it is.
func waitsFor(stage string) string {
	switch stage {
	case StagePreparing, StageApproving:
		return "manager"
	case StageListed:
		return "prospects"
	case StageShowing:
		return "showing"
	case StageApplied:
		return "lease"
	}
	return "nobody"
}

// show tells the Web UI and its lists where it is.
func (w *vacancyRun) show(ctx workflow.Context) error {
	d := w.state.describe(w.unit, durable.Now(ctx))
	if text := d.details(); text != w.shown {
		w.shown = text
		workflow.SetCurrentDetails(ctx, text)
	}
	if d.Stage == w.stage && d.NextAt.Equal(w.due) {
		return nil
	}
	updates := []temporal.SearchAttributeUpdate{
		durable.PropertyID.ValueSet(w.unit.Property.ID), durable.UnitID.ValueSet(w.unit.Unit.ID),
		durable.Stage.ValueSet(d.Stage), durable.WaitingFor.ValueSet(waitsFor(d.Stage)), durable.DueBy.ValueUnset(),
	}
	if !d.NextAt.IsZero() {
		updates[len(updates)-1] = durable.DueBy.ValueSet(d.NextAt)
	}
	w.stage, w.due = d.Stage, d.NextAt
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}
