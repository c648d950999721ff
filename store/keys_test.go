package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func ExampleKeys() {
	keys := store.NewKeys("a secret of KEYHOLDER_LINK_KEY")
	id := keys.QuestionID("work-order/4711", "page-1", "oncall-1")
	token := keys.Token(id) // goes into https://.../a/{token}

	back, ok := keys.QuestionOf(token)
	fmt.Println(back == id, ok)
	_, ok = keys.QuestionOf(strings.ToUpper(token))
	fmt.Println(ok)
	fmt.Println(keys.Address("+15550100") == keys.Address(" +15550100 "))
	// Output:
	// true true
	// false
	// true
}

func TestTokenRoundTrip(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	seen := map[string]bool{}
	for i := range 100 {
		id := keys.QuestionID("work-order/1", fmt.Sprint("page-", i), "p1")
		require.Equal(t, id, keys.QuestionID("work-order/1", fmt.Sprint("page-", i), "p1"))
		token := keys.Token(id)
		require.Regexp(t, `^[a-z2-7]{32}$`, token)
		require.False(t, seen[token])
		seen[token] = true
		back, ok := keys.QuestionOf(token)
		require.True(t, ok)
		require.Equal(t, id, back)
	}
}

func TestTamperedTokens(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	token := keys.Token(keys.QuestionID("work-order/1", "page-1", "p1"))
	for i := range token {
		other := byte('a')
		if token[i] == other {
			other = 'b'
		}
		_, ok := keys.QuestionOf(token[:i] + string(other) + token[i+1:])
		require.False(t, ok, "character %d changed", i)
	}
	another := keys.Token(keys.QuestionID("work-order/1", "page-2", "p1"))
	for _, bad := range []string{"", token[:31], token + "a", token[:16] + another[16:], strings.ToUpper(token), strings.Repeat("é", 16)} {
		_, ok := keys.QuestionOf(bad)
		require.False(t, ok, bad)
	}
	_, ok := store.NewKeys("another secret").QuestionOf(token)
	require.False(t, ok, "signed with another key")
}

func TestKeysOfDifferentThingsDiffer(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	require.Equal(t, keys.Address("A@example.com"), keys.Address("a@EXAMPLE.com "))
	require.NotEqual(t, keys.Address("a@example.com"), keys.Address("b@example.com"))
	require.NotEqual(t, keys.Address("+15550100"), store.NewKeys("another secret").Address("+15550100"))
	require.NotContains(t, keys.Address("+15550100"), "5550100")
	require.NotEqual(t, keys.QuestionID("w", "ab", "c"), keys.QuestionID("w", "a", "bc"))
	require.NotEqual(t, keys.QuestionID("w", "a", "p1"), keys.QuestionID("w", "a", "p2"))
}
