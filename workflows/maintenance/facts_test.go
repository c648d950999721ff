package maintenance

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// paging is a response with one page out.
func paging() *State {
	s := &State{OpenedAt: opened, Settings: onCall(), Stage: StagePaging, NextPageAt: opened.Add(5 * time.Minute)}
	s.Settings.Technicians = []policy.Technician{
		{ID: "31", Person: policy.Person{ID: "tina"}}, {ID: "32", Person: policy.Person{ID: "tom"}},
	}
	s.Pages = []Page{{Step: "page/1/alice", Person: "alice", Round: 1, Try: 1, At: opened}}
	return s
}

// dispatching is a response that offers its job to two technicians.
func dispatching() *State {
	s := paging()
	s.acknowledge(Mark{By: "alice", Via: "sms", At: opened})
	s.Offers = []Offer{{Step: "offer/1/tina", Technician: "tina"}, {Step: "offer/2/tom", Technician: "tom"}}
	return s
}

func said(id, step, person, choice string) durable.Answer {
	return durable.Answer{ID: id, Step: step, Person: person, Choice: choice, Via: "sms"}
}

func TestAnAcknowledgementStopsTheLadderOnce(t *testing.T) {
	t.Parallel()
	s := paging()
	now := opened.Add(time.Minute)
	require.False(t, s.answer(said("1", "page/1/alice", "alice", choiceAcknowledge), repair.Circumstances{}, now).Late)
	require.Equal(t, StageDispatching, s.Stage)
	first := *s.Acknowledged

	repeated := s.answer(said("1", "page/1/alice", "alice", choiceAcknowledge), repair.Circumstances{}, now.Add(time.Second))
	require.Equal(t, "Thank you, you are on it. We tell the tenant and send a technician.", repeated.Message)

	late := s.answer(said("2", "page/2/bob", "bob", choiceAcknowledge), repair.Circumstances{}, now.Add(time.Minute))
	require.True(t, late.Late)
	require.Equal(t, 1, s.Late)
	require.Equal(t, first, *s.Acknowledged)
}

func TestADeclinePagesTheNextAtOnce(t *testing.T) {
	t.Parallel()
	s := paging()
	now := opened.Add(time.Minute)
	s.answer(said("1", "page/1/alice", "alice", choiceDecline), repair.Circumstances{}, now)
	require.Equal(t, StagePaging, s.Stage)
	require.Equal(t, now, s.NextPageAt)
	person, _, _, _, ok := nextPage(s.Pages, s.Settings, s.OpenedAt, now)
	require.True(t, ok)
	require.Equal(t, "bob", person.ID)
}

func TestImpossibleAnswersAreCountedAndChangeNothing(t *testing.T) {
	t.Parallel()
	for _, a := range []durable.Answer{
		said("1", "page/1/alice", "alice", "explode"), said("2", "no such step", "alice", choiceAccept), said("3", "", "", ""),
	} {
		s := paging()
		require.True(t, s.answer(a, repair.Circumstances{}, opened).Late)
		require.Equal(t, StagePaging, s.Stage)
		require.Equal(t, 1, s.Unusable)
	}
}

func TestTheFirstToAcceptGetsTheJob(t *testing.T) {
	t.Parallel()
	s := dispatching()
	require.False(t, s.answer(said("1", "offer/2/tom", "tom", choiceAccept), repair.Circumstances{}, opened).Late)
	require.Equal(t, "tom", s.Job.Technician)
	require.Equal(t, "32", s.Job.UserID)
	require.True(t, s.answer(said("2", "offer/1/tina", "tina", choiceAccept), repair.Circumstances{}, opened).Late)
	require.Equal(t, "tom", s.Job.Technician)
}

func TestTheJobRunsToTheRepair(t *testing.T) {
	t.Parallel()
	s := dispatching()
	s.answer(said("1", "offer/1/tina", "tina", choiceAccept), repair.Circumstances{}, opened)
	require.True(t, s.answer(said("2", "on_site/1-tina/tina", "tom", choiceOnSite), repair.Circumstances{}, opened).Late, "only who has the job is on site")
	s.answer(said("3", "on_site/1-tina/tina", "tina", choiceOnSite), repair.Circumstances{}, opened)
	require.Equal(t, StageOnSite, s.Stage)
	s.answer(said("4", "done/1-tina/tina", "tina", choiceDone), repair.Circumstances{}, opened)
	require.Equal(t, StageRepaired, s.Stage)
	require.True(t, s.answer(said("5", "done/1-tina/tina", "tina", choiceGiveUp), repair.Circumstances{}, opened).Late)
}

func TestATechnicianWhoGivesUpIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	s := dispatching()
	s.answer(said("1", "offer/1/tina", "tina", choiceAccept), repair.Circumstances{}, opened)
	s.answer(said("2", "on_site/1-tina/tina", "tina", choiceGiveUp), repair.Circumstances{}, opened.Add(time.Minute))
	require.Nil(t, s.Job)
	require.Equal(t, StageDispatching, s.Stage)
	require.Equal(t, opened.Add(time.Minute), s.NextOfferAt)
	require.True(t, s.asked()["tina"])
}

func TestWhatRentVineSaysDecides(t *testing.T) {
	t.Parallel()
	order := func(status int, user string) activities.Report {
		return activities.Report{Found: true, WorkOrder: activities.Order{PrimaryStatus: status, AssignedUserID: user}}
	}
	for _, c := range []struct {
		name  string
		after activities.Report
		stage Stage
		ended Stage
	}{
		{"nothing changed", order(activities.StatusPending, ""), StagePaging, ""},
		{"taken up", order(activities.StatusOpen, ""), StageDispatching, ""},
		{"put on hold by a person", order(activities.StatusOnHold, ""), StageDispatching, ""},
		{"assigned", order(activities.StatusPending, "31"), StageDispatching, ""},
		{"closed", order(activities.StatusClosed, ""), StagePaging, StageClosed},
		{"cancelled", order(activities.StatusCancelled, ""), StagePaging, StageCancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := paging()
			s.Report = order(activities.StatusPending, "")
			s.readAgain(c.after, opened)
			require.Equal(t, c.stage, s.Stage)
			if c.ended == "" {
				require.Nil(t, s.Ended)
				return
			}
			require.Equal(t, c.ended, s.Ended.Outcome)
		})
	}
}

func TestAStatusInWordsCountsOnlyWhereRentVineDoesNotKnowTheOrder(t *testing.T) {
	t.Parallel()
	s := paging()
	s.Data = json.RawMessage(`{"status":"cancelled"}`)
	s.readAgain(activities.Report{Found: true, WorkOrder: activities.Order{PrimaryStatus: activities.StatusPending}}, opened)
	require.Nil(t, s.Ended)
	s.readAgain(activities.Report{}, opened)
	require.Equal(t, StageCancelled, s.Ended.Outcome)
}

func TestReopenedAfterTheEnd(t *testing.T) {
	t.Parallel()
	s := paging()
	s.end(StageClosed, Mark{By: "rentvine", Via: "rentvine", At: opened})
	s.readAgain(activities.Report{Found: true, WorkOrder: activities.Order{PrimaryStatus: activities.StatusOpen}}, opened)
	require.True(t, s.Reopened)
}

func TestAnUndeliveredMessageGoesByTheNextChannel(t *testing.T) {
	t.Parallel()
	s := paging()
	s.Notices = []Notice{{Step: "page/1/alice", Channels: []activities.Channel{activities.SMS, activities.Mail}}}
	again := s.messageFailed(durable.MessageFailure{Step: "page/1/alice", Status: "undelivered"}, repair.Circumstances{}, opened.Add(time.Minute))
	require.Equal(t, []activities.Channel{activities.Mail}, again.Channels)
	require.Equal(t, opened.Add(time.Minute), s.NextPageAt, "and the next person is paged at once")
	require.True(t, s.Pages[0].Failed)
	require.Nil(t, s.messageFailed(durable.MessageFailure{Step: "unknown"}, repair.Circumstances{}, opened))
}

func TestTheStateStaysBounded(t *testing.T) {
	t.Parallel()
	s := paging()
	for range 2000 {
		s.note(opened, "something", "")
		s.answer(said(time.Duration(len(s.Answered)).String(), "page/1/alice", "alice", "nonsense"), repair.Circumstances{}, opened)
	}
	require.Len(t, s.Timeline, maxTimeline)
	require.LessOrEqual(t, len(s.Answered), maxAnswered)
	for range 4 * maxJoined {
		s.welcome(Joined{WorkOrderID: time.Duration(len(s.Joined)).String()})
	}
	require.LessOrEqual(t, len(s.Joined), 2*maxJoined)
}
