package intake

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// ResultRow is what became of one row of an import.
type ResultRow struct {
	Number                            int
	Status, PropertyID, TransactionID string
	Problems                          []Problem
}

// Results writes rows of results as CSV, one after the other.
type Results struct {
	out   *csv.Writer
	begun bool
}

// NewResults writes to w what Flush lets go.
func NewResults(w io.Writer) *Results { return &Results{out: csv.NewWriter(w)} }

// Write adds a row, after the header where it is the first. The error is the
// underlying writer's.
func (r *Results) Write(row ResultRow) error {
	if err := r.begin(); err != nil {
		return err
	}
	problems := make([]string, len(row.Problems))
	for i, p := range row.Problems {
		problems[i] = p.Message
		if p.Path != "" {
			problems[i] = p.Path + ": " + p.Message
		}
	}
	return r.out.Write([]string{strconv.Itoa(row.Number), harmless(row.Status), harmless(row.PropertyID),
		harmless(row.TransactionID), harmless(strings.Join(problems, " "))})
}

// Flush writes out what is buffered; without any rows that is the header.
func (r *Results) Flush() error {
	if err := r.begin(); err != nil {
		return err
	}
	r.out.Flush()
	return r.out.Error()
}

func (r *Results) begin() error {
	if r.begun {
		return nil
	}
	r.begun = true
	return r.out.Write([]string{"row", "status", "property_id", "transaction_id", "problems"})
}

// harmless keeps a spreadsheet from taking a cell for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
