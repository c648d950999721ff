package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// opens tells of every kind of link whether what one set of keys made opens by another.
func opens(made, by store.Keys, now time.Time) (question, report, person bool) {
	id := made.QuestionID("work-order/1", "page-1", "p1")
	got, question := by.QuestionOf(made.Token(id))
	_, report = by.ReportOf(made.ReportToken("sales", now.Add(time.Hour)), now)
	_, person = by.PersonOf(made.PersonToken(made.Address("+15550100"), now.Add(time.Hour)), now)
	return question && got == id, report, person
}

func TestRotationOfLinkKeys(t *testing.T) {
	t.Parallel()
	const secret = "the secret"
	now := time.Unix(1_790_000_000, 0)
	before := store.NewKeys(secret)
	first := store.NewKeys(secret, "key-1")
	both := store.NewKeys(secret, "key-2", "key-1")
	second := store.NewKeys(secret, "key-2")
	for _, c := range []struct {
		name     string
		made, by store.Keys
		ok       bool
	}{
		{"links of before rotation began", before, first, true},
		{"and after one more", before, both, true},
		{"a process that does not know the key yet", first, before, false},
		{"an older key", first, both, true},
		{"the newest", both, both, true},
		{"signed by the newest alone", both, second, true},
		{"not by the older one", both, first, false},
		{"a key that was removed", first, second, false},
		{"another secret", store.NewKeys("another", "key-1"), first, true},
		{"another secret and key", store.NewKeys("another"), both, false},
		{"an empty key is no key", store.NewKeys(secret, "", "key-1", ""), first, true},
		{"nobody signs with nothing", store.NewKeys(""), store.NewKeys(secret, ""), false},
	} {
		question, report, person := opens(c.made, c.by, now)
		require.Equal(t, []bool{c.ok, c.ok, c.ok}, []bool{question, report, person}, c.name)
	}
	require.Equal(t, before.Token("a"), store.NewKeys(secret, "").Token("a"))
	require.NotEqual(t, before.Token("a"), first.Token("a"))
}

// Addresses and ids of questions are found again whatever signs the links.
func TestRotationLeavesHashesAlone(t *testing.T) {
	t.Parallel()
	before, after := store.NewKeys("secret"), store.NewKeys("secret", "key-2", "key-1")
	require.Equal(t, before.Address("+15550100"), after.Address("+15550100"))
	require.Equal(t, before.QuestionID("w", "s", "p"), after.QuestionID("w", "s", "p"))
	require.Equal(t, before.SaleAddress("1 High St", "AB1 2CD"), after.SaleAddress("1 High St", "AB1 2CD"))
	require.Equal(t, before.SaleRequest("1 High St", "AB1 2CD", "a@b.c"), after.SaleRequest("1 High St", "AB1 2CD", "a@b.c"))
}

func TestPersonTokens(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	now := time.Date(2026, time.November, 21, 10, 0, 0, 0, time.UTC)
	me := keys.Address("+15550100")
	token := keys.PersonToken(me, now.Add(time.Hour))
	require.Regexp(t, `^[a-z2-7]{24}-[0-9]{10}-[a-z2-7]{24}$`, token)
	require.NotContains(t, token, "5550100")
	for _, c := range []struct {
		name, token string
		at          time.Time
		who         string
		ok          bool
	}{
		{"good", token, now, me, true},
		{"in its last second", token, now.Add(time.Hour - time.Nanosecond), me, true},
		{"expired", token, now.Add(time.Hour), me, false},
		{"of another secret", store.NewKeys("another").PersonToken(me, now.Add(time.Hour)), now, "", false},
		{"a link to a report", keys.ReportToken(me, now.Add(time.Hour)), now, "", false},
		{"an action link", keys.Token(keys.QuestionID("w", "s", "p")), now, "", false},
		{"of somebody else", keys.Address("+15550101") + token[24:], now, "", false},
		{"prolonged", me + "-9999999999-" + token[len(token)-24:], now, "", false},
		{"empty", "", now, "", false},
		{"very long", strings.Repeat("a", 1<<16) + token, now, "", false},
	} {
		who, ok := keys.PersonOf(c.token, c.at)
		require.Equal(t, c.who, who, c.name)
		require.Equal(t, c.ok, ok, c.name)
	}
	_, ok := keys.ReportOf(token, now)
	require.False(t, ok, "a person's link opens no report")
	for i := range token {
		for _, other := range []byte{'a', '9', '-', 0} {
			if token[i] != other {
				who, ok := keys.PersonOf(token[:i]+string(rune(other))+token[i+1:], now)
				require.Empty(t, who, "character %d changed", i)
				require.False(t, ok)
			}
		}
	}
}
