package maintenance

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// refresh reads the work order again, one reading at a time, for as long as
// RentVine takes to answer.
func (w *run) refresh(ctx workflow.Context) {
	s := w.state
	w.unsure()
	if !s.RefreshAt.IsZero() && !s.RefreshAt.After(durable.Now(ctx)) {
		s.NeedsRefresh = true
	}
	// A read beside a write of ours would not know which of the two is newer.
	if !s.NeedsRefresh || w.refreshing || s.repairing() && (w.writing || w.closing) {
		return
	}
	s.NeedsRefresh, s.RefreshAt, w.refreshing = false, time.Time{}, true
	landed := w.start()
	reading := activities.RefreshReport.Start(ctx, activities.ReadReportInput{WorkOrderID: w.id, Data: s.Data}, "read the work order again")
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer landed()
		fresh, err := reading.Get(ctx)
		w.refreshing = false
		if err != nil {
			s.note(durable.Now(ctx), "RentVine could not be read: "+durable.KindOf(err), "")
			s.unreadable(durable.Now(ctx))
			return
		}
		before := s.Report
		s.readAgain(fresh, durable.Now(ctx))
		if s.repairing() && s.Ended == nil {
			w.changedMeanwhile(before, durable.Now(ctx))
		}
	})
}

// wish is what the work order should be in RentVine by now.
func (s *State) wish(zone string) activities.UpdateWorkOrderInput {
	if s.repairing() {
		return s.repairWish(zone)
	}
	wish := activities.UpdateWorkOrderInput{WorkOrderID: s.Report.WorkOrder.ID}
	if !s.emergency() || s.Acknowledged == nil {
		return wish
	}
	// A status that a person set in RentVine stands until the response moves on.
	if s.Acknowledged.Via != "rentvine" {
		wish.StatusNames, wish.Primary = s.Settings.Statuses.Acknowledged.Names, activities.StatusOpen
	}
	if s.Job != nil {
		wish.StatusNames, wish.Primary = s.Settings.Statuses.Scheduled.Names, activities.StatusOpen
		wish.ScheduledDate = localDate(s.Job.Accepted.At, zone)
		wish.AssignedUserID = s.Job.UserID
		if s.Job.Repaired != nil {
			wish.StatusNames = s.Settings.Statuses.Repaired.Names
		}
	}
	return wish
}

// locationOf is a zone, UTC where it is not known.
func locationOf(zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

func localDate(t time.Time, zone string) string {
	return t.In(locationOf(zone)).Format(time.DateOnly)
}

// write brings RentVine up to the wish, one write at a time; what is wished
// meanwhile is written after it, in one go.
func (w *run) write(ctx workflow.Context) {
	s := w.state
	wish := s.leaveOut(s.wish(w.zone()))
	nothing := wish.Primary == 0 && wish.AssignedUserID == "" && wish.VendorContactID == "" && wish.ScheduledDate == "" &&
		!wish.ClearVendor && !wish.ClearAssigned
	// The end of a repair is written with the end of its response.
	if w.writing || s.repairing() && w.refreshing || wish.Closes || nothing || same(wish, s.Written) {
		return
	}
	w.bring(ctx, wish)
}

// bring writes a wish to RentVine.
func (w *run) bring(ctx workflow.Context, wish activities.UpdateWorkOrderInput) {
	s := w.state
	w.writing = true
	landed := w.start()
	writing := activities.UpdateWorkOrder.Start(ctx, wish, "bring RentVine up to date")
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer landed()
		written, err := writing.Get(ctx)
		w.writing = false
		s.Written = wish
		if err != nil {
			s.WriteRefused = durable.KindOf(err)
			s.note(durable.Now(ctx), "RentVine refused the update: "+s.WriteRefused, "")
			return
		}
		s.WriteRefused = ""
		s.conflicted(wish, written.Conflicts, durable.Now(ctx))
		// What was kept is theirs: it is no wish of ours any more, nor an echo of one.
		s.Written = s.leaveOut(wish)
		// What others have changed is read, and not taken for ours.
		s.NeedsRefresh = s.NeedsRefresh || len(written.Conflicts) > 0
		if written.Changed {
			s.note(durable.Now(ctx), "RentVine brought up to date", "")
			status := !s.keeps(policy.FieldWorkOrderStatus)
			// Our own write comes back as an event; it must not look like a person's.
			if status {
				s.Report.WorkOrder.StatusID = written.StatusID
			}
			worker := !s.keeps(policy.FieldWorkOrderWorker)
			if worker && (!s.repairing() || wish.AssignedUserID != "" || wish.ClearAssigned) {
				s.Report.WorkOrder.AssignedUserID = wish.AssignedUserID
			}
			if worker && s.repairing() && (wish.VendorContactID != "" || wish.ClearVendor) {
				s.Report.WorkOrder.VendorContactID = wish.VendorContactID
			}
			if status && wish.Primary != 0 {
				s.Report.WorkOrder.PrimaryStatus = wish.Primary
			}
		}
	})
}

func same(a, b activities.UpdateWorkOrderInput) bool {
	return a.ScheduledDate == b.ScheduledDate && a.AssignedUserID == b.AssignedUserID && a.Primary == b.Primary &&
		slices.Equal(a.StatusNames, b.StatusNames) && a.VendorContactID == b.VendorContactID && a.WindowStart == b.WindowStart &&
		a.WindowEnd == b.WindowEnd && a.EstimatedAmount == b.EstimatedAmount && a.OwnerApproved == b.OwnerApproved &&
		a.ClearVendor == b.ClearVendor && a.ClearAssigned == b.ClearAssigned && a.Closes == b.Closes
}

// echo tells whether changes that RentVine tells of are those of our own write.
func (s *State) echo(changes map[string]durable.Change) bool {
	w := s.Written
	ours := map[string]string{
		"workOrderStatusID": s.Report.WorkOrder.StatusID, "primaryWorkOrderStatusID": fmt.Sprint(s.Report.WorkOrder.PrimaryStatus),
		"assignedToUserID": w.AssignedUserID, "vendorContactID": w.VendorContactID, "scheduledStartDate": w.ScheduledDate,
		"appointmentWindowStartDateTime": w.WindowStart, "appointmentWindowEndDateTime": w.WindowEnd,
		"estimatedAmount": w.EstimatedAmount, "isOwnerApproved": "1", "closingDescription": w.ClosingDescription,
	}
	for _, field := range workflow.DeterministicKeys(changes) {
		if field == "isNew" || field == "dateClosed" || field == "dateTimeModified" {
			continue // these follow by themselves
		}
		if want, known := ours[field]; !known || changes[field].New != want {
			return false
		}
	}
	return true
}

// unsure settles whether changes were ours, once no write is under way.
func (w *run) unsure() {
	s := w.state
	if s.Repair == nil || w.writing || w.closing {
		return
	}
	for _, changes := range s.Repair.Unsure {
		s.NeedsRefresh = s.NeedsRefresh || !s.echo(changes)
	}
	s.Repair.Unsure = nil
}

// changedMeanwhile takes what has changed around a repair: the tenants have moved out,
// or the office has given the job to somebody itself.
func (w *run) changedMeanwhile(before activities.Report, now time.Time) {
	s := w.state
	if s.Repair.Over() || s.Repair.Stage == repair.Finishing {
		return
	}
	if movedOut(s.Report) && !movedOut(before) {
		s.Repair.TenantsGone(w.circumstances(), now)
	}
	other := func(was, is, ours string) bool { return is != "" && is != was && is != ours }
	was, is := before.WorkOrder, s.Report.WorkOrder
	if other(was.AssignedUserID, is.AssignedUserID, s.Written.AssignedUserID) || other(was.VendorContactID, is.VendorContactID, s.Written.VendorContactID) {
		// What the office has written stands.
		s.Written.AssignedUserID, s.Written.VendorContactID = "", ""
		s.Repair.Stop("the office has given the job to somebody", now)
	}
}

// movedOut tells whether nobody lives where the work is to be done.
func movedOut(r activities.Report) bool { return r.WorkOrder.Vacant || r.Lease.Ended }
