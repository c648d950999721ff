package ingress

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

// The names of the signature schemes, as configuration spells them. All are
// HMAC-SHA256; they differ in what is signed and how it is written.
const (
	// SchemeBody is "sha256=" and the hex MAC of the raw body: the default
	// (contracts/rentvine.md 6.2, contracts/openmoove.md 3).
	SchemeBody = "sha256-body"
	// SchemeTimestampBody is "sha256=" and the hex MAC of timestamp + "." + body.
	SchemeTimestampBody = "sha256-timestamp-body"
	// SchemeHexBody and SchemeHexTimestampBody are the same without the prefix.
	SchemeHexBody          = "hex-body"
	SchemeHexTimestampBody = "hex-timestamp-body"
	// SchemeBase64Body and SchemeBase64TimestampBody are written in base64.
	SchemeBase64Body          = "base64-body"
	SchemeBase64TimestampBody = "base64-timestamp-body"
	// SchemeStandardWebhooks is a list of "v1,<base64>" over id + "." + timestamp +
	// "." + body, with "whsec_" secrets (standardwebhooks.com).
	SchemeStandardWebhooks = "standard-webhooks"
	// SchemeRentVineTriple is EXPERIMENTAL: auth.signature in the body is taken to
	// be the hex MAC of auth.timestamp + auth.token, which nobody has confirmed
	// (contracts/rentvine.md 3 and 6.2). It does not cover the body: whoever has
	// seen one delivery can forge others. Use it only where nothing else arrives.
	SchemeRentVineTriple = "rentvine-body-triple"
)

// coverage says what a scheme's MAC covers.
type coverage int

const (
	signsBody coverage = iota
	signsTimestampBody
	signsIDTimestampBody
	signsTriple
)

// scheme is one row of the signature table.
type scheme struct {
	covers coverage
	// prefix stands before the MAC; encode and decode are its written form.
	prefix string
	encode func([]byte) string
	decode func(string) ([]byte, error)
	// list allows several signatures in the header, separated by a space.
	list bool
	// key turns the configured secret into key bytes.
	key func(string) ([]byte, error)
	// experimental schemes are announced in the log at start.
	experimental bool
}

// schemes is the signature table.
func schemes() map[string]scheme {
	// Strict refuses a second way to write the same MAC.
	b64 := base64.StdEncoding.Strict()
	inHex := func(s scheme) scheme {
		s.encode, s.decode, s.key = hex.EncodeToString, hex.DecodeString, rawKey
		return s
	}
	inBase64 := func(s scheme) scheme {
		s.encode, s.decode, s.key = b64.EncodeToString, b64.DecodeString, rawKey
		return s
	}
	standard := inBase64(scheme{covers: signsIDTimestampBody, prefix: "v1,", list: true})
	standard.key = whsecKey
	return map[string]scheme{
		SchemeBody:                inHex(scheme{covers: signsBody, prefix: "sha256="}),
		SchemeTimestampBody:       inHex(scheme{covers: signsTimestampBody, prefix: "sha256="}),
		SchemeHexBody:             inHex(scheme{covers: signsBody}),
		SchemeHexTimestampBody:    inHex(scheme{covers: signsTimestampBody}),
		SchemeBase64Body:          inBase64(scheme{covers: signsBody}),
		SchemeBase64TimestampBody: inBase64(scheme{covers: signsTimestampBody}),
		SchemeStandardWebhooks:    standard,
		SchemeRentVineTriple:      inHex(scheme{covers: signsTriple, experimental: true}),
	}
}

// Schemes lists the names that configuration may use, sorted.
func Schemes() []string {
	names := make([]string, 0, 8)
	for name := range schemes() {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func rawKey(secret string) ([]byte, error) { return []byte(secret), nil }

// whsecKey reads a Standard Webhooks secret: base64, after an optional "whsec_".
func whsecKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		// The decoder's error would quote from the secret.
		return nil, fmt.Errorf("a %s secret must be base64, with or without whsec_ before it", SchemeStandardWebhooks)
	}
	return key, nil
}
