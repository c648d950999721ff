package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

const drippingTap = "The kitchen tap drips slowly."

func TestLifeSafetyComesFirst(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.record(map[string]any{"description": "I smell gas in the kitchen."})
	s.at(time.Minute, func() {
		d := s.describe()
		require.True(t, d.LifeSafety)
		require.Equal(t, "gas", d.Category)
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.Equal(t, []string{"life_safety", "closed"}, s.got("tara"), "one text that says it all")
	require.Equal(t, []string{"page", "page_stopped"}, s.got("alma"))
	s.nothingTwice()
}

func TestALaterWordOfGasRaisesAndNoneLowers(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.at(time.Minute, func() {
		require.False(t, s.describe().LifeSafety)
		s.record(map[string]any{"description": burstPipe + " Now I smell gas, too."})
		s.tell(s.event("work_order.updated", nil))
	})
	s.at(2*time.Minute, func() {
		require.True(t, s.describe().LifeSafety)
		require.Equal(t, 1, s.count("tara", "life_safety"))
		s.record(map[string]any{"description": drippingTap})
		s.tell(s.event("work_order.updated", nil))
	})
	s.at(10*time.Minute, func() {
		d := s.describe()
		require.True(t, d.LifeSafety)
		require.Equal(t, []string{"0s alma", "3m0s alma", "6m0s ben", "9m0s ben"}, s.pages(d), "one ladder")
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.Equal(t, []string{"received", "life_safety", "closed"}, s.got("tara"))
	require.False(t, s.incidentRuns("leak"))
	s.nothingTwice()
}

// withoutRepairs leaves ordinary requests to people.
func (s *scenario) withoutRepairs(t *testing.T) {
	t.Helper()
	s.policyWith(t, "      days: [mon, tue, wed, thu, fri, sat]\n      slots", "      slots")
}

func TestAnOrdinaryRequestWaitsForTheMorning(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.withoutRepairs(t)
	s.start = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) // 22:00 in Los Angeles
	s.freshEnvironment("work-order/" + s.id)
	s.record(map[string]any{"description": drippingTap})
	s.at(time.Hour, func() {
		d := s.describe()
		require.Equal(t, maintenance.StageWaiting, d.Stage)
		require.Equal(t, 1, d.MessagesHeld)
		require.Empty(t, s.got("tara"))
		require.Len(t, s.mails("grace@example.com"), 1)
	})
	// The worker's clock is behind the server's: that must not become a busy loop.
	s.behind = 30 * time.Second
	s.at(11*time.Hour, func() {
		require.Zero(t, s.describe().MessagesHeld)
		require.Equal(t, []string{"o_received"}, s.got("tara"))
		s.status("Completed")
	})
	sends := 0
	s.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == activities.SendMessages.Name {
			sends++
		}
	})
	result := s.play(s.event("work_order.created", nil))
	require.False(t, result.Emergency)
	require.Less(t, sends, 50)
	require.Equal(t, []string{"o_received"}, s.got("tara"))
	require.Empty(t, s.got("grace"), "the manager of an ordinary request reads mail")
	require.Contains(t, s.mails("grace@example.com")[0].Text, "Not an emergency")
	s.nothingTwice()
}

func TestAnOrdinaryRequestRespectsTheDailyCap(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.withoutRepairs(t)
	s.record(map[string]any{"description": drippingTap})
	for i := range 6 {
		require.NoError(t, s.store.RecordMessage(t.Context(), store.Message{
			Key: fmt.Sprint("earlier/", i), Channel: "sms", Address: s.keys.Address(s.phone("tara")), WorkflowID: "elsewhere",
			Class: "routine", SentAt: s.start,
		}))
	}
	s.at(time.Hour, func() {
		d := s.describe()
		require.Equal(t, 1, d.MessagesHeld)
		require.Len(t, s.lines(d, "frequency cap"), 1)
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.Empty(t, s.got("tara"), "a request that has ended needs no word of its arrival")
}

func TestAnOrdinaryRequestBecomesAnEmergency(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.withoutRepairs(t)
	s.record(map[string]any{"description": drippingTap})
	s.at(time.Hour, func() {
		require.Empty(t, s.describe().Pages)
		s.record(map[string]any{"description": burstPipe})
		s.tell(s.event("work_order.updated", nil))
	})
	s.at(time.Hour+time.Minute, func() {
		d := s.describe()
		require.Equal(t, maintenance.StagePaging, d.Stage)
		require.Equal(t, []string{"1h0m0s alma"}, s.pages(d))
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	require.Equal(t, []string{"o_received", "received", "closed"}, s.got("tara"))
	s.nothingTwice()
}

func TestAnOrderThatPeopleWereOnIsAdoptedInSilence(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.record(map[string]any{"workOrderStatusID": "13"})
	s.at(time.Hour, func() {
		require.Equal(t, maintenance.StageWaiting, s.describe().Stage)
		require.Equal(t, "property_manager", s.describe().WaitingFor)
		s.status("Completed")
	})
	result := s.play(s.event("work_order.updated", nil))
	require.Equal(t, maintenance.StageClosed, result.Outcome)
	require.Empty(t, s.allTexts())
	require.Zero(t, s.calls("smtp", "MAIL", ""))
	require.Zero(t, s.calls("rentvine", "POST", ""))
}

func TestAnOrderThatIsOverAtFirstSightEndsInSilence(t *testing.T) {
	t.Parallel()
	for status, outcome := range map[string]maintenance.Stage{"15": maintenance.StageClosed, "16": maintenance.StageCancelled} {
		t.Run(string(outcome), func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			s.record(map[string]any{"workOrderStatusID": status})
			result := s.play(s.event("work_order.updated", nil))
			require.Equal(t, outcome, result.Outcome)
			require.Empty(t, s.allTexts())
			require.Zero(t, s.calls("smtp", "MAIL", ""))
		})
	}
}

func TestAPageHeldBackIsNotSentOnceSomebodyIsOnIt(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.store.SetSetting(t.Context(), "outbound_paused", "1"))
	s.at(time.Minute, func() {
		require.Empty(t, s.allTexts())
		require.Equal(t, 3, s.describe().MessagesHeld, "the page, the tenant's and the manager's")
		command(s, maintenance.Acknowledge, maintenance.Command{By: "op"})
	})
	s.at(2*time.Minute, func() {
		require.NoError(t, s.store.SetSetting(context.Background(), "outbound_paused", ""))
	})
	s.at(30*time.Minute, func() {
		require.Zero(t, s.describe().MessagesHeld)
		require.Equal(t, []string{"page_stopped"}, s.got("alma"))
		require.ElementsMatch(t, []string{"m_opened", "m_acknowledged"}, s.got("grace")[:2])
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
	s.nothingTwice()
}

func TestAPauseDoesNotHoldBackLifeSafety(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.record(map[string]any{"description": "I smell gas in the kitchen."})
	require.NoError(t, s.store.SetSetting(t.Context(), "outbound_paused", "1"))
	s.at(time.Minute, func() {
		require.Equal(t, 1, s.count("tara", "life_safety"))
		require.Equal(t, 1, s.count("alma", "page"))
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
}

// A check of ours that names smoke is no fire; what somebody adds to it may be.
func TestACheckOfOurOwnIsNoEmergency(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	text := "Smoke and carbon monoxide alarms (recurring check, number 1) [KH-check-1-smoke_alarms-1-"
	check := text + s.keys.CheckMark(text) + "]"
	s.record(map[string]any{"description": check})
	s.at(time.Hour, func() {
		require.Equal(t, maintenance.Stage(repair.Offering), s.describe().Stage)
		require.Empty(t, s.pages(s.describe()))
		require.NotNil(t, s.describe().Repair)
		s.record(map[string]any{"description": check + " They ring, there is smoke in the kitchen!"})
		s.tell(s.event("work_order.updated", nil))
	})
	s.at(time.Hour+time.Minute, func() {
		require.Equal(t, maintenance.StagePaging, s.describe().Stage)
		s.status("Completed")
	})
	s.play(s.event("work_order.created", nil))
}
