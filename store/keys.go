package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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

// SaleAddress is the keyed hash of an address and its postcode, however they are
// spelt: case, punctuation and spaces do not count, but for those between two
// digits, which tell "1 12 High St" from "11 2 High St". Nor does a postcode count
// that the address repeats.
func (k Keys) SaleAddress(address, postcode string) string {
	code := strings.Join(words(postcode), "")
	var place strings.Builder
	digit := false // whether the word before ends with one
	for _, word := range without(words(address), code) {
		if first, _ := utf8.DecodeRuneInString(word); digit && unicode.IsDigit(first) {
			place.WriteByte(' ')
		}
		place.WriteString(word)
		last, _ := utf8.DecodeLastRuneInString(word)
		digit = unicode.IsDigit(last)
	}
	return k.mac("sale address", 15, place.String(), code)
}

// SaleRequest is the id of the sale of an address by a seller (e-mail): whoever
// submits the same sale again means the same one.
func (k Keys) SaleRequest(address, postcode, seller string) string {
	return k.mac("sale request", 15, k.SaleAddress(address, postcode), k.Address(seller))
}

// words are the runs of letters and digits of a text, in small letters.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(norm.NFKC.String(text)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// without is the list without runs of words that together spell the code.
func without(list []string, code string) []string {
	var kept []string
	for len(list) > 0 {
		n := spells(list, code)
		if n == 0 {
			kept, n = append(kept, list[0]), 1
		}
		list = list[n:]
	}
	return kept
}

// spells is how many words from the first on together spell the code, or 0.
func spells(list []string, code string) int {
	for i, word := range list {
		rest, ok := strings.CutPrefix(code, word)
		if !ok {
			return 0
		}
		if rest == "" {
			return i + 1
		}
		code = rest
	}
	return 0
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

// ReportToken is the signed text of a link to a report of a kind, which is of small
// letters and "_", such as "sales". The link is good until expires, in whole seconds
// of real time.
func (k Keys) ReportToken(kind string, expires time.Time) string {
	return k.reportToken(kind, strconv.FormatInt(expires.Unix(), 10))
}

func (k Keys) reportToken(kind, expires string) string {
	return kind + "-" + expires + "-" + k.mac("report link", 15, kind, expires)
}

// ReportOf is the kind of report that a token opens at a real time, "" where the
// signature is wrong. ok is false for such a one, and for one that has expired, of
// which the kind is told.
func (k Keys) ReportOf(token string, now time.Time) (kind string, ok bool) {
	const maxLength = 100
	if len(token) > maxLength {
		return "", false
	}
	parts := strings.Split(token, "-")
	if len(parts) != 3 || !hmac.Equal([]byte(k.reportToken(parts[0], parts[1])), []byte(token)) {
		return "", false
	}
	expires, err := strconv.ParseInt(parts[1], 10, 64)
	return parts[0], err == nil && now.Unix() < expires
}
