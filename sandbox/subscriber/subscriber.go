// Package subscriber stands in for a system that Keyholder's outgoing webhooks go to.
// It verifies their signatures by its own reading of the Standard Webhooks scheme, so
// that a mistake of the sender cannot hide in shared code, and keeps what came.
package subscriber

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// maxKept bounds the webhooks that are kept.
	maxKept = 5_000
	// maxBody is the longest webhook in bytes.
	maxBody = 64 << 10
	// maxName bounds a subscriber's name in the path, in bytes.
	maxName = 100
)

// Config shapes the receiver.
type Config struct {
	// Secret is what webhooks are signed with, "whsec_" and base64; with "" there is no
	// receiver: all is answered 404.
	Secret string
	// Now is real time; time.Now where nil.
	Now func() time.Time
}

// Webhook is one that came, however often: ids are told apart by the name that they were
// posted to.
type Webhook struct {
	ID string `json:"id"`
	// Type and Timestamp are the body's: what happened, and when as it was written there.
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	// ReceivedAt is when it came first.
	ReceivedAt time.Time       `json:"received_at"`
	Name       string          `json:"name"`
	Body       json.RawMessage `json:"body"`
	// Deliveries is how often it came.
	Deliveries int `json:"deliveries"`
	// BodyChanged tells that a repeat had another body, which it never should; Body is
	// the first.
	BodyChanged bool `json:"body_changed,omitempty"`
}

type key struct{ name, id string }

// Server is the receiver: it serves POST /{name}. It is safe for concurrent use.
type Server struct {
	secret []byte // nil where there is no receiver
	now    func() time.Time
	mux    *http.ServeMux

	mu    sync.Mutex
	kept  []*Webhook // oldest first
	byKey map[key]*Webhook
	total int
}

// New is a receiver to which nothing has come. The error says what is wrong with the
// secret, without it.
func New(cfg Config) (*Server, error) {
	s := &Server{now: cfg.Now, mux: http.NewServeMux(), byKey: map[key]*Webhook{}}
	if s.now == nil {
		s.now = time.Now
	}
	if cfg.Secret != "" {
		var err error
		if s.secret, err = readSecret(cfg.Secret); err != nil {
			return nil, err
		}
	}
	s.mux.HandleFunc("POST /{name}", s.receive)
	return s, nil
}

// On tells whether there is a receiver.
func (s *Server) On() bool { return s.secret != nil }

// ServeHTTP answers 204 to a webhook that is rightly signed, 401 to one that is not, 400
// to a body that is no JSON object and 413 to one above 64 KiB.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.On() {
		refuse(w, http.StatusNotFound, errors.New("the sandbox has no secret for outgoing webhooks"))
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if len(name) > maxName {
		refuse(w, http.StatusNotFound, errors.New("no subscriber has so long a name"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, err)
		return
	}
	now := s.now()
	id, at, err := verify(s.secret, r.Header, body, now)
	if err != nil {
		refuse(w, http.StatusUnauthorized, err)
		return
	}
	var said struct {
		Type      string `json:"type"`
		Timestamp string `json:"timestamp"`
	}
	if err := json.Unmarshal(body, &said); err != nil || bytes.TrimSpace(body)[0] != '{' {
		refuse(w, http.StatusBadRequest, errors.New("the body is a JSON object with the texts type and timestamp"))
		return
	}
	if said.Timestamp == "" {
		said.Timestamp = at.Format(time.RFC3339)
	}
	s.keep(Webhook{ID: id, Type: said.Type, Timestamp: said.Timestamp, ReceivedAt: now.UTC(), Name: name, Body: body})
	w.WriteHeader(http.StatusNoContent)
}

// keep counts a delivery.
func (s *Server) keep(w Webhook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{w.Name, w.ID}
	if was := s.byKey[k]; was != nil {
		was.Deliveries++
		was.BodyChanged = was.BodyChanged || !bytes.Equal(was.Body, w.Body)
		return
	}
	if len(s.kept) >= maxKept {
		oldest := s.kept[0]
		delete(s.byKey, key{oldest.Name, oldest.ID})
		s.kept[0] = nil
		s.kept = s.kept[1:]
	}
	w.Deliveries = 1
	s.kept, s.byKey[k] = append(s.kept, &w), &w
	s.total++
}

// Webhooks lists the last n that came, newest last; below 0 all that are kept.
func (s *Server) Webhooks(n int) []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := 0
	if n >= 0 {
		from = max(0, len(s.kept)-n)
	}
	out := make([]Webhook, 0, len(s.kept)-from)
	for _, w := range s.kept[from:] {
		out = append(out, *w)
	}
	return out
}

// Count is how many have come since the last Reset, repeats left out.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// Reset forgets all that came.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.total = nil, 0
	clear(s.byKey)
}

// Redirect answers POST /{name} with a redirect to the same name below a path: 302, or
// what ?status= asks for of 301, 302, 303, 307 and 308.
func (s *Server) Redirect(to string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{name}", func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusFound
		if asked := r.URL.Query().Get("status"); asked != "" {
			var err error
			status, err = strconv.Atoi(asked)
			if err != nil || !slices.Contains([]int{301, 302, 303, 307, 308}, status) {
				refuse(w, http.StatusBadRequest, errors.New("status is 301, 302, 303, 307 or 308"))
				return
			}
		}
		w.Header().Set("Location", to+"/"+url.PathEscape(r.PathValue("name")))
		w.WriteHeader(status)
	})
	return mux
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()}) // fails where the caller has gone
}
