package ingress

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limits of what an unauthenticated sender may make us look at.
const (
	maxSignatures  = 16  // in one Standard Webhooks header
	maxTripleValue = 256 // characters of a value of the in-body triple
	maxDeliveryID  = 256 // characters of a signed delivery id
)

// Reasons for which a delivery is not authentic. All of them answer 401.
var (
	ErrSignatureMissing   = errors.New("signature_missing")
	ErrSignatureDoubled   = errors.New("signature_doubled")
	ErrSignatureMalformed = errors.New("signature_malformed")
	ErrSignatureWrong     = errors.New("signature_wrong")
	ErrSignatureStale     = errors.New("signature_stale")
	ErrSignatureFuture    = errors.New("signature_future")
)

// claim is what a delivery says about itself before anything is believed.
type claim struct {
	id, timestamp string
	// token is the in-body triple's; it is not an id: a repeat may carry a new one.
	token      string
	signatures []string
}

// Verify tells whether the raw body is authentic at the real time now. The error
// is one of the ErrSignature values. deliveryID is the signed id of schemes that
// have one, else "". A MAC in upper-case hex is the same MAC and is accepted.
func (v *Verifier) Verify(h http.Header, body []byte, now time.Time) (deliveryID string, err error) {
	c, err := v.read(h, body)
	if err != nil {
		return "", err
	}
	stamp, err := v.timestamp(c)
	if err != nil {
		return "", err
	}
	macs, err := v.decode(c.signatures)
	if err != nil {
		return "", err
	}
	if !v.matches(macs, c, body, now) {
		return "", ErrSignatureWrong
	}
	return c.id, v.inWindow(stamp, now)
}

// matches tries every live secret against every signature, without stopping at
// the first success, so that the time taken does not tell which one fitted.
func (v *Verifier) matches(macs [][]byte, c claim, body []byte, now time.Time) bool {
	found := false
	for _, s := range v.secrets {
		want := v.mac(s.key, c, body)
		for _, got := range macs {
			equal := hmac.Equal(want, got)
			found = equal && s.liveAt(now) || found
		}
	}
	return found
}

func (v *Verifier) mac(key []byte, c claim, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	switch v.scheme.covers {
	case signsBody:
		h.Write(body)
	case signsTimestampBody:
		h.Write([]byte(c.timestamp + "."))
		h.Write(body)
	case signsIDTimestampBody:
		h.Write([]byte(c.id + "." + c.timestamp + "."))
		h.Write(body)
	case signsTriple:
		h.Write([]byte(c.timestamp + c.token))
	}
	return h.Sum(nil)
}

func (v *Verifier) read(h http.Header, body []byte) (c claim, err error) {
	if v.scheme.covers == signsTriple {
		return readTriple(body)
	}
	signature, err := single(h, v.cfg.Header)
	if err != nil {
		return c, err
	}
	c.signatures = []string{signature}
	if v.scheme.list {
		c.signatures = strings.SplitN(signature, " ", maxSignatures+1)
	}
	if v.scheme.covers == signsBody {
		return c, nil
	}
	if c.timestamp, err = single(h, v.cfg.TimestampHeader); err != nil {
		return c, err
	}
	if v.scheme.covers == signsIDTimestampBody {
		c.id, err = single(h, v.cfg.IDHeader)
	}
	// A dot would let one MAC stand for two ways to cut id and timestamp.
	if len(c.id) > maxDeliveryID || strings.Contains(c.id, ".") {
		return c, ErrSignatureMalformed
	}
	return c, err
}

// single reads a header that must be there once: with two of them, a proxy and
// we might each believe another one.
func single(h http.Header, name string) (string, error) {
	values := h.Values(name)
	switch {
	case len(values) > 1:
		return "", ErrSignatureDoubled
	case len(values) == 0 || values[0] == "":
		return "", ErrSignatureMissing
	}
	return values[0], nil
}

// readTriple parses the body before it is authentic, strictly and within the
// bounds of parseJSON: the scheme leaves no other way.
func readTriple(body []byte) (claim, error) {
	tree, err := parseJSON(body)
	if err != nil {
		return claim{}, ErrSignatureMalformed
	}
	top, _ := tree.(map[string]any)
	auth, ok := top["auth"].(map[string]any)
	if !ok {
		return claim{}, ErrSignatureMissing
	}
	var values [3]string
	for i, name := range []string{"signature", "token", "timestamp"} {
		value, ok := scalarText(auth[name])
		if !ok || value == "" {
			return claim{}, ErrSignatureMissing
		}
		if len(value) > maxTripleValue {
			return claim{}, ErrSignatureMalformed
		}
		values[i] = value
	}
	return claim{signatures: values[:1], token: values[1], timestamp: values[2]}, nil
}

// decode reads the written MACs. In a list, those of another version are passed
// over; a list with none of ours is malformed.
func (v *Verifier) decode(signatures []string) ([][]byte, error) {
	if len(signatures) > maxSignatures {
		return nil, ErrSignatureMalformed
	}
	var macs [][]byte
	for _, s := range signatures {
		written, ok := strings.CutPrefix(s, v.scheme.prefix)
		mac, err := v.scheme.decode(written)
		if ok && err == nil && len(mac) == sha256.Size {
			macs = append(macs, mac)
		}
	}
	if len(macs) == 0 {
		return nil, ErrSignatureMalformed
	}
	return macs, nil
}

// timestamp reads the seconds of a signed timestamp: digits only, so neither a
// sign nor a fraction; 12 of them reach past the year 9999.
func (v *Verifier) timestamp(c claim) (int64, error) {
	if v.scheme.covers == signsBody || v.scheme.covers == signsTriple && v.cfg.Tolerance == 0 {
		return 0, nil
	}
	if len(c.timestamp) > 12 || strings.Trim(c.timestamp, "0123456789") != "" {
		return 0, ErrSignatureMalformed
	}
	seconds, err := strconv.ParseInt(c.timestamp, 10, 64)
	if err != nil {
		return 0, ErrSignatureMalformed
	}
	return seconds, nil
}

// inWindow applies to a signed timestamp only. The body's own timestamp is event
// time and never refuses a delivery.
func (v *Verifier) inWindow(stamp int64, now time.Time) error {
	if v.scheme.covers == signsBody || v.cfg.Tolerance == 0 {
		return nil
	}
	age := now.Unix() - stamp
	switch tolerance := int64(v.cfg.Tolerance / time.Second); {
	case age > tolerance:
		return ErrSignatureStale
	case -age > tolerance:
		return ErrSignatureFuture
	}
	return nil
}

// Sign adds the headers that make the body authentic at the real time now, by
// the first secret. id is used by Standard Webhooks alone. The in-body triple
// cannot be added to a finished body and is refused.
func (v *Verifier) Sign(h http.Header, body []byte, id string, now time.Time) error {
	if v.scheme.covers == signsTriple {
		return fmt.Errorf("scheme %s signs inside the body", v.name)
	}
	c := claim{id: id, timestamp: strconv.FormatInt(now.Unix(), 10)}
	h.Set(v.cfg.Header, v.scheme.prefix+v.scheme.encode(v.mac(v.secrets[0].key, c, body)))
	if v.scheme.covers != signsBody {
		h.Set(v.cfg.TimestampHeader, c.timestamp)
	}
	if v.scheme.covers == signsIDTimestampBody {
		h.Set(v.cfg.IDHeader, id)
	}
	return nil
}
