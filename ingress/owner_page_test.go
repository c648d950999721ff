package ingress

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/ownerreport"
	"github.com/aictive/keyholder/store"
)

// owners is a door that shows the page of each portfolio, and counts how often one is made.
type owners struct {
	*door
	t    *testing.T
	keys store.Keys
	made atomic.Int32
	fail atomic.Bool
}

func openOwners(t *testing.T) *owners {
	t.Helper()
	o := &owners{t: t, keys: store.NewKeys("a secret of the test")}
	o.door = open(t, awayRouter(t), func(c *Config) {
		c.People = NewPeople(PeopleConfig{Keys: o.keys, Log: c.Log, Owner: func(_ context.Context, portfolio string) (ownerreport.Report, error) {
			o.made.Add(1)
			if o.fail.Load() {
				return ownerreport.Report{}, errors.New("disk full")
			}
			return ownerreport.Report{
				Kind: ownerreport.Page, Company: "Acme Homes", Currency: "USD", TimeZone: "UTC", At: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC),
				From: "2026-11-01", To: "2026-11-03", PortfolioID: portfolio, Portfolio: "Homes of " + portfolio,
			}, nil
		}})
	})
	return o
}

func (o *owners) read(token string) httpReply { return o.do(http.MethodGet, "/o/"+token, nil, nil) }

func (o *owners) good(portfolio string) string {
	return o.keys.OwnerToken(portfolio, time.Now().Add(time.Hour))
}

func TestTheOwnersPageIsMadeOnceAMinuteAndKeptPrivate(t *testing.T) {
	t.Parallel()
	o := openOwners(t)
	token := o.good("4")
	for range 3 {
		got := o.read(token)
		require.Equal(t, http.StatusOK, got.status)
		require.Contains(t, got.body, "Homes of 4")
		require.NotContains(t, got.body, "<script")
		require.NotContains(t, got.body, "<form")
		require.NotContains(t, got.body, token)
		require.Equal(t, []string{"no-referrer", "no-store"}, []string{got.header.Get("Referrer-Policy"), got.header.Get("Cache-Control")})
		require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
	}
	require.EqualValues(t, 1, o.made.Load())
	require.Contains(t, o.read(o.good("5")).body, "Homes of 5", "each has its own")
	require.Equal(t, http.StatusMethodNotAllowed, o.do(http.MethodPost, "/o/"+token, nil, nil).status)
	require.Contains(t, o.log.String(), `"route":"/o/:token"`)
	require.NotContains(t, o.log.String(), token)
}

func TestALinkThatIsNoOwnersShowsNothing(t *testing.T) {
	t.Parallel()
	o := openOwners(t)
	good := o.good("4")
	for _, c := range []struct {
		name, token string
		status      int
	}{
		{"expired", o.keys.OwnerToken("4", time.Unix(1, 0)), http.StatusGone},
		{"prolonged", strings.Replace(o.keys.OwnerToken("4", time.Unix(1, 0)), "-1-", "-9999999999-", 1), http.StatusNotFound},
		{"of another portfolio", "5" + good[1:], http.StatusNotFound},
		{"signed by another", store.NewKeys("another").OwnerToken("4", time.Now().Add(time.Hour)), http.StatusNotFound},
		{"a report's", o.keys.ReportToken("4", time.Now().Add(time.Hour)), http.StatusNotFound},
		{"made up", "x", http.StatusNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := o.read(c.token)
			require.Equal(t, c.status, got.status)
			require.NotContains(t, got.body, "Homes of")
			require.Equal(t, "no-store", got.header.Get("Cache-Control"))
		})
	}
	t.Cleanup(func() { require.Zero(t, o.made.Load()) })
}

func TestAnOwnersPageThatCannotBeMadeSaysSo(t *testing.T) {
	t.Parallel()
	o := openOwners(t)
	o.fail.Store(true)
	got := o.read(o.good("4"))
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Contains(t, got.body, "No figures just now")
	require.NotContains(t, got.body, "disk")
	o.fail.Store(false)
	require.Equal(t, http.StatusOK, o.read(o.good("4")).status, "what failed is not kept")
	limited := false
	for range 200 {
		limited = limited || o.read(o.good("4")).status == http.StatusTooManyRequests
	}
	require.True(t, limited)
	without := open(t, awayRouter(t), func(c *Config) { c.People = NewPeople(PeopleConfig{Keys: o.keys, Log: c.Log}) })
	require.Equal(t, http.StatusNotFound, without.do(http.MethodGet, "/o/"+o.good("4"), nil, nil).status)
}
