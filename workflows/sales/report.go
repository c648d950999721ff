package sales

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// MilestoneReport is what another system says about a milestone. OpenMoove's API
// cannot be written to (contracts/openmoove.md 2), so it is shown as reported until
// OpenMoove shows it.
type MilestoneReport struct {
	// Key identifies the report: the same one twice is taken once.
	Key string `json:"key"`
	// Type is the policy's name of the event, Milestone what it means there.
	Type      string `json:"type"`
	Milestone string `json:"milestone"`
	// By is who or which system reports it, "" where it does not say.
	By string `json:"by,omitempty"`
	// OccurredAt is business time, zero where it is not said; ReceivedAt is real time.
	OccurredAt time.Time `json:"occurred_at,omitzero"`
	ReceivedAt time.Time `json:"received_at"`
}

// MilestoneReported carries the report to the workflow of the sale.
var MilestoneReported = durable.Signal[MilestoneReport]{Name: "milestone_reported"}

// ErrSaleEnded is returned where a sale is over and takes nothing more.
var ErrSaleEnded = errors.New("the sale has ended")

// ReportMilestone hands a report to the workflow of the sale, and starts it where it
// does not run. Repeating it is harmless.
func ReportMilestone(ctx context.Context, c client.Client, taskQueue string, clock durable.Clock, propertyID string, r MilestoneReport) error {
	return begin(ctx, c, taskQueue, clock, propertyID, MilestoneReported.Name, r)
}

// ReportState is how far a reported milestone is.
type ReportState string

// The states. The zero value is a report that nobody has been told of yet.
const (
	// ReportAwaiting: told, and OpenMoove does not show it yet.
	ReportAwaiting ReportState = "awaiting"
	// ReportUnconfirmed: OpenMoove did not show it in time; somebody was told.
	ReportUnconfirmed ReportState = "unconfirmed"
	// ReportConfirmed: OpenMoove shows it.
	ReportConfirmed ReportState = "confirmed"
	// ReportRepeated: another report of the same milestone is awaited already.
	ReportRepeated ReportState = "repeated"
	// ReportWithout: the sale has no milestone of that name.
	ReportWithout ReportState = "no_such_milestone"
)

// Reported is a milestone that another system has reported.
type Reported struct {
	MilestoneReport
	// At is when it was taken, ConfirmBy when OpenMoove should show it at the latest
	// (business time).
	At        time.Time   `json:"at"`
	ConfirmBy time.Time   `json:"confirm_by,omitzero"`
	State     ReportState `json:"state,omitempty"`
}

// maxReports bounds the reports that are kept: the oldest go first.
const maxReports = 100

// reported takes a report, and asks what OpenMoove shows now.
func (s *SaleState) reported(r MilestoneReport, now time.Time) {
	s.Reports = append(s.Reports, Reported{MilestoneReport: r, At: now})
	s.Reports = s.Reports[max(0, len(s.Reports)-maxReports):]
	s.LookFrom = now
	if s.Origin == "" {
		s.Origin = OriginFound // nobody reports about a sale that is being created
	}
}

// reportsNew tells whether there is a report that is to be told, after a look that may
// have failed.
func (s *SaleState) reportsNew() bool {
	return slices.ContainsFunc(s.Reports, func(r Reported) bool { return r.State == "" }) && (s.LookFrom.IsZero() || s.Failures > 0)
}

// confirmBy is when the first report is late, zero for none.
func (s *SaleState) confirmBy() (first time.Time) {
	for _, r := range s.Reports {
		if r.State == ReportAwaiting && !r.ConfirmBy.IsZero() && (first.IsZero() || r.ConfirmBy.Before(first)) {
			first = r.ConfirmBy
		}
	}
	return first
}

// reportNews is a report of which somebody is to be told.
type reportNews struct {
	report Reported
	// kind is policy's: AlertReported or AlertUnconfirmed. A confirmation is told by the
	// change itself.
	kind string
}

func (n reportNews) letter() string {
	if n.kind == policy.AlertUnconfirmed {
		return policy.LetterUnconfirmed
	}
	return policy.LetterReported
}

func (n reportNews) data(rules policy.Sales) policy.LetterData {
	data := policy.LetterData{Step: n.report.Milestone, By: n.report.By, ReportedOn: rules.Date(n.report.At)}
	if !n.report.OccurredAt.IsZero() {
		data.DoneOn = rules.Date(n.report.OccurredAt)
	}
	return data
}

// judgeReports compares the reports with what OpenMoove shows, and returns what has
// come about.
func (s *SaleState) judgeReports(within time.Duration, now time.Time) []reportNews {
	var news []reportNews
	for i := range s.Reports {
		r := &s.Reports[i]
		before := r.State
		switch {
		case before == "" && s.Course.Known && !s.has(r.Milestone):
			r.State = ReportWithout
		case before == "" && s.awaits(r.Milestone) && !s.shows(r.Milestone):
			r.State = ReportRepeated
		default:
			r.judge(s.shows(r.Milestone), within, now)
		}
		if r.State == before {
			continue
		}
		switch r.State {
		case ReportAwaiting:
			s.happened(now, "Another system reported “"+r.Milestone+"”; OpenMoove does not show it yet.")
			news = append(news, reportNews{*r, policy.AlertReported})
		case ReportUnconfirmed:
			s.happened(now, "“"+r.Milestone+"” was reported and OpenMoove still does not show it.")
			news = append(news, reportNews{*r, policy.AlertUnconfirmed})
		case ReportWithout:
			s.happened(now, "Another system reported “"+r.Milestone+"”; this sale has no such milestone.")
		case ReportRepeated:
		case ReportConfirmed:
			s.happened(now, "OpenMoove shows “"+r.Milestone+"”, as another system reported.")
		}
	}
	return news
}

// judge is one step of one report.
func (r *Reported) judge(shown bool, within time.Duration, now time.Time) {
	switch {
	case shown:
		r.State = ReportConfirmed
	case r.State == "":
		r.State = ReportAwaiting
		if within > 0 {
			r.ConfirmBy = r.At.Add(within)
		}
	case r.State == ReportAwaiting && !r.ConfirmBy.IsZero() && !now.Before(r.ConfirmBy):
		r.State = ReportUnconfirmed
	}
}

// has tells whether the sale has a milestone of the name, in any case.
func (s *SaleState) has(milestone string) bool {
	return slices.ContainsFunc(s.Course.Milestones, func(m activities.Milestone) bool { return sameName(m.Name, milestone) })
}

// awaits tells whether a report of the same milestone was told and is not confirmed.
func (s *SaleState) awaits(milestone string) bool {
	return slices.ContainsFunc(s.Reports, func(r Reported) bool {
		return (r.State == ReportAwaiting || r.State == ReportUnconfirmed) && sameName(r.Milestone, milestone)
	})
}

func sameName(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// shows tells whether OpenMoove has the milestone completed, by name in any case.
func (s *SaleState) shows(milestone string) bool {
	return slices.ContainsFunc(s.Course.Milestones, func(m activities.Milestone) bool {
		return m.Completed && sameName(m.Name, milestone)
	})
}

// ReportSeen is a reported milestone as operators see it.
type ReportSeen struct {
	Milestone string      `json:"milestone"`
	State     ReportState `json:"state,omitempty"`
	At        time.Time   `json:"at"`
}

func (s *SaleState) reportsSeen() []ReportSeen {
	var out []ReportSeen
	for _, r := range s.Reports {
		out = append(out, ReportSeen{Milestone: r.Milestone, State: r.State, At: r.At})
	}
	return out
}
