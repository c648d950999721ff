package twilio

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxMessages     = 10_000
	duplicateWindow = 24 * time.Hour
)

// Directions of a message, as Twilio names them.
const (
	Outbound      = "outbound-api"
	OutboundReply = "outbound-reply"
	Inbound       = "inbound"
)

// Message is a text in either direction.
type Message struct {
	SID       string    `json:"sid"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Body      string    `json:"body"`
	Direction string    `json:"direction"`
	Status    string    `json:"status"`
	ErrorCode int       `json:"error_code,omitempty"`
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
	// Sent is zero until the text has left.
	Sent time.Time `json:"sent,omitzero"`

	service  string
	callback string
}

// box holds the messages, oldest first, the opt-outs, and counts duplicates.
type box struct {
	mu         sync.Mutex
	messages   []*Message
	bySID      map[string]*Message
	optedOut   map[string]bool
	latest     map[[2]string]time.Time
	duplicates int
}

func (b *box) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages, b.duplicates = nil, 0
	b.bySID, b.optedOut, b.latest = map[string]*Message{}, map[string]bool{}, map[[2]string]time.Time{}
}

func (b *box) add(m Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.messages) >= maxMessages {
		oldest := b.messages[0]
		delete(b.bySID, oldest.SID)
		if key := [2]string{oldest.To, oldest.Body}; b.latest[key].Equal(oldest.Created) {
			delete(b.latest, key)
		}
		b.messages = b.messages[1:]
	}
	b.messages = append(b.messages, &m)
	b.bySID[m.SID] = &m
	if m.Direction != Outbound {
		return
	}
	key := [2]string{m.To, m.Body}
	if last, ok := b.latest[key]; ok && m.Created.Sub(last) < duplicateWindow {
		b.duplicates++
	}
	b.latest[key] = m.Created
}

func (b *box) get(sid string) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.bySID[sid]
	if !ok {
		return Message{}, false
	}
	return *m, true
}

// advance sets a status; false where the message is gone (a reset).
func (b *box) advance(sid, status string, code int) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.bySID[sid]
	if !ok {
		return Message{}, false
	}
	m.Status, m.ErrorCode, m.Updated = status, code, time.Now().UTC()
	if m.Sent.IsZero() {
		m.Sent = m.Updated
	}
	return *m, true
}

// filter returns those that fit, newest first.
func (b *box) filter(fits func(Message) bool) []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Message
	for _, m := range slices.Backward(b.messages) {
		if fits(*m) {
			out = append(out, *m)
		}
	}
	return out
}

func (b *box) setOptedOut(phone string, out bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if out {
		b.optedOut[phone] = true
	} else {
		delete(b.optedOut, phone)
	}
}

func (b *box) isOptedOut(phone string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.optedOut[phone]
}

// Messages lists up to limit messages in both directions, oldest first.
func (s *Server) Messages(limit int) []Message {
	b := &s.box
	b.mu.Lock()
	defer b.mu.Unlock()
	from := max(0, len(b.messages)-limit)
	out := make([]Message, 0, len(b.messages)-from)
	for _, m := range b.messages[from:] {
		out = append(out, *m)
	}
	return out
}

// Duplicates counts texts that repeated recipient and body within 24 hours of
// one before.
func (s *Server) Duplicates() int {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	return s.box.duplicates
}

// OptedOut tells whether a person has sent STOP.
func (s *Server) OptedOut(phone string) bool { return s.box.isOptedOut(phone) }

// wire is the message resource as Twilio answers it.
func (s *Server) wire(m Message) map[string]any {
	uri := apiPrefix + s.cfg.AccountSID + "/Messages/" + m.SID
	w := map[string]any{
		"sid": m.SID, "account_sid": s.cfg.AccountSID, "api_version": "2010-04-01",
		"body": m.Body, "from": m.From, "to": m.To, "direction": m.Direction, "status": m.Status,
		"date_created": rfc2822(m.Created), "date_updated": rfc2822(m.Updated), "date_sent": nil,
		"error_code": nil, "error_message": nil, "messaging_service_sid": nil,
		"num_media": "0", "num_segments": itoa(segments(m.Body)),
		"price": nil, "price_unit": "USD",
		"uri":              uri + ".json",
		"subresource_uris": map[string]string{"media": uri + "/Media.json"},
	}
	if !m.Sent.IsZero() {
		w["date_sent"] = rfc2822(m.Sent)
	}
	if m.ErrorCode != 0 {
		w["error_code"], w["error_message"] = m.ErrorCode, "Unreachable destination handset"
	}
	if m.service != "" {
		w["messaging_service_sid"] = m.service
	}
	return w
}

func rfc2822(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700") }

// segments is how many parts a carrier would make of a text: 160 characters, or
// 153 each; 70 or 67 once it holds anything beyond plain ASCII.
func segments(body string) int {
	single, each := 160, 153
	if strings.IndexFunc(body, func(r rune) bool { return r > '~' }) >= 0 {
		single, each = 70, 67
	}
	n := len([]rune(body))
	if n <= single {
		return 1
	}
	return (n + each - 1) / each
}

func itoa(n int) string { return strconv.Itoa(n) }
