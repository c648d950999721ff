package repair

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
)

// Purpose is what a question is about.
type Purpose string

// The purposes. They begin the steps of messages, so that answers find their way.
const (
	AskOffer         Purpose = "repair_offer"
	AskAward         Purpose = "repair_award"
	AskOwner         Purpose = "repair_owner"
	AskSpend         Purpose = "repair_spend"
	AskAccounting    Purpose = "repair_accounting"
	AskWindow        Purpose = "repair_window"
	AskManagerWindow Purpose = "repair_manager_window"
	AskReminder      Purpose = "repair_reminder"
	AskWay           Purpose = "repair_way"
	AskSite          Purpose = "repair_site"
	AskLate          Purpose = "repair_late"
	AskDone          Purpose = "repair_done"
	AskAgain         Purpose = "repair_again"
	AskReview        Purpose = "repair_review"
	AskConfirm       Purpose = "repair_confirm"
	AskStuck         Purpose = "repair_stuck"
)

// The choices of answers.
const (
	Accept   = "accept"
	Decline  = "decline"
	Approve  = "approve"
	Other    = "other"
	Fine     = "fine"
	Way      = "on_my_way"
	Here     = "on_site"
	NoAccess = "nobody_home"
	Cannot   = "cannot"
	Done     = "done"
	More     = "needs_more"
	Fixed    = "fixed"
	NotFixed = "not_fixed"
	Again    = "again"
	Leave    = "leave"
)

// windowPrefix begins the choice of a window; its number from 1 follows.
const windowPrefix = "window_"

// Of is the purpose of a step; ok is false for a step of something else.
func Of(step string) (p Purpose, number int, ok bool) {
	head, rest, _ := strings.Cut(step, "/")
	if !strings.HasPrefix(head, "repair_") {
		return "", 0, false
	}
	digits, _, _ := strings.Cut(rest, "-")
	number, err := strconv.Atoi(digits)
	return Purpose(head), number, err == nil && len(Choices(Purpose(head))) > 0
}

// Choices are what may be answered to a question of a purpose.
func Choices(p Purpose) []string {
	switch p {
	case AskOffer, AskAward:
		return []string{Accept, Decline}
	case AskOwner, AskSpend, AskAccounting:
		return []string{Approve, Decline}
	case AskWindow, AskManagerWindow:
		choices := []string{Other}
		for i := range maxWindows {
			choices = append(choices, windowPrefix+strconv.Itoa(i+1))
		}
		return choices
	case AskReminder:
		return []string{Fine, Other}
	case AskWay:
		return []string{Way, Cannot}
	case AskSite, AskLate:
		return []string{Here, NoAccess, Cannot}
	case AskDone, AskAgain:
		return []string{Done, More}
	case AskReview:
		return []string{Accept, Again}
	case AskConfirm:
		return []string{Fixed, NotFixed}
	case AskStuck:
		return []string{Again, Leave}
	}
	return nil
}

// maxWindows bounds the windows of a question.
const maxWindows = 6

// Wait is a question whose answer is waited for.
type Wait struct {
	Purpose Purpose             `json:"purpose"`
	Number  int                 `json:"number"`
	To      []activities.Person `json:"to"`
	AskedAt time.Time           `json:"asked_at"`
	// Sent counts how often it was sent. NextAt is when it is sent (again), zero where it
	// is not; Again are the times after AskedAt at which that happens.
	Sent   int             `json:"sent,omitempty"`
	NextAt time.Time       `json:"next_at,omitzero"`
	Again  []time.Duration `json:"again,omitempty"`
	// GiveUpAt is when silence decides, zero for never.
	GiveUpAt time.Time `json:"give_up_at,omitzero"`
	Answered bool      `json:"answered,omitempty"`
	// HeldUntil is when a message that is held back leaves.
	HeldUntil time.Time `json:"held_until,omitzero"`
	Reason    string    `json:"reason,omitempty"`
}

// Step names the next message of the question.
func (w Wait) Step() string { return fmt.Sprintf("%s/%d-%d", w.Purpose, w.Number, w.Sent+1) }

func (w Wait) prefix() string { return fmt.Sprintf("%s/%d-", w.Purpose, w.Number) }

// ask opens a question. again are the times after now at which it is repeated; giveUp,
// after now, is when silence decides, 0 for never.
func (r *State) ask(p Purpose, to []activities.Person, now time.Time, again []time.Duration, giveUp time.Duration) *Wait {
	r.stopAsking(p)
	r.Asked++
	w := Wait{Purpose: p, Number: r.Asked, To: to, AskedAt: now, NextAt: now, Again: again}
	if giveUp > 0 {
		w.GiveUpAt = now.Add(giveUp)
	}
	r.Waits = append(r.Waits, w)
	return &r.Waits[len(r.Waits)-1]
}

// Sent takes that a question has been sent once more.
func (r *State) Sent(number int, now time.Time) {
	for i := range r.Waits {
		w := &r.Waits[i]
		if w.Number != number {
			continue
		}
		w.Sent++
		w.NextAt = time.Time{}
		for _, after := range w.Again {
			if at := w.AskedAt.Add(after); at.After(now) {
				w.NextAt = at
				break
			}
		}
	}
}

// stopAsking ends the questions of some purposes, all where none is named.
func (r *State) stopAsking(purposes ...Purpose) {
	r.Waits = slices.DeleteFunc(r.Waits, func(w Wait) bool {
		if len(purposes) > 0 && !slices.Contains(purposes, w.Purpose) {
			return false
		}
		// A question that was put once to one person, who has answered, needs no closing.
		if !w.Answered || w.Sent > 1 || len(w.To) > 1 {
			r.Close = append(r.Close, w.prefix())
		}
		return true
	})
}

// waiting finds an open question.
func (r *State) waiting(p Purpose, number int) (Wait, bool) {
	for _, w := range r.Waits {
		if w.Purpose == p && (number == 0 || w.Number == number) {
			return w, true
		}
	}
	return Wait{}, false
}

// StillAsked tells whether the message of a step makes sense to its reader now.
func (r *State) StillAsked(step, person string) bool {
	p, number, ok := Of(step)
	if !ok {
		return false
	}
	w, ok := r.waiting(p, number)
	return ok && slices.ContainsFunc(w.To, func(to activities.Person) bool { return to.ID == person })
}

// AskedInVain tells whether a message of a step has opened a question that was settled
// without its answer.
func (r *State) AskedInVain(step, person string) bool {
	_, number, ok := Of(step)
	return ok && !slices.Contains(r.Answered, number) && !r.StillAsked(step, person)
}

// Due are the questions that are to be sent now.
func (r *State) Due(now time.Time) []Wait {
	var due []Wait
	for _, w := range r.Waits {
		if !w.NextAt.IsZero() && !w.NextAt.After(now) {
			due = append(due, w)
		}
	}
	return due
}

// Postpone takes that the message of a step leaves later than it was asked for: who is
// asked has as much time as anybody.
// Several who are asked the same are held back together.
func (r *State) Postpone(step string, until, now time.Time) {
	_, number, ok := Of(step)
	if !ok {
		return
	}
	for i := range r.Waits {
		w := &r.Waits[i]
		if w.Number != number {
			continue
		}
		from := now
		if w.HeldUntil.After(from) {
			from = w.HeldUntil
		}
		by := until.Sub(from)
		if by <= 0 {
			continue
		}
		w.HeldUntil = until
		w.AskedAt = w.AskedAt.Add(by)
		if !w.NextAt.IsZero() {
			w.NextAt = w.NextAt.Add(by)
		}
		if !w.GiveUpAt.IsZero() {
			w.GiveUpAt = w.GiveUpAt.Add(by)
		}
	}
}

// Hold lets a question be sent later than it is due.
func (r *State) Hold(number int, until, now time.Time) {
	for i := range r.Waits {
		if w := &r.Waits[i]; w.Number == number {
			r.Postpone(w.Step(), until, now)
			w.NextAt = until
		}
	}
}

// Unreachable takes that somebody cannot be asked by any channel. Where nobody else is
// asked the same, that is as good as silence.
func (r *State) Unreachable(step string, c Circumstances, now time.Time) {
	p, number, ok := Of(step)
	if !ok {
		return
	}
	w, open := r.waiting(p, number)
	if !open || len(w.To) > 1 {
		return
	}
	r.note(now, "cannot be reached", w.To[0].ID)
	switch p {
	case AskOffer, AskAward, AskOwner, AskAccounting, AskWindow, AskAgain:
		r.silence(w, c, now)
	case AskConfirm:
		// Nobody can say that it does not hold: the time runs its course.
	case AskSpend, AskManagerWindow, AskReminder, AskWay, AskSite, AskLate, AskDone, AskReview, AskStuck:
	}
}

// WaitingFor is who is waited for, in a word.
func (r *State) WaitingFor() string {
	for _, w := range r.Waits {
		switch w.Purpose {
		case AskOffer, AskWay, AskSite, AskLate, AskDone, AskAgain:
			return r.workerWord()
		case AskAward:
			return "vendor"
		case AskOwner:
			return "owner"
		case AskAccounting:
			return "accountant"
		case AskWindow, AskConfirm, AskReminder:
			return "tenant"
		case AskSpend, AskManagerWindow, AskReview, AskStuck:
			return "property_manager"
		}
	}
	switch r.Stage {
	case Bidding:
		return "vendors"
	case Scheduled:
		return "visit"
	case Stopped:
		return "property_manager"
	case Finished:
		return "nothing"
	case Analysing, Choosing, Approving, Offering, Ordering, Scheduling, OnTheWay, OnSite, Checking, Reviewing, Confirming, Stuck, Finishing:
	}
	return "keyholder"
}

func (r *State) workerWord() string {
	if r.Worker != nil {
		return string(r.Worker.Kind)
	}
	return "technician"
}

// NextDeadline is when something is due next, zero where nothing is, and why.
func (r *State) NextDeadline(rules visitRules) (at time.Time, why string) {
	consider := func(t time.Time, reason string) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at, why = t, reason
		}
	}
	for _, w := range r.Waits {
		consider(w.NextAt, "ask again: "+string(w.Purpose))
		consider(w.GiveUpAt, "no answer: "+string(w.Purpose))
	}
	if v := r.Visit; v != nil && r.Worker != nil {
		next, reason := r.visitDeadline(rules)
		consider(next, reason)
	}
	return at, why
}

// WindowChoice is the choice of the window with an index.
func WindowChoice(i int) string { return windowPrefix + strconv.Itoa(i+1) }
