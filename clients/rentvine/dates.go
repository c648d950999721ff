package rentvine

import (
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
)

// The formats of contracts/rentvine.md 1.6.
const (
	// DateLayout is that of plain dates.
	DateLayout = time.DateOnly
	// WindowLayout is that of appointment windows and of many created dates; its
	// zone is not known.
	WindowLayout = time.DateTime
	// USDateLayout is that of recurring charges.
	USDateLayout = "01/02/2006"
)

// ParseTime reads any of RentVine's date formats. Those without a zone are read in
// loc, nil meaning UTC. Nothing, and the database's zero date, is the zero time.
// Errors are partner.ShapeError.
func ParseTime(s string, loc *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasPrefix(s, "0000-00-00") {
		return time.Time{}, nil
	}
	if loc == nil {
		loc = time.UTC
	}
	for _, layout := range []string{DateLayout, WindowLayout, time.RFC3339, "2006-01-02T15:04:05", USDateLayout} {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, partner.ShapeError("a date has an unknown format")
}

// date is a plain date in any of the formats, kept as YYYY-MM-DD.
type date string

// UnmarshalJSON reads the formats of ParseTime.
func (d *date) UnmarshalJSON(b []byte) error {
	at, err := parse(b)
	*d = ""
	if err == nil && !at.IsZero() {
		*d = date(at.Format(DateLayout))
	}
	return err
}

// instant is a date-time; without a zone it is read as UTC.
type instant time.Time

// UnmarshalJSON reads the formats of ParseTime.
func (i *instant) UnmarshalJSON(b []byte) error {
	at, err := parse(b)
	*i = instant(at.UTC())
	return err
}

// lenientInstant is an instant that is zero where it cannot be read.
type lenientInstant time.Time

// UnmarshalJSON reads the formats of ParseTime.
func (i *lenientInstant) UnmarshalJSON(b []byte) error {
	var read instant
	if read.UnmarshalJSON(b) != nil {
		read = instant{}
	}
	*i = lenientInstant(read)
	return nil
}

// window is a date-time in the wall clock of the place, kept as WindowLayout.
type window string

// UnmarshalJSON reads the formats of ParseTime.
func (w *window) UnmarshalJSON(b []byte) error {
	at, err := parse(b)
	*w = ""
	if err == nil && !at.IsZero() {
		*w = window(at.Format(WindowLayout))
	}
	return err
}

func parse(b []byte) (time.Time, error) {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return time.Time{}, err
	}
	return ParseTime(string(t), nil)
}
