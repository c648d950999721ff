package portfolio

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/asking"
	"github.com/aictive/keyholder/workflows/durable"
)

// onboarding is the checklist of a property that is new. Times are business time.
type onboarding struct {
	// Items are as the policy had them when it was first asked; Done are the numbers of those
	// that were ticked, from 0, in their order.
	Items []string `json:"items,omitempty"`
	Done  []int    `json:"done,omitempty"`
	// Asked counts the questions, Silent those since the last answer. AskAt is when the next
	// is due, Until when the escalation contact is asked, and Escalated that this was done.
	Asked     int       `json:"asked,omitempty"`
	Silent    int       `json:"silent,omitempty"`
	AskAt     time.Time `json:"ask_at,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	Escalated bool      `json:"escalated,omitempty"`
	// Owners is how many owners RentVine names, -1 where nobody knows.
	Owners int `json:"owners,omitempty"`
	// Outcome is "done", "closed" (by people), "left" (nobody answered), "" while it is open.
	Outcome string `json:"outcome,omitempty"`
	// Answers are the ids of the answers that were taken, the last 50.
	Answers []string `json:"answers,omitempty"`
}

// The answers, and how it ends.
const (
	choiceSave  = "save"
	choiceClose = "close"

	onboardingDone   = "done"
	onboardingClosed = "closed"
	onboardingLeft   = "left"

	purposeOnboarding = "property_onboarding"
	onboardingStep    = "onboarding/"
	itemsField        = "items"
	maxAnswers        = 50
)

// onboards tells whether the checklist of the property is open, or about to be.
func (s *PropertyState) onboards() bool {
	return s.New && s.Known && s.lives() && s.Rules.On() && s.Onboarding.Outcome == "" &&
		len(s.Rules.Onboarding.Items)+len(s.Onboarding.Items) > 0
}

// onboardingDue is when somebody is asked next, zero for never.
func (s *PropertyState) onboardingDue(now time.Time) time.Time {
	o := s.Onboarding
	switch {
	case !s.onboards():
		return time.Time{}
	case o.Asked == 0 && o.AskAt.IsZero():
		return now
	}
	return o.AskAt
}

// onboardingBegins takes the items over from the policy.
func (s *PropertyState) onboardingBegins(owners int, now time.Time) {
	o := &s.Onboarding
	if len(o.Items) == 0 {
		o.Items, o.Until = slices.Clone(s.Rules.Onboarding.Items), now.Add(s.Rules.Onboarding.Within)
	}
	o.Owners = owners
}

// escalates tells whether the next question goes to the escalation contact: the time is up,
// or the manager was reminded as often as the policy says.
func (s *PropertyState) escalates(now time.Time) bool {
	o := s.Onboarding
	return !now.Before(o.Until) || o.Silent > s.Rules.Questions.Times
}

// onboardingAsked sets what comes after a question.
func (s *PropertyState) onboardingAsked(escalated bool, now time.Time) {
	o := &s.Onboarding
	o.Asked++
	o.Silent++
	o.AskAt = now.Add(s.Rules.Questions.RemindAfter)
	if !escalated && o.Until.After(now) && o.Until.Before(o.AskAt) {
		o.AskAt = o.Until
	}
	if escalated {
		o.Escalated = true
		s.note(now, "onboarding: the escalation contact is asked")
		return
	}
	s.note(now, "onboarding: the manager is asked")
}

// onboardingEnds ends the checklist: what is empty may be marketed.
func (s *PropertyState) onboardingEnds(outcome string, now time.Time) {
	s.Onboarding.Outcome, s.Onboarding.AskAt = outcome, time.Time{}
	s.note(now, "onboarding: %s", outcome)
	s.release(now)
}

// heard takes the answer to the checklist, once, and says what the person is told.
func (s *PropertyState) heard(a durable.Answer, now time.Time) durable.Outcome {
	o := &s.Onboarding
	late := durable.Outcome{Late: true, Message: "Thank you. This has been settled meanwhile."}
	switch {
	case slices.Contains(o.Answers, a.ID):
		return durable.Outcome{Message: "Thank you. It is recorded."}
	case !strings.HasPrefix(a.Step, onboardingStep) || !s.onboards():
		return late
	case a.Choice != choiceSave && a.Choice != choiceClose:
		return durable.Outcome{Late: true, Message: "That is not one of the answers."}
	}
	o.Answers = append(o.Answers, a.ID)
	o.Answers = o.Answers[max(0, len(o.Answers)-maxAnswers):]
	for _, n := range ticked(a.Fields[itemsField], len(o.Items)) {
		if !slices.Contains(o.Done, n) {
			o.Done = append(o.Done, n)
		}
	}
	slices.Sort(o.Done)
	left := len(o.Items) - len(o.Done)
	switch {
	case left == 0:
		s.onboardingEnds(onboardingDone, now)
		return durable.Outcome{Message: "Thank you. The property is set up."}
	case a.Choice == choiceClose:
		s.onboardingEnds(onboardingClosed, now)
		return durable.Outcome{Message: "Thank you. The checklist is closed."}
	}
	// Whoever answers is at it: the reminders begin anew.
	o.Silent, o.Escalated, o.AskAt = 1, false, now.Add(s.Rules.Questions.RemindAfter)
	s.note(now, "onboarding: %d of %d done", len(o.Done), len(o.Items))
	return durable.Outcome{Message: fmt.Sprintf("Thank you. %d of %d are left; a new link comes with the next reminder.", left, len(o.Items))}
}

// ticked are the numbers in a list such as "0,2" that lie below a bound, each once.
func ticked(text string, below int) (list []int) {
	for _, part := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err == nil && n >= 0 && n < below && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// missing is what RentVine does not know of a new property, for people.
func (s *PropertyState) missing() (list []string) {
	v := s.View
	for _, m := range []struct {
		is   bool
		what string
	}{
		{s.Onboarding.Owners == 0, "RentVine names no active owner of its portfolio."},
		{len(v.Units) == 0, "It has no units."},
		{!v.Located, "It has no coordinates."},
		{v.Doubtful, "RentVine could not verify the address."},
		{v.Zone == "", "Its time zone is not known: give coordinates, or time_zone in the policy."},
	} {
		if m.is {
			list = append(list, m.what)
		}
	}
	return list
}

// onboardingQuestion is what the manager, or the escalation contact, is asked.
func (s *PropertyState) onboardingQuestion(to policy.Person, ref string, now time.Time) asking.Question {
	o, missing := s.Onboarding, s.missing()
	title := "New property: " + s.about()
	text := []string{"There is a new property to look after: " + s.about() + "."}
	details := []activities.Detail{{Label: "Property", Text: s.about()}, {Label: "Units", Text: strconv.Itoa(len(s.View.Units))}}
	for _, n := range o.Done {
		details = append(details, activities.Detail{Label: "Done", Text: o.Items[n]})
	}
	if len(missing) > 0 {
		text = append(text, "", "What is missing:")
		for _, m := range missing {
			text = append(text, "- "+m)
			details = append(details, activities.Detail{Label: "Missing", Text: m})
		}
	}
	text = append(text, "", "What has to be done:")
	for n, item := range o.Items {
		if !slices.Contains(o.Done, n) {
			text = append(text, "- "+item)
		}
	}
	text = append(text, "", "Tick what is done: {link}")
	zone := s.View.Zone
	if zone == "" {
		zone = s.Rules.TimeZone
	}
	return asking.Question{
		Step: fmt.Sprintf("%s%d", onboardingStep, o.Asked), Ref: ref, Zone: zone, Title: title, Text: strings.Join(text, "\n"), To: to,
		Ask: activities.Ask{
			Purpose: purposeOnboarding, Title: title, Details: details,
			Options: []activities.Option{
				{Key: "1", Choice: choiceSave, Label: "Save what is ticked"},
				{Key: "2", Choice: choiceClose, Label: "The rest does not apply", WantsNote: true},
			},
			Fields:    []activities.Field{{Name: itemsField, Label: "Done", Kind: activities.FieldChecks, Items: o.Items}},
			ExpiresAt: now.Add(s.Rules.Onboarding.Within + time.Duration(s.Rules.Questions.Times+2)*s.Rules.Questions.RemindAfter),
		},
	}
}

// about is the property in words: its name and address.
func (s *PropertyState) about() string {
	var parts []string
	for _, part := range []string{s.View.Name, s.View.Address, s.View.City} {
		if part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "property " + s.ID
	}
	return strings.Join(parts, ", ")
}

// onboard asks about the checklist when that is due.
func (w *propertyRun) onboard(ctx workflow.Context) error {
	s, now := w.state, durable.Now(ctx)
	if at := s.onboardingDue(now); at.IsZero() || at.After(now) {
		return nil
	}
	if s.Onboarding.Escalated {
		s.onboardingEnds(onboardingLeft, now)
		return nil
	}
	owners := -1
	people, err := activities.ReadOwners.Run(ctx, activities.ReadOwnersInput{PortfolioID: s.View.PortfolioID, PropertyID: s.ID}, "owners of the property")
	switch {
	case temporal.IsCanceledError(err):
		return err
	case err == nil:
		owners = len(people)
	}
	now = durable.Now(ctx)
	s.onboardingBegins(owners, now)
	if !s.onboards() {
		return nil // it was answered meanwhile
	}
	to, escalated := s.Rules.Manager, s.escalates(now)
	if escalated {
		to = s.Rules.Escalation
	}
	info := workflow.GetInfo(ctx)
	_, held, err := asking.Person(ctx, s.onboardingQuestion(to, info.WorkflowExecution.ID+"@"+info.FirstRunID, now))
	if err != nil {
		return err
	}
	if !held.IsZero() {
		s.Onboarding.AskAt = held
		return nil
	}
	if s.onboards() {
		s.onboardingAsked(escalated, durable.Now(ctx))
	}
	return nil
}
