// Package maintenance holds the workflows of repairs. A work order is one
// workflow from its first event until RentVine closes it; an emergency among
// them pages, dispatches, watches its promises and reports.
//
// The files: work_order.go carries out, messages.go takes facts and commands,
// assess.go triages, ordinary.go coordinates what is no emergency (and
// ordinary_tell.go says who is told and asked what), bidding.go lets vendors bid,
// response.go pages and offers, tell.go says who is told what and
// clear.go ends it, rentvine.go keeps RentVine in step,
// notify.go writes to people, joined.go lets reports of one building share a
// response, report.go and describe.go tell about it, metrics.go counts. Decisions are pure: facts.go
// and ladder.go over state.go, and the packages repair, dispatch and (beside the
// activities) triage.
package maintenance

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// WorkOrder follows one RentVine work order; its id is "work-order/<id>".
var WorkOrder = durable.Definition[Input, Result]{
	Name: WorkOrderName, Run: workOrder, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// WorkOrderName is the durable name.
const WorkOrderName = "maintenance.work_order"

// WorkOrderID is the workflow id of a work order.
func WorkOrderID(id string) string { return "work-order/" + id }

type (
	// Input starts the workflow; the event that started it follows as a signal.
	Input = durable.Entity[State]
	// Result tells how the work order ended.
	Result struct {
		Outcome   Stage `json:"outcome"`
		Emergency bool  `json:"emergency"`
		Missed    []SLA `json:"missed,omitempty"`
		Pages     int   `json:"pages,omitempty"`
	}
)

// run is one run of the workflow: its state and what is only true within the run.
type run struct {
	id    string
	clock durable.Clock
	seen  durable.Seen
	state *State
	// ref names this response in the effect journal.
	ref string
	// reopened is true where an earlier run of the work order had ended.
	reopened bool
	alarm    durable.Alarm
	// root is cancelled when an operator cancels the workflow.
	root workflow.Context
	// inFlight counts activities whose result is still to come.
	inFlight   int
	refreshing bool
	writing    bool
	// working, undoing and closing tell what a repair has under way.
	working bool
	undoing bool
	closing bool
	// stopBidding ends the bidding that is under way.
	stopBidding workflow.CancelFunc
	// asking is cancelled when the questions that are being sent have an answer.
	asking     workflow.Context
	stopAsking workflow.CancelFunc
	// woken is set when a result has changed the state.
	woken bool
	// cleared is set once all that an end asks for has been started.
	cleared bool
	// fresh is true while the settings were read in this workflow task.
	fresh bool
	shown shown
}

// workOrder is the workflow function.
func workOrder(ctx workflow.Context, in Input) (Result, error) {
	w := newRun(ctx, in)
	// Clearing up must go on after an operator's cancel, so that work runs on a
	// context of its own and the root is only watched.
	ctx, _ = workflow.NewDisconnectedContext(durable.WithClock(ctx, in.Clock))
	durable.TellTimeline(ctx, func() []Entry { return w.state.Timeline })
	if err := w.handleMessages(ctx); err != nil {
		return Result{}, err
	}
	for {
		w.woken, w.fresh = false, false
		w.take(ctx)
		if err := w.act(ctx); err != nil {
			return Result{}, err
		}
		w.measure(ctx)
		w.show(ctx)
		if w.done() {
			if err := durable.Settle(ctx, w.take); err != nil {
				return Result{}, err
			}
			if w.done() {
				return w.finish(ctx)
			}
			continue
		}
		if w.idle() && workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := durable.Settle(ctx, w.take); err != nil {
				return Result{}, err
			}
			if w.idle() {
				return Result{}, w.continueAsNew(ctx, w.state)
			}
			continue
		}
		if err := w.wait(ctx); err != nil {
			return Result{}, err
		}
	}
}

func newRun(ctx workflow.Context, in Input) *run {
	w := &run{id: in.ID, clock: in.Clock, seen: in.Seen, state: in.State, root: ctx}
	if w.state == nil {
		w.state = &State{Stage: StageReceived}
	}
	w.reopened = w.state.Incarnation > 0 || in.State == nil && len(in.Seen.Events) > 0
	info := workflow.GetInfo(ctx)
	w.ref = fmt.Sprintf("%s@%s.%d", info.WorkflowExecution.ID, info.FirstRunID, w.state.Incarnation)
	return w
}

// wait sleeps until a fact, a command, a result or the next deadline.
func (w *run) wait(ctx workflow.Context) error {
	at, why := w.state.nextDeadline()
	w.alarm.Set(ctx, at, why)
	return workflow.Await(ctx, func() bool {
		return w.woken || w.alarm.Rang() || w.pending(ctx) || (w.root.Err() != nil && w.state.Ended == nil)
	})
}

// idle tells whether the run could be continued as new: nothing is under way.
func (w *run) idle() bool {
	return w.inFlight == 0 && !w.woken
}

// done tells whether the work order has ended and everybody has been told.
func (w *run) done() bool {
	if w.state.Ended == nil || !w.cleared || !w.idle() || len(w.state.Held) > 0 || w.state.NeedsRefresh || !w.state.RefreshAt.IsZero() {
		return false
	}
	if r := w.state.Repair; r != nil && r.Left() {
		return false
	}
	for _, j := range w.state.Joined {
		if !j.Left && !j.EndSent {
			return false
		}
	}
	return true
}

// finish ends the run: as a result, or, where RentVine reopened the work order
// meanwhile, by starting over.
func (w *run) finish(ctx workflow.Context) (Result, error) {
	s := w.state
	if s.Reopened {
		return Result{}, w.continueAsNew(ctx, &State{
			Incarnation: s.Incarnation + 1, Stage: StageReceived, Data: s.Data, NeedsTriage: true, FirstEvent: "work_order.created",
			ReceivedAt: s.ReceivedAt, Settings: s.Settings,
		})
	}
	if w.root.Err() != nil {
		return Result{}, temporal.NewCanceledError()
	}
	return Result{Outcome: s.Stage, Emergency: s.Assessment.Emergency, Missed: s.Missed, Pages: len(s.Pages)}, nil
}

func (w *run) continueAsNew(ctx workflow.Context, next *State) error {
	return workflow.NewContinueAsNewError(ctx, WorkOrderName, Input{ID: w.id, Clock: w.clock, Seen: w.seen, State: next})
}

// act does what is due. Each step looks at the state alone, so that it does not
// matter which fact, command or deadline brought it about, or in which run.
func (w *run) act(ctx workflow.Context) error {
	s := w.state
	if w.root.Err() != nil && s.Ended == nil {
		s.end(StageCancelled, Mark{By: "operator", Via: "cancel request", At: durable.Now(ctx)})
	}
	if s.NeedsTriage && s.Ended == nil {
		if err := w.triage(ctx); err != nil {
			return err
		}
	}
	w.releaseHeld(ctx)
	w.refresh(ctx)
	if s.Ended != nil {
		w.clear(ctx)
		if s.Repair != nil {
			w.settleRepair(ctx)
		}
		return nil
	}
	if s.Stage == StageReceived {
		return nil
	}
	w.welcomeJoined(ctx)
	w.updateLead(ctx)
	if s.emergency() {
		w.respond(ctx)
	}
	switch {
	case s.repairing():
		w.coordinate(ctx)
	case s.Repair != nil:
		w.settleRepair(ctx)
	}
	w.write(ctx)
	return nil
}

// start counts an activity as under way until its coroutine calls the returned
// function.
func (w *run) start() (landed func()) {
	w.inFlight++
	return func() {
		w.inFlight--
		w.woken = true
	}
}

// settings reads the policy for a new decision, once in a workflow task.
func (w *run) settings(ctx workflow.Context) activities.Settings {
	if w.fresh {
		return w.state.Settings
	}
	p := w.state.Report.Property
	for {
		read, err := activities.ReadSettings.RunLocal(ctx, activities.ReadSettingsInput{PortfolioID: p.PortfolioID, PropertyID: p.ID}, "policy of the property")
		if err == nil {
			if s := w.state; s.Repair != nil && !read.Repairs.On() {
				// A repair that runs keeps the rules that it began with.
				read.Repairs, read.Accountant = s.Settings.Repairs, s.Settings.Accountant
			}
			w.state.Settings, w.fresh = read, true
		}
		// What was read before will do; without any policy nobody could be told.
		if w.state.Settings.Version != "" {
			return w.state.Settings
		}
		if err := workflow.Sleep(ctx, time.Second); err != nil { //nolint:forbidigo // a technical pause is real time
			return w.state.Settings
		}
	}
}

// zone is where the property's local time is.
func (w *run) zone() string {
	for _, z := range []string{w.state.Settings.TimeZone, w.state.Report.Property.Zone} {
		if z != "" {
			return z
		}
	}
	return "UTC"
}
