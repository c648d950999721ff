// Package openmoove stands in for the OpenMoove Partner API in development and
// tests: in memory, over real HTTP, with the limits, webhooks and traps of
// contracts/openmoove.md. It shares no code with the client, so that one mistake
// cannot hide in both.
package openmoove

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// DevKey is the key that the sandbox takes where none is configured.
	DevKey = "om_dev"
	// DefaultLimits are the contract's (contracts/openmoove.md 1).
	DefaultLimits = "100/1m,1000/1h"
)

// Config shapes the stand-in. The zero value works and sends no webhooks.
type Config struct {
	// Key is what X-API-KEY must carry; "" is DevKey.
	Key string
	// Limits of the key, all in force at once, as calls/window; "" is DefaultLimits.
	// They count in real time.
	Limits string
	// IngressURL is where webhooks are posted, WebhookSecret what signs them; with ""
	// for the secret none are sent.
	IngressURL, WebhookSecret string
	// Retries is how long each attempt of a webhook waits after the one before, in
	// real time: 0, 10, 100 and 1,000 s where empty.
	Retries []time.Duration
	// IDsAfter is the id before those of the first new property and milestone; 0 goes
	// on after the seeded ones.
	IDsAfter int
	// Seed is of the chance by which sales evolve; after a Reset it begins again.
	Seed uint64
	// Now is business time, for all times in records; nil is time.Now.
	Now func() time.Time
	// Journal hears of every change, by a number that rises and as a line of JSON for
	// Replay, before anybody else does; nil keeps none. It is called under the lock.
	Journal func(change int64, line []byte)
	// OnChange is called after sales have evolved, which nobody asked for by a call; nil
	// tells nobody.
	OnChange func()
	// Log may be nil.
	Log *zap.Logger
}

// Options are ways in which OpenMoove differs from what a client may hope for, and how
// much happens there. The zero value is the contract's full form, in which nothing
// happens by itself.
type Options struct {
	// WithoutTeam leaves team out of detail replies.
	WithoutTeam bool `json:"without_team"`
	// WithoutDetail answers 404 to properties/{id}/detail/: the older form is gone.
	WithoutDetail bool `json:"without_detail"`
	// WebhookFirst sends property.created and waits for the answer before the create
	// itself is answered: a webhook that overtakes the reply.
	WebhookFirst bool `json:"webhook_first"`
	// WithoutWebhooks posts no webhooks at all. What happens meanwhile is never told
	// later, and retries that wait when it begins are dropped.
	WithoutWebhooks bool `json:"without_webhooks"`
	// ChangesADay is how many changes the sales make by themselves in a business day, at
	// most MaxChangesADay; 0 is none.
	ChangesADay int `json:"changes_a_day"`
}

// MaxChangesADay bounds Options.ChangesADay.
const MaxChangesADay = 100_000

func (o Options) check() error {
	if o.ChangesADay < 0 || o.ChangesADay > MaxChangesADay {
		return fmt.Errorf("changes_a_day is 0 to %d, not %d", MaxChangesADay, o.ChangesADay)
	}
	return nil
}

// Server is the stand-in. It serves the paths below /partners, with their trailing
// slashes, and is safe for concurrent use.
type Server struct {
	cfg    Config
	mux    *http.ServeMux
	limits *limiter
	hooks  *hooks
	// evolver is guarded by settings, which is held while options change, so that they
	// agree with what they start and stop. It is taken before mu.
	settings sync.Mutex
	evolver  *evolver

	mu      sync.Mutex
	options Options
	changes int64 // since the first life
	log     changeLog
	db
}

// New is a sandbox with its seeded records. The error says what is wrong with the
// limits.
func New(cfg Config) (*Server, error) {
	if cfg.Key == "" {
		cfg.Key = DevKey
	}
	if cfg.Limits == "" {
		cfg.Limits = DefaultLimits
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	limits, err := newLimiter(cfg.Limits)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux(), limits: limits, hooks: newHooks(cfg)}
	s.evolver = newEvolver(s, cfg)
	s.db = s.fresh(cfg.IDsAfter, cfg.IDsAfter)
	s.routes()
	return s, nil
}

// Close ends what evolves, gives up webhooks that are waiting and breaks off those
// under way.
func (s *Server) Close() {
	s.settings.Lock()
	s.evolver.close()
	s.settings.Unlock()
	s.hooks.close()
}

// Reset restores the seeded records, full limits and the contract's options, so that
// nothing evolves, gives up webhooks that wait, and forgets everything else but which
// ids and numbers of changes were given out: none names a second property.
func (s *Server) Reset() {
	s.settings.Lock()
	defer s.settings.Unlock()
	s.evolver.reset()
	s.hooks.drop()
	s.hooks.switchOff(false)
	s.limits.reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options = Options{}
	s.log.kept = nil
	s.db = s.fresh(s.lastProperty, s.lastMilestone)
}

// Options that are in force.
func (s *Server) Options() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options
}

// SetOptions replaces the options, until Reset. The error says what is wrong with
// them; then nothing has changed.
func (s *Server) SetOptions(o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	s.settings.Lock()
	defer s.settings.Unlock()
	s.mu.Lock()
	s.options = o
	s.mu.Unlock()
	s.hooks.switchOff(o.WithoutWebhooks)
	s.evolver.set(o.ChangesADay)
	return nil
}

// ServeHTTP answers one request. Every reply tells the limits. A path without its
// trailing slash is redirected for GET, as Django does it, and 404 for everything
// else; neither counts as a call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	if !strings.HasSuffix(r.URL.Path, "/") {
		s.limits.look(now).tell(w.Header())
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			w.Header().Set("Location", withSlash(r))
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		notFound(w)
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-KEY")), []byte(s.cfg.Key)) != 1 {
		s.limits.full(now).tell(w.Header())
		fail(w, http.StatusUnauthorized, "Invalid API key provided")
		return
	}
	left := s.limits.take(now)
	left.tell(w.Header())
	if left.wait > 0 {
		fail(w, http.StatusTooManyRequests, Throttled(left.wait))
		return
	}
	if path.Clean(r.URL.Path)+"/" != r.URL.Path { // the mux would redirect it
		notFound(w)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// withSlash is the address as it was called, with the slash.
func withSlash(r *http.Request) string {
	address, query, asked := strings.Cut(r.RequestURI, "?")
	if asked {
		return address + "/?" + query
	}
	return address + "/"
}

// routes is the whole API (contracts/openmoove.md 2).
func (s *Server) routes() {
	for place, handle := range map[string]http.HandlerFunc{
		"/products/":                           s.getProducts,
		"/properties/":                         s.getProperties,
		"/properties/{id}/":                    s.getProperty,
		"/properties/{id}/detail/":             s.getDetail,
		"/properties/{id}/milestones/":         s.getMilestones,
		"/properties/{id}/milestones/current/": s.getCurrentMilestone,
		"/properties/{id}/chat/":               s.getChat,
		"/properties/{id}/chat/summary/":       s.getChatSummary,
	} {
		s.mux.HandleFunc(place+"{$}", only(http.MethodGet, handle))
	}
	s.mux.HandleFunc("/clients/{$}", only(http.MethodPost, s.postClient))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { notFound(w) })
}

// only lets one method through.
func only(method string, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			fail(w, http.StatusMethodNotAllowed, "Method "+strconv.Quote(r.Method)+" not allowed.")
			return
		}
		handle(w, r)
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails where the caller has gone
}

// fail answers with the error body that all but 400 have.
func fail(w http.ResponseWriter, status int, detail string) {
	reply(w, status, map[string]string{"detail": detail})
}

func notFound(w http.ResponseWriter) { fail(w, http.StatusNotFound, "Not found.") }
