package activities

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/clients/twilio"
	"github.com/aictive/keyholder/sandbox/mailbox"
	phones "github.com/aictive/keyholder/sandbox/twilio"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

func TestWaysOfAMessage(t *testing.T) {
	t.Parallel()
	both, texts, mails := []Channel{SMS, Mail}, []Channel{SMS}, []Channel{Mail}
	given, refused := Contact{SMSConsent: ConsentGiven}, Contact{SMSConsent: ConsentRefused}
	prefers := func(c Contact, channel string) Contact { c.PreferredChannel = channel; return c }
	for _, c := range []struct {
		name     string
		m        Message
		contact  Contact
		zone     bool
		channels []Channel
		refused  []string
	}{
		{"service needs no consent", Message{Class: Routine, Channels: both}, Contact{}, true, both, nil},
		{"nor a zone", Message{Class: Routine, Channels: both}, Contact{}, false, both, nil},
		{"marketing with consent", Message{Class: Routine, Marketing: true, Channels: both}, given, true, both, nil},
		{"marketing without", Message{Class: Routine, Marketing: true, Channels: both}, Contact{}, true, mails, []string{"sms: no consent"}},
		{"marketing that was refused", Message{Class: Routine, Marketing: true, Channels: both}, refused, true, mails, []string{"sms: no consent"}},
		{"a text alone becomes a mail", Message{Class: Routine, Marketing: true, Channels: texts}, Contact{}, true, mails, []string{"sms: no consent"}},
		{"marketing by mail needs none", Message{Class: Routine, Marketing: true, Channels: mails}, Contact{}, true, mails, nil},
		{"nobody knows whether it is night", Message{Class: Routine, Marketing: true, Channels: both}, given, false, mails, []string{"sms: time zone unknown"}},
		{"who refused texts gets service by mail", Message{Class: Routine, Channels: both}, refused, true, mails, []string{"sms: consent refused"}},
		{"but an emergency by text", Message{Class: Emergency, Channels: both}, refused, true, both, nil},
		{"and work too", Message{Class: Work, Channels: both}, refused, true, both, nil},
		{"life safety passes all", Message{Class: LifeSafety, Marketing: true, Channels: both}, prefers(refused, "mail"), false, both, nil},
		{"mail first", Message{Class: Routine, Channels: both}, prefers(Contact{}, "mail"), true, []Channel{Mail, SMS}, nil},
		{"text first", Message{Class: Routine, Channels: []Channel{Mail, SMS}}, prefers(Contact{}, "sms"), true, both, nil},
		{"a preference adds no channel", Message{Class: Routine, Channels: mails}, prefers(given, "sms"), true, mails, nil},
		{"nor does it bring back what was refused", Message{Class: Routine, Marketing: true, Channels: both}, prefers(Contact{}, "sms"), true, mails, []string{"sms: no consent"}},
		{"an emergency keeps its order", Message{Class: Emergency, Channels: both}, prefers(Contact{}, "mail"), true, both, nil},
		{"no channel at all", Message{Class: Routine}, prefers(given, "sms"), true, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before := append([]Channel(nil), c.m.Channels...)
			got := waysFor(c.m, c.contact, c.zone)
			require.Equal(t, c.channels, got.channels)
			require.Equal(t, c.refused, got.refused)
			require.Equal(t, before, c.m.Channels, "the message stays as it is")
		})
	}
}

// mailRoom is a desk with a carrier of texts, whose time stands still.
type mailRoom struct {
	*desk
	phones *phones.Server
	now    time.Time
}

// The person that the mail room writes to.
const (
	tenantPhone = "+12135550177"
	tenantMail  = "tenant7@example.com"
)

// by is a time of 2026-11-23 in Los Angeles, where the policy is.
func by(hour int) time.Time { return time.Date(2026, 11, 23, hour+8, 0, 0, 0, time.UTC) }

func newMailRoom(t *testing.T, now time.Time) *mailRoom {
	t.Helper()
	r := &mailRoom{desk: newDesk(t, "live"), now: now}
	r.phones = phones.New(phones.Config{AccountSID: "AC00000000000000000000000000000001", AuthToken: "secret", Number: "+12135550100"})
	server := httptest.NewServer(r.phones)
	r.acts.Twilio = twilio.New(twilio.Config{
		AccountSID: "AC00000000000000000000000000000001", AuthToken: "secret", From: "+12135550100", BaseURL: server.URL,
	})
	t.Cleanup(func() { r.acts.Twilio.Close(); server.Close(); r.phones.Close() })
	r.acts.PublicURL = "https://keyholder.example.org"
	r.acts.Now = func() time.Time { return r.now }
	return r
}

// offer is a marketing message of a step.
func offer(step string) Message {
	return Message{
		Step: step, To: Person{ID: "tenant-7", Phone: tenantPhone, Email: tenantMail}, Class: Routine, Channels: []Channel{SMS, Mail},
		Subject: "Your lease", Text: "Text of " + step, Campaign: "renewal", ContactID: "7", Marketing: true,
	}
}

func (r *mailRoom) send(m Message) Sent {
	r.t.Helper()
	sent, err := r.acts.sendMessages(r.ctx, SendMessagesInput{Ref: "lease/1/1", PortfolioID: "1", PropertyID: "1", Messages: []Message{m}})
	require.NoError(r.t, err)
	require.Len(r.t, sent, 1)
	require.Equal(r.t, m.Step, sent[0].Step)
	return sent[0]
}

func (r *mailRoom) consents(c Consent) {
	r.t.Helper()
	_, err := r.acts.saveContact(r.ctx, SaveContactInput{ID: "7", SMSConsent: c, Source: "page", At: r.now})
	require.NoError(r.t, err)
}

func sentBy(step string, ch Channel) Sent {
	return Sent{Step: step, Outcome: MessageSent, Channel: ch}
}

func TestMarketingIsTextedWithConsentAlone(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	require.Equal(t, sentBy("1", Mail), r.send(offer("1")))
	r.consents(ConsentGiven)
	require.Equal(t, sentBy("2", SMS), r.send(offer("2")))
	r.consents(ConsentRefused)
	require.Equal(t, sentBy("3", Mail), r.send(offer("3")))
	require.Len(t, r.phones.Messages(10), 1)
	require.Len(t, r.box.Mails(), 2)

	service := offer("4")
	service.Campaign, service.Marketing = "", false
	require.Equal(t, sentBy("4", Mail), r.send(service), "who refused texts gets service by mail")
	service.Step, service.Class = "5", Emergency
	require.Equal(t, sentBy("5", SMS), r.send(service))

	noMail := offer("6")
	noMail.To.Email, noMail.ContactID = "", "9"
	require.Equal(t, Sent{Step: "6", Outcome: MessageImpossible, Why: "sms: no consent; mail: no address"}, r.send(noMail))
}

func TestStopWinsOverConsent(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	r.consents(ConsentGiven)
	require.NoError(t, r.acts.Store.SetOptedOut(t.Context(), r.acts.Keys.Address(tenantPhone), true, r.now))
	require.Equal(t, sentBy("1", Mail), r.send(offer("1")))
	safety := offer("2")
	safety.Class = LifeSafety
	require.Equal(t, sentBy("2", SMS), r.send(safety), "life safety passes all")
}

func TestQuietHoursAreForTextsAlone(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(22))
	morning := by(32)
	quiet := func(step string) Sent {
		return Sent{Step: step, Outcome: MessageHeld, HeldUntil: morning, Why: "quiet hours"}
	}
	r.consents(ConsentGiven)
	require.Equal(t, quiet("1"), r.send(offer("1")))
	require.Empty(t, r.phones.Messages(10))
	mailed := offer("2")
	mailed.Channels = []Channel{Mail, SMS}
	require.Equal(t, sentBy("2", Mail), r.send(mailed))
	mailed.Step, mailed.To.Email = "3", ""
	require.Equal(t, quiet("3"), r.send(mailed), "the first channel that reaches anybody is a text")
	mailed.Step, mailed.To.Email = "4", tenantMail
	r.fault <- mailbox.Fault{Status: 550}
	require.Equal(t, quiet("4"), r.send(mailed), "a text in place of a mail waits too")

	urgent := offer("5")
	urgent.Class = Emergency
	require.Equal(t, quiet("5"), r.send(urgent), "marketing is no emergency")
	urgent.Step, urgent.Marketing = "6", false
	require.Equal(t, sentBy("6", SMS), r.send(urgent))

	r.now = by(19)
	require.Equal(t, sentBy("1", SMS), r.send(offer("1")))
	r.now = by(20)
	inState := offer("7")
	inState.State, inState.Marketing, inState.Campaign = "FL", false, ""
	require.Equal(t, quiet("7"), r.send(inState), "a state's hours count for service too")
	inState.State = "CA"
	require.Equal(t, sentBy("7", SMS), r.send(inState))
}

func TestCapsAcrossCampaigns(t *testing.T) {
	t.Parallel()
	start := by(12)
	r := newMailRoom(t, start)
	r.consents(ConsentGiven)
	require.Equal(t, sentBy("1", SMS), r.send(offer("1")))
	other := offer("2")
	other.Campaign, other.Channels = "retention", []Channel{Mail}
	r.now = start.Add(24 * time.Hour)
	require.Equal(t, sentBy("2", Mail), r.send(other), "mail counts too")
	nowhere := offer("nowhere")
	nowhere.To.Phone, nowhere.To.Email = "", ""
	require.Equal(t, MessageImpossible, r.send(nowhere).Outcome)
	require.Equal(t, sentBy("3", SMS), r.send(offer("3")), "what could not be sent does not count")

	held := Sent{Step: "4", Outcome: MessageHeld, HeldUntil: start.Add(7 * 24 * time.Hour), Why: "frequency cap across campaigns"}
	require.Equal(t, held, r.send(offer("4")))
	require.Equal(t, sentBy("3", SMS), r.send(offer("3")), "a repeat is done and counts once")
	require.Len(t, r.phones.Messages(10), 2)
	service := offer("5")
	service.Campaign, service.Marketing = "", false
	require.Equal(t, sentBy("5", SMS), r.send(service), "what is no campaign's has caps of its own")
	urgent := offer("6")
	urgent.Marketing, urgent.Class = false, Emergency
	require.Equal(t, sentBy("6", SMS), r.send(urgent))
	neighbour := offer("7")
	neighbour.ContactID, neighbour.To = "8", Person{ID: "tenant-8", Email: "tenant8@example.com"}
	require.Equal(t, sentBy("7", Mail), r.send(neighbour))

	r.now = held.HeldUntil.Add(-time.Second)
	require.Equal(t, held, r.send(offer("4")))
	r.now = held.HeldUntil
	require.Equal(t, sentBy("4", SMS), r.send(offer("4")))
}

// A person without a contact's id is known by the address.
func TestCapsOfAnAddress(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	for i, want := range []SentOutcome{MessageSent, MessageSent, MessageSent, MessageHeld} {
		m := offer(strings.Repeat("x", i+1))
		m.ContactID = ""
		require.Equal(t, want, r.send(m).Outcome)
	}
	other := offer("other")
	other.ContactID, other.To.Phone = "", "+12135550178"
	require.Equal(t, MessageSent, r.send(other).Outcome)
}

func TestThePreferredChannelIsTriedFirst(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	_, err := r.acts.saveContact(r.ctx, SaveContactInput{ID: "7", Language: "es_MX", SMSConsent: ConsentGiven, PreferredChannel: Mail, Source: "page"})
	require.NoError(t, err)
	require.Equal(t, sentBy("1", Mail), r.send(offer("1")))
	got, err := r.acts.Store.Contacts(r.ctx, []string{"7", "8"})
	require.NoError(t, err)
	require.Equal(t, map[string]Contact{"7": {
		ID: "7", Language: "es-MX", SMSConsent: ConsentGiven, PreferredChannel: "mail", Source: "page", At: r.now, ConsentSource: "page", ConsentAt: r.now,
	}}, got)
	for name, in := range map[string]SaveContactInput{
		"language": {ID: "7", Language: "Spanish (Mexico)"}, "consent": {ID: "7", SMSConsent: "maybe"}, "channel": {ID: "7", PreferredChannel: "fax"}, "id": {},
	} {
		_, err := r.acts.saveContact(r.ctx, in)
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app, name)
		require.True(t, app.NonRetryable(), name)
		require.Contains(t, app.Error(), name)
		require.NotContains(t, app.Error(), "Spanish")
	}
}

// What became of messages is told in business time.
func TestEngagementOfAWorkflow(t *testing.T) {
	t.Parallel()
	began := time.Now().UTC().Truncate(time.Second)
	r := newMailRoom(t, began.Add(time.Second))
	r.acts.Clock = durable.DayClock(began, 24*time.Second) // an hour is a second
	asked := offer("ask")
	asked.Channels, asked.Text = []Channel{Mail}, "Stay? {link}"
	asked.Ask = &Ask{Purpose: "renewal", Title: "Your lease", Options: []Option{{Key: "1", Choice: "accept", Label: "Yes"}}}
	require.Equal(t, sentBy("ask", Mail), r.send(asked))
	require.Equal(t, sentBy("told", Mail), r.send(offer("told")))
	id := r.acts.Keys.QuestionID("lease/1/1", "ask", "tenant-7")
	require.NoError(t, r.acts.Store.Opened(t.Context(), id, began.Add(3*time.Second)))
	got, err := r.acts.readEngagement(r.ctx, None{})
	require.NoError(t, err)
	want := Touch{
		Step: "ask", Person: "tenant-7", Campaign: "renewal", Channel: "mail", Status: store.StatusQueued,
		SentAt: began.Add(time.Hour), OpenedAt: began.Add(3 * time.Hour),
	}
	told := want
	told.Step, told.OpenedAt = "told", time.Time{}
	require.Equal(t, []Touch{want, told}, got)
}

// What older builds wrote reads and writes the same.
func TestOldMessagesAreTheSame(t *testing.T) {
	t.Parallel()
	m := Message{Step: "s", To: Person{ID: "p"}, Class: Routine, Channels: []Channel{SMS}, Text: "t"}
	text, err := json.Marshal(m)
	require.NoError(t, err)
	require.JSONEq(t, `{"step":"s","to":{"id":"p"},"class":"routine","channels":["sms"],"text":"t"}`, string(text))
}
