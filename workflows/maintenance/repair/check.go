package repair

import (
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/inspection"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// The fields of the form by which work is handed in.
const (
	FieldChecklist = "checklist"
	FieldRating    = "rating"
)

// maxPhotos bounds the photos of one repair.
const maxPhotos = 24

// handedIn takes the worker's word that the work is done.
func (r *State) handedIn(a durable.Answer, c Circumstances, now time.Time) {
	if r.Visit.Arrived.IsZero() {
		r.Visit.Arrived = now
	}
	r.Visit.Ended = now
	list := c.Rules.Checklist(string(r.Analysis.Trade))
	if r.Work == nil {
		r.Work = &Work{}
	}
	w := r.Work
	w.At, w.Note = now, a.Note
	w.Times++
	for _, n := range strings.Split(a.Fields[FieldChecklist], ",") {
		for i, item := range list {
			if n == itoa(i) && !slices.Contains(w.Ticked, item) {
				w.Ticked = append(w.Ticked, item)
			}
		}
	}
	for _, p := range a.Photos {
		if len(r.Photos) < maxPhotos && !slices.Contains(r.Photos, p) {
			r.Photos = append(r.Photos, p)
		}
	}
	r.stopAsking(AskDone, AskAgain)
	r.Verdict = nil
	r.begun()
	r.note(now, "reported the work done after "+now.Sub(r.Visit.Arrived).Round(time.Minute).String()+" on site", r.Worker.ID)
	r.move(Checking, now)
}

// begun takes that work was done: its parts are used and its orders stand.
func (r *State) begun() {
	r.PartsUsed = r.Parts != nil
	for i := range r.Orders {
		r.Orders[i].Stands = true
	}
}

// Inspected takes what the check has found.
func (r *State) Inspected(v inspection.Verdict, c Circumstances, now time.Time) {
	if r.Stage != Checking || r.Work == nil {
		return
	}
	r.Verdict = &v
	if v.Review() {
		r.review(findings(v), c, now)
		return
	}
	if v.Passed {
		r.note(now, "the check has passed, by "+v.By, "")
		r.confirm(c, now)
		return
	}
	why := findings(v)
	r.note(now, "the check has found: "+codes(v), r.Worker.ID)
	if r.Work.Times < 2 {
		r.ask(AskAgain, r.worker(), now, every(12*time.Hour, 1), 24*time.Hour).Reason = why
		return
	}
	r.review(why, c, now)
}

// review lets the manager decide about what the check has found.
func (r *State) review(why string, c Circumstances, now time.Time) {
	r.stopAsking(AskAgain, AskDone)
	r.move(Reviewing, now)
	r.ask(AskReview, []activities.Person{c.Manager}, now, daily(2), patience).Reason = why
}

func findings(v inspection.Verdict) string {
	var all []string
	for _, f := range v.Findings {
		all = append(all, f.Text)
	}
	return strings.Join(all, " ")
}

func codes(v inspection.Verdict) string {
	var all []string
	for _, f := range v.Findings {
		all = append(all, string(f.Code))
	}
	return strings.Join(all, ", ")
}

// confirm asks the tenants whether the repair holds. Where nobody lives there it is
// done.
func (r *State) confirm(c Circumstances, now time.Time) {
	r.stopAsking()
	if len(c.Tenants) == 0 {
		r.finish("the check", now)
		return
	}
	r.move(Confirming, now)
	r.ask(AskConfirm, c.Tenants, now, []time.Duration{c.Rules.Check.RemindAfter}, c.Rules.Check.CloseAfter)
}

// finish lets the work order be closed.
func (r *State) finish(by string, now time.Time) {
	r.stopAsking()
	r.Confirmed = by
	r.note(now, "confirmed by "+by, "")
	r.move(Finishing, now)
}

// comeBack takes that the repair did not hold: the same worker comes once more, then
// somebody else.
func (r *State) comeBack(why string, c Circumstances, now time.Time) {
	r.stopAsking()
	r.Returns++
	r.note(now, "the repair did not hold: "+why, "")
	fixed := false
	r.record(Record{Worker: r.Worker.ID, FirstTimeFixed: &fixed}, c)
	r.tell(Tell{To: Manager, Text: policy.TextRepairManagerNotice, Who: r.Worker.Name, Reason: "not fixed: " + why, Mail: true})
	r.tell(Tell{To: Tenants, Text: policy.TextRepairTenantReopened, Count: r.Returns})
	if r.Returns > 1 {
		r.Never = append(r.Never, r.Worker.ID)
		r.replace("the repair did not hold twice", c, now)
		return
	}
	r.tell(Tell{To: One, Person: r.Worker.Person(), Text: policy.TextRepairWorkerBack})
	r.Work, r.Verdict, r.Visit, r.Picked = nil, nil, nil, nil
	r.Windows, r.WindowRounds = nil, 0
	r.move(Scheduling, now)
}

// Closed takes that the work order is closed at RentVine and the record written.
func (r *State) Closed(c Circumstances, now time.Time) {
	if r.Worker != nil {
		first := r.Returns == 0
		rec := Record{Worker: r.Worker.ID, FinishedAt: now, Rating: r.Rating, Price: r.Worker.Price, Estimate: r.Worker.Estimate}
		if first {
			rec.FirstTimeFixed = &first
		}
		r.record(rec, c)
	}
	r.tell(Tell{To: Tenants, Text: policy.TextRepairTenantClosed})
	r.tell(Tell{To: Manager, Text: policy.TextRepairManagerClosed, Who: r.workerName(), Price: r.Cost(), Mail: true})
	r.move(Finished, now)
}

func (r *State) workerName() string {
	if r.Worker == nil {
		return ""
	}
	return r.Worker.Name
}

// Unchecked takes that nobody could check the work: the manager looks at it.
func (r *State) Unchecked(c Circumstances, now time.Time) {
	if r.Stage == Checking {
		r.review("the work could not be checked", c, now)
	}
}

// NotClosed takes that RentVine refused to close the work order.
func (r *State) NotClosed(kind string) {
	r.tell(Tell{To: Manager, Text: policy.TextRepairManagerNotice, Who: r.workerName(), Mail: true,
		Reason: "the repair is checked, but RentVine refused to close the work order (" + kind + "): please close it"})
}
