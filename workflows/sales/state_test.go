package sales

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows/durable"
)

func member(role activities.Role, email string, active bool) activities.TeamMember {
	return activities.TeamMember{Role: role, Email: email, Active: active, InvitedAt: wednesday}
}

func view(team ...activities.TeamMember) activities.SaleView {
	return activities.SaleView{TeamKnown: true, Team: team, Method: StandardSale, Address: "1 High Street", Postcode: "SW1A 1AA"}
}

func facts(origin string, v *activities.SaleView) activities.SaleFacts {
	return activities.SaleFacts{
		Origin: origin, RequestID: "request", PropertyID: "7", TransactionID: "uuid", Address: "1 High Street", Postcode: "SW1A 1AA",
		Method: StandardSale, View: v, Team: []activities.Assigned{{Role: activities.Conveyancer, Email: "lawyer@example.com"}},
	}
}

func begun() *SaleState { return &SaleState{PropertyID: "7", BeganAt: wednesday} }

// heard is the kind of every chase to do.
func heard(s *SaleState) (begin []string, settle map[string]InvitationEnd) {
	settle = map[string]InvitationEnd{}
	for _, c := range s.chases() {
		if c.begin {
			begin = append(begin, c.member.Email)
		} else {
			settle[c.member.Email] = c.settled.How
		}
	}
	return begin, settle
}

func TestAWebhookThatOvertakesTheCreationWaitsForIt(t *testing.T) {
	t.Parallel()
	s := begun()
	s.event(durable.Event{Type: "property.created"}, wednesday)
	require.Equal(t, wednesday.Add(time.Minute), s.lookAt(time.Minute), "nobody has handed it over")
	v := view(member(activities.Conveyancer, "lawyer@example.com", false))
	s.handedOver(facts(OriginCreated, &v), wednesday)
	require.Zero(t, s.lookAt(time.Minute))
	require.True(t, s.BornHere)
	require.Equal(t, OriginCreated, s.Origin)
	begin, _ := heard(s)
	require.Equal(t, []string{"lawyer@example.com"}, begin)

	before, err := json.Marshal(s)
	require.NoError(t, err)
	s.handedOver(facts(OriginCreated, &v), wednesday.Add(time.Hour))
	after, err := json.Marshal(s)
	require.NoError(t, err)
	require.JSONEq(t, string(before), string(after), "the same facts twice")
}

func TestTheWebhookBringsTheUUIDOfALostReply(t *testing.T) {
	t.Parallel()
	s := begun()
	f := facts(OriginCreated, nil)
	f.TransactionID = ""
	s.handedOver(f, wednesday)
	s.event(durable.Event{Type: "property.created", Data: json.RawMessage(`{"property_id":7,"property":{"transactionId":"uuid"}}`)}, wednesday)
	s.event(durable.Event{Type: "property.updated", Data: json.RawMessage(`{"property":"odd"}`)}, wednesday)
	require.Equal(t, "uuid", s.describe().TransactionID)
}

func TestAnImportedSaleWaitsForThePollingToShowIt(t *testing.T) {
	t.Parallel()
	s := begun()
	s.handedOver(facts(OriginImported, nil), wednesday)
	require.Zero(t, s.lookAt(time.Minute))
	require.Empty(t, s.chases())
	s.saw(view(member(activities.Conveyancer, "lawyer@example.com", false), member(activities.EstateAgent, "agent@example.com", true)), wednesday.Add(time.Hour))
	require.Zero(t, s.lookAt(time.Minute))
	begin, _ := heard(s)
	require.Equal(t, []string{"lawyer@example.com"}, begin)
	in := s.invitation(s.Team[0], durable.Clock{}, wednesday.Add(time.Hour))
	require.Zero(t, in.QuietUntil, "we have seen it come into being")
	require.Equal(t, "agent@example.com", in.Agent.Email)
}

func TestASaleThatWasThereBeforeIsAdoptedSilently(t *testing.T) {
	t.Parallel()
	s := begun()
	s.event(durable.Event{Type: "property.milestone.updated"}, wednesday)
	s.saw(view(member(activities.Conveyancer, "lawyer@example.com", false)), wednesday.Add(time.Hour))
	require.Equal(t, OriginFound, s.Origin)
	require.False(t, s.BornHere)
	require.Equal(t, wednesday.Add(time.Hour), s.invitation(s.Team[0], durable.Clock{}, wednesday.Add(time.Hour)).QuietUntil)

	made := begun()
	made.event(durable.Event{Type: "property.created"}, wednesday)
	made.saw(view(member(activities.Conveyancer, "lawyer@example.com", false)), wednesday.Add(time.Hour))
	require.True(t, made.BornHere, "made in OpenMoove itself, just now")
}

func TestAcceptanceAndReplacementSettleAChase(t *testing.T) {
	t.Parallel()
	s := begun()
	v := view(member(activities.Conveyancer, "lawyer@example.com", false))
	s.handedOver(facts(OriginCreated, &v), wednesday)
	s.begun(s.Team[0])
	require.Empty(t, s.chases(), "it runs")

	s.event(durable.Event{Type: "property.updated"}, wednesday.Add(time.Hour))
	require.Equal(t, wednesday.Add(time.Hour), s.lookAt(0), "somebody may have joined")
	s.saw(view(member(activities.Conveyancer, "lawyer@example.com", true)), wednesday.Add(time.Hour))
	_, settle := heard(s)
	require.Equal(t, map[string]InvitationEnd{"lawyer@example.com": InvitationAccepted}, settle)
	s.told(activities.Conveyancer, "lawyer@example.com")
	require.Empty(t, s.chases())

	// Somebody else is invited before the chase has ended: it is told first, and
	// the next one begins when it has said so.
	s.saw(view(member(activities.Conveyancer, "other@example.com", false)), wednesday.Add(2*time.Hour))
	require.Empty(t, s.chases())
	s.invitationEnded(InvitationOutcome{Role: activities.Conveyancer, Email: "lawyer@example.com", How: InvitationAccepted}, wednesday)
	begin, settle := heard(s)
	require.Equal(t, []string{"other@example.com"}, begin)
	require.Empty(t, settle)
}

func TestWithoutATeamParticipantsTellWhoHasJoined(t *testing.T) {
	t.Parallel()
	s := begun()
	s.handedOver(facts(OriginImported, nil), wednesday)
	s.saw(activities.SaleView{Joined: []string{"seller@example.com"}}, wednesday.Add(day))
	begin, _ := heard(s)
	require.Equal(t, []string{"lawyer@example.com"}, begin)
	require.Equal(t, wednesday, s.Team[0].InvitedAt, "as far as we know, when the sale began")
	s.begun(s.Team[0])
	s.saw(activities.SaleView{Joined: []string{"seller@example.com", "Lawyer@Example.com"}}, wednesday.Add(2*day))
	_, settle := heard(s)
	require.Equal(t, map[string]InvitationEnd{"lawyer@example.com": InvitationAccepted}, settle)
}

func TestALookThatFailsIsTriedLater(t *testing.T) {
	t.Parallel()
	s := begun()
	s.lookFailed(wednesday)
	require.Equal(t, wednesday.Add(time.Hour), s.lookAt(0))
	for range 100 {
		s.lookFailed(wednesday)
	}
	require.Equal(t, wednesday.Add(maxLookPause), s.lookAt(0))
}

func TestMissingMilestonesAreKept(t *testing.T) {
	t.Parallel()
	s := begun()
	v := view()
	v.MilestonesKnown, v.Missing = true, []string{"Completion"}
	s.saw(v, wednesday)
	require.False(t, s.Verified, "OpenMoove may only be late")
	require.Equal(t, wednesday.Add(lookAgain), s.LookFrom)
	s.looked(v, wednesday.Add(lookAgain))
	require.True(t, s.Verified)
	require.Equal(t, []string{"Completion"}, s.describe().MissingMilestones)
	require.Zero(t, s.LookFrom)
	s.saw(view(), wednesday)
	require.Equal(t, []string{"Completion"}, s.Missing, "a look that did not ask leaves it")
	s.event(durable.Event{Type: "property.milestone.created"}, wednesday)
	v.Missing = nil
	s.looked(v, wednesday.Add(2*lookAgain))
	require.True(t, s.Verified)
	require.Empty(t, s.Missing)
}

func TestAnInvitationOfUnknownAgeIsNotChasedInASaleThatWasThereBefore(t *testing.T) {
	t.Parallel()
	m := member(activities.Conveyancer, "lawyer@example.com", false)
	m.InvitedAt = time.Time{}
	found := begun()
	found.saw(view(m), wednesday)
	require.Empty(t, found.chases())
	ours := begun()
	ours.handedOver(facts(OriginImported, nil), wednesday)
	ours.saw(view(m), wednesday.Add(3*day))
	require.Len(t, ours.chases(), 1)
	require.Equal(t, wednesday, ours.Team[0].InvitedAt)
}
