package sync

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
)

func TestWhyAWebhookWasNotDelivered(t *testing.T) {
	t.Parallel()
	const again = "; reset this workflow to try again"
	busy := temporal.NewApplicationError("webhook.post: unavailable (HTTP 503)", "unavailable")
	for name, c := range map[string]struct {
		err            error
		state, message string
	}{
		"refused": {
			temporal.NewNonRetryableApplicationError("webhook.post: not_found (HTTP 410)", "not_found", nil),
			OutgoingRefused, "webhook.post: not_found (HTTP 410); once that is mended, reset this workflow to try again",
		},
		"the next attempt would be too late": {
			busy, OutgoingGivenUp, "given up after 72h0m0s; the last attempt: webhook.post: unavailable (HTTP 503)" + again,
		},
		"the time is up between attempts": {
			temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, busy),
			OutgoingGivenUp, "given up after 72h0m0s; the last attempt: webhook.post: unavailable (HTTP 503)" + again,
		},
		"no worker has ended one": {
			temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, nil),
			OutgoingGivenUp, "given up after 72h0m0s; the last attempt: it did not end" + again,
		},
		"something else": {errors.New("no"), OutgoingGivenUp, "given up after 72h0m0s; the last attempt: it did not end" + again},
	} {
		state, message := whyNotDelivered(c.err)
		require.Equal(t, c.state, state, name)
		require.Equal(t, c.message, message, name)
	}
}

func TestTheIDOfAnOutgoingWebhook(t *testing.T) {
	t.Parallel()
	require.Equal(t, "webhook/crm/sale/7/completed", OutgoingWebhookID("crm", "sale/7/completed"))
}
