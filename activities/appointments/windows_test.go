package appointments_test

import (
	"maps"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/policy"
)

func rules() policy.Windows {
	return policy.Windows{
		Days: []string{"mon", "tue", "wed", "thu", "fri"},
		Slots: []policy.Slot{
			{From: 8 * 60, To: 12 * 60}, {From: 12 * 60, To: 16 * 60}, {From: 16 * 60, To: 19 * 60},
		},
		Offered: 4, Lead: 12 * time.Hour, Ahead: 14 * 24 * time.Hour,
	}
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

// texts are the windows as people read them.
func texts(list []appointments.Window, loc *time.Location) []string {
	out := []string{}
	for _, w := range list {
		out = append(out, w.Text(loc, "GB"))
	}
	return out
}

func TestWindows(t *testing.T) {
	t.Parallel()
	pacific, london := zone(t, "America/Los_Angeles"), zone(t, "Europe/London")
	monday := time.Date(2026, 11, 23, 9, 0, 0, 0, pacific)
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, pacific) }
	for name, c := range map[string]struct {
		change    func(*policy.Windows)
		now       time.Time
		earliest  time.Time
		loc       *time.Location
		full      func(appointments.Window) bool
		refused   []time.Time
		want      []string
		wantStart time.Time
	}{
		"two of each day": {
			want:      []string{"Tue 24 Nov, 08:00-12:00", "Tue 24 Nov, 12:00-16:00", "Wed 25 Nov, 08:00-12:00", "Wed 25 Nov, 12:00-16:00"},
			wantStart: time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC),
		},
		"the notice may end within a day": {
			change: func(r *policy.Windows) { r.Lead = 4 * time.Hour },
			want:   []string{"Mon 23 Nov, 16:00-19:00", "Tue 24 Nov, 08:00-12:00", "Tue 24 Nov, 12:00-16:00", "Wed 25 Nov, 08:00-12:00"},
		},
		"a notice that ends when a window begins leaves it": {
			change: func(r *policy.Windows) { r.Lead, r.Offered = 3*time.Hour, 1 },
			want:   []string{"Mon 23 Nov, 12:00-16:00"},
		},
		"not before earliest": {
			earliest: at(26, 13),
			want:     []string{"Thu 26 Nov, 16:00-19:00", "Fri 27 Nov, 08:00-12:00", "Fri 27 Nov, 12:00-16:00", "Mon 30 Nov, 08:00-12:00"},
		},
		"an earliest in the past says nothing": {
			earliest: at(1, 0), change: func(r *policy.Windows) { r.Offered = 1 },
			want: []string{"Tue 24 Nov, 08:00-12:00"},
		},
		"the days count from an earliest that is further than they reach": {
			earliest: at(23, 9).AddDate(0, 0, 28), change: func(r *policy.Windows) { r.Offered = 1 },
			want: []string{"Mon 21 Dec, 12:00-16:00"},
		},
		"over the weekend": {
			now: at(27, 13), change: func(r *policy.Windows) { r.Offered = 3 },
			want: []string{"Mon 30 Nov, 08:00-12:00", "Mon 30 Nov, 12:00-16:00", "Tue 1 Dec, 08:00-12:00"},
		},
		"a day of its own fills up where there is no other": {
			change: func(r *policy.Windows) { r.Ahead = 36 * time.Hour },
			want:   []string{"Tue 24 Nov, 08:00-12:00", "Tue 24 Nov, 12:00-16:00", "Tue 24 Nov, 16:00-19:00"},
		},
		"the third of a day before none": {
			change: func(r *policy.Windows) { r.Ahead = 60 * time.Hour; r.Offered = 5 },
			want: []string{
				"Tue 24 Nov, 08:00-12:00", "Tue 24 Nov, 12:00-16:00", "Tue 24 Nov, 16:00-19:00",
				"Wed 25 Nov, 08:00-12:00", "Wed 25 Nov, 12:00-16:00",
			},
		},
		"those taken are left out": {
			full: func(w appointments.Window) bool { return w.Start.In(pacific).Day() == 24 },
			want: []string{"Wed 25 Nov, 08:00-12:00", "Wed 25 Nov, 12:00-16:00", "Thu 26 Nov, 08:00-12:00", "Thu 26 Nov, 12:00-16:00"},
		},
		"all are taken": {full: func(appointments.Window) bool { return true }, want: []string{}},
		"those refused are left out, in whatever zone": {
			refused: []time.Time{at(24, 8), at(24, 12).In(london), at(25, 8).UTC()},
			want:    []string{"Tue 24 Nov, 16:00-19:00", "Wed 25 Nov, 12:00-16:00", "Wed 25 Nov, 16:00-19:00", "Thu 26 Nov, 08:00-12:00"},
		},
		"none are offered":  {change: func(r *policy.Windows) { r.Offered = 0 }, want: []string{}},
		"no days of policy": {change: func(r *policy.Windows) { r.Days = nil }, want: []string{}},
		"slots in any order, once each, and none that ends before it begins": {
			change: func(r *policy.Windows) {
				r.Offered = 3
				r.Slots = []policy.Slot{{From: 14 * 60, To: 15 * 60}, {From: 9*60 + 30, To: 10 * 60}, {From: 14 * 60, To: 15 * 60}, {From: 18 * 60, To: 17 * 60}, {From: 60, To: 60}}
			},
			want: []string{"Tue 24 Nov, 09:30-10:00", "Tue 24 Nov, 14:00-15:00", "Wed 25 Nov, 09:30-10:00"},
		},
		"the wall clock stays when summer time ends": {
			now: time.Date(2026, 10, 30, 20, 0, 0, 0, pacific), change: func(r *policy.Windows) { r.Days, r.Offered = []string{"sat", "sun"}, 4 },
			want: []string{"Sat 31 Oct, 08:00-12:00", "Sat 31 Oct, 12:00-16:00", "Sun 1 Nov, 08:00-12:00", "Sun 1 Nov, 12:00-16:00"},
		},
		"and when it begins in London": {
			now: time.Date(2026, 3, 27, 20, 0, 0, 0, london), loc: london,
			change:    func(r *policy.Windows) { r.Days, r.Offered = []string{"sun"}, 2 },
			want:      []string{"Sun 29 Mar, 08:00-12:00", "Sun 29 Mar, 12:00-16:00"},
			wantStart: time.Date(2026, 3, 29, 7, 0, 0, 0, time.UTC),
		},
		"a slot that summer time swallows is left out on that day": {
			now: time.Date(2026, 3, 27, 20, 0, 0, 0, london), loc: london,
			change: func(r *policy.Windows) {
				r.Days, r.Slots = []string{"sat", "sun"}, []policy.Slot{{From: 60, To: 2 * 60}}
				r.Lead, r.Ahead, r.Offered = 0, 7*24*time.Hour, 6
			},
			want: []string{"Sat 28 Mar, 01:00-02:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rules()
			if c.change != nil {
				c.change(&r)
			}
			if c.now.IsZero() {
				c.now = monday
			}
			if c.loc == nil {
				c.loc = pacific
			}
			got := appointments.Windows(r, c.now, c.earliest, c.loc, c.full, c.refused)
			require.Equal(t, c.want, texts(got, c.loc))
			if !c.wantStart.IsZero() {
				require.Equal(t, c.wantStart, got[0].Start)
			}
		})
	}
}

func TestTextOfAWindow(t *testing.T) {
	t.Parallel()
	pacific := zone(t, "America/Los_Angeles")
	w := func(fromHour, fromMinute, toHour, toMinute int) appointments.Window {
		return appointments.Window{
			Start: time.Date(2026, 11, 24, fromHour, fromMinute, 0, 0, pacific).UTC(),
			End:   time.Date(2026, 11, 24, toHour, toMinute, 0, 0, pacific).UTC(),
		}
	}
	for region, want := range map[string]string{
		"US": "Tue Nov 24, 8 AM-12 PM", "": "Tue Nov 24, 8 AM-12 PM", "CA": "Tue Nov 24, 8 AM-12 PM",
		"GB": "Tue 24 Nov, 08:00-12:00", "DE": "Tue 24 Nov, 08:00-12:00",
	} {
		require.Equal(t, want, w(8, 0, 12, 0).Text(pacific, region), region)
	}
	require.Equal(t, "Tue Nov 24, 8:30 AM-1:05 PM", w(8, 30, 13, 5).Text(pacific, "US"))
	require.Equal(t, "Tue Nov 24, 12 AM-1 AM", w(0, 0, 1, 0).Text(pacific, "US"))
	require.Equal(t, "Tue 24 Nov, 16:00-20:00", w(8, 0, 12, 0).Text(time.UTC, "GB"))
}

// Whatever policy and the calendar say, a window is one that policy allows, in the
// future, not taken and not refused; they are in order, each once.
func TestWindowsHoldTheirPromises(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{zone(t, "America/Los_Angeles"), zone(t, "Europe/London")}
	week := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	rapid.Check(t, func(t *rapid.T) {
		loc := rapid.SampledFrom(zones).Draw(t, "zone")
		// Around the changes of the clock, and anywhere else.
		now := rapid.SampledFrom([]time.Time{
			time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC),
			time.Date(2027, 12, 30, 0, 0, 0, 0, time.UTC),
		}).Draw(t, "about").Add(time.Duration(rapid.IntRange(-3*24*60, 3*24*60).Draw(t, "minutes")) * time.Minute)
		r := policy.Windows{
			Days: rapid.SliceOfDistinct(rapid.SampledFrom(week), rapid.ID[string]).Draw(t, "days"),
			Slots: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) policy.Slot {
				return policy.Slot{
					From: policy.TimeOfDay(rapid.IntRange(0, 1439).Draw(t, "from")), To: policy.TimeOfDay(rapid.IntRange(0, 1439).Draw(t, "to")),
				}
			}), 0, 5).Draw(t, "slots"),
			Offered: rapid.IntRange(0, 8).Draw(t, "offered"),
			Lead:    time.Duration(rapid.IntRange(0, 72).Draw(t, "lead")) * time.Hour,
			Ahead:   time.Duration(rapid.IntRange(0, 20).Draw(t, "ahead")) * 24 * time.Hour,
		}
		earliest := now.Add(time.Duration(rapid.IntRange(-100, 600).Draw(t, "earliest")) * time.Hour)
		every := rapid.IntRange(1, 4).Draw(t, "every so many is taken")
		full := func(w appointments.Window) bool { return every > 1 && w.Start.Unix()/3600%int64(every) == 0 }

		first := appointments.Windows(r, now, earliest, loc, full, nil)
		var refused []time.Time
		for i, w := range first {
			if i%2 == 0 {
				refused = append(refused, w.Start)
			}
		}
		for _, got := range [][]appointments.Window{first, appointments.Windows(r, now, earliest, loc, full, refused)} {
			check(t, r, now, earliest, loc, got)
			for _, w := range got {
				require.False(t, full(w))
			}
		}
		for _, w := range appointments.Windows(r, now, earliest, loc, full, refused) {
			require.False(t, slices.ContainsFunc(refused, w.Start.Equal), "it was refused")
		}
		require.Equal(t, first, appointments.Windows(r, now, earliest, loc, full, nil), "the same again")
	})
}

func check(t *rapid.T, r policy.Windows, now, earliest time.Time, loc *time.Location, got []appointments.Window) {
	require.LessOrEqual(t, len(got), r.Offered)
	latest := now
	if earliest.After(latest) {
		latest = earliest
	}
	for i, w := range got {
		require.Equal(t, time.UTC, w.Start.Location())
		require.False(t, w.Start.Before(now.Add(r.Lead)), "too short a notice")
		require.False(t, w.Start.Before(earliest))
		require.False(t, w.Start.After(latest.Add(r.Ahead)), "too far ahead")
		start, end := w.Start.In(loc), w.End.In(loc)
		require.Equal(t, start.Format(time.DateOnly), end.Format(time.DateOnly))
		require.Contains(t, r.Days, map[string]string{
			"Monday": "mon", "Tuesday": "tue", "Wednesday": "wed", "Thursday": "thu", "Friday": "fri", "Saturday": "sat", "Sunday": "sun",
		}[start.Weekday().String()])
		require.True(t, slices.ContainsFunc(r.Slots, func(s policy.Slot) bool {
			return s.From.String() == start.Format("15:04") && s.To.String() == end.Format("15:04") &&
				w.End.Sub(w.Start) == time.Duration(s.To-s.From)*time.Minute
		}), "%s-%s is no slot of policy", start, end)
		if i > 0 {
			require.True(t, got[i-1].Start.Before(w.Start), "in order, each once")
		}
	}
}

// Two a day of all days come before a third of any.
func TestADayIsCrowdedOnlyWhenAllAreUsed(t *testing.T) {
	t.Parallel()
	loc := zone(t, "Europe/London")
	rapid.Check(t, func(t *rapid.T) {
		r := rules()
		r.Offered = rapid.IntRange(1, 12).Draw(t, "offered")
		r.Ahead = time.Duration(rapid.IntRange(1, 10).Draw(t, "ahead")) * 24 * time.Hour
		now := time.Date(2026, 11, rapid.IntRange(1, 28).Draw(t, "day"), rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, loc)
		byDay := func(list []appointments.Window) map[string]int {
			n := map[string]int{}
			for _, w := range list {
				n[w.Start.In(loc).Format(time.DateOnly)]++
			}
			return n
		}
		got := byDay(appointments.Windows(r, now, time.Time{}, loc, nil, nil))
		r.Offered = 1000
		all := byDay(appointments.Windows(r, now, time.Time{}, loc, nil, nil))
		crowded := slices.ContainsFunc(slices.Collect(maps.Values(got)), func(n int) bool { return n > 2 })
		if !crowded {
			return
		}
		for day, n := range all {
			require.GreaterOrEqual(t, got[day], min(n, 2), "%s was left out though another day is crowded", day)
		}
	})
}
