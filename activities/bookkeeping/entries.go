package bookkeeping

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aictive/keyholder/policy"
)

// ErrBroken is a journal whose entries contradict each other: nothing more is booked
// until somebody has looked.
var ErrBroken = errors.New("broken journal")

// maxAmount bounds a transaction, in cents: ten billion dollars. More is a mistake, and
// sums of it could overflow.
const maxAmount policy.Cents = 1e12

// Target are the lines that a transaction needs, debits first, each role once; none where
// it does not count. choice has a category's id for each part, "" for the account of what
// nobody could categorise; payments need none.
func Target(t Transaction, choice []string, rules policy.Finance) ([]Line, error) {
	if !t.Found || t.Voided {
		return nil, nil
	}
	sum := policy.Cents(0)
	for _, p := range t.Parts {
		if p.Amount < 0 || p.Amount > maxAmount-sum {
			return nil, fmt.Errorf("an amount of %s is negative or too large to be booked: correct it at RentVine", t.ID)
		}
		sum += p.Amount
	}
	if sum == 0 {
		return nil, nil
	}
	receivables := Line{Role: RoleReceivables, Account: rules.Accounts.Receivables}
	switch t.Kind {
	case Payment:
		return []Line{{Role: RoleBank, Account: rules.Accounts.Bank, Debit: sum}, receivables.credit(sum)}, nil
	case Charge, Credit, Bill:
	default:
		return nil, fmt.Errorf("%s is of the kind %q, which cannot be booked", t.ID, t.Kind)
	}
	parts, err := byCategory(t, choice, rules)
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case Charge:
		return append([]Line{receivables.debit(sum)}, exchanged(parts)...), nil
	case Bill:
		payables := Line{Role: RolePayables, Account: rules.Accounts.Payables}
		return append(parts, payables.credit(sum)), nil
	case Credit, Payment:
	}
	return append(parts, receivables.credit(sum)), nil
}

// byCategory are the parts as debits, each role once, in the order of the parts.
func byCategory(t Transaction, choice []string, rules policy.Finance) ([]Line, error) {
	if len(choice) != len(t.Parts) {
		return nil, fmt.Errorf("%s has %d parts but %d categories", t.ID, len(t.Parts), len(choice))
	}
	var lines []Line
	for i, p := range t.Parts {
		if p.Amount == 0 {
			continue
		}
		line := Line{Role: RoleUnsure, Account: rules.Accounts.Unsure}
		if id := choice[i]; id != "" {
			c, known := rules.Category(id)
			switch {
			case !known:
				return nil, fmt.Errorf("there is no category %q: add it to finance.categories of the policy, or choose another for %s", id, t.ID)
			case !Fits(t.Kind, c):
				return nil, fmt.Errorf("the category %q is for %s and cannot take a %s: choose another for %s", id, c.Kind, t.Kind, t.ID)
			}
			line = Line{Role: c.ID, Account: c.Account}
		}
		at := slices.IndexFunc(lines, func(l Line) bool { return l.Role == line.Role })
		if at < 0 {
			lines, at = append(lines, line), len(lines)
		}
		lines[at].Debit += p.Amount
	}
	return lines, nil
}

// Fits tells whether transactions of a kind may be booked on a category: bills on
// expenses, charges and credits on income and on liabilities, such as deposits.
func Fits(kind Kind, c policy.BookCategory) bool {
	switch kind {
	case Charge, Credit:
		return c.Kind == policy.CategoryIncome || c.Kind == policy.CategoryLiability
	case Bill:
		return c.Kind == policy.CategoryExpense
	case Payment:
	}
	return false
}

func (l Line) debit(amount policy.Cents) Line {
	l.Debit = amount
	return l
}

func (l Line) credit(amount policy.Cents) Line {
	l.Credit = amount
	return l
}

// exchanged are the same lines with debits and credits exchanged.
func exchanged(lines []Line) []Line {
	out := slices.Clone(lines)
	for i, l := range lines {
		out[i].Debit, out[i].Credit = l.Credit, l.Debit
	}
	return out
}

// BookDay is the day on which something of a day is booked: that day while the books of
// its month are open, which is until closedAfter days after the month's end, included;
// today from then on. What is of the future is booked on its own day.
func BookDay(day, today string, closedAfter int) (string, error) {
	of, err := date(day)
	if err != nil {
		return "", err
	}
	now, err := date(today)
	if err != nil {
		return "", err
	}
	// Day 0 of the next month is the last of this one.
	closed := time.Date(of.Year(), of.Month()+1, max(0, closedAfter), 0, 0, 0, 0, time.UTC)
	if now.After(closed) {
		return today, nil
	}
	return day, nil
}

func date(day string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a day such as 2026-10-31", day)
	}
	return d, nil
}

// Plan are the entries that are missing in a journal so that it says want, of the day
// wantDay: none where it does; a reversal of the entry in force where that is something
// else or of another day; and the new entry where there is to be one. Entries count from
// when they are planned. A reversal is booked on the day of what it takes back while that
// is open, so that a mistake and its correction are in the same month.
//
// What was booked late, since its month was closed, stays where it is: days are compared
// by Of, the transaction's own.
func Plan(booked []Entry, want []Line, wantDay, today string, closedAfter int) ([]Entry, error) {
	force, err := inForce(booked)
	if err != nil {
		return nil, err
	}
	if len(want) == 0 && force == nil || len(want) > 0 && force != nil && force.Of == wantDay && sameLines(force.Lines, want) {
		return nil, nil
	}
	var planned []Entry
	number := 1
	if len(booked) > 0 {
		number = booked[len(booked)-1].Number + 1
	}
	if force != nil {
		day, err := BookDay(force.Day, today, closedAfter)
		if err != nil {
			return nil, err
		}
		planned = append(planned, Entry{Number: number, Day: day, Of: force.Of, Lines: exchanged(force.Lines), Reverses: force.Number})
		number++
	}
	if len(want) == 0 {
		return planned, nil
	}
	day, err := BookDay(wantDay, today, closedAfter)
	if err != nil {
		return nil, err
	}
	entry := Entry{Number: number, Day: day, Of: wantDay, Lines: slices.Clone(want)}
	if !entry.Balanced() {
		return nil, errors.New("debits and credits of the new entry differ")
	}
	return append(planned, entry), nil
}

// inForce is the entry that no other reverses, nil for none. The entries are in order of
// their numbers.
func inForce(booked []Entry) (*Entry, error) {
	var force *Entry
	for i, e := range booked {
		switch {
		case e.Number != i+1:
			return nil, fmt.Errorf("%w: entry %d is where %d should be", ErrBroken, e.Number, i+1)
		case !e.Balanced():
			return nil, fmt.Errorf("%w: entry %d is not balanced", ErrBroken, e.Number)
		case e.Reverses == 0 && force != nil:
			return nil, fmt.Errorf("%w: the entries %d and %d are both in force", ErrBroken, force.Number, e.Number)
		case e.Reverses == 0:
			force = &booked[i]
		case force == nil || force.Number != e.Reverses:
			return nil, fmt.Errorf("%w: entry %d reverses %d, which is not in force", ErrBroken, e.Number, e.Reverses)
		case !sameLines(exchanged(e.Lines), force.Lines):
			return nil, fmt.Errorf("%w: entry %d does not undo %d", ErrBroken, e.Number, e.Reverses)
		default:
			force = nil
		}
	}
	return force, nil
}

// sameLines compares them in any order.
func sameLines(a, b []Line) bool {
	order := func(x, y Line) int {
		return cmp.Or(cmp.Compare(x.Role, y.Role), cmp.Compare(x.Account, y.Account), cmp.Compare(x.Debit, y.Debit), cmp.Compare(x.Credit, y.Credit))
	}
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}

// The letters of documents in QuickBooks, by the beginning of the transaction's ID.
var letters = map[string]string{"charge": "C", "payment": "P", "invoice": "I"}

// maxDigits is the longest id that a document's number shows.
const maxDigits = 12

// Number is the document number of an entry in QuickBooks, such as "C12-1" for the first
// of charge/12. QuickBooks takes 21 characters: of an id that is long or no number, "X"
// and a digest of it stand there.
func Number(transactionID string, n int) string {
	kind, id, _ := strings.Cut(transactionID, "/")
	letter, known := letters[kind]
	digits := id != "" && strings.Trim(id, "0123456789") == ""
	if !known || !digits || len(id) > maxDigits {
		sum := sha256.Sum256([]byte(transactionID))
		id = "X" + base32.StdEncoding.EncodeToString(sum[:])[:maxDigits]
	}
	return cmp.Or(letter, "T") + id + "-" + strconv.Itoa(n)
}

// Memo is the note on an entry in QuickBooks, by which it is found again:
// "Keyholder charge/12#1". It names nobody.
func Memo(transactionID string, n int) string {
	return MemoPrefix + transactionID + "#" + strconv.Itoa(n)
}
