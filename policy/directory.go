package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of the directory. Everybody in it is looked at for each choice.
const (
	maxProfessionals = 5000
	maxDirectory     = 4 << 20 // bytes of the CSV file
)

// listed is a professional and where he is written: at path of the policy file's
// sales section, else in a line of the directory.
type listed struct {
	Professional
	path string
	file string
	line int
	// unread are the columns whose cells could not be read.
	unread []string
}

// columns are those of the directory; all but phone must be there.
func columns() []string {
	return []string{"id", "role", "name", "firm", "email", "areas", "methods", "capacity", "phone"}
}

// separator is between the items of a list in one cell.
const separator = ";"

// directory is the CSV file of a policy: what was found in it and what is wrong.
type directory struct {
	// name is how problems call it.
	name     string
	people   []listed
	problems []Problem
	// broken is set where people may be missing because of a problem.
	broken bool
}

// readDirectory reads the CSV file beside a policy file. seen is set before the
// file is read, so that no later edit goes unnoticed.
func readDirectory(path string) (text []byte, seen stamp, problem string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, stamp{}, "names a file that does not exist beside the policy file"
	case err != nil:
		return nil, stamp{}, "names a file that cannot be read"
	case !info.Mode().IsRegular():
		return nil, stampOf(info), "must name a file"
	case info.Size() > maxDirectory:
		return nil, stampOf(info), fmt.Sprintf("names a file larger than %d MB", maxDirectory>>20)
	}
	f, err := os.Open(path)
	if err == nil {
		defer func() { _ = f.Close() }() // it was only read
		text, err = io.ReadAll(io.LimitReader(f, maxDirectory+1))
	}
	if err != nil || len(text) > maxDirectory { // it grew meanwhile
		return nil, stampOf(info), "names a file that cannot be read"
	}
	return text, stampOf(info), ""
}

// beside is the path of a file named in the policy file at policyPath.
func beside(policyPath, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(policyPath), name)
}

// parseDirectory reads everybody whom it can and reports every problem; what the
// values must be is checked with those of the policy file.
func parseDirectory(name string, text []byte) *directory {
	d := &directory{name: name}
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) || bytes.IndexByte(text, 0) >= 0 {
		d.fail(1, "", "is not text in UTF-8: save it as CSV UTF-8")
		return d
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	var header []string
	for {
		record, err := r.Read()
		var wrong *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			if header == nil {
				d.fail(1, "", "is empty: the first line must name the columns "+strings.Join(columns(), ","))
			}
			return d
		case errors.As(err, &wrong):
			d.fail(wrong.Line, "", "is not CSV: "+quoting(wrong))
			if header == nil {
				return d
			}
			continue
		case err != nil: // a bytes.Reader has no other
			d.fail(0, "", "cannot be read")
			return d
		}
		line, _ := r.FieldPos(0)
		switch {
		case header == nil:
			if header = d.header(line, record); header == nil {
				return d
			}
		case len(d.people) == maxProfessionals:
			d.fail(line, "", fmt.Sprintf("has more than %d rows", maxProfessionals))
			return d
		default:
			d.row(line, header, record)
		}
	}
}

// quoting says what is wrong with a line without showing it. An unclosed quote
// swallows the rest of the file.
func quoting(err *csv.ParseError) string {
	if err.StartLine != err.Line {
		return fmt.Sprintf("a quote that opens in line %d is not closed", err.StartLine)
	}
	return `a quote is not closed, or stands inside a cell (write "" within quotes)`
}

func (d *directory) fail(line int, column, message string) {
	d.problems = append(d.problems, Problem{File: d.name, Line: line, Path: column, Message: message})
	d.broken = true
}

// header checks the names of the columns, nil where rows cannot be read. It never
// shows a name: a file without a header has a person there.
func (d *directory) header(line int, record []string) []string {
	names := make([]string, len(record))
	known := 0
	for i, cell := range record {
		names[i] = strings.ToLower(strings.TrimSpace(cell))
		if slices.Contains(columns(), names[i]) {
			known++
		}
	}
	all := strings.Join(columns(), ",")
	switch {
	case known == 0 && len(record) == 1 && strings.ContainsAny(record[0], ";\t"):
		d.fail(line, "", "must have commas between its columns "+all)
		return nil
	case known == 0:
		d.fail(line, "", "must name the columns in its first line: "+all)
		return nil
	}
	for i, name := range names {
		at := fmt.Sprintf("column %d", i+1)
		if !slices.Contains(columns(), name) {
			d.fail(line, at, "is not a known column; known are "+all)
		} else if slices.Contains(names[:i], name) {
			d.fail(line, at, "is there twice")
		}
	}
	for _, name := range columns() {
		if name != "phone" && !slices.Contains(names, name) {
			d.fail(line, name, "must be a column")
		}
	}
	if d.broken {
		return nil
	}
	return names
}

// row adds the professional of a row. Cells that cannot be read are remembered, so
// that what they lack is not reported again.
func (d *directory) row(line int, header, record []string) {
	if !slices.ContainsFunc(record, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
		return // spreadsheets leave such rows
	}
	if len(record) != len(header) {
		d.fail(line, "", fmt.Sprintf("has %d cells, not %d as the first line", len(record), len(header)))
		return
	}
	p := listed{file: d.name, line: line}
	for i, cell := range record {
		if problem := p.set(header[i], strings.TrimSpace(cell)); problem != "" {
			p.unread = append(p.unread, header[i])
			d.problems = append(d.problems, Problem{File: d.name, Line: line, Path: header[i], Message: problem})
			d.broken = d.broken || header[i] == "id" || header[i] == "role"
		}
	}
	d.people = append(d.people, p)
}

func (p *listed) set(column, cell string) (problem string) {
	switch {
	case !utf8.ValidString(cell):
		return "is not UTF-8: save the file as CSV UTF-8"
	case len(cell) > maxScalar:
		return fmt.Sprintf("is longer than %d bytes", maxScalar)
	}
	switch column {
	case "id":
		p.ID = cell
	case "role":
		p.Role = cell
	case "name":
		p.Name = cell
	case "firm":
		p.Firm = cell
	case "email":
		p.Email = cell
	case "phone":
		p.Phone = cell
	case "areas":
		p.Areas = items(cell)
	case "methods":
		p.Methods = items(cell)
	case "capacity":
		n, err := strconv.Atoi(cell)
		if err != nil {
			return "must be a whole number"
		}
		p.Capacity = n
	}
	return ""
}

// items are the parts of a cell; empty ones do not count.
func items(cell string) []string {
	var out []string
	for part := range strings.SplitSeq(cell, separator) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
