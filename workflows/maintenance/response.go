package maintenance

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/dispatch"
	"github.com/aictive/keyholder/workflows/maintenance/triage"
)

// triage assesses the report, at first sight and whenever its words change, and
// decides who responds.
func (w *run) triage(ctx workflow.Context) error {
	s := w.state
	s.NeedsTriage = false
	first := s.OpenedAt.IsZero()
	if first {
		s.OpenedAt = durable.Now(ctx)
		w.firstLook(ctx)
		if s.Ended != nil || s.Stage != StageReceived {
			return nil
		}
	}
	settings := w.settings(ctx)
	before := s.Assessment
	s.Assessment = raise(before, triage.Assess(triage.Report{
		Text: s.Report.WorkOrder.Description, Priority: triage.Priority(s.Report.WorkOrder.Priority),
		Trade: s.Report.WorkOrder.Trade, Month: monthIn(durable.Now(ctx), settings.TimeZone),
	}))
	if s.Assessment.LifeSafety && !before.LifeSafety && s.Stage == StageJoined {
		// What the others have is less than this: it needs a response of its own.
		_ = ReportLeft.SendFrom(ctx, WorkOrderID(s.LeadID), w.id).Get(ctx, nil)
		s.LeadID, s.Stage = "", StageReceived
	}
	if s.Assessment.LifeSafety && !before.LifeSafety && s.emergency() && s.TenantsTold {
		s.note(durable.Now(ctx), "now a matter of life safety: "+s.Assessment.Reason, "")
		w.send(ctx, "life safety: call the emergency number", w.to(s.tenants(), "life_safety", policy.TextTenantLifeSafety, activities.LifeSafety), 0)
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
	s.Stage, s.NextPageAt = StagePaging, durable.Now(ctx)
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
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return t.In(loc).Month()
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
	manager := []activities.Person{personOf(s.Settings.Manager)}
	batch = append(batch, byMail(w.toAbout(manager, "ordinary_manager_opened", policy.TextOrdinaryManagerOpened, activities.Routine, about))...)
	s.TenantsTold = len(s.Report.Tenants) > 0
	w.send(ctx, "report received", batch, 0)
}

// respond does what an emergency asks for now.
func (w *run) respond(ctx workflow.Context) {
	s, now := w.state, durable.Now(ctx)
	if s.Assessment.LifeSafety && !s.TenantsTold {
		w.send(ctx, "life safety: call the emergency number", w.to(s.Report.Tenants, "life_safety", policy.TextTenantLifeSafety, activities.LifeSafety), 0)
	}
	if s.Paused == nil && s.Stage == StagePaging && !s.NextPageAt.After(now) {
		w.page(ctx, now)
	}
	w.tellOpened(ctx)
	w.tellAcknowledged(ctx)
	w.tellAccepted(ctx)
	w.tellOnSite(ctx)
	w.tellRepaired(ctx)
	w.remindTechnician(ctx, now)
	w.tellBreaches(ctx, now)
	if s.Paused == nil && s.Stage == StageDispatching && !s.NextOfferAt.After(now) {
		w.offer(ctx, now)
	}
	if s.Stage == StageRepaired {
		w.issueReport(ctx)
	}
}

// page asks the next person of the ladder.
func (w *run) page(ctx workflow.Context, now time.Time) {
	s := w.state
	person, round, try, gap, ok := nextPage(s.Pages, w.settings(ctx), s.OpenedAt, now)
	if round > s.Settings.OnCall.Rounds && !s.NobodyTold {
		s.NobodyTold = true
		s.note(now, "nobody on call has answered", "")
		w.send(ctx, "nobody on call answers", w.toManager("manager_nobody_answers", policy.TextManagerNobodyAnswers, s.class()), 0)
	}
	if !ok {
		s.NextPageAt = time.Time{}
		s.note(now, "gave up paging; the manager has been told", "")
		return
	}
	text := policy.TextPageOnCall
	if try > 1 || round > 1 {
		text = policy.TextPageAgain
	}
	step := fmt.Sprintf("%s/%d", askPage, len(s.Pages)+1)
	batch := w.message(personOf(person), step, text, s.class(), w.about())
	for i := range batch {
		batch[i].Ask = w.ask(askPage, now,
			activities.Option{Key: "1", Choice: choiceAcknowledge, Label: "I'm on it"},
			activities.Option{Key: "2", Choice: choiceDecline, Label: "I can't"})
		step = batch[i].Step
	}
	s.Pages = append(s.Pages, Page{Step: step, Person: person.ID, Round: round, Try: try, At: now})
	s.NextPageAt = now.Add(gap)
	s.note(now, fmt.Sprintf("paged (round %d, try %d)", round, try), person.ID)
	w.send(w.asks(ctx), fmt.Sprintf("page %s, try %d", person.ID, try), batch, gap)
}

// asks is the context of pages and offers: an answer to one ends the sending of
// the others.
func (w *run) asks(ctx workflow.Context) workflow.Context {
	if w.asking == nil {
		w.asking, w.stopAsking = workflow.WithCancel(ctx)
	}
	return w.asking
}

func (w *run) ask(purpose string, now time.Time, options ...activities.Option) *activities.Ask {
	about := w.about()
	return &activities.Ask{
		Purpose: purpose, Title: about.Problem + ", " + about.Address, Options: options,
		ExpiresAt: now.Add(w.state.Settings.LinkTTL),
	}
}

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
	w.closeQuestions(ctx, askPage+"/")
	batch := w.to(s.tenants(), "tenant_on_call_acknowledged", policy.TextTenantOnCallAcknowledged, s.class())
	batch = append(batch, w.toManager("manager_acknowledged", policy.TextManagerAcknowledged, s.class())...)
	batch = append(batch, w.to(w.pagedExcept(s.Acknowledged.By), "page_stopped", policy.TextPageStopped, s.class())...)
	w.send(ctx, "acknowledged: tell everybody", batch, 0)
}

// pagedExcept are the people who were paged, but one.
func (w *run) pagedExcept(id string) []activities.Person {
	seen := map[string]bool{id: true}
	var people []activities.Person
	for _, p := range w.state.Pages {
		if seen[p.Person] {
			continue
		}
		seen[p.Person] = true
		if known, ok := w.state.Settings.Person(p.Person); ok {
			people = append(people, personOf(known))
		}
	}
	return people
}

// offer offers the job to the nearest technician who is free.
func (w *run) offer(ctx workflow.Context, now time.Time) {
	s := w.state
	settings := w.settings(ctx)
	load, err := activities.ListTechnicians.RunLocal(ctx, activities.None{}, "who is free")
	if err != nil {
		load = nil
	}
	ranking := dispatch.Rank(w.job(settings), settings.Technicians, now, load, s.asked())
	if len(ranking.Candidates) == 0 {
		s.OfferRound++
		later := dispatch.Rank(w.job(settings), settings.Technicians, now, load, s.asked())
		w.noTechnician(ctx, now, len(later.Candidates) > 0)
		return
	}
	best := ranking.Candidates[0]
	person := personOf(best.Technician.Person)
	step := fmt.Sprintf("%s/%d", askOffer, len(s.Offers)+1)
	about := w.about()
	about.Person, about.DueBy = person.Name, w.local(s.OpenedAt.Add(settings.SLA.OnSite))
	batch := w.message(person, step, policy.TextOfferTechnician, s.class(), about)
	for i := range batch {
		batch[i].Ask = w.ask(askOffer, now,
			activities.Option{Key: "1", Choice: choiceAccept, Label: "I take the job"},
			activities.Option{Key: "2", Choice: choiceDecline, Label: "I can't"})
		step = batch[i].Step
	}
	s.Offers = append(s.Offers, Offer{Step: step, Technician: person.ID, Round: s.OfferRound, At: now, Why: best.Reason})
	s.NextOfferAt = now.Add(settings.Dispatch.OfferGap)
	s.note(now, "job offered: "+best.Reason, person.ID)
	w.send(w.asks(ctx), "offer the job to "+person.ID, batch, settings.Dispatch.OfferGap)
}

// asked are the technicians who are not asked (again) in this round.
func (s *State) asked() map[string]bool {
	out := map[string]bool{}
	for _, o := range s.Offers {
		if o.Declined || o.Round == s.OfferRound {
			out[o.Technician] = true
		}
	}
	return out
}

// noTechnician ends a round. Where another one could find somebody it follows after
// a pause; else the manager is told, and the roster is looked at again later:
// shifts change, jobs end.
func (w *run) noTechnician(ctx workflow.Context, now time.Time, somebodyLeft bool) {
	s := w.state
	if s.OfferRound < s.Settings.Dispatch.Rounds && somebodyLeft {
		s.NextOfferAt = now.Add(s.Settings.Dispatch.OfferGap)
		return
	}
	s.NextOfferAt = now.Add(s.Settings.OnCall.RepeatEvery)
	if now.Sub(s.OpenedAt) > s.Settings.OnCall.GiveUpAfter {
		s.NextOfferAt = time.Time{}
	}
	if !s.NoTechnician {
		s.NoTechnician = true
		s.note(now, "no technician is free", "")
		w.send(ctx, "no technician: tell the manager", w.toManager("manager_dispatch_failed", policy.TextManagerDispatchFailed, s.class()), 0)
	}
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
	w.closeQuestions(ctx, askOffer+"/")
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

// offeredExcept are the technicians who still think that the job is open.
func (w *run) offeredExcept(id string) []activities.Person {
	seen := map[string]bool{id: true}
	var people []activities.Person
	for _, o := range w.state.Offers {
		if seen[o.Technician] || o.Declined {
			continue
		}
		seen[o.Technician] = true
		if known, ok := w.state.Settings.Person(o.Technician); ok {
			people = append(people, personOf(known))
		}
	}
	return people
}

func (w *run) tellOnSite(ctx workflow.Context) {
	s := w.state
	if s.Job == nil || s.Job.OnSite == nil || s.Job.OnSite.Told {
		return
	}
	s.Job.OnSite.Told = true
	job := s.Job
	w.closeQuestions(ctx, askOnSite+"/")
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
	w.closeQuestions(ctx, "")
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
		people := []activities.Person{personOf(s.Settings.Manager)}
		for _, p := range s.Settings.Escalation {
			people = append(people, personOf(p))
		}
		about := w.about()
		about.Reason = "not " + promised(sla) + " in time"
		about.DueBy = w.local(s.OpenedAt.Add(limit(s.Settings, sla)))
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

// closeQuestions ends the questions of a kind, and the sending of those that have
// not left yet.
func (w *run) closeQuestions(ctx workflow.Context, prefix string) {
	if w.stopAsking != nil {
		w.stopAsking()
		w.asking, w.stopAsking = nil, nil
	}
	keep(ctx, w, activities.CloseQuestions, activities.CloseQuestionsInput{Prefix: prefix}, "close questions")
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
			w.state.note(durable.Now(ctx), summary+" failed: "+kindOf(err), "")
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
	if !s.Ended.Silently {
		w.closeQuestions(ctx, "")
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

// job is what a technician would be sent to.
func (w *run) job(settings activities.Settings) dispatch.Job {
	p := w.state.Report.Property
	return dispatch.Job{
		Trade: string(w.state.Assessment.Trade), HasPosition: p.HasPosition, Latitude: p.Latitude, Longitude: p.Longitude,
		Zone: w.zone(), MaxDistanceKm: settings.Dispatch.MaxDistanceKm,
	}
}
