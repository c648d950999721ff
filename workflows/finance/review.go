package finance

import (
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/asking"
	"github.com/aictive/keyholder/workflows/durable"
)

// Review has a person decide about a finding; its id is "finding/<id of the finding>".
// The accountant is asked by mail with a link, reminded, and then the controller. It
// ends when somebody has decided, or the finding has resolved itself.
var Review = durable.Definition[ReviewInput, ReviewResult]{
	Name: ReviewName, Run: reviewFinding, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// ReviewName is the durable name.
const ReviewName = "finance.review"

// ReviewID is the workflow id of the review of a finding.
func ReviewID(findingID string) string { return "finding/" + findingID }

var (
	// FindingGone tells that the finding has resolved itself.
	FindingGone = durable.Signal[string]{Name: "finding_gone"}
	// DescribeReview shows the review.
	DescribeReview = durable.Query[ReviewDescription]{
		Name: "describe", Description: "What was found, what shows it, who was asked and what was decided",
	}
)

type (
	// ReviewInput starts the workflow.
	ReviewInput struct {
		FindingID string        `json:"finding_id"`
		Clock     durable.Clock `json:"clock,omitzero"`
	}
	// ReviewResult tells how it ended: "right", "wrong" or "gone".
	ReviewResult struct {
		Decision string `json:"decision"`
		By       string `json:"by,omitempty"`
	}
	// ReviewDescription is what an operator sees. It names nobody.
	ReviewDescription struct {
		activities.FindingView
		Asked    int       `json:"asked"`
		AskAt    time.Time `json:"ask_at,omitzero"`
		Decision string    `json:"decision,omitempty"`
		By       string    `json:"by,omitempty"`
	}
)

// The answers to a finding.
const (
	choiceRight = "right"
	choiceWrong = "wrong"
	// choiceMatch and the ID of a match take one of the proposals.
	choiceMatch = "match_"
)

// reviewRun is one run of the workflow. It is short: a handful of questions, so it needs
// no continue-as-new.
type reviewRun struct {
	in       ReviewInput
	finding  activities.FindingView
	rules    policy.Finance
	asked    int
	askAt    time.Time
	decision activities.Decision
	answers  map[string]durable.Outcome
	alarm    durable.Alarm
}

func reviewFinding(ctx workflow.Context, in ReviewInput) (ReviewResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &reviewRun{in: in, answers: map[string]durable.Outcome{}, askAt: durable.Now(ctx)}
	if err := w.handle(ctx); err != nil {
		return ReviewResult{}, err
	}
	for {
		w.take(ctx)
		if err := w.look(ctx); err != nil {
			return ReviewResult{}, err
		}
		if w.decision.State != "" {
			if err := durable.Settle(ctx, w.take); err != nil {
				return ReviewResult{}, err
			}
			result, err := w.finish(ctx)
			if err != nil || w.decision.State != "" {
				return result, err
			}
			continue // it could not be done
		}
		if !durable.Now(ctx).Before(w.askAt) {
			if err := w.ask(ctx); err != nil {
				return ReviewResult{}, err
			}
			continue
		}
		workflow.SetCurrentDetails(ctx, w.details())
		w.alarm.Set(ctx, w.askAt, "ask again")
		err := workflow.Await(ctx, func() bool {
			return w.alarm.Rang() || w.decision.State != "" || FindingGone.Pending(ctx) || durable.AnswerReceived.Pending(ctx)
		})
		if err != nil {
			return ReviewResult{}, err
		}
	}
}

func (w *reviewRun) handle(ctx workflow.Context) error {
	describe := func() (ReviewDescription, error) {
		return ReviewDescription{FindingView: w.finding, Asked: w.asked, AskAt: w.askAt, Decision: w.decision.State, By: w.decision.By}, nil
	}
	if err := DescribeReview.Handle(ctx, describe); err != nil {
		return err
	}
	return durable.GiveAnswer.Handle(ctx, nil, func(_ workflow.Context, a durable.Answer) (durable.Outcome, error) {
		return w.answer(a), nil
	})
}

// take drains all facts and tells whether there were any.
func (w *reviewRun) take(ctx workflow.Context) bool {
	// That it has resolved itself is a reason to look at it.
	gone, bad := FindingGone.Drain(ctx)
	answers, unreadable := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		w.answer(a)
	}
	failures, unclear := durable.MessageFailed.Drain(ctx)
	unknown := durable.DrainUnknown(ctx, FindingGone.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	return len(gone)+bad+len(answers)+unreadable+len(failures)+unclear+unknown > 0
}

// look reads the finding and the policy again: before each question, and where facts
// have come.
func (w *reviewRun) look(ctx workflow.Context) (err error) {
	if w.decision.State != "" {
		return nil
	}
	if w.rules, err = activities.ReadFinance.RunLocal(ctx, activities.None{}, "policy of the books"); err != nil {
		return err
	}
	if w.finding, err = activities.ReadFinding.RunLocal(ctx, w.in.FindingID, "the finding"); err != nil {
		return err
	}
	if w.finding.State != activities.FindingOpen && w.decision.State == "" {
		w.decision = activities.Decision{State: activities.FindingGone}
	}
	return nil
}

// answer takes a decision, once.
func (w *reviewRun) answer(a durable.Answer) durable.Outcome {
	if told, again := w.answers[a.ID]; again {
		return told
	}
	told := w.decide(a)
	w.answers[a.ID] = told
	return told
}

func (w *reviewRun) decide(a durable.Answer) durable.Outcome {
	if w.decision.State != "" {
		return durable.Outcome{Late: true, Message: "Thank you. This has been settled meanwhile."}
	}
	d := activities.Decision{By: a.Person, Note: a.Note}
	switch {
	case a.Choice == choiceRight:
		d.State = activities.FindingRight
	case a.Choice == choiceWrong:
		d.State = activities.FindingWrong
	case strings.HasPrefix(a.Choice, choiceMatch):
		d.State, d.Match = activities.FindingRight, strings.TrimPrefix(a.Choice, choiceMatch)
	}
	if d.State == "" {
		return durable.Outcome{Late: true, Message: "That is not one of the answers."}
	}
	w.decision = d
	switch {
	case d.Match != "":
		return durable.Outcome{Message: "Thank you. They are matched."}
	case d.State == activities.FindingWrong:
		return durable.Outcome{Message: "Thank you. Please put it right in RentVine; the books follow."}
	}
	return durable.Outcome{Message: "Thank you. It is noted as right."}
}

func (w *reviewRun) ask(ctx workflow.Context) error {
	f, now := w.finding, durable.Now(ctx)
	options := []activities.Option{}
	details := []activities.Detail{{Label: "What", Text: f.Reason}, {Label: "Severity", Text: f.Severity}}
	details = append(details, f.Evidence...)
	for i, p := range f.Proposals {
		options = append(options, activities.Option{Key: fmt.Sprint(i + 1), Choice: choiceMatch + p.ID, Label: "It is " + p.Text})
	}
	options = append(options,
		activities.Option{Key: fmt.Sprint(len(options) + 1), Choice: choiceRight, Label: "It is right as it is", WantsNote: true},
		activities.Option{Key: fmt.Sprint(len(options) + 2), Choice: choiceWrong, Label: "It is a mistake, we put it right", WantsNote: true},
	)
	title := fmt.Sprintf("%s, %s: %s", strings.ToUpper(f.Severity[:1])+f.Severity[1:], policy.Words(f.Kind), f.About)
	text := f.Reason + "\n\n"
	for _, e := range f.Evidence {
		text += e.Label + ": " + e.Text + "\n"
	}
	text += "\nSay whether it is right: {link}"
	_, held, err := asking.Person(ctx, asking.Question{
		Step: fmt.Sprintf("review/%d", w.asked), To: asked(w.rules, w.asked), Ref: workflow.GetInfo(ctx).WorkflowExecution.ID + "@" + workflow.GetInfo(ctx).FirstRunID,
		Zone: w.rules.TimeZone, Title: title, Text: text,
		Ask: activities.Ask{Purpose: purposeFinding, Title: title, Options: options, Details: details, ExpiresAt: now.Add(2 * leaveAfter)},
	})
	if err != nil {
		return err
	}
	if !held.IsZero() {
		w.askAt = held
		return nil
	}
	w.asked++
	w.askAt = now.Add(w.rules.Questions.RemindAfter)
	if w.asked > w.rules.Questions.Times+1 {
		w.askAt = now.Add(leaveAfter) // both know, and a finding stays open until somebody decides
	}
	return nil
}

// finish notes the decision, and closes the questions.
func (w *reviewRun) finish(ctx workflow.Context) (ReviewResult, error) {
	w.alarm.Stop()
	result := ReviewResult{Decision: w.decision.State, By: w.decision.By}
	if w.decision.State != activities.FindingGone {
		settled, err := activities.SettleFinding.RunLocal(ctx, activities.SettleFindingInput{ID: w.in.FindingID, Decision: w.decision}, "note the decision")
		if err != nil {
			return result, err
		}
		if settled.Open {
			w.decision, w.askAt = activities.Decision{}, durable.Now(ctx)
			return result, nil
		}
	}
	_, err := activities.CloseQuestions.RunLocal(ctx, activities.None{}, "close the questions")
	workflow.SetCurrentDetails(ctx, w.details())
	return result, err
}

// details is the status in the Web UI.
func (w *reviewRun) details() string {
	f := w.finding
	lines := []string{fmt.Sprintf("%s, %s: **%s**", policy.Words(f.Kind), f.Severity, f.Reason), ""}
	for _, e := range f.Evidence {
		lines = append(lines, "- "+e.Label+": "+e.Text)
	}
	if w.decision.State != "" {
		return strings.Join(append(lines, "\nDecided: **"+w.decision.State+"**"), "\n")
	}
	return strings.Join(append(lines, fmt.Sprintf("\nAsked %d times, again %s", w.asked, w.askAt.Format(time.RFC3339))), "\n")
}

// review starts the review of each new finding, and ends those of findings that have
// resolved themselves.
func review(ctx workflow.Context, clock durable.Clock, found activities.Anomalies) error {
	for _, f := range found.Raised {
		attributes := []temporal.SearchAttributeUpdate{durable.EventSource.ValueSet("rentvine"), durable.Reason.ValueSet(f.Kind)}
		if f.LeaseID != "" {
			attributes = append(attributes, durable.LeaseID.ValueSet(f.LeaseID))
		}
		if f.PropertyID != "" {
			attributes = append(attributes, durable.PropertyID.ValueSet(f.PropertyID))
		}
		_, err := durable.StartAbandoned(ctx, ReviewName, ReviewInput{FindingID: f.ID, Clock: clock}, workflow.ChildWorkflowOptions{
			WorkflowID: ReviewID(f.ID), WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			StaticSummary: f.Severity + ": " + policy.Words(f.Kind) + ", " + f.About, TypedSearchAttributes: temporal.NewSearchAttributes(attributes...),
		})
		if err != nil {
			return err
		}
	}
	for _, id := range found.Gone {
		// The review may have ended already.
		if err := FindingGone.SendFrom(ctx, ReviewID(id), "resolved").Get(ctx, nil); temporal.IsCanceledError(err) {
			return err
		}
	}
	return nil
}
