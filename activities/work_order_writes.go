package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities/incidentreport"
	"github.com/aictive/keyholder/clients/mail"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/workflows/durable"
)

// UpdateWorkOrder brings a work order in RentVine to a wished state. It is safe to
// repeat: it reads first, writes only what differs and reads again, because a
// 200 may be a silent no-op (contracts/rentvine.md 4.4).
var UpdateWorkOrder = durable.Activity[UpdateWorkOrderInput, Written]{
	Name: "rentvine.update_work_order", Queue: QueueRentVine, Attempt: 30 * time.Second, Within: 72 * time.Hour,
}

// AttachIncidentReport renders the report and attaches it to the work order. It
// is safe to repeat: the file's name is unique to the incident, and a try that
// may be a repeat looks for it first.
var AttachIncidentReport = durable.Activity[AttachIncidentReportInput, string]{
	Name: "rentvine.attach_incident_report", Queue: QueueRentVine, Attempt: time.Minute, Within: 72 * time.Hour,
}

// MailIncidentReport mails the report. It is safe to repeat by its Message-ID.
var MailIncidentReport = durable.Activity[MailIncidentReportInput, Sent]{
	Name: "mail.send_incident_report", Attempt: time.Minute, Within: 72 * time.Hour,
}

// UpdateWorkOrderInput is the wished state; empty fields are left as they are.
type UpdateWorkOrderInput struct {
	WorkOrderID string `json:"work_order_id"`
	// StatusNames are the account's status names that fit, best first; the first
	// status of the group Primary is taken where none exists.
	StatusNames []string `json:"status_names,omitempty"`
	Primary     int      `json:"primary,omitempty"`
	// ScheduledDate is YYYY-MM-DD in the property's zone.
	ScheduledDate  string `json:"scheduled_date,omitempty"`
	AssignedUserID string `json:"assigned_user_id,omitempty"`
}

// Written tells what the work order is after the write.
type Written struct {
	Status   string `json:"status,omitempty"`
	StatusID string `json:"status_id,omitempty"`
	// Changed is false where everything was as wished already.
	Changed bool `json:"changed"`
}

// AttachIncidentReportInput names the work order and the incident.
type AttachIncidentReportInput struct {
	Ref         string                `json:"ref"`
	WorkOrderID string                `json:"work_order_id"`
	Report      incidentreport.Report `json:"report"`
}

// MailIncidentReportInput says to whom.
type MailIncidentReportInput struct {
	Ref     string                `json:"ref"`
	To      Person                `json:"to"`
	Subject string                `json:"subject"`
	Report  incidentreport.Report `json:"report"`
}

func (a *Activities) updateWorkOrder(ctx context.Context, in UpdateWorkOrderInput) (Written, error) {
	current, err := a.RentVine.WorkOrder(ctx, in.WorkOrderID)
	if err != nil {
		return Written{}, toTemporal(ctx, err)
	}
	if current.PrimaryStatus.Ended() {
		// People have ended it meanwhile: their word stands.
		return Written{StatusID: current.StatusID}, nil
	}
	wish, name, err := a.wished(ctx, in)
	if err != nil {
		return Written{}, toTemporal(ctx, err)
	}
	if satisfied(current, wish) {
		return Written{Status: name, StatusID: current.StatusID}, nil
	}
	if _, err := a.RentVine.UpdateWorkOrder(ctx, in.WorkOrderID, wish); err != nil {
		return Written{}, toTemporal(ctx, err)
	}
	after, err := a.RentVine.WorkOrder(ctx, in.WorkOrderID)
	if err != nil {
		return Written{}, toTemporal(ctx, err)
	}
	if !satisfied(after, wish) {
		return Written{}, temporal.NewNonRetryableApplicationError(
			"rentvine.update_work_order: RentVine answered 200 and changed nothing", "no_op", nil)
	}
	return Written{Status: name, StatusID: after.StatusID, Changed: true}, nil
}

// wished turns the wish into RentVine's fields after reading the account's own
// statuses (contracts/rentvine.md 4.2).
func (a *Activities) wished(ctx context.Context, in UpdateWorkOrderInput) (rentvine.WorkOrderUpdate, string, error) {
	wish := rentvine.WorkOrderUpdate{}
	if in.ScheduledDate != "" {
		wish.ScheduledStartDate = &in.ScheduledDate
	}
	if in.AssignedUserID != "" {
		wish.AssignedToUserID = &in.AssignedUserID
	}
	if len(in.StatusNames) == 0 && in.Primary == 0 {
		return wish, "", nil
	}
	statuses, err := a.RentVine.WorkOrderStatuses(ctx)
	if err != nil {
		return wish, "", err
	}
	status, ok := chooseStatus(statuses, in.StatusNames, in.Primary)
	if !ok {
		return wish, "", &partner.Error{Op: UpdateWorkOrder.Name, Kind: partner.Invalid,
			Message: fmt.Sprintf("the account has no status named %s and none of primary status %d; set statuses in policy.yaml", strings.Join(in.StatusNames, " or "), in.Primary)}
	}
	wish.StatusID = &status.ID
	return wish, status.Name, nil
}

// chooseStatus takes a name only where it does not end the work order: an account
// may call its closed status "Work Completed", and closing is left to people.
func chooseStatus(statuses []rentvine.WorkOrderStatus, names []string, primary int) (rentvine.WorkOrderStatus, bool) {
	for _, name := range names {
		for _, s := range statuses {
			if strings.EqualFold(s.Name, name) && (!s.Primary.Ended() || int(s.Primary) == primary) {
				return s, true
			}
		}
	}
	for _, s := range statuses {
		if int(s.Primary) == primary {
			return s, true
		}
	}
	return rentvine.WorkOrderStatus{}, false
}

func satisfied(w rentvine.WorkOrder, wish rentvine.WorkOrderUpdate) bool {
	same := func(have string, want *string) bool { return want == nil || have == *want }
	return same(w.StatusID, wish.StatusID) && same(w.ScheduledStartDate, wish.ScheduledStartDate) &&
		same(w.AssignedToUserID, wish.AssignedToUserID)
}

// reportFile is the file's name, by which a repeat recognises it.
func reportFile(r incidentreport.Report) string {
	return fmt.Sprintf("incident-report-%s-%s.pdf", r.WorkOrderID, r.OpenedAt.UTC().Format("20060102T150405Z"))
}

func (a *Activities) attachIncidentReport(ctx context.Context, in AttachIncidentReportInput) (string, error) {
	pdf, err := incidentreport.PDF(in.Report)
	if err != nil {
		return "", err
	}
	name := reportFile(in.Report)
	id, err := a.once(ctx, effect{
		key: in.Ref + "/incident-report",
		find: func(ctx context.Context, _ time.Time) (string, bool, error) {
			f, found, err := a.RentVine.FindFile(ctx, rentvine.ObjectWorkOrder, in.WorkOrderID, name)
			return f.ID, found, err
		},
		act: func(ctx context.Context) (string, error) {
			f, err := a.RentVine.UploadFile(ctx, rentvine.ObjectWorkOrder, in.WorkOrderID, name, "application/pdf", pdf)
			return f.ID, err
		},
	})
	return id, toTemporal(ctx, err)
}

func (a *Activities) mailIncidentReport(ctx context.Context, in MailIncidentReportInput) (Sent, error) {
	if !a.Outbound.Allows(in.To.Email) {
		return Sent{Outcome: MessageRecorded, Channel: Mail, Why: "KEYHOLDER_OUTBOUND is " + string(a.Outbound.Mode)}, nil
	}
	pdf, err := incidentreport.PDF(in.Report)
	if err != nil {
		return Sent{}, err
	}
	html, err := incidentreport.HTML(in.Report)
	if err != nil {
		return Sent{}, err
	}
	key := in.Ref + "/incident-report-mail/" + in.To.ID
	_, err = a.once(ctx, effect{
		key: key, find: notToBeFound, settles: mailSettles,
		act: func(ctx context.Context) (string, error) {
			id := a.messageID(key)
			return id, a.Mail.Send(ctx, mail.Message{
				MessageID: id, To: []mail.Address{{Name: in.To.Name, Email: in.To.Email}}, Subject: in.Subject,
				Text: incidentreport.Text(in.Report), HTML: html,
				Attachments: []mail.Attachment{{Name: reportFile(in.Report), ContentType: "application/pdf", Data: pdf}},
			})
		},
	})
	return Sent{Outcome: MessageSent, Channel: Mail}, toTemporal(ctx, err)
}
