package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/policy"
)

const la = "America/Los_Angeles"

func everyDay() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// tech is on shift around the clock at a place north of the job by km.
func tech(id string, km float64, trades ...string) policy.Technician {
	return policy.Technician{
		ID: "user-" + id, Person: policy.Person{ID: id}, Trades: trades, Latitude: 34 + km/111.3195, Longitude: -118, MaxJobs: 2,
		Shifts: []policy.Shift{{Days: everyDay()}},
	}
}

func job(trade string) Job {
	return Job{Trade: trade, Latitude: 34, Longitude: -118, HasPosition: true, MaxDistanceKm: 50, Zone: la}
}

func ids(r Ranking) []string {
	out := []string{}
	for _, c := range r.Candidates {
		out = append(out, c.Technician.Person.ID)
	}
	return out
}

func passed(r Ranking) map[string]string {
	out := map[string]string{}
	for _, p := range r.Passed {
		out[p.ID] = p.Why
	}
	return out
}

func noon(t *testing.T) time.Time { return at(t, "2026-01-14T12:00:00-08:00") }

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return parsed
}

func TestRank(t *testing.T) {
	t.Parallel()
	near, far := tech("1", 3, "plumbing"), tech("2", 20, "plumbing")
	general, gas := tech("3", 1, "general"), tech("4", 30, "gas", "plumbing")
	away, spark := tech("5", 80, "plumbing"), tech("6", 2, "electrical")
	roster := []policy.Technician{near, far, general, gas, away, spark}
	unplaced := job("plumbing")
	unplaced.HasPosition = false
	anywhere := job("plumbing")
	anywhere.MaxDistanceKm = 0

	for _, c := range []struct {
		name     string
		job      Job
		load     map[string]int
		excluded map[string]bool
		want     []string
		passed   map[string]string
	}{
		{
			"nearest first", job("plumbing"), nil, nil, []string{"3", "1", "2", "4"},
			map[string]string{"5": "is 80.0 km away, more than 50", "6": "does not do plumbing"},
		},
		{
			"gas is for gas fitters", job("gas"), nil, nil, []string{"4"},
			map[string]string{
				"1": "does not do gas", "2": "does not do gas", "3": "does not do gas", "5": "does not do gas", "6": "does not do gas",
			},
		},
		{"anybody takes a general job", job("general"), nil, nil, []string{"3", "6", "1", "2", "4"}, map[string]string{"5": "is 80.0 km away, more than 50"}},
		{"no trade is general", job(""), nil, nil, []string{"3", "6", "1", "2", "4"}, map[string]string{"5": "is 80.0 km away, more than 50"}},
		{
			"the busy and the asked are passed over", job("plumbing"), map[string]int{"3": 2, "2": 1}, map[string]bool{"1": true}, []string{"2", "4"},
			map[string]string{"1": "asked before", "3": "has 2 of 2 jobs", "5": "is 80.0 km away, more than 50", "6": "does not do plumbing"},
		},
		{"no position: by load, then id", unplaced, map[string]int{"1": 1}, nil, []string{"2", "3", "4", "5", "1"}, map[string]string{"6": "does not do plumbing"}},
		{"no limit", anywhere, nil, nil, []string{"3", "1", "2", "4", "5"}, map[string]string{"6": "does not do plumbing"}},
		{
			"nobody", job("locksmith"), map[string]int{"3": 5}, nil, []string{},
			map[string]string{
				"1": "does not do locksmith", "2": "does not do locksmith", "3": "has 5 of 2 jobs", "4": "does not do locksmith", "5": "does not do locksmith", "6": "does not do locksmith",
			},
		},
	} {
		r := Rank(c.job, roster, noon(t), c.load, c.excluded)
		require.Equal(t, c.want, ids(r), c.name)
		require.Equal(t, c.passed, passed(r), c.name)
	}
	require.Equal(t, "on shift, 1.0 km away, 0 of 2 jobs", Rank(job("plumbing"), roster, noon(t), nil, nil).Candidates[0].Reason)
	require.Equal(t, "on shift, 0 of 2 jobs, distance unknown", Rank(unplaced, roster, noon(t), nil, nil).Candidates[0].Reason)
	require.Empty(t, Rank(job("plumbing"), nil, noon(t), nil, nil))
}

func TestTiesGoByLoadThenID(t *testing.T) {
	t.Parallel()
	roster := []policy.Technician{tech("10", 5, "hvac"), tech("9", 5, "hvac"), tech("8", 5.04, "hvac"), tech("7", 5, "hvac")}
	require.Equal(t, []string{"7", "8", "9", "10"}, ids(Rank(job("hvac"), roster, noon(t), nil, nil)), "5.04 km is 5.0 km")
	require.Equal(t, []string{"8", "9", "10", "7"}, ids(Rank(job("hvac"), roster, noon(t), map[string]int{"7": 1}, nil)))
}

func TestShifts(t *testing.T) {
	t.Parallel()
	night := tech("night", 1, "plumbing")
	night.Shifts = []policy.Shift{{Days: []string{"fri", "sat"}, From: 20 * 60, To: 6 * 60}}
	office := tech("office", 2, "plumbing")
	office.Shifts = []policy.Shift{
		{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: 8 * 60, To: 12 * 60},
		{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: 13 * 60, To: 17 * 60},
	}
	abroad := tech("abroad", 3, "plumbing")
	abroad.Shifts = []policy.Shift{{Days: everyDay(), From: 9 * 60, To: 10 * 60, Zone: "America/New_York"}}
	roster := []policy.Technician{night, office, abroad}
	for when, want := range map[string][]string{
		"2026-01-09T11:59:00-08:00": {"office"}, // Friday
		"2026-01-09T12:30:00-08:00": {},
		"2026-01-09T16:59:00-08:00": {"office"},
		"2026-01-09T20:00:00-08:00": {"night"},
		"2026-01-10T05:59:00-08:00": {"night"},
		"2026-01-10T06:00:00-08:00": {"abroad"}, // 9 in New York
		"2026-01-10T12:00:00-08:00": {},
		"2026-01-12T01:00:00-08:00": {},         // Monday: Sunday has no night shift
		"2026-03-08T05:59:00-07:00": {"night"},  // the clocks went forward at 2
		"2026-03-08T06:00:00-07:00": {"abroad"}, // and in New York too
		"2026-11-01T01:30:00-08:00": {"night"},  // the second 1:30 of that night
		"2026-11-01T06:00:00-08:00": {"abroad"},
		"2026-07-10T15:00:00Z":      {"office"}, // 8 in summer
		"2026-01-09T15:59:00Z":      {},         // 7:59 in winter
	} {
		r := Rank(job("plumbing"), roster, at(t, when), nil, nil)
		require.Equal(t, want, ids(r), when)
		for id, why := range passed(r) {
			require.Equal(t, "off shift", why, id)
		}
	}
}

// The order of the roster never matters, and everybody is somewhere exactly once.
func TestRankDependsOnNothingElse(t *testing.T) {
	t.Parallel()
	now := noon(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		var roster []policy.Technician
		load, excluded := map[string]int{}, map[string]bool{}
		for i := range n {
			id := fmt.Sprint(i + 1)
			roster = append(roster, tech(id, float64(rapid.IntRange(0, 8).Draw(t, "km"))*10, rapid.SampledFrom(policy.Trades()).Draw(t, "trade")))
			load[id] = rapid.IntRange(0, 2).Draw(t, "load")
			excluded[id] = rapid.Bool().Draw(t, "excluded")
		}
		j := job(rapid.SampledFrom(policy.Trades()).Draw(t, "wanted"))
		a := Rank(j, roster, now, load, excluded)
		require.Len(t, roster, len(a.Candidates)+len(a.Passed))
		b := Rank(j, rapid.Permutation(roster).Draw(t, "order"), now, load, excluded)
		require.Equal(t, a.Candidates, b.Candidates)
		require.ElementsMatch(t, a.Passed, b.Passed)
		require.True(t, slices.IsSortedFunc(a.Candidates, func(x, y Candidate) int { return int(10*x.DistanceKm) - int(10*y.DistanceKm) }))
	})
}

// Triage and policy each name the trades, since triage knows nothing of ours.
func TestTradesAgree(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, policy.Trades(), []string{
		string(triage.TradePlumbing), string(triage.TradeElectrical), string(triage.TradeHVAC),
		string(triage.TradeGas), string(triage.TradeLocksmith), string(triage.TradeGeneral),
	})
}

// At any hour the built-in policy has somebody for every trade.
func TestBuiltInRosterHasSomebody(t *testing.T) {
	t.Parallel()
	p, err := policy.Load("")
	require.NoError(t, err)
	for portfolio, place := range map[string][2]float64{"1": {34.05, -118.24}, "2": {45.52, -122.68}} {
		s := p.For(portfolio, portfolio)
		for _, trade := range policy.Trades() {
			for hour := range 24 * 7 {
				j := Job{Trade: trade, Latitude: place[0], Longitude: place[1], HasPosition: true, MaxDistanceKm: s.Dispatch.MaxDistanceKm, Zone: s.TimeZone}
				r := Rank(j, s.Technicians, noon(t).Add(time.Duration(hour)*time.Hour), nil, nil)
				require.NotEmpty(t, r.Candidates, "portfolio %s, %s, hour %d", portfolio, trade, hour)
			}
		}
	}
}

func ExampleRank() {
	p, err := policy.Load("")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := p.For("2", "2")
	job := Job{
		Trade: policy.TradeGas, Latitude: 45.5263, Longitude: -122.6826, HasPosition: true,
		MaxDistanceKm: s.Dispatch.MaxDistanceKm, Zone: s.TimeZone,
	}
	r := Rank(job, s.Technicians, time.Date(2026, time.January, 14, 23, 0, 0, 0, time.UTC), map[string]int{"lee": 1}, nil)
	for _, c := range r.Candidates {
		fmt.Println(c.Technician.Person.ID, c.Reason)
	}
	for _, p := range r.Passed {
		fmt.Println(p.ID, p.Why)
	}
	// Output:
	// lee on shift, 1.9 km away, 1 of 3 jobs
	// sam does not do gas
}
