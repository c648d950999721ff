package maintenance

import (
	"cmp"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
)

// recordRepair notes how a work order went that is done, for the figures that its owner
// gets.
func (w *run) recordRepair(ctx workflow.Context) {
	if workflow.GetVersion(ctx, "record-repair", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return
	}
	if record, ok := w.state.record(w.id); ok {
		keep(ctx, w, activities.RecordRepair, record, "for the owner's figures")
	}
}

// record is what is known of a work order that has ended; false where nothing was done: it
// was cancelled, or is a check of our own.
func (s *State) record(id string) (activities.RepairRecord, bool) {
	order, property := s.Report.WorkOrder, s.Report.Property
	if s.Ended == nil || s.Ended.Outcome != StageClosed || s.Ended.Silently || order.Check {
		return activities.RepairRecord{}, false
	}
	r := activities.RepairRecord{
		WorkOrderID: id, PropertyID: cmp.Or(order.PropertyID, property.ID), UnitID: order.UnitID,
		PortfolioID: cmp.Or(property.PortfolioID, order.PortfolioID), Emergency: s.Assessment.Emergency,
		What: cmp.Or(string(s.Assessment.Category), string(s.Assessment.Trade)), OpenedAt: s.OpenedAt, DoneAt: s.Ended.At,
	}
	if s.Acknowledged != nil {
		r.AcknowledgedAt = s.Acknowledged.At
	}
	if j := s.Job; j != nil {
		r.AcknowledgedAt = earlier(r.AcknowledgedAt, j.Accepted.At)
		if j.OnSite != nil {
			r.OnSiteAt = j.OnSite.At
		}
		if j.Repaired != nil {
			r.DoneAt = j.Repaired.At
		}
	}
	s.addRepair(&r)
	return r, true
}

// addRepair adds what is known of an ordinary repair.
func (s *State) addRepair(r *activities.RepairRecord) {
	p := s.Repair
	if p == nil {
		return
	}
	r.What, r.Rating = cmp.Or(string(p.Analysis.Trade), r.What), p.Rating
	if p.Worker != nil {
		r.AcknowledgedAt = earlier(r.AcknowledgedAt, p.Worker.At)
	}
	if p.Visit != nil {
		r.OnSiteAt = earlier(r.OnSiteAt, p.Visit.Arrived)
	}
	if p.Work != nil {
		// Nobody bills a price that was never worked for.
		r.Cost = int64(p.Cost())
		if !p.Work.At.IsZero() {
			r.DoneAt = p.Work.At
		}
	}
	if p.Confirmed != "" || p.Returns > 0 {
		fixed := p.Returns == 0
		r.Fixed = &fixed
	}
}

// earlier is the earlier of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
