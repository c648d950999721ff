package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestThePaceOfAnImport(t *testing.T) {
	t.Parallel()
	minute := store.Limit{Calls: 100, Window: time.Minute}
	for name, c := range map[string]struct {
		waiting int
		atOnce  float64
		want    time.Duration
	}{
		"few rows go at once":                      {40, 50, 0},
		"but not into the reserve":                 {48, 50, time.Minute / 97},
		"more are spread over the window":          {1000, 50, time.Minute / 97},
		"as are few, where others use the limit":   {10, 5, time.Minute / 97},
		"a limit that fits them all is no concern": {900, 970, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, paceOf(c.waiting, c.atOnce, forBulk, minute))
		})
	}
	require.Zero(t, paceOf(10, 0, forBulk, store.Limit{Calls: 1, Window: time.Minute}), "a limit of one call is all reserve: the ledger tells")
}
