package polling_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/store"
)

// watches are n watches of a class whose reads were due since a time, a second
// apart, and whose status is read with the first of them.
func watches(class store.WatchClass, n int, since time.Time) []store.Watch {
	list := make([]store.Watch, n)
	for i := range list {
		list[i] = store.Watch{
			PropertyID: fmt.Sprintf("%s %d", class, i), Class: class, DueAt: since.Add(time.Duration(i) * time.Second), DetailDigest: "d",
		}
	}
	return list
}

func ids(reads []polling.Read) []string {
	var list []string
	for _, r := range reads {
		list = append(list, r.Watch.PropertyID)
	}
	return list
}

// full is a poller that may make its whole burst of calls now.
func full(r polling.Rules) polling.State { return r.Return(polling.State{At: noon}, 1000) }

func TestPlanOrder(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	past := noon.Add(-time.Hour)
	due := map[store.WatchClass][]store.Watch{
		store.WatchOverdue: watches(store.WatchOverdue, 2, past),
		store.WatchDueSoon: watches(store.WatchDueSoon, 1, past.Add(-time.Hour)),
		store.WatchRest:    watches(store.WatchRest, 5, past.Add(-24*time.Hour)),
	}
	reads, s := r.Plan(full(r), noon, 4, due)
	require.Equal(t, []string{"overdue 0", "overdue 1", "due_soon 0", "rest 0"}, ids(reads), "overdue first, then due soon")
	require.Len(t, due[store.WatchRest], 5, "what the caller gave stays")
	reads, _ = r.Plan(s, noon, 4, due)
	require.Empty(t, reads, "no calls are left")
	reads, _ = r.Plan(polling.State{}, noon, 4, due)
	require.Empty(t, reads, "who starts has none")
	reads, _ = r.Plan(full(r), noon, 4, map[store.WatchClass][]store.Watch{
		store.WatchOverdue: watches(store.WatchOverdue, 3, noon.Add(-time.Second)),
	})
	require.Equal(t, []string{"overdue 0", "overdue 1"}, ids(reads), "nothing before it is due")
}

func TestPlanDetail(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	list := watches(store.WatchRest, 3, noon.Add(-time.Hour))
	list[0].Reads, list[1].Reads, list[2].DetailDigest, list[2].TransactionID = 2, 3, "", "known"
	reads, s := r.Plan(full(r), noon, 4, map[store.WatchClass][]store.Watch{store.WatchRest: list})
	require.Len(t, reads, 2, "4 calls: one, two, and the third needs three")
	require.False(t, reads[0].Detail)
	require.True(t, reads[1].Detail, "the fourth read")
	require.InDelta(t, 1, s.Calls, 1e-9)

	wait := r.Wait(s, noon)
	require.Positive(t, wait)
	reads, _ = r.Plan(s, noon.Add(wait-time.Second), 4, map[store.WatchClass][]store.Watch{store.WatchRest: list[2:]})
	require.Empty(t, reads)
	reads, _ = r.Plan(s, noon.Add(wait), 4, map[store.WatchClass][]store.Watch{store.WatchRest: list[2:]})
	require.Len(t, reads, 1)
	require.True(t, reads[0].Detail, "what is not known at all is read")
}

func TestDetailEvery(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	last := 1
	for n := 0; n <= 2000; n += 10 {
		every := r.DetailEvery(map[store.WatchClass]int{store.WatchRest: n, store.WatchOverdue: n / 20})
		require.GreaterOrEqual(t, every, last, "the more sales, the more seldom")
		last = every
	}
	require.Equal(t, r.MaxDetailEvery, last)
	require.Equal(t, 1, r.DetailEvery(map[store.WatchClass]int{store.WatchRest: 100}))
}

// In no window, however placed, are there more calls than its limit less the
// reserve, whatever is due, however often pollers plan, pause, start again, give
// calls back or see their clock go back.
func TestNeverAboveTheBudget(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]trouble{
		"always busy":       {},
		"sometimes idle":    {idle: 0.3},
		"pauses":            {pause: 0.01},
		"starts again":      {restart: 0.05},
		"refused":           {refused: 0.3},
		"clock goes back":   {back: 0.4},
		"all of it at once": {idle: 0.1, pause: 0.005, restart: 0.01, refused: 0.1, back: 0.1},
	} {
		for _, shards := range []int{1, 3, 8} {
			t.Run(fmt.Sprint(name, ", ", shards, " pollers"), func(t *testing.T) {
				t.Parallel()
				r := polling.Defaults(limits)
				r.Shards = shards
				require.NoError(t, r.Check())
				calls := trouble.day(r, rand.New(rand.NewPCG(1, uint64(shards))))
				require.Greater(t, len(calls), 1000)
				slices.SortFunc(calls, time.Time.Compare)
				for _, limit := range limits {
					allowed := limit.Calls * 9 / 10
					for i := allowed; i < len(calls); i++ {
						require.Greater(t, calls[i].Sub(calls[i-allowed]), limit.Window)
					}
				}
			})
		}
	}
}

// trouble is how likely at each plan of a poller something is not as usual.
type trouble struct{ idle, pause, restart, refused, back float64 }

// day is when pollers made calls within 6 hours of planning at random times.
func (x trouble) day(r polling.Rules, random *rand.Rand) []time.Time {
	happens := func(likely float64) bool { return random.Float64() < likely }
	var calls []time.Time
	for range r.Shards {
		s := polling.State{}
		for now := noon; now.Before(noon.Add(6 * time.Hour)); now = now.Add(time.Duration(random.Int64N(int64(10 * time.Second)))) {
			if happens(x.pause) {
				now = now.Add(20 * time.Minute)
			}
			if happens(x.restart) {
				s = polling.State{}
			}
			seen := now
			if happens(x.back) {
				seen = now.Add(-5 * time.Second)
			}
			due := map[store.WatchClass][]store.Watch{}
			if !happens(x.idle) {
				for _, class := range store.WatchClasses() {
					due[class] = watches(class, r.PlanLimit(), now.Add(-time.Minute))
				}
			}
			var reads []polling.Read
			reads, s = r.Plan(s, seen, 1+random.IntN(4), due)
			for _, read := range reads {
				if happens(x.refused) {
					s = r.Return(s, read.Calls())
					continue
				}
				for range read.Calls() {
					calls = append(calls, now)
				}
			}
		}
	}
	return calls
}

// While a class waits it gets its least share of the calls over any stretch; while
// the overdue wait, nobody gets more than that.
func TestNobodyStarvesAndOverdueComeFirst(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	for name, every := range map[string]int{"milestones": 1000, "every second with status": 2, "always": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var spent []map[store.WatchClass]int // calls by class after each read
			sum := map[store.WatchClass]int{}
			s := polling.State{}
			random := rand.New(rand.NewPCG(1, 2))
			for now := noon; now.Before(noon.Add(12 * time.Hour)); now = now.Add(5 * time.Second) {
				due := map[store.WatchClass][]store.Watch{}
				for _, class := range store.WatchClasses() {
					due[class] = watches(class, r.PlanLimit(), now.Add(-time.Minute))
					for i := range due[class] {
						due[class][i].Reads = random.IntN(2)
					}
				}
				var reads []polling.Read
				reads, s = r.Plan(s, now, every, due)
				for _, read := range reads {
					sum[read.Watch.Class] += read.Calls()
					spent = append(spent, map[store.WatchClass]int{"": sum[store.WatchOverdue] + sum[store.WatchDueSoon] + sum[store.WatchRest],
						store.WatchOverdue: sum[store.WatchOverdue], store.WatchDueSoon: sum[store.WatchDueSoon], store.WatchRest: sum[store.WatchRest]})
				}
			}
			require.Greater(t, len(spent), 1000)
			shares := map[store.WatchClass]float64{store.WatchOverdue: 1 - r.DueSoonShare - r.RestShare,
				store.WatchDueSoon: r.DueSoonShare, store.WatchRest: r.RestShare}
			for range 20000 {
				from, to := random.IntN(len(spent)), random.IntN(len(spent))
				if from > to {
					from, to = to, from
				}
				all := float64(spent[to][""] - spent[from][""])
				for class, share := range shares {
					got := float64(spent[to][class] - spent[from][class])
					require.GreaterOrEqual(t, got, share*all-4, class)
					require.LessOrEqual(t, got, share*all+5, class)
				}
			}
		})
	}
}

// What one class does not need goes to the others.
func TestNothingIsWasted(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	for _, class := range store.WatchClasses() {
		s, reads := polling.State{}, 0
		for now := noon; now.Before(noon.Add(time.Hour)); now = now.Add(5 * time.Second) {
			var list []polling.Read
			list, s = r.Plan(s, now, 1000, map[store.WatchClass][]store.Watch{class: watches(class, r.PlanLimit(), now.Add(-time.Minute))})
			reads += len(list)
		}
		require.InDelta(t, 896, reads, 4, class)
	}
}

// A poller that is started again from its recorded state goes on as if it had not.
func TestStateIsData(t *testing.T) {
	t.Parallel()
	r := polling.Defaults(limits)
	s := polling.State{Calls: 3.5, At: noon, DueSoonOwed: 0.4, RestOwed: 1.2}
	data, err := json.Marshal(s)
	require.NoError(t, err)
	var again polling.State
	require.NoError(t, json.Unmarshal(data, &again))
	due := map[store.WatchClass][]store.Watch{
		store.WatchOverdue: watches(store.WatchOverdue, 5, noon.Add(-time.Minute)),
		store.WatchRest:    watches(store.WatchRest, 5, noon.Add(-time.Minute)),
	}
	reads, after := r.Plan(s, noon, 4, due)
	require.Equal(t, []string{"rest 0", "overdue 0", "rest 1"}, ids(reads), "the rest was owed one, and soon another")
	readsAgain, afterAgain := r.Plan(again, noon, 4, due)
	require.Equal(t, reads, readsAgain)
	require.Equal(t, after, afterAgain)
}
