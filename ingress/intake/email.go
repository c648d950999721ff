package intake

import (
	"net/mail"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
)

const (
	maxEmail = 254 // characters, RFC 5321 4.5.3.1.3 less the brackets
	maxLocal = 64  // octets, RFC 5321 4.5.3.1.1
)

const adviceEmail = "Write one plain e-mail address, such as name@example.com."

// hostName is a domain of two labels or more in ASCII; the last one is no number,
// so that no IP address passes.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)

// emailAddress checks a plain address (addr-spec, RFC 5322 3.4.1) and brings its
// domain to the one form of the DNS: lower case, international names in ASCII, as
// OpenMoove takes no other. The part before the @ stays as it was written: to whom it delivers is
// for the receiving system to say (RFC 5321 2.4), and a client whose address we
// "improve" may never hear of the sale (contracts/openmoove.md 4.3).
func emailAddress(text string) (string, bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 1 || at > maxLocal {
		return "", false
	}
	local, domain := text[:at], text[at+1:]
	// The local part is read on its own: the parser knows no IDN domains. What
	// differs after parsing was quoted, commented or had a display name.
	parsed, err := mail.ParseAddress(local + "@example.com")
	if err != nil || parsed.Address != local+"@example.com" || strings.ContainsFunc(local, notASCII) {
		return "", false
	}
	domain, ok := domainName(domain)
	return local + "@" + domain, ok && at+1+len(domain) <= maxEmail
}

// domainName is the form of a domain in the DNS (RFC 5891).
func domainName(domain string) (name string, ok bool) {
	name = strings.ToLower(domain)
	if strings.ContainsFunc(name, notASCII) {
		var err error
		if name, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", false
		}
	}
	return name, hostName.MatchString(name)
}

func notASCII(r rune) bool { return r > '~' }
