package bookkeeping

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/policy"
)

func charge(cents policy.Cents) Transaction {
	return Transaction{ID: "charge/12", Found: true, Kind: Charge, Day: "2026-10-01", Parts: []Part{{Amount: cents}}}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	parts := []Part{{Amount: 100}, {Amount: 0}, {Amount: 250}, {Amount: 50}, {Amount: 7}}
	for name, c := range map[string]struct {
		of     Transaction
		choice []string
		want   []Line
	}{
		"charge": {charge(185000), []string{"rent"}, []Line{
			{Role: "receivables", Account: "Tenant Receivables", Debit: 185000}, {Role: "rent", Account: "Rental Income", Credit: 185000},
		}},
		"charge of which nobody knows what for": {charge(1), []string{""}, []Line{
			{Role: "receivables", Account: "Tenant Receivables", Debit: 1}, {Role: "unsure", Account: "Uncategorized", Credit: 1},
		}},
		"deposit": {charge(5), []string{"deposit"}, []Line{
			{Role: "receivables", Account: "Tenant Receivables", Debit: 5}, {Role: "deposit", Account: "Security Deposits Held", Credit: 5},
		}},
		"credit": {Transaction{Found: true, Kind: Credit, Parts: []Part{{Amount: 5}}}, []string{"rent"}, []Line{
			{Role: "rent", Account: "Rental Income", Debit: 5}, {Role: "receivables", Account: "Tenant Receivables", Credit: 5},
		}},
		"payment": {Transaction{Found: true, Kind: Payment, Parts: []Part{{Amount: 5}, {Amount: 6}}}, nil, []Line{
			{Role: "bank", Account: "Trust Checking", Debit: 11}, {Role: "receivables", Account: "Tenant Receivables", Credit: 11},
		}},
		"bill of several": {Transaction{Found: true, Kind: Bill, Parts: parts}, []string{"repairs", "rent", "cleaning", "repairs", ""}, []Line{
			{Role: "repairs", Account: "Repairs & Maintenance", Debit: 150},
			{Role: "cleaning", Account: "Cleaning & Turnover", Debit: 250},
			{Role: "unsure", Account: "Uncategorized", Debit: 7},
			{Role: "payables", Account: "Vendor Payables", Credit: 407},
		}},
		"gone":    {Transaction{Kind: Charge, Parts: []Part{{Amount: 5}}}, []string{"rent"}, nil},
		"voided":  {Transaction{Found: true, Voided: true, Kind: Charge, Parts: []Part{{Amount: 5}}}, []string{"rent"}, nil},
		"nothing": {charge(0), []string{"rent"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Target(c.of, c.choice, books())
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Equal(t, c.of.Counts(), Entry{Lines: got}.Balanced())
		})
	}
}

func TestTargetRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of     Transaction
		choice []string
		want   string
	}{
		"unknown category":   {charge(5), []string{"rnt"}, "finance.categories"},
		"category of a bill": {charge(5), []string{"repairs"}, "cannot take a charge"},
		"income for a bill":  {Transaction{Found: true, Kind: Bill, Parts: []Part{{Amount: 5}}}, []string{"rent"}, "cannot take a bill"},
		"too few categories": {charge(5), nil, "1 parts but 0 categories"},
		"unknown kind":       {Transaction{Found: true, Kind: "loan", Parts: []Part{{Amount: 5}}}, []string{""}, `"loan"`},
		"negative":           {charge(-5), []string{"rent"}, "negative"},
		"too large":          {charge(math.MaxInt64), []string{"rent"}, "too large"},
		"too large together": {Transaction{Found: true, Kind: Payment, Parts: []Part{{Amount: maxAmount}, {Amount: 1}}}, nil, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Target(c.of, c.choice, books())
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestBookDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		day, today  string
		closedAfter int
		want        string
	}{
		{"2026-10-01", "2026-10-01", 10, "2026-10-01"},
		{"2026-10-01", "2026-11-10", 10, "2026-10-01"},
		{"2026-10-01", "2026-11-11", 10, "2026-11-11"},
		{"2026-10-31", "2026-11-10", 10, "2026-10-31"},
		{"2026-10-31", "2026-11-11", 10, "2026-11-11"},
		{"2026-11-30", "2026-11-30", 0, "2026-11-30"},
		{"2026-11-30", "2026-12-01", 0, "2026-12-01"},
		{"2026-11-30", "2026-12-01", -5, "2026-12-01"},
		{"2028-02-01", "2028-02-29", 0, "2028-02-01"},
		{"2028-02-01", "2028-03-01", 0, "2028-03-01"},
		{"2027-02-01", "2027-03-01", 1, "2027-02-01"},
		{"2027-02-01", "2027-03-02", 1, "2027-03-02"},
		{"2028-01-31", "2028-03-01", 30, "2028-01-31"},
		{"2028-01-31", "2028-03-02", 30, "2028-03-02"},
		{"2026-12-31", "2027-01-10", 10, "2026-12-31"},
		{"2026-12-31", "2027-01-11", 10, "2027-01-11"},
		// Of the future.
		{"2027-03-01", "2026-11-22", 0, "2027-03-01"},
		{"2026-11-23", "2026-11-22", 0, "2026-11-23"},
	} {
		got, err := BookDay(c.day, c.today, c.closedAfter)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%+v", c)
	}
	for _, day := range []string{"", "2026-02-29", "2026-13-01", "10/31/2026", "2026-1-1", "2026-10-01T00:00:00Z"} {
		_, err := BookDay(day, "2026-11-22", 10)
		require.ErrorContains(t, err, "2026-10-31", day)
		_, err = BookDay("2026-11-22", day, 10)
		require.Error(t, err, day)
	}
}

// lines of a charge of rent.
func lines(cents policy.Cents) []Line {
	return []Line{{Role: "receivables", Account: "R", Debit: cents}, {Role: "rent", Account: "I", Credit: cents}}
}

func undone(cents policy.Cents) []Line {
	return []Line{{Role: "receivables", Account: "R", Credit: cents}, {Role: "rent", Account: "I", Debit: cents}}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	first := Entry{Number: 1, Day: "2026-10-01", Of: "2026-10-01", Lines: lines(5)}
	taken := Entry{Number: 2, Day: "2026-10-01", Of: "2026-10-01", Lines: undone(5), Reverses: 1}
	// late was booked when September was closed.
	late := Entry{Number: 1, Day: "2026-10-20", Of: "2026-09-01", Lines: lines(5)}
	for name, c := range map[string]struct {
		booked     []Entry
		want       []Line
		day, today string
		planned    []Entry
	}{
		"nothing for nothing": {nil, nil, "2026-10-01", "2026-10-05", nil},
		"nothing of a transaction that is gone, without a day": {nil, nil, "", "2026-10-05", nil},
		"first":         {nil, lines(5), "2026-10-01", "2026-10-05", []Entry{first}},
		"again":         {[]Entry{first}, lines(5), "2026-10-01", "2026-12-05", nil},
		"lines moved":   {[]Entry{first}, []Line{lines(5)[1], lines(5)[0]}, "2026-10-01", "2026-10-05", nil},
		"voided":        {[]Entry{first}, nil, "", "2026-10-05", []Entry{taken}},
		"still voided":  {[]Entry{first, taken}, nil, "2026-10-01", "2026-10-05", nil},
		"no more void":  {[]Entry{first, taken}, lines(5), "2026-10-01", "2026-10-05", []Entry{{Number: 3, Day: "2026-10-01", Of: "2026-10-01", Lines: lines(5)}}},
		"other amount":  {[]Entry{first}, lines(6), "2026-10-01", "2026-10-05", []Entry{taken, {Number: 3, Day: "2026-10-01", Of: "2026-10-01", Lines: lines(6)}}},
		"other day":     {[]Entry{first}, lines(5), "2026-10-03", "2026-10-05", []Entry{taken, {Number: 3, Day: "2026-10-03", Of: "2026-10-03", Lines: lines(5)}}},
		"last open day": {[]Entry{first}, nil, "", "2026-11-10", []Entry{taken}},
		"closed since": {[]Entry{first}, lines(6), "2026-10-01", "2026-11-11", []Entry{
			{Number: 2, Day: "2026-11-11", Of: "2026-10-01", Lines: undone(5), Reverses: 1},
			{Number: 3, Day: "2026-11-11", Of: "2026-10-01", Lines: lines(6)},
		}},
		"first in a closed month":           {nil, lines(5), "2026-09-01", "2026-10-20", []Entry{late}},
		"what was booked late stays":        {[]Entry{late}, lines(5), "2026-09-01", "2026-10-21", nil},
		"even when its own month is closed": {[]Entry{late}, lines(5), "2026-09-01", "2027-03-01", nil},
		"what was booked late is taken back where it stands": {[]Entry{late}, nil, "2026-09-01", "2026-10-21", []Entry{
			{Number: 2, Day: "2026-10-20", Of: "2026-09-01", Lines: undone(5), Reverses: 1},
		}},
		"moved within closed months": {[]Entry{late}, lines(5), "2026-09-02", "2026-10-21", []Entry{
			{Number: 2, Day: "2026-10-20", Of: "2026-09-01", Lines: undone(5), Reverses: 1},
			{Number: 3, Day: "2026-10-21", Of: "2026-09-02", Lines: lines(5)},
		}},
		"of the future": {nil, lines(5), "2027-01-01", "2026-10-21", []Entry{{Number: 1, Day: "2027-01-01", Of: "2027-01-01", Lines: lines(5)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Plan(c.booked, c.want, c.day, c.today, 10)
			require.NoError(t, err)
			require.Equal(t, c.planned, got)
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	one := Entry{Number: 1, Day: "2026-10-01", Of: "2026-10-01", Lines: lines(5)}
	for name, booked := range map[string][]Entry{
		"two in force":         {one, {Number: 2, Day: one.Day, Of: one.Of, Lines: lines(5)}},
		"reversed twice":       {one, {Number: 2, Lines: undone(5), Reverses: 1}, {Number: 3, Lines: undone(5), Reverses: 1}},
		"reverses nothing":     {{Number: 1, Lines: undone(5), Reverses: 7}},
		"reverses something":   {one, {Number: 2, Lines: undone(4), Reverses: 1}},
		"a gap in the numbers": {one, {Number: 3, Lines: undone(5), Reverses: 1}},
		"the same number":      {one, {Number: 1, Lines: undone(5), Reverses: 1}},
		"unbalanced":           {{Number: 1, Day: one.Day, Of: one.Of, Lines: lines(5)[:1]}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Plan(booked, lines(5), "2026-10-01", "2026-10-05", 10)
			require.ErrorIs(t, err, ErrBroken)
		})
	}
	_, err := Plan(nil, lines(5)[:1], "2026-10-01", "2026-10-05", 10)
	require.ErrorContains(t, err, "differ")
	_, err = Plan(nil, lines(5), "", "2026-10-05", 10)
	require.ErrorContains(t, err, "not a day")
	_, err = Plan([]Entry{one}, nil, "", "today", 10)
	require.ErrorContains(t, err, "not a day")
}

func TestNumber(t *testing.T) {
	t.Parallel()
	require.Equal(t, "C12-1", Number("charge/12", 1))
	require.Equal(t, "P13-2", Number("payment/13", 2))
	require.Equal(t, "I14-10", Number("invoice/14", 10))
	require.Equal(t, "C123456789012-1", Number("charge/123456789012", 1))
	seen := map[string]string{}
	for _, id := range []string{"charge/1234567890123", "charge/" + strings.Repeat("9", 500), "charge/ab", "charge/", "charge", "", "refund/12", "invoice/1-2", "payment/1 OR 1", "charge/１２"} {
		got := Number(id, 999999)
		require.Regexp(t, `^[CPIT]X[A-Z2-7]{12}-999999$`, got, id)
		require.LessOrEqual(t, len(got), 21)
		require.Empty(t, seen[got])
		seen[got] = id
	}
	require.Equal(t, "Keyholder charge/12#1", Memo("charge/12", 1))
	require.Equal(t, "Keyholder invoice/14#"+strconv.Itoa(10), Memo("invoice/14", 10))
}
