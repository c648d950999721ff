package sales

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Invitation reminds a professional of an open invitation and, where nothing
// helps, asks the estate agent to choose another. OpenMoove can neither be asked
// to remind nor to invite somebody else (contracts/openmoove.md 2): the letters
// are ours, and the agent invites in OpenMoove.
var Invitation = durable.Definition[InvitationInput, InvitationResult]{
	Name: InvitationName, Run: invitation, Versioning: workflow.VersioningBehaviorAutoUpgrade,
}

// InvitationName is the durable name.
const InvitationName = "sales.invitation"

// InvitationID is the workflow id: a role of a sale has one open invitation.
func InvitationID(propertyID string, role activities.Role) string {
	return "invitation/" + propertyID + "/" + string(role)
}

// InvitationSettled is how the sale tells that there is nothing to chase any more.
var InvitationSettled = durable.Signal[Settled]{Name: "invitation_settled"}

// DescribeInvitation shows the chase.
var DescribeInvitation = durable.Query[InvitationDescription]{Name: "describe", Description: "Which reminders were sent and what comes next"}

// InvitationEnd is how the chase of an invitation ended.
type InvitationEnd string

// The ends.
const (
	InvitationAccepted  InvitationEnd = "accepted"
	InvitationReplaced  InvitationEnd = "replaced"  // OpenMoove shows somebody else
	InvitationChosen    InvitationEnd = "chosen"    // the agent chose somebody else
	InvitationLeft      InvitationEnd = "left"      // the agent takes care of it
	InvitationGivenUp   InvitationEnd = "given_up"  // nobody answered
	InvitationTooOld    InvitationEnd = "too_old"   // it was old when we first heard of it
	InvitationCancelled InvitationEnd = "cancelled" // the sale is no longer followed
)

type (
	// InvitationInput starts the workflow. Times are business time.
	InvitationInput struct {
		PropertyID    string                `json:"property_id"`
		TransactionID string                `json:"transaction_id,omitempty"`
		RequestID     string                `json:"request_id,omitempty"`
		Clock         durable.Clock         `json:"clock,omitzero"`
		Address       string                `json:"address"`
		Postcode      string                `json:"postcode"`
		Method        SaleMethod            `json:"method"`
		Member        activities.TeamMember `json:"member"`
		// Agent is the sale's estate agent, nil where there is none to ask.
		Agent *activities.TeamMember `json:"agent,omitempty"`
		// QuietUntil: reminders due before it are passed over.
		QuietUntil time.Time `json:"quiet_until,omitzero"`
	}
	// InvitationResult tells how it ended.
	InvitationResult struct {
		How       InvitationEnd `json:"how"`
		Reminders int           `json:"reminders"`
		// Professional is the directory's id of whom the agent chose.
		Professional string `json:"professional,omitempty"`
	}
	// InvitationOutcome tells the sale.
	InvitationOutcome struct {
		Role  activities.Role `json:"role"`
		Email string          `json:"email"`
		How   InvitationEnd   `json:"how"`
	}
	// Settled says whose chase is to end, and how; a chase of somebody else goes on.
	Settled struct {
		Email string        `json:"email"`
		How   InvitationEnd `json:"how"`
	}
	// InvitationDescription is what an operator sees. It names nobody.
	InvitationDescription struct {
		Role      activities.Role `json:"role"`
		InvitedAt time.Time       `json:"invited_at"`
		Reminders []Reminder      `json:"reminders,omitempty"`
		Asked     []Asked         `json:"asked,omitempty"`
		Next      StepKind        `json:"next,omitempty"`
		NextAt    time.Time       `json:"next_at,omitzero"`
		How       InvitationEnd   `json:"how,omitempty"`
		Late      int             `json:"late_answers,omitempty"`
		Unknown   int             `json:"unknown_signals,omitempty"`
	}
)

// invitationRun is one run of the workflow. It is short: a handful of steps, so it
// needs no continue-as-new.
type invitationRun struct {
	in      InvitationInput
	ref     string
	state   invitationState
	alarm   durable.Alarm
	answers map[string]durable.Outcome
}

func invitation(ctx workflow.Context, in InvitationInput) (InvitationResult, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	w := &invitationRun{in: in, answers: map[string]durable.Outcome{},
		ref: fmt.Sprintf("%s/%d", workflow.GetInfo(ctx).WorkflowExecution.ID, in.Member.InvitedAt.Unix())}
	if err := w.handle(ctx); err != nil {
		return InvitationResult{}, err
	}
	for {
		w.take(ctx)
		if w.state.How == "" {
			if err := w.step(ctx); temporal.IsCanceledError(err) {
				w.state.How = InvitationCancelled
			} else if err != nil {
				return InvitationResult{}, err
			}
			if w.state.How == "" {
				continue
			}
		}
		ending, _ := workflow.NewDisconnectedContext(ctx)
		if err := durable.Settle(ending, w.take); err != nil {
			return InvitationResult{}, err
		}
		return w.finish(ending)
	}
}

func (w *invitationRun) handle(ctx workflow.Context) error {
	describe := func() (InvitationDescription, error) { return w.state.describe(w.in), nil }
	if err := DescribeInvitation.Handle(ctx, describe); err != nil {
		return err
	}
	return durable.GiveAnswer.Handle(ctx, nil, func(ctx workflow.Context, a durable.Answer) (durable.Outcome, error) {
		return w.answer(a, durable.Now(ctx)), nil
	})
}

// answer takes what the agent says, once.
func (w *invitationRun) answer(a durable.Answer, now time.Time) durable.Outcome {
	if told, again := w.answers[a.ID]; again {
		return told
	}
	told := w.state.answer(a, now)
	w.answers[a.ID] = told
	return told
}

// take drains all facts into the state and tells whether there were any.
func (w *invitationRun) take(ctx workflow.Context) bool {
	settled, bad := InvitationSettled.Drain(ctx)
	for _, s := range settled {
		if w.state.How == "" && strings.EqualFold(s.Email, w.in.Member.Email) {
			w.state.How = s.How
		}
	}
	answers, unreadable := durable.AnswerReceived.Drain(ctx)
	for _, a := range answers {
		w.answer(a, durable.Now(ctx))
	}
	failures, _ := durable.MessageFailed.Drain(ctx)
	unknown := durable.DrainUnknown(ctx, InvitationSettled.Name, durable.AnswerReceived.Name, durable.MessageFailed.Name)
	w.state.Unknown += bad + unreadable + unknown
	return len(settled)+bad+len(answers)+unreadable+len(failures)+unknown > 0
}

// step waits for the next step's time or a fact, or does the step if it is due.
func (w *invitationRun) step(ctx workflow.Context) error {
	directory, err := readDirectory(ctx, activities.ReadDirectoryInput{
		Role: w.in.Member.Role, Email: w.in.Member.Email, Postcode: w.in.Postcode, Method: w.in.Method,
	})
	if err != nil {
		return err
	}
	w.state.Changed = false
	step := w.state.next(w.in, directory)
	w.state.Next, w.state.NextAt = step.kind, step.at
	workflow.SetCurrentDetails(ctx, w.details())
	if step.at.After(durable.Now(ctx)) {
		w.alarm.Set(ctx, step.at, string(step.kind)+" ("+policy.Words(string(w.in.Member.Role))+")")
		return workflow.Await(ctx, func() bool {
			return w.alarm.Rang() || w.state.How != "" || w.state.Changed ||
				InvitationSettled.Pending(ctx) || durable.AnswerReceived.Pending(ctx)
		})
	}
	switch step.kind {
	case stepGiveUp:
		w.state.How = InvitationGivenUp
		return nil
	case stepLeave:
		w.state.How = InvitationTooOld
		return nil
	case stepRemind, stepAsk:
	}
	if open, err := w.stillOpen(ctx); err != nil || !open {
		return err
	}
	return w.write(ctx, step, directory)
}

// stillOpen asks OpenMoove before anybody is written to; it waits for OpenMoove as
// long as it takes, because nobody wants to be reminded of what he has done.
func (w *invitationRun) stillOpen(ctx workflow.Context) (bool, error) {
	view, err := activities.ReadSale.Run(ctx, activities.ReadSaleInput{
		PropertyID: w.in.PropertyID, TransactionID: w.in.TransactionID, Method: w.in.Method,
	}, "is the invitation still open")
	if temporal.IsCanceledError(err) {
		return false, err
	}
	w.take(ctx)
	if err == nil && w.state.How == "" {
		w.state.How = settledBy(view, w.in.Member)
	}
	// A property that cannot be read any more does not silence the reminders.
	return w.state.How == "" && !w.state.Changed, nil
}

// write sends the step's letter and records it.
func (w *invitationRun) write(ctx workflow.Context, step step, directory activities.Directory) error {
	message, err := compose(w.in, step, w.state.reminded(), directory, durable.Now(ctx))
	if err != nil {
		return err
	}
	if step.kind == stepAsk {
		w.state.Offered = directory.Candidates
	}
	sent, err := w.send(ctx, message, directory.Settings)
	if err != nil {
		return err
	}
	w.state.sent(step, sent, durable.Now(ctx))
	return nil
}

func (w *invitationRun) send(ctx workflow.Context, m activities.Message, rules policy.Sales) (activities.Sent, error) {
	results, err := activities.SendMessages.Run(ctx, activities.SendMessagesInput{
		Ref: w.ref, Zone: rules.TimeZone, Messages: []activities.Message{m},
	}, m.Step)
	if temporal.IsCanceledError(err) {
		return activities.Sent{}, err
	}
	if err == nil && len(results) == 1 {
		return results[0], nil
	}
	// A day of trying: again in an hour.
	return activities.Sent{Outcome: activities.MessageHeld, HeldUntil: durable.Now(ctx).Add(time.Hour), Why: "mail is down"}, nil
}

// finish closes the question, thanks whoever chose, and tells the sale.
func (w *invitationRun) finish(ctx workflow.Context) (InvitationResult, error) {
	w.alarm.Stop()
	w.state.Next, w.state.NextAt = "", time.Time{}
	workflow.SetCurrentDetails(ctx, w.details())
	if len(w.state.Asked) > 0 {
		if _, err := activities.CloseQuestions.Run(ctx, activities.None{}, "close the question"); err != nil {
			return InvitationResult{}, err
		}
	}
	if w.state.How == InvitationChosen {
		if err := w.chosen(ctx); err != nil {
			return InvitationResult{}, err
		}
	}
	invitationsEnded.Inc(ctx, string(w.state.How))
	outcome := InvitationOutcome{Role: w.in.Member.Role, Email: w.in.Member.Email, How: w.state.How}
	if err := InvitationEnded.SendFrom(ctx, SaleID(w.in.PropertyID), outcome).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Info("the sale has ended before the chase of its invitation", "error", err)
	}
	return InvitationResult{How: w.state.How, Reminders: w.state.reminded(), Professional: w.state.Chosen}, nil
}

// chosen counts the sale among the cases of whom the agent chose, and tells the
// agent to invite him.
func (w *invitationRun) chosen(ctx workflow.Context) error {
	if w.in.RequestID != "" {
		_, err := activities.AssignProfessional.Run(ctx, activities.AssignProfessionalInput{
			RequestID: w.in.RequestID, Role: w.in.Member.Role, Professional: w.state.Chosen,
		}, "count the case")
		if err != nil {
			return err
		}
	}
	directory, err := readDirectory(ctx, activities.ReadDirectoryInput{})
	if err != nil {
		return err
	}
	message, err := thanks(w.in, &w.state, directory.Settings)
	if err != nil {
		return err
	}
	_, err = w.send(ctx, message, directory.Settings)
	return err
}

func (w *invitationRun) details() string {
	d := w.state.describe(w.in)
	lines := []string{fmt.Sprintf("Invitation of the **%s**, sent %s.\n", policy.Words(string(d.Role)), d.InvitedAt.Format(time.RFC3339))}
	for _, r := range d.Reminders {
		lines = append(lines, fmt.Sprintf("- reminder %d: %s, %s", r.Number, r.Outcome, r.At.Format(time.RFC3339)))
	}
	for _, a := range d.Asked {
		lines = append(lines, fmt.Sprintf("- asked the %s to choose another: %s", a.Whom, a.At.Format(time.RFC3339)))
	}
	switch {
	case d.How != "":
		lines = append(lines, "\nEnded: **"+string(d.How)+"**")
	case d.Next != "":
		lines = append(lines, fmt.Sprintf("\nNext: %s, %s", d.Next, d.NextAt.Format(time.RFC3339)))
	}
	return strings.Join(slices.Compact(lines), "\n")
}
