package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestCallsLeftTakesNone(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		l := newLedger(t, open(), "p")
		left := func() []int {
			n, err := l.s.CallsLeft(t.Context(), "p", limits)
			require.NoError(t, err)
			return n
		}
		require.Equal(t, []int{100, 1000}, left(), "nobody has called yet")
		l.take(60)
		require.Equal(t, []int{40, 940}, left())
		require.Equal(t, []int{40, 940}, left(), "asking costs nothing")
		l.pass(time.Minute + bucket)
		require.Equal(t, []int{100, 940}, left())

		// What the partner says bounds all, until it is over.
		l.note(7, 30*time.Second)
		require.Equal(t, []int{7, 7}, left())
		l.take(3)
		require.Equal(t, []int{4, 4}, left())
		l.pass(32 * time.Second)
		require.Equal(t, []int{97, 937}, left())
		require.Equal(t, 97, l.take(100).Granted)
		require.Equal(t, []int{0, 840}, left())

		_, err := l.s.CallsLeft(t.Context(), "p", nil)
		require.ErrorContains(t, err, "limits")
	})
}
