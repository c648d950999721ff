package twilio

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// The vector of contracts/sms-and-accounting.md section 1.
func TestSignMakesTheContractsSignature(t *testing.T) {
	t.Parallel()
	form := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"},
		"From": {"+14158675309"}, "To": {"+18005551212"},
	}
	require.Equal(t, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form))
}

func TestSegments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		repeat string
		n      int
		want   int
	}{{"a", 1, 1}, {"a", 160, 1}, {"a", 161, 2}, {"é", 70, 1}, {"é", 71, 2}, {"a", 307, 3}} {
		body := ""
		for range c.n {
			body += c.repeat
		}
		require.Equal(t, c.want, segments(body), "%d of %s", c.n, c.repeat)
	}
}
