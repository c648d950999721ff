package paper

import (
	"fmt"

	"github.com/aictive/keyholder/activities/sheet"
)

// PDF is the view as a document, without links: a file is passed on. Each list has at most
// so many rows. Picture, which may be nil, draws below the sums and states. No View is
// known to cause an error.
func (v View) PDF(most int, picture func(*sheet.Sheet)) ([]byte, error) {
	v.Tables = shorter(v.Tables, most)
	d, err := write(v, picture)
	if err != nil {
		return nil, err
	}
	return d.Bytes()
}

// document is the sheet with the parts of the report.
type document struct{ *sheet.Sheet }

func write(v View, picture func(*sheet.Sheet)) (document, error) {
	paper, err := sheet.New(v.Paper)
	if err != nil {
		return document{}, fmt.Errorf("draw the report: %w", err)
	}
	d := document{paper}
	d.describe(v)
	d.Page()
	d.Para(sheet.Face{Style: "B", Size: 18, Ink: sheet.InkText}, v.Title)
	d.Y++
	d.Para(sheet.Face{Size: 11, Ink: sheet.InkMuted}, v.Sub)
	d.Y += 4
	d.sums(v.Sums)
	d.states(v.States)
	if picture != nil {
		picture(d.Sheet)
		d.Y += 3
	}
	for _, t := range v.Tables {
		d.table(t)
	}
	d.foot(v.Foot)
	d.EachPage(func(page, of int) { d.edges(v, page, of) })
	return d, nil
}

// describe fills the document's properties. No date is the present one.
func (d document) describe(v View) {
	d.PDF.SetTitle(v.Title+", "+v.Sub, true)
	d.PDF.SetAuthor(v.Company, true)
	d.PDF.SetCreator("Keyholder", true)
	d.PDF.SetProducer("Keyholder", true)
	d.PDF.SetLang("en")
	d.PDF.SetCreationDate(v.Stamp)
	d.PDF.SetModificationDate(v.Stamp)
}

// edges draws what every page has: the sender at the top, the page's number at the foot.
func (d document) edges(v View, page, of int) {
	left, right := d.Width*0.6, d.Width*0.4
	d.One(sheet.Face{Style: "B", Size: 10.5, Ink: sheet.InkAccent}, sheet.Margin, 12, left-4, v.Company, "L")
	if page > 1 {
		d.One(sheet.Face{Size: 9.5, Ink: sheet.InkMuted}, sheet.Margin+left, 12.3, right, v.Title, "R")
	}
	d.Rule(19, 0.5, sheet.InkAccent)
	foot := d.Bottom + 5
	d.Rule(foot, 0.2, sheet.InkLine)
	d.One(sheet.Small(), sheet.Margin, foot+2, d.Width-30, v.Sub, "L")
	d.Put(sheet.Small(), sheet.Margin+d.Width-30, foot+2, 30, fmt.Sprintf("Page %d of %d", page, of), "R")
}

// sums is a box with the figures side by side.
func (d document) sums(sums []Sum) {
	const h, pad = 17.0, 5.0
	d.PDF.SetFillColor(sheet.InkBox.RGB())
	d.PDF.Rect(sheet.Margin, d.Y, d.Width, h, "F")
	d.PDF.SetFillColor(sheet.InkAccent.RGB())
	d.PDF.Rect(sheet.Margin, d.Y, 1.2, h, "F")
	each := (d.Width - pad) / float64(len(sums))
	face := sheet.Face{Style: "B", Size: 13, Ink: sheet.InkText}
	for _, s := range sums {
		for face.Size > 8 && len(d.Split(face, s.Text, each-6)) > 1 {
			face.Size -= 0.5
		}
	}
	for i, s := range sums {
		x := sheet.Margin + pad + each*float64(i)
		d.One(sheet.Small(), x, d.Y+3, each-3, s.Label, "L")
		d.One(face, x, d.Y+7.5, each-3, s.Text, "L")
	}
	d.Y += h + 4
}

// states are sentences with a dot, filled where something is wrong.
func (d document) states(states []State) {
	for _, s := range states {
		face, ink, style := sheet.Body(), sheet.InkGood, "D"
		if !s.Good {
			face, ink, style = sheet.Strong(), sheet.InkBad, "FD"
		}
		cell := sheet.Left(face, 6, d.Width-6, s.Text)
		d.Need(d.Height([]sheet.Cell{cell}))
		d.PDF.SetFillColor(ink.RGB())
		d.PDF.SetDrawColor(ink.RGB())
		d.PDF.SetLineWidth(0.4)
		d.PDF.Circle(sheet.Margin+2, d.Y+face.Leading()/2, 1.1, style)
		d.Row(1, cell)
	}
	if len(states) > 0 {
		d.Y += 3
	}
}

// table is a list; where it runs over a page's end, its headings are repeated.
func (d document) table(t Table) {
	const gap = 3.0
	wide := d.Width
	for _, c := range t.Columns {
		wide -= c.Width
	}
	cells := func(face sheet.Face, texts []string) []sheet.Cell {
		x, out := 0.0, make([]sheet.Cell, 0, len(texts))
		for i, text := range texts {
			c := t.Columns[i]
			w := c.Width
			if w == 0 {
				w = wide
			}
			if c.Right {
				out = append(out, sheet.Right(face, x, w, text))
			} else {
				out = append(out, sheet.Left(face, x, w-gap, text))
			}
			x += w
		}
		return out
	}
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	title := func() {
		d.Row(1, cells(sheet.Small(), names)...)
		d.Rule(d.Y, 0.2, sheet.InkLine)
		d.Y += 1.6
	}
	d.OnBreak = func() {}
	d.Need(30)
	d.Y += 4
	d.Put(sheet.Heading(), sheet.Margin, d.Y, d.Width, t.Title, "L")
	d.Y += sheet.Heading().Leading() + 1.5
	title()
	d.OnBreak = title
	for _, r := range t.Rows {
		face := sheet.Body()
		if r.Strong {
			face = sheet.Strong()
		}
		d.entry(cells(face, r.Cells), t.Wide(), r)
		d.Rule(d.Y, 0.1, sheet.InkLine)
		d.Y += 1.4
	}
	d.OnBreak = func() {}
	if t.More > 0 {
		d.Para(sheet.Small(), fmt.Sprintf("… and %d more in the CSV file.", t.More))
	}
}

// entry is a row and its second line, both on one page.
func (d document) entry(first []sheet.Cell, wide int, r Row) {
	second := sheet.Left(sheet.Small(), first[wide].X, first[wide].W, Join(": ", r.Mark, r.Sub))
	d.Need(d.Height(first) + d.Height([]sheet.Cell{second}) + 3)
	d.Row(0.6, first...)
	if second.Text != "" {
		d.Row(0.8, second)
	}
	d.Y += 0.4
}

// foot says what the figures mean, and what stands for characters without a glyph.
func (d document) foot(text string) {
	if d.Replaced() {
		text += " \ufffd stands for a character that this document cannot print."
	}
	d.Y += 5
	d.Para(sheet.Small(), text)
}
