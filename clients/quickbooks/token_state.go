package quickbooks

import (
	"encoding/json"
	"errors"
	"time"
)

// TokenState tells of kept tokens, without them. Times are real.
type TokenState struct {
	// UseUntil is a little before the access token's end: a refresh is due then, with the
	// next call.
	UseUntil time.Time
}

// ReadTokenState reads what a TokenStore has loaded.
func ReadTokenState(value []byte) (TokenState, error) {
	var k kept
	if err := json.Unmarshal(value, &k); err != nil || k.Refresh == "" {
		// What cannot be read holds secrets all the same: the error says nothing of it.
		return TokenState{}, errors.New("quickbooks: the kept tokens cannot be read")
	}
	return TokenState{UseUntil: k.UseUntil}, nil
}
