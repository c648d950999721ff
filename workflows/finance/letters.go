package finance

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/asking"
	"github.com/aictive/keyholder/workflows/durable"
)

// The purposes of questions.
const (
	purposeCategory = "categorise"
	purposeFinding  = "review_finding"
)

// asked is who is asked the n-th time, from 0: the accountant, and at last the
// controller.
func asked(rules policy.Finance, n int) policy.Person {
	if n > rules.Questions.Times {
		return rules.Controller
	}
	return rules.Accountant
}

// ask asks what a transaction is for.
func (w *transactionRun) ask(ctx workflow.Context) error {
	s, now := w.state, durable.Now(ctx)
	money := policy.Money{Amount: s.View.Amount(), Currency: w.rules.Currency}
	var options []activities.Option
	for i, id := range fitting(s.View.Kind, w.rules) {
		category, _ := w.rules.Category(id)
		options = append(options, activities.Option{Key: fmt.Sprint(i + 1), Choice: id, Label: category.Name})
	}
	details := []activities.Detail{
		{Label: "Transaction", Text: w.id}, {Label: "Posted", Text: s.View.Day}, {Label: "Amount", Text: money.String()},
		{Label: "Lease", Text: orDash(s.View.LeaseID)}, {Label: "Property", Text: orDash(s.View.PropertyID)},
	}
	p := s.View.Parts[s.Unsure[0]]
	part := policy.Money{Amount: p.Amount, Currency: w.rules.Currency}
	details = append(details, activities.Detail{Label: "Part", Text: fmt.Sprintf("%s on RentVine's account %s: %s", part, orDash(p.Account), orDash(p.Text))})
	title := fmt.Sprintf("What is %s of %s for?", w.id, money)
	text := fmt.Sprintf("RentVine has a %s of %s that no rule knows a category for: %s.\n\nSay what it is for: {link}\n\n", s.View.Kind, money, w.id)
	if s.Unbooked {
		text += "Without an answer it is booked on the account for what nobody could categorise, and moved once you answer."
	} else {
		text += "It is booked on the account for what nobody could categorise, and is moved once you answer."
	}
	_, held, err := asking.Person(ctx, asking.Question{
		Step: fmt.Sprintf("category/%d/%d", s.Round, s.Asked), To: asked(w.rules, s.Asked), Ref: fmt.Sprintf("%s@%d", w.id, s.BeganAt.Unix()),
		Zone: w.rules.TimeZone, Title: title, Text: text,
		Ask: activities.Ask{Purpose: purposeCategory, Title: title, Options: options, Details: details, ExpiresAt: now.Add(2 * leaveAfter)},
	})
	if err != nil {
		return err
	}
	if !held.IsZero() {
		s.AskAt, s.Open = held, true
		return nil
	}
	s.askedAgain(w.rules, durable.Now(ctx))
	return nil
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
