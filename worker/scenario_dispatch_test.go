package worker_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows/maintenance"
)

// offers is who was offered the job, as "offset person".
func (s *scenario) offers(d maintenance.Description) []string {
	var out []string
	for _, o := range d.Offers {
		out = append(out, fmt.Sprintf("%s %s", s.since(o.At), o.Technician))
	}
	return out
}

// loads is how many jobs each technician holds.
func (s *scenario) loads() map[string]int {
	s.t.Helper()
	load, err := s.store.Load(context.Background())
	require.NoError(s.t, err)
	return load
}

// count is how often a text reached a person.
func (s *scenario) count(person, name string) int {
	s.t.Helper()
	n := 0
	for _, got := range s.got(person) {
		if got == name {
			n++
		}
	}
	return n
}

// attachedReports counts the incident reports in RentVine and in the manager's mail.
func (s *scenario) attachedReports() (attached, mailed int) {
	s.t.Helper()
	for _, m := range s.mails("grace@example.com") {
		for _, a := range m.Attachments {
			if strings.HasPrefix(a.Name, "incident-report-"+s.id+"-") {
				mailed++
			}
		}
	}
	return s.calls("rentvine", "POST", "/files"), mailed
}

func TestTheJobGoesToTheNearestAndThroughToTheReport(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	at := map[string]maintenance.Description{}
	look := func(name string) { at[name] = s.describe() }
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(time.Minute+time.Second, func() {
		require.Equal(t, "13", s.inRentVine().StatusID, "In Progress")
	})
	// Maria, who is nearest, stays silent; Ana takes it.
	s.at(7*time.Minute, func() { s.answer("offer/2", "ana", "accept") })
	s.at(8*time.Minute, func() {
		look("accepted")
		wo := s.inRentVine()
		require.Equal(t, "12", wo.StatusID, "Scheduled")
		require.Equal(t, "33", wo.AssignedToUserID)
		require.Equal(t, "2026-11-21", wo.ScheduledStartDate)
		require.Equal(t, map[string]int{"ana": 1}, s.loads())
		// Who is too late hears so and changes nothing.
		s.answer("offer/1", "maria", "accept")
	})
	s.at(30*time.Minute, func() { s.answer("on_site/1-1", "ana", "on_site") })
	s.at(31*time.Minute, func() { look("on site") })
	s.at(90*time.Minute, func() { s.answer("done/1-1", "ana", "done") })
	s.at(91*time.Minute, func() {
		look("repaired")
		require.Equal(t, "13", s.inRentVine().StatusID, "this account has no status Repaired")
		attached, mailed := s.attachedReports()
		require.Equal(t, []int{1, 1}, []int{attached, mailed})
		require.Empty(t, s.loads())
		require.Zero(t, s.openQuestions())
	})
	s.at(3*time.Hour, func() { s.status("Completed") })
	result := s.play(s.event("work_order.created", nil))

	require.Equal(t, []string{"1m0s maria", "6m0s ana"}, s.offers(at["accepted"]))
	require.Equal(t, maintenance.StageAccepted, at["accepted"].Stage)
	require.Equal(t, 4*time.Hour, s.since(at["accepted"].DueBy))
	require.Equal(t, maintenance.StageOnSite, at["on site"].Stage)
	require.Equal(t, maintenance.StageRepaired, at["repaired"].Stage)
	require.Equal(t, "met", at["repaired"].SLA)
	require.Equal(t, 1, at["repaired"].LateAnswers)
	require.Empty(t, result.Missed)
	require.Equal(t, []string{"received", "handling", "coming", "at_building", "reported_done", "closed"}, s.got("tara"))
	require.Equal(t, []string{"m_opened", "m_acknowledged", "m_assigned", "m_on_site", "m_done", "m_closed"}, s.got("grace"))
	require.Equal(t, []string{"offer", "offer_withdrawn"}, s.got("maria"))
	require.Equal(t, []string{"offer", "t_on_site", "t_done"}, s.got("ana"))
	require.Contains(t, s.texts("tara")[2], "Ana Volt")
	attached, mailed := s.attachedReports()
	require.Equal(t, []int{1, 1}, []int{attached, mailed}, "the report goes out once")
	s.nothingTwice()
}

func TestATechnicianWhoSaysNothingIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(2*time.Minute, func() { s.answer("offer/1", "maria", "accept") })
	s.at(5*time.Hour, func() {
		require.Equal(t, []string{"1h2m0s asked again maria", "2h2m0s asked again maria", "3h2m0s asked again maria", "4h2m0s asked again maria"},
			s.lines(s.describe(), "asked again"))
		require.Equal(t, 5, s.count("maria", "t_on_site"))
		s.answer("on_site/1-5", "maria", "on_site")
	})
	s.at(20*time.Hour, func() {
		require.Len(t, s.lines(s.describe(), "asked again"), 8)
		require.Equal(t, 5, s.count("maria", "t_done"))
		require.Equal(t, 5, s.openQuestions(), "those about the arrival are closed")
		s.answer("done/1-2", "maria", "done")
	})
	s.at(40*time.Hour, func() {
		require.Len(t, s.lines(s.describe(), "asked again"), 8, "nobody is asked after the repair")
		s.status("Completed")
	})
	result := s.play(s.event("work_order.created", nil))
	require.Equal(t, []maintenance.SLA{maintenance.SLAOnSite}, result.Missed)
	require.Zero(t, s.openQuestions())
	s.nothingTwice()
}

func TestADeclinedJobGoesOnAndAGivenUpOneToAnother(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(2*time.Minute, func() { s.answer("offer/1", "maria", "accept") })
	s.at(20*time.Minute, func() { s.answer("on_site/1-1", "maria", "give_up") })
	s.at(21*time.Minute, func() {
		d := s.describe()
		require.Equal(t, []string{"1m0s maria", "20m0s ana"}, s.offers(d), "not the one who gave up")
		require.Equal(t, maintenance.StageDispatching, d.Stage)
		s.answer("offer/2", "ana", "decline")
	})
	s.at(30*time.Minute, func() { require.Equal(t, 1, s.count("grace", "m_no_technician")) })
	s.at(3*time.Hour, func() {
		d := s.describe()
		require.Equal(t, []string{"1m0s maria", "20m0s ana"}, s.offers(d), "who declined is not asked again")
		require.Equal(t, 1, s.count("grace", "m_no_technician"), "told once")
		s.status("Cancelled")
	})
	s.play(s.event("work_order.created", nil))
	require.Empty(t, s.loads())
	require.Zero(t, s.openQuestions())
	s.nothingTwice()
}

func TestNobodyIsFreeAndIsLookedForAgain(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	for i := range 3 {
		for _, who := range []string{"maria", "ana"} {
			require.NoError(t, s.store.Assign(t.Context(), who, fmt.Sprintf("elsewhere/%s/%d", who, i)))
		}
	}
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(20*time.Minute, func() {
		require.Empty(t, s.describe().Offers)
		require.Equal(t, 1, s.count("grace", "m_no_technician"))
		require.NoError(t, s.store.Release(context.Background(), "elsewhere/ana/0"))
	})
	s.at(22*time.Minute, func() {
		require.Equal(t, []string{"21m0s ana"}, s.offers(s.describe()))
		s.answer("offer/1", "ana", "accept")
	})
	s.at(time.Hour, func() {
		require.Equal(t, "ana", s.describe().Technician)
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.Equal(t, 1, s.count("grace", "m_no_technician"))
	s.nothingTwice()
}

func TestAnEndInRentVineClearsUpAtEveryStage(t *testing.T) {
	t.Parallel()
	steps := []struct{ step, person, choice string }{
		{"page/1", "alma", "acknowledge"}, {"offer/1", "maria", "accept"},
		{"on_site/1-1", "maria", "on_site"}, {"done/1-1", "maria", "done"},
	}
	for _, c := range []struct {
		stage     maintenance.Stage
		steps     int
		stopped   int // page_stopped to alma
		withdrawn int // offer_withdrawn to maria
	}{
		{maintenance.StagePaging, 0, 1, 0},
		{maintenance.StageDispatching, 1, 0, 1},
		{maintenance.StageAccepted, 2, 0, 1},
		{maintenance.StageOnSite, 3, 0, 1},
		{maintenance.StageRepaired, 4, 0, 0},
	} {
		for status, outcome := range map[string]maintenance.Stage{"Completed": maintenance.StageClosed, "Cancelled": maintenance.StageCancelled} {
			t.Run(string(c.stage)+" "+status, func(t *testing.T) {
				t.Parallel()
				s := newScenario(t)
				for i, step := range steps[:c.steps] {
					s.at(time.Duration(i+1)*10*time.Second, func() { s.answer(step.step, step.person, step.choice) })
				}
				s.at(2*time.Minute, func() {
					require.Equal(t, c.stage, s.describe().Stage)
					require.Equal(t, c.stage != maintenance.StageRepaired, s.incidentRuns("leak"))
					s.status(status)
				})
				result := s.play(s.event("work_order.created", nil))
				require.Equal(t, outcome, result.Outcome)
				require.Equal(t, outcome, s.describe().Stage)
				require.Equal(t, "nothing", s.describe().WaitingFor)
				require.Zero(t, s.openQuestions())
				require.False(t, s.incidentRuns("leak"))
				require.Empty(t, s.loads())
				require.Equal(t, 1, s.count("tara", "closed"))
				require.Equal(t, 1, s.count("grace", "m_closed"))
				require.Equal(t, c.stopped, s.count("alma", "page_stopped"))
				require.Equal(t, c.withdrawn, s.count("maria", "offer_withdrawn"))
				attached, mailed := s.attachedReports()
				require.Equal(t, []int{1, 1}, []int{attached, mailed})
				s.nothingTwice()
			})
		}
	}
}

// A job that is taken away once left its technician driving, and a job given back
// left the tenant waiting for somebody who did not come.
func TestAJobTakenAwayOrGivenBackIsTold(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(2*time.Minute, func() { s.answer("offer/1", "maria", "accept") })
	s.at(3*time.Minute, func() {
		command(s, maintenance.Reassign, maintenance.Reassignment{Command: maintenance.Command{By: "grace"}, Technician: "ana"})
	})
	s.at(4*time.Minute, func() {
		d := s.describe()
		require.Equal(t, "ana", d.Technician)
		require.Contains(t, strings.Join(s.texts("maria"), "\n"), "no longer open for you")
		require.Contains(t, strings.Join(s.texts("tara"), "\n"), "Maria Fixit cannot come after all")
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	s.nothingTwice()
}

// What was an ordinary report for a day is an emergency from when it became one.
func TestPromisesCountFromTheEmergency(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.record(map[string]any{"description": drippingTap})
	s.at(24*time.Hour, func() {
		s.record(map[string]any{"description": burstPipe})
		s.tell(s.event("work_order.updated", nil))
	})
	s.at(24*time.Hour+2*time.Minute, func() {
		d := s.describe()
		require.Equal(t, maintenance.StagePaging, d.Stage)
		require.Equal(t, "on_track", d.SLA)
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
}
