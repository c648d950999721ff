package appointments

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
)

const (
	maxLine        = 250  // runes of a location or name, and of a UID
	maxSummary     = 150  // runes: it is the subject of a mail too
	maxDescription = 4000 // runes
	maxAttendees   = 50
	lineOctets     = 75 // RFC 5545 3.1
)

// ErrAddress is wrapped by the error about an attendee whose address calendars could
// not use.
var ErrAddress = errors.New("the e-mail address is malformed")

// Party is who takes part in an event; Name may be "".
type Party struct {
	Name  string
	Email string
}

// Event is a visit as calendars are told of it.
type Event struct {
	// UID names the visit for ever; Sequence grows with every change of it, its
	// cancellation included (RFC 5546 2.1.4, 2.1.5).
	UID      string
	Sequence int
	// Cancel takes the visit out of the calendars again.
	Cancel bool
	// Stamp is when this was written (business time).
	Stamp       time.Time
	Window      Window
	Summary     string
	Location    string
	Description string
	Organizer   Party
	Attendees   []Party
}

// Subject is the subject of the mail that carries the event to people of a zone and
// a region: one clean line with the summary and the window.
func (in Event) Subject(loc *time.Location, region string) string {
	subject := shorten(line(in.Summary), maxSummary) + " - " + in.Window.Text(loc, region)
	if in.Cancel {
		return "Cancelled: " + subject
	}
	return subject
}

// Invitation is the iCalendar object that invites to an event (METHOD REQUEST) or
// cancels it (METHOD CANCEL). Texts are cleaned: no value can add a line or a
// parameter, and none is too long. It fails, without naming an address, where the
// event lacks a UID, a stamp, a window that ends after it begins, an organiser or
// attendees, or where an address is malformed (ErrAddress for an attendee's).
func Invitation(in Event) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, fmt.Errorf("invitation: %w", err)
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//Keyholder//Appointments//EN")
	cal.SetCalscale("GREGORIAN")
	event := cal.AddEvent(in.UID)
	if in.Cancel {
		cal.SetMethod(ics.MethodCancel)
		event.SetStatus(ics.ObjectStatusCancelled)
	} else {
		cal.SetMethod(ics.MethodRequest)
		event.SetStatus(ics.ObjectStatusConfirmed)
	}
	event.SetSequence(in.Sequence)
	event.SetDtStampTime(in.Stamp)
	event.SetStartAt(in.Window.Start)
	event.SetEndAt(in.Window.End)
	event.SetSummary(shorten(line(in.Summary), maxSummary))
	if location := line(in.Location); location != "" {
		event.SetLocation(location)
	}
	if text := paragraphs(in.Description); text != "" {
		event.SetDescription(text)
	}
	organizer, err := calAddress(in.Organizer.Email)
	if err != nil {
		return nil, errors.New("invitation: the organiser's e-mail address is malformed")
	}
	event.SetOrganizer(organizer, commonName(in.Organizer)...)
	for _, a := range in.Attendees {
		attendee, err := calAddress(a.Email)
		if err != nil {
			return nil, fmt.Errorf("invitation: an attendee: %w", err)
		}
		// Nobody needs to answer: the visit is agreed.
		event.AddAttendee(attendee, append(commonName(a), &ics.KeyValues{Key: string(ics.ParameterRsvp), Value: []string{"FALSE"}})...)
	}
	return []byte(cal.Serialize(ics.WithLineLength(lineOctets), ics.WithNewLineWindows)), nil
}

func (in Event) check() error {
	switch {
	case in.UID == "" || line(in.UID) != in.UID || in.Sequence < 0:
		return errors.New("want a UID of one short line, and a sequence of 0 or more")
	case in.Stamp.IsZero() || in.Window.Start.IsZero() || !in.Window.End.After(in.Window.Start):
		return errors.New("want a stamp, and a window that ends after it begins")
	case line(in.Summary) == "":
		return errors.New("want a summary")
	case len(in.Attendees) == 0 || len(in.Attendees) > maxAttendees:
		return fmt.Errorf("want 1 to %d attendees", maxAttendees)
	}
	return nil
}

// commonName is the parameter CN. The characters that would have to be quoted
// there, or are an escape to some (RFC 6868), are replaced: calendars disagree about
// how to read them.
func commonName(p Party) []ics.PropertyParameter {
	name := strings.Join(strings.Fields(strings.NewReplacer(
		`"`, "\u2019", `'`, "\u2019", `,`, " ", `;`, " ", `:`, " ", `\`, " ", `^`, " ").Replace(line(p.Name))), " ")
	if name == "" {
		return nil
	}
	return []ics.PropertyParameter{ics.WithCN(name)}
}

// calAddress is the mailto URI of an address (RFC 6068).
func calAddress(email string) (string, error) {
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > maxLine {
		return "", ErrAddress
	}
	var b strings.Builder
	b.WriteString("mailto:")
	for _, c := range []byte(email) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("@.-_~+!$'*", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), nil
}

// line is a text as one clean line.
func line(text string) string {
	return shorten(strings.Join(strings.Fields(strings.Map(printable, strings.ToValidUTF8(text, " "))), " "), maxLine)
}

// paragraphs is a text as clean lines.
func paragraphs(text string) string {
	var lines []string
	for part := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text), "\n") {
		lines = append(lines, strings.Join(strings.Fields(strings.Map(printable, strings.ToValidUTF8(part, " "))), " "))
	}
	return shorten(strings.TrimSpace(strings.Join(lines, "\n")), maxDescription)
}

// printable turns controls, and what only changes how others are shown, into
// spaces.
func printable(r rune) rune {
	if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || unicode.Is(unicode.Bidi_Control, r) {
		return ' '
	}
	return r
}

// shorten keeps at most so many runes.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:most-1])) + "\u2026"
}
