package sheet

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

func TestGlyphsFit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, want string
		replaced bool
	}{
		"plain":                   {"Burst pipe – 5 °C, “now”…", "Burst pipe – 5 °C, “now”…", false},
		"latin, greek, cyrillic":  {"Sørensen Łukasz Ωμέγα Ёлка", "Sørensen Łukasz Ωμέγα Ёлка", false},
		"accents that are absent": {"Nguyễn Thị", "Nguyên Thi", false},
		"same look":               {"shut\u2011off ＡＢ １２ \u2009x", "shut-off AB 12  x", false},
		"one emoji":               {"fire 🔥!", "fire \ufffd!", true},
		"compound emoji":          {"👨‍👩‍👧 here", "\ufffd here", true},
		"skin tone and selector":  {"👍🏽 ☺\ufe0f", "\ufffd ☺", true},
		"chinese":                 {"火事です", "\ufffd\ufffd\ufffd\ufffd", true},
		"hebrew":                  {"דוד", "\ufffd\ufffd\ufffd", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, err := newGlyphs(goregular.TTF)
			require.NoError(t, err)
			got := g.fit(c.in)
			require.Equal(t, c.want, got)
			require.Equal(t, c.replaced, g.replaced)
			require.Equal(t, got, g.fit(got), "fitting twice changes nothing")
		})
	}
}

// The glyphs of the regular font decide for both.
func TestBothFontsHaveTheSameCharacters(t *testing.T) {
	t.Parallel()
	regular, err := newGlyphs(goregular.TTF)
	require.NoError(t, err)
	bold, err := newGlyphs(gobold.TTF)
	require.NoError(t, err)
	for r := rune(' '); r < 0x10000; r++ {
		require.Equal(t, regular.has(r), bold.has(r), "%U", r)
	}
	require.True(t, regular.has(missing))
}
