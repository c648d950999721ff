package activities

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox/mailbox"
	"github.com/aictive/keyholder/store"
)

// desk is what appointments are made with: a SQLite store and a mail server.
type desk struct {
	t     *testing.T
	acts  *Activities
	box   *mailbox.Server
	ctx   context.Context
	fault chan mailbox.Fault // the next mails'
}

func newDesk(t *testing.T, mode string, allowed ...string) *desk {
	t.Helper()
	d := &desk{t: t, fault: make(chan mailbox.Fault, 10)}
	d.box = mailbox.New(mailbox.Config{Fault: func() mailbox.Fault {
		select {
		case f := <-d.fault:
			return f
		default:
			return mailbox.Fault{}
		}
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.box.Serve(listener)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = d.box.Close(ctx)
	})
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, kept.Close()) })
	rules, err := policy.Open("", nil)
	require.NoError(t, err)
	outbound, err := NewOutbound(mode, allowed)
	require.NoError(t, err)
	d.acts = New(Config{
		Policy: rules, Store: kept, Keys: store.NewKeys("link key of the tests"), Outbound: outbound, MailDomain: "keyholder.example.org",
		Mail: mail.New(mail.Config{
			Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: mail.TLSNone, Timeout: 5 * time.Second,
			From: mail.Address{Name: "Acme Homes", Email: "repairs@example.org"},
		}),
	})
	d.ctx = activityContext(t)
	return d
}

func invitations() SendInvitationsInput {
	start := time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
	return SendInvitationsInput{
		Ref: "work-order/4711/1", UID: "work-order-4711", Sequence: 1, Zone: "America/Los_Angeles",
		Window:  appointments.Window{Start: start, End: start.Add(4 * time.Hour)},
		Summary: "Repair: leaking tap", Location: "12 Elm St, Oakland", Description: "Work order 4711, {window}.",
		Text:   "We come on {window}.",
		People: []Person{{ID: "tenant-1", Name: "Zoë", Email: "zoe@example.com"}, {ID: "tech-1", Name: "Ted", Email: "ted@example.com"}, {ID: "tech-2", Phone: "+12135550111"}},
	}
}

func outcomes(list []Sent) []SentOutcome {
	var out []SentOutcome
	for _, s := range list {
		out = append(out, s.Outcome)
	}
	return out
}

// event is the calendar entry of a mail.
func event(t *testing.T, m mailbox.Mail) *ics.VEvent {
	t.Helper()
	cal, err := ics.ParseCalendar(strings.NewReader(m.Calendar))
	require.NoError(t, err)
	require.Len(t, cal.Events(), 1)
	return cal.Events()[0]
}

func TestInvitationsAreMailedOnceToEachForHimself(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "live")
	for range 2 {
		sent, err := d.acts.sendInvitations(d.ctx, invitations())
		require.NoError(t, err)
		require.Equal(t, []Sent{
			{Step: "invitation/work-order-4711/1/tenant-1", Outcome: MessageSent, Channel: Mail},
			{Step: "invitation/work-order-4711/1/tech-1", Outcome: MessageSent, Channel: Mail},
			{Step: "invitation/work-order-4711/1/tech-2", Outcome: MessageImpossible, Why: "mail: no address"},
		}, sent)
	}
	mails := d.box.Mails()
	require.Len(t, mails, 2)
	for i, email := range []string{"zoe@example.com", "ted@example.com"} {
		m := mails[i]
		require.Equal(t, []string{email}, m.To)
		require.Equal(t, "Repair: leaking tap - Tue Nov 24, 8 AM-12 PM", m.Subject)
		require.Equal(t, "We come on Tue Nov 24, 8 AM-12 PM.", strings.TrimSpace(m.Text))
		require.Contains(t, m.CalendarType, "method=REQUEST")
		require.Len(t, m.Attachments, 1)
		require.Equal(t, m.Calendar, string(m.Attachments[0].Data))
		e := event(t, m)
		require.Equal(t, "work-order-4711@keyholder.example.org", e.Id())
		require.Equal(t, "1", e.GetProperty(ics.ComponentPropertySequence).Value)
		require.Equal(t, "Work order 4711, Tue Nov 24, 8 AM-12 PM.", e.GetProperty(ics.ComponentPropertyDescription).Value)
		require.Equal(t, "mailto:repairs@example.org", e.GetProperty(ics.ComponentPropertyOrganizer).Value)
		require.Len(t, e.Attendees(), 1)
		require.Equal(t, email, e.Attendees()[0].Email())
	}
	require.NotContains(t, mails[0].Calendar+mails[0].Text, "ted")
	require.NotContains(t, mails[1].Calendar+mails[1].Text, "zoe")
	recorded, err := d.acts.Store.MessageByRef(t.Context(), mails[0].MessageID)
	require.NoError(t, err)
	require.Equal(t, "mail", recorded.Channel)
	require.NotContains(t, recorded.Key+recorded.Address, "zoe")
}

func TestAChangeAndACancellationAreMailsOfTheirOwn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "live")
	in := invitations()
	in.People = in.People[:1]
	changed := in
	changed.Sequence = 2
	cancelled := changed
	cancelled.Cancel = true
	for _, in := range []SendInvitationsInput{in, changed, cancelled, cancelled} {
		_, err := d.acts.sendInvitations(d.ctx, in)
		require.NoError(t, err)
	}
	mails := d.box.Mails()
	require.Len(t, mails, 3)
	require.Zero(t, d.box.Duplicates())
	require.Equal(t, "Cancelled: Repair: leaking tap - Tue Nov 24, 8 AM-12 PM", mails[2].Subject)
	require.Contains(t, mails[2].CalendarType, "method=CANCEL")
	require.Equal(t, "CANCELLED", event(t, mails[2]).GetProperty(ics.ComponentPropertyStatus).Value)
	require.Equal(t, event(t, mails[0]).Id(), event(t, mails[2]).Id())
}

func TestInvitationsWaitForTheMailServer(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "live")
	d.fault <- mailbox.Fault{Status: 451}
	_, err := d.acts.sendInvitations(d.ctx, invitations())
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
	require.Equal(t, string(partner.Unavailable), app.Type())
	require.Equal(t, []SentOutcome{MessageSent, MessageImpossible}, outcomes(SentBefore(err)), "the others have theirs")
	require.NotContains(t, err.Error(), "zoe")
	sent, err := d.acts.sendInvitations(d.ctx, invitations())
	require.NoError(t, err)
	require.Equal(t, []SentOutcome{MessageSent, MessageSent, MessageImpossible}, outcomes(sent))
	require.Len(t, d.box.Mails(), 2)

	// Who is refused for good does not hold up the others.
	d.fault <- mailbox.Fault{Status: 550}
	in := invitations()
	in.Sequence = 2
	in.People = append(in.People, Person{ID: "vendor-1", Email: "nowhere"})
	sent, err = d.acts.sendInvitations(d.ctx, in)
	require.NoError(t, err)
	require.Equal(t, []SentOutcome{MessageImpossible, MessageSent, MessageImpossible, MessageImpossible}, outcomes(sent))
	require.Equal(t, "mail: refused as invalid", sent[0].Why)
	require.Equal(t, "mail: the address is malformed", sent[3].Why)
}

// A repeat after a lost answer comes when nothing can be on its way any more, and
// carries the same Message-ID.
func TestARepeatedInvitationIsTheSameMail(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "live")
	in := invitations()
	in.People = in.People[:1]
	d.fault <- mailbox.Fault{DropAfterData: true}
	for range 2 {
		_, err := d.acts.sendInvitations(d.ctx, in)
		require.Error(t, err)
		require.Len(t, d.box.Mails(), 1)
	}
	d.acts.Store = older{d.acts.Store, mailSettles + time.Second}
	sent, err := d.acts.sendInvitations(d.ctx, in)
	require.NoError(t, err)
	require.Equal(t, []SentOutcome{MessageSent}, outcomes(sent))
	mails := d.box.Mails()
	require.Len(t, mails, 2)
	require.Equal(t, 1, d.box.Duplicates())
	require.Equal(t, mails[0].Calendar, mails[1].Calendar)
}

func TestInvitationsAreHeldBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "live")
	require.NoError(t, d.acts.Store.SetSetting(t.Context(), "outbound_paused", "1"))
	_, err := d.acts.sendInvitations(d.ctx, invitations())
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
	require.Equal(t, pauseLook, app.NextRetryDelay())
	require.Contains(t, err.Error(), "outbound messages are paused")
	require.Empty(t, d.box.Mails())
	require.NoError(t, d.acts.Store.SetSetting(t.Context(), "outbound_paused", ""))
	_, err = d.acts.sendInvitations(d.ctx, invitations())
	require.NoError(t, err)
	require.Len(t, d.box.Mails(), 2)

	d = newDesk(t, "allowlist", "TED@example.com")
	sent, err := d.acts.sendInvitations(d.ctx, invitations())
	require.NoError(t, err)
	require.Equal(t, []SentOutcome{MessageRecorded, MessageSent, MessageImpossible}, outcomes(sent))
	require.Len(t, d.box.Mails(), 1)
	require.Equal(t, []string{"ted@example.com"}, d.box.Mails()[0].To)
}

func TestInvitationsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "live")
	for name, spoil := range map[string]func(*SendInvitationsInput){
		"an unknown zone": func(in *SendInvitationsInput) { in.Zone = "Mars/Olympus" },
		"no window":       func(in *SendInvitationsInput) { in.Window = appointments.Window{} },
		"no summary":      func(in *SendInvitationsInput) { in.Summary = "" },
	} {
		in := invitations()
		spoil(&in)
		_, err := d.acts.sendInvitations(d.ctx, in)
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app, name)
		require.True(t, app.NonRetryable(), name)
	}
	require.Empty(t, d.box.Mails())

	// Names and texts of others cannot add headers.
	in := invitations()
	in.Summary, in.People = "Tap\r\nBcc: x@example.com", []Person{{ID: "tenant-1", Name: "Zoë\r\nBcc: x@example.com", Email: "zoe@example.com"}}
	sent, err := d.acts.sendInvitations(d.ctx, in)
	require.NoError(t, err)
	require.Equal(t, []SentOutcome{MessageSent}, outcomes(sent))
	require.Equal(t, []string{"zoe@example.com"}, d.box.Mails()[0].To)
}

func TestFreeWindowsAndBookings(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "record")
	rules := policy.Windows{
		Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, Slots: []policy.Slot{{From: 8 * 60, To: 12 * 60}, {From: 12 * 60, To: 16 * 60}},
		Offered: 4, Lead: time.Hour, Ahead: 7 * 24 * time.Hour,
	}
	in := FreeWindowsInput{Worker: "tech-1", JobsPerWindow: 2, Zone: "Europe/London", Rules: rules, Earliest: time.Now().Add(30 * time.Hour)}
	free := func() []appointments.Window {
		t.Helper()
		list, err := d.acts.freeWindows(d.ctx, in)
		require.NoError(t, err)
		require.Len(t, list, 4)
		return list
	}
	first := free()[0]
	for i, workflow := range []string{"work-order/1", "work-order/2"} {
		require.Equal(t, first, free()[0], "%d of 2", i)
		ok, err := d.acts.Store.Book(t.Context(), store.Appointment{WorkflowID: workflow, Worker: "tech-1", Start: first.Start, End: first.End}, 2)
		require.NoError(t, err)
		require.True(t, ok)
	}
	second := free()[0]
	require.True(t, second.Start.After(first.Start), "it is full")
	in.Refused = []time.Time{second.Start}
	third := free()[0]
	require.True(t, third.Start.After(second.Start), "it was refused")
	for _, change := range []func(*FreeWindowsInput){
		func(in *FreeWindowsInput) { in.Worker = "" },
		func(in *FreeWindowsInput) { in.Worker = "tech-2" },
		func(in *FreeWindowsInput) { in.JobsPerWindow = 0 },
		func(in *FreeWindowsInput) { in.JobsPerWindow = 3 },
	} {
		kept := in
		change(&in)
		require.Equal(t, first, free()[0])
		in = kept
	}

	ok, err := d.acts.bookAppointment(d.ctx, BookInput{Worker: "tech-1", Window: first, JobsPerWindow: 2})
	require.NoError(t, err)
	require.False(t, ok)
	for range 2 {
		ok, err = d.acts.bookAppointment(d.ctx, BookInput{Worker: "tech-1", Window: third, JobsPerWindow: 1})
		require.NoError(t, err)
		require.True(t, ok)
	}
	in.JobsPerWindow = 1
	require.True(t, free()[0].Start.After(third.Start))
	for range 2 {
		_, err = d.acts.cancelAppointment(d.ctx, None{})
		require.NoError(t, err)
	}
	require.Equal(t, third, free()[0])

	in.Zone = "Mars/Olympus"
	_, err = d.acts.freeWindows(d.ctx, in)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.True(t, app.NonRetryable())
}
