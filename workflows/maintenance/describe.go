package maintenance

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// Description is where a work order stands, without personal data: people are
// named by their ids.
type Description struct {
	WorkOrderID  string    `json:"work_order_id"`
	PropertyID   string    `json:"property_id,omitempty"`
	Stage        Stage     `json:"stage"`
	WaitingFor   string    `json:"waiting_for"`
	Emergency    bool      `json:"emergency"`
	LifeSafety   bool      `json:"life_safety,omitempty"`
	Category     string    `json:"category,omitempty"`
	Problem      string    `json:"problem,omitempty"`
	Reason       string    `json:"reason,omitempty"`
	Rules        string    `json:"rules,omitempty"`
	Policy       string    `json:"policy,omitempty"`
	SLA          string    `json:"sla,omitempty"`
	DueBy        time.Time `json:"due_by,omitzero"`
	OpenedAt     time.Time `json:"opened_at,omitzero"`
	Pages        []Page    `json:"pages,omitempty"`
	Acknowledged *Mark     `json:"acknowledged,omitempty"`
	Offers       []Offer   `json:"offers,omitempty"`
	Technician   string    `json:"technician,omitempty"`
	LeadID       string    `json:"lead_id,omitempty"`
	Joined       []string  `json:"joined,omitempty"`
	Paused       *Mark     `json:"paused,omitempty"`
	Ended        *End      `json:"ended,omitempty"`
	// Repair is where an ordinary repair stands.
	Repair *RepairDescription `json:"repair,omitempty"`
	// The counts of what came too late, could not be read or did not arrive.
	LateAnswers    int     `json:"late_answers,omitempty"`
	Unusable       int     `json:"unusable,omitempty"`
	MessagesFailed int     `json:"messages_failed,omitempty"`
	MessagesHeld   int     `json:"messages_held,omitempty"`
	UnderWay       int     `json:"under_way,omitempty"`
	WriteRefused   string  `json:"write_refused,omitempty"`
	Timeline       []Entry `json:"timeline,omitempty"`
}

func (w *run) describe() Description {
	s := w.state
	d := Description{
		WorkOrderID: w.id, PropertyID: s.Report.Property.ID, Stage: s.Stage, WaitingFor: w.waitingFor(),
		Emergency: s.Assessment.Emergency, LifeSafety: s.Assessment.LifeSafety, Category: string(s.Assessment.Category),
		Problem: s.Assessment.Problem, Reason: s.Assessment.Reason, Rules: s.Assessment.RulesVersion,
		Policy: s.Settings.Version, OpenedAt: s.OpenedAt, Pages: s.Pages, Acknowledged: s.Acknowledged, Offers: s.Offers,
		LeadID: s.LeadID, Paused: s.Paused, Ended: s.Ended, LateAnswers: s.Late, Unusable: s.Unusable,
		MessagesFailed: s.MessagesFailed, MessagesHeld: len(s.Held), UnderWay: w.inFlight, WriteRefused: s.WriteRefused,
		Timeline: s.Timeline,
	}
	if s.Assessment.Emergency && !s.OpenedAt.IsZero() && s.LeadID == "" {
		d.SLA, d.DueBy = s.slaState(), s.dueBy()
	}
	if s.Job != nil {
		d.Technician = s.Job.Technician
	}
	if s.Repair != nil {
		d.Repair = describeRepair(s.Repair)
		if s.repairing() {
			d.Stage = Stage(s.Repair.Stage)
			d.SLA, d.DueBy = d.Repair.sla(), d.Repair.DueBy
			d.Problem, d.Reason = s.Repair.Analysis.Problem, s.Repair.Analysis.Reason
			d.Technician = d.Repair.Worker
		}
	}
	for _, j := range s.Joined {
		d.Joined = append(d.Joined, j.WorkOrderID)
	}
	return d
}

// waitingFor is who or what the work order waits for, in a word.
func (w *run) waitingFor() string {
	s := w.state
	switch {
	case s.Paused != nil:
		return "operator"
	case s.Stage == StagePaging:
		return "on_call"
	case s.Stage == StageDispatching, s.Stage == StageAccepted, s.Stage == StageOnSite:
		return "technician"
	case s.Stage == StageJoined:
		return "lead"
	case s.repairing() && s.Ended == nil:
		return s.Repair.WaitingFor()
	case w.refreshing || w.writing:
		return "rentvine"
	case s.Ended != nil && w.done():
		return "nothing"
	case s.Ended != nil:
		return "clearing_up"
	}
	return "property_manager"
}

// shown is what the Web UI was told last, so that only changes are sent.
type shown struct {
	stage   Stage
	waiting string
	sla     string
	details string
	due     time.Time
}

// show brings search attributes and current details up to date.
func (w *run) show(ctx workflow.Context) {
	s := w.state
	if s.OpenedAt.IsZero() {
		return
	}
	d := w.describe()
	now := shown{stage: d.Stage, waiting: d.WaitingFor, sla: d.SLA, details: details(d)}
	if now.details != w.shown.details {
		workflow.SetCurrentDetails(ctx, now.details)
	}
	if s.repairing() {
		now.due = d.DueBy
	}
	if s.repairing() && (w.working || w.woken) && w.shown.stage != "" && s.Repair.Stage != repair.Bidding {
		// What passes by itself is not worth an action; the details have it.
		w.shown.details = now.details
		return
	}
	if now.stage != w.shown.stage || now.sla != w.shown.sla || !now.due.Equal(w.shown.due) {
		updates := w.origin()
		updates = append(updates,
			durable.Stage.ValueSet(string(d.Stage)), durable.WaitingFor.ValueSet(d.WaitingFor),
		)
		if d.SLA != "" {
			updates = append(updates, durable.SLAState.ValueSet(d.SLA))
		}
		if s.Assessment.Category != "" {
			updates = append(updates, durable.Reason.ValueSet(string(s.Assessment.Category)))
		}
		if d.DueBy.IsZero() {
			updates = append(updates, durable.DueBy.ValueUnset())
		} else {
			updates = append(updates, durable.DueBy.ValueSet(d.DueBy))
		}
		// The server refuses attributes that the cluster lacks; the worker checks for
		// them before it starts.
		if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
			workflow.GetLogger(ctx).Warn("search attributes not updated", "error", err)
		}
	}
	w.shown = now
}

// origin are the attributes that never change, set with the first stage of a run.
func (w *run) origin() []temporal.SearchAttributeUpdate {
	if w.shown.stage != "" {
		return nil
	}
	s := w.state
	updates := []temporal.SearchAttributeUpdate{
		durable.EventSource.ValueSet("rentvine"), durable.EventType.ValueSet(s.FirstEvent),
	}
	if !s.ReceivedAt.IsZero() {
		updates = append(updates, durable.ReceivedAt.ValueSet(s.ReceivedAt))
	}
	for _, a := range []struct {
		key   temporal.SearchAttributeKeyKeyword
		value string
	}{
		{durable.PropertyID, s.Report.Property.ID}, {durable.UnitID, s.Report.WorkOrder.UnitID}, {durable.LeaseID, s.Report.WorkOrder.LeaseID},
		{durable.ContactID, s.Report.WorkOrder.RequestedBy},
	} {
		if a.value != "" {
			updates = append(updates, a.key.ValueSet(a.value))
		}
	}
	return updates
}

// details is the status as a coordinator reads it in the Web UI.
func details(d Description) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n\n", args...) }
	if d.Emergency {
		line("## %s", d.Problem)
	}
	line("**%s**, waiting for **%s**", strings.ReplaceAll(string(d.Stage), "_", " "), strings.ReplaceAll(d.WaitingFor, "_", " "))
	if d.Reason != "" {
		line("%s (rules %s)", d.Reason, d.Rules)
	}
	if d.SLA != "" {
		due := ""
		if !d.DueBy.IsZero() {
			due = ", next due " + d.DueBy.Format(time.RFC3339)
		}
		line("SLA: **%s**%s", strings.ReplaceAll(d.SLA, "_", " "), due)
	}
	if d.LeadID != "" {
		line("Work order %s leads the response.", d.LeadID)
	}
	if len(d.Joined) > 0 {
		line("Joined: %s", strings.Join(d.Joined, ", "))
	}
	if r := d.Repair; r != nil {
		r.details(line)
	}
	if d.WriteRefused != "" {
		line("RentVine refused the last update: %s", d.WriteRefused)
	}
	const lines = 8
	for _, e := range d.Timeline[max(0, len(d.Timeline)-lines):] {
		fmt.Fprintf(&b, "- `%s` %s %s\n", e.At.Format("Jan 02 15:04:05"), e.What, e.Person)
	}
	return b.String()
}
