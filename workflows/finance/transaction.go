// Package finance books RentVine's transactions once, checks them, and reports: a
// workflow for each transaction while there is something to do about it, one for each
// finding until a person has decided, and those that the clock starts.
package finance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/bookkeeping"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Transaction makes the books agree with one transaction of RentVine, and ends. Its id
// is "charge/<id>", "payment/<id>" or "invoice/<id>". Webhooks reach it by
// SignalWithStart; a later one begins another run, to which the store says what is
// booked.
var Transaction = durable.Definition[TransactionInput, TransactionResult]{
	Name: TransactionName, Run: transaction, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// TransactionName is the durable name.
const TransactionName = "finance.transaction"

// What stands before RentVine's id in the workflow id.
const (
	ChargePrefix  = "charge/"
	PaymentPrefix = "payment/"
	InvoicePrefix = "invoice/"
)

// DescribeTransaction shows a transaction.
var DescribeTransaction = durable.Query[TransactionDescription]{
	Name: "describe", Description: "How this transaction is booked, why so, and what it waits for",
}

type (
	// TransactionInput starts the workflow; an event follows as a signal.
	TransactionInput = durable.Entity[TransactionState]
	// TransactionResult tells how it ended.
	TransactionResult struct {
		Outcome string `json:"outcome"`
		// Entries counts those that this run has added to the journal.
		Entries int `json:"entries,omitempty"`
	}
	// TransactionDescription is what an operator sees. It names nobody.
	TransactionDescription struct {
		ID         string            `json:"id"`
		Stage      Stage             `json:"stage"`
		Kind       string            `json:"kind,omitempty"`
		Amount     policy.Cents      `json:"amount,omitempty"`
		Day        string            `json:"day,omitempty"`
		Categories []string          `json:"categories,omitempty"`
		Why        []string          `json:"why,omitempty"`
		Entries    int               `json:"entries"`
		Findings   []string          `json:"findings,omitempty"`
		Next       string            `json:"next,omitempty"`
		NextAt     time.Time         `json:"next_at,omitzero"`
		Timeline   []TransactionNote `json:"timeline,omitempty"`
		Unusable   int               `json:"unusable,omitempty"`
	}
)

// transactionRun is one run of the workflow.
type transactionRun struct {
	in    TransactionInput
	id    string
	state *TransactionState
	seen  durable.Seen
	alarm durable.Alarm
	rules policy.Finance
	// woken is set when an answer has changed the state.
	woken bool
	// booking is true while QuickBooks is asked.
	booking bool
	shown   string
	stage   Stage
}

func transaction(ctx workflow.Context, in TransactionInput) (TransactionResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &transactionRun{in: in, id: workflow.GetInfo(ctx).WorkflowExecution.ID, state: in.State, seen: in.Seen}
	if w.state == nil {
		w.state = &TransactionState{BeganAt: durable.Now(ctx)}
	}
	durable.TellTimeline(ctx, func() []TransactionNote { return w.state.Timeline })
	if err := w.handle(ctx); err != nil {
		return TransactionResult{}, err
	}
	rules, err := activities.ReadFinance.RunLocal(ctx, activities.None{}, "policy of the books")
	if err != nil {
		return TransactionResult{}, err
	}
	w.rules = rules
	if !rules.On() {
		w.take(ctx)
		transactionsEnded.Inc(ctx, string(StageNoBooks))
		return TransactionResult{Outcome: string(StageNoBooks)}, durable.Settle(ctx, w.take)
	}
	for {
		w.woken = false
		w.take(ctx)
		if err := w.act(ctx); err != nil {
			return TransactionResult{}, err
		}
		if err := w.show(ctx); err != nil {
			return TransactionResult{}, err
		}
		at, why := w.state.next(w.rules)
		done, suggested := at.IsZero() && w.state.settled(), workflow.GetInfo(ctx).GetContinueAsNewSuggested()
		if !suggested && w.state.todo(w.rules, durable.Now(ctx)) != stepNothing {
			continue // more was due than is done at once
		}
		if done || suggested {
			w.alarm.Stop()
			if err := durable.Settle(ctx, w.take); err != nil {
				return TransactionResult{}, err
			}
			switch {
			case done && w.state.settled():
				transactionsEnded.Inc(ctx, string(w.state.stage()))
				return TransactionResult{Outcome: string(w.state.stage()), Entries: w.state.Added}, nil
			case suggested:
				next := TransactionInput{ID: in.ID, Clock: in.Clock, Seen: w.seen, State: w.state}
				return TransactionResult{}, workflow.NewContinueAsNewError(ctx, TransactionName, next)
			}
			continue
		}
		w.alarm.Set(ctx, at, why)
		if err := workflow.Await(ctx, func() bool { return w.woken || w.alarm.Rang() || w.pending(ctx) }); err != nil {
			return TransactionResult{}, err
		}
	}
}

func (w *transactionRun) handle(ctx workflow.Context) error {
	if err := DescribeTransaction.Handle(ctx, func() (TransactionDescription, error) { return w.describe(), nil }); err != nil {
		return err
	}
	if err := durable.SeenEvents.Handle(ctx, func() (durable.Seen, error) { return w.seen, nil }); err != nil {
		return err
	}
	return durable.GiveAnswer.Handle(ctx, nil, func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
		return w.answer(ctx, a), nil
	})
}

func (w *transactionRun) answer(ctx workflow.Context, a durable.Answer) durable.Outcome {
	w.woken = true
	return w.state.answer(a, w.rules, durable.Now(ctx))
}

func (w *transactionRun) pending(ctx workflow.Context) bool {
	return durable.EventReceived.Pending(ctx) || durable.AnswerReceived.Pending(ctx)
}

// take drains all facts into the state and tells whether there were any.
func (w *transactionRun) take(ctx workflow.Context) bool {
	events, bad := durable.EventReceived.Drain(ctx)
	for _, ev := range events {
		if durable.TakeOnce(ctx, &w.seen, ev.Key) {
			w.state.event(ev)
		}
	}
	answers, unreadable := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		w.answer(ctx, a)
	}
	failures, unclear := durable.MessageFailed.Drain(ctx)
	unknown := durable.DrainUnknown(ctx, durable.EventReceived.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	lost := bad + unreadable + unclear + unknown
	w.state.Unusable += lost
	return len(events)+len(answers)+len(failures)+lost > 0
}

// stepsAtOnce bounds what is done without waiting.
const stepsAtOnce = 20

// act does what the state says is due.
func (w *transactionRun) act(ctx workflow.Context) error {
	for range stepsAtOnce {
		next := w.state.todo(w.rules, durable.Now(ctx))
		if next == stepNothing {
			return nil
		}
		if err := w.perform(ctx, next); err != nil {
			return err
		}
		w.take(ctx)
	}
	return nil
}

func (w *transactionRun) perform(ctx workflow.Context, next step) error {
	switch next {
	case stepRead:
		return w.read(ctx)
	case stepCategorise:
		return w.categorise(ctx)
	case stepAsk:
		return w.ask(ctx)
	case stepBook:
		return w.book(ctx)
	case stepCheck:
		return w.check(ctx)
	case stepTell:
		return w.tell(ctx)
	case stepLeave:
		w.state.leave(durable.Now(ctx))
		return nil
	case stepClose:
		_, err := activities.CloseQuestions.RunLocal(ctx, activities.None{}, "close the question")
		w.state.Open = false
		return err
	case stepNothing:
	}
	return nil
}

// A transaction that RentVine does not show is looked for again before that is believed
// (real time; each pause doubles): its webhook may be faster than its search.
const (
	unseenTries = 5
	unseenPause = 5 * time.Second
	// refusedPause is how long after a refusal a partner is asked again (business time).
	refusedPause = 6 * time.Hour
)

func (w *transactionRun) read(ctx workflow.Context) error {
	s := w.state
	s.Stale = false // what is said from now on asks for another look
	began := durable.Now(ctx)
	in := activities.ReadTransactionInput{ID: w.id, Hint: s.Hint}
	var view bookkeeping.Transaction
	err := durable.Again(ctx, unseenTries, unseenPause, "RentVine does not show it", func() (again bool, err error) {
		began = durable.Now(ctx)
		view, err = activities.ReadTransaction.Run(ctx, in, "read the transaction")
		return !view.Found && !s.Stale, err
	})
	if temporal.IsCanceledError(err) {
		return err
	}
	if err != nil {
		s.Stale = true
		return w.refused(ctx, "RentVine refuses to show it ("+durable.KindOf(err)+")")
	}
	s.ReadAt = began
	s.read(view, durable.Now(ctx))
	return nil
}

func (w *transactionRun) categorise(ctx workflow.Context) error {
	in := activities.CategorizeInput{Transaction: *w.state.View}
	w.state.Uncategorised = false
	found, err := activities.CategorizeTransaction.RunLocal(ctx, in, "what it is for")
	if err == nil && len(found.Unsure) > 0 {
		in.Model = true
		found, err = activities.CategorizeTransaction.Run(ctx, in, "what it is for, with a model")
	}
	if err != nil {
		return err
	}
	w.state.categorised(found, durable.Now(ctx))
	return nil
}

func (w *transactionRun) book(ctx workflow.Context) error {
	s := w.state
	rules, err := activities.ReadFinance.RunLocal(ctx, activities.None{}, "policy of the books")
	if err != nil {
		return err
	}
	w.rules = rules
	s.Unbooked = false // an answer that comes meanwhile asks for another booking
	in := activities.BookTransactionInput{Transaction: *s.View, Categories: slices.Clone(s.Categories), Since: s.BeganAt, ReadAt: s.ReadAt}
	w.booking = true
	booked, err := activities.BookTransaction.Run(ctx, in, "make the books agree")
	w.booking = false
	if temporal.IsCanceledError(err) {
		return err
	}
	if err != nil {
		s.Unbooked = true
		return w.refused(ctx, "QuickBooks or the policy refuses it ("+durable.KindOf(err)+")")
	}
	s.booked(booked, durable.Now(ctx))
	return nil
}

// refused waits for a while, and has somebody told.
func (w *transactionRun) refused(ctx workflow.Context, why string) error {
	w.state.refused(durable.Now(ctx), why)
	found, err := activities.ReportRefusal.RunLocal(ctx, activities.RefusalInput{ID: w.id, Why: why, Transaction: w.state.View}, "report that it is refused")
	if err != nil {
		return err
	}
	w.state.found(found)
	return review(ctx, w.in.Clock, found)
}

// check looks for what is conspicuous, and has each new finding reviewed.
func (w *transactionRun) check(ctx workflow.Context) error {
	found, err := activities.DetectAnomalies.RunLocal(ctx, activities.DetectAnomaliesInput{Transaction: *w.state.View}, "look for anomalies")
	if err != nil {
		return err
	}
	w.state.Unchecked = false
	w.state.found(found)
	return review(ctx, w.in.Clock, found)
}

// tell hands what was booked to the summary of the portfolio.
func (w *transactionRun) tell(ctx workflow.Context) error {
	portfolio := w.state.View.PortfolioID
	news := Booked{Transaction: w.id, Numbers: w.state.Untold}
	w.state.Untold = nil
	id := SummaryID(portfolio)
	// Another run of the summary may end between two of these.
	for range 3 {
		if SummaryBooked.SendFrom(ctx, id, news).Get(ctx, nil) == nil {
			return nil
		}
		started, err := durable.StartAbandoned(ctx, SummaryName,
			SummaryInput{ID: portfolio, Clock: w.in.Clock, State: &SummaryState{Pending: []Booked{news}}},
			workflow.ChildWorkflowOptions{
				WorkflowID: id, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
				StaticSummary:         "summary of what was booked, portfolio " + orCompany(portfolio),
				TypedSearchAttributes: temporal.NewSearchAttributes(durable.EventSource.ValueSet("rentvine")),
			})
		if started || err != nil {
			return err
		}
	}
	w.state.note(durable.Now(ctx), "the summary could not be told; the daily report has it")
	return nil
}

// show tells the Web UI and its lists where the transaction is.
func (w *transactionRun) show(ctx workflow.Context) error {
	if text := w.details(); text != w.shown {
		w.shown = text
		workflow.SetCurrentDetails(ctx, text)
	}
	stage := w.state.stage()
	if stage == w.stage || stage == StageBooked && w.stage == "" {
		return nil // most are booked at once, and the list of the closed says so
	}
	w.stage = stage
	return workflow.UpsertTypedSearchAttributes(ctx, durable.Stage.ValueSet(string(stage)))
}

func (w *transactionRun) describe() TransactionDescription {
	s := w.state
	at, why := s.next(w.rules)
	d := TransactionDescription{
		ID: w.id, Stage: s.stage(), Categories: s.Categories, Why: s.Why, Entries: s.Entries, Findings: s.Findings,
		Next: why, NextAt: at, Timeline: s.Timeline, Unusable: s.Unusable,
	}
	if w.booking {
		d.Stage = StageBooking
	}
	if v := s.View; v != nil {
		d.Kind, d.Amount, d.Day = string(v.Kind), v.Amount(), v.Day
	}
	return d
}

// details is the status in the Web UI.
func (w *transactionRun) details() string {
	d := w.describe()
	lines := []string{fmt.Sprintf("%s: **%s**", w.id, policy.Words(string(d.Stage)))}
	if d.Kind != "" {
		lines = append(lines, fmt.Sprintf("\n%s of %s, posted %s", policy.Words(d.Kind), policy.Money{Amount: d.Amount, Currency: w.rules.Currency}, d.Day))
	}
	for i, c := range d.Categories {
		lines = append(lines, fmt.Sprintf("- %s: %s", orUnsure(c), d.Why[i]))
	}
	if !d.NextAt.IsZero() {
		lines = append(lines, fmt.Sprintf("\nNext: **%s**, %s", d.Next, d.NextAt.Format(time.RFC3339)))
	}
	lines = append(lines, "")
	for _, e := range d.Timeline {
		lines = append(lines, "- "+e.At.Format(time.RFC3339)+" "+e.What)
	}
	return strings.Join(lines, "\n")
}

func orUnsure(category string) string {
	if category == "" {
		return "not sure"
	}
	return policy.Words(category)
}

func orCompany(portfolioID string) string {
	if portfolioID == "" {
		return "none"
	}
	return portfolioID
}
