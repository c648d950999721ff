// Package salesreport is the report of a portfolio of sales at one instant: how many
// are on track, at risk and overdue, which ones need somebody, where they stand and
// how old they are. Build makes it, and the same Report is drawn as JSON, as a page
// and as a mail, so that they cannot disagree. Everything is a pure function of its
// arguments: the same sales in any order give the same bytes. How a sale is judged
// is activities/progress.
package salesreport

import (
	"time"

	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/policy"
)

// MaxListed is how many sales each list of a report has.
const MaxListed = progress.MaxListed

// CompletedWithin is how long a sale that has ended is reported.
const CompletedWithin = 30 * 24 * time.Hour

// Sale is one sale as it was last read at OpenMoove. Times are business time.
type Sale struct {
	// PropertyID is OpenMoove's integer id, TransactionID the UUID. Of two sales with
	// the same PropertyID the one read last counts.
	PropertyID, TransactionID string
	Address, Postcode         string
	// Method is one of policy.Methods; Status is OpenMoove's word ("For sale").
	Method, Status string
	Milestones     []progress.Milestone
	// Known is false where the milestones were never read.
	Known bool
	// BeganAt is when it was first heard of.
	BeganAt time.Time
	// EndedAt is zero while it is followed.
	EndedAt time.Time
	// ReadAt is when it was last read with success, zero for never.
	ReadAt time.Time
}

// Report is a portfolio at one instant. The first fields are those of the guide's
// monitor_portfolio. Texts are cleaned and bounded, lists are at most MaxListed
// long.
type Report struct {
	Company string `json:"company"`
	// At is the instant that it is of: business time in UTC. TimeZone is where its
	// days are meant.
	At       time.Time `json:"at"`
	TimeZone string    `json:"time_zone"`
	// PageURL is where the page is, set by the caller; no link where it is empty.
	PageURL string `json:"page_url,omitempty"`
	Counts
	// Percent are the shares of the sales followed; they add up to 100.
	Percent Percent `json:"percent"`
	// Alerts are the sales that are overdue or at risk, the worst first, and
	// AlertsLeftOut how many more there are.
	Alerts        []Alert `json:"alerts"`
	AlertsLeftOut int     `json:"alerts_left_out"`

	Freshness Freshness `json:"freshness"`
	// ByMethod are the sale methods with sales followed or completed.
	ByMethod []Method `json:"by_method"`
	// ByMilestone is how many sales are at which current milestone, in the order of
	// the policy's lists; names that no list has come last.
	ByMilestone []Milestone `json:"by_milestone"`
	Ages        Ages        `json:"ages"`
	Lists       Lists       `json:"lists"`
}

// Counts are how many sales there are. Followed is the sum of PropertiesAnalyzed and
// Unknown.
type Counts struct {
	Followed int `json:"followed"`
	// PropertiesAnalyzed is the sum of the three that follow.
	PropertiesAnalyzed int `json:"properties_analyzed"`
	OnTrack            int `json:"on_track"`
	// AtRisk: something is due soon, or the sale or its step is older than sales are.
	AtRisk  int `json:"at_risk"`
	Overdue int `json:"overdue"`
	// Unknown: no milestones were read, or OpenMoove shows none.
	Unknown int `json:"unknown"`
	// Stalled counts sales that are older than late, overdue or not.
	Stalled int `json:"stalled"`
	// NeedAttention are those with a red light: overdue or stalled.
	NeedAttention int `json:"need_attention"`
	// Completed are those that ended within CompletedWithin; of these EndedEarly have
	// milestones that are not completed.
	Completed  int `json:"completed"`
	EndedEarly int `json:"ended_early"`
}

// Percent are whole shares of the sales followed.
type Percent struct {
	OnTrack int `json:"on_track"`
	AtRisk  int `json:"at_risk"`
	Overdue int `json:"overdue"`
	Unknown int `json:"unknown"`
}

// Alert is a sale that is overdue or at risk.
type Alert struct {
	// Type is progress.StandingOverdue or progress.StandingAtRisk.
	Type          progress.Standing `json:"type"`
	TransactionID string            `json:"transaction_id"`
	PropertyID    string            `json:"property_id"`
	// OverdueCount and AtRiskCount are milestones.
	OverdueCount int  `json:"overdue_count,omitempty"`
	AtRiskCount  int  `json:"at_risk_count,omitempty"`
	Stalled      bool `json:"stalled,omitempty"`
	// Light is red or amber.
	Light progress.Status `json:"light"`
	Why   string          `json:"why"`
}

// Freshness is how old the readings are that the sales followed are judged by.
type Freshness struct {
	// Read are the sales followed that were ever read, NeverRead the others.
	Read      int `json:"read"`
	NeverRead int `json:"never_read"`
	// OldestReadAt is business time in UTC, zero for none.
	OldestReadAt  time.Time `json:"oldest_read_at,omitzero"`
	OldestSeconds int64     `json:"oldest_seconds"`
	MeanSeconds   int64     `json:"mean_seconds"`
}

// Method counts the sales of one of policy.Methods, or of "other" for none of them.
type Method struct {
	Method    string `json:"method"`
	Followed  int    `json:"followed"`
	OnTrack   int    `json:"on_track"`
	AtRisk    int    `json:"at_risk"`
	Overdue   int    `json:"overdue"`
	Unknown   int    `json:"unknown"`
	Completed int    `json:"completed"`
}

// Milestone counts the sales whose current milestone has a name, by their light.
type Milestone struct {
	Name  string `json:"name"`
	Sales int    `json:"sales"`
	Red   int    `json:"red"`
	Amber int    `json:"amber"`
	Green int    `json:"green"`
}

// Ages are how old the sales followed are, beside what is usual.
type Ages struct {
	Buckets []AgeBucket `json:"buckets"`
	// NotKnown are sales of which nobody knows when they began.
	NotKnown int `json:"not_known"`
	// Norms are those of the methods that have sales followed.
	Norms []Norm `json:"norms,omitempty"`
}

// AgeBucket counts sales in their weeks FromWeek to ToWeek, the first being week 1:
// weeks of five working days where the norm is in working days, else of seven days.
// ToWeek is 0 in the last bucket, which has no end.
type AgeBucket struct {
	FromWeek int `json:"from_week"`
	ToWeek   int `json:"to_week,omitempty"`
	Sales    int `json:"sales"`
	// Usual, Slow and Stalled are by the norm of the sale as a whole.
	Usual   int `json:"usual"`
	Slow    int `json:"slow"`
	Stalled int `json:"stalled"`
	NoNorm  int `json:"no_norm"`
}

// Norm is how long the sales of a method take, from the beginning to the end.
type Norm struct {
	Method  string      `json:"method"`
	Typical policy.Days `json:"typical"`
	Late    policy.Days `json:"late"`
}

// Lists are the sales themselves.
type Lists struct {
	Overdue List `json:"overdue"`
	AtRisk  List `json:"at_risk"`
	// OnTrack, Unknown and Completed have no more than is needed to find the sale.
	OnTrack   List `json:"on_track"`
	Unknown   List `json:"unknown"`
	Completed List `json:"completed"`
}

// List is the first sales of a list, the worst first, and how many more there are.
type List struct {
	Sales   []Line `json:"sales"`
	LeftOut int    `json:"left_out"`
}

// Line is one sale of a list.
type Line struct {
	PropertyID    string          `json:"property_id"`
	TransactionID string          `json:"transaction_id"`
	Address       string          `json:"address"`
	Postcode      string          `json:"postcode"`
	Method        string          `json:"method"`
	Light         progress.Status `json:"light"`
	// Status is OpenMoove's word.
	Status  string `json:"status,omitempty"`
	Percent int    `json:"percent"`
	// Milestone is the current one, "" for none; the one that a completed sale got to
	// if it ended early.
	Milestone string `json:"milestone,omitempty"`
	// DueOn is when the first milestone that is overdue or at risk is due, else the
	// current one; zero where OpenMoove does not say.
	DueOn policy.Date `json:"due_on,omitzero"`
	// DaysOverdue counts days of the calendar since DueOn; 0 is not overdue, or since
	// an hour of today.
	DaysOverdue int `json:"days_overdue,omitempty"`
	// OverdueCount and AtRiskCount are milestones.
	OverdueCount int `json:"overdue_count,omitempty"`
	AtRiskCount  int `json:"at_risk_count,omitempty"`
	// Stalled: the sale or its current milestone is older than late.
	Stalled bool `json:"stalled,omitempty"`
	// AgeDays and AgeWorkingDays are since the sale began.
	AgeDays        int `json:"age_days"`
	AgeWorkingDays int `json:"age_working_days"`
	// Why says in words what is overdue, at risk or slow.
	Why string `json:"why,omitempty"`
	// ReadAt is when it was last read, business time in UTC.
	ReadAt time.Time `json:"read_at,omitzero"`
	// EndedOn is the day on which a completed sale ended.
	EndedOn policy.Date `json:"ended_on,omitzero"`
}
