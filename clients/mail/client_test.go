package mail_test

import (
	"bufio"
	"context"
	"fmt"
	"mime"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/sandbox/mailbox"
)

var sender = mail.Address{Name: "Keyholder", Email: "keyholder@example.org"}

func message() mail.Message {
	return mail.Message{
		MessageID: "work-order/4711.report@keyholder.example.org",
		To:        []mail.Address{{Name: "Zoë Owner", Email: "zoe@example.com"}, {Email: "pm@example.com"}},
		Subject:   "Incident report: burst pipe – 12 Elm St",
		Text:      "Dear Zoë,\n\n.a line that starts with a dot\n",
		HTML:      "<p>Dear Zoë</p>",
		Attachments: []mail.Attachment{
			{Name: "report.pdf", ContentType: "application/pdf", Data: []byte("%PDF-1.7\x00\xff")},
		},
	}
}

func picture(id string) mail.Attachment {
	return mail.Attachment{Name: "chart.png", ContentType: "image/png", Data: []byte("png"), ContentID: id}
}

// rig is a mailbox with a fault that tests can set, and a client for it.
func rig(t *testing.T, change func(*mail.Config)) (*mail.Client, *mailbox.Server, *atomic.Value) {
	t.Helper()
	fault := &atomic.Value{}
	fault.Store(mailbox.Fault{})
	box := mailbox.New(mailbox.Config{Fault: func() mailbox.Fault { return fault.Load().(mailbox.Fault) }})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	box.Serve(listener)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = box.Close(ctx)
	})
	cfg := config(listener.Addr())
	if change != nil {
		change(&cfg)
	}
	return mail.New(cfg), box, fault
}

func config(addr net.Addr) mail.Config {
	return mail.Config{Host: "127.0.0.1", Port: addr.(*net.TCPAddr).Port, From: sender, TLS: mail.TLSNone, Timeout: 5 * time.Second}
}

func ExampleClient_Send() {
	box := mailbox.New(mailbox.Config{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	box.Serve(listener)
	defer func() { _ = box.Close(context.Background()) }()
	client := mail.New(mail.Config{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: mail.TLSNone, From: sender,
	})
	err = client.Send(context.Background(), mail.Message{
		MessageID: "work-order/4711.report@keyholder.example.org",
		To:        []mail.Address{{Name: "Property manager", Email: "pm@example.com"}},
		Subject:   "Incident report", Text: "It is fixed.",
	})
	fmt.Println(err, box.Mails()[0].Subject)
	// Output: <nil> Incident report
}

func TestSendArrivesWhole(t *testing.T) {
	t.Parallel()
	client, box, _ := rig(t, func(c *mail.Config) { c.Username, c.Password = "user", "password" })
	require.NoError(t, client.Send(t.Context(), message()))
	require.Len(t, box.Mails(), 1)
	got := box.Mails()[0]
	require.Empty(t, got.Problem)
	require.Equal(t, sender.Email, got.From)
	require.Equal(t, []string{"zoe@example.com", "pm@example.com"}, got.To)
	require.Contains(t, got.ToHeader, "Zoë Owner")
	require.Equal(t, message().MessageID, got.MessageID)
	require.Equal(t, "auto-generated", got.AutoSubmitted)
	require.Equal(t, message().Subject, got.Subject)
	require.Equal(t, message().Text, strings.ReplaceAll(got.Text, "\r\n", "\n"))
	require.Equal(t, message().HTML, got.HTML)
	require.Len(t, got.Attachments, 1)
	require.Equal(t, "report.pdf", got.Attachments[0].Name)
	require.Equal(t, "application/pdf", got.Attachments[0].ContentType)
	require.Equal(t, message().Attachments[0].Data, got.Attachments[0].Data)

	require.NoError(t, client.Send(t.Context(), message()))
	require.Equal(t, 1, box.Duplicates())
}

// The object is a form of the message, as whole as it was given, and a file.
func TestACalendarObjectIsAFormOfTheMessage(t *testing.T) {
	t.Parallel()
	client, box, _ := rig(t, nil)
	object := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:CANCEL\r\nX-LONG:" + strings.Repeat("Zoë ", 10) + "\r\n folded\r\nEND:VCALENDAR\r\n"
	for _, html := range []string{"", "<p>Hello</p>"} {
		m := message()
		m.HTML = html
		m.Calendar = &mail.Calendar{Method: mail.CalendarCancel, Data: []byte(object)}
		require.NoError(t, client.Send(t.Context(), m))
		mails := box.Mails()
		got := mails[len(mails)-1]
		require.Empty(t, got.Problem)
		require.Equal(t, object, got.Calendar)
		kind, parameters, err := mime.ParseMediaType(got.CalendarType)
		require.NoError(t, err)
		require.Equal(t, "text/calendar", kind)
		require.Equal(t, map[string]string{"method": "CANCEL", "charset": "UTF-8"}, parameters)
		require.Equal(t, m.Text, strings.ReplaceAll(got.Text, "\r\n", "\n"))
		require.Equal(t, html, got.HTML)
		require.Len(t, got.Attachments, 2)
		require.Equal(t, "invite.ics", got.Attachments[0].Name)
		require.Equal(t, "application/ics", got.Attachments[0].ContentType)
		require.Equal(t, object, string(got.Attachments[0].Data))
		require.Equal(t, "report.pdf", got.Attachments[1].Name)
	}
}

// Pictures arrive under the name by which the HTML shows them, beside what is attached.
func TestInlinePicturesArrive(t *testing.T) {
	t.Parallel()
	client, box, _ := rig(t, nil)
	m := message()
	m.HTML = `<p>Dear Zoë</p><img src="cid:chart.1" alt="">`
	m.Inline = []mail.Attachment{{Name: "chart.png", ContentType: "image/png", Data: []byte("\x89PNG\r\n\x1a\n\x00\xff"), ContentID: "chart.1"}}
	require.NoError(t, client.Send(t.Context(), m))
	got := box.Mails()[0]
	require.Empty(t, got.Problem)
	require.Equal(t, m.HTML, got.HTML)
	require.Equal(t, m.Text, strings.ReplaceAll(got.Text, "\r\n", "\n"))
	require.Len(t, got.Attachments, 2)
	require.Equal(t, mailbox.Attachment{Name: "chart.png", ContentType: "image/png", Size: 10, Data: m.Inline[0].Data, ContentID: "chart.1"}, got.Attachments[0])
	require.Equal(t, "report.pdf", got.Attachments[1].Name)
	require.Empty(t, got.Attachments[1].ContentID)
}

func TestRefusalsAreClassified(t *testing.T) {
	t.Parallel()
	client, box, fault := rig(t, nil)
	for status, kind := range map[int]partner.Kind{451: partner.Unavailable, 421: partner.Unavailable, 550: partner.Invalid, 554: partner.Invalid, 530: partner.Unauthorised} {
		fault.Store(mailbox.Fault{Status: status})
		err := client.Send(t.Context(), message())
		var e *partner.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, kind, e.Kind, "%d: %v", status, err)
		require.Contains(t, e.Code, fmt.Sprint(status))
		require.NotContains(t, err.Error(), "example.com")
	}
	require.Empty(t, box.Mails())
}

func TestALostReplyAfterDataIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	client, box, fault := rig(t, nil)
	fault.Store(mailbox.Fault{DropAfterData: true})
	err := client.Send(t.Context(), message())
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err), "%v", err)
	require.Len(t, box.Mails(), 1)
	require.NotContains(t, err.Error(), "example.com")

	fault.Store(mailbox.Fault{Latency: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	err = client.Send(ctx, message())
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err), "%v", err)
	require.Less(t, time.Since(begun), 3*time.Second, "the context's deadline holds to the end")

	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, stop)
	begun = time.Now()
	err = client.Send(ctx, message())
	require.Error(t, err)
	require.Less(t, time.Since(begun), 3*time.Second, "so does a cancellation")
}

func TestNothingUnsafeIsSent(t *testing.T) {
	t.Parallel()
	client, box, _ := rig(t, nil)
	for name, spoil := range map[string]func(*mail.Message){
		"line break in the subject":    func(m *mail.Message) { m.Subject = "Hello\r\nBcc: x@example.com" },
		"line break in a name":         func(m *mail.Message) { m.To[0].Name = "Zoë\nBcc: x@example.com" },
		"line break in an address":     func(m *mail.Message) { m.To[0].Email = "zoe@example.com\r\nRCPT TO:<x@example.com>" },
		"two addresses in one":         func(m *mail.Message) { m.To[0].Email = "zoe@example.com, x@example.com" },
		"a name within an address":     func(m *mail.Message) { m.To[0].Email = "Zoë <zoe@example.com>" },
		"no domain":                    func(m *mail.Message) { m.To[0].Email = "zoe" },
		"line break in the Message-ID": func(m *mail.Message) { m.MessageID = "a@b\r\nBcc: x@example.com" },
		"no Message-ID":                func(m *mail.Message) { m.MessageID = "" },
		"line break in a file name":    func(m *mail.Message) { m.Attachments[0].Name = "a\r\n.pdf" },
		"line break in a file type":    func(m *mail.Message) { m.Attachments[0].ContentType = "text/plain\r\nX: y" },
		"nobody to send to":            func(m *mail.Message) { m.To = nil },
		"too many":                     func(m *mail.Message) { m.To = make([]mail.Address, 51) },
		"empty":                        func(m *mail.Message) { m.Text, m.HTML = "", "" },
		"a calendar object of nothing": func(m *mail.Message) { m.Calendar = &mail.Calendar{Method: mail.CalendarRequest} },
		"no method":                    func(m *mail.Message) { m.Calendar = &mail.Calendar{Data: []byte("x")} },
		"line break in the method": func(m *mail.Message) {
			m.Calendar = &mail.Calendar{Method: "REQUEST\r\nBcc: x@example.com", Data: []byte("x")}
		},
		"too large a calendar object": func(m *mail.Message) {
			m.Calendar = &mail.Calendar{Method: mail.CalendarRequest, Data: make([]byte, 11<<20)}
		},
		"an inline file without an id": func(m *mail.Message) { m.Inline = []mail.Attachment{picture("")} },
		"an inline file with a bad id": func(m *mail.Message) { m.Inline = []mail.Attachment{picture("a>\r\nBcc: b")} },
		"two inline files of one id":   func(m *mail.Message) { m.Inline = []mail.Attachment{picture("a"), picture("a")} },
		"an inline file without HTML":  func(m *mail.Message) { m.HTML, m.Inline = "", []mail.Attachment{picture("a")} },
		"too large an inline file": func(m *mail.Message) {
			m.Inline = []mail.Attachment{picture("a")}
			m.Inline[0].Data = make([]byte, 21<<20)
		},
		"too large": func(m *mail.Message) { m.Attachments[0].Data = make([]byte, 21<<20) },
	} {
		m := message()
		spoil(&m)
		err := client.Send(t.Context(), m)
		require.Equal(t, partner.Invalid, partner.KindOf(err), name)
		require.NotContains(t, err.Error(), "zoe@", name)
	}
	require.Empty(t, box.Mails())
}

func TestNoConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	addr := gone.Listener.Addr()
	gone.Close()
	err := mail.New(config(addr)).Send(t.Context(), message())
	require.Equal(t, partner.Unavailable, partner.KindOf(err))
}

func TestTLSIsNotGivenUp(t *testing.T) {
	t.Parallel()
	for _, policy := range []mail.TLSPolicy{"", mail.TLSMandatory, mail.TLSImplicit} {
		client, box, _ := rig(t, func(c *mail.Config) { c.TLS, c.Timeout = policy, 2*time.Second })
		err := client.Send(t.Context(), message())
		require.Equal(t, partner.Unavailable, partner.KindOf(err), "%q: %v", policy, err)
		require.Empty(t, box.Mails())
	}
	client, box, _ := rig(t, func(c *mail.Config) { c.TLS = mail.TLSOpportunistic })
	require.NoError(t, client.Send(t.Context(), message()))
	require.Len(t, box.Mails(), 1)
}

// scripted answers each line that starts with a word by the words' reply.
func scripted(t *testing.T, greeting string, replies map[string]string) net.Addr {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprint(conn, greeting+"\r\n")
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				word, _, _ := strings.Cut(lines.Text(), " ")
				if reply, ok := replies[word]; ok {
					_, _ = fmt.Fprint(conn, reply+"\r\n")
				}
			}
			_ = conn.Close()
		}
	}()
	return listener.Addr()
}

func TestRefusalsBeforeTheMessage(t *testing.T) {
	t.Parallel()
	usual := map[string]string{"EHLO": "250-hi\r\n250 AUTH PLAIN", "MAIL": "250 ok", "RCPT": "250 ok", "RSET": "250 ok", "QUIT": "221 bye", "*": "501 cancelled"}
	with := func(word, reply string) map[string]string {
		out := map[string]string{word: reply}
		for k, v := range usual {
			if k != word {
				out[k] = v
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		greeting string
		replies  map[string]string
		kind     partner.Kind
	}{
		"busy":               {"421 too busy", usual, partner.Unavailable},
		"not served here":    {"554 go away", usual, partner.Forbidden},
		"wrong password":     {"220 hi", with("AUTH", "535 5.7.8 user unknown: secret-user"), partner.Unauthorised},
		"sender refused":     {"220 hi", with("MAIL", "550 no"), partner.Invalid},
		"mailbox full":       {"220 hi", with("RCPT", "452 zoe@example.com is over quota"), partner.Unavailable},
		"unknown recipient":  {"220 hi", with("RCPT", "550 zoe@example.com is not here"), partner.Invalid},
		"no data wanted now": {"220 hi", with("DATA", "451 later"), partner.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(scripted(t, c.greeting, c.replies))
			if _, ok := c.replies["AUTH"]; ok {
				cfg.Username, cfg.Password = "secret-user", "password"
			}
			err := mail.New(cfg).Send(t.Context(), message())
			require.Equal(t, c.kind, partner.KindOf(err), "%v", err)
			require.NotContains(t, err.Error(), "zoe@")
			require.NotContains(t, err.Error(), "secret-user")
		})
	}
}

func TestAcceptedIsAcceptedHoweverThePartingGoes(t *testing.T) {
	t.Parallel()
	addr := scripted(t, "220 hi", map[string]string{
		"EHLO": "250 hi", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken",
		"RSET": "550 what?", "QUIT": "550 stay", "NOOP": "250 ok",
	})
	require.NoError(t, mail.New(config(addr)).Send(t.Context(), message()))
}
