package worker_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/activities/progress"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/sandbox/mailbox"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
)

const (
	lawyer   = "sales@pemberton.example.com"
	agent    = "agent@oakfield.example.com"
	aDay     = 24 * time.Hour
	priyaTo  = "priya@example.com"
	reminder = "Reminder: your invitation"
	choose   = "Please choose another"
)

// invitedSale makes a sale in OpenMoove whose conveyancer is invited, and returns
// what its workflow would be told.
func (s *scenario) invitedSale() activities.SaleFacts {
	s.t.Helper()
	sale := newSale(1, sales.StandardSale)
	sale.Conveyancer, sale.EstateAgent = lawyer, agent
	_, err := s.create(sale)
	require.NoError(s.t, err)
	facts := s.handed[len(s.handed)-1]
	for i := range facts.View.Team {
		// The sandbox lives in real time, the workflow in the scenario's.
		facts.View.Team[i].InvitedAt = s.start
	}
	return facts
}

// invitation is the input that the sale gives the chase of its conveyancer.
func (s *scenario) invitation(facts activities.SaleFacts) sales.InvitationInput {
	s.t.Helper()
	in := sales.InvitationInput{
		PropertyID: facts.PropertyID, TransactionID: facts.TransactionID, RequestID: facts.RequestID,
		Address: facts.Address, Postcode: facts.Postcode, Method: facts.Method,
	}
	for _, m := range facts.View.Team {
		if m.Role == activities.Conveyancer {
			in.Member = m
		} else {
			in.Agent = &m
		}
	}
	require.False(s.t, in.Member.Active)
	return in
}

// chase runs the workflow of the invitation; during is told what to do meanwhile.
func (s *scenario) chase(in sales.InvitationInput, during func()) sales.InvitationResult {
	s.t.Helper()
	s.freshEnvironment(sales.InvitationID(in.PropertyID, in.Member.Role))
	s.env.OnSignalExternalWorkflow("default-test-namespace", sales.SaleID(in.PropertyID), "", sales.InvitationEnded.Name,
		mock.Anything).Return(nil).Maybe()
	if during != nil {
		during()
	}
	s.env.ExecuteWorkflow(sales.InvitationName, in)
	require.True(s.t, s.env.IsWorkflowCompleted())
	require.NoError(s.t, s.env.GetWorkflowError())
	var result sales.InvitationResult
	require.NoError(s.t, s.env.GetWorkflowResult(&result))
	return result
}

// lettersTo are the mails to an address whose subject begins so.
func (s *scenario) lettersTo(to, subject string) []mailbox.Mail {
	s.t.Helper()
	var all, some []mailbox.Mail
	s.call(http.MethodGet, "/_mails", nil, &all)
	for _, m := range all {
		if m.To[0] == to && strings.HasPrefix(m.Subject, subject) {
			some = append(some, m)
		}
	}
	return some
}

func (s *scenario) accept(propertyID, role string) {
	s.t.Helper()
	s.call(http.MethodPost, "/_records/openmoove/properties/"+propertyID+"/accept", map[string]string{"role": role}, nil)
}

func TestAnInvitationIsRemindedOfAndThenTheAgentIsAsked(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	in := s.invitation(s.invitedSale())
	var before sales.InvitationDescription
	result := s.chase(in, func() {
		s.at(24*aDay, func() {
			value, err := s.env.QueryWorkflow(sales.DescribeInvitation.Name)
			require.NoError(t, err)
			require.NoError(t, value.Get(&before))
		})
	})
	require.Equal(t, sales.InvitationResult{How: sales.InvitationGivenUp, Reminders: 3}, result)
	require.Len(t, s.lettersTo(lawyer, reminder), 3)
	require.Len(t, s.lettersTo(agent, choose), 1)
	require.Len(t, s.lettersTo(priyaTo, choose), 1)
	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	require.Len(t, before.Reminders, 3)
	for i, due := range []time.Duration{3 * aDay, 7 * aDay, 14 * aDay} {
		at := before.Reminders[i].At.In(london)
		require.False(t, at.Before(s.start.Add(due)))
		require.NotContains(t, []time.Weekday{time.Saturday, time.Sunday}, at.Weekday())
		require.True(t, at.Hour() >= 9 && at.Hour() < 18, at.String())
	}
	letter := s.lettersTo(lawyer, reminder)[2]
	require.Contains(t, letter.Text, "1 Larkhall Rise")
	require.NotContains(t, letter.Text, "{{")
	s.nothingTwice()
}

func TestAnAcceptedInvitationIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, accepted := range map[string]func(*scenario, sales.InvitationInput){
		"seen before the next reminder": func(*scenario, sales.InvitationInput) {},
		"told by the sale": func(s *scenario, in sales.InvitationInput) {
			s.env.SignalWorkflow(sales.InvitationSettled.Name, sales.Settled{Email: "somebody@example.com", How: sales.InvitationAccepted})
			s.env.SignalWorkflow(sales.InvitationSettled.Name, sales.Settled{Email: in.Member.Email, How: sales.InvitationAccepted})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			in := s.invitation(s.invitedSale())
			result := s.chase(in, func() {
				s.at(5*aDay, func() {
					s.accept(in.PropertyID, "conveyancer")
					accepted(s, in)
				})
			})
			require.Equal(t, sales.InvitationResult{How: sales.InvitationAccepted, Reminders: 1}, result)
			require.Len(t, s.lettersTo(lawyer, reminder), 1)
			require.Empty(t, s.lettersTo(agent, choose))
		})
	}
}

func TestWithoutATeamInTheReplyAParticipantHasAccepted(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]map[string]any{
		"no team in the detail":      {"without_team": true},
		"the older detail form gone": {"without_detail": true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			in := s.invitation(s.invitedSale())
			s.call(http.MethodPut, "/_records/openmoove/options", options, nil)
			result := s.chase(in, func() {
				s.at(10*aDay, func() { s.accept(in.PropertyID, "conveyancer") })
			})
			require.Equal(t, sales.InvitationResult{How: sales.InvitationAccepted, Reminders: 2}, result)
		})
	}
}

func TestTheAgentChoosesAnother(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	in := s.invitation(s.invitedSale())
	var told *updated
	result := s.chase(in, func() {
		s.at(18*aDay, func() {
			s.env.SignalWorkflow(durable.AnswerReceived.Name, durable.Answer{ID: "early", Choice: "choose:nobody"})
		})
		s.at(21*aDay, func() {
			told = command(s, durable.GiveAnswer, durable.Answer{ID: "q1", Choice: "choose:lawson", Via: "link"})
		})
	})
	require.NoError(t, told.err)
	require.Contains(t, told.out.(durable.Outcome).Message, "invite them in OpenMoove")
	require.Equal(t, sales.InvitationResult{How: sales.InvitationChosen, Reminders: 3, Professional: "lawson"}, result)
	require.Len(t, s.lettersTo(agent, ""), 2, "the question and the thanks")
	load, err := s.store.CaseLoad(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, load["lawson"])
}

func TestTheAgentWouldRatherWait(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	in := s.invitation(s.invitedSale())
	result := s.chase(in, func() {
		s.at(21*aDay, func() {
			s.env.SignalWorkflow(durable.AnswerReceived.Name, durable.Answer{ID: "q1", Choice: "wait"})
			s.env.SignalWorkflow(durable.AnswerReceived.Name, durable.Answer{ID: "q1", Choice: "leave"}) // the same answer again
		})
		s.at(31*aDay, func() {
			s.env.SignalWorkflow(durable.AnswerReceived.Name, durable.Answer{ID: "q2", Choice: "leave"})
		})
	})
	require.Equal(t, sales.InvitationLeft, result.How)
	require.Len(t, s.lettersTo(agent, choose), 2)
	require.Empty(t, s.lettersTo(priyaTo, ""))
}

func TestNobodyIsWrittenToWhileMessagesArePaused(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	in := s.invitation(s.invitedSale())
	require.NoError(t, s.store.SetSetting(t.Context(), "outbound_paused", "1"))
	result := s.chase(in, func() {
		s.at(4*aDay, func() {
			require.Empty(t, s.lettersTo(lawyer, ""))
			s.accept(in.PropertyID, "conveyancer")
		})
	})
	require.Equal(t, sales.InvitationResult{How: sales.InvitationAccepted}, result)
	require.Empty(t, s.lettersTo(lawyer, ""))
}

func TestACancelledChaseTellsTheSale(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	in := s.invitation(s.invitedSale())
	result := s.chase(in, func() { s.at(5*aDay, s.env.CancelWorkflow) })
	require.Equal(t, sales.InvitationResult{How: sales.InvitationCancelled, Reminders: 1}, result)
}

// follow runs the sale's workflow until during cancels it.
func (s *scenario) follow(in sales.SaleInput, during func()) {
	s.t.Helper()
	s.freshEnvironment(sales.SaleID(in.ID))
	during()
	s.env.ExecuteWorkflow(sales.SaleName, in)
	require.True(s.t, s.env.IsWorkflowCompleted())
}

func (s *scenario) describeSale() sales.SaleDescription {
	s.t.Helper()
	value, err := s.env.QueryWorkflow(sales.DescribeSale.Name)
	require.NoError(s.t, err)
	var d sales.SaleDescription
	require.NoError(s.t, value.Get(&d))
	return d
}

func saleEvent(n int, kind, id string) durable.Event {
	return durable.Event{Source: "openmoove", Type: kind, EntityID: id, Key: fmt.Sprintf("openmoove/%d", n), ReceivedAt: time.Now().UTC()}
}

func TestASaleFollowsItsInvitations(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	facts := s.invitedSale()
	id := facts.PropertyID
	var early, running, accepted sales.SaleDescription
	s.follow(sales.SaleInput{ID: id}, func() {
		// The webhook overtakes the reply of the creation, twice.
		s.at(0, func() {
			s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(1, "property.created", id))
			s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(1, "property.created", id))
		})
		s.at(time.Second, func() { early = s.describeSale() })
		s.at(2*time.Second, func() { s.env.SignalWorkflow(sales.SaleHandedOver.Name, facts) })
		s.at(time.Hour, func() { running = s.describeSale() })
		s.at(2*time.Hour, func() {
			s.accept(id, "conveyancer")
			s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(2, "property.updated", id))
		})
		s.at(3*time.Hour, func() { accepted = s.describeSale() })
		s.at(30*aDay, s.env.CancelWorkflow)
	})
	require.Empty(t, early.Origin)
	require.Equal(t, map[string]int{"property.created": 1}, early.Events)
	require.Equal(t, sales.OriginCreated, running.Origin)
	require.Contains(t, running.Team, sales.MemberSeen{Role: activities.Conveyancer, Chase: "running"})
	require.Contains(t, accepted.Team, sales.MemberSeen{Role: activities.Conveyancer, Active: true, Chase: "accepted"})
	require.Empty(t, s.lettersTo(lawyer, reminder))
}

func TestASaleMadeElsewhereIsLookedUp(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	facts := s.invitedSale()
	id := facts.PropertyID
	var known sales.SaleDescription
	s.follow(sales.SaleInput{ID: id}, func() {
		s.at(0, func() {
			s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(1, "property.milestone.updated", id))
		})
		s.at(time.Hour, func() { known = s.describeSale() })
		s.at(2*time.Hour, s.env.CancelWorkflow)
	})
	require.Equal(t, sales.OriginFound, known.Origin)
	require.Equal(t, sales.StandardSale, known.Method)
	require.Len(t, known.Team, 2)
}

func TestAnUnknownPropertyIsLookedForAgain(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	var lost sales.SaleDescription
	s.follow(sales.SaleInput{ID: "999999"}, func() {
		s.at(0, func() { s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(1, "property.updated", "999999")) })
		s.at(time.Hour/2, func() { lost = s.describeSale() })
		s.at(time.Hour, s.env.CancelWorkflow)
	})
	require.False(t, lost.LookAt.IsZero())
}

func TestAPartnerFaultDoesNotEndASale(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	facts := s.invitedSale()
	require.NoError(t, s.box.SetFault(sandbox.OpenMoove, sandbox.Fault{MalformedBody: true, Times: 3}))
	var known sales.SaleDescription
	s.follow(sales.SaleInput{ID: facts.PropertyID}, func() {
		s.at(0, func() {
			s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(1, "property.updated", facts.PropertyID))
		})
		s.at(aDay, func() { known = s.describeSale() })
		s.at(2*aDay, s.env.CancelWorkflow)
	})
	require.Equal(t, sales.OriginFound, known.Origin)
	require.Len(t, known.Team, 2)
}

// milestones are those of a property in the sandbox.
func (s *scenario) milestones(id string) []struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
} {
	s.t.Helper()
	var property struct {
		Milestones []struct {
			ID   int    `json:"id"`
			Name string `json:"name"`
		} `json:"milestones"`
	}
	s.call(http.MethodGet, "/_records/openmoove/properties/"+id, nil, &property)
	return property.Milestones
}

func (s *scenario) milestone(id string, number int, fields map[string]any) {
	s.t.Helper()
	s.call(http.MethodPut, fmt.Sprintf("/_records/openmoove/properties/%s/milestones/%d", id, number), fields, nil)
}

func TestASaleIsFollowedToItsCompletion(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	facts := s.invitedSale()
	id := facts.PropertyID
	s.accept(id, "conveyancer")
	all := s.milestones(id)
	require.Len(t, all, 6)
	events := 10
	moved := func() {
		events++
		s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(events, "property.milestone.updated", id))
	}
	var overdue, mended sales.SaleDescription
	s.freshEnvironment(sales.SaleID(id))
	s.at(0, func() { s.env.SignalWorkflow(sales.SaleHandedOver.Name, facts) })
	s.at(time.Hour, func() {
		for _, m := range all {
			s.milestone(id, m.ID, map[string]any{"due_date": nil})
		}
		s.milestone(id, all[0].ID, map[string]any{"completed": true})
		s.milestone(id, all[1].ID, map[string]any{"due_date": s.start.Add(5 * aDay).Format(time.RFC3339)})
		moved()
	})
	s.at(7*aDay, func() { overdue = s.describeSale() })
	s.at(8*aDay, func() {
		s.milestone(id, all[1].ID, map[string]any{"completed": true})
		moved()
		moved()
	})
	s.at(9*aDay, func() { mended = s.describeSale() })
	s.at(10*aDay, func() {
		for _, m := range all[2:] {
			s.milestone(id, m.ID, map[string]any{"completed": true})
		}
		moved()
	})
	s.env.ExecuteWorkflow(sales.SaleName, sales.SaleInput{ID: id})
	require.True(t, s.env.IsWorkflowCompleted())
	require.NoError(t, s.env.GetWorkflowError())
	var result sales.SaleResult
	require.NoError(t, s.env.GetWorkflowResult(&result))
	require.Equal(t, "completed", result.Outcome)

	require.Equal(t, 1, overdue.Progress.Overdue)
	require.Equal(t, progress.Red, overdue.Progress.Status)
	require.Equal(t, all[1].Name, overdue.Progress.Current.Name)
	require.Equal(t, 2, mended.Progress.Completed)
	require.NotEmpty(t, mended.Timeline)
	for _, to := range []string{agent, priyaTo} {
		require.Len(t, s.lettersTo(to, "Sale of 1 Larkhall Rise, London: Overdue"), 1, to)
		require.Len(t, s.lettersTo(to, "Sale of 1 Larkhall Rise, London: Back on track"), 1, to)
		require.Len(t, s.lettersTo(to, "Sale of 1 Larkhall Rise, London: Completed"), 1, to)
	}
	require.Len(t, s.lettersTo(agent, "Sale of 1 Larkhall Rise, London: Due soon, Legal Pack Preparation"), 1)
	load, err := s.store.CaseLoad(t.Context())
	require.NoError(t, err)
	require.Empty(t, load, "its professionals are free")
	s.nothingTwice()
}

// The run after continue-as-new knows what the one before it knew.
func TestASaleContinuesAsNewWithAllThatItKnows(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	facts := s.invitedSale()
	id := facts.PropertyID
	var before, after sales.SaleDescription
	s.freshEnvironment(sales.SaleID(id))
	s.at(0, func() { s.env.SignalWorkflow(sales.SaleHandedOver.Name, facts) })
	s.at(time.Hour, func() {
		before = s.describeSale()
		s.env.SetContinueAsNewSuggested(true)
		s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(1, "property.created", id))
	})
	s.env.ExecuteWorkflow(sales.SaleName, sales.SaleInput{ID: id})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, s.env.GetWorkflowError(), &next)
	var in sales.SaleInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	s.freshEnvironment(sales.SaleID(id))
	s.env.SetStartTime(s.start.Add(time.Hour))
	s.env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil).Maybe()
	s.at(time.Minute, func() {
		s.env.SignalWorkflow(durable.EventReceived.Name, saleEvent(1, "property.created", id)) // taken before
	})
	s.at(2*time.Minute, func() { after = s.describeSale() })
	s.at(3*time.Minute, s.env.CancelWorkflow)
	s.env.ExecuteWorkflow(sales.SaleName, in)
	before.Events = map[string]int{"property.created": 1}
	require.Equal(t, before, after)
}
