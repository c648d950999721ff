package maintenance

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

// refresh reads the work order again, one reading at a time, for as long as
// RentVine takes to answer.
func (w *run) refresh(ctx workflow.Context) {
	s := w.state
	if !s.RefreshAt.IsZero() && !s.RefreshAt.After(durable.Now(ctx)) {
		s.NeedsRefresh = true
	}
	if !s.NeedsRefresh || w.refreshing {
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
			s.note(durable.Now(ctx), "RentVine could not be read: "+kindOf(err), "")
			s.unreadable(durable.Now(ctx))
			return
		}
		s.readAgain(fresh, durable.Now(ctx))
	})
}

// wish is what the work order should be in RentVine by now.
func (s *State) wish(zone string) activities.UpdateWorkOrderInput {
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

func localDate(t time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return t.In(loc).Format(time.DateOnly)
}

// write brings RentVine up to the wish, one write at a time; what is wished
// meanwhile is written after it, in one go.
func (w *run) write(ctx workflow.Context) {
	s := w.state
	wish := s.wish(w.zone())
	if w.writing || wish.Primary == 0 && wish.AssignedUserID == "" && wish.ScheduledDate == "" || same(wish, s.Written) {
		return
	}
	w.writing = true
	landed := w.start()
	writing := activities.UpdateWorkOrder.Start(ctx, wish, "bring RentVine up to date")
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer landed()
		written, err := writing.Get(ctx)
		w.writing = false
		s.Written = wish
		if err != nil {
			s.WriteRefused = kindOf(err)
			s.note(durable.Now(ctx), "RentVine refused the update: "+s.WriteRefused, "")
			return
		}
		s.WriteRefused = ""
		if written.Changed {
			s.note(durable.Now(ctx), "RentVine brought up to date", "")
			// Our own write comes back as an event; it must not look like a person's.
			s.Report.WorkOrder.StatusID = written.StatusID
			s.Report.WorkOrder.AssignedUserID = wish.AssignedUserID
			if wish.Primary != 0 {
				s.Report.WorkOrder.PrimaryStatus = wish.Primary
			}
		}
	})
}

func same(a, b activities.UpdateWorkOrderInput) bool {
	if a.ScheduledDate != b.ScheduledDate || a.AssignedUserID != b.AssignedUserID || a.Primary != b.Primary || len(a.StatusNames) != len(b.StatusNames) {
		return false
	}
	for i := range a.StatusNames {
		if a.StatusNames[i] != b.StatusNames[i] {
			return false
		}
	}
	return true
}

// kindOf is one word for why an activity failed: a partner's kind, or "timeout".
func kindOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type()
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return "timeout"
	}
	var cancelled *temporal.CanceledError
	if errors.As(err, &cancelled) {
		return "cancelled"
	}
	return "failed"
}
