package bankfile

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// row is a record of the file and its line.
type row struct {
	line  int
	cells []string
}

// table is a CSV file: where the columns are (-1 for none) and what is below them.
type table struct {
	date, amount, in, out, description, reference, balance int
	rows                                                   []row
}

func readCSV(text string, o Options, p *problems) Statement {
	if o.Account == "" {
		p.add(0, "a CSV file does not say whose it is: name the account")
	}
	t, ok := readTable(text, o.Columns, p)
	if !ok {
		return Statement{}
	}
	mark := t.decimalMark(p)
	s := Statement{Account: o.Account}
	var balances []*int64
	for _, r := range t.rows {
		l, balance := t.read(r, o.DateLayout, mark, p)
		if l.Amount == 0 && balance == nil {
			continue
		}
		s.Lines, balances = append(s.Lines, l), append(balances, balance)
	}
	if len(p.list) > 0 {
		return Statement{}
	}
	if len(s.Lines) == 0 {
		p.add(0, "there are no movements in it")
		return Statement{}
	}
	s.From, s.To = span(s.Lines)
	s.Opening, s.Closing, s.Balances = t.prove(s.Lines, balances, p)
	s.Lines = slices.DeleteFunc(s.Lines, func(l Line) bool { return l.Amount == 0 })
	giveIDs(s.Lines)
	return s
}

// readTable reads records with the separator that finds the most headings.
func readTable(text string, c Columns, p *problems) (table, bool) {
	if c.Date == "" || (c.Amount == "") == (c.In == "" || c.Out == "") {
		p.add(0, "name the columns of the date, and of either the amount or what came in and what went out")
		return table{}, false
	}
	var best table
	var missing []string
	separator := rune(0)
	for _, s := range []rune{',', ';', '\t'} {
		header, err := newReader(text, s).Read()
		if err != nil {
			continue
		}
		t, absent := columnsIn(header, c)
		if separator == 0 || len(absent) < len(missing) {
			best, missing, separator = t, absent, s
		}
	}
	if separator == 0 {
		p.add(1, "there is no heading that can be read")
		return table{}, false
	}
	if len(missing) > 0 {
		p.add(1, "there is no column %s: the headings must be in the first line, as the policy names them", strings.Join(missing, ", "))
		return table{}, false
	}
	return best.fill(newReader(text, separator), p)
}

func newReader(text string, separator rune) *csv.Reader {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = separator
	return r
}

// columnsIn finds the columns in a heading, and lists those that are missing.
func columnsIn(header []string, c Columns) (t table, missing []string) {
	at := func(name string) int {
		if name == "" {
			return -1
		}
		i := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), strings.TrimSpace(name)) })
		if i < 0 {
			missing = append(missing, `"`+name+`"`)
		}
		return i
	}
	t = table{
		date: at(c.Date), amount: at(c.Amount), in: at(c.In), out: at(c.Out),
		description: at(c.Description), reference: at(c.Reference), balance: at(c.Balance),
	}
	return t, missing
}

// fill reads the records below the heading.
func (t table) fill(r *csv.Reader, p *problems) (table, bool) {
	if _, err := r.Read(); err != nil {
		p.add(1, "the heading cannot be read")
		return t, false
	}
	for {
		cells, err := r.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return t, true
		case errors.Is(err, csv.ErrFieldCount) && errors.As(err, &bad):
			p.add(bad.Line, "it has %d cells, and the heading has %d", len(cells), r.FieldsPerRecord)
			continue
		case errors.As(err, &bad):
			p.add(bad.Line, "a quote is not as CSV wants it; what follows was not looked at")
			return t, false
		case err != nil:
			p.add(0, "it cannot be read as CSV")
			return t, false
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		if len(t.rows) == MaxLines {
			p.add(0, "it has more than %d movements: export a shorter time", MaxLines)
			return t, false
		}
		line, _ := r.FieldPos(0)
		t.rows = append(t.rows, row{line, cells})
	}
}

// decimalMark is the one that the amounts of the file show, "" where none does.
func (t table) decimalMark(p *problems) string {
	mark := ""
	for _, r := range t.rows {
		for _, column := range []int{t.amount, t.in, t.out, t.balance} {
			digits, _, ok := bare(r.cell(column))
			found := decimalMark(digits)
			if !ok || found == "" {
				continue
			}
			if mark != "" && found != mark {
				p.add(r.line, "an amount has another decimal mark than those before")
				return mark
			}
			mark = found
		}
	}
	return mark
}

// cell is "" where there is no such column.
func (r row) cell(column int) string {
	if column < 0 {
		return ""
	}
	return strings.TrimSpace(r.cells[column])
}

// read reads a row; balance is nil where it has none.
func (t table) read(r row, layout, mark string, p *problems) (l Line, balance *int64) {
	l = Line{Text: clean(r.cell(t.description)), Reference: clean(r.cell(t.reference))}
	day, err := time.Parse(layout, r.cell(t.date))
	switch {
	case err != nil:
		p.add(r.line, "the date is not as %q writes it", layout)
	case day.Year() < 1970:
		p.add(r.line, "the date is before 1970")
	}
	l.Day = day.Format(time.DateOnly)
	money := func(column int, what string) int64 {
		cents, err := amount(r.cell(column), mark)
		if err != nil {
			p.add(r.line, "%s %v", what, err)
		}
		return cents
	}
	in, out := r.cell(t.in), r.cell(t.out)
	switch {
	case t.amount >= 0:
		l.Amount = money(t.amount, "the amount")
	case in == "" && out == "":
		p.add(r.line, "there is no amount in it")
	default:
		came, went := int64(0), int64(0)
		if in != "" {
			came = money(t.in, "what came in")
		}
		if out != "" {
			// Some banks write what went out with a minus.
			went = abs(money(t.out, "what went out"))
		}
		if came != 0 && went != 0 {
			p.add(r.line, "money came in and went out in one line")
		}
		l.Amount = came - went
	}
	if r.cell(t.balance) != "" {
		b := money(t.balance, "the balance")
		balance = &b
	}
	return l, balance
}

// prove finds the balances before and after all lines. The balances beside lines must
// lead from one to the next, forwards or, where the newest line comes first, backwards.
func (t table) prove(lines []Line, balances []*int64, p *problems) (opening, closing int64, ok bool) {
	sum := int64(0)
	for _, l := range lines {
		sum += l.Amount
	}
	opening, wrong, ok := openingOf(lines, balances)
	if !ok {
		return 0, 0, false
	}
	if wrong >= 0 {
		turned, turnedBalances := slices.Clone(lines), slices.Clone(balances)
		slices.Reverse(turned)
		slices.Reverse(turnedBalances)
		var turnedWrong int
		opening, turnedWrong, _ = openingOf(turned, turnedBalances)
		if turnedWrong >= 0 {
			if lines[0].Day > lines[len(lines)-1].Day {
				wrong = len(lines) - 1 - turnedWrong
			}
			p.add(0, "the balance of %s does not follow from the lines: one is missing, or one too many (movement %d of the file)", lines[wrong].Day, wrong+1)
			return 0, 0, false
		}
	}
	return opening, opening + sum, true
}

// openingOf is the balance before the first line, by the first balance there is. wrong is
// the first line whose balance says another one, -1 for none; ok is false where there are
// no balances.
func openingOf(lines []Line, balances []*int64) (opening int64, wrong int, ok bool) {
	sum := int64(0)
	for i, b := range balances {
		sum += lines[i].Amount
		switch {
		case b == nil:
		case !ok:
			opening, ok = *b-sum, true
		case *b-sum != opening:
			return opening, i, true
		}
	}
	return opening, -1, ok
}

func abs(n int64) int64 { return max(n, -n) }
