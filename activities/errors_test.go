package activities

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/clients/partner"
)

func TestEveryKindOfFailureIsRetriedOrNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   partner.Error
		retry bool
		delay time.Duration
	}{
		{partner.Error{Kind: partner.Invalid}, false, 0},
		{partner.Error{Kind: partner.NotFound}, false, 0},
		{partner.Error{Kind: partner.Conflict}, false, 0},
		{partner.Error{Kind: partner.OptedOut}, false, 0},
		{partner.Error{Kind: partner.Malformed}, true, 0},
		{partner.Error{Kind: partner.Unavailable}, true, 0},
		{partner.Error{Kind: partner.Unavailable, RetryAfter: 7 * time.Second}, true, 7 * time.Second},
		{partner.Error{Kind: partner.RateLimited, RetryAfter: time.Minute}, true, time.Minute},
		{partner.Error{Kind: partner.UnknownOutcome}, true, 0},
		{partner.Error{Kind: partner.Unauthorised}, true, time.Minute},
		{partner.Error{Kind: partner.Forbidden}, true, time.Minute},
		{partner.Error{Kind: "something new"}, true, 0},
	} {
		t.Run(string(c.err.Kind), func(t *testing.T) {
			t.Parallel()
			c.err.Op = "partner.call"
			var app *temporal.ApplicationError
			require.ErrorAs(t, toTemporal(t.Context(), errors.Join(errors.New("while sending"), &c.err)), &app)
			require.Equal(t, string(c.err.Kind), app.Type())
			require.Equal(t, !c.retry, app.NonRetryable())
			// Those at a limit are spread out.
			require.InDelta(t, c.delay, app.NextRetryDelay(), float64(300*time.Millisecond))
		})
	}
}

func TestOtherErrorsAreLeftAsTheyAre(t *testing.T) {
	t.Parallel()
	require.NoError(t, toTemporal(t.Context(), nil))
	other := errors.New("the database is locked")
	require.Equal(t, other, toTemporal(t.Context(), other))
}

func TestWhatWasSentBeforeAFailureTravelsWithIt(t *testing.T) {
	t.Parallel()
	sent := []Sent{{Step: "a", Outcome: MessageSent, Channel: SMS}, {Step: "b", Outcome: MessageImpossible, Why: "sms: opted out"}}
	failed := withResults(toTemporal(t.Context(), &partner.Error{Op: "twilio.send", Kind: partner.Unavailable, RetryAfter: 3 * time.Second}), sent)
	wire := temporal.GetDefaultFailureConverter()
	back := wire.FailureToError(wire.ErrorToFailure(failed))
	require.Equal(t, sent, SentBefore(back))
	var app *temporal.ApplicationError
	require.ErrorAs(t, back, &app)
	require.Equal(t, string(partner.Unavailable), app.Type())
	require.Equal(t, 3*time.Second, app.NextRetryDelay())
	require.Empty(t, SentBefore(errors.New("no details")))
}
