package chart

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"github.com/aictive/keyholder/activities/sheet"
)

// PNG is the drawing as a picture.
func (c *Canvas) PNG() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, c.width, c.height))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, m := range c.marks {
		if m.text == "" {
			draw.Draw(img, image.Rect(m.x0, m.y0, m.x1, m.y1), image.NewUniform(m.ink), image.Point{}, draw.Src)
			continue
		}
		d := font.Drawer{Dst: img, Src: image.NewUniform(m.ink), Face: c.face, Dot: fixed.P(m.x0, m.y0)}
		d.DrawString(m.text)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, indexed(img)); err != nil {
		return nil, fmt.Errorf("encode the chart: %w", err)
	}
	return out.Bytes(), nil
}

// indexed is the same picture with a byte for each pixel where it has no more than 256
// colours: it is encoded in a fraction of the time, and smaller.
func indexed(img *image.RGBA) image.Image {
	const most = 256
	out := image.NewPaletted(img.Bounds(), nil)
	known := map[color.RGBA]uint8{}
	var last color.RGBA
	var index uint8
	for i := range out.Pix {
		p := img.Pix[4*i : 4*i+4]
		c := color.RGBA{p[0], p[1], p[2], p[3]}
		if c != last || i == 0 {
			n, ok := known[c]
			if !ok {
				if len(out.Palette) == most {
					return img
				}
				n = uint8(len(out.Palette)) //nolint:gosec // less than 256
				known[c] = n
				out.Palette = append(out.Palette, c)
			}
			last, index = c, n
		}
		out.Pix[i] = index
	}
	return out
}

// SVG is the drawing as an element of a page, as wide as there is room. Its texts and
// lines have the classes "text", "soft" and "line" for the page's style sheet, since a
// page may be dark. It needs no script and no style of its own. Alt says what it shows.
func (c *Canvas) SVG(alt string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" role="img" aria-label="%s" viewBox="0 0 %d %d" font-size="%d">`, html.EscapeString(alt), c.width, c.height, textSize)
	for _, m := range c.marks {
		fill := fmt.Sprintf(`fill="#%02x%02x%02x"`, m.ink.R, m.ink.G, m.ink.B)
		if class := class(m.ink); class != "" {
			fill += ` class="` + class + `"`
		}
		if m.text == "" {
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" %s/>`, m.x0, m.y0, m.x1-m.x0, m.y1-m.y0, fill)
			continue
		}
		// The page's font is not the one that was measured: the width is made to agree.
		fmt.Fprintf(&b, `<text x="%d" y="%d" textLength="%d" lengthAdjust="spacingAndGlyphs" %s>%s</text>`,
			m.x0, m.y0, c.Width(m.text), fill, html.EscapeString(m.text))
	}
	b.WriteString("</svg>")
	return b.String()
}

func class(ink color.RGBA) string {
	switch ink {
	case InkText:
		return "text"
	case InkSoft:
		return "soft"
	case InkLine:
		return "line"
	default:
		return ""
	}
}

// Draw puts the drawing on a sheet, across its width and on one page.
func (c *Canvas) Draw(s *sheet.Sheet) {
	mm := s.Width / float64(c.width)
	h := mm * float64(c.height)
	s.Need(h)
	size := textSize * mm * 72 / 25.4
	for _, m := range c.marks {
		x, y := sheet.Margin+mm*float64(m.x0), s.Y+mm*float64(m.y0)
		r, g, b := int(m.ink.R), int(m.ink.G), int(m.ink.B)
		if m.text == "" {
			s.PDF.SetFillColor(r, g, b)
			s.PDF.Rect(x, y, mm*float64(m.x1-m.x0), mm*float64(m.y1-m.y0), "F")
			continue
		}
		text := strings.Join(s.Split(sheet.Face{Size: size}, m.text, 1000), "")
		s.PDF.SetTextColor(r, g, b)
		s.PDF.Text(x, y, text)
	}
	s.Y += h
}

// Place puts a PNG on a sheet, across its width and on one page.
func Place(s *sheet.Sheet, png []byte) {
	options := fpdf.ImageOptions{ImageType: "PNG"}
	info := s.PDF.RegisterImageOptionsReader("figures", options, bytes.NewReader(png))
	if s.PDF.Err() {
		return // Bytes returns it
	}
	h := s.Width * info.Height() / info.Width()
	s.Need(h)
	s.PDF.ImageOptions("figures", sheet.Margin, s.Y, s.Width, h, false, options, 0, "")
	s.Y += h
}
