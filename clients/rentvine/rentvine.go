// Package rentvine calls the RentVine Manager API as contracts/rentvine.md
// describes it. One file a resource; each method makes one attempt a request and
// returns a *partner.Error on failure. Wire values are read leniently (an id, flag
// or amount may be a string, number or bool: 1.2), shapes strictly: an unknown one
// is partner.Malformed, never an empty list (4.9).
//
// RentVine answers 404 to an unknown path and to a wrong method (4.12); what it
// answers to an unknown record is not known. 200 does not mean applied (4.4).
package rentvine

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// Config says where RentVine is and who calls.
type Config struct {
	// BaseURL is https://{account}.rentvine.com/api/manager (1.1).
	BaseURL string
	// AccessKey and Secret are the user and password of HTTP Basic (1.1).
	AccessKey, Secret string
	// Timeout limits one request (real time); 0 is partner.DefaultTimeout.
	Timeout time.Duration
	// HTTP holds the rest of the call's limits; its zero value is right outside
	// tests.
	HTTP partner.HTTPConfig
}

// Client calls one RentVine account. It is safe for concurrent use.
type Client struct {
	http   *partner.HTTP
	base   string
	header http.Header
}

// New is a client for the account. It opens no connection yet.
func New(cfg Config) *Client {
	limits := cfg.HTTP
	limits.Name, limits.Explain = "rentvine", explain
	if cfg.Timeout > 0 {
		limits.Timeout = cfg.Timeout
	}
	auth := &http.Request{Header: http.Header{}}
	auth.SetBasicAuth(cfg.AccessKey, cfg.Secret)
	return &Client{http: partner.NewHTTP(limits), base: strings.TrimRight(cfg.BaseURL, "/"), header: auth.Header}
}

// Close closes idle connections; the client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call is one request. Paths are made of constants and ids that number checked.
func (c *Client) call(ctx context.Context, op, method, path string, q url.Values, body any, out *reader) error {
	at := c.base + path
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	return c.http.Do(ctx, "rentvine."+op, method, at, c.header, body, out)
}

func (c *Client) get(ctx context.Context, op, path string, q url.Values, out *reader) error {
	return c.call(ctx, op, http.MethodGet, path, q, nil, out)
}

// post creates and updates: RentVine has no PUT and no PATCH (1.4).
func (c *Client) post(ctx context.Context, op, path string, body any, out *reader) error {
	return c.call(ctx, op, http.MethodPost, path, nil, body, out)
}

// number checks ids before they become part of a path, a query or a JSON number:
// ids are decimal (1.2).
func number(op string, ids ...string) error {
	for _, id := range ids {
		if !wire.IsID(id) {
			return &partner.Error{Op: "rentvine." + op, Kind: partner.Invalid, Message: "an id is not a decimal number"}
		}
	}
	return nil
}

// explain keeps field paths and messages of a refusal (1.7), e.g.
// {"charges[0].ledgerID":["Payer is Invalid"]}.
func explain(_ int, body []byte) partner.Refusal {
	return partner.Refusal{Fields: partner.ReadFields(body)}
}
