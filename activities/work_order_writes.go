package activities

import (
	"context"
	"fmt"
	"slices"
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

	// VendorContactID is who does the work where it is a vendor. RentVine itself tells
	// nobody of it.
	VendorContactID string `json:"vendor_contact_id,omitempty"`
	// ScheduledEndDate is like ScheduledDate; WindowStart and WindowEnd are
	// YYYY-MM-DD HH:MM:SS in the property's zone.
	ScheduledEndDate string `json:"scheduled_end_date,omitempty"`
	WindowStart      string `json:"window_start,omitempty"`
	WindowEnd        string `json:"window_end,omitempty"`
	// ActualStartDate and ActualEndDate are when the work was done, as ScheduledDate.
	ActualStartDate string `json:"actual_start_date,omitempty"`
	ActualEndDate   string `json:"actual_end_date,omitempty"`
	// EstimatedAmount is such as "120.00".
	EstimatedAmount string `json:"estimated_amount,omitempty"`
	// OwnerApproved is written where it is true.
	OwnerApproved bool `json:"owner_approved,omitempty"`
	// ClosingDescription is plain text.
	ClosingDescription string `json:"closing_description,omitempty"`
	// ClearAssigned, ClearVendor and ClearSchedule take back who was to do the work and
	// when, where nothing new is given.
	ClearAssigned bool `json:"clear_assigned,omitempty"`
	ClearVendor   bool `json:"clear_vendor,omitempty"`
	ClearSchedule bool `json:"clear_schedule,omitempty"`
	// Closes lets the status end the work order: Primary is StatusClosed, and a name
	// counts only where its status is one of that group.
	Closes bool `json:"closes,omitempty"`
}

// Written tells what the work order is after the write.
type Written struct {
	Status   string `json:"status,omitempty"`
	StatusID string `json:"status_id,omitempty"`
	// Changed is false where everything was as wished already.
	Changed bool `json:"changed"`
	// Conflicts are what others had changed at RentVine meanwhile; see Written.Kept.
	Conflicts []Conflict `json:"conflicts,omitempty"`
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
	if current.PrimaryStatus.Ended() && !in.Closes {
		// People have ended it meanwhile: their word stands.
		return Written{StatusID: current.StatusID}, nil
	}
	wish, name, err := a.wished(ctx, in)
	if err != nil {
		return Written{}, toTemporal(ctx, err)
	}
	if current.PrimaryStatus.Ended() {
		// Perhaps an earlier try has closed it; else people's word stands.
		if current.StatusID != *wish.StatusID {
			name = ""
		} else {
			a.wroteAt(ctx, false, "", orderAbout(in.WorkOrderID, wish, name), in.WorkOrderID)
			err = a.wrote(ctx, workOrderRecord+in.WorkOrderID, picked(a.workOrderFields(current), "workOrderStatusID", primaryStatusField))
		}
		return Written{Status: name, StatusID: current.StatusID}, err
	}
	met, err := a.settleConflicts(ctx, current, &wish, in.Closes)
	if err != nil {
		return Written{}, err
	}
	if wish.StatusID == nil {
		name = "" // theirs stays
	}
	if len(met) > 0 && len(writtenFields(wish)) == 0 {
		return Written{StatusID: current.StatusID, Conflicts: met}, nil
	}
	if satisfied(current, wish) {
		// Perhaps an earlier try has written it.
		a.wroteAt(ctx, false, "", orderAbout(in.WorkOrderID, wish, name), in.WorkOrderID)
		return Written{Status: name, StatusID: current.StatusID, Conflicts: met}, a.wrote(ctx, workOrderRecord+in.WorkOrderID, picked(a.workOrderFields(current), writtenFields(wish)...))
	}
	if _, err := a.RentVine.UpdateWorkOrder(ctx, in.WorkOrderID, wish); err != nil {
		return Written{}, toTemporal(ctx, err)
	}
	// RentVine may have kept a part alone: it is recorded whatever it says.
	a.wroteAt(ctx, true, "", orderAbout(in.WorkOrderID, wish, name), in.WorkOrderID)
	after, err := a.RentVine.WorkOrder(ctx, in.WorkOrderID)
	if err != nil {
		return Written{}, toTemporal(ctx, err)
	}
	if !satisfied(after, wish) {
		return Written{}, temporal.NewNonRetryableApplicationError(
			"rentvine.update_work_order: RentVine answered 200 and changed nothing", "no_op", nil)
	}
	if err := a.wrote(ctx, workOrderRecord+in.WorkOrderID, picked(a.workOrderFields(after), writtenFields(wish)...)); err != nil {
		return Written{}, err
	}
	return Written{Status: name, StatusID: after.StatusID, Changed: true, Conflicts: met}, nil
}

// orderAbout says to the audit what was written of a work order. People's words are none
// of it.
func orderAbout(id string, wish rentvine.WorkOrderUpdate, status string) about {
	var fields []string
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"assigned user", wish.AssignedToUserID}, {"vendor", wish.VendorContactID},
		{"from", wish.ScheduledStartDate}, {"until", wish.ScheduledEndDate},
		{"window from", wish.AppointmentWindowStart}, {"window until", wish.AppointmentWindowEnd},
		{"begun on", wish.ActualStartDate}, {"done on", wish.ActualEndDate}, {"estimate", wish.EstimatedAmount},
	} {
		switch {
		case f.value == nil:
		case *f.value == "":
			fields = append(fields, "no "+f.name)
		default:
			fields = append(fields, f.name+" "+*f.value)
		}
	}
	if wish.StatusID != nil {
		fields = slices.Insert(fields, 0, fmt.Sprintf("status %s (%s)", *wish.StatusID, status))
	}
	if wish.IsOwnerApproved != nil {
		fields = append(fields, "approved by the owner")
	}
	if wish.ClosingDescription != nil {
		fields = append(fields, "closing description")
	}
	return writing(atRentVine, "work order "+id+": "+strings.Join(fields, ", "))
}

// wished turns the wish into RentVine's fields after reading the account's own
// statuses (contracts/rentvine.md 4.2).
func (a *Activities) wished(ctx context.Context, in UpdateWorkOrderInput) (rentvine.WorkOrderUpdate, string, error) {
	wish := rentvine.WorkOrderUpdate{
		ScheduledStartDate: given(in.ScheduledDate, in.ClearSchedule), ScheduledEndDate: given(in.ScheduledEndDate, in.ClearSchedule),
		AppointmentWindowStart: given(in.WindowStart, in.ClearSchedule), AppointmentWindowEnd: given(in.WindowEnd, in.ClearSchedule),
		AssignedToUserID: given(in.AssignedUserID, in.ClearAssigned), VendorContactID: given(in.VendorContactID, in.ClearVendor),
		ActualStartDate: given(in.ActualStartDate, false), ActualEndDate: given(in.ActualEndDate, false),
		EstimatedAmount: given(in.EstimatedAmount, false), ClosingDescription: given(in.ClosingDescription, false),
	}
	if in.OwnerApproved {
		wish.IsOwnerApproved = &in.OwnerApproved
	}
	invalid := func(message string) error {
		return &partner.Error{Op: UpdateWorkOrder.Name, Kind: partner.Invalid, Message: message}
	}
	if ends := rentvine.PrimaryWorkOrderStatus(in.Primary).Ended(); ends != in.Closes || in.Closes && in.Primary != StatusClosed {
		return wish, "", invalid("a wish that closes the work order needs closes and primary status 3, and no other has either")
	}
	if len(in.StatusNames) == 0 && in.Primary == 0 {
		return wish, "", nil
	}
	statuses, err := a.RentVine.WorkOrderStatuses(ctx)
	if err != nil {
		return wish, "", err
	}
	if in.Closes {
		statuses = slices.DeleteFunc(statuses, func(s rentvine.WorkOrderStatus) bool { return int(s.Primary) != in.Primary })
	}
	status, ok := chooseStatus(statuses, in.StatusNames, in.Primary)
	if !ok {
		return wish, "", invalid(fmt.Sprintf("the account has no status named %s and none of primary status %d; set statuses in policy.yaml",
			strings.Join(in.StatusNames, " or "), in.Primary))
	}
	wish.StatusID = &status.ID
	return wish, status.Name, nil
}

// given is what to write: nil leaves a field alone, "" clears it.
func given(value string, clears bool) *string {
	if value == "" && !clears {
		return nil
	}
	return &value
}

// chooseStatus takes a name only where it does not end the work order, unless that
// is the wish: an account may call its closed status "Work Completed".
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

// writtenFields are the names of what a wish writes; another status is one of another group,
// too.
func writtenFields(wish rentvine.WorkOrderUpdate) []string {
	var names []string
	for name, value := range map[string]*string{
		"workOrderStatusID": wish.StatusID, "primaryWorkOrderStatusID": wish.StatusID,
		"scheduledStartDate": wish.ScheduledStartDate, "scheduledEndDate": wish.ScheduledEndDate,
		"appointmentWindowStartDateTime": wish.AppointmentWindowStart, "appointmentWindowEndDateTime": wish.AppointmentWindowEnd,
		"assignedToUserID": wish.AssignedToUserID, "vendorContactID": wish.VendorContactID,
		"actualStartDate": wish.ActualStartDate, "actualEndDate": wish.ActualEndDate,
		"estimatedAmount": wish.EstimatedAmount, "closingDescription": wish.ClosingDescription,
	} {
		if value != nil {
			names = append(names, name)
		}
	}
	if wish.IsOwnerApproved != nil {
		names = append(names, "isOwnerApproved")
	}
	return names
}

func satisfied(w rentvine.WorkOrder, wish rentvine.WorkOrderUpdate) bool {
	same := func(have string, want *string) bool { return want == nil || have == *want }
	return same(w.StatusID, wish.StatusID) && same(w.ScheduledStartDate, wish.ScheduledStartDate) &&
		same(w.AssignedToUserID, wish.AssignedToUserID) && same(w.VendorContactID, wish.VendorContactID) &&
		same(w.ScheduledEndDate, wish.ScheduledEndDate) &&
		same(w.AppointmentWindowStart, wish.AppointmentWindowStart) && same(w.AppointmentWindowEnd, wish.AppointmentWindowEnd) &&
		same(w.ActualStartDate, wish.ActualStartDate) && same(w.ActualEndDate, wish.ActualEndDate) &&
		(wish.EstimatedAmount == nil || plainAmount(w.EstimatedAmount) == plainAmount(*wish.EstimatedAmount)) &&
		(wish.IsOwnerApproved == nil || w.IsOwnerApproved == *wish.IsOwnerApproved) &&
		(wish.ClosingDescription == nil || oneLine(w.ClosingDescription) == oneLine(*wish.ClosingDescription))
}

// plainAmount is a decimal without zeros at its end, since "120.00" may come back as
// "120" or "120.0000".
func plainAmount(text string) string {
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// oneLine is text as it compares: RentVine may keep it as HTML.
func oneLine(text string) string { return strings.Join(strings.Fields(rentvine.PlainText(text)), " ") }

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
		key:   in.Ref + "/incident-report",
		about: writing(atRentVine, "file "+name+" on work order "+in.WorkOrderID),
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
	const what = "incident report"
	key := in.Ref + "/incident-report-mail/" + in.To.ID
	if !a.Outbound.Allows(in.To.Email) {
		kept := Sent{Outcome: MessageRecorded, Channel: Mail, Why: "KEYHOLDER_OUTBOUND is " + string(a.Outbound.Mode)}
		notSent(ctx, key, mailTo(in.To.ID, what), kept)
		return kept, nil
	}
	pdf, err := incidentreport.PDF(in.Report)
	if err != nil {
		return Sent{}, err
	}
	html, err := incidentreport.HTML(in.Report)
	if err != nil {
		return Sent{}, err
	}
	_, err = a.sendMail(ctx, key, mail.Message{
		To: []mail.Address{{Name: in.To.Name, Email: in.To.Email}}, Subject: in.Subject,
		Text: incidentreport.Text(in.Report), HTML: html,
		Attachments: []mail.Attachment{{Name: reportFile(in.Report), ContentType: "application/pdf", Data: pdf}},
	}, mailAbout(in.To.ID, what, in.Subject))
	return Sent{Outcome: MessageSent, Channel: Mail}, toTemporal(ctx, err)
}
