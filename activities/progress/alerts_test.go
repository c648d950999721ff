package progress

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

// told is the keys of alerts.
func told(alerts []Alert) []string {
	out := []string{}
	for _, a := range alerts {
		out = append(out, a.Key)
	}
	return out
}

// The life of one sale: what each look tells, given the look before.
func TestAlertsTellWhatHasComeAbout(t *testing.T) {
	t.Parallel()
	rules := builtIn(t, policy.MethodStandard)
	instructed := at(t, "2026-06-01T09:00:00Z")
	one, two := step("1", 1, "Instruction", "2026-06-10T23:59:59Z"), step("2", 2, "Exchange of Contracts", "2026-06-20T23:59:59Z")
	moved, later := one, two
	moved.DueAt = at(t, "2026-06-14T23:59:59Z")
	later.DueAt = at(t, "2026-12-20T23:59:59Z")
	finished := done(moved, "2026-06-16T10:00:00Z")
	var before Progress
	for _, look := range []struct {
		what, now string
		list      []Milestone
		want      []string
	}{
		{"nothing yet", "2026-06-02T09:00:00Z", []Milestone{one, two}, []string{}},
		{"due in two days", "2026-06-08T09:00:00Z", []Milestone{one, two}, []string{"at_risk/1/2026-06-10"}},
		{"the same state", "2026-06-09T09:00:00Z", []Milestone{two, one}, []string{}},
		{"overdue", "2026-06-11T09:00:00Z", []Milestone{one, two}, []string{"overdue/1/2026-06-10"}},
		{"still", "2026-06-12T08:00:00Z", []Milestone{one, two}, []string{}},
		{"moved, and due soon", "2026-06-12T09:00:00Z", []Milestone{moved, two}, []string{"at_risk/1/2026-06-14", "back_on_track/overdue/1/2026-06-10"}},
		{"overdue by the new date", "2026-06-15T09:00:00Z", []Milestone{moved, two}, []string{"overdue/1/2026-06-14"}},
		{"nothing to be seen", "2026-06-15T10:00:00Z", nil, []string{}},
		{"seen again: the key is one that was told", "2026-06-15T11:00:00Z", []Milestone{moved, two}, []string{"overdue/1/2026-06-14"}},
		{"done late", "2026-06-16T12:00:00Z", []Milestone{finished, two}, []string{"back_on_track/overdue/1/2026-06-14"}},
		{"the next one at risk", "2026-06-18T12:00:00Z", []Milestone{finished, two}, []string{"at_risk/2/2026-06-20"}},
		{"moved in time: no news", "2026-06-19T12:00:00Z", []Milestone{finished, later}, []string{}},
		{"slow: nobody is told", "2026-09-15T12:00:00Z", []Milestone{finished, later}, []string{}},
		{"stalled", "2026-10-10T12:00:00Z", []Milestone{finished, later}, []string{"stalled/2/2026-06-16"}},
		{"completed", "2026-10-12T12:00:00Z", []Milestone{finished, done(later, "2026-10-12T11:00:00+01:00")}, []string{"completed/2026-10-12T10:00:00Z"}},
		{"the same", "2026-10-13T12:00:00Z", []Milestone{finished, done(later, "2026-10-12T11:00:00+01:00")}, []string{}},
		{"reopened", "2026-10-14T12:00:00Z", []Milestone{finished, later}, []string{"stalled/2/2026-06-16"}},
		{"completed again", "2026-10-15T12:00:00Z", []Milestone{finished, done(later, "2026-10-15T10:00:00Z")}, []string{"completed/2026-10-15T10:00:00Z"}},
	} {
		after := Of(look.list, at(t, look.now), instructed, rules)
		require.Equal(t, look.want, told(Alerts(before, after, rules)), look.what)
		before = after
	}
}

func TestAlertsGoToWhomThePolicySays(t *testing.T) {
	t.Parallel()
	rules := builtIn(t, policy.MethodStandard)
	now := at(t, "2026-06-10T09:00:00Z")
	p := Of([]Milestone{
		step("1", 1, "Exchange of Contracts", "2026-06-11T23:59:59Z"), step("2", 2, "Completion", "2026-06-09T23:59:59Z"),
	}, now, now.Add(-200*day), rules)
	alerts := Alerts(Progress{}, p, rules)
	require.Equal(t, []Kind{Overdue, HasStalled, AtRisk}, []Kind{alerts[0].Kind, alerts[1].Kind, alerts[2].Kind}, "the worst first")
	require.Equal(t, []string{policy.RoleEstateAgent, policy.ToManager}, alerts[0].To)
	require.Equal(t, []string{policy.RoleEstateAgent}, alerts[2].To)
	require.Equal(t, "Completion", alerts[0].Step.Name)
	alerts[0].To[0] = "changed"
	require.Equal(t, policy.RoleEstateAgent, rules.Tell[policy.AlertOverdue][0], "it is a copy")

	rules.Tell = nil
	require.Empty(t, Alerts(Progress{}, p, rules)[0].To, "nobody")

	p = Of([]Milestone{step("", 1, " Same ", "2026-06-09T00:00:00Z"), step("", 2, "same", "2026-06-09T23:59:59Z")}, now, now, rules)
	require.Equal(t, 2, p.Overdue)
	require.Equal(t, []string{"overdue/name:same/2026-06-09"}, told(Alerts(Progress{}, p, rules)), "one key, one alert")
}

// Whoever keeps the keys never tells one twice, and a look that shows the same
// tells nothing.
func TestAlertsNeverTwice(t *testing.T) {
	t.Parallel()
	rules := builtIn(t, policy.MethodStandard)
	rapid.Check(t, func(t *rapid.T) {
		before := Of(milestones().Draw(t, "before"), instant().Draw(t, "then"), instant().Draw(t, "instructed"), rules)
		after := Of(milestones().Draw(t, "after"), instant().Draw(t, "now"), instant().Draw(t, "instructed"), rules)
		require.Empty(t, Alerts(after, after, rules))
		seen := map[string]bool{}
		for _, a := range Alerts(before, after, rules) {
			require.False(t, seen[a.Key], a.Key)
			seen[a.Key] = true
			require.NotEmpty(t, a.To)
		}
	})
}

func TestPortfolio(t *testing.T) {
	t.Parallel()
	rules := builtIn(t, policy.MethodStandard)
	now := at(t, "2026-06-10T09:00:00Z")
	line := func(id string, instructed time.Time, list ...Milestone) Line {
		return Line{PropertyID: id, Progress: Of(list, now, instructed, rules)}
	}
	sales := []Line{
		line("1", now, step("1", 1, "Completion", "2026-09-01T00:00:00Z")),
		line("2", now, done(step("1", 1, "Completion", ""), "")),
		line("3", now),
		line("4", now, step("1", 1, "Completion", "2026-06-12T00:00:00Z")),
		line("5", now, step("1", 1, "Completion", "2026-06-11T00:00:00Z")),
		line("6", now, step("1", 1, "Completion", "2026-06-09T00:00:00Z")),
		line("7", now, step("1", 1, "Completion", "2026-05-09T00:00:00Z")),
		line("8", now, step("1", 1, "Completion", "2026-06-09T00:00:00Z"), step("2", 2, "Completion", "2026-06-09T00:00:00Z")),
		line("9", now.Add(-120*day), step("1", 1, "Exchange of Contracts", "")),                      // stalled
		line("10", now.Add(-80*day), step("1", 1, "Exchange of Contracts", "")),                      // slow
		line("11", now.Add(-80*day), step("1", 1, "Exchange of Contracts", "2026-06-11T00:00:00Z")),  // slow and at risk
		line("12", now.Add(-120*day), step("1", 1, "Exchange of Contracts", "2026-06-09T00:00:00Z")), // stalled and overdue
	}
	s := Portfolio(sales)
	ids := []string{}
	for _, l := range s.Alerts {
		ids = append(ids, l.PropertyID)
	}
	require.Equal(t, []string{"7", "8", "12", "6", "9", "11", "5", "4", "10"}, ids)
	s.Alerts = nil
	require.Equal(t, Summary{Sales: 12, Overdue: 4, AtRisk: 5, OnTrack: 1, Completed: 1, Unknown: 1, Stalled: 2}, s)
	require.Equal(t, Summary{}, Portfolio(nil))

	rapid.Check(t, func(t *rapid.T) {
		require.Equal(t, Portfolio(sales), Portfolio(rapid.Permutation(sales).Draw(t, "sales")))
	})

	var many []Line
	for range MaxListed + 5 {
		many = append(many, sales[5])
	}
	s = Portfolio(many)
	require.Len(t, s.Alerts, MaxListed)
	require.Equal(t, 5, s.LeftOut)
	require.Equal(t, MaxListed+5, s.Overdue)
}
