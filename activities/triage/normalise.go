package triage

import (
	"html"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxHead and maxTail bound what is read of a text, in bytes: 10 kB together.
	maxHead = 8 << 10
	maxTail = 2 << 10
)

// tag is a tag of formatted text. Other things in angle brackets are kept as
// words: "<gas leak>" must not vanish.
var tag = regexp.MustCompile(`(?i)</?(?:p|br|div|span|b|i|u|em|strong|small|big|ul|ol|li|a|h[1-6]|table|thead|tbody|tr|td|th|font|blockquote|pre|code|hr|img|style|html|head|body|section|article)(?:[\s/][^<>]*)?>`)

// spelled joins what punctuation would tear apart, and turns symbols into words.
var spelled = strings.NewReplacer(
	"°", " degrees ", "º", " degrees ", "˚", " degrees ", "a/c", "ac", "A/C", "ac", "a.c.", "ac ", "A.C.", "ac ",
	"w/o", "without", "W/O", "without", "c.o.", "co ", "C.O.", "co ", "h2o", "water", "H2O", "water", "&", " and ",
)

// normalise turns a text into words of plain small letters and digits, one space
// apart and around, with " . " between clauses. Apostrophes are dropped, since
// tenants drop them: "can't" is "cant". cut tells that the text was too long.
func normalise(text string) (words string, cut bool) {
	if len(text) > maxHead+maxTail {
		text, cut = text[:maxHead]+"\n"+text[len(text)-maxTail:], true
	}
	text = strings.ToValidUTF8(text, " ")
	text = html.UnescapeString(html.UnescapeString(tag.ReplaceAllString(text, " ")))
	text = spelled.Replace(norm.NFKC.String(spelled.Replace(tag.ReplaceAllString(text, " "))))
	return clauses([]rune(strings.ToLower(norm.NFD.String(text)))), cut
}

func clauses(runes []rune) string {
	var b strings.Builder
	b.WriteByte(' ')
	gap, stop := true, true
	word := func(r rune) {
		b.WriteRune(r)
		gap, stop = false, false
	}
	space := func() {
		if !gap {
			b.WriteByte(' ')
			gap = true
		}
	}
	for i, r := range runes {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			word(r)
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r), isApostrophe(r):
		case r == '.' && digitAt(runes, i-1) && digitAt(runes, i+1):
			word(r)
		case r == '-' && digitAt(runes, i+1) && gap:
			word(r)
		case isStop(runes, i):
			space()
			if !stop {
				b.WriteString(". ")
				stop = true
			}
		default:
			space()
		}
	}
	space()
	return b.String()
}

func isApostrophe(r rune) bool { return strings.ContainsRune("'\u2018\u2019\u02bc\u00b4`\u2032", r) }

func digitAt(runes []rune, i int) bool {
	return i >= 0 && i < len(runes) && unicode.IsDigit(runes[i])
}

// isStop tells whether a clause ends at i. A hyphen joins words unless it stands
// alone.
func isStop(runes []rune, i int) bool {
	switch r := runes[i]; r {
	case '.', ',', ';', ':', '!', '?', '(', ')', '\n', '\r', '\u2013', '\u2014', '\u3002', '\u3001':
		return true
	case '-':
		return i > 0 && i+1 < len(runes) && unicode.IsSpace(runes[i-1]) && unicode.IsSpace(runes[i+1])
	}
	return false
}
