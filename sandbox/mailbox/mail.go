package mailbox

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	// Other character sets than UTF-8.
	_ "github.com/emersion/go-message/charset"
)

const maxParts = 50

// Mail is a mail as it arrived.
type Mail struct {
	ID   int       `json:"id"`
	Time time.Time `json:"time"`
	// From and To are the envelope's.
	From          string       `json:"from"`
	To            []string     `json:"to"`
	FromHeader    string       `json:"from_header"`
	ToHeader      string       `json:"to_header"`
	Subject       string       `json:"subject"`
	MessageID     string       `json:"message_id"`
	AutoSubmitted string       `json:"auto_submitted"`
	Text          string       `json:"text"`
	HTML          string       `json:"html"`
	Attachments   []Attachment `json:"attachments"`
	// Calendar is the text of the iCalendar object among the mail's forms, and
	// CalendarType its content type with the method.
	Calendar     string `json:"calendar,omitempty"`
	CalendarType string `json:"calendar_type,omitempty"`
	// Problem says why the mail could not be read as a whole, "" where it could.
	Problem string `json:"problem,omitempty"`
}

// Attachment is a file of a mail.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Size        int    `json:"size"`
	Data        []byte `json:"-"`
	// ContentID is what the HTML calls a file that it shows, without angle brackets.
	ContentID string `json:"content_id,omitempty"`
}

func (m Mail) size() int {
	n := len(m.Text) + len(m.HTML) + len(m.Subject) + len(m.Calendar)
	for _, a := range m.Attachments {
		n += len(a.Data)
	}
	return n
}

// read parses a mail. What cannot be read is said in Problem; the rest stays.
func read(r io.Reader) Mail {
	m := Mail{Time: time.Now().UTC(), Attachments: []Attachment{}}
	reader, err := mail.CreateReader(r)
	if err != nil && !message.IsUnknownCharset(err) {
		m.Problem = err.Error()
		return m
	}
	h := &reader.Header
	m.Subject, _ = h.Subject()
	m.MessageID, _ = h.MessageID()
	m.FromHeader, _ = h.Text("From")
	m.ToHeader, _ = h.Text("To")
	m.AutoSubmitted = h.Get("Auto-Submitted")
	for range maxParts {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil && !message.IsUnknownCharset(err) {
			m.Problem = err.Error()
			return m
		}
		m.add(part)
	}
	m.Problem = "too many parts"
	return m
}

func (m *Mail) add(part *mail.Part) {
	data, err := io.ReadAll(part.Body)
	if err != nil {
		m.Problem = err.Error()
	}
	switch h := part.Header.(type) {
	case *mail.InlineHeader:
		kind, _, _ := h.ContentType()
		switch {
		case kind == "text/html" && m.HTML == "":
			m.HTML = string(data)
		case kind == "text/calendar" && m.Calendar == "":
			m.Calendar, m.CalendarType = string(data), h.Get("Content-Type")
		case strings.HasPrefix(kind, "text/") && m.Text == "":
			m.Text = string(data)
		default:
			_, params, _ := h.ContentDisposition()
			m.Attachments = append(m.Attachments, Attachment{
				Name: params["filename"], ContentType: kind, Size: len(data), Data: data, ContentID: strings.Trim(h.Get("Content-Id"), "<>"),
			})
		}
	case *mail.AttachmentHeader:
		kind, _, _ := h.ContentType()
		name, _ := h.Filename()
		m.Attachments = append(m.Attachments, Attachment{Name: name, ContentType: kind, Size: len(data), Data: data})
	}
}
