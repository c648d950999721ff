// Package sandbox runs stand-ins of the partners for development and tests: real
// HTTP and SMTP, real signatures, faults on demand, a log of what arrived, and a
// page for people at /. It imports nothing of the product, so that a mistake of
// a client cannot hide in shared code.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/aictive/keyholder/sandbox/llm"
	"github.com/aictive/keyholder/sandbox/mailbox"
	"github.com/aictive/keyholder/sandbox/openmoove"
	"github.com/aictive/keyholder/sandbox/quickbooks"
	"github.com/aictive/keyholder/sandbox/rentvine"
	"github.com/aictive/keyholder/sandbox/subscriber"
	"github.com/aictive/keyholder/sandbox/twilio"
)

// Config of the sandbox.
type Config struct {
	// HTTPAddr and SMTPAddr are where it listens; port 0 takes any.
	// 127.0.0.1:8090 and 127.0.0.1:1025 where "".
	HTTPAddr string
	SMTPAddr string
	// IngressURL is where webhooks, callbacks and inbound texts are posted to.
	IngressURL string
	// PublicURL is the address under which partners know the ingress, over which
	// Twilio signs; IngressURL where "".
	PublicURL             string
	RentVineWebhookSecret string
	TwilioAuthToken       string
	TwilioAccountSID      string
	// TwilioNumber is the account's own number (E.164).
	TwilioNumber string
	// RentVineKey and RentVineSecret are the API credentials.
	RentVineKey    string
	RentVineSecret string
	// OpenMooveKey is the API key; "om_dev" where "".
	OpenMooveKey string
	// OpenMooveWebhookSecret signs OpenMoove's webhooks; where "" it sends none.
	OpenMooveWebhookSecret string
	// OpenMooveLimits are those of the key, "100/1m,1000/1h" where "".
	OpenMooveLimits string
	// OpenMooveRetries is how long each attempt of a webhook waits after the one
	// before (real time): 0, 10, 100 and 1,000 s where empty.
	OpenMooveRetries []time.Duration
	// QuickBooksID and QuickBooksSecret are the app's credentials, QuickBooksRealm the
	// company and QuickBooksRefresh its first refresh token; the stand-in's own where "".
	QuickBooksID, QuickBooksSecret     string
	QuickBooksRealm, QuickBooksRefresh string
	// QuickBooksPerMinute is how many requests a minute the company takes, 500 where 0.
	QuickBooksPerMinute int
	// SubscriberSecret signs Keyholder's outgoing webhooks, "whsec_" and base64 of 24 to 64
	// bytes; where "" nobody receives them: /subscriber/{name} answers 404.
	SubscriberSecret string
	// BusinessNow stamps the records of OpenMoove, RentVine and QuickBooks and counts
	// due dates; time.Now where nil.
	BusinessNow func() time.Time
	// People names phones on the page, by number (E.164), beside those that the
	// RentVine records name.
	People map[string]string
	// TextPace is the time between two statuses of a text; 100 ms where zero.
	TextPace time.Duration
	// StateFile is where texts, mails and records are kept over a restart, and half
	// a second behind over a kill (more where there is much); OpenMoove's records are
	// not behind. A journal stands beside it meanwhile. "" keeps nothing. It holds what the product sent,
	// personal data too, and is readable by its owner alone.
	StateFile string
	// Log may be nil.
	Log *zap.Logger
}

// Sandbox is all stand-ins together.
type Sandbox struct {
	cfg        Config
	log        *zap.Logger
	calls      *callLog
	faults     *faults
	twilio     *twilio.Server
	rentvine   *rentvine.Server
	openmoove  *openmoove.Server
	quickbooks *quickbooks.Server
	stock      stock
	mailbox    *mailbox.Server
	subscriber *subscriber.Server
	model      *llm.Server
	webhooks   *webhooks
	keeper     *keeper
	journal    *journal
	books      bookwork
	http       *http.Server
	// changes counts everything that the page may want to show.
	changes atomic.Int64

	mu       sync.Mutex
	started  bool
	stop     context.CancelFunc // ends what runs from Start to Close
	httpAddr string
	smtpAddr string
	served   sync.WaitGroup
}

// New makes a sandbox that does not listen yet.
func New(cfg Config) (*Sandbox, error) {
	if cfg.HTTPAddr == "" {
		cfg.HTTPAddr = "127.0.0.1:8090"
	}
	if cfg.SMTPAddr == "" {
		cfg.SMTPAddr = "127.0.0.1:1025"
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if missing := cfg.missing(); len(missing) > 0 {
		return nil, fmt.Errorf("sandbox: not set: %s", strings.Join(missing, ", "))
	}
	s := &Sandbox{cfg: cfg, log: cfg.Log, calls: newCallLog(), faults: newFaults(), keeper: newKeeper(cfg.StateFile), journal: &journal{log: cfg.Log}}
	s.webhooks = newWebhooks(cfg.IngressURL, cfg.RentVineWebhookSecret, cfg.Log)
	s.twilio = twilio.New(twilio.Config{
		AccountSID: cfg.TwilioAccountSID, AuthToken: cfg.TwilioAuthToken, Number: cfg.TwilioNumber,
		IngressURL: cfg.IngressURL, PublicURL: cfg.PublicURL, Pace: cfg.TextPace,
		Delivery: s.faults.delivery, OnChange: s.changed, Log: cfg.Log,
	})
	s.mailbox = mailbox.New(mailbox.Config{Fault: s.mailFault, OnMail: s.noteMail})
	s.rentvine = s.newRentVine()
	s.model = llm.New(llm.Config{OnChange: s.changed})
	s.quickbooks = quickbooks.New(quickbooks.Config{
		Realm: cfg.QuickBooksRealm, ClientID: cfg.QuickBooksID, ClientSecret: cfg.QuickBooksSecret, RefreshToken: cfg.QuickBooksRefresh, Now: cfg.BusinessNow,
		PerMinute: cfg.QuickBooksPerMinute,
	})
	var err error
	if s.openmoove, err = s.newOpenMoove(); err != nil {
		return nil, err
	}
	if s.subscriber, err = subscriber.New(subscriber.Config{Secret: cfg.SubscriberSecret}); err != nil {
		return nil, fmt.Errorf("sandbox: SubscriberSecret: %w", err)
	}
	handler, err := s.routes()
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler: handler, ErrorLog: zap.NewStdLog(cfg.Log),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second,
		WriteTimeout: 150 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	return s, nil
}

func (c Config) missing() []string {
	var missing []string
	for _, need := range []struct{ name, value string }{
		{"IngressURL", c.IngressURL}, {"RentVineWebhookSecret", c.RentVineWebhookSecret},
		{"TwilioAuthToken", c.TwilioAuthToken}, {"TwilioAccountSID", c.TwilioAccountSID},
		{"TwilioNumber", c.TwilioNumber}, {"RentVineKey", c.RentVineKey}, {"RentVineSecret", c.RentVineSecret},
	} {
		if need.value == "" {
			missing = append(missing, need.name)
		}
	}
	return missing
}

// Start listens, begins to serve, and returns. The context bounds the start
// only. A taken port is an error that names the address.
func (s *Sandbox) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return errors.New("sandbox: already started")
	}
	var lc net.ListenConfig
	web, err := lc.Listen(ctx, "tcp", s.cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("sandbox: pages and APIs: %w", err)
	}
	mail, err := lc.Listen(ctx, "tcp", s.cfg.SMTPAddr)
	if err != nil {
		_ = web.Close()
		return fmt.Errorf("sandbox: mail: %w", err)
	}
	// Only now: who else holds the ports may hold the file.
	if err := s.loadState(); err != nil {
		_, _ = web.Close(), mail.Close()
		return err
	}
	s.started, s.httpAddr, s.smtpAddr = true, web.Addr().String(), mail.Addr().String()
	s.mailbox.Serve(mail)
	s.served.Go(s.webhooks.run)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.served.Go(func() { s.keepState(running) })
	s.served.Go(func() {
		if err := s.http.Serve(web); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("sandbox stopped serving", zap.Error(err))
		}
	})
	return nil
}

// HTTPAddr is the address of pages and APIs, "" before Start.
func (s *Sandbox) HTTPAddr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.httpAddr
}

// SMTPAddr is the address of the mail server, "" before Start.
func (s *Sandbox) SMTPAddr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.smtpAddr
}

// Close stops all stand-ins and saves their state. Requests under way may finish within the context's
// time, then they are cut off.
func (s *Sandbox) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		s.twilio.Close()
		s.openmoove.Close()
		return nil
	}
	s.started = false
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
	}
	err = errors.Join(err, s.mailbox.Close(ctx))
	s.webhooks.close()
	s.openmoove.Close()
	s.twilio.Close()
	s.stop()
	s.served.Wait()
	return errors.Join(err, s.closeState())
}

// Reset brings every partner back to its seed: no texts, no mails, no calls, no
// faults, no duplicates.
func (s *Sandbox) Reset() {
	s.books.reset()
	s.faults.reset()
	s.calls.reset()
	s.twilio.Reset()
	s.mailbox.Reset()
	s.rentvine.Reset()
	s.openmoove.Reset()
	s.quickbooks.Reset()
	s.stock.set("")
	s.subscriber.Reset()
	s.model.Reset()
	s.seen()
	s.saveOrWarn()
}

// changed is called after each change of what a stand-in keeps.
func (s *Sandbox) changed() {
	s.seen()
	s.keeper.note()
}

// seen is called where only the page has something new to show.
func (s *Sandbox) seen() { s.changes.Add(1) }

// mailFault is what happens to one mail.
func (s *Sandbox) mailFault() mailbox.Fault {
	f := s.faults.wire(SMTP, "")
	return mailbox.Fault{Status: f.Status, Latency: f.latency(), DropAfterData: f.ResetAfterCommit}
}

// noteMail puts a mail into the log of calls.
func (s *Sandbox) noteMail(m mailbox.Mail, status int) {
	body := fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nMessage-ID: <%s>\n\n%s", m.FromHeader, m.ToHeader, m.Subject, m.MessageID, m.Text)
	fault := ""
	switch {
	case status == 0:
		fault = Fault{ResetAfterCommit: true}.name()
	case status >= 400:
		fault = Fault{Status: status}.name()
	}
	s.calls.add(Call{
		Time: m.Time, Partner: SMTP, Method: "MAIL", Path: "/" + m.MessageID,
		Body: loggable([]byte(body)), Status: status, Fault: fault,
	})
	s.changed()
}
