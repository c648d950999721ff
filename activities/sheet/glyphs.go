package sheet

import (
	"strings"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// missing stands for a character that the PDF's font cannot show.
const missing = '\ufffd'

// glyphs knows which characters the PDF's font has.
type glyphs struct {
	font *sfnt.Font
	buf  sfnt.Buffer
	// replaced is set once a character had to be replaced by missing.
	replaced bool
}

func newGlyphs(ttf []byte) (*glyphs, error) {
	font, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, err
	}
	return &glyphs{font: font}, nil
}

func (g *glyphs) has(r rune) bool {
	index, err := g.font.GlyphIndex(&g.buf, r)
	return err == nil && index != 0
}

// fit is the text in characters that the font has: first the character itself,
// then one that reads the same, then it with fewer accents, then missing. A
// compound emoji gives one replacement, not one for each of its parts.
func (g *glyphs) fit(s string) string {
	var b strings.Builder
	joined := false
	for _, r := range s {
		switch {
		case r == '\u200d':
			joined = b.Len() > 0
			continue
		case isModifier(r):
			continue
		case joined && !unicode.IsLetter(r):
			joined = false
			continue
		}
		joined = false
		b.WriteString(g.one(r))
	}
	return b.String()
}

func (g *glyphs) one(r rune) string {
	switch r {
	case '\u2010', '\u2011':
		return "-"
	case '\u2015':
		return "—"
	}
	if g.has(r) {
		return string(r)
	}
	parts := []rune(norm.NFKD.String(string(r)))
	for n := len(parts); n > 0; n-- {
		if n < len(parts) && !unicode.Is(unicode.Mn, parts[n]) {
			break
		}
		if simpler := norm.NFC.String(string(parts[:n])); g.hasAll(simpler) {
			return simpler
		}
	}
	g.replaced = true
	return string(missing)
}

func (g *glyphs) hasAll(s string) bool {
	for _, r := range s {
		if !g.has(r) {
			return false
		}
	}
	return true
}

// isModifier tells what only changes the character before it: accents that
// could not be composed, variation selectors, skin tones, emoji tags.
func isModifier(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me) || r == '\u200c' || r >= 0x1f3fb && r <= 0x1f3ff
}
