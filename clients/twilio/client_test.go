package twilio_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/twilio"
)

const (
	account = "AC00000000000000000000000000000001"
	ours    = "+15550100000"
	theirs  = "+15550101234"
)

func clientOf(t *testing.T, handler http.HandlerFunc) *twilio.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return twilio.New(twilio.Config{AccountSID: account, AuthToken: "12345", BaseURL: server.URL, From: ours, Timeout: 5 * time.Second})
}

func TestErrorsAreClassifiedWithoutTheNumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, code int
		kind         partner.Kind
	}{
		"opted out":        {400, 21610, partner.OptedOut},
		"not valid":        {400, 21211, partner.Invalid},
		"not a mobile":     {400, 21614, partner.Invalid},
		"no route":         {400, 21612, partner.Invalid},
		"other refusal":    {400, 21999, partner.Invalid},
		"credentials":      {401, 20003, partner.Unauthorised},
		"only a status":    {401, 0, partner.Unauthorised},
		"forbidden":        {403, 0, partner.Forbidden},
		"too many":         {429, 20429, partner.RateLimited},
		"unknown account":  {404, 20404, partner.NotFound},
		"unavailable":      {503, 0, partner.Unavailable},
		"server error":     {500, 20500, partner.UnknownOutcome},
		"gateway time out": {504, 0, partner.UnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(c.status)
				_, _ = fmt.Fprintf(w, `{"code":%d,"message":"'To' %s is wrong","status":%d}`, c.code, theirs, c.status)
			})
			_, err := client.Send(t.Context(), theirs, "secret text", "")
			var e *partner.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.kind, e.Kind)
			require.Equal(t, c.status, e.Status)
			require.NotContains(t, err.Error(), theirs)
			require.NotContains(t, err.Error(), "secret")
			if c.kind == partner.RateLimited {
				require.Equal(t, 7*time.Second, e.RetryAfter)
			}
		})
	}
}

func TestALostReplyIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	client := clientOf(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-released:
		case <-r.Context().Done():
		}
	})
	defer close(released)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	_, err := client.Send(ctx, theirs, "hello", "")
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err))
	require.ErrorIs(t, err, context.DeadlineExceeded)

	ctx, cancel = context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	_, _, err = client.Find(ctx, theirs, "hello", time.Now())
	require.Equal(t, partner.Unavailable, partner.KindOf(err), "a read has no outcome to lose")
	require.NotContains(t, err.Error(), url.QueryEscape(theirs))
}

func TestNobodyListensIsUnavailable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client := twilio.New(twilio.Config{AccountSID: account, AuthToken: "12345", BaseURL: server.URL, From: ours})
	_, err := client.Send(t.Context(), theirs, "hello", "")
	require.Equal(t, partner.Unavailable, partner.KindOf(err))
}

func TestAReplyThatCannotBeReadIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"broken": `{"sid":"SM12`, "no sid": `{"status":"queued"}`, "wrong type": `{"sid":{}}`, "empty": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusCreated)
				_, _ = fmt.Fprint(w, body)
			})
			_, err := client.Send(t.Context(), theirs, "hello", "")
			require.Equal(t, partner.UnknownOutcome, partner.KindOf(err))
		})
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		require.NotEqual(t, "/elsewhere", r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	_, err := client.Send(t.Context(), theirs, "hello", "")
	require.Equal(t, partner.Malformed, partner.KindOf(err))
}

func TestFindStopsAtItsBound(t *testing.T) {
	t.Parallel()
	pages := 0
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		pages++
		_, _ = fmt.Fprintf(w, `{"messages":[{"sid":"SM1","to":%q,"body":"other","direction":"outbound-api","date_created":%q}],"next_page_uri":"/x?Page=%d&PageToken=PASM1"}`,
			theirs, time.Now().UTC().Format(time.RFC1123Z), pages)
	})
	_, _, err := client.Find(t.Context(), theirs, "hello", time.Now())
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err))
	require.Equal(t, 10, pages)
}

func TestFindKnowsATrialAccountsPrefix(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"messages":[{"sid":"SM1","to":%q,"status":"sent","body":"Sent from your Twilio trial account - hello","direction":"outbound-api","date_created":%q}]}`,
			theirs, time.Now().UTC().Format(time.RFC1123Z))
	})
	m, found, err := client.Find(t.Context(), theirs, "hello", time.Now())
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, twilio.Message{SID: "SM1", Status: "sent"}, m)
}
