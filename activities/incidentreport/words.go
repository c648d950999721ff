package incidentreport

import (
	"fmt"
	"time"
)

// Words is a duration as people say it: "40 s", "4 min", "4 min 12 s",
// "1 h 20 min", "2 d 3 h". Seconds are kept below ten minutes, where they may
// decide about a promise. Zero or less is "not reached".
func Words(d time.Duration) string {
	switch {
	case d <= 0:
		return NotReached
	case d < time.Second:
		return "under 1 s"
	default:
		return span(d)
	}
}

// span is Words for a duration that may well be nothing.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	// Rounded first, so that 59 min 40 s becomes an hour and not 60 minutes.
	switch {
	case d < 10*time.Minute:
		d = d.Truncate(time.Second)
	case d < day:
		d = d.Round(time.Minute)
	default:
		d = d.Round(time.Hour)
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 10*time.Minute:
		return pair(d/time.Minute, "min", d%time.Minute/time.Second, "s")
	case d < day:
		return pair(d/time.Hour, "h", d%time.Hour/time.Minute, "min")
	default:
		return pair(d/day, "d", d%day/time.Hour, "h")
	}
}

// pair joins two amounts and leaves out the one that is nothing.
func pair(big time.Duration, bigUnit string, small time.Duration, smallUnit string) string {
	switch {
	case big == 0:
		return fmt.Sprintf("%d %s", small, smallUnit)
	case small == 0:
		return fmt.Sprintf("%d %s", big, bigUnit)
	default:
		return fmt.Sprintf("%d %s %d %s", big, bigUnit, small, smallUnit)
	}
}
