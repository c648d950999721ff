package maintenance

import (
	"encoding/json"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// The choices that people have.
const (
	choiceAcknowledge = "acknowledge"
	choiceDecline     = "decline"
	choiceAccept      = "accept"
	choiceOnSite      = "on_site"
	choiceDone        = "done"
	choiceGiveUp      = "give_up"
)

// What questions are about; a step is "<purpose>/<n>".
const (
	askPage   = "page"
	askOffer  = "offer"
	askOnSite = "on_site"
	askDone   = "done"
)

// errUnknownChoice is what the sender of an impossible answer gets.
func errUnknownChoice(choice string, allowed ...string) error {
	return temporal.NewApplicationError("no such choice "+choice+"; allowed: "+strings.Join(allowed, ", "), "invalid")
}

// choices lists what may be answered at a step.
func choices(step string) []string {
	if p, _, ok := repair.Of(step); ok {
		return repair.Choices(p)
	}
	purpose, _, _ := strings.Cut(step, "/")
	switch purpose {
	case askPage:
		return []string{choiceAcknowledge, choiceDecline}
	case askOffer:
		return []string{choiceAccept, choiceDecline}
	case askOnSite:
		return []string{choiceOnSite, choiceGiveUp}
	case askDone:
		return []string{choiceDone, choiceGiveUp}
	}
	return nil
}

// validAnswer refuses an answer that no question offers.
func validAnswer(a durable.Answer) error {
	for _, c := range choices(a.Step) {
		if c == a.Choice {
			return nil
		}
	}
	return errUnknownChoice(a.Choice, choices(a.Step)...)
}

// answer takes what a person said. The same answer twice has one effect; one that
// comes too late is recorded and changes nothing.
func (s *State) answer(a durable.Answer, c repair.Circumstances, now time.Time) durable.Outcome {
	if o, ok := s.taken(a.ID); ok {
		return o
	}
	if validAnswer(a) != nil {
		s.Unusable++
		return durable.Outcome{Late: true, Message: "That is not one of the answers."}
	}
	o := s.decide(a, c, Mark{By: a.Person, Via: a.Via, At: now})
	if o.Late {
		s.Late++
		s.note(now, "late answer: "+a.Choice, a.Person)
	}
	s.remember(a.ID, o)
	return o
}

func (s *State) decide(a durable.Answer, c repair.Circumstances, m Mark) durable.Outcome {
	purpose, _, _ := strings.Cut(a.Step, "/")
	if s.Ended != nil {
		return durable.Outcome{Late: true, Message: "Thank you. This work order is closed already."}
	}
	if _, _, ok := repair.Of(a.Step); ok && s.Repair != nil {
		return s.Repair.Answer(a, c, m.At)
	}
	switch purpose {
	case askPage:
		return s.answerPage(a, m)
	case askOffer:
		return s.answerOffer(a, m)
	}
	return s.answerJob(a, m)
}

func (s *State) answerPage(a durable.Answer, m Mark) durable.Outcome {
	if s.Stage != StagePaging {
		if s.Acknowledged != nil && s.Acknowledged.By == a.Person {
			return durable.Outcome{Message: "Thank you, we have you on it."}
		}
		return durable.Outcome{Late: true, Message: "Thank you. Somebody is on it already."}
	}
	if a.Choice == choiceAcknowledge {
		s.acknowledge(m)
		return durable.Outcome{Message: "Thank you, you are on it. We tell the tenant and send a technician."}
	}
	for i := range s.Pages {
		if s.Pages[i].Step == a.Step {
			s.Pages[i].Declined = true
			s.hurryPage(i, m.At)
		}
	}
	s.note(m.At, "cannot take it", a.Person)
	return durable.Outcome{Message: "Understood. We ask the next person."}
}

// impossible is the status of a message that no channel can bring to its reader.
const impossible = "impossible"

// hurryPage pages the next person at once where the page in question is the one
// that is waited for.
//
// After the last round there is no hurry, so that a carrier which fails everything
// sets no pace.
func (s *State) hurryPage(i int, now time.Time) {
	if i == len(s.Pages)-1 && s.Pages[i].Round <= s.Settings.OnCall.Rounds {
		s.NextPageAt = now
	}
}

// hurryOffer is hurryPage for offers.
func (s *State) hurryOffer(step string, now time.Time) {
	if n := len(s.Offers); n > 0 && s.Offers[n-1].Step == step {
		s.NextOfferAt = now
	}
}

func (s *State) acknowledge(m Mark) {
	s.Acknowledged = &m
	s.Stage = StageDispatching
	s.NextOfferAt, s.DispatchingAt = m.At, m.At
	s.note(m.At, "acknowledged by "+m.Via, m.By)
}

func (s *State) answerOffer(a durable.Answer, m Mark) durable.Outcome {
	offer := s.offer(a.Step)
	if offer == nil {
		s.Unusable++
		return durable.Outcome{Late: true, Message: "We do not know that job."}
	}
	if s.Job != nil {
		if s.Job.Technician == offer.Technician {
			return durable.Outcome{Message: "Thank you, the job is yours."}
		}
		return durable.Outcome{Late: true, Message: "Thank you. The job has been given to somebody else."}
	}
	if s.Stage != StageDispatching {
		return durable.Outcome{Late: true, Message: "Thank you. The job is not open any more."}
	}
	if a.Choice == choiceDecline {
		offer.Declined = true
		s.hurryOffer(a.Step, m.At)
		s.note(m.At, "declined the job", a.Person)
		return durable.Outcome{Message: "Understood. We ask the next technician."}
	}
	s.assign(offer.Technician, m)
	return durable.Outcome{Message: "Thank you, the job is yours."}
}

func (s *State) offer(step string) *Offer {
	for i := range s.Offers {
		if s.Offers[i].Step == step {
			return &s.Offers[i]
		}
	}
	return nil
}

// assign gives the job to a technician of the policy.
func (s *State) assign(technician string, m Mark) {
	s.NoTechnician = false
	s.Job = &Job{Technician: technician, Accepted: m, Person: activities.Person{ID: technician}}
	for _, t := range s.Settings.Technicians {
		if t.Person.ID == technician {
			s.Job.Person, s.Job.UserID = activities.PersonOf(t.Person), t.ID
		}
	}
	s.Stage = StageAccepted
	s.note(m.At, "accepted the job by "+m.Via, technician)
}

func (s *State) answerJob(a durable.Answer, m Mark) durable.Outcome {
	if s.Job == nil || s.Job.Person.ID != a.Person {
		return durable.Outcome{Late: true, Message: "Thank you. The job is with somebody else."}
	}
	switch {
	case a.Choice == choiceGiveUp && s.Job.Repaired == nil:
		s.giveUp(m)
		return durable.Outcome{Message: "Understood. We send somebody else."}
	case a.Choice == choiceOnSite && s.Job.OnSite == nil:
		s.Job.OnSite, s.Stage = &m, StageOnSite
		s.note(m.At, "on site", a.Person)
		return durable.Outcome{Message: "Thank you. Tell us when it is done."}
	case a.Choice == choiceDone && s.Job.Repaired == nil:
		if s.Job.OnSite == nil {
			s.Job.OnSite = &m
		}
		s.Job.Repaired, s.Stage = &m, StageRepaired
		s.note(m.At, "reported the repair done", a.Person)
		return durable.Outcome{Message: "Thank you, well done."}
	}
	return durable.Outcome{Late: true, Message: "Thank you, we have that already."}
}

// giveUp takes the job from its technician and looks for another.
func (s *State) giveUp(m Mark) {
	for i := range s.Offers {
		if s.Offers[i].Technician == s.Job.Technician {
			s.Offers[i].Declined = true
		}
	}
	s.note(m.At, "gave the job back", s.Job.Technician)
	s.GivenBack = append(s.GivenBack, GivenBack{Person: s.Job.Person, Taken: m.By != s.Job.Technician})
	s.Job, s.Stage, s.NextOfferAt, s.DispatchingAt = nil, StageDispatching, m.At, m.At
	// Who was silent before is asked again.
	s.OfferRound++
}

// messageFailed takes the carrier's word that a message did not arrive and
// returns what to send by another channel.
func (s *State) messageFailed(f durable.MessageFailure, c repair.Circumstances, now time.Time) (again *activities.Message) {
	s.MessagesFailed++
	for i := range s.Pages {
		if s.Pages[i].Step == f.Step && s.Stage == StagePaging {
			s.Pages[i].Failed = true
			s.hurryPage(i, now)
			s.note(now, "page not delivered", s.Pages[i].Person)
		}
	}
	if o := s.offer(f.Step); o != nil && s.Stage == StageDispatching {
		s.hurryOffer(f.Step, now)
		s.note(now, "offer not delivered", o.Technician)
	}
	if s.repairing() && f.Status == impossible {
		s.Repair.Unreachable(f.Step, c, now)
	}
	for i := range s.Notices {
		if n := &s.Notices[i]; n.Step == f.Step && len(n.Channels) > 1 {
			n.Channels = n.Channels[1:]
			next := *n
			return &next
		}
	}
	return nil
}

// stillAsked tells whether a message that was held back still makes sense: a page
// does not once somebody is on it, or a later page has overtaken it.
func (s *State) stillAsked(m activities.Message) bool {
	if m.Ask == nil {
		return true
	}
	if s.Ended != nil {
		return false
	}
	if _, _, ok := repair.Of(m.Step); ok {
		return s.repairing() && s.Repair.StillAsked(m.Step, m.To.ID)
	}
	switch m.Ask.Purpose {
	case askPage:
		return s.Stage == StagePaging && len(s.Pages) > 0 && s.Pages[len(s.Pages)-1].Step == m.Step
	case askOffer:
		return s.Stage == StageDispatching
	}
	return s.Job != nil && s.Job.Person.ID == m.To.ID && s.Job.Repaired == nil
}

// statusNamed reads a status in words, for events about a work order that
// RentVine itself does not know.
func statusNamed(data json.RawMessage) int {
	var d struct {
		Status  string      `json:"status"`
		Primary json.Number `json:"primaryWorkOrderStatusID"`
	}
	if json.Unmarshal(data, &d) != nil {
		return 0
	}
	switch strings.ToLower(strings.TrimSpace(d.Status)) {
	case "closed", "completed", "complete", "done":
		return activities.StatusClosed
	case "cancelled", "canceled":
		return activities.StatusCancelled
	case "open", "in_progress", "in progress", "assigned", "scheduled":
		return activities.StatusOpen
	}
	n, err := d.Primary.Int64()
	if err != nil {
		return 0
	}
	return int(n)
}

// fromEvent is what an event alone says of a work order.
func fromEvent(id string, data json.RawMessage) activities.Report {
	var d struct {
		PropertyID  string `json:"propertyID"`
		UnitID      string `json:"unitID"`
		LeaseID     string `json:"leaseID"`
		Priority    string `json:"priority"`
		Description string `json:"description"`
	}
	// What cannot be read stays empty: the report is read again as soon as may be.
	_ = json.Unmarshal(data, &d)
	return activities.Report{
		Partial: true, Property: activities.Property{ID: d.PropertyID},
		WorkOrder: activities.Order{
			ID: id, PropertyID: d.PropertyID, UnitID: d.UnitID, LeaseID: d.LeaseID,
			Priority: strings.ToLower(d.Priority), Description: d.Description, PrimaryStatus: statusNamed(data),
		},
	}
}

// repaired tells whether a technician has reported the repair done.
func (s *State) repaired() bool { return s.Job != nil && s.Job.Repaired != nil }

// unreadable takes that RentVine could not be read: the event's own word must do
// for now, and RentVine is asked again later.
func (s *State) unreadable(now time.Time) {
	before := s.Ended
	switch statusNamed(s.Data) {
	case activities.StatusClosed:
		s.end(StageClosed, Mark{By: "rentvine", Via: "event", At: now})
	case activities.StatusCancelled:
		s.end(StageCancelled, Mark{By: "rentvine", Via: "event", At: now})
	}
	// What came after the end may have reopened it: only RentVine can say.
	if s.Ended == nil || before != nil {
		s.RefreshAt = now.Add(readAgainAfter)
	}
}

// readAgainAfter is the pause after a reading that failed for good.
const readAgainAfter = 5 * time.Minute

// readAgain acts on what RentVine says of the work order now, compared with what
// was known.
func (s *State) readAgain(fresh activities.Report, now time.Time) {
	known := s.Report
	if !fresh.Found {
		// Only events speak of this record: keep the surroundings, take their status.
		fresh.WorkOrder.PrimaryStatus = statusNamed(s.Data)
		if fresh.Property.Address == "" {
			fresh.Property, fresh.Unit = known.Property, known.Unit
		}
	}
	if len(fresh.Tenants) == 0 {
		fresh.Tenants = known.Tenants
	}
	if fresh.WorkOrder.Priority == "" || (known.WorkOrder.Priority == "emergency" && fresh.WorkOrder.Priority != "emergency") {
		fresh.WorkOrder.Priority = known.WorkOrder.Priority
	}
	s.Report = fresh
	switch fresh.WorkOrder.PrimaryStatus {
	case activities.StatusClosed:
		s.end(StageClosed, Mark{By: "rentvine", Via: "rentvine", At: now})
		return
	case activities.StatusCancelled:
		s.end(StageCancelled, Mark{By: "rentvine", Via: "rentvine", At: now})
		return
	}
	if s.Ended != nil {
		if s.Ended.By == "rentvine" || s.Ended.By == "keyholder" && s.WriteRefused == "" {
			s.Reopened = true
		}
		return
	}
	if s.Stage == StagePaging && known.Found && takenInRentVine(known.WorkOrder, fresh.WorkOrder) {
		s.acknowledge(Mark{By: "rentvine", Via: "rentvine", At: now})
	}
	if changed := known.WorkOrder.Description != fresh.WorkOrder.Description || known.WorkOrder.Priority != fresh.WorkOrder.Priority; changed {
		s.NeedsTriage = true
	}
}

// takenInRentVine tells whether somebody took a work order up in RentVine itself:
// it left Pending, or got a user or vendor.
func takenInRentVine(before, after activities.Order) bool {
	return (before.PrimaryStatus == activities.StatusPending && after.PrimaryStatus != activities.StatusPending && after.PrimaryStatus != 0) ||
		(before.AssignedUserID == "" && after.AssignedUserID != "") ||
		(before.VendorContactID == "" && after.VendorContactID != "")
}

func (s *State) end(outcome Stage, m Mark) {
	if s.Ended != nil {
		return
	}
	s.Ended = &End{Mark: m, Outcome: outcome}
	s.note(m.At, string(outcome)+" by "+m.Via, m.By)
}
