package salesreport

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// textWidth is how long the lines of a mail's text are, but for words that are
// longer.
const textWidth = 76

// text is the mail as plain text.
func (v mailView) text() string {
	var b strings.Builder
	heading := func(s string) { fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(s)) }
	wrap(&b, "", v.Headline)
	wrap(&b, "", v.Lead)
	b.WriteString("\n")
	wrap(&b, "", strings.TrimPrefix(v.Company+", "+v.Date+", "+v.At, ", "))
	if v.PageURL != "" {
		wrap(&b, "", "The whole report: "+v.PageURL)
	}
	if v.Any {
		heading("How the sales stand")
		for _, p := range v.Parts {
			fmt.Fprintf(&b, "  %5d  %-10s %4s\n", p.Count, p.Label, p.Percent)
		}
	}
	for _, s := range v.Lists {
		heading(fmt.Sprintf("%s (%d)", s.Title, s.Total()))
		for _, e := range s.Entries {
			wrap(&b, "- ", e.Where+": "+e.Badge)
			wrap(&b, "  ", e.Why)
			wrap(&b, "  ", strings.Join(e.Facts, " · "))
		}
		if s.More > 0 {
			where := "."
			if v.PageURL != "" {
				where = " on the page."
			}
			fmt.Fprintf(&b, "… and %d more%s\n", s.More, where)
		}
	}
	if len(v.Funnel) > 0 {
		heading("Where the sales are")
		for _, r := range v.Funnel {
			words := r.Name
			if r.Count > 0 {
				words += ": " + r.Words
			}
			wrap(&b, fmt.Sprintf("  %5d  ", r.Count), words)
		}
	}
	if v.Ages.Any() {
		heading("How old they are")
		for _, s := range append([]string{v.Ages.Summary}, append(v.Ages.Norms, v.Ages.NotKnown)...) {
			wrap(&b, "  ", s)
		}
	}
	if len(v.Methods) > 0 {
		heading("By sale method")
		for _, m := range v.Methods {
			wrap(&b, fmt.Sprintf("  %5d  ", m.Followed), fmt.Sprintf("%s: %d overdue, %d at risk, %d on track, %d not known", m.Name, m.Overdue, m.AtRisk, m.OnTrack, m.Unknown))
		}
	}
	b.WriteString("\n")
	wrap(&b, "", v.Freshness)
	wrap(&b, "", v.Terms)
	return b.String()
}

// wrap writes a text after a label, its further lines below its first; nothing for
// no text.
func wrap(b *strings.Builder, label, text string) {
	indent := utf8.RuneCountInString(label)
	line, used := label, indent
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > textWidth:
			b.WriteString(line + "\n")
			line, used = strings.Repeat(" ", indent), indent
		default:
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	if used > indent {
		b.WriteString(line + "\n")
	}
}
