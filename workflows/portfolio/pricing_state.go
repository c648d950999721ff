package portfolio

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// How a pricing ends.
const (
	// PricingOff: the policy does not follow this property.
	PricingOff = "off"
	// PricingStays: the suggestion is so near to the present rent that nobody is asked.
	PricingStays = "stays"
	// PricingNothing: there is nothing to compare.
	PricingNothing = "nothing_to_compare"
	// PricingUnread: what is needed for a suggestion could not be read for days.
	PricingUnread = "could_not_read"
	// PricingChanged: the manager has decided, and RentVine holds the rent.
	PricingChanged = "changed"
	// PricingNotWritten: the manager has decided, and RentVine does not hold the rent.
	PricingNotWritten = "not_written"
	// PricingKept: the manager keeps the present rent.
	PricingKept = "kept"
	// PricingUnanswered: nobody has answered.
	PricingUnanswered = "unanswered"
	// PricingLet: the unit was let meanwhile, or is no longer active.
	PricingLet = "let"
	// PricingCancelled: somebody has cancelled it.
	PricingCancelled = "cancelled"
)

// The answers to a suggestion, and the field of another amount.
const (
	priceAccept = "accept"
	priceOther  = "other"
	priceKeep   = "keep"
	priceField  = "rent"
)

const (
	// priceUnreadPause is how long after a failure the comparables are read again, and
	// priceUnreadTimes how often (business time; each try takes hours of its own).
	priceUnreadPause = 6 * time.Hour
	priceUnreadTimes = 5
	// priceLeaveAfter is how long the last question stays open.
	priceLeaveAfter = 7 * 24 * time.Hour
	// priceRounds bounds how often a changed unit begins another suggestion.
	priceRounds = 20
	// priceAnswers and priceNotes bound what is remembered.
	priceAnswers = 20
	priceNotes   = 30
	// mostRent is the greatest rent that is taken for one.
	mostRent = policy.Cents(100_000_00)
	// stageAsking is the stage while somebody is asked.
	stageAsking = "asking"
)

// PricingState is what a pricing keeps. Times are business time.
type PricingState struct {
	// Now is the unit as it was told last.
	Now UnitNow `json:"now"`
	// Asks is the rent that the marketing asks in place of RentVine's, 0 for that.
	Asks policy.Cents `json:"asks,omitempty"`
	// Suggestion is nil while none was read for Now; Round counts them, from 1.
	Suggestion *activities.PriceSuggestion `json:"suggestion,omitempty"`
	Round      int                         `json:"round"`
	// Failed counts failures to read, RetryAt is when it is tried again.
	Failed  int       `json:"failed,omitempty"`
	RetryAt time.Time `json:"retry_at,omitzero"`
	// Asked counts the questions; AskAt is when the next is due, or nobody waits any more.
	Asked int       `json:"asked,omitempty"`
	AskAt time.Time `json:"ask_at,omitzero"`
	// Rent is what was decided by By, 0 while nothing was. Was is what RentVine was known to
	// hold then, 0 where that is not known.
	Rent policy.Cents `json:"rent,omitempty"`
	By   string       `json:"by,omitempty"`
	Was  policy.Cents `json:"was,omitempty"`
	// Theirs is the rent that somebody has set at RentVine meanwhile while a person has to
	// say which holds, 0 otherwise. Clashes counts how often that was asked. Kept tells that
	// theirs has stayed: then it is Rent, and Was is what was decided.
	Theirs  policy.Cents `json:"theirs,omitempty"`
	Clashes int          `json:"clashes,omitempty"`
	Kept    bool         `json:"kept,omitempty"`
	// Wrote tells that RentVine was asked to hold it; Untold that the manager must hear that
	// it does not, not before TellAt.
	Wrote  bool      `json:"wrote,omitempty"`
	Untold bool      `json:"untold,omitempty"`
	TellAt time.Time `json:"tell_at,omitzero"`
	// Settled tells that the marketing of the unit was told.
	Settled bool `json:"settled,omitempty"`
	// Outcome is "" until it has ended.
	Outcome  string        `json:"outcome,omitempty"`
	Answered []PriceAnswer `json:"answered,omitempty"`
	Timeline []PricingNote `json:"timeline,omitempty"`
	Unusable int           `json:"unusable,omitempty"`
}

type (
	// PriceAnswer is an answer that was taken.
	PriceAnswer struct {
		ID      string          `json:"id"`
		Outcome durable.Outcome `json:"outcome"`
	}
	// PricingNote is what happened when.
	PricingNote struct {
		At   time.Time `json:"at"`
		What string    `json:"what"`
	}
)

// Line is the entry as the audit is told of it.
func (n PricingNote) Line() durable.Line { return durable.Line{At: n.At, What: n.What} }

func (s *PricingState) note(now time.Time, format string, args ...any) {
	s.Timeline = append(s.Timeline, PricingNote{now, fmt.Sprintf(format, args...)})
	s.Timeline = s.Timeline[max(0, len(s.Timeline)-priceNotes):]
}

// pricingStep is what is to be done next.
type pricingStep string

const (
	priceWait    pricingStep = "wait"
	priceSuggest pricingStep = "suggest"
	priceAsk     pricingStep = "ask"
	priceLeave   pricingStep = "leave"
	priceWrite   pricingStep = "write"
	priceTell    pricingStep = "tell"
	priceEnd     pricingStep = "end"
)

// todo is what is due now.
func (s *PricingState) todo(rules policy.Portfolio, now time.Time) pricingStep {
	switch {
	case s.Untold:
		if now.Before(s.TellAt) {
			return priceWait
		}
		return priceTell
	case s.Outcome != "":
		return priceEnd
	case s.Rent > 0 && s.Theirs == 0:
		return priceWrite
	case s.Suggestion == nil:
		if now.Before(s.RetryAt) {
			return priceWait
		}
		return priceSuggest
	case now.Before(s.AskAt):
		return priceWait
	case s.Asked > rules.Questions.Times+1:
		return priceLeave
	}
	return priceAsk
}

// next is when something is due without anything happening, and why.
func (s *PricingState) next() (at time.Time, why string) {
	switch {
	case s.Untold:
		return s.TellAt, "tell the manager"
	case s.Suggestion == nil:
		return s.RetryAt, "read the comparables again"
	}
	return s.AskAt, "ask again"
}

// stage is where it is, for lists.
func (s *PricingState) stage() string {
	switch {
	case s.Outcome != "":
		return s.Outcome
	case s.Rent > 0 && s.Theirs == 0:
		return "writing"
	case s.Suggestion == nil:
		return "suggesting"
	}
	return stageAsking
}

// asks is who is asked the n-th time, from 0: the manager, and at last the escalation
// contact.
func (s *PricingState) asks(rules policy.Portfolio) policy.Person {
	if s.Asked > rules.Questions.Times {
		return rules.Escalation
	}
	return rules.Manager
}

// asked notes that a question has left.
func (s *PricingState) asked(rules policy.Portfolio, now time.Time) {
	s.Asked++
	s.AskAt = now.Add(rules.Questions.RemindAfter)
	if s.Asked > rules.Questions.Times+1 {
		s.AskAt = now.Add(priceLeaveAfter)
	}
}

// suggested takes a suggestion, and decides whether anybody is asked.
func (s *PricingState) suggested(p activities.PriceSuggestion, rules policy.Portfolio, now time.Time) {
	s.Suggestion, s.Round, s.AskAt = &p, s.Round+1, now
	s.Failed, s.RetryAt = 0, time.Time{}
	switch apart := max(p.Rent-p.Current, p.Current-p.Rent); {
	case p.Rent == 0:
		s.end(PricingNothing, now)
	case apart == 0, p.Current > 0 && apart*1000 < p.Current*policy.Cents(rules.Pricing.AskFrom):
		s.end(PricingStays, now)
	default:
		s.note(now, "suggested %s", p.Rent)
	}
}

// unread notes that no suggestion could be had.
func (s *PricingState) unread(why string, now time.Time) {
	s.Failed++
	s.RetryAt = now.Add(priceUnreadPause)
	s.note(now, "no suggestion could be had (%s)", why)
	if s.Failed >= priceUnreadTimes {
		s.end(PricingUnread, now)
	}
}

func (s *PricingState) end(outcome string, now time.Time) {
	s.Outcome = outcome
	s.note(now, "ended: %s", policy.Words(outcome))
}

// changed takes what the unit is now; began is the unit as it was at the start. What was
// suggested for another unit than it is now no longer holds.
func (s *PricingState) changed(to, began UnitNow, now time.Time) {
	if to.Unit.ID != began.Unit.ID || s.Outcome != "" || s.Rent > 0 && s.Theirs == 0 {
		return
	}
	was := s.Now.Unit
	s.Now = to
	let := to.Unit.LeaseID != "" && to.Unit.LeaseID != began.Unit.LeaseID
	if let || !to.Unit.Active || !to.Property.Found || !to.Property.Active {
		s.Rent, s.Theirs = 0, 0
		s.end(PricingLet, now)
		return
	}
	if s.Theirs > 0 {
		s.movedAgain(to.Unit.Rent, now)
		return
	}
	if to.Unit.Rent == 0 {
		s.Now.Unit.Rent = was.Rent // the marketing may know one that RentVine does not
	}
	if s.Now.Unit.Rent != was.Rent {
		s.Asks = 0 // the marketing follows RentVine
	}
	if pricedAlike(was, s.Now.Unit) || s.Suggestion == nil || s.Round >= priceRounds {
		return
	}
	s.Suggestion = nil
	s.note(now, "the unit has changed at RentVine: another suggestion is made")
}

// pricedAlike tells whether two looks at a unit lead to the same suggestion.
func pricedAlike(a, b activities.UnitView) bool {
	return a.Rent == b.Rent && a.Beds == b.Beds && a.BedsKnown == b.BedsKnown && a.Baths == b.Baths && a.Size == b.Size
}

// stepOf names the question; the round tells which suggestion it is about, or which rent of
// others.
func (s *PricingState) stepOf() string { return fmt.Sprintf("%s%d", s.about(), s.Asked) }

// about begins the steps of the questions that are open.
func (s *PricingState) about() string {
	if s.Theirs > 0 {
		return fmt.Sprintf("conflict/%d/", s.Clashes)
	}
	return fmt.Sprintf("price/%d/", s.Round)
}

// answer takes a decision, once.
func (s *PricingState) answer(a durable.Answer, now time.Time) durable.Outcome {
	for _, t := range s.Answered {
		if t.ID == a.ID {
			return t.Outcome
		}
	}
	o := s.decide(a, now)
	s.Answered = append(s.Answered, PriceAnswer{a.ID, o})
	s.Answered = slices.Clone(s.Answered[max(0, len(s.Answered)-priceAnswers):])
	return o
}

func (s *PricingState) decide(a durable.Answer, now time.Time) durable.Outcome {
	switch {
	case s.Outcome != "" || s.Rent > 0 && s.Theirs == 0:
		return durable.Outcome{Late: true, Message: "Thank you. This has been settled meanwhile."}
	case s.Suggestion == nil || a.Step != "" && !strings.HasPrefix(a.Step, s.about()):
		return durable.Outcome{Late: true, Message: "Thank you. The unit has changed meanwhile; we ask again with another suggestion."}
	case s.Theirs > 0:
		return s.choose(a, now)
	}
	switch a.Choice {
	case priceAccept:
		s.Rent = s.Suggestion.Rent
	case priceOther:
		rent, err := policy.ParseCents(a.Fields[priceField])
		if err != nil || rent <= 0 || rent > mostRent {
			s.Unusable++
			return durable.Outcome{Late: true, Message: fmt.Sprintf("That is not a rent. Say an amount such as 1850.00, at most %s, with the next question.", mostRent)}
		}
		s.Rent = rent
	case priceKeep:
		s.By = a.Person
		s.end(PricingKept, now)
		return durable.Outcome{Message: "Thank you. The rent stays as it is."}
	default:
		s.Unusable++
		return durable.Outcome{Late: true, Message: "That is not one of the answers."}
	}
	s.By, s.Was = a.Person, s.Now.Unit.Rent
	s.note(now, "%s, says %s", s.Rent, a.Person)
	return durable.Outcome{Message: fmt.Sprintf("Thank you. The rent will be %s.", s.Rent)}
}

// wrote takes what RentVine holds now; why is "" where it did as it was told.
func (s *PricingState) wrote(held bool, why string, now time.Time) {
	s.Wrote = held
	if held {
		s.end(PricingChanged, now)
		return
	}
	s.note(now, "RentVine does not hold the rent (%s)", why)
	s.Untold, s.TellAt = true, now
	s.end(PricingNotWritten, now)
}
