// Package quickbooks calls QuickBooks Online Accounting as
// contracts/sms-and-accounting.md section 2 describes it: journal entries, invoices,
// payments, bills and purchase orders, and the customers, vendors and accounts that they
// name. Each method makes one attempt a request, but for a 401, after which a new token
// is asked for once; errors are *partner.Error.
//
// A write carries a requestid: QuickBooks answers a repeat with the original reply, so
// that an unknown outcome may simply be tried again.
package quickbooks

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

const (
	minorVersion = "75"
	// atOnce is what a realm may be asked at the same time by one app.
	atOnce = 10
	// maxRequestID is the longest requestid.
	maxRequestID = 50
	// maxReply is for a page of entries.
	maxReply = 8 << 20
	// DefaultPerMinute leaves room below the realm's 500 requests a minute: a tenth of it
	// may come at once.
	DefaultPerMinute = 450
)

// throttledFor is how long a 429 asks to wait.
const throttledFor = 60 * time.Second

// TokenSource gives access tokens; Tokens is the one for QuickBooks' OAuth.
type TokenSource interface {
	// Token is the access token to use now.
	Token(ctx context.Context) (string, error)
	// Renew is another one than used, which was refused; used itself where there is none.
	Renew(ctx context.Context, used string) (string, error)
}

// Config says where QuickBooks is and whose company it is.
type Config struct {
	// BaseURL is https://quickbooks.api.intuit.com, or that of Intuit's sandbox.
	BaseURL string
	// Realm is the company's id.
	Realm  string
	Tokens TokenSource
	// PerMinute is how many requests a minute this client makes, DefaultPerMinute where 0;
	// the rest waits. Workers that share the realm do not know of each other: what all of
	// them make together is bounded by the rate of their task queue.
	PerMinute int
	// Timeout limits one request (real time); 0 is partner.DefaultTimeout.
	Timeout time.Duration
	// HTTP holds the rest of the call's limits; its zero value is right outside
	// tests.
	HTTP partner.HTTPConfig
}

// Client calls one company. It is safe for concurrent use.
type Client struct {
	http   *partner.HTTP
	base   string
	tokens TokenSource
	// slots holds one entry a request under way.
	slots chan struct{}
	pace  *rate.Limiter
	// perMinute is what pace allows, and sent what was made of it.
	perMinute int
	sent      *sent
}

// New is a client for the company. It opens no connection yet.
func New(cfg Config) *Client {
	limits := cfg.HTTP
	limits.Name, limits.Explain = "quickbooks", explain
	if cfg.Timeout > 0 {
		limits.Timeout = cfg.Timeout
	}
	if limits.MaxReply == 0 {
		limits.MaxReply = maxReply
	}
	perMinute := cmp.Or(max(cfg.PerMinute, 0), DefaultPerMinute)
	return &Client{
		http: partner.NewHTTP(limits), base: strings.TrimRight(cfg.BaseURL, "/") + "/v3/company/" + url.PathEscape(cfg.Realm),
		tokens: cfg.Tokens, slots: make(chan struct{}, atOnce),
		pace:      rate.NewLimiter(rate.Limit(perMinute)/60, max(perMinute/10, 1)),
		perMinute: perMinute, sent: newSent(perMinute),
	}
}

// Close closes idle connections; the client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// RequestID is a requestid made of a stable reference, such as a workflow's id, and
// the step: the same for every try.
func RequestID(ref, step string) string {
	sum := sha256.Sum256([]byte(ref + "\x00" + step))
	return hex.EncodeToString(sum[:maxRequestID/2])
}

// request is one call of the company's API.
type request struct {
	op, method, path string
	query            url.Values
	body             any
	// key is the object of the reply that is wanted.
	key string
	// personal must not show in errors.
	personal []string
}

// call makes the request, and once more with a new token where the one used is no
// longer good.
func (c *Client) call(ctx context.Context, r request, out any) error {
	r.op = "quickbooks." + r.op
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return &partner.Error{Op: r.op, Kind: partner.Unavailable, Message: "too many requests are under way", Cause: ctx.Err()}
	}
	token, err := c.tokens.Token(ctx)
	if err != nil {
		return err
	}
	err = c.send(ctx, r, token, out)
	if partner.KindOf(err) != partner.Unauthorised {
		return err
	}
	next, renewErr := c.tokens.Renew(ctx, token)
	if renewErr != nil {
		return renewErr
	}
	if next == token {
		return err
	}
	return c.send(ctx, r, next, out)
}

func (c *Client) send(ctx context.Context, r request, token string, out any) error {
	if err := c.pace.Wait(ctx); err != nil {
		return &partner.Error{Op: r.op, Kind: partner.Unavailable, Message: "the requests of this minute are used up", Cause: err}
	}
	c.sent.note(time.Now())
	q := url.Values{"minorversion": {minorVersion}}
	for name, values := range r.query {
		q[name] = values
	}
	var raw json.RawMessage
	err := c.http.Exchange(ctx, partner.Request{
		Op: r.op, Method: r.method, URL: c.base + r.path + "?" + q.Encode(), Body: r.body, Personal: r.personal,
		Header: http.Header{"Authorization": {"Bearer " + token}},
	}, &raw)
	if err != nil {
		return meaning(err, r.method)
	}
	return r.read(raw, out)
}

// read takes the object that is wanted from a reply of status 200, which may hold a
// Fault all the same.
func (r request) read(raw []byte, out any) error {
	malformed := &partner.Error{Op: r.op, Kind: partner.Malformed, Status: http.StatusOK, Message: "the reply has no object named " + r.key}
	if r.method != http.MethodGet {
		malformed.Kind = partner.UnknownOutcome // it was carried out, and nobody knows with what result
	}
	var reply map[string]json.RawMessage
	if json.Unmarshal(raw, &reply) != nil {
		return malformed
	}
	if said := explain(http.StatusOK, raw); said.Code != "" || hasFault(reply) {
		e := &partner.Error{Op: r.op, Kind: partner.Invalid, Status: http.StatusOK, Code: said.Code, Message: partner.Redact(said.Message)}
		for _, f := range said.Fields {
			e.Fields = append(e.Fields, partner.FieldProblem{Field: partner.Redact(f.Field), Messages: []string{e.Message}})
		}
		return meaning(e, r.method)
	}
	object, ok := reply[r.key]
	if !ok || !wire.IsObject(object) {
		return malformed
	}
	if err := json.Unmarshal(object, out); err != nil {
		malformed.Message = "the object named " + r.key + " is not that of its contract"
		return malformed
	}
	return nil
}

// get reads one object.
func (c *Client) get(ctx context.Context, op, path, key string, out any) error {
	return c.call(ctx, request{op: op, method: http.MethodGet, path: path, key: key}, out)
}

// query runs a query over one kind of entity; out is a QueryResponse.
func (c *Client) query(ctx context.Context, op, statement string, out any, personal ...string) error {
	return c.call(ctx, request{
		op: op, method: http.MethodGet, path: "/query", query: url.Values{"query": {statement}}, key: "QueryResponse", personal: personal,
	}, out)
}

// quoted is a text as a value in a query.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// number checks ids before they become part of a path or a reference.
func number(op string, ids ...string) error {
	for _, id := range ids {
		if !wire.IsID(id) {
			return &partner.Error{Op: "quickbooks." + op, Kind: partner.Invalid, Message: "an id is not a decimal number"}
		}
	}
	return nil
}

// requestID checks one and makes it a query.
func requestID(op, value string) (url.Values, error) {
	if value == "" || len(value) > maxRequestID {
		return nil, &partner.Error{Op: "quickbooks." + op, Kind: partner.Invalid, Message: "a requestid has 1 to 50 characters"}
	}
	return url.Values{"requestid": {value}}, nil
}

// clean is a text on one line, cut to a number of characters.
func clean(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = strings.TrimSpace(string(r[:most]))
	}
	return text
}
