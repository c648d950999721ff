package portfolio

import (
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Property follows one property of RentVine and its units; its id is "property/<id>".
// Webhooks, the sweep and leases reach it by SignalWithStart.
var Property = durable.Definition[PropertyInput, PropertyResult]{
	Name: PropertyName, Run: property, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

var (
	// BeginNow begins something by an operator's command.
	BeginNow = durable.Update[BeginNowCommand, durable.Outcome]{
		Name: "begin", Description: "Begin something now: {by, why, kind: vacancy, pricing or compliance, unit_id}",
	}
	// DescribeProperty shows the property.
	DescribeProperty = durable.Query[PropertyDescription]{
		Name: "describe", Description: "What is known of this property, what was begun and why, and what is next",
	}
)

type (
	// PropertyInput starts the workflow; an event follows as a signal.
	PropertyInput = durable.Entity[PropertyState]
	// PropertyResult tells how it ended.
	PropertyResult struct {
		Outcome string `json:"outcome"`
	}
	// BeginNowCommand is an operator's. UnitID is "" for what concerns the property.
	BeginNowCommand struct {
		durable.Command
		Kind   string `json:"kind"`
		UnitID string `json:"unit_id,omitempty"`
	}
	// PropertyDescription is what an operator sees. It names nobody.
	PropertyDescription struct {
		PropertyID string        `json:"property_id"`
		Stage      PropertyStage `json:"stage"`
		New        bool          `json:"new,omitempty"`
		Units      int           `json:"units"`
		Empty      int           `json:"empty"`
		ReadAt     time.Time     `json:"read_at,omitzero"`
		// Running are the ids of what was begun and goes on; Withdrawn those of units that
		// people have taken off the market.
		Running   []string `json:"running,omitempty"`
		Withdrawn []string `json:"withdrawn,omitempty"`
		Stopped   []string `json:"stopped,omitempty"`
		// Onboarding is such as "2 of 6 done", "" where there is none; Missing is what RentVine
		// does not know of a property that is new.
		Onboarding string   `json:"onboarding,omitempty"`
		Missing    []string `json:"missing,omitempty"`
		// Next is what happens next, and NextAt when (business time).
		Next     string         `json:"next,omitempty"`
		NextAt   time.Time      `json:"next_at,omitzero"`
		Timeline []entry        `json:"timeline,omitempty"`
		Events   map[string]int `json:"events,omitempty"`
		Unusable int            `json:"unusable,omitempty"`
	}
)

// propertyRun is one run of the workflow.
type propertyRun struct {
	in    PropertyInput
	state *PropertyState
	seen  durable.Seen
	alarm durable.Alarm
	shown string
	stage PropertyStage
	// closed tells that the questions of a checklist that has ended are closed.
	closed bool
}

const (
	// atOnce bounds what is begun, told or dropped before facts are taken again.
	atOnce = 100
	// A property that RentVine does not show is looked for again before that is believed: a
	// new one within minutes, one that was known within an hour (real time; each pause
	// doubles).
	unseenTries = 5
	unseenPause = 10 * time.Second
	gonePause   = 2 * time.Minute
	// A child says how it ends before it has ended: until then, another of the same id cannot
	// begin. Nearly always that takes a moment, and half an hour at most (real time).
	closingTries = 10
	closingPause = 2 * time.Second
	// refusedPause is how long after a refusal RentVine is read again (business time).
	refusedPause = 6 * time.Hour
)

func property(ctx workflow.Context, in PropertyInput) (PropertyResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &propertyRun{in: in, state: in.State, seen: in.Seen}
	if w.state == nil {
		w.state = &PropertyState{ID: in.ID, BeganAt: durable.Now(ctx), Stale: true}
	}
	durable.TellTimeline(ctx, func() []entry { return w.state.Timeline })
	if err := w.handle(ctx); err != nil {
		return PropertyResult{}, err
	}
	for {
		w.take(ctx)
		if err := w.act(ctx); err != nil {
			return PropertyResult{}, err
		}
		if err := w.show(ctx); err != nil {
			return PropertyResult{}, err
		}
		if w.state.over() {
			w.alarm.Stop()
			if err := durable.Settle(ctx, w.take); err != nil {
				return PropertyResult{}, err
			}
			if w.state.over() {
				return PropertyResult{Outcome: string(w.state.stage())}, nil
			}
			continue
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := durable.Settle(ctx, w.take); err != nil {
				return PropertyResult{}, err
			}
			next := PropertyInput{ID: in.ID, Clock: in.Clock, Seen: w.seen, State: w.state}
			return PropertyResult{}, workflow.NewContinueAsNewError(ctx, PropertyName, next)
		}
		if err := w.wait(ctx); err != nil {
			return PropertyResult{}, err
		}
	}
}

func (w *propertyRun) handle(ctx workflow.Context) error {
	if err := DescribeProperty.Handle(ctx, func() (PropertyDescription, error) { return w.state.describe(), nil }); err != nil {
		return err
	}
	if err := durable.SeenEvents.Handle(ctx, func() (durable.Seen, error) { return w.seen, nil }); err != nil {
		return err
	}
	err := durable.GiveAnswer.Handle(ctx, nil, func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
		return w.state.heard(a, durable.Now(ctx)), nil
	})
	if err != nil {
		return err
	}
	return BeginNow.Handle(ctx, w.mayBegin, func(ctx workflow.Context, c BeginNowCommand) (durable.Outcome, error) {
		w.state.command(c, durable.Now(ctx))
		return durable.Outcome{Message: "It begins."}, nil
	})
}

// mayBegin refuses what makes no sense, and says what does.
func (w *propertyRun) mayBegin(_ workflow.Context, c BeginNowCommand) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if why := w.state.refuses(c.Kind, c.UnitID); why != "" {
		return temporal.NewApplicationError(why, "invalid")
	}
	return nil
}

// refuses says why something cannot begin, "" where it can.
func (s *PropertyState) refuses(kind, unitID string) string {
	unit, known := s.View.Unit(unitID)
	switch {
	case kind != kindVacancy && kind != kindPricing && kind != kindCompliance:
		return "kind is one of vacancy, pricing, compliance"
	case !s.Known, !s.lives(), !s.Rules.On():
		return "the property is " + policy.Words(string(s.stage()))
	case kind == kindCompliance && unitID == "":
		return ""
	case !known:
		return "the property has no unit with unit_id " + unitID
	case !unit.Active:
		return "the unit is not active"
	case kind == kindVacancy && !unit.Empty():
		return "the unit is let: lease " + unit.LeaseID
	case kind == kindVacancy && s.runs(VacancyID(unitID)), kind == kindPricing && s.runs(PricingID(unitID)):
		return "one is under way: " + kind + "/" + unitID
	}
	return ""
}

// command takes an operator's wish, which begins after a fresh look.
func (s *PropertyState) command(c BeginNowCommand, now time.Time) {
	switch c.Kind {
	case kindVacancy:
		s.Withdrawn, s.ToMarket = without(s.Withdrawn, c.UnitID), with(s.ToMarket, c.UnitID)
	case kindPricing:
		s.ToPrice = with(s.ToPrice, c.UnitID)
	case kindCompliance:
		s.Stopped = slices.DeleteFunc(s.Stopped, func(id string) bool {
			return slices.ContainsFunc(s.required(), func(r child) bool { return r.ID == id && r.UnitID == c.UnitID })
		})
	}
	s.Stale = true
	s.note(now, "%s begun by an operator", c.Kind)
}

// take drains all facts into the state and tells whether there were any.
func (w *propertyRun) take(ctx workflow.Context) bool {
	events, bad := durable.EventReceived.Drain(ctx)
	found, unreadable := PropertyFound.Drain(ctx)
	for _, ev := range append(events, found...) {
		if durable.TakeOnce(ctx, &w.seen, ev.Key) {
			w.state.event(ev, durable.Now(ctx))
		}
	}
	ended, unclear := ChildEnded.Drain(ctx)
	for _, e := range ended {
		w.state.ended(e, durable.Now(ctx))
	}
	prices, unheard := PriceSettled.Drain(ctx)
	for _, p := range prices {
		w.state.settled(p.UnitID, p.Rent)
	}
	answers, garbled := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		w.state.heard(a, durable.Now(ctx))
	}
	failures, unsaid := durable.MessageFailed.Drain(ctx)
	unknown := durable.DrainUnknown(ctx, durable.EventReceived.Name, PropertyFound.Name, ChildEnded.Name,
		PriceSettled.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	broken := bad + unreadable + unclear + unheard + garbled + unsaid + unknown
	w.state.Unusable += broken
	return len(events)+len(found)+len(ended)+len(prices)+len(answers)+len(failures)+broken > 0
}

// act does what the state says is due.
func (w *propertyRun) act(ctx workflow.Context) error {
	if w.mayRead(ctx) {
		if err := w.read(ctx); err != nil {
			return err
		}
		w.take(ctx)
	}
	for _, step := range []func(workflow.Context) error{w.tell, w.drop, w.begin, w.onboard, w.closeQuestions} {
		if err := step(ctx); err != nil {
			return err
		}
		w.take(ctx)
	}
	return nil
}

func (w *propertyRun) mayRead(ctx workflow.Context) bool {
	return w.state.Stale && !w.state.RetryAt.After(durable.Now(ctx))
}

// read looks at RentVine; it waits for it as long as it takes.
func (w *propertyRun) read(ctx workflow.Context) error {
	s := w.state
	s.Stale = false // what is said from now on asks for another look
	pause := unseenPause
	if s.Known {
		pause = gonePause
	}
	var view activities.PropertyView
	err := durable.Again(ctx, unseenTries, pause, "RentVine does not show the property", func() (again bool, err error) {
		view, err = w.look(ctx)
		return !view.Found && s.View.Found == s.Known, err
	})
	if temporal.IsCanceledError(err) {
		return err
	}
	if err != nil {
		now := durable.Now(ctx)
		s.note(now, "RentVine refuses to show the property: %s", durable.KindOf(err))
		s.Stale, s.RetryAt = true, now.Add(refusedPause)
		return nil
	}
	ref := activities.PlaceRef{PortfolioID: view.PortfolioID, PropertyID: s.ID}
	if ref.PortfolioID == "" {
		ref.PortfolioID = s.View.PortfolioID
	}
	rules, err := activities.ReadPortfolio.RunLocal(ctx, ref, "policy of the property")
	if err != nil {
		return err
	}
	w.take(ctx)
	stale := s.Stale
	s.read(view, rules, durable.Now(ctx))
	s.Stale = stale
	return nil
}

// look reads the property. Before the leases were looked through once, nobody knows what
// is empty.
func (w *propertyRun) look(ctx workflow.Context) (activities.PropertyView, error) {
	view, err := activities.ReadProperty.Run(ctx, w.in.ID, "read the property")
	if err != nil || !view.OccupancyUnknown {
		return view, err
	}
	if _, err := activities.ReadTenancies.Run(ctx, activities.None{}, "look through the leases, once"); err != nil {
		return view, err
	}
	return activities.ReadProperty.Run(ctx, w.in.ID, "read the property again")
}

// tell lets what was begun know its unit or property as it is now.
func (w *propertyRun) tell(ctx workflow.Context) error {
	for _, c := range w.state.toTell(atOnce) {
		err := UnitChanged.SendFrom(ctx, c.ID, w.state.unitNow(c.UnitID)).Get(ctx, nil)
		if temporal.IsCanceledError(err) {
			return err
		}
		w.state.told(c.ID)
		if err != nil {
			// It has ended. What it said of that came before this failure, unless somebody
			// terminated it.
			w.take(ctx)
			w.state.lost(c.ID, durable.Now(ctx))
		}
	}
	return nil
}

// drop ends what the policy does not ask for any more.
func (w *propertyRun) drop(ctx workflow.Context) error {
	for _, c := range w.state.toDrop(atOnce) {
		why := "it is not required any more"
		if !w.state.lives() {
			why = "the property is not looked after any more"
		}
		err := RequirementDropped.SendFrom(ctx, c.ID, why).Get(ctx, nil)
		if temporal.IsCanceledError(err) {
			return err
		}
		w.state.dropped(c.ID, err == nil)
	}
	return nil
}

// begin starts what is wanted.
func (w *propertyRun) begin(ctx workflow.Context) error {
	for _, c := range w.state.toBegin(atOnce) {
		if err := w.start(ctx, c); err != nil {
			return err
		}
		w.state.began(c)
		if c.Kind != kindCompliance {
			w.state.note(durable.Now(ctx), "%s begins", c.ID)
		}
	}
	return nil
}

// start starts one. Where it runs already, begun by others or by an earlier run, it is
// followed as if it had been begun here.
func (w *propertyRun) start(ctx workflow.Context, c child) error {
	s := w.state
	now := s.unitNow(c.UnitID)
	attributes := []temporal.SearchAttributeUpdate{durable.EventSource.ValueSet("rentvine"), durable.PropertyID.ValueSet(s.ID)}
	if c.UnitID != "" {
		attributes = append(attributes, durable.UnitID.ValueSet(c.UnitID))
	}
	var name, summary string
	var in any
	switch c.Kind {
	case kindVacancy:
		name, summary = VacancyName, "lets unit "+c.UnitID
		in = VacancyInput{UnitNow: now, Clock: w.in.Clock, Why: "the vacancy rate rose"}
	case kindPricing:
		name, summary = PricingName, "price of unit "+c.UnitID
		in = PricingInput{UnitNow: now, Clock: w.in.Clock, Why: "the rent was changed"}
	default:
		name, summary = ComplianceName, policy.Words(c.RequirementID)+" of property "+s.ID
		place := now.Property
		if c.UnitID != "" {
			place.Units = []activities.UnitView{now.Unit}
		}
		in = ComplianceInput{Property: place, UnitID: c.UnitID, RequirementID: c.RequirementID, Clock: w.in.Clock, New: c.New}
	}
	return durable.Again(ctx, closingTries, closingPause, "the one before is about to end", func() (again bool, err error) {
		started, err := durable.StartAbandoned(ctx, name, in, workflow.ChildWorkflowOptions{
			WorkflowID: c.ID, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			StaticSummary: summary, TypedSearchAttributes: temporal.NewSearchAttributes(attributes...),
		})
		return !started && slices.Contains(s.Closing, c.ID), err
	})
}

// closeQuestions closes the links of a checklist that has ended.
func (w *propertyRun) closeQuestions(ctx workflow.Context) error {
	if w.state.onboards() {
		w.closed = false
		return nil
	}
	if w.closed || w.state.Onboarding.Asked == 0 {
		return nil
	}
	w.closed = true
	_, err := activities.CloseSteps.RunLocal(ctx, []string{onboardingStep}, "close the checklist")
	return err
}

func (w *propertyRun) wait(ctx workflow.Context) error {
	s := w.state
	at, why := s.next(durable.Now(ctx))
	w.alarm.Set(ctx, at, why)
	return workflow.Await(ctx, func() bool {
		// While RentVine refuses to show the property, it is not asked before RetryAt.
		asked := s.Stale && s.RetryAt.IsZero()
		return w.alarm.Rang() || asked || s.busy() || s.Onboarding.Outcome != "" && s.Onboarding.Asked > 0 && !w.closed ||
			durable.EventReceived.Pending(ctx) || PropertyFound.Pending(ctx) || ChildEnded.Pending(ctx) ||
			PriceSettled.Pending(ctx) || durable.AnswerReceived.Pending(ctx) || durable.MessageFailed.Pending(ctx)
	})
}

// busy tells whether something is to be told, dropped or begun at once.
func (s *PropertyState) busy() bool {
	return len(s.toTell(1)) > 0 || len(s.toDrop(1)) > 0 || len(s.toBegin(1)) > 0
}

// next is when something is due, zero for never, and what.
func (s *PropertyState) next(now time.Time) (at time.Time, why string) {
	if !s.RetryAt.IsZero() {
		at, why = s.RetryAt, "read the property again"
	}
	if due := s.onboardingDue(now); !due.IsZero() && (at.IsZero() || due.Before(at)) {
		at, why = due, "ask about the checklist"
	}
	return at, why
}

// show tells the Web UI and its lists where the property is.
func (w *propertyRun) show(ctx workflow.Context) error {
	if text := w.state.details(); text != w.shown {
		w.shown = text
		workflow.SetCurrentDetails(ctx, text)
	}
	stage := w.state.stage()
	if stage == w.stage || !w.state.Known {
		return nil
	}
	first := w.stage == ""
	w.stage = stage
	attributes := []temporal.SearchAttributeUpdate{durable.Stage.ValueSet(string(stage)), durable.WaitingFor.ValueUnset()}
	if stage == PropertyOnboarding {
		attributes[1] = durable.WaitingFor.ValueSet("manager")
	}
	if first {
		attributes = append(attributes, durable.EventSource.ValueSet("rentvine"), durable.PropertyID.ValueSet(w.in.ID))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, attributes...)
}

func (s *PropertyState) describe() PropertyDescription {
	at, why := s.next(s.View.ReadAt)
	units, empty := s.View.Vacancy()
	d := PropertyDescription{
		PropertyID: s.ID, Stage: s.stage(), New: s.New, Units: units, Empty: empty, ReadAt: s.View.ReadAt,
		Withdrawn: s.Withdrawn, Stopped: s.Stopped, Next: why, NextAt: at, Timeline: s.Timeline, Events: s.Events, Unusable: s.Unusable,
	}
	for _, c := range s.Children {
		d.Running = append(d.Running, c.ID)
	}
	if o := s.Onboarding; len(o.Items) > 0 {
		d.Onboarding = strings.TrimSpace(fmt.Sprintf("%d of %d done %s", len(o.Done), len(o.Items), o.Outcome))
		d.Missing = s.missing()
	}
	return d
}

// details is the status in the Web UI.
func (s *PropertyState) details() string {
	d := s.describe()
	lines := []string{fmt.Sprintf("Property %s: **%s**", d.PropertyID, policy.Words(string(d.Stage))),
		fmt.Sprintf("\n%d units, %d empty.", d.Units, d.Empty), ""}
	if d.Onboarding != "" {
		lines = append(lines, "- onboarding: "+d.Onboarding)
	}
	for _, id := range d.Running[:min(len(d.Running), 12)] {
		lines = append(lines, "- "+id)
	}
	if more := len(d.Running) - 12; more > 0 {
		lines = append(lines, fmt.Sprintf("- and %d more", more))
	}
	if !d.NextAt.IsZero() {
		lines = append(lines, fmt.Sprintf("\nNext: **%s**, %s", d.Next, d.NextAt.Format(time.RFC3339)))
	}
	lines = append(lines, "")
	for _, e := range d.Timeline[max(0, len(d.Timeline)-8):] {
		lines = append(lines, "- "+e.At.Format(time.RFC3339)+" "+e.What)
	}
	return strings.Join(lines, "\n")
}
