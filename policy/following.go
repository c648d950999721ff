package policy

import (
	"maps"
	"slices"
	"time"
)

// Polling is how often a followed sale is read at OpenMoove, webhooks or not. The
// times are targets in business time: a faster clock divides them, and OpenMoove's
// limits on calls may stretch them.
type Polling struct {
	// Overdue is the target of sales with an overdue milestone, DueSoon of those with
	// one that is due within SoonWithin, Rest of all others.
	Overdue    time.Duration `json:"overdue"`
	DueSoon    time.Duration `json:"due_soon"`
	Rest       time.Duration `json:"rest"`
	SoonWithin time.Duration `json:"soon_within"`
	// List is how often OpenMoove's list is read, for sales made elsewhere.
	List time.Duration `json:"list"`
	// Shards is how many pollers share the work.
	Shards int `json:"shards"`
}

// Reported is what other systems may report as done before OpenMoove shows it.
type Reported struct {
	// Events are the names of milestones, by the type of event that reports them.
	Events map[string]string `json:"events"`
	// ConfirmWithin is how long OpenMoove may take to show it; then somebody is told.
	ConfirmWithin time.Duration `json:"confirm_within"`
}

// SalesReport is when the report on all sales is mailed, and to whom. The zero value
// is never.
type SalesReport struct {
	// Days are "mon" to "sun".
	Days []string `json:"days"`
	// At is a wall-clock time in the zone of sales.
	At TimeOfDay `json:"at"`
	// To are those who get it; nobody is the manager.
	To []Contact `json:"to,omitempty"`
}

// Given tells whether the report is mailed at all.
func (r SalesReport) Given() bool { return len(r.Days) > 0 }

// notGiven is the time of a report whose file has none, until that is checked.
const notGiven TimeOfDay = -1

// begin is what the section has before its file is read over it. Events is left
// out: those of a file stand alone.
func (s *salesSection) begin() {
	s.Polling = Polling{
		Overdue: 5 * time.Minute, DueSoon: 15 * time.Minute, Rest: 30 * time.Minute, SoonWithin: day,
		List: 30 * time.Minute, Shards: 1,
	}
	s.Reported.ConfirmWithin = 3 * day
	s.Report.At = notGiven
}

// usualEvents are those of a file that names none.
func usualEvents() map[string]string {
	return map[string]string{
		"legal_pack_completed": "Legal Pack Preparation",
		"property_listed":      "Property Marketing",
		"offer_accepted":       "Offer Acceptance",
		"contracts_exchanged":  "Exchange of Contracts",
		"completion_date_set":  "Completion",
	}
}

func (r Reported) clone() Reported {
	r.Events = maps.Clone(r.Events)
	return r
}

func (r SalesReport) clone() SalesReport {
	r.Days, r.To = slices.Clone(r.Days), slices.Clone(r.To)
	return r
}
