package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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

func TestSaleAddressSpellings(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	const code = "AB1 2CD"
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"Flat 2, 12 High St.", "flat 2 12 high st", true},
		{"12 High Street", "12  HIGH\tSTREET,", true},
		{"12 High Street", "12 High Street, AB1 2CD", true},
		{"12 High Street", "12 High Street ab12cd", true},
		{"12 High Street", "12 High Street, AB1 2CD.", true},
		{"12 High Street, London", "12 High Street, AB1 2CD, London", true},
		{"12 High Street, London", "12 High Street, AB1 2CD, London AB12CD", true},
		{"2 St John's Road", "2 St Johns Road", true},
		{"2 St John’s Road", "2 St John's Road", true},
		{"12A High St", "12 a High St", true},
		{"Flat2, 12 High St", "Flat 2, 12 High St", true},
		{"1-3 High St", "1/3 High St", true},
		{"１２ High St", "12 High St", true}, // wide digits
		{"5 Heol Môn", "5 HEOL MO\u0302N", true},

		{"12 High Street", "1 2 High Street", false},
		{"1 12 High St", "11 2 High St", false},
		{"Flat 1, 12 High St", "Flat 11, 2 High St", false},
		{"Flat 1, 12 High St", "12 High St", false},
		{"1/12 High St", "112 High St", false},
		{"12 High St", "12A High St", false},
		{"12 High St", "12 High Rd", false},
		{"12 High Street", "12 High Street, AB1", false},
		{"12 High Street", "12 High Street, AB1 2CE", false}, // another postcode
		{"Flat 2C, D House", "Flat 2, D House", false},
	} {
		a, b := keys.SaleAddress(tc.a, code), keys.SaleAddress(tc.b, code)
		require.Equal(t, tc.same, a == b, "%q and %q", tc.a, tc.b)
		require.Equal(t, tc.same, keys.SaleRequest(tc.a, code, "x@example.com") == keys.SaleRequest(tc.b, code, "x@example.com"))
		require.Regexp(t, `^[a-z2-7]{24}$`, a)
	}
}

func TestSaleKeys(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	address := keys.SaleAddress("12 High St", "AB1 2CD")
	for _, spelling := range []string{"ab1 2cd", "AB12CD", " ab1-2cd "} {
		require.Equal(t, address, keys.SaleAddress("12 High St", spelling), spelling)
	}
	require.NotEqual(t, address, keys.SaleAddress("12 High St", "AB1 2CE"))
	require.NotEqual(t, address, keys.SaleAddress("12 High St", ""))
	require.Equal(t, keys.SaleAddress("12 High St", ""), keys.SaleAddress("12 high st", " "))
	require.NotEqual(t, keys.SaleAddress("12 High St A", "B1 2CD"), keys.SaleAddress("12 High St", "AB1 2CD"))
	require.NotEqual(t, address, store.NewKeys("another secret").SaleAddress("12 High St", "AB1 2CD"))

	request := keys.SaleRequest("12 High St", "AB1 2CD", "a@example.com")
	require.Equal(t, request, keys.SaleRequest("12 high st.", "ab12cd", " A@Example.com"))
	require.NotEqual(t, request, keys.SaleRequest("12 High St", "AB1 2CD", "b@example.com"))
	require.NotEqual(t, request, keys.SaleRequest("13 High St", "AB1 2CD", "a@example.com"))
	require.NotEqual(t, request, address)
}

func TestReportTokens(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	now := time.Date(2026, time.November, 21, 10, 0, 0, 0, time.UTC)
	token := keys.ReportToken("sales", now.Add(time.Hour))
	require.Regexp(t, `^sales-[0-9]{10}-[a-z2-7]{24}$`, token)
	require.Equal(t, token, keys.ReportToken("sales", now.Add(time.Hour).In(time.FixedZone("", 3600))))
	for _, tc := range []struct {
		name  string
		token string
		at    time.Time
		kind  string
		ok    bool
	}{
		{"good", token, now, "sales", true},
		{"in its last second", token, now.Add(time.Hour - time.Nanosecond), "sales", true},
		{"expired", token, now.Add(time.Hour), "sales", false},
		{"long expired", token, now.AddDate(50, 0, 0), "sales", false},
		{"before 1970", keys.ReportToken("sales", time.Time{}), now, "", false},
		{"of another kind", keys.ReportToken("rents", now.Add(time.Hour)), now, "rents", true},
		{"of another secret", store.NewKeys("another").ReportToken("sales", now.Add(time.Hour)), now, "", false},
		{"empty", "", now, "", false},
		{"no signature", token[:len("sales-1234567890-")], now, "", false},
		{"cut", token[:len(token)-1], now, "", false},
		{"longer", token + "a", now, "", false},
		{"in capitals", strings.ToUpper(token), now, "", false},
		{"four parts", token + "-", now, "", false},
		{"very long", strings.Repeat("a", 1<<16) + token, now, "", false},
		{"an action link", keys.Token(keys.QuestionID("w", "s", "p")), now, "", false},
	} {
		kind, ok := keys.ReportOf(tc.token, tc.at)
		require.Equal(t, tc.kind, kind, tc.name)
		require.Equal(t, tc.ok, ok, tc.name)
	}
	_, ok := keys.QuestionOf(token)
	require.False(t, ok, "a link to a report answers no question")
}

func TestTamperedReportTokens(t *testing.T) {
	t.Parallel()
	keys := store.NewKeys("secret")
	now := time.Date(2026, time.November, 21, 10, 0, 0, 0, time.UTC)
	token := keys.ReportToken("sales", now)
	for i := range token {
		for _, other := range []byte{'a', '9', '-', 0} {
			if token[i] == other {
				continue
			}
			kind, ok := keys.ReportOf(token[:i]+string(rune(other))+token[i+1:], now.Add(-time.Hour))
			require.Empty(t, kind, "character %d changed", i)
			require.False(t, ok)
		}
	}
	later := keys.ReportToken("sales", now.Add(time.Hour))
	_, ok := keys.ReportOf(later[:len(later)-24]+token[len(token)-24:], now)
	require.False(t, ok, "the expiry is signed")
}
