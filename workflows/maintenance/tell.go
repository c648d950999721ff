package maintenance

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// tellOpened tells tenants and manager that the response runs. Tenants who are
// not known yet, because RentVine does not answer, are told when they are.
func (w *run) tellOpened(ctx workflow.Context) {
	s := w.state
	var batch []activities.Message
	if !s.TenantsTold && len(s.Report.Tenants) > 0 {
		s.TenantsTold = true
		switch {
		case s.Job != nil:
			batch = w.to(s.Report.Tenants, "tenant_received", policy.TextTenantTechnicianAssigned, s.class())
		case s.Acknowledged != nil:
			batch = w.to(s.Report.Tenants, "tenant_received", policy.TextTenantOnCallAcknowledged, s.class())
		case !s.Assessment.LifeSafety: // the text of life safety says all that this one says
			batch = w.to(s.Report.Tenants, "tenant_received", policy.TextTenantReceived, s.class())
		}
	}
	if !s.ManagerTold {
		s.ManagerTold = true
		batch = append(batch, w.toManager("manager_opened", policy.TextManagerOpened, s.class())...)
	}
	w.send(ctx, "tell tenants and manager", batch, 0)
}

func (w *run) tellAcknowledged(ctx workflow.Context) {
	s := w.state
	if s.Acknowledged == nil || s.Acknowledged.Told {
		return
	}
	s.Acknowledged.Told = true
	w.closeQuestions(ctx)
	batch := w.to(s.tenants(), "tenant_on_call_acknowledged", policy.TextTenantOnCallAcknowledged, s.class())
	batch = append(batch, w.toManager("manager_acknowledged", policy.TextManagerAcknowledged, s.class())...)
	batch = append(batch, w.to(w.pagedExcept(s.Acknowledged.By), "page_stopped", policy.TextPageStopped, s.class())...)
	w.send(ctx, "acknowledged: tell everybody", batch, 0)
}

// pagedExcept are the people who were paged, but one.
func (w *run) pagedExcept(id string) []activities.Person {
	var paged []string
	for _, p := range w.state.Pages {
		paged = append(paged, p.Person)
	}
	return w.peopleExcept(id, paged)
}

// peopleExcept are the people of some ids, each once and in order, but one.
func (w *run) peopleExcept(id string, ids []string) []activities.Person {
	seen := map[string]bool{id: true}
	var people []activities.Person
	for _, p := range ids {
		if seen[p] {
			continue
		}
		seen[p] = true
		if known, ok := w.state.Settings.Person(p); ok {
			people = append(people, activities.PersonOf(known))
		}
	}
	return people
}

// tellAccepted tells everybody who comes, and asks the technician to report back.
func (w *run) tellAccepted(ctx workflow.Context) {
	s := w.state
	if s.Job == nil || s.Job.Accepted.Told {
		return
	}
	s.Job.Accepted.Told = true
	s.Jobs++
	job := s.Job
	keep(ctx, w, activities.AssignTechnician, job.Technician, "the technician is taken")
	w.closeQuestions(ctx)
	if s.Job != job {
		return // given back while that was written
	}
	key := fmt.Sprintf("/%d-%s", s.Jobs, job.Technician)
	batch := w.askTechnician(ctx)
	batch = append(batch, w.to(s.tenants(), "tenant_technician_assigned"+key, policy.TextTenantTechnicianAssigned, s.class())...)
	batch = append(batch, w.toManager("manager_technician_assigned"+key, policy.TextManagerAssigned, s.class())...)
	batch = append(batch, w.to(w.offeredExcept(s.Job.Technician), "offer_withdrawn"+key, policy.TextOfferWithdrawn, s.class())...)
	w.send(ctx, "a technician comes: tell everybody", batch, 0)
}

// askTechnician asks for the next word of who has the job: that they are there, or
// that it is done. It is asked again for as often as the policy says.
func (w *run) askTechnician(ctx workflow.Context) []activities.Message {
	s, job := w.state, w.state.Job
	purpose, text, pause := askOnSite, policy.TextTechnicianOnSite, s.Settings.Reminders.OnSite
	options := []activities.Option{
		{Key: "1", Choice: choiceOnSite, Label: "I'm on site"}, {Key: "2", Choice: choiceGiveUp, Label: "I can't make it"},
	}
	if job.OnSite != nil {
		purpose, text, pause = askDone, policy.TextTechnicianDone, s.Settings.Reminders.Done
		options = []activities.Option{
			{Key: "1", Choice: choiceDone, Label: "The repair is done"}, {Key: "2", Choice: choiceGiveUp, Label: "Somebody else is needed"},
		}
	}
	batch := w.message(job.Person, fmt.Sprintf("%s/%d-%d", purpose, s.Jobs, job.Asked+1), text, s.class(), w.about())
	for i := range batch {
		batch[i].Ask = w.ask(purpose, durable.Now(ctx), options...)
	}
	job.Asked++
	job.AskAgainAt = time.Time{}
	if job.Asked <= s.Settings.Reminders.Times && pause > 0 {
		job.AskAgainAt = durable.Now(ctx).Add(pause)
	}
	return batch
}

// remindTechnician asks again where the technician has not answered.
func (w *run) remindTechnician(ctx workflow.Context, now time.Time) {
	s := w.state
	if (s.Stage != StageAccepted && s.Stage != StageOnSite) || s.Job.AskAgainAt.IsZero() || s.Job.AskAgainAt.After(now) {
		return
	}
	s.note(now, "asked again", s.Job.Technician)
	w.send(ctx, "remind the technician", w.askTechnician(ctx), 0)
}

// tellGivenBack tells those who lost the job, and those who wait for it, and frees
// the technician for other jobs.
func (w *run) tellGivenBack(ctx workflow.Context) {
	s := w.state
	for i := range s.GivenBack {
		g := &s.GivenBack[i]
		if g.Told {
			continue
		}
		g.Told = true
		w.closeQuestions(ctx)
		keep(ctx, w, activities.ReleaseTechnician, activities.None{}, "the technician is free again")
		key := fmt.Sprintf("/%d-%s", i+1, g.Person.ID)
		about := w.about()
		about.Person = g.Person.Name
		batch := w.toAbout(s.tenants(), "tenant_given_back"+key, policy.TextTenantGivenBack, s.class(), about)
		batch = append(batch, w.toAbout([]activities.Person{activities.PersonOf(s.Settings.Manager)}, "manager_given_back"+key, policy.TextManagerGivenBack, s.class(), about)...)
		if g.Taken {
			batch = append(batch, w.to([]activities.Person{g.Person}, "job_taken"+key, policy.TextOfferWithdrawn, s.class())...)
		}
		w.send(ctx, "the job was given back: tell everybody", batch, 0)
	}
}

// offeredExcept are the technicians who still think that the job is open.
func (w *run) offeredExcept(id string) []activities.Person {
	var offered []string
	for _, o := range w.state.Offers {
		if !o.Declined {
			offered = append(offered, o.Technician)
		}
	}
	return w.peopleExcept(id, offered)
}

func (w *run) tellOnSite(ctx workflow.Context) {
	s := w.state
	if s.Job == nil || s.Job.OnSite == nil || s.Job.OnSite.Told {
		return
	}
	s.Job.OnSite.Told = true
	job := s.Job
	w.closeQuestions(ctx)
	if s.Job != job || job.Repaired != nil {
		return
	}
	key := fmt.Sprintf("/%d-%s", s.Jobs, s.Job.Technician)
	job.Asked = 0
	batch := w.askTechnician(ctx)
	batch = append(batch, w.to(s.tenants(), "tenant_on_site"+key, policy.TextTenantOnSite, s.class())...)
	batch = append(batch, w.toManager("manager_on_site"+key, policy.TextManagerOnSite, s.class())...)
	w.send(ctx, "on site: tell everybody", batch, 0)
}

func (w *run) tellRepaired(ctx workflow.Context) {
	s := w.state
	if s.Job == nil || s.Job.Repaired == nil || s.Job.Repaired.Told {
		return
	}
	s.Job.Repaired.Told = true
	w.closeQuestions(ctx)
	keep(ctx, w, activities.ReleaseTechnician, activities.None{}, "the technician is free again")
	// A new report in the building from here on is a new emergency.
	keep(ctx, w, activities.EndIncident, w.id, "the repair is done")
	key := fmt.Sprintf("/%d-%s", s.Jobs, s.Job.Technician)
	batch := w.to(s.tenants(), "tenant_done"+key, policy.TextTenantDone, s.class())
	batch = append(batch, w.toManager("manager_done"+key, policy.TextManagerDone, s.class())...)
	w.send(ctx, "repaired: tell everybody", batch, 0)
}

// tellBreaches escalates each promise that is newly broken.
func (w *run) tellBreaches(ctx workflow.Context, now time.Time) {
	s := w.state
	for _, sla := range s.breaches(now) {
		s.Missed = append(s.Missed, sla)
		s.note(now, "SLA missed: "+string(sla), "")
		people := []activities.Person{activities.PersonOf(s.Settings.Manager)}
		for _, p := range s.Settings.Escalation {
			people = append(people, activities.PersonOf(p))
		}
		about := w.about()
		about.Reason = "not " + promised(sla) + " in time"
		about.DueBy = w.local(s.since().Add(limit(s.Settings, sla)))
		var batch []activities.Message
		seen := map[string]bool{}
		for _, p := range people {
			if !seen[p.ID] {
				seen[p.ID] = true
				batch = append(batch, w.message(p, "manager_breach/"+string(sla), policy.TextManagerBreach, s.class(), about)...)
			}
		}
		w.send(ctx, "SLA missed: "+string(sla), batch, 0)
	}
}
