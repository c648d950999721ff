// Package campaign is what the campaigns of a lease have in common, as pure decisions:
// whom to tell what, what is asked of whom and until when, and what has come of it. The
// workflow carries out what a campaign decides and hands back what came of it.
package campaign

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Play is a campaign: what happens goes in, what is to be done comes out. It depends on
// nothing but its state. Times are business time in UTC.
type Play interface {
	// Common is what all campaigns have.
	Common() *Base
	// Changed takes a lease that has changed at RentVine: Common().Lease is the new one.
	Changed(before activities.LeaseView, now time.Time)
	// Heard takes the answer to a question that is open, and says what the person is told.
	Heard(w Wait, a durable.Answer, now time.Time) durable.Outcome
	// Tick lets time pass: what has come due is told, asked or done next. It reminds of
	// open questions, and gives up those whose time is up.
	Tick(now time.Time)
	// Todo is the next piece of work, Nothing where there is none now.
	Todo(now time.Time) Task
	// Next is when Tick has something to do, for open questions too, zero for never, and
	// what.
	Next(now time.Time) (at time.Time, why string)
	// Stop ends the campaign for a reason of the lease or of an operator; what was done
	// and no longer holds is undone by further work.
	Stop(why string, now time.Time)
}

// Task is a piece of work beside messages. Key tells two of a kind apart.
type Task struct {
	Do  string `json:"do"`
	Key string `json:"key,omitempty"`
}

// Nothing is no work.
var Nothing = Task{}

// Audience is who is told or asked.
type Audience string

// The audiences. One is Tell.Person.
const (
	Tenants Audience = "tenants"
	Owners  Audience = "owners"
	Manager Audience = "manager"
	One     Audience = "one"
)

type (
	// Base is the part of its state that every campaign has.
	Base struct {
		// Stage is how far it has come, for people who look.
		Stage   string    `json:"stage"`
		BeganAt time.Time `json:"began_at"`
		// Lease is as RentVine had it last; Rules are the policy as last read.
		Lease activities.LeaseView `json:"lease"`
		Rules policy.Leasing       `json:"rules"`
		// Owners are asked for approvals, where they were read.
		Owners []activities.Person `json:"owners,omitempty"`
		// Outcome is how it ended, "" while it goes on.
		Outcome string    `json:"outcome,omitempty"`
		EndedAt time.Time `json:"ended_at,omitzero"`

		// Tells wait to be sent; Waits are open questions; Closes are step prefixes whose
		// questions are to be closed.
		Tells  []Tell   `json:"tells,omitempty"`
		Waits  []Wait   `json:"waits,omitempty"`
		Closes []string `json:"closes,omitempty"`
		// Held are the steps of messages that may not leave yet.
		Held []string `json:"held,omitempty"`
		// Told and Asked number what was told and asked.
		Told  int `json:"told,omitempty"`
		Asked int `json:"asked,omitempty"`
		// Log is what has happened, newest last, without personal data.
		Log []Entry `json:"log,omitempty"`
	}
	// Tell is a message to an audience.
	Tell struct {
		// Step names it for ever within the campaign.
		Step string   `json:"step"`
		To   Audience `json:"to"`
		// Person is who is told where To is One.
		Person activities.Person `json:"person,omitzero"`
		// Text is the id of a text of policy.
		Text string           `json:"text"`
		Data policy.LeaseData `json:"data,omitzero"`
		// Marketing texts need consent; MailOnly ones are not texted.
		Marketing bool `json:"marketing,omitempty"`
		MailOnly  bool `json:"mail_only,omitempty"`
		// Ask makes it a question.
		Ask *Ask `json:"ask,omitempty"`
	}
	// Ask is what a question asks.
	Ask struct {
		Purpose string `json:"purpose"`
		// Choices are in order; a text is answered by their numbers.
		Choices []string            `json:"choices"`
		Fields  []activities.Field  `json:"fields,omitempty"`
		Details []activities.Detail `json:"details,omitempty"`
		Until   time.Time           `json:"until"`
	}
	// Question is how a campaign asks.
	Question struct {
		Tell
		// Purpose tells the campaign's questions apart; one of each is open at a time.
		Purpose string
		Choices []string
		Fields  []activities.Field
		Details []activities.Detail
		// RemindAt are when those who have not answered are asked again, in order; GiveUpAt
		// is when the answer is not waited for any more (zero for never).
		RemindAt []time.Time
		GiveUpAt time.Time
	}
	// Wait is an open question.
	Wait struct {
		Purpose string `json:"purpose"`
		// Step begins the steps of all its messages.
		Step     string      `json:"step"`
		Tell     Tell        `json:"tell"`
		AskedAt  time.Time   `json:"asked_at"`
		RemindAt []time.Time `json:"remind_at,omitempty"`
		GiveUpAt time.Time   `json:"give_up_at,omitzero"`
		Reminded int         `json:"reminded,omitempty"`
		// LeftAt is when its first message left; zero before.
		LeftAt time.Time `json:"left_at,omitzero"`
		// Renewed counts how often it was sent anew to one person.
		Renewed int `json:"renewed,omitempty"`
		// Answered are the ids of those who have answered.
		Answered []string `json:"answered,omitempty"`
	}
	// Entry is a line of the log.
	Entry struct {
		At   time.Time `json:"at"`
		What string    `json:"what"`
	}
)

// Line is the entry as the audit is told of it.
func (e Entry) Line() durable.Line { return durable.Line{At: e.At, What: e.What} }

// maxLog bounds the log.
const maxLog = 60

// Note adds to the log.
func (b *Base) Note(now time.Time, what string, args ...any) {
	if len(args) > 0 {
		what = fmt.Sprintf(what, args...)
	}
	b.Log = append(b.Log, Entry{now, what})
	b.Log = b.Log[max(0, len(b.Log)-maxLog):]
}

// Move goes to another stage.
func (b *Base) Move(stage string, now time.Time) {
	if b.Stage != stage {
		b.Stage = stage
		b.Note(now, "%s", strings.ReplaceAll(stage, "_", " "))
	}
}

// End notes how it ended and settles all questions.
func (b *Base) End(outcome string, now time.Time) {
	if b.Outcome != "" {
		return
	}
	for len(b.Waits) > 0 {
		b.Settle(b.Waits[0].Purpose)
	}
	b.Outcome, b.EndedAt = outcome, now
	b.Note(now, "ended: %s", strings.ReplaceAll(outcome, "_", " "))
}

// Say tells people something.
func (b *Base) Say(t Tell) {
	b.Told++
	if t.Step == "" {
		t.Step = fmt.Sprintf("tell/%d", b.Told)
	}
	t.Data = b.about(t.Data)
	b.Tells = append(b.Tells, t)
}

// Question asks; a question of the same purpose that is still open is settled first.
func (b *Base) Question(q Question, now time.Time) {
	b.Settle(q.Purpose)
	b.Asked++
	t := q.Tell
	t.Step = fmt.Sprintf("%s/%d", q.Purpose, b.Asked)
	t.Data = b.about(t.Data)
	until := q.GiveUpAt
	if until.IsZero() {
		until = now.AddDate(1, 0, 0)
	}
	t.Ask = &Ask{Purpose: q.Purpose, Choices: q.Choices, Fields: q.Fields, Details: q.Details, Until: until}
	b.Waits = append(b.Waits, Wait{
		Purpose: q.Purpose, Step: t.Step, Tell: t, AskedAt: now, RemindAt: q.RemindAt, GiveUpAt: q.GiveUpAt,
	})
	b.Tells = append(b.Tells, t)
}

// about adds what every text may say.
func (b *Base) about(d policy.LeaseData) policy.LeaseData {
	l := b.Lease
	d.Company, d.Address, d.Unit, d.LeaseID, d.Currency = b.Rules.Company, l.Address, l.Unit, l.ID, b.Rules.Currency
	if len(l.Tenants) > 0 {
		d.Tenant = l.Tenants[0].Name
	}
	if d.MoveIn == "" {
		d.MoveIn = l.MovesInOn()
	}
	if d.End == "" {
		d.End = l.End
	}
	return d
}

// Waiting is the open question of a purpose, nil for none.
func (b *Base) Waiting(purpose string) *Wait {
	for i := range b.Waits {
		if b.Waits[i].Purpose == purpose {
			return &b.Waits[i]
		}
	}
	return nil
}

// Settle stops waiting for the answer to a question, and has its messages closed; those
// that were not sent yet are dropped.
func (b *Base) Settle(purpose string) {
	w := b.Waiting(purpose)
	if w == nil {
		return
	}
	step := w.Step
	b.Closes = append(b.Closes, step+"/")
	b.Tells = slices.DeleteFunc(b.Tells, func(t Tell) bool { return t.Ask != nil && within(t.Step, step) })
	b.Waits = slices.DeleteFunc(b.Waits, func(w Wait) bool { return w.Purpose == purpose })
}

// Asking is the open question that an answer's step belongs to.
func (b *Base) Asking(step string) (Wait, bool) {
	for _, w := range b.Waits {
		if within(step, w.Step) {
			return w, true
		}
	}
	return Wait{}, false
}

func within(step, of string) bool { return step == of || strings.HasPrefix(step, of+"/") }

// Said notes who has answered an open question that goes on for the others, and has the
// question of that person closed.
func (b *Base) Said(purpose, person string) {
	w := b.Waiting(purpose)
	if w == nil || slices.Contains(w.Answered, person) {
		return
	}
	w.Answered = append(w.Answered, person)
}

// HasAnswered tells whether a person has answered already.
func (w Wait) HasAnswered(person string) bool { return slices.Contains(w.Answered, person) }

// maxAnew bounds how often one open question is sent anew.
const maxAnew = 6

// Anew sends an open question once more to somebody whose answer could not be taken: the
// page of the first takes no other. ok is false where that was done too often.
func (b *Base) Anew(purpose string, p activities.Person) (ok bool) {
	w := b.Waiting(purpose)
	if w == nil || w.Renewed >= maxAnew {
		return false
	}
	w.Renewed++
	t := w.Tell
	t.Step, t.To, t.Person = fmt.Sprintf("%s/anew%d", w.Step, w.Renewed), One, p
	b.Tells = append(b.Tells, t)
	return true
}

// Moves tells whether the times of a question count from when its first message leaves.
// Those of tenants are dates of the lease.
func (w Wait) Moves() bool { return w.Tell.To != Tenants }

// Left notes that a message of a question has left: where it was held back, whoever is
// asked has as much time as was meant.
func (b *Base) Left(step string, now time.Time) {
	for i := range b.Waits {
		w := &b.Waits[i]
		if !within(step, w.Step) || !w.LeftAt.IsZero() {
			continue
		}
		w.LeftAt = now
		if late := now.Sub(w.AskedAt); w.Moves() && late > 0 {
			for j := range w.RemindAt {
				w.RemindAt[j] = w.RemindAt[j].Add(late)
			}
			if !w.GiveUpAt.IsZero() {
				w.GiveUpAt = w.GiveUpAt.Add(late)
			}
		}
	}
}

// heldBack tells whether a question is held back, so that its times have not begun.
func (b *Base) heldBack(w Wait) bool {
	return w.Moves() && w.LeftAt.IsZero() && slices.ContainsFunc(b.Held, func(held string) bool { return within(held, w.Step) })
}

// Unsent tells whether no message of a step has left: all still wait.
func (b *Base) Unsent(step string) bool {
	for _, w := range b.Waits {
		if w.Step == step && !w.LeftAt.IsZero() {
			return false
		}
	}
	return slices.ContainsFunc(b.Tells, func(t Tell) bool { return t.Step == step }) ||
		slices.ContainsFunc(b.Held, func(held string) bool { return within(held, step) })
}

// Remind sends the reminders that are due and returns the questions whose time is up,
// which it settles.
func (b *Base) Remind(now time.Time) (up []Wait) {
	for i := range b.Waits {
		w := &b.Waits[i]
		if b.heldBack(*w) {
			continue
		}
		due := 0
		for len(w.RemindAt) > 0 && !w.RemindAt[0].After(now) {
			w.RemindAt, due = w.RemindAt[1:], due+1
		}
		if due > 0 && (w.GiveUpAt.IsZero() || w.GiveUpAt.After(now)) {
			w.Reminded++ // several that came due together are one
			t := w.Tell
			t.Step = fmt.Sprintf("%s/again%d", w.Step, w.Reminded)
			t.Data.Count = w.Reminded
			b.Tells = append(b.Tells, t)
		}
		if !w.GiveUpAt.IsZero() && !w.GiveUpAt.After(now) {
			up = append(up, *w)
		}
	}
	for _, w := range up {
		b.Settle(w.Purpose)
	}
	return up
}

// NextWait is when an open question has a reminder due or is given up, zero for never.
func (b *Base) NextWait() (at time.Time, why string) {
	for _, w := range b.Waits {
		if b.heldBack(w) {
			continue
		}
		if len(w.RemindAt) > 0 {
			at, why = Sooner(at, why, w.RemindAt[0], "remind: "+w.Purpose)
		}
		at, why = Sooner(at, why, w.GiveUpAt, "no answer: "+w.Purpose)
	}
	return at, why
}

// Sooner is the earlier of two times, of which zero is never.
func Sooner(at time.Time, why string, other time.Time, otherWhy string) (time.Time, string) {
	if other.IsZero() || !at.IsZero() && !other.Before(at) {
		return at, why
	}
	return other, otherWhy
}

// Day is the instant of a time of day on a day that is so many days after another, in a
// zone. ok is false where the day is none.
func Day(day string, days int, at policy.TimeOfDay, zone string) (instant time.Time, ok bool) {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, false
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		place = time.UTC
	}
	return time.Date(d.Year(), d.Month(), d.Day()+days, int(at)/60, int(at)%60, 0, 0, place).UTC(), true
}

// DayAfter is the day that is so many days after another, which it is itself where it
// cannot be read.
func DayAfter(day string, days int) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return d.AddDate(0, 0, days).Format(time.DateOnly)
}

// Late is what somebody is told whose answer changes nothing any more, Taken what
// somebody is told whose answer does.
func Late(text string) durable.Outcome { return durable.Outcome{Late: true, Message: text} }

// Taken is for Late.
func Taken(text string) durable.Outcome { return durable.Outcome{Message: text} }

// Clip puts what people have written on one line of at most so many characters.
func Clip(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// Within is a time of policy, another where it names none.
func Within(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
