package maintenance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

func TestWhatIsRecordedOfAWorkOrder(t *testing.T) {
	t.Parallel()
	at := func(hours int) time.Time {
		return time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).Add(time.Duration(hours) * time.Hour)
	}
	yes, no := true, false
	base := activities.RepairRecord{WorkOrderID: "7", PropertyID: "5", UnitID: "6", PortfolioID: "4", What: "leak", OpenedAt: at(0), DoneAt: at(9)}
	worker := &repair.Worker{Choice: repair.Choice{Price: 12000}, At: at(2)}
	for _, c := range []struct {
		name   string
		change func(*State)
		want   func(*activities.RepairRecord)
		none   bool
	}{
		{name: "closed in RentVine", change: func(*State) {}, want: func(*activities.RepairRecord) {}},
		{name: "cancelled", change: func(s *State) { s.Ended.Outcome = StageCancelled }, none: true},
		{name: "of no concern", change: func(s *State) { s.Ended.Silently = true }, none: true},
		{name: "our own check", change: func(s *State) { s.Report.WorkOrder.Check = true }, none: true},
		{name: "still running", change: func(s *State) { s.Ended = nil }, none: true},
		{
			name: "an emergency",
			change: func(s *State) {
				s.Assessment.Emergency, s.Acknowledged = true, &Mark{At: at(1)}
				s.Job = &Job{Accepted: Mark{At: at(2)}, OnSite: &Mark{At: at(3)}, Repaired: &Mark{At: at(5)}}
			},
			want: func(r *activities.RepairRecord) {
				r.Emergency, r.AcknowledgedAt, r.OnSiteAt, r.DoneAt = true, at(1), at(3), at(5)
			},
		},
		{
			name: "an ordinary repair",
			change: func(s *State) {
				s.Repair = &repair.State{
					Analysis: analysis.Analysis{Trade: "plumbing"}, Worker: worker, Visit: &repair.Visit{Arrived: at(4)},
					Work: &repair.Work{At: at(6)}, Confirmed: "tenant:1", Rating: 4,
				}
			},
			want: func(r *activities.RepairRecord) {
				r.What, r.AcknowledgedAt, r.OnSiteAt, r.DoneAt, r.Cost, r.Rating, r.Fixed = "plumbing", at(2), at(4), at(6), 12000, 4, &yes
			},
		},
		{
			name:   "one that did not hold",
			change: func(s *State) { s.Repair = &repair.State{Worker: worker, Returns: 1, Confirmed: "tenant:1"} },
			want:   func(r *activities.RepairRecord) { r.AcknowledgedAt, r.Fixed = at(2), &no },
		},
		{
			name:   "one of which nobody knows whether it held",
			change: func(s *State) { s.Repair = &repair.State{Worker: worker, Work: &repair.Work{At: at(6)}} },
			want:   func(r *activities.RepairRecord) { r.AcknowledgedAt, r.DoneAt, r.Cost = at(2), at(6), 12000 },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &State{
				OpenedAt: at(0), Ended: &End{Mark: Mark{At: at(9)}, Outcome: StageClosed}, Assessment: triage.Assessment{Category: "leak"},
				Report: activities.Report{
					WorkOrder: activities.Order{ID: "7", PropertyID: "5", UnitID: "6", PortfolioID: "4"}, Property: activities.Property{ID: "5"},
				},
			}
			c.change(s)
			got, ok := s.record("7")
			require.Equal(t, !c.none, ok)
			if c.none {
				return
			}
			want := base
			c.want(&want)
			require.Equal(t, want, got)
		})
	}
}
