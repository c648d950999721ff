package casefile

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/aictive/keyholder/activities/paper"
)

// clock is how moments are written for people.
const clock = "2006-01-02 15:04:05 MST"

// The widest that columns of the terminal get.
const (
	widestWho    = 28
	widestEntity = 36
)

// Text writes the timeline for a terminal. The error is w's.
func (c Case) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintln(&b, line(c.Entity))
	if first, last := c.span(clock); first != "" {
		fmt.Fprintf(&b, "  %s from %s to %s: %s\n", paper.Plural(len(c.Entries), "entry", "entries"), first, last, listed(c.kinds()))
	}
	if deciders := c.deciders(); len(deciders) > 0 {
		fmt.Fprintf(&b, "  decided by %s\n", listed(deciders))
	}
	for _, chain := range c.Chains {
		fmt.Fprintf(&b, "  %s\n", chain)
	}
	if n := c.hidden(); n > 0 {
		fmt.Fprintf(&b, "  %s personal details, which --details shows\n", paper.Plural(n, "entry has", "entries have"))
	}
	if c.Cut {
		b.WriteString("  There are more entries than these: narrow them with --since and --until.\n")
	}
	if len(c.Entries) > 0 {
		b.WriteString("\n")
		c.rows(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// listed is "3 policy, 1 person/7".
func listed(all []tally) string {
	texts := make([]string, 0, len(all))
	for _, t := range all {
		texts = append(texts, fmt.Sprintf("%d %s", t.count, t.name))
	}
	return strings.Join(texts, ", ")
}

// rows are the entries, each on a line, and below it what there is more.
func (c Case) rows(b *strings.Builder) {
	all := c.timeline()
	rows := [][]string{{"time", "kind", "entity", "who"}}
	widths := make([]int, len(rows[0]))
	for _, e := range all {
		rows = append(rows, []string{e.At.In(c.zone()).Format(clock), line(string(e.Kind)), line(e.Entity), who(e)})
	}
	most := []int{1 << 10, 1 << 10, widestEntity, widestWho}
	for _, r := range rows {
		for i, text := range r {
			widths[i] = max(widths[i], min(utf8.RuneCountInString(text), most[i]))
		}
	}
	for i, r := range rows {
		indent := 0
		for column, text := range r {
			if column == 2 && !c.linked() {
				continue
			}
			fmt.Fprintf(b, "%-*s  ", widths[column], text)
			indent += widths[column] + 2
		}
		if i == 0 {
			b.WriteString("what\n")
			continue
		}
		e := all[i-1]
		b.WriteString(strings.TrimRight(line(e.What), " "))
		if at := where(e); at != "" {
			fmt.Fprintf(b, " [%s]", at)
		}
		b.WriteString("\n")
		for _, more := range []struct{ name, text string }{{"links", links(e)}, {"details", c.details(e)}} {
			if more.text != "" {
				fmt.Fprintf(b, "%*s%s: %s\n", indent, "", more.name, more.text)
			}
		}
	}
}
