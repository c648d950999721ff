package activities

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/store"
)

// swapless is a store that cannot list swaps.
type swapless struct{ store.Store }

func (swapless) LiveSwaps(context.Context, time.Time) ([]store.Swap, error) {
	return nil, errors.New("away")
}

func TestSettingsHaveTheSwaps(t *testing.T) {
	t.Parallel()
	rules, err := policy.Open(policy.BuiltIn, nil)
	require.NoError(t, err)
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "swaps.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	a := New(Config{Policy: rules, Store: st, Log: zap.NewNop()})
	read := func(a *Activities) Settings {
		t.Helper()
		s, err := a.readSettings(t.Context(), ReadSettingsInput{PortfolioID: "1", PropertyID: "1"})
		require.NoError(t, err)
		return s
	}
	require.Equal(t, rules.For("1", "1"), read(a), "without swaps the settings are the policy's")

	now := time.Now()
	onCall := read(a).OnCallAt(now)[0]
	require.NoError(t, st.PutSwap(t.Context(), store.Swap{ID: "1", Out: onCall.ID, In: "maria", From: now.Add(-time.Minute), To: now.Add(time.Hour)}, now))
	require.Equal(t, "+12135550131", read(a).OnCallAt(now)[0].Phone, "it counts at once")

	a.Store = swapless{st}
	require.Equal(t, "maria", read(a).OnCallAt(now)[0].ID, "while the store is away, what was read before counts")
	require.Equal(t, onCall.ID, read(New(Config{Policy: rules, Store: swapless{st}, Log: zap.NewNop()})).OnCallAt(now)[0].ID, "and paging goes on without")

	a.Store = st
	require.NoError(t, st.CancelSwap(t.Context(), "1"))
	require.Equal(t, onCall.ID, read(a).OnCallAt(now)[0].ID, "a cancelled one ends at once")
}

func TestSwapsOfAProperty(t *testing.T) {
	t.Parallel()
	rules, err := policy.Load(policy.BuiltIn)
	require.NoError(t, err)
	here, portland := rules.For("1", "1"), rules.For("2", "9")
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	swap := func(out, in string, from, to time.Duration) store.Swap {
		return store.Swap{ID: out + in, Out: out, In: in, From: now.Add(from), To: now.Add(to)}
	}
	pairs := func(s Settings, live ...store.Swap) []string {
		list := []string{}
		for _, w := range swapsOf(s, live, now, rules.People) {
			require.NotEmpty(t, w.In.Phone)
			list = append(list, w.Out.ID+" "+w.In.ID)
		}
		return list
	}
	require.Equal(t, []string{"alma omar"}, pairs(here, swap("alma", "omar", -1, time.Hour)))
	require.Empty(t, pairs(portland, swap("alma", "omar", -1, time.Hour)), "nobody of its teams")
	require.Equal(t, []string{"ivan alma"}, pairs(portland, swap("ivan", "alma", -1, time.Hour)), "by somebody whom only others name")
	require.Equal(t, []string{"alma omar", "omar grace"}, pairs(here, swap("alma", "omar", -1, time.Hour), swap("omar", "grace", -1, time.Hour)), "a stand-in's stand-in")
	require.Empty(t, pairs(here, swap("omar", "grace", -1, time.Hour)), "who is on no team is not on call")
	require.Empty(t, pairs(here, swap("alma", "omar", -time.Hour, 0)), "over")
	require.Equal(t, []string{"alma omar"}, pairs(here, swap("alma", "omar", 23*time.Hour, 30*time.Hour)), "soon")
	require.Empty(t, pairs(here, swap("alma", "omar", 25*time.Hour, 30*time.Hour)), "not soon")
	require.Empty(t, pairs(here, swap("alma", "nobody", -1, time.Hour)), "somebody whom the policy does not name")
	require.Empty(t, pairs(here, swap("nobody", "omar", -1, time.Hour)))
}
