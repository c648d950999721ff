package intake

import (
	"regexp"
	"strings"
)

const advicePostcode = "Write a full UK postcode, such as SW1A 1AA."

// postcodeForm has no spaces. The inward part is a digit and two letters without C,
// I, K, M, O and V; the outward part has one of six forms, and letters in their
// places (Royal Mail, PAF programmers' guide; BS 7666).
var postcodeForm = regexp.MustCompile(`^([A-PR-UWYZ](?:[0-9]|[1-9][0-9]|[0-9][A-HJKPSTUW]|` +
	`[A-HK-Y](?:[0-9]|[1-9][0-9]|[0-9][ABEHMNPRVWXY])))([0-9][ABD-HJLNP-UW-Z]{2})$`)

// fieldPostOffice is the older form of a British Forces address.
var fieldPostOffice = regexp.MustCompile(`^BFPO([1-9][0-9]{0,3})$`)

// overseas are the postcodes of territories that have one each; Gibraltar's GX11 1AA
// and those of Jersey, Guernsey and Man have the ordinary form.
const overseas = " ASCN BBND BIQQ FIQQ PCRN SIQQ STHL TKCA "

// ukPostcode brings a postcode to upper case with one space.
func ukPostcode(text string) (string, bool) {
	bare := strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	if m := postcodeForm.FindStringSubmatch(bare); m != nil {
		return m[1] + " " + m[2], true
	}
	if m := fieldPostOffice.FindStringSubmatch(bare); m != nil {
		return "BFPO " + m[1], true
	}
	if bare == "GIR0AA" {
		return "GIR 0AA", true
	}
	if area, ok := strings.CutSuffix(bare, "1ZZ"); ok && len(area) == 4 && strings.Contains(overseas, " "+area+" ") {
		return area + " 1ZZ", true
	}
	return "", false
}
