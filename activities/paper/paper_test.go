package paper_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/activities/paper/papertest"
	"github.com/aictive/keyholder/activities/sheet"
)

func view(rows int) paper.View {
	t := paper.Table{Title: "Rows", Columns: []paper.Column{{Name: "What"}, {Name: "Amount", Width: 30, Right: true}}}
	for i := range rows {
		t.Rows = append(t.Rows, paper.Row{Cells: []string{fmt.Sprintf("Row %d", i+1), "$1.00"}})
	}
	t.Rows = append(t.Rows, paper.Row{Cells: []string{"All", "$99.00"}, Strong: true})
	return paper.View{Company: "Harbor Homes", Title: "Report", Sub: "Sunset", Paper: "A4", Stamp: time.Unix(0, 0), Tables: []paper.Table{t}, Elsewhere: "in the file"}
}

func TestEveryPageHasItsNumber(t *testing.T) {
	t.Parallel()
	drawn := 0
	file, err := view(100).PDF(90, func(*sheet.Sheet) { drawn++ })
	require.NoError(t, err)
	require.Equal(t, 1, drawn)
	text := papertest.Words(t, file)
	for page := range 3 {
		require.Contains(t, text, fmt.Sprintf("Page%dof3", page+1))
	}
	require.Contains(t, text, "Row90$1.00All$99.00…and10moreintheCSVfile.", "the sum stays where rows are left out")
	require.NotContains(t, text, "Row91")
}

// An amount is never cut.
func TestLargeSums(t *testing.T) {
	t.Parallel()
	v := view(1)
	for i := range 5 {
		v.Sums = append(v.Sums, paper.Sum{Label: "Sum", Text: fmt.Sprintf("-$123,456,78%d.00", i)})
	}
	file, err := v.PDF(9, nil)
	require.NoError(t, err)
	require.Contains(t, papertest.Words(t, file), "-$123,456,780.00-$123,456,781.00-$123,456,782.00-$123,456,783.00-$123,456,784.00")
}

func TestMail(t *testing.T) {
	t.Parallel()
	v := view(100)
	note := strings.Repeat("long ", 40) + "end"
	v.Tables = append(v.Tables, paper.Table{Title: "Notes", Columns: []paper.Column{{}}, Rows: []paper.Row{{Cells: []string{note}}}}, paper.Table{Title: "Nothing"})
	text, html, err := v.Mail()
	require.NoError(t, err)
	for _, s := range []string{text, html} {
		require.Contains(t, s, "Row 60")
		require.NotContains(t, s, "Row 61")
		require.Contains(t, s, "… and 40 more in the file.")
		require.Contains(t, s, note)
		require.NotContains(t, strings.ToUpper(s), "NOTHING")
	}
	require.NotContains(t, html, "<img")
	v.Alt = "Bars"
	_, html, err = v.Mail()
	require.NoError(t, err)
	require.Contains(t, html, `src="cid:figures.png" alt="Bars"`)
}

func TestTexts(t *testing.T) {
	t.Parallel()
	require.Equal(t, "'=1+1 x", paper.Cell("=1+1\nx"))
	require.Equal(t, "-$1,234.50", paper.Money(-1_234_50, "USD"))
	require.Equal(t, "Duplicate charge", paper.Words("duplicate_charge"))
	require.Equal(t, "1 entry", paper.Plural(1, "entry", "entries"))
	require.Equal(t, "0 days", paper.Count(0, "day"))
	require.Equal(t, "a, b", paper.Join(", ", "", "a", "", "b"))
	require.Equal(t, "Nov 3", paper.Day("2026-11-03", "Jan 2"))
	require.Equal(t, "soon", paper.Day("soon", "Jan 2"))
	require.Equal(t, "Letter", paper.Size("USD"))
	require.Equal(t, "A4", paper.Size("GBP"))
	require.Empty(t, paper.Written(time.Time{}, "UTC"))
	require.Equal(t, "Written January 1, 1970, 12:00 AM UTC.", paper.Written(time.Unix(0, 0), "UTC"))
}
