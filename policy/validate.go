package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// Bounds that keep Settings small enough for workflow histories.
const (
	maxTeams       = 26
	maxTeam        = 10
	maxEscalation  = 10
	maxTechnicians = 100
	maxShifts      = 14
	maxNames       = 10
)

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	emailPattern  = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	numberPattern = regexp.MustCompile(`^[0-9]{2,8}$`)
)

// checker collects what is wrong with a section, by path within it.
type checker struct{ problems []Problem }

func (c *checker) must(ok bool, path, format string, args ...any) {
	if !ok {
		c.problems = append(c.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	}
}

func (c *checker) within(d time.Duration, path string, longest time.Duration) {
	c.must(d > 0 && d <= longest, path, "must be longer than 0 and at most %s", longest)
}

func (c *checker) count(n int, path string, least, most int) {
	c.must(n >= least && n <= most, path, "must be from %d to %d", least, most)
}

func (c *checker) size(n int, path string, least, most int) {
	c.must(n >= least && n <= most, path, "must have from %d to %d entries", least, most)
}

const day = 24 * time.Hour

// validate says everything that is wrong with a section as it stands. No check
// spans two keys that different levels may set (see parse), but for those of repairs
// that say so.
func validate(s section) []Problem {
	c := &checker{}
	c.must(s.Name != "" && len(s.Name) <= 30, "name", "must be given and have at most 30 bytes")
	c.must(phonenumbers.GetSupportedRegions()[s.Region], "region", `must be a country such as "US"`)
	c.must(numberPattern.MatchString(s.EmergencyNumber), "emergency_number", "must be 2 to 8 digits")
	c.zone(s.TimeZone, "time_zone")
	c.people(s)
	c.onCall(s)
	c.within(s.SLA.Acknowledge, "sla.acknowledge", 30*day)
	c.within(s.SLA.Accept, "sla.accept", 30*day)
	c.within(s.SLA.OnSite, "sla.on_site", 30*day)
	c.within(s.Dispatch.OfferGap, "dispatch.offer_gap", day)
	c.must(s.Dispatch.MaxDistanceKm > 0 && s.Dispatch.MaxDistanceKm <= 1000, "dispatch.max_distance_km", "must be above 0 and at most 1000")
	c.count(s.Dispatch.Rounds, "dispatch.rounds", 1, 10)
	c.technicians(s)
	c.within(s.JoinWindow, "join_window", 7*day)
	c.count(s.Caps.RoutinePerDay, "caps.routine_per_day", 1, 1000)
	c.contact(s.Contact)
	c.status(s.Statuses.Acknowledged, "statuses.acknowledged")
	c.status(s.Statuses.Scheduled, "statuses.scheduled")
	c.status(s.Statuses.Repaired, "statuses.repaired")
	c.within(s.LinkTTL, "link_ttl", 90*day)
	c.within(s.Reminders.OnSite, "reminders.on_site", 7*day)
	c.within(s.Reminders.Done, "reminders.done", 7*day)
	c.count(s.Reminders.Times, "reminders.times", 0, 20)
	c.repairs(s)
	c.leasing(s)
	c.finance(s)
	c.portfolio(s)
	c.sync(s)
	c.texts(s.Texts, s.Repairs.On())
	return c.problems
}

func (c *checker) zone(name, path string) {
	_, err := time.LoadLocation(name)
	c.must(err == nil && name != "Local", path, `must be a zone such as "America/Los_Angeles"`)
}

func (c *checker) people(s section) {
	c.size(len(s.People), "people", 1, 500)
	for _, id := range slices.Sorted(maps.Keys(s.People)) {
		p, path := s.People[id], join("people", id)
		c.must(idPattern.MatchString(id), path, "must have a key of small letters, digits, - and _")
		c.must(p.Name != "" && len(p.Name) <= 100, path+".name", "must be given and have at most 100 bytes")
		c.must(isPhone(p.Phone), path+".phone", "must be a phone number in E.164 form: +, country code, number")
		c.must(len(p.Email) <= 200 && emailPattern.MatchString(p.Email), path+".email", "must be an e-mail address")
	}
	c.person(s, s.PropertyManager, "property_manager")
	c.size(len(s.Escalation), "escalation", 0, maxEscalation)
	c.persons(s, s.Escalation, "escalation")
}

// isPhone tells whether the text is a possible number in exactly E.164.
func isPhone(text string) bool {
	n, err := phonenumbers.Parse(text, "ZZ")
	return err == nil && phonenumbers.IsPossibleNumber(n) && phonenumbers.Format(n, phonenumbers.E164) == text
}

func (c *checker) person(s section, id, path string) {
	_, ok := s.People[id]
	c.must(ok, path, "must name somebody listed under people")
}

func (c *checker) persons(s section, ids []string, path string) {
	for i, id := range ids {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.person(s, id, at)
		c.must(!slices.Contains(ids[:i], id), at, "names the same person again")
	}
}

func (c *checker) onCall(s section) {
	o := s.OnCall
	c.must(o.Starts != Date{}, "on_call.starts", "must be given")
	c.must(o.Every > 0 && o.Every%day == 0 && o.Every <= 366*day, "on_call.every", "must be whole days, from 1d to 366d")
	c.size(len(o.Teams), "on_call.teams", 1, maxTeams)
	for i, team := range o.Teams {
		at := fmt.Sprintf("on_call.teams[%d]", i)
		c.size(len(team), at, 1, maxTeam)
		c.persons(s, team, at)
	}
	c.count(o.TriesPerContact, "on_call.tries_per_contact", 1, 10)
	c.within(o.Gap, "on_call.gap", day)
	c.count(o.Rounds, "on_call.rounds", 1, 10)
	c.within(o.RepeatEvery, "on_call.repeat_every", 7*day)
	c.within(o.GiveUpAfter, "on_call.give_up_after", 30*day)
}

func (c *checker) technicians(s section) {
	c.size(len(s.Technicians), "technicians", 0, maxTechnicians)
	ids, people := map[string]bool{}, map[string]bool{}
	for i, t := range s.Technicians {
		at := fmt.Sprintf("technicians[%d]", i)
		c.must(idPattern.MatchString(t.ID), at+".id", "must be given: small letters, digits, - and _")
		c.must(!ids[t.ID], at+".id", "is the id of an earlier technician")
		ids[t.ID] = true
		c.person(s, t.Person, at+".person")
		c.must(!people[t.Person], at+".person", "is an earlier technician")
		people[t.Person] = true
		c.size(len(t.Trades), at+".trades", 1, len(Trades()))
		for j, trade := range t.Trades {
			c.must(slices.Contains(Trades(), trade), fmt.Sprintf("%s.trades[%d]", at, j), "must be one of %s", strings.Join(Trades(), ", "))
		}
		c.must(t.Latitude >= -90 && t.Latitude <= 90, at+".latitude", "must be from -90 to 90")
		c.must(t.Longitude >= -180 && t.Longitude <= 180, at+".longitude", "must be from -180 to 180")
		c.must(t.Latitude != 0 || t.Longitude != 0, at, "must have a latitude and a longitude")
		c.count(t.MaxJobs, at+".max_jobs", 1, 100)
		c.size(len(t.Shifts), at+".shifts", 1, maxShifts)
		for j, shift := range t.Shifts {
			path := fmt.Sprintf("%s.shifts[%d]", at, j)
			c.zone(shift.Zone, path+".zone")
			c.size(len(shift.Days), path+".days", 1, 7)
			for k, d := range shift.Days {
				c.must(slices.Contains(weekdays(), d), fmt.Sprintf("%s.days[%d]", path, k), "must be one of %s", strings.Join(weekdays(), ", "))
			}
		}
	}
}

func (c *checker) status(s Status, path string) {
	c.size(len(s.Names), path+".names", 1, maxNames)
	c.must(!slices.Contains(s.Names, ""), path+".names", "must have no empty entry")
}
