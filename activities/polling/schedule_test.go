package polling_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/store"
)

var (
	limits = []store.Limit{{Calls: 100, Window: time.Minute}, {Calls: 1000, Window: time.Hour}}
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func TestClass(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	require.NoError(t, r.Check())
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		due   time.Time
		class store.WatchClass
		turns time.Time
	}{
		"no due date":         {time.Time{}, store.WatchRest, time.Time{}},
		"long past":           {noon.Add(-30 * day), store.WatchOverdue, time.Time{}},
		"due now":             {noon, store.WatchOverdue, time.Time{}},
		"due in a moment":     {noon.Add(time.Microsecond), store.WatchDueSoon, noon.Add(time.Microsecond)},
		"due in a day":        {noon.Add(day), store.WatchDueSoon, noon.Add(day)},
		"due in a bit longer": {noon.Add(day + time.Microsecond), store.WatchRest, noon.Add(time.Microsecond)},
		"in another zone":     {noon.Add(day).In(time.FixedZone("", 3600)), store.WatchDueSoon, noon.Add(day)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			class, turns := r.Class(test.due, noon)
			require.Equal(t, test.class, class)
			require.True(t, test.turns.Equal(turns), "%s, not %s", turns, test.turns)
			if !turns.IsZero() {
				after, _ := r.Class(test.due, turns)
				require.NotEqual(t, class, after, "it turns then")
				before, _ := r.Class(test.due, turns.Add(-time.Microsecond))
				require.Equal(t, class, before, "and not before")
			}
		})
	}
}

// A read, a webhook and a failure each set the time of the next read.
func TestSchedule(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	between := func(t *testing.T, low, high time.Duration, w store.Watch) {
		t.Helper()
		require.GreaterOrEqual(t, w.DueAt.Sub(noon), low)
		require.LessOrEqual(t, w.DueAt.Sub(noon), high)
	}
	for i := range 200 {
		due := map[store.WatchClass]time.Time{
			store.WatchOverdue: noon.Add(-time.Hour), store.WatchDueSoon: noon.Add(time.Hour), store.WatchRest: {},
		}
		for class, nextDue := range due {
			target := r.Target(class)
			w := r.Schedule(store.Watch{PropertyID: fmt.Sprint(i), NextDue: nextDue, AddedAt: noon}, noon)
			require.Equal(t, class, w.Class)
			between(t, 0, target, w)

			w = r.Schedule(polling.WasRead(w, noon, false), noon)
			require.Equal(t, w, r.Schedule(w, noon), "the same again")
			between(t, target*9/10, target, w)
			require.Equal(t, 1, w.Reads)
			require.Zero(t, polling.WasRead(w, noon, true).Reads)

			failed := w
			for n, doubled := range []int{0, 1, 2, 3, 4, 4, 4} {
				failed = r.Schedule(polling.HasFailed(failed, noon), noon)
				require.Equal(t, n+1, failed.Failures)
				between(t, (target<<doubled)*9/10, target<<doubled, failed)
			}
			again := r.Schedule(polling.WasRead(failed, noon, false), noon)
			require.Zero(t, again.Failures)
			between(t, target*9/10, target, again)
		}
	}
}

// Many sales that are added at once are read evenly over their target.
func TestNoHerdAtTheStart(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	const sales, parts = 3000, 30
	counts := make([]int, parts)
	for i := range sales {
		w := r.Schedule(store.Watch{PropertyID: fmt.Sprint(5000 + i), AddedAt: noon}, noon)
		counts[int(w.DueAt.Sub(noon)*parts/r.Rest)]++
	}
	for _, n := range counts {
		require.InDelta(t, sales/parts, n, 40)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(r *polling.Rules){
		"a target of nothing":      func(r *polling.Rules) { r.DueSoon = 0 },
		"the rest would starve":    func(r *polling.Rules) { r.RestShare = 0 },
		"due soon would starve":    func(r *polling.Rules) { r.DueSoonShare = 0 },
		"shares of all":            func(r *polling.Rules) { r.DueSoonShare = 0.6 },
		"status is never read":     func(r *polling.Rules) { r.MaxDetailEvery = 0 },
		"no limits":                func(r *polling.Rules) { r.Limits = nil },
		"all of it kept back":      func(r *polling.Rules) { r.Reserve = 1 },
		"too little for so many":   func(r *polling.Rules) { r.Shards = 45 },
		"a limit that is too low":  func(r *polling.Rules) { r.Limits = []store.Limit{{Calls: 2, Window: time.Minute}} },
		"a limit without a window": func(r *polling.Rules) { r.Limits = []store.Limit{{Calls: 50}} },
	} {
		r := polling.Defaults(limits)
		spoil(&r)
		require.Error(t, r.Check(), name)
	}
}
