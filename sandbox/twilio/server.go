// Package twilio is a stand-in of Twilio's Messages API for development and
// tests, written from contracts/sms-and-accounting.md section 1 and sharing no
// code with the client: real HTTP, Basic auth, Twilio's error bodies, statuses
// that move on and are reported by signed callbacks, people who answer, STOP and
// START. It does not slow down to a carrier's one message a second.
package twilio

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Delivery is how the carrier treats a text.
type Delivery string

// What can happen to a text after Twilio accepted it.
const (
	// Delivered is queued, sent, delivered.
	Delivered Delivery = ""
	// Undelivered is queued, sent, undelivered with error 30003.
	Undelivered Delivery = "undelivered"
	// Unordered is delivered, but the callbacks arrive in the wrong order.
	Unordered Delivery = "unordered"
)

// Config of the stand-in.
type Config struct {
	AccountSID string
	AuthToken  string
	// Number is the account's own number (E.164).
	Number string
	// IngressURL is where callbacks and inbound texts are posted to.
	IngressURL string
	// PublicURL is the address under which the account knows the ingress, over
	// which Twilio signs; IngressURL where "".
	PublicURL string
	// Pace is the time between two statuses; 100 ms where zero.
	Pace time.Duration
	// Delivery is asked once for every accepted text; nil delivers all.
	Delivery func() Delivery
	// OnChange is told that a message is new or has changed; may be nil.
	OnChange func()
	// Log may be nil.
	Log *zap.Logger
}

const (
	apiPrefix     = "/2010-04-01/Accounts/"
	maxForm       = 64 << 10
	maxInFlight   = 2000
	ingressLimit  = 15 * time.Second // as long as Twilio waits for a reply
	maxIngressRep = 64 << 10
)

// Server is the stand-in: an http.Handler for the paths below /2010-04-01.
type Server struct {
	cfg    Config
	client *http.Client
	box    box
	// busy bounds the texts that are on their way.
	busy   chan struct{}
	ctx    context.Context // the server's life, ended by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// New makes a stand-in; Close ends what it does in the background.
func New(cfg Config) *Server {
	cfg.IngressURL = strings.TrimRight(cfg.IngressURL, "/")
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	if cfg.PublicURL == "" {
		cfg.PublicURL = cfg.IngressURL
	}
	if cfg.Pace <= 0 {
		cfg.Pace = 100 * time.Millisecond
	}
	if cfg.Delivery == nil {
		cfg.Delivery = func() Delivery { return Delivered }
	}
	if cfg.OnChange == nil {
		cfg.OnChange = func() {}
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{cfg: cfg, ctx: ctx, cancel: cancel, busy: make(chan struct{}, maxInFlight)}
	s.client = &http.Client{
		Timeout:       ingressLimit,
		Transport:     &http.Transport{MaxConnsPerHost: 16, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.box.reset()
	return s
}

// Close stops deliveries and waits for them.
func (s *Server) Close() {
	s.cancel()
	s.wg.Wait()
	s.client.CloseIdleConnections()
}

// Reset forgets all messages, opt-outs and duplicates.
func (s *Server) Reset() {
	s.box.reset()
	s.cfg.OnChange()
}

// ServeHTTP answers POST and GET .../Messages.json and GET .../Messages/{sid}.json.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	account, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, apiPrefix), "/")
	switch {
	case !s.authentic(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
		fail(w, http.StatusUnauthorized, 20003, "Authenticate")
	case !strings.HasPrefix(r.URL.Path, apiPrefix) || !ok || account != s.cfg.AccountSID:
		notFound(w, r)
	case rest == "Messages.json" && r.Method == http.MethodPost:
		s.create(w, r)
	case rest == "Messages.json" && r.Method == http.MethodGet:
		s.list(w, r)
	case rest == "Messages.json":
		fail(w, http.StatusMethodNotAllowed, 20004, "Method not allowed")
	case r.Method == http.MethodGet && strings.HasPrefix(rest, "Messages/") && strings.HasSuffix(rest, ".json"):
		m, ok := s.box.get(strings.TrimSuffix(strings.TrimPrefix(rest, "Messages/"), ".json"))
		if !ok {
			notFound(w, r)
			return
		}
		reply(w, http.StatusOK, s.wire(m))
	default:
		notFound(w, r)
	}
}

func (s *Server) authentic(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	sameUser := subtle.ConstantTimeCompare([]byte(user), []byte(s.cfg.AccountSID))
	samePassword := subtle.ConstantTimeCompare([]byte(password), []byte(s.cfg.AuthToken))
	return sameUser&samePassword == 1
}

func notFound(w http.ResponseWriter, r *http.Request) {
	fail(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
}

// fail answers with Twilio's error body.
func fail(w http.ResponseWriter, status, code int, message string) {
	reply(w, status, map[string]any{
		"code": code, "message": message, "status": status,
		"more_info": "https://www.twilio.com/docs/errors/" + itoa(code),
	})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The caller has gone where this fails.
	_ = json.NewEncoder(w).Encode(body)
}

func newSID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return "SM" + hex.EncodeToString(b[:])
}
