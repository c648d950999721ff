package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// TimeOfDay is a wall-clock time in minutes since midnight; its text is "21:00".
type TimeOfDay int

// UnmarshalText reads "21:00".
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	parsed, err := time.Parse("15:04", string(text))
	if err != nil {
		return errors.New(`must be a time of day such as "21:00"`)
	}
	*t = TimeOfDay(parsed.Hour()*60 + parsed.Minute())
	return nil
}

// String is the date as "2026-01-05", "" for none.
func (d Date) String() string {
	if d == (Date{}) {
		return ""
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// MarshalText writes "21:00".
func (t TimeOfDay) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// String is "21:00".
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

// on is the instant of the time of day on a date, which may be out of range as
// time.Date takes it. A time that the zone skips or repeats on that date is one
// of the two instants that it may mean, always the same.
func (t TimeOfDay) on(year int, month time.Month, day int, zone *time.Location) time.Time {
	return time.Date(year, month, day, int(t)/60, int(t)%60, 0, 0, zone)
}

// Date is a calendar date; its text is "2026-01-05".
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// UnmarshalText reads "2026-01-05".
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return errors.New(`must be a date such as "2026-01-05"`)
	}
	d.Year, d.Month, d.Day = parsed.Date()
	return nil
}

// MarshalText writes "2026-01-05".
func (d Date) MarshalText() ([]byte, error) {
	if d == (Date{}) {
		return nil, nil
	}
	return []byte(fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)), nil
}

// number counts days; only differences mean anything.
func (d Date) number() int {
	return int(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// parseDuration reads Go's durations and whole days: "15m", "4h", "3d", "1d12h".
func parseDuration(text string) (time.Duration, error) {
	wrong := errors.New(`must be a duration such as "15m", "4h" or "3d"`)
	rest := text
	var sum time.Duration
	if head, tail, ok := strings.Cut(text, "d"); ok {
		days, err := strconv.ParseUint(head, 10, 16)
		if err != nil || days > 3660 {
			return 0, wrong
		}
		sum, rest = time.Duration(days)*24*time.Hour, tail
		if rest == "" {
			return sum, nil
		}
	}
	part, err := time.ParseDuration(rest)
	if err != nil || part < 0 || part > 10*366*24*time.Hour || strings.ContainsAny(rest, "+-") {
		return 0, wrong
	}
	return sum + part, nil
}
