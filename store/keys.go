package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// Keys derives, from one secret, what the store needs to be useless to a thief:
// hashes of addresses, ids of questions and the signatures of action links.
type Keys struct {
	secret []byte
}

// NewKeys takes the secret of KEYHOLDER_LINK_KEY.
func NewKeys(secret string) Keys { return Keys{secret: []byte(secret)} }

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (k Keys) mac(purpose string, size int, parts ...string) string {
	h := hmac.New(sha256.New, k.secret)
	h.Write([]byte(purpose))
	for _, p := range parts {
		h.Write([]byte{0})
		h.Write([]byte(p))
	}
	return encoding.EncodeToString(h.Sum(nil)[:size])
}

// Address is the keyed hash of a phone (E.164) or e-mail (any case).
func (k Keys) Address(address string) string {
	return k.mac("address", 15, strings.ToLower(strings.TrimSpace(address)))
}

// QuestionID is the id of the question that a step of a workflow asks a person:
// the same for every try.
func (k Keys) QuestionID(workflowID, step, person string) string {
	return k.mac("question", 10, workflowID, step, person)
}

// Token is the signed text of an action link, 32 characters.
func (k Keys) Token(questionID string) string {
	return questionID + k.mac("link", 10, questionID)
}

// QuestionOf is the question of a token, or false where the signature is wrong.
func (k Keys) QuestionOf(token string) (questionID string, ok bool) {
	const idLength = 16
	if len(token) != 2*idLength {
		return "", false
	}
	id := token[:idLength]
	return id, hmac.Equal([]byte(k.Token(id)), []byte(token))
}
