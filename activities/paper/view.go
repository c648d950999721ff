// Package paper draws reports for people: a View as a mail, as plain text, as a PDF and as
// a file for spreadsheets. What a report says is its own package's; how it looks is here,
// so that all of them look alike. Everything is a pure function of the View: the same one
// gives the same bytes.
package paper

import (
	"fmt"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities/sheet"
	"github.com/aictive/keyholder/policy"
)

// MaxName is the most characters that a name may have.
const MaxName = 80

// View is a report as text, cleaned and bounded: what all renderings but the file for
// spreadsheets show.
type View struct {
	Subject, Company, Title, Sub, Foot string
	// Sums are the figures that most readers want, States whether all is right.
	Sums   []Sum
	States []State
	// Alt says in words what the picture shows, "" where there is none.
	Alt    string
	Tables []Table
	// PageURL is where a mail leads for more, "" for nowhere.
	PageURL string
	// Elsewhere is where a mail says that the rows are that it leaves out: "in the attached
	// files".
	Elsewhere string
	// Paper is fpdf's name of the page size, Stamp the document's date.
	Paper string
	Stamp time.Time
}

// Sum is a figure that stands out.
type Sum struct{ Label, Text string }

// State is a sentence and whether it is good news.
type State struct {
	Good bool
	Text string
}

// Mark is the sign beside the colour.
func (s State) Mark() string {
	if s.Good {
		return "✓"
	}
	return "▲"
}

// Table is a list. One column is wide: it has all the room that others leave, and the
// second line of a row.
type Table struct {
	Title   string
	Columns []Column
	Rows    []Row
	// More is how many rows are left out.
	More int
}

// Column is one of a table.
type Column struct {
	Name string
	// Width is in millimetres of a page, 0 for the wide column, which is left-aligned.
	Width float64
	Right bool
}

// Row is one of a table.
type Row struct {
	Cells []string
	// Mark and Sub are the second line: what sets it apart, and more of it.
	Mark, Sub string
	Strong    bool
	// Link is where somebody acts, Act what it is called.
	Link, Act string
}

// Wide is the column that has the second line of its rows.
func (t Table) Wide() int {
	for i, c := range t.Columns {
		if c.Width == 0 {
			return i
		}
	}
	return 0
}

// shorter has at most so many rows of each table and the last where that sums it up, and
// no table that is empty.
func shorter(tables []Table, most int) []Table {
	var out []Table
	for _, t := range tables {
		n := len(t.Rows)
		if n == 0 {
			continue
		}
		if n > most+1 {
			last := t.Rows[n-1]
			t.Rows = append([]Row(nil), t.Rows[:most]...)
			t.More += n - most
			if last.Strong {
				t.Rows, t.More = append(t.Rows, last), t.More-1
			}
		}
		out = append(out, t)
	}
	return out
}

// Size is fpdf's name of the paper that is used where the currency is.
func Size(currency string) string {
	if currency == "USD" || currency == "CAD" {
		return "Letter"
	}
	return "A4"
}

// Money writes an amount: "-$1,234.50".
func Money(c policy.Cents, currency string) string {
	return policy.Money{Amount: c, Currency: sheet.Line(currency, 3)}.String()
}

// Day writes a YYYY-MM-DD; what is none stays as it is.
func Day(day, layout string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return sheet.Line(day, 20)
	}
	return t.Format(layout)
}

// Written says when a report was written, in a time zone; "" where that is not known.
func Written(at time.Time, zone string) string {
	in, err := time.LoadLocation(zone)
	if err != nil || at.IsZero() {
		return ""
	}
	return "Written " + at.In(in).Format("January 2, 2006, 3:04 PM MST") + "."
}

// Plural counts: "1 entry", "2 entries".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Count is Plural where that takes an s.
func Count(n int, what string) string { return Plural(n, what, what+"s") }

// Words makes a code such as "duplicate_charge" readable: "Duplicate charge".
func Words(code string) string {
	s := strings.ReplaceAll(sheet.Line(code, MaxName), "_", " ")
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Join puts between texts what separates them; empty ones are left out.
func Join(by string, texts ...string) string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, by)
}
