package incidentreport

import (
	"slices"
	"strings"
	"time"
)

// locale is how a place writes its times, and on which paper.
type locale struct {
	zone *time.Location
	us   bool
}

func localeOf(zone string) locale {
	loc, err := time.LoadLocation(zone)
	// "Local" is the machine's zone: another machine would draw another report.
	if err != nil || zone == "Local" {
		return locale{zone: time.UTC}
	}
	return locale{zone: loc, us: isUS(zone)}
}

// paper is fpdf's name of the page size.
func (l locale) paper() string {
	if l.us {
		return "Letter"
	}
	return "A4"
}

// day is a date with its weekday.
func (l locale) day(t time.Time) string {
	if l.us {
		return t.In(l.zone).Format("Mon, Jan 2, 2006")
	}
	return t.In(l.zone).Format("Mon 2 Jan 2006")
}

// clock is the time of day with the zone's abbreviation, which tells the two
// hours apart that the end of summer time repeats.
func (l locale) clock(t time.Time) string {
	layout := "15:04"
	if l.us {
		layout = "3:04 PM"
	}
	return t.In(l.zone).Format(layout) + " " + l.abbreviation(t)
}

// abbreviation is "CST", or "UTC-03" where the zone has no letters.
func (l locale) abbreviation(t time.Time) string {
	name, _ := t.In(l.zone).Zone()
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		return "UTC" + name
	}
	return name
}

// note says where the times of a report are; the clocks may have changed in it.
func (l locale) note(from, to time.Time) string {
	if l.zone == time.UTC {
		return "Times are UTC"
	}
	names := l.abbreviation(to)
	if first := l.abbreviation(from); first != names && !from.IsZero() {
		names = first + " and " + names
	}
	return "Times are " + names + " (" + l.zone.String() + ")"
}

// moment is day and clock, "not recorded" for the zero time.
func (l locale) moment(t time.Time) string {
	if t.IsZero() {
		return "not recorded"
	}
	return l.day(t) + ", " + l.clock(t)
}

// isUS tells whether an IANA zone is used in the United States. The region
// America also holds countries that print on A4.
func isUS(zone string) bool {
	region, place, _ := strings.Cut(zone, "/")
	switch region {
	case "US", "EST", "EST5EDT", "CST6CDT", "MST", "MST7MDT", "PST8PDT", "HST", "Navajo":
		return true
	case "Pacific":
		return slices.Contains([]string{"Honolulu", "Guam", "Saipan", "Pago_Pago", "Midway", "Johnston"}, place)
	case "America":
		state, _, _ := strings.Cut(place, "/")
		return slices.Contains([]string{
			"New_York", "Detroit", "Kentucky", "Louisville", "Indiana", "Indianapolis", "Fort_Wayne", "Knox_IN",
			"Chicago", "Menominee", "North_Dakota", "Denver", "Boise", "Shiprock", "Phoenix", "Los_Angeles",
			"Anchorage", "Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak", "Atka",
			"Puerto_Rico", "St_Thomas", "Virgin",
		}, state)
	default:
		return false
	}
}
