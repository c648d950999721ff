package activities

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// SendLetters writes to the people of a lease: each letter is rendered by the policy as
// it is now, in the receiver's language, and then sent as SendMessages does it, with the
// same outcomes; what a batch that failed has settled, SentBefore tells.
//
// It is safe to repeat: each letter has a key of its own in the effect journal, a mail
// carries the same Message-ID on every try, and a text that may be a repeat is looked up
// at Twilio by number and body. The policy or the language may have changed since an
// earlier try, and then its body is not known any more: such a text is not sent again,
// and the letter goes by mail instead.
var SendLetters = durable.Activity[SendLettersInput, []Sent]{
	Name: "leasing.send", Attempt: 20 * time.Second, Within: 24 * time.Hour, MaxInterval: time.Minute,
}

// maxLetters bounds a batch.
const maxLetters = 100

// SendLettersInput is a batch of letters of one step of a workflow, at most 100.
type SendLettersInput struct {
	// Ref is the workflow's id and incarnation; with a letter's Step it names the effect
	// for ever.
	Ref         string `json:"ref"`
	LeaseID     string `json:"lease_id,omitempty"`
	PortfolioID string `json:"portfolio_id,omitempty"`
	PropertyID  string `json:"property_id,omitempty"`
	// State is the property's, by its two letters, and Zone where quiet hours apply.
	State string `json:"state,omitempty"`
	Zone  string `json:"zone,omitempty"`
	// Campaign is what the letters are part of: "move_in", "renewal", "retention".
	Campaign string `json:"campaign,omitempty"`
	// Service marks letters that the receivers wait for: they are not capped with the
	// campaign.
	Service bool `json:"service,omitempty"`
	// Close are prefixes of steps whose questions are closed first, as CloseSteps does.
	Close   []string `json:"close,omitempty"`
	Letters []Letter `json:"letters"`
}

// Letter is one text of policy for one person.
type Letter struct {
	Step string `json:"step"`
	To   Person `json:"to"`
	// ContactID is a tenant's contact at RentVine; "" for everybody else.
	ContactID string `json:"contact_id,omitempty"`
	// Text is the id of a text of policy, and Data what it says.
	Text string           `json:"text"`
	Data policy.LeaseData `json:"data,omitzero"`
	// Class is Routine where it is "".
	Class Class `json:"class,omitempty"`
	// Marketing texts need consent; MailOnly letters are never texted.
	Marketing bool `json:"marketing,omitempty"`
	MailOnly  bool `json:"mail_only,omitempty"`
	// Service marks a letter that the receiver waits for, as SendLettersInput.Service does
	// all.
	Service bool `json:"service,omitempty"`
	// Ask makes it a question.
	Ask *LetterAsk `json:"ask,omitempty"`
}

// LetterAsk is a question whose words are those of the text.
type LetterAsk struct {
	Purpose string `json:"purpose"`
	// Choices are in order; a text message is answered by their numbers, from 1.
	Choices []string  `json:"choices"`
	Fields  []Field   `json:"fields,omitempty"`
	Details []Detail  `json:"details,omitempty"`
	Until   time.Time `json:"until,omitzero"` // business time
}

// sendLetters tries every letter; where some met a passing failure it returns that, and
// the repeat passes over those that are done.
func (a *Activities) sendLetters(ctx context.Context, in SendLettersInput) ([]Sent, error) {
	if len(in.Letters) > maxLetters {
		return nil, toTemporal(ctx, &partner.Error{
			Op: "leasing.send", Kind: partner.Invalid, Message: fmt.Sprintf("%d letters at once: send at most %d", len(in.Letters), maxLetters),
		})
	}
	if _, err := a.closeSteps(ctx, in.Close); err != nil {
		return nil, err
	}
	languages, err := a.languagesOf(ctx, in.Letters)
	if err != nil {
		return nil, err
	}
	rules := a.Policy.Current()
	batch := SendMessagesInput{Ref: in.Ref, PortfolioID: in.PortfolioID, PropertyID: in.PropertyID, Zone: in.Zone}
	var passing error
	results := make([]Sent, 0, len(in.Letters))
	for _, l := range in.Letters {
		m, err := letterMessage(rules, in, l, languages[l.ContactID])
		var sent Sent
		if err == nil {
			sent, err = a.sendMessage(ctx, batch, m)
		}
		if err != nil {
			passing = err
			continue
		}
		sent.Step = l.Step
		results = append(results, sent)
	}
	if passing == nil {
		return results, nil
	}
	return nil, withResults(toTemporal(ctx, passing), results)
}

// languagesOf are the languages that are known of the receivers, by contact.
func (a *Activities) languagesOf(ctx context.Context, letters []Letter) (map[string]string, error) {
	var ids []string
	for _, l := range letters {
		if l.ContactID != "" && !slices.Contains(ids, l.ContactID) {
			ids = append(ids, l.ContactID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	contacts, err := a.Store.Contacts(ctx, ids)
	languages := make(map[string]string, len(contacts))
	for id, c := range contacts {
		languages[id] = c.Language
	}
	return languages, err
}

// letterMessage is the message that a letter is in a language, "" for the policy's own. A
// policy that lacks the text is tried again: somebody mends it meanwhile.
func letterMessage(rules *policy.Policy, in SendLettersInput, l Letter, language string) (Message, error) {
	if l.Data.Recipient == "" {
		l.Data.Recipient = l.To.Name
	}
	text, language, err := rules.LeaseText(in.PortfolioID, in.PropertyID, language, l.Text, l.Data)
	if err != nil {
		return Message{}, &partner.Error{
			Op: "leasing.send", Kind: partner.Unavailable, Message: fmt.Sprintf("give the text %q under leasing.texts of the policy", l.Text), Cause: err,
		}
	}
	m := Message{
		Step: l.Step, To: l.To, Class: l.Class, Channels: letterChannels(l, text), Subject: text.Subject, Text: text.SMS, MailText: text.Body,
		Campaign: in.Campaign, Service: in.Service || l.Service, ContactID: l.ContactID, State: in.State, Marketing: l.Marketing,
		wording: rules.Version() + " " + language,
	}
	if m.Class == "" {
		m.Class = Routine
	}
	if l.Ask != nil {
		m.Ask = askOf(*l.Ask, text)
	}
	return m, nil
}

// letterChannels are the channels of a letter, best first. Tenants, staff and whoever has
// no mail address are texted where the text has words for that; vendors and owners are
// mailed.
func letterChannels(l Letter, text policy.LeaseText) []Channel {
	staff := l.ContactID == "" && l.Class == Work
	switch {
	case l.MailOnly || text.SMS == "":
		return []Channel{Mail}
	case l.ContactID != "" || staff || l.To.Email == "":
		return []Channel{SMS, Mail}
	}
	return []Channel{Mail, SMS}
}

// askOf is a question in the words of a text; what the text has no words for is named by
// its id.
func askOf(ask LetterAsk, text policy.LeaseText) *Ask {
	out := Ask{Purpose: ask.Purpose, Title: text.Title, Details: ask.Details, Fields: slices.Clone(ask.Fields), ExpiresAt: ask.Until}
	for i, choice := range ask.Choices {
		out.Options = append(out.Options, Option{Key: strconv.Itoa(i + 1), Choice: choice, Label: labelOf(text.Options, choice, "")})
	}
	for i, f := range out.Fields {
		out.Fields[i].Label = labelOf(text.Fields, f.Name, f.Label)
	}
	return &out
}

func labelOf(labels map[string]string, id, otherwise string) string {
	if label := labels[id]; label != "" {
		return label
	}
	if otherwise != "" {
		return otherwise
	}
	return policy.Words(id)
}
