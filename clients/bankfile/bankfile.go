// Package bankfile reads statements that banks let one download: CSV and OFX (1.x and
// 2.x, also called QFX or QBO). Money is whole cents, days are as the bank wrote them.
package bankfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Limits of a file.
const (
	MaxBytes = 20 << 20
	MaxLines = 100_000
)

// Options say how a file is to be read.
type Options struct {
	// Account is what the account is called. A CSV file does not say it; where it is "",
	// an OFX file's own number is taken, masked to its last four digits.
	Account string
	// Currency is the books', ISO 4217. A file that says another one is refused.
	Currency string
	// Columns and DateLayout are for CSV. DateLayout is as Go writes it, "2006-01-02"
	// where it is "".
	Columns    Columns
	DateLayout string
}

// Columns are headings in a CSV file, in any case. Either Amount is given, which is
// negative for money that leaves, or In and Out are, which say both how much. Date is
// needed, the others may be "".
type Columns struct {
	Date, Amount, In, Out, Description, Reference, Balance string
}

// Statement is what a file says.
type Statement struct {
	// ID is the digest of the file.
	ID                string
	Account, Currency string
	// From and To are YYYY-MM-DD, both included.
	From, To string
	// Opening and Closing are the balances before the first and after the last line,
	// where Balances is true.
	Opening, Closing int64 // cents
	Balances         bool
	// Lines are in the file's order. Lines of no amount are left out.
	Lines []Line
}

// Line is one movement. Amount is positive where money came.
type Line struct {
	// ID is the bank's (FITID), or made of what the line says and of how often the file
	// has said the same before.
	ID                   string
	Day, Text, Reference string
	Amount               int64 // cents
}

// Read reads a statement; name is the file's. OFX is told by its header, everything else
// is taken for CSV. It reads all or nothing: the error lists up to 20 problems, each with
// its line in the file, and shows none of the file's values.
func Read(r io.Reader, name string, o Options) (Statement, error) {
	name = filepath.Base(name)
	if o.Currency == "" {
		return Statement{}, errors.New("bankfile: want the currency of the books")
	}
	if o.DateLayout == "" {
		o.DateLayout = time.DateOnly
	}
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Statement{}, fmt.Errorf("bankfile: read %s: %w", name, err)
	}
	if len(raw) > MaxBytes {
		return Statement{}, fmt.Errorf("bankfile: %s is larger than %d MB: export a shorter time", name, MaxBytes>>20)
	}
	text, err := decode(raw)
	if err != nil {
		return Statement{}, fmt.Errorf("bankfile: %s is neither UTF-8 nor UTF-16 text: export it as CSV or OFX", name)
	}
	p := &problems{}
	var s Statement
	if isOFX(text) {
		s = readOFX(text, o, p)
	} else {
		s = readCSV(text, o, p)
	}
	if err := p.err(); err != nil {
		return Statement{}, fmt.Errorf("bankfile: %s: %w", name, err)
	}
	digest := sha256.Sum256(raw)
	s.ID, s.Currency = hex.EncodeToString(digest[:]), o.Currency
	return s, nil
}

// decode makes UTF-8 of what banks write: UTF-8 or UTF-16 with a mark, or Windows-1252.
func decode(raw []byte) (string, error) {
	marked := unicode.BOMOverride(encoding.Nop.NewDecoder())
	text, _, err := transform.Bytes(marked, raw)
	if err == nil && !utf8.Valid(text) {
		text, err = charmap.Windows1252.NewDecoder().Bytes(raw)
	}
	if err == nil && bytes.IndexByte(text, 0) >= 0 {
		err = errors.New("there are zero bytes in it")
	}
	return string(text), err
}

// mask leaves the last four characters of an account number.
func mask(account string) string {
	account = strings.TrimSpace(account)
	return "..." + account[max(len(account)-4, 0):]
}

// clean makes one line of a bank's text, of at most 300 characters.
func clean(texts ...string) string {
	line := []rune(strings.Join(strings.Fields(strings.Join(texts, " ")), " "))
	return string(line[:min(len(line), maxText)])
}

const maxText = 300

// span is the first and the last of the lines' days.
func span(lines []Line) (from, to string) {
	for _, l := range lines {
		if from == "" || l.Day < from {
			from = l.Day
		}
		to = max(to, l.Day)
	}
	return from, to
}

// giveIDs names the lines that the bank has not named: by what they say, and by how often
// that was said before.
func giveIDs(lines []Line) {
	said := map[string]int{}
	for i, l := range lines {
		if l.ID != "" {
			continue
		}
		what := strings.Join([]string{l.Day, strconv.FormatInt(l.Amount, 10), l.Text, l.Reference}, "\x00")
		said[what]++
		digest := sha256.Sum256([]byte(what))
		lines[i].ID = hex.EncodeToString(digest[:12]) + "-" + strconv.Itoa(said[what])
	}
}

// maxProblems is how many are told at once.
const maxProblems = 20

// problems collects what is wrong with a file.
type problems struct {
	list []string
	more int
}

// add notes a problem; line is 0 where it is of no line.
func (p *problems) add(line int, format string, args ...any) {
	if len(p.list) == maxProblems {
		p.more++
		return
	}
	text := fmt.Sprintf(format, args...)
	if line > 0 {
		text = fmt.Sprintf("line %d: %s", line, text)
	}
	p.list = append(p.list, text)
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	text := strings.Join(p.list, "; ")
	if p.more > 0 {
		text += fmt.Sprintf("; and %d more", p.more)
	}
	return errors.New(text)
}
