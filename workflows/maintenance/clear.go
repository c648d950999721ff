package maintenance

import (
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// closeQuestions ends all open questions, and the sending of those that have not
// left yet: each step of a response asks something new.
func (w *run) closeQuestions(ctx workflow.Context) {
	if w.stopAsking != nil {
		w.stopAsking()
		w.asking, w.stopAsking = nil, nil
	}
	keep(ctx, w, activities.CloseQuestions, activities.None{}, "close questions")
}

// keep writes something down in the store: within the workflow task where the
// store answers at once, which costs nothing, else for as long as it takes.
func keep[I any](ctx workflow.Context, w *run, a durable.Activity[I, activities.None], in I, summary string) {
	if _, err := a.RunLocal(ctx, in, summary); err == nil {
		return
	}
	landed := w.start()
	writing := a.Start(ctx, in, summary)
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer landed()
		if _, err := writing.Get(ctx); err != nil {
			w.state.note(durable.Now(ctx), summary+" failed: "+durable.KindOf(err), "")
		}
	})
}

// clear ends what is open: questions, the technician's job, the incident, the
// report, and everybody's waiting.
func (w *run) clear(ctx workflow.Context) {
	s := w.state
	if !w.cleared && s.Cleared == nil {
		now := durable.Now(ctx)
		s.Cleared = &now
		w.clearOnce(ctx)
	}
	w.cleared = true
	w.releaseJoined(ctx)
}

func (w *run) clearOnce(ctx workflow.Context) {
	s := w.state
	wasEmergency := s.emergency()
	wasJoined := s.Stage == StageJoined
	if len(s.Held) > 0 {
		// What waited for the morning is overtaken by the end.
		s.Held = nil
		s.note(durable.Now(ctx), "messages held back are not sent any more", "")
	}
	if s.Repair != nil {
		w.endRepair()
	}
	if !s.Ended.Silently {
		w.closeQuestions(ctx)
		keep(ctx, w, activities.ReleaseTechnician, activities.None{}, "nobody is held any longer")
		keep(ctx, w, activities.EndIncident, w.id, "the response is over")
	}
	if wasEmergency {
		batch := w.to(s.tenants(), "tenant_closed", policy.TextTenantClosed, s.class())
		batch = append(batch, w.toManager("manager_closed", policy.TextManagerClosed, s.class())...)
		if s.Acknowledged == nil {
			batch = append(batch, w.to(w.pagedExcept(""), "page_stopped", policy.TextPageStopped, s.class())...)
		}
		batch = append(batch, w.to(w.stillWaiting(), "offer_withdrawn/end", policy.TextOfferWithdrawn, s.class())...)
		w.send(ctx, "closed: tell everybody", batch, 0)
		w.issueReport(ctx)
	}
	w.recordRepair(ctx)
	if wasJoined {
		_ = ReportLeft.SendFrom(ctx, WorkOrderID(s.LeadID), w.id).Get(ctx, nil)
	}
	s.Stage = s.Ended.Outcome
}

// stillWaiting are the technicians who hold or were offered the job when it ends
// unrepaired.
func (w *run) stillWaiting() []activities.Person {
	s := w.state
	if s.Job != nil && s.Job.Repaired == nil {
		return []activities.Person{s.Job.Person}
	}
	if s.Job == nil {
		return w.offeredExcept("")
	}
	return nil
}
