package maintenance

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/dispatch"
)

// respond does what an emergency asks for now.
func (w *run) respond(ctx workflow.Context) {
	s, now := w.state, durable.Now(ctx)
	if s.Assessment.LifeSafety && !s.TenantsTold {
		w.send(ctx, "life safety: call the emergency number", w.to(s.Report.Tenants, "life_safety", policy.TextTenantLifeSafety, activities.LifeSafety), 0)
	}
	if s.Paused == nil && s.Stage == StagePaging && due(s.NextPageAt, now) {
		w.page(ctx, now)
	}
	w.tellOpened(ctx)
	w.tellAcknowledged(ctx)
	w.tellGivenBack(ctx)
	w.tellAccepted(ctx)
	w.tellOnSite(ctx)
	w.tellRepaired(ctx)
	w.remindTechnician(ctx, now)
	w.tellBreaches(ctx, now)
	if s.Paused == nil && s.Stage == StageDispatching && due(s.NextOfferAt, now) {
		w.offer(ctx, now)
	}
	if s.Stage == StageRepaired {
		w.issueReport(ctx)
	}
}

// due tells whether a time has come; the zero time never does.
func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// page asks the next person of the ladder.
func (w *run) page(ctx workflow.Context, now time.Time) {
	s := w.state
	person, round, try, gap, ok := nextPage(s.Pages, w.settings(ctx), s.since(), now)
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
	batch := w.message(activities.PersonOf(person), step, text, s.class(), w.about())
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
	person := activities.PersonOf(best.Technician.Person)
	step := fmt.Sprintf("%s/%d", askOffer, len(s.Offers)+1)
	about := w.about()
	about.Person, about.DueBy = person.Name, w.local(s.since().Add(settings.SLA.OnSite))
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
	if now.Sub(s.DispatchingAt) > s.Settings.OnCall.GiveUpAfter {
		s.NextOfferAt = time.Time{}
	}
	if !s.NoTechnician {
		s.NoTechnician = true
		s.note(now, "no technician is free", "")
		w.send(ctx, "no technician: tell the manager", w.toManager(fmt.Sprintf("manager_dispatch_failed/%d", s.OfferRound), policy.TextManagerDispatchFailed, s.class()), 0)
	}
}

// job is what a technician would be sent to.
func (w *run) job(settings activities.Settings) dispatch.Job {
	p := w.state.Report.Property
	return dispatch.Job{
		Trade: string(w.state.Assessment.Trade), HasPosition: p.HasPosition, Latitude: p.Latitude, Longitude: p.Longitude,
		Zone: w.zone(), MaxDistanceKm: settings.Dispatch.MaxDistanceKm,
	}
}
