package sales

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/professionals"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/workflows/durable"
)

// wednesday is a working day, 12:00 in London.
var wednesday = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

func rules(t *testing.T) activities.Directory {
	t.Helper()
	p, err := policy.Load(policy.BuiltIn)
	require.NoError(t, err)
	return activities.Directory{Settings: p.Sales()}
}

func invited() InvitationInput {
	agent := activities.TeamMember{Role: activities.EstateAgent, Email: "agent@example.com", Name: "Olivia", Active: true}
	return InvitationInput{
		PropertyID: "7", Agent: &agent, Method: StandardSale, Address: "1 High Street", Postcode: "SW1A 1AA",
		Member: activities.TeamMember{Role: activities.Conveyancer, Email: "lawyer@example.com", InvitedAt: wednesday},
	}
}

func TestTheStepsOfAChase(t *testing.T) {
	t.Parallel()
	reminded := func(times ...time.Duration) []Reminder {
		var out []Reminder
		for i, after := range times {
			out = append(out, Reminder{Number: i + 1, At: wednesday.Add(after), Outcome: "sent"})
		}
		return out
	}
	all := reminded(5*day, 7*day, 14*day)
	for name, c := range map[string]struct {
		state  invitationState
		change func(*InvitationInput)
		want   step
	}{
		// Three days after a Wednesday is a Saturday.
		"the first reminder waits for Monday": {want: step{kind: stepRemind, number: 1, at: wednesday.Add(5*day - 3*time.Hour)}},
		"the second comes after a week":       {state: invitationState{Reminders: all[:1]}, want: step{kind: stepRemind, number: 2, at: wednesday.Add(7 * day)}},
		"the third after two":                 {state: invitationState{Reminders: all[:2]}, want: step{kind: stepRemind, number: 3, at: wednesday.Add(14 * day)}},
		"then the agent is asked":             {state: invitationState{Reminders: all}, want: step{kind: stepAsk, number: 1, at: wednesday.Add(19*day - 3*time.Hour)}},
		"or the manager, where there is no agent": {state: invitationState{Reminders: all},
			change: func(in *InvitationInput) { in.Agent = nil }, want: step{kind: stepAsk, number: 1, manager: true, at: wednesday.Add(19*day - 3*time.Hour)}},
		"the manager is asked where the agent is silent": {state: invitationState{Reminders: all, Asked: []Asked{{Whom: toAgent, At: wednesday.Add(20 * day)}}},
			want: step{kind: stepAsk, number: 2, manager: true, at: wednesday.Add(27 * day)}},
		"and then it is given up": {state: invitationState{Reminders: all, Asked: []Asked{{Whom: toAgent, At: wednesday}, {Whom: toManager, At: wednesday.Add(20 * day)}}},
			want: step{kind: stepGiveUp, at: wednesday.Add(27 * day)}},
		"who wants to wait is asked again": {state: invitationState{Reminders: all, WaitUntil: wednesday.Add(28 * day), Asked: []Asked{{Whom: toAgent, At: wednesday.Add(20 * day)}}},
			want: step{kind: stepAsk, number: 2, at: wednesday.Add(28 * day)}},
		"but not for ever": {state: invitationState{Reminders: all, WaitUntil: wednesday.Add(60 * day), Asked: []Asked{{}, {}, {}, {Whom: toAgent, At: wednesday.Add(20 * day)}}},
			want: step{kind: stepGiveUp, at: wednesday.Add(27 * day)}},
		"what is held waits": {state: invitationState{HeldUntil: wednesday.Add(6 * day)}, want: step{kind: stepRemind, number: 1, at: wednesday.Add(6 * day)}},
		"an adopted invitation gets only what is still to come": {change: func(in *InvitationInput) { in.QuietUntil = wednesday.Add(10 * day) },
			want: step{kind: stepRemind, number: 3, at: wednesday.Add(14 * day)}},
		"an old one is left alone": {change: func(in *InvitationInput) { in.QuietUntil = wednesday.Add(40 * day) },
			want: step{kind: stepLeave, at: wednesday.Add(40 * day)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := invited()
			if c.change != nil {
				c.change(&in)
			}
			require.Equal(t, c.want, c.state.next(in, rules(t)))
		})
	}
}

func TestAProfessionalsOwnHoursCount(t *testing.T) {
	t.Parallel()
	d := rules(t)
	d.Known = &policy.Professional{Hours: policy.WorkingHours{Days: []string{"sat"}, From: policy.TimeOfDay(10 * 60), To: policy.TimeOfDay(16 * 60)}}
	var s invitationState
	require.Equal(t, wednesday.Add(3*day), s.next(invited(), d).at)
}

func TestWhatOpenMooveShowsOfAnInvitation(t *testing.T) {
	t.Parallel()
	m := invited().Member
	other := activities.TeamMember{Role: m.Role, Email: "other@example.com"}
	active := m
	active.Active, active.Email = true, "Lawyer@Example.com"
	for name, c := range map[string]struct {
		view activities.SaleView
		want InvitationEnd
	}{
		"open":                       {activities.SaleView{TeamKnown: true, Team: []activities.TeamMember{m}}, ""},
		"accepted, whatever case":    {activities.SaleView{TeamKnown: true, Team: []activities.TeamMember{active}}, InvitationAccepted},
		"somebody else":              {activities.SaleView{TeamKnown: true, Team: []activities.TeamMember{other}}, InvitationReplaced},
		"nobody in the role":         {activities.SaleView{TeamKnown: true}, InvitationReplaced},
		"no team, not a participant": {activities.SaleView{}, ""},
		"no team, a participant":     {activities.SaleView{Joined: []string{"x@example.com", "LAWYER@example.com"}}, InvitationAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, settledBy(c.view, m))
		})
	}
}

func TestAnswersOfTheAgent(t *testing.T) {
	t.Parallel()
	asked := func() *invitationState {
		return &invitationState{Asked: []Asked{{Whom: toAgent, At: wednesday}},
			Offered: []professionals.Choice{{Professional: policy.Professional{ID: "lawson", Firm: "Lawson"}}}}
	}
	s := asked()
	require.False(t, s.answer(durable.Answer{Choice: "choose:lawson"}, wednesday).Late)
	require.Equal(t, InvitationChosen, s.How)
	require.Equal(t, "lawson", s.Chosen)
	require.True(t, s.answer(durable.Answer{Choice: "leave"}, wednesday).Late, "settled meanwhile")
	require.Equal(t, InvitationChosen, s.How)

	s = asked()
	require.True(t, s.answer(durable.Answer{Choice: "choose:somebody"}, wednesday).Late, "never offered")
	require.Empty(t, s.How)

	s = asked()
	s.answer(durable.Answer{Choice: "wait"}, wednesday)
	require.Equal(t, wednesday.Add(7*day), s.WaitUntil)
	require.True(t, s.Changed)

	s = asked()
	s.answer(durable.Answer{Choice: "leave"}, wednesday)
	require.Equal(t, InvitationLeft, s.How)

	require.True(t, new(invitationState).answer(durable.Answer{Choice: "leave"}, wednesday).Late, "nobody asked")
}
