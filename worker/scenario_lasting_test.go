package worker_test

import (
	"context"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// whenSending runs f once, as the first batch with a message of the step leaves.
func (s *scenario) whenSending(step string, f func()) {
	var once stdsync.Once
	s.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		var in activities.SendMessagesInput
		if info.ActivityType.Name != activities.SendMessages.Name || args.Get(&in) != nil {
			return
		}
		for _, m := range in.Messages {
			if m.Step == step {
				once.Do(f)
			}
		}
	})
}

func TestNoSignalIsLostHoweverManyWait(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	first := s.event("work_order.created", nil)
	const events, unusable = 40, 20
	s.at(0, func() {
		queue := s.env.SignalWorkflowSkippingWorkflowTask
		queue(durable.EventReceived.Name, first)
		for range events - 1 {
			ev := s.event("work_order.updated", nil)
			queue(durable.EventReceived.Name, ev)
			queue(durable.EventReceived.Name, ev)
		}
		for i := range unusable / 2 {
			queue(durable.EventReceived.Name, i)
			queue("no_such_signal", i)
		}
		s.env.SignalWorkflow(durable.MessageFailed.Name, "undecodable")
	})
	s.at(time.Minute, func() {
		d := s.describe()
		require.Equal(t, maintenance.StagePaging, d.Stage)
		require.Equal(t, unusable+1, d.Unusable)
		value, err := s.env.QueryWorkflow(durable.SeenEvents.Name)
		require.NoError(t, err)
		var seen durable.Seen
		require.NoError(t, value.Get(&seen))
		require.Len(t, seen.Events, events)
		require.Equal(t, []string{"0s alma"}, s.pages(d))
		s.status("Completed")
	})
	// What comes while it clears up is counted before it completes.
	s.whenSending("tenant_closed/contact:1", func() {
		for range 5 {
			s.env.SignalWorkflow(durable.EventReceived.Name, "undecodable")
		}
		s.answer("page/1", "alma", "acknowledge")
	})
	s.run(maintenance.Input{})
	require.NoError(t, s.env.GetWorkflowError())
	d := s.describe()
	require.Equal(t, unusable+1+5, d.Unusable)
	require.Equal(t, 1, d.LateAnswers)
	s.nothingTwice()
}

var pebble = durable.Signal[int]{Name: "pebble_dropped"}

// settles counts pebbles and ends as soon as it has begun: what it returns is what
// Settle saved.
func settles(ctx workflow.Context, _ string) (int, error) {
	total := 0
	slow := durable.Update[string, string]{Name: "slow"}
	if err := slow.Handle(ctx, nil, func(ctx workflow.Context, _ string) (string, error) {
		return "done", durable.Sleep(ctx, time.Minute, "a command that takes its time")
	}); err != nil {
		return 0, err
	}
	if err := workflow.Await(ctx, func() bool { return pebble.Pending(ctx) }); err != nil {
		return 0, err
	}
	err := durable.Settle(ctx, func(ctx workflow.Context) bool {
		drained, _ := pebble.Drain(ctx)
		total += len(drained)
		return len(drained) > 0
	})
	return total, err
}

func TestSettleWaitsForCommandsAndTakesEveryFact(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	definition := durable.Definition[string, int]{Name: "test.settles", Run: settles}
	definition.Register(s.env)
	done := false
	s.at(0, func() {
		s.env.UpdateWorkflow("slow", "", &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { require.NoError(t, err) },
			OnComplete: func(_ any, err error) { done = err == nil },
		}, "")
	})
	s.at(time.Second, func() { s.env.SignalWorkflow(pebble.Name, 1) })
	s.at(30*time.Second, func() {
		for i := range 100 {
			s.env.SignalWorkflowSkippingWorkflowTask(pebble.Name, i)
		}
	})
	s.env.ExecuteWorkflow(definition.Name, "")
	var total int
	require.NoError(t, s.env.GetWorkflowResult(&total))
	require.Equal(t, 101, total)
	require.True(t, done)
}

func TestTheResponseGoesOnAfterContinuingAsNew(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(0, func() { s.tell(s.event("work_order.created", nil)) })
	s.at(time.Minute, func() { s.answer("page/9", "nobody", "acknowledge-not") })
	s.at(2*time.Minute, func() { s.env.SetContinueAsNewSuggested(true) })
	s.run(maintenance.Input{})
	before := s.describe()
	require.Equal(t, []string{"0s alma", "3m0s alma"}, s.pages(before))
	texts := len(s.allTexts())

	in := s.continued()
	s.at(time.Second, func() {
		require.Equal(t, before, s.describe())
		// What the first run took is still known.
		ev := s.event("work_order.created", nil)
		ev.Key = "rentvine/evt_1"
		s.tell(ev)
	})
	s.at(2*time.Second, func() { require.Equal(t, before, s.describe()) })
	s.at(2*time.Minute, func() { require.Len(t, s.allTexts(), texts, "nothing is said again") })
	s.at(7*time.Minute, func() {
		d := s.describe()
		require.Equal(t, []string{"0s alma", "3m0s alma", "6m0s ben", "9m0s ben"}, s.pages(d))
		s.answer("page/3", "ben", "acknowledge")
	})
	s.at(8*time.Minute, func() { s.answer("offer/1", "maria", "accept") })
	s.at(9*time.Minute+30*time.Second, func() {
		s.env.SetContinueAsNewSuggested(true)
		s.answer("on_site/1-1", "maria", "on_site")
	})
	s.run(in)
	before = s.describe()
	require.Equal(t, maintenance.StageOnSite, before.Stage)

	in = s.continued()
	s.at(time.Second, func() {
		require.Equal(t, before, s.describe())
		s.answer("done/1-1", "maria", "done")
	})
	s.at(time.Minute, func() { s.status("Completed") })
	s.run(in)
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, []string{"received", "handling", "coming", "at_building", "reported_done", "closed"}, s.got("tara"))
	attached, mailed := s.attachedReports()
	require.Equal(t, []int{1, 1}, []int{attached, mailed})
	s.nothingTwice()
}

func TestReopenedWhileClearingUpPagesAgain(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(0, func() { s.tell(s.event("work_order.created", nil)) })
	s.at(time.Minute, func() { s.status("Completed") })
	s.whenSending("tenant_closed/contact:1", func() { s.status("In Progress") })
	s.run(maintenance.Input{})
	require.Equal(t, []string{"page", "page_stopped"}, s.got("alma"))

	in := s.continued()
	require.Equal(t, 1, in.State.Incarnation)
	require.NotEmpty(t, in.Seen.Events)
	s.at(time.Second, func() {
		d := s.describe()
		require.Equal(t, maintenance.StagePaging, d.Stage)
		require.Len(t, d.Pages, 1)
		s.answer("page/1", "alma", "acknowledge")
	})
	s.at(time.Minute, func() {
		require.Equal(t, maintenance.StageDispatching, s.describe().Stage)
		s.status("Completed")
	})
	s.run(in)
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, []string{"page", "page_stopped", "page"}, s.got("alma"))
	require.Equal(t, []string{"received", "closed", "received", "handling", "closed"}, s.got("tara"))
	attached, mailed := s.attachedReports()
	require.Equal(t, []int{2, 2}, []int{attached, mailed}, "each response has its report")
}

func TestACancelledWorkflowClearsUp(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(0, func() { s.tell(s.event("work_order.created", nil)) })
	s.at(time.Minute, func() { s.env.CancelWorkflow() })
	s.run(maintenance.Input{})
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, s.env.GetWorkflowError(), &cancelled)
	require.Equal(t, maintenance.StageCancelled, s.describe().Stage)
	require.Equal(t, []string{"received", "closed"}, s.got("tara"))
	require.Equal(t, []string{"page", "page_stopped"}, s.got("alma"))
	require.Equal(t, []string{"m_opened", "m_closed"}, s.got("grace"))
	require.Zero(t, s.openQuestions())
	require.False(t, s.incidentRuns("leak"))
	s.nothingTwice()
}
