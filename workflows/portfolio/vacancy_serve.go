package portfolio

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/workflows/durable"
)

// write sends the letters and notices that are due, a batch at most, and tells whether
// there were any. A partner that is away holds it up for patience.
func (w *vacancyRun) write(ctx workflow.Context) (wrote bool, err error) {
	s := w.state
	if err := w.findWindows(ctx); err != nil {
		return false, err
	}
	now := durable.Now(ctx)
	batch := activities.SendMessagesInput{
		Ref: w.ref, PortfolioID: w.unit.Property.PortfolioID, PropertyID: w.unit.Property.ID, Zone: s.zone(w.unit),
	}
	var to []int // the prospects of the first messages
	for _, n := range s.dueLetters(now) {
		p := s.prospect(n)
		if len(p.channels()) == 0 {
			s.sent(p, p.step(), activities.Sent{Outcome: activities.MessageImpossible}, true, now, workflow.Now(ctx)) //nolint:forbidigo // how fast people are answered is real time
			wrote = true
			continue
		}
		batch.Messages, to = append(batch.Messages, s.letter(p, w.unit, now)), append(to, n)
	}
	for _, n := range s.Notices {
		if !n.At.After(now) && len(batch.Messages) < 2*lettersAtOnce {
			batch.Messages = append(batch.Messages, n.message())
		}
	}
	if len(batch.Messages) == 0 {
		s.leave()
		return wrote, nil
	}
	results, err := activities.SendMessages.Limited(patience).Run(ctx, batch, fmt.Sprintf("write %d letters", len(batch.Messages)))
	if temporal.IsCanceledError(err) {
		return true, err
	}
	if err != nil {
		results = activities.SentBefore(err)
	}
	now = durable.Now(ctx)
	for i, m := range batch.Messages {
		r := slices.IndexFunc(results, func(r activities.Sent) bool { return r.Step == m.Step })
		known, result := r >= 0, activities.Sent{}
		if known {
			result = results[r]
		}
		if i >= len(to) {
			s.noticed(m.Step, result, known, now)
		} else if p := s.prospect(to[i]); p != nil {
			s.sent(p, m.Step, result, known, now, workflow.Now(ctx)) //nolint:forbidigo // how fast people are answered is real time
		}
	}
	s.leave()
	return true, nil
}

// findWindows finds the times that prospects may choose from, for those who are written to
// next. Where none is free, the agent gets in touch.
func (w *vacancyRun) findWindows(ctx workflow.Context) error {
	s := w.state
	for _, n := range s.dueLetters(durable.Now(ctx)) {
		p := s.prospect(n)
		if p.Letter != letterWindows || p.WindowsFor == p.step() {
			continue
		}
		rules, step := s.Rules.Vacancy.Showings, p.step()
		windows, err := activities.FreeWindows.RunLocal(ctx, activities.FreeWindowsInput{
			Worker: s.Rules.Agent.ID, JobsPerWindow: rules.JobsPerWindow, Zone: s.zone(w.unit), Rules: rules, Refused: p.Refused,
		}, "free times")
		if temporal.IsCanceledError(err) {
			return err
		}
		if p = s.prospect(n); p.Letter == letterWindows && p.step() == step {
			s.offered(p, windows, durable.Now(ctx))
		}
	}
	return nil
}

// unbook gives a showing back.
func (w *vacancyRun) unbook(ctx workflow.Context, n int) error {
	if _, err := activities.CancelVisit.RunLocal(ctx, visitOf(n), "give a showing back"); err != nil {
		return err
	}
	w.state.prospect(n).Unbook = false
	return nil
}

func visitOf(n int) string { return fmt.Sprintf("prospect-%d", n) }

func (w *vacancyRun) book(ctx workflow.Context, n int) error {
	s := w.state
	window := s.prospect(n).Window
	ok, err := activities.BookAppointment.RunLocal(ctx, activities.BookInput{
		Visit: visitOf(n), Worker: s.Rules.Agent.ID, Window: window, JobsPerWindow: s.Rules.Vacancy.Showings.JobsPerWindow,
	}, "book a showing")
	if err != nil {
		return err
	}
	s.booked(n, window, ok, durable.Now(ctx))
	return nil
}

// invite tells the calendars of the agent and of the prospect of a showing, or that it is
// off.
func (w *vacancyRun) invite(ctx workflow.Context, n int, off bool) error {
	s := w.state
	p := s.prospect(n)
	show := Showing{p.Visit, p.Window}
	if off {
		show = p.Off[0]
	}
	var failed error
	for _, toAgent := range []bool{true, false} {
		in := s.invitation(p, w.unit, w.ref, show, toAgent, off)
		_, err := activities.SendInvitations.Limited(patience).Run(ctx, in, "calendar of a showing")
		if temporal.IsCanceledError(err) {
			return err
		}
		if err != nil {
			failed = err
		}
		p = s.prospect(n)
	}
	s.invited(p, show, off, failed == nil, durable.Now(ctx))
	return nil
}

// apply writes an applicant to RentVine, and tells the agent.
func (w *vacancyRun) apply(ctx workflow.Context, n int) error {
	s := w.state
	lead := s.prospect(n).Lead
	_, err := activities.WriteProspect.Limited(patience).Run(ctx, activities.ProspectInput{
		Ref: fmt.Sprintf("%s/prospect/%d", w.ref, n), UnitID: w.unit.Unit.ID, Name: lead.Name, Email: lead.Email, Phone: lead.Phone,
	}, "write the applicant to RentVine")
	if temporal.IsCanceledError(err) {
		return err
	}
	refused := ""
	if err != nil {
		refused = durable.KindOf(err)
	}
	s.written(s.prospect(n), homeOf(w.unit), refused, durable.Now(ctx))
	return nil
}

// dueLetters are the numbers of the prospects who are to be written to now, a batch at
// most.
func (s *VacancyState) dueLetters(now time.Time) (list []int) {
	for _, from := range [][]Prospect{s.Prospects, s.Crowd} {
		for i := range from {
			if from[i].due(s, now) && len(list) < lettersAtOnce {
				list = append(list, from[i].N)
			}
		}
	}
	return list
}

// offered takes the times that a prospect may choose from.
func (s *VacancyState) offered(p *Prospect, windows []appointments.Window, now time.Time) {
	if len(windows) == 0 {
		p.say(letterNoTimes, now)
		return
	}
	p.Windows, p.WindowsFor = windows, p.step()
}

// leave forgets those beyond the first who have their answer.
func (s *VacancyState) leave() {
	s.Crowd = slices.DeleteFunc(s.Crowd, func(p Prospect) bool { return p.Letter == "" })
}

// noticed takes what became of a notice.
func (s *VacancyState) noticed(step string, r activities.Sent, known bool, now time.Time) {
	i := slices.IndexFunc(s.Notices, func(n Notice) bool { return n.Step == step })
	if i < 0 {
		return
	}
	if known && r.Outcome != activities.MessageHeld {
		s.Notices = slices.Delete(s.Notices, i, i+1)
		return
	}
	s.Notices[i].At = s.later(now)
	if r.HeldUntil.After(s.Notices[i].At) {
		s.Notices[i].At = r.HeldUntil
	}
}

func (n Notice) message() activities.Message {
	return activities.Message{
		Step: n.Step, To: activities.PersonOf(n.To), Class: activities.Work, Channels: []activities.Channel{activities.Mail},
		Subject: n.Subject, Text: n.Text,
	}
}

// invited takes whether calendars know of a showing, or that it is off.
func (s *VacancyState) invited(p *Prospect, show Showing, off, ok bool, now time.Time) {
	if !ok && now.Before(show.Window.End) {
		p.InviteAt = s.later(now)
		return
	}
	switch {
	case off:
		p.Off = slices.DeleteFunc(p.Off, func(o Showing) bool { return o.Visit == show.Visit })
	case p.Visit == show.Visit && p.Booked:
		p.Invite = false
	}
}

// written takes what became of an applicant at RentVine: refused is the kind of its
// failure, "" for none.
func (s *VacancyState) written(p *Prospect, home, refused string, now time.Time) {
	switch refused {
	case "", "invalid", "not_found", "conflict":
	default:
		if s.EndedAt.IsZero() || now.Before(s.EndedAt.Add(giveUp)) {
			p.WriteAt = s.later(now)
			return
		}
	}
	p.Status = statusApplied
	at := "RentVine knows him as a prospect of the unit."
	if refused != "" {
		at = "RentVine did not take him (" + refused + "): please enter him there."
	}
	subject, text := fmt.Sprintf("%s: prospect %d applies", home, p.N), at+"\n\n"+p.card()
	s.tell(s.Rules.Agent, now, subject, text)
	if s.Rules.Manager.ID != s.Rules.Agent.ID {
		s.tell(s.Rules.Manager, now, subject, text)
	}
	s.note(now, "prospect %d is an applicant", p.N)
}
