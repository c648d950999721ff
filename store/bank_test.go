package store_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func statement(id, from, to string) store.BankStatement {
	return store.BankStatement{ID: id, Account: "Trust", Currency: "USD", From: from, To: to, Opening: 100, Closing: 200, Balances: true, At: bookedAt}
}

func bankLine(id, day string, cents int64) store.BankLine {
	return store.BankLine{ID: id, Day: day, Amount: cents, Text: "ACH", Reference: "7001"}
}

func match(id string, lines []string, bookings ...string) store.BankMatch {
	return store.BankMatch{ID: id, How: "exact", Why: "The same amount.", At: bookedAt, Lines: lines, Bookings: bookings}
}

func TestBankStatements(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		add := func(b store.BankStatement, wantAdded int, wantKnown bool, lines ...store.BankLine) {
			t.Helper()
			added, known, err := s.AddBankStatement(ctx, b, lines)
			require.NoError(t, err)
			require.Equal(t, wantAdded, added)
			require.Equal(t, wantKnown, known)
		}
		october, november := statement("oct", "2026-10-01", "2026-10-31"), statement("nov", "2026-10-31", "2026-11-30")
		var many []store.BankLine
		for i := range 25 {
			many = append(many, bankLine(fmt.Sprintf("l%02d", i), "2026-10-31", int64(i-5)))
		}
		add(october, 25, false, many...)
		add(october, 0, true, append(many, bankLine("new", "2026-10-31", 1))...)
		add(november, 1, false, many[24], bankLine("m", "2026-11-01", 7))
		savings := statement("savings", "2026-11-01", "2026-11-30")
		savings.Account, savings.Balances = "Savings", false
		add(savings, 1, false, bankLine("m", "2026-11-01", 8))
		add(statement("empty", "2026-12-01", "2026-12-31"), 0, false)

		list, err := open().BankStatements(ctx, "Trust")
		require.NoError(t, err)
		october.Lines, october.Sum = 25, 175
		november.Lines, november.Sum = 2, 26
		require.Equal(t, []store.BankStatement{statement("empty", "2026-12-01", "2026-12-31"), november, october}, list)

		lines, err := s.OpenBankLines(ctx, "Trust", "")
		require.NoError(t, err)
		require.Len(t, lines, 26)
		want := many[0]
		want.Account, want.StatementID = "Trust", "oct"
		require.Equal(t, want, lines[0])
		require.Equal(t, "m", lines[25].ID)
		lines, err = s.OpenBankLines(ctx, "Savings", "")
		require.NoError(t, err)
		require.Len(t, lines, 1)

		for name, change := range map[string]func(*store.BankStatement, *store.BankLine){
			"id": func(b *store.BankStatement, _ *store.BankLine) { b.ID = "" }, "account": func(b *store.BankStatement, _ *store.BankLine) { b.Account = "" },
			"currency": func(b *store.BankStatement, _ *store.BankLine) { b.Currency = "" }, "from": func(b *store.BankStatement, _ *store.BankLine) { b.From = "2026" },
			"order": func(b *store.BankStatement, _ *store.BankLine) { b.To = "2026-01-01" }, "at": func(b *store.BankStatement, _ *store.BankLine) { b.At = time.Time{} },
			"line": func(_ *store.BankStatement, l *store.BankLine) { l.ID = "" }, "day": func(_ *store.BankStatement, l *store.BankLine) { l.Day = "" },
			"of another account": func(_ *store.BankStatement, l *store.BankLine) { l.Account = "Savings" },
		} {
			b, l := statement("x", "2026-11-01", "2026-11-30"), bankLine("x", "2026-11-02", 1)
			change(&b, &l)
			_, _, err := s.AddBankStatement(ctx, b, []store.BankLine{l})
			require.ErrorContains(t, err, "want", name)
		}
	})
}

// Statements with the same lines that are read in at once leave each line once.
func TestBankStatementsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores, ctx := []store.Store{open(), open()}, t.Context()
		var added atomic.Int64
		together(8, func(i int) {
			var lines []store.BankLine
			for n := range 30 {
				lines = append(lines, bankLine(fmt.Sprint(n), "2026-11-02", 1))
			}
			if i%2 == 0 {
				slices.Reverse(lines)
			}
			n, _, err := stores[i%2].AddBankStatement(ctx, statement(fmt.Sprint(i/2), "2026-11-01", "2026-11-30"), lines)
			require.NoError(t, err)
			added.Add(int64(n))
		})
		require.EqualValues(t, 30, added.Load())
	})
}

func TestMatchBank(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		book(ctx, t, s, "2026-11-03", 3, 1, 2)
		book(ctx, t, s, "2026-11-02", 4)
		one, err := s.Entries(ctx, "payment/1")
		require.NoError(t, err)
		_, err = s.BookTransaction(ctx, payment(1, "2026-11-03", 0), plans(taken(one[0], 2, "2026-11-04")))
		require.NoError(t, err)
		_, err = s.BookTransaction(ctx, payment(9, "2026-11-03", 5), plans(paid(1, "2026-11-03", 5)))
		require.NoError(t, err)
		_, _, err = s.AddBankStatement(ctx, statement("nov", "2026-11-01", "2026-11-30"), []store.BankLine{
			bankLine("a", "2026-11-03", 1001), bankLine("b", "2026-11-03", 2005), bankLine("c", "2026-11-04", -7),
		})
		require.NoError(t, err)

		list, err := s.OpenBankBookings(ctx, "")
		require.NoError(t, err)
		require.Equal(t, []string{"payment/4#1", "payment/1#1", "payment/2#1", "payment/3#1"}, bookingIDs(list), "posted ones alone")
		require.Equal(t, store.BankBooking{TransactionID: "payment/4", Number: 1, Day: "2026-11-02", Amount: 1004, LeaseID: "7", Text: "payment/4 of 2026-11-02"}, list[0])
		require.NoError(t, s.MarkPosted(ctx, "payment/1", 2, "qb-r", bookedAt))
		list, err = s.OpenBankBookings(ctx, "")
		require.NoError(t, err)
		require.Equal(t, store.BankBooking{TransactionID: "payment/1", Number: 2, Day: "2026-11-04", Amount: -1001, Reverses: 1, LeaseID: "7", Text: "payment/1 of 2026-11-04"}, list[4])

		n, err := s.MatchBank(ctx, []store.BankMatch{
			match("m1", nil, "payment/1#1", "payment/1#2"),
			match("m2", []string{"b"}, "payment/2#1", "payment/3#1"),
			match("m3", []string{"a"}, "payment/3#1"),
		})
		require.NoError(t, err)
		require.Equal(t, 2, n, "the third wants what the second has")
		totals, err := s.BankTotals(ctx, "Trust")
		require.NoError(t, err)
		require.Equal(t, store.BankTotals{Lines: 2999, MatchedLines: 2005, OpenLines: 994, Bookings: 3009, MatchedBookings: 2005, OpenBookings: 1004}, totals)
		lines, err := open().OpenBankLines(ctx, "Trust", "")
		require.NoError(t, err)
		require.Len(t, lines, 2)
		require.Equal(t, "a", lines[0].ID)
		list, err = s.OpenBankBookings(ctx, "")
		require.NoError(t, err)
		require.Equal(t, []string{"payment/4#1"}, bookingIDs(list))

		n, err = s.MatchBank(ctx, []store.BankMatch{match("m2", []string{"b"}, "payment/2#1", "payment/3#1")})
		require.NoError(t, err)
		require.Zero(t, n, "again is harmless")
		n, err = s.MatchBank(ctx, nil)
		require.NoError(t, err)
		require.Zero(t, n)
		none, err := s.BankTotals(ctx, "Savings")
		require.NoError(t, err)
		require.Zero(t, none.Lines)
	})
}

func bookingIDs(list []store.BankBooking) []string {
	var ids []string
	for _, b := range list {
		ids = append(ids, b.BookingID())
	}
	return ids
}

func TestMatchesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		book(ctx, t, s, "2026-11-03", 1, 2)
		_, err := s.BookTransaction(ctx, payment(3, "2026-11-03", 5), plans(paid(1, "2026-11-03", 5)))
		require.NoError(t, err)
		for _, account := range []string{"Trust", "Savings"} {
			b := statement(account, "2026-11-01", "2026-11-30")
			b.Account = account
			_, _, err := s.AddBankStatement(ctx, b, []store.BankLine{bankLine("same", "2026-11-03", 1001), bankLine(account, "2026-11-03", 1001)})
			require.NoError(t, err)
		}
		late := match("x", []string{"Trust"}, "payment/1#1")
		late.At = time.Time{}
		for want, bad := range map[string]store.BankMatch{
			"line none is not known":              match("x", []string{"none"}, "payment/1#1"),
			"booking payment/7#1 is not known":    match("x", []string{"Trust"}, "payment/7#1"),
			"booking payment/3#1 is not known":    match("x", []string{"Trust"}, "payment/3#1"),
			"booking payment/1#1 is named twice":  match("x", nil, "payment/1#1", "payment/1#1"),
			"line same is one of several":         match("x", []string{"same"}, "payment/1#1"),
			"match x: want an id, how":            match("x", []string{"Trust", "Savings"}),
			"at least a line and a booking":       match("x", nil, "payment/1#1"),
			"match : want an id":                  match("", []string{"Trust"}, "payment/1#1"),
			"a time":                              late,
			`want bookings as "<transaction>#<nu`: match("x", []string{"Trust"}, "payment/1"),
		} {
			_, err := s.MatchBank(ctx, []store.BankMatch{match("fine", []string{"Trust"}, "payment/2#1"), bad})
			require.ErrorContains(t, err, want)
		}
		list, err := s.OpenBankBookings(ctx, "")
		require.NoError(t, err)
		require.Len(t, list, 2, "all or nothing")
	})
}

// However many match at once, each line and booking is in one match.
func TestMatchesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores, ctx := []store.Store{open(), open()}, t.Context()
		book(ctx, t, stores[0], "2026-11-03", 1, 2)
		_, _, err := stores[0].AddBankStatement(ctx, statement("nov", "2026-11-01", "2026-11-30"), []store.BankLine{
			bankLine("a", "2026-11-03", 1001), bankLine("b", "2026-11-03", 1002),
		})
		require.NoError(t, err)
		var recorded atomic.Int64
		together(8, func(i int) {
			x, y := match(fmt.Sprint("x", i), []string{"a"}, "payment/1#1"), match(fmt.Sprint("y", i), []string{"b"}, "payment/2#1")
			if i%2 == 0 {
				x, y = y, x
			}
			n, err := stores[i%2].MatchBank(ctx, []store.BankMatch{x, y})
			require.NoError(t, err)
			recorded.Add(int64(n))
		})
		require.EqualValues(t, 2, recorded.Load())
	})
}
