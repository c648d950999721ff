package incidentreport

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// textWidth is where the lines of a plain mail are wrapped, in characters.
const textWidth = 76

// Text is the report as a plain mail, wrapped to 76 characters. What people
// wrote is quoted with ">", so that it cannot pass for a part of the report.
func Text(r Report) string {
	v := newView(r)
	var b strings.Builder
	heading := func(s string) { fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(s)) }

	hang(&b, "", v.Title)
	for _, s := range []string{v.Company, v.Order, v.Address} {
		if s != "" {
			hang(&b, "", s)
		}
	}
	b.WriteString("\n")
	hang(&b, column("Result", 16), v.Result)
	for _, f := range v.Facts {
		hang(&b, column(f.Label, 16), f.Text)
	}
	if len(v.Said) > 0 {
		heading("What was reported")
		for _, p := range v.Said {
			for _, l := range wrap(p, textWidth-2) {
				b.WriteString("> " + l + "\n")
			}
		}
	}
	if len(v.SLAs) > 0 {
		heading("Response times (SLA)")
		for _, p := range v.SLAs {
			hang(&b, "  ", p.sentence())
		}
	}
	if len(v.People) > 0 {
		heading("People")
		for _, p := range v.People {
			hang(&b, column("  "+p.Label, 22), p.Text)
		}
	}
	if len(v.Days) > 0 {
		heading("Timeline")
		for _, d := range v.Days {
			b.WriteString(d.Date + "\n")
			for _, m := range d.Rows {
				hang(&b, column("  "+m.Time, 16)+column(m.After, 16), m.What)
			}
		}
	}
	b.WriteString("\n" + v.Zone + "\n")
	return b.String()
}

// sentence is a row of the SLA table in words.
func (p promise) sentence() string {
	if p.Verdict == "" {
		return p.Name
	}
	verdict := p.Verdict
	if p.Tone == bad {
		verdict = strings.ToUpper(verdict)
	}
	if p.By != "" {
		verdict += " " + p.By
	}
	s := p.Name + ": " + verdict + " (limit " + p.Limit
	if p.Took != NotReached {
		s += ", took " + p.Took
	}
	return s + ")"
}

// column pads a label to a width and keeps it apart from what follows.
func column(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 1))
}

// hang writes a text after a label, its further lines below its first.
func hang(b *strings.Builder, label, text string) {
	indent := utf8.RuneCountInString(label)
	for i, l := range wrap(text, max(textWidth-indent, textWidth/3)) {
		if i > 0 {
			label = strings.Repeat(" ", indent)
		}
		b.WriteString(strings.TrimRight(label+l, " ") + "\n")
	}
}

// wrap breaks at spaces; a word that is wider stays whole, which keeps links
// usable. There is always a line.
func wrap(s string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(s) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}
