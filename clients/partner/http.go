package partner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// Defaults of HTTPConfig.
const (
	DefaultTimeout    = 10 * time.Second
	DefaultMaxReply   = 8 << 20
	DefaultBreakAfter = 5
	DefaultBreakFor   = 10 * time.Second
)

// maxRedirects is how many redirects within one host a GET follows.
const maxRedirects = 3

// HTTPConfig says how one partner is called. The zero value works.
type HTTPConfig struct {
	// Name is the partner's, for the words of the breaker and for metrics.
	Name string
	// Timeout limits one request from the dial to the last byte of the reply
	// (real time).
	Timeout time.Duration
	// MaxReply is the longest reply body in bytes, after decompression.
	MaxReply int64
	// BreakAfter is how many failures in a row open the breaker. A failure is a
	// broken or timed-out exchange, or a 5xx.
	BreakAfter uint32
	// BreakFor is how long the breaker stays open before one call may probe.
	BreakFor time.Duration
	// Transport carries the requests; nil is a transport of its own.
	Transport http.RoundTripper
	// Explain reads a refusal's body. Nil: the status alone speaks.
	Explain func(status int, body []byte) Refusal
	// OnHeader, where set, sees the header of every reply, errors and redirects too.
	// It is called from many goroutines at once and must not keep or change it.
	OnHeader func(http.Header)
	// Observer counts, times and traces the calls; nil does not.
	Observer *Observer
}

// HTTP makes one attempt a call: time limit, body limit, circuit breaker, no
// redirect to another host, classified errors. It is safe for concurrent use.
type HTTP struct {
	client  *http.Client
	explain func(status int, body []byte) Refusal
}

// Request is one call.
type Request struct {
	// Op names the call in errors, such as "rentvine.update_work_order".
	Op string
	// Method and URL are as net/http wants them. URLs never appear in errors.
	Method, URL string
	// Header is added to the request.
	Header http.Header
	// Body is nil for none, a RawBody sent as it is, or a value sent as JSON.
	Body any
	// Personal are values of this request that errors must not repeat, such as names:
	// e-mail addresses and phone numbers are hidden anyway.
	Personal []string
}

// RawBody is a request body that is not JSON.
type RawBody struct {
	ContentType string
	Bytes       []byte
}

// Reply is a 2xx reply, its body within HTTPConfig.MaxReply.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// NewHTTP is a caller for one partner.
func NewHTTP(cfg HTTPConfig) *HTTP {
	return &HTTP{
		client:  &http.Client{Transport: newGuard(cfg), CheckRedirect: stayOnHost},
		explain: cfg.Explain,
	}
}

// Client is the guarded net/http client, for a partner's own SDK: same limits,
// same breaker. Failure classifies the errors that it returns.
func (h *HTTP) Client() *http.Client { return h.client }

// CloseIdleConnections closes the connections that carry no request.
func (h *HTTP) CloseIdleConnections() { h.client.CloseIdleConnections() }

// Do sends body as JSON and decodes a 2xx reply into out (nil: the body is not
// looked at). Errors are *Error of every kind but OptedOut.
func (h *HTTP) Do(ctx context.Context, op, method, url string, header http.Header, body, out any) error {
	return h.Exchange(ctx, Request{Op: op, Method: method, URL: url, Header: header, Body: body}, out)
}

// Exchange is Do for a request of any kind.
func (h *HTTP) Exchange(ctx context.Context, r Request, out any) error {
	reply, err := h.Send(ctx, r)
	if err != nil || out == nil {
		return err
	}
	return reply.decode(r.Op, r.Method, out)
}

// Send makes the call and returns a 2xx reply as it is. Errors are *Error of
// every kind but OptedOut.
func (h *HTTP) Send(ctx context.Context, r Request) (Reply, error) {
	req, err := newRequest(WithOp(ctx, r.Op), r)
	if err != nil {
		return Reply{}, err
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return Reply{}, Failure(r.Op, r.Method, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// The status decides; a broken error body only loses its words.
		var said Refusal
		if h.explain != nil && err == nil {
			said = h.explain(resp.StatusCode, body).speakable(r.Personal)
		}
		return Reply{}, StatusError(r.Op, r.Method, resp.StatusCode, resp.Header, said)
	}
	if err != nil {
		return Reply{}, Failure(r.Op, r.Method, err)
	}
	return Reply{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

func newRequest(ctx context.Context, r Request) (*http.Request, error) {
	invalid := func(message string) error { return &Error{Op: r.Op, Kind: Invalid, Message: message} }
	var payload io.Reader
	contentType := ""
	switch b := r.Body.(type) {
	case nil:
	case RawBody:
		payload, contentType = bytes.NewReader(b.Bytes), b.ContentType
	default:
		data, err := json.Marshal(b)
		if err != nil {
			return nil, invalid("the request body cannot be encoded")
		}
		payload, contentType = bytes.NewReader(data), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, payload)
	if err != nil {
		return nil, invalid("the request's method or address is not valid")
	}
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	return req, nil
}

// decode reads the body as JSON. A reply to a write that cannot be read leaves
// its outcome unknown: the partner said 2xx.
func (r Reply) decode(op, method string, out any) error {
	fail := &Error{Op: op, Kind: Malformed, Status: r.Status}
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t == "text/html" {
		// A page of a proxy or of maintenance in place of the API.
		fail.Kind, fail.Message = Unavailable, "a web page in place of JSON"
	} else if err := json.Unmarshal(r.Body, out); err != nil {
		fail.Message = decodeMessage(err)
	} else {
		return nil
	}
	if !safe(method) {
		fail.Kind = UnknownOutcome
	}
	return fail
}

// ShapeError says that a reply does not have the shape of its contract. Decoders
// return it; its text must hold no values of the reply.
type ShapeError string

// Error is the text.
func (e ShapeError) Error() string { return string(e) }

// decodeMessage says what is wrong with the JSON without repeating any of it:
// the decoder's own errors may quote values.
func decodeMessage(err error) string {
	var shape ShapeError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &shape):
		return shape.Error()
	case errors.As(err, &typ):
		return "field " + typ.Field + " has an unexpected type"
	default:
		return "the reply is not the JSON of its contract"
	}
}

// stayOnHost lets reads follow a few redirects within one host. Any other
// redirect is returned as a reply and becomes an error by its status.
func stayOnHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > maxRedirects || !safe(first.Method) || !sameHost(req.URL, first.URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

func sameHost(a, b *url.URL) bool {
	return a.Host == b.Host && (a.Scheme == b.Scheme || a.Scheme == "https")
}

// safe tells methods that change nothing.
func safe(method string) bool {
	return method == "" || method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
