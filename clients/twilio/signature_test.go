package twilio_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/twilio"
)

const vectorURL = "https://mycompany.com/myapp.php?foo=1&bar=2"

// vector is the one of contracts/sms-and-accounting.md section 1.
func vector() url.Values {
	return url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"},
		"From": {"+14158675309"}, "To": {"+18005551212"},
	}
}

const vectorSignature = "RSOYDt4T1cUTdK1PDd93/VVr8B8="

func ExampleValidSignature() {
	fmt.Println(twilio.ValidSignature([]string{"12345"}, vectorURL, vector(), vectorSignature))
	// Output: true
}

func TestValidSignature(t *testing.T) {
	t.Parallel()
	more := vector()
	more.Set("Newly", "arrived")
	changed := vector()
	changed.Set("Digits", "1235")
	for name, c := range map[string]struct {
		tokens []string
		url    string
		form   url.Values
		header string
		want   bool
	}{
		"the contract's vector":     {[]string{"12345"}, vectorURL, vector(), vectorSignature, true},
		"an older token still live": {[]string{"new", "", "12345"}, vectorURL, vector(), vectorSignature, true},
		"signed without the port":   {[]string{"12345"}, "https://mycompany.com:8443/myapp.php?foo=1&bar=2", vector(), vectorSignature, true},
		"wrong token":               {[]string{"54321"}, vectorURL, vector(), vectorSignature, false},
		"no token":                  {nil, vectorURL, vector(), vectorSignature, false},
		"only an empty token":       {[]string{""}, vectorURL, vector(), mac("", vectorURL), false},
		"another address":           {[]string{"12345"}, vectorURL + "3", vector(), vectorSignature, false},
		"a parameter more":          {[]string{"12345"}, vectorURL, more, vectorSignature, false},
		"a parameter changed":       {[]string{"12345"}, vectorURL, changed, vectorSignature, false},
		"missing":                   {[]string{"12345"}, vectorURL, vector(), "", false},
		"truncated":                 {[]string{"12345"}, vectorURL, vector(), vectorSignature[:20], false},
		"not base64":                {[]string{"12345"}, vectorURL, vector(), "!!", false},
		"doubled":                   {[]string{"12345"}, vectorURL, vector(), vectorSignature + "," + vectorSignature, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, twilio.ValidSignature(c.tokens, c.url, c.form, c.header))
		})
	}
}

func TestRepeatedKeysAreSignedByValue(t *testing.T) {
	t.Parallel()
	const u = "https://example.org/hook"
	form := url.Values{"A": {"1"}, "Media": {"b", "a", "b"}}
	require.True(t, twilio.ValidSignature([]string{"k"}, u, form, mac("k", u+"A1MediaaMediab")))
	require.False(t, twilio.ValidSignature([]string{"k"}, u, form, mac("k", u+"A1Mediab")))
}

func TestSignedWithThePort(t *testing.T) {
	t.Parallel()
	require.True(t, twilio.ValidSignature([]string{"k"}, "https://example.org/hook", nil, mac("k", "https://example.org:443/hook")))
	require.True(t, twilio.ValidSignature([]string{"k"}, "http://example.org/hook", nil, mac("k", "http://example.org:80/hook")))
	require.True(t, twilio.ValidSignature([]string{"k"}, "http://[::1]:8080/hook", nil, mac("k", "http://[::1]/hook")))
}

func mac(token, signed string) string {
	h := hmac.New(sha1.New, []byte(token))
	h.Write([]byte(signed))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
