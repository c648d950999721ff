package bankfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/bankfile"
)

var columns = bankfile.Columns{Date: "Date", Amount: "Amount", Description: "Description", Reference: "Reference", Balance: "Balance"}

func options() bankfile.Options {
	return bankfile.Options{Account: "Trust Checking", Currency: "USD", Columns: columns}
}

func read(text string, o bankfile.Options) (bankfile.Statement, error) {
	return bankfile.Read(strings.NewReader(text), "statement.csv", o)
}

func TestCSV(t *testing.T) {
	t.Parallel()
	s, err := read("\ufeff\"date\",\"DESCRIPTION\",Amount,Reference,Balance,Branch\r\n"+
		"2026-11-02,\"ACH  payment/13\n second line\",\"1,850.00\",7001,\"$2,850.00\",x\r\n"+
		"2026-11-03,Fee,(12.50),,2837.50,x\r\n"+
		"\r\n,,,,,\r\n"+
		"2026-11-03,Note,0.00,,2837.50,x\r\n"+
		"2026-11-04,Fee,-12.5,,2825.00,x\r\n", options())
	require.NoError(t, err)
	require.Len(t, s.ID, 64)
	require.Equal(t, "Trust Checking", s.Account)
	require.Equal(t, "USD", s.Currency)
	require.Equal(t, "2026-11-02", s.From)
	require.Equal(t, "2026-11-04", s.To)
	require.True(t, s.Balances)
	require.Equal(t, int64(100000), s.Opening)
	require.Equal(t, int64(282500), s.Closing)
	require.Len(t, s.Lines, 3)
	first := s.Lines[0]
	require.Equal(t, bankfile.Line{ID: first.ID, Day: "2026-11-02", Text: "ACH payment/13 second line", Reference: "7001", Amount: 185000}, first)
	require.Equal(t, int64(-1250), s.Lines[1].Amount)
	require.Equal(t, int64(-1250), s.Lines[2].Amount)
}

func TestCSVOfOtherForms(t *testing.T) {
	t.Parallel()
	inOut := options()
	inOut.Columns = bankfile.Columns{Date: "Buchung", In: "Haben", Out: "Soll", Balance: "Saldo"}
	inOut.DateLayout = "02.01.2006"
	s, err := read("Buchung;Haben;Soll;Saldo\n04.11.2026;;-1.234,50;0,00\n03.11.2026;;10,00;\n02.11.2026;1.244,5;;1.244,50\n", inOut)
	require.NoError(t, err)
	require.Equal(t, []int64{-123450, -1000, 124450}, amounts(s))
	require.Equal(t, int64(0), s.Opening, "the newest line comes first")
	require.Equal(t, int64(0), s.Closing)
	require.True(t, s.Balances)

	plain := options()
	plain.Columns = bankfile.Columns{Date: "Date", Amount: "Amount"}
	s, err = read("Date\tAmount\n2026-11-02\t5\n", plain)
	require.NoError(t, err)
	require.Equal(t, []int64{500}, amounts(s))
	require.False(t, s.Balances)

	s, err = read("Date,Amount\n2026-11-02,\"1,234\"\n2026-11-02,0.50\n", plain)
	require.NoError(t, err, "the other amount shows what the comma is")
	require.Equal(t, []int64{123400, 50}, amounts(s))

	latin := options()
	latin.Columns.Balance = ""
	s, err = read("Date,Amount,Description,Reference\n2026-11-02,1.00,Caf\xe9,\n", latin)
	require.NoError(t, err)
	require.Equal(t, "Café", s.Lines[0].Text)
	s, err = read("\xff\xfeD\x00a\x00t\x00e\x00,\x00A\x00m\x00o\x00u\x00n\x00t\x00\n\x002\x000\x002\x006\x00-\x001\x001\x00-\x000\x002\x00,\x001\x00\n\x00", plain)
	require.NoError(t, err)
	require.Equal(t, []int64{100}, amounts(s))
}

func amounts(s bankfile.Statement) []int64 {
	var list []int64
	for _, l := range s.Lines {
		list = append(list, l.Amount)
	}
	return list
}

func TestLinesOfCSVAreTheSameInEveryStatement(t *testing.T) {
	t.Parallel()
	o := options()
	o.Columns = bankfile.Columns{Date: "Date", Amount: "Amount", Description: "Description"}
	a, err := read("Date,Amount,Description\n2026-11-01,9.00,A\n2026-11-02,5.00,Rent\n2026-11-02,5.00,Rent\n", o)
	require.NoError(t, err)
	b, err := read("Description,Date,Amount\nRent,2026-11-02,5.00\nOther,2026-11-02,5.00\nRent,2026-11-02,5.00\nRent,2026-11-02,5.00\n", o)
	require.NoError(t, err)
	require.NotEqual(t, a.ID, b.ID)
	require.Equal(t, []string{a.Lines[1].ID, a.Lines[2].ID}, []string{b.Lines[0].ID, b.Lines[2].ID})
	ids := map[string]bool{}
	for _, l := range append(a.Lines[:1:1], b.Lines...) {
		ids[l.ID] = true
	}
	require.Len(t, ids, 5)
}

func TestCSVThatIsRefused(t *testing.T) {
	t.Parallel()
	const head = "Date,Amount,Description,Reference,Balance\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":          {"", "no heading"},
		"heading alone":    {head, "no movements"},
		"no column":        {"Date,Betrag,Description,Reference,Balance\n", `no column "Amount"`},
		"cells":            {head + "2026-11-02,1.00\n", "line 2: it has 2 cells, and the heading has 5"},
		"quote":            {head + "2026-11-02,1.00,a\"b,,\n", "line 2: a quote"},
		"date":             {head + "\n02/11/2026,1.00,a,,\n", "line 3: the date is not as"},
		"old":              {head + "0202-11-02,1.00,a,,\n", "line 2: the date is before 1970"},
		"amount":           {head + "2026-11-02,one,a,,\n", "line 2: the amount is no amount"},
		"no amount":        {head + "2026-11-02,,a,,\n", "line 2: the amount is no amount"},
		"decimals":         {head + "2026-11-02,1.005,a,,\n2026-11-02,2.00,a,,\n", "line 2: the amount has more than two decimals"},
		"many decimals":    {head + "2026-11-02,1.2345,a,,\n", "more than two decimals"},
		"ambiguous":        {head + "2026-11-02,\"1,234\",a,,\n", "line 2: the amount may be thousands or decimals"},
		"marks":            {head + "2026-11-02,1.20,a,,\n2026-11-02,\"1,20\",a,,\n", "line 3: an amount has another decimal mark"},
		"signs":            {head + "2026-11-02,(-1.00),a,,\n", "no amount"},
		"two signs":        {head + "2026-11-02,-$-1.00,a,,\n", "no amount"},
		"high":             {head + "2026-11-02,99999999999999.00,a,,\n", "too high"},
		"balance":          {head + "2026-11-01,1.00,a,,1.00\n2026-11-02,1.00,a,,2.00\n2026-11-03,1.00,a,,9.00\n", "the balance of 2026-11-03 does not follow from the lines: one is missing, or one too many (movement 3 of the file)"},
		"balance, turned":  {head + "2026-11-03,1.00,a,,9.00\n2026-11-02,1.00,a,,2.00\n2026-11-01,1.00,a,,1.00\n", "the balance of 2026-11-03"},
		"unreadable":       {"PK\x03\x04\x00\x00", "neither UTF-8 nor UTF-16"},
		"the first of all": {head + strings.Repeat("x,1.00,a,,\n", 30), "and 10 more"},
	} {
		s, err := read(c.text, options())
		require.ErrorContains(t, err, c.want, name)
		require.ErrorContains(t, err, "statement.csv", name)
		require.Empty(t, s, name)
	}

	inOut := options()
	inOut.Columns = bankfile.Columns{Date: "Date", In: "In", Out: "Out"}
	_, err := read("Date,In,Out\n2026-11-02,1.00,2.00\n2026-11-02,,\n", inOut)
	require.ErrorContains(t, err, "line 2: money came in and went out in one line; line 3: there is no amount in it")

	for name, change := range map[string]func(*bankfile.Options){
		"name the account":      func(o *bankfile.Options) { o.Account = "" },
		"want the currency":     func(o *bankfile.Options) { o.Currency = "" },
		"the columns of":        func(o *bankfile.Options) { o.Columns.Date = "" },
		"and of either":         func(o *bankfile.Options) { o.Columns.Amount = "" },
		"either the amount or ": func(o *bankfile.Options) { o.Columns.In, o.Columns.Out = "In", "Out" },
	} {
		o := options()
		change(&o)
		_, err := read(head+"2026-11-02,1.00,a,,\n", o)
		require.ErrorContains(t, err, name)
	}
}

func TestLargeFiles(t *testing.T) {
	t.Parallel()
	o := options()
	o.Columns = bankfile.Columns{Date: "Date", Amount: "Amount"}
	_, err := read("Date,Amount\n"+strings.Repeat("2026-11-02,1.00\n", bankfile.MaxLines+1), o)
	require.ErrorContains(t, err, "more than 100000 movements")
	s, err := read("Date,Amount\n"+strings.Repeat("2026-11-02,1.00\n", bankfile.MaxLines), o)
	require.NoError(t, err)
	require.Len(t, s.Lines, bankfile.MaxLines)
	_, err = read("Date,Amount\n"+strings.Repeat(" ", bankfile.MaxBytes), o)
	require.ErrorContains(t, err, "larger than 20 MB")
}

// Whatever is read is whole: days, amounts and IDs are there, and the balances agree.
func FuzzCSV(f *testing.F) {
	f.Add("Date,Amount,Description,Reference,Balance\n2026-11-02,\"1,850.00\",a,b,9\n", false)
	f.Add("Date;In;Out\n2026-11-02;1.850,00;\n2026-11-02;;(2)\n", true)
	f.Add("\xff\xfeD\x00", false)
	f.Fuzz(func(t *testing.T, text string, inOut bool) {
		o := options()
		if inOut {
			o.Columns = bankfile.Columns{Date: "Date", In: "In", Out: "Out"}
		}
		s, err := read(text, o)
		if err != nil {
			require.Empty(t, s)
			return
		}
		sum, ids := s.Opening, map[string]bool{}
		for _, l := range s.Lines {
			require.False(t, ids[l.ID], "the same ID twice")
			ids[l.ID] = true
			require.NotZero(t, l.Amount)
			require.Len(t, l.Day, len("2026-11-02"))
			require.LessOrEqual(t, s.From, l.Day)
			require.GreaterOrEqual(t, s.To, l.Day)
			sum += l.Amount
		}
		if s.Balances {
			require.Equal(t, s.Closing, sum, "%+v", s)
		}
	})
}
