package sales

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/workflows/durable"
)

// steps are the milestones of a sale, so many of them completed; the first that is
// not is due at a time.
func steps(completed int, due time.Time) []activities.Milestone {
	names := []string{"Instruction", "Legal Pack Preparation", "Completion"}
	var out []activities.Milestone
	for i, name := range names {
		m := activities.Milestone{ID: string(rune('1' + i)), Name: name, Order: i + 1}
		if i < completed {
			m.Completed, m.CompletedAt = true, wednesday
		} else if i == completed {
			m.DueAt = due
		}
		out = append(out, m)
	}
	return out
}

func followed(t *testing.T, completed int, due time.Time) (*SaleState, activities.Directory, progress.Rules) {
	t.Helper()
	d := rules(t)
	s := begun()
	v := view(member(activities.EstateAgent, "agent@example.com", true))
	v.MilestonesKnown, v.Milestones = true, steps(completed, due)
	s.handedOver(facts(OriginCreated, &v), wednesday)
	return s, d, progress.RulesOf(d.Settings, string(StandardSale))
}

// look is another look at the sale.
func (s *SaleState) look(milestones []activities.Milestone, now time.Time) {
	before := s.snapshot()
	v := view(s.Team...)
	v.MilestonesKnown, v.Milestones = true, milestones
	v.ReadAt = now
	s.looked(v, now)
	s.changed(before, v, now)
}

func TestAnAlertIsToldOnceToTheRightPeople(t *testing.T) {
	t.Parallel()
	due := wednesday.Add(10 * day)
	s, d, r := followed(t, 1, due)
	require.Equal(t, s.BeganAt, s.judgeAt(), "what is fresh is judged at once")
	require.Empty(t, s.judge(r, wednesday))
	require.True(t, s.judgeAt().After(wednesday))

	late := due.Add(2 * day)
	tell := s.judge(r, late)
	require.Len(t, tell, 1)
	require.Equal(t, progress.Overdue, tell[0].Kind)
	people := s.recipients(tell[0].To, d.Settings)
	require.Equal(t, []string{"agent@example.com", d.Settings.Manager.Email}, []string{people[0].Email, people[1].Email})
	letters, err := s.letters(tell, nil, d.Settings)
	require.NoError(t, err)
	require.Len(t, letters, 2)
	letter := letters[0]
	require.Contains(t, letter.Subject, "Overdue, Legal Pack Preparation")
	require.Contains(t, letter.Text, "33 %")
	require.NotContains(t, letter.Text, "{{")

	require.Empty(t, s.judge(r, late.Add(time.Hour)), "the same state again")
	s.look(steps(1, due), late.Add(2*time.Hour))
	require.Empty(t, s.judge(r, late.Add(2*time.Hour)))
	require.Empty(t, s.Course.Timeline, "nothing has changed")

	s.look(steps(2, late.Add(30*day)), late.Add(day))
	tell = s.judge(r, late.Add(day))
	require.Len(t, tell, 1)
	require.Equal(t, progress.BackOnTrack, tell[0].Kind)
	require.NotEmpty(t, s.Course.Timeline)
}

func TestASaleThatWasLateBeforeUsIsAdoptedSilently(t *testing.T) {
	t.Parallel()
	s := begun()
	v := view()
	v.MilestonesKnown, v.Milestones = true, steps(0, wednesday.Add(-10*day))
	s.saw(v, wednesday)
	r := progress.RulesOf(rules(t).Settings, string(StandardSale))
	require.Empty(t, s.judge(r, wednesday))
	require.Equal(t, progress.Red, s.Course.Progress.Status)
	require.Empty(t, s.judge(r, wednesday.Add(day)))
}

func TestACompletedSaleRestsBeforeItEnds(t *testing.T) {
	t.Parallel()
	s, _, r := followed(t, 3, time.Time{})
	tell := s.judge(r, wednesday)
	require.Len(t, tell, 1)
	require.Equal(t, progress.Completed, tell[0].Kind)
	require.False(t, s.over(wednesday.Add(time.Hour)))
	require.Equal(t, wednesday.Add(restsFor), s.judgeAt())
	require.True(t, s.over(wednesday.Add(restsFor)))

	s.event(durable.Event{Type: "property.milestone.updated"}, wednesday.Add(time.Hour))
	require.True(t, s.milestonesOnly())
	s.look(steps(2, time.Time{}), wednesday.Add(time.Hour))
	s.judge(r, wednesday.Add(time.Hour))
	require.False(t, s.over(wednesday.Add(2*restsFor)), "a milestone was reopened")
}

func TestHeldLettersStayInTheOutbox(t *testing.T) {
	t.Parallel()
	s := begun()
	require.Zero(t, s.sendAt())
	s.Outbox = []activities.Message{{Step: "a"}, {Step: "b"}, {Step: "c"}}
	s.posted([]activities.Sent{{Step: "a", Outcome: activities.MessageSent}, {Step: "b", Outcome: activities.MessageHeld}}, true, wednesday)
	require.Len(t, s.Outbox, 1)
	require.Equal(t, "b", s.Outbox[0].Step)
	require.Equal(t, wednesday.Add(time.Hour), s.sendAt())
	held := []activities.Sent{{Step: "b", Outcome: activities.MessageHeld}}
	s.posted(held, true, wednesday)
	require.Equal(t, wednesday.Add(2*time.Hour), s.sendAt(), "longer each time")
	s.posted(nil, true, wednesday)
	s.Outbox = []activities.Message{{Step: "d"}}
	require.Equal(t, s.BeganAt, s.sendAt(), "a later letter does not wait for those before it")
}

// at is a view as it was read so long after Wednesday (real time).
func at(v activities.SaleView, after time.Duration) activities.SaleView {
	v.ReadAt = wednesday.Add(after)
	return v
}

// What the polling shows may arrive before or after a look of the workflow's own.
func TestAnEarlierReadSaysNothingNew(t *testing.T) {
	t.Parallel()
	s, _, _ := followed(t, 1, time.Time{})
	late := view(member(activities.EstateAgent, "new@example.com", true))
	late.MilestonesKnown, late.Milestones, late.Status = true, steps(2, time.Time{}), "Under offer"
	s.looked(at(late, time.Hour), wednesday)
	early := view(member(activities.EstateAgent, "old@example.com", true))
	early.MilestonesKnown, early.Milestones, early.Status = true, steps(0, time.Time{}), "For sale"
	s.saw(at(early, time.Minute), wednesday)
	require.Equal(t, "new@example.com", s.Team[0].Email)
	require.Equal(t, "Under offer", s.Status)
	require.True(t, s.Course.Milestones[1].Completed)

	only := activities.SaleView{TeamUnread: true, MilestonesKnown: true, Milestones: steps(3, time.Time{})}
	s.saw(at(only, 2*time.Hour), wednesday)
	require.Equal(t, "new@example.com", s.Team[0].Email, "the team was not read")
	require.True(t, s.Course.Milestones[2].Completed)

	// Two webhooks tell of one change; what was read after both arrived shows it.
	s.event(durable.Event{Type: "property.milestone.completed", ReceivedAt: wednesday.Add(90 * time.Minute)}, wednesday)
	require.Zero(t, s.LookFrom)
	s.event(durable.Event{Type: "property.updated", ReceivedAt: wednesday.Add(90 * time.Minute)}, wednesday)
	require.Equal(t, wednesday, s.LookFrom, "the team is older")
	require.False(t, s.milestonesOnly())
}

func TestChangesAreToldOnceInOneLetter(t *testing.T) {
	t.Parallel()
	s, d, r := followed(t, 1, time.Time{})
	s.judge(r, wednesday)
	before := s.snapshot()
	after := view(member(activities.EstateAgent, "agent@example.com", true), member(activities.Conveyancer, "lawyer@example.com", true))
	after.MilestonesKnown, after.Milestones, after.Status = true, steps(2, time.Time{}), "Under offer"
	s.saw(at(after, time.Hour), wednesday)
	s.changed(before, at(after, time.Hour), wednesday)
	require.Equal(t, s.BeganAt, s.judgeAt(), "news are told at once")
	letters, err := s.letters(nil, nil, d.Settings)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.Equal(t, "agent@example.com", letters[0].To.Email)
	require.Contains(t, letters[0].Text, "Legal Pack Preparation")
	require.Contains(t, letters[0].Text, "The conveyancer has joined.")
	require.NotContains(t, letters[0].Text, "The status has changed", "a status that no look has shown before is no change")
	again, err := s.letters(nil, nil, d.Settings)
	require.NoError(t, err)
	require.Empty(t, again)

	before = s.snapshot()
	after.Status = "Sold"
	s.saw(at(after, 2*time.Hour), wednesday)
	s.changed(before, at(after, 2*time.Hour), wednesday)
	second, err := s.letters(nil, nil, d.Settings)
	require.NoError(t, err)
	require.Contains(t, second[0].Text, "from “Under offer” to “Sold”")
	require.NotEqual(t, letters[0].Step, second[0].Step, "each letter is an effect of its own")
}

func TestAReportedMilestoneAwaitsOpenMoove(t *testing.T) {
	t.Parallel()
	s, d, _ := followed(t, 1, time.Time{})
	within := d.Settings.Reported.ConfirmWithin
	s.reported(MilestoneReport{Key: "a", Milestone: "legal pack preparation", By: "Case system"}, wednesday)
	require.Equal(t, wednesday, s.LookFrom, "OpenMoove may show it already")
	require.False(t, s.reportsNew())
	s.looked(at(activities.SaleView{TeamUnread: true}, time.Hour), wednesday)
	require.True(t, s.reportsNew())

	news := s.judgeReports(within, wednesday)
	require.Len(t, news, 1)
	letters, err := s.letters(nil, news, d.Settings)
	require.NoError(t, err)
	require.Len(t, letters, 2, "the agent, and the manager who stands in for the conveyancer")
	require.Contains(t, letters[0].Text, "Case system")
	require.Equal(t, ReportAwaiting, s.describe().Reported[0].State)
	require.Equal(t, wednesday.Add(within), s.confirmBy())
	require.Empty(t, s.judgeReports(within, wednesday.Add(within-time.Second)))

	news = s.judgeReports(within, wednesday.Add(within))
	require.Len(t, news, 1)
	require.Equal(t, "milestone_unconfirmed", news[0].kind)
	require.Zero(t, s.confirmBy())
	require.Empty(t, s.judgeReports(within, wednesday.Add(within)), "once")

	s.look(steps(2, time.Time{}), wednesday.Add(within+time.Hour))
	require.Empty(t, s.judgeReports(within, wednesday))
	require.Equal(t, ReportConfirmed, s.Reports[0].State)

	// One that OpenMoove shows already is nobody's news.
	s.reported(MilestoneReport{Key: "b", Milestone: "Instruction"}, wednesday)
	require.Empty(t, s.judgeReports(within, wednesday))
	require.Equal(t, ReportConfirmed, s.Reports[1].State)
}

func TestWhatIsPublishedToWhom(t *testing.T) {
	t.Parallel()
	s, d, r := followed(t, 1, wednesday.Add(day))
	alerts := s.judge(r, wednesday)
	require.Len(t, alerts, 1)
	s.look(steps(2, time.Time{}), wednesday)
	s.reported(MilestoneReport{Key: "a", Milestone: "Completion", By: "Case system"}, wednesday)
	to := []activities.Interest{{Name: "all"}, {Name: "some", Events: []string{EventMilestoneCompleted}}}
	require.NoError(t, s.publish(to, alerts, s.judgeReports(day, wednesday), d.Settings, wednesday))
	got := map[string][]string{}
	ids := map[string]bool{}
	for _, o := range s.Outgoing {
		got[o.Subscriber] = append(got[o.Subscriber], o.Event.Type)
		ids[o.Event.ID] = true
	}
	require.Equal(t, map[string][]string{
		"all": {EventMilestoneCompleted, EventMilestoneUpdated, EventAlert, EventMilestoneReported}, "some": {EventMilestoneCompleted},
	}, got)
	require.Len(t, ids, 4, "one event has one id, whoever is told")
	require.Contains(t, string(s.Outgoing[0].Event.Data), `"milestone_name":"Legal Pack Preparation"`)
	require.NoError(t, s.publish(nil, alerts, nil, d.Settings, wednesday))
}

// Several systems may report one milestone, and the policy's names are those of one
// sale method.
func TestOfReportsOfOneMilestoneTheFirstIsTold(t *testing.T) {
	t.Parallel()
	s, d, _ := followed(t, 1, time.Time{})
	within := d.Settings.Reported.ConfirmWithin
	for _, key := range []string{"a", "b"} {
		s.reported(MilestoneReport{Key: key, Milestone: "Completion"}, wednesday)
	}
	s.reported(MilestoneReport{Key: "c", Milestone: "Auction Exchange"}, wednesday)
	news := s.judgeReports(within, wednesday)
	require.Len(t, news, 1)
	require.Equal(t, "a", news[0].report.Key)
	require.Equal(t, []ReportState{ReportAwaiting, ReportRepeated, ReportWithout}, []ReportState{s.Reports[0].State, s.Reports[1].State, s.Reports[2].State})
	require.Len(t, s.judgeReports(within, wednesday.Add(within)), 1, "and so of those that are not confirmed")
	s.look(steps(3, time.Time{}), wednesday.Add(within))
	require.Empty(t, s.judgeReports(within, wednesday.Add(within)))
	require.Equal(t, []ReportState{ReportConfirmed, ReportConfirmed, ReportWithout}, []ReportState{s.Reports[0].State, s.Reports[1].State, s.Reports[2].State})
}

// The status of an adopted sale is read as soon as a webhook names its UUID; it is
// known from then on, and no change.
func TestAWebhookThatNamesTheUUIDBringsTheStatus(t *testing.T) {
	t.Parallel()
	s := begun()
	v := view(member(activities.EstateAgent, "agent@example.com", true))
	v.MilestonesKnown, v.Milestones = true, steps(1, time.Time{})
	s.saw(at(v, time.Hour), wednesday)
	s.event(durable.Event{Type: "property.updated", ReceivedAt: wednesday.Add(2 * time.Hour),
		Data: json.RawMessage(`{"property_id":7,"property":{"transactionId":"uuid"}}`)}, wednesday)
	require.Equal(t, wednesday, s.LookFrom)
	require.False(t, s.milestonesOnly())
	before := s.snapshot()
	v.TransactionID, v.Status = "uuid", "Under offer"
	s.looked(at(v, 3*time.Hour), wednesday)
	s.changed(before, at(v, 3*time.Hour), wednesday)
	require.Equal(t, "Under offer", s.Status)
	require.Empty(t, s.News)
	require.Zero(t, s.LookFrom)
}

// Whatever a webhook says, an old sale is judged silently the first time.
func TestAnOldSaleThatAWebhookBeginsIsSilent(t *testing.T) {
	t.Parallel()
	s := begun()
	s.event(durable.Event{Type: "property.created"}, wednesday)
	v := view()
	v.MilestonesKnown, v.Milestones, v.CreatedAt = true, steps(0, wednesday.Add(-10*day)), wednesday.Add(-100*day)
	s.saw(at(v, time.Hour), wednesday)
	require.True(t, s.BornHere)
	require.Empty(t, s.judge(progress.RulesOf(rules(t).Settings, string(StandardSale)), wednesday))
}
