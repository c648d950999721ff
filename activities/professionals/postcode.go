package professionals

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aictive/keyholder/policy"
)

// place is what of a postcode an area of the directory may name, from wide to
// narrow: "SW", "SW1", "SW1A", "SW1A 1". What is not known is missing; a district
// without a letter is there once.
type place []string

var (
	outward = regexp.MustCompile(`^([A-Z]{1,2})([0-9])([0-9A-Z]?)$`)
	inward  = regexp.MustCompile(`^[0-9][A-Z]{2}$`)
)

// locate reads a postcode, or the first half of one, in any case and spacing. What
// is none is nowhere, which only policy.EveryArea covers.
func locate(postcode string) place {
	code := strings.ToUpper(strings.Join(strings.Fields(postcode), ""))
	sector := ""
	if cut := len(code) - 3; cut >= 2 && inward.MatchString(code[cut:]) {
		code, sector = code[:cut], code[cut:cut+1]
	}
	m := outward.FindStringSubmatch(code)
	if m == nil {
		return nil
	}
	at := place{m[1]}
	if last := m[3]; last != "" && last >= "A" { // SW1 is all of SW1A to SW1Y
		at = append(at, m[1]+m[2])
	}
	at = append(at, code)
	if sector != "" {
		at = append(at, code+" "+sector)
	}
	return at
}

// district is how the place is called where people read it.
func (p place) district() string {
	switch {
	case len(p) == 0:
		return "the postcode"
	case strings.Contains(p[len(p)-1], " "):
		return p[len(p)-2]
	}
	return p[len(p)-1]
}

// covered is the narrowest of the areas that the place is in, and how narrow that
// is: 0 is everywhere. ok is false where it is in none.
func (p place) covered(areas []string) (area string, narrow int, ok bool) {
	for i, name := range slices.Backward(p) {
		if slices.Contains(areas, name) {
			return name, i + 1, true
		}
	}
	return policy.EveryArea, 0, slices.Contains(areas, policy.EveryArea)
}
