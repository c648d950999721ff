package activities

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// SendMessages sends texts and mails to people. It is safe to repeat: each
// message has a key of its own in the effect journal, and a text that may be a
// repeat is looked up at Twilio by number and body before it is sent again
// (contracts/sms-and-accounting.md 1).
var SendMessages = durable.Activity[SendMessagesInput, []Sent]{
	Name: "messages.send", Attempt: 20 * time.Second, Within: 24 * time.Hour, MaxInterval: time.Minute, Priority: 2,
}

// CloseQuestions closes all that a workflow asked people. Repeating it is harmless.
var CloseQuestions = durable.Activity[None, None]{
	Name: "questions.close", Attempt: 5 * time.Second,
}

// CloseSteps closes the questions of a workflow whose steps begin with one of some
// prefixes. Repeating it is harmless.
var CloseSteps = durable.Activity[[]string, None]{
	Name: "questions.close_steps", Attempt: 5 * time.Second,
}

// None is the result of an activity that has nothing to say.
type None struct{}

// Person is somebody to write to. ID is an id of policy or partner, never a name.
type Person struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
}

// PersonOf is somebody of the policy.
func PersonOf(p policy.Person) Person {
	return Person{ID: p.ID, Name: p.Name, Phone: p.Phone, Email: p.Email}
}

// Class decides what may hold a message back.
type Class string

// The classes.
const (
	// LifeSafety passes everything.
	LifeSafety Class = "life_safety"
	// Emergency passes quiet hours and frequency caps, but neither STOP nor a pause.
	Emergency Class = "emergency"
	// Work is to those who work on a repair: it respects quiet hours, but no cap.
	Work Class = "work"
	// Routine respects everything.
	Routine Class = "routine"
)

// Channel is a way to reach a person.
type Channel string

// The channels.
const (
	SMS  Channel = "sms"
	Mail Channel = "mail"
)

type (
	// Option is one possible answer to a question.
	Option = store.Option
	// Detail is a line of what the page of a question shows.
	Detail = store.Detail
	// Field is something that the form of a question asks.
	Field = store.Field
)

// The kinds of fields, for workflows.
const (
	FieldMoney  = store.FieldMoney
	FieldDate   = store.FieldDate
	FieldText   = store.FieldText
	FieldRating = store.FieldRating
	FieldChecks = store.FieldChecks
	FieldPhotos = store.FieldPhotos
	FieldFiles  = store.FieldFiles
)

// Ask makes a message a question that may be answered by text or link.
type Ask struct {
	Purpose string `json:"purpose"`
	// Title tells this question from others of the same person.
	Title   string   `json:"title"`
	Options []Option `json:"options"`
	Details []Detail `json:"details,omitempty"`
	Fields  []Field  `json:"fields,omitempty"`
	// Photos are the IDs of uploaded photos that the page shows.
	Photos    []string  `json:"photos,omitempty"`
	ExpiresAt time.Time `json:"expires_at"` // business time
}

// Message is one text or mail. In Text, "{code}" and "{link}" become the short
// code and the action link of the question.
type Message struct {
	Step  string `json:"step"`
	To    Person `json:"to"`
	Class Class  `json:"class"`
	// Channels are tried in order until one takes the message.
	Channels []Channel `json:"channels"`
	Subject  string    `json:"subject,omitempty"`
	Text     string    `json:"text"`
	// MailText is what a mail says instead, "" for the same.
	MailText string `json:"mail_text,omitempty"`
	Ask      *Ask   `json:"ask,omitempty"`
	// Campaign is what the message is part of: "move_in", "renewal", "retention", ""
	// for none. Messages of all campaigns to a tenant are capped together.
	Campaign string `json:"campaign,omitempty"`
	// Service marks what the receiver waits for or must know in time: it is part of a
	// campaign, but not capped with it.
	Service bool `json:"service,omitempty"`
	// ContactID is the receiver's contact id at RentVine, whose language, consent and
	// channel are known by it; "" where there is none.
	ContactID string `json:"contact_id,omitempty"`
	// State is where the receiver is, by the two letters of a US state; "" where nobody
	// knows. Its quiet hours apply.
	State string `json:"state,omitempty"`
	// Marketing marks an offer, incentive or survey. It goes as routine at most, and is
	// texted only with consent and never at night.
	Marketing bool `json:"marketing,omitempty"`

	// wording names the words of Text where another try may have others: see sendText.
	wording string
}

// SendMessagesInput is a batch of messages of one step of a workflow.
type SendMessagesInput struct {
	// Ref is the workflow's id and incarnation; with a message's Step it names the
	// effect for ever.
	Ref         string `json:"ref"`
	PortfolioID string `json:"portfolio_id,omitempty"`
	PropertyID  string `json:"property_id,omitempty"`
	// Zone is where quiet hours apply.
	Zone     string    `json:"zone"`
	Messages []Message `json:"messages"`
}

// SentOutcome is what became of a message.
type SentOutcome string

// The outcomes.
const (
	// MessageSent: a carrier has taken it.
	MessageSent SentOutcome = "sent"
	// MessageRecorded: KEYHOLDER_OUTBOUND kept it from being sent.
	MessageRecorded SentOutcome = "recorded"
	// MessageHeld: not before HeldUntil.
	MessageHeld SentOutcome = "held"
	// MessageImpossible: no channel can reach the person.
	MessageImpossible SentOutcome = "impossible"
)

// Sent tells what became of a message.
type Sent struct {
	Step    string      `json:"step"`
	Outcome SentOutcome `json:"outcome"`
	Channel Channel     `json:"channel,omitempty"`
	// HeldUntil is business time.
	HeldUntil time.Time `json:"held_until,omitzero"`
	// Why explains an outcome other than sent, without personal data.
	Why string `json:"why,omitempty"`
}

func (a *Activities) closeQuestions(ctx context.Context, _ None) (None, error) {
	return None{}, a.Store.CloseQuestions(ctx, activity.GetInfo(ctx).WorkflowExecution.ID, "")
}

func (a *Activities) closeSteps(ctx context.Context, prefixes []string) (None, error) {
	for _, prefix := range prefixes {
		if err := a.Store.CloseQuestions(ctx, activity.GetInfo(ctx).WorkflowExecution.ID, prefix); err != nil {
			return None{}, err
		}
	}
	return None{}, nil
}

// sendMessages tries every message; where some met a passing failure it returns
// that, and the repeat passes over those that are done.
func (a *Activities) sendMessages(ctx context.Context, in SendMessagesInput) ([]Sent, error) {
	var passing error
	results := make([]Sent, 0, len(in.Messages))
	for _, m := range in.Messages {
		sent, err := a.sendMessage(ctx, in, m)
		if err != nil {
			passing = err
			continue
		}
		sent.Step = m.Step
		results = append(results, sent)
	}
	if passing == nil {
		return results, nil
	}
	return nil, withResults(toTemporal(ctx, passing), results)
}

// withResults keeps what was settled in the error, for who gives up waiting.
func withResults(err error, results []Sent) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return err
	}
	return temporal.NewApplicationErrorWithOptions(app.Message(), app.Type(), temporal.ApplicationErrorOptions{
		NonRetryable: app.NonRetryable(), NextRetryDelay: app.NextRetryDelay(), Details: []any{results},
	})
}

// SentBefore is what had become of the other messages of a batch that failed.
func SentBefore(err error) []Sent {
	var app *temporal.ApplicationError
	var results []Sent
	if errors.As(err, &app) && app.HasDetails() && app.Details(&results) != nil {
		return nil
	}
	return results
}

// sendMessage records what became of the message: that it left, or why it did not.
func (a *Activities) sendMessage(ctx context.Context, in SendMessagesInput, m Message) (Sent, error) {
	sent, err := a.trySend(ctx, in, m)
	if err == nil && sent.Outcome != MessageSent {
		notSent(ctx, claimKey(in, m), "message "+toWhom(m), sent)
	}
	return sent, err
}

func (a *Activities) trySend(ctx context.Context, in SendMessagesInput, m Message) (Sent, error) {
	if m.Marketing && m.Class != LifeSafety {
		m.Class = Routine
	}
	contact, err := a.contactOf(ctx, m)
	if err != nil {
		return Sent{}, err
	}
	hours := a.hoursFor(in, m)
	ways := waysFor(m, contact, hours.zoneKnown())
	if held, yes, err := a.heldBack(ctx, in, m, ways, hours); err != nil || yes {
		return held, err
	}
	reasons := ways.refused
	for _, ch := range ways.channels {
		address := m.To.address(ch)
		if address == "" {
			reasons = append(reasons, string(ch)+": no address")
			continue
		}
		if end, quiet := hours.quietFor(m, ch, a.businessNow()); quiet {
			return heldUntil(end, whyQuiet), nil // mail was refused, and texts may not leave now
		}
		sent, why, err := a.sendBy(ctx, in, m, ch, address)
		if err != nil {
			return Sent{}, err
		}
		if why == "" {
			return sent, nil
		}
		reasons = append(reasons, string(ch)+": "+why)
	}
	if m.Campaign != "" {
		if err := a.Store.ReleaseCampaign(ctx, claimKey(in, m)); err != nil {
			return Sent{}, err
		}
	}
	return Sent{Outcome: MessageImpossible, Why: strings.Join(reasons, "; ")}, nil
}

// address is where a channel reaches the person, "" where it does not.
func (p Person) address(ch Channel) string {
	if ch == Mail {
		return p.Email
	}
	return p.Phone
}

// pauseLook is how soon after "outbound resume" a held message leaves at the
// latest (real time).
const pauseLook = 15 * time.Second

const whyQuiet = "quiet hours"

func heldUntil(t time.Time, why string) Sent {
	return Sent{Outcome: MessageHeld, HeldUntil: t, Why: why}
}

// heldBack tells whether the pause, quiet hours or a frequency cap keep the message
// for later. One of a campaign that may leave is counted.
func (a *Activities) heldBack(ctx context.Context, in SendMessagesInput, m Message, w ways, hours sendingHours) (held Sent, yes bool, err error) {
	if m.Class == LifeSafety {
		return Sent{}, false, nil
	}
	now := a.businessNow()
	paused, err := a.Store.Setting(ctx, "outbound_paused")
	if err != nil {
		return Sent{}, false, err
	}
	if paused == "1" {
		return heldUntil(now.Add(a.Clock.Business(pauseLook)), errPaused.Error()), true, nil
	}
	if m.Class == Emergency {
		return Sent{}, false, nil
	}
	if end, quiet := hours.quietFor(m, w.first(m.To), now); quiet {
		return heldUntil(end, whyQuiet), true, nil
	}
	if m.Class != Work {
		sent, err := a.Store.CountMessages(ctx, a.Keys.Address(m.To.Phone), string(Routine), a.Now().Add(-a.Clock.Real(24*time.Hour)))
		if err != nil {
			return Sent{}, false, err
		}
		if limit := hours.settings.Caps.RoutinePerDay; m.To.Phone != "" && limit > 0 && sent >= limit {
			return heldUntil(now.Add(24*time.Hour), "frequency cap reached"), true, nil
		}
	}
	freeAt, err := a.capped(ctx, in, m, hours.rules.Caps)
	if err != nil || freeAt.IsZero() {
		return Sent{}, false, err
	}
	return heldUntil(freeAt, "frequency cap across campaigns"), true, nil
}

// sendBy sends the message by one channel. why tells that this channel cannot
// reach the person and the next one may be tried.
func (a *Activities) sendBy(ctx context.Context, in SendMessagesInput, m Message, ch Channel, address string) (sent Sent, why string, err error) {
	hashed := a.Keys.Address(address)
	if ch == SMS && m.Class != LifeSafety {
		optedOut, err := a.Store.OptedOut(ctx, hashed)
		if err != nil {
			return Sent{}, "", err
		}
		if optedOut {
			return Sent{}, "opted out", nil
		}
	}
	if ch == Mail && m.MailText != "" {
		m.Text = m.MailText
	}
	text, err := a.compose(ctx, in, m, hashed)
	if err != nil {
		return Sent{}, "", err
	}
	record := store.Message{
		Key: in.Ref + "/" + m.Step + "/" + string(ch), Channel: string(ch), Address: hashed,
		WorkflowID: activity.GetInfo(ctx).WorkflowExecution.ID, Step: m.Step, Class: string(m.Class),
		SentAt: a.Now().UTC(), Campaign: m.Campaign, Contact: m.ContactID, Person: m.To.ID,
	}
	if m.Ask != nil {
		record.Question = a.Keys.QuestionID(in.Ref, m.Step, m.To.ID)
	}
	if !a.Outbound.Allows(address) {
		record.Ref, record.Status = record.Key, "recorded"
		return Sent{Outcome: MessageRecorded, Channel: ch, Why: "KEYHOLDER_OUTBOUND is " + string(a.Outbound.Mode)}, "", a.Store.RecordMessage(ctx, record)
	}
	w := a.messageAbout(m, ch, record.Question)
	if ch == SMS {
		record.Ref, err = a.sendText(ctx, record.Key, address, text, m.wording, w)
	} else {
		record.Ref, err = a.sendMail(ctx, record.Key, m.asMail(text), w)
	}
	if kind := partner.KindOf(err); kind == partner.OptedOut {
		return Sent{}, "opted out", a.Store.SetOptedOut(ctx, hashed, true, time.Now().UTC())
	} else if err != nil && kind != "" && !retryable(kind) {
		return Sent{}, "refused as " + string(kind), nil
	}
	if err != nil {
		return Sent{}, "", err
	}
	record.Status = "queued"
	return Sent{Outcome: MessageSent, Channel: ch}, "", a.Store.RecordMessage(ctx, record)
}

// compose records the question, if it is one, and fills in its code and link:
// the same text on every try.
func (a *Activities) compose(ctx context.Context, in SendMessagesInput, m Message, address string) (string, error) {
	code, link := "", ""
	if m.Ask != nil {
		q, err := a.Store.Ask(ctx, store.Question{
			ID: a.Keys.QuestionID(in.Ref, m.Step, m.To.ID), Address: address,
			WorkflowID: activity.GetInfo(ctx).WorkflowExecution.ID, Step: m.Step, Person: m.To.ID,
			Purpose: store.Purpose(m.Ask.Purpose), Title: m.Ask.Title, Options: m.Ask.Options,
			Details: m.Ask.Details, Fields: m.Ask.Fields, Photos: m.Ask.Photos,
			AskedAt: time.Now().UTC(), ExpiresAt: m.Ask.ExpiresAt,
		})
		if err != nil {
			return "", err
		}
		code, link = q.Code, a.PublicURL+"/a/"+a.Keys.Token(q.ID)
	}
	return strings.NewReplacer("{code}", code, "{link}", link).Replace(m.Text), nil
}

// sendText looks an earlier try up by its words. One that may still have sent other
// words cannot be told from none: that is partner.Conflict, and the next channel's turn.
func (a *Activities) sendText(ctx context.Context, key, phone, text, wording string, w about) (string, error) {
	return a.once(ctx, effect{
		key: key, note: wording, about: w,
		find: func(ctx context.Context, since time.Time) (string, bool, error) {
			earlier, err := a.Store.Effect(ctx, key)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return "", false, err
			}
			if err == nil && earlier.Note != wording {
				return "", false, &partner.Error{Op: "effect", Kind: partner.Conflict, Message: "an earlier try may have sent other words"}
			}
			m, found, err := a.Twilio.Find(ctx, phone, text, since)
			return m.SID, found, err
		},
		act: func(ctx context.Context) (string, error) {
			m, err := a.Twilio.Send(ctx, phone, text, a.StatusCallbackURL)
			return m.SID, err
		},
	})
}

// asMail is the message as a mail that says a text.
func (m Message) asMail(text string) mail.Message {
	subject := m.Subject
	if subject == "" {
		subject, _, _ = strings.Cut(text, ". ")
	}
	return mail.Message{To: []mail.Address{{Name: m.To.Name, Email: m.To.Email}}, Subject: subject, Text: text}
}
