package incidentreport

import (
	"fmt"

	"github.com/aictive/keyholder/activities/sheet"
)

// PDF is the report as a document, on the paper of the property's zone. The
// same Report gives the same bytes. Lists and texts are bounded; a character
// that the font cannot show becomes U+FFFD, and a note says so. The error is
// one of the PDF library: no Report is known to cause one.
func PDF(r Report) ([]byte, error) {
	v := newView(r)
	// Drawn twice: the foot of the first page needs the number of the last.
	first, err := draw(v, 0)
	if err != nil {
		return nil, err
	}
	s, err := draw(v, first.PDF.PageCount())
	if err != nil {
		return nil, err
	}
	return s.Bytes()
}

// document is the sheet with the parts of the report.
type document struct{ *sheet.Sheet }

func draw(v view, pages int) (document, error) {
	paper, err := sheet.New(v.Locale.paper())
	if err != nil {
		return document{}, fmt.Errorf("draw the incident report: %w", err)
	}
	s := document{paper}
	s.describe(v)
	s.OnPage = func() { s.edges(v, pages) }
	s.Page()
	s.head(v)
	s.summary(v)
	s.said(v.Said)
	s.promises(v.SLAs)
	s.people(v.People)
	s.timeline(v)
	s.note()
	return s, s.PDF.Error()
}

// describe fills the document's properties. No date is the present one.
func (s document) describe(v view) {
	s.PDF.SetTitle(v.Title, true)
	s.PDF.SetSubject(v.Order, true)
	s.PDF.SetAuthor(v.Company, true)
	s.PDF.SetCreator("Keyholder", true)
	s.PDF.SetProducer("Keyholder", true)
	s.PDF.SetLang("en")
	s.PDF.SetCreationDate(v.Stamp)
	s.PDF.SetModificationDate(v.Stamp)
}

// edges draws what every page has: the sender at the top, the page's number at
// the foot.
func (s document) edges(v view, pages int) {
	left, right := s.Width*0.6, s.Width*0.4
	title := v.Company
	if s.PDF.PageNo() > 1 {
		title = v.Title
	}
	s.One(sheet.Face{Style: "B", Size: 10.5, Ink: sheet.InkAccent}, sheet.Margin, 12, left-4, title, "L")
	s.One(sheet.Face{Style: "", Size: 9.5, Ink: sheet.InkMuted}, sheet.Margin+left, 12.3, right, v.Order, "R")
	s.Rule(19, 0.5, sheet.InkAccent)

	foot := s.Bottom + 5
	s.Rule(foot, 0.2, sheet.InkLine)
	s.One(sheet.Small(), sheet.Margin, foot+2, s.Width-30, v.Zone, "L")
	s.Put(sheet.Small(), sheet.Margin+s.Width-30, foot+2, 30, fmt.Sprintf("Page %d of %d", s.PDF.PageNo(), pages), "R")
}

func (s document) head(v view) {
	s.Para(sheet.Face{Style: "B", Size: 18, Ink: sheet.InkText}, v.Title)
	s.Y++
	s.Para(sheet.Face{Style: "", Size: 11, Ink: sheet.InkMuted}, v.Address)
	s.Y += 4
}

// summary is the box that answers most readers: how it ended, when, and why it
// was urgent.
func (s document) summary(v view) {
	const pad, gap, label = 5.0, 1.0, 32.0
	inner := s.Width - 2*pad
	rows := [][]sheet.Cell{{sheet.Left(sheet.Face{Style: "B", Size: 11.5, Ink: sheet.InkText}, pad, inner, v.Result)}}
	for _, f := range v.Facts {
		rows = append(rows, []sheet.Cell{sheet.Left(sheet.Muted(), pad, label, f.Label), sheet.Left(sheet.Body(), pad+label, inner-label, f.Text)})
	}
	h := 2*pad - gap + 1.5
	for _, r := range rows {
		h += s.Height(r) + gap
	}
	s.Need(h)
	s.PDF.SetFillColor(sheet.InkBox.RGB())
	s.PDF.Rect(sheet.Margin, s.Y, s.Width, h, "F")
	s.PDF.SetFillColor(sheet.InkAccent.RGB())
	s.PDF.Rect(sheet.Margin, s.Y, 1.2, h, "F")
	end := s.Y + h
	s.Y += pad
	for i, r := range rows {
		s.Row(gap, r...)
		if i == 0 {
			s.Y += 1.5
		}
	}
	s.Y = end + 2
}

// section is a heading that keeps at least room for what follows it.
func (s document) section(title string, room float64) {
	s.OnBreak = func() {}
	s.Need(6 + sheet.Heading().Leading() + room)
	if s.Y > sheet.TopEdge {
		s.Y += 5
	}
	s.Put(sheet.Heading(), sheet.Margin, s.Y, s.Width, title, "L")
	s.Y += sheet.Heading().Leading() + 1.5
}

func (s document) said(paragraphs []string) {
	if len(paragraphs) == 0 {
		return
	}
	s.section("What was reported", 10)
	for _, p := range paragraphs {
		s.Para(sheet.Body(), p)
		s.Y += 0.8
	}
}

func (s document) people(people []fact) {
	if len(people) == 0 {
		return
	}
	s.section("People", 12)
	for _, p := range people {
		s.Row(1.2, sheet.Left(sheet.Muted(), 0, 52, p.Label), sheet.Left(sheet.Body(), 56, s.Width-56, p.Text))
	}
}

// note explains what stands for characters without a glyph.
func (s document) note() {
	if !s.Replaced() {
		return
	}
	s.OnBreak = func() {}
	s.Need(4 + 2*sheet.Small().Leading())
	s.Y += 4
	s.Para(sheet.Small(),
		"\ufffd"+" stands for a character that this document cannot print. The mail with this report shows it.")
}
