package bankmatch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/bankmatch"
	"github.com/aictive/keyholder/policy"
)

var rules = policy.BankMatching{DaysApart: 4, AmountApart: 50, DepositOf: 4}

func day(n int) string { return fmt.Sprintf("2026-11-%02d", n) }

func line(id string, d int, amount policy.Cents, texts ...string) bankmatch.Line {
	l := bankmatch.Line{ID: id, Day: day(d), Amount: amount}
	if len(texts) > 0 {
		l.Text = texts[0]
	}
	if len(texts) > 1 {
		l.Reference = texts[1]
	}
	return l
}

func booking(id string, d int, amount policy.Cents, reverses ...string) bankmatch.Booking {
	b := bankmatch.Booking{ID: id, Day: day(d), Amount: amount}
	if len(reverses) > 0 {
		b.Reverses = reverses[0]
	}
	return b
}

// shown is "how: lines = bookings" of each match.
func shown(r bankmatch.Result) []string {
	var list []string
	for _, m := range r.Matches {
		list = append(list, fmt.Sprintf("%s: %s = %s", m.How, strings.Join(m.Lines, "+"), strings.Join(m.Bookings, "+")))
	}
	slices.Sort(list)
	return list
}

func TestPair(t *testing.T) {
	t.Parallel()
	const p1, p2, p3, p4 = "payment/1#1", "payment/2#1", "payment/3#1", "payment/4#1"
	for name, c := range map[string]struct {
		lines    []bankmatch.Line
		bookings []bankmatch.Booking
		want     []string
	}{
		"nothing":         {},
		"the same day":    {[]bankmatch.Line{line("a", 3, 100)}, []bankmatch.Booking{booking(p1, 3, 100)}, []string{"exact: a = payment/1#1"}},
		"some days later": {[]bankmatch.Line{line("a", 7, 100)}, []bankmatch.Booking{booking(p1, 3, 100)}, []string{"exact: a = payment/1#1"}},
		"too late":        {[]bankmatch.Line{line("a", 8, 100)}, []bankmatch.Booking{booking(p1, 3, 100)}, nil},
		"a little early":  {[]bankmatch.Line{line("a", 1, 100)}, []bankmatch.Booking{booking(p1, 5, 100)}, []string{"tolerant: a = payment/1#1"}},
		"too early":       {[]bankmatch.Line{line("a", 1, 100)}, []bankmatch.Booking{booking(p1, 6, 100)}, nil},
		"nearly":          {[]bankmatch.Line{line("a", 3, 9950)}, []bankmatch.Booking{booking(p1, 3, 10000)}, []string{"tolerant: a = payment/1#1"}},
		"not nearly":      {[]bankmatch.Line{line("a", 3, 9949)}, []bankmatch.Booking{booking(p1, 3, 10000)}, nil},
		"nearly two":      {[]bankmatch.Line{line("a", 3, 9990)}, []bankmatch.Booking{booking(p1, 3, 10000), booking(p2, 3, 9980)}, nil},
		"two nearly":      {[]bankmatch.Line{line("a", 3, 9990), line("b", 3, 9980)}, []bankmatch.Booking{booking(p1, 3, 10000)}, nil},
		"money that goes": {[]bankmatch.Line{line("a", 3, -100)}, []bankmatch.Booking{booking(p1, 3, 100)}, nil},
		"small, reversed": {[]bankmatch.Line{line("a", 3, -10)}, []bankmatch.Booking{booking(p1, 3, 10)}, nil},
		"a day that is none": {
			[]bankmatch.Line{{ID: "a", Day: "soon", Amount: 100}, {ID: "b", Day: "soon", Amount: 99}},
			[]bankmatch.Booking{{ID: p1, Day: "soon", Amount: 100}},
			nil,
		},
		"equal rents": {
			[]bankmatch.Line{line("b", 4, 100), line("a", 3, 100)},
			[]bankmatch.Booking{booking(p2, 3, 100), booking(p1, 3, 100)},
			[]string{"exact: a = payment/1#1", "exact: b = payment/2#1"},
		},
		"equal rents, one missing at the bank": {
			[]bankmatch.Line{line("a", 4, 100)}, []bankmatch.Booking{booking(p1, 3, 100), booking(p2, 3, 100)}, nil,
		},
		"equal rents, one not booked": {
			[]bankmatch.Line{line("a", 4, 100), line("b", 4, 100)}, []bankmatch.Booking{booking(p1, 3, 100)}, nil,
		},
		"days on which the numbers agree": {
			[]bankmatch.Line{line("a", 3, 100), line("b", 3, 100), line("c", 5, 100)},
			[]bankmatch.Booking{booking(p1, 3, 100), booking(p2, 3, 100), booking(p3, 5, 100), booking(p4, 5, 100)},
			[]string{"exact: a = payment/1#1", "exact: b = payment/2#1"},
		},
		"in order, not the same day first": {
			[]bankmatch.Line{line("a", 5, 100), line("b", 9, 100)},
			[]bankmatch.Booking{booking(p1, 1, 100), booking(p2, 5, 100)},
			[]string{"exact: a = payment/1#1", "exact: b = payment/2#1"},
		},
		"groups far apart": {
			[]bankmatch.Line{line("a", 1, 100), line("b", 20, 100)},
			[]bankmatch.Booking{booking(p1, 1, 100), booking(p2, 20, 100), booking(p3, 10, 100)},
			[]string{"exact: a = payment/1#1", "exact: b = payment/2#1"},
		},
		"named by the text": {
			[]bankmatch.Line{line("a", 4, 100, "ACH PAYMENT/2 thanks")},
			[]bankmatch.Booking{booking(p1, 3, 100), booking(p2, 3, 100)},
			[]string{"exact: a = payment/2#1"},
		},
		"named by the reference": {
			[]bankmatch.Line{line("a", 4, 100, "", "RV-2")}, []bankmatch.Booking{booking(p1, 3, 100), booking(p2, 3, 100)}, []string{"exact: a = payment/2#1"},
		},
		"a longer number is another one": {
			[]bankmatch.Line{line("a", 4, 100, "payment/22", "22")}, []bankmatch.Booking{booking(p1, 3, 100), booking(p2, 3, 100)}, nil,
		},
		"a name does not change the amount": {
			[]bankmatch.Line{line("a", 4, 900, "payment/2")}, []bankmatch.Booking{booking(p2, 3, 100)}, nil,
		},
		"deposit": {
			[]bankmatch.Line{line("a", 5, 600)},
			[]bankmatch.Booking{booking(p1, 2, 101), booking(p2, 3, 200), booking(p3, 5, 299), booking(p4, 5, 1000)},
			[]string{"deposit: a = payment/1#1+payment/2#1+payment/3#1"},
		},
		"deposit of too old a payment": {[]bankmatch.Line{line("a", 6, 300)}, []bankmatch.Booking{booking(p1, 2, 100), booking(p2, 5, 200)}, nil},
		"deposit of a later payment":   {[]bankmatch.Line{line("a", 4, 300)}, []bankmatch.Booking{booking(p1, 4, 100), booking(p2, 5, 200)}, nil},
		"two ways to a deposit":        {[]bankmatch.Line{line("a", 5, 300)}, []bankmatch.Booking{booking(p1, 5, 100), booking(p2, 5, 200), booking(p3, 5, 200)}, nil},
		"two deposits of one payment": {
			[]bankmatch.Line{line("a", 5, 300), line("b", 5, 301)},
			[]bankmatch.Booking{booking(p1, 5, 100), booking(p2, 5, 200), booking(p3, 5, 201)}, nil,
		},
		"a deposit makes the rest clear": {
			[]bankmatch.Line{line("a", 6, 1000), line("b", 4, 1777)},
			[]bankmatch.Booking{booking(p1, 5, 1000), booking(p2, 2, 1000), booking(p3, 2, 777)},
			[]string{"deposit: b = payment/2#1+payment/3#1", "exact: a = payment/1#1"},
		},
		"reversed": {
			nil, []bankmatch.Booking{booking(p1, 3, 100), booking("payment/1#2", 3, -100, p1)},
			[]string{"reversed:  = payment/1#1+payment/1#2"},
		},
		"reversed and booked otherwise": {
			[]bankmatch.Line{line("a", 4, 120)},
			[]bankmatch.Booking{booking(p1, 3, 100), booking("payment/1#2", 3, -100, p1), booking("payment/1#3", 3, 120)},
			[]string{"exact: a = payment/1#3", "reversed:  = payment/1#1+payment/1#2"},
		},
		"a matched one is corrected without another amount": {
			nil, []bankmatch.Booking{booking("payment/1#2", 3, -100, p1), booking("payment/1#3", 5, 100)},
			[]string{"reversed:  = payment/1#2+payment/1#3"},
		},
		"a matched one is corrected": {
			nil, []bankmatch.Booking{booking("payment/1#2", 3, -100, p1), booking("payment/1#3", 5, 120), booking("payment/10#3", 5, 100)}, nil,
		},
		"a payment bounces": {
			[]bankmatch.Line{line("a", 6, -100, "returned")}, []bankmatch.Booking{booking("payment/1#2", 5, -100, p1)}, []string{"exact: a = payment/1#2"},
		},
	} {
		r := bankmatch.Pair(c.lines, c.bookings, rules)
		require.Equal(t, c.want, shown(r), name)
		conserved(t, c.lines, c.bookings, r)
	}
}

func TestMatchesSayWhy(t *testing.T) {
	t.Parallel()
	r := bankmatch.Pair([]bankmatch.Line{line("b", 3, 100), line("a", 3, 100), line("c", 5, 1010)},
		[]bankmatch.Booking{booking("payment/1#1", 3, 100), booking("payment/2#1", 3, 100), booking("payment/3#1", 6, 1000)}, rules)
	require.Len(t, r.Matches, 3)
	require.Contains(t, r.Matches[0].Why, "2 lines and 2 bookings of it")
	require.Equal(t, "0.10 and 1 day apart, and nothing else is near.", r.Matches[2].Why)
	require.NotEqual(t, r.Matches[0].ID(), r.Matches[1].ID())
	require.Equal(t, bankmatch.Match{Lines: []string{"a", "b"}, Bookings: []string{"c"}}.ID(), bankmatch.Match{How: bankmatch.Exact, Lines: []string{"b", "a"}, Bookings: []string{"c"}}.ID())
	require.NotEqual(t, bankmatch.Match{Lines: []string{"a"}, Bookings: []string{"b"}}.ID(), bankmatch.Match{Bookings: []string{"a", "b"}}.ID())
}

func TestProposals(t *testing.T) {
	t.Parallel()
	var bookings []bankmatch.Booking
	for i := range 5 {
		bookings = append(bookings, booking(fmt.Sprintf("payment/%d#1", i), 3+i, 10000))
	}
	r := bankmatch.Pair([]bankmatch.Line{line("a", 8, 10000)}, bookings, rules)
	require.Empty(t, r.Matches)
	require.Equal(t, []bankmatch.Proposal{
		{[]string{"a"}, []string{"payment/4#1"}, "The same amount, 1 day apart.", 97},
		{[]string{"a"}, []string{"payment/3#1"}, "The same amount, 2 days apart.", 94},
		{[]string{"a"}, []string{"payment/2#1"}, "The same amount, 3 days apart.", 91},
	}, r.Proposals)

	r = bankmatch.Pair([]bankmatch.Line{line("a", 7, 10000, "", "1"), line("zero", 7, 0)},
		[]bankmatch.Booking{booking("payment/1#1", 7, 9000), booking("payment/2#1", 7, 8999), booking("payment/3#1", 22, 10000), booking("payment/4#1", 7, -9000)}, rules)
	require.Equal(t, []bankmatch.Proposal{{[]string{"a"}, []string{"payment/1#1"}, "10.00 and 0 days apart. The line names it.", 70}}, r.Proposals)

	r = bankmatch.Pair([]bankmatch.Line{line("a", 5, 300)}, []bankmatch.Booking{booking("payment/1#1", 5, 100), booking("payment/2#1", 5, 200), booking("payment/3#1", 5, 200)}, rules)
	require.Len(t, r.Proposals, 2, "both sums")
	require.Equal(t, []string{"payment/1#1", "payment/2#1"}, r.Proposals[0].Bookings)
}

// A day of many payments: those of one deposit are found among those of their day, and a
// search that would not end is none.
func TestDepositsAmongMany(t *testing.T) {
	t.Parallel()
	var bookings []bankmatch.Booking
	for i := range 15 {
		bookings = append(bookings, booking(fmt.Sprintf("payment/%d#1", 100+i), 4, policy.Cents(100_000+7*(1<<i))),
			booking(fmt.Sprintf("payment/%d#1", 200+i), 3, policy.Cents(100_001+11*(1<<i))))
	}
	amount := bookings[2].Amount + bookings[8].Amount + bookings[20].Amount
	r := bankmatch.Pair([]bankmatch.Line{line("a", 5, amount)}, bookings, rules)
	require.Equal(t, []string{"deposit: a = payment/101#1+payment/104#1+payment/110#1"}, shown(r))

	var same []bankmatch.Booking
	for i := range 60 {
		same = append(same, booking(fmt.Sprintf("payment/%d#1", i), 5, policy.Cents(1000+i)))
	}
	r = bankmatch.Pair([]bankmatch.Line{line("a", 5, 2001)}, same, rules)
	require.Empty(t, r.Matches, "too many to tell chance from truth")
}

// conserved checks that all lines and bookings are there once, and that matches agree.
func conserved(t require.TestingT, lines []bankmatch.Line, bookings []bankmatch.Booking, r bankmatch.Result) {
	amounts, open := map[string]policy.Cents{}, map[string]bool{}
	for _, l := range lines {
		amounts["line "+l.ID] = l.Amount
	}
	for _, b := range bookings {
		amounts["booking "+b.ID] = b.Amount
	}
	seen := map[string]bool{}
	see := func(key string) policy.Cents {
		amount, known := amounts[key]
		require.True(t, known, "%s is made up", key)
		require.False(t, seen[key], "%s is there twice", key)
		seen[key] = true
		return amount
	}
	for _, m := range r.Matches {
		ofLines, ofBookings := policy.Cents(0), policy.Cents(0)
		for _, id := range m.Lines {
			ofLines += see("line " + id)
		}
		for _, id := range m.Bookings {
			ofBookings += see("booking " + id)
		}
		require.NotEmpty(t, m.Why)
		if m.How == bankmatch.Tolerant {
			require.LessOrEqual(t, max(ofLines-ofBookings, ofBookings-ofLines), rules.AmountApart)
		} else {
			require.Equal(t, ofLines, ofBookings)
		}
	}
	for _, l := range r.OpenLines {
		see("line " + l.ID)
		open["line "+l.ID] = true
	}
	for _, b := range r.OpenBookings {
		see("booking " + b.ID)
		open["booking "+b.ID] = true
	}
	require.Len(t, seen, len(amounts))
	of := map[string]int{}
	for _, p := range r.Proposals {
		require.True(t, p.Score > 0 && p.Score <= 100)
		for _, id := range p.Lines {
			require.True(t, open["line "+id])
			of[id]++
			require.LessOrEqual(t, of[id], 3)
		}
		for _, id := range p.Bookings {
			require.True(t, open["booking "+id])
		}
	}
}

func TestPairConserves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Map(rapid.SampledFrom([]int{100, 100, 100, 120, 200, 300, 1000, 1030, -100, -1000}), func(n int) policy.Cents { return policy.Cents(n) })
		days := rapid.IntRange(1, 12)
		var lines []bankmatch.Line
		for i := range rapid.IntRange(0, 12).Draw(t, "lines") {
			lines = append(lines, line(fmt.Sprint("l", i), days.Draw(t, "day"), amount.Draw(t, "amount"), fmt.Sprintf("payment/%d", rapid.IntRange(0, 40).Draw(t, "names"))))
		}
		var bookings []bankmatch.Booking
		for i := range rapid.IntRange(0, 12).Draw(t, "bookings") {
			b := booking(fmt.Sprintf("payment/%d#1", i), days.Draw(t, "day"), amount.Draw(t, "amount"))
			bookings = append(bookings, b)
			if rapid.IntRange(0, 5).Draw(t, "reversed") == 0 {
				reversal := booking(fmt.Sprintf("payment/%d#2", i), days.Draw(t, "day"), -b.Amount, b.ID)
				bookings = append(bookings, reversal)
				if rapid.Bool().Draw(t, "matched before") {
					bookings = slices.DeleteFunc(bookings, func(o bankmatch.Booking) bool { return o.ID == b.ID })
				}
				bookings = append(bookings, booking(fmt.Sprintf("payment/%d#3", i), days.Draw(t, "day"), amount.Draw(t, "amount")))
			}
		}
		r := bankmatch.Pair(lines, bookings, rules)
		conserved(t, lines, bookings, r)

		random := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "order")))
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		random.Shuffle(len(bookings), func(i, j int) { bookings[i], bookings[j] = bookings[j], bookings[i] })
		require.Equal(t, r, bankmatch.Pair(lines, bookings, rules), "the order of the input does not matter")

		again := bankmatch.Pair(r.OpenLines, r.OpenBookings, rules)
		require.Empty(t, again.Matches, "what is left stays left")
	})
}

// As much as there may be open at once takes no time to speak of.
func TestManyOpen(t *testing.T) {
	t.Parallel()
	var lines []bankmatch.Line
	var bookings []bankmatch.Booking
	for i := range 5000 {
		amount := policy.Cents(100_000 + i%7*100)
		lines = append(lines, line(fmt.Sprint("l", i), 1+i%28, amount))
		bookings = append(bookings, booking(fmt.Sprintf("payment/%d#1", i), 1+i%28, amount))
	}
	r := bankmatch.Pair(lines, bookings, rules)
	require.Len(t, r.Matches, 5000)
	r = bankmatch.Pair(lines, bookings[:4900], rules)
	conserved(t, lines, bookings[:4900], r)
	require.Less(t, len(r.Matches), 4901)
}

func TestAge(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"2026-11-30": bankmatch.AgeWeek, "2026-11-23": bankmatch.AgeWeek, "2026-12-05": bankmatch.AgeWeek, "2026-11-22": bankmatch.AgeMonth, "2026-10-31": bankmatch.AgeMonth,
		"2026-10-30": bankmatch.AgeTwo, "2026-10-01": bankmatch.AgeTwo, "2026-09-30": bankmatch.AgeOld, "": bankmatch.AgeOld, "soon": bankmatch.AgeOld,
	} {
		require.Equal(t, want, bankmatch.Age(from, "2026-11-30"), from)
	}
}

func TestProve(t *testing.T) {
	t.Parallel()
	of := func(id string, from, to int, opening, sum, closing policy.Cents) bankmatch.Statement {
		return bankmatch.Statement{ID: id, From: day(from), To: day(to), Opening: opening, Closing: closing, Balances: true, Sum: sum}
	}
	bare := func(id string, from, to int) bankmatch.Statement {
		return bankmatch.Statement{ID: id, From: day(from), To: day(to), Sum: 5}
	}
	for name, c := range map[string]struct {
		statements []bankmatch.Statement
		want       []bankmatch.Flaw
	}{
		"none":                    {},
		"one":                     {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 15)}, nil},
		"in any order":            {[]bankmatch.Statement{of("b", 6, 9, 15, -5, 10), of("a", 1, 5, 10, 5, 15)}, nil},
		"days without a line":     {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 15), of("b", 8, 9, 15, -5, 10)}, nil},
		"a common midnight":       {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 15), of("b", 5, 9, 15, -5, 10)}, nil},
		"a line is missing":       {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 16)}, []bankmatch.Flaw{{Kind: bankmatch.FlawSum, Statement: "a", Difference: 1}}},
		"a statement is missing":  {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 15), of("b", 8, 9, 25, 0, 25)}, []bankmatch.Flaw{{Kind: bankmatch.FlawGap, Statement: "b", Difference: 10}}},
		"overlap":                 {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 15), of("b", 4, 9, 12, 0, 12)}, []bankmatch.Flaw{{Kind: bankmatch.FlawOverlap, Statement: "b"}}},
		"overlap of a day":        {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 15), of("b", 5, 9, 12, 0, 12)}, []bankmatch.Flaw{{Kind: bankmatch.FlawOverlap, Statement: "b"}}},
		"no balances":             {[]bankmatch.Statement{bare("a", 1, 5), bare("b", 6, 9)}, nil},
		"no balances, and a gap":  {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 15), bare("b", 7, 9)}, []bankmatch.Flaw{{Kind: bankmatch.FlawGap, Statement: "b"}}},
		"neighbours do not agree": {[]bankmatch.Statement{of("a", 1, 5, 10, 5, 15), of("b", 6, 9, 14, 0, 14)}, []bankmatch.Flaw{{Kind: bankmatch.FlawGap, Statement: "b", Difference: -1}}},
	} {
		got := bankmatch.Prove(c.statements)
		for i := range got {
			require.NotEmpty(t, got[i].Why, name)
			got[i].Why = ""
		}
		require.Equal(t, c.want, got, name)
	}
}
