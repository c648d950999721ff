package financereport

import (
	"fmt"
	"strings"

	"github.com/aictive/keyholder/activities/chart"
	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/policy"
)

// The picture is twice as large as it is shown, for sharp screens. Lengths are pixels.
const (
	pictureWidth = 1200
	// maxBars is how many categories or days a picture has.
	maxBars = 31
)

// series is one colour of bars. The colours are told apart by those who are colour-blind,
// too, and stand in the same order everywhere.
type series struct {
	chart.Series
	of func(Figures) policy.Cents
}

func allSeries() []series {
	return []series{
		{chart.Series{Name: "Charged", Color: chart.Blue}, func(f Figures) policy.Cents { return f.Charged }},
		{chart.Series{Name: "Received", Color: chart.Green}, func(f Figures) policy.Cents { return f.Received }},
		{chart.Series{Name: "Billed", Color: chart.Orange}, func(f Figures) policy.Cents { return f.Billed }},
	}
}

// bars are what the picture shows: the days of a month, or the categories of a day.
func (r Report) bars() []Row {
	var rows []Row
	switch r.Kind {
	case Monthly:
		rows = r.Days
	case Daily:
		for _, c := range r.Categories {
			if c.Figures != (Figures{}) {
				rows = append(rows, c)
			}
		}
	case Summary, OwnerLedger:
	}
	rows = rows[:min(len(rows), maxBars)]
	for _, row := range rows {
		if row.Figures != (Figures{}) {
			return rows
		}
	}
	return nil
}

// shown are the series that have any amount.
func shown(rows []Row) []series {
	var out []series
	for _, s := range allSeries() {
		for _, row := range rows {
			if s.of(row.Figures) != 0 {
				out = append(out, s)
				break
			}
		}
	}
	return out
}

// alt is the picture in words: of each series the sum and the largest bar.
func (r Report) alt() string {
	rows := r.bars()
	if len(rows) == 0 {
		return ""
	}
	by, label := "category", func(s string) string { return sheet.Line(s, maxName) }
	if r.Kind == Monthly {
		by, label = "day", func(s string) string { return paper.Day(s, "January 2") }
	}
	var said []string
	for _, s := range shown(rows) {
		total, most := policy.Cents(0), rows[0]
		for _, row := range rows {
			total += s.of(row.Figures)
			if s.of(row.Figures) > s.of(most.Figures) {
				most = row
			}
		}
		said = append(said, fmt.Sprintf("%s %s in all, the most %s (%s)", strings.ToLower(s.Name), r.money(total), r.money(s.of(most.Figures)), label(most.Label)))
	}
	return "Bars by " + by + ": " + strings.Join(said, "; ") + "."
}

// Picture is a PNG with bars, by day in a monthly report, by category in a daily one, and
// what it shows in words. There is none (nil) of other reports and where nothing was
// booked. The figures themselves stand in the tables. The error is ErrOtherPortfolio, or
// that of an unknown Kind.
func (r Report) Picture() (picture []byte, alt string, err error) {
	if err := r.check(); err != nil {
		return nil, "", err
	}
	rows := r.bars()
	if len(rows) == 0 {
		return nil, "", nil
	}
	height := 560
	if r.Kind == Daily {
		height = 90
		for _, row := range rows {
			height += rowHeight(row)
		}
	}
	c, err := chart.New(pictureWidth, height)
	if err != nil {
		return nil, "", fmt.Errorf("draw the picture of the finance report: %w", err)
	}
	legend(c, shown(rows))
	if r.Kind == Daily {
		r.byCategory(c, rows)
	} else {
		r.byDay(c, rows)
	}
	if picture, err = c.PNG(); err != nil {
		return nil, "", fmt.Errorf("draw the picture of the finance report: %w", err)
	}
	return picture, r.alt(), nil
}

func scaleOf(rows []Row, length int) chart.Scale {
	s := chart.Scale{Length: length}
	for _, row := range rows {
		for _, one := range allSeries() {
			s.Add(int64(one.of(row.Figures)))
		}
	}
	return s
}

func legend(c *chart.Canvas, all []series) {
	named := make([]chart.Series, 0, len(all))
	for _, s := range all {
		named = append(named, s.Series)
	}
	c.Legend(4, 14, named)
}

// byDay draws upright bars.
func (r Report) byDay(c *chart.Canvas, rows []Row) {
	const left, right, top, bottom = 150, 1190, 70, 510
	s, all := scaleOf(rows, bottom-top), shown(rows)
	y := func(amount policy.Cents) int { return bottom - s.At(int64(amount)) }
	step := policy.Cents(s.Step())
	for a := policy.Cents(s.Lo) / step * step; a <= policy.Cents(s.Hi); a += step {
		c.Box(left, y(a), right, y(a)+1, chart.InkLine)
		c.Text(left-12, y(a)+8, strings.TrimSuffix(r.money(a), ".00"), chart.InkSoft, true)
	}
	for i, row := range rows {
		x0, x1 := left+(right-left)*i/len(rows), left+(right-left)*(i+1)/len(rows)
		gap := max((x1-x0)/6, 2)
		for j, one := range all {
			from, to := x0+gap+(x1-x0-2*gap)*j/len(all), x0+gap+(x1-x0-2*gap)*(j+1)/len(all)
			c.Box(from, y(0), max(to, from+2), y(one.of(row.Figures)), one.Color)
		}
		if day := paper.Day(row.Label, "2"); len(rows) <= 16 || i%2 == 0 {
			c.Text((x0+x1-c.Width(day))/2, bottom+32, day, chart.InkSoft, false)
		}
	}
	c.Box(left, y(0), right, y(0)+2, chart.InkSoft)
}

// rowHeight is what a category takes: a bar for each amount.
func rowHeight(row Row) int { return max(len(shown([]Row{row})), 1)*34 + 12 }

// byCategory draws lying bars with their amounts.
func (r Report) byCategory(c *chart.Canvas, rows []Row) {
	const label, left, right = 300, 320, 1010
	s := scaleOf(rows, right-left)
	y := 64
	for _, row := range rows {
		all := shown([]Row{row})
		middle := y + len(all)*17
		c.Text(label, middle+8, c.Fit(sheet.Line(row.Label, maxName), label-4), chart.InkText, true)
		for _, one := range all {
			amount := one.of(row.Figures)
			from, to := left+s.At(0), left+s.At(int64(amount))
			if from == to {
				to++
			}
			c.Box(from, y+3, to, y+31, one.Color)
			c.Text(max(from, to)+10, y+25, r.money(amount), chart.InkText, false)
			y += 34
		}
		y += 12
	}
	c.Box(left+s.At(0)-1, 60, left+s.At(0)+1, y-6, chart.InkSoft)
}
