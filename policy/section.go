package policy

import (
	"maps"
	"slices"
	"time"
)

// section is one level of the file: the company's, or what a portfolio or
// property overrides. People are named by id.
type section struct {
	Name            string            `json:"name"`
	Region          string            `json:"region"`
	EmergencyNumber string            `json:"emergency_number"`
	TimeZone        string            `json:"time_zone"`
	PropertyManager string            `json:"property_manager"`
	Escalation      []string          `json:"escalation"`
	People          map[string]entry  `json:"people"`
	OnCall          rotation          `json:"on_call"`
	SLA             SLA               `json:"sla"`
	Dispatch        Dispatch          `json:"dispatch"`
	Technicians     []roster          `json:"technicians"`
	JoinWindow      time.Duration     `json:"join_window"`
	QuietHours      QuietHours        `json:"quiet_hours"`
	Caps            Caps              `json:"caps"`
	Contact         ContactRules      `json:"contact"`
	Statuses        Statuses          `json:"statuses"`
	LinkTTL         time.Duration     `json:"link_ttl"`
	Reminders       Reminders         `json:"reminders"`
	Repairs         Repairs           `json:"repairs"`
	Leasing         leasing           `json:"leasing"`
	Finance         finance           `json:"finance"`
	Portfolio       portfolio         `json:"portfolio"`
	Sync            Sync              `json:"sync"`
	Texts           map[string]string `json:"texts"`
}

// entry is a person without the id, which is its key.
type entry struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
	Email string `json:"email"`
}

// rotation is OnCall with people by id.
type rotation struct {
	Starts          Date          `json:"starts"`
	ChangeAt        TimeOfDay     `json:"change_at"`
	Every           time.Duration `json:"every"`
	Teams           [][]string    `json:"teams"`
	TriesPerContact int           `json:"tries_per_contact"`
	Gap             time.Duration `json:"gap"`
	Rounds          int           `json:"rounds"`
	RepeatEvery     time.Duration `json:"repeat_every"`
	GiveUpAfter     time.Duration `json:"give_up_after"`
}

// roster is Technician with the person by id.
type roster struct {
	Person    string   `json:"person"`
	ID        string   `json:"id"`
	Trades    []string `json:"trades"`
	Latitude  float64  `json:"latitude"`
	Longitude float64  `json:"longitude"`
	Shifts    []Shift  `json:"shifts"`
	MaxJobs   int      `json:"max_jobs"`
}

// resolve puts people in the place of their ids and copies whatever could be
// changed.
func (s section) resolve(version string) Settings {
	out := Settings{
		Version: version, Company: s.Name, Region: s.Region, EmergencyNumber: s.EmergencyNumber, TimeZone: s.TimeZone,
		Manager: s.person(s.PropertyManager), Escalation: s.persons(s.Escalation),
		OnCall: OnCall{
			Starts: s.OnCall.Starts, ChangeAt: s.OnCall.ChangeAt, Every: s.OnCall.Every,
			TriesPerContact: s.OnCall.TriesPerContact, Gap: s.OnCall.Gap, Rounds: s.OnCall.Rounds,
			RepeatEvery: s.OnCall.RepeatEvery, GiveUpAfter: s.OnCall.GiveUpAfter,
		},
		SLA: s.SLA, Dispatch: s.Dispatch, JoinWindow: s.JoinWindow, QuietHours: s.QuietHours, Caps: s.Caps,
		Statuses: Statuses{s.Statuses.Acknowledged.clone(), s.Statuses.Scheduled.clone(), s.Statuses.Repaired.clone(), s.Statuses.Closed.clone()},
		LinkTTL:  s.LinkTTL, Reminders: s.Reminders, Repairs: s.Repairs.clone(), Texts: maps.Clone(s.Texts),
	}
	if id := s.Repairs.Spend.Accountant; id != "" {
		out.Accountant = s.person(id)
	}
	for _, team := range s.OnCall.Teams {
		out.OnCall.Teams = append(out.OnCall.Teams, s.persons(team))
	}
	for _, t := range s.Technicians {
		shifts := slices.Clone(t.Shifts)
		for i := range shifts {
			shifts[i].Days = slices.Clone(shifts[i].Days)
		}
		out.Technicians = append(out.Technicians, Technician{
			ID: t.ID, Person: s.person(t.Person), Trades: slices.Clone(t.Trades),
			Latitude: t.Latitude, Longitude: t.Longitude, Shifts: shifts, MaxJobs: t.MaxJobs,
		})
	}
	return out
}

func (r Repairs) clone() Repairs {
	r.Rates, r.Checklists = maps.Clone(r.Rates), maps.Clone(r.Checklists)
	for trade, list := range r.Checklists {
		r.Checklists[trade] = slices.Clone(list)
	}
	r.Vendors = slices.Clone(r.Vendors)
	for i := range r.Vendors {
		r.Vendors[i].Trades = slices.Clone(r.Vendors[i].Trades)
	}
	r.Spend.RemindAfter, r.Visit.Remind = slices.Clone(r.Spend.RemindAfter), slices.Clone(r.Visit.Remind)
	r.Windows.Days, r.Windows.Slots = slices.Clone(r.Windows.Days), slices.Clone(r.Windows.Slots)
	return r
}

func (s section) person(id string) Person {
	e := s.People[id]
	return Person{ID: id, Name: e.Name, Phone: e.Phone, Email: e.Email}
}

func (s section) persons(ids []string) []Person {
	people := make([]Person, 0, len(ids))
	for _, id := range ids {
		people = append(people, s.person(id))
	}
	return people
}

func (s Status) clone() Status {
	s.Names = slices.Clone(s.Names)
	return s
}
