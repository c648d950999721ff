package incidentreport

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aictive/keyholder/activities/sheet"
)

// The most characters that a text of the report may have.
const (
	maxName        = 120
	maxSentence    = 400
	maxStep        = 400
	maxDescription = 4000
	maxParagraphs  = 40
)

// paragraphs is a text of several lines, each as line makes it; empty lines go.
func paragraphs(s string) []string {
	var out []string
	left := maxDescription
	for p := range strings.Lines(strings.ReplaceAll(sheet.Head(s, maxDescription), "\r", "\n")) {
		p = sheet.Line(p, max(left, 2))
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

// sentence begins with a capital, codes such as "no_heat" become words.
func sentence(s string) string {
	s = strings.ReplaceAll(s, "_", " ")
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}
