// Package partnertest holds what every client of a partner must do when the
// partner or the way to it misbehaves. It is for tests only.
package partnertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
)

// The personal data that misbehaving replies hold. None of it may show in an
// error.
const (
	Mail  = "jane.roe@example.com"
	Phone = "+44 7700 900123"
	Name  = "Jane Roe"
)

// Suite is a client under test. C is the client's type.
type Suite[C any] struct {
	// New makes a client of the partner at base (no trailing slash) with these limits;
	// a client with a Close method is closed at the end.
	New func(base string, limits partner.HTTPConfig) C
	// Refusal is the body in which the partner would say text beside an error
	// status. The text holds Mail and Phone.
	Refusal func(status int, text string) string
	// Secrets must not show in errors, nor go to another host.
	Secrets []string
	// Throttled is how long a 429 that does not say asks to wait.
	Throttled time.Duration
	// Calls are run each on its own.
	Calls []Call[C]
}

// Call is one call of the client.
type Call[C any] struct {
	Name string
	// Write tells that it changes something at the partner.
	Write bool
	// Post tells that it is a POST that changes nothing: it follows no redirect.
	Post bool
	// Status and Body are a good reply; Status 0 is 200. The first half of Body must
	// be no JSON by itself.
	Status int
	Body   string
	// Do makes the call.
	Do func(ctx context.Context, client C) error
}

// Run runs every case of the suite against every call.
func Run[C any](t *testing.T, s Suite[C]) {
	t.Helper()
	require.NotEmpty(t, s.Calls)
	for _, call := range s.Calls {
		t.Run(call.Name, func(t *testing.T) {
			t.Parallel()
			require.False(t, json.Valid([]byte(call.Body[:len(call.Body)/2])), "half of Body is JSON")
			r := run[C]{suite: s, call: call}
			t.Run("a good reply", r.goodReply)
			t.Run("statuses", r.statuses)
			t.Run("when to come back", r.whenToComeBack)
			t.Run("replies that cannot be read", r.unreadable)
			t.Run("broken connections", r.broken)
			t.Run("a broken connection that was used before", r.brokenWhenReused)
			t.Run("slow", r.slow)
			t.Run("the caller gives up", r.callerGivesUp)
			t.Run("connection refused", r.refused)
			t.Run("redirects", r.redirects)
			t.Run("breaker", r.breaker)
		})
	}
}

// run is a suite at one of its calls.
type run[C any] struct {
	suite Suite[C]
	call  Call[C]
}

// open starts a stand-in that answers with h, and a client of it.
func (r run[C]) open(t *testing.T, limits partner.HTTPConfig, h http.HandlerFunc) (*standIn, func() error) {
	t.Helper()
	s := serve(t, h)
	client := r.client(t, s.URL, limits)
	return s, func() error { return r.call.Do(t.Context(), client) }
}

func (r run[C]) client(t *testing.T, base string, limits partner.HTTPConfig) C {
	t.Helper()
	client := r.suite.New(base, limits)
	if c, ok := any(client).(interface{ Close() }); ok {
		t.Cleanup(c.Close)
	}
	return client
}

func (r run[C]) goodReply(t *testing.T) {
	t.Parallel()
	seen, do := r.open(t, partner.HTTPConfig{}, r.answer)
	require.NoError(t, do())
	require.EqualValues(t, 1, seen.requests.Load(), "one attempt a call")
}

// answer is the good reply.
func (r run[C]) answer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(max(r.call.Status, http.StatusOK))
	fmt.Fprint(w, r.call.Body)
}

// either is the kind that fits a read or a write.
func (r run[C]) either(read, write partner.Kind) partner.Kind {
	if r.call.Write {
		return write
	}
	return read
}

// fails asserts kind and privacy of a failed call.
func (r run[C]) fails(t *testing.T, err error, want ...partner.Kind) {
	t.Helper()
	_ = r.failure(t, err, want...)
}

// failure is fails, for those who look closer.
func (r run[C]) failure(t *testing.T, err error, want ...partner.Kind) *partner.Error {
	t.Helper()
	var e *partner.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, want, e.Kind, "%v", e)
	require.NotEmpty(t, e.Op)
	require.GreaterOrEqual(t, e.RetryAfter, time.Duration(0))
	r.private(t, err)
	return e
}

// private asserts that neither secrets nor personal data show, in the error, what
// it wraps, or its fields.
func (r run[C]) private(t *testing.T, err error) {
	t.Helper()
	var said strings.Builder
	for wrapped := err; wrapped != nil; wrapped = errors.Unwrap(wrapped) {
		fmt.Fprintln(&said, wrapped)
	}
	var e *partner.Error
	if errors.As(err, &e) {
		fmt.Fprintln(&said, e.Code, e.Message, e.Fields)
	}
	for _, word := range append([]string{Mail, Phone, "900123", "jane.roe", Name}, r.suite.Secrets...) {
		require.NotContains(t, said.String(), word)
	}
}
