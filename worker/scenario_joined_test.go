package worker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// neighbours takes the signals to other work orders, as "id signal"; err is what
// becomes of them.
func (s *scenario) neighbours(err error) func() []string {
	var mu sync.Mutex
	var sent []string
	s.env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(
		func(_, id, _, name string, arg any) error {
			mu.Lock()
			defer mu.Unlock()
			detail := ""
			if e, ok := arg.(maintenance.LeadEnding); ok {
				detail = fmt.Sprintf(" repaired=%t", e.Repaired)
			}
			sent = append(sent, id+" "+name+detail)
			return err
		})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), sent...)
	}
}

func TestALeadCaresForThoseWhoJoin(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	sent := s.neighbours(nil)
	toby := activities.Person{ID: "contact:2", Name: "Toby Tenant", Phone: "+15035550102"}
	tess := activities.Person{ID: "contact:3", Name: "Tess Tenant", Phone: "+15035550103"}
	s.at(time.Minute, func() {
		for id, who := range map[string]activities.Person{"801": toby, "802": tess} {
			s.env.SignalWorkflow(maintenance.ReportJoined.Name, maintenance.Joined{WorkOrderID: id, Number: "n" + id, Tenants: []activities.Person{who}})
		}
		// A repeat has no effect.
		s.env.SignalWorkflow(maintenance.ReportJoined.Name, maintenance.Joined{WorkOrderID: "801", Number: "n801", Tenants: []activities.Person{toby}})
	})
	s.at(2*time.Minute, func() {
		require.ElementsMatch(t, []string{"801", "802"}, s.describe().Joined)
		s.env.SignalWorkflow(maintenance.ReportLeft.Name, "802")
		s.answer("page/1", "alma", "acknowledge")
	})
	s.at(3*time.Minute, func() { s.status("Completed") })
	s.play(s.event("work_order.created", nil))
	to := map[string][]string{}
	for _, m := range s.allTexts() {
		to[m.To] = append(to[m.To], textName(m.Body))
	}
	require.Equal(t, []string{"joined", "handling", "closed"}, to[toby.Phone])
	require.Equal(t, []string{"joined"}, to[tess.Phone], "who left hears no more")
	require.Equal(t, 2, s.count("grace", "m_joined"))
	require.Equal(t, []string{"work-order/801 lead_ended repaired=false"}, sent(), "closed without a repair is none for the others")
	s.nothingTwice()
}

func TestAFollowerWaitsForItsLead(t *testing.T) {
	t.Parallel()
	for _, repaired := range []bool{true, false} {
		t.Run(fmt.Sprintf("repaired %t", repaired), func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			_, err := s.store.ClaimIncident(t.Context(), "1", "leak", "900", s.start.Add(-time.Minute), s.start.Add(-time.Hour))
			require.NoError(t, err)
			sent := s.neighbours(nil)
			s.at(time.Hour, func() {
				d := s.describe()
				require.Equal(t, maintenance.StageJoined, d.Stage)
				require.Equal(t, "900", d.LeadID)
				require.Empty(t, d.Pages)
				require.Empty(t, s.allTexts(), "the lead tells the tenants")
				s.env.SignalWorkflow(maintenance.LeadEnded.Name, maintenance.LeadEnding{WorkOrderID: "another"})
			})
			s.at(time.Hour+time.Minute, func() {
				require.Equal(t, maintenance.StageJoined, s.describe().Stage)
				require.NoError(t, s.store.EndIncident(context.Background(), "900"))
				s.env.SignalWorkflow(maintenance.LeadEnded.Name, maintenance.LeadEnding{WorkOrderID: "900", Repaired: repaired})
			})
			s.at(time.Hour+2*time.Minute, func() {
				d := s.describe()
				if repaired {
					require.Equal(t, maintenance.StageWaiting, d.Stage)
					require.Empty(t, d.Pages)
				} else {
					require.Equal(t, maintenance.StagePaging, d.Stage)
					require.Equal(t, []string{"1h1m0s alma"}, s.pages(d))
				}
				s.status("Completed")
			})
			s.play(s.event("work_order.created", nil))
			require.Equal(t, []string{"work-order/900 report_joined"}, sent())
		})
	}
}

func TestAFollowerThatEndsTellsItsLead(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	_, err := s.store.ClaimIncident(t.Context(), "1", "leak", "900", s.start.Add(-time.Minute), s.start.Add(-time.Hour))
	require.NoError(t, err)
	sent := s.neighbours(nil)
	s.at(time.Minute, func() { s.status("Cancelled") })
	s.play(s.event("work_order.created", nil))
	require.Equal(t, []string{"work-order/900 report_joined", "work-order/900 report_left"}, sent())
	require.True(t, s.incidentRuns("leak"), "the lead's goes on")
}

func TestALeadThatIsGoneIsReplaced(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	_, err := s.store.ClaimIncident(t.Context(), "1", "leak", "900", s.start.Add(-time.Minute), s.start.Add(-time.Hour))
	require.NoError(t, err)
	s.neighbours(temporal.NewApplicationError("no such workflow", "not_found"))
	s.at(time.Minute, func() {
		require.Equal(t, []string{"0s alma"}, s.pages(s.describe()))
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
}
