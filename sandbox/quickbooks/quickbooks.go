// Package quickbooks stands in for QuickBooks Online Accounting in development and
// tests, as contracts/sms-and-accounting.md section 2 describes it: in memory, over
// real HTTP, with OAuth tokens that roll, faults, requestids, limits and books that add
// up. It shares no code with the client, so that one mistake cannot hide in both.
package quickbooks

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What the stand-in takes where nothing is configured: known to everybody, worth
// nothing.
const (
	DevRealm        = "9130000000000001"
	DevClientID     = "qb_dev"
	DevClientSecret = "qb_dev_secret"
	// DevRefreshToken is the one that an authorisation would have given.
	DevRefreshToken = "qb_dev_refresh_token"
)

// Config shapes the stand-in. The zero value works.
type Config struct {
	Realm                  string
	ClientID, ClientSecret string
	// RefreshToken is the first one.
	RefreshToken string
	// AccessFor is how long an access token is good; an hour where 0.
	AccessFor time.Duration
	// RollAfter is how old a refresh token gets before the next refresh gives another
	// one, a day where 0; OldFor is how long the one before stays good, an hour where 0.
	RollAfter, OldFor time.Duration
	// PerMinute is how many requests a minute the realm may make, 500 where 0.
	PerMinute int
	// FaultStatus is the status of a validation fault, 400 where 0; 200 happens too.
	FaultStatus int
	// AllowSameNumber lets two orders, invoices or bills have one number, which then
	// counts as a duplicate; journal entries always may.
	AllowSameNumber bool
	// Now is the time that records are stamped with; nil is time.Now.
	Now func() time.Time
}

// atOnce is how many requests a realm may make at the same time.
const atOnce = 10

// Server is the stand-in: an http.Handler for /oauth2/... and /v3/company/{realm}/...
// It is safe for concurrent use.
type Server struct {
	cfg   Config
	mux   *http.ServeMux
	slots chan struct{}

	mu sync.Mutex
	db
	tokens tokens
	asked  []time.Time // of the last minute
}

// New is a stand-in with its seeded records.
func New(cfg Config) *Server {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&cfg.Realm, DevRealm)
	set(&cfg.ClientID, DevClientID)
	set(&cfg.ClientSecret, DevClientSecret)
	set(&cfg.RefreshToken, DevRefreshToken)
	last := func(field *time.Duration, value time.Duration) {
		if *field == 0 {
			*field = value
		}
	}
	last(&cfg.AccessFor, time.Hour)
	last(&cfg.RollAfter, 24*time.Hour)
	last(&cfg.OldFor, time.Hour)
	if cfg.PerMinute == 0 {
		cfg.PerMinute = 500
	}
	if cfg.FaultStatus == 0 {
		cfg.FaultStatus = http.StatusBadRequest
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux(), slots: make(chan struct{}, atOnce), db: seeded(), tokens: tokens{Made: time.Now()}}
	s.rebuild()
	s.mux.HandleFunc("POST /oauth2/v1/tokens/bearer", s.refresh)
	const company = "/v3/company/{realm}"
	s.mux.HandleFunc("GET "+company+"/query", s.company(s.query))
	s.mux.HandleFunc("POST "+company+"/vendor", s.company(s.once(s.createParty("Vendor", &s.Vendors))))
	s.mux.HandleFunc("POST "+company+"/customer", s.company(s.once(s.createParty("Customer", &s.Customers))))
	for _, kind := range kinds() {
		path := company + "/" + strings.ToLower(kind)
		s.mux.HandleFunc("POST "+path, s.company(s.once(s.post(kind))))
		s.mux.HandleFunc("GET "+path+"/{id}", s.company(s.get(kind)))
	}
	return s
}

// Reset restores the seeded records. Access tokens stay good, and so do all refresh
// tokens, the first one too.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db, s.tokens = seeded(), tokens{Made: time.Now()}
	s.rebuild()
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// answer is a reply of the company's API; object goes under its name.
type answer struct {
	name   string
	object any
	fault  *fault
}

// fault is a refusal.
type fault struct {
	status                         int
	kind, code, message, det, elem string
}

// company lets in who has a good token and is within the limits; inside runs alone.
func (s *Server) company(inside func(*http.Request, []byte) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		default:
			s.reply(w, answer{fault: throttled()})
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			s.reply(w, answer{fault: s.validation("2010", "Request has invalid or unsupported property", "the body cannot be read", "")})
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case !s.authentic(r) || r.PathValue("realm") != s.cfg.Realm:
			unauthorised(w)
		case !s.withinLimit():
			s.reply(w, answer{fault: throttled()})
		default:
			s.reply(w, inside(r, bytes.TrimSpace(body)))
		}
	}
}

// withinLimit counts a request.
func (s *Server) withinLimit() bool {
	now := time.Now()
	for len(s.asked) > 0 && now.Sub(s.asked[0]) >= time.Minute {
		s.asked = s.asked[1:]
	}
	if len(s.asked) >= s.cfg.PerMinute {
		return false
	}
	s.asked = append(s.asked, now)
	return true
}

func throttled() *fault {
	return &fault{status: http.StatusTooManyRequests, kind: "ThrottlingFault", code: "003001",
		message: "ThrottleExceeded", det: "The request limit was reached. Please try later."}
}

func (s *Server) validation(code, message, detail, element string) *fault {
	return &fault{status: s.cfg.FaultStatus, kind: "ValidationFault", code: code, message: message, det: detail, elem: element}
}

func (s *Server) reply(w http.ResponseWriter, a answer) {
	now := s.cfg.Now().UTC().Format(time.RFC3339Nano)
	body, status := map[string]any{a.name: a.object, "time": now}, http.StatusOK
	if f := a.fault; f != nil {
		problem := map[string]string{"Message": f.message, "Detail": f.det, "code": f.code}
		if f.elem != "" {
			problem["element"] = f.elem
		}
		body, status = map[string]any{"Fault": map[string]any{"Error": []any{problem}, "type": f.kind}, "time": now}, f.status
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails where the caller has gone
}

// unauthorised has small letters, as seen.
func unauthorised(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"fault":{"error":[{"message":"message=AuthenticationFailed; errorCode=003200; statusCode=401","detail":"Token expired","code":"3200"}],"type":"AUTHENTICATION"}}`)
}

// once gives a repeat with the same requestid the original reply.
func (s *Server) once(inside func(*http.Request, []byte) answer) func(*http.Request, []byte) answer {
	return func(r *http.Request, body []byte) answer {
		request := r.URL.Query().Get("requestid")
		if len(request) > 50 {
			return answer{fault: s.validation("2020", "Required parameter is invalid", "requestid is longer than 50", "requestid")}
		}
		if before, ok := s.Requests[request]; ok && request != "" {
			return answer{name: before.Name, object: before.Object}
		}
		if len(s.Requests) >= maxRequests {
			return answer{fault: full()}
		}
		a := inside(r, body)
		if a.fault == nil && request != "" {
			s.Requests[request] = original{Name: a.name, Object: a.object}
		}
		return a
	}
}
