package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestMarketImport(t *testing.T) {
	t.Parallel()
	k := keepBooks(t)
	stored := func() []store.MarketRent {
		t.Helper()
		rows, err := k.store.MarketRents(t.Context(), "OR", "97209", "Portland", "2020-01-01")
		require.NoError(t, err)
		return rows
	}
	const heading = "ref,date,zip,city,state,beds,baths,size,built,rent\n"
	file := k.file("rents.csv", heading+"1,2026-01-05,97209,Portland,OR,2,1,800,1962,1850\n2,2026-01-06,97209,Portland,OR,1,1,600,,1500\n")

	s := k.run("market", "import", file, "--source", "zillow", "--dry-run")
	require.NoError(t, s.failed)
	require.Equal(t, "2 rows of zillow; nothing was stored (--dry-run)\n", s.out.String())
	require.Empty(t, stored())

	s = k.run("market", "import", file, "--source", "zillow")
	require.NoError(t, s.failed)
	require.Equal(t, "2 rows of zillow: 2 added, 0 replaced\n", s.out.String())
	require.Len(t, stored(), 2)

	more := k.file("more.csv", heading+"2,2026-01-07,97209,Portland,OR,1,1,600,,1450\n3,2026-01-07,97209,Portland,OR,1,1,600,,1400\n")
	require.Equal(t, "2 rows of zillow: 1 added, 1 replaced\n", k.run("market", "import", more, "--source", "zillow").out.String())
	require.Equal(t, "2 rows of market: 2 added, 0 replaced\n", k.run("market", "import", more).out.String(), "another source has refs of its own")
	require.Len(t, stored(), 5)

	bad := k.file("bad.csv", heading+"9,2026-01-07,97209,Portland,OR,1,1,600,,1450\n10,2999-01-01,97209,Portland,OR,1,1,600,,0\n")
	s = k.run("market", "import", bad)
	require.ErrorContains(t, s.failed, "bad.csv: line 3: date is after today")
	require.ErrorContains(t, s.failed, "rent must be an amount a month such as 1850.00, above 0 and at most 100000.00; nothing was stored")
	require.Len(t, stored(), 5, "nothing is half imported")

	require.ErrorAs(t, k.run("market", "import", "nowhere.csv").failed, new(usageError))
	require.ErrorContains(t, k.run("market", "import", file, "--source", "Zillow!").failed, "the name of the source")
	require.ErrorAs(t, k.run("market", "import").failed, new(usageError))
}
