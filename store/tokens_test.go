package store_test

import (
	"encoding/base64"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func tokenKey(fill string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(fill, 32)))
}

func tokenKeys(t *testing.T, text string) store.TokenKeys {
	t.Helper()
	keys, err := store.ParseTokenKeys(text)
	require.NoError(t, err)
	return keys
}

func TestTokensAreSealedAndSwappedInTurn(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		old := store.NewToken(s, tokenKeys(t, tokenKey("a")), "quickbooks")
		value, version, err := old.Load(ctx)
		require.NoError(t, err)
		require.Nil(t, value)
		require.Zero(t, version)

		won, err := old.Swap(ctx, 0, []byte("the secret"))
		require.NoError(t, err)
		require.True(t, won)
		won, err = old.Swap(ctx, 0, []byte("another"))
		require.NoError(t, err)
		require.False(t, won, "somebody else was faster")
		value, version, err = old.Load(ctx)
		require.NoError(t, err)
		require.Equal(t, "the secret", string(value))
		require.EqualValues(t, 1, version)

		sealed, _, err := s.SealedToken(ctx, "quickbooks")
		require.NoError(t, err)
		require.NotContains(t, sealed, "secret")
		raw, err := base64.StdEncoding.DecodeString(sealed)
		require.NoError(t, err)
		require.NotContains(t, string(raw), "secret")

		rotated := store.NewToken(s, tokenKeys(t, tokenKey("b")+" , "+tokenKey("a")), "quickbooks")
		value, version, err = rotated.Load(ctx)
		require.NoError(t, err)
		require.Equal(t, "the secret", string(value))
		won, err = rotated.Swap(ctx, version, []byte("the next"))
		require.NoError(t, err)
		require.True(t, won)
		_, _, err = old.Load(ctx)
		require.ErrorContains(t, err, "KEYHOLDER_TOKEN_KEY")

		// A row does not pass for another one's.
		_, err = s.SwapSealedToken(ctx, "another", 0, sealed)
		require.NoError(t, err)
		_, _, err = store.NewToken(s, tokenKeys(t, tokenKey("a")), "another").Load(ctx)
		require.ErrorContains(t, err, "KEYHOLDER_TOKEN_KEY")
	})
}

func TestOneHolderLocksAToken(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		ctx := t.Context()
		keys := tokenKeys(t, tokenKey("a"))
		var held atomic.Int32
		together(8, func(i int) {
			got, err := store.NewToken(stores[i%2], keys, "one").Lock(ctx, time.Minute)
			require.NoError(t, err)
			if got {
				held.Add(1)
			}
		})
		require.EqualValues(t, 1, held.Load())

		a, b := store.NewToken(stores[0], keys, "two"), store.NewToken(stores[1], keys, "two")
		lock := func(token *store.Token, most time.Duration, want bool) {
			t.Helper()
			got, err := token.Lock(ctx, most)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		lock(a, time.Minute, true)
		lock(b, time.Minute, false)
		require.NoError(t, b.Unlock(ctx), "the lock of another stays")
		lock(b, time.Minute, false)
		won, err := a.Swap(ctx, 0, []byte("x"))
		require.NoError(t, err)
		require.True(t, won, "a lock is no version")
		require.NoError(t, a.Unlock(ctx))
		lock(b, time.Millisecond, true)
		require.Eventually(t, func() bool {
			got, err := a.Lock(ctx, time.Minute)
			return err == nil && got
		}, 5*time.Second, 5*time.Millisecond, "a holder that died does not hold for ever")
	})
}

func TestTokenKeysAreCheckedAndNotRepeated(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "c2hvcnQ=", tokenKey("a") + ",verysecret!", strings.Repeat(tokenKey("a")+",", 10) + tokenKey("a")} {
		_, err := store.ParseTokenKeys(text)
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), "verysecret")
	}
}
