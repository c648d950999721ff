package finance

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Summary gathers what is booked for one portfolio and mails it to its owners and the
// team: the first bookings soon, later ones together. Its id is
// "finance-summary/<portfolio>". It ends when nothing more comes.
var Summary = durable.Definition[SummaryInput, SummaryResult]{
	Name: SummaryName, Run: summary, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// SummaryName is the durable name.
const SummaryName = "finance.summary"

// SummaryID is the workflow id; bookings without a portfolio have a summary of their own.
func SummaryID(portfolioID string) string { return "finance-summary/" + orCompany(portfolioID) }

// Booked tells which entries of a transaction are new in the journal.
type Booked = activities.BookedRef

var (
	// SummaryBooked tells what was booked.
	SummaryBooked = durable.Signal[Booked]{Name: "booked"}
	// DescribeSummary shows the summary.
	DescribeSummary = durable.Query[SummaryState]{Name: "describe", Description: "What is to be told, and when"}
)

type (
	// SummaryInput starts the workflow.
	SummaryInput = durable.Entity[SummaryState]
	// SummaryState is what the workflow keeps. Times are business time.
	SummaryState struct {
		// Pending are bookings of which nobody was told.
		Pending []Booked `json:"pending,omitempty"`
		// MailAt is when they are told.
		MailAt time.Time `json:"mail_at,omitzero"`
		// Mails counts summaries, over all runs of the entity's workflow.
		Mails    int       `json:"mails,omitempty"`
		MailedAt time.Time `json:"mailed_at,omitzero"`
	}
	// SummaryResult tells how many were mailed.
	SummaryResult struct {
		Mails int `json:"mails"`
	}
)

// mailFrom is how many bookings do not wait for others.
const mailFrom = 500

type summaryRun struct {
	in    SummaryInput
	state *SummaryState
	rules policy.Finance
	alarm durable.Alarm
}

func summary(ctx workflow.Context, in SummaryInput) (SummaryResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &summaryRun{in: in, state: in.State}
	if w.state == nil {
		w.state = &SummaryState{}
	}
	if err := DescribeSummary.Handle(ctx, func() (SummaryState, error) { return *w.state, nil }); err != nil {
		return SummaryResult{}, err
	}
	rules, err := activities.ReadFinance.RunLocal(ctx, activities.None{}, "policy of the books")
	if err != nil {
		return SummaryResult{}, err
	}
	w.rules = rules
	for {
		w.take(ctx)
		if err := w.mailIfDue(ctx); err != nil {
			return SummaryResult{}, err
		}
		at, why := w.state.next(rules)
		w.show(ctx, at, why)
		suggested := workflow.GetInfo(ctx).GetContinueAsNewSuggested()
		if !durable.Now(ctx).Before(at) || suggested {
			w.alarm.Stop()
			if err := durable.Settle(ctx, w.take); err != nil {
				return SummaryResult{}, err
			}
			switch {
			case suggested:
				return SummaryResult{}, workflow.NewContinueAsNewError(ctx, SummaryName, SummaryInput{ID: in.ID, Clock: in.Clock, State: w.state})
			case len(w.state.Pending) == 0:
				return SummaryResult{Mails: w.state.Mails}, nil
			}
			continue
		}
		w.alarm.Set(ctx, at, why)
		if err := workflow.Await(ctx, func() bool { return w.alarm.Rang() || SummaryBooked.Pending(ctx) }); err != nil {
			return SummaryResult{}, err
		}
	}
}

// take drains all facts into the state and tells whether there were any.
func (w *summaryRun) take(ctx workflow.Context) bool {
	news, bad := SummaryBooked.Drain(ctx)
	for _, n := range news {
		w.state.add(n)
	}
	unknown := durable.DrainUnknown(ctx, SummaryBooked.Name)
	switch {
	case len(news) > 0 && len(w.state.Pending) >= mailFrom:
		w.state.MailAt = durable.Now(ctx)
	case w.state.MailAt.IsZero() && len(w.state.Pending) > 0:
		w.state.MailAt = w.state.due(w.rules, durable.Now(ctx))
	}
	return len(news)+bad+unknown > 0
}

// add takes what was booked; the next run of a transaction may name entries of the one
// before again.
func (s *SummaryState) add(n Booked) {
	for i, p := range s.Pending {
		if p.Transaction == n.Transaction {
			s.Pending[i].Numbers = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.Numbers, n.Numbers))))
			return
		}
	}
	s.Pending = append(s.Pending, n)
}

// due is when something that is booked now is told.
func (s *SummaryState) due(rules policy.Finance, now time.Time) time.Time {
	at := now.Add(rules.Summaries.Soon)
	if next := s.MailedAt.Add(rules.Summaries.Every); !s.MailedAt.IsZero() && next.After(at) {
		return next
	}
	return at
}

// next is when the summary is mailed, or when it ends because nothing more came.
func (s *SummaryState) next(rules policy.Finance) (time.Time, string) {
	if len(s.Pending) > 0 {
		return s.MailAt, "mail what was booked"
	}
	return s.MailedAt.Add(rules.Summaries.Every), "end, unless something more is booked"
}

func (w *summaryRun) mailIfDue(ctx workflow.Context) error {
	s := w.state
	if len(s.Pending) == 0 || durable.Now(ctx).Before(s.MailAt) {
		return nil
	}
	info := workflow.GetInfo(ctx)
	_, err := activities.MailSummary.Run(ctx, activities.MailSummaryInput{
		Ref: fmt.Sprintf("%s@%s/%d", info.WorkflowExecution.ID, info.FirstRunID, s.Mails+1), PortfolioID: w.in.ID, Booked: s.Pending,
	}, "mail what was booked")
	if temporal.IsCanceledError(err) {
		return err
	}
	if err != nil {
		workflow.GetLogger(ctx).Warn("a summary could not be mailed", "kind", durable.KindOf(err))
		s.MailAt = durable.Now(ctx).Add(w.rules.Summaries.Every)
		return nil
	}
	s.Mails++
	s.Pending, s.MailAt, s.MailedAt = nil, time.Time{}, durable.Now(ctx)
	return nil
}

func (w *summaryRun) show(ctx workflow.Context, at time.Time, why string) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("Portfolio %s: %d bookings to tell, %d summaries mailed.\n\nNext: **%s**, %s",
		orCompany(w.in.ID), len(w.state.Pending), w.state.Mails, why, at.Format(time.RFC3339)))
}
