package appointments_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/appointments"
)

func visit() appointments.Event {
	start := time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
	return appointments.Event{
		UID: "work-order-4711@keyholder.example.org", Sequence: 2, Stamp: start.Add(-24 * time.Hour),
		Window:  appointments.Window{Start: start, End: start.Add(4 * time.Hour)},
		Summary: "Repair: leaking tap", Location: "12 Elm St, Unit 4; Oakland", Description: "Work order 4711.\nPlease keep the kitchen clear.",
		Organizer: appointments.Party{Name: "Acme Homes", Email: "repairs@example.org"},
		Attendees: []appointments.Party{{Name: "Zoë O'Neill", Email: "zoe@example.com"}},
	}
}

func ExampleInvitation() {
	start := time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)
	data, err := appointments.Invitation(appointments.Event{
		UID: "work-order-4711@example.org", Stamp: start.Add(-48 * time.Hour),
		Window:  appointments.Window{Start: start, End: start.Add(4 * time.Hour)},
		Summary: "Repair: leaking tap", Location: "12 Elm St, Oakland",
		Organizer: appointments.Party{Name: "Acme Homes", Email: "repairs@example.org"},
		Attendees: []appointments.Party{{Name: "Zoe", Email: "zoe@example.com"}},
	})
	fmt.Println(strings.ReplaceAll(string(data), "\r\n", "\n"), err)
	// Output:
	// BEGIN:VCALENDAR
	// VERSION:2.0
	// PRODID:-//Keyholder//Appointments//EN
	// CALSCALE:GREGORIAN
	// METHOD:REQUEST
	// BEGIN:VEVENT
	// UID:work-order-4711@example.org
	// STATUS:CONFIRMED
	// SEQUENCE:0
	// DTSTAMP:20261122T160000Z
	// DTSTART:20261124T160000Z
	// DTEND:20261124T200000Z
	// SUMMARY:Repair: leaking tap
	// LOCATION:12 Elm St\, Oakland
	// ORGANIZER;CN=Acme Homes:mailto:repairs@example.org
	// ATTENDEE;CN=Zoe;RSVP=FALSE:mailto:zoe@example.com
	// END:VEVENT
	// END:VCALENDAR
	//  <nil>
}

// unfolded checks the form of every line (RFC 5545 3.1) and returns the lines that
// were meant.
func unfolded(t testing.TB, data []byte) []string {
	t.Helper()
	require.True(t, utf8.Valid(data))
	text, ended := strings.CutSuffix(string(data), "\r\n")
	require.True(t, ended, "the last line ends too")
	lines := strings.Split(text, "\r\n")
	for _, line := range lines {
		require.LessOrEqual(t, len(line), 75, "octets of %q", line)
		require.NotEmpty(t, line)
		require.True(t, utf8.ValidString(line), "a character is cut in two: %q", line)
		require.Negative(t, strings.IndexFunc(line, unicode.IsControl), "%q", line)
	}
	return strings.Split(strings.ReplaceAll(text, "\r\n ", ""), "\r\n")
}

// values are the lines of the object, by what stands before the first colon.
func values(t testing.TB, data []byte) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, line := range unfolded(t, data) {
		name, value, ok := strings.Cut(line, ":")
		require.True(t, ok, "%q", line)
		if name == "BEGIN" || name == "END" {
			name, value = line, ""
		}
		_, twice := list[name]
		require.False(t, twice, "%q is there twice", name)
		list[name] = value
	}
	return list
}

func TestAnInvitationIsReadBack(t *testing.T) {
	t.Parallel()
	in := visit()
	data, err := appointments.Invitation(in)
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"BEGIN:VCALENDAR": "", "END:VCALENDAR": "", "BEGIN:VEVENT": "", "END:VEVENT": "",
		"VERSION": "2.0", "PRODID": "-//Keyholder//Appointments//EN", "CALSCALE": "GREGORIAN", "METHOD": "REQUEST",
		"UID": in.UID, "SEQUENCE": "2", "STATUS": "CONFIRMED", "DTSTAMP": "20261123T160000Z",
		"DTSTART": "20261124T160000Z", "DTEND": "20261124T200000Z",
		"SUMMARY": "Repair: leaking tap", "LOCATION": `12 Elm St\, Unit 4\; Oakland`,
		"DESCRIPTION":                        `Work order 4711.\nPlease keep the kitchen clear.`,
		"ORGANIZER;CN=Acme Homes":            "mailto:repairs@example.org",
		"ATTENDEE;CN=Zoë O’Neill;RSVP=FALSE": "mailto:zoe@example.com",
	}, values(t, data))

	cal, err := ics.ParseCalendar(bytes.NewReader(data))
	require.NoError(t, err)
	require.Len(t, cal.Events(), 1)
	event := cal.Events()[0]
	start, err := event.GetStartAt()
	require.NoError(t, err)
	end, err := event.GetEndAt()
	require.NoError(t, err)
	require.Equal(t, in.Window.Start, start)
	require.Equal(t, in.Window.End, end)
	require.Equal(t, in.UID, event.Id())
	require.Equal(t, in.Location, event.GetProperty(ics.ComponentPropertyLocation).Value)
	require.Equal(t, in.Description, event.GetProperty(ics.ComponentPropertyDescription).Value)
	require.Equal(t, "zoe@example.com", event.Attendees()[0].Email())
}

func TestACancellation(t *testing.T) {
	t.Parallel()
	in := visit()
	in.Cancel, in.Sequence = true, 3
	data, err := appointments.Invitation(in)
	require.NoError(t, err)
	got := values(t, data)
	require.Equal(t, "CANCEL", got["METHOD"])
	require.Equal(t, "CANCELLED", got["STATUS"])
	require.Equal(t, "3", got["SEQUENCE"])
	require.Equal(t, in.UID, got["UID"])
}

func TestSubject(t *testing.T) {
	t.Parallel()
	in := visit()
	pacific := zone(t, "America/Los_Angeles")
	require.Equal(t, "Repair: leaking tap - Tue Nov 24, 8 AM-12 PM", in.Subject(pacific, "US"))
	in.Cancel = true
	in.Summary = "Repair\r\nBcc: x@example.com"
	require.Equal(t, "Cancelled: Repair Bcc: x@example.com - Tue 24 Nov, 08:00-12:00", in.Subject(pacific, "GB"))
	in.Summary = strings.Repeat("\u6c34", 1000)
	require.Less(t, len(in.Subject(pacific, "US")), 900)
}

func TestValuesAddNoLinesAndNoParameters(t *testing.T) {
	t.Parallel()
	in := visit()
	evil := "x\r\nATTENDEE:mailto:evil@example.com\nSTATUS:CANCELLED\r\x00\u2028\u202e;a=\"b\",c:d\\n"
	in.Summary, in.Location, in.Description = evil, evil, evil
	in.Organizer.Name, in.Attendees[0].Name = evil, evil
	data, err := appointments.Invitation(in)
	require.NoError(t, err)
	got := values(t, data)
	require.Len(t, got, 19)
	require.Equal(t, "CONFIRMED", got["STATUS"])
	require.Equal(t, `x ATTENDEE:mailto:evil@example.com STATUS:CANCELLED \;a="b"\,c:d\\n`, got["SUMMARY"])
	require.Equal(t, `x\nATTENDEE:mailto:evil@example.com\nSTATUS:CANCELLED\n\n\;a="b"\,c:d\\n`, got["DESCRIPTION"])
	require.Equal(t, "mailto:zoe@example.com", got["ATTENDEE;CN=x ATTENDEE mailto evil@example.com STATUS CANCELLED a=’b’ c d n;RSVP=FALSE"], "%v", got)
}

func TestLongTextsAreShortened(t *testing.T) {
	t.Parallel()
	in := visit()
	long := strings.Repeat("Wasser läuft 水 ", 2000)
	in.Summary, in.Location, in.Description, in.Attendees[0].Name = long, long, long, strings.ReplaceAll(long, " ", "")
	data, err := appointments.Invitation(in)
	require.NoError(t, err)
	got := values(t, data)
	require.LessOrEqual(t, utf8.RuneCountInString(got["SUMMARY"]), 150)
	require.True(t, strings.HasSuffix(got["SUMMARY"], "\u2026"))
	require.LessOrEqual(t, len(data), 20_000)
}

func TestNoInvitation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil   func(*appointments.Event)
		address bool
	}{
		"no UID":                      {spoil: func(e *appointments.Event) { e.UID = "" }},
		"a UID of two lines":          {spoil: func(e *appointments.Event) { e.UID = "a\r\nb" }},
		"too long a UID":              {spoil: func(e *appointments.Event) { e.UID = strings.Repeat("a", 300) }},
		"a negative sequence":         {spoil: func(e *appointments.Event) { e.Sequence = -1 }},
		"no stamp":                    {spoil: func(e *appointments.Event) { e.Stamp = time.Time{} }},
		"no window":                   {spoil: func(e *appointments.Event) { e.Window = appointments.Window{} }},
		"a window without an end":     {spoil: func(e *appointments.Event) { e.Window.End = e.Window.Start }},
		"no summary":                  {spoil: func(e *appointments.Event) { e.Summary = " \r\n" }},
		"nobody":                      {spoil: func(e *appointments.Event) { e.Attendees = nil }},
		"a crowd":                     {spoil: func(e *appointments.Event) { e.Attendees = make([]appointments.Party, 51) }},
		"no organiser":                {spoil: func(e *appointments.Event) { e.Organizer = appointments.Party{} }},
		"an attendee without address": {spoil: func(e *appointments.Event) { e.Attendees[0].Email = "" }, address: true},
		"a line break in an address":  {spoil: func(e *appointments.Event) { e.Attendees[0].Email = "zoe@example.com\r\nX:y" }, address: true},
		"two addresses in one":        {spoil: func(e *appointments.Event) { e.Attendees[0].Email = "zoe@example.com,x@example.com" }, address: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := visit()
			c.spoil(&in)
			data, err := appointments.Invitation(in)
			require.Error(t, err)
			require.Nil(t, data)
			require.Equal(t, c.address, errors.Is(err, appointments.ErrAddress), "%v", err)
			require.NotContains(t, err.Error(), "zoe")
		})
	}
}

// Whatever people are called and write, the object has its form and its lines.
func FuzzInvitation(f *testing.F) {
	f.Add("Repair", "12 Elm St, Unit 4", "a\nb", "Zoë O'Neill", "zoe@example.com")
	f.Add("x\r\nSTATUS:CANCELLED", "\\n;,:\"", strings.Repeat("\u6c34\U0001f6b0", 60), "\"a\\\"", `"a b\r"@example.com`)
	f.Add(strings.Repeat("a", 200), strings.Repeat("<b> ", 40), "\xff\xfe\x00", ":;,=", "o'neill+x%y@example.com")
	f.Add("\u2028\u2029\u0085", "\ufeff", "\r\r\n\n\t", "", "zoë@example.com")
	f.Fuzz(func(t *testing.T, summary, location, description, name, email string) {
		in := visit()
		in.Summary, in.Location, in.Description = summary, location, description
		in.Organizer.Name, in.Attendees[0] = name, appointments.Party{Name: name, Email: email}
		data, err := appointments.Invitation(in)
		if err != nil {
			return
		}
		names := map[string]int{}
		for _, line := range unfolded(t, data) {
			before, _, ok := strings.Cut(line, ":")
			require.True(t, ok, "%q", line)
			property, _, _ := strings.Cut(before, ";")
			names[property]++
		}
		for property, n := range names {
			want := 1
			if property == "BEGIN" || property == "END" {
				want = 2
			}
			require.Equal(t, want, n, property)
		}
		for _, optional := range []string{"LOCATION", "DESCRIPTION"} {
			delete(names, optional)
		}
		require.Len(t, names, 15)
		cal, err := ics.ParseCalendar(bytes.NewReader(data))
		require.NoError(t, err)
		require.Len(t, cal.Events(), 1)
		require.Len(t, cal.Events()[0].Attendees(), 1)
		require.Equal(t, "CONFIRMED", cal.Events()[0].GetProperty(ics.ComponentPropertyStatus).Value)
	})
}
