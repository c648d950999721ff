package movein

import (
	"slices"
	"time"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/appointments"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/leasing/campaign"
)

type (
	// Visit is the inspection.
	Visit struct {
		// Want is as it is to be, Have as calendars have it; each may be none.
		Want Slot `json:"want,omitzero"`
		Have Slot `json:"have,omitzero"`
		// Sequence is that of the next change of calendars.
		Sequence int `json:"sequence,omitempty"`
		// Record is RentVine's id of it, "" for none.
		Record string `json:"record,omitempty"`
		// Held tells that it has begun: it is not moved any more.
		Held bool `json:"held,omitempty"`
		// Late counts how often its time had passed before calendars had it.
		Late int `json:"late,omitempty"`
	}
	// Slot is a time and who comes; its zero value is none.
	Slot struct {
		// For is the day of the move-in before which it is.
		For string `json:"for"`
		appointments.Window
		People []activities.Person `json:"people,omitempty"`
	}
	// Booking is a change of calendars: People are to have the visit in the window, and
	// Off are to have it no more. Both are told with the same sequence.
	Booking struct {
		Slot
		Off      []activities.Person `json:"off,omitempty"`
		Sequence int                 `json:"sequence"`
	}
)

// maxLate is how often an inspection is put off because calendars got it too late.
const maxLate = 3

func (s Slot) none() bool { return s.Start.IsZero() }

// same tells whether calendars say the same of both.
func (s Slot) same(o Slot) bool {
	return s.Start.Equal(o.Start) && s.End.Equal(o.End) && slices.EqualFunc(s.People, o.People, func(a, b activities.Person) bool {
		return a.ID == b.ID && a.Email == b.Email
	})
}

// begin notes that the visit has begun.
func (s *State) begin(now time.Time) {
	v := &s.Visit
	if !v.Held && !v.Have.none() && v.Have.Start.Equal(v.Want.Start) && !v.Have.Start.After(now) {
		v.Held = true
	}
}

// inspect plans the inspection and asks afterwards whether it was done.
func (s *State) inspect(now time.Time) {
	rules, v := s.Rules.MoveIn.Inspection, &s.Visit
	if s.Part(PartInspection).State == "" {
		s.set(PartInspection, Planned, "")
	}
	if !s.is(PartInspection, Planned) {
		return
	}
	if !v.Held {
		if s.Rules.Inspector.ID == "" {
			v.Want = Slot{}
			s.set(PartInspection, Skipped, "the policy names no inspector")
			return
		}
		s.want(now)
		if v.Have.same(v.Want) {
			v.Have.For = v.Want.For
		}
		return
	}
	if v.Have.End.After(now) {
		return
	}
	s.set(PartInspection, Asked, "")
	s.due(PartInspection, s.dayOf(v.Have.Start))
	every := max(rules.RemindAfter, time.Hour)
	var again []time.Time
	for i := range rules.Times {
		again = append(again, now.Add(time.Duration(i+1)*every))
	}
	s.ask(campaign.Question{
		Tell:    campaign.Tell{To: campaign.One, Person: v.Have.People[0], Text: policy.TextInspectorDone, Data: s.when(v.Have)},
		Purpose: askInspector, Choices: []string{"done", "not_done"},
		RemindAt: again, GiveUpAt: now.Add(time.Duration(rules.Times+1) * every),
	}, now)
}

// want plans the visit: what was planned for the same day stands until it has passed.
func (s *State) want(now time.Time) {
	rules, v := s.Rules.MoveIn.Inspection, &s.Visit
	people := []activities.Person{activities.PersonOf(s.Rules.Inspector)}
	if v.Want.For != s.Day || !v.Want.Start.After(now) {
		start, _ := campaign.Day(s.Day, -rules.DaysBefore, rules.At, s.Lease.Zone)
		note := ""
		if !start.After(now) {
			start, note = nextWorkingMorning(now, rules.At, s.Lease.Zone), "put off: the day before had passed"
		}
		v.Want = Slot{For: s.Day, Window: appointments.Window{Start: start, End: start.Add(rules.Takes)}}
		s.set(PartInspection, Planned, note)
	}
	v.Want.People = append(people, s.Lease.Tenants...)
	s.due(PartInspection, s.dayOf(v.Want.Start))
}

// nextWorkingMorning is the time of day on the next day from Monday to Friday.
func nextWorkingMorning(now time.Time, at policy.TimeOfDay, zone string) time.Time {
	today := activities.DayIn(now, zone)
	for days := 1; ; days++ {
		t, _ := campaign.Day(today, days, at, zone)
		day, _ := time.Parse(time.DateOnly, activities.DayIn(t, zone))
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			return t
		}
	}
}

// nextInspection is when the inspection is looked at next, zero for never.
func (s *State) nextInspection() time.Time {
	v := s.Visit
	switch {
	case !s.is(PartInspection, Planned):
		return time.Time{}
	case v.Held, v.Have.Start.Equal(v.Want.Start):
		return v.Have.End
	}
	return v.Want.Start
}

// when fills in a text about the visit.
func (s *State) when(v Slot) policy.LeaseData {
	place, err := time.LoadLocation(s.Lease.Zone)
	if err != nil {
		place = time.UTC
	}
	return policy.LeaseData{When: v.Start.In(place).Format("2006-01-02 15:04"), Person: s.Rules.Inspector.Name}
}

// Booking is what calendars are to be told.
func (s *State) Booking() Booking {
	v := s.Visit
	b := Booking{Slot: v.Want, Sequence: v.Sequence}
	if v.Want.none() {
		b.Slot = v.Have
		b.People = nil
	}
	b.People = slices.Clone(b.People)
	for _, p := range v.Have.People {
		if !slices.ContainsFunc(b.People, func(o activities.Person) bool { return o.ID == p.ID && o.Email == p.Email }) {
			b.Off = append(b.Off, p)
		}
	}
	return b
}

// Booked takes that calendars were told. record is RentVine's id of the inspection, "" for
// none; failure says what could not be done, "" for nothing: the visit stands, and the
// manager is told.
func (s *State) Booked(b Booking, record, failure string, now time.Time) {
	v := &s.Visit
	before := v.Have
	v.Sequence = b.Sequence + 1
	v.Have = b.Slot
	if record != "" {
		v.Record = record
	}
	if len(b.People) == 0 {
		v.Have = Slot{}
	}
	if failure != "" {
		s.Note(now, "inspection: %s", failure)
		s.tellManager("the calendars of the inspection, or its record at RentVine, could not be brought up to date: please see to it")
	}
	if s.Outcome != "" || v.Have.none() || !s.is(PartInspection, Planned) {
		return
	}
	if !v.Have.Start.After(now) {
		// Nobody could know of it in time.
		if v.Want.Start.Equal(v.Have.Start) {
			v.Want = Slot{}
		}
		if v.Late++; v.Late > maxLate {
			v.Want = Slot{}
			s.fail(PartInspection, "the inspection could not be put on calendars in time", now)
		}
		s.Tick(now)
		return
	}
	s.Note(now, "inspection: calendars have it")
	if !v.Have.Start.Equal(before.Start) && v.Have.Start.Equal(v.Want.Start) {
		s.tell(campaign.Tell{To: campaign.Tenants, Text: policy.TextMoveInInspection, Data: s.when(v.Have)})
	}
	s.Tick(now)
}

// reinspect plans the inspection for another day, unless it was held.
func (s *State) reinspect() {
	v := &s.Visit
	state := s.Part(PartInspection).State
	switch {
	case state == "" || state == Done || state == Asked || state == Planned && v.Held:
		return // held, or never planned
	case state == Failed && v.Held:
		v.Held, v.Have = false, Slot{}
	}
	v.Want, v.Late = Slot{}, 0
	s.set(PartInspection, Planned, "planned again for another day")
	s.due(PartInspection, "")
	if s.Day == "" && !v.Have.none() {
		s.tell(campaign.Tell{To: campaign.Tenants, Text: policy.TextMoveInInspectionOff, Data: s.when(v.Have)})
	}
}

func (s *State) heardInspector(a durable.Answer, now time.Time) durable.Outcome {
	switch a.Choice {
	case "done":
		s.Settle(askInspector)
		s.set(PartInspection, Done, "")
		s.Note(now, "the inspection is done")
		return durable.Outcome{Message: "Thank you. The inspection is noted as done."}
	case "not_done":
		s.Settle(askInspector)
		s.fail(PartInspection, "the inspector says that the inspection was not done", now)
		return durable.Outcome{Message: "Thank you. The property manager is told."}
	}
	return durable.Outcome{Message: sorry}
}
