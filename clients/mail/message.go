package mail

import (
	"bytes"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/aictive/keyholder/clients/partner"
)

const (
	maxRecipients  = 50
	maxBytes       = 20 << 20
	maxHeaderBytes = 900
)

// Address is a person's mailbox; Name may be "".
type Address struct {
	Name  string
	Email string
}

// An Attachment is a file in a message.
type Attachment struct {
	Name        string
	ContentType string
	Data        []byte
	// ContentID is what the HTML of Message.Inline refers to as "cid:..."; other
	// attachments have none.
	ContentID string
}

// Calendar is an iCalendar object that belongs to a message (RFC 6047).
type Calendar struct {
	// Method is that of the object: CalendarRequest or CalendarCancel.
	Method string
	Data   []byte
}

// The methods of a Calendar.
const (
	CalendarRequest = "REQUEST"
	CalendarCancel  = "CANCEL"
)

// Message is one mail. It is refused as partner.Invalid, before anything is
// sent, where a header would hold a line break or another control character, an
// address is malformed, there is no recipient or more than 50, there is neither
// text nor HTML, the calendar object has no data or another method, an inline file
// has no ContentID of its own or there is no HTML to show it, or all together is larger
// than 20 MiB.
type Message struct {
	// MessageID is "local@domain", with or without angle brackets, the same for
	// every try of the same mail.
	MessageID string
	To        []Address
	Subject   string
	// Text and HTML are two forms of the same; one of them may be "".
	Text        string
	HTML        string
	Attachments []Attachment
	// Inline are files that the HTML shows, such as pictures: <img src="cid:ContentID">.
	Inline []Attachment
	// Calendar, where it is not nil, is another form of the message, for calendars, and
	// an attachment "invite.ics" for mail programs that do not know that form.
	Calendar *Calendar
}

// compose builds the MIME message. Auto-Submitted (RFC 3834) keeps holiday
// responders from answering.
func (c *Client) compose(m Message) (*gomail.Msg, error) {
	id, err := m.check()
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from, err := address(c.cfg.From)
	if err != nil {
		return nil, invalid("the sender's address is malformed")
	}
	msg.FromMailAddress(from)
	for _, to := range m.To {
		parsed, err := address(to)
		if err != nil {
			return nil, invalid("a recipient's address is malformed")
		}
		msg.AddToMailAddress(parsed)
	}
	msg.SetMessageIDWithValue(id)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.Subject(m.Subject)
	if m.Text != "" {
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	}
	switch {
	case m.HTML != "" && m.Text != "":
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	case m.HTML != "":
		msg.SetBodyString(gomail.TypeTextHTML, m.HTML)
	}
	if m.Calendar != nil {
		addCalendar(msg, *m.Calendar)
	}
	for _, a := range m.Inline {
		msg.EmbedReadSeeker(a.Name, bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(a.ContentType)),
			gomail.WithFileContentID("<"+a.ContentID+">"))
	}
	for _, a := range m.Attachments {
		msg.AttachReadSeeker(a.Name, bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(a.ContentType)))
	}
	return msg, nil
}

// addCalendar adds the object as the last alternative, which is the one that mail
// programs prefer, and as a file of another type, lest it is shown twice. Base64
// keeps its line ends.
func addCalendar(msg *gomail.Msg, c Calendar) {
	msg.AddAlternativeString(gomail.ContentType("text/calendar; method="+c.Method), string(c.Data),
		gomail.WithPartEncoding(gomail.EncodingB64))
	msg.AttachReadSeeker("invite.ics", bytes.NewReader(c.Data), gomail.WithFileContentType("application/ics"))
}

// check refuses what cannot be sent and returns the bare Message-ID.
func (m Message) check() (id string, err error) {
	id = strings.TrimSuffix(strings.TrimPrefix(m.MessageID, "<"), ">")
	local, domain, ok := strings.Cut(id, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(id, "<>()[],;:\\\" ") || strings.Contains(domain, "@") ||
		strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 || len(id) > maxHeaderBytes {
		return "", invalid("the Message-ID is malformed")
	}
	if len(m.To) == 0 || len(m.To) > maxRecipients {
		return "", invalid("a message needs 1 to 50 recipients")
	}
	if m.Text == "" && m.HTML == "" {
		return "", invalid("the message is empty")
	}
	if !headerSafe(m.Subject) {
		return "", invalid("the subject holds a control character or is too long")
	}
	size := len(m.Text) + len(m.HTML)
	if m.Calendar != nil {
		size += 2 * len(m.Calendar.Data)
		if len(m.Calendar.Data) == 0 || (m.Calendar.Method != CalendarRequest && m.Calendar.Method != CalendarCancel) {
			return "", invalid("a calendar object needs data, and REQUEST or CANCEL as its method")
		}
	}
	for _, a := range slices.Concat(m.Attachments, m.Inline) {
		size += len(a.Data)
		if !headerSafe(a.Name) || a.Name == "" || !headerSafe(a.ContentType) {
			return "", invalid("an attachment's name or type cannot be used")
		}
	}
	if err := m.checkInline(); err != nil {
		return "", err
	}
	if size > maxBytes {
		return "", invalid("the message is too large")
	}
	return id, nil
}

var contentID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// checkInline refuses files that the HTML cannot refer to.
func (m Message) checkInline() error {
	seen := map[string]bool{}
	for _, a := range m.Inline {
		if !contentID.MatchString(a.ContentID) || seen[a.ContentID] {
			return invalid("an inline file needs a ContentID of its own: letters, digits, dots, - and _")
		}
		seen[a.ContentID] = true
	}
	if len(m.Inline) > 0 && m.HTML == "" {
		return invalid("inline files need HTML that shows them")
	}
	return nil
}

// address checks an address. A parsed one that differs was more than an address.
func address(a Address) (*mail.Address, error) {
	if !headerSafe(a.Name) || !headerSafe(a.Email) {
		return nil, invalid("")
	}
	parsed, err := mail.ParseAddress(a.Email)
	if err != nil || parsed.Address != a.Email {
		return nil, invalid("")
	}
	return &mail.Address{Name: a.Name, Address: parsed.Address}, nil
}

func headerSafe(s string) bool {
	return len(s) <= maxHeaderBytes && strings.IndexFunc(s, unicode.IsControl) < 0
}

func invalid(message string) error {
	return &partner.Error{Op: op, Kind: partner.Invalid, Message: message}
}
