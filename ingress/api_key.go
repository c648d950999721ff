package ingress

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"golang.org/x/time/rate"
)

// minAPIKey is how short a key may be; what is shorter can be guessed.
const minAPIKey = 16

// apiKey is a bearer key made ready.
type apiKey struct {
	// digest stands for the key, so that comparing takes the same time for any
	// length.
	digest [sha256.Size]byte
	tokens *rate.Limiter
}

func newAPIKey(text string, every rate.Limit, burst int) (apiKey, error) {
	text = strings.TrimSpace(text)
	if len(text) < minAPIKey {
		return apiKey{}, errors.New("it must have 16 characters or more")
	}
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return apiKey{}, errors.New("it must consist of visible ASCII characters")
		}
	}
	return apiKey{digest: sha256.Sum256([]byte(text)), tokens: rate.NewLimiter(every, burst)}, nil
}

// keyOf is the key that a request bears. Every live key is compared, without
// stopping at the one that fits.
func (a *API) keyOf(h http.Header) (apiKey, bool) {
	sent := h.Values("Authorization")
	if len(sent) != 1 {
		return apiKey{}, false
	}
	scheme, token, _ := strings.Cut(sent[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return apiKey{}, false
	}
	digest := sha256.Sum256([]byte(strings.TrimLeft(token, " ")))
	found := -1
	for i := range a.keys {
		equal := subtle.ConstantTimeCompare(digest[:], a.keys[i].digest[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	if found < 0 {
		return apiKey{}, false
	}
	return a.keys[found], true
}
