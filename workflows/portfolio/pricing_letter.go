package portfolio

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/asking"
	"github.com/aictive/keyholder/workflows/durable"
)

// pricesShown is how many comparables a question shows.
const pricesShown = 8

// question is the one that is due.
func (w *pricingRun) question(ctx workflow.Context) asking.Question {
	s, p := w.state, *w.state.Suggestion
	title := "What rent should " + w.place() + " ask?"
	keep := "Leave it without a rent"
	if p.Current > 0 {
		keep = "Keep " + w.money(p.Current)
	}
	text := fmt.Sprintf("%s: %s a month is suggested.", w.place(), w.money(p.Rent))
	if p.Current > 0 {
		text = fmt.Sprintf("%s: %s a month is suggested, %s is asked now.", w.place(), w.money(p.Rent), w.money(p.Current))
	}
	text += "\n\n" + p.Reason + ".\n\nSay what it shall be: {link}\n\nNothing changes without your answer."
	return asking.Question{
		Step: s.stepOf(), Ref: w.ref(ctx), Zone: w.zone(), Title: title, Text: text, To: s.asks(w.rules),
		Ask: activities.Ask{
			Purpose: purposePrice, Title: title, Details: w.priceDetails(),
			Options: []activities.Option{
				{Key: "1", Choice: priceAccept, Label: "Ask " + w.money(p.Rent)},
				{Key: "2", Choice: priceOther, Label: "Ask another rent"},
				{Key: "3", Choice: priceKeep, Label: keep},
			},
			Fields: []activities.Field{
				{Name: priceField, Label: "Rent a month", Kind: activities.FieldMoney, For: []string{priceOther}, Currency: w.rules.Currency},
			},
			ExpiresAt: durable.Now(ctx).Add(w.questionLife()),
		},
	}
}

// questionLife is longer than anybody waits for an answer.
func (w *pricingRun) questionLife() time.Duration {
	return w.rules.Questions.RemindAfter*time.Duration(w.rules.Questions.Times+1) + 2*priceLeaveAfter
}

// priceDetails are what the page shows: the suggestion and what it was compared with.
func (w *pricingRun) priceDetails() []activities.Detail {
	p := *w.state.Suggestion
	list := []activities.Detail{{Label: "Home", Text: w.place()}}
	add := func(label, format string, args ...any) {
		list = append(list, activities.Detail{Label: label, Text: fmt.Sprintf(format, args...)})
	}
	if w.in.Why != "" {
		add("Why now", "%s", w.in.Why)
	}
	add("Suggested", "%s a month", w.money(p.Rent))
	if p.Current > 0 {
		add("Asked now", "%s a month", w.money(p.Current))
	}
	if p.Confidence > 0 {
		add("Range", "%s to %s", w.money(p.Low), w.money(p.High))
		add("Confidence", "%d%%", p.Confidence)
	} else {
		add("Confidence", "none: too few homes compare")
	}
	if p.DaysListed > 0 {
		add("Days listed", "%d", p.DaysListed)
	}
	add("How so", "%s", p.Reason)
	for _, c := range p.Comparables[:min(len(p.Comparables), pricesShown)] {
		add("Compared", "%s %s: %s, adjusted %s (%s)", c.Source, c.Ref, w.money(c.Rent), w.money(c.AdjustedRent), c.Reason)
	}
	if len(p.Notes) > 0 {
		add("Not read", "%s", strings.Join(p.Notes, "; "))
	}
	return list
}
