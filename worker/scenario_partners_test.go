package worker_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/sync"
)

func TestWhoSaidStopIsPagedByMail(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*scenario){
		"known to us": func(s *scenario) {
			require.NoError(s.t, s.store.SetOptedOut(s.t.Context(), s.keys.Address(s.phone("alma")), true, time.Now()))
		},
		"known to Twilio alone": func(s *scenario) {
			s.call(http.MethodPost, "/_reply", map[string]string{"from": s.phone("alma"), "body": "STOP"}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			stop(s)
			s.at(4*time.Minute, func() {
				require.Equal(t, []string{"0s alma", "3m0s alma"}, s.pages(s.describe()))
				s.answer("page/1", "alma", "acknowledge")
			})
			s.at(5*time.Minute, func() {
				require.Equal(t, "alma", s.describe().Acknowledged.By)
				s.status("Completed")
			})
			s.play(s.event("work_order.created", nil))
			for _, body := range s.texts("alma") {
				require.NotContains(t, body, "Harbor Homes", "no text to who said STOP")
			}
			mails := s.mails("alma@example.com")
			require.Len(t, mails, 2)
			require.Contains(t, mails[0].Text, "http://keyholder.test/a/")
			known, err := s.store.OptedOut(t.Context(), s.keys.Address(s.phone("alma")))
			require.NoError(t, err)
			require.True(t, known)
			s.nothingTwice()
		})
	}
}

func TestWithoutTwilioTheLadderGoesOnByMail(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.Twilio, sandbox.Fault{Status: 503}))
	s.at(8*time.Minute, func() {
		d := s.describe()
		require.True(t, d.Pages[0].Failed)
		require.Equal(t, "ben", d.Pages[1].Person)
		require.LessOrEqual(t, s.since(d.Pages[1].At), 3*time.Minute)
		require.Contains(t, s.mails("alma@example.com")[0].Text, "EMERGENCY")
		s.answer("page/1", "alma", "acknowledge")
	})
	s.at(9*time.Minute, func() { s.status("Completed") })
	s.play(s.event("work_order.created", nil))
	require.Empty(t, s.allTexts())
	require.NotEmpty(t, s.mails("contact1@example.com"), "the tenant, too")
	require.NotEmpty(t, s.mails("grace@example.com"))
	s.nothingTwice()
}

func TestATextWhoseOutcomeIsUnknownIsNotSentTwice(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.Twilio, sandbox.Fault{ResetAfterCommit: true, Method: http.MethodPost, Times: 3}))
	s.at(2*time.Minute, func() { s.status("Completed") })
	s.play(s.event("work_order.created", nil))
	require.Equal(t, []string{"page", "page_stopped"}, s.got("alma"))
	require.Equal(t, []string{"received", "closed"}, s.got("tara"))
	require.Equal(t, []string{"m_opened", "m_closed"}, s.got("grace"))
	s.nothingTwice()
}

func TestAPageThatDidNotArriveGoesByMailAndTheNextIsPaged(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(time.Minute, func() {
		s.env.SignalWorkflow(durable.MessageFailed.Name, durable.MessageFailure{Step: "page/1/alma", Ref: "SM1", Status: "undelivered", ErrorCode: "30003"})
	})
	s.at(2*time.Minute, func() {
		d := s.describe()
		require.Equal(t, []string{"0s alma", "1m0s ben"}, s.pages(d))
		require.Equal(t, 1, d.MessagesFailed)
		s.answer("page/1", "alma", "acknowledge")
	})
	s.at(3*time.Minute, func() { s.status("Completed") })
	s.play(s.event("work_order.created", nil))
	require.Len(t, s.mails("alma@example.com"), 1)
	require.Equal(t, []string{"page", "page_stopped"}, s.got("ben"))
	s.nothingTwice()
}

func TestAnOrderThatRentVineDoesNotKnowIsRespondedToFromTheEvent(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.id = "99999"
	s.freshEnvironment("work-order/" + s.id)
	data := map[string]any{
		"workOrderID": s.id, "workOrderNumber": "W-7", "propertyID": "1", "unitID": "1", "leaseID": "1", "description": burstPipe,
	}
	first := s.event("work_order.created", data)
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(20*time.Minute, func() {
		d := s.describe()
		require.Equal(t, maintenance.StageDispatching, d.Stage)
		require.Equal(t, "not_found", d.WriteRefused)
		require.Len(t, s.lines(d, "RentVine refused"), 1)
		data["status"] = "closed"
		s.tell(s.event("work_order.closed", data))
	})
	result := s.play(first)
	require.Equal(t, maintenance.StageClosed, result.Outcome)
	require.Contains(t, s.texts("alma")[0], "12 Elm Street")
	require.Contains(t, s.texts("alma")[0], "W-7")
	require.Equal(t, []string{"received", "handling", "closed"}, s.got("tara"))
	require.LessOrEqual(t, s.calls("rentvine", "GET", "/work-orders/99999"), 4, "asked at first sight, before the write, at the end")
	s.nothingTwice()
}

func TestARefusedWriteIsShownAndNotRepeated(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.RentVine, sandbox.Fault{Status: 400, Method: http.MethodPost}))
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(3*time.Hour, func() {
		d := s.describe()
		require.Equal(t, "invalid", d.WriteRefused)
		require.Len(t, s.lines(d, "RentVine refused"), 1)
		require.Equal(t, 1, s.calls("rentvine", "POST", "/work-orders"))
		s.box.ClearFault(sandbox.RentVine)
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.NotEmpty(t, s.offers(s.describe()), "the response goes on")
}

func TestASlowRentVineDelaysNoPage(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	first := s.event("work_order.created", nil)
	require.NoError(t, s.box.SetFault(sandbox.RentVine, sandbox.Fault{Latency: "4s"}))
	s.at(2*time.Second, func() { s.box.ClearFault(sandbox.RentVine) })
	s.at(time.Minute, func() {
		d := s.describe()
		require.Len(t, d.Pages, 1)
		require.Less(t, d.Pages[0].At.Sub(s.start), 2500*time.Millisecond)
		s.status("Completed")
	})
	s.play(first)
	require.Contains(t, s.texts("alma")[0], "property 1", "the address was not known yet")
	require.Equal(t, []string{"received", "closed"}, s.got("tara"), "told once RentVine had named them")
	s.nothingTwice()
}

func TestOurOwnWriteIsNotTakenForAPersons(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(time.Minute, func() { s.answer("page/1", "alma", "acknowledge") })
	s.at(2*time.Minute, func() { s.tell(s.event("work_order.updated", nil)) })
	s.at(3*time.Minute, func() {
		d := s.describe()
		require.Equal(t, maintenance.StageDispatching, d.Stage)
		require.Equal(t, "alma", d.Acknowledged.By)
		require.Equal(t, 1, s.calls("rentvine", "POST", "/work-orders"))
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
}

// park runs the parked event's workflow.
func (s *scenario) park() sync.ParkedResult {
	s.t.Helper()
	s.env.ExecuteWorkflow(sync.ParkedEventName, sync.ParkedInput{ID: "digest"})
	require.True(s.t, s.env.IsWorkflowCompleted())
	var result sync.ParkedResult
	require.NoError(s.t, s.env.GetWorkflowResult(&result))
	return result
}

func (s *scenario) parked() sync.ParkedDescription {
	s.t.Helper()
	value, err := s.env.QueryWorkflow(sync.DescribeParked.Name)
	require.NoError(s.t, err)
	var d sync.ParkedDescription
	require.NoError(s.t, value.Get(&d))
	return d
}

func TestAParkedEventIsKeptShownAndReplayed(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	routed := false
	var redelivered []string
	s.redeliver = func(_ context.Context, ev durable.Event) (activities.Redelivery, error) {
		redelivered = append(redelivered, ev.Key)
		if !routed {
			return activities.Redelivery{}, nil
		}
		return activities.Redelivery{Routed: true, WorkflowID: "lease/7"}, nil
	}
	ev := durable.Event{Source: "rentvine", Type: "lease.created", EntityID: "7", Key: "rentvine/lease", ReceivedAt: saturday}
	decision := sync.ParkedCommand{By: "op", Why: "a route exists now"}
	var early, anonymous, unrouted, replayed *updated
	s.at(time.Second, func() { early = command(s, sync.Replay, decision) })
	s.at(time.Minute, func() {
		for range 3 {
			s.env.SignalWorkflow(durable.EventReceived.Name, ev)
		}
		s.env.SignalWorkflow(durable.EventReceived.Name, "undecodable")
	})
	s.at(30*24*time.Hour, func() {
		require.Equal(t, sync.ParkedDescription{
			Source: "rentvine", Type: "lease.created", EntityID: "7", Key: "rentvine/lease", ReceivedAt: saturday,
			Repeats: 2, Unusable: 1, State: "parked",
		}, s.parked())
		anonymous = command(s, sync.Replay, sync.ParkedCommand{By: "op"})
		unrouted = command(s, sync.Replay, decision)
	})
	s.at(31*24*time.Hour, func() {
		require.Equal(t, "parked", s.parked().State)
		routed = true
		replayed = command(s, sync.Replay, decision)
	})
	require.Equal(t, sync.ParkedResult{State: "replayed", SentTo: "lease/7", By: "op", Why: "a route exists now"}, s.park())
	require.ErrorContains(t, early.err, "has not arrived yet")
	require.ErrorContains(t, anonymous.err, "who decided and why")
	require.ErrorContains(t, unrouted.err, "stays parked")
	require.NoError(t, replayed.err)
	require.Equal(t, []string{"rentvine/lease", "rentvine/lease"}, redelivered)
}

func TestAParkedEventStaysWhereRedeliveryFailsAndCanBeDiscarded(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.redeliver = func(context.Context, durable.Event) (activities.Redelivery, error) {
		return activities.Redelivery{}, errors.New("Temporal is away")
	}
	decision := sync.ParkedCommand{By: "op", Why: "a test"}
	var failed, discarded *updated
	s.at(time.Second, func() {
		s.env.SignalWorkflow(durable.EventReceived.Name, durable.Event{Source: "rentvine", Type: "strange", Key: "k"})
		failed = command(s, sync.Replay, decision)
	})
	s.at(time.Hour, func() {
		require.Equal(t, "parked", s.parked().State)
		discarded = command(s, sync.Discard, decision)
	})
	require.Equal(t, "discarded", s.park().State)
	require.Error(t, failed.err)
	require.NoError(t, discarded.err)
	require.True(t, discarded.done)
	require.True(t, strings.HasPrefix(s.parked().State, "discarded"))
}
