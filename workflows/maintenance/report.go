package maintenance

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/incidentreport"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// issueReport attaches the incident report to the work order in RentVine and mails
// it to the manager, once a response, when the emergency is over.
func (w *run) issueReport(ctx workflow.Context) {
	s := w.state
	if s.ReportIssued {
		return
	}
	s.ReportIssued = true
	report := w.incidentReport(durable.Now(ctx))
	subject, err := s.Settings.Text(policy.TextIncidentSubject, w.about())
	if err != nil {
		subject = "Incident report, work order " + w.id
	}
	attaching := activities.AttachIncidentReport.Start(ctx, activities.AttachIncidentReportInput{
		Ref: w.ref, WorkOrderID: w.id, Report: report,
	}, "attach the incident report in RentVine")
	mailing := activities.MailIncidentReport.Start(ctx, activities.MailIncidentReportInput{
		Ref: w.ref, To: activities.PersonOf(s.Settings.Manager), Subject: subject, Report: report,
	}, "mail the incident report")
	landed := w.start()
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer landed()
		if _, err := attaching.Get(ctx); err != nil {
			s.note(durable.Now(ctx), "the report could not be attached in RentVine: "+durable.KindOf(err), "")
		}
		if _, err := mailing.Get(ctx); err != nil {
			s.note(durable.Now(ctx), "the report could not be mailed: "+durable.KindOf(err), "")
		}
	})
}

func (w *run) incidentReport(now time.Time) incidentreport.Report {
	s, about := w.state, w.about()
	r := incidentreport.Report{
		Company: s.Settings.Company, WorkOrderID: w.id, Number: s.Report.WorkOrder.Number,
		Problem: s.Assessment.Problem, Category: string(s.Assessment.Category), Reason: s.Assessment.Reason,
		Rules: s.Assessment.RulesVersion, Description: s.Report.WorkOrder.Description,
		Address: about.Address, Unit: s.Report.Unit, Zone: w.zone(), OpenedAt: s.OpenedAt, EndedAt: now,
		Result: w.result(),
	}
	for _, sla := range allSLAs() {
		r.SLAs = append(r.SLAs, s.kept(sla))
	}
	r.People = w.people()
	for _, e := range s.Timeline {
		step := incidentreport.Step{At: e.At, What: e.What}
		if e.Person != "" {
			step.What = w.nameOf(e.Person) + ": " + e.What
		}
		r.Timeline = append(r.Timeline, step)
	}
	return r
}

// kept is how a promise was kept.
func (s *State) kept(sla SLA) incidentreport.SLA {
	names := map[SLA]string{SLAAcknowledge: "Acknowledged", SLAAccept: "Technician accepted", SLAOnSite: "Technician on site"}
	line := incidentreport.SLA{Name: names[sla], Limit: limit(s.Settings, sla), Verdict: "not reached"}
	if at := s.keptAt(sla); !at.IsZero() {
		line.Took, line.Verdict = at.Sub(s.since()), "met"
	}
	if s.missed(sla) {
		line.Verdict = "missed"
	}
	return line
}

func (w *run) result() string {
	s := w.state
	switch {
	case s.Job != nil && s.Job.Repaired != nil:
		return "Repaired"
	case s.Ended != nil && s.Ended.Outcome == StageCancelled:
		return "Cancelled"
	case s.Ended != nil:
		return "Closed"
	}
	return "Open"
}

func (w *run) people() []incidentreport.Role {
	s := w.state
	var roles []incidentreport.Role
	add := func(role, name string) { roles = append(roles, incidentreport.Role{Role: role, Name: name}) }
	for _, t := range s.tenants() {
		add("Tenant", t.Name)
	}
	for _, p := range w.pagedExcept("") {
		add("Paged", p.Name)
	}
	if s.Acknowledged != nil {
		add("Acknowledged by", w.nameOf(s.Acknowledged.By))
	}
	if s.Job != nil {
		add("Technician", s.Job.Person.Name)
	}
	add("Property manager", s.Settings.Manager.Name)
	return roles
}
