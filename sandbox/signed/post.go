// Package signed posts webhooks as the imitated partners do: a JSON body, and its
// HMAC-SHA256 in hex in a header of the partner's own.
package signed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// Sender is one partner's way to post.
type Sender struct {
	Client *http.Client
	// Target is the address, Header the name of the signature's header.
	Target, Header string
	UserAgent      string
	Secret         []byte
}

// Post signs a body and posts it.
func (s Sender) Post(ctx context.Context, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.UserAgent)
	req.Header.Set(s.Header, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := s.Client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res.StatusCode, answer, err
}
