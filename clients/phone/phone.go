// Package phone brings phone numbers as people type them into the one form that
// the rest of the system compares, hashes and sends: E.164, such as
// +12025550123.
package phone

import (
	"errors"

	"github.com/nyaruka/phonenumbers"
)

// ErrInvalid is returned for text that cannot be a phone number. It never
// repeats the text.
var ErrInvalid = errors.New("phone: not a possible phone number")

// maxRaw bounds what is parsed; the longest number with all decoration is far
// shorter.
const maxRaw = 64

// E164 normalises a number. The region is the ISO 3166 country ("US", "GB")
// that a number without an international prefix belongs to. An extension is
// dropped: a text cannot reach it. Only the length is checked against the
// country's plan, as ranges are opened all the time; whether the number exists
// is for the carrier to say. The error is ErrInvalid.
func E164(raw, region string) (string, error) {
	if len(raw) > maxRaw {
		return "", ErrInvalid
	}
	number, err := phonenumbers.Parse(raw, region)
	if err != nil || phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", ErrInvalid
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}
