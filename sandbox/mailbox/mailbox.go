// Package mailbox is a mail server for development and tests: it takes every
// mail over real SMTP, shows it to nobody else, and can be told to refuse, to be
// slow, or to lose its answer after it has taken a mail.
package mailbox

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxMails       = 500
	maxStored      = 128 << 20 // bytes of all mails kept
	maxMessage     = 25 << 20
	maxRecipients  = 100
	maxKnownIDs    = 20_000
	commandTimeout = 90 * time.Second
)

// A Fault is what goes wrong with one mail.
type Fault struct {
	// Status refuses the mail after its data: 4xx for now, 5xx for good; 0 takes it.
	Status int
	// Latency passes before the answer.
	Latency time.Duration
	// DropAfterData takes the mail and closes the connection without an answer.
	DropAfterData bool
}

// Config of the mailbox.
type Config struct {
	// Fault is asked once for every mail; nil is none ever.
	Fault func() Fault
	// OnMail is told what arrived and the status answered (0: none was); may be nil.
	OnMail func(m Mail, status int)
}

// Server is the mail server.
type Server struct {
	cfg  Config
	smtp *smtp.Server
	done chan struct{}
	ctx  context.Context // the server's life, ended by Close
	stop context.CancelFunc
	// listener is closed here too: the library does not know of one that it has
	// not begun to serve.
	listener net.Listener

	mu         sync.Mutex
	mails      []Mail
	stored     int
	nextID     int
	known      map[string]struct{}
	duplicates int
}

// New makes a server that does not listen yet.
func New(cfg Config) *Server {
	if cfg.Fault == nil {
		cfg.Fault = func() Fault { return Fault{} }
	}
	if cfg.OnMail == nil {
		cfg.OnMail = func(Mail, int) {}
	}
	s := &Server{cfg: cfg, done: make(chan struct{}), known: map[string]struct{}{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	s.smtp.Domain = "sandbox.localhost"
	s.smtp.MaxMessageBytes = maxMessage
	s.smtp.MaxRecipients = maxRecipients
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = commandTimeout, commandTimeout
	s.smtp.AllowInsecureAuth = true // it is this machine
	s.smtp.ErrorLog = silent{}
	return s
}

// silent drops the library's complaints about callers that hang up.
type silent struct{}

// Printf drops a line.
func (silent) Printf(string, ...any) {}

// Println drops a line.
func (silent) Println(...any) {}

// Serve answers on a listener in the background until Close.
func (s *Server) Serve(l net.Listener) {
	s.listener = l
	go func() {
		defer close(s.done)
		// It ends with the listener, which is Close's doing.
		_ = s.smtp.Serve(l)
	}()
}

// Close stops listening and ends sessions that do not end by themselves within
// the context's time. Only after Serve.
func (s *Server) Close(ctx context.Context) error {
	s.stop()
	err := s.smtp.Shutdown(ctx)
	if ctx.Err() != nil {
		_ = s.smtp.Close()
	}
	_ = s.listener.Close() // an error only says that it is closed
	<-s.done
	return err
}

// Reset forgets all mails and duplicates.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails, s.stored, s.duplicates, s.known = nil, 0, 0, map[string]struct{}{}
}

// Mails lists what is kept, oldest first: the last 500, fewer where they are
// large.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Mail returns one by its ID.
func (s *Server) Mail(id int) (Mail, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mails {
		if m.ID == id {
			return m, true
		}
	}
	return Mail{}, false
}

// Duplicates counts mails whose Message-ID had arrived before.
func (s *Server) Duplicates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.duplicates
}

func (s *Server) keep(m Mail) Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextID++
	m.ID = s.nextID
	if m.MessageID != "" {
		if _, seen := s.known[m.MessageID]; seen {
			s.duplicates++
		}
		if len(s.known) >= maxKnownIDs {
			clear(s.known)
		}
		s.known[m.MessageID] = struct{}{}
	}
	s.mails = append(s.mails, m)
	s.stored += m.size()
	s.trim()
	return m
}

// trim drops the oldest mails above the bounds; it needs the lock.
func (s *Server) trim() {
	for len(s.mails) > maxMails || (s.stored > maxStored && len(s.mails) > 1) {
		s.stored -= s.mails[0].size()
		s.mails = slices.Clone(s.mails[1:])
	}
}
