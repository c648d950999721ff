package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const london = "Europe/London"

func officeHours() WorkingHours {
	return WorkingHours{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: 9 * 60, To: 17*60 + 30}
}

func TestNextWorkingTime(t *testing.T) {
	t.Parallel()
	week := officeHours()
	here := week
	here.Zone = "America/Los_Angeles"
	sundays := WorkingHours{Days: []string{"sun"}, From: 60, To: 2 * 60}
	gap := WorkingHours{Days: []string{"sun"}, From: 75, To: 105} // 01:15 to 01:45 is skipped on 2026-03-29
	for _, c := range []struct {
		name     string
		h        WorkingHours
		at, want string
	}{
		{"within", week, "2026-01-14T12:00:00Z", "2026-01-14T12:00:00Z"},
		{"at the beginning", week, "2026-01-14T09:00:00Z", "2026-01-14T09:00:00Z"},
		{"just before", week, "2026-01-14T08:59:59Z", "2026-01-14T09:00:00Z"},
		{"last moment", week, "2026-01-14T17:29:59Z", "2026-01-14T17:29:59Z"},
		{"at the end", week, "2026-01-14T17:30:00Z", "2026-01-15T09:00:00Z"},
		{"Friday evening", week, "2026-01-16T18:00:00Z", "2026-01-19T09:00:00Z"},
		{"Saturday noon", week, "2026-01-17T12:00:00Z", "2026-01-19T09:00:00Z"},
		{"Sunday before midnight", week, "2026-01-18T23:59:59Z", "2026-01-19T09:00:00Z"},
		{"summer: nine is eight in UTC", week, "2026-06-16T20:00:00Z", "2026-06-17T08:00:00Z"},
		{"summer: within", week, "2026-06-17T08:00:00Z", "2026-06-17T08:00:00Z"},
		{"summer: over", week, "2026-06-17T16:30:00Z", "2026-06-18T08:00:00Z"},
		{"the weekend on which the clocks go forward", week, "2026-03-27T18:00:00Z", "2026-03-30T08:00:00Z"},
		{"the weekend on which they go back", week, "2026-10-23T17:00:00Z", "2026-10-26T09:00:00Z"},
		{"end of the year", week, "2026-12-31T20:00:00Z", "2027-01-01T09:00:00Z"},
		{"own zone", here, "2026-01-14T12:00:00Z", "2026-01-14T17:00:00Z"},
		{"once a week", sundays, "2026-01-18T02:00:00Z", "2026-01-25T01:00:00Z"},
		{"no days are all days", WorkingHours{}, "2026-01-17T03:00:00Z", "2026-01-17T03:00:00Z"},
	} {
		got := c.h.Next(at(t, c.at), london)
		require.True(t, at(t, c.want).Equal(got), "%s: %s", c.name, got)
	}
	require.Equal(t, at(t, "2026-01-14T09:00:00Z"), week.Next(at(t, "2026-01-14T07:00:00Z"), ""), "UTC without a zone")
	next := gap.Next(at(t, "2026-03-28T12:00:00Z"), london)
	require.Equal(t, time.Sunday, next.Weekday())
	require.Equal(t, 29, next.Day(), "hours that the clocks skip are kept an hour off, not dropped")
}

// Through a year, closely around the changes of the clocks: the next working time is
// never before, is itself one, and nothing between is.
func TestNextIsTheFirstWorkingTime(t *testing.T) {
	t.Parallel()
	early := WorkingHours{Days: []string{"mon", "sat", "sun"}, From: 30, To: 2*60 + 30}
	for _, part := range []struct {
		from, to string
		step     time.Duration
	}{
		{"2026-01-01T00:00:00Z", "2027-01-08T00:00:00Z", 5*time.Hour + 10*time.Minute},
		{"2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z", 15 * time.Minute},
		{"2026-10-23T00:00:00Z", "2026-10-27T00:00:00Z", 15 * time.Minute},
	} {
		for _, h := range []WorkingHours{officeHours(), early} {
			for now := at(t, part.from); now.Before(at(t, part.to)); now = now.Add(part.step) {
				next := h.Next(now, london)
				require.False(t, next.Before(now), now)
				require.Equal(t, next, h.Next(next, london), now)
				if next.After(now) {
					require.Equal(t, next, h.Next(now.Add(next.Sub(now)/2), london), now)
					local := next.In(location(london))
					require.Equal(t, h.From, TimeOfDay(local.Hour()*60+local.Minute()), now)
				}
			}
		}
	}
}
