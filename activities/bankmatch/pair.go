package bankmatch

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/aictive/keyholder/policy"
)

// maxRounds bounds how often the rules are tried again on what others have left.
const maxRounds = 20

// Pair matches lines with bookings. What the rules say one after the other:
//
//   - reversed: a booking and the one that takes it back, and a reversal with the
//     correction that books the same amount again; no line is needed.
//   - exact: the same amount, and the line on the booking's day or up to DaysApart days
//     later. Where the line names the booking, that counts. Else as many lines as bookings
//     must fit, which are taken in order, for equal money is interchangeable.
//   - tolerant: up to AmountApart and DaysApart from each other, where neither fits
//     anything else.
//   - deposit: a line that sums up 2 to DepositOf bookings of its day and the three days
//     before, where there is one such sum alone.
//   - exact again, where nothing else decides: days with as many lines as bookings of the
//     same amount, though other days do not agree.
//
// The rest is open, with at most three proposals a line. The order of the input does not
// matter. IDs must be unique.
func Pair(lines []Line, bookings []Booking, rules policy.BankMatching) Result {
	p := newPairing(lines, bookings, rules)
	p.reversals()
	for range maxRounds {
		before := len(p.result.Matches)
		p.named()
		p.exact(p.group)
		p.tolerant()
		p.deposits()
		if len(p.result.Matches) > before {
			continue
		}
		if p.exact(p.eachDay); len(p.result.Matches) == before {
			break
		}
	}
	for _, l := range p.lines {
		if !l.done {
			p.result.OpenLines = append(p.result.OpenLines, l.Line)
			p.result.Proposals = append(p.result.Proposals, p.proposals(l)...)
		}
	}
	for _, b := range p.bookings {
		if !b.done {
			p.result.OpenBookings = append(p.result.OpenBookings, b.Booking)
		}
	}
	return p.result
}

// pairing is what Pair works on: lines and bookings by day and ID.
type pairing struct {
	rules    policy.BankMatching
	lines    []*line
	bookings []*booking
	result   Result
}

type line struct {
	Line
	day   int
	words map[string]bool
	// number is the reference from its first digit on.
	number string
	done   bool
}

type booking struct {
	Booking
	day, number int
	transaction string
	// reference is the transaction's number, "" for none.
	reference string
	done      bool
}

func newPairing(lines []Line, bookings []Booking, rules policy.BankMatching) *pairing {
	p := &pairing{rules: rules}
	for _, l := range lines {
		number := strings.TrimLeftFunc(strings.TrimSpace(l.Reference), func(r rune) bool { return !unicode.IsDigit(r) })
		p.lines = append(p.lines, &line{Line: l, day: dayNumber(l.Day), words: wordsOf(l.Text + " " + l.Reference), number: number})
	}
	for _, b := range bookings {
		transaction, number, _ := strings.Cut(b.ID, "#")
		n, _ := strconv.Atoi(number) // 0 where it is none
		_, reference, _ := strings.Cut(transaction, "/")
		p.bookings = append(p.bookings, &booking{Booking: b, day: dayNumber(b.Day), number: n, transaction: strings.ToLower(transaction), reference: reference})
	}
	slices.SortFunc(p.lines, func(a, b *line) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(p.bookings, func(a, b *booking) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.transaction, b.transaction), cmp.Compare(a.number, b.number), cmp.Compare(a.ID, b.ID))
	})
	return p
}

func wordsOf(text string) map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '/'
	}) {
		words[w] = true
	}
	return words
}

// take records a match and takes its members from what is open.
func (p *pairing) take(how, why string, lines []*line, bookings ...*booking) {
	m := Match{How: how, Why: why}
	for _, l := range lines {
		l.done = true
		m.Lines = append(m.Lines, l.ID)
	}
	for _, b := range bookings {
		b.done = true
		m.Bookings = append(m.Bookings, b.ID)
	}
	slices.Sort(m.Lines)
	slices.Sort(m.Bookings)
	p.result.Matches = append(p.result.Matches, m)
}

// reversals match bookings that take each other back.
func (p *pairing) reversals() {
	byID, again := map[string]*booking{}, map[string][]*booking{}
	for _, b := range p.bookings {
		byID[b.ID] = b
		if b.Reverses == "" {
			again[b.transaction] = append(again[b.transaction], b)
		}
	}
	var left []*booking
	for _, b := range p.bookings {
		original := byID[b.Reverses]
		switch {
		case b.Reverses == "":
		case original == nil:
			left = append(left, b)
		case !b.done && !original.done && original.Amount == -b.Amount:
			p.take(Reversed, "The second takes the first back.", nil, original, b)
		}
	}
	// The original is matched: its money came. A correction of the same amount is that
	// money too.
	for _, b := range left {
		if i := slices.IndexFunc(again[b.transaction], func(c *booking) bool {
			return !c.done && c.number > b.number && c.Amount == -b.Amount
		}); i >= 0 {
			p.take(Reversed, "The correction books the same amount again.", nil, b, again[b.transaction][i])
		}
	}
}

// fitsExactly tells whether a line may be a booking by amount and day.
func (p *pairing) fitsExactly(l *line, b *booking) bool {
	return l.Amount == b.Amount && l.day >= b.day && l.day-b.day <= p.rules.DaysApart && b.day >= 0
}

// fitsAbout is the same with the tolerance.
func (p *pairing) fitsAbout(l *line, b *booking) bool {
	return (l.Amount > 0) == (b.Amount > 0) && abs(l.Amount-b.Amount) <= p.rules.AmountApart &&
		abs(l.day-b.day) <= p.rules.DaysApart && l.day >= 0 && b.day >= 0
}

// names tells whether a line speaks of a booking: of its transaction ("payment/13"), or
// by a reference whose number is the transaction's.
func (l *line) names(b *booking) bool {
	return l.words[b.transaction] || l.number != "" && l.number == b.reference
}

type pair struct {
	line    *line
	booking *booking
}

// only lists the open pairs that fit, of which neither fits into another one.
func (p *pairing) only(fits func(*line, *booking) bool) []pair {
	var all []pair
	fitsLine, fitsBooking := map[*line]int{}, map[*booking]int{}
	for _, l := range p.lines {
		if l.done {
			continue
		}
		for b := range p.around(l, p.rules.DaysApart, p.rules.DaysApart) {
			if fits(l, b) {
				all = append(all, pair{l, b})
				fitsLine[l]++
				fitsBooking[b]++
			}
		}
	}
	return slices.DeleteFunc(all, func(m pair) bool { return fitsLine[m.line] > 1 || fitsBooking[m.booking] > 1 })
}

// around goes through the open bookings from some days before to some days after a line.
func (p *pairing) around(l *line, before, after int) iter.Seq[*booking] {
	return func(yield func(*booking) bool) {
		if l.day < 0 {
			return
		}
		from, _ := slices.BinarySearchFunc(p.bookings, max(l.day-before, 0), func(b *booking, day int) int { return cmp.Compare(b.day, day) })
		for _, b := range p.bookings[from:] {
			if b.day > l.day+after || !b.done && !yield(b) {
				return
			}
		}
	}
}

func (p *pairing) named() {
	for _, m := range p.only(func(l *line, b *booking) bool { return p.fitsExactly(l, b) && l.names(b) }) {
		p.take(Exact, "The same amount, and the line names "+m.booking.transaction+".", []*line{m.line}, m.booking)
	}
}

func (p *pairing) tolerant() {
	for _, m := range p.only(p.fitsAbout) {
		p.take(Tolerant, fmt.Sprintf("%s and %s apart, and nothing else is near.",
			money(abs(m.line.Amount-m.booking.Amount)), days(abs(m.line.day-m.booking.day))), []*line{m.line}, m.booking)
	}
}

// exact has groups of lines and bookings of one amount matched that hang together by their
// days.
func (p *pairing) exact(match func([]*line, []*booking)) {
	lines, bookings := map[policy.Cents][]*line{}, map[policy.Cents][]*booking{}
	for _, l := range p.lines {
		if !l.done && l.day >= 0 {
			lines[l.Amount] = append(lines[l.Amount], l)
		}
	}
	for _, b := range p.bookings {
		if !b.done && b.day >= 0 && len(lines[b.Amount]) > 0 {
			bookings[b.Amount] = append(bookings[b.Amount], b)
		}
	}
	amounts := make([]policy.Cents, 0, len(bookings))
	for amount := range bookings {
		amounts = append(amounts, amount)
	}
	slices.Sort(amounts)
	for _, amount := range amounts {
		p.exactOf(lines[amount], bookings[amount], match)
	}
}

// exactOf takes lines and bookings of one amount, both by day. The bookings that fit a
// line are next to each other, and move on with the lines: a group ends where the next
// line's do not overlap.
func (p *pairing) exactOf(lines []*line, bookings []*booking, match func([]*line, []*booking)) {
	var group []*line
	from, to := 0, 0
	for _, l := range lines {
		first, _ := slices.BinarySearchFunc(bookings, l.day-p.rules.DaysApart, func(b *booking, day int) int { return cmp.Compare(b.day, day) })
		end, _ := slices.BinarySearchFunc(bookings, l.day+1, func(b *booking, day int) int { return cmp.Compare(b.day, day) })
		if first == end {
			continue
		}
		if first >= to {
			match(group, bookings[from:to])
			group, from = nil, first
		}
		group, to = append(group, l), end
	}
	match(group, bookings[from:to])
}

// group matches as many lines as bookings.
func (p *pairing) group(lines []*line, bookings []*booking) {
	why := "The same amount, and the only one within the days."
	if len(lines) > 1 {
		why = fmt.Sprintf("The same amount: %d lines and %d bookings of it, taken in order, for equal money is interchangeable.", len(lines), len(bookings))
	}
	p.inOrder(why, lines, bookings)
}

// eachDay matches those of each day on which there are as many lines as bookings.
func (p *pairing) eachDay(lines []*line, bookings []*booking) {
	for len(bookings) > 0 {
		day, n := bookings[0].day, 0
		for n < len(bookings) && bookings[n].day == day {
			n++
		}
		same := slices.DeleteFunc(slices.Clone(lines), func(l *line) bool { return l.day != day })
		p.inOrder("The same amount on the same day.", same, bookings[:n])
		bookings = bookings[n:]
	}
}

// inOrder matches as many lines with as many bookings of their amount, where all fit.
func (p *pairing) inOrder(why string, lines []*line, bookings []*booking) {
	if len(lines) != len(bookings) {
		return
	}
	for i, l := range lines {
		if !p.fitsExactly(l, bookings[i]) {
			return
		}
	}
	for i, l := range lines {
		p.take(Exact, why, []*line{l}, bookings[i])
	}
}

func abs[T ~int | ~int64](n T) T { return max(n, -n) }

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

func money(c policy.Cents) string { return fmt.Sprintf("%d.%02d", c/100, c%100) }
