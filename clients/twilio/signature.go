package twilio

import (
	"crypto/hmac"
	"crypto/sha1" // the algorithm is Twilio's choice, and HMAC-SHA1 is not broken
	"encoding/base64"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
)

// SignatureHeader carries Twilio's signature of a callback.
const SignatureHeader = "X-Twilio-Signature"

// ValidSignature tells whether Twilio signed a form post to publicURL with one
// of the auth tokens (contracts/sms-and-accounting.md section 1). publicURL is
// the address as Twilio knows it, query included; form is all that arrived in
// the body, as new parameters appear without notice. A key that arrived several
// times counts once for each distinct value, in order of the values. Twilio
// signs sometimes with and sometimes without the port, so both are tried. The
// time taken does not depend on which token fits.
func ValidSignature(authTokens []string, publicURL string, form url.Values, header string) bool {
	got, err := base64.StdEncoding.DecodeString(header)
	if err != nil || len(got) != sha1.Size {
		return false
	}
	var params strings.Builder
	for _, key := range slices.Sorted(maps.Keys(form)) {
		for _, v := range slices.Compact(slices.Sorted(slices.Values(form[key]))) {
			params.WriteString(key)
			params.WriteString(v)
		}
	}
	valid := false
	for _, token := range authTokens {
		if token == "" {
			continue
		}
		for _, u := range spellings(publicURL) {
			h := hmac.New(sha1.New, []byte(token))
			h.Write([]byte(u))
			h.Write([]byte(params.String()))
			if hmac.Equal(h.Sum(nil), got) {
				valid = true
			}
		}
	}
	return valid
}

// spellings is the URL as given, and with the port added or taken away.
func spellings(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return []string{raw}
	}
	host, port := u.Hostname(), u.Port()
	var other string
	switch {
	case port != "" && strings.Contains(host, ":"):
		other = "[" + host + "]"
	case port != "":
		other = host
	case u.Scheme == "https":
		other = net.JoinHostPort(host, "443")
	default:
		other = net.JoinHostPort(host, "80")
	}
	// Replaced in the text: formatting the URL anew could change how it is escaped.
	return []string{raw, strings.Replace(raw, u.Host, other, 1)}
}
