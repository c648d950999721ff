// Package intake reads and checks the sales that callers submit, one as JSON or
// thousands as a file, and writes what became of a file's rows. What it lets
// through is normalised: the same sale however it was typed gives the same value,
// and reading that value again changes nothing.
//
// It reports everything that is wrong at once. No message repeats what was sent:
// it is personal data, and messages go to logs and tickets.
package intake

import "fmt"

// The bounds of what is read.
const (
	// MaxSaleBytes is the size of one sale's JSON.
	MaxSaleBytes = 64 << 10
	// MaxFileBytes is the size of an import.
	MaxFileBytes = 64 << 20
	// MaxRows is how many rows an import may have.
	MaxRows = 10_000

	maxCell     = 1000 // characters of any value
	maxColumns  = 100  // columns of a CSV file
	maxProblems = 50   // problems of one sale that are listed
	maxProducts = 10
)

// Problem is one thing wrong with a field.
type Problem struct {
	// Path is the field as the caller wrote it, such as "property_postcode" or
	// "products[1]" (from 0); in a CSV file it is the column's name as Columns has it.
	// "" means the sale as a whole.
	Path string `json:"path"`
	// Message says what to do and repeats no value.
	Message string `json:"message"`
}

// FileError says that a file as a whole cannot be used, and what to do.
type FileError struct {
	// Line is the place as an editor shows it, 0 where it is unknown.
	Line int
	// Detail repeats no values of the file; it may name columns.
	Detail string
}

// Error is the line and the advice.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Detail
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Detail)
}
