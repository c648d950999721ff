// Package marketrents reads market data: a CSV file of the rents that others ask or pay.
// It is pure, and reads all or nothing.
package marketrents

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

const (
	// MaxRows bounds a file.
	MaxRows = 100_000
	// maxBytes bounds it too.
	maxBytes = 64 << 20
	// maxProblems is how many problems are told.
	maxProblems = 20
	// maxRent bounds a month's rent that is believed.
	maxRent = policy.Cents(100_000_00)
	maxText = 100
)

// The columns of a file, by their headings in any order. Others are passed over.
const (
	colRef   = "ref"
	colDate  = "date"
	colZip   = "zip"
	colCity  = "city"
	colState = "state"
	colBeds  = "beds"
	colBaths = "baths"
	colSize  = "size"
	colBuilt = "built"
	colRent  = "rent"
)

var (
	sourcePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	zipPattern    = regexp.MustCompile(`^([0-9]{5})(-[0-9]{4})?$`)
	statePattern  = regexp.MustCompile(`^[A-Z]{2}$`)
	// plainPattern and groupedPattern are "1850.00" and "1,850.00".
	plainPattern   = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,2})?$`)
	groupedPattern = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?$`)
)

// Read reads a file of a source, with commas, semicolons or tabs. Dates are YYYY-MM-DD and
// none is after today. The error lists up to 20 problems with their lines, and holds
// nothing of what was read but headings.
func Read(in io.Reader, source, today string) ([]store.MarketRent, error) {
	if !sourcePattern.MatchString(source) {
		return nil, errors.New("the name of the source must have small letters, digits, - and _, and at most 32 of them")
	}
	text, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be read: %w", err)
	case len(text) > maxBytes:
		return nil, fmt.Errorf("is larger than %d MB: split it", maxBytes>>20)
	case !utf8.Valid(text):
		return nil, errors.New("is not in UTF-8: save it as CSV in UTF-8")
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	t, err := open(text)
	if err != nil {
		return nil, err
	}
	r := reader{source: source, today: today, table: t, refs: map[string]int{}}
	rows := r.rows()
	if err := r.err(); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("has no rows below its heading")
	}
	return rows, nil
}

// table is a CSV file below its heading.
type table struct {
	csv *csv.Reader
	// at is where the columns are.
	at map[string]int
}

// open reads the heading with the separator that finds the most columns.
func open(text []byte) (table, error) {
	best := table{}
	for _, separator := range []rune{',', ';', '\t'} {
		in := csv.NewReader(bytes.NewReader(text))
		in.Comma = separator
		header, err := in.Read()
		if err != nil {
			continue
		}
		at := map[string]int{}
		for i, name := range header {
			name = strings.ToLower(strings.TrimSpace(name))
			if _, twice := at[name]; !twice {
				at[name] = i
			}
		}
		if best.csv == nil || known(at) > known(best.at) {
			best = table{in, at}
		}
	}
	if best.csv == nil {
		return table{}, errors.New("line 1: there is no heading that can be read")
	}
	var missing []string
	for _, name := range []string{colRef, colDate, colState, colRent} {
		if _, ok := best.at[name]; !ok {
			missing = append(missing, name)
		}
	}
	_, zip := best.at[colZip]
	_, city := best.at[colCity]
	if !zip && !city {
		missing = append(missing, colZip+" or "+colCity)
	}
	if len(missing) > 0 {
		return table{}, fmt.Errorf("line 1: there is no column %s; the headings are %s", strings.Join(missing, ", "), strings.Join(columns(), ", "))
	}
	return best, nil
}

func columns() []string {
	return []string{colRef, colDate, colZip, colCity, colState, colBeds, colBaths, colSize, colBuilt, colRent}
}

func known(at map[string]int) (n int) {
	for _, name := range columns() {
		if _, ok := at[name]; ok {
			n++
		}
	}
	return n
}

// reader reads the rows of a table, and collects what is wrong with them.
type reader struct {
	table
	source, today string
	// refs are the lines of those read before.
	refs     map[string]int
	line     int
	cells    []string
	problems []string
	more     int
}

func (r *reader) wrong(format string, args ...any) {
	if len(r.problems) == maxProblems {
		r.more++
		return
	}
	r.problems = append(r.problems, fmt.Sprintf("line %d: ", r.line)+fmt.Sprintf(format, args...))
}

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	text := strings.Join(r.problems, "; ")
	if r.more > 0 {
		text += fmt.Sprintf("; and %d more", r.more)
	}
	return errors.New(text)
}

func (r *reader) rows() []store.MarketRent {
	var list []store.MarketRent
	for {
		cells, err := r.csv.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return list
		case errors.Is(err, csv.ErrFieldCount) && errors.As(err, &bad):
			r.line = bad.Line
			r.wrong("it has %d cells, and the heading has %d", len(cells), r.csv.FieldsPerRecord)
			continue
		case errors.As(err, &bad):
			r.line = bad.Line
			r.wrong("a quote is not as CSV wants it; what follows was not looked at")
			return list
		case err != nil:
			r.wrong("it cannot be read as CSV")
			return list
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		r.line, _ = r.csv.FieldPos(0)
		if len(list) == MaxRows {
			r.wrong("there are more than %d rows: split the file", MaxRows)
			return list
		}
		r.cells = cells
		list = append(list, r.row())
	}
}

func (r *reader) row() store.MarketRent {
	return store.MarketRent{
		Source: r.source, Ref: r.ref(), Day: r.day(), ZipCode: r.zip(), City: r.city(), State: r.state(),
		Beds: r.beds(), Baths: r.baths(), Size: r.whole(colSize, 50, 100_000), Built: r.whole(colBuilt, 1500, 2200), Rent: int64(r.rent()),
	}
}

// cell is a column's, "" where the file has none.
func (r *reader) cell(name string) string {
	i, ok := r.at[name]
	if !ok {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

func (r *reader) ref() string {
	ref := r.cell(colRef)
	if !isText(ref) || ref == "" {
		r.wrong("%s must be given and be one line of at most %d bytes", colRef, maxText)
		return ref
	}
	if line, twice := r.refs[ref]; twice {
		r.wrong("%s is that of line %d: each row needs one of its own", colRef, line)
	}
	r.refs[ref] = r.line
	return ref
}

func isText(text string) bool {
	return len(text) <= maxText && !strings.ContainsFunc(text, unicode.IsControl)
}

func (r *reader) day() string {
	day := r.cell(colDate)
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		r.wrong("%s must be a day such as 2026-11-22", colDate)
	} else if day > r.today {
		r.wrong("%s is after today, %s", colDate, r.today)
	}
	return day
}

func (r *reader) zip() string {
	text := r.cell(colZip)
	m := zipPattern.FindStringSubmatch(text)
	switch {
	case m != nil:
		return m[1]
	case text != "":
		r.wrong("%s must have five digits, or five and four as in 97209-1234; a spreadsheet may have cut a leading 0", colZip)
	case r.cell(colCity) == "":
		r.wrong("%s or %s must be given", colZip, colCity)
	}
	return ""
}

func (r *reader) city() string {
	city := r.cell(colCity)
	if !isText(city) {
		r.wrong("%s must be one line of at most %d bytes", colCity, maxText)
	}
	return city
}

func (r *reader) state() string {
	state := strings.ToUpper(r.cell(colState))
	if !statePattern.MatchString(state) {
		r.wrong("%s must be the two letters of a state, such as OR", colState)
	}
	return state
}

// beds is -1 where unknown.
func (r *reader) beds() int {
	text := r.cell(colBeds)
	switch {
	case text == "":
		return -1
	case strings.EqualFold(text, "studio"):
		return 0
	}
	return r.whole(colBeds, 0, 20)
}

// baths are full ones: 1.5 is 1.
func (r *reader) baths() int {
	text := r.cell(colBaths)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n <= 20) {
		r.wrong("%s must be a number from 0 to 20, or empty", colBaths)
		return 0
	}
	return int(n)
}

// whole is a whole number, 0 where the cell is empty.
func (r *reader) whole(name string, least, most int) int {
	text := r.cell(name)
	if text == "" {
		return 0
	}
	if groupedPattern.MatchString(text) {
		text = strings.ReplaceAll(text, ",", "")
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		r.wrong("%s must be a whole number from %d to %d, or empty", name, least, most)
		return 0
	}
	return n
}

func (r *reader) rent() policy.Cents {
	text := strings.TrimSpace(strings.TrimPrefix(r.cell(colRent), "$"))
	if groupedPattern.MatchString(text) {
		text = strings.ReplaceAll(text, ",", "")
	}
	var rent policy.Cents
	if plainPattern.MatchString(text) {
		rent, _ = policy.ParseCents(text)
	}
	if rent <= 0 || rent > maxRent {
		r.wrong("%s must be an amount a month such as 1850.00, above 0 and at most %s", colRent, maxRent)
	}
	return rent
}
