package repair

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

func itoa(n int) string { return strconv.Itoa(n) }

func late(text string) durable.Outcome { return durable.Outcome{Late: true, Message: text} }

func taken(text string) durable.Outcome { return durable.Outcome{Message: text} }

// Answer takes what a person said. One that comes too late changes nothing.
func (r *State) Answer(a durable.Answer, c Circumstances, now time.Time) durable.Outcome {
	p, number, ok := Of(a.Step)
	if !ok {
		return late("Thank you. We do not know that question.")
	}
	w, open := r.waiting(p, number)
	if !open {
		return late("Thank you. That is settled already.")
	}
	if !slices.ContainsFunc(w.To, func(to activities.Person) bool { return to.ID == a.Person }) {
		return late("Thank you. Somebody else is asked about that now.")
	}
	const latest = 20
	r.Answered = append(r.Answered[max(0, len(r.Answered)-latest):], number)
	for i := range r.Waits {
		r.Waits[i].Answered = r.Waits[i].Answered || r.Waits[i].Number == number
	}
	switch p {
	case AskOffer, AskAward:
		return r.answerOffer(a, c, now)
	case AskOwner, AskSpend:
		return r.answerSpend(a, c, now)
	case AskAccounting:
		return r.answerAccounting(a, now)
	case AskWindow, AskManagerWindow:
		return r.answerWindow(a, c, now)
	case AskReminder:
		return r.answerReminder(a, now)
	case AskWay, AskSite, AskLate, AskDone, AskAgain:
		return r.answerWork(p, a, c, now)
	case AskReview:
		return r.answerReview(a, c, now)
	case AskConfirm:
		return r.answerConfirm(a, c, now)
	case AskStuck:
		return r.answerStuck(a, c, now)
	}
	return late("Thank you. We do not know that question.")
}

func (r *State) answerOffer(a durable.Answer, c Circumstances, now time.Time) durable.Outcome {
	if a.Choice == Accept {
		r.accept(a.Via, c, now)
		return taken("Thank you, the job is yours. We tell you when the visit is.")
	}
	r.passOver("declined the job", true, c, now)
	return taken("Understood. We ask somebody else.")
}

func (r *State) answerSpend(a durable.Answer, c Circumstances, now time.Time) durable.Outcome {
	if a.Choice == Approve {
		r.approve(a.Person, c, now)
		return taken("Thank you. The repair goes ahead.")
	}
	r.Stop("the price was declined", now)
	return taken("Understood. The repair does not go ahead; the property manager is told.")
}

func (r *State) answerAccounting(a durable.Answer, now time.Time) durable.Outcome {
	r.stopAsking(AskAccounting)
	if a.Choice == Approve {
		r.Accounted = true
		r.note(now, "accounting has agreed to the order", a.Person)
		return taken("Thank you. The order is placed.")
	}
	r.Stop("accounting has declined the order", now)
	return taken("Understood. Nothing is ordered; the property manager is told.")
}

func (r *State) answerWindow(a durable.Answer, c Circumstances, now time.Time) durable.Outcome {
	if a.Choice == Other {
		if a.Person == c.Manager.ID {
			r.Stop("no time for the visit could be found", now)
			return taken("Understood. The visit is left to you.")
		}
		for _, w := range r.Windows {
			r.Refused = append(r.Refused, w.Start)
		}
		r.note(now, "none of the times suits the tenant", a.Person)
		r.Windows = nil
		r.stopAsking(AskWindow)
		return taken("Thank you. We look for other times.")
	}
	n, err := strconv.Atoi(strings.TrimPrefix(a.Choice, windowPrefix))
	if err != nil || n < 1 || n > len(r.Windows) {
		return late("Sorry, that time is not offered any more.")
	}
	picked := r.Windows[n-1]
	if !picked.Start.After(now) {
		r.Windows = nil
		r.stopAsking(AskWindow, AskManagerWindow)
		return late("Sorry, that time has passed. We send you others.")
	}
	r.Picked = &picked
	r.stopAsking(AskWindow, AskManagerWindow)
	r.note(now, "chose a time by "+a.Via, a.Person)
	return taken("Thank you. We confirm the visit in a moment.")
}

func (r *State) answerReminder(a durable.Answer, now time.Time) durable.Outcome {
	r.stopAsking(AskReminder)
	if a.Choice == Other && r.Stage == Scheduled {
		r.tell(Tell{To: Tenants, Text: policy.TextRepairTenantMoved, Window: &r.Visit.Window})
		r.reschedule("the tenant asked for it", now)
		return taken("Understood. We send you other times.")
	}
	return taken("Thank you. See you then.")
}

// answerWork takes the worker's word about the visit.
func (r *State) answerWork(p Purpose, a durable.Answer, c Circumstances, now time.Time) durable.Outcome {
	if r.Visit == nil || r.Worker == nil {
		return late("Thank you. There is no visit just now.")
	}
	switch a.Choice {
	case Way:
		r.Visit.OnTheWay = now
		r.stopAsking(AskWay, AskReminder)
		r.tell(Tell{To: Tenants, Text: policy.TextRepairTenantOnTheWay, Who: r.Worker.Name, Window: &r.Visit.Window})
		r.note(now, "on the way", a.Person)
		r.move(OnTheWay, now)
		r.ask(AskSite, r.worker(), now, nil, 0)
		return taken("Thank you, the tenant is told. Tell us when you are there.")
	case Here:
		r.Visit.Arrived = now
		r.stopAsking(AskWay, AskSite, AskLate, AskReminder)
		r.note(now, "on site", a.Person)
		r.move(OnSite, now)
		r.ask(AskDone, r.worker(), now, nil, 0)
		return taken("Thank you. Hand in the work by the link that we text you.")
	case NoAccess:
		return r.nobodyHome(c, now)
	case Cannot:
		r.replace("cannot come", c, now)
		return taken("Understood. We send somebody else.")
	case Done:
		r.handedIn(a, c, now)
		return taken("Thank you, well done. We check it and ask the tenant.")
	}
	// The work needs more: another visit of the same worker.
	if p == AskAgain {
		r.review("the worker could not hand in what is missing", c, now)
		return taken("Understood. The property manager looks at it.")
	}
	r.Visit.Ended = now
	r.begun()
	r.tell(Tell{To: Manager, Text: policy.TextRepairManagerNotice, Who: r.Worker.Name, Reason: "the work needs another visit", Mail: true})
	r.stopAsking()
	r.note(now, "the work needs another visit", a.Person)
	r.Visit, r.Picked, r.Windows, r.WindowRounds = nil, nil, nil, 0
	r.move(Scheduling, now)
	return taken("Understood. We find a time for another visit.")
}

// nobodyHome takes that the worker could not get in.
func (r *State) nobodyHome(c Circumstances, now time.Time) durable.Outcome {
	r.NoAccess++
	r.note(now, fmt.Sprintf("nobody was at home, %d", r.NoAccess), r.Worker.ID)
	r.stopAsking(AskWay, AskSite, AskLate, AskReminder)
	window := r.Visit.Window
	// The visit took place: calendars keep it.
	r.Visit, r.Picked, r.Windows, r.WindowRounds = nil, nil, nil, 0
	r.Refused = append(r.Refused, window.Start)
	if r.NoAccess >= c.Rules.Visit.NoAccess {
		r.move(Scheduling, now)
		r.Windows = nil
		r.stuck("nobody was at home again", c, now)
		return taken("Thank you for trying. The property manager sorts it out.")
	}
	r.tell(Tell{To: Tenants, Text: policy.TextRepairTenantMoved, Window: &window})
	r.move(Scheduling, now)
	return taken("Thank you for trying. We find another time with the tenant.")
}

func (r *State) answerReview(a durable.Answer, c Circumstances, now time.Time) durable.Outcome {
	r.stopAsking(AskReview)
	if a.Choice == Accept {
		r.note(now, "accepted in spite of the findings", a.Person)
		r.confirm(c, now)
		return taken("Thank you. The tenant is asked next.")
	}
	r.comeBack("sent back by the property manager", c, now)
	return taken("Thank you. Somebody comes again.")
}

func (r *State) answerConfirm(a durable.Answer, c Circumstances, now time.Time) durable.Outcome {
	if n, err := strconv.Atoi(a.Fields[FieldRating]); err == nil && n >= 1 && n <= 5 {
		r.Rating = n
	}
	if a.Choice == Fixed {
		r.finish(a.Person, now)
		return taken("Thank you. Your request is closed.")
	}
	r.comeBack("the tenant says so", c, now)
	return taken("Thank you for telling us. Somebody comes again.")
}

func (r *State) answerStuck(a durable.Answer, c Circumstances, now time.Time) durable.Outcome {
	r.stopAsking(AskStuck)
	if a.Choice == Leave {
		r.Stop("the property manager takes care of it", now)
		return taken("Thank you. It is left to you.")
	}
	r.note(now, "goes on looking", a.Person)
	switch {
	case r.Worker == nil:
		r.searchAgain(now)
	case r.NoAccess >= c.Rules.Visit.NoAccess:
		r.NoAccess, r.Windows, r.WindowRounds = 0, nil, 0
		r.move(Scheduling, now)
	default:
		r.replace("another one is wanted", c, now)
	}
	return taken("Thank you. We try again.")
}

// silence decides where nobody has answered in time.
func (r *State) silence(w Wait, c Circumstances, now time.Time) {
	switch w.Purpose {
	case AskOffer, AskAward:
		r.passOver("did not answer the offer", false, c, now)
	case AskOwner:
		r.askManagerToSpend("the owner has not answered", c, now)
	case AskAccounting:
		if len(w.To) == 1 && w.To[0].ID == c.Manager.ID {
			r.Stop("nobody has agreed to the order", now)
			return
		}
		r.note(now, "accounting has not answered; the property manager decides", "")
		r.ask(AskAccounting, []activities.Person{c.Manager}, now, daily(3), patience)
	case AskWindow:
		// The times that were offered may have passed: the manager gets fresh ones.
		r.note(now, "the tenant has not chosen a time", "")
		r.stopAsking(AskWindow)
		r.Windows, r.WindowRounds = nil, maxWindowRounds
	case AskAgain:
		r.review("what is missing was not handed in: "+w.Reason, c, now)
	case AskReview:
		r.note(now, "nobody has reviewed it; the tenant decides", "")
		r.confirm(c, now)
	case AskConfirm:
		r.finish("silence", now)
	case AskDone:
		r.stuck("the work is not reported as done", c, now)
	case AskSpend, AskManagerWindow, AskStuck:
		r.stopAsking(w.Purpose)
		r.Stop("nobody has decided: "+w.Reason, now)
	case AskLate:
		r.replace("did not come", c, now)
	case AskReminder, AskWay, AskSite:
		r.stopAsking(w.Purpose)
	}
	// Whatever was decided, the same silence decides once.
	if still, open := r.waiting(w.Purpose, w.Number); open && !still.GiveUpAt.After(now) {
		r.stopAsking(w.Purpose)
	}
}
