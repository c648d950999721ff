package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestLinkKeys(t *testing.T) {
	t.Parallel()
	const first, second = "0123456789abcdef", "fedcba9876543210"
	cfg, err := parse[LinkConfig](map[string]string{
		"KEYHOLDER_LINK_KEY": "secret", "KEYHOLDER_PUBLIC_URL": "https://k.example.com", "KEYHOLDER_LINK_SIGNING_KEYS": second + ", " + first,
	})
	require.NoError(t, err)
	keys, err := linkKeys(cfg.LinkKey, cfg.LinkSigningKeys)
	require.NoError(t, err)
	id := keys.QuestionID("w", "s", "p")
	require.Equal(t, store.NewKeys("secret", second).Token(id), keys.Token(id), "the first signs")
	for _, signer := range []store.Keys{store.NewKeys("secret"), store.NewKeys("secret", first), store.NewKeys("secret", second)} {
		_, ok := keys.QuestionOf(signer.Token(id))
		require.True(t, ok, "all verify")
	}

	cfg, err = parse[LinkConfig](map[string]string{"KEYHOLDER_LINK_KEY": "secret", "KEYHOLDER_PUBLIC_URL": "https://k.example.com"})
	require.NoError(t, err)
	keys, err = linkKeys(cfg.LinkKey, cfg.LinkSigningKeys)
	require.NoError(t, err)
	require.Equal(t, store.NewKeys("secret").Token(id), keys.Token(id), "they are optional")

	for _, wrong := range []string{first + ",", "," + first, "short", first + ",  ," + second, strings.Repeat(first+",", 8) + first} {
		_, err := linkKeys("secret", strings.Split(wrong, ","))
		require.ErrorAs(t, err, new(usageError), wrong)
		require.ErrorContains(t, err, "KEYHOLDER_LINK_SIGNING_KEYS")
		require.NotContains(t, err.Error(), first, "no key is told")
	}
}
