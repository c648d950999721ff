package maintenance

import (
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// triage assesses the report, at first sight and whenever its words change, and
// decides who responds.
func (w *run) triage(ctx workflow.Context) error {
	s := w.state
	s.NeedsTriage = false
	first := s.OpenedAt.IsZero()
	if first {
		s.OpenedAt = durable.Now(ctx)
		// A report waits while no worker is up; its promises do not.
		if received := w.clock.At(s.ReceivedAt); !s.ReceivedAt.IsZero() && received.Before(s.OpenedAt) && !w.reopened {
			s.OpenedAt = received
		}
		w.firstLook(ctx)
		if s.Ended != nil || s.Stage != StageReceived {
			return nil
		}
	}
	settings := w.settings(ctx)
	before := s.Assessment
	found := triage.Assess(triage.Report{
		Text: s.Report.WorkOrder.Description, Priority: triage.Priority(s.Report.WorkOrder.Priority),
		Trade: s.Report.WorkOrder.Trade, Month: monthIn(durable.Now(ctx), settings.TimeZone),
	})
	if s.Report.WorkOrder.Check {
		// "Smoke alarms" to be checked are no smoke.
		found.Emergency, found.LifeSafety, found.Reason = false, false, "a recurring maintenance check of our own"
		found.Problem = "Maintenance check"
	}
	s.Assessment = raise(before, found)
	if s.Assessment.LifeSafety && !before.LifeSafety && s.Stage == StageJoined {
		// What the others have is less than this: it needs a response of its own.
		_ = ReportLeft.SendFrom(ctx, WorkOrderID(s.LeadID), w.id).Get(ctx, nil)
		s.LeadID, s.Stage = "", StageReceived
	}
	if s.Assessment.LifeSafety && !before.LifeSafety && s.emergency() && s.TenantsTold {
		s.note(durable.Now(ctx), "now a matter of life safety: "+s.Assessment.Reason, "")
		w.send(ctx, "life safety: call the emergency number", w.to(s.tenants(), "life_safety", policy.TextTenantLifeSafety, activities.LifeSafety), 0)
	}
	if s.repairing() && s.Assessment.Emergency {
		s.raised(durable.Now(ctx))
		s.NeedsTriage = false
	}
	if s.Stage != StageReceived && s.Stage != StageWaiting {
		return nil
	}
	if !s.Assessment.Emergency {
		w.ordinary(ctx)
		return nil
	}
	for range 2 {
		lead := w.claim(ctx)
		if lead == w.id || !w.join(ctx, lead) {
			if lead == w.id {
				break
			}
			continue
		}
		return nil
	}
	s.Stage, s.NextPageAt, s.EmergencyAt = StagePaging, durable.Now(ctx), s.OpenedAt
	if !first {
		s.EmergencyAt = durable.Now(ctx)
	}
	s.TenantsTold = false
	s.note(durable.Now(ctx), "emergency: "+s.Assessment.Reason, "")
	return nil
}

// firstLook reads the report within the time that an emergency can wait, and sets
// aside what needs no response: orders that have ended, and orders that people
// were already working on before we heard of them.
func (w *run) firstLook(ctx workflow.Context) {
	s := w.state
	report, err := activities.ReadReport.RunLocal(ctx, activities.ReadReportInput{WorkOrderID: w.id, Data: s.Data, BestEffort: true}, "read the report")
	if err != nil {
		report = fromEvent(w.id, s.Data)
	}
	s.Report = report
	s.NeedsRefresh = s.NeedsRefresh || report.Partial
	if !report.Found {
		s.Report.WorkOrder.PrimaryStatus = statusNamed(s.Data)
	}
	switch status := s.Report.WorkOrder.PrimaryStatus; {
	case status == activities.StatusClosed:
		s.end(StageClosed, Mark{By: "rentvine", Via: "rentvine", At: s.OpenedAt})
		s.Ended.Silently = true
	case status == activities.StatusCancelled:
		s.end(StageCancelled, Mark{By: "rentvine", Via: "rentvine", At: s.OpenedAt})
		s.Ended.Silently = true
	case !w.reopened && !strings.HasSuffix(s.FirstEvent, ".created") && (status == activities.StatusOpen || status == activities.StatusOnHold):
		w.settings(ctx)
		s.Stage, s.TenantsTold = StageWaiting, true
		s.note(s.OpenedAt, "adopted: people were on it before", "")
	}
}

// raise never lowers an assessment: what was an emergency stays one, whatever the
// words say later.
func raise(before, now triage.Assessment) triage.Assessment {
	if (before.Emergency && !now.Emergency) || (before.LifeSafety && !now.LifeSafety) {
		return before
	}
	return now
}

func monthIn(t time.Time, zone string) time.Month {
	return t.In(locationOf(zone)).Month()
}

// ordinary acknowledges a report that is no emergency and tells the manager.
func (w *run) ordinary(ctx workflow.Context) {
	s := w.state
	if s.Stage == StageWaiting {
		return
	}
	s.Stage = StageWaiting
	s.note(durable.Now(ctx), "no emergency: "+s.Assessment.Reason, "")
	batch := w.to(s.Report.Tenants, "ordinary_tenant_received", policy.TextOrdinaryTenantReceived, activities.Routine)
	about := w.about()
	about.Reason = s.Assessment.Reason
	manager := []activities.Person{activities.PersonOf(s.Settings.Manager)}
	batch = append(batch, byMail(w.toAbout(manager, "ordinary_manager_opened", policy.TextOrdinaryManagerOpened, activities.Routine, about))...)
	s.TenantsTold = len(s.Report.Tenants) > 0
	w.send(ctx, "report received", batch, 0)
	// An assignment that came with the report is the office's: it is left to it.
	if o := s.Report.WorkOrder; s.Settings.Repairs.On() && (w.reopened || o.AssignedUserID == "" && o.VendorContactID == "") {
		s.Stage, s.Repair = StageRepairing, repair.New(w.reopened, durable.Now(ctx))
	}
}
