// Package incidentreport renders the report of an emergency: PDF for the work
// order, and the same as the body of a mail in HTML and in plain Text. All three
// are drawn from one bounded and cleaned view, so that they cannot disagree, and
// the same Report always gives the same bytes.
package incidentreport

import "time"

// Report is everything that the report of an emergency says. Times are
// business time in UTC; Zone is where they are shown, an IANA name ("" or an
// unknown one is UTC; United States zones print on Letter paper, others on A4).
type Report struct {
	Company     string    `json:"company"`
	WorkOrderID string    `json:"work_order_id"`
	Number      string    `json:"number,omitempty"`
	Problem     string    `json:"problem"`
	Category    string    `json:"category"`
	Reason      string    `json:"reason"`
	Rules       string    `json:"rules"`
	Description string    `json:"description,omitempty"`
	Address     string    `json:"address"`
	Unit        string    `json:"unit,omitempty"`
	Zone        string    `json:"zone"`
	OpenedAt    time.Time `json:"opened_at"`
	EndedAt     time.Time `json:"ended_at"`
	Result      string    `json:"result"`
	SLAs        []SLA     `json:"slas"`
	People      []Role    `json:"people"`
	Timeline    []Step    `json:"timeline"`
}

// The verdicts on a promise. NotReached is for an incident that ended before the
// promise came to be tested.
const (
	Met        = "met"
	Missed     = "missed"
	NotReached = "not reached"
)

// SLA is one promise and how it was kept.
type SLA struct {
	Name  string        `json:"name"`
	Limit time.Duration `json:"limit"`
	// Took is how long it took, 0 where it never happened.
	Took time.Duration `json:"took,omitempty"`
	// Verdict is Met, Missed or NotReached.
	Verdict string `json:"verdict"`
}

// Role is a person and what they were in the incident.
type Role struct {
	Role string `json:"role"`
	Name string `json:"name"`
}

// Step is one line of the timeline.
type Step struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}
