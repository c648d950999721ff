package webhook_test

import (
	"crypto/x509"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/webhook"
)

// receiveTLS is a receiver that speaks TLS, and what to trust to reach it.
func receiveTLS(t *testing.T) (*receiver, *x509.CertPool) {
	t.Helper()
	r := newReceiver(nil)
	r.EnableHTTP2 = true
	r.StartTLS()
	t.Cleanup(r.Close)
	roots := x509.NewCertPool()
	roots.AddCert(r.Certificate())
	return r, roots
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	r, roots := receiveTLS(t)
	c := clientOf(t, webhook.Config{RootCAs: roots, Timeout: 5 * time.Second})
	for _, host := range []string{
		"127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "0.0.0.0",
		"169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
		"[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "255.255.255.255", "224.0.0.1",
	} {
		for _, scheme := range []string{"https://", "http://"} {
			t.Run(scheme+host, func(t *testing.T) {
				t.Parallel()
				err := c.Post(t.Context(), delivery(scheme+host+":"+r.port()+"/token"))
				e := fails(t, err, partner.Forbidden, true)
				require.Contains(t, e.Message, "KEYHOLDER_SUBSCRIBERS_ALLOW")
				require.NotContains(t, e.Error(), "127.0.0.1", "what a name leads to is not told")
				require.Zero(t, r.connections.Load())
			})
		}
	}
}

func TestOtherSpellingsOfAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"2130706433", "0x7f000001", "0X7F000001", "017700000001", "127.1", "0177.0.0.1", "0x7f.0.0.1", "127.0.0.1.", "1.2.3.256", "127.0.0.0x1", "0x",
	} {
		for _, scheme := range []string{"https://", "http://"} {
			require.ErrorContains(t, webhook.CheckURL(scheme+host+"/token"), "looks like an IP address", host)
		}
	}
	for _, host := range []string{"hooks.example.com", "hooks.example.com.", "3com.example", "1.example", "0x7f.example.com", "8.8.8.8", "[2001:4860:4860::8888]", "xn--bcher-kva.example"} {
		require.NoError(t, webhook.CheckURL("https://"+host+":8443/token?a=b"), host)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"":                                "must begin with https://",
		"hooks.example.com":               "must begin with https://",
		"file:///etc/passwd":              "must begin with https://",
		"gopher://h/token":                "must begin with https://",
		"https:hooks.example.com":         "must be a URL",
		"https:///token":                  "names no host",
		"https://:443/token":              "names no host",
		"https://token@example.com":       "no user name",
		"https://jane:token@example.com":  "no user name",
		"https://@example.com":            "no user name",
		"https://example.com/#token":      "no fragment",
		"https://example.com/#":           "no fragment",
		"https://example.com:0/token":     "port",
		"https://example.com:65536/token": "port",
		"https://example.com:x/token":     "must be a URL",
		"https://exa mple.com/token":      "must be a URL",
		"https://example.com/" + strings.Repeat("token", 500): "at most 2048",
	} {
		err := webhook.CheckURL(url)
		require.ErrorContains(t, err, says, "%.40s", url)
		require.NotContains(t, err.Error(), "token")
		require.NotContains(t, err.Error(), "jane")
	}
}

func TestCheckSecret(t *testing.T) {
	t.Parallel()
	require.NoError(t, webhook.CheckSecret(secret))
	require.NoError(t, webhook.CheckSecret(newer))
	for _, bad := range []string{
		"", "whsec_", secret[6:], "whsk_" + secret[6:], strings.ToUpper(secret), secret[:len(secret)-4], secret + "\n", secret + "=",
		strings.TrimRight(newer, "="), "whsec_" + strings.Repeat("AAAA", 22), "whsec_" + strings.Repeat("-_-_", 8),
	} {
		err := webhook.CheckSecret(bad)
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "MfKQ9r8G")
	}
	require.NoError(t, webhook.CheckSecret("whsec_"+strings.Repeat("AAAA", 21)+"AA=="), "64 bytes")
	require.NoError(t, webhook.CheckSecret("whsec_"+strings.Repeat("AAAA", 8)), "24 bytes")
}

func TestAllowedNetworks(t *testing.T) {
	t.Parallel()
	secure, roots := receiveTLS(t)
	plain := receive(t, nil)
	only4 := clientOf(t, webhook.Config{Allow: loopback[:1], RootCAs: roots})
	require.NoError(t, only4.Post(t.Context(), delivery(plain.URL)))
	require.NoError(t, only4.Post(t.Context(), delivery("http://localhost:"+plain.port())))
	require.NoError(t, only4.Post(t.Context(), delivery("http://[::ffff:127.0.0.1]:"+plain.port())))
	require.NoError(t, only4.Post(t.Context(), delivery(secure.URL)))
	for _, url := range []string{"https://[::1]:", "http://[::1]:", "https://169.254.169.254:", "http://10.0.0.1:", "http://8.8.8.8:"} {
		fails(t, only4.Post(t.Context(), delivery(url+plain.port())), partner.Forbidden, true)
	}
	elsewhere := clientOf(t, webhook.Config{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	fails(t, elsewhere.Post(t.Context(), delivery(plain.URL)), partner.Forbidden, true)
	require.Equal(t, 3, plain.arrived())
}

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	r, roots := receiveTLS(t)
	fails(t, clientOf(t, webhook.Config{Allow: loopback}).Post(t.Context(), delivery(r.URL)), partner.Unavailable, false)
	trusting := clientOf(t, webhook.Config{Allow: loopback, RootCAs: roots})
	fails(t, trusting.Post(t.Context(), delivery("https://localhost:"+r.port())), partner.Unavailable, false) // another name
	require.Zero(t, r.arrived())
	require.NoError(t, trusting.Post(t.Context(), delivery(r.URL)))
	require.Equal(t, 1, r.arrived())
	plain := receive(t, nil)
	fails(t, trusting.Post(t.Context(), delivery("https://"+plain.Listener.Addr().String())), partner.Unavailable, false)
	require.Zero(t, plain.arrived())
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	other := receive(t, nil)
	c := clientOf(t, webhook.Config{Allow: loopback})
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, to := range map[string]string{
			"elsewhere": other.URL, "private": "http://169.254.169.254/latest/meta-data/token", "same host": "/elsewhere", "no URL": "http://%zz", "none": "",
		} {
			t.Run(http.StatusText(status)+" "+name, func(t *testing.T) {
				t.Parallel()
				r := receive(t, func(w http.ResponseWriter, _ *http.Request) {
					if to != "" {
						w.Header().Set("Location", to)
					}
					w.WriteHeader(status)
				})
				e := fails(t, c.Post(t.Context(), delivery(r.URL)), partner.Malformed, true)
				require.Equal(t, status, e.Status)
				require.Contains(t, e.Message, "redirects are not followed")
				require.Equal(t, 1, r.arrived())
				require.Zero(t, other.arrived())
			})
		}
	}
}
