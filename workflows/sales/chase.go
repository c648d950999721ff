package sales

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/professionals"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// StepKind is what the chase of an invitation does next.
type StepKind string

// The steps.
const (
	stepRemind StepKind = "remind"
	stepAsk    StepKind = "ask for another"
	stepGiveUp StepKind = "give up"
	stepLeave  StepKind = "leave it"
)

type (
	// Reminder is one that was sent or passed over.
	Reminder struct {
		Number int       `json:"number"`
		At     time.Time `json:"at"` // business time
		// Outcome is that of the message, or "passed over".
		Outcome string `json:"outcome"`
	}
	// Asked is a question that was put.
	Asked struct {
		Whom string    `json:"whom"` // "estate agent" or "manager"
		At   time.Time `json:"at"`   // business time
	}
	// invitationState is what the chase keeps.
	invitationState struct {
		Reminders []Reminder
		Asked     []Asked
		// WaitUntil is when the next question is put after "keep waiting".
		WaitUntil time.Time
		// HeldUntil: nothing is sent before. Holds counts how often in a row.
		HeldUntil time.Time
		Holds     int
		// Offered are those to choose from; Chosen is the directory's id of the choice.
		Offered []professionals.Choice
		Chosen  string
		How     InvitationEnd
		// Changed is set where an answer has moved the next step.
		Changed       bool
		Next          StepKind
		NextAt        time.Time
		Late, Unknown int
	}
	// step is the next thing to do and when (business time).
	step struct {
		kind   StepKind
		at     time.Time
		number int
		// manager is true where the manager is asked rather than the agent.
		manager bool
	}
)

// passedOver is the outcome of a reminder that an adopted invitation never gets.
const passedOver = "passed over"

// maxAsked is how many questions are put before the chase is given up.
const maxAsked = 4

// next is the next step and its time, in the recipient's working hours.
func (s *invitationState) next(in InvitationInput, d activities.Directory) step {
	rules := d.Settings
	due := in.Member.InvitedAt
	for n := len(s.Reminders); n < len(rules.Invitations.RemindAfter); n++ {
		due = in.Member.InvitedAt.Add(rules.Invitations.RemindAfter[n])
		if due.Before(in.QuietUntil) {
			s.Reminders = append(s.Reminders, Reminder{Number: n + 1, At: due, Outcome: passedOver})
			continue
		}
		return s.at(step{kind: stepRemind, number: n + 1}, due, recipientHours(d))
	}
	if s.reminded() == 0 && len(s.Asked) == 0 {
		// Adopted when it was old already: people have lived with it.
		return step{kind: stepLeave, at: in.QuietUntil}
	}
	for _, r := range s.Reminders {
		due = later(due, r.At)
	}
	office := rules.HoursOf(policy.Professional{})
	if len(s.Asked) == 0 {
		ask := step{kind: stepAsk, number: 1, manager: in.Agent == nil || in.Agent.Email == ""}
		return s.at(ask, due.Add(rules.Invitations.AskAgentAfter), office)
	}
	last := s.Asked[len(s.Asked)-1]
	if !s.WaitUntil.IsZero() && len(s.Asked) < maxAsked {
		return s.at(step{kind: stepAsk, number: len(s.Asked) + 1, manager: last.Whom == toManager}, s.WaitUntil, office)
	}
	unanswered := last.At.Add(rules.Invitations.AnswerWithin)
	if last.Whom == toAgent && len(s.Asked) < maxAsked {
		return s.at(step{kind: stepAsk, number: len(s.Asked) + 1, manager: true}, unanswered, office)
	}
	return step{kind: stepGiveUp, at: unanswered}
}

// Who is asked for another professional.
const (
	toAgent   = "estate agent"
	toManager = "manager"
)

// recipientHours are the professional's own where the directory knows them.
func recipientHours(d activities.Directory) policy.WorkingHours {
	if d.Known != nil {
		return d.Settings.HoursOf(*d.Known)
	}
	return d.Settings.HoursOf(policy.Professional{})
}

func (s *invitationState) at(next step, due time.Time, hours policy.WorkingHours) step {
	next.at = hours.Next(later(due, s.HeldUntil), "")
	return next
}

// settledBy tells what OpenMoove shows of the invitation: accepted, replaced, or ""
// where it is open.
func settledBy(v activities.SaleView, m activities.TeamMember) InvitationEnd {
	if !v.TeamKnown {
		if slices.ContainsFunc(v.Joined, func(e string) bool { return strings.EqualFold(e, m.Email) }) {
			return InvitationAccepted
		}
		return ""
	}
	for _, now := range v.Team {
		if now.Role != m.Role {
			continue
		}
		switch {
		case !strings.EqualFold(now.Email, m.Email):
			return InvitationReplaced
		case now.Active:
			return InvitationAccepted
		default:
			return ""
		}
	}
	return InvitationReplaced
}

// The choices of the question.
const (
	choosePrefix = "choose:"
	choiceWait   = "wait"
	choiceLeave  = "leave"
)

// answer is what an answer of the agent or manager means.
func (s *invitationState) answer(a durable.Answer, now time.Time) durable.Outcome {
	switch {
	case s.How != "":
		s.Late++
		return durable.Outcome{Late: true, Message: "Thank you. This has been settled meanwhile (" + string(s.How) + ")."}
	case len(s.Asked) == 0:
		s.Unknown++
		return durable.Outcome{Late: true, Message: "There is no open question here."}
	}
	s.Changed = true
	if id, ok := strings.CutPrefix(a.Choice, choosePrefix); ok && s.offered(id) != nil {
		s.How, s.Chosen = InvitationChosen, id
		return durable.Outcome{Message: "Thank you. Please invite them in OpenMoove: we cannot do that for you. We will follow the new invitation."}
	}
	switch a.Choice {
	case choiceWait:
		s.WaitUntil = now.Add(waitAgain)
		return durable.Outcome{Message: "All right, we keep waiting and ask again in a week."}
	case choiceLeave:
		s.How = InvitationLeft
		return durable.Outcome{Message: "Thank you. We leave it to you and stop reminding."}
	}
	s.Changed = false
	s.Unknown++
	return durable.Outcome{Late: true, Message: "That is not one of the answers."}
}

// offered is the candidate of an id, nil where it was not offered.
func (s *invitationState) offered(id string) *policy.Professional {
	for i := range s.Offered {
		if s.Offered[i].Professional.ID == id {
			return &s.Offered[i].Professional
		}
	}
	return nil
}

// waitAgain is how long "keep waiting" lasts (business time).
const waitAgain = 7 * 24 * time.Hour

// heldAtLeast is how long a letter that is held waits at first; each time it is
// held again it waits twice as long, up to a day: each look costs calls and
// actions, and a reminder is in no hurry.
const heldAtLeast = time.Hour

const day = 24 * time.Hour

// sent records what became of a step's letter.
func (s *invitationState) sent(step step, sent activities.Sent, now time.Time) {
	if sent.Outcome == activities.MessageHeld {
		s.HeldUntil = later(sent.HeldUntil, now.Add(min(heldAtLeast<<min(s.Holds, 5), day)))
		s.Holds++
		return
	}
	s.HeldUntil, s.Holds = time.Time{}, 0
	if step.kind == stepRemind {
		s.Reminders = append(s.Reminders, Reminder{Number: step.number, At: now, Outcome: string(sent.Outcome)})
		return
	}
	s.WaitUntil = time.Time{}
	whom := toAgent
	if step.manager {
		whom = toManager
	}
	s.Asked = append(s.Asked, Asked{Whom: whom, At: now})
}

// reminded counts the reminders that were sent.
func (s *invitationState) reminded() int {
	n := 0
	for _, r := range s.Reminders {
		if r.Outcome != passedOver {
			n++
		}
	}
	return n
}

// compose is the letter of a step.
func compose(in InvitationInput, step step, reminded int, d activities.Directory, now time.Time) (activities.Message, error) {
	if d.Known != nil {
		// OpenMoove knows an invited professional by e-mail alone.
		fill(&in.Member.Name, d.Known.Name)
		fill(&in.Member.Firm, d.Known.Firm)
	}
	data := letterData(in, d.Settings)
	if step.kind == stepRemind {
		data.Recipient = in.Member.Name
		data.Number, data.Of = step.number, len(d.Settings.Invitations.RemindAfter)
		m := activities.Message{
			Step: fmt.Sprintf("reminder %d", step.number), Class: activities.Routine, Channels: []activities.Channel{activities.Mail},
			To: activities.Person{ID: string(in.Member.Role), Name: in.Member.Name, Email: in.Member.Email},
		}
		var err error
		m.Subject, m.Text, err = d.Settings.Letter(policy.LetterReminder, data)
		return m, err
	}
	m := activities.Message{
		Step: fmt.Sprintf("choose another %d", step.number), Class: activities.Routine, Channels: []activities.Channel{activities.Mail},
		To:  agentOrManager(in, d.Settings, step.manager),
		Ask: &activities.Ask{Purpose: "choose_professional", Title: "Another " + policy.Words(string(in.Member.Role)) + " for property " + in.PropertyID},
	}
	m.Ask.ExpiresAt = now.Add(d.Settings.Invitations.AnswerWithin)
	for i, c := range d.Candidates {
		m.Ask.Options = append(m.Ask.Options, activities.Option{
			Key: fmt.Sprint(i + 1), Choice: choosePrefix + c.Professional.ID, Label: c.Professional.Title(),
		})
		data.Options = append(data.Options, c.Professional.Title())
	}
	m.Ask.Options = append(m.Ask.Options,
		activities.Option{Key: fmt.Sprint(len(d.Candidates) + 1), Choice: choiceWait, Label: "Keep waiting"},
		activities.Option{Key: fmt.Sprint(len(d.Candidates) + 2), Choice: choiceLeave, Label: "I'll take care of it"})
	data.Recipient, data.Number = m.To.Name, reminded
	var err error
	m.Subject, m.Text, err = d.Settings.Letter(policy.LetterChoose, data)
	return m, err
}

// thanks tells who chose what to do next.
func thanks(in InvitationInput, s *invitationState, rules policy.Sales) (activities.Message, error) {
	whom := s.Asked[len(s.Asked)-1].Whom
	m := activities.Message{
		Step: "chosen", Class: activities.Routine, Channels: []activities.Channel{activities.Mail},
		To: agentOrManager(in, rules, whom == toManager),
	}
	data := letterData(in, rules)
	data.Recipient = m.To.Name
	if p := s.offered(s.Chosen); p != nil {
		data.Professional, data.Firm, data.Email = p.Title(), p.Firm, p.Email
	}
	var err error
	m.Subject, m.Text, err = rules.Letter(policy.LetterChosen, data)
	return m, err
}

func agentOrManager(in InvitationInput, rules policy.Sales, manager bool) activities.Person {
	if manager || in.Agent == nil {
		return activities.Person{ID: "sales manager", Name: rules.Manager.Name, Email: rules.Manager.Email}
	}
	return activities.Person{ID: string(activities.EstateAgent), Name: in.Agent.Name, Email: in.Agent.Email}
}

func letterData(in InvitationInput, rules policy.Sales) policy.LetterData {
	who := policy.Professional{Name: in.Member.Name, Firm: in.Member.Firm}
	return policy.LetterData{
		Role: policy.Words(string(in.Member.Role)), Method: policy.Words(string(in.Method)), Professional: who.Title(),
		Firm: in.Member.Firm, Email: in.Member.Email, Address: in.Address, Postcode: in.Postcode,
		InvitedOn: rules.Date(in.Member.InvitedAt),
	}
}

// describe is the chase without names.
func (s *invitationState) describe(in InvitationInput) InvitationDescription {
	return InvitationDescription{
		Role: in.Member.Role, InvitedAt: in.Member.InvitedAt, Reminders: slices.Clone(s.Reminders), Asked: slices.Clone(s.Asked),
		Next: s.Next, NextAt: s.NextAt, How: s.How, Late: s.Late, Unknown: s.Unknown,
	}
}
