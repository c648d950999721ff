package portfolio

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/asking"
	"github.com/aictive/keyholder/workflows/durable"
)

// The purpose of the question where somebody has set another rent meanwhile, and its answers.
const (
	purposeConflict = "price_conflict"

	priceOurs   = "ours"
	priceTheirs = "theirs"
)

// met takes a conflict that was met when the rent was written: a person decides, or theirs
// stays by the policy's rule.
func (s *PricingState) met(c activities.Conflict, holds policy.Cents, now time.Time) {
	s.note(now, "%s", c.Text())
	if c.Outcome == activities.ConflictAsks && s.Clashes < priceRounds {
		s.askAbout(holds, now)
		return
	}
	s.Theirs, s.Untold, s.TellAt = holds, true, now
	s.keepTheirs(PricingNotWritten, now)
}

// askAbout has a person say whether the decided rent holds, or one that others have set.
func (s *PricingState) askAbout(theirs policy.Cents, now time.Time) {
	s.Theirs, s.Asked, s.AskAt = theirs, 0, now
	s.Clashes++
}

// movedAgain takes another rent at RentVine while a person is asked.
func (s *PricingState) movedAgain(rent policy.Cents, now time.Time) {
	switch {
	case rent == s.Rent:
		s.Theirs = 0
		s.note(now, "RentVine holds %s now", rent)
		s.wrote(true, "", now)
	case rent > 0 && rent != s.Theirs && s.Clashes < priceRounds:
		s.note(now, "RentVine holds %s now", rent)
		s.askAbout(rent, now)
	}
}

// choose takes which rent holds. Where it is ours, it is decided in the face of theirs:
// only another change since is a conflict again.
func (s *PricingState) choose(a durable.Answer, now time.Time) durable.Outcome {
	switch a.Choice {
	case priceOurs:
		s.By, s.Was, s.Theirs = a.Person, s.Theirs, 0
		s.note(now, "%s all the same, says %s", s.Rent, a.Person)
		return durable.Outcome{Message: fmt.Sprintf("Thank you. The rent will be %s.", s.Rent)}
	case priceTheirs:
		s.By = a.Person
		s.note(now, "%s stays, says %s", s.Theirs, a.Person)
		s.keepTheirs(PricingKept, now)
		return durable.Outcome{Message: fmt.Sprintf("Thank you. The rent stays %s.", s.Rent)}
	}
	s.Unusable++
	return durable.Outcome{Late: true, Message: "That is not one of the answers."}
}

// keepTheirs ends it with the rent that RentVine holds.
func (s *PricingState) keepTheirs(outcome string, now time.Time) {
	s.Was, s.Rent, s.Theirs, s.Kept = s.Rent, s.Theirs, 0, true
	s.end(outcome, now)
}

// off ends what a person has to decide, where the policy does not follow the property.
func (s *PricingState) off(now time.Time) {
	switch {
	case s.Outcome != "":
	case s.Theirs > 0:
		s.keepTheirs(PricingOff, now)
	case s.Rent == 0:
		s.end(PricingOff, now)
	}
}

// unanswered ends it where nobody has decided.
func (s *PricingState) unanswered(now time.Time) {
	if s.Theirs > 0 {
		s.keepTheirs(PricingUnanswered, now)
		return
	}
	s.end(PricingUnanswered, now)
}

// conflictQuestion asks which of two rents holds.
func (w *pricingRun) conflictQuestion(ctx workflow.Context) asking.Question {
	s := w.state
	title := "Which rent should " + w.place() + " ask?"
	text := fmt.Sprintf("%s: it was decided that %s a month is asked. Before that was written, somebody has set %s at RentVine.",
		w.place(), w.money(s.Rent), w.money(s.Theirs))
	return asking.Question{
		Step: s.stepOf(), Ref: w.ref(ctx), Zone: w.zone(), Title: title, To: s.asks(w.rules),
		Text: text + "\n\nSay which holds: {link}\n\nRentVine keeps its rent without your answer.",
		Ask: activities.Ask{
			Purpose: purposeConflict, Title: title,
			Details: []activities.Detail{
				{Label: "Home", Text: w.place()}, {Label: "Decided", Text: w.money(s.Rent) + " a month"}, {Label: "At RentVine", Text: w.money(s.Theirs) + " a month"},
			},
			Options: []activities.Option{
				{Key: "1", Choice: priceOurs, Label: "Ask " + w.money(s.Rent)},
				{Key: "2", Choice: priceTheirs, Label: "Keep " + w.money(s.Theirs)},
			},
			ExpiresAt: durable.Now(ctx).Add(w.questionLife()),
		},
	}
}
