package policy

import (
	"regexp"
	"slices"
	"strings"
)

// EveryArea stands for all postcodes.
const EveryArea = "*"

var areaPattern = regexp.MustCompile(`^([A-Z]{1,2})([0-9][0-9A-Z]?( [0-9])?)?$`)

// postcodeAreas are those of the United Kingdom and the Crown dependencies, so that
// a slip of the pen is not an area where nobody lives.
func postcodeAreas() []string {
	return strings.Fields(`AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY
		E EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML
		N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY
		TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE`)
}

// normalArea is an area in upper case with single spaces.
func normalArea(text string) string { return strings.ToUpper(strings.Join(strings.Fields(text), " ")) }

// isArea tells whether a normal area is a postcode area, district or sector, or
// EveryArea.
func isArea(text string, known []string) bool {
	if text == EveryArea {
		return true
	}
	m := areaPattern.FindStringSubmatch(text)
	return m != nil && slices.Contains(known, m[1])
}
