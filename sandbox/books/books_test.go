package books_test

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/books"
)

func year() books.Config {
	return books.Config{
		Seed: 7, Count: 3000, From: "2025-12-01", To: "2026-11-22", Duplicates: 8, Gaps: 6, Outliers: 7, Unsure: 9, Updated: 60, Voided: 20,
		After: books.IDs{Portfolios: 2, Properties: 2, Units: 4, Leases: 4, Transactions: 144, Bills: 10},
	}
}

func made(t *testing.T, cfg books.Config) books.Books {
	t.Helper()
	b, err := books.Generate(cfg)
	require.NoError(t, err)
	return b
}

func of(b books.Books, kind string) []books.Planted {
	var out []books.Planted
	for _, p := range b.Planted {
		if p.Kind == kind {
			out = append(out, p)
		}
	}
	return out
}

// byID are charges and payments.
func byID(b books.Books) map[string]books.Transaction {
	out := map[string]books.Transaction{}
	for _, t := range b.Transactions {
		if t.Kind != books.Bill {
			out[t.ID] = t
		}
	}
	return out
}

func days(t *testing.T, from, to string) int {
	t.Helper()
	a, err := time.Parse(time.DateOnly, from)
	require.NoError(t, err)
	b, err := time.Parse(time.DateOnly, to)
	require.NoError(t, err)
	return int(b.Sub(a).Hours() / 24)
}

func TestTheSameSeedGivesTheSameBooks(t *testing.T) {
	t.Parallel()
	a := made(t, year())
	require.Equal(t, a, made(t, year()))
	other := year()
	other.Seed++
	require.NotEqual(t, a.Transactions, made(t, other).Transactions)
	require.InDelta(t, 3000, len(a.Transactions), 100)
	large := year()
	large.Count = 10_000
	require.InDelta(t, 10_000, len(made(t, large).Transactions), 200)
	few := year()
	few.Count, few.Leases = 0, 30
	require.Len(t, made(t, few).Leases, 30)
}

func TestEverythingIsInItsPlaceAndTime(t *testing.T) {
	t.Parallel()
	b := made(t, year())
	leases, seen := map[string]books.Lease{}, map[string]bool{}
	for _, l := range b.Leases {
		n, err := strconv.Atoi(l.ID)
		require.NoError(t, err)
		require.Greater(t, n, 4)
		leases[l.ID] = l
	}
	for _, one := range b.Transactions {
		require.False(t, seen[one.Kind+one.ID] || seen["x"+one.ID] && one.Kind != books.Bill)
		seen[one.Kind+one.ID] = true
		if one.Kind != books.Bill {
			seen["x"+one.ID] = true
			require.Equal(t, leases[one.LeaseID].PropertyID, one.PropertyID)
		}
		require.Positive(t, one.Amount)
		require.GreaterOrEqual(t, one.Day, "2025-12-01")
		require.LessOrEqual(t, one.Day, "2026-11-22")
	}
	created, before := map[int]bool{}, ""
	for _, e := range b.Events {
		require.GreaterOrEqual(t, e.Day, before)
		before = e.Day
		require.Equal(t, e.Update, created[e.Transaction], "it is there before it changes, once")
		created[e.Transaction] = true
	}
	require.Len(t, created, len(b.Transactions))
	require.Greater(t, len(b.Events), len(b.Transactions)+20)
}

func TestWhatIsPlantedIsThereAndNothingElse(t *testing.T) {
	t.Parallel()
	cfg := year()
	b := made(t, cfg)
	all := byID(b)
	require.Len(t, of(b, books.Duplicate), cfg.Duplicates)
	twice := map[string]bool{}
	for _, p := range of(b, books.Duplicate) {
		require.Len(t, p.Transactions, 2)
		one, two := all[p.Transactions[0]], all[p.Transactions[1]]
		require.Equal(t, [4]any{one.LeaseID, one.AccountID, one.Amount, one.Text}, [4]any{two.LeaseID, two.AccountID, two.Amount, two.Text})
		apart := days(t, one.Day, two.Day)
		require.True(t, apart >= 1 && apart <= 3)
		twice[one.LeaseID] = true
	}
	require.Len(t, of(b, books.Unsure), cfg.Unsure)
	require.Len(t, of(b, books.Outlier), cfg.Outliers)
	odd := map[string]bool{}
	for _, p := range of(b, books.Outlier) {
		odd[p.Transactions[0]] = true
	}
	type group struct{ lease, account string }
	amounts := map[group][]books.Transaction{}
	for _, one := range b.Transactions {
		if one.Kind == books.Charge {
			g := group{one.LeaseID, one.AccountID}
			amounts[g] = append(amounts[g], one)
		}
	}
	for g, list := range amounts {
		for i, one := range list {
			for _, earlier := range list[:i] {
				if earlier.Amount == one.Amount && days(t, earlier.Day, one.Day) <= 7 {
					require.True(t, twice[g.lease], "a duplicate that nobody planted")
				}
				if odd[one.ID] {
					require.GreaterOrEqual(t, i, 7)
					require.Greater(t, one.Amount, earlier.Amount*3)
					require.Less(t, one.Amount, earlier.Amount*12)
				} else if g.account == books.Utilities && !odd[earlier.ID] {
					require.Less(t, one.Amount, earlier.Amount*3/2)
				}
			}
		}
	}
}

func TestGapsAreRentThatNobodyPays(t *testing.T) {
	t.Parallel()
	cfg := year()
	b := made(t, cfg)
	gaps := map[string]bool{}
	all := byID(b)
	for _, p := range of(b, books.Gap) {
		gaps[p.LeaseID] = true
		for _, id := range p.Transactions {
			require.Equal(t, books.Rent, all[id].AccountID)
		}
		require.GreaterOrEqual(t, days(t, all[p.Transactions[0]].Day, cfg.To), 10)
	}
	require.Len(t, gaps, cfg.Gaps)
	paid, charged := map[string]int64{}, map[string]int64{}
	final := map[int]int64{}
	for i, one := range b.Transactions {
		final[i] = one.Amount
	}
	for _, e := range b.Events {
		if e.Update {
			final[e.Transaction] = e.Amount
		}
		if e.Voided {
			final[e.Transaction] = 0
		}
	}
	for i, one := range b.Transactions {
		switch {
		case one.Kind == books.Payment:
			paid[one.LeaseID] += final[i]
		case one.Kind == books.Charge && one.Day <= "2026-11-01":
			charged[one.LeaseID] += final[i]
		}
	}
	for _, l := range b.Leases {
		require.Equal(t, gaps[l.ID], paid[l.ID] < charged[l.ID], "lease %s", l.ID)
		require.LessOrEqual(t, paid[l.ID], charged[l.ID])
	}
	totals := b.Totals()
	sum := int64(0)
	for _, n := range paid {
		sum += n
	}
	require.Equal(t, sum, totals.Payments)
	require.Positive(t, totals.Bills)
}

func TestTheStatementAddsUp(t *testing.T) {
	t.Parallel()
	b := made(t, year())
	all := byID(b)
	sum, here := b.Statement.Opening, map[string]bool{}
	var fees int64
	for _, l := range b.Statement.Lines {
		sum += l.Amount
		require.Equal(t, sum, l.Balance)
		require.False(t, here[l.ID])
		here[l.ID] = true
		require.LessOrEqual(t, l.Day, b.Statement.To)
	}
	require.Equal(t, b.Statement.Closing, sum)
	require.NotEmpty(t, of(b, books.Batch))
	for _, p := range of(b, books.Batch) {
		var parts int64
		for _, id := range p.Transactions {
			require.Equal(t, all[p.Transactions[0]].Day, all[id].Day)
			parts += all[id].Amount
		}
		require.Equal(t, p.Amount, parts)
		require.True(t, here[p.Line])
	}
	require.Len(t, of(b, books.BankFee), 11)
	for _, p := range of(b, books.BankFee) {
		require.True(t, here[p.Line])
		fees += p.Amount
	}
	var pending int64
	for _, p := range of(b, books.Pending) {
		pending += p.Amount
	}
	require.Equal(t, b.Totals().Payments-pending+fees, b.Statement.Closing-b.Statement.Opening)

	var text bytes.Buffer
	require.NoError(t, b.Statement.CSV(&text))
	rows, err := csv.NewReader(&text).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, len(b.Statement.Lines)+1)
	require.Equal(t, []string{"date", "amount", "description", "reference", "balance"}, rows[0])
	require.Equal(t, books.Dollars(b.Statement.Closing), rows[len(rows)-1][4])
	text.Reset()
	require.NoError(t, b.Statement.OFX(&text))
	require.Equal(t, len(b.Statement.Lines), strings.Count(text.String(), "<STMTTRN>"))
	require.Contains(t, text.String(), "<BALAMT>"+books.Dollars(b.Statement.Closing))
	require.Contains(t, text.String(), "<TRNAMT>-15.00")
}

func TestWhatCannotBeIsSaid(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*books.Config){
		"from and to must be days":  func(c *books.Config) { c.To = "soon" },
		"to not before from":        func(c *books.Config) { c.From, c.To = c.To, c.From },
		"count must be 0 to":        func(c *books.Config) { c.Count = books.MaxCount + 1 },
		"gaps must be 0 to":         func(c *books.Config) { c.Gaps = -1 },
		"count or leases":           func(c *books.Config) { c.Count = 0 },
		"outliers need":             func(c *books.Config) { c.From = "2026-06-01" },
		"the 1st of 2 to":           func(c *books.Config) { c.From = "1999-01-01" },
		"there are only":            func(c *books.Config) { c.Duplicates = 200 },
		"of the same thousand":      func(c *books.Config) { c.Updated, c.Voided = 600, 600 },
		"unsure are 500, but there": func(c *books.Config) { c.Unsure = 500 },
	} {
		cfg := year()
		change(&cfg)
		_, err := books.Generate(cfg)
		require.ErrorContains(t, err, want)
	}
}
