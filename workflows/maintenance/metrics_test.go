package maintenance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities/triage"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

func TestAPromiseIsJudgedOnceItsOutcomeIsCertain(t *testing.T) {
	t.Parallel()
	at := func(minutes int) *Mark {
		return &Mark{At: time.Date(2026, 11, 2, 8, minutes, 0, 0, time.UTC)}
	}
	for _, c := range []struct {
		name                        string
		state                       State
		acknowledge, accept, onSite string
	}{
		{name: "nobody has answered"},
		{name: "not an emergency", state: State{Repair: &repair.State{Worker: &repair.Worker{At: at(1).At}}, Ended: &End{}}},
		{name: "somebody is on it", state: State{Acknowledged: at(1)}, acknowledge: promiseKept},
		{
			name:        "a technician may still give the job back",
			state:       State{Acknowledged: at(1), Job: &Job{Accepted: *at(2), OnSite: at(3)}},
			acknowledge: promiseKept,
		},
		{
			name:        "given back, and not taken again in time",
			state:       State{Acknowledged: at(1), Missed: []SLA{SLAAccept}},
			acknowledge: promiseKept, accept: promiseMissed,
		},
		{
			name:        "repaired, but late on site",
			state:       State{Acknowledged: at(1), Job: &Job{Accepted: *at(2), OnSite: at(3), Repaired: at(4)}, Missed: []SLA{SLAOnSite}},
			acknowledge: promiseKept, accept: promiseKept, onSite: promiseMissed,
		},
		{
			name:        "ended on the way",
			state:       State{Acknowledged: at(1), Job: &Job{Accepted: *at(2)}, Ended: &End{}},
			acknowledge: promiseKept, accept: promiseKept,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.acknowledge, c.state.judged(SLAAcknowledge))
			require.Equal(t, c.accept, c.state.judged(SLAAccept))
			require.Equal(t, c.onSite, c.state.judged(SLAOnSite))
		})
	}
}

func TestHowLongAWorkOrderTookIsMeasuredFromWhenItWasUrgent(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	at := func(minutes int) Mark { return Mark{At: began.Add(time.Duration(minutes) * time.Minute)} }
	mark := func(minutes int) *Mark { m := at(minutes); return &m }

	ordinary := &State{OpenedAt: began, Stage: StageRepairing, Repair: &repair.State{Worker: &repair.Worker{At: at(60).At}, Work: &repair.Work{At: at(180).At}}}
	took, severity, ok := ordinary.acknowledgedIn()
	require.True(t, ok)
	require.Equal(t, time.Hour, took)
	require.Equal(t, kindOrdinary, severity)
	_, _, ok = ordinary.repairedIn("7")
	require.False(t, ok, "it has not been closed")
	ordinary.Ended = &End{Mark: at(200), Outcome: StageClosed}
	took, kind, ok := ordinary.repairedIn("7")
	require.True(t, ok)
	require.Equal(t, 3*time.Hour, took)
	require.Equal(t, kindOrdinary, kind)

	raised := &State{OpenedAt: began, EmergencyAt: at(100).At, Assessment: triage.Assessment{Emergency: true, LifeSafety: true}, Stage: StagePaging}
	_, _, ok = raised.acknowledgedIn()
	require.False(t, ok)
	// A technician whom an operator has sent is the first who has it.
	raised.Acknowledged, raised.Job = mark(110), &Job{Accepted: at(105), OnSite: mark(120), Repaired: mark(160)}
	took, severity, ok = raised.acknowledgedIn()
	require.True(t, ok)
	require.Equal(t, 5*time.Minute, took)
	require.Equal(t, kindLifeSafety, severity)
	took, kind, ok = raised.repairedIn("7")
	require.True(t, ok)
	require.Equal(t, time.Hour, took)
	require.Equal(t, kindEmergency, kind)
}

func TestNothingIsCountedTwice(t *testing.T) {
	t.Parallel()
	s := &State{}
	require.True(t, s.once("repaired"))
	require.False(t, s.once("repaired"))
	require.True(t, s.once("promise/accept"))
}

func TestEveryStateOfThePromisesCanBeCounted(t *testing.T) {
	t.Parallel()
	states := SLAStates()
	for _, s := range []State{
		{}, {Missed: []SLA{SLAAcknowledge}}, {Missed: []SLA{SLAAccept}}, {Missed: []SLA{SLAOnSite}},
		{Acknowledged: &Mark{At: time.Now()}, Job: &Job{Accepted: Mark{At: time.Now()}, OnSite: &Mark{At: time.Now()}}},
	} {
		require.Contains(t, states, s.slaState())
	}
	for _, late := range []bool{false, true} {
		require.Contains(t, states, (&RepairDescription{Late: late}).sla())
	}
}
