package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// maxURL is the longest address, in bytes.
const maxURL = 2048

// errPlain refuses http outside of the allowed networks.
var errPlain = errors.New("http to a network that is not allowed by name")

// numeric is the last part of a host name that resolvers may take for an IP
// address, in decimal, octal or hexadecimal.
var numeric = regexp.MustCompile(`^([0-9]+|0[xX][0-9a-fA-F]*)$`)

// CheckURL tells what is wrong with a receiver's address, without repeating it,
// as it may hold a token. Where the address leads is seen when connecting.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxURL || u.Opaque != "" {
		return errors.New("the address must be a URL of at most 2048 characters")
	}
	host := u.Hostname()
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("the address must begin with https://")
	case host == "":
		return errors.New("the address names no host")
	case u.User != nil:
		return errors.New("the address must hold no user name or password; deliveries are signed")
	case u.Fragment != "" || strings.HasSuffix(address, "#"):
		return errors.New("the address must hold no fragment (#)")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("the address has a port that does not exist")
		}
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if _, err := netip.ParseAddr(host); err != nil && numeric.MatchString(labels[len(labels)-1]) {
		return errors.New("the address has a host that looks like an IP address and is none; write it as four decimal numbers")
	}
	return nil
}

// guard sees each address after its name was resolved and right before the
// connection is made, so that no answer of a name server gets around it.
type guard struct {
	allow  []netip.Prefix
	public *ssrf.Guardian
}

func newGuard(allow []netip.Prefix) guard {
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return guard{allow: slices.Clone(allow), public: ssrf.New(
		ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...),
	)}
}

// secure lets https reach public addresses and the allowed networks.
func (g guard) secure(network, address string, c syscall.RawConn) error {
	return g.public.Safe(network, address, c)
}

// plain lets http reach the allowed networks only.
func (g guard) plain(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err == nil && slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(to.Addr()) }) {
		return nil
	}
	return errPlain
}

// newTransport carries requests past the guard, and never through a proxy, which
// would connect in our place.
func newTransport(control func(network, address string, c syscall.RawConn) error, roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: control}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           remembered,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
