package mailbox

import (
	"io"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one connection. Any user name and password are right.
type session struct {
	server *Server
	conn   *smtp.Conn
	from   string
	to     []string
}

// AuthMechanisms offers PLAIN, so that clients with credentials work too.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth accepts anybody.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return nil }), nil
}

// Reset forgets the envelope.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// Mail notes the sender.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt notes a recipient; the server bounds their number.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data takes the mail, or fails as the fault says.
func (s *session) Data(r io.Reader) error {
	m := read(r)
	// What the parser left over still has to be read.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	m.From, m.To = s.from, s.to
	fault := s.server.cfg.Fault()
	if fault.Latency > 0 {
		timer := time.NewTimer(fault.Latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.server.ctx.Done():
		}
	}
	if fault.Status != 0 {
		s.server.cfg.OnMail(m, fault.Status)
		return refusal(fault.Status)
	}
	m = s.server.keep(m)
	if fault.DropAfterData {
		s.server.cfg.OnMail(m, 0)
		return s.conn.Conn().Close()
	}
	s.server.cfg.OnMail(m, 250)
	return nil
}

func refusal(status int) error {
	e := &smtp.SMTPError{Code: status, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Try again later (a fault of the sandbox)"}
	if status >= 500 {
		e.EnhancedCode, e.Message = smtp.EnhancedCode{5, 7, 1}, "Not accepted (a fault of the sandbox)"
	}
	return e
}
