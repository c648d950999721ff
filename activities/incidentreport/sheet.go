package incidentreport

import (
	"bytes"
	"fmt"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// The page, in millimetres.
const (
	margin  = 18.0
	topEdge = 26.0
	lowEdge = 20.0
)

// ink is a colour, 0xRRGGBB. Contrast on white is 4.5 or better for all that is
// read.
type ink int

const (
	inkText   ink = 0x1f2933
	inkMuted  ink = 0x5a6675
	inkAccent ink = 0x1f3a5f
	inkLine   ink = 0xd5dbe3
	inkBox    ink = 0xf3f5f8
	inkGood   ink = 0x1b6e45
	inkBad    ink = 0xb42318
	inkWhite  ink = 0xffffff
)

func (i ink) rgb() (r, g, b int) { return int(i >> 16), int(i >> 8 & 0xff), int(i & 0xff) }

// face is a way to set text.
type face struct {
	style string
	// size is in points.
	size float64
	ink  ink
}

// leading is the height of a line in millimetres.
func (f face) leading() float64 { return f.size * 25.4 / 72 * 1.35 }

func body() face    { return face{"", 9.5, inkText} }
func strong() face  { return face{"B", 9.5, inkText} }
func muted() face   { return face{"", 9.5, inkMuted} }
func small() face   { return face{"", 8, inkMuted} }
func heading() face { return face{"B", 12, inkAccent} }

// sheet is a PDF that is written from top to bottom, with its own page breaks.
type sheet struct {
	pdf    *fpdf.Fpdf
	glyphs *glyphs
	// width is that of the text, bottom is where it ends.
	width, bottom float64
	// y is where the next thing goes.
	y float64
	// onPage draws the head and foot of a new page, onBreak repeats the heading of
	// the list that goes on there.
	onPage, onBreak func()
}

func newSheet(paper string) (*sheet, error) {
	g, err := newGlyphs(goregular.TTF)
	if err != nil {
		return nil, err
	}
	pdf := fpdf.New("P", "mm", paper, "")
	pdf.SetMargins(margin, margin, margin)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetCellMargin(0)
	pdf.SetCatalogSort(true)
	pdf.AddUTF8FontFromBytes("go", "", goregular.TTF)
	pdf.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	w, h := pdf.GetPageSize()
	return &sheet{pdf: pdf, glyphs: g, width: w - 2*margin, bottom: h - lowEdge, onPage: func() {}, onBreak: func() {}}, nil
}

func (s *sheet) page() {
	s.pdf.AddPage()
	s.y = topEdge
	s.onPage()
}

// need starts a new page where less than h is left of this one.
func (s *sheet) need(h float64) {
	if s.y+h > s.bottom {
		s.page()
		s.onBreak()
	}
}

// split wraps a text to a width.
func (s *sheet) split(f face, text string, w float64) []string {
	s.pdf.SetFont("go", f.style, f.size)
	return s.pdf.SplitText(strings.TrimSpace(s.glyphs.fit(text)), w)
}

// put writes one line; align is "L", "C" or "R".
func (s *sheet) put(f face, x, y, w float64, text, align string) {
	s.pdf.SetFont("go", f.style, f.size)
	s.pdf.SetTextColor(f.ink.rgb())
	s.pdf.SetXY(x, y)
	s.pdf.CellFormat(w, f.leading(), s.glyphs.fit(text), "", 0, align, false, 0, "")
}

// one writes a text on a single line, cut where it is wider than w.
func (s *sheet) one(f face, x, y, w float64, text, align string) {
	lines := s.split(f, text, w)
	if len(lines) == 0 {
		return
	}
	text = lines[0]
	if len(lines) > 1 {
		short := s.split(f, text, w-2*f.size*25.4/72)
		text = strings.Join(short[:min(len(short), 1)], "") + " …"
	}
	s.put(f, x, y, w, text, align)
}

// para writes a text of any length across the page, line by line over page ends.
func (s *sheet) para(f face, text string) {
	for _, l := range s.split(f, text, s.width) {
		s.need(f.leading())
		s.put(f, margin, s.y, s.width, l, "L")
		s.y += f.leading()
	}
}

// cell is a part of a row: x is from the left margin, w its width.
type cell struct {
	face face
	x, w float64
	text string
}

// height is what a row of these cells takes.
func (s *sheet) height(cells []cell) float64 {
	h := 0.0
	for _, c := range cells {
		h = max(h, float64(len(s.split(c.face, c.text, c.w)))*c.face.leading())
	}
	return h
}

// row writes cells side by side, never across a page's end; gap is the space
// below.
func (s *sheet) row(gap float64, cells ...cell) {
	h := s.height(cells)
	s.need(h)
	for _, c := range cells {
		y := s.y
		for _, l := range s.split(c.face, c.text, c.w) {
			s.put(c.face, margin+c.x, y, c.w, l, "L")
			y += c.face.leading()
		}
	}
	s.y += h + gap
}

// rule draws a line across the text at y.
func (s *sheet) rule(y, width float64, c ink) {
	s.pdf.SetDrawColor(c.rgb())
	s.pdf.SetLineWidth(width)
	s.pdf.Line(margin, y, margin+s.width, y)
}

func (s *sheet) bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := s.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("draw the incident report: %w", err)
	}
	return out.Bytes(), nil
}
