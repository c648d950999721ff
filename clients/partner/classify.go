package partner

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
)

// maxWait is the longest RetryAfter that is believed.
const maxWait = 24 * time.Hour

// Failure classifies an exchange that brought no usable reply: Unavailable where
// nothing was sent or the call only reads, UnknownOutcome where a write may have
// arrived, Malformed for a read whose reply is too long. Errors that did not come
// from the guarded client count as sent.
func Failure(op, method string, err error) *Error {
	var shape ShapeError
	var failed *TransportError
	if !errors.As(err, &failed) {
		failed = &TransportError{Sent: true, Err: err}
	}
	e := &Error{Op: op, Kind: Unavailable, RetryAfter: failed.RetryAfter}
	switch {
	case errors.As(failed.Err, &shape):
		e.Kind, e.Message = Malformed, shape.Error()
	default:
		e.Cause = speakable(failed.Err)
	}
	if failed.Sent && !safe(method) {
		e.Kind = UnknownOutcome
	}
	return e
}

// StatusError classifies a reply whose status is not 2xx. For a write, a 5xx
// other than 501 and 503 leaves the outcome unknown: a gateway or the partner
// may have failed after it was carried out.
func StatusError(op, method string, status int, header http.Header, said Refusal) *Error {
	e := &Error{Op: op, Kind: kindOfStatus(status), Status: status, Code: said.Code, Message: said.Message, Fields: said.Fields}
	if e.Kind == RateLimited {
		e.RetryAfter = throttled(header, said.RetryAfter, time.Now())
	}
	if e.Kind == Unavailable {
		e.RetryAfter, _ = retryAfter(header, time.Now())
	}
	definite := status == http.StatusServiceUnavailable || status == http.StatusNotImplemented
	if status >= 500 && !definite && !safe(method) {
		e.Kind = UnknownOutcome
	}
	if status < 400 && e.Message == "" {
		e.Message = "a redirect that is not followed"
	}
	return e
}

func kindOfStatus(status int) Kind {
	switch status {
	case http.StatusUnauthorized:
		return Unauthorised
	case http.StatusForbidden:
		return Forbidden
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return NotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return Conflict
	case http.StatusTooManyRequests:
		return RateLimited
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return Unavailable
	}
	switch {
	case status >= 500:
		return Unavailable
	case status >= 400:
		return Invalid
	default:
		return Malformed
	}
}

// throttled is how long a 429 asks to wait: by Retry-After, else by
// X-RateLimit-Reset, else by said, the reply's own words. A reset that is past
// says nothing, nor does that of a window with calls left where there are words:
// it is another limit that was hit. 0: nothing says.
func throttled(h http.Header, said time.Duration, now time.Time) time.Duration {
	if d, ok := retryAfter(h, now); ok {
		return d
	}
	said = min(max(said, 0), maxWait)
	limits, _ := ReadLimits(h, now)
	reset := untilReset(h, now)
	if reset == 0 || limits.Remaining > 0 && said > 0 {
		return said
	}
	return reset
}

// retryAfter reads Retry-After, in seconds or as an HTTP date.
func retryAfter(h http.Header, now time.Time) (d time.Duration, ok bool) {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseInt(v, 10, 64); err == nil {
		return wait(s), true
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(at.Sub(theirNow(h, now)), 0), maxWait), true
	}
	return 0, false
}

// untilReset reads X-RateLimit-Reset, in unix seconds: 0 where it is missing or
// past, never more than maxWait.
func untilReset(h http.Header, now time.Time) time.Duration {
	s, err := strconv.ParseInt(strings.TrimSpace(h.Get("X-RateLimit-Reset")), 10, 64)
	if err != nil || s <= 0 {
		return 0
	}
	return wait(s - theirNow(h, now).Unix())
}

// theirNow is the partner's clock as its reply gives it, so that clocks may
// disagree; ours where it does not.
func theirNow(h http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return now
}

func wait(seconds int64) time.Duration {
	return time.Duration(min(max(seconds, 0), int64(maxWait/time.Second))) * time.Second
}

// speakable is err where its text is known to hold neither an address with its
// query nor parts of the reply, else a plain statement.
func speakable(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF,
		gobreaker.ErrOpenState, gobreaker.ErrTooManyRequests,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	var op net.Error
	var cert *tls.CertificateVerificationError
	if errors.As(err, &op) || errors.As(err, &cert) {
		return err
	}
	return errors.New("the exchange failed")
}

var (
	mailLike   = regexp.MustCompile(`[^\s"'<>]+@[^\s"'<>]+`)
	numberLike = regexp.MustCompile(`\+?\d[\d\s().-]{5,}\d`)
)

// Redact hides what looks like an e-mail address or a phone number and cuts the
// text to 200 characters. Partners' messages pass through it.
func Redact(s string) string {
	s = mailLike.ReplaceAllString(s, "[e-mail]")
	s = numberLike.ReplaceAllString(s, "[number]")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}
