package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Keys derives, from one secret, what the store needs to be useless to a thief:
// hashes of addresses, ids of questions and the signatures of links. Signatures may
// have keys of their own, which can be changed.
type Keys struct {
	secret []byte
	// signing are the keys of signatures before the secret, newest first.
	signing [][]byte
}

// NewKeys takes the secret of KEYHOLDER_LINK_KEY, and the keys of
// KEYHOLDER_LINK_SIGNING_KEYS, newest first. Without those the secret signs; with
// them it still verifies. Empty ones are left out: everybody knows them.
func NewKeys(secret string, signing ...string) Keys {
	k := Keys{secret: []byte(secret)}
	for _, key := range signing {
		if key != "" {
			k.signing = append(k.signing, []byte(key))
		}
	}
	return k
}

// signers are the keys of signatures: the first signs, all verify.
func (k Keys) signers() [][]byte { return append(slices.Clip(k.signing), k.secret) }

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (k Keys) mac(purpose string, size int, parts ...string) string {
	return macWith(k.secret, purpose, size, parts...)
}

// sign is the signature of a link.
func (k Keys) sign(purpose string, size int, parts ...string) string {
	return macWith(k.signers()[0], purpose, size, parts...)
}

// signed tells whether it is a signature by any of the keys, in a time that does not
// depend on by which.
func (k Keys) signed(signature, purpose string, size int, parts ...string) bool {
	found := 0
	for _, key := range k.signers() {
		found |= subtle.ConstantTimeCompare([]byte(macWith(key, purpose, size, parts...)), []byte(signature))
	}
	return found == 1
}

func macWith(key []byte, purpose string, size int, parts ...string) string {
	h := hmac.New(sha256.New, key)
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
	return questionID + k.sign(linkPurpose, linkSize, questionID)
}

// QuestionOf is the question of a token, or false where the signature is wrong.
func (k Keys) QuestionOf(token string) (questionID string, ok bool) {
	const idLength = 16
	if len(token) != 2*idLength {
		return "", false
	}
	id := token[:idLength]
	return id, k.signed(token[idLength:], linkPurpose, linkSize, id)
}

// What is signed, and how many bytes a signature has.
const (
	linkPurpose       = "link"
	linkSize          = 10
	reportPurpose     = "report link"
	personPurpose     = "person link"
	ownerPurpose      = "owner link"
	calendarPurpose   = "calendar link"
	expiringSize      = 15
	maxExpiringLength = 100
)

// checkSize is how many bytes the mark of a maintenance check has.
const checkSize = 10

// CheckMark signs the description of a maintenance check's work order; IsCheckMark tells
// whether a mark is its.
func (k Keys) CheckMark(description string) string {
	return k.sign("maintenance check", checkSize, description)
}

// IsCheckMark is for CheckMark.
func (k Keys) IsCheckMark(mark, description string) bool {
	return k.signed(mark, "maintenance check", checkSize, description)
}

// ReportToken is the signed text of a link to a report of a kind, which is of small
// letters and "_", such as "sales". The link is good until expires, in whole seconds
// of real time.
func (k Keys) ReportToken(kind string, expires time.Time) string {
	return k.expiring(reportPurpose, kind, expires)
}

// ReportOf is the kind of report that a token opens at a real time, "" where the
// signature is wrong. ok is false for such a one, and for one that has expired, of
// which the kind is told.
func (k Keys) ReportOf(token string, now time.Time) (kind string, ok bool) {
	return k.opened(reportPurpose, token, now)
}

// PersonToken is the signed text of the link to the page of whoever has the address,
// given as Address hashes it. The link is good until expires, in whole seconds of
// real time.
func (k Keys) PersonToken(addressHash string, expires time.Time) string {
	return k.expiring(personPurpose, addressHash, expires)
}

// PersonOf is the hash of the address whose page a token opens at a real time, "" where
// the signature is wrong. ok is false for such a one, and for one that has expired, of
// which the address is told.
func (k Keys) PersonOf(token string, now time.Time) (addressHash string, ok bool) {
	return k.opened(personPurpose, token, now)
}

// OwnerToken is the signed text of the link to the page of a portfolio's owners. The
// link is good until expires, in whole seconds of real time.
func (k Keys) OwnerToken(portfolioID string, expires time.Time) string {
	return k.expiring(ownerPurpose, portfolioID, expires)
}

// OwnerOf is the portfolio whose page a token opens at a real time, "" where the
// signature is wrong. ok is false for such a one, and for one that has expired, of which
// the portfolio is told.
func (k Keys) OwnerOf(token string, now time.Time) (portfolioID string, ok bool) {
	return k.opened(ownerPurpose, token, now)
}

// CalendarToken is the signed text of the address of a calendar, which is of small letters
// and "_", such as "compliance". It is good until expires, in whole seconds of real time.
func (k Keys) CalendarToken(what string, expires time.Time) string {
	return k.expiring(calendarPurpose, what, expires)
}

// CalendarOf is the calendar that a token opens at a real time, "" where the signature is
// wrong. ok is false for such a one, and for one that has expired, of which the calendar is
// told.
func (k Keys) CalendarOf(token string, now time.Time) (what string, ok bool) {
	return k.opened(calendarPurpose, token, now)
}

// expiring is "what-expiry-signature".
func (k Keys) expiring(purpose, what string, expires time.Time) string {
	until := strconv.FormatInt(expires.Unix(), 10)
	return what + "-" + until + "-" + k.sign(purpose, expiringSize, what, until)
}

// opened reads what expiring wrote.
func (k Keys) opened(purpose, token string, now time.Time) (what string, ok bool) {
	if len(token) > maxExpiringLength {
		return "", false
	}
	parts := strings.Split(token, "-")
	if len(parts) != 3 || !k.signed(parts[2], purpose, expiringSize, parts[0], parts[1]) {
		return "", false
	}
	expires, err := strconv.ParseInt(parts[1], 10, 64)
	return parts[0], err == nil && now.Unix() < expires
}
