package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

func TestClaimIncident(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		began := time.Date(2030, 1, 10, 12, 0, 0, 0, time.UTC) // business time
		claim := func(property, category, workOrder string, at, notBefore time.Time) string {
			t.Helper()
			lead, err := s.ClaimIncident(ctx, property, category, workOrder, at, notBefore)
			require.NoError(t, err)
			return lead
		}
		hour := func(at time.Time) time.Time { return at.Add(-time.Hour) }

		require.Equal(t, "1", claim("7", "leak", "1", began, hour(began)))
		require.Equal(t, "1", claim("7", "leak", "2", began.Add(time.Minute), hour(began)))
		require.Equal(t, "1", claim("7", "leak", "1", began.Add(time.Minute), hour(began)), "the lead claims again")
		require.Equal(t, "3", claim("7", "power", "3", began, hour(began)))
		require.Equal(t, "4", claim("8", "leak", "4", began, hour(began)))

		edge := began.Add(time.Hour)
		require.Equal(t, "1", claim("7", "leak", "5", edge, hour(edge)), "the window includes its edge")
		late := edge.Add(time.Microsecond)
		require.Equal(t, "5", claim("7", "leak", "5", late, hour(late)), "the incident is too old")
		require.Equal(t, "5", claim("7", "leak", "6", late, hour(late)))

		require.NoError(t, s.EndIncident(ctx, "6"), "it leads none")
		require.Equal(t, "5", claim("7", "leak", "6", late, hour(late)))
		require.NoError(t, s.EndIncident(ctx, "5"))
		require.Equal(t, "6", claim("7", "leak", "6", late, hour(late)))
	})
}

func TestOneLeadAmongFiftyClaims(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		stores := []store.Store{open(), open()}
		now := time.Now()
		leads, errs := make([]string, 50), make([]error, 50)
		together(len(leads), func(i int) {
			leads[i], errs[i] = stores[i%2].ClaimIncident(t.Context(), "7", "leak", fmt.Sprint(i), now, now.Add(-time.Hour))
		})
		for i := range leads {
			require.NoError(t, errs[i])
			require.Equal(t, leads[0], leads[i])
		}
		require.NotEmpty(t, leads[0])
	})
}

func TestJobs(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, ctx := open(), t.Context()
		load, err := s.Load(ctx)
		require.NoError(t, err)
		require.Empty(t, load)

		for _, job := range [][2]string{{"t1", "w1"}, {"t1", "w1"}, {"t1", "w2"}, {"t1", "w3"}, {"t2", "w3"}} {
			require.NoError(t, s.Assign(ctx, job[0], job[1]))
		}
		load, err = s.Load(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]int{"t1": 2, "t2": 1}, load, "the job of w3 went to t2")

		require.NoError(t, s.Release(ctx, "w3"))
		require.NoError(t, s.Release(ctx, "w3"))
		load, err = s.Load(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]int{"t1": 2}, load)
	})
}

func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s, other, ctx := open(), open(), t.Context()
		require.NoError(t, s.Ping(ctx))
		value, err := s.Setting(ctx, "outbound_paused")
		require.NoError(t, err)
		require.Empty(t, value)
		for _, want := range []string{"1", ""} {
			require.NoError(t, s.SetSetting(ctx, "outbound_paused", want))
			value, err = other.Setting(ctx, "outbound_paused")
			require.NoError(t, err)
			require.Equal(t, want, value)
		}
	})
}
