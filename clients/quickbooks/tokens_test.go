package quickbooks_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/quickbooks"
	sandbox "github.com/aictive/keyholder/sandbox/quickbooks"
)

func TestManyCallersAndProcessesShareOneRefresh(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	other, _ := c.process(t, "two", sandbox.DevRefreshToken)
	var wg sync.WaitGroup
	for _, client := range []*quickbooks.Client{c.client, other} {
		for range 8 {
			wg.Go(func() {
				_, _, err := client.FindVendor(ctx, "x")
				require.NoError(t, err)
			})
		}
	}
	wg.Wait()
	require.Equal(t, 1, c.stand.Refreshes())
}

func TestARolledTokenIsStoredBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{RollAfter: time.Nanosecond, OldFor: time.Nanosecond, AccessFor: time.Hour}), t.Context()
	first, err := c.tokens.Token(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, c.kept.version)
	require.NotContains(t, string(c.kept.value), sandbox.DevRefreshToken, "the next one is kept")

	// The process dies; another one goes on from what is stored.
	client, tokens := c.process(t, "two", sandbox.DevRefreshToken)
	again, err := tokens.Token(ctx)
	require.NoError(t, err)
	require.Equal(t, first, again)
	for range 3 {
		next, err := tokens.Renew(ctx, again)
		require.NoError(t, err)
		require.NotEqual(t, again, next)
		again = next
	}
	_, _, err = client.FindVendor(ctx, "x")
	require.NoError(t, err)

	// What cannot be stored is not used.
	c.kept.failing = errors.New("the disk is full")
	_, err = tokens.Renew(ctx, again)
	require.ErrorContains(t, err, "the disk is full")
}

func TestAnAccessTokenThatEndsIsRenewedOnce(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	_, _, err := c.client.FindVendor(ctx, "x")
	require.NoError(t, err)
	var refused atomic.Int32
	once := func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/query") && refused.Add(1) == 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return false
	}
	c.before.Store(&once)
	_, _, err = c.client.FindVendor(ctx, "x")
	require.NoError(t, err)
	require.Equal(t, 2, c.stand.Refreshes())

	never := func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/query") {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return false
	}
	c.before.Store(&never)
	before := c.calls.Load()
	_, _, err = c.client.FindVendor(ctx, "x")
	kind(t, partner.Unauthorised, err)
	require.EqualValues(t, 3, c.calls.Load()-before, "the call, one refresh, the call again")
}

func TestAnExpiredTokenIsNotSent(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{AccessFor: time.Second}), t.Context()
	first, err := c.tokens.Token(ctx)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		next, err := c.tokens.Token(ctx)
		return err == nil && next != first
	}, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, 2, c.stand.Refreshes())
}

func TestADeadRefreshTokenAsksForPeople(t *testing.T) {
	t.Parallel()
	c, ctx := open(t, sandbox.Config{}), t.Context()
	_, tokens := c.process(t, "two", "revoked-token")
	_, err := tokens.Token(ctx)
	e := kind(t, partner.Unauthorised, err)
	require.Contains(t, e.Error(), "authorise the app again")
	require.NotContains(t, e.Error(), "revoked-token")
	require.Empty(t, c.kept.holder, "the lock is given back")

	// A new authorisation counts for more than what is stored of the old one.
	old, err := c.tokens.Token(ctx)
	require.NoError(t, err)
	_, err = tokens.Renew(ctx, "")
	kind(t, partner.Unauthorised, err)
	_, again := c.process(t, "three", sandbox.DevRefreshToken)
	kept, err := again.Token(ctx)
	require.NoError(t, err)
	require.Equal(t, old, kept)
}

func TestWaitingForAnotherProcessIsBounded(t *testing.T) {
	t.Parallel()
	c := open(t, sandbox.Config{})
	c.kept.holder = "somebody who hangs"
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	_, err := c.tokens.Token(ctx)
	kind(t, partner.Unavailable, err)
	require.Zero(t, c.stand.Refreshes())
}
