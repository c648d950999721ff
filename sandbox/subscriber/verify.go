package subscriber

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Names of the headers of the Standard Webhooks scheme.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

const (
	secretPrefix = "whsec_"
	// minSecret and maxSecret are the lengths of keys that the scheme allows, in bytes.
	minSecret, maxSecret = 24, 64
	// tolerance is how far a timestamp may be from now, on either side.
	tolerance = 5 * time.Minute
	// maxID bounds the id of a webhook, in bytes.
	maxID = 256
	// version is the prefix of signatures with a shared secret.
	version = "v1,"
)

// readSecret gives the key of a secret such as "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".
// The error never has the secret in it.
func readSecret(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, fmt.Errorf("the secret begins with %q", secretPrefix)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("what follows %q in the secret is base64", secretPrefix)
	}
	if len(key) < minSecret || len(key) > maxSecret {
		return nil, fmt.Errorf("the secret has %d to %d bytes, not %d", minSecret, maxSecret, len(key))
	}
	return key, nil
}

// unixSeconds is how a timestamp is written: digits alone.
var unixSeconds = regexp.MustCompile(`^[0-9]{1,15}$`)

// verify tells whether a delivery is signed as the scheme has it, and returns its id
// and when the attempt was made. The error says what is wrong.
func verify(key []byte, header http.Header, body []byte, now time.Time) (id string, at time.Time, err error) {
	id, errID := only(header, headerID)
	stamp, errStamp := only(header, headerTimestamp)
	signatures, errSignature := only(header, headerSignature)
	if err := errors.Join(errID, errStamp, errSignature); err != nil {
		return "", time.Time{}, err
	}
	if len(id) > maxID {
		return "", time.Time{}, fmt.Errorf("%s has %d bytes at most", headerID, maxID)
	}
	if !unixSeconds.MatchString(stamp) {
		return "", time.Time{}, fmt.Errorf("%s is seconds since 1970", headerTimestamp)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%s is seconds since 1970", headerTimestamp)
	}
	if off := now.Unix() - seconds; off > int64(tolerance/time.Second) || off < -int64(tolerance/time.Second) {
		return "", time.Time{}, fmt.Errorf("%s is more than %s from now", headerTimestamp, tolerance)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for _, one := range strings.Split(signatures, " ") {
		encoded, ours := strings.CutPrefix(one, version)
		if !ours {
			continue // of another scheme
		}
		if got, err := base64.StdEncoding.DecodeString(encoded); err == nil && hmac.Equal(got, want) {
			return id, time.Unix(seconds, 0).UTC(), nil
		}
	}
	return "", time.Time{}, fmt.Errorf("no signature in %s is right", headerSignature)
}

// only is the value of a header that is there once.
func only(header http.Header, name string) (string, error) {
	values := header.Values(name)
	if len(values) != 1 || values[0] == "" {
		return "", fmt.Errorf("%s is needed, once", name)
	}
	return values[0], nil
}
