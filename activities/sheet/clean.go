package sheet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Line is a text on one line, at most limit characters long, without anything
// that is not seen or that changes the direction of what follows.
func Line(s string, limit int) string {
	return shorten(strings.Join(strings.Fields(visible(Head(s, limit))), " "), limit)
}

// Head spares the work on a text that is far longer than what will be kept.
func Head(s string, limit int) string {
	const widest = 8 * utf8.UTFMax
	if n := limit * widest; len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	runes := []rune(s)
	return strings.TrimSpace(string(runes[:limit-1])) + "…"
}

// visible composes accents and drops control and formatting characters, such as
// bidirectional overrides, except the two that join emoji and scripts.
func visible(s string) string {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == nonJoiner || r == joiner:
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co):
			return -1
		default:
			return r
		}
	}, norm.NFC.String(s))
}
