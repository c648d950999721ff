package portfolio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

const angeles = "America/Los_Angeles"

// watched is a requirement of a year, with the usual letters.
func watched(renewed string) *ComplianceState {
	return &ComplianceState{
		BeganAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Renewed: renewed,
		Requirement: policy.Requirement{ID: "alarms", Name: "Smoke alarm test", Months: 12},
		Rules: policy.Portfolio{
			Manager: policy.Person{ID: "pat"}, Escalation: policy.Person{ID: "olivia"},
			Compliance: policy.Compliance{RemindDays: []int{60, 30, 14, 7, 1}, OverdueEvery: 7 * 24 * time.Hour},
		},
	}
}

// morning is nine o'clock of a day in Los Angeles.
func morningOf(t require.TestingT, day string) time.Time {
	at, ok := campaign.Day(day, 0, lettersAt, angeles)
	require.True(t, ok)
	return at
}

func TestMonthsAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		day    string
		months int
		want   string
	}{
		{"2026-01-31", 1, "2026-02-28"}, {"2028-01-31", 1, "2028-02-29"}, {"2026-03-31", 1, "2026-04-30"}, {"2026-08-31", 6, "2027-02-28"},
		{"2028-02-29", 12, "2029-02-28"}, {"2026-11-21", 12, "2027-11-21"}, {"2026-11-21", 60, "2031-11-21"}, {"2026-12-15", 1, "2027-01-15"},
		{"2026-11-21", 0, ""}, {"2026-11-21", -3, ""}, {"", 12, ""}, {"soon", 12, ""},
	} {
		require.Equal(t, c.want, monthsAfter(c.day, c.months), "%s and %d months", c.day, c.months)
	}
}

func TestComplianceStateOn(t *testing.T) {
	t.Parallel()
	unknown, first := watched(""), watched("")
	first.FirstDue = "2027-06-30"
	explicit := watched("2026-11-21")
	explicit.GoodUntil = "2027-01-31"
	monthly := watched("2026-11-21")
	monthly.Requirement.Months = 1
	endless := watched("2026-11-21")
	endless.Requirement.Months = 0
	for _, c := range []struct {
		name  string
		s     *ComplianceState
		today string
		want  string
	}{
		{"nobody knows", unknown, "2040-01-01", complianceUnknown},
		{"new, long before", first, "2027-04-30", complianceUnknown},
		{"new, from the first reminder on", first, "2027-05-01", complianceDue},
		{"new, too late", first, "2027-07-01", complianceOverdue},
		{"just renewed", watched("2026-11-21"), "2026-11-21", complianceValid},
		{"the day before the first reminder", watched("2026-11-21"), "2027-09-21", complianceValid},
		{"the day of the first reminder", watched("2026-11-21"), "2027-09-22", complianceDue},
		{"the due day", watched("2026-11-21"), "2027-11-21", complianceDue},
		{"the day after", watched("2026-11-21"), "2027-11-22", complianceOverdue},
		{"what was said counts", explicit, "2027-02-01", complianceOverdue},
		{"30 days before was the renewal's own day", monthly, "2026-11-22", complianceValid},
		{"14 days before was not", monthly, "2026-12-07", complianceDue},
		{"no months, no day", endless, "2040-01-01", complianceValid},
		{"an unreadable day", watched("2026-11-21"), "today", complianceValid},
	} {
		require.Equal(t, c.want, c.s.stateOn(c.today), c.name)
	}
}

func TestNextLetter(t *testing.T) {
	t.Parallel()
	year := func() *ComplianceState { return watched("2026-11-21") } // due on 2027-11-21
	wrote := func(days int) *ComplianceState {
		s := year()
		s.wrote(complianceLetter{Days: days}, s.due(), time.Time{})
		return s
	}
	overdue := year()
	overdue.wrote(complianceLetter{Overdue: true}, overdue.due(), morningOf(t, "2027-11-22"))
	first := watched("")
	first.FirstDue = "2026-01-20"
	asked := watched("")
	asked.FirstDue = "2026-01-20"
	asked.wrote(complianceLetter{Days: 30, First: true}, asked.FirstDue, asked.BeganAt)
	early := watched("")
	early.FirstDue = "2027-01-20"
	early.wrote(complianceLetter{Days: noLetter, First: true}, early.FirstDue, early.BeganAt)
	held := wrote(60)
	held.HeldUntil = morningOf(t, "2027-10-25")
	for _, c := range []struct {
		name  string
		s     *ComplianceState
		today string
		want  complianceLetter
	}{
		{"long before", year(), "2026-12-01", complianceLetter{At: morningOf(t, "2027-09-22"), Days: 60}},
		{"the day", year(), "2027-09-22", complianceLetter{At: morningOf(t, "2027-09-22"), Days: 60}},
		{"60 is written", wrote(60), "2027-09-22", complianceLetter{At: morningOf(t, "2027-10-22"), Days: 30}},
		{"down for weeks: the most urgent", wrote(60), "2027-11-15", complianceLetter{At: morningOf(t, "2027-11-14"), Days: 7}},
		{"a late start skips the others", year(), "2027-11-01", complianceLetter{At: morningOf(t, "2027-10-22"), Days: 30}},
		{"7 is written", wrote(7), "2027-11-15", complianceLetter{At: morningOf(t, "2027-11-20"), Days: 1}},
		{"all are written", wrote(1), "2027-11-21", complianceLetter{At: morningOf(t, "2027-11-22"), Overdue: true}},
		{"overdue", year(), "2028-02-01", complianceLetter{At: morningOf(t, "2027-11-22"), Overdue: true}},
		{"overdue again", overdue, "2027-11-22", complianceLetter{At: morningOf(t, "2027-11-29"), Overdue: true}},
		{"held back", held, "2027-10-22", complianceLetter{At: morningOf(t, "2027-10-25"), Days: 30}},
		{"new: at once", first, "2026-01-01", complianceLetter{At: first.BeganAt, Days: 30, First: true}},
		{"new, asked", asked, "2026-01-01", complianceLetter{At: morningOf(t, "2026-01-06"), Days: 14}},
		{"new, asked early", early, "2026-01-01", complianceLetter{At: morningOf(t, "2026-11-21"), Days: 60}},
	} {
		got, ok := c.s.nextLetter(morningOf(t, c.today), angeles)
		require.True(t, ok, c.name)
		require.Equal(t, c.want, got, c.name)
	}
	_, ok := watched("").nextLetter(morningOf(t, "2027-10-22"), angeles)
	require.False(t, ok, "what nobody knows is silent")
	require.NotEqual(t, year().due(), early.due())
}

func TestALetterAboutWhatWasRenewedMeanwhile(t *testing.T) {
	t.Parallel()
	s := watched("2026-11-21")
	due := s.due()
	require.True(t, s.renew(RequirementRenewed{RenewedOn: "2027-11-01"}))
	s.wrote(complianceLetter{Days: 14}, due, morningOf(t, "2027-11-07"))
	next, ok := s.nextLetter(morningOf(t, "2027-11-07"), angeles)
	require.True(t, ok)
	require.Equal(t, complianceLetter{At: morningOf(t, "2028-09-02"), Days: 60}, next)
	require.Equal(t, 1, s.Written, "its name is not used again")
}

func TestRefusesARenewal(t *testing.T) {
	t.Parallel()
	s := watched("2026-06-01")
	const today = "2026-11-21"
	for _, c := range []struct{ on, until, says string }{
		{"2026-11-21", "", ""}, {"2026-06-01", "", ""}, {"2026-06-01", "2027-06-30", ""}, {"2026-06-02", "2026-06-03", ""},
		{"2026-11-22", "", "in the future"}, {"2026-05-31", "", "A later renewal is known already, of 2026-06-01"},
		{"", "", "YYYY-MM-DD"}, {"21.11.2026", "", "YYYY-MM-DD"}, {"2026-02-30", "", "YYYY-MM-DD"},
		{"2026-11-21", "2026-11-21", "a day after the renewal"}, {"2026-11-21", "2025-11-21", "a day after the renewal"},
		{"2026-11-21", "next year", "YYYY-MM-DD"}, {"2026-11-21", "2206-11-21", "check the year"},
	} {
		got := s.refuses(RequirementRenewed{RenewedOn: c.on, GoodUntil: c.until}, today)
		if c.says == "" {
			require.Empty(t, got, "%+v", c)
		} else {
			require.Contains(t, got, c.says, "%+v", c)
		}
	}
	require.Contains(t, watched("").refuses(RequirementRenewed{RenewedOn: "1926-11-21"}, today), "check the year")
}

func TestRefusesAnAnswer(t *testing.T) {
	t.Parallel()
	s := watched("")
	says := func(a durable.Answer) string { return s.refusesAnswer(a, "2026-11-21") }
	fields := map[string]string{fieldRenewedOn: "2026-11-20"}
	require.Empty(t, says(durable.Answer{Choice: choiceRenewed, Fields: fields}))
	require.Contains(t, says(durable.Answer{Choice: choiceRenewed}), "YYYY-MM-DD")
	require.Contains(t, says(durable.Answer{Choice: "yes", Fields: fields}), "not one of the answers")
	require.Contains(t, says(durable.Answer{Choice: choiceNotApplicable, Note: " "}), "why it does not apply")
	require.Empty(t, says(durable.Answer{Choice: choiceNotApplicable, Note: "no gas here"}))
	s.Requirement.Evidence = true
	require.Contains(t, says(durable.Answer{Choice: choiceRenewed, Fields: fields}), "add the certificate")
	require.Empty(t, says(durable.Answer{Choice: choiceRenewed, Fields: fields, Photos: []durable.Photo{{ID: "1"}}}))
}

func TestRenewIsTakenOnce(t *testing.T) {
	t.Parallel()
	s := watched("2026-06-01")
	s.HeldUntil = s.BeganAt
	require.False(t, s.renew(RequirementRenewed{RenewedOn: "2026-06-01"}), "it is known")
	require.False(t, s.renew(RequirementRenewed{RenewedOn: "2026-06-01", GoodUntil: "2027-06-01"}), "the same until")
	require.True(t, s.renew(RequirementRenewed{RenewedOn: "2026-06-01", GoodUntil: "2027-03-01"}), "a correction")
	require.Equal(t, "2027-03-01", s.due())
	s.Requirement.Months = 24
	require.Equal(t, "2027-03-01", s.due(), "what was said keeps when the policy changes")
	require.True(t, s.renew(RequirementRenewed{RenewedOn: "2026-11-21"}))
	require.Equal(t, "2028-11-21", s.due())
	require.Zero(t, s.HeldUntil)
}

func TestAnOlderRenewalIsNothingNew(t *testing.T) {
	t.Parallel()
	s := watched("2026-06-01")
	for r, want := range map[RequirementRenewed]bool{
		{RenewedOn: "2026-05-31"}: true, {RenewedOn: "2026-05-31", GoodUntil: "2030-01-01"}: true, {RenewedOn: "2026-06-01"}: true,
		{RenewedOn: "2026-06-01", GoodUntil: "2027-03-01"}: false, {RenewedOn: "2026-06-02"}: false, {RenewedOn: ""}: false, {RenewedOn: "1.6.2026"}: false,
	} {
		require.Equal(t, want, s.older(r), "%+v", r)
	}
	require.False(t, watched("").older(RequirementRenewed{RenewedOn: "2026-05-31"}))
}

func TestAWatchGoesOnFromWhatWasKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ renewed, due, goodUntil, firstDue string }{
		{"", "", "", ""}, {"", "2026-12-24", "", "2026-12-24"},
		{"2026-06-01", "2027-06-01", "", ""}, {"2026-06-01", "2027-03-01", "2027-03-01", ""},
	} {
		s := watched("")
		s.recall(activities.ComplianceRow{State: "dropped", Renewed: c.renewed, Due: c.due})
		require.Equal(t, []string{c.renewed, c.due, c.goodUntil, c.firstDue}, []string{s.Renewed, s.due(), s.GoodUntil, s.FirstDue})
	}
}

// A filing that is refused keeps none back.
func TestFilingsThatAreDue(t *testing.T) {
	t.Parallel()
	s, now := watched(""), time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	require.False(t, s.filesAt(now))
	s.file(ComplianceFiling{By: "refused", At: now.Add(againAfter), Tries: 1})
	require.False(t, s.filesAt(now))
	s.file(ComplianceFiling{By: "second", At: now})
	s.file(ComplianceFiling{By: "third", At: now})
	for _, want := range []string{"second", "third"} {
		require.True(t, s.filesAt(now))
		require.Equal(t, want, s.takeFiling(now).By)
	}
	require.False(t, s.filesAt(now))
	require.Len(t, s.Filings, 1)
}

// TestLettersOfAnyStory plays renewals and waits of any length: no reminder of a due day is
// written twice, none after a more urgent one, none of an overdue one too soon, and there
// is always a next one.
func TestLettersOfAnyStory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := watched("")
		s.Requirement.Months = rapid.IntRange(1, 60).Draw(t, "months")
		now := s.BeganAt
		s.FirstDue = activities.DayIn(now.AddDate(0, 0, rapid.IntRange(0, 400).Draw(t, "first")), angeles)
		last := map[string]int{}
		var overdueAt time.Time
		for range 60 {
			if rapid.IntRange(0, 9).Draw(t, "renewed") == 0 {
				r := RequirementRenewed{RenewedOn: activities.DayIn(now.AddDate(0, 0, -rapid.IntRange(0, 500).Draw(t, "ago")), angeles)}
				if s.refuses(r, activities.DayIn(now, angeles)) == "" && s.renew(r) {
					overdueAt = time.Time{}
				}
			}
			next, ok := s.nextLetter(now, angeles)
			require.True(t, ok)
			if next.At.After(now) {
				// A day later at the earliest, or long after it was due: the worker was down.
				require.False(t, next.At.After(now.AddDate(6, 0, 0)))
				now = next.At.Add(time.Duration(rapid.IntRange(0, 100*24).Draw(t, "late hours")) * time.Hour)
				continue
			}
			due := s.due()
			left, _ := daysLeft(activities.DayIn(now, angeles), due)
			switch {
			case next.Overdue:
				require.Negative(t, left)
				if !overdueAt.IsZero() {
					require.GreaterOrEqual(t, now.Sub(overdueAt), 7*24*time.Hour)
				}
				overdueAt = now
			default:
				require.GreaterOrEqual(t, left, 0)
				before, written := last[due+s.Renewed]
				require.True(t, !written || next.Days < before, "%d after %d", next.Days, before)
				require.True(t, next.First || next.Days >= left)
				last[due+s.Renewed] = next.Days
			}
			s.wrote(next, due, now)
			again, _ := s.nextLetter(now, angeles)
			require.True(t, again.At.After(now), "one letter at a time")
		}
	})
}

func TestChangesAt(t *testing.T) {
	t.Parallel()
	s := watched("2026-11-21")
	day := func(d string) time.Time {
		at, _ := campaign.Day(d, 0, 0, angeles)
		return at
	}
	require.Equal(t, day("2027-09-22"), s.changesAt(day("2026-12-01"), angeles))
	require.Equal(t, day("2027-11-22"), s.changesAt(day("2027-11-21"), angeles))
	require.Zero(t, s.changesAt(day("2027-11-22"), angeles))
	require.Zero(t, watched("").changesAt(day("2027-11-22"), angeles))
}

func TestWhoIsWrittenTo(t *testing.T) {
	t.Parallel()
	rules := watched("").Rules
	ids := func(l complianceLetter) (list []string) {
		for _, p := range complianceReceivers(l, rules) {
			list = append(list, p.ID)
		}
		return list
	}
	require.Equal(t, []string{"pat"}, ids(complianceLetter{Days: 1}))
	require.Equal(t, []string{"pat", "olivia"}, ids(complianceLetter{Overdue: true}))
	rules.Escalation = rules.Manager
	require.Equal(t, []string{"pat"}, ids(complianceLetter{Overdue: true}), "nobody twice")
}

func TestComplianceWords(t *testing.T) {
	t.Parallel()
	in := ComplianceInput{UnitID: "3", Property: activities.PropertyView{ID: "1", Address: "12 Elm St", Units: []activities.UnitView{{ID: "3", Label: "Apt 3"}}}}
	s := watched("2026-11-21")
	for _, c := range []struct {
		l            complianceLetter
		today, title string
		says         string
	}{
		{complianceLetter{Days: 60}, "2027-09-22", "Smoke alarm test due on 2027-11-21: 12 Elm St, Apt 3", "in 60 days"},
		{complianceLetter{Days: 1}, "2027-11-20", "Smoke alarm test due on 2027-11-21: 12 Elm St, Apt 3", "in 1 day."},
		{complianceLetter{Days: 1}, "2027-11-21", "Smoke alarm test due today: 12 Elm St, Apt 3", "renewed today"},
		{complianceLetter{Overdue: true}, "2027-11-23", "Overdue since 2027-11-21: Smoke alarm test, 12 Elm St, Apt 3", "overdue for 2 days"},
		{complianceLetter{First: true}, "2027-11-01", "Smoke alarm test needed by 2027-11-21: 12 Elm St, Apt 3", "is new"},
	} {
		title, text := complianceWords(c.l, s, in, c.today)
		require.Equal(t, c.title, title)
		require.Contains(t, text, c.says)
		require.Contains(t, text, "{link}")
	}
	in.UnitID, in.Property.Address = "", ""
	require.Equal(t, "property 1", compliancePlace(in))
	ask := complianceAsk("title", s, in, s.BeganAt)
	require.Empty(t, ask.Fields[2].For, "evidence is welcome")
	s.Requirement.Evidence = true
	require.Equal(t, []string{choiceRenewed}, complianceAsk("title", s, in, s.BeganAt).Fields[2].For, "evidence is needed")
}
