package partner

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// TransportError is an exchange that failed without a usable reply. It is what
// the guarded client returns, inside net/http's own error.
type TransportError struct {
	// Sent tells whether any of the request may have reached the partner.
	Sent bool
	// RetryAfter is above zero where the breaker refused the call.
	RetryAfter time.Duration
	// Err is the failure itself.
	Err error
}

// Error is the failure's text.
func (e *TransportError) Error() string { return e.Err.Error() }

// Unwrap is the failure.
func (e *TransportError) Unwrap() error { return e.Err }

// errTooLong is a reply body over its limit.
const errTooLong = ShapeError("the reply is longer than its limit")

// errFailing is how a 5xx reply counts for the breaker; callers never see it.
var errFailing = errors.New("the partner fails")

// guard is the round tripper under every client: time limit, breaker, body limit
// and the answer to "may it have been sent?".
type guard struct {
	next      http.RoundTripper
	timeout   time.Duration
	maxReply  int64
	onHeader  func(http.Header)
	name      string
	observer  *Observer
	breaker   *gobreaker.CircuitBreaker[struct{}]
	openUntil atomic.Int64 // unix nanoseconds
}

func newGuard(cfg HTTPConfig) *guard {
	g := &guard{next: cfg.Transport, timeout: cfg.Timeout, maxReply: cfg.MaxReply, onHeader: cfg.OnHeader, name: cfg.Name, observer: cfg.Observer}
	if g.next == nil {
		g.next = ownTransport()
	}
	if g.timeout <= 0 {
		g.timeout = DefaultTimeout
	}
	if g.maxReply <= 0 {
		g.maxReply = DefaultMaxReply
	}
	after, breakFor := cfg.BreakAfter, cfg.BreakFor
	if after == 0 {
		after = DefaultBreakAfter
	}
	if breakFor <= 0 {
		breakFor = DefaultBreakFor
	}
	g.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        cfg.Name,
		Timeout:     breakFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= after },
		// A caller that gave up says nothing about the partner.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				until := time.Now().Add(breakFor)
				g.openUntil.Store(until.UnixNano())
				g.observer.breakerOpen(g.name, until)
			}
		},
	})
	g.observer.breakerOpen(g.name, time.Time{})
	return g
}

func ownTransport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if d, ok := http.DefaultTransport.(*http.Transport); ok {
		t = d.Clone()
	}
	t.MaxIdleConnsPerHost = 16
	t.MaxConnsPerHost = 64
	t.IdleConnTimeout = 30 * time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// RoundTrip makes one guarded exchange and observes it until its body is closed. Its
// errors are *TransportError.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, call := g.observer.Begin(req.Context(), g.name, opOf(req.Context()), req.Method)
	if call == nil {
		return g.guarded(req)
	}
	resp, err := g.guarded(req.WithContext(ctx))
	if err != nil {
		call.End(0, Outcome(Failure("", req.Method, err)))
		return nil, err
	}
	if body, ok := resp.Body.(*limitedBody); ok {
		body.closed = func(err error) { call.End(resp.StatusCode, outcomeOf(req.Method, resp.StatusCode, err)) }
	}
	return resp, nil
}

// outcomeOf is the outcome of a reply whose body ended with err.
func outcomeOf(method string, status int, err error) string {
	switch {
	case status < 200 || status > 299:
		return string(StatusError("", method, status, nil, Refusal{}).Kind)
	case err != nil:
		return Outcome(Failure("", method, err))
	}
	return OutcomeOK
}

func (g *guard) guarded(req *http.Request) (*http.Response, error) {
	var resp *http.Response
	_, err := g.breaker.Execute(func() (struct{}, error) {
		var err error
		resp, err = g.exchange(req) //nolint:bodyclose // a round tripper hands the body to its caller
		if err == nil && resp.StatusCode >= 500 {
			err = errFailing
		}
		return struct{}{}, err
	})
	switch {
	case errors.Is(err, errFailing):
		return resp, nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, &TransportError{RetryAfter: g.untilProbe(), Err: err}
	case err != nil:
		return nil, err
	}
	return resp, nil
}

// untilProbe is how long until the breaker lets a call through again; while one
// call is probing it is a second.
func (g *guard) untilProbe() time.Duration {
	return max(time.Until(time.Unix(0, g.openUntil.Load())), time.Second)
}

func (g *guard) exchange(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), g.timeout)
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// From here on bytes may leave; nothing tells whether they arrived.
		WroteHeaders: func() { sent.Store(true) },
	})
	resp, err := g.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, &TransportError{Sent: sent.Load(), Err: err}
	}
	if g.onHeader != nil {
		g.onHeader(resp.Header)
	}
	resp.Body = &limitedBody{body: resp.Body, left: g.maxReply, done: cancel}
	return resp, nil
}

// CloseIdleConnections passes the wish on.
func (g *guard) CloseIdleConnections() {
	if c, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// limitedBody fails, rather than ends, once more than its limit has arrived, and
// releases the time limit when closed.
type limitedBody struct {
	body io.ReadCloser
	left int64
	done context.CancelFunc
	// closed, where set, is told how reading ended.
	closed func(err error)
	failed error
}

// Read reads within the limit. Its errors are io.EOF and *TransportError.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.left -= int64(n)
	switch {
	case b.left < 0:
		b.failed = &TransportError{Sent: true, Err: errTooLong}
		return 0, b.failed
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	default:
		b.failed = &TransportError{Sent: true, Err: err}
		return n, b.failed
	}
}

// Close closes the body and ends the request's time limit.
func (b *limitedBody) Close() error {
	err := b.body.Close()
	b.done()
	if b.closed != nil {
		b.closed(b.failed)
	}
	return err
}
