package bankfile

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// What amount refuses.
var (
	errNoAmount  = errors.New("is no amount such as 1234.50")
	errDecimals  = errors.New("has more than two decimals")
	errTooHigh   = errors.New("is too high")
	errAmbiguous = errors.New("may be thousands or decimals: export amounts with two decimals")
)

// amountForm takes a sign or parentheses, a currency sign, and digits with marks.
var amountForm = regexp.MustCompile(`^([+-]?)[$€£]?([+-]?)([0-9.,]*[0-9][0-9.,]*)$`)

// bare is an amount without its sign: digits and marks alone.
func bare(text string) (digits string, negative, ok bool) {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\u2212", "-")
	if inner, found := strings.CutPrefix(text, "("); found {
		inner, closed := strings.CutSuffix(inner, ")")
		negative, text = true, inner
		if !closed || strings.ContainsAny(inner, "+-") {
			return "", false, false
		}
	}
	found := amountForm.FindStringSubmatch(text)
	if found == nil || found[1] != "" && found[2] != "" {
		return "", false, false
	}
	return found[3], negative || found[1]+found[2] == "-", true
}

// decimalMark is the decimal mark that an amount shows: ".", ",", or "" where it shows
// none or may show either, such as 1,234.
func decimalMark(digits string) string {
	last := strings.LastIndexAny(digits, ".,")
	if last < 0 {
		return ""
	}
	mark := digits[last : last+1]
	other := strings.Replace(".,", mark, "", 1)
	switch {
	case strings.Count(digits, mark) > 1: // it groups
		return other
	case strings.Contains(digits, other):
		return mark
	case len(digits)-last-1 == 3 && last > 0 && last <= 3 && digits[0] != '0':
		return ""
	}
	return mark
}

// grouped is digits with a mark before each three.
var grouped = map[string]*regexp.Regexp{
	",": regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+$`),
	".": regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{3})+$`),
}

// amount reads cents, where the decimal mark of the file is known; mark is "" where no
// amount shows it.
func amount(text, mark string) (int64, error) {
	digits, negative, ok := bare(text)
	if !ok {
		return 0, errNoAmount
	}
	if mark == "" {
		if strings.ContainsAny(digits, ".,") {
			return 0, errAmbiguous
		}
		mark = "."
	}
	whole, part, _ := strings.Cut(digits, mark)
	other := strings.Replace(".,", mark, "", 1)
	if strings.Contains(whole, other) {
		if !grouped[other].MatchString(whole) {
			return 0, errNoAmount
		}
		whole = strings.ReplaceAll(whole, other, "")
	}
	switch {
	case strings.ContainsAny(part, ".,"):
		return 0, errNoAmount
	case len(strings.TrimRight(part, "0")) > 2:
		return 0, errDecimals
	case len(whole) > 13:
		return 0, errTooHigh
	}
	part = (part + "00")[:2]
	cents, err := strconv.ParseInt(whole+part, 10, 64)
	if err != nil {
		return 0, errNoAmount
	}
	if negative {
		cents = -cents
	}
	return cents, nil
}
