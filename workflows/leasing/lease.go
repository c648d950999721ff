// Package leasing accompanies leases: a workflow for each lease, from its creation until
// it is closed, and one for each campaign that it begins.
package leasing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/leasescore"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
	"github.com/aictive/keyholder/workflows/leasing/movein"
	"github.com/aictive/keyholder/workflows/leasing/renewal"
	"github.com/aictive/keyholder/workflows/leasing/retention"
)

// Lease follows one lease of RentVine; its id is "lease/<id>". Webhooks and the sweep
// reach it by SignalWithStart.
var Lease = durable.Definition[LeaseInput, LeaseResult]{
	Name: LeaseName, Run: lease, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// LeaseName is the durable name.
const LeaseName = "leasing.lease"

// LeaseID is the workflow id of a lease.
func LeaseID(leaseID string) string { return "lease/" + leaseID }

// What reaches a lease beside events.
var (
	// LeaseFound tells that the sweep has found the lease, or a change of it.
	LeaseFound = durable.Signal[durable.Event]{Name: "lease_found"}
	// CampaignEnded tells how a campaign has ended.
	CampaignEnded = durable.Signal[Ended]{Name: "campaign_ended"}
	// BeginCampaign begins a campaign by an operator's command.
	BeginCampaign = durable.Update[BeginCommand, durable.Outcome]{
		Name: "begin", Description: "Begin a campaign now: {by, why, kind: move_in, renewal or retention}",
	}
	// DescribeLease shows the lease.
	DescribeLease = durable.Query[LeaseDescription]{
		Name: "describe", Description: "What is known of this lease, what was decided and why, and what is next",
	}
)

type (
	// LeaseInput starts the workflow; an event follows as a signal.
	LeaseInput = durable.Entity[LeaseState]
	// LeaseResult tells how it ended.
	LeaseResult struct {
		Outcome string `json:"outcome"`
	}
	// BeginCommand is an operator's.
	BeginCommand struct {
		durable.Command
		Kind string `json:"kind"`
	}
	// LeaseDescription is what an operator sees. It names nobody.
	LeaseDescription struct {
		LeaseID    string                 `json:"lease_id"`
		Stage      Stage                  `json:"stage"`
		Adopted    bool                   `json:"adopted"`
		Status     string                 `json:"status,omitempty"`
		MovesIn    string                 `json:"moves_in,omitempty"`
		Ends       string                 `json:"ends,omitempty"`
		Rent       policy.Cents           `json:"rent,omitempty"`
		Tenants    int                    `json:"tenants"`
		MoveIn     Course                 `json:"move_in,omitzero"`
		Renewal    Course                 `json:"renewal,omitzero"`
		Retention  Course                 `json:"retention,omitzero"`
		RenewalAt  time.Time              `json:"renewal_at,omitzero"`
		Assessment *leasescore.Assessment `json:"assessment,omitempty"`
		Checks     []Check                `json:"checks,omitempty"`
		// Next is what happens next, and NextAt when (business time).
		Next     string           `json:"next,omitempty"`
		NextAt   time.Time        `json:"next_at,omitzero"`
		Timeline []campaign.Entry `json:"timeline,omitempty"`
		Events   map[string]int   `json:"events,omitempty"`
		Unusable int              `json:"unusable,omitempty"`
	}
)

// leaseRun is one run of the workflow.
type leaseRun struct {
	in    LeaseInput
	state *LeaseState
	seen  durable.Seen
	alarm durable.Alarm
	// wanted are campaigns that an operator has asked for.
	wanted []string
	shown  string
	stage  Stage
}

func lease(ctx workflow.Context, in LeaseInput) (LeaseResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &leaseRun{in: in, state: in.State, seen: in.Seen}
	if w.state == nil {
		w.state = &LeaseState{ID: in.ID, BeganAt: durable.Now(ctx)}
	}
	durable.TellTimeline(ctx, func() []campaign.Entry { return w.state.Timeline })
	if err := w.handle(ctx); err != nil {
		return LeaseResult{}, err
	}
	for {
		w.take(ctx)
		if err := w.act(ctx); err != nil {
			return LeaseResult{}, err
		}
		if err := w.show(ctx); err != nil {
			return LeaseResult{}, err
		}
		if w.state.over() {
			w.alarm.Stop()
			if err := durable.Settle(ctx, w.take); err != nil {
				return LeaseResult{}, err
			}
			if w.state.over() {
				return LeaseResult{Outcome: string(StageEnded)}, nil
			}
			continue
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := durable.Settle(ctx, w.take); err != nil {
				return LeaseResult{}, err
			}
			next := LeaseInput{ID: in.ID, Clock: in.Clock, Seen: w.seen, State: w.state}
			return LeaseResult{}, workflow.NewContinueAsNewError(ctx, LeaseName, next)
		}
		if err := w.wait(ctx); err != nil {
			return LeaseResult{}, err
		}
	}
}

func (w *leaseRun) handle(ctx workflow.Context) error {
	if err := DescribeLease.Handle(ctx, func() (LeaseDescription, error) { return w.state.describe(), nil }); err != nil {
		return err
	}
	if err := durable.SeenEvents.Handle(ctx, func() (durable.Seen, error) { return w.seen, nil }); err != nil {
		return err
	}
	return BeginCampaign.Handle(ctx, w.mayBegin, func(ctx workflow.Context, c BeginCommand) (durable.Outcome, error) {
		w.wanted = append(w.wanted, c.Kind)
		w.state.Stale = true // it begins with a fresh look
		w.state.note(durable.Now(ctx), "%s begun by an operator", policy.Words(c.Kind))
		return durable.Outcome{Message: "It begins."}, nil
	})
}

// mayBegin refuses a campaign that makes no sense, and says what does.
func (w *leaseRun) mayBegin(_ workflow.Context, c BeginCommand) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if slices.Contains(w.wanted, c.Kind) {
		return temporal.NewApplicationError("one is about to begin", "invalid")
	}
	return w.refuses(c.Kind)
}

// refuses says why a campaign cannot begin, nil where it can.
func (w *leaseRun) refuses(kind string) error {
	s, refuse := w.state, func(why string) error { return temporal.NewApplicationError(why, "invalid") }
	course, ok := s.courses()[kind]
	switch {
	case !ok:
		return refuse("kind is one of " + strings.Join(kinds(), ", "))
	case !s.Known, s.Lease.Over(), !s.Rules.On():
		return refuse("the lease is " + policy.Words(string(s.stage())))
	case course.WorkflowID != "":
		return refuse("one is under way: " + course.WorkflowID)
	case s.Lease.Leaving():
		return refuse("the tenants are leaving")
	case kind == KindRenewal && (s.Lease.End == "" || s.Lease.MonthToMonth):
		return refuse("the lease has no end at RentVine, or goes on from month to month")
	}
	return nil
}

// take drains all facts into the state and tells whether there were any.
func (w *leaseRun) take(ctx workflow.Context) bool {
	events, bad := durable.EventReceived.Drain(ctx)
	found, unreadable := LeaseFound.Drain(ctx)
	for _, ev := range append(events, found...) {
		if durable.TakeOnce(ctx, &w.seen, ev.Key) {
			w.state.event(ev)
		}
	}
	ended, unclear := CampaignEnded.Drain(ctx)
	for _, e := range ended {
		w.state.ended(e, durable.Now(ctx))
	}
	unknown := durable.DrainUnknown(ctx, durable.EventReceived.Name, LeaseFound.Name, CampaignEnded.Name)
	w.state.Unusable += bad + unreadable + unclear + unknown
	return len(events)+len(found)+len(ended)+bad+unreadable+unclear+unknown > 0
}

// act does what the state says is due.
func (w *leaseRun) act(ctx workflow.Context) error {
	for range tasksAtOnce {
		next := w.state.todo(durable.Now(ctx))
		if next == stepNothing && len(w.wanted) > 0 && w.state.RetryAt.IsZero() {
			kind := w.wanted[0]
			w.wanted = w.wanted[1:]
			if err := w.refuses(kind); err != nil {
				w.state.note(durable.Now(ctx), "%s does not begin after all", policy.Words(kind))
				continue
			}
			next = step(kind)
		}
		if next == stepNothing {
			return nil
		}
		if err := w.perform(ctx, next); err != nil {
			return err
		}
		w.take(ctx)
	}
	return nil
}

func (w *leaseRun) perform(ctx workflow.Context, next step) error {
	s, now := w.state, durable.Now(ctx)
	switch next {
	case stepRead:
		return w.read(ctx)
	case stepTell:
		return w.tell(ctx)
	case stepCheck:
		return w.check(ctx)
	case stepAssess:
		return w.assess(ctx)
	case stepMoveIn:
		return begin(ctx, w, KindMoveIn, fmt.Sprintf("move-in/%s", s.ID), s.Lease.MovesInOn(), MoveInName, movein.New(s.Lease, s.Rules, now))
	case stepRenewal:
		return begin(ctx, w, KindRenewal, fmt.Sprintf("renewal/%s/%s", s.ID, s.Lease.End), s.Lease.End, RenewalName, renewal.New(s.Lease, s.Rules, now))
	case stepRetention:
		if s.Assessment == nil {
			if err := w.assess(ctx); err != nil {
				return err
			}
		}
		var known leasescore.Assessment
		if s.Assessment != nil {
			known = *s.Assessment
		}
		id := fmt.Sprintf("retention/%s/%d", s.ID, s.Retention.Number+1)
		return begin(ctx, w, KindRetention, id, "", RetentionName, retention.New(s.Lease, s.Rules, known, now))
	case stepNothing:
	}
	return nil
}

// A lease that RentVine does not show is looked for again before that is believed: a new
// one within minutes, one that was known within an hour (real time; each pause doubles).
const (
	unseenTries = 5
	unseenPause = 10 * time.Second
	gonePause   = 2 * time.Minute
	// refusedPause is how long after a refusal RentVine is read again (business time).
	refusedPause = 6 * time.Hour
)

// read looks at RentVine; it waits for it as long as it takes.
func (w *leaseRun) read(ctx workflow.Context) error {
	w.state.Stale = false // what is said from now on asks for another look
	pause := unseenPause
	if w.state.Known {
		pause = gonePause
	}
	var view activities.LeaseView
	err := durable.Again(ctx, unseenTries, pause, "RentVine does not show the lease", func() (again bool, err error) {
		view, err = activities.ReadLease.Run(ctx, w.in.ID, "read the lease")
		return !view.Found && w.state.Lease.Found == w.state.Known, err
	})
	if temporal.IsCanceledError(err) {
		return err
	}
	if err != nil {
		now := durable.Now(ctx)
		w.state.note(now, "RentVine refuses to show the lease: %s", durable.KindOf(err))
		w.state.Stale, w.state.RetryAt = true, now.Add(refusedPause)
		return nil
	}
	rules := w.state.Rules
	if at := w.state.RulesAt; at.IsZero() || durable.Now(ctx).Sub(at) >= rulesFor {
		if rules, err = readLeasing(ctx, view); err != nil {
			return err
		}
		w.state.RulesAt = durable.Now(ctx)
	}
	stale := w.state.Stale
	w.state.read(view, rules, durable.Now(ctx))
	w.state.Stale = stale
	return nil
}

// tell lets a running campaign know the lease as it is now.
func (w *leaseRun) tell(ctx workflow.Context) error {
	kind := w.state.toTell()
	course := w.state.courses()[kind]
	id := course.WorkflowID
	w.state.told(kind)
	if err := LeaseChanged.SendFrom(ctx, id, w.state.Lease).Get(ctx, nil); err != nil && !temporal.IsCanceledError(err) {
		// It has ended. What it said of that came before this failure, unless somebody
		// terminated it.
		w.take(ctx)
		w.state.ended(Ended{Kind: kind, WorkflowID: id, Outcome: "unknown"}, durable.Now(ctx))
	}
	return nil
}

// check has a maintenance check made.
func (w *leaseRun) check(ctx workflow.Context) error {
	s := w.state
	c, rule, ok := s.dueCheck(durable.Now(ctx))
	if !ok {
		return nil
	}
	workOrder, err := activities.CreateCheck.Limited(orderWithin).Run(ctx, activities.CreateCheckInput{
		Ref:     fmt.Sprintf("%s@%d", LeaseID(s.ID), s.BeganAt.Unix()),
		LeaseID: s.ID, PropertyID: s.Lease.PropertyID, UnitID: s.Lease.UnitID, CheckID: c.ID, Name: rule.Name, Trade: rule.Trade, Number: c.Number + 1,
	}, "work order for "+rule.Name)
	now := durable.Now(ctx)
	if err != nil {
		if temporal.IsCanceledError(err) {
			return err
		}
		s.note(now, "the work order for %s could not be made and is tried again tomorrow: %s", rule.Name, durable.KindOf(err))
		c.At = now.Add(day)
		return nil
	}
	s.note(now, "%s: work order %s", rule.Name, workOrder)
	s.checked(rule.ID, rule.Every, now)
	return nil
}

// assess judges the tenancy, and reads the policy again.
func (w *leaseRun) assess(ctx workflow.Context) error {
	s := w.state
	rules, err := readLeasing(ctx, s.Lease)
	if err != nil {
		return err
	}
	s.Rules, s.RulesAt = rules, durable.Now(ctx)
	found, err := assess(ctx, s.Lease, s.Learned)
	switch {
	case temporal.IsCanceledError(err):
		return err
	case err != nil:
		s.note(durable.Now(ctx), "could not be assessed: %s", durable.KindOf(err))
		s.assessed(nil, durable.Now(ctx))
	default:
		s.assessed(&found, durable.Now(ctx))
	}
	return nil
}

// begin starts a campaign.
func begin[S any](ctx workflow.Context, w *leaseRun, kind, id, about, name string, state *S) error {
	s := w.state
	in := Campaign[S]{LeaseID: s.ID, Clock: w.in.Clock, State: state, Learned: s.Learned}
	_, err := durable.StartAbandoned(ctx, name, in, workflow.ChildWorkflowOptions{
		WorkflowID: id, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary: policy.Words(kind) + " of lease " + s.ID, TypedSearchAttributes: Attributes(s.Lease),
	})
	if err != nil {
		return err
	}
	s.began(kind, id, about, durable.Now(ctx))
	return nil
}

// Attributes are the search attributes of everything about a lease.
func Attributes(l activities.LeaseView) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(
		durable.EventSource.ValueSet("rentvine"), durable.LeaseID.ValueSet(l.ID),
		durable.PropertyID.ValueSet(l.PropertyID), durable.UnitID.ValueSet(l.UnitID),
	)
}

func (w *leaseRun) wait(ctx workflow.Context) error {
	at, why := w.state.next()
	w.alarm.Set(ctx, at, why)
	return workflow.Await(ctx, func() bool {
		// While RentVine refuses to show the lease, nothing is asked for before RetryAt.
		asked := w.state.RetryAt.IsZero() && (len(w.wanted) > 0 || w.state.Stale)
		return w.alarm.Rang() || asked || durable.EventReceived.Pending(ctx) || LeaseFound.Pending(ctx) || CampaignEnded.Pending(ctx)
	})
}

// show tells the Web UI and its lists where the lease is.
func (w *leaseRun) show(ctx workflow.Context) error {
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
	attributes := []temporal.SearchAttributeUpdate{durable.Stage.ValueSet(string(stage))}
	if first {
		l := w.state.Lease
		attributes = append(attributes, durable.EventSource.ValueSet("rentvine"), durable.LeaseID.ValueSet(w.in.ID),
			durable.PropertyID.ValueSet(l.PropertyID), durable.UnitID.ValueSet(l.UnitID))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, attributes...)
}

func (s *LeaseState) describe() LeaseDescription {
	at, why := s.next()
	d := LeaseDescription{
		LeaseID: s.ID, Stage: s.stage(), Adopted: s.Adopted, Status: s.Lease.StatusName, MovesIn: s.Lease.MovesInOn(), Ends: s.Lease.End,
		Rent: s.Lease.Rent, Tenants: len(s.Lease.Tenants), MoveIn: s.MoveIn, Renewal: s.Renewal, Retention: s.Retention,
		Assessment: s.Assessment, Checks: s.Checks, Next: why, NextAt: at, Timeline: s.Timeline, Events: s.Events, Unusable: s.Unusable,
	}
	if s.Known && s.Rules.On() {
		d.RenewalAt = s.renewalAt()
	}
	return d
}

// details is the status in the Web UI.
func (s *LeaseState) details() string {
	d := s.describe()
	lines := []string{fmt.Sprintf("Lease %s: **%s**", d.LeaseID, policy.Words(string(d.Stage)))}
	if s.Known {
		lines = append(lines, fmt.Sprintf("\nMove-in %s, ends %s, rent %s a month.", orNone(d.MovesIn), orNone(d.Ends), d.Rent), "")
	}
	for _, kind := range kinds() {
		c := s.courses()[kind]
		switch {
		case c.WorkflowID != "":
			lines = append(lines, fmt.Sprintf("- %s: under way (%s)", policy.Words(kind), c.WorkflowID))
		case c.Outcome != "":
			lines = append(lines, fmt.Sprintf("- %s: %s", policy.Words(kind), policy.Words(c.Outcome)))
		}
	}
	if a := d.Assessment; a != nil {
		lines = append(lines, fmt.Sprintf("- renewal %d %%, risk %d %%, confidence %d %%", a.RenewalProbability, a.Risk, a.Confidence))
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
