package sales

import (
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
	s.saw(v, now)
	s.changed(before, now)
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
	people := s.recipients(tell[0], d.Settings)
	require.Equal(t, []string{"agent@example.com", d.Settings.Manager.Email}, []string{people[0].Email, people[1].Email})
	letter, err := s.alertLetter(tell[0], people[0], d.Settings)
	require.NoError(t, err)
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
	require.True(t, s.ReadMilestones)
	s.look(steps(2, time.Time{}), wednesday.Add(time.Hour))
	s.judge(r, wednesday.Add(time.Hour))
	require.False(t, s.over(wednesday.Add(2*restsFor)), "a milestone was reopened")
}

func TestHeldLettersStayInTheOutbox(t *testing.T) {
	t.Parallel()
	s := begun()
	require.Zero(t, s.sendAt())
	s.Outbox = []activities.Message{{Step: "a"}, {Step: "b"}, {Step: "c"}}
	s.posted([]activities.Sent{{Step: "a", Outcome: activities.MessageSent}, {Step: "b", Outcome: activities.MessageHeld}}, wednesday)
	require.Len(t, s.Outbox, 1)
	require.Equal(t, "b", s.Outbox[0].Step)
	require.Equal(t, wednesday.Add(time.Hour), s.sendAt())
}
