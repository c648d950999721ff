package paper

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"unicode/utf8"

	"github.com/aictive/keyholder/activities/sheet"
)

// PictureID is the Content-ID under which the HTML of Mail shows the picture that Alt
// describes. Without Alt the HTML does not refer to it.
const PictureID = "figures.png"

const (
	// maxMailed is how many rows each list of a mail has, and maxMail the most bytes of its
	// HTML: Gmail cuts mails above 102 kB.
	maxMailed = 60
	maxMail   = 96_000
)

//go:embed mail.gohtml
var source string

var mail = template.Must(template.New("mail").Parse(source))

// Mail is the view as a mail: HTML of tables and inline styles, which is what mail clients
// keep, below 100 kB, and plain text with the same facts. Each list has at most 60 rows,
// fewer where they would not fit. No View is known to cause an error.
func (v View) Mail() (text, html string, err error) {
	tables := v.Tables
	for most := maxMailed; ; most /= 2 {
		v.Tables = shorter(tables, most)
		var b strings.Builder
		if err := mail.Execute(&b, v); err != nil {
			return "", "", fmt.Errorf("draw the mail: %w", err)
		}
		if b.Len() <= maxMail || most == 0 {
			return v.text(), b.String(), nil
		}
	}
}

// PictureID is that of the mail.
func (v View) PictureID() template.URL { return template.URL("cid:" + PictureID) } //nolint:gosec // a constant

// text is the mail as plain text, its amounts right-aligned.
func (v View) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n\n", v.Company, v.Title, v.Sub)
	for _, s := range v.Sums {
		fmt.Fprintf(&b, "%-24s %16s\n", s.Label, s.Text)
	}
	if len(v.States) > 0 {
		b.WriteString("\n")
	}
	for _, s := range v.States {
		fmt.Fprintf(&b, "%s %s\n", map[bool]string{true: "OK ", false: "(!)"}[s.Good], s.Text)
	}
	for _, t := range v.Tables {
		t.text(&b, v.Elsewhere)
	}
	if v.PageURL != "" {
		fmt.Fprintf(&b, "\nHow things stand today: %s\n", v.PageURL)
	}
	fmt.Fprintf(&b, "\n%s\n", v.Foot)
	return b.String()
}

func (t Table) text(b *strings.Builder, elsewhere string) {
	widest := 40
	if len(t.Columns) == 1 {
		widest = 1 << 20 // there is nothing beside it
	}
	fmt.Fprintf(b, "\n%s\n", strings.ToUpper(t.Title))
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	all := append([]Row{{Cells: names}}, t.Rows...)
	widths := make([]int, len(names))
	for _, r := range all {
		for i, c := range r.Cells {
			widths[i] = max(widths[i], min(utf8.RuneCountInString(c), widest))
		}
	}
	indent := 0
	for i := range t.Wide() {
		indent += widths[i] + 2
	}
	for _, r := range all {
		line := ""
		for i, c := range r.Cells {
			c = sheet.Line(c, widest)
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if t.Columns[i].Right {
				c = pad + c
			} else {
				c += pad
			}
			line += c + "  "
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		for _, more := range []string{Join(": ", strings.ToUpper(r.Mark), r.Sub), Join(": ", r.linked(), r.Link)} {
			if more != "" {
				b.WriteString(strings.Repeat(" ", indent) + more + "\n")
			}
		}
	}
	if t.More > 0 {
		fmt.Fprintf(b, "… and %d more %s.\n", t.More, elsewhere)
	}
}

// linked is what the link is called, "" without one.
func (r Row) linked() string {
	if r.Link == "" {
		return ""
	}
	return r.Act
}
