package ownerreport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/chart"
	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/policy"
)

// charted is how many months the charts have, the last of them that of To.
const charted = 12

// slot is a month of the charts; nil is what is not known.
type slot struct {
	month     time.Time
	money     []int64
	occupancy []int64
}

// slots are the months of the charts, oldest first. Months that nobody knows are empty.
func (r Report) slots() []slot {
	last, err := time.Parse(time.DateOnly, r.To)
	if err != nil {
		return nil
	}
	last = last.AddDate(0, 0, 1-last.Day())
	known := make(map[string]Month, len(r.Months))
	for _, m := range r.Months {
		known[m.Month] = m
	}
	var out []slot
	for i := range charted {
		s := slot{month: last.AddDate(0, i+1-charted, 0)}
		if m, ok := known[s.month.Format("2006-01")]; ok {
			if m.Income != 0 || m.Costs != 0 {
				s.money = []int64{int64(m.Income), int64(m.Costs)}
			}
			if m.Occupancy != nil {
				s.occupancy = []int64{int64(*m.Occupancy)}
			}
		}
		out = append(out, s)
	}
	return out
}

func moneyOf(s slot) []int64     { return s.money }
func occupancyOf(s slot) []int64 { return s.occupancy }

// part is one chart: upright bars by month.
type part struct {
	title  string
	series []chart.Series
	of     func(slot) []int64
	scale  chart.Scale
	step   int64
	write  func(int64) string
}

// parts are the charts of which something is known.
func (r Report) parts(slots []slot) []part {
	all := []part{
		{
			title: "Received and costs", series: []chart.Series{{Name: "Received", Color: chart.Green}, {Name: "Costs", Color: chart.Orange}}, of: moneyOf,
			write: func(n int64) string { return strings.TrimSuffix(r.money(policy.Cents(n)), ".00") },
		},
		{
			title: "Homes that were let", series: []chart.Series{{Name: "Share of all", Color: chart.Blue}}, of: occupancyOf,
			scale: chart.Scale{Hi: 1000}, step: 250, write: func(n int64) string { return policy.Permille(n).String() },
		},
	}
	var out []part
	for _, p := range all {
		some := false
		for _, s := range slots {
			for _, n := range p.of(s) {
				p.scale.Add(n)
				some = true
			}
		}
		if !some {
			continue
		}
		if p.step == 0 {
			p.step = p.scale.Step()
			p.scale.Add((p.scale.Hi + p.step - 1) / p.step * p.step)
			p.scale.Add((p.scale.Lo - p.step + 1) / p.step * p.step)
		}
		out = append(out, p)
	}
	return out
}

// chartHeight is that of all charts, in pixels.
const chartHeight = 400

// svgs are the charts that are known, each an element of a page.
func (r Report) svgs(width int) ([]string, error) {
	slots := r.slots()
	var out []string
	for _, p := range r.parts(slots) {
		c, err := chart.New(width, chartHeight)
		if err != nil {
			return nil, err
		}
		p.draw(c, 0, width, slots)
		out = append(out, c.SVG("Bars by month: "+p.alt(slots)+"."))
	}
	return out, nil
}

// picture has all charts side by side; it is nil where nothing is known.
func (r Report) picture() (*chart.Canvas, error) {
	const width, gap = 1200, 50
	slots := r.slots()
	parts := r.parts(slots)
	if len(parts) == 0 {
		return nil, nil //nolint:nilnil // nothing to draw is no error
	}
	c, err := chart.New(width, chartHeight)
	if err != nil {
		return nil, err
	}
	each := (width - gap*(len(parts)-1)) / len(parts)
	for i, p := range parts {
		p.draw(c, i*(each+gap), i*(each+gap)+each, slots)
	}
	return c, nil
}

// draw draws between two edges. All texts have one ink: few colours make a picture small.
func (p part) draw(c *chart.Canvas, left, right int, slots []slot) {
	const top, bottom, gutter = 100, 360, 12
	c.Text(left, 26, p.title, chart.InkText, false)
	if len(p.series) > 1 {
		c.Legend(left, 44, p.series)
	}
	p.scale.Length = bottom - top
	y := func(n int64) int { return bottom - p.scale.At(n) }
	first := p.scale.Lo / p.step * p.step
	x := left
	for n := first; n <= p.scale.Hi; n += p.step {
		x = max(x, left+c.Width(p.write(n))+gutter)
	}
	for n := first; n <= p.scale.Hi; n += p.step {
		c.Box(x, y(n), right, y(n)+1, chart.InkLine)
		c.Text(x-gutter, y(n)+8, p.write(n), chart.InkText, true)
	}
	each := (right - x) / len(slots)
	every := 1 + (c.Width("May")+8)/max(each, 1)
	for i, s := range slots {
		x0, x1 := x+(right-x)*i/len(slots), x+(right-x)*(i+1)/len(slots)
		gap := max((x1-x0)/6, 2)
		for j, n := range p.of(s) {
			from, to := x0+gap+(x1-x0-2*gap)*j/len(p.series), x0+gap+(x1-x0-2*gap)*(j+1)/len(p.series)
			c.Box(from, y(0), max(to, from+2), y(n), p.series[j].Color)
		}
		if (len(slots)-1-i)%every == 0 {
			label := s.month.Format("Jan")
			c.Text(min((x0+x1-c.Width(label))/2, right-c.Width(label)), bottom+32, label, chart.InkText, false)
		}
	}
	c.Box(x, y(0), right, y(0)+2, chart.InkText)
}

// alt is the picture in words, "" where there is none.
func (r Report) alt() string {
	slots := r.slots()
	var said []string
	for _, p := range r.parts(slots) {
		said = append(said, p.alt(slots))
	}
	if len(said) == 0 {
		return ""
	}
	return "Bars by month: " + strings.Join(said, "; ") + "."
}

// alt is a chart in words: of money the sum and the largest bar, else the least, the
// largest and the last.
func (p part) alt(slots []slot) string {
	var known []slot
	for _, s := range slots {
		if p.of(s) != nil {
			known = append(known, s)
		}
	}
	var said []string
	for j, s := range p.series {
		by := func(a, b slot) int { return cmp.Compare(p.of(a)[j], p.of(b)[j]) }
		at := func(of slot) string { return p.write(p.of(of)[j]) + " in " + of.month.Format("January 2006") }
		least, most, last := slices.MinFunc(known, by), slices.MaxFunc(known, by), known[len(known)-1]
		if len(p.series) == 1 {
			return fmt.Sprintf("%s: from %s to %s, %s", strings.ToLower(p.title), at(least), at(most), at(last))
		}
		total := int64(0)
		for _, one := range known {
			total += p.of(one)[j]
		}
		said = append(said, fmt.Sprintf("%s %s in all, the most %s", strings.ToLower(s.Name), p.write(total), at(most)))
	}
	return strings.Join(said, "; ")
}

// Picture is a PNG for the mail, with the charts by month, and what it shows in words.
// There is none (nil) of a digest and where nothing is known. The figures of the present
// month stand in the tables. The error is ErrOtherPortfolio, or that of an unknown Kind.
func (r Report) Picture() (picture []byte, alt string, err error) {
	if err := r.check(); err != nil {
		return nil, "", err
	}
	if r.Kind == Digest {
		return nil, "", nil
	}
	c, err := r.picture()
	if c == nil || err != nil {
		return nil, "", err
	}
	if picture, err = c.PNG(); err != nil {
		return nil, "", err
	}
	return picture, r.alt(), nil
}

// PictureID is the Content-ID under which the HTML of Mail shows Picture. Where Picture
// is nothing the HTML does not refer to it.
const PictureID = paper.PictureID
