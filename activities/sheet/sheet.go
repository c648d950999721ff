// Package sheet writes PDF documents from top to bottom: texts, rows and rules with page
// breaks, in a font that is part of the program. A character that the font cannot show
// becomes one that reads the same, else U+FFFD.
package sheet

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
	Margin  = 18.0
	TopEdge = 26.0
	lowEdge = 20.0
)

// Ink is a colour, 0xRRGGBB. Contrast on white is 4.5 or better for all that is
// read.
type Ink int

// The colours of documents.
const (
	InkText   Ink = 0x1f2933
	InkMuted  Ink = 0x5a6675
	InkAccent Ink = 0x1f3a5f
	InkLine   Ink = 0xd5dbe3
	InkBox    Ink = 0xf3f5f8
	InkGood   Ink = 0x1b6e45
	InkBad    Ink = 0xb42318
	InkWhite  Ink = 0xffffff
)

// RGB are the three parts.
func (i Ink) RGB() (r, g, b int) { return int(i >> 16), int(i >> 8 & 0xff), int(i & 0xff) }

// Face is a way to set text.
type Face struct {
	// Style is "" or "B" for bold.
	Style string
	// Size is in points.
	Size float64
	Ink  Ink
}

// Leading is the height of a line in millimetres.
func (f Face) Leading() float64 { return f.Size * 25.4 / 72 * 1.35 }

// Body is the face of what is read.
func Body() Face { return Face{"", 9.5, InkText} }

// Strong is Body in bold.
func Strong() Face { return Face{"B", 9.5, InkText} }

// Muted is Body for labels.
func Muted() Face { return Face{"", 9.5, InkMuted} }

// Small is for notes and headings of columns.
func Small() Face { return Face{"", 8, InkMuted} }

// Heading is that of a section.
func Heading() Face { return Face{"B", 12, InkAccent} }

// Sheet is a PDF that is written from top to bottom, with its own page breaks.
type Sheet struct {
	PDF    *fpdf.Fpdf
	glyphs *glyphs
	// Width is that of the text, Bottom is where it ends.
	Width, Bottom float64
	// Y is where the next thing goes.
	Y float64
	// OnPage draws the head and foot of a new page, OnBreak repeats the heading of
	// the list that goes on there.
	OnPage, OnBreak func()
}

// New is an empty document on fpdf's paper, such as "Letter" or "A4". The error is that of
// the font, which is part of the program.
func New(paper string) (*Sheet, error) {
	g, err := newGlyphs(goregular.TTF)
	if err != nil {
		return nil, err
	}
	pdf := fpdf.New("P", "mm", paper, "")
	pdf.SetMargins(Margin, Margin, Margin)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetCellMargin(0)
	pdf.SetCatalogSort(true)
	pdf.AddUTF8FontFromBytes("go", "", goregular.TTF)
	pdf.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	w, h := pdf.GetPageSize()
	return &Sheet{PDF: pdf, glyphs: g, Width: w - 2*Margin, Bottom: h - lowEdge, OnPage: func() {}, OnBreak: func() {}}, nil
}

// Page begins a new page.
func (s *Sheet) Page() {
	s.PDF.AddPage()
	s.Y = TopEdge
	s.OnPage()
}

// EachPage draws on every page once all are there: what needs their number. Nothing can
// follow on the last one.
func (s *Sheet) EachPage(draw func(page, of int)) {
	of := s.PDF.PageCount()
	for page := 1; page <= of; page++ {
		s.PDF.SetPage(page)
		draw(page, of)
	}
}

// Need starts a new page where less than h is left of this one.
func (s *Sheet) Need(h float64) {
	if s.Y+h > s.Bottom {
		s.Page()
		s.OnBreak()
	}
}

// Split wraps a text to a width.
func (s *Sheet) Split(f Face, text string, w float64) []string {
	s.PDF.SetFont("go", f.Style, f.Size)
	return s.PDF.SplitText(strings.TrimSpace(s.glyphs.fit(text)), w)
}

// Put writes one line; align is "L", "C" or "R".
func (s *Sheet) Put(f Face, x, y, w float64, text, align string) {
	s.PDF.SetFont("go", f.Style, f.Size)
	s.PDF.SetTextColor(f.Ink.RGB())
	s.PDF.SetXY(x, y)
	s.PDF.CellFormat(w, f.Leading(), s.glyphs.fit(text), "", 0, align, false, 0, "")
}

// One writes a text on a single line, cut where it is wider than w.
func (s *Sheet) One(f Face, x, y, w float64, text, align string) {
	lines := s.Split(f, text, w)
	if len(lines) == 0 {
		return
	}
	text = lines[0]
	if len(lines) > 1 {
		short := s.Split(f, text, w-2*f.Size*25.4/72)
		text = strings.Join(short[:min(len(short), 1)], "") + " …"
	}
	s.Put(f, x, y, w, text, align)
}

// Para writes a text of any length across the page, line by line over page ends.
func (s *Sheet) Para(f Face, text string) {
	for _, l := range s.Split(f, text, s.Width) {
		s.Need(f.Leading())
		s.Put(f, Margin, s.Y, s.Width, l, "L")
		s.Y += f.Leading()
	}
}

// Cell is a part of a row: X is from the left margin, W its width.
type Cell struct {
	Face Face
	X, W float64
	Text string
	// Align is "L", "C" or "R".
	Align string
}

// Left is a cell whose text begins at x.
func Left(f Face, x, w float64, text string) Cell { return Cell{f, x, w, text, "L"} }

// Right is one whose text ends at x+w, such as an amount.
func Right(f Face, x, w float64, text string) Cell { return Cell{f, x, w, text, "R"} }

// Height is what a row of these cells takes.
func (s *Sheet) Height(cells []Cell) float64 {
	h := 0.0
	for _, c := range cells {
		h = max(h, float64(len(s.Split(c.Face, c.Text, c.W)))*c.Face.Leading())
	}
	return h
}

// Row writes cells side by side, never across a page's end; gap is the space
// below.
func (s *Sheet) Row(gap float64, cells ...Cell) {
	h := s.Height(cells)
	s.Need(h)
	for _, c := range cells {
		y := s.Y
		for _, l := range s.Split(c.Face, c.Text, c.W) {
			s.Put(c.Face, Margin+c.X, y, c.W, l, c.Align)
			y += c.Face.Leading()
		}
	}
	s.Y += h + gap
}

// Rule draws a line across the text at y.
func (s *Sheet) Rule(y, width float64, c Ink) {
	s.PDF.SetDrawColor(c.RGB())
	s.PDF.SetLineWidth(width)
	s.PDF.Line(Margin, y, Margin+s.Width, y)
}

// Bytes is the document.
func (s *Sheet) Bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := s.PDF.Output(&out); err != nil {
		return nil, fmt.Errorf("draw the document: %w", err)
	}
	return out.Bytes(), nil
}

// Replaced tells whether a character was replaced by U+FFFD so far.
func (s *Sheet) Replaced() bool { return s.glyphs.replaced }
