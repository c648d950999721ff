package maintenance

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// What work orders of one building tell each other.
var (
	// ReportJoined tells the lead that another work order is the same emergency.
	ReportJoined = durable.Signal[Joined]{Name: "report_joined"}
	// ReportLeft tells the lead that a joined work order has ended by itself.
	ReportLeft = durable.Signal[string]{Name: "report_left"}
	// LeadEnded tells those who joined how the response ended.
	LeadEnded = durable.Signal[LeadEnding]{Name: "lead_ended"}
)

// LeadEnding is how a response ended for those who joined it.
type LeadEnding struct {
	WorkOrderID string `json:"work_order_id"`
	Repaired    bool   `json:"repaired"`
}

// The operator's commands. Each is refused with the reason where it does not fit.
var (
	Acknowledge = durable.Update[Command, string]{Name: "acknowledge", Description: "Take the emergency on behalf of an on-call person: by = who"}
	Reassign    = durable.Update[Reassignment, string]{Name: "reassign", Description: "Give the job to a technician of the policy"}
	Pause       = durable.Update[Command, string]{Name: "pause", Description: "Stop paging and offering until resumed; the SLA clocks go on"}
	Resume      = durable.Update[Command, string]{Name: "resume", Description: "Go on after a pause"}
	Close       = durable.Update[Closing, string]{Name: "close", Description: "End the response; outcome is closed or cancelled"}
	Describe    = durable.Query[Description]{Name: "describe", Description: "Where this work order stands"}
)

type (
	// Command says who decided and, where it matters, why.
	Command = durable.Command
	// Reassignment names the technician by their id in policy.
	Reassignment struct {
		Command
		Technician string `json:"technician"`
	}
	// Closing says how.
	Closing struct {
		Command
		Outcome Stage `json:"outcome"`
	}
)

func refuse(format string, args ...any) error {
	return temporal.NewApplicationError(fmt.Sprintf(format, args...), "refused")
}

func (w *run) handleMessages(ctx workflow.Context) error {
	for _, handle := range []func(workflow.Context) error{
		w.handleAnswers, w.handleAcknowledge, w.handleReassign, w.handlePause, w.handleResume, w.handleClose,
	} {
		if err := handle(ctx); err != nil {
			return err
		}
	}
	if err := Describe.Handle(ctx, func() (Description, error) { return w.describe(), nil }); err != nil {
		return err
	}
	return durable.SeenEvents.Handle(ctx, func() (durable.Seen, error) { return w.seen, nil })
}

func (w *run) handleAnswers(ctx workflow.Context) error {
	return durable.GiveAnswer.Handle(ctx,
		func(_ workflow.Context, a durable.Answer) error { return validAnswer(a) },
		func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
			w.woken = true
			return w.state.answer(a, w.circumstances(), durable.Now(ctx)), nil
		})
}

func (w *run) running(by string) error {
	switch {
	case by == "":
		return refuse(`say who decides: {"by": "..."}`)
	case w.state.Ended != nil:
		return refuse("the work order has ended")
	}
	return nil
}

func (w *run) handleAcknowledge(ctx workflow.Context) error {
	return Acknowledge.Handle(ctx, func(_ workflow.Context, c Command) error {
		if err := w.running(c.By); err != nil {
			return err
		}
		if w.state.Stage != StagePaging {
			return refuse("nobody is being paged: the stage is %s", w.state.Stage)
		}
		return nil
	}, func(ctx workflow.Context, c Command) (string, error) {
		w.state.acknowledge(Mark{By: c.By, Via: "operator", At: durable.Now(ctx), Why: c.Why})
		w.woken = true
		return "acknowledged", nil
	})
}

func (w *run) handleReassign(ctx workflow.Context) error {
	return Reassign.Handle(ctx, func(_ workflow.Context, r Reassignment) error {
		if err := w.running(r.By); err != nil {
			return err
		}
		s := w.state
		if (!s.emergency() || s.Stage == StageRepaired) && (!s.repairing() || !s.Repair.Open()) {
			return refuse("there is no job to give: the stage is %s", s.Stage)
		}
		var known []string
		for _, t := range s.Settings.Technicians {
			if t.Person.ID == r.Technician {
				return nil
			}
			known = append(known, t.Person.ID)
		}
		return refuse("no technician %q; the policy has %v", r.Technician, known)
	}, func(ctx workflow.Context, r Reassignment) (string, error) {
		s, mark := w.state, Mark{By: r.By, Via: "operator", At: durable.Now(ctx), Why: r.Why}
		if s.repairing() {
			w.giveRepair(r.Technician, durable.Now(ctx))
			w.woken = true
			return "assigned to " + r.Technician, nil
		}
		if s.Stage == StagePaging {
			s.acknowledge(mark)
		}
		if s.Job != nil {
			s.giveUp(mark)
		}
		s.assign(r.Technician, mark)
		w.woken = true
		return "assigned to " + r.Technician, nil
	})
}

func (w *run) handlePause(ctx workflow.Context) error {
	return Pause.Handle(ctx, func(_ workflow.Context, c Command) error {
		if err := w.running(c.By); err != nil {
			return err
		}
		if w.state.Paused != nil {
			return refuse("it is paused already")
		}
		return nil
	}, func(ctx workflow.Context, c Command) (string, error) {
		w.state.Paused = &Mark{By: c.By, Via: "operator", At: durable.Now(ctx), Why: c.Why}
		w.state.note(durable.Now(ctx), "paused", c.By)
		w.woken = true
		return "paused", nil
	})
}

func (w *run) handleResume(ctx workflow.Context) error {
	return Resume.Handle(ctx, func(_ workflow.Context, c Command) error {
		if err := w.running(c.By); err != nil {
			return err
		}
		if w.state.Paused == nil {
			return refuse("it is not paused")
		}
		return nil
	}, func(ctx workflow.Context, c Command) (string, error) {
		w.state.Paused = nil
		w.state.note(durable.Now(ctx), "resumed", c.By)
		w.woken = true
		return "resumed", nil
	})
}

func (w *run) handleClose(ctx workflow.Context) error {
	return Close.Handle(ctx, func(_ workflow.Context, c Closing) error {
		if err := w.running(c.By); err != nil {
			return err
		}
		if c.Outcome != StageClosed && c.Outcome != StageCancelled {
			return refuse("outcome must be %q or %q", StageClosed, StageCancelled)
		}
		return nil
	}, func(ctx workflow.Context, c Closing) (string, error) {
		w.state.end(c.Outcome, Mark{By: c.By, Via: "operator", At: durable.Now(ctx), Why: c.Why})
		w.woken = true
		return string(c.Outcome), nil
	})
}

// knownSignals are the facts that take drains.
func knownSignals() []string {
	return []string{durable.EventReceived.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name,
		ReportJoined.Name, ReportLeft.Name, LeadEnded.Name}
}

// pending tells whether facts wait.
func (w *run) pending(ctx workflow.Context) bool {
	return durable.EventReceived.Pending(ctx) || durable.AnswerReceived.Pending(ctx) || durable.MessageFailed.Pending(ctx) ||
		ReportJoined.Pending(ctx) || ReportLeft.Pending(ctx) || LeadEnded.Pending(ctx)
}

// take drains all waiting facts into the state and tells whether there were any.
func (w *run) take(ctx workflow.Context) bool {
	now := durable.Now(ctx)
	events, bad := durable.EventReceived.Drain(ctx)
	total, unusable := len(events)+bad, bad
	for _, ev := range events {
		w.event(ctx, ev)
	}
	answers, bad := durable.AnswerReceived.Drain(ctx)
	total, unusable = total+len(answers)+bad, unusable+bad
	for _, a := range answers {
		w.state.answer(a, w.circumstances(), now)
	}
	failures, bad := durable.MessageFailed.Drain(ctx)
	total, unusable = total+len(failures)+bad, unusable+bad
	for _, f := range failures {
		if again := w.state.messageFailed(f, w.circumstances(), now); again != nil {
			w.send(ctx, "by another channel", []activities.Message{*again}, 0)
		}
	}
	n, bad := w.takeJoined(ctx)
	total, unusable = total+n+bad, unusable+bad
	unknown := durable.DrainUnknown(ctx, knownSignals()...)
	total, unusable = total+unknown, unusable+unknown
	w.state.Unusable += unusable
	return total > 0
}

// event takes one event of RentVine about this work order.
func (w *run) event(ctx workflow.Context, ev durable.Event) {
	s := w.state
	if !durable.TakeOnce(ctx, &w.seen, ev.Key) {
		return
	}
	s.Data = ev.Data
	// A late "created" still counts as the first where an "updated" overtook it and
	// the report was only adopted.
	if s.FirstEvent == "" || strings.HasSuffix(ev.Type, ".created") && s.Assessment.RulesVersion == "" {
		s.FirstEvent, s.ReceivedAt, s.NeedsTriage = ev.Type, ev.ReceivedAt, true
		return
	}
	if s.repairing() && len(ev.Changes) > 0 {
		// It may be the echo of our own write.
		s.Repair.Unsure = append(s.Repair.Unsure, ev.Changes)
		if over := len(s.Repair.Unsure) - maxUnsure; over > 0 {
			s.Repair.Unsure = s.Repair.Unsure[over:]
		}
		w.woken = true
		return
	}
	s.NeedsRefresh = true
}

// maxUnsure bounds the changes that wait for the end of a write.
const maxUnsure = 20
