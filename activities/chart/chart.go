// Package chart draws charts from boxes and texts: one drawing as a PNG for mails, on the
// sheet of a PDF, and as SVG for a page. It reads no clock and nothing from elsewhere: the
// same calls give the same bytes. Lengths are pixels from the upper left corner. A picture
// is shown at half its size, for sharp screens.
package chart

import (
	"image/color"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// textSize is that of all texts.
const textSize = 22

// The colours of what is not data. On a page they follow its style sheet; see SVG.
var (
	InkText = color.RGBA{0x1f, 0x29, 0x33, 0xff}
	InkSoft = color.RGBA{0x5a, 0x66, 0x75, 0xff}
	InkLine = color.RGBA{0xd5, 0xdb, 0xe3, 0xff}
)

// The colours of data. They are told apart by those who are colour-blind, too.
var (
	Blue   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	Green  = color.RGBA{0x00, 0x8a, 0x64, 0xff}
	Orange = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
)

// Series is what one colour stands for.
type Series struct {
	Name  string
	Color color.RGBA
}

// Canvas is a white drawing. It is not safe for concurrent use.
type Canvas struct {
	width, height int
	face          font.Face
	marks         []mark
}

// mark is a box or a text at a baseline.
type mark struct {
	x0, y0, x1, y1 int
	ink            color.RGBA
	text           string
}

// parsed is the font, which is part of the program; a parsed one may be shared.
var parsed = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) })

// New is an empty one. The error is that of the font, which is part of the program.
func New(width, height int) (*Canvas, error) {
	f, err := parsed()
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: textSize, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, err
	}
	return &Canvas{width: width, height: height, face: face}, nil
}

// Box fills a rectangle, whichever corners are given.
func (c *Canvas) Box(x0, y0, x1, y1 int, ink color.RGBA) {
	c.marks = append(c.marks, mark{min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1), ink, ""})
}

// Text writes at a baseline. It begins at x, or ends there where right.
func (c *Canvas) Text(x, y int, text string, ink color.RGBA, right bool) {
	if text == "" {
		return
	}
	if right {
		x -= c.Width(text)
	}
	c.marks = append(c.marks, mark{x0: x, y0: y, ink: ink, text: text})
}

// Width is how wide a text is.
func (c *Canvas) Width(text string) int { return font.MeasureString(c.face, text).Ceil() }

// Fit cuts a text to a width.
func (c *Canvas) Fit(text string, width int) string {
	runes := []rune(text)
	for len(runes) > 1 && c.Width(text) > width {
		runes = runes[:len(runes)-1]
		text = strings.TrimSpace(string(runes)) + "…"
	}
	return text
}

// Legend says what the colours stand for, in a line of 24 pixels from x and y.
func (c *Canvas) Legend(x, y int, all []Series) {
	for _, s := range all {
		c.Box(x, y, x+24, y+24, s.Color)
		c.Text(x+34, y+20, s.Name, InkText, false)
		x += 34 + c.Width(s.Name) + 40
	}
}

// Scale puts values from Lo to Hi on a length.
type Scale struct {
	Lo, Hi int64
	Length int
}

// Add widens the scale to a value.
func (s *Scale) Add(v int64) { s.Lo, s.Hi = min(s.Lo, v), max(s.Hi, v) }

// At is where a value is, from 0 to Length. Values stay far below what would overflow:
// 10^14 cents on a thousand pixels.
func (s Scale) At(v int64) int {
	if s.Hi == s.Lo {
		return 0
	}
	return int((v - s.Lo) * int64(s.Length) / (s.Hi - s.Lo))
}

// Step is a round value of which the scale has at most five.
func (s Scale) Step() int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, n := range []int64{1, 2, 5} {
			if (s.Hi-s.Lo)/(n*unit) <= 5 {
				return n * unit
			}
		}
	}
}
