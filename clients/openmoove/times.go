package openmoove

import (
	"strings"
	"time"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/wire"
)

// ParseTime reads a time of OpenMoove: RFC 3339 with or without fractions and a
// zone, a space in place of the T, or a plain date, which is its midnight. What has
// no zone is UTC. "" is the zero time. Errors are partner.ShapeError.
func ParseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
		"2006-01-02 15:04:05Z07:00", time.DateTime, time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, partner.ShapeError("a time has an unknown format")
}

// instant is a time of the wire; null is the zero time.
type instant time.Time

// UnmarshalJSON reads the forms of ParseTime.
func (i *instant) UnmarshalJSON(b []byte) error {
	var t wire.Text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	at, err := ParseTime(string(t))
	*i = instant(at)
	return err
}
