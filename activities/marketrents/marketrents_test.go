package marketrents_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/marketrents"
	"github.com/aictive/keyholder/store"
)

const (
	today   = "2026-11-22"
	heading = "ref,date,zip,city,state,beds,baths,size,built,rent\n"
)

func read(text string) ([]store.MarketRent, error) {
	return marketrents.Read(strings.NewReader(text), "zillow", today)
}

func TestRead(t *testing.T) {
	t.Parallel()
	want := []store.MarketRent{
		{Source: "zillow", Ref: "A-1", Day: "2026-11-22", ZipCode: "97209", City: "Portland", State: "OR", Beds: 2, Baths: 1, Size: 1050, Built: 1962, Rent: 185000},
		{Source: "zillow", Ref: "A-2", Day: "2026-10-01", City: "Portland", State: "OR", Beds: -1, Rent: 120050},
		{Source: "zillow", Ref: "A-3", Day: "2026-10-01", ZipCode: "97210", State: "OR", Beds: 0, Baths: 1, Rent: 99900},
	}
	for name, text := range map[string]string{
		"commas": heading + `A-1,2026-11-22,97209-1234,Portland,or,2,1.5,"1,050",1962,"$1,850.00"` + "\n" +
			"A-2,2026-10-01,,Portland,OR,,,,,1200.5\n\nA-3,2026-10-01,97210,,OR,Studio,1,,,999\n",
		"semicolons, a mark and other columns": "\xef\xbb\xbfState;Rent;Ref;note;Date;Zip;City;Beds;Baths;Size;Built\r\n" +
			"OR;1850;A-1;x, y;2026-11-22;97209;Portland;2;1;1050;1962\r\nOR;1200.50;A-2;;2026-10-01;;Portland;;;;\r\nOR;999.00;A-3;;2026-10-01;97210;;0;1;;\r\n",
		"tabs": strings.ReplaceAll(heading, ",", "\t") + "A-1\t2026-11-22\t97209\tPortland\tOR\t2\t1\t1050\t1962\t1,850\n" +
			"A-2\t2026-10-01\t\tPortland\tOR\t\t\t\t\t1200.50\nA-3\t2026-10-01\t97210\t\tOR\t0\t1\t\t\t999\n",
	} {
		got, err := read(text)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
	got, err := read("ref,date,state,city,rent\n1,2026-11-22,OR,Portland,1850\n")
	require.NoError(t, err, "what may be left out")
	require.Equal(t, []store.MarketRent{{Source: "zillow", Ref: "1", Day: today, City: "Portland", State: "OR", Beds: -1, Rent: 185000}}, got)
}

func TestWhatIsWrong(t *testing.T) {
	t.Parallel()
	const good = "1,2026-11-22,97209,Portland,OR,2,1,800,1962,1850\n"
	row := func(old, with string) string {
		require.Contains(t, good, old)
		return heading + "0" + good[1:] + strings.Replace(good, old, with, 1)
	}
	for text, want := range map[string]string{
		"":                               "line 1: there is no heading",
		heading:                          "has no rows below its heading",
		"a;b;c\n":                        "line 1: there is no column ref, date, state, rent, zip or city; the headings are ref, date",
		"ref,date,state,rent\n1,2,3,4\n": "line 1: there is no column zip or city",
		row("1,2026", ",2026"):           "line 3: ref must be given",
		row("1,2026", "0,2026"):          "line 3: ref is that of line 2",
		row("1,2026", strings.Repeat("r", 101)+",2026"): "line 3: ref must be given and be one line of at most 100 bytes",
		row("2026-11-22", "11/22/2026"):                 "line 3: date must be a day such as 2026-11-22",
		row("2026-11-22", "2026-11-23"):                 "line 3: date is after today, 2026-11-22",
		row("97209,Portland", "7209,Portland"):          "line 3: zip must have five digits",
		row("97209,Portland", ","):                      "line 3: zip or city must be given",
		row("OR", "Oregon"):                             "line 3: state must be the two letters",
		row("OR,2", "OR,two"):                           "line 3: beds must be a whole number from 0 to 20",
		row("OR,2", "OR,-1"):                            "line 3: beds must be a whole number from 0 to 20",
		row("2,1,800", "2,NaN,800"):                     "line 3: baths must be a number from 0 to 20",
		row("800", "49"):                                "line 3: size must be a whole number from 50 to 100000",
		row("1962", "62"):                               "line 3: built must be a whole number from 1500 to 2200",
		row("1850", "1850,00"):                          "line 3: it has 11 cells, and the heading has 10",
		row("1850", `"1850,00"`):                        "line 3: rent must be an amount a month such as 1850.00",
		row("1850", "0"):                                "line 3: rent must be an amount",
		row("1850", "-5"):                               "line 3: rent must be an amount",
		row("1850", "100000.01"):                        "line 3: rent must be an amount",
		row("1850", "9999999999999999999"):              "line 3: rent must be an amount",
		row("Portland", `"Port`):                        "line 3: a quote is not as CSV wants it",
		"ref\xff,date":                                  "is not in UTF-8",
	} {
		got, err := read(text)
		require.ErrorContains(t, err, want, text)
		require.Nil(t, got, text)
	}
	_, err := read(heading + strings.Repeat("x,x,x,x,x,x,x,x,x,x\n", 30))
	require.ErrorContains(t, err, "and 249 more") // 8 of the first row and 9 of each other, less 20
	require.NotContains(t, err.Error(), "x,")
	for _, source := range []string{"", "Zillow", "a b", strings.Repeat("a", 33)} {
		_, err = marketrents.Read(strings.NewReader(heading+good), source, today)
		require.ErrorContains(t, err, "the name of the source", source)
	}
	_, err = marketrents.Read(iotest.ErrReader(errors.New("gone")), "a", today)
	require.ErrorContains(t, err, "cannot be read: gone")
}

func TestRowsAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(heading)
	for i := range marketrents.MaxRows {
		fmt.Fprintf(&b, "%d,2026-11-22,97209,,OR,,,,,1\n", i)
	}
	got, err := read(b.String())
	require.NoError(t, err)
	require.Len(t, got, marketrents.MaxRows)
	b.WriteString("more,2026-11-22,97209,,OR,,,,,1\n")
	_, err = read(b.String())
	require.ErrorContains(t, err, "line 100002: there are more than 100000 rows")
}

func FuzzRead(f *testing.F) {
	f.Add(heading + "A-1,2026-11-22,97209,Portland,OR,2,1.5,1050,1962,1850\n")
	f.Add("ref;date;zip;state;rent\n1;2026-11-22;97209;OR;$1,850.00\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := read(text)
		require.Equal(t, err == nil, len(rows) > 0)
		for _, r := range rows {
			require.Positive(t, r.Rent)
			require.NotEmpty(t, r.Ref)
			require.NotEmpty(t, r.ZipCode+r.City)
			require.Len(t, r.State, 2)
			require.GreaterOrEqual(t, r.Beds, -1)
		}
	})
}
