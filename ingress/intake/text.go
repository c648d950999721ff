package intake

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Advice on text that fits no field.
const (
	adviceOneLine   = "Write this in one line."
	adviceControl   = "Remove control characters and invisible characters."
	adviceLost      = "Write this again: characters were lost where the text was converted."
	adviceCellLimit = "Use at most 1,000 characters: no field takes more."
)

// Line brings one line of text into the form that sales have: composed letters, no
// space at the ends and single spaces between words. advice says what to do where it
// is no plain line of at most so many characters, and is "" where it is fit.
func Line(raw string, most int) (text, advice string) {
	text, advice = clean(raw)
	if advice == "" && utf8.RuneCountInString(text) > most {
		return "", fmt.Sprintf("Use at most %d characters.", most)
	}
	return text, advice
}

// clean brings a line of text into one form: composed letters (NFC), no space at
// the ends and single spaces between words. advice is "" where the text is fit.
func clean(raw string) (text, advice string) {
	text = strings.TrimSpace(raw)
	if plain(text) {
		return text, ""
	}
	for _, r := range text {
		switch {
		case r == utf8.RuneError:
			return "", adviceLost
		case strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r):
			return "", adviceOneLine
		// Letters, marks, digits, punctuation, symbols and spaces pass. What shows
		// nothing or turns the direction of text around it (Cf) does not.
		case !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r):
			return "", adviceControl
		}
	}
	return strings.Join(strings.Fields(norm.NFC.String(text)), " "), ""
}

// plain tells whether text is ASCII that needs no cleaning, as most is.
func plain(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' || c == ' ' && text[i+1] == ' ' { // trimmed: no space is last
			return false
		}
	}
	return true
}
