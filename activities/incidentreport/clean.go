package incidentreport

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The most characters that a text of the report may have.
const (
	maxName        = 120
	maxSentence    = 400
	maxStep        = 400
	maxDescription = 4000
	maxParagraphs  = 40
)

// line is a text on one line, at most limit characters long, without anything
// that is not seen or that changes the direction of what follows.
func line(s string, limit int) string {
	return shorten(strings.Join(strings.Fields(visible(head(s, limit))), " "), limit)
}

// paragraphs is a text of several lines, each as line makes it; empty lines go.
func paragraphs(s string) []string {
	var out []string
	left := maxDescription
	for p := range strings.Lines(strings.ReplaceAll(head(s, maxDescription), "\r", "\n")) {
		p = line(p, max(left, 2))
		if p == "" {
			continue
		}
		if len(out) == maxParagraphs || left < 2 {
			return append(out, "…")
		}
		out = append(out, p)
		left -= utf8.RuneCountInString(p)
	}
	return out
}

// head spares the work on a text that is far longer than what will be kept.
func head(s string, limit int) string {
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

// sentence begins with a capital, codes such as "no_heat" become words.
func sentence(s string) string {
	s = strings.ReplaceAll(s, "_", " ")
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}
