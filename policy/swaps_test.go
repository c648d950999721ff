package policy

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func personIDs(people []Person) []string {
	ids := []string{}
	for _, p := range people {
		ids = append(ids, p.ID)
	}
	return ids
}

func TestOnCallSwaps(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("1", "1") // from 2026-01-05 09:00 alma and ben, a week later ben and chloe
	swap := func(out, in, from, to string) Swap {
		return Swap{Out: Person{ID: out}, In: Person{ID: in, Phone: "+1"}, From: at(t, from), To: at(t, to)}
	}
	const from, to = "2026-01-06T18:00:00-08:00", "2026-01-07T06:00:00-08:00"
	const within = "2026-01-06T23:00:00-08:00"
	for _, c := range []struct {
		name  string
		swaps []Swap
		when  string
		want  []string
	}{
		{"none", nil, within, []string{"alma", "ben"}},
		{"in the same place", []Swap{swap("alma", "omar", from, to)}, within, []string{"omar", "ben"}},
		{"the second", []Swap{swap("ben", "omar", from, to)}, within, []string{"alma", "omar"}},
		{"just before", []Swap{swap("alma", "omar", from, to)}, "2026-01-06T17:59:59-08:00", []string{"alma", "ben"}},
		{"begins", []Swap{swap("alma", "omar", from, to)}, from, []string{"omar", "ben"}},
		{"ends", []Swap{swap("alma", "omar", from, to)}, to, []string{"alma", "ben"}},
		{"somebody who is not on call", []Swap{swap("chloe", "omar", from, to)}, within, []string{"alma", "ben"}},
		{"somebody who is on call already", []Swap{swap("alma", "ben", from, to)}, within, []string{"ben"}},
		{"both by one", []Swap{swap("alma", "omar", from, to), swap("ben", "omar", from, to)}, within, []string{"omar"}},
		{"a stand-in has one too", []Swap{swap("omar", "grace", from, to), swap("alma", "omar", from, to)}, within, []string{"grace", "ben"}},
		{"two change places", []Swap{swap("alma", "ben", from, to), swap("ben", "alma", from, to)}, within, []string{"ben", "alma"}},
		{"three in a circle", []Swap{swap("alma", "omar", from, to), swap("omar", "ben", from, to), swap("ben", "alma", from, to)}, within, []string{"omar", "alma"}},
		{"a way into a circle", []Swap{swap("alma", "omar", from, to), swap("omar", "grace", from, to), swap("grace", "omar", from, to)}, within, []string{"omar", "ben"}},
		{"for oneself", []Swap{swap("alma", "alma", from, to)}, within, []string{"alma", "ben"}},
		{"the first of two counts", []Swap{swap("alma", "omar", from, to), swap("alma", "grace", from, to)}, within, []string{"omar", "ben"}},
		{"over a change of turns", []Swap{swap("ben", "omar", from, "2026-01-20T00:00:00Z")}, "2026-01-12T09:00:00-08:00", []string{"omar", "chloe"}},
	} {
		s.OnCall.Swaps = c.swaps
		require.Equal(t, c.want, personIDs(s.OnCallAt(at(t, c.when))), c.name)
	}
	require.Equal(t, "alma", s.OnCall.Teams[0][0].ID, "the policy's teams stay as they are")

	s.OnCall.Swaps = []Swap{{Out: Person{ID: "alma"}, In: Person{ID: "zoe", Name: "Zoe"}}}
	zoe, ok := s.Person("zoe")
	require.True(t, ok, "who stands in is known by id")
	require.Equal(t, "Zoe", zoe.Name)
}

// What histories have recorded without swaps reads and writes the same as before.
func TestSettingsWithoutSwaps(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("1", "1")
	text, err := json.Marshal(s)
	require.NoError(t, err)
	require.NotContains(t, string(text), "swaps")
	s.OnCall.Swaps = []Swap{{Out: Person{ID: "alma"}, In: Person{ID: "omar"}, From: at(t, "2026-01-06T18:00:00Z"), To: at(t, "2026-01-07T18:00:00Z")}}
	text, err = json.Marshal(s)
	require.NoError(t, err)
	var back Settings
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, s.OnCall, back.OnCall)
}

func TestOnCallUntil(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("1", "1")
	alone := s
	alone.OnCall.Teams = [][]Person{{{ID: "alma"}}}
	same := s
	same.OnCall.Teams = [][]Person{{{ID: "alma"}}, {{ID: "alma"}}, {{ID: "ben"}}}
	swapped := s
	swapped.OnCall.Swaps = []Swap{
		{Out: Person{ID: "chloe"}, In: Person{ID: "omar"}, From: at(t, "2026-01-06T00:00:00Z"), To: at(t, "2026-01-06T12:00:00Z")},
		{Out: Person{ID: "alma"}, In: Person{ID: "omar"}, From: at(t, "2026-01-07T00:00:00Z"), To: at(t, "2026-01-08T00:00:00Z")},
	}
	for _, c := range []struct {
		name, when, want string
		s                Settings
	}{
		{"the turn ends", "2026-01-06T00:00:00-08:00", "2026-01-12T17:00:00Z", s},
		{"at its beginning", "2026-01-05T09:00:00-08:00", "2026-01-12T17:00:00Z", s},
		{"over the lost hour", "2026-03-07T12:00:00-08:00", "2026-03-09T16:00:00Z", s},
		{"before the first turn", "2026-01-05T08:00:00-08:00", "2026-01-05T17:00:00Z", s},
		{"always the same", "2026-01-06T00:00:00-08:00", "", alone},
		{"the same team twice", "2026-01-06T00:00:00-08:00", "2026-01-19T17:00:00Z", same},
		{"a swap begins; one of somebody else does not count", "2026-01-05T20:00:00Z", "2026-01-07T00:00:00Z", swapped},
		{"a swap ends", "2026-01-07T12:00:00Z", "2026-01-08T00:00:00Z", swapped},
		{"no rotation", "2026-01-06T00:00:00Z", "", Settings{}},
	} {
		until := c.s.OnCallUntil(at(t, c.when))
		if c.want == "" {
			require.Zero(t, until, c.name)
			continue
		}
		require.Equal(t, at(t, c.want).UTC(), until, c.name)
	}
}

// The time told is the first at which somebody else is on call.
func TestOnCallUntilIsTheNextChange(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("1", "1")
	s.OnCall.Every = 24 * time.Hour
	s.OnCall.Swaps = []Swap{{Out: Person{ID: "ben"}, In: Person{ID: "omar"}, From: at(t, "2026-03-07T03:30:00Z"), To: at(t, "2026-03-09T03:30:00Z")}}
	now := at(t, "2026-03-05T00:00:00Z")
	for range 24 * 7 {
		until := s.OnCallUntil(now)
		require.True(t, until.After(now))
		require.Equal(t, personIDs(s.OnCallAt(now)), personIDs(s.OnCallAt(until.Add(-time.Second))), now)
		require.NotEqual(t, personIDs(s.OnCallAt(now)), personIDs(s.OnCallAt(until)), now)
		now = now.Add(time.Hour)
	}
}

func TestDuties(t *testing.T) {
	t.Parallel()
	list := mustLoad(t).Duties()
	require.NotEmpty(t, list)
	require.Equal(t, []string{"", "", "grace"}, []string{list[0].PortfolioID, list[0].PropertyID, list[0].Settings.Manager.ID})
	places := map[string]string{}
	for _, d := range list[1:] {
		require.NotEqual(t, d.PortfolioID == "", d.PropertyID == "")
		places[d.PortfolioID+"/"+d.PropertyID] = d.Settings.Manager.ID
	}
	require.Contains(t, places, "2/")

	p, err := parse("test", append([]byte(`properties:
  "7": {link_ttl: 1d}
  "8": {property_manager: omar}
`), embedded...))
	require.NoError(t, err)
	list = p.Duties()
	require.Len(t, list, 3, "an override of other things has no duty of its own")
	require.Equal(t, []string{"8", "omar"}, []string{list[2].PropertyID, list[2].Settings.Manager.ID})
}
