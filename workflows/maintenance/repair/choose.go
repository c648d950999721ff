package repair

import (
	"fmt"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/policy"
)

// Analysed takes what the repair needs.
func (r *State) Analysed(a analysis.Analysis, now time.Time) {
	r.Analysis = a
	r.note(now, fmt.Sprintf("%s, %s, about %d min, by %s: %s", a.Priority, a.Trade, a.Minutes, a.By, a.Reason), "")
	r.move(Choosing, now)
}

// Chosen takes who may do it: technicians and vendors, best first, and why one kind is
// preferred. vendors are those to invite for bids.
func (r *State) Chosen(kind sourcing.Kind, why string, technicians, vendors []sourcing.Candidate, passed []sourcing.Passed, c Circumstances, now time.Time) {
	r.Round++
	r.Preferred, r.Passed = why, passed[:min(len(passed), maxPassed)]
	r.Queue, r.Invite, r.Current = nil, nil, nil
	r.note(now, "who does it: "+why, "")
	if kind == sourcing.Technician && len(technicians) > 0 {
		for _, t := range technicians[:min(len(technicians), maxQueue)] {
			r.Queue = append(r.Queue, Choice{Candidate: t, Price: t.Estimate + r.partsCost()})
		}
		r.pick(c, now)
		return
	}
	if len(vendors) == 0 {
		r.stuck("nobody suits: "+why, c, now)
		return
	}
	r.VendorsOnly = true
	// A vendor brings the parts.
	r.undoOrders(func(o Order) bool { return o.Of == "" })
	r.giveBackParts()
	r.Invite = vendors[:min(len(vendors), maxQueue)]
	r.move(Bidding, now)
}

// The bounds of what a search remembers.
const (
	maxPassed = 20
	maxQueue  = 20
)

// Bids takes what the vendors have offered, best first.
func (r *State) Bids(bids []sourcing.Scored, leftToManager bool, why string, c Circumstances, now time.Time) {
	r.Invite = nil
	if r.Stage != Bidding {
		for _, b := range bids {
			r.lost(Choice{Candidate: b.Candidate})
		}
		return
	}
	for _, b := range bids[:min(len(bids), maxQueue)] {
		if b.Score == 0 {
			r.note(now, "bid without valid insurance on the day: not considered", b.Candidate.ID)
			r.lost(Choice{Candidate: b.Candidate})
			continue
		}
		choice := Choice{Candidate: b.Candidate, Price: b.Price, From: b.Earliest}
		choice.Reason = b.Reason
		r.Queue = append(r.Queue, choice)
	}
	if leftToManager {
		r.Current = nil
		r.Stop("no vendor has bid; the property manager takes care of it", now)
		return
	}
	r.note(now, fmt.Sprintf("%d bids: %s", len(bids), why), "")
	r.pick(c, now)
}

// pick takes the next candidate: the price is approved where it must be, then the job
// is offered.
func (r *State) pick(c Circumstances, now time.Time) {
	r.Current = nil
	for len(r.Queue) > 0 && slices.Contains(r.Out, r.Queue[0].ID) {
		r.Queue = r.Queue[1:]
	}
	if len(r.Queue) == 0 {
		r.noneLeft(c, now)
		return
	}
	next := r.Queue[0]
	r.Current, r.Queue = &next, r.Queue[1:]
	if r.needsApproval(c, now) {
		return
	}
	r.offer(c, now)
}

// needsApproval asks the owner where the current candidate's price, with what was spent
// before, is above the limit and what was approved.
func (r *State) needsApproval(c Circumstances, now time.Time) bool {
	total := r.Current.Price + r.spent()
	if total <= c.Rules.Spend.Limit || total <= r.Approved {
		return false
	}
	r.note(now, fmt.Sprintf("%s is above the limit of %s: the owner is asked", total, c.Rules.Spend.Limit), r.Current.ID)
	r.move(Approving, now)
	if r.OwnersRead {
		r.askOwners(c, now)
	}
	return true
}

// lost tells a vendor that the bid was in vain.
func (r *State) lost(c Choice) {
	if c.Kind == sourcing.Vendor {
		r.tell(Tell{To: One, Person: c.Person(), Text: policy.TextRepairBidLost})
	}
}

// noneLeft ends a list: after the technicians come the vendors, and then the manager.
func (r *State) noneLeft(c Circumstances, now time.Time) {
	if !r.VendorsOnly {
		r.VendorsOnly = true
		r.note(now, "no technician is left; vendors are asked", "")
		r.move(Choosing, now)
		return
	}
	r.stuck("nobody has taken the job", c, now)
}

// OwnersFound takes whom to ask about the price.
func (r *State) OwnersFound(owners []activities.Person, c Circumstances, now time.Time) {
	r.Owners, r.OwnersRead = owners, true
	if r.Stage == Approving {
		r.askOwners(c, now)
	}
}

func (r *State) askOwners(c Circumstances, now time.Time) {
	if len(r.Owners) == 0 {
		r.askManagerToSpend("no owner is known", c, now)
		return
	}
	r.ask(AskOwner, r.Owners, now, c.Rules.Spend.RemindAfter, c.Rules.Spend.EscalateAfter)
}

func (r *State) askManagerToSpend(why string, c Circumstances, now time.Time) {
	r.note(now, "the property manager decides about the price: "+why, "")
	r.stopAsking(AskOwner)
	r.ask(AskSpend, []activities.Person{c.Manager}, now, daily(3), patience).Reason = why
}

// patience is how long a manager may be silent before a repair is left to people.
const patience = 7 * 24 * time.Hour

// daily repeats a question so many times.
func daily(times int) []time.Duration {
	var again []time.Duration
	for i := range times {
		again = append(again, time.Duration(i+1)*24*time.Hour)
	}
	return again
}

// approve takes that the price of the current candidate may be spent.
func (r *State) approve(by string, c Circumstances, now time.Time) {
	r.stopAsking(AskOwner, AskSpend)
	if r.Current == nil {
		return
	}
	r.Approved, r.ApprovedBy = max(r.Approved, r.Current.Price+r.spent()), by
	r.note(now, "approved "+r.Approved.String(), by)
	if r.Given {
		r.accept("operator", c, now)
		return
	}
	r.offer(c, now)
}

// offer asks the current candidate to take the job.
func (r *State) offer(c Circumstances, now time.Time) {
	purpose := AskOffer
	if r.Current.Kind == sourcing.Vendor {
		purpose = AskAward
	}
	r.note(now, "job offered: "+r.Current.Reason, r.Current.ID)
	r.move(Offering, now)
	r.ask(purpose, []activities.Person{r.Current.Person()}, now, nil, c.Rules.OfferWithin)
	r.record(Record{Worker: r.Current.ID, AskedAt: now, Estimate: r.Current.Estimate}, c)
}

// record adds to the worker's record of this round's offer.
func (r *State) record(rec Record, c Circumstances) {
	rec.Key = fmt.Sprintf("work-order/%s%s/%d/%s", c.WorkOrder, r.Suffix(), r.Round, rec.Worker)
	rec.WorkOrderID, rec.Trade = c.WorkOrder, string(r.Analysis.Trade)
	r.Records = append(r.Records, rec)
}

// passOver takes that the current candidate does not take the job.
func (r *State) passOver(why string, answered bool, c Circumstances, now time.Time) {
	if r.Current == nil {
		return
	}
	rec := Record{Worker: r.Current.ID}
	if answered {
		rec.AnsweredAt = now
		r.record(rec, c)
	}
	r.note(now, why, r.Current.ID)
	r.leaveOut(r.Current.ID)
	r.stopAsking(AskOffer, AskAward)
	r.pick(c, now)
}

// accept gives the job to the current candidate.
func (r *State) accept(via string, c Circumstances, now time.Time) {
	r.Worker = &Worker{Choice: *r.Current, At: now, Via: via}
	r.stopAsking(AskOffer, AskAward)
	r.note(now, "accepted the job by "+via, r.Worker.ID)
	r.record(Record{Worker: r.Worker.ID, AnsweredAt: now, Accepted: true, Price: r.Worker.Price}, c)
	for _, l := range r.Queue {
		r.lost(l)
	}
	r.Current, r.Given, r.Why = nil, false, ""
	r.Earliest = max(r.Earliest, r.Worker.From)
	r.Ordered, r.Accounted = false, false
	r.move(Ordering, now)
	r.startOrdering(c, now)
}

// replace takes the job from its worker and looks for somebody else.
func (r *State) replace(why string, c Circumstances, now time.Time) {
	who := *r.Worker
	r.note(now, "no longer has the job: "+why, who.ID)
	r.leaveOut(who.ID)
	announced := r.Visit != nil
	r.unbook()
	r.stopAsking()
	r.undoOrders(func(o Order) bool { return o.Of == who.ID })
	r.tell(Tell{To: One, Person: who.Person(), Text: policy.TextRepairWorkerStopped, Reason: why})
	r.tell(Tell{To: Manager, Text: policy.TextRepairManagerNotice, Who: who.Name, Reason: "somebody else is looked for: " + why, Mail: true})
	if announced {
		r.tell(Tell{To: Tenants, Text: policy.TextRepairTenantReplaced, Who: who.Name})
	}
	r.Worker, r.Work, r.Verdict = nil, nil, nil
	r.Windows, r.WindowRounds = nil, 0
	r.Earliest = ""
	r.pick(c, now)
}

// Give gives the job to somebody whom an operator has chosen.
func (r *State) Give(to Choice, c Circumstances, now time.Time) {
	for _, l := range r.Queue {
		r.lost(l)
	}
	r.Queue = nil
	if r.Worker != nil {
		r.VendorsOnly = true // nobody else is asked meanwhile
		r.replace("given to somebody else", c, now)
	} else if r.Current != nil && r.Stage == Offering {
		r.tell(Tell{To: One, Person: r.Current.Person(), Text: policy.TextRepairWorkerStopped, Reason: "given to somebody else"})
	}
	r.stopAsking()
	r.Out = slices.DeleteFunc(r.Out, func(id string) bool { return id == to.ID })
	to.Price += r.partsCost()
	r.Invite, r.Current, r.Given = nil, &to, true
	if !r.needsApproval(c, now) {
		r.accept("operator", c, now)
	}
}

// stuck lets the manager decide whether the search goes on.
func (r *State) stuck(why string, c Circumstances, now time.Time) {
	r.Why = why
	r.note(now, "stuck: "+why, "")
	r.stopAsking() // whatever was asked is the manager's now
	r.move(Stuck, now)
	r.ask(AskStuck, []activities.Person{c.Manager}, now, daily(3), patience).Reason = why
}

// searchAgain begins a new search, in which everybody is asked again who is not known
// to be unable.
func (r *State) searchAgain(now time.Time) {
	r.VendorsOnly, r.Out, r.Queue = false, slices.Clone(r.Never), nil
	r.move(Choosing, now)
}

// Stop leaves the repair to people and takes back what was done.
func (r *State) Stop(why string, now time.Time) {
	r.Why = why
	r.note(now, "left to the property manager: "+why, "")
	r.tell(Tell{To: Manager, Text: policy.TextRepairManagerStopped, Reason: why})
	r.tell(Tell{To: Tenants, Text: policy.TextRepairTenantStopped})
	if r.Approved > 0 || r.ApprovedBy != "" {
		r.tell(Tell{To: OwnersA, Text: policy.TextRepairOwnerStopped, Reason: why})
	}
	r.TakeBack("the work order goes another way")
	r.move(Stopped, now)
}

// TakeBack undoes everything that was done and ends all questions. Whoever waits for
// the visit is told.
func (r *State) TakeBack(why string) {
	arrived := r.Visit != nil && !r.Visit.Arrived.IsZero()
	r.stopAsking()
	who := r.Worker
	r.unbook()
	if arrived {
		r.begun()
	}
	r.undoOrders(func(Order) bool { return true })
	r.giveBackParts()
	for _, l := range r.Queue {
		r.lost(l)
	}
	switch {
	case who != nil:
		r.tell(Tell{To: One, Person: who.Person(), Text: policy.TextRepairWorkerStopped, Reason: why})
	case r.Current != nil && (r.Stage == Offering || r.Current.Kind == sourcing.Vendor):
		r.tell(Tell{To: One, Person: r.Current.Person(), Text: policy.TextRepairWorkerStopped, Reason: why})
	}
	r.Worker, r.Current, r.Queue, r.Invite = nil, nil, nil, nil
}

// giveBackParts ends the reservation of the parts.
func (r *State) giveBackParts() {
	if r.Parts == nil {
		return
	}
	r.Undo.Used, r.Undo.Parts = r.Undo.Used || r.PartsUsed, r.Undo.Parts || !r.PartsUsed
	r.Parts, r.PartsUsed = nil, false
}

func (r *State) undoOrders(which func(Order) bool) {
	r.Orders = slices.DeleteFunc(r.Orders, func(o Order) bool {
		if o.Stands || !which(o) {
			return false
		}
		r.Undo.Orders = append(r.Undo.Orders, o)
		return true
	})
}

// End takes that the work order has ended by other means: everything is taken back and
// everybody who waits is told.
func (r *State) End(tenants, why string) {
	r.Why = why
	if r.Stage != Analysing && r.Stage != Choosing {
		r.tell(Tell{To: Tenants, Text: tenants, Reason: why})
	}
	r.TakeBack(why)
	r.Stage = Stopped
}

// Open tells whether the job can still be given to somebody.
func (r *State) Open() bool {
	switch r.Stage {
	case Choosing, Bidding, Approving, Offering, Ordering, Scheduling, Scheduled, OnTheWay, Stuck, Stopped:
		return true
	case Analysing, OnSite, Checking, Reviewing, Confirming, Finishing, Finished:
	}
	return false
}

// OwnerApproved tells whether an owner, and nobody instead, has approved the price.
func (r *State) OwnerApproved() bool {
	return slices.ContainsFunc(r.Owners, func(p activities.Person) bool { return p.ID == r.ApprovedBy })
}
