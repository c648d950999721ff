package ingress

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// defaultTolerance is how far a signed timestamp may be from now, either way.
const defaultTolerance = 5 * time.Minute

// Secret is one signing key and when it applies; several live at once while a
// key is rotated.
type Secret struct {
	// Value is the key as the partner shows it.
	Value string
	// NotBefore and NotAfter bound its life, both included; zero is no bound.
	NotBefore, NotAfter time.Time
}

// String hides the value, so that a secret cannot reach a log by %v.
func (Secret) String() string { return "[secret]" }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

func (s Secret) liveAt(now time.Time) bool {
	return (s.NotBefore.IsZero() || !now.Before(s.NotBefore)) && (s.NotAfter.IsZero() || !now.After(s.NotAfter))
}

// Signature configures how a source signs.
type Signature struct {
	// Scheme is one of Schemes(); "" is SchemeBody.
	Scheme string
	// Header, TimestampHeader and IDHeader name the headers; "" is the source's own
	// (X-RentVine-Signature, X-RentVine-Timestamp, X-OpenMoove-Signature, X-Mail-Signature,
	// X-Mail-Timestamp), or webhook-signature, webhook-timestamp and webhook-id for
	// Standard Webhooks.
	Header, TimestampHeader, IDHeader string
	// Secrets are all live, each within its own dates; the first one signs.
	Secrets []Secret
	// Tolerance is how far a signed timestamp may be from now, either way; 0 means
	// 5 minutes. The in-body triple has no window unless one is set here.
	Tolerance time.Duration
}

// Verifier checks the signatures of one source. It is safe for concurrent use.
type Verifier struct {
	name    string
	scheme  scheme
	cfg     Signature
	secrets []liveSecret
}

type liveSecret struct {
	Secret
	key []byte
}

// NewVerifier refuses an unknown scheme, a source without secrets, a secret that
// the scheme cannot use or whose dates are the wrong way round, and a scheme
// that needs a header which the source has no name for.
func NewVerifier(source string, cfg Signature) (*Verifier, error) {
	if cfg.Scheme == "" {
		cfg.Scheme = SchemeBody
	}
	s, ok := schemes()[cfg.Scheme]
	if !ok {
		return nil, fmt.Errorf("source %s: unknown signature scheme %q; known: %s", source, cfg.Scheme, strings.Join(Schemes(), ", "))
	}
	v := &Verifier{name: cfg.Scheme, scheme: s, cfg: withHeaders(source, cfg)}
	if err := v.checkConfig(); err != nil {
		return nil, fmt.Errorf("source %s: %w", source, err)
	}
	for i, secret := range cfg.Secrets {
		key, err := s.key(secret.Value)
		if err != nil {
			return nil, fmt.Errorf("source %s: secret %d: %w", source, i+1, err)
		}
		v.secrets = append(v.secrets, liveSecret{Secret: secret, key: key})
	}
	return v, nil
}

func withHeaders(source string, cfg Signature) Signature {
	set := func(header *string, name string) {
		if *header == "" {
			*header = name
		}
	}
	if cfg.Scheme == SchemeStandardWebhooks {
		set(&cfg.Header, "webhook-signature")
		set(&cfg.TimestampHeader, "webhook-timestamp")
		set(&cfg.IDHeader, "webhook-id")
	}
	switch source {
	case SourceRentVine:
		set(&cfg.Header, "X-RentVine-Signature")
		set(&cfg.TimestampHeader, "X-RentVine-Timestamp")
	case SourceOpenMoove:
		set(&cfg.Header, "X-OpenMoove-Signature")
	case SourceMail:
		set(&cfg.Header, "X-Mail-Signature")
		set(&cfg.TimestampHeader, "X-Mail-Timestamp")
	}
	if cfg.Tolerance == 0 && cfg.Scheme != SchemeRentVineTriple {
		cfg.Tolerance = defaultTolerance
	}
	return cfg
}

func (v *Verifier) checkConfig() error {
	if len(v.cfg.Secrets) == 0 {
		return errors.New("no signing secret is configured")
	}
	for i, s := range v.cfg.Secrets {
		if s.Value == "" {
			return fmt.Errorf("secret %d is empty", i+1)
		}
		if !s.NotBefore.IsZero() && !s.NotAfter.IsZero() && s.NotAfter.Before(s.NotBefore) {
			return fmt.Errorf("secret %d ends before it begins", i+1)
		}
	}
	if v.cfg.Tolerance < 0 {
		return errors.New("the timestamp tolerance is negative")
	}
	needsTimestamp := v.scheme.covers == signsTimestampBody || v.scheme.covers == signsIDTimestampBody
	if v.scheme.covers != signsTriple && v.cfg.Header == "" || needsTimestamp && v.cfg.TimestampHeader == "" {
		return fmt.Errorf("scheme %s needs the names of its headers", v.name)
	}
	return nil
}

// Scheme is the name of the scheme in use; experimental tells that its rules
// are not confirmed by the partner.
func (v *Verifier) Scheme() (name string, experimental bool) { return v.name, v.scheme.experimental }
