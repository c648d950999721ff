package worker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// pages is the ladder as "offset person".
func (s *scenario) pages(d maintenance.Description) []string {
	var out []string
	for _, p := range d.Pages {
		out = append(out, fmt.Sprintf("%s %s", s.since(p.At), p.Person))
	}
	return out
}

func TestNobodyAnswersUntilItIsGivenUp(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	var gaveUp maintenance.Description
	var taken *updated
	s.at(5*time.Hour, func() {
		gaveUp = s.describe()
		taken = command(s, maintenance.Acknowledge, maintenance.Command{By: "grace"})
	})
	s.at(5*time.Hour+time.Minute, func() {
		require.Equal(t, maintenance.StageDispatching, s.describe().Stage)
		s.status("Completed")
	})
	result := s.play(s.event("work_order.created", nil))

	pages := s.pages(gaveUp)
	require.Equal(t, []string{
		"0s alma", "3m0s alma", "6m0s ben", "9m0s ben",
		"12m0s omar", "17m0s grace", "22m0s alma", "27m0s ben",
		"32m0s omar", "37m0s grace", "42m0s alma", "47m0s ben",
	}, pages[:12])
	require.Equal(t, "3h57m0s grace", pages[len(pages)-1])
	require.Len(t, pages, 50)
	require.Equal(t, []string{"4h2m0s gave up paging; the manager has been told"}, s.lines(gaveUp, "gave up"))
	require.Equal(t, []string{"12m0s nobody on call has answered"}, s.lines(gaveUp, "nobody on call"))
	require.Equal(t, []string{"15m0s SLA missed: acknowledge", "30m0s SLA missed: accept", "4h0m0s SLA missed: on_site"}, s.lines(gaveUp, "SLA missed"))
	require.Equal(t, "on_site_missed", gaveUp.SLA)
	require.Equal(t, maintenance.StagePaging, gaveUp.Stage)

	require.True(t, taken.done)
	require.NoError(t, taken.err)
	require.Equal(t, []maintenance.SLA{maintenance.SLAAcknowledge, maintenance.SLAAccept, maintenance.SLAOnSite}, result.Missed)
	grace := strings.Join(s.got("grace"), " ")
	require.Equal(t, 1, strings.Count(grace, "m_opened"))
	require.Equal(t, 1, strings.Count(grace, "m_nobody"))
	require.Equal(t, 3, strings.Count(grace, "m_late"))
	require.Equal(t, 1, strings.Count(grace, "m_acknowledged"))
	require.Equal(t, 12, strings.Count(grace, "page"))
	require.Equal(t, 3, strings.Count(strings.Join(s.got("omar"), " "), "m_late"))
	require.Equal(t, []string{"received", "handling", "closed"}, s.got("tara"))
	s.nothingTwice()
}

func TestTheFirstPageAsksAndSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(time.Minute, func() {
		d := s.describe()
		require.Equal(t, "on_call", d.WaitingFor)
		require.Equal(t, "on_track", d.SLA)
		require.Equal(t, 15*time.Minute, s.since(d.DueBy))
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	page := s.texts("alma")[0]
	require.Contains(t, page, "12 Elm Street")
	require.Contains(t, page, "http://keyholder.test/a/"+s.keys.Token(s.keys.QuestionID(s.ref(), "page/1/alma", "alma")))
	require.Equal(t, []string{"page", "page_stopped"}, s.got("alma"))
	require.Empty(t, s.got("ben"), "who was not paged hears nothing")
}

func TestADeclineGoesOnAtOnceAndAnAcknowledgementStops(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(time.Minute, func() { s.answer("page/1", "alma", "decline") })
	s.at(2*time.Minute, func() {
		require.Equal(t, []string{"0s alma", "1m0s ben"}, s.pages(s.describe()))
		s.answer("page/2", "ben", "acknowledge")
	})
	var after maintenance.Description
	s.at(30*time.Minute, func() {
		// The same again, by text and by link: one effect. Alma changes her mind: late.
		s.answer("page/2", "ben", "acknowledge")
		s.fact(durable.Answer{ID: "link", Step: "page/2/ben", Person: "ben", Choice: "acknowledge", Via: "link"})
		s.answer("page/1", "alma", "acknowledge")
		s.answer("nonsense/7", "alma", "acknowledge")
		s.answer("offer/99", "maria", "accept")
	})
	s.at(31*time.Minute, func() {
		after = s.describe()
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.Equal(t, []string{"0s alma", "1m0s ben"}, s.pages(after), "nobody is paged after the answer")
	require.Equal(t, "ben", after.Acknowledged.By)
	require.Equal(t, 2*time.Minute, s.since(after.Acknowledged.At))
	require.Equal(t, 2, after.LateAnswers)
	require.Equal(t, 2, after.Unusable)
	require.Equal(t, []string{"page", "page_stopped"}, s.got("alma"))
	require.Equal(t, []string{"page"}, s.got("ben"))
	require.Equal(t, []string{"received", "handling"}, s.got("tara")[:2])
	s.nothingTwice()
}

func TestAnOperatorsCommandsAreCarriedOutOrRefused(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	by := maintenance.Command{By: "op", Why: "test"}
	var refused, done []*updated
	s.at(time.Minute, func() {
		refused = append(refused,
			command(s, maintenance.Acknowledge, maintenance.Command{}),
			command(s, maintenance.Reassign, maintenance.Reassignment{Command: by, Technician: "nobody"}),
			command(s, maintenance.Resume, by),
			command(s, maintenance.Close, maintenance.Closing{Command: by, Outcome: "explode"}),
			command(s, durable.GiveAnswer, durable.Answer{ID: "x", Step: "page/1/alma", Person: "alma", Choice: "explode"}))
		done = append(done, command(s, maintenance.Pause, by))
	})
	s.at(2*time.Minute, func() { refused = append(refused, command(s, maintenance.Pause, by)) })
	s.at(time.Hour, func() {
		d := s.describe()
		require.Equal(t, []string{"0s alma"}, s.pages(d), "nobody is paged while it is paused")
		require.Equal(t, "operator", d.WaitingFor)
		done = append(done, command(s, maintenance.Resume, by))
	})
	s.at(time.Hour+time.Second, func() {
		d := s.describe()
		require.Equal(t, []string{"0s alma", "1h0m0s alma"}, s.pages(d))
		require.Len(t, s.lines(d, "SLA missed"), 2, "the clocks went on")
		done = append(done, command(s, maintenance.Acknowledge, by))
	})
	s.at(time.Hour+2*time.Second, func() {
		refused = append(refused, command(s, maintenance.Acknowledge, by))
		done = append(done, command(s, maintenance.Reassign, maintenance.Reassignment{Command: by, Technician: "ana"}))
	})
	s.at(time.Hour+3*time.Second, func() {
		require.Equal(t, "ana", s.describe().Technician)
		done = append(done, command(s, maintenance.Close, maintenance.Closing{Command: by, Outcome: maintenance.StageCancelled}))
	})
	result := s.play(s.event("work_order.created", nil))
	for i, u := range refused {
		require.Error(t, u.err, "refusal %d", i)
	}
	require.ErrorContains(t, refused[0].err, "say who decides")
	require.ErrorContains(t, refused[1].err, "[maria ana]")
	require.ErrorContains(t, refused[4].err, "allowed: acknowledge, decline")
	require.ErrorContains(t, refused[6].err, "the stage is dispatching")
	for i, u := range done {
		require.True(t, u.done && u.err == nil, "command %d: %v", i, u.err)
	}
	require.Equal(t, maintenance.StageCancelled, result.Outcome)
	require.Zero(t, s.openQuestions())
	s.nothingTwice()
}

func TestAStatusChangeInRentVineIsAnAcknowledgement(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(4*time.Minute, func() { s.status("In Progress") })
	var after maintenance.Description
	s.at(20*time.Minute, func() {
		after = s.describe()
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.Equal(t, []string{"0s alma", "3m0s alma"}, s.pages(after))
	require.Equal(t, "rentvine", after.Acknowledged.Via)
	require.Equal(t, 4*time.Minute, s.since(after.Acknowledged.At))
	require.Equal(t, []string{"page", "page_again", "page_stopped"}, s.got("alma"))
	require.Contains(t, s.texts("alma")[2], "the office is on it")
}

func TestAnAnswerByLinkAndAgainAsASignalIsOne(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	a := durable.Answer{ID: "link-1", Step: "page/1/alma", Person: "alma", Choice: "acknowledge", Via: "link"}
	var first, second, other *updated
	s.at(time.Minute, func() { first = command(s, durable.GiveAnswer, a) })
	s.at(2*time.Minute, func() {
		s.fact(a)
		second = command(s, durable.GiveAnswer, a)
		late := a
		late.ID, late.Person, late.Step = "link-2", "ben", "page/9/ben"
		other = command(s, durable.GiveAnswer, late)
	})
	s.at(3*time.Minute, func() {
		d := s.describe()
		require.Equal(t, time.Minute, s.since(d.Acknowledged.At))
		require.Equal(t, 1, d.LateAnswers)
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.Equal(t, durable.Outcome{Message: "Thank you, you are on it. We tell the tenant and send a technician."}, first.out)
	require.Equal(t, first.out, second.out, "a repeat hears the same")
	require.Equal(t, durable.Outcome{Late: true, Message: "Thank you. Somebody is on it already."}, other.out)
}

func TestALadderOnAFastClockKeepsBusinessTime(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	clock := durable.DayClock(s.start, 10*time.Minute)
	s.acts.Clock = clock
	s.at(0, func() { s.tell(s.event("work_order.created", nil)) })
	s.at(clock.Real(5*time.Hour), func() {
		d := s.describe()
		want := []time.Duration{0, 3 * time.Minute, 6 * time.Minute, 9 * time.Minute, 12 * time.Minute, 17 * time.Minute}
		for i, at := range want {
			require.InDelta(t, at, d.Pages[i].At.Sub(s.start), float64(3*time.Minute), "activities take real time, which runs fast here")
		}
		require.Len(t, s.lines(d, "SLA missed"), 3)
		require.Len(t, s.lines(d, "gave up"), 1)
		s.status("Completed")
	})
	s.run(maintenance.Input{Clock: clock})
	require.NoError(t, s.env.GetWorkflowError())
	s.nothingTwice()
}
