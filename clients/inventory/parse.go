package inventory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxItems    = 50_000
	maxField    = 200 // characters
	maxQuantity = 10_000_000
	maxDays     = 3650
	// maxProblems is how many mistakes are told at once.
	maxProblems = 5
)

var (
	skuPattern     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}$`)
	contactPattern = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	costPattern    = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,2})?$`)
)

// columns are those that a list needs; the others may be missing.
func columns() []string { return []string{"sku", "name", "quantity"} }

// Parse reads a list. The error tells the first mistakes, by line and column.
func Parse(raw []byte) (*List, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) {
		return nil, errors.New("the stock list is not UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.ReuseRecord = true
	heading, err := r.Read()
	if err != nil {
		return nil, errors.New("the stock list has no heading: want sku,name,quantity,unit_cost,supplier_contact,lead_days")
	}
	at := map[string]int{}
	for i, name := range heading {
		at[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, name := range columns() {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("the stock list has no column %s: want sku,name,quantity,unit_cost,supplier_contact,lead_days", name)
		}
	}
	list := &List{Digest: digest(raw), items: map[string]Item{}}
	var problems []error
	for len(problems) < maxProblems {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			return nil, errors.Join(append(problems, fmt.Errorf("line %d, column %d: %w", broken.Line, broken.Column, broken.Err))...)
		}
		if err != nil {
			return nil, err
		}
		row := row{at: at, record: record, r: r}
		item := row.item()
		if _, twice := list.items[key(item.SKU)]; twice {
			row.wrong("sku", "is on the list twice")
		}
		if len(list.items) == maxItems {
			return nil, fmt.Errorf("the stock list has more than %d parts", maxItems)
		}
		problems = append(problems, row.problems...)
		list.items[key(item.SKU)] = item
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if len(list.items) == 0 {
		return nil, errors.New("the stock list has no parts at all: one that was cut short is not believed")
	}
	return list, nil
}

// row reads one line and notes what is wrong with it, without repeating it.
type row struct {
	at       map[string]int
	record   []string
	r        *csv.Reader
	problems []error
}

func (r *row) field(name string) string {
	i, ok := r.at[name]
	if !ok {
		return ""
	}
	return strings.TrimSpace(r.record[i])
}

func (r *row) wrong(name, format string, a ...any) {
	line, column := r.r.FieldPos(r.at[name])
	r.problems = append(r.problems, fmt.Errorf("line %d, column %d: %s %s", line, column, name, fmt.Sprintf(format, a...)))
}

func (r *row) number(name string, most int) int {
	text := r.field(name)
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		r.wrong(name, "must be a whole number from 0 to %d", most)
		return 0
	}
	return n
}

func (r *row) item() Item {
	item := Item{SKU: r.field("sku"), Name: r.field("name"), Quantity: r.number("quantity", maxQuantity)}
	if !skuPattern.MatchString(item.SKU) {
		r.wrong("sku", "must be 1 to 64 letters, digits, spaces, dots, dashes, slashes or underscores")
	}
	if n := utf8.RuneCountInString(item.Name); n == 0 || n > maxField {
		r.wrong("name", "must have 1 to %d characters", maxField)
	}
	if r.field("lead_days") != "" {
		item.LeadDays = r.number("lead_days", maxDays)
	}
	if contact := r.field("supplier_contact"); contact != "" {
		if !contactPattern.MatchString(contact) {
			r.wrong("supplier_contact", "must be the contact's id in RentVine")
		}
		item.SupplierContact = contact
	}
	if cost := r.field("unit_cost"); cost != "" {
		if !costPattern.MatchString(cost) {
			r.wrong("unit_cost", "must be an amount such as 12.50")
			return item
		}
		whole, part, _ := strings.Cut(cost, ".")
		n, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
		if err != nil {
			r.wrong("unit_cost", "must be an amount such as 12.50")
		}
		item.UnitCost = n
	}
	return item
}
