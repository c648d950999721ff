package salesreport

import (
	"embed"
	"fmt"
	"html/template"
	"io"

	"github.com/aictive/keyholder/activities/paper"
)

//go:embed page.gohtml mail.gohtml style.css
var files embed.FS

// shownAtOnce is how many sales of a list the page shows before somebody opens the
// rest.
const shownAtOnce = 8

var page = template.Must(template.New("page.gohtml").Funcs(template.FuncMap{
	"style": style, "first": section.first, "rest": section.rest,
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
		return "", fmt.Errorf("read the style of the sales report: %w", err)
	}
	return paper.Policy(css), nil
}

// HTML writes the report as a page of its own, made for a phone first: no scripts,
// nothing from elsewhere, every text escaped. The error is w's.
func (r Report) HTML(w io.Writer) error {
	if err := page.Execute(w, r.view()); err != nil {
		return fmt.Errorf("write the page of the sales report: %w", err)
	}
	return nil
}

// first and rest are what the page shows at once, and what somebody has to open.
func (s section) first() []entry { return s.Entries[:s.atOnce()] }

func (s section) rest() []entry { return s.Entries[s.atOnce():] }

// atOnce is all where next to nothing would be left to open.
func (s section) atOnce() int {
	if len(s.Entries) <= shownAtOnce+2 {
		return len(s.Entries)
	}
	return shownAtOnce
}
