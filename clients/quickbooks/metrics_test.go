package quickbooks_test

import (
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/quickbooks"
	sandbox "github.com/aictive/keyholder/sandbox/quickbooks"
)

// shown is what a client shows Prometheus.
func shown(t *testing.T, client *quickbooks.Client) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	for _, c := range client.Collectors() {
		require.NoError(t, registry.Register(c))
	}
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	require.Equal(t, 200, rec.Code)
	return rec.Body.String()
}

const refreshed = `keyholder_partner_token_refresh_total{outcome="ok",partner="quickbooks"} `

func TestRefreshesOfTokensAreCounted(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	before := shown(t, c.client)
	require.Contains(t, before, refreshed+"0\n", "a counter that is there from the start can rise")
	require.NotContains(t, before, "expires_seconds{", "nobody has said yet")
	_, _, err := c.client.FindVendor(ctx, "x")
	require.NoError(t, err)
	after := shown(t, c.client)
	require.Contains(t, after, refreshed+"1\n")
	expires := regexp.MustCompile(`token_expires_seconds\{partner="quickbooks"\} (\S+)`).FindStringSubmatch(after)
	require.Len(t, expires, 2)
	at, err := strconv.ParseFloat(expires[1], 64)
	require.NoError(t, err)
	// 8,726,400 s, as Intuit says (contracts/sms-and-accounting.md 2).
	require.InDelta(t, time.Now().Add(101*24*time.Hour).Unix(), at, 300)

	// Another process takes the stored token, and knows its end without asking.
	other, tokens := c.process(t, "two", sandbox.DevRefreshToken)
	_, err = tokens.Token(ctx)
	require.NoError(t, err)
	require.Contains(t, shown(t, other), refreshed+"0\n")
	require.Contains(t, shown(t, other), expires[0])

	// A dead refresh token is a failure, of this process alone.
	broken, tokens := c.process(t, "three", "revoked-token")
	_, err = tokens.Token(ctx)
	require.Error(t, err)
	require.Contains(t, shown(t, broken), `keyholder_partner_token_refresh_total{outcome="failed",partner="quickbooks"} 1`)
	require.NotContains(t, shown(t, broken), "revoked-token")
}

func TestTheBudgetOfAMinuteIsWhatWasNotAsked(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	left, limit := c.client.Budget()
	require.Equal(t, quickbooks.DefaultPerMinute, limit)
	require.Equal(t, limit, left)
	for range 3 {
		_, _, err := c.client.FindVendor(ctx, "x")
		require.NoError(t, err)
	}
	left, _ = c.client.Budget()
	require.Equal(t, limit-3, left)
}
