package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/text/language"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// SaveContact notes in which language and by which channel somebody wishes to be
// written to, and whether marketing may be texted. Repeating it is harmless: of two
// values the one that was said later counts, and empty fields leave what is known.
// What makes no sense is refused for good, as invalid.
var SaveContact = durable.Activity[SaveContactInput, None]{
	Name: "contacts.save", Attempt: 5 * time.Second,
}

// ReadEngagement reads what became of the latest 200 messages of the workflow that
// asks, oldest first. Times are business time. It is quick enough for RunLocal.
var ReadEngagement = durable.Activity[None, []Touch]{
	Name: "messages.engagement", Attempt: 5 * time.Second,
}

type (
	// Contact is how somebody wishes to be written to.
	Contact = store.Contact
	// Consent is whether marketing may be texted.
	Consent = store.Consent
	// Touch is one message and what became of it.
	Touch = store.Touch
)

// The consents, for workflows.
const (
	ConsentUnknown = store.ConsentUnknown
	ConsentGiven   = store.ConsentGiven
	ConsentRefused = store.ConsentRefused
)

// SaveContactInput is what was learnt of a contact.
type SaveContactInput struct {
	// ID is RentVine's contact id.
	ID string `json:"id"`
	// Language is a BCP 47 tag such as "en", "es" or "es-MX"; "" leaves what is known.
	Language         string  `json:"language,omitempty"`
	SMSConsent       Consent `json:"sms_consent,omitempty"`
	PreferredChannel Channel `json:"preferred_channel,omitempty"`
	// Source says in a word where this comes from, such as "rentvine" or "move_in".
	Source string `json:"source,omitempty"`
	// At is when it was said (business time), now where it is zero.
	At time.Time `json:"at,omitzero"`
}

func (a *Activities) saveContact(ctx context.Context, in SaveContactInput) (None, error) {
	c := Contact{ID: in.ID, SMSConsent: in.SMSConsent, PreferredChannel: string(in.PreferredChannel), Source: in.Source, At: in.At}
	if in.Language != "" {
		tag, err := language.Parse(in.Language)
		if err != nil {
			return None{}, invalidContact("contacts.save: the language must be a tag such as \"en\", \"es\" or \"es-MX\"")
		}
		c.Language = tag.String()
	}
	if c.At.IsZero() {
		c.At = a.businessNow()
	}
	err := a.Store.SaveContact(ctx, c)
	if errors.Is(err, store.ErrInvalidContact) {
		return None{}, invalidContact("contacts.save: " + err.Error())
	}
	return None{}, err
}

func invalidContact(why string) error {
	return temporal.NewNonRetryableApplicationError(why, string(partner.Invalid), nil)
}

func (a *Activities) readEngagement(ctx context.Context, _ None) ([]Touch, error) {
	touches, err := a.Store.Engagement(ctx, activity.GetInfo(ctx).WorkflowExecution.ID)
	if err != nil {
		return nil, err
	}
	for i := range touches {
		t := &touches[i]
		for _, at := range []*time.Time{&t.SentAt, &t.DeliveredAt, &t.OpenedAt, &t.AnsweredAt} {
			if !at.IsZero() {
				*at = a.Clock.At(*at)
			}
		}
	}
	return touches, nil
}

// ways are the channels by which a message may go, in order, and why others may not.
type ways struct {
	channels []Channel
	refused  []string
}

// waysFor decides by which channels a message may go, as far as its receiver's wishes
// and its kind say. Life safety passes. Marketing is texted only with consent, to
// somebody whose zone is known; a person who refused texts gets nothing routine by
// text. What may not be texted goes by mail, asked for or not. Routine messages take
// the preferred channel first, if they may take it at all.
func waysFor(m Message, c Contact, zoneKnown bool) ways {
	if m.Class == LifeSafety {
		return ways{channels: m.Channels}
	}
	why := ""
	switch {
	case m.Marketing && c.SMSConsent != store.ConsentGiven:
		why = "no consent"
	case m.Marketing && !zoneKnown:
		why = "time zone unknown"
	case m.Class == Routine && c.SMSConsent == store.ConsentRefused:
		why = "consent refused"
	}
	w := ways{channels: slices.Clone(m.Channels)}
	if why != "" && slices.Contains(w.channels, SMS) {
		w.refused = []string{string(SMS) + ": " + why}
		w.channels = slices.DeleteFunc(w.channels, func(ch Channel) bool { return ch == SMS })
		if !slices.Contains(w.channels, Mail) {
			w.channels = append(w.channels, Mail)
		}
	}
	preferred := Channel(c.PreferredChannel)
	if i := slices.Index(w.channels, preferred); i > 0 && m.Class == Routine {
		w.channels = slices.Insert(slices.Delete(w.channels, i, i+1), 0, preferred)
	}
	return w
}

// first is the channel that is tried first: that of the first address, "" for none.
func (w ways) first(p Person) Channel {
	for _, ch := range w.channels {
		if p.address(ch) != "" {
			return ch
		}
	}
	return ""
}

// sendingHours is when the people of a property may be written to, and how often.
type sendingHours struct {
	settings policy.Settings
	rules    policy.ContactRules
}

// hoursFor reads the policy, where it matters to the message's class.
func (a *Activities) hoursFor(in SendMessagesInput, m Message) sendingHours {
	if m.Class == LifeSafety || m.Class == Emergency {
		return sendingHours{}
	}
	h := sendingHours{settings: a.Policy.For(in.PortfolioID, in.PropertyID), rules: a.Policy.Contact(in.PortfolioID, in.PropertyID)}
	if h.settings.TimeZone == "" {
		h.settings.TimeZone = in.Zone
	}
	return h
}

func (h sendingHours) zoneKnown() bool { return h.settings.TimeZone != "" }

// quietFor tells whether the message must not leave by a channel now, and until when:
// quiet hours are for texts alone, and emergencies pass them.
func (h sendingHours) quietFor(m Message, ch Channel, now time.Time) (time.Time, bool) {
	if ch != SMS || m.Class == LifeSafety || m.Class == Emergency {
		return time.Time{}, false
	}
	return h.rules.QuietUntil(h.settings, m.State, m.Marketing, now)
}

// contactOf is what is known of a message's receiver; nothing where nobody is named.
func (a *Activities) contactOf(ctx context.Context, m Message) (Contact, error) {
	if m.ContactID == "" || m.Class == LifeSafety {
		return Contact{}, nil
	}
	found, err := a.Store.Contacts(ctx, []string{m.ContactID})
	return found[m.ContactID], err
}

// claimKey names a message for the caps, whatever channel it takes.
func claimKey(in SendMessagesInput, m Message) string { return in.Ref + "/" + m.Step }

// personKey is who a message is counted for: the contact, else an address.
func (a *Activities) personKey(m Message) string {
	switch {
	case m.ContactID != "":
		return "contact:" + m.ContactID
	case m.To.Phone != "":
		return a.Keys.Address(m.To.Phone)
	default:
		return a.Keys.Address(m.To.Email)
	}
}

// capped counts a message of a campaign, or tells until when the caps hold it back.
func (a *Activities) capped(ctx context.Context, in SendMessagesInput, m Message, caps policy.CampaignCaps) (until time.Time, err error) {
	if m.Campaign == "" || m.Service || m.Class == Work {
		return time.Time{}, nil
	}
	return a.Store.ClaimCampaign(ctx, store.CampaignMessage{
		Key: claimKey(in, m), Person: a.personKey(m), Campaign: m.Campaign, At: a.businessNow(),
	}, store.CampaignLimit{Most: caps.PerWeek, Within: policy.CapWeek}, store.CampaignLimit{Most: caps.PerMonth, Within: policy.CapMonth})
}
