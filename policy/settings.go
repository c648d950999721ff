package policy

import "time"

// Settings is what applies to one property. It is recorded in workflow
// histories: plain data, bounded by the checks of Load to well under 100 kB.
// All durations are business time.
type Settings struct {
	// Version is the policy file's, for the record.
	Version string `json:"version"`
	// Company is the name that people know the sender by.
	Company string `json:"company"`
	// Region is the ISO 3166 country that phones without a country code are in.
	Region string `json:"region"`
	// EmergencyNumber is whom to call when life is in danger, such as "911".
	EmergencyNumber string `json:"emergency_number"`
	// TimeZone is the property's zone; "" means that whoever reads the settings
	// derives it from the property's coordinates and sets it here.
	TimeZone string `json:"time_zone"`
	// Manager is the property manager, told at each step.
	Manager Person `json:"manager"`
	// Escalation are the people paged, in order, once the on-call team has been gone
	// through.
	Escalation  []Person      `json:"escalation"`
	OnCall      OnCall        `json:"on_call"`
	SLA         SLA           `json:"sla"`
	Dispatch    Dispatch      `json:"dispatch"`
	Technicians []Technician  `json:"technicians"`
	JoinWindow  time.Duration `json:"join_window"`
	QuietHours  QuietHours    `json:"quiet_hours"`
	Caps        Caps          `json:"caps"`
	Statuses    Statuses      `json:"statuses"`
	LinkTTL     time.Duration `json:"link_ttl"`
	Reminders   Reminders     `json:"reminders"`
	Repairs     Repairs       `json:"repairs,omitzero"`
	// Accountant approves what is ordered for repairs; without an id nobody does.
	Accountant Person            `json:"accountant,omitzero"`
	Texts      map[string]string `json:"texts"`
}

// Person is somebody whom we text or mail.
type Person struct {
	// ID is the key in the policy file; ids go where names may not.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Phone is E.164.
	Phone string `json:"phone"`
	Email string `json:"email,omitempty"`
}

// OnCall is who is paged in which week, and how.
type OnCall struct {
	// Starts is the day on which the first team's first turn begins.
	Starts Date `json:"starts"`
	// ChangeAt is the time of day at which the next team takes over.
	ChangeAt TimeOfDay `json:"change_at"`
	// Every is the length of a turn in whole days.
	Every time.Duration `json:"every"`
	// Teams take turns; the people of a team are paged in order.
	Teams [][]Person `json:"teams"`
	// TriesPerContact is how often a person is paged before the next one.
	TriesPerContact int `json:"tries_per_contact"`
	// Gap is how long each page waits for an answer.
	Gap time.Duration `json:"gap"`
	// Rounds is how often the team is gone through before the escalation contacts
	// are paged too.
	Rounds int `json:"rounds"`
	// RepeatEvery is how long each page waits from then on.
	RepeatEvery time.Duration `json:"repeat_every"`
	// GiveUpAfter is when paging ends, counted from the report, and the property
	// manager is left with it.
	GiveUpAfter time.Duration `json:"give_up_after"`
	// Swaps are not the policy's: whoever reads the settings adds those that apply.
	Swaps []Swap `json:"swaps,omitempty"`
}

// SLA is how long after the report each step may take.
type SLA struct {
	Acknowledge time.Duration `json:"acknowledge"`
	Accept      time.Duration `json:"accept"`
	OnSite      time.Duration `json:"on_site"`
}

// Dispatch is how jobs are offered to technicians.
type Dispatch struct {
	// OfferGap is how long an offer waits for an answer.
	OfferGap time.Duration `json:"offer_gap"`
	// MaxDistanceKm is how far from the property a technician may be.
	MaxDistanceKm float64 `json:"max_distance_km"`
	// Rounds is how often the roster is gone through.
	Rounds int `json:"rounds"`
}

// The trades that a technician may have; they are those of triage.
const (
	TradePlumbing   = "plumbing"
	TradeElectrical = "electrical"
	TradeHVAC       = "hvac"
	TradeGas        = "gas"
	TradeLocksmith  = "locksmith"
	// TradeGeneral covers every trade except gas.
	TradeGeneral = "general"
)

// Trades lists them all.
func Trades() []string {
	return []string{TradePlumbing, TradeElectrical, TradeHVAC, TradeGas, TradeLocksmith, TradeGeneral}
}

// Technician is one of the roster.
type Technician struct {
	// ID is the technician's user id at RentVine (contracts/rentvine.md 2.7,
	// assignedToUserID).
	ID     string   `json:"id"`
	Person Person   `json:"person"`
	Trades []string `json:"trades"`
	// Latitude and Longitude say where the technician sets out, in degrees.
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Shifts    []Shift `json:"shifts"`
	// MaxJobs is how many open jobs the technician may hold at once.
	MaxJobs int `json:"max_jobs"`
}

// Shift is when a technician works.
type Shift struct {
	// Days are those on which the shift begins: "mon" to "sun".
	Days []string `json:"days"`
	// From and To are wall-clock times; To at or before From is on the next day,
	// so equal times are a whole day.
	From TimeOfDay `json:"from"`
	To   TimeOfDay `json:"to"`
	// Zone is the technician's; "" is the property's.
	Zone string `json:"zone,omitempty"`
}

// QuietHours are when routine messages wait; equal times mean none.
type QuietHours struct {
	From TimeOfDay `json:"from"`
	To   TimeOfDay `json:"to"`
}

// Caps limit how much a person is written to.
type Caps struct {
	// RoutinePerDay is how many routine messages a person gets a day.
	RoutinePerDay int `json:"routine_per_day"`
}

// Statuses are the work-order statuses that steps ask for, by name: the account's
// own are read first (contracts/rentvine.md 2.7) and the first name that exists is
// taken, else any open status.
type Statuses struct {
	Acknowledged Status `json:"acknowledged"`
	Scheduled    Status `json:"scheduled"`
	Repaired     Status `json:"repaired"`
	// Closed is asked for once an ordinary repair has been checked.
	Closed Status `json:"closed,omitzero"`
}

// Status is a preferred work-order status.
type Status struct {
	// Names are what accounts call it, best first.
	Names []string `json:"names"`
}

// Reminders are how often a technician who accepted is asked again.
type Reminders struct {
	// OnSite is the pause between questions whether the technician has arrived.
	OnSite time.Duration `json:"on_site"`
	// Done is the pause between questions whether the work is done.
	Done time.Duration `json:"done"`
	// Times is how often each is asked.
	Times int `json:"times"`
}

// Person finds somebody of the settings by id.
func (s Settings) Person(id string) (Person, bool) {
	groups := append([][]Person{{s.Manager}, s.Escalation, {s.Accountant}}, s.OnCall.Teams...)
	for _, t := range s.Technicians {
		groups = append(groups, []Person{t.Person})
	}
	for _, w := range s.OnCall.Swaps {
		groups = append(groups, []Person{w.In})
	}
	for _, people := range groups {
		for _, p := range people {
			if p.ID == id {
				return p, true
			}
		}
	}
	return Person{}, false
}
