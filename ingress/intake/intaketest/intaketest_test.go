package intaketest_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/ingress/intake"
	"github.com/aictive/keyholder/ingress/intake/intaketest"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/sales"
)

func TestCSVHasExactlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows, bad, duplicates int
		seed                  uint64
	}{
		{1, 0, 0, 1}, {2, 0, 1, 1}, {2, 1, 0, 1}, {40, 22, 17, 3}, {1000, 20, 30, 7}, {10_000, 200, 300, 2},
	} {
		rows, err := intake.File("text/csv", intaketest.CSV(c.rows, c.bad, c.duplicates, c.seed))
		require.NoError(t, err)
		require.Len(t, rows, c.rows)
		good := intaketest.Good(c.rows, c.bad, c.duplicates, c.seed)
		require.Len(t, good, c.rows-c.bad-c.duplicates)
		want := map[int]sales.NewSale{}
		for _, g := range good {
			want[g.Line] = g.NewSale
		}
		requireCounts(t, rows, want, c.bad, c.duplicates)
	}
}

// requireCounts judges duplicates as an import does: by address, postcode and seller.
func requireCounts(t *testing.T, rows []intake.Row, want map[int]sales.NewSale, bad, duplicates int) {
	t.Helper()
	keys := store.NewKeys("a secret of thirty-two characters")
	seen, addresses := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		if len(r.Problems) > 0 {
			bad--
			require.NotContains(t, want, r.Number)
			continue
		}
		key := keys.SaleRequest(r.Sale.Address, r.Sale.Postcode, r.Sale.Email)
		if seen[key] {
			duplicates--
			require.NotContains(t, want, r.Number)
			continue
		}
		seen[key] = true
		address := keys.SaleAddress(r.Sale.Address, r.Sale.Postcode)
		require.False(t, addresses[address], "an address of its own")
		addresses[address] = true
		require.Equal(t, want[r.Number], r.Sale)
	}
	require.Zero(t, bad)
	require.Zero(t, duplicates)
}

func TestCSVIsTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	once := intaketest.CSV(100, 10, 10, 1)
	again := intaketest.CSV(100, 10, 10, 1)
	require.Equal(t, once, again)
	require.NotEqual(t, once, intaketest.CSV(100, 10, 10, 2))
	require.Equal(t, 101, bytes.Count(once, []byte{'\n'}))
	require.Panics(t, func() { intaketest.CSV(10, 5, 5, 1) })
}
