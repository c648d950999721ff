package incidentreport

import "strings"

// promises is the table of the SLAs. A verdict is a word in a badge that also
// reads on a black-and-white print: filled for missed, outlined for met, dashed
// for what was never tested.
func (s *sheet) promises(slas []promise) {
	if len(slas) == 0 {
		return
	}
	const limit, took, verdict, badge = 64.0, 92.0, 122.0, 26.0
	columns := func(f face, name, lim, tk string) []cell {
		return []cell{{f, 0, limit - 4, name}, {f, limit, took - limit - 3, lim}, {f, took, verdict - took - 3, tk}}
	}
	title := func() {
		s.row(1, append(columns(small(), "Promise", "Limit", "Took"), cell{small(), verdict, 30, "Verdict"})...)
		s.rule(s.y, 0.2, inkLine)
		s.y += 1.8
	}
	s.section("Response times (SLA)", 20)
	title()
	s.onBreak = title
	for _, p := range slas {
		cells := append(columns(body(), p.Name, p.Limit, p.Took), cell{body(), verdict + badge + 2, s.width - verdict - badge - 2, p.By})
		cells[0].face = strong()
		s.need(s.height(cells) + 3)
		if p.Verdict != "" {
			s.badge(margin+verdict, badge, p)
		}
		s.row(1.4, cells...)
		s.rule(s.y, 0.1, inkLine)
		s.y += 1.8
	}
}

func (s *sheet) badge(x, w float64, p promise) {
	f, style, frame := face{"B", 8, inkMuted}, "D", inkMuted
	switch p.Tone {
	case good:
		f.ink, frame = inkGood, inkGood
	case bad:
		f.ink, frame, style = inkWhite, inkBad, "FD"
	case neutral:
		s.pdf.SetDashPattern([]float64{0.8, 0.8}, 0)
	}
	h := f.leading() + 0.9
	s.pdf.SetFillColor(frame.rgb())
	s.pdf.SetDrawColor(frame.rgb())
	s.pdf.SetLineWidth(0.3)
	s.pdf.RoundedRect(x, s.y-0.1, w, h, 1, "1234", style)
	s.pdf.SetDashPattern(nil, 0)
	s.one(f, x+1, s.y+0.5, w-2, strings.ToUpper(p.Verdict), "C")
}

// timeline is a list of days; where it runs over a page's end, the next page
// repeats the heading and the day.
func (s *sheet) timeline(v view) {
	if len(v.Days) == 0 {
		return
	}
	const dated = 10.0
	s.section("Timeline", dated+s.height(s.step(v.Days[0].Rows[0])))
	again := func() {
		s.put(heading(), margin, s.y, s.width, "Timeline, continued", "L")
		s.y += heading().leading() + 1.5
	}
	for _, d := range v.Days {
		s.onBreak = again
		s.need(dated + s.height(s.step(d.Rows[0])))
		s.date(d.Date)
		s.onBreak = func() {
			again()
			s.date(d.Date)
		}
		for _, m := range d.Rows {
			s.row(1.5, s.step(m)...)
		}
		s.y++
	}
}

func (s *sheet) date(date string) {
	s.put(strong(), margin, s.y, s.width, date, "L")
	s.y += strong().leading() + 1
	s.rule(s.y, 0.2, inkLine)
	s.y += 1.6
}

// step is a row of the timeline.
func (s *sheet) step(m moment) []cell {
	const after, what = 27.0, 52.0
	text := body()
	if m.Time == "" {
		text = muted()
	}
	return []cell{{body(), 0, after - 2, m.Time}, {muted(), after, what - after - 2, m.After}, {text, what, s.width - what, m.What}}
}
