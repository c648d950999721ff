package intake

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const adviceCSV = `Save the file as CSV in UTF-8: "CSV UTF-8 (Comma delimited)" in Excel.`

// header says which field each column of a file holds, noField where a column has
// no name.
type header []field

func readCSV(body []byte) ([]Row, *FileError) {
	text, bad := decodeUTF8(body, adviceCSV)
	if bad != nil {
		return nil, bad
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, &FileError{Detail: "The file is empty. " + adviceHeader()}
	}
	separator, bad := separatorOf(text)
	if bad != nil {
		return nil, bad
	}
	s := splitter{rest: text, separator: separator, line: 1}
	first, _, bad := s.next()
	if bad != nil {
		return nil, bad
	}
	columns, bad := readHeader(first)
	if bad != nil {
		return nil, bad
	}
	var rows []Row
	for {
		r, more, bad := s.next()
		switch {
		case bad != nil:
			return nil, bad
		case !more && len(rows) == 0:
			return nil, errNoRows()
		case !more:
			return rows, nil
		case len(rows) == MaxRows:
			return nil, errTooManyRows(r.line)
		}
		rows = append(rows, columns.row(r))
	}
}

// adviceHeader names the columns.
func adviceHeader() string {
	var must, may []string
	for _, f := range fields {
		if f.required {
			must = append(must, f.name)
		} else {
			may = append(may, f.name)
		}
	}
	return "The first line must name the columns: " + strings.Join(must, ", ") + "; and where wanted " + strings.Join(may, ", ") + "."
}

// separatorOf is the one of comma, semicolon and tab that stands outside quotes in
// the first line that is not blank. No name of a column has any of them, so two of
// them mean that nobody can tell.
func separatorOf(text []byte) (byte, *FileError) {
	seps := []byte(",;\t")
	found, quoted := []byte{}, false
	line := 1 + lineEnds(text[:len(text)-len(bytes.TrimLeft(text, " \t\r\n"))])
	for _, b := range bytes.TrimLeft(text, " \t\r\n") {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '\n' || b == '\r':
			return one(found, line)
		case slices.Contains(seps, b) && !slices.Contains(found, b):
			found = append(found, b)
		}
	}
	return one(found, line)
}

func one(found []byte, line int) (byte, *FileError) {
	switch len(found) {
	case 0:
		return ',', nil // a single column, which lacks the others
	case 1:
		return found[0], nil
	}
	return 0, &FileError{Line: line, Detail: "The names of the columns are separated in different ways. Use commas, or semicolons, or tabs, throughout."}
}

// readHeader refuses a header with everything that is wrong with it.
func readHeader(r record) (header, *FileError) {
	refuse := func(detail string) (header, *FileError) {
		return nil, &FileError{Line: r.line, Detail: detail}
	}
	if r.misquoted {
		return refuse("Write the names of the columns without quotes.")
	}
	if r.count > maxColumns {
		return refuse(fmt.Sprintf("There are more than %d columns. %s", maxColumns, adviceHeader()))
	}
	columns := make(header, r.count)
	var known, unknown, twice []string
	for i, c := range r.cells {
		columns[i] = noField
		if len(bytes.TrimSpace(c.raw)) == 0 {
			continue
		}
		name := ""
		if !c.tooLong() {
			name = columnName(strings.TrimSpace(string(c.value())))
		}
		x := fieldNamed(name)
		switch {
		case x == noField:
			unknown = append(unknown, unknownColumn(name, i))
		case slices.Contains(known, name):
			twice = append(twice, name)
		default:
			known = append(known, name)
			columns[i] = x
		}
	}
	if len(known) == 0 {
		// Names of unknown columns are not repeated here: they may well be a sale.
		return refuse("There is no column that is known. " + adviceHeader())
	}
	if faults := headerFaults(known, unknown, twice); faults != "" {
		return refuse(faults)
	}
	return columns, nil
}

func unknownColumn(name string, i int) string {
	if shownName(name) == "" {
		return fmt.Sprintf("column %d", i+1)
	}
	if near := nearest(name); near != "" {
		return fmt.Sprintf("%s (did you mean %s?)", name, near)
	}
	return name
}

// headerFaults is one sentence for each kind of fault, "" where there is none.
func headerFaults(known, unknown, twice []string) string {
	var missing, faults []string
	for _, f := range fields {
		if f.required && !slices.Contains(known, f.name) {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		faults = append(faults, "Add the missing columns: "+strings.Join(missing, ", ")+".")
	}
	if len(unknown) > 0 {
		faults = append(faults, "Rename or remove the unknown columns: "+strings.Join(unknown, ", ")+".")
	}
	if len(twice) > 0 {
		slices.Sort(twice)
		faults = append(faults, "Keep one each of the columns that are there more than once: "+strings.Join(slices.Compact(twice), ", ")+".")
	}
	return strings.Join(faults, " ")
}

// row reads one record.
func (h header) row(r record) Row {
	row := Row{Number: r.line}
	switch {
	case r.misquoted:
		row.Problems = []Problem{{Message: "Put a cell that has quotes in it into quotes as a whole, and double those inside."}}
		return row
	case r.count != len(h):
		row.Problems = []Problem{{Message: fmt.Sprintf("There are %d cells and the header names %d columns: a separator is missing, or a cell that has one is not in quotes.", r.count, len(h))}}
		return row
	}
	var f form
	for i, c := range r.cells {
		switch {
		case h[i] == noField && len(bytes.TrimSpace(c.raw)) > 0:
			f.add("", fmt.Sprintf("Cell %d has a value but its column has no name.", i+1))
		case h[i] == noField:
		case c.tooLong():
			f.spoil(h[i], adviceCellLimit)
		case h[i] == products:
			for _, text := range strings.FieldsFunc(string(c.value()), func(r rune) bool { return r == ';' || r == '|' }) {
				if strings.TrimSpace(text) != "" {
					f.products = append(f.products, product{text: text})
				}
			}
		default:
			f.text[h[i]] = string(c.value())
		}
	}
	row.Sale, row.Problems = f.sale()
	return row
}
