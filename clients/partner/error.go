// Package partner holds what the clients of all partners share: the classified
// error and one-attempt HTTP. Clients never retry by themselves; whoever calls
// them decides by the error's Kind.
package partner

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a failed call means for the caller.
type Kind string

// The kinds of failure.
const (
	// Invalid: the partner refused the request as wrong. Repeating it is useless.
	Invalid Kind = "invalid"
	// Unauthorised: the credentials are missing or wrong.
	Unauthorised Kind = "unauthorised"
	// Forbidden: the credentials may not do this.
	Forbidden Kind = "forbidden"
	// NotFound: no such record, or no such path or method (some partners answer
	// 404 to all three).
	NotFound Kind = "not_found"
	// Conflict: the record exists already or has changed meanwhile.
	Conflict Kind = "conflict"
	// RateLimited: too many requests; see RetryAfter.
	RateLimited Kind = "rate_limited"
	// Unavailable: the partner did not do it and may do it later.
	Unavailable Kind = "unavailable"
	// UnknownOutcome: the request may or may not have been carried out. Look for
	// its effect before sending it again.
	UnknownOutcome Kind = "unknown_outcome"
	// Malformed: the partner's reply breaks its contract.
	Malformed Kind = "malformed"
	// OptedOut: the person asked not to be written to.
	OptedOut Kind = "opted_out"
)

// Error is what every client method returns on failure.
type Error struct {
	// Op names the call, such as "rentvine.update_work_order".
	Op string
	// Kind is what the failure means.
	Kind Kind
	// Status is the HTTP status, 0 where there was no reply.
	Status int
	// Code is the partner's own error code, "" where it has none.
	Code string
	// Message is the partner's explanation without personal data.
	Message string
	// Fields are the fields of the request that the partner complains about, by name;
	// Message says the same in one line.
	Fields []FieldProblem
	// RetryAfter is how long the partner asked to wait, 0 where it did not say.
	RetryAfter time.Duration
	// Cause is the underlying error, if any.
	Cause error
}

// Error says operation, kind, and what the partner said.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Op, e.Kind)
	if e.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Code != "" {
		s += " [" + e.Code + "]"
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf is the kind of the first partner error in err's chain, "" where there
// is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
