package ownerreport

import (
	"embed"
	"fmt"
	"html/template"
	"io"

	"github.com/aictive/keyholder/activities/paper"
)

//go:embed page.gohtml style.css
var files embed.FS

const (
	// shownAtOnce is how many rows of a list the page shows before somebody opens the rest,
	// maxShown how many it has.
	shownAtOnce = 8
	maxShown    = 400
	// pageChart is the width of a chart in pixels: it is read on a phone.
	pageChart = 640
)

var page = template.Must(template.New("page.gohtml").Funcs(template.FuncMap{
	"style": style, "list": list,
}).ParseFS(files, "page.gohtml"))

// style is the one style sheet; its bytes are what Policy allows by hash.
func style() (template.CSS, error) {
	css, err := files.ReadFile("style.css")
	return template.CSS(css), err
}

// Policy is the Content-Security-Policy under which the page works: one style sheet,
// known by its hash, and nothing else.
func Policy() (string, error) {
	css, err := style()
	if err != nil {
		return "", fmt.Errorf("read the style of the owner's page: %w", err)
	}
	return paper.Policy(css), nil
}

// shown is what the page shows.
type shown struct {
	paper.View
	Charts []template.HTML
}

// HTML writes the report as a page of its own, made for a phone first: no scripts, nothing
// from elsewhere, every text escaped. The error is ErrOtherPortfolio, that of an unknown
// Kind, or w's.
func (r Report) HTML(w io.Writer) error {
	v, err := r.view()
	if err != nil {
		return err
	}
	s := shown{View: v}
	if r.Kind != Digest {
		charts, err := r.svgs(pageChart)
		if err != nil {
			return fmt.Errorf("draw the charts of the owner's page: %w", err)
		}
		for _, c := range charts {
			s.Charts = append(s.Charts, template.HTML(c)) //nolint:gosec // it escapes its texts
		}
	}
	if err := page.Execute(w, s); err != nil {
		return fmt.Errorf("write the owner's page: %w", err)
	}
	return nil
}

// listed is a table as the page shows it.
type listed struct {
	Title       string
	Total       int
	First, Rest []item
	More        int
}

// item is a row: its wide cell stands out, the others are named beneath it.
type item struct {
	Head            bool
	Name, Mark, Sub string
	Facts           []string
}

func list(t paper.Table) listed {
	l := listed{Title: t.Title}
	rows := t.Rows
	if len(rows) > maxShown {
		l.More, rows = len(rows)-maxShown, rows[:maxShown]
	}
	var items []item
	for _, row := range rows {
		it := item{Head: row.Strong, Name: row.Cells[t.Wide()], Mark: row.Mark, Sub: row.Sub}
		for i, c := range row.Cells {
			if i != t.Wide() && c != "" && c != "–" {
				it.Facts = append(it.Facts, join(" ", t.Columns[i].Name, c))
			}
		}
		items = append(items, it)
	}
	l.Total = len(t.Rows)
	l.First = items
	if len(items) > shownAtOnce+2 { // else next to nothing would be left to open
		l.First, l.Rest = items[:shownAtOnce], items[shownAtOnce:]
	}
	return l
}
