// Package movein is the move-in of a lease as pure decisions: what is prepared on which
// day before it, who is asked and chased for it, what is done again where its date moves,
// and what is undone where it is off. What is wanted is compared with what is known to be
// done, so that changes may come in any order and at any time.
package movein

import (
	"cmp"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// The work beside messages. Each takes what is to be done from a method of State and hands
// back what came of it to another.
const (
	// DoSaveContact: Contact(Key), then ContactSaved.
	DoSaveContact = "save_contact"
	// DoScheduleInspection, DoMoveInspection and DoCancelInspection: Booking, then Booked.
	// Each changes calendars; the first makes the record at RentVine too.
	DoScheduleInspection = "schedule_inspection"
	DoMoveInspection     = "move_inspection"
	DoCancelInspection   = "cancel_inspection"
	// DoOrderPackage: Order(Key), then Ordered. DoCancelPackage: Order(Key), then
	// OrderCancelled.
	DoOrderPackage  = "order_package"
	DoCancelPackage = "cancel_package"
)

// The stages.
const (
	// Waiting: the day of the move-in is not known.
	Waiting = "waiting_for_the_date"
	// Preparing: the move-in is to come.
	Preparing = "preparing"
	// MovedIn: its day has passed; what is still to come comes.
	MovedIn = "moved_in"
)

// The outcomes.
const (
	Completed = "completed"
	// Gaps: something failed; the manager was told.
	Gaps      = "completed_with_gaps"
	Cancelled = "cancelled"
)

// PartState is how far a part of the move-in has come.
type PartState string

// The states of parts.
const (
	Planned PartState = "planned"
	// Asked: somebody's answer is waited for.
	Asked PartState = "asked"
	Done  PartState = "done"
	// Failed: the manager was told.
	Failed PartState = "failed"
	// CalledOff: undone, or not wanted any more.
	CalledOff PartState = "cancelled"
	// Skipped: there was no sense in it; Note says why.
	Skipped PartState = "skipped"
)

func (s PartState) ended() bool {
	switch s {
	case Planned, Asked:
		return false
	case Done, Failed, CalledOff, Skipped:
		return true
	}
	return true
}

// The names of parts. A contact, utility or mail has its own: the name, "/" and which.
const (
	PartDate       = "date"
	PartContact    = "contact"
	PartInspection = "inspection"
	PartPackage    = "package"
	PartUtility    = "utility"
	PartChecks     = "checks"
	PartWelcome    = "welcome"
)

type (
	// State is all that is known of a move-in. Times are business time in UTC, days are
	// YYYY-MM-DD in the property's zone.
	State struct {
		campaign.Base
		// Day is the move-in that everything is planned for, "" while it is not known.
		Day string `json:"day,omitempty"`
		// Said is the manager's word for it while RentVine has none.
		Said string `json:"said,omitempty"`
		// AskedDate tells that the manager was asked for it since it was last known.
		AskedDate bool `json:"asked_date,omitempty"`
		// Reached tells that tenants were written to.
		Reached bool `json:"reached,omitempty"`
		// Parts are all that the move-in consists of, for people who look.
		Parts []Part `json:"parts"`

		// Contacts are what tenants said of how they wish to be written to.
		Contacts []Contact `json:"contacts,omitempty"`
		// Visit is the inspection.
		Visit Visit `json:"visit,omitzero"`
		// Orders are those of the welcome package; at most one of them holds.
		Orders []Order `json:"orders,omitempty"`
		// OrderCount numbers them.
		OrderCount int `json:"order_count,omitempty"`
		// Utilities are those of which anything was said to anybody.
		Utilities []Utility `json:"utilities,omitempty"`
	}
	// Part is one of them.
	Part struct {
		Name  string    `json:"name"`
		State PartState `json:"state"`
		// DueOn is the day on which it is due, "" where that is not known.
		DueOn string `json:"due_on,omitempty"`
		// Note says why it is as it is, without personal data.
		Note string `json:"note,omitempty"`
	}
	// Contact is how a tenant wishes to be written to.
	Contact struct {
		// Person is the tenant's id.
		Person string `json:"person"`
		// Language is a tag such as "es", "" where nothing was said that we know.
		Language string `json:"language,omitempty"`
		// Consent is whether marketing may be texted.
		Consent activities.Consent `json:"consent"`
		Channel activities.Channel `json:"channel"`
		// At is when it was said; Saved tells that it was noted, or could not be.
		At    time.Time `json:"at"`
		Saved bool      `json:"saved,omitempty"`
	}
	// Utility is what was said about one to its provider.
	Utility struct {
		Name string `json:"name"`
		// Provider was asked to transfer it on the day For; "" where nothing holds.
		Provider activities.Person `json:"provider"`
		For      string            `json:"for,omitempty"`
	}
	// Check is a recurring maintenance check and its first day.
	Check struct {
		ID string `json:"id"`
		On string `json:"on"`
	}
)

var _ campaign.Play = (*State)(nil)

// New is the move-in of a lease that begins now: what is due at once waits in Tells.
// Leases whose move-in is longer ago than rules.MoveIn.Late are not for it.
func New(lease activities.LeaseView, rules policy.Leasing, now time.Time) *State {
	s := &State{Base: campaign.Base{BeganAt: now, Lease: lease, Rules: rules}}
	s.set(PartDate, Planned, "")
	if s.Day = s.movesIn(); s.Day != "" {
		s.set(PartDate, Done, "")
	}
	s.Tick(now)
	return s
}

// Common is what all campaigns have.
func (s *State) Common() *campaign.Base { return &s.Base }

// movesIn is the day of the move-in as RentVine has it, else as the manager says, "" for
// none that can be read.
func (s *State) movesIn() string {
	if day := s.Lease.MovesInOn(); isDay(day) {
		s.Said = ""
		return day
	}
	return s.Said
}

func isDay(day string) bool {
	_, err := time.Parse(time.DateOnly, day)
	return err == nil
}

// at is the time at which a day's messages leave, so many days after the move-in.
func (s *State) at(days int) time.Time {
	t, _ := campaign.Day(s.Day, days, s.Rules.MoveIn.At, s.Lease.Zone)
	return t
}

func (s *State) dayOf(t time.Time) string { return activities.DayIn(t, s.Lease.Zone) }

// past tells whether the day of the move-in has passed.
func (s *State) past(now time.Time) bool { return s.Day != "" && s.Day < s.dayOf(now) }

// Part is one by its name, its zero value where there is none.
func (s *State) Part(name string) Part {
	for _, p := range s.Parts {
		if p.Name == name {
			return p
		}
	}
	return Part{}
}

// set brings a part to a state; one that is not there yet is added.
func (s *State) set(name string, to PartState, note string) {
	for i := range s.Parts {
		if p := &s.Parts[i]; p.Name == name {
			p.State, p.Note = to, note
			return
		}
	}
	s.Parts = append(s.Parts, Part{Name: name, State: to, Note: note})
}

func (s *State) is(name string, state PartState) bool { return s.Part(name).State == state }

// due says on which day a part is due.
func (s *State) due(name, day string) {
	for i := range s.Parts {
		if s.Parts[i].Name == name {
			s.Parts[i].DueOn = day
		}
	}
}

// fail ends a part and tells the manager why.
func (s *State) fail(name, why string, now time.Time) {
	s.set(name, Failed, why)
	s.Note(now, "%s failed: %s", name, why)
	s.tellManager(why)
}

// tellManager tells the property manager what is to be looked after.
func (s *State) tellManager(why string) {
	s.tell(campaign.Tell{To: campaign.Manager, Text: policy.TextManagerNotice, Data: policy.LeaseData{Reason: why}})
}

// tell tells people something about the move-in as it is planned now.
func (s *State) tell(t campaign.Tell) {
	t.Data.MoveIn = cmp.Or(t.Data.MoveIn, s.Day)
	s.Reached = s.Reached || s.toTenants(t)
	s.Say(t)
}

// ask asks about the move-in as it is planned now.
func (s *State) ask(q campaign.Question, now time.Time) {
	q.Data.MoveIn = s.Day
	s.Reached = s.Reached || s.toTenants(q.Tell)
	s.Question(q, now)
}

func (s *State) toTenants(t campaign.Tell) bool {
	return t.To == campaign.Tenants || t.To == campaign.One && s.tenant(t.Person.ID)
}

func (s *State) tenant(id string) bool {
	return slices.ContainsFunc(s.Lease.Tenants, func(p activities.Person) bool { return p.ID == id })
}

// Checks are the first days of the recurring checks, none while the move-in is not known.
func (s *State) Checks() []Check {
	const day = 24 * time.Hour
	var all []Check
	for _, c := range s.Rules.MoveIn.Checks {
		if t := s.at(int(c.First / day)); s.Day != "" {
			all = append(all, Check{ID: c.ID, On: s.dayOf(t)})
		}
	}
	return all
}

// drop takes messages back that were not sent yet.
func (s *State) drop(which func(campaign.Tell) bool) {
	s.Tells = slices.DeleteFunc(s.Tells, which)
}

// later are the times that are still to come.
func later(times []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(times, func(t time.Time) bool { return !t.After(now) })
}
