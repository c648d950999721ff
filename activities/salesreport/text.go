package salesreport

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aictive/keyholder/policy"
)

// The most characters that a text of the report may have.
const (
	maxID        = 64
	maxWord      = 40
	maxPostcode  = 16
	maxMilestone = 80
	maxName      = 80
	maxAddress   = 160
)

// clean is a text on one line, at most limit characters long, without anything that
// is not seen or that changes the direction of what follows.
func clean(s string, limit int) string {
	if most := limit * 16; len(s) > most { // spares the work on what will not be kept
		s = s[:most] + "…"
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, "\ufffd"))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:limit-1])) + "…"
}

// location is the named zone; UTC for names that do not load, and for the machine's
// own.
func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local {
		return time.UTC
	}
	return zone
}

// count is "1 sale", "2 sales".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// daysInWords is "71 days" or "120 working days".
func daysInWords(d policy.Days) string {
	if d.Working {
		return count(d.Count, "working day", "working days")
	}
	return count(d.Count, "day", "days")
}

// dayInWords is "Fri 2 Jan", with the year where it is not the given one.
func dayInWords(d policy.Date, year int) string {
	if d == (policy.Date{}) {
		return ""
	}
	layout := "Mon 2 Jan"
	if d.Year != year {
		layout += " 2006"
	}
	return midnight(d).Format(layout)
}

// capital has a capital first, and spaces for underscores.
func capital(s string) string {
	s = policy.Words(s)
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// lower has a small letter first.
func lower(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToLower(first)) + s[size:]
}

// span is a number of seconds as people say it, rounded down.
func span(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return count(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return count(int(d/time.Hour), "hour", "hours")
	default:
		return count(int(d/(24*time.Hour)), "day", "days")
	}
}
