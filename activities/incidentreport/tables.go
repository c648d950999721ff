package incidentreport

import (
	"strings"

	"github.com/aictive/keyholder/activities/sheet"
)

// promises is the table of the SLAs. A verdict is a word in a badge that also
// reads on a black-and-white print: filled for missed, outlined for met, dashed
// for what was never tested.
func (s document) promises(slas []promise) {
	if len(slas) == 0 {
		return
	}
	const limit, took, verdict, badge = 64.0, 92.0, 122.0, 26.0
	columns := func(f sheet.Face, name, lim, tk string) []sheet.Cell {
		return []sheet.Cell{sheet.Left(f, 0, limit-4, name), sheet.Left(f, limit, took-limit-3, lim), sheet.Left(f, took, verdict-took-3, tk)}
	}
	title := func() {
		s.Row(1, append(columns(sheet.Small(), "Promise", "Limit", "Took"), sheet.Left(sheet.Small(), verdict, 30, "Verdict"))...)
		s.Rule(s.Y, 0.2, sheet.InkLine)
		s.Y += 1.8
	}
	s.section("Response times (SLA)", 20)
	title()
	s.OnBreak = title
	for _, p := range slas {
		cells := append(columns(sheet.Body(), p.Name, p.Limit, p.Took), sheet.Left(sheet.Body(), verdict+badge+2, s.Width-verdict-badge-2, p.By))
		cells[0].Face = sheet.Strong()
		s.Need(s.Height(cells) + 3)
		if p.Verdict != "" {
			s.badge(sheet.Margin+verdict, badge, p)
		}
		s.Row(1.4, cells...)
		s.Rule(s.Y, 0.1, sheet.InkLine)
		s.Y += 1.8
	}
}

func (s document) badge(x, w float64, p promise) {
	f, style, frame := sheet.Face{Style: "B", Size: 8, Ink: sheet.InkMuted}, "D", sheet.InkMuted
	switch p.Tone {
	case good:
		f.Ink, frame = sheet.InkGood, sheet.InkGood
	case bad:
		f.Ink, frame, style = sheet.InkWhite, sheet.InkBad, "FD"
	case neutral:
		s.PDF.SetDashPattern([]float64{0.8, 0.8}, 0)
	}
	h := f.Leading() + 0.9
	s.PDF.SetFillColor(frame.RGB())
	s.PDF.SetDrawColor(frame.RGB())
	s.PDF.SetLineWidth(0.3)
	s.PDF.RoundedRect(x, s.Y-0.1, w, h, 1, "1234", style)
	s.PDF.SetDashPattern(nil, 0)
	s.One(f, x+1, s.Y+0.5, w-2, strings.ToUpper(p.Verdict), "C")
}

// timeline is a list of days; where it runs over a page's end, the next page
// repeats the heading and the day.
func (s document) timeline(v view) {
	if len(v.Days) == 0 {
		return
	}
	const dated = 10.0
	s.section("Timeline", dated+s.Height(s.step(v.Days[0].Rows[0])))
	again := func() {
		s.Put(sheet.Heading(), sheet.Margin, s.Y, s.Width, "Timeline, continued", "L")
		s.Y += sheet.Heading().Leading() + 1.5
	}
	for _, d := range v.Days {
		s.OnBreak = again
		s.Need(dated + s.Height(s.step(d.Rows[0])))
		s.date(d.Date)
		s.OnBreak = func() {
			again()
			s.date(d.Date)
		}
		for _, m := range d.Rows {
			s.Row(1.5, s.step(m)...)
		}
		s.Y++
	}
}

func (s document) date(date string) {
	s.Put(sheet.Strong(), sheet.Margin, s.Y, s.Width, date, "L")
	s.Y += sheet.Strong().Leading() + 1
	s.Rule(s.Y, 0.2, sheet.InkLine)
	s.Y += 1.6
}

// step is a row of the timeline.
func (s document) step(m moment) []sheet.Cell {
	const after, what = 27.0, 52.0
	text := sheet.Body()
	if m.Time == "" {
		text = sheet.Muted()
	}
	return []sheet.Cell{sheet.Left(sheet.Body(), 0, after-2, m.Time), sheet.Left(sheet.Muted(), after, what-after-2, m.After), sheet.Left(text, what, s.Width-what, m.What)}
}
