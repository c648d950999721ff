package repair

import (
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
)

// visitRules are the policy's on visits.
type visitRules = policy.Visit

// visitDeadline is when a booked visit needs attention next.
func (r *State) visitDeadline(rules visitRules) (at time.Time, why string) {
	v := r.Visit
	switch r.Stage {
	case Scheduled, OnTheWay:
		if at := r.remindAt(rules); !at.IsZero() && r.Stage == Scheduled {
			return at, "remind of the visit"
		}
		if !v.Late {
			return v.Window.End.Add(rules.Late), "nobody has arrived"
		}
	case OnSite:
		if !v.Overrun {
			return r.overrunAt(rules), "longer than estimated"
		}
	case Analysing, Choosing, Bidding, Approving, Offering, Ordering, Scheduling, Checking, Reviewing, Confirming, Stuck, Finishing, Finished, Stopped:
	}
	return time.Time{}, ""
}

// remindAt is when the next reminder of the visit is due, zero where none is left.
func (r *State) remindAt(rules visitRules) time.Time {
	if n := r.Visit.Reminded; n < len(rules.Remind) {
		return r.Visit.Window.Start.Add(-rules.Remind[n])
	}
	return time.Time{}
}

func (r *State) overrunAt(rules visitRules) time.Time {
	estimate := time.Duration(max(r.Analysis.Minutes, 15)) * time.Minute
	return r.Visit.Arrived.Add(estimate + estimate*time.Duration(rules.Overrun)/100)
}

// Tick takes that time has passed: what is overdue is reminded of, decided by silence,
// or looked at.
func (r *State) Tick(c Circumstances, now time.Time) {
	for _, w := range append([]Wait(nil), r.Waits...) {
		if _, open := r.waiting(w.Purpose, w.Number); open && !w.GiveUpAt.IsZero() && !w.GiveUpAt.After(now) {
			r.silence(w, c, now)
		}
	}
	if r.Visit != nil && r.Worker != nil {
		r.attend(c, now)
	}
}

// attend does what a booked visit asks for.
func (r *State) attend(c Circumstances, now time.Time) {
	rules, v := c.Rules.Visit, r.Visit
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	if r.Stage == Scheduled {
		for due(r.remindAt(rules)) {
			last := v.Reminded == len(rules.Remind)-1
			v.Reminded++
			switch {
			case last:
				r.stopAsking(AskReminder)
				r.ask(AskWay, r.worker(), now, nil, 0)
			case len(c.Tenants) > 0:
				r.ask(AskReminder, c.Tenants, now, nil, 0)
			}
		}
	}
	switch r.Stage {
	case Scheduled, OnTheWay:
		if !v.Late && due(v.Window.End.Add(rules.Late)) {
			v.Late = true
			r.note(now, "nobody has arrived within the window", r.Worker.ID)
			r.stopAsking(AskWay, AskSite, AskReminder)
			r.ask(AskLate, r.worker(), now, nil, max(rules.Late, time.Minute))
			r.tell(Tell{To: Manager, Text: policy.TextRepairManagerNotice, Who: r.Worker.Name, Reason: "nobody has arrived for the visit", Window: &v.Window, Mail: true})
		}
	case OnSite:
		if !v.Overrun && due(r.overrunAt(rules)) {
			v.Overrun = true
			r.note(now, "the work takes longer than estimated", r.Worker.ID)
			r.askAgain(AskDone, now, []time.Duration{4 * time.Hour, 24 * time.Hour}, 3*24*time.Hour)
		}
	case Analysing, Choosing, Bidding, Approving, Offering, Ordering, Scheduling, Checking, Reviewing, Confirming, Stuck, Finishing, Finished, Stopped:
	}
}

// askAgain repeats an open question to the worker, or asks it; what was asked before can
// still be answered.
func (r *State) askAgain(p Purpose, now time.Time, again []time.Duration, giveUp time.Duration) {
	for i := range r.Waits {
		if w := &r.Waits[i]; w.Purpose == p {
			w.AskedAt, w.NextAt, w.Again, w.GiveUpAt = now, now, again, now.Add(giveUp)
			return
		}
	}
	r.ask(p, r.worker(), now, again, giveUp)
}

// worker is who has the job, as the addressee of a question.
func (r *State) worker() []activities.Person { return []activities.Person{r.Worker.Person()} }

// unbook gives up the visit, where there is one: the calendars are told.
func (r *State) unbook() {
	if r.Visit == nil {
		return
	}
	r.stopAsking(AskReminder, AskWay, AskSite, AskLate, AskDone, AskAgain)
	if r.Visit.Invited && r.Visit.Arrived.IsZero() {
		r.Undo.Visits = append(r.Undo.Visits, *r.Visit)
	}
	r.Undo.Booking = true
	r.Visit, r.Picked = nil, nil
}

// TenantsGone takes that nobody lives there any more: what the tenants were asked is
// settled without them.
func (r *State) TenantsGone(c Circumstances, now time.Time) {
	r.note(now, "the tenants have moved out", "")
	r.tell(Tell{To: Manager, Text: policy.TextRepairManagerNotice, Who: r.workerName(), Reason: "the tenants have moved out: please see to access", Mail: true})
	r.stopAsking(AskWindow, AskReminder)
	switch r.Stage {
	case Scheduling:
		if r.Picked == nil {
			r.Windows = nil
		}
	case Scheduled:
		r.reschedule("the tenants have moved out", now)
	case Confirming:
		r.finish("the check", now)
	case Analysing, Choosing, Bidding, Approving, Offering, Ordering, OnTheWay, OnSite, Checking, Reviewing, Stuck, Finishing, Finished, Stopped:
	}
}

// reschedule looks for another time with the same worker.
func (r *State) reschedule(reason string, now time.Time) {
	if r.Visit != nil {
		r.Refused = append(r.Refused, r.Visit.Window.Start)
		r.tell(Tell{To: One, Person: r.Worker.Person(), Text: policy.TextRepairTenantMoved, Window: &r.Visit.Window})
	}
	r.note(now, "another time is looked for: "+reason, "")
	r.unbook()
	r.Windows, r.WindowRounds = nil, 0
	r.move(Scheduling, now)
}
