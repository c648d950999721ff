package progress

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return parsed
}

// builtIn are the rules of the built-in policy.
func builtIn(t testing.TB, method string) Rules {
	t.Helper()
	p, err := policy.Load(policy.BuiltIn)
	require.NoError(t, err)
	return RulesOf(p.Sales(), method)
}

func step(id string, order int, name, due string) Milestone {
	m := Milestone{ID: id, Name: name, Order: order}
	if due != "" {
		m.DueAt, _ = time.Parse(time.RFC3339, due)
	}
	return m
}

func done(m Milestone, at string) Milestone {
	m.Completed = true
	if at != "" {
		m.CompletedAt, _ = time.Parse(time.RFC3339, at)
	}
	return m
}

func TestRulesOfThePolicy(t *testing.T) {
	t.Parallel()
	r := builtIn(t, policy.MethodStandard)
	require.Equal(t, "Europe/London", r.Zone)
	require.Equal(t, 2, r.AtRiskDays)
	require.Equal(t, policy.Days{Count: 120, Working: true}, r.Norms.Total.Typical)
	require.NotEmpty(t, r.Holidays)
	require.Equal(t, []string{policy.RoleEstateAgent}, r.Tell[policy.AlertAtRisk])
	require.False(t, builtIn(t, "raffle").Norms.Total.Given(), "an unknown method has no norms")
	require.Subset(t, policy.AlertKinds(), []string{
		string(AtRisk), string(Overdue), string(HasStalled), string(BackOnTrack), string(Completed),
	})
}

// Every fault of the guide's samples (contracts/openmoove.md 4.4 and 4.5).
func TestTheGuidesFaults(t *testing.T) {
	t.Parallel()
	rules := builtIn(t, policy.MethodStandard)
	now := at(t, "2026-06-10T09:00:00Z")

	t.Run("no milestones, no division by zero", func(t *testing.T) {
		t.Parallel()
		for _, none := range [][]Milestone{nil, {}} {
			p := Of(none, now, now.Add(-400*day), rules)
			require.Equal(t, Unknown, p.Status)
			require.Zero(t, p.Percent)
			require.Zero(t, p.Total)
			require.Nil(t, p.Current)
			require.Zero(t, p.NextDue)
			require.False(t, p.Done())
			require.Equal(t, 400, p.Sale.Days)
		}
	})
	t.Run("the current milestone may be overdue", func(t *testing.T) {
		t.Parallel()
		p := Of([]Milestone{
			done(step("1", 1, "Instruction", "2026-06-01T23:59:59Z"), "2026-06-01T10:00:00Z"),
			step("2", 2, "Legal Pack Preparation", "2026-06-05T23:59:59Z"), step("3", 3, "Property Marketing", "2026-07-05T23:59:59Z"),
		}, now, at(t, "2026-06-01T09:00:00Z"), rules)
		require.Equal(t, "2", p.Current.ID)
		require.Equal(t, 1, p.Overdue)
		require.Equal(t, Red, p.Status)
		require.Equal(t, 33, p.Percent, "rounded down")
	})
	t.Run("the current milestone may have no due date", func(t *testing.T) {
		t.Parallel()
		p := Of([]Milestone{step("1", 1, "Instruction", ""), step("2", 2, "Legal Pack Preparation", "2026-07-05T23:59:59Z")}, now, now, rules)
		require.Equal(t, "1", p.Current.ID)
		require.Zero(t, p.Current.DueAt)
		require.Equal(t, Green, p.Status)
	})
	t.Run("the order is that of the field, not of the reply", func(t *testing.T) {
		t.Parallel()
		p := Of([]Milestone{step("9", 3, "Completion", ""), step("10", 1, "Instruction", ""), step("11", 1, "Another", "")}, now, now, rules)
		require.Equal(t, "10", p.Current.ID)
	})
	t.Run("nor is it where everything else is the same", func(t *testing.T) {
		t.Parallel()
		open, ended := step("1", 1, "Enquiries", ""), done(step("1", 1, "Enquiries", ""), "2026-06-09T09:00:00Z")
		want := Of([]Milestone{ended, open}, now, now.Add(-90*day), rules)
		require.Equal(t, 1, want.Step.Days)
		require.Equal(t, want, Of([]Milestone{open, ended}, now, now.Add(-90*day), rules))
	})
	t.Run("zones do not matter to the instant", func(t *testing.T) {
		t.Parallel()
		tokyo, err := time.LoadLocation("Asia/Tokyo")
		require.NoError(t, err)
		list := []Milestone{step("1", 1, "Instruction", "2026-06-10T09:30:00+01:00")} // 08:30 UTC
		want := Of(list, now, now, rules)
		require.Equal(t, 1, want.Overdue)
		list[0].DueAt = list[0].DueAt.In(tokyo)
		require.Equal(t, want, Of(list, now.In(tokyo), now.In(tokyo), rules))
	})
	t.Run("what was not overdue when read becomes so by time alone", func(t *testing.T) {
		t.Parallel()
		list := []Milestone{step("1", 1, "Instruction", "2026-06-10T12:00:00Z")}
		p := Of(list, now, now, rules)
		require.Equal(t, []int{0, 1}, []int{p.Overdue, p.AtRisk})
		require.Equal(t, at(t, "2026-06-10T12:00:00Z"), p.NextDue)
		require.Equal(t, 1, Of(list, p.NextDue, now, rules).Overdue)
	})
	t.Run("a completed one is never overdue", func(t *testing.T) {
		t.Parallel()
		p := Of([]Milestone{done(step("1", 1, "Instruction", "2026-01-01T00:00:00Z"), ""), step("2", 2, "Completion", "")}, now, time.Time{}, rules)
		require.Equal(t, Green, p.Status)
		require.Equal(t, 50, p.Percent)
		require.Empty(t, p.Troubles)
	})
}

func TestDueDaysAreThoseOfLondon(t *testing.T) {
	t.Parallel()
	rules := Rules{Zone: "Europe/London", AtRiskDays: 2}
	for _, c := range []struct{ name, due, on, atRisk, overdue string }{
		{"a day in winter", "2026-12-10T00:00:00Z", "2026-12-10", "2026-12-08T00:00:00Z", "2026-12-11T00:00:00Z"},
		{"a day in summer", "2026-07-10T00:00:00Z", "2026-07-10", "2026-07-07T23:00:00Z", "2026-07-10T23:00:00Z"},
		{"the end of a day in UTC, in summer", "2026-07-10T23:59:59Z", "2026-07-10", "2026-07-07T23:00:00Z", "2026-07-10T23:00:00Z"},
		{"the end of a day in London, in summer", "2026-07-10T22:59:59Z", "2026-07-10", "2026-07-07T23:00:00Z", "2026-07-10T23:00:00Z"},
		{"midnight in London, in summer", "2026-07-09T23:00:00Z", "2026-07-10", "2026-07-07T23:00:00Z", "2026-07-10T23:00:00Z"},
		{"23:00 in winter is a time", "2026-12-10T23:00:00Z", "2026-12-10", "2026-12-08T00:00:00Z", "2026-12-10T23:00:00Z"},
		{"a time", "2026-07-10T12:30:00Z", "2026-07-10", "2026-07-07T23:00:00Z", "2026-07-10T12:30:00Z"},
		{"a time that is the next day in London", "2026-07-10T23:30:00Z", "2026-07-11", "2026-07-08T23:00:00Z", "2026-07-10T23:30:00Z"},
		{"the clocks go forward on the day: 23 hours", "2026-03-29T00:00:00Z", "2026-03-29", "2026-03-27T00:00:00Z", "2026-03-29T23:00:00Z"},
		{"the clocks go forward between", "2026-03-30T00:00:00Z", "2026-03-30", "2026-03-28T00:00:00Z", "2026-03-30T23:00:00Z"},
		{"the clocks go back on the day: 25 hours", "2026-10-25T00:00:00Z", "2026-10-25", "2026-10-22T23:00:00Z", "2026-10-26T00:00:00Z"},
		{"the clocks go back between", "2026-10-26T23:59:59Z", "2026-10-26", "2026-10-23T23:00:00Z", "2026-10-27T00:00:00Z"},
		{"a leap day", "2028-02-29T00:00:00Z", "2028-02-29", "2028-02-27T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"new year", "2027-01-01T00:00:00Z", "2027-01-01", "2026-12-30T00:00:00Z", "2027-01-02T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list := []Milestone{step("1", 1, "Completion", c.due)}
			look := func(now time.Time) Progress { return Of(list, now, time.Time{}, rules) }
			atRisk, overdue := at(t, c.atRisk), at(t, c.overdue)

			p := look(atRisk.Add(-time.Nanosecond))
			require.Equal(t, Green, p.Status)
			require.Equal(t, atRisk, p.NextDue)
			on, err := p.Current.DueOn.MarshalText()
			require.NoError(t, err)
			require.Equal(t, c.on, string(on))
			require.Equal(t, p.Current.DueOn, DueOn(at(t, c.due), "Europe/London"))
			p = look(atRisk)
			require.Equal(t, Amber, p.Status)
			require.Equal(t, overdue, p.NextDue)
			require.Equal(t, Amber, look(overdue.Add(-time.Nanosecond)).Status)
			p = look(overdue)
			require.Equal(t, Red, p.Status)
			require.Zero(t, p.NextDue)
		})
	}
}

func TestAgesAndNorms(t *testing.T) {
	t.Parallel()
	rules := builtIn(t, policy.MethodStandard)
	instructed := at(t, "2026-03-27T15:00:00Z") // the Friday before the clocks change; Good Friday and Easter Monday follow
	for _, c := range []struct {
		now           string
		days, working int
	}{
		{"2026-03-01T00:00:00Z", 0, 0}, {"2026-03-27T23:59:59Z", 0, 0}, {"2026-03-28T00:00:00Z", 1, 0}, {"2026-03-29T22:59:59Z", 2, 0},
		{"2026-03-29T23:00:00Z", 3, 1}, {"2026-04-02T12:00:00Z", 6, 4}, {"2026-04-03T12:00:00Z", 7, 4}, {"2026-04-06T12:00:00Z", 10, 4},
		{"2026-04-07T12:00:00Z", 11, 5},
	} {
		p := Of([]Milestone{step("1", 1, "Instruction", "")}, at(t, c.now), instructed, rules)
		require.Equal(t, []int{c.days, c.working}, []int{p.Sale.Days, p.Sale.WorkingDays}, c.now)
		require.Equal(t, Usual, p.Sale.Pace)
		require.Equal(t, NoPace, p.Step.Pace, "no norm for this step")
	}

	list := []Milestone{
		done(step("1", 1, "Offer Acceptance", ""), "2026-04-01T12:00:00Z"), step("2", 2, " exchange of contracts ", ""),
		done(step("3", 3, "Completion", ""), "2026-05-01T12:00:00Z"), // out of order: no part of the age
	}
	look := func(now time.Time) Progress { return Of(list, now, instructed, rules) }
	p := look(at(t, "2026-06-11T12:00:00Z")) // 71 days
	require.Equal(t, Age{Since: at(t, "2026-04-01T12:00:00Z"), Days: 71, WorkingDays: 47, Pace: Usual, Norm: rules.Norms.Step("Exchange of Contracts")}, p.Step)
	require.Equal(t, Green, p.Status)
	require.Equal(t, at(t, "2026-06-11T23:00:00Z"), p.NextDue, "the 72nd day begins")
	p = look(p.NextDue)
	require.Equal(t, Slow, p.Step.Pace)
	require.Equal(t, Amber, p.Status)
	require.Empty(t, p.Troubles, "nobody is told of what is slow")
	require.Equal(t, at(t, "2026-07-17T23:00:00Z"), p.NextDue)
	p = look(p.NextDue)
	require.Equal(t, Stalled, p.Step.Pace)
	require.Equal(t, Red, p.Status)
	require.Equal(t, "stalled/2/2026-04-01", p.Troubles[0].Key)
	require.Equal(t, Usual, p.Sale.Pace)

	// 25 weeks and a day after Friday 27 March are 126 weekdays, five of them holidays.
	require.Equal(t, at(t, "2026-09-20T23:00:00Z"), p.NextDue)
	p = look(p.NextDue)
	require.Equal(t, 121, p.Sale.WorkingDays)
	require.Equal(t, Slow, p.Sale.Pace)
	p = look(p.NextDue)
	require.Equal(t, 181, p.Sale.WorkingDays)
	require.Equal(t, []string{"stalled/2/2026-04-01", "stalled/sale"}, keys(p))
	require.Zero(t, p.NextDue)

	// Nobody knows when it began.
	list[0].CompletedAt = time.Time{}
	p = Of(list, at(t, "2027-06-11T12:00:00Z"), time.Time{}, rules)
	require.Zero(t, p.Step)
	require.Zero(t, p.Sale)
	require.Equal(t, Green, p.Status)

	// A completed sale does not age.
	list[0] = done(list[0], "2026-04-01T12:00:00Z")
	list[1] = done(list[1], "2026-06-30T23:30:00Z")
	p = Of(list, at(t, "2029-06-11T12:00:00Z"), instructed, rules)
	require.True(t, p.Done())
	require.Equal(t, 100, p.Percent)
	require.Equal(t, Green, p.Status)
	require.Equal(t, 96, p.Sale.Days)
	require.Equal(t, at(t, "2026-06-30T23:30:00Z"), p.CompletedAt)
	require.Nil(t, p.Current)
	require.Zero(t, p.Step)
	require.Zero(t, p.NextDue)
}

func keys(p Progress) (out []string) {
	for _, t := range p.Troubles {
		out = append(out, t.Key)
	}
	return out
}

func TestPercentIsRoundedDown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ done, of, want int }{{0, 1, 0}, {1, 3, 33}, {2, 3, 66}, {199, 200, 99}, {200, 200, 100}, {1, 200, 0}} {
		var list []Milestone
		for i := range c.of {
			m := step(fmt.Sprint(i), i, "Step", "")
			m.Completed = i < c.done
			list = append(list, m)
		}
		require.Equal(t, c.want, Of(list, time.Time{}, time.Time{}, Rules{}).Percent, c)
	}
}

// instants of two years that have everything: changes of the clocks, ends of days.
func instant() *rapid.Generator[time.Time] {
	begin := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	return rapid.Custom(func(t *rapid.T) time.Time {
		d := begin.Add(time.Duration(rapid.IntRange(0, 700).Draw(t, "day")) * day)
		second := rapid.OneOf(rapid.IntRange(0, 86399), rapid.SampledFrom([]int{0, 3600, 82800, 82799, 86340, 86399})).Draw(t, "second")
		return d.Add(time.Duration(second) * time.Second)
	})
}

func milestones() *rapid.Generator[[]Milestone] {
	names := []string{"Instruction", "Exchange of Contracts", "Enquiries", "Searches Returned", "Completion", ""}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Milestone {
		m := Milestone{
			ID: rapid.SampledFrom([]string{"", "1", "2", "3", "10", "a"}).Draw(t, "id"), Name: rapid.SampledFrom(names).Draw(t, "name"),
			Order: rapid.IntRange(0, 5).Draw(t, "order"), Completed: rapid.Bool().Draw(t, "completed"),
		}
		if rapid.Bool().Draw(t, "has due") {
			m.DueAt = instant().Draw(t, "due")
		}
		if m.Completed && rapid.Bool().Draw(t, "has end") {
			m.CompletedAt = instant().Draw(t, "end")
		}
		return m
	}), 0, 8)
}

// bare is a progress without what changes with every day, and without NextDue.
func bare(p Progress) Progress {
	p.NextDue = time.Time{}
	for _, a := range []*Age{&p.Sale, &p.Step} {
		a.Days, a.WorkingDays = 0, 0
	}
	return p
}

// One timer is enough: nothing changes before NextDue, and something does then.
func TestNextDueIsWhenSomethingChanges(t *testing.T) {
	t.Parallel()
	all := []Rules{builtIn(t, policy.MethodStandard), builtIn(t, policy.MethodModernAuction), {Zone: "Europe/London"}, {}}
	rapid.Check(t, func(t *rapid.T) {
		list, now, rules := milestones().Draw(t, "milestones"), instant().Draw(t, "now"), rapid.SampledFrom(all).Draw(t, "rules")
		instructed := rapid.OneOf(instant(), rapid.Just(time.Time{})).Draw(t, "instructed")
		p := Of(list, now, instructed, rules)
		until := now.AddDate(3, 0, 0)
		if !p.NextDue.IsZero() {
			require.True(t, p.NextDue.After(now))
			require.NotEqual(t, bare(p), bare(Of(list, p.NextDue, instructed, rules)))
			require.Equal(t, bare(p), bare(Of(list, p.NextDue.Add(-1), instructed, rules)))
			until = p.NextDue
		}
		if p.Done() || p.Total == 0 {
			return
		}
		between := now.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(now))-1).Draw(t, "later")))
		require.Equal(t, bare(p), bare(Of(list, between, instructed, rules)))
	})
}

func TestProgressAddsUp(t *testing.T) {
	t.Parallel()
	rules := builtIn(t, policy.MethodStandard)
	rapid.Check(t, func(t *rapid.T) {
		list, now := milestones().Draw(t, "milestones"), instant().Draw(t, "now")
		given := slices.Clone(list)
		p := Of(list, now, now.Add(-day), rules)
		require.Equal(t, given, list, "the argument is left alone")
		require.LessOrEqual(t, p.Completed+p.Overdue+p.AtRisk, p.Total)
		require.Equal(t, p.Percent == 100, p.Done())
		require.Equal(t, p.Current == nil, p.Completed == p.Total)
		require.Equal(t, p.Status == Unknown, p.Total == 0)
		if p.Overdue > 0 {
			require.Equal(t, Red, p.Status)
		}
		shuffled := rapid.Permutation(list).Draw(t, "shuffled")
		require.Equal(t, p, Of(shuffled, now, now.Add(-day), rules))

		encoded, err := json.Marshal(p)
		require.NoError(t, err)
		var back Progress
		require.NoError(t, json.Unmarshal(encoded, &back))
		require.Equal(t, p, back, "it may be kept in a workflow's state")
	})
}

// Counting one by one gives the same.
func TestWorkingDaysAgainstCounting(t *testing.T) {
	t.Parallel()
	rules := builtIn(t, policy.MethodStandard)
	rules.Holidays = append(rules.Holidays, policy.Date{Year: 2026, Month: time.December, Day: 26}, rules.Holidays[0]) // a Saturday, and one twice
	c := calendarOf(rules)
	christmas := number(2026, time.December, 24)
	require.Equal(t, 1, c.workingDays(christmas, christmas+5), "Thursday to Tuesday, with Friday and Monday off")
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(-400, 21500).Draw(t, "from")
		span := rapid.IntRange(0, 900).Draw(t, "span")
		n := 0
		for d := from + 1; d <= from+span; d++ {
			weekday := time.Unix(int64(d)*86400, 0).UTC().Weekday()
			if weekday != time.Saturday && weekday != time.Sunday && !slices.Contains(c.holidays, d) {
				n++
			}
		}
		require.Equal(t, n, c.workingDays(from, from+span))
		older := c.older(from, policy.Days{Count: n, Working: true})
		require.Equal(t, n+1, c.workingDays(from, c.dayOf(older)))
		require.Equal(t, n, c.workingDays(from, c.dayOf(older.Add(-1))))
	})
}
