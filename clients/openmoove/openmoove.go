// Package openmoove calls the OpenMoove Partner API as contracts/openmoove.md
// describes it. One file a resource; each method makes one attempt a request and
// returns a *partner.Error on failure.
//
// Ids are decimal text, whatever the wire has; money is the wire's own text;
// sale methods, statuses and names that are not known are kept as they are.
// Scalars are read leniently, and what this project does not act on may be missing
// or odd; an unknown shape of what it acts on is partner.Malformed. Times are read
// by ParseTime.
//
// There is no idempotency key (1): after partner.UnknownOutcome, and before any
// create that may be a repeat, look for the property first.
package openmoove

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// DefaultTimeout is long because the first call to the staging database may take
// seconds (1).
const DefaultTimeout = 15 * time.Second

// MaxPageSize is the most rows that a page has (1).
const MaxPageSize = 100

// Config says where OpenMoove is and who calls.
type Config struct {
	// BaseURL is https://api.openmoove.com/api/v1/partners/ or the older
	// .../api/partners/ (1), with or without the trailing slash.
	BaseURL string
	// APIKey is om_...
	APIKey string
	// Timeout limits one request (real time); 0 is that of HTTP, else DefaultTimeout.
	Timeout time.Duration
	// HTTP holds the rest of the call's limits; its zero value is right outside
	// tests.
	HTTP partner.HTTPConfig
}

// Client calls OpenMoove with one key. It is safe for concurrent use.
type Client struct {
	http   *partner.HTTP
	base   string
	header http.Header
	meter  *partner.LimitMeter
}

// New is a client for the key. It opens no connection yet.
func New(cfg Config) *Client {
	c := &Client{
		base:   strings.TrimRight(cfg.BaseURL, "/"),
		header: http.Header{"X-Api-Key": {cfg.APIKey}},
		meter:  &partner.LimitMeter{},
	}
	limits := cfg.HTTP
	limits.Name, limits.Explain = "openmoove", explain
	limits.Timeout = cmp.Or(max(cfg.Timeout, 0), limits.Timeout, DefaultTimeout)
	limits.OnHeader = func(h http.Header) {
		c.meter.Note(h)
		if cfg.HTTP.OnHeader != nil {
			cfg.HTTP.OnHeader(h)
		}
	}
	c.http = partner.NewHTTP(limits)
	return c
}

// Close closes idle connections; the client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Limits is what the newest reply, of whatever status, said about the key's
// limit (1). Other programs may use the same key.
func (c *Client) Limits() partner.Limits { return c.meter.Last() }

// get reads a path made of constants and checked references; every path ends with
// a slash (1).
func (c *Client) get(ctx context.Context, op, path string, q url.Values, out *reader) error {
	at := c.base + path
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	return c.http.Do(ctx, "openmoove."+op, http.MethodGet, at, c.header, nil, out)
}

// Page picks one page of a list. A page past the end is partner.NotFound.
type Page struct {
	// Number counts from 1; 0 is 1.
	Number int
	// Size is the rows wanted, at most MaxPageSize; 0 leaves it to OpenMoove: 20 (1).
	Size int
}

func (p Page) query() url.Values {
	q := url.Values{}
	if p.Number > 1 {
		q.Set("page", strconv.Itoa(p.Number))
	}
	if p.Size > 0 {
		q.Set("page_size", strconv.Itoa(min(p.Size, MaxPageSize)))
	}
	return q
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// IsUUID tells whether s is written like a transaction id.
func IsUUID(s string) bool { return uuid.MatchString(s) }

// propertyPath is the path of a property by either of its references, checked
// before they become part of it.
func propertyPath(op, ref, rest string) (string, error) {
	if !IsUUID(ref) && !wire.IsID(ref) {
		return "", invalid(op, "the property's reference is neither a UUID nor a decimal number")
	}
	return "/properties/" + ref + "/" + rest, nil
}

func invalid(op, message string) error {
	return &partner.Error{Op: "openmoove." + op, Kind: partner.Invalid, Message: message}
}
