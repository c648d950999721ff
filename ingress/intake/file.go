package intake

import (
	"encoding/json"
	"fmt"
	"mime"
	"strings"

	"github.com/aictive/keyholder/workflows/sales"
)

// The media types of imports.
const (
	mediaCSV  = "text/csv"
	mediaJSON = "application/json"
)

// Row is one row of a file.
type Row struct {
	// Number is the row's place as people count it: the line of a CSV file as an
	// editor shows it (the header is 1, and a record of several lines counts by its
	// first), or the element of a JSON array from 1.
	Number int
	// Sale is the zero value where there are Problems.
	Sale     sales.NewSale
	Problems []Problem
}

// File reads a whole import of at most MaxRows rows and MaxFileBytes bytes:
// "text/csv", or "application/json" with an array of sales or {"sales": [..]}.
// Problems of one row are the row's, and the others count. The error is a
// *FileError: then no part of the file counts.
func File(mediaType string, body []byte) ([]Row, error) {
	kind, parameters, err := mime.ParseMediaType(mediaType)
	if err != nil || kind != mediaCSV && kind != mediaJSON {
		return nil, &FileError{Detail: "Send the file as text/csv or application/json."}
	}
	if charset, given := parameters["charset"]; given && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return nil, &FileError{Detail: "Send the file in UTF-8."}
	}
	if len(body) > MaxFileBytes {
		return nil, &FileError{Detail: fmt.Sprintf("The file is larger than %d MiB: split it.", MaxFileBytes>>20)}
	}
	read := readCSV
	if kind == mediaJSON {
		read = readJSON
	}
	rows, bad := read(body)
	if bad != nil {
		return nil, bad
	}
	return rows, nil
}

// errNoRows and errTooManyRows hold for both kinds of file.
func errNoRows() *FileError {
	return &FileError{Detail: "There are no sales in this file."}
}

func errTooManyRows(line int) *FileError {
	return &FileError{Line: line, Detail: fmt.Sprintf("There are more than %d rows: split the file.", MaxRows)}
}

// adviceList is for JSON that is no list of sales.
const adviceList = `Send an array of sales, or an object with one field "sales" that holds it.`

func readJSON(body []byte) ([]Row, *FileError) {
	d, bad := openJSON(body)
	if bad != nil {
		return nil, bad
	}
	token, _ := d.Token()
	if token == json.Delim('[') {
		return readElements(d)
	}
	if token != json.Delim('{') {
		return nil, &FileError{Detail: adviceList}
	}
	// The one field, its list, and the end of the object.
	if name, _ := d.Token(); name != "sales" {
		return nil, &FileError{Detail: adviceList}
	}
	if token, _ := d.Token(); token != json.Delim('[') {
		return nil, &FileError{Detail: adviceList}
	}
	rows, bad := readElements(d)
	if bad == nil && d.More() {
		return nil, &FileError{Detail: adviceList}
	}
	return rows, bad
}

// readElements reads sales up to the array's end.
func readElements(d *json.Decoder) ([]Row, *FileError) {
	var rows []Row
	for d.More() {
		if len(rows) == MaxRows {
			return nil, errTooManyRows(0)
		}
		row := Row{Number: len(rows) + 1}
		var f form
		if f.readObject(d) {
			row.Sale, row.Problems = f.sale()
		} else {
			row.Problems = []Problem{{Message: "Write the sale as a JSON object."}}
		}
		rows = append(rows, row)
	}
	_, _ = d.Token() // the ']'
	if len(rows) == 0 {
		return nil, errNoRows()
	}
	return rows, nil
}
