package intake

import (
	"bytes"
	"unicode/utf8"
)

// record is one record of a CSV file (RFC 4180). It is good until the next is read.
type record struct {
	// line is that of its first byte, from 1.
	line int
	// cells are its first maxColumns cells, count is how many it has.
	cells []cell
	count int
	// misquoted is true where quotes are not as RFC 4180 has them, but the end of the
	// record is certain.
	misquoted bool
}

// cell is a piece of the file, without the quotes around it. Nothing is copied
// before its length has been looked at.
type cell struct {
	raw     []byte
	doubled bool // holds quotes that are written twice
}

// tooLong tells whether a cell has more characters than any field takes.
func (c cell) tooLong() bool {
	return len(c.raw) > maxCell && (len(c.raw) > 2*utf8.UTFMax*maxCell || utf8.RuneCount(c.value()) > maxCell)
}

func (c cell) value() []byte {
	if c.doubled {
		return bytes.ReplaceAll(c.raw, []byte(`""`), []byte(`"`))
	}
	return c.raw
}

// blank tells whether the record is an empty line or holds nothing but separators.
func (r record) blank() bool {
	for _, c := range r.cells {
		if len(bytes.TrimSpace(c.raw)) > 0 {
			return false
		}
	}
	return r.count <= maxColumns
}

// splitter finds the records of a CSV file.
type splitter struct {
	rest      []byte
	separator byte
	line      int // of rest
	cells     []cell
}

// next returns the next record that is not blank; false at the end.
func (s *splitter) next() (record, bool, *FileError) {
	for len(s.rest) > 0 {
		r, bad := s.record()
		if bad != nil {
			return record{}, false, bad
		}
		if !r.blank() {
			return r, true, nil
		}
	}
	return record{}, false, nil
}

func (s *splitter) record() (record, *FileError) {
	r := record{line: s.line}
	s.cells = s.cells[:0]
	for more := true; more; {
		c, fine, bad := s.cell()
		if bad != nil {
			return r, bad
		}
		r.misquoted = r.misquoted || !fine
		r.count++
		if len(s.cells) < maxColumns {
			s.cells = append(s.cells, c)
		}
		more = s.endCell()
	}
	r.cells = s.cells
	return r, nil
}

// cell cuts one cell off the rest; fine is false where its quotes are out of place.
func (s *splitter) cell() (c cell, fine bool, bad *FileError) {
	if len(s.rest) == 0 || s.rest[0] != '"' {
		n := s.cellEnd()
		c.raw, s.rest = s.rest[:n], s.rest[n:]
		return c, bytes.IndexByte(c.raw, '"') < 0, nil
	}
	line := s.line
	if c, bad = s.quoted(); bad != nil || s.atCellEnd() {
		return c, true, bad
	}
	return c, false, s.resume(c, line)
}

// quoted cuts a cell in quotes. One that never ends makes the file useless: nobody
// can tell which of the following lines are rows.
func (s *splitter) quoted() (cell, *FileError) {
	doubled := false
	for at := 1; ; {
		i := bytes.IndexByte(s.rest[at:], '"')
		if i < 0 {
			return cell{}, errUnbalanced(s.line)
		}
		at += i + 1
		if at < len(s.rest) && s.rest[at] == '"' {
			doubled = true
			at++
			continue
		}
		c := cell{raw: s.rest[1 : at-1], doubled: doubled}
		s.rest = s.rest[at:]
		s.line += lineEnds(c.raw)
		return c, nil
	}
}

// resume passes over what follows a closing quote up to the end of the line, where
// that is certain to be the end of the record: the cell ended on the line on which it
// began, and the quotes from there on come in pairs.
func (s *splitter) resume(c cell, line int) *FileError {
	n := s.lineEnd()
	quotes := bytes.Count(c.raw, []byte{'"'}) + bytes.Count(s.rest[:n], []byte{'"'})
	if lineEnds(c.raw) > 0 || quotes%2 != 0 {
		return errUnbalanced(line)
	}
	s.rest = s.rest[n:]
	return nil
}

func errUnbalanced(line int) *FileError {
	return &FileError{Line: line, Detail: "A quote opens here that is not closed in its cell, so nothing after it can be trusted. " +
		"Put quotes around the whole cell, and double each quote inside."}
}

// atCellEnd tells whether the rest begins with a separator or the end of a line.
func (s *splitter) atCellEnd() bool {
	return len(s.rest) == 0 || s.rest[0] == s.separator || s.rest[0] == '\n' || s.rest[0] == '\r'
}

// endCell passes over a separator (true: another cell follows) or a line's end.
func (s *splitter) endCell() bool {
	if len(s.rest) == 0 {
		return false
	}
	end := s.rest[0]
	if end == '\r' && len(s.rest) > 1 && s.rest[1] == '\n' {
		s.rest = s.rest[1:]
	}
	s.rest = s.rest[1:]
	if end == s.separator {
		return true
	}
	s.line++
	return false
}

func (s *splitter) cellEnd() int {
	for i, b := range s.rest {
		if b == s.separator || b == '\n' || b == '\r' {
			return i
		}
	}
	return len(s.rest)
}

func (s *splitter) lineEnd() int {
	if i := bytes.IndexAny(s.rest, "\r\n"); i >= 0 {
		return i
	}
	return len(s.rest)
}
