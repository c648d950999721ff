// Package inventory reads a stock list: a CSV of what is on the shelves, from a file or
// over HTTP. It only reads; what of it is spoken for is somebody else's to know.
//
// The list has a heading, in any order, of sku, name, quantity, unit_cost,
// supplier_contact and lead_days; other columns are passed over. supplier_contact is a
// contactID at RentVine and may be empty, as may unit_cost and lead_days.
package inventory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

const (
	// maxBytes is the longest list.
	maxBytes = 5 << 20
	// fresh is how long a list is used before it is read again (real time).
	fresh = time.Minute
	// opRead names the call in errors.
	opRead = "inventory.read_list"
)

// Config says where the list is.
type Config struct {
	// Source is the path of a file, or an http or https address, which may hold a user
	// name and a password.
	Source string
	// HTTP holds the call's limits; its zero value is right outside tests.
	HTTP partner.HTTPConfig
	// Fresh is how long a list is used before it is read again (real time); a minute
	// where 0.
	Fresh time.Duration
}

// CheckSource tells what is wrong with a source, without repeating it.
func CheckSource(source string) error {
	if !isURL(source) {
		if strings.Contains(source, "://") || source == "" {
			return errors.New("it must be the path of a CSV file, or an http or https address")
		}
		return nil
	}
	if u, err := url.Parse(source); err != nil || u.Host == "" {
		return errors.New("it is not an http or https address that can be read")
	}
	return nil
}

func isURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// Client reads the list. It is safe for concurrent use.
type Client struct {
	cfg    Config
	http   *partner.HTTP
	header http.Header

	// reading lets one reader at a time ask; the others wait for its list.
	reading chan struct{}
	mu      sync.Mutex
	last    *List
	readAt  time.Time
	etag    string
}

// List is a stock list. Nobody changes it.
type List struct {
	// Digest tells this list from any other.
	Digest string
	items  map[string]Item
}

// Item is a part on the list.
type Item struct {
	SKU, Name string
	// Quantity is how many there are.
	Quantity int
	// UnitCost is in hundredths of the company's currency.
	UnitCost int64
	// SupplierContact is a contactID at RentVine, "" where the list names nobody.
	SupplierContact string
	// LeadDays is how many days a new one takes.
	LeadDays int
}

// Item returns a part by its SKU.
func (l *List) Item(sku string) (Item, bool) {
	item, ok := l.items[key(sku)]
	return item, ok
}

// Len is how many parts there are.
func (l *List) Len() int { return len(l.items) }

// key makes the case of an SKU not count.
func key(sku string) string { return strings.ToUpper(strings.TrimSpace(sku)) }

// New is a client for a source that CheckSource finds good. It reads nothing yet.
func New(cfg Config) *Client {
	limits := cfg.HTTP
	limits.Name = "inventory"
	if limits.MaxReply == 0 {
		limits.MaxReply = maxBytes
	}
	if cfg.Fresh == 0 {
		cfg.Fresh = fresh
	}
	c := &Client{cfg: cfg, header: http.Header{"Accept": {"text/csv, */*;q=0.1"}}, reading: make(chan struct{}, 1)}
	if u, err := url.Parse(cfg.Source); err == nil && isURL(cfg.Source) && u.User != nil {
		auth := &http.Request{Header: c.header}
		password, _ := u.User.Password()
		auth.SetBasicAuth(u.User.Username(), password)
		u.User = nil
		c.cfg.Source = u.String()
	}
	c.http = partner.NewHTTP(limits)
	return c
}

// Close closes idle connections; the client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// List is the list as of at most a minute ago. Errors are *partner.Error: Malformed says
// what is wrong with the list, by line and column, and every other kind that it cannot
// be read now.
func (c *Client) List(ctx context.Context) (*List, error) {
	select {
	case c.reading <- struct{}{}:
		defer func() { <-c.reading }()
	case <-ctx.Done():
		return nil, &partner.Error{Op: opRead, Kind: partner.Unavailable, Cause: ctx.Err()}
	}
	if list := c.Last(); list != nil && time.Since(c.readAt) < c.cfg.Fresh {
		return list, nil
	}
	raw, unchanged, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	if unchanged {
		c.readAt = time.Now()
		return c.Last(), nil
	}
	list, err := Parse(raw)
	if err != nil {
		c.etag = ""
		return nil, &partner.Error{Op: opRead, Kind: partner.Malformed, Message: err.Error()}
	}
	c.readAt = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = list
	return list, nil
}

// Last is the list that was read last, nil where none was.
func (c *Client) Last() *List {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *Client) read(ctx context.Context) (raw []byte, unchanged bool, err error) {
	if !isURL(c.cfg.Source) {
		raw, err := readFile(c.cfg.Source)
		return raw, false, err
	}
	header := c.header.Clone()
	if c.etag != "" && c.Last() != nil {
		header.Set("If-None-Match", c.etag)
	}
	reply, err := c.http.Send(ctx, partner.Request{Op: opRead, Method: http.MethodGet, URL: c.cfg.Source, Header: header})
	var e *partner.Error
	if errors.As(err, &e) && e.Status == http.StatusNotModified && header.Get("If-None-Match") != "" {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	c.etag = reply.Header.Get("ETag")
	return reply.Body, false, nil
}

func readFile(path string) ([]byte, error) {
	unreadable := func(message string) error {
		return &partner.Error{Op: opRead, Kind: partner.Unavailable, Message: message}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable("the file of the stock list cannot be opened")
	}
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, unreadable("the stock list is not a file")
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, unreadable("the file of the stock list cannot be read")
	}
	if len(raw) > maxBytes {
		return nil, &partner.Error{Op: opRead, Kind: partner.Malformed, Message: fmt.Sprintf("the stock list is longer than %d MiB", maxBytes>>20)}
	}
	return raw, nil
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}
