package portfolio

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/workflows/durable"
)

// Prospect is somebody who asks about the home. It holds personal data.
type Prospect struct {
	// N numbers him, for ever; he is "prospect-<n>" wherever people are named. Lead is his
	// request, with the latest message, shortened.
	N    int  `json:"n"`
	Lead Lead `json:"lead"`
	// Status is how far he has come.
	Status string `json:"status"`

	// Letter is what he is to be told next, "" for nothing, and not before LetterAt.
	// Letters numbers them. ByMail tells that it may not leave as a text now.
	Letter   string    `json:"letter,omitempty"`
	LetterAt time.Time `json:"letter_at,omitzero"`
	Letters  int       `json:"letters,omitempty"`
	ByMail   bool      `json:"by_mail,omitempty"`
	// RepliedAt is when he was written to last (real time).
	RepliedAt time.Time `json:"replied_at,omitzero"`
	// NextAt is when something is due with him, zero for never; Asked is how often the
	// present question was asked.
	NextAt time.Time `json:"next_at,omitzero"`
	Asked  int       `json:"asked,omitempty"`

	// Windows are what he may choose from; Refused are starts that did not suit or were
	// taken, Others how often he asked for others. Taken tells that somebody was faster.
	// WindowsFor is the letter that they were found for.
	Windows    []appointments.Window `json:"windows,omitempty"`
	WindowsFor string                `json:"windows_for,omitempty"`
	Refused    []time.Time           `json:"refused,omitempty"`
	Others     int                   `json:"others,omitempty"`
	Taken      bool                  `json:"taken,omitempty"`
	// Window is what he has chosen, Visit the number of that showing. Booked tells that he
	// has a place in it; Invite that the calendars are to be told, not before InviteAt.
	Window   appointments.Window `json:"window,omitzero"`
	Visit    int                 `json:"visit,omitempty"`
	Booked   bool                `json:"booked,omitempty"`
	Unbook   bool                `json:"unbook,omitempty"`
	Invite   bool                `json:"invite,omitempty"`
	InviteAt time.Time           `json:"invite_at,omitzero"`
	// Off are showings that calendars are to lose.
	Off []Showing `json:"off,omitempty"`
	// AppliedAt is when he said that he applies; WriteAt when RentVine is to be told.
	AppliedAt time.Time `json:"applied_at,omitzero"`
	WriteAt   time.Time `json:"write_at,omitzero"`
}

// Showing is one that calendars hold.
type Showing struct {
	Visit  int                 `json:"visit"`
	Window appointments.Window `json:"window"`
}

// How far a prospect has come.
const (
	statusWaiting  = "waiting"  // for windows to choose from
	statusAsked    = "asked"    // to choose one
	statusChosen   = "chosen"   // one that is to be booked
	statusBooked   = "booked"   // for a showing
	statusSeen     = "seen"     // the home, and is asked to apply
	statusApplying = "applying" // and RentVine is to be told
	statusApplied  = "applied"
	statusDeclined = "declined" // he does not want it
	statusLapsed   = "lapsed"   // he has not answered
	statusAgent    = "agent"    // the agent gets in touch
	statusTold     = "told"     // that it is over
)

// What a prospect is told.
const (
	letterWindows = "windows"
	letterNoTimes = "no_times"
	letterBooked  = "booked"
	letterApply   = "apply"
	letterApplied = "applied"
	letterMany    = "many"
	letterGone    = "gone"
)

// What people answer.
const (
	choicePublish  = "publish"
	choiceWithdraw = "withdraw"
	choiceAt       = "at_" // and the start, in seconds since 1970
	choiceOther    = "other"
	choiceNo       = "not_for_me"
	choiceApply    = "apply"
)

const (
	maxProspects = 500
	maxCrowd     = 50
	// maxOthers is how often a prospect may ask for other times before the agent talks to
	// him, maxRefused how many starts are remembered.
	maxOthers  = 3
	maxRefused = 60
	// timesToApply is how often he is asked whether he applies.
	timesToApply = 2
	// onceWithin is the time in which a second request gets no second answer (real time).
	onceWithin = 10 * time.Minute
	// maxKept bounds what is kept of a message, in characters.
	maxKept = 300
	// retryPause is how long what could not be sent waits at least.
	retryPause = 15 * time.Minute
)

// take takes a request, at the business time now and the real one. One of somebody who has
// asked before is not answered twice within ten minutes.
func (s *VacancyState) take(l Lead, now, wall time.Time) {
	if !s.Seen.Add("lead/"+l.ID, wall) {
		return
	}
	l = cleanLead(l, wall)
	s.source(l.Source).Leads++
	if p := s.known(l); p != nil {
		s.again(p, l, now, wall)
		return
	}
	s.Numbered++
	p := Prospect{N: s.Numbered, Lead: l, Status: statusWaiting}
	kind := letterWindows
	crowded := len(s.Prospects) >= maxProspects && !s.makeRoom()
	if crowded {
		s.Crowded++
		kind = letterMany
	}
	if crowded && s.Crowded == 1 {
		s.tell(s.Rules.Agent, now, "Too many ask about a home", fmt.Sprintf(
			"%d people ask about one home, and none of them has declined or gone silent. Further ones are told to ask again later.", maxProspects))
		s.note(now, "too many ask")
	}
	if s.Outcome != "" {
		kind = letterGone
	}
	p.say(kind, now)
	switch {
	case !crowded:
		s.Prospects = append(s.Prospects, p)
		s.note(now, "prospect %d asks, by %s", p.N, l.Source)
	case len(s.Crowd) < maxCrowd:
		s.Crowd = append(s.Crowd, p)
	}
}

// makeRoom forgets one with whom nothing is open any more, and tells whether there was
// one. He may ask again, as somebody new.
func (s *VacancyState) makeRoom() bool {
	i := slices.IndexFunc(s.Prospects, func(p Prospect) bool {
		over := p.Status == statusDeclined || p.Status == statusLapsed || p.Status == statusTold
		return over && p.Letter == "" && !p.Unbook && len(p.Off) == 0 && p.AppliedAt.IsZero()
	})
	if i < 0 {
		return false
	}
	s.settle(&s.Prospects[i])
	s.Prospects = slices.Delete(s.Prospects, i, i+1)
	return true
}

// again takes a further request of somebody who has asked before. Anybody can write
// another's address into a form: who can be reached is written to where he was before.
func (s *VacancyState) again(p *Prospect, l Lead, now, wall time.Time) {
	have := &p.Lead
	if len(have.channels()) == 0 {
		have.Email, have.Texts, have.Via = cmp.Or(have.Email, l.Email), l.Texts && cmp.Or(have.Phone, l.Phone) == l.Phone, l.Via
	}
	have.Name, have.Phone = cmp.Or(have.Name, l.Name), cmp.Or(have.Phone, l.Phone)
	have.Message = cmp.Or(l.Message, have.Message)
	if p.Letter != "" || wall.Sub(p.RepliedAt) < onceWithin {
		return
	}
	switch {
	case s.Outcome != "":
		p.say(letterGone, now)
	case p.Status == statusBooked:
		p.say(letterBooked, now)
	case p.Status == statusSeen:
		p.say(letterApply, now)
	case p.Status == statusApplied:
		p.say(letterApplied, now)
	case p.Status == statusAsked, p.Status == statusDeclined, p.Status == statusLapsed, p.Status == statusAgent:
		p.Status, p.Asked, p.Others = statusWaiting, 0, 0
		p.say(letterWindows, now)
	}
	s.note(now, "prospect %d asks again", p.N)
}

// known is the prospect with the same mail address or phone.
func (s *VacancyState) known(l Lead) *Prospect {
	for _, list := range [][]Prospect{s.Prospects, s.Crowd} {
		for i := range list {
			have := list[i].Lead
			if l.Email != "" && strings.EqualFold(have.Email, l.Email) || l.Phone != "" && have.Phone == l.Phone {
				return &list[i]
			}
		}
	}
	return nil
}

// cleanLead makes a request harmless and short.
func cleanLead(l Lead, wall time.Time) Lead {
	line := func(text string, most int) string {
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
		return string([]rune(text)[:min(most, len([]rune(text)))])
	}
	l.Name, l.Message = line(l.Name, 100), line(l.Message, maxKept)
	l.Email, l.Phone, l.Source = line(l.Email, 254), line(l.Phone, 20), line(l.Source, 64)
	if l.At.IsZero() || l.At.After(wall) {
		l.At = wall
	}
	return l
}

// say has the prospect told something, in place of what he was not told yet.
func (p *Prospect) say(kind string, now time.Time) {
	p.Letters++
	p.Letter, p.LetterAt, p.ByMail = kind, now, false
}

// step names his present letter for ever.
func (p *Prospect) step() string { return fmt.Sprintf("%s/%d/%d", p.Letter, p.N, p.Letters) }

// channels are how he can be reached now.
func (p *Prospect) channels() []activities.Channel {
	return slices.DeleteFunc(p.Lead.channels(), func(c activities.Channel) bool { return p.ByMail && c == activities.SMS })
}

// channels are how somebody can be reached: as he asked, and by text only where he agreed.
func (l Lead) channels() []activities.Channel {
	var list []activities.Channel
	if l.Email != "" {
		list = append(list, activities.Mail)
	}
	if l.Texts && l.Phone != "" {
		if l.Via == "mail" {
			return append(list, activities.SMS)
		}
		return slices.Insert(list, 0, activities.SMS)
	}
	return list
}

// due tells whether the present letter may leave.
func (p *Prospect) due(s *VacancyState, now time.Time) bool {
	return p.Letter != "" && p.mayLeave(s) && !p.LetterAt.After(now)
}

// mayLeave: nobody is answered before the home is published, but told that it is over.
func (p *Prospect) mayLeave(s *VacancyState) bool {
	return !s.ListedAt.IsZero() || s.Outcome != ""
}

// dueAt is when something is due with the prospect, zero for never.
func (p *Prospect) dueAt(s *VacancyState) (time.Time, string) {
	at, why := time.Time{}, ""
	sooner := func(t time.Time, what string) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at, why = t, what
		}
	}
	if p.Letter != "" && p.mayLeave(s) {
		sooner(p.LetterAt, "write to a prospect")
	}
	if p.Invite || len(p.Off) > 0 {
		sooner(p.InviteAt, "invite to a showing")
	}
	if p.Status == statusApplying {
		sooner(p.WriteAt, "write an applicant to RentVine")
	}
	if s.Outcome == "" {
		sooner(p.NextAt, "ask a prospect again")
	}
	return at, why
}

// todoForProspects is the next piece of work for one of them.
func (s *VacancyState) todoForProspects(now time.Time) (task, int) {
	for i := range s.Prospects {
		p := &s.Prospects[i]
		switch {
		case p.Unbook:
			return taskUnbook, p.N
		case len(p.Off) > 0 && !p.InviteAt.After(now):
			return taskUninvite, p.N
		case p.Status == statusApplying && !p.WriteAt.After(now):
			return taskApply, p.N
		case s.Outcome != "":
			continue
		case p.Status == statusChosen:
			return taskBook, p.N
		case p.Invite && !p.InviteAt.After(now):
			return taskInvite, p.N
		}
	}
	return taskNone, 0
}

// tickProspect lets time pass for one.
func (s *VacancyState) tickProspect(p *Prospect, now time.Time) {
	if p.NextAt.IsZero() || p.NextAt.After(now) {
		return
	}
	p.NextAt = time.Time{}
	switch p.Status {
	case statusAsked:
		if p.Asked >= s.Rules.Vacancy.Showings.Times {
			s.lapse(p, now)
			return
		}
		p.Status = statusWaiting
		p.say(letterWindows, now)
	case statusBooked:
		p.Status, p.Asked, p.Booked, p.Invite = statusSeen, 0, false, false
		s.source(p.Lead.Source).Showings++
		s.Closes = append(s.Closes, fmt.Sprintf("%s/%d/", letterBooked, p.N))
		p.say(letterApply, now)
		s.note(now, "prospect %d has seen it", p.N)
	case statusSeen:
		if p.Asked >= timesToApply {
			s.lapse(p, now)
			return
		}
		p.say(letterApply, now)
	}
}

// lapse stops asking. His answer still counts.
func (s *VacancyState) lapse(p *Prospect, now time.Time) {
	p.Status = statusLapsed
	s.note(now, "prospect %d does not answer", p.N)
}

// heardProspect takes the answer of one to the question of a step.
func (s *VacancyState) heardProspect(a durable.Answer, now time.Time) durable.Outcome {
	if s.Outcome != "" {
		return durable.Outcome{Late: true, Message: "Thank you. The home is not available any more."}
	}
	parts := strings.Split(a.Step, "/")
	n, err := strconv.Atoi(parts[min(1, len(parts)-1)])
	p := s.prospect(n)
	if err != nil || p == nil {
		return durable.Outcome{Late: true, Message: "Thank you. There is nothing more to do."}
	}
	switch {
	case strings.HasPrefix(a.Choice, choiceAt):
		return s.heardWindow(p, strings.TrimPrefix(a.Choice, choiceAt), now)
	case a.Choice == choiceOther:
		return s.heardOther(p, a.Note, now)
	case a.Choice == choiceNo && p.Status != statusApplying && p.Status != statusApplied:
		s.cancelShowing(p)
		s.settle(p)
		p.Status = statusDeclined
		s.note(now, "prospect %d does not want it", p.N)
		return durable.Outcome{Message: "Thank you for telling us."}
	case a.Choice == choiceApply && (p.Status == statusSeen || p.Status == statusLapsed):
		s.settle(p)
		p.Status, p.AppliedAt, p.WriteAt = statusApplying, now, now
		s.source(p.Lead.Source).Applications++
		p.say(letterApplied, now)
		s.note(now, "prospect %d applies", p.N)
		return durable.Outcome{Message: "Thank you. We will write to you about your application."}
	}
	return durable.Outcome{Late: true, Message: "Thank you. That is settled already."}
}

// heardWindow takes the window that a prospect has chosen.
func (s *VacancyState) heardWindow(p *Prospect, start string, now time.Time) durable.Outcome {
	i := slices.IndexFunc(p.Windows, func(w appointments.Window) bool { return strconv.FormatInt(w.Start.Unix(), 10) == start })
	switch p.Status {
	case statusWaiting, statusAsked, statusLapsed, statusDeclined, statusAgent:
	default:
		return durable.Outcome{Late: true, Message: "Thank you. A showing is agreed already."}
	}
	if i < 0 || !p.Windows[i].Start.After(now) {
		if p.Letter == "" {
			p.Status = statusWaiting
			p.say(letterWindows, now)
		}
		return durable.Outcome{Late: true, Message: "That time is not free any more. We send you others."}
	}
	chosen := p.Windows[i]
	s.settle(p)
	p.Status, p.Window, p.Taken = statusChosen, chosen, false
	return durable.Outcome{Message: "Thank you. We book it and confirm it to you."}
}

// heardOther takes that none of the windows suits.
func (s *VacancyState) heardOther(p *Prospect, note string, now time.Time) durable.Outcome {
	switch p.Status {
	case statusWaiting, statusAsked, statusBooked, statusChosen, statusLapsed:
	default:
		return durable.Outcome{Late: true, Message: "Thank you. That is settled already."}
	}
	for _, w := range p.Windows {
		p.refuse(w.Start)
	}
	if note = cleanLead(Lead{Message: note}, now).Message; note != "" {
		p.Lead.Message = note
	}
	s.cancelShowing(p)
	s.settle(p)
	p.Others++
	if p.Others >= maxOthers {
		s.toAgent(p, now, "No time that was offered suits.")
		return durable.Outcome{Message: "Thank you. We will get in touch with you about a time."}
	}
	p.Status = statusWaiting
	p.say(letterWindows, now)
	return durable.Outcome{Message: "Thank you. We send you other times."}
}

func (p *Prospect) refuse(start time.Time) {
	p.Refused = append(p.Refused, start)
	p.Refused = p.Refused[max(0, len(p.Refused)-maxRefused):]
}

// settle takes back what was asked of him.
func (s *VacancyState) settle(p *Prospect) {
	for _, kind := range []string{letterWindows, letterBooked, letterApply} {
		if prefix := fmt.Sprintf("%s/%d/", kind, p.N); p.Letters > 0 && !slices.Contains(s.Closes, prefix) {
			s.Closes = append(s.Closes, prefix)
		}
	}
	p.Letter, p.NextAt, p.Asked, p.Windows = "", time.Time{}, 0, nil
}

// cancelShowing gives his place back, and has the calendars told.
func (s *VacancyState) cancelShowing(p *Prospect) {
	if !p.Booked {
		return
	}
	p.Booked, p.Unbook, p.Invite = false, true, false
	p.Off = append(p.Off, Showing{p.Visit, p.Window})
	p.InviteAt = time.Time{}
}

// booked takes whether there was a place in the window that he has chosen.
func (s *VacancyState) booked(n int, w appointments.Window, ok bool, now time.Time) {
	p := s.prospect(n)
	if s.Outcome != "" || p.Status != statusChosen || !p.Window.Start.Equal(w.Start) {
		p.Unbook = p.Unbook || ok // he has changed his mind meanwhile
		return
	}
	if !ok {
		p.refuse(w.Start)
		p.Status, p.Taken = statusWaiting, true
		p.say(letterWindows, now)
		s.note(now, "the time of prospect %d is taken", p.N)
		return
	}
	p.Status, p.Booked, p.Invite, p.InviteAt = statusBooked, true, true, now
	p.Visit++
	p.NextAt = w.End.Add(s.Rules.Vacancy.ApplyAfter)
	p.say(letterBooked, now)
	s.note(now, "prospect %d is shown the home on %s", p.N, w.Start.Format(time.RFC3339))
}

// toAgent has the agent get in touch with him.
func (s *VacancyState) toAgent(p *Prospect, now time.Time, why string) {
	p.Status, p.NextAt = statusAgent, time.Time{}
	s.tell(s.Rules.Agent, now, fmt.Sprintf("Please get in touch with prospect %d", p.N), why+"\n\n"+p.card())
	s.note(now, "the agent gets in touch with prospect %d", p.N)
}

// card is what the agent has to know of him.
func (p *Prospect) card() string {
	lines := []string{"Name: " + p.Lead.Name, "Mail: " + p.Lead.Email, "Phone: " + p.Lead.Phone}
	if p.Lead.Message != "" {
		lines = append(lines, "He wrote: "+p.Lead.Message)
	}
	return strings.Join(lines, "\n")
}

// sent takes what became of a letter to a prospect. known is false where that is not known
// yet.
func (s *VacancyState) sent(p *Prospect, step string, r activities.Sent, known bool, now, wall time.Time) {
	current := p.Letter != "" && p.step() == step
	switch {
	case !known:
		if current {
			p.LetterAt = s.later(now)
		}
		return
	case r.Outcome == activities.MessageHeld:
		if !current {
			return
		}
		if !p.ByMail && p.Lead.Email != "" && slices.Contains(p.channels(), activities.SMS) {
			p.ByMail = true // at night a mail is answered as fast as ever
			return
		}
		p.LetterAt = s.later(now)
		if r.HeldUntil.After(p.LetterAt) {
			p.LetterAt = r.HeldUntil
		}
		return
	case r.Outcome == activities.MessageImpossible:
		if current {
			kind := p.Letter
			p.Letter = ""
			if s.Outcome == "" && kind != letterMany && kind != letterApplied {
				s.toAgent(p, now, "No message reaches him ("+kind+").")
			}
		}
		return
	}
	if p.RepliedAt.IsZero() {
		s.Replies++
		s.ReplyTime += max(0, wall.Sub(p.Lead.At))
	}
	p.RepliedAt = wall
	if !current {
		return
	}
	kind := p.Letter
	p.Letter = ""
	s.told(p, kind, now)
}

// failed takes that a text that was accepted has not arrived: where its words still count,
// they go by mail, or the agent gets in touch.
func (s *VacancyState) failed(step string, now time.Time) {
	kind, rest, _ := strings.Cut(step, "/")
	number, _, _ := strings.Cut(rest, "/")
	n, err := strconv.Atoi(number)
	p := s.prospect(n)
	if err != nil || p == nil || s.Outcome != "" {
		return
	}
	counts := kind == letterWindows && p.Status == statusAsked || kind == letterBooked && p.Status == statusBooked ||
		kind == letterApply && p.Status == statusSeen
	if !counts || p.Letter != "" {
		return
	}
	s.note(now, "a text to prospect %d did not arrive", n)
	if p.Lead.Email == "" {
		s.toAgent(p, now, "A text did not reach him.")
		return
	}
	p.say(kind, now)
	p.ByMail = true
}

// told goes on after a letter has left.
func (s *VacancyState) told(p *Prospect, kind string, now time.Time) {
	switch kind {
	case letterWindows:
		p.Status, p.Taken = statusAsked, false
		p.Asked++
		p.NextAt = now.Add(max(s.Rules.Vacancy.Showings.AskAgain, time.Hour))
	case letterNoTimes:
		s.toAgent(p, now, "No time for a showing is free.")
	case letterApply:
		p.Asked++
		p.NextAt = now.Add(max(s.Rules.Questions.RemindAfter, time.Hour))
	case letterGone:
		p.Status = statusTold
	}
}

// farewell tells a prospect that it is over. Applicants hear from the agent: one of them
// may have it.
func (s *VacancyState) farewell(p *Prospect, now time.Time) {
	s.cancelShowing(p)
	p.NextAt, p.Invite = time.Time{}, false
	switch p.Status {
	case statusApplying, statusApplied, statusDeclined, statusTold:
		p.Letter = ""
	case statusLapsed:
		p.Letter = "" // he has lost interest
	default:
		p.say(letterGone, now)
	}
}

// applications counts those who have applied.
func (s *VacancyState) applications() (n int) {
	for _, p := range s.Prospects {
		if !p.AppliedAt.IsZero() {
			n++
		}
	}
	return n
}

// tenantFrom is the source of the only one who applied, "" where there is none or several:
// nobody knows who of them has it.
func (s *VacancyState) tenantFrom() string {
	i := slices.IndexFunc(s.Prospects, func(p Prospect) bool { return !p.AppliedAt.IsZero() })
	if i < 0 || s.applications() > 1 {
		return ""
	}
	return s.Prospects[i].Lead.Source
}
