package paper

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/aictive/keyholder/activities/sheet"
)

// maxCell is the most characters of a cell.
const maxCell = 400

// CSV writes rows as RFC 4180. The error is w's.
func CSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write the report as CSV: %w", err)
	}
	return nil
}

// Cell is a text for CSV: one line, bounded, and nothing that a spreadsheet takes for a
// formula.
func Cell(text string) string { return LongCell(text, maxCell) }

// LongCell is Cell for a text of at most so many characters.
func LongCell(text string, most int) string {
	text = sheet.Line(text, most)
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
