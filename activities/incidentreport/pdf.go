package incidentreport

import "fmt"

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
	s, err := draw(v, first.pdf.PageCount())
	if err != nil {
		return nil, err
	}
	return s.bytes()
}

func draw(v view, pages int) (*sheet, error) {
	s, err := newSheet(v.Locale.paper())
	if err != nil {
		return nil, fmt.Errorf("draw the incident report: %w", err)
	}
	s.describe(v)
	s.onPage = func() { s.edges(v, pages) }
	s.page()
	s.head(v)
	s.summary(v)
	s.said(v.Said)
	s.promises(v.SLAs)
	s.people(v.People)
	s.timeline(v)
	s.note()
	return s, s.pdf.Error()
}

// describe fills the document's properties. No date is the present one.
func (s *sheet) describe(v view) {
	s.pdf.SetTitle(v.Title, true)
	s.pdf.SetSubject(v.Order, true)
	s.pdf.SetAuthor(v.Company, true)
	s.pdf.SetCreator("Keyholder", true)
	s.pdf.SetProducer("Keyholder", true)
	s.pdf.SetLang("en")
	s.pdf.SetCreationDate(v.Stamp)
	s.pdf.SetModificationDate(v.Stamp)
}

// edges draws what every page has: the sender at the top, the page's number at
// the foot.
func (s *sheet) edges(v view, pages int) {
	left, right := s.width*0.6, s.width*0.4
	title := v.Company
	if s.pdf.PageNo() > 1 {
		title = v.Title
	}
	s.one(face{"B", 10.5, inkAccent}, margin, 12, left-4, title, "L")
	s.one(face{"", 9.5, inkMuted}, margin+left, 12.3, right, v.Order, "R")
	s.rule(19, 0.5, inkAccent)

	foot := s.bottom + 5
	s.rule(foot, 0.2, inkLine)
	s.one(small(), margin, foot+2, s.width-30, v.Zone, "L")
	s.put(small(), margin+s.width-30, foot+2, 30, fmt.Sprintf("Page %d of %d", s.pdf.PageNo(), pages), "R")
}

func (s *sheet) head(v view) {
	s.para(face{"B", 18, inkText}, v.Title)
	s.y++
	s.para(face{"", 11, inkMuted}, v.Address)
	s.y += 4
}

// summary is the box that answers most readers: how it ended, when, and why it
// was urgent.
func (s *sheet) summary(v view) {
	const pad, gap, label = 5.0, 1.0, 32.0
	inner := s.width - 2*pad
	rows := [][]cell{{{face{"B", 11.5, inkText}, pad, inner, v.Result}}}
	for _, f := range v.Facts {
		rows = append(rows, []cell{{muted(), pad, label, f.Label}, {body(), pad + label, inner - label, f.Text}})
	}
	h := 2*pad - gap + 1.5
	for _, r := range rows {
		h += s.height(r) + gap
	}
	s.need(h)
	s.pdf.SetFillColor(inkBox.rgb())
	s.pdf.Rect(margin, s.y, s.width, h, "F")
	s.pdf.SetFillColor(inkAccent.rgb())
	s.pdf.Rect(margin, s.y, 1.2, h, "F")
	end := s.y + h
	s.y += pad
	for i, r := range rows {
		s.row(gap, r...)
		if i == 0 {
			s.y += 1.5
		}
	}
	s.y = end + 2
}

// section is a heading that keeps at least room for what follows it.
func (s *sheet) section(title string, room float64) {
	s.onBreak = func() {}
	s.need(6 + heading().leading() + room)
	if s.y > topEdge {
		s.y += 5
	}
	s.put(heading(), margin, s.y, s.width, title, "L")
	s.y += heading().leading() + 1.5
}

func (s *sheet) said(paragraphs []string) {
	if len(paragraphs) == 0 {
		return
	}
	s.section("What was reported", 10)
	for _, p := range paragraphs {
		s.para(body(), p)
		s.y += 0.8
	}
}

func (s *sheet) people(people []fact) {
	if len(people) == 0 {
		return
	}
	s.section("People", 12)
	for _, p := range people {
		s.row(1.2, cell{muted(), 0, 52, p.Label}, cell{body(), 56, s.width - 56, p.Text})
	}
}

// note explains what stands for characters without a glyph.
func (s *sheet) note() {
	if !s.glyphs.replaced {
		return
	}
	s.onBreak = func() {}
	s.need(4 + 2*small().leading())
	s.y += 4
	s.para(small(),
		string(missing)+" stands for a character that this document cannot print. The mail with this report shows it.")
}
