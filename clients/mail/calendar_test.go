package mail_test

import (
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/mail"
)

// keeper is a mail server that passes on what arrives as it arrives.
type keeper chan string

func (k keeper) NewSession(*smtp.Conn) (smtp.Session, error) { return k, nil }
func (k keeper) Mail(string, *smtp.MailOptions) error        { return nil }
func (k keeper) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (k keeper) Reset()                                      {}
func (k keeper) Logout() error                               { return nil }
func (k keeper) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	k <- string(raw)
	return err
}

// forms is the tree of the content types of a mail.
func forms(t *testing.T, contentType string, body io.Reader) string {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	if !strings.HasPrefix(kind, "multipart/") {
		return kind
	}
	var parts []string
	for reader := multipart.NewReader(body, parameters["boundary"]); ; {
		part, err := reader.NextPart()
		if err == io.EOF {
			return kind + "[" + strings.Join(parts, " ") + "]"
		}
		require.NoError(t, err)
		parts = append(parts, forms(t, part.Header.Get("Content-Type"), part))
	}
}

// RFC 2046 5.1.4: the form to prefer comes last; the files stay outside of the
// forms.
func TestWhereACalendarObjectIs(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	raw := make(keeper, 2)
	server := smtp.NewServer(raw)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
		_ = listener.Close()
	})
	client := mail.New(config(listener.Addr()))
	object := &mail.Calendar{Method: mail.CalendarRequest, Data: []byte("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")}
	for want, change := range map[string]func(*mail.Message){
		"multipart/mixed[multipart/alternative[text/plain text/html text/calendar] application/ics application/pdf]": func(*mail.Message) {},
		"multipart/mixed[multipart/alternative[text/plain text/calendar] application/ics]":                           func(m *mail.Message) { m.HTML, m.Attachments = "", nil },
	} {
		m := message()
		m.Calendar = object
		change(&m)
		require.NoError(t, client.Send(t.Context(), m))
		parsed, err := netmail.ReadMessage(strings.NewReader(<-raw))
		require.NoError(t, err)
		require.Equal(t, want, forms(t, parsed.Header.Get("Content-Type"), parsed.Body))
	}
}
