package e2e_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// Two tenants of one building report the same burst pipe: one ladder, both are
// told; when the lead's response is cancelled, the other one has its own.
func TestReportsOfOneBuildingShareOneLadder(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	lead := emergency(t, s, portland("2"))
	page(t, s, alma, 1)
	until(t, s, lead, maintenance.StagePaging)
	joined := emergency(t, s, portland("3"))
	d := until(t, s, joined, maintenance.StageJoined)
	require.Equal(t, lead, d.LeadID)
	require.Empty(t, d.Pages)
	text(t, s, "we have your report", tenant2)
	text(t, s, "has joined it", tenant3)
	text(t, s, "joined the response", "+15035550140") // Portland's manager
	d, err := s.Until(t.Context(), lead, func(d maintenance.Description) bool { return slices.Equal(d.Joined, []string{joined}) }, soon)
	require.NoError(t, err)
	require.Len(t, d.Pages, 1)
	require.Len(t, pages(t, s, ""), 1)

	_, err = maintenance.Close.Send(t.Context(), s.Client, maintenance.WorkOrderID(lead), "close",
		maintenance.Closing{Command: maintenance.Command{By: "operator", Why: "tests"}, Outcome: maintenance.StageCancelled})
	require.NoError(t, err)
	require.NoError(t, s.UntilClosed(t.Context(), lead, soon))
	second := page(t, s, alma, 2)
	require.Contains(t, second.Body, "Apt 102")
	until(t, s, joined, maintenance.StagePaging)
	require.Contains(t, reply(t, s, alma, "1"), "you are on it", "only the second page is still open")
	d = until(t, s, joined, maintenance.StageDispatching)
	require.Empty(t, d.LeadID)
	require.Equal(t, "alma", d.Acknowledged.By)
	noDuplicates(t, s)
}

var codePattern = regexp.MustCompile(`EMERGENCY ([A-Z]\d+)`)

// One on-call person is asked about two buildings at once.
func TestTwoEmergenciesOfOnePersonAreKeptApart(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	elm := emergency(t, s, nil)
	first := page(t, s, alma, 1)
	alder := emergency(t, s, portland("2"))
	second := page(t, s, alma, 2)
	codes := []string{codePattern.FindStringSubmatch(first.Body)[1], codePattern.FindStringSubmatch(second.Body)[1]}
	require.NotEqual(t, codes[0], codes[1])

	which := reply(t, s, alma, "1")
	require.Contains(t, which, "Which one?")
	require.True(t, containsAll(which, "1 "+codes[0], "1 "+codes[1], "12 Elm Street", "400 NW Alder Street"), which)
	for _, id := range []string{elm, alder} {
		until(t, s, id, maintenance.StagePaging)
	}

	require.Contains(t, reply(t, s, alma, "1 "+codes[1]), "you are on it")
	d := until(t, s, alder, maintenance.StageDispatching)
	require.Equal(t, "alma", d.Acknowledged.By)
	until(t, s, elm, maintenance.StagePaging)

	require.Contains(t, reply(t, s, alma, "1"), "you are on it", "one question is left")
	until(t, s, elm, maintenance.StageDispatching)
	noDuplicates(t, s)
}

// Gas: the tenant is told to call the emergency number before anybody is paged,
// by mail where texts were stopped.
func TestLifeSafetyReachesTheTenant(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	gas := map[string]any{"description": "There is a strong gas smell in the hallway."}
	id := emergency(t, s, gas)
	text(t, s, "call 911", tenant1)
	page(t, s, alma, 1)
	d := until(t, s, id, maintenance.StagePaging)
	require.True(t, d.LifeSafety)
	closed(t, s, id)

	reply(t, s, tenant1, "STOP")
	before, err := s.Texts(t.Context(), tenant1)
	require.NoError(t, err)
	id = emergency(t, s, gas)
	require.Eventually(t, func() bool {
		mails, err := s.Mails(t.Context(), "contact1@example.com")
		return err == nil && slices.ContainsFunc(mails, func(m e2e.Mail) bool { return strings.Contains(m.Text, "call 911") })
	}, soon, 25*time.Millisecond, "the warning by mail")
	page(t, s, alma, 2)
	until(t, s, id, maintenance.StagePaging)
	after, err := s.Texts(t.Context(), tenant1)
	require.NoError(t, err)
	require.Len(t, after, len(before), "no text after STOP")
	noDuplicates(t, s)
}

// A page that does not arrive goes by mail, and the next person is asked at once.
func TestUndeliveredPageGoesToTheNextPerson(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	require.NoError(t, s.Fault(t.Context(), "twilio", map[string]any{"delivery": "undelivered"}))
	id := emergency(t, s, nil)
	page(t, s, alma, 1)
	page(t, s, ben, 1) // long before the gap of 3 minutes
	require.NoError(t, s.Mend(t.Context(), "twilio"))
	var mails []e2e.Mail
	require.Eventually(t, func() bool {
		var err error
		mails, err = s.Mails(t.Context(), "alma@example.com")
		return err == nil && len(mails) > 0
	}, soon, 25*time.Millisecond, "the page by mail")
	require.True(t, containsAll(mails[0].Text, "EMERGENCY", "12 Elm Street"), mails[0].Text)
	said, err := s.AnswerLink(t.Context(), linkPattern.FindString(mails[0].Text), "acknowledge")
	require.NoError(t, err)
	require.Contains(t, said.Body, "you are on it")
	d := until(t, s, id, maintenance.StageDispatching)
	require.True(t, d.Pages[0].Failed)
	require.Equal(t, "alma", d.Acknowledged.By)
	noDuplicates(t, s)
}

// RentVine is away during the whole ladder: people are paged all the same, and
// what is to be written arrives once it is back.
func TestRentVineAwayDuringTheLadder(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	require.NoError(t, s.Fault(t.Context(), "rentvine", map[string]any{"status": 503}))
	id := emergency(t, s, nil)
	asked := page(t, s, alma, 1)
	require.Contains(t, asked.Body, "property 1", "no more is known")
	require.Contains(t, reply(t, s, alma, "1"), "you are on it")
	_, err := s.Until(t.Context(), id, at(maintenance.StageDispatching), soon)
	require.NoError(t, err)
	job := text(t, s, "EMERGENCY JOB", "")
	require.Contains(t, reply(t, s, job.To, "1"), "the job is yours")
	_, err = s.Until(t.Context(), id, at(maintenance.StageAccepted), soon)
	require.NoError(t, err)
	d, err := s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Positive(t, d.UnderWay, "the writes wait")

	require.NoError(t, s.Mend(t.Context(), "rentvine"))
	require.Eventually(t, func() bool {
		fields, err := s.WorkOrder(t.Context(), id)
		return err == nil && fields["workOrderStatusID"] == "12" && fields["assignedToUserID"] == map[string]string{"maria": "31", "ana": "33"}[d.Technician]
	}, 3*soon, 100*time.Millisecond)
	text(t, s, "is coming for your report", tenant1) // who the tenant is was not known before
	until(t, s, id, maintenance.StageAccepted)
	noDuplicates(t, s)
}

// An operator's pause holds all messages but those of life safety until resumed.
func TestOutboundPause(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, e2e.Options{Data: data, Args: []string{"--day", "2m", "--policy", steady(t)}})
	outbound := func(verb, says string) {
		said, code := command(t, nil, "outbound", verb, "--data", data)
		require.Zero(t, code, said)
		require.Contains(t, said, "outbound messages are "+says)
	}
	outbound("status", "flowing")
	outbound("pause", "paused")
	outbound("status", "paused")

	leak := emergency(t, s, nil)
	gas := emergency(t, s, portlandGas())
	text(t, s, "call 911", tenant2)
	_, err := s.Until(t.Context(), leak, func(d maintenance.Description) bool { return d.MessagesHeld > 0 }, soon)
	require.NoError(t, err)
	texts, err := s.Texts(t.Context(), "")
	require.NoError(t, err)
	for _, sent := range texts {
		require.NotContains(t, sent.Body, "12 Elm Street", "a message of the leak left while paused")
	}
	require.NotEmpty(t, pages(t, s, alma), "the gas is paged")

	// Within a quarter of a minute what was held leaves.
	outbound("resume", "flowing")
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(pages(t, s, ""), func(p e2e.Text) bool { return strings.Contains(p.Body, "12 Elm Street") })
	}, 2*soon, 50*time.Millisecond)
	text(t, s, "we have your report", tenant1)
	for _, id := range []string{leak, gas} {
		closed(t, s, id)
	}
	noDuplicates(t, s)
}

func portlandGas() map[string]any {
	gas := portland("2")
	gas["description"] = "It smells of gas in the kitchen."
	return gas
}
