package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

var bookedAt = time.Date(2026, 11, 5, 9, 30, 0, 0, time.UTC)

// payment is a transaction of a lease, and paid its entry.
func payment(number int, day string, cents int64) store.BookedTransaction {
	return store.BookedTransaction{
		ID: fmt.Sprint("payment/", number), Kind: "payment", Number: fmt.Sprint(number), LeaseID: "7", UnitID: "6", PropertyID: "5", PortfolioID: "4",
		Account: "1", Category: "", Amount: cents, Day: day, Text: "Rent", Counts: true, SeenAt: bookedAt,
	}
}

func paid(number int, day string, cents int64) store.JournalEntry {
	return store.JournalEntry{Number: number, Day: day, Currency: "USD", Lines: []store.JournalLine{
		{Role: "bank", Account: "Trust Checking", Debit: cents},
		{Role: "receivables", Account: "Tenant Receivables", Credit: cents},
	}}
}

// taken reverses an entry.
func taken(e store.JournalEntry, number int, day string) store.JournalEntry {
	r := store.JournalEntry{Number: number, Day: day, Currency: "USD", Reverses: e.Number}
	for _, l := range e.Lines {
		l.Debit, l.Credit = l.Credit, l.Debit
		r.Lines = append(r.Lines, l)
	}
	return r
}

// plans returns a plan of these entries.
func plans(entries ...store.JournalEntry) func([]store.JournalEntry) ([]store.JournalEntry, error) {
	return func([]store.JournalEntry) ([]store.JournalEntry, error) { return entries, nil }
}

func TestJournal(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		first := payment(1, "2026-11-02", 185000)
		list, err := s.BookTransaction(ctx, first, plans(paid(1, "2026-11-02", 185000)))
		require.NoError(t, err)
		want := paid(1, "2026-11-02", 185000)
		want.TransactionID, want.Of, want.PlannedAt, want.Transaction = first.ID, first.Day, bookedAt, first
		require.Equal(t, []store.JournalEntry{want}, list)

		// The plan sees what is booked, and so does whoever asks later.
		changed := first
		changed.Day, changed.Amount, changed.SeenAt = "2026-11-01", 190000, bookedAt.Add(time.Hour)
		var seen []store.JournalEntry
		list, err = s.BookTransaction(ctx, changed, func(booked []store.JournalEntry) ([]store.JournalEntry, error) {
			seen = booked
			return []store.JournalEntry{taken(want, 2, "2026-11-02"), paid(3, "2026-11-01", 190000)}, nil
		})
		require.NoError(t, err)
		want.Transaction = changed
		require.Equal(t, []store.JournalEntry{want}, seen)
		require.Len(t, list, 3)
		again, err := open().Entries(ctx, first.ID)
		require.NoError(t, err)
		require.Equal(t, list, again, "in order of their numbers, not of their days")
		require.Equal(t, 1, again[1].Reverses)
		require.Equal(t, "2026-11-01", again[2].Of)

		list, err = s.BookTransaction(ctx, changed, plans())
		require.NoError(t, err)
		require.Equal(t, again, list)

		other := payment(2, "2026-11-02", 500)
		other.LeaseID, other.PropertyID, other.PortfolioID, other.SeenAt = "8", "15", "14", bookedAt.Add(2*time.Hour)
		fee := store.JournalEntry{Number: 1, Day: "2026-11-02", Of: "2026-10-31", Currency: "USD", PlannedAt: bookedAt.Add(-time.Hour), Lines: []store.JournalLine{
			{Role: "receivables", Account: "Tenant Receivables", Debit: 500},
			{Role: "late_fee", Account: "Late Fee Income", Credit: 500},
		}}
		_, err = s.BookTransaction(ctx, other, plans(fee))
		require.NoError(t, err)
		for name, c := range map[string]struct {
			filter store.JournalFilter
			want   []string
		}{
			"all":         {store.JournalFilter{}, []string{"payment/1#3", "payment/1#1", "payment/1#2", "payment/2#1"}},
			"some":        {store.JournalFilter{Most: 2}, []string{"payment/1#3", "payment/1#1"}},
			"until":       {store.JournalFilter{To: "2026-11-01"}, []string{"payment/1#3"}},
			"from":        {store.JournalFilter{From: "2026-11-02", To: "2026-11-02"}, []string{"payment/1#1", "payment/1#2", "payment/2#1"}},
			"portfolio":   {store.JournalFilter{PortfolioID: "14"}, []string{"payment/2#1"}},
			"property":    {store.JournalFilter{PropertyID: "5", From: "2026-11-02"}, []string{"payment/1#1", "payment/1#2"}},
			"role":        {store.JournalFilter{Role: "bank"}, []string{"payment/1#3", "payment/1#1", "payment/1#2"}},
			"planned":     {store.JournalFilter{PlannedFrom: bookedAt, PlannedTo: bookedAt.Add(time.Hour)}, []string{"payment/1#1"}},
			"planned to":  {store.JournalFilter{PlannedTo: bookedAt}, []string{"payment/2#1"}},
			"nothing":     {store.JournalFilter{PortfolioID: "4", PropertyID: "15"}, nil},
			"nobody asks": {store.JournalFilter{Role: "' OR 1 = 1"}, nil},
		} {
			list, err := s.Journal(ctx, c.filter)
			require.NoError(t, err, name)
			var got []string
			for _, e := range list {
				require.Len(t, e.Lines, 2)
				got = append(got, fmt.Sprintf("%s#%d", e.TransactionID, e.Number))
			}
			require.Equal(t, c.want, got, name)
		}
	})
}

func TestPostedEntriesAndBalances(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		one := paid(1, "2026-11-02", 1000)
		_, err := s.BookTransaction(ctx, payment(1, "2026-11-02", 1000), plans(one, taken(one, 2, "2026-11-04"), paid(3, "2026-11-04", 1200)))
		require.NoError(t, err)
		balances := func(until string, want map[string]int64) {
			t.Helper()
			got, err := s.Balances(ctx, until)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		balances("", map[string]int64{})
		for n := range 3 {
			require.NoError(t, s.MarkPosted(ctx, "payment/1", n+1, fmt.Sprint("qb-", n), bookedAt))
			require.NoError(t, s.MarkPosted(ctx, "payment/1", n+1, fmt.Sprint("qb-", n), bookedAt.Add(time.Hour)))
		}
		list, err := s.Entries(ctx, "payment/1")
		require.NoError(t, err)
		require.Equal(t, bookedAt, list[0].PostedAt, "the first time stays")
		require.Equal(t, "qb-2", list[2].QuickBooksID)
		balances("2026-11-01", map[string]int64{})
		balances("2026-11-02", map[string]int64{"Trust Checking": 1000, "Tenant Receivables": -1000})
		balances("", map[string]int64{"Trust Checking": 1200, "Tenant Receivables": -1200})

		require.ErrorIs(t, s.MarkPosted(ctx, "payment/1", 4, "x", bookedAt), store.ErrNotFound)
		require.ErrorIs(t, s.MarkPosted(ctx, "payment/2", 1, "x", bookedAt), store.ErrNotFound)
		require.ErrorContains(t, s.MarkPosted(ctx, "payment/1", 1, "qb-9", bookedAt), "payment/1#1 is qb-0 in QuickBooks already")
		require.ErrorContains(t, s.MarkPosted(ctx, "payment/1", 1, "", bookedAt), "payment/1#1 is qb-0 in QuickBooks already")
		require.ErrorContains(t, s.MarkPosted(ctx, "payment/1", 1, "x", time.Time{}), "want a time")
	})
}

func TestEntriesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		one := paid(1, "2026-11-02", 1000)
		_, err := s.BookTransaction(ctx, payment(1, "2026-11-02", 1000), plans(one, taken(one, 2, "2026-11-02")))
		require.NoError(t, err)
		change := func(f func(*store.JournalEntry)) store.JournalEntry {
			e := paid(3, "2026-11-02", 1000)
			f(&e)
			return e
		}
		for want, e := range map[string]store.JournalEntry{
			"the next entry is number 3, not 4":        paid(4, "2026-11-02", 1000),
			"the next entry is number 3, not 2":        paid(2, "2026-11-02", 1000),
			"entry 3 is not balanced: debits are 1000": change(func(e *store.JournalEntry) { e.Lines[1].Credit = 999 }),
			"debits are 0":                             change(func(e *store.JournalEntry) { e.Lines = nil }),
			"a line of entry 3 wants":                  change(func(e *store.JournalEntry) { e.Lines[0].Credit = 1 }),
			"a role, an account":                       change(func(e *store.JournalEntry) { e.Lines[0].Account = "" }),
			"debit or a credit above 0":                change(func(e *store.JournalEntry) { e.Lines[0].Debit, e.Lines[1].Credit = -1, -1 }),
			"entry 3 wants days":                       change(func(e *store.JournalEntry) { e.Day = "2026-02-30" }),
			"entry 3 has no currency":                  change(func(e *store.JournalEntry) { e.Currency = "" }),
			"one transaction has one currency":         change(func(e *store.JournalEntry) { e.Currency = "EUR" }),
			"an entry is about payment/9":              change(func(e *store.JournalEntry) { e.TransactionID = "payment/9" }),
			"reverses 3, which is not an earlier one":  change(func(e *store.JournalEntry) { e.Reverses = 3 }),
			"reverses 1, which is reversed":            change(func(e *store.JournalEntry) { e.Reverses = 1 }),
			"reverses 2, which is reversed or a rever": change(func(e *store.JournalEntry) { e.Reverses = 2 }),
		} {
			later := payment(1, "2026-11-03", 77)
			_, err := s.BookTransaction(ctx, later, plans(e))
			require.ErrorContains(t, err, want)
		}
		_, err = s.BookTransaction(ctx, payment(1, "2026-11-03", 77), plans(paid(3, "2026-11-02", 5), paid(5, "2026-11-02", 5)))
		require.ErrorContains(t, err, "the next entry is number 4, not 5")
		no := errors.New("no")
		_, err = s.BookTransaction(ctx, payment(1, "2026-11-03", 77), func([]store.JournalEntry) ([]store.JournalEntry, error) { return nil, no })
		require.ErrorIs(t, err, no)
		_, err = s.BookTransaction(ctx, payment(1, "soon", 77), plans())
		require.ErrorContains(t, err, "want a transaction with an id and a day")
		bare := payment(5, "2026-11-02", 77)
		bare.SeenAt = time.Time{}
		_, err = s.BookTransaction(ctx, bare, plans(paid(1, "2026-11-02", 77)))
		require.ErrorContains(t, err, "does not say when it was planned")

		list, err := s.Entries(ctx, "payment/1")
		require.NoError(t, err)
		require.Len(t, list, 2, "all or nothing")
		require.Equal(t, int64(1000), list[0].Transaction.Amount)
	})
}

// However many book one transaction at once, on several connections, one plans after
// the other.
func TestBookingAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores, ctx := []store.Store{open(), open()}, t.Context()
		var posted atomic.Int64
		together(16, func(i int) {
			_, err := stores[i%2].BookTransaction(ctx, payment(i/8, "2026-11-02", 1000), func(booked []store.JournalEntry) ([]store.JournalEntry, error) {
				if len(booked) > 0 {
					return nil, nil
				}
				posted.Add(1)
				return []store.JournalEntry{paid(1, "2026-11-02", 1000)}, nil
			})
			require.NoError(t, err)
		})
		require.EqualValues(t, 2, posted.Load())
		list, err := stores[0].Journal(ctx, store.JournalFilter{})
		require.NoError(t, err)
		require.Len(t, list, 2)
	})
}

func TestBookedTransactions(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		put := func(b store.BookedTransaction) {
			t.Helper()
			_, err := s.BookTransaction(ctx, b, plans())
			require.NoError(t, err)
		}
		gone, other := payment(3, "2026-11-04", 3), payment(4, "2026-11-04", 4)
		gone.Counts, other.LeaseID = false, "8"
		for _, b := range []store.BookedTransaction{payment(2, "2026-11-03", 2), payment(1, "2026-11-02", 1), gone, other, payment(5, "2026-11-05", 5)} {
			put(b)
		}
		list, err := s.BookedTransactions(ctx, "7", "2026-11-03")
		require.NoError(t, err)
		require.Equal(t, []store.BookedTransaction{payment(2, "2026-11-03", 2), payment(5, "2026-11-05", 5)}, list)
		again := payment(1, "2026-11-06", 9)
		again.Text, again.Category = "Late fee", "late_fee"
		put(again)
		list, err = s.BookedTransactions(ctx, "7", "2026-11-05")
		require.NoError(t, err)
		require.Equal(t, []store.BookedTransaction{payment(5, "2026-11-05", 5), again}, list)
	})
}

func finding(id string, at time.Time, transactions ...string) store.Finding {
	return store.Finding{
		ID: id, Kind: "duplicate_charge", Severity: "high", Reason: "Twice.", Evidence: []store.Detail{{Label: "Amount", Text: "$5.00"}},
		Transactions: transactions, LeaseID: "7", PropertyID: "5", PortfolioID: "4", Amount: 500, FoundAt: at, State: store.FindingOpen,
	}
}

func TestFindings(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		raise := func(f store.Finding, want bool) {
			t.Helper()
			raised, err := s.RaiseFinding(ctx, f)
			require.NoError(t, err)
			require.Equal(t, want, raised)
		}
		settle := func(id string, state store.FindingState, want bool) {
			t.Helper()
			settled, err := s.SettleFinding(ctx, id, state, "alma", "It is meant so.", bookedAt.Add(time.Hour))
			require.NoError(t, err)
			require.Equal(t, want, settled)
		}
		ids := func(list []store.Finding, err error) []string {
			t.Helper()
			require.NoError(t, err)
			var ids []string
			for _, f := range list {
				ids = append(ids, f.ID)
			}
			return ids
		}
		a, b := finding("a", bookedAt, "charge/1", "charge/2", "charge/1"), finding("b", bookedAt.Add(time.Minute), "charge/2")
		raise(a, true)
		raise(b, true)
		bare := store.Finding{ID: "c", Kind: "missing_payment", FoundAt: bookedAt.Add(2 * time.Minute)}
		raise(bare, true)
		got, err := open().Finding(ctx, "a")
		require.NoError(t, err)
		require.Equal(t, a, got)
		require.Equal(t, []string{"c", "b", "a"}, ids(s.Findings(ctx, "")))
		require.Equal(t, []string{"b", "a"}, ids(s.OpenFindingsOf(ctx, "charge/2")))
		require.Equal(t, []string{"a"}, ids(s.OpenFindingsOf(ctx, "charge/1")))

		settle("a", store.FindingRight, true)
		settle("a", store.FindingWrong, false)
		louder := a
		louder.Severity = "low"
		raise(louder, false)
		a.State, a.DecidedBy, a.Note, a.DecidedAt = store.FindingRight, "alma", "It is meant so.", bookedAt.Add(time.Hour)
		got, err = s.Finding(ctx, "a")
		require.NoError(t, err)
		require.Equal(t, a, got, "what was decided stays")
		require.Equal(t, []string{"c", "b"}, ids(s.Findings(ctx, store.FindingOpen)))
		require.Equal(t, []string{"a"}, ids(s.Findings(ctx, store.FindingRight)))
		require.Equal(t, []string{"b"}, ids(s.OpenFindingsOf(ctx, "charge/2")))
		settle("b", store.FindingGone, true)
		require.Empty(t, ids(s.OpenFindingsOf(ctx, "charge/2")))

		_, err = s.Finding(ctx, "z")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = s.SettleFinding(ctx, "z", store.FindingRight, "", "", bookedAt)
		require.ErrorIs(t, err, store.ErrNotFound)
		for _, state := range []store.FindingState{store.FindingOpen, "", "maybe"} {
			_, err = s.SettleFinding(ctx, "c", state, "", "", bookedAt)
			require.Error(t, err, state)
		}
		for _, bad := range []store.Finding{{}, finding("", bookedAt), finding("x", time.Time{}), a} {
			_, err = s.RaiseFinding(ctx, bad)
			require.ErrorContains(t, err, "want an id, a kind")
		}
	})
}

func TestFindingsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores, ctx := []store.Store{open(), open()}, t.Context()
		var raised, settled atomic.Int64
		together(8, func(i int) {
			ok, err := stores[i%2].RaiseFinding(ctx, finding("a", bookedAt, "charge/1"))
			require.NoError(t, err)
			if ok {
				raised.Add(1)
			}
		})
		together(8, func(i int) {
			ok, err := stores[i%2].SettleFinding(ctx, "a", store.FindingRight, fmt.Sprint(i), "", bookedAt)
			require.NoError(t, err)
			if ok {
				settled.Add(1)
			}
		})
		require.EqualValues(t, 1, raised.Load())
		require.EqualValues(t, 1, settled.Load())
	})
}

// book makes posted payments of the numbers, 1000 cents and the number each.
func book(ctx context.Context, t *testing.T, s store.Store, day string, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		b := payment(n, day, int64(1000+n))
		_, err := s.BookTransaction(ctx, b, plans(paid(1, day, b.Amount)))
		require.NoError(t, err)
		require.NoError(t, s.MarkPosted(ctx, b.ID, 1, fmt.Sprint("qb-", n), bookedAt))
	}
}

func TestBookkeepingWithoutQuickBooks(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		_, err := s.BookTransaction(ctx, payment(1, "2026-11-02", 1000), plans(paid(1, "2026-11-02", 1000)))
		require.NoError(t, err)
		unposted := func() int {
			list, err := s.Journal(ctx, store.JournalFilter{Unposted: true})
			require.NoError(t, err)
			return len(list)
		}
		require.Equal(t, 1, unposted())
		require.NoError(t, s.MarkPosted(ctx, "payment/1", 1, "", bookedAt))
		require.NoError(t, s.MarkPosted(ctx, "payment/1", 1, "", bookedAt))
		require.Zero(t, unposted())
		sums, err := s.RoleSums(ctx, payment(1, "2026-11-02", 1000).PortfolioID, "2026-11-02")
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"bank": 1000, "receivables": -1000}, sums)
		sums, err = s.RoleSums(ctx, payment(1, "2026-11-02", 1000).PortfolioID, "2026-11-01")
		require.NoError(t, err)
		require.Empty(t, sums)
	})
}

// Whoever has looked at RentVine earlier does not undo what was seen later.
func TestAStaleTransactionIsNotBooked(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		late := payment(1, "2026-11-02", 1000)
		_, err := s.BookTransaction(ctx, late, plans(paid(1, "2026-11-02", 1000)))
		require.NoError(t, err)
		early := payment(1, "2026-11-02", 900)
		early.SeenAt = late.SeenAt.Add(-time.Second)
		_, err = s.BookTransaction(ctx, early, plans(paid(2, "2026-11-02", 900)))
		require.ErrorIs(t, err, store.ErrStale)
		entries, err := s.Entries(ctx, "payment/1")
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.EqualValues(t, 1000, entries[0].Transaction.Amount)
	})
}

func TestAFindingThatComesBack(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		raise := func(reason string) bool {
			raised, err := s.RaiseFinding(ctx, store.Finding{
				ID: "f", Kind: "missing_payment", Severity: "high", Reason: reason, LeaseID: "7", FoundAt: bookedAt,
				Proposals: []store.BankMatch{{ID: "m", Lines: []string{"l"}, Bookings: []string{"payment/1#1"}}},
			})
			require.NoError(t, err)
			return raised
		}
		read := func() store.Finding {
			f, err := s.Finding(ctx, "f")
			require.NoError(t, err)
			return f
		}
		require.True(t, raise("2,500 is missing"))
		require.NoError(t, s.NoteReview(ctx, "f", bookedAt))
		require.NoError(t, s.NoteReview(ctx, "f", bookedAt.Add(time.Hour)))
		require.False(t, raise("500 is missing"))
		require.Equal(t, "500 is missing", read().Reason, "what is open says what is so now")
		require.Equal(t, bookedAt, read().ReviewedAt)
		require.Equal(t, "m", read().Proposals[0].ID)
		listed, err := s.OpenFindingsOfLease(ctx, "7")
		require.NoError(t, err)
		require.Len(t, listed, 1)

		settled, err := s.SettleFinding(ctx, "f", store.FindingGone, "", "", bookedAt)
		require.NoError(t, err)
		require.True(t, settled)
		require.True(t, raise("300 is missing"), "it had resolved itself")
		require.Equal(t, store.FindingOpen, read().State)
		require.Zero(t, read().ReviewedAt)

		_, err = s.SettleFinding(ctx, "f", store.FindingRight, "nora", "", bookedAt)
		require.NoError(t, err)
		require.False(t, raise("300 is missing"), "a person has decided")
		require.Equal(t, store.FindingRight, read().State)
	})
}
