package portfolio

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

// The states of a requirement.
const (
	complianceUnknown = "unknown"
	complianceValid   = "valid"
	// complianceDue is from the first reminder on.
	complianceDue     = "due"
	complianceOverdue = "overdue"
)

// How the watch over a requirement ends.
const (
	endedDropped       = "dropped"
	endedNotApplicable = "not_applicable"
)

const (
	// lettersAt is the time of day at which letters leave, in the property's zone.
	lettersAt = policy.TimeOfDay(9 * 60)
	// mostYears bounds how far a day may be away: more is a slip of the pen.
	mostYears = 50
	// maxComplianceLog bounds the timeline, maxFilings what waits to be filed.
	maxComplianceLog = 40
	maxFilings       = 10
	// noLetter is more days than any reminder has.
	noLetter = 1 << 20
)

type (
	// ComplianceState is what is known of a requirement. Days are YYYY-MM-DD in the
	// property's zone, times are business time.
	ComplianceState struct {
		BeganAt time.Time `json:"began_at"`
		// FirstDue is the day until which a new property was given for its first one, ""
		// where the property was not new.
		FirstDue string `json:"first_due,omitempty"`
		// Renewed is the last day on which it was renewed. GoodUntil is what was said of
		// until when, "" where the policy's months count.
		Renewed   string `json:"renewed,omitempty"`
		GoodUntil string `json:"good_until,omitempty"`

		Letters ComplianceLetters `json:"letters,omitzero"`
		// Written counts all letters; HeldUntil is when the next may leave at last.
		Written   int       `json:"written,omitempty"`
		HeldUntil time.Time `json:"held_until,omitzero"`
		// Inspected is the due day for which RentVine was asked for an inspection,
		// InspectAt when it is asked again after it refused.
		Inspected string    `json:"inspected,omitempty"`
		InspectAt time.Time `json:"inspect_at,omitzero"`
		// Filings wait to be filed at RentVine.
		Filings []ComplianceFiling `json:"filings,omitempty"`
		// Kept is what the store has; its key is "" where that has nothing.
		Kept    activities.ComplianceRow `json:"kept,omitzero"`
		Answers durable.Seen             `json:"answers,omitzero"`
		// Rules and Requirement are the policy's at the last look.
		Rules       policy.Portfolio   `json:"rules,omitzero"`
		Requirement policy.Requirement `json:"requirement,omitzero"`
		// Ended is how it ended, "" while it goes on.
		Ended    string           `json:"ended,omitempty"`
		Timeline []campaign.Entry `json:"timeline,omitempty"`
		Unusable int              `json:"unusable,omitempty"`
	}
	// ComplianceLetters are those that were written about a due day.
	ComplianceLetters struct {
		For string `json:"for,omitempty"`
		// Count is how many, Days the reminder that was written last.
		Count int `json:"count,omitempty"`
		Days  int `json:"days,omitempty"`
		// OverdueAt is when the last letter about its being overdue was written.
		OverdueAt time.Time `json:"overdue_at,omitzero"`
	}
	// ComplianceFiling is what is filed at RentVine about a change.
	ComplianceFiling struct {
		Row    activities.ComplianceRow `json:"row"`
		By     string                   `json:"by"`
		Note   string                   `json:"note,omitempty"`
		Photos []durable.Photo          `json:"photos,omitempty"`
		// At is when it is tried, Tries how often it was.
		At    time.Time `json:"at"`
		Tries int       `json:"tries,omitempty"`
	}
	// RequirementRenewed says that a requirement was met: on what day, and until when it is good, ""
	// for the policy's months.
	RequirementRenewed struct {
		RenewedOn string `json:"renewed_on"`
		GoodUntil string `json:"good_until,omitempty"`
	}
	// complianceLetter is the one that is written next.
	complianceLetter struct {
		At time.Time
		// Days is which reminder it is; Overdue and First are none.
		Days           int
		Overdue, First bool
	}
)

func (s *ComplianceState) note(now time.Time, what string, args ...any) {
	s.Timeline = append(s.Timeline, campaign.Entry{At: now, What: fmt.Sprintf(what, args...)})
	s.Timeline = s.Timeline[max(0, len(s.Timeline)-maxComplianceLog):]
}

// due is the day on which it must be renewed, "" where nobody knows.
func (s *ComplianceState) due() string {
	switch {
	case s.GoodUntil != "":
		return s.GoodUntil
	case s.Renewed != "":
		return monthsAfter(s.Renewed, s.Requirement.Months)
	}
	return s.FirstDue
}

// monthsAfter is the same day so many months later, or that month's last day where it has
// no such day; "" where there is no day or months are not positive.
func monthsAfter(day string, months int) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil || months < 1 {
		return ""
	}
	first := time.Date(d.Year(), d.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d.Day(), last)-1).Format(time.DateOnly)
}

// daysLeft is how many days there are from one to another; ok is false where either is none.
func daysLeft(today, due string) (days int, ok bool) {
	from, err := time.Parse(time.DateOnly, today)
	to, err2 := time.Parse(time.DateOnly, due)
	return int(to.Sub(from) / (24 * time.Hour)), err == nil && err2 == nil
}

// reminders are the days before the due day on which reminders make sense: those on the
// day of the last renewal or before it do not.
func (s *ComplianceState) reminders() []int {
	var days []int
	for _, d := range s.Rules.Compliance.RemindDays {
		if s.Renewed == "" || campaign.DayAfter(s.due(), -d) > s.Renewed {
			days = append(days, d)
		}
	}
	return days
}

// urgent is the last reminder whose day has come, noLetter for none.
func urgent(reminders []int, left int) int {
	found := noLetter
	for _, d := range reminders {
		if d >= left {
			found = min(found, d)
		}
	}
	return found
}

// stateOn is the state on a day.
func (s *ComplianceState) stateOn(today string) string {
	left, ok := daysLeft(today, s.due())
	switch {
	case ok && left < 0:
		return complianceOverdue
	case ok && urgent(s.reminders(), left) != noLetter:
		return complianceDue
	case s.Renewed == "" && s.GoodUntil == "":
		return complianceUnknown
	}
	return complianceValid
}

// lettersOf are those that were written about a due day.
func (s *ComplianceState) lettersOf(due string) ComplianceLetters {
	if s.Letters.For != due {
		return ComplianceLetters{For: due, Days: noLetter}
	}
	return s.Letters
}

// nextLetter is the letter that is due next; ok is false where nothing is known that could
// be due. Of several whose day has passed only the most urgent is written.
func (s *ComplianceState) nextLetter(now time.Time, zone string) (next complianceLetter, ok bool) {
	due := s.due()
	left, known := daysLeft(activities.DayIn(now, zone), due)
	if !known {
		return complianceLetter{}, false
	}
	before := s.lettersOf(due)
	morning := func(days int) time.Time {
		at, _ := campaign.Day(due, days, lettersAt, zone)
		return at
	}
	reminders := s.reminders()
	switch last := urgent(reminders, left); {
	case left < 0 && before.OverdueAt.IsZero():
		next = complianceLetter{At: morning(1), Overdue: true}
	case left < 0:
		next = complianceLetter{At: before.OverdueAt.Add(max(s.Rules.Compliance.OverdueEvery, 24*time.Hour)), Overdue: true}
	case s.Renewed == "" && s.GoodUntil == "" && before.Count == 0:
		next = complianceLetter{At: s.BeganAt, Days: last, First: true}
	case last < before.Days:
		next = complianceLetter{At: morning(-last), Days: last}
	default:
		next = complianceLetter{At: morning(1), Overdue: true}
		for _, d := range reminders {
			if at := morning(-d); d < left && d < before.Days && at.Before(next.At) {
				next = complianceLetter{At: at, Days: d}
			}
		}
	}
	if s.HeldUntil.After(next.At) {
		next.At = s.HeldUntil
	}
	return next, true
}

// wrote notes that a letter about a due day has left.
func (s *ComplianceState) wrote(l complianceLetter, due string, now time.Time) {
	before := s.lettersOf(due)
	before.Count++
	before.Days = min(before.Days, l.Days)
	if l.Overdue {
		before.OverdueAt = now
	}
	s.Written++
	s.HeldUntil = time.Time{}
	if due == s.due() { // it may have been renewed meanwhile
		s.Letters = before
	}
}

// refuses says why a renewal cannot be, "" where it can.
func (s *ComplianceState) refuses(r RequirementRenewed, today string) string {
	on, err := time.Parse(time.DateOnly, r.RenewedOn)
	now, err2 := time.Parse(time.DateOnly, today)
	switch {
	case err != nil || err2 != nil:
		return "Say on what day it was renewed, as YYYY-MM-DD."
	case on.After(now):
		return "The day of the renewal is in the future: say on what day it was renewed, not when it will be."
	case r.RenewedOn < s.Renewed:
		return "A later renewal is known already, of " + s.Renewed + "."
	case on.Before(now.AddDate(-mostYears, 0, 0)):
		return "The day of the renewal is very long ago: please check the year."
	}
	if r.GoodUntil == "" {
		return ""
	}
	until, err := time.Parse(time.DateOnly, r.GoodUntil)
	switch {
	case err != nil:
		return "Say until when it is good, as YYYY-MM-DD, or leave that out."
	case !until.After(on):
		return "It must be good until a day after the renewal."
	case until.After(now.AddDate(mostYears, 0, 0)):
		return "The day until which it is good is very far away: please check the year."
	}
	return ""
}

// renew takes a renewal that is not refused, and tells whether it changed anything.
func (s *ComplianceState) renew(r RequirementRenewed) bool {
	after := *s
	after.Renewed, after.GoodUntil = r.RenewedOn, r.GoodUntil
	if s.Renewed == r.RenewedOn && s.due() == after.due() {
		return false
	}
	s.Renewed, s.GoodUntil, s.HeldUntil, s.InspectAt = r.RenewedOn, r.GoodUntil, time.Time{}, time.Time{}
	return true
}

// older tells whether a renewal says no more than what is known, or less.
func (s *ComplianceState) older(r RequirementRenewed) bool {
	_, err := time.Parse(time.DateOnly, r.RenewedOn)
	return err == nil && s.Renewed != "" && (r.RenewedOn < s.Renewed || r.RenewedOn == s.Renewed && r.GoodUntil == "")
}

// recall goes on from what an earlier watch knew.
func (s *ComplianceState) recall(known activities.ComplianceRow) {
	s.Renewed = known.Renewed
	switch {
	case known.Renewed == "":
		s.FirstDue = known.Due
	case known.Due != s.due():
		s.GoodUntil = known.Due
	}
}

// filesAt tells whether something is to be filed at a time.
func (s *ComplianceState) filesAt(now time.Time) bool {
	return slices.ContainsFunc(s.Filings, func(f ComplianceFiling) bool { return !f.At.After(now) })
}

// takeFiling takes out the oldest that is due, of which there is one.
func (s *ComplianceState) takeFiling(now time.Time) (f ComplianceFiling) {
	i := slices.IndexFunc(s.Filings, func(f ComplianceFiling) bool { return !f.At.After(now) })
	f = s.Filings[i]
	s.Filings = slices.Delete(s.Filings, i, i+1)
	return f
}

// file notes what is to be filed at RentVine; of very many, the oldest is left out.
func (s *ComplianceState) file(f ComplianceFiling) {
	s.Filings = append(s.Filings, f)
	s.Filings = s.Filings[max(0, len(s.Filings)-maxFilings):]
}

// row is the requirement as it stands.
func (s *ComplianceState) row(key string, in ComplianceInput, now time.Time, zone string) activities.ComplianceRow {
	return activities.ComplianceRow{
		Key: key, PropertyID: in.Property.ID, UnitID: in.UnitID, PortfolioID: in.Property.PortfolioID,
		RequirementID: in.RequirementID, Name: s.Requirement.Name, Kind: s.Requirement.Kind,
		State: s.stateOn(activities.DayIn(now, zone)), Due: s.due(), Renewed: s.Renewed, ChangedAt: now,
	}
}

// stale tells whether the store has another row.
func (s *ComplianceState) stale(row activities.ComplianceRow) bool {
	row.ChangedAt = s.Kept.ChangedAt
	return row != s.Kept
}

// changesAt is when the state changes by itself next, zero for never.
func (s *ComplianceState) changesAt(now time.Time, zone string) (at time.Time) {
	due := s.due()
	for _, d := range append(s.reminders(), -1) {
		midnight, ok := campaign.Day(due, -d, 0, zone)
		if ok && midnight.After(now) && (at.IsZero() || midnight.Before(at)) {
			at = midnight
		}
	}
	return at
}

// refusesAnswer says why an answer cannot be, "" where it can.
func (s *ComplianceState) refusesAnswer(a durable.Answer, today string) string {
	switch {
	case a.Choice == choiceNotApplicable && strings.TrimSpace(a.Note) == "":
		return "Say in the note why it does not apply."
	case a.Choice == choiceNotApplicable:
		return ""
	case a.Choice != choiceRenewed:
		return "That is not one of the answers."
	case s.Requirement.Evidence && len(a.Photos) == 0:
		return "Please add the certificate, or photos of it."
	}
	return s.refuses(renewedOf(a), today)
}

// renewedOf is the renewal that an answer tells of.
func renewedOf(a durable.Answer) RequirementRenewed {
	return RequirementRenewed{RenewedOn: a.Fields[fieldRenewedOn], GoodUntil: a.Fields[fieldGoodUntil]}
}
