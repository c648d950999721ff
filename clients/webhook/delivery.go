package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/aictive/keyholder/clients/partner"
)

// Limits of a delivery.
const (
	// MaxBody is the longest body, in bytes.
	MaxBody = 256 << 10
	// MaxSecrets is how many secrets may sign it.
	MaxSecrets = 5
)

const (
	secretPrefix = "whsec_"
	// minSecret and maxSecret are the specification's, in bytes.
	minSecret, maxSecret = 24, 64
)

// idPattern leaves out the full stop, which separates the parts of what is
// signed.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9_:/@-]{1,256}$`)

// Delivery is one event for one receiver.
type Delivery struct {
	// URL is the receiver's address; see CheckURL.
	URL string
	// Secrets sign the delivery, one signature each, the newest first; see
	// CheckSecret. While a secret is changed, the old one stays in the list.
	Secrets []string
	// ID names the event and is the same at every attempt: letters, digits and
	// _ : / @ -, at most 256.
	ID string
	// At is the time of the attempt (real time); the zero time is now.
	At time.Time
	// Body is JSON of at most MaxBody bytes, the same at every attempt.
	Body []byte
}

// CheckSecret tells what is wrong with a signing secret, without repeating it:
// it must be "whsec_" and the base64 of 24 to 64 bytes.
func CheckSecret(secret string) error {
	_, err := signer(secret)
	return err
}

func signer(secret string) (*standardwebhooks.Webhook, error) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, errors.New("a secret must begin with " + secretPrefix)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("what follows " + secretPrefix + " in a secret must be standard base64, with its padding")
	}
	if len(key) < minSecret || len(key) > maxSecret {
		return nil, errors.New("a secret must hold 24 to 64 random bytes")
	}
	return standardwebhooks.NewWebhookRaw(key)
}

// request is the signed request. Its errors are *partner.Error of kind Invalid.
func (d Delivery) request(ctx context.Context) (*http.Request, error) {
	invalid := func(message string) error {
		return &partner.Error{Op: op, Kind: partner.Invalid, Message: message}
	}
	if err := CheckURL(d.URL); err != nil {
		return nil, invalid(err.Error())
	}
	switch {
	case !idPattern.MatchString(d.ID):
		return nil, invalid("the id must be 1 to 256 letters, digits and _ : / @ -")
	case len(d.Body) == 0:
		return nil, invalid("the body is empty")
	case len(d.Body) > MaxBody:
		return nil, invalid("the body is longer than 256 kB")
	case len(d.Secrets) == 0 || len(d.Secrets) > MaxSecrets:
		return nil, invalid("there must be 1 to 5 secrets")
	}
	if d.At.IsZero() {
		d.At = time.Now()
	}
	signatures, err := d.sign()
	if err != nil {
		return nil, invalid(err.Error())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return nil, invalid("the address cannot be posted to")
	}
	req.Header.Set("User-Agent", "Keyholder")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(standardwebhooks.HeaderWebhookID, d.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(d.At.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signatures)
	return req, nil
}

// sign is a signature by each secret, separated by spaces.
func (d Delivery) sign() (string, error) {
	signatures := make([]string, 0, len(d.Secrets))
	for _, secret := range d.Secrets {
		w, err := signer(secret)
		if err != nil {
			return "", err
		}
		signature, err := w.Sign(d.ID, d.At, d.Body)
		if err != nil {
			return "", errors.New("the delivery cannot be signed")
		}
		signatures = append(signatures, signature)
	}
	return strings.Join(signatures, " "), nil
}
