package maintenance

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// claim finds out who leads the response in the building: this work order, or one
// that was there before. Without a property, or where the store does not answer
// at once, this one leads: two ladders are better than none.
func (w *run) claim(ctx workflow.Context) (lead string) {
	s := w.state
	if s.Report.Property.ID == "" {
		return w.id
	}
	now := durable.Now(ctx)
	lead, err := activities.ClaimIncident.RunLocal(ctx, activities.ClaimIncidentInput{
		PropertyID: s.Report.Property.ID, Category: s.incident(), WorkOrderID: w.id,
		At: now, NotBefore: now.Add(-s.Settings.JoinWindow),
	}, "who leads in this building")
	if err != nil {
		s.note(now, "could not look for a running response: "+durable.KindOf(err), "")
		return w.id
	}
	return lead
}

// join hands this report to the lead. A lead that is gone is replaced by this
// work order.
func (w *run) join(ctx workflow.Context, lead string) (joined bool) {
	s := w.state
	err := ReportJoined.SendFrom(ctx, WorkOrderID(lead), Joined{WorkOrderID: w.id, Number: w.about().WorkOrder, Unit: s.Report.Unit, Tenants: s.Report.Tenants}).Get(ctx, nil)
	if err != nil {
		keep(ctx, w, activities.EndIncident, lead, "the lead is gone")
		return false
	}
	s.LeadID, s.Stage, s.TenantsTold, s.TenantsJoined = lead, StageJoined, true, len(s.Report.Tenants)
	s.note(durable.Now(ctx), "joined the response of work order "+lead, "")
	return true
}

// incident names the emergency that reports of one building share. Danger to life
// is never joined to a plain one: its tenants must hear what to do.
func (s *State) incident() string {
	if s.Assessment.LifeSafety {
		return string(s.Assessment.Category) + "/life_safety"
	}
	return string(s.Assessment.Category)
}

// updateLead tells the lead of tenants who were not known when this report joined.
func (w *run) updateLead(ctx workflow.Context) {
	s := w.state
	if s.Stage != StageJoined || len(s.Report.Tenants) <= s.TenantsJoined {
		return
	}
	s.TenantsJoined = len(s.Report.Tenants)
	_ = ReportJoined.SendFrom(ctx, WorkOrderID(s.LeadID), Joined{
		WorkOrderID: w.id, Number: w.about().WorkOrder, Unit: s.Report.Unit, Tenants: s.Report.Tenants,
	}).Get(ctx, nil)
}

// takeJoined drains what work orders of the building tell each other.
func (w *run) takeJoined(ctx workflow.Context) (taken, unusable int) {
	joins, bad := ReportJoined.Drain(ctx)
	taken, unusable = len(joins), bad
	for _, j := range joins {
		w.state.welcome(j)
	}
	lefts, bad := ReportLeft.Drain(ctx)
	taken, unusable = taken+len(lefts), unusable+bad
	for _, id := range lefts {
		for i := range w.state.Joined {
			if w.state.Joined[i].WorkOrderID == id {
				w.state.Joined[i].Left = true
			}
		}
	}
	ends, bad := LeadEnded.Drain(ctx)
	taken, unusable = taken+len(ends), unusable+bad
	for _, e := range ends {
		w.state.leadEnded(e)
	}
	return taken, unusable
}

func (s *State) welcome(j Joined) {
	for i := range s.Joined {
		if s.Joined[i].WorkOrderID == j.WorkOrderID {
			known := &s.Joined[i]
			if len(known.Tenants) < len(j.Tenants) || known.Left {
				known.Tenants, known.Told = j.Tenants, false
			}
			known.Left, known.EndSent = false, false
			return
		}
	}
	// One too many is told at once, by welcomeJoined, that it is on its own.
	j.Refused = len(s.Joined) >= maxJoined
	if len(s.Joined) < 2*maxJoined {
		s.Joined = append(s.Joined, j)
	}
}

// leadEnded frees a joined work order: the repair is done for it too, or it needs
// a response of its own.
func (s *State) leadEnded(e LeadEnding) {
	if s.Stage != StageJoined || s.LeadID != e.WorkOrderID {
		return
	}
	s.LeadID = ""
	if e.Repaired {
		s.Stage = StageWaiting
		return
	}
	s.Stage, s.NeedsTriage = StageReceived, true
}

// welcomeJoined tells the tenants of work orders that joined, and the manager.
func (w *run) welcomeJoined(ctx workflow.Context) {
	s := w.state
	for i := range s.Joined {
		j := &s.Joined[i]
		if j.Told || j.Left {
			continue
		}
		if s.Stage == StageRepaired || j.Refused {
			// It came after the repair, or is one too many: it needs a response of its own.
			j.Left = true
			_ = LeadEnded.SendFrom(ctx, WorkOrderID(j.WorkOrderID), LeadEnding{WorkOrderID: w.id}).Get(ctx, nil)
			continue
		}
		j.Told = true
		s.note(durable.Now(ctx), "work order "+j.WorkOrderID+" joined", "")
		about := w.about()
		about.WorkOrder, about.Unit = j.Number, j.Unit
		batch := w.toAbout(j.Tenants, fmt.Sprintf("joined_tenant/%s-%d", j.WorkOrderID, len(j.Tenants)), policy.TextJoinedTenant, s.class(), about)
		if s.Assessment.LifeSafety {
			batch = append(w.toAbout(j.Tenants, "joined_life_safety/"+j.WorkOrderID, policy.TextTenantLifeSafety, activities.LifeSafety, about), batch...)
		}
		manager := []activities.Person{activities.PersonOf(s.Settings.Manager)}
		batch = append(batch, w.toAbout(manager, "manager_joined/"+j.WorkOrderID, policy.TextManagerJoined, s.class(), about)...)
		w.send(ctx, "tell those who joined", batch, 0)
	}
}

// releaseJoined tells the work orders that joined that this response is over.
func (w *run) releaseJoined(ctx workflow.Context) {
	s := w.state
	for i := range s.Joined {
		j := &s.Joined[i]
		if j.Left || j.EndSent {
			continue
		}
		j.EndSent = true
		// One that has ended by itself cannot be told, and need not be.
		_ = LeadEnded.SendFrom(ctx, WorkOrderID(j.WorkOrderID), LeadEnding{WorkOrderID: w.id, Repaired: s.repaired()}).Get(ctx, nil)
	}
}
