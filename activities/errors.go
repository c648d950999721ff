package activities

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/clients/partner"
)

// retryable tells what Temporal's retry policy may repeat. An unknown outcome is
// among them because every write looks for its earlier effect first; so is a
// garbled reply. Wrong credentials are, too: an operator mends them while the
// workflow waits.
func retryable(kind partner.Kind) bool {
	switch kind {
	case partner.RateLimited, partner.Unavailable, partner.UnknownOutcome, partner.Unauthorised, partner.Forbidden, partner.Malformed:
		return true
	case partner.Invalid, partner.NotFound, partner.Conflict, partner.OptedOut:
		return false
	}
	return true
}

// toTemporal turns a client's error into the one that Temporal retries, or does
// not. The error's type is its kind, so that workflows can tell them apart.
func toTemporal(err error) error {
	var e *partner.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if !retryable(e.Kind) {
		return temporal.NewNonRetryableApplicationError(e.Error(), string(e.Kind), nil)
	}
	return temporal.NewApplicationErrorWithOptions(e.Error(), string(e.Kind), temporal.ApplicationErrorOptions{
		NextRetryDelay: pause(e),
	})
}

// pause is how long the next try waits where the partner said so; wrong
// credentials wait a minute, so that a lockout is not provoked.
func pause(e *partner.Error) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	if e.Kind == partner.Unauthorised || e.Kind == partner.Forbidden {
		return time.Minute
	}
	return 0
}
