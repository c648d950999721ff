package salesreport

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aictive/keyholder/policy"
)

// The drawing of the ages, in units of its view box.
const (
	chartWidth  = 340
	chartHeight = 190
	chartTop    = 34 // the names of the norms are above
	chartBottom = 160
	chartBucket = 26 // 13 of them
	letterWidth = 6
)

// ages is the histogram of ages.
type ages struct {
	Width, Height, Top, Bottom int
	Bars                       []ageBar
	Lines                      []ageLine
	// Words say the same as the drawing, Norms what is usual.
	Words string
	Norms []string
	// Summary is one sentence for mails, which have no drawing.
	Summary string
	// Legend has the shades that there are.
	Legend   []part
	NotKnown string
}

// Any tells whether there is something to draw.
func (a ages) Any() bool { return len(a.Bars) > 0 }

// ageBar is one bucket: rectangles on top of each other.
type ageBar struct {
	X, Width int
	// LabelX is its middle, LabelY above the topmost rectangle.
	LabelX, LabelY int
	Count          int
	// Week is the last week of the bucket, at TickX.
	Week   string
	TickX  int
	Blocks []ageBlock
}

type ageBlock struct {
	Light     light
	Y, Height string
}

// ageLine is a norm. Its name is left of it where Anchor is "end", else right.
type ageLine struct {
	X, TextX     string
	Y            int
	Name, Anchor string
	Light        light
}

func newAges(a Ages) ages {
	out := ages{Width: chartWidth, Height: chartHeight, Top: chartTop, Bottom: chartBottom}
	most, all := 0, AgeBucket{}
	for _, b := range a.Buckets {
		most = max(most, b.Sales)
		all.Usual, all.Slow, all.Stalled, all.NoNorm = all.Usual+b.Usual, all.Slow+b.Slow, all.Stalled+b.Stalled, all.NoNorm+b.NoNorm
	}
	if a.NotKnown > 0 {
		out.NotKnown = "Of " + count(a.NotKnown, "sale", "sales") + " the beginning is not known."
	}
	if most == 0 {
		return out
	}
	var words []string
	for i, b := range a.Buckets {
		out.Bars = append(out.Bars, newBar(i, b, most))
		if b.Sales > 0 {
			words = append(words, b.words())
		}
	}
	out.Words = strings.Join(words, "; ") + "."
	out.Legend = all.parts()
	out.Summary = inWords(out.Legend) + "."
	for _, n := range a.Norms {
		out.Norms = append(out.Norms, fmt.Sprintf("%s: usual is up to %s, late after %d.", capital(n.Method), daysInWords(n.Typical), n.Late.Count))
	}
	out.Lines = normLines(a.Norms)
	return out
}

// parts are those that there are, in the order in which they stand on each other.
func (b AgeBucket) parts() []part {
	return some([]part{
		{Light: green, Label: "of usual age", Count: b.Usual},
		{Light: amber, Label: "slow", Count: b.Slow},
		{Light: red, Label: "late", Count: b.Stalled},
		{Light: grey, Label: "without a norm", Count: b.NoNorm},
	})
}

func (b AgeBucket) words() string {
	weeks := fmt.Sprintf("weeks %d to %d", b.FromWeek, b.ToWeek)
	if b.ToWeek == 0 {
		weeks = fmt.Sprintf("week %d and later", b.FromWeek)
	}
	return weeks + ": " + count(b.Sales, "sale", "sales") + " (" + inWords(b.parts()) + ")"
}

func newBar(i int, b AgeBucket, most int) ageBar {
	const gap = 2
	bar := ageBar{
		X: i*chartBucket + gap, Width: chartBucket - 2*gap, LabelX: i*chartBucket + chartBucket/2, Count: b.Sales,
		Week: strconv.Itoa(b.ToWeek), TickX: (i + 1) * chartBucket,
	}
	if b.ToWeek == 0 {
		bar.Week, bar.TickX = "", 0
	}
	y := float64(chartBottom)
	for _, p := range b.parts() {
		height := float64((chartBottom-chartTop-16)*p.Count) / float64(most)
		y -= height
		bar.Blocks = append(bar.Blocks, ageBlock{Light: p.Light, Y: number(y), Height: number(height)})
	}
	bar.LabelY = int(y) - 4
	return bar
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// normLines are drawn where all methods with a norm have the same one.
func normLines(norms []Norm) []ageLine {
	if len(norms) == 0 {
		return nil
	}
	for _, n := range norms {
		if n.Typical != norms[0].Typical || n.Late != norms[0].Late {
			return nil
		}
	}
	var out []ageLine
	for i, l := range []struct {
		name  string
		light light
		at    policy.Days
	}{{"usual: to week ", amber, norms[0].Typical}, {"late: after ", red, norms[0].Late}} {
		week := float64(l.at.Count) / 7
		if l.at.Working {
			week = float64(l.at.Count) / 5
		}
		x := week / weeksPerBucket * chartBucket
		if x > boundedBuckets*chartBucket {
			continue
		}
		line := ageLine{X: number(x), TextX: number(x + 4), Y: 11 + 14*i, Name: l.name + strconv.Itoa(int(week)), Anchor: "start", Light: l.light}
		if x > float64(chartWidth-letterWidth*len(line.Name)) {
			line.TextX, line.Anchor = number(x-4), "end"
		}
		out = append(out, line)
	}
	return out
}
