package activities

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/activity"
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
func toTemporal(ctx context.Context, err error) error {
	var e *partner.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if !retryable(e.Kind) {
		return temporal.NewNonRetryableApplicationError(e.Error(), string(e.Kind), nil)
	}
	return temporal.NewApplicationErrorWithOptions(e.Error(), string(e.Kind), temporal.ApplicationErrorOptions{
		NextRetryDelay: pause(e, attempt(ctx)),
	})
}

// attempt is which try of the activity this is, from 1.
func attempt(ctx context.Context) int32 {
	if !activity.IsActivity(ctx) {
		return 1
	}
	return activity.GetInfo(ctx).Attempt
}

// pause is how long the next try waits where the partner said so; wrong
// credentials wait a minute, so that a lockout is not provoked. 0 leaves it to the
// retry policy, whose pauses grow: each try is billed, and a partner that is away
// for a day should not be asked every few seconds.
func pause(e *partner.Error, attempt int32) time.Duration {
	if e.Kind == partner.RateLimited {
		// All that wait are told the same time: they spread out, the more the longer
		// they have been at it.
		spread := min(250*time.Millisecond<<min(max(attempt-1, 0), 12), time.Minute)
		return e.RetryAfter + rand.N(spread)
	}
	wait := e.RetryAfter
	if wait == 0 && (e.Kind == partner.Unauthorised || e.Kind == partner.Forbidden) {
		wait = time.Minute
	}
	// No retry policy here caps its pauses below a minute.
	if growing := min(time.Second<<min(max(attempt-1, 0), 12), time.Minute); growing >= wait {
		return 0
	}
	return wait
}
