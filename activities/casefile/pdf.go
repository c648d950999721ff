package casefile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aictive/keyholder/activities/paper"
	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/store"
)

const (
	// maxPrinted is how many entries a PDF has; the CSV file has all.
	maxPrinted = 5000
	// maxBelow is the most characters below an entry: it must fit on a page.
	maxBelow = 1800
)

// PDF is the case file as a document. No Case is known to cause an error.
func (c Case) PDF() ([]byte, error) {
	const moment = "January 2, 2006, 3:04 PM MST"
	v := paper.View{
		Company: line(c.Company), Title: "Case file: " + line(c.Entity), Paper: c.paper(), Stamp: c.Written,
		Sub: "There are no entries in this time.", Sums: c.sums(), States: c.states(), Elsewhere: "in the CSV file",
		Foot: c.foot(),
	}
	if first, last := c.span(moment); first != "" {
		v.Sub = first + " to " + last
	}
	if t := c.decided(); len(t.Rows) > 0 {
		v.Tables = append(v.Tables, t)
	}
	v.Tables = append(v.Tables, c.table())
	return v.PDF(maxPrinted, nil)
}

// paper is that of the zone: America writes on Letter.
func (c Case) paper() string {
	if region, _, _ := strings.Cut(c.zone().String(), "/"); region == "America" || region == "US" {
		return "Letter"
	}
	return "A4"
}

func (c Case) sums() []paper.Sum {
	counts := map[store.AuditKind]int{}
	for _, e := range c.Entries {
		counts[e.Kind]++
	}
	sum := func(label string, kinds ...store.AuditKind) paper.Sum {
		n := 0
		for _, k := range kinds {
			n += counts[k]
		}
		return paper.Sum{Label: label, Text: strconv.Itoa(n)}
	}
	return []paper.Sum{
		{Label: "Entries", Text: strconv.Itoa(len(c.Entries))},
		sum("Events", store.AuditEvent),
		sum("Decisions", store.AuditDecision, store.AuditCommand, store.AuditConflict),
		sum("Answers", store.AuditAnswer),
		sum("Messages", store.AuditMessage),
		sum("Writes", store.AuditWrite),
	}
}

func (c Case) states() []paper.State {
	var out []paper.State
	for _, chain := range c.Chains {
		out = append(out, paper.State{Good: chain.Holds(), Text: chain.String()})
	}
	if c.Cut {
		out = append(out, paper.State{Text: "There are more entries than these: this case file is a part."})
	}
	return out
}

func (c Case) decided() paper.Table {
	t := paper.Table{Title: "Who decided", Columns: []paper.Column{{Name: "Who"}, {Name: "How often", Width: 30, Right: true}}}
	for _, d := range c.deciders() {
		t.Rows = append(t.Rows, paper.Row{Cells: []string{d.name, strconv.Itoa(d.count)}})
	}
	return t
}

func (c Case) table() paper.Table {
	t := paper.Table{Title: "Timeline", Columns: []paper.Column{
		{Name: "Time", Width: 44}, {Name: "Kind", Width: 18}, {Name: "Who", Width: 30}, {Name: "What"},
	}}
	for _, e := range c.timeline() {
		t.Rows = append(t.Rows, paper.Row{
			Cells: []string{e.At.In(c.zone()).Format(clock), line(string(e.Kind)), who(e), line(e.What)},
			Sub:   c.below(e),
		})
	}
	return t
}

// below is the second line of an entry.
func (c Case) below(e store.AuditEntry) string {
	named := func(name, text string) string {
		if text == "" {
			return ""
		}
		return name + ": " + text
	}
	entity := ""
	if e.Entity != c.Entity {
		entity = line(e.Entity)
	}
	return sheet.Line(paper.Join(" · ", entity, where(e), named("links", links(e)), named("details", c.details(e))), maxBelow)
}

func (c Case) foot() string {
	text := "Entries are chained by SHA-256: a changed, removed or inserted entry shows, unless it is at the end and no anchor was kept. " +
		"The order is that of when things happened. "
	if n := c.hidden(); n > 0 {
		text += fmt.Sprintf("%s personal details, which are not shown. ", paper.Plural(n, "entry has", "entries have"))
	}
	return text + paper.Written(c.Written, c.zone().String())
}
