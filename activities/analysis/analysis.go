// Package analysis decides what an ordinary repair needs from what a tenant wrote:
// how urgent it is, which trade and skills, how long, and which parts are likely. The
// rules are pure functions; the answer of a language model can raise what they say of
// urgency and never lowers it.
package analysis

import (
	"time"

	"github.com/aictive/keyholder/activities/triage"
)

// Priority is how soon somebody should come.
type Priority string

// The priorities, rising.
const (
	PriorityLow    Priority = "low"
	PriorityNormal Priority = "normal"
	// PriorityUrgent asks for a visit within a day or so.
	PriorityUrgent Priority = "urgent"
	// PriorityEmergency hands the report to the emergency response.
	PriorityEmergency Priority = "emergency"
)

// Report is what there is to judge. Everything in it is untrusted.
type Report struct {
	// Text is the tenant's description; it may be HTML.
	Text string `json:"text"`
	// Priority is the partner's.
	Priority triage.Priority `json:"priority,omitempty"`
	// Trade is the partner's name of the trade, such as "Plumbing".
	Trade string `json:"trade,omitempty"`
	// Month is the local month, 0 where unknown.
	Month time.Month `json:"month,omitempty"`
}

// Analysis is what a repair needs.
type Analysis struct {
	Priority Priority     `json:"priority"`
	Trade    triage.Trade `json:"trade"`
	// Problem is short words for a text message, such as "Leaking tap".
	Problem string   `json:"problem"`
	Skills  []string `json:"skills,omitempty"`
	// Minutes is the time on site that is likely.
	Minutes int    `json:"minutes"`
	Parts   []Part `json:"parts,omitempty"`
	// Confidence is in percent.
	Confidence int `json:"confidence"`
	// Reason says in words why. It quotes nothing of the text.
	Reason string `json:"reason"`
	// By is who decided: "rules <version>", or "model <name>" with the rules as floor.
	By string `json:"by"`
	// Overruled says why a model's answer was not followed, or only in part.
	Overruled string `json:"overruled,omitempty"`
}

// Part is something that a repair is likely to use up.
type Part struct {
	// SKU is the stock number.
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
}
