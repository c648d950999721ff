package bookkeeping

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/aictive/keyholder/policy"
)

// maxText is how much of a text is read, in bytes: the beginning.
const maxText = 2 << 10

// voice is a category for which a text speaks.
type voice struct {
	category policy.BookCategory
	// strength is the number of letters of the words that speak for it, each word once.
	strength int
}

// wordsOf are the words of a text in small letters without accents: letters and digits.
func wordsOf(text string) []string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r), strings.ContainsRune("'\u2019\u02bc`", r):
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return ' '
	}, norm.NFKD.String(strings.ToValidUTF8(text, " ")))
	return strings.Fields(plain)
}

// saying is where words of a category stand in a text: from, and up to but not including
// to.
type saying struct{ category, from, to int }

// speaking are the categories for which words speak, the strongest first. Words within a
// longer saying do not speak for themselves: "pet rent" is not rent.
func speaking(words []string, categories []policy.BookCategory) []voice {
	var all []saying
	for i, c := range categories {
		for _, w := range c.Words {
			phrase := wordsOf(w)
			for from := 0; len(phrase) > 0 && from+len(phrase) <= len(words); from++ {
				if slices.Equal(words[from:from+len(phrase)], phrase) {
					all = append(all, saying{i, from, from + len(phrase)})
				}
			}
		}
	}
	heard := make([]map[string]bool, len(categories))
	for _, s := range all {
		if slices.ContainsFunc(all, s.within) {
			continue
		}
		if heard[s.category] == nil {
			heard[s.category] = map[string]bool{}
		}
		for _, w := range words[s.from:s.to] {
			heard[s.category][w] = true
		}
	}
	var voices []voice
	for i, words := range heard {
		strength := 0
		for w := range words {
			strength += utf8.RuneCountInString(w)
		}
		if strength > 0 {
			voices = append(voices, voice{categories[i], strength})
		}
	}
	slices.SortStableFunc(voices, func(a, b voice) int { return cmp.Compare(b.strength, a.strength) })
	return voices
}

// within tells whether another saying is longer and holds this one.
func (s saying) within(other saying) bool {
	return other.from <= s.from && s.to <= other.to && other.to-other.from > s.to-s.from
}
