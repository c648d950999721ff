// Package asking mails a question to one person, for the workflows that ask so. Campaigns,
// which choose channels and keep caps, have their own way.
package asking

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// Question is one that is mailed to somebody. In Text, "{link}" becomes the action link.
type Question struct {
	// Step names the question within the workflow, Ref the workflow and its incarnation.
	Step, Ref string
	// Zone is where the receiver's quiet hours are meant, IANA.
	Zone, Title, Text string
	To                policy.Person
	Ask               activities.Ask
}

// leastPause is how long a question that must not leave yet waits at least (business
// time), so that a pause of all messages costs a few looks an hour.
const leastPause = 15 * time.Minute

// Person mails a question. reached tells that a carrier has taken it. heldUntil is when it
// may leave, where it may not yet. Whoever cannot be reached is passed over: the next
// reminder goes to somebody.
func Person(ctx workflow.Context, q Question) (reached bool, heldUntil time.Time, err error) {
	sent, err := activities.SendMessages.Run(ctx, activities.SendMessagesInput{Ref: q.Ref, Zone: q.Zone, Messages: []activities.Message{{
		Step: q.Step, To: activities.PersonOf(q.To), Class: activities.Work, Channels: []activities.Channel{activities.Mail},
		Subject: q.Title, Text: q.Text, Ask: &q.Ask,
	}}}, "ask "+q.To.ID)
	switch {
	case temporal.IsCanceledError(err):
		return false, heldUntil, err
	case err != nil:
		workflow.GetLogger(ctx).Warn("a question could not be sent", "kind", durable.KindOf(err))
	case sent[0].Outcome == activities.MessageHeld:
		heldUntil = durable.Now(ctx).Add(leastPause)
		if sent[0].HeldUntil.After(heldUntil) {
			heldUntil = sent[0].HeldUntil
		}
	default:
		reached = sent[0].Outcome == activities.MessageSent
	}
	return reached, heldUntil, nil
}
