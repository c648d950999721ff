package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return parsed
}

func TestOnCallAt(t *testing.T) {
	t.Parallel()
	la := mustLoad(t).For("1", "1")
	london := la
	london.TimeZone = "Europe/London"
	noZone := la
	noZone.TimeZone = ""
	skipped := la
	skipped.OnCall.ChangeAt = 2*60 + 30 // does not exist on 2026-03-08 in Los Angeles
	daily := la
	daily.OnCall.Every, daily.OnCall.ChangeAt = 24*time.Hour, 60+15 // happens twice on 2026-11-01

	for _, c := range []struct {
		name  string
		s     Settings
		when  string
		first string
	}{
		{"just before the first turn", la, "2026-01-05T08:59:59-08:00", "chloe"},
		{"first turn begins", la, "2026-01-05T09:00:00-08:00", "alma"},
		{"last moment of it", la, "2026-01-12T08:59:59-08:00", "alma"},
		{"second", la, "2026-01-12T09:00:00-08:00", "ben"},
		{"third", la, "2026-01-19T09:00:00-08:00", "chloe"},
		{"and round again", la, "2026-01-26T09:00:00-08:00", "alma"},
		{"same wall clock in summer, before", la, "2026-04-06T08:59:59-07:00", "alma"},
		{"same wall clock in summer, after", la, "2026-04-06T09:00:00-07:00", "ben"},
		{"a week with a lost hour ends on time", la, "2026-03-09T08:59:59-07:00", "chloe"},
		{"and the next begins", la, "2026-03-09T09:00:00-07:00", "alma"},
		{"long before the start", la, "2025-12-01T12:00:00-08:00", "ben"},
		{"in the zone asked for", london, "2026-01-12T09:00:00Z", "ben"},
		{"UTC without a zone", noZone, "2026-01-12T09:00:00Z", "ben"},
		{"a skipped change has happened by 04:00", skipped, "2026-03-09T04:00:00-07:00", "alma"},
		{"repeated change: before", daily, "2026-11-01T01:14:00-07:00", "chloe"},
		{"repeated change: the clock shows 01:05 again", daily, "2026-11-01T01:05:00-08:00", "alma"},
	} {
		require.Equal(t, c.first, c.s.OnCallAt(at(t, c.when))[0].ID, c.name)
	}
	require.Empty(t, Settings{}.OnCallAt(time.Now()))
}

// A rotation never goes back and never skips, whatever the clocks do.
func TestOnCallMovesForward(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("1", "1")
	s.OnCall.Every, s.OnCall.ChangeAt = 24*time.Hour, 60+30
	next := map[string]string{"alma": "ben", "ben": "chloe", "chloe": "alma"}
	now := at(t, "2026-01-05T12:00:00Z")
	team, changes := s.OnCallAt(now)[0].ID, 0
	for range 366 * 24 * 4 {
		now = now.Add(15 * time.Minute)
		if got := s.OnCallAt(now)[0].ID; got != team {
			require.Equal(t, next[team], got, now)
			team, changes = got, changes+1
		}
	}
	require.InDelta(t, 366, changes, 1)
}

func TestQuietUntil(t *testing.T) {
	t.Parallel()
	s := mustLoad(t).For("1", "1") // 21:00 to 08:00
	daytime := s
	daytime.QuietHours = QuietHours{From: 12 * 60, To: 13 * 60}
	off := s
	off.QuietHours = QuietHours{}

	for _, c := range []struct {
		name, when, until string
		s                 Settings
	}{
		{"day", "2026-01-10T20:59:59-08:00", "", s},
		{"evening", "2026-01-10T21:00:00-08:00", "2026-01-11T16:00:00Z", s},
		{"after midnight", "2026-01-11T03:00:00-08:00", "2026-01-11T16:00:00Z", s},
		{"ends", "2026-01-11T08:00:00-08:00", "", s},
		{"night that loses an hour", "2026-03-07T23:00:00-08:00", "2026-03-08T15:00:00Z", s},
		{"night that gains an hour", "2026-10-31T23:00:00-07:00", "2026-11-01T16:00:00Z", s},
		{"window within a day", "2026-01-10T12:30:00-08:00", "2026-01-10T21:00:00Z", daytime},
		{"outside it", "2026-01-10T13:00:00-08:00", "", daytime},
		{"none", "2026-01-10T00:00:00-08:00", "", off},
		{"last day of a month", "2026-01-31T22:00:00-08:00", "2026-02-01T16:00:00Z", s},
	} {
		until, quiet := c.s.QuietUntil(at(t, c.when))
		require.Equal(t, c.until != "", quiet, c.name)
		if quiet {
			require.Equal(t, at(t, c.until), until, c.name)
		}
	}
}

func TestShiftCovers(t *testing.T) {
	t.Parallel()
	night := Shift{Days: []string{"fri", "sat"}, From: 20 * 60, To: 6 * 60}
	whole := Shift{Days: []string{"sun"}}
	abroad := Shift{Days: []string{"mon"}, From: 8 * 60, To: 17 * 60, Zone: "Europe/London"}
	for _, c := range []struct {
		name, when string
		shift      Shift
		on         bool
	}{
		{"Friday evening", "2026-01-09T20:00:00-08:00", night, true},
		{"Saturday morning belongs to Friday", "2026-01-10T05:59:00-08:00", night, true},
		{"over at six", "2026-01-10T06:00:00-08:00", night, false},
		{"Sunday morning belongs to Saturday", "2026-01-11T01:00:00-08:00", night, true},
		{"Friday morning belongs to Thursday", "2026-01-09T03:00:00-08:00", night, false},
		{"Sunday evening", "2026-01-11T21:00:00-08:00", night, false},
		{"night that loses an hour, before its end", "2026-03-08T05:59:00-07:00", night, true},
		{"night that loses an hour, after its end", "2026-03-08T06:00:00-07:00", night, false},
		{"the hour that happens twice", "2026-11-01T01:30:00-08:00", night, true},
		{"whole day begins", "2026-01-11T00:00:00-08:00", whole, true},
		{"whole day ends", "2026-01-12T00:00:00-08:00", whole, false},
		{"own zone", "2026-01-12T08:00:00Z", abroad, true},
		{"not the property's", "2026-01-12T10:00:00-08:00", abroad, false},
	} {
		_, on := c.shift.Covers(at(t, c.when), "America/Los_Angeles")
		require.Equal(t, c.on, on, c.name)
	}
}
