package activities

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// FreeWindows lists the windows that a tenant may choose from. It changes nothing.
var FreeWindows = durable.Activity[FreeWindowsInput, []appointments.Window]{
	Name: "appointments.free_windows", Attempt: 5 * time.Second,
}

// BookAppointment books a visit of the workflow in place of the one that it has under the
// same name, and tells whether there was a place left; CancelAppointment ends that without
// a name, CancelVisit one with. Repeating any is harmless.
var (
	BookAppointment = durable.Activity[BookInput, bool]{
		Name: "appointments.book", Attempt: 5 * time.Second,
	}
	CancelAppointment = durable.Activity[None, None]{
		Name: "appointments.cancel", Attempt: 5 * time.Second,
	}
	CancelVisit = durable.Activity[string, None]{
		Name: "appointments.cancel_visit", Attempt: 5 * time.Second,
	}
)

// SendInvitations mails the calendar entry of a visit, or its cancellation, to
// everybody who has an address: a mail each, in which nobody sees the others'
// addresses. It is safe to repeat: each mail has a key of its own in the effect
// journal, and a Message-ID by which mail systems collapse repeats. While outbound
// messages are paused it waits.
var SendInvitations = durable.Activity[SendInvitationsInput, []Sent]{
	Name: "calendar.send_invitations", Attempt: 30 * time.Second, Within: 24 * time.Hour, MaxInterval: time.Minute,
}

// FreeWindowsInput says for whom windows are looked for; times are business time.
type FreeWindowsInput struct {
	// Worker is the id of who comes, "" where his visits are not counted.
	Worker string `json:"worker,omitempty"`
	// JobsPerWindow is how many visits he makes in a window; 0 is no limit.
	JobsPerWindow int       `json:"jobs_per_window,omitempty"`
	Earliest      time.Time `json:"earliest,omitzero"`
	// Zone is the property's, IANA.
	Zone  string         `json:"zone"`
	Rules policy.Windows `json:"rules"`
	// Refused are the starts that were offered and did not suit.
	Refused []time.Time `json:"refused,omitempty"`
}

// BookInput says who comes when.
type BookInput struct {
	// Visit tells the visits of a workflow that has several apart, "" where it has one.
	Visit  string              `json:"visit,omitempty"`
	Worker string              `json:"worker,omitempty"`
	Window appointments.Window `json:"window"`
	// JobsPerWindow is how many visits the worker makes in a window; 0 is no limit.
	JobsPerWindow int `json:"jobs_per_window,omitempty"`
}

// SendInvitationsInput is a visit and who is told of it.
type SendInvitationsInput struct {
	// Ref is the workflow's id and incarnation; with UID, Sequence and person it names
	// the effect for ever.
	Ref string `json:"ref"`
	// UID names the visit in calendars for ever; Sequence grows with every change, its
	// cancellation included.
	UID      string              `json:"uid"`
	Sequence int                 `json:"sequence"`
	Cancel   bool                `json:"cancel,omitempty"`
	Window   appointments.Window `json:"window"`

	PortfolioID string `json:"portfolio_id,omitempty"`
	PropertyID  string `json:"property_id,omitempty"`
	// Zone is the property's, IANA, in which the window was agreed.
	Zone string `json:"zone"`
	// Summary is in the mail's subject too, and Text is the mail's plain words. In Text
	// and Description, "{window}" becomes the window in the property's zone.
	Summary     string   `json:"summary"`
	Location    string   `json:"location,omitempty"`
	Description string   `json:"description,omitempty"`
	Text        string   `json:"text"`
	People      []Person `json:"people"`
}

func (a *Activities) freeWindows(ctx context.Context, in FreeWindowsInput) ([]appointments.Window, error) {
	loc, err := zoneOf(in.Zone)
	if err != nil {
		return nil, err
	}
	now := a.businessNow()
	var full func(appointments.Window) bool
	if in.Worker != "" && in.JobsPerWindow > 0 {
		latest := now
		if in.Earliest.After(latest) {
			latest = in.Earliest
		}
		booked, err := a.Store.Booked(ctx, in.Worker, now, latest.Add(in.Rules.Ahead+time.Second))
		if err != nil {
			return nil, err
		}
		full = func(w appointments.Window) bool { return booked[w.Start.UnixMicro()] >= in.JobsPerWindow }
	}
	return appointments.Windows(in.Rules, now, in.Earliest, loc, full, in.Refused), nil
}

// zoneOf is the named zone; trying another time does not make it known.
func zoneOf(name string) (*time.Location, error) {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, temporal.NewNonRetryableApplicationError("the time zone is unknown: want an IANA name such as America/Los_Angeles", string(partner.Invalid), nil)
	}
	return loc, nil
}

func (a *Activities) bookAppointment(ctx context.Context, in BookInput) (bool, error) {
	return a.Store.Book(ctx, store.Appointment{
		WorkflowID: visitKey(ctx, in.Visit), Worker: in.Worker, Start: in.Window.Start, End: in.Window.End,
	}, in.JobsPerWindow)
}

func (a *Activities) cancelVisit(ctx context.Context, visit string) (None, error) {
	return None{}, a.Store.Unbook(ctx, visitKey(ctx, visit))
}

// visitKey is what the store knows a visit of the calling workflow by.
func visitKey(ctx context.Context, visit string) string {
	id := activity.GetInfo(ctx).WorkflowExecution.ID
	if visit != "" {
		id += "#" + visit
	}
	return id
}

func (a *Activities) cancelAppointment(ctx context.Context, _ None) (None, error) {
	return None{}, a.Store.Unbook(ctx, activity.GetInfo(ctx).WorkflowExecution.ID)
}

// sendInvitations tries every mail; where some met a passing failure it returns
// that, and the repeat passes over those that are done.
func (a *Activities) sendInvitations(ctx context.Context, in SendInvitationsInput) ([]Sent, error) {
	loc, err := zoneOf(in.Zone)
	if err != nil {
		return nil, err
	}
	paused, err := a.Store.Setting(ctx, "outbound_paused")
	if err != nil {
		return nil, err
	}
	if paused == "1" {
		for _, person := range in.People {
			notSent(ctx, in.Ref+"/"+invitationStep(in, person), mailTo(person.ID, in.entryWord()), Sent{Outcome: MessageHeld, Why: errPaused.Error()})
		}
		return nil, toTemporal(ctx, &partner.Error{
			Op: "calendar.send_invitations", Kind: partner.Unavailable, RetryAfter: pauseLook, Cause: errPaused,
		})
	}
	region := a.Policy.For(in.PortfolioID, in.PropertyID).Region
	words := strings.NewReplacer("{window}", in.Window.Text(loc, region))
	in.Description, in.Text = words.Replace(in.Description), words.Replace(in.Text)
	var passing error
	results := make([]Sent, 0, len(in.People))
	for _, person := range in.People {
		sent, err := a.sendInvitation(ctx, in, person, loc, region)
		if err == nil && sent.Outcome != MessageSent {
			notSent(ctx, in.Ref+"/"+sent.Step, mailTo(person.ID, in.entryWord()), sent)
		}
		if final := (*temporal.ApplicationError)(nil); errors.As(err, &final) {
			return nil, err
		}
		if err != nil {
			passing = err
			continue
		}
		results = append(results, sent)
	}
	if passing == nil {
		return results, nil
	}
	return nil, withResults(toTemporal(ctx, passing), results)
}

// errPaused is why messages and invitations wait.
var errPaused = errors.New("outbound messages are paused")

// sendInvitation sends one mail. An error of the input itself is Temporal's, and
// fails all.
func (a *Activities) sendInvitation(ctx context.Context, in SendInvitationsInput, to Person, loc *time.Location, region string) (Sent, error) {
	step := invitationStep(in, to)
	impossible := func(why string) (Sent, error) {
		return Sent{Step: step, Outcome: MessageImpossible, Why: "mail: " + why}, nil
	}
	if to.Email == "" {
		return impossible("no address")
	}
	info := activity.GetInfo(ctx)
	event := appointments.Event{
		UID: in.UID, Sequence: in.Sequence, Cancel: in.Cancel, Window: in.Window,
		// Every try of the mail is the same.
		Stamp:   a.Clock.At(info.ScheduledTime),
		Summary: in.Summary, Location: in.Location, Description: in.Description,
		Organizer: appointments.Party(a.Mail.From()),
		Attendees: []appointments.Party{{Name: to.Name, Email: to.Email}},
	}
	if !strings.Contains(event.UID, "@") {
		event.UID += "@" + a.MailDomain
	}
	calendar, err := appointments.Invitation(event)
	if errors.Is(err, appointments.ErrAddress) {
		return impossible("the address is malformed")
	}
	if err != nil {
		return Sent{}, temporal.NewNonRetryableApplicationError(err.Error(), string(partner.Invalid), nil)
	}
	record := store.Message{
		Key: in.Ref + "/" + step, Channel: string(Mail), Address: a.Keys.Address(to.Email),
		WorkflowID: info.WorkflowExecution.ID, Step: step, Class: string(Routine), SentAt: a.Now().UTC(),
	}
	if !a.Outbound.Allows(to.Email) {
		record.Ref, record.Status = record.Key, "recorded"
		return Sent{Step: step, Outcome: MessageRecorded, Channel: Mail, Why: "KEYHOLDER_OUTBOUND is " + string(a.Outbound.Mode)}, a.Store.RecordMessage(ctx, record)
	}
	message := mail.Message{
		Subject: event.Subject(loc, region), Text: in.Text,
		To:       []mail.Address{{Name: withoutControls(to.Name), Email: to.Email}},
		Calendar: &mail.Calendar{Method: mail.CalendarRequest, Data: calendar},
	}
	if in.Cancel {
		message.Calendar.Method = mail.CalendarCancel
	}
	record.Ref, err = a.sendMail(ctx, record.Key, message, mailAbout(to.ID, in.entryWord(), message.Subject))
	if kind := partner.KindOf(err); err != nil && kind != "" && !retryable(kind) {
		return impossible("refused as " + string(kind))
	}
	if err != nil {
		return Sent{}, err
	}
	record.Status = "queued"
	return Sent{Step: step, Outcome: MessageSent, Channel: Mail}, a.Store.RecordMessage(ctx, record)
}

// entryWord is what a mail carries, for the audit.
func (in SendInvitationsInput) entryWord() string {
	if in.Cancel {
		return "calendar entry of a visit, cancelled"
	}
	return fmt.Sprintf("calendar entry of a visit, version %d", in.Sequence)
}

// invitationStep names the mail of one state of a visit to one person.
func invitationStep(in SendInvitationsInput, to Person) string {
	step := "invitation/" + in.UID + "/" + strconv.Itoa(in.Sequence)
	if in.Cancel {
		step += "/cancel"
	}
	return step + "/" + to.ID
}

// withoutControls turns what no header may hold into spaces.
func withoutControls(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
