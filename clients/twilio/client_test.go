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
	"github.com/aictive/keyholder/clients/partner/partnertest"
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

func TestCodesAreClassifiedWithoutTheNumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, code int
		kind         partner.Kind
	}{
		"opted out":       {400, 21610, partner.OptedOut},
		"not valid":       {400, 21211, partner.Invalid},
		"not a mobile":    {400, 21614, partner.Invalid},
		"no route":        {400, 21612, partner.Invalid},
		"other refusal":   {400, 21999, partner.Invalid},
		"credentials":     {401, 20003, partner.Unauthorised},
		"too many":        {429, 20429, partner.RateLimited},
		"unknown account": {404, 20404, partner.NotFound},
		"server error":    {500, 20500, partner.UnknownOutcome},
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

func TestAReplyThatCannotBeReadIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no sid": `{"status":"queued"}`, "wrong type": `{"sid":{}}`} {
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

func TestConformance(t *testing.T) {
	t.Parallel()
	partnertest.Run(t, partnertest.Suite[*twilio.Client]{
		New: func(base string, limits partner.HTTPConfig) *twilio.Client {
			return twilio.New(twilio.Config{AccountSID: account, AuthToken: "an-auth-token", BaseURL: base, From: ours, HTTP: limits})
		},
		Refusal: func(status int, text string) string {
			return fmt.Sprintf(`{"code":20000,"message":%q,"status":%d}`, text, status)
		},
		Secrets: []string{"an-auth-token", account, theirs, url.QueryEscape(theirs), "hello"},
		Calls: []partnertest.Call[*twilio.Client]{
			{
				Name: "send", Write: true, Status: 201, Body: `{"sid":"SM1","status":"queued"}`,
				Do: func(ctx context.Context, c *twilio.Client) error {
					_, err := c.Send(ctx, theirs, "hello", "")
					return err
				},
			},
			{
				Name: "find", Body: `{"messages":[]}`,
				Do: func(ctx context.Context, c *twilio.Client) error {
					_, _, err := c.Find(ctx, theirs, "hello", time.Now())
					return err
				},
			},
		},
	})
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
