package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/chart"
	"github.com/aictive/keyholder/activities/sheet"
)

func canvas(t *testing.T) *chart.Canvas {
	t.Helper()
	c, err := chart.New(300, 100)
	require.NoError(t, err)
	return c
}

func TestAllDrawingsShowTheSame(t *testing.T) {
	t.Parallel()
	c := canvas(t)
	c.Box(90, 60, 10, 20, chart.Blue)
	c.Text(290, 40, `<b>"12"`, chart.InkText, true)
	picture, err := c.PNG()
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	blue, dark := 0, 0
	for y := range 100 {
		for x := range 300 {
			switch r, g, b, _ := img.At(x, y).RGBA(); {
			case r>>8 == 0x00 && g>>8 == 0x72 && b>>8 == 0xb2:
				blue++
			case r>>8 < 0x80 && x > 150 && x < 295:
				dark++
			}
		}
	}
	require.Equal(t, 80*40, blue, "whichever corners are given")
	require.Positive(t, dark)

	svg := c.SVG(`what "it" shows`)
	dec, tags := xml.NewDecoder(strings.NewReader(svg)), []string(nil)
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok {
			tags = append(tags, start.Name.Local)
		}
	}
	require.Equal(t, []string{"svg", "rect", "text"}, tags)
	require.Contains(t, svg, `<rect x="10" y="20" width="80" height="40" fill="#0072b2"/>`)
	require.Contains(t, svg, `class="text">&lt;b&gt;&#34;12&#34;</text>`)

	s, err := sheet.New("A4")
	require.NoError(t, err)
	s.Page()
	c.Draw(s)
	require.InDelta(t, sheet.TopEdge+s.Width/3, s.Y, 0.001, "as high as it is wide on the page")
	s.Y = s.Bottom - 10
	c.Draw(s)
	require.Equal(t, 2, s.PDF.PageCount(), "a drawing is on one page")
	_, err = s.Bytes()
	require.NoError(t, err)
}

func TestFit(t *testing.T) {
	t.Parallel()
	c := canvas(t)
	require.Equal(t, "Rent", c.Fit("Rent", 100))
	cut := c.Fit("Repairs and maintenance", 100)
	require.LessOrEqual(t, c.Width(cut), 100)
	require.True(t, strings.HasPrefix(cut, "Repai") && strings.HasSuffix(cut, "…"), cut)
}

func TestScale(t *testing.T) {
	t.Parallel()
	require.Zero(t, chart.Scale{Length: 100}.At(5), "nothing is on no scale")
	rapid.Check(t, func(t *rapid.T) {
		s := chart.Scale{Length: 1000}
		value := rapid.Int64Range(-1e14, 1e14)
		all := rapid.SliceOfN(value, 1, 9).Draw(t, "values")
		for _, v := range all {
			s.Add(v)
		}
		require.Positive(t, s.Step())
		require.LessOrEqual(t, (s.Hi-s.Lo)/s.Step(), int64(5))
		for _, v := range all {
			require.GreaterOrEqual(t, s.At(v), 0)
			require.LessOrEqual(t, s.At(v), s.Length)
			require.LessOrEqual(t, s.At(min(v, 0)), s.At(max(v, 0)))
		}
	})
}
