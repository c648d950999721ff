package intake

import (
	"regexp"
	"strings"

	"github.com/aictive/keyholder/clients/phone"
)

// Advice on phone numbers.
const (
	advicePhone    = "Write one phone number with its country code, such as +44 20 7946 0000, or a UK number that begins with 0."
	adviceLostZero = "The number begins with neither + nor 0; spreadsheets drop those. " +
		"Format the column as text and write it with its country code, such as +44 20 7946 0000, or with its leading 0."
	adviceScientific = "A spreadsheet has turned the number into scientific notation and lost digits. Format the column as text and enter the number again."
)

var (
	// numberShape is how people write a phone number, with an extension at most:
	// the parser would also find one within a sentence.
	numberShape = regexp.MustCompile(`^[+(]*[0-9][0-9 ().\-\x{2010}-\x{2015}/]*((ext\.?|x|#) ?[0-9]{1,7})?$`)
	scientific  = regexp.MustCompile(`^[+-]?[0-9]+([.,][0-9]+)?[eE]\+?[0-9]{1,3}$`)
	// ukNumber has neither spaces nor punctuation. Numbers that begin so have ten
	// digits, always.
	ukNumber = regexp.MustCompile(`^(?:\+44|0)([1237][0-9]{9})$`)
	// foundUK is what the parser may make of a UK number: 4, 6 and 0 lead nowhere,
	// and only some numbers in 1, 5, 8 and 9 are shorter than ten digits.
	foundUK = regexp.MustCompile(`^\+44([237][0-9]{9}|[1589][0-9]{6,9})$`)
	undress = strings.NewReplacer(" ", "", "(", "", ")", "", "-", "", ".", "")
)

// phoneE164 brings a number to E.164; one without a country code is British. It is
// not checked whether the number exists, so the fictitious ranges pass that Ofcom
// keeps for drama and OpenMoove for tests (contracts/openmoove.md 1).
func phoneE164(text string) (number, advice string) {
	if !numberShape.MatchString(text) {
		if scientific.MatchString(text) {
			return "", adviceScientific
		}
		return "", advicePhone
	}
	bare := undress.Replace(text)
	if m := ukNumber.FindStringSubmatch(bare); m != nil {
		// Nearly all come this way, which is ten times as fast as the parser.
		return "+44" + m[1], ""
	}
	if beginsBare(bare) {
		return "", adviceLostZero
	}
	number, err := phone.E164(text, "GB")
	if err != nil || strings.HasPrefix(number, "+44") && !foundUK.MatchString(number) {
		return "", advicePhone
	}
	return number, ""
}

// beginsBare tells whether a number has neither trunk 0 nor country code, so that
// whether it is British is a guess. A UK number whose + alone was lost is plain.
func beginsBare(number string) bool {
	if strings.HasPrefix(number, "44") && len(number) == len("447700900123") {
		return false
	}
	return number[0] >= '1' && number[0] <= '9'
}
