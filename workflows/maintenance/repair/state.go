// Package repair is the course of an ordinary repair as pure decisions: from the
// analysis of the report through the choice of who does it, the approval of its price,
// the order of parts and the visit, to the check and the tenant's word. The workflow
// carries out what Todo asks for, tells people what Tells holds, asks what Waits holds,
// and hands back what came of it.
package repair

import (
	"slices"
	"strconv"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/activities/inspection"
	"github.com/aictive/keyholder/activities/sourcing"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Stage is how far a repair has come.
type Stage string

// The stages, in the order of a repair that meets no trouble.
const (
	// Analysing: what the repair needs is being found out.
	Analysing Stage = "analysing"
	// Choosing: who may do it is being found out.
	Choosing Stage = "choosing"
	// Bidding: vendors are asked for their prices.
	Bidding Stage = "bidding"
	// Approving: the owner, or the manager instead, decides about the price.
	Approving Stage = "approving"
	// Offering: who was chosen is asked to accept.
	Offering Stage = "offering"
	// Ordering: what has to be bought is being ordered, after accounting has agreed.
	Ordering Stage = "ordering"
	// Scheduling: a time for the visit is being found.
	Scheduling Stage = "scheduling"
	// Scheduled: the visit is booked.
	Scheduled Stage = "scheduled"
	// OnTheWay and OnSite are what the worker says of the visit.
	OnTheWay Stage = "on_the_way"
	OnSite   Stage = "on_site"
	// Checking: the work is said to be done and its evidence is looked at.
	Checking Stage = "checking"
	// Reviewing: the manager decides about what the check has found.
	Reviewing Stage = "reviewing"
	// Confirming: the tenant is asked whether the repair holds.
	Confirming Stage = "confirming"
	// Stuck: the manager decides whether the search goes on.
	Stuck Stage = "stuck"
	// Finishing: checked; the work order is being closed.
	Finishing Stage = "finishing"
	// Finished: closed.
	Finished Stage = "finished"
	// Stopped: left to the property manager.
	Stopped Stage = "stopped"
)

// State is all that is known of a repair. Times are business time in UTC.
type State struct {
	Stage Stage `json:"stage"`
	// Series tells the repairs of one work order apart: "" is the first.
	Series   string            `json:"series,omitempty"`
	Since    time.Time         `json:"since"`
	Analysis analysis.Analysis `json:"analysis,omitzero"`

	// Round counts the searches for somebody. Out are those who are not asked again.
	Round int      `json:"round,omitempty"`
	Out   []string `json:"out,omitempty"`
	// Never are those whose work did not hold twice.
	Never []string `json:"never,omitempty"`
	// VendorsOnly is set once no technician is left, and Preferred says why one kind was
	// preferred.
	VendorsOnly bool   `json:"vendors_only,omitempty"`
	Preferred   string `json:"preferred,omitempty"`
	// Passed are those who were not considered in the last search.
	Passed []sourcing.Passed `json:"passed,omitempty"`
	// Invite are the vendors to ask for bids; Queue are those who may be offered the
	// job, best first.
	Invite []sourcing.Candidate `json:"invite,omitempty"`
	Queue  []Choice             `json:"queue,omitempty"`
	// Current is offered the job, or waits for its approval (Given by an operator it need
	// not be offered); Worker has accepted it.
	Current *Choice `json:"current,omitempty"`
	Given   bool    `json:"given,omitempty"`
	Worker  *Worker `json:"worker,omitempty"`

	// Owners are asked about prices above the limit; OwnersRead tells that they have
	// been looked up.
	Owners     []activities.Person `json:"owners,omitempty"`
	OwnersRead bool                `json:"owners_read,omitempty"`
	// Approved is the highest price that was approved, and ApprovedBy who did.
	Approved   policy.Cents `json:"approved,omitempty"`
	ApprovedBy string       `json:"approved_by,omitempty"`

	// Parts are what the stock said of the parts that the work is likely to need.
	Parts *activities.ReservedParts `json:"parts,omitempty"`
	// PartsUsed tells that work was done with them.
	PartsUsed bool `json:"parts_used,omitempty"`
	// Accounted tells that accounting has agreed to the order, or need not.
	Accounted bool    `json:"accounted,omitempty"`
	Orders    []Order `json:"orders,omitempty"`
	Ordered   bool    `json:"ordered,omitempty"`
	// OrderCount counts all orders of the repair, for their numbers.
	OrderCount int `json:"order_count,omitempty"`
	// Earliest is the first day on which the visit makes sense.
	Earliest string `json:"earliest,omitempty"`

	// Windows are what can be chosen from; Refused are starts that do not suit.
	Windows []appointments.Window `json:"windows,omitempty"`
	Refused []time.Time           `json:"refused,omitempty"`
	// WindowRounds counts how often windows were offered.
	WindowRounds int                  `json:"window_rounds,omitempty"`
	Picked       *appointments.Window `json:"picked,omitempty"`
	Visit        *Visit               `json:"visit,omitempty"`
	Visits       int                  `json:"visits,omitempty"`
	NoAccess     int                  `json:"no_access,omitempty"`
	// Work holds what the worker said of the work that is to be checked.
	Work    *Work               `json:"work,omitempty"`
	Verdict *inspection.Verdict `json:"verdict,omitempty"`
	Photos  []durable.Photo     `json:"photos,omitempty"`
	// Attached counts the photos that RentVine has.
	Attached int `json:"attached,omitempty"`
	// Returns counts how often the repair did not hold.
	Returns int `json:"returns,omitempty"`
	Rating  int `json:"rating,omitempty"`
	// Confirmed says who confirmed the repair; "silence" where nobody answered.
	Confirmed string `json:"confirmed,omitempty"`
	// Why says why it is stuck or stopped.
	Why string `json:"why,omitempty"`

	// Waits are the questions whose answers are waited for; Asked numbers them.
	Waits []Wait `json:"waits,omitempty"`
	Asked int    `json:"asked,omitempty"`
	// Answered are the numbers of the latest questions that had an answer.
	Answered []int `json:"answered,omitempty"`
	// What is still to be carried out.
	Tells   []Tell   `json:"tells,omitempty"`
	Told    int      `json:"told,omitempty"`
	Close   []string `json:"close,omitempty"`
	Undo    Undo     `json:"undo,omitzero"`
	Records []Record `json:"records,omitempty"`
	Log     []Entry  `json:"log,omitempty"`
	// Holds is the technician who is noted as busy with this repair.
	Holds string `json:"holds,omitempty"`
	// Unsure are changes that RentVine told while a write of ours was under way: they may
	// be its echo.
	Unsure []map[string]durable.Change `json:"unsure,omitempty"`
}

type (
	// Choice is somebody who may be offered the job, at a price.
	Choice struct {
		sourcing.Candidate
		Price policy.Cents `json:"price"`
		// From is the first day on which they can come, "" where that is no matter.
		From string `json:"from,omitempty"`
	}
	// Worker has accepted the job.
	Worker struct {
		Choice
		At  time.Time `json:"at"`
		Via string    `json:"via"`
	}
	// Visit is a booked appointment.
	Visit struct {
		Number int                 `json:"number"`
		Window appointments.Window `json:"window"`
		// People are those whose calendars have it.
		People []activities.Person `json:"people,omitempty"`
		// Invited tells that the calendars have it.
		Invited bool `json:"invited,omitempty"`
		// Reminded counts the reminders that are done with.
		Reminded int `json:"reminded,omitempty"`
		// OnTheWay, Arrived and Ended are what the worker said, zero before.
		OnTheWay time.Time `json:"on_the_way,omitzero"`
		Arrived  time.Time `json:"arrived,omitzero"`
		Ended    time.Time `json:"ended,omitzero"`
		Late     bool      `json:"late,omitempty"`
		Overrun  bool      `json:"overrun,omitempty"`
	}
	// Work is what the worker said when the work was done.
	Work struct {
		Ticked []string  `json:"ticked,omitempty"`
		Note   string    `json:"note,omitempty"`
		At     time.Time `json:"at"`
		// Times counts how often it was handed in.
		Times int `json:"times"`
	}
	// Order is a purchase order that was made.
	Order struct {
		activities.PurchaseOrder
		Vendor activities.Person `json:"vendor"`
		// Of is the worker for whose work it is, "" for parts.
		Of string `json:"of,omitempty"`
		// Stands tells that the work was done: the order is not taken back any more.
		Stands bool `json:"stands,omitempty"`
	}
	// Undo is what was done and no longer holds.
	Undo struct {
		// Visits are those whose calendar entries are to be withdrawn.
		Visits []Visit `json:"visits,omitempty"`
		Orders []Order `json:"orders,omitempty"`
		// Parts are given back, or Used where the work was done with them.
		Parts bool `json:"parts,omitempty"`
		Used  bool `json:"used,omitempty"`
		// Booking gives the time back to who holds it.
		Booking bool `json:"booking,omitempty"`
	}
	// Record is what a worker's record learns.
	Record = activities.WorkRecord
	// Entry is a line for the timeline, without personal data.
	Entry struct {
		At     time.Time `json:"at"`
		What   string    `json:"what"`
		Person string    `json:"person,omitempty"`
	}
)

// Audience is who is told something.
type Audience string

// The audiences.
const (
	Tenants Audience = "tenants"
	Manager Audience = "manager"
	OwnersA Audience = "owners"
	One     Audience = "one"
)

// Tell is something that people are to be told.
type Tell struct {
	To Audience `json:"to"`
	// Person is who is told where To is One.
	Person activities.Person `json:"person,omitzero"`
	// Text is the id of a text of policy.
	Text string `json:"text"`
	// Who is the person whom it is about; Reason, Window and Price fill in the text.
	Who    string               `json:"who,omitempty"`
	Reason string               `json:"reason,omitempty"`
	Window *appointments.Window `json:"window,omitempty"`
	Price  policy.Cents         `json:"price,omitempty"`
	Count  int                  `json:"count,omitempty"`
	Mail   bool                 `json:"mail,omitempty"`
}

// Circumstances are what a decision depends on beside the state.
type Circumstances struct {
	Rules      policy.Repairs
	Manager    activities.Person
	Accountant activities.Person
	Tenants    []activities.Person
	// WorkOrder is RentVine's id; it names records and orders.
	WorkOrder string
}

// Person is the candidate as somebody to write to.
func (c Choice) Person() activities.Person {
	return activities.Person{ID: c.ID, Name: c.Name, Phone: c.Phone, Email: c.Email}
}

// New is a repair that begins; again tells that the work order had one before.
func New(again bool, now time.Time) *State {
	r := &State{Stage: Analysing, Since: now}
	if again {
		const base = 36
		r.Series = strconv.FormatInt(now.Unix()/60, base)
	}
	return r
}

// Suffix ends what the repair gives a name to.
func (r *State) Suffix() string {
	if r.Series == "" {
		return ""
	}
	return "-" + r.Series
}

// Over tells whether nothing more will happen by itself.
func (r *State) Over() bool { return r.Stage == Finished || r.Stage == Stopped }

// Left tells whether anything is still to be carried out.
func (r *State) Left() bool {
	return len(r.Tells) > 0 || len(r.Close) > 0 || len(r.Records) > 0 || r.Undo.any()
}

func (u Undo) any() bool {
	return len(u.Visits) > 0 || len(u.Orders) > 0 || u.Parts || u.Used || u.Booking
}

// Cost is the price that the repair is expected to have.
func (r *State) Cost() policy.Cents {
	switch {
	case r.Worker != nil:
		return r.Worker.Price
	case r.Current != nil:
		return r.Current.Price
	}
	return 0
}

func (r *State) move(to Stage, now time.Time) { r.Stage, r.Since = to, now }

// maxLog bounds what waits for the timeline.
const maxLog = 50

func (r *State) note(now time.Time, what, person string) {
	r.Log = append(r.Log, Entry{now, what, person})
	r.Log = r.Log[max(0, len(r.Log)-maxLog):]
}

func (r *State) tell(t Tell) { r.Tells = append(r.Tells, t) }

// leaveOut sees to it that somebody is not asked again.
func (r *State) leaveOut(id string) {
	if !slices.Contains(r.Out, id) {
		r.Out = append(r.Out, id)
	}
}

// OutSet is Out as the rankings want it.
func (r *State) OutSet() map[string]bool {
	set := map[string]bool{}
	for _, id := range r.Out {
		set[id] = true
	}
	return set
}
