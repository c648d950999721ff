// Package twilio sends texts through Twilio's Messages API, looks for texts that
// may have been sent already, and verifies what Twilio posts back
// (contracts/sms-and-accounting.md section 1). One attempt a call: whoever calls
// decides about a repeat by the error's kind.
package twilio

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/aictive/keyholder/clients/partner"
)

const (
	defaultBaseURL = "https://api.twilio.com"
	defaultTimeout = 10 * time.Second
	maxReply       = 2 << 20
)

// Config is how to reach an account.
type Config struct {
	// AccountSID and AuthToken are the credentials (HTTP Basic).
	AccountSID string
	AuthToken  string
	// BaseURL defaults to https://api.twilio.com; it may carry a path.
	BaseURL string
	// From is the sending number (E.164). MessagingServiceSID, where set, is used
	// instead of it.
	From                string
	MessagingServiceSID string
	// StatusCallbackURL is where Twilio reports delivery, where Send names no other.
	// "" asks for no reports.
	StatusCallbackURL string
	// Timeout bounds one call; 10 seconds where zero.
	Timeout time.Duration
	// HTTP holds the rest of the call's limits; its zero value is right outside
	// tests.
	HTTP partner.HTTPConfig
}

// Client is safe for concurrent use.
type Client struct {
	cfg  Config
	http *partner.HTTP
}

// A Message is a text as Twilio knows it.
type Message struct {
	// SID is Twilio's id, SM and 32 hex digits.
	SID string
	// Status is queued, accepted, sending, sent, delivered, undelivered, failed, ...
	Status string
}

// New makes a client. It does not call Twilio.
func New(cfg Config) *Client {
	if cfg.BaseURL == "" {
		cfg.BaseURL = defaultBaseURL
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	if cfg.Timeout <= 0 {
		cfg.Timeout = cmp.Or(cfg.HTTP.Timeout, defaultTimeout)
	}
	limits := cfg.HTTP
	limits.Name, limits.Timeout, limits.Explain = "twilio", cfg.Timeout, explain
	limits.MaxReply = cmp.Or(limits.MaxReply, maxReply)
	return &Client{cfg: cfg, http: partner.NewHTTP(limits)}
}

// Close closes idle connections; the client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Send creates a text. statusCallback "" stands for the configured one. Twilio
// has no idempotency key: after an error of kind partner.UnknownOutcome, and
// before any other send that may be a repeat, ask Find. Errors are
// *partner.Error and never hold the number or the text.
func (c *Client) Send(ctx context.Context, to, body, statusCallback string) (Message, error) {
	const op = "twilio.send"
	params := &openapi.CreateMessageParams{}
	params.SetTo(to)
	params.SetBody(body)
	if c.cfg.MessagingServiceSID != "" {
		params.SetMessagingServiceSid(c.cfg.MessagingServiceSID)
	} else {
		params.SetFrom(c.cfg.From)
	}
	if statusCallback == "" {
		statusCallback = c.cfg.StatusCallbackURL
	}
	if statusCallback != "" {
		params.SetStatusCallback(statusCallback)
	}
	reply, err := c.api(ctx, op).CreateMessage(params)
	if err != nil {
		return Message{}, classify(op, err, partner.UnknownOutcome)
	}
	m := message(*reply)
	if m.SID == "" {
		return Message{}, &partner.Error{Op: op, Kind: partner.UnknownOutcome, Status: http.StatusCreated,
			Message: "the reply names no message"}
	}
	return m, nil
}

// api is Twilio's own SDK bound to one call. The request handler is made here
// and not by the SDK, whose constructor reads the environment.
func (c *Client) api(ctx context.Context, op string) *openapi.ApiService {
	return openapi.NewApiService(&client.RequestHandler{Client: &call{ctx: ctx, op: op, client: c}})
}

func message(m openapi.ApiV2010Message) Message {
	return Message{SID: value(m.Sid), Status: value(m.Status)}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
