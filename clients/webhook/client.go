// Package webhook posts signed webhooks to the systems that want to know what
// happens here, by the Standard Webhooks specification: one attempt a call, no
// redirects, no proxy, and no way into private networks that are not allowed by
// name. Whoever calls decides about a repeat by Final.
package webhook

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/aictive/keyholder/clients/partner"
)

const (
	op = "webhook.post"
	// defaultTimeout is within what the specification recommends for a request.
	defaultTimeout = 15 * time.Second
	// maxReply is how much of a reply is read, in bytes; none of it is kept.
	maxReply = 64 << 10
	// remembered is of how many addresses the breaker's state is kept.
	remembered = 64
)

// Config says where deliveries may go and how long one may take. The zero value
// works, and reaches public addresses by https only.
type Config struct {
	// Allow are private networks that may be reached nevertheless, by http too.
	Allow []netip.Prefix
	// Timeout bounds one delivery from the dial to the end of the reply; 15 seconds
	// where zero.
	Timeout time.Duration
	// RootCAs are trusted in place of the system's, for receivers with a private
	// authority; nil is the system's.
	RootCAs *x509.CertPool
	// HTTP holds the breaker's limits; its zero value is right outside tests. Its
	// Transport is ignored.
	HTTP partner.HTTPConfig
}

// Client is safe for concurrent use.
type Client struct {
	limits        partner.HTTPConfig
	secure, plain *http.Transport
	// callers has one caller for each address, so that the breaker of one that is
	// broken stops no other.
	callers *lru.Cache[string, *partner.HTTP]
}

// New makes a client. It does not connect.
func New(cfg Config) *Client {
	limits := cfg.HTTP
	limits.Name, limits.Timeout, limits.MaxReply = "webhook", cfg.Timeout, maxReply+1
	if limits.Timeout <= 0 {
		limits.Timeout = defaultTimeout
	}
	callers, err := lru.New[string, *partner.HTTP](remembered)
	if err != nil {
		panic(err) // the size is above zero
	}
	g := newGuard(cfg.Allow)
	return &Client{
		limits: limits, callers: callers,
		secure: newTransport(g.secure, cfg.RootCAs), plain: newTransport(g.plain, cfg.RootCAs),
	}
}

// Close closes idle connections; the client stays usable.
func (c *Client) Close() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

// Post makes one attempt. A reply of 2xx is success, whatever follows it. Errors
// are *partner.Error and hold neither the address nor what was sent or answered:
//
//   - Invalid: the delivery cannot be posted (see Delivery), or 400, 422 and others
//   - Forbidden: the address is in a private network, or 403
//   - Unauthorised, NotFound (410, too), Conflict: as the status says
//   - Malformed: a redirect; Status is 3xx
//   - RateLimited, Unavailable, UnknownOutcome: again later, not before RetryAfter
//
// Repeating a delivery under the same ID is safe: by it receivers know repeats.
func (c *Client) Post(ctx context.Context, d Delivery) error {
	req, err := d.request(partner.WithOp(ctx, op))
	if err != nil {
		return err
	}
	// The bare round tripper: a client's would look into redirects.
	resp, err := c.caller(d.URL, req.URL.Scheme).Client().Transport.RoundTrip(req)
	if err != nil {
		return failure(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 200 {
		// Read so that the connection can be used again; a reply that breaks off has
		// said what counts. After a 101 there is no reply, but an open line.
		_, _ = io.CopyN(io.Discard, resp.Body, maxReply)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	return refusal(resp)
}

// caller is the guarded exchange with one address.
func (c *Client) caller(address, scheme string) *partner.HTTP {
	if known, ok := c.callers.Get(address); ok {
		return known
	}
	limits := c.limits
	limits.Transport = c.plain
	if scheme == "https" {
		limits.Transport = c.secure
	}
	fresh := partner.NewHTTP(limits)
	if known, ok, _ := c.callers.PeekOrAdd(address, fresh); ok {
		return known
	}
	return fresh
}
