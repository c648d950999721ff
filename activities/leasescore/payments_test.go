package leasescore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/aictive/keyholder/policy"
)

func TestPaymentsOf(t *testing.T) {
	t.Parallel()
	rent := func(days ...string) []Booking {
		var list []Booking
		for _, d := range days {
			list = append(list, Booking{d, 100_00})
		}
		return list
	}
	for _, c := range []struct {
		name              string
		charges, payments []Booking
		want              []Payment
	}{
		{"nothing", nil, nil, nil},
		{"on time, early, and within grace", rent("2026-08-01", "2026-09-01", "2026-10-01"), rent("2026-08-01", "2026-08-30", "2026-10-06"), []Payment{
			{"2026-08-01", "2026-08-01", 100_00, 0}, {"2026-09-01", "2026-08-30", 100_00, 0}, {"2026-10-01", "2026-10-06", 100_00, 0},
		}},
		{"late is counted from the due day", rent("2026-10-01"), rent("2026-10-07"), []Payment{{"2026-10-01", "2026-10-07", 100_00, 6}}},
		{"open is late until today", rent("2026-10-01"), nil, []Payment{{"2026-10-01", "", 100_00, 52}}},
		{"open within grace is undecided", rent("2026-11-20"), nil, nil},
		{"paid in parts", rent("2026-10-01"), []Booking{{"2026-10-01", 60_00}, {"2026-10-11", 40_00}}, []Payment{{"2026-10-01", "2026-10-11", 100_00, 10}}},
		{"the oldest first", rent("2026-09-01", "2026-10-01"), rent("2026-10-01"), []Payment{
			{"2026-09-01", "2026-10-01", 100_00, 30}, {"2026-10-01", "", 100_00, 52},
		}},
		{"two charges of a day are one", []Booking{{"2026-10-01", 100_00}, {"2026-10-01", 7_50}}, []Booking{{"2026-10-02", 107_50}}, []Payment{
			{"2026-10-01", "2026-10-02", 107_50, 0},
		}},
		{"a credit pays", []Booking{{"2026-10-01", 100_00}, {"2026-10-03", -100_00}}, nil, []Payment{{"2026-10-01", "2026-10-03", 100_00, 0}}},
		{"a payment that bounced is owed again", rent("2026-10-01"), []Booking{{"2026-10-01", 100_00}, {"2026-10-09", -100_00}}, []Payment{
			{"2026-10-01", "2026-10-01", 100_00, 0}, {"2026-10-09", "", 100_00, 44},
		}},
		{"older ones only use up their payments", rent("2025-11-01", "2026-10-01"), rent("2025-12-31", "2026-10-01"), []Payment{
			{"2026-10-01", "2026-10-01", 100_00, 0},
		}},
		{"the future counts nothing", rent("2026-10-01", "2026-12-01"), rent("2026-12-01"), []Payment{{"2026-10-01", "", 100_00, 52}}},
		{"in any order", rent("2026-10-01", "2026-09-01"), rent("2026-10-02", "2026-09-02"), []Payment{
			{"2026-09-01", "2026-09-02", 100_00, 0}, {"2026-10-01", "2026-10-02", 100_00, 0},
		}},
	} {
		got, ok := PaymentsOf(c.charges, c.payments, today, 5)
		require.True(t, ok, c.name)
		require.Equal(t, c.want, got, c.name)
	}
	for _, bad := range []string{"", "10/01/2026", "2026-02-30"} {
		_, ok := PaymentsOf(rent(bad), nil, today, 5)
		require.False(t, ok, bad)
		_, ok = PaymentsOf(nil, rent(bad), today, 5)
		require.False(t, ok, bad)
		_, ok = PaymentsOf(nil, nil, bad, 5)
		require.False(t, ok, bad)
	}
}

// Paying more, or sooner, makes nothing later.
func TestMoreMoneyIsNeverLater(t *testing.T) {
	t.Parallel()
	booking := rapid.Custom(func(t *rapid.T) Booking {
		day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 320).Draw(t, "day"))
		return Booking{day.Format(time.DateOnly), policy.Cents(rapid.IntRange(1, 300).Draw(t, "amount"))}
	})
	late := func(list []Payment) map[string]int {
		days := map[string]int{}
		for _, p := range list {
			days[p.Due] = p.LateDays
		}
		return days
	}
	rapid.Check(t, func(t *rapid.T) {
		charges := rapid.SliceOfN(booking, 1, 12).Draw(t, "charges")
		payments := rapid.SliceOfN(booking, 0, 12).Draw(t, "payments")
		before, ok := PaymentsOf(charges, payments, today, 3)
		require.True(t, ok)
		after, ok := PaymentsOf(charges, append(payments, booking.Draw(t, "more")), today, 3)
		require.True(t, ok)
		worse := late(before)
		for due, days := range late(after) {
			if was, known := worse[due]; known {
				require.LessOrEqual(t, days, was, due)
			}
		}
	})
}

func TestRepairsOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, RepairsKnown{}, RepairsOf(nil, "soon"))
	require.Equal(t, RepairsKnown{Known: true}, RepairsOf(nil, today))
	got := RepairsOf([]Request{
		{ID: "5", Made: "2026-09-20", Open: true, Trade: "1"},              // 10 days after the last of its trade
		{ID: "1", Made: "2026-09-01", Closed: "2026-09-10", Trade: "1"},    // 9 days
		{ID: "2", Made: "2026-09-11", Closed: "2026-09-16", Trade: "2"},    // 5 days, another trade
		{ID: "3", Made: "2026-10-17", Closed: "2026-10-18", Trade: "2"},    // a month later: something else
		{ID: "4", Made: "2025-10-01", Closed: "2026-02-01", Trade: "3"},    // of the year before
		{ID: "6", Made: "2024-01-01", Open: true},                          // still open
		{ID: "7", Made: "", Closed: "2026-09-10"},                          // nobody knows when
		{ID: "8", Made: "2026-08-02", Closed: "2026-08-01", Trade: "4"},    // nonsense
		{ID: "9", Made: "2026-08-03", Closed: "2026-08-03", Trade: ""},     // of no trade
		{ID: "10", Made: "2026-08-04", Closed: "", Trade: "", Open: false}, // closed, nobody knows when
		{ID: "12", Made: "2026-06-30", Closed: "2026-07-01", Trade: "5"},   // 1 day
		{ID: "13", Made: "2026-07-31", Closed: "2026-07-31", Trade: "5"},   // 30 days after it
		{ID: "11", Made: "2026-12-04", Closed: "", Trade: "", Open: false}, // to come
	}, today)
	require.Equal(t, RepairsKnown{Known: true, Count: 10, Open: 2, Reopened: 2, Days: (9 + 5 + 1 + 0 + 1 + 0) / 6}, got)
}

func TestMonthsBetween(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     int
		ok       bool
	}{
		{"2025-06-01", "2026-11-22", 17, true}, {"2025-11-22", "2026-11-22", 12, true}, {"2025-11-23", "2026-11-22", 11, true},
		{"2027-01-01", "2026-11-22", 0, true}, {"", "2026-11-22", 0, false}, {"2025-06-01", "x", 0, false},
	} {
		got, ok := MonthsBetween(c.from, c.to)
		require.Equal(t, c.want, got, c.from)
		require.Equal(t, c.ok, ok, c.from)
	}
}
