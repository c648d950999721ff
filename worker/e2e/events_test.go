package e2e_test

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	temporalsdk "go.temporal.io/sdk/temporal"

	host "github.com/aictive/keyholder/worker"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
	partnersync "github.com/aictive/keyholder/workflows/sync"
)

// listedEvent is a row of "keyholder events list --json" or of what a replay did.
type listedEvent struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Outcome string `json:"outcome"`
	SentTo  string `json:"sent_to"`
	By      string `json:"by"`
	Why     string `json:"why"`
}

// events runs "keyholder events" beside a stack and reads its JSON.
func events(t *testing.T, s *e2e.Stack, wantCode int, args ...string) []listedEvent {
	t.Helper()
	said := eventsSaid(t, s, wantCode, append(args, "--json")...)
	var rows []listedEvent
	require.NoError(t, json.Unmarshal([]byte(said), &rows), said)
	return rows
}

func eventsSaid(t *testing.T, s *e2e.Stack, wantCode int, args ...string) string {
	t.Helper()
	env, err := s.Settings()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), keyholder(), append([]string{"events"}, args...)...)
	cmd.Env = append(cmd.Environ(), env...)
	said, err := cmd.Output()
	var exit *exec.ExitError
	if wantCode != 0 {
		require.ErrorAs(t, err, &exit)
		require.Equal(t, wantCode, exit.ExitCode(), string(exit.Stderr))
		return string(said)
	}
	require.NoError(t, err, string(said))
	return string(said)
}

// held parks an event as a build without a route for it did, received some time ago.
func held(t *testing.T, s *e2e.Stack, name string, ev durable.Event, ago time.Duration) string {
	t.Helper()
	id := "parked/" + ev.Source + "/" + name
	ev.ReceivedAt = time.Now().UTC().Add(-ago)
	_, err := s.Client.SignalWithStartWorkflow(t.Context(), id, durable.EventReceived.Name, ev, client.StartWorkflowOptions{
		TaskQueue: workflows.TaskQueue, TypedSearchAttributes: temporalsdk.NewSearchAttributes(
			durable.EventSource.ValueSet(ev.Source), durable.EventType.ValueSet(ev.Type), durable.Reason.ValueSet("unknown type"), durable.ReceivedAt.ValueSet(ev.ReceivedAt),
		),
	}, partnersync.ParkedEventName, partnersync.ParkedInput{ID: name})
	require.NoError(t, err)
	return id
}

// Of several parked events one is poison: its replay fails whenever it is tried. The others
// reach their workflows, a second try does the rest and no more, and who decided is kept.
func TestPoisonAmongParkedEvents(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	over := emergency(t, s, nil)
	page(t, s, alma, 1)
	closed(t, s, over)
	// Whatever is told of a closed order, and does not open it again, is parked again.
	poison := deliver(t, s, s.Ingress, updated(over, "evt_poison", "estimatedAmount", "0.00", "120.00"), http.StatusAccepted).WorkflowID
	var good []string
	for _, id := range []string{"8001", "8002"} {
		record := created(id, "evt_"+id)["data"]
		require.NoError(t, s.Post(t.Context(), "/_records/rentvine/work-orders", record, nil))
		data, err := json.Marshal(record)
		require.NoError(t, err)
		good = append(good, held(t, s, id, durable.Event{
			Source: "rentvine", Type: "work_order.created", EntityID: id, Key: "rentvine:evt_" + id, Data: data,
		}, time.Duration(1+len(good))*time.Hour))
	}
	mail := held(t, s, "mail", durable.Event{Source: "mail", Type: "lead_mail.no_unit", Key: "mail:1", Data: json.RawMessage(`{"text":"Is it free?"}`)}, 0)
	all := []string{poison, good[0], good[1], mail}
	require.Eventually(t, func() bool { return len(events(t, s, 0, "list")) == len(all) }, soon, 200*time.Millisecond)

	would := events(t, s, 0, "replay", "--all", "--dry-run")
	require.Len(t, would, len(all))
	require.Len(t, events(t, s, 0, "list"), len(all), "a dry run does nothing")

	outcomes := map[string]listedEvent{}
	for _, r := range events(t, s, 1, "replay", "--all", "--by", "pat", "--why", "after the deploy", "--rate", "50/s") {
		outcomes[r.ID] = r
	}
	require.Equal(t, "failed", outcomes[poison].Outcome)
	require.Equal(t, "passed over", outcomes[mail].Outcome)
	for i, id := range []string{"8001", "8002"} {
		require.Equal(t, "replayed", outcomes[good[i]].Outcome, outcomes[good[i]])
		require.Equal(t, maintenance.WorkOrderID(id), outcomes[good[i]].SentTo)
		_, err := s.Until(t.Context(), id, func(d maintenance.Description) bool {
			return d.Stage == maintenance.StagePaging || d.Stage == maintenance.StageJoined // the two are of one unit
		}, 2*soon)
		require.NoError(t, err)
	}

	// The same again tries what is left alone.
	require.Eventually(t, func() bool { return len(events(t, s, 0, "list")) == 2 }, soon, 200*time.Millisecond)
	again := events(t, s, 1, "replay", "--all", "--by", "pat", "--why", "once more")
	require.Len(t, again, 2)
	replayed := events(t, s, 0, "list", "--state", "replayed")
	require.Len(t, replayed, 2)
	require.Equal(t, "after the deploy", replayed[0].Why)
	require.Equal(t, "pat", replayed[0].By)

	require.Contains(t, eventsSaid(t, s, 0, "show", mail), "cannot be replayed")
	require.NotContains(t, eventsSaid(t, s, 0, "show", mail), "Is it free?")
	require.Contains(t, eventsSaid(t, s, 0, "show", mail, "--with-data"), "Is it free?")
	eventsSaid(t, s, 2, "discard", "--source", "mail", "--by", "pat", "--why", "answered")
	eventsSaid(t, s, 0, "discard", "--all", "--source", "mail", "--by", "pat", "--why", "answered")
	eventsSaid(t, s, 0, "discard", poison, "--by", "pat", "--why", "nobody needs it")
	eventsSaid(t, s, 1, "discard", poison, "--by", "pat", "--why", "twice")
	require.Eventually(t, func() bool { return len(events(t, s, 0, "list", "--state", "discarded")) == 2 }, soon, 200*time.Millisecond)
	require.Contains(t, eventsSaid(t, s, 0, "list"), "0 parked")
	noDuplicates(t, s)
}

// A work order that has texted somebody is reset to its first task, as it runs and after it
// was terminated: it comes to where it was, and nobody is texted again.
func TestAResetRepeatsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	id := emergency(t, s, nil)
	page(t, s, alma, 1)
	before := until(t, s, id, maintenance.StagePaging)
	workflow, first := maintenance.WorkOrderID(id), runOf(t, s, id)
	sent := sidsOf(t, s)

	binary, err := temporal()
	require.NoError(t, err)
	said, err := exec.CommandContext(t.Context(), binary, "workflow", "reset", "--address", s.Temporal, "--workflow-id", workflow,
		"--type", "FirstWorkflowTask", "--reason", "tests").CombinedOutput()
	require.NoError(t, err, string(said))
	require.NotEqual(t, first, runOf(t, s, id))
	same(t, s, id, before, sent)

	require.Contains(t, reply(t, s, alma, "1"), "you are on it", "the question that was texted is still the one that is open")
	before = until(t, s, id, maintenance.StageDispatching)
	sent = sidsOf(t, s)
	require.NoError(t, s.Client.TerminateWorkflow(t.Context(), workflow, "", "by mistake"))
	require.Eventually(t, func() bool { return len(events(t, s, 0, "list", "--state", "failed")) == 1 }, soon, 200*time.Millisecond, "the run that was reset is replaced")
	failed := events(t, s, 0, "list", "--state", "failed")[0]
	require.Equal(t, listedEvent{ID: workflow, State: "failed", Type: maintenance.WorkOrderName, Reason: "terminated: by mistake"}, failed)
	passed := events(t, s, 0, "replay", "--all", "--state", "failed", "--by", "pat", "--why", "mistake")
	require.Equal(t, "passed over", passed[0].Outcome, "what somebody has terminated is named")
	replayed := events(t, s, 0, "replay", workflow, "--by", "pat", "--why", "mistake")
	require.Equal(t, "replayed", replayed[0].Outcome)
	require.Equal(t, runOf(t, s, id), replayed[0].SentTo)
	same(t, s, id, before, sent)
	d := until(t, s, id, maintenance.StageDispatching)
	require.Equal(t, "alma", d.Acknowledged.By, "what was answered after the first task counts")
	eventsSaid(t, s, 1, "replay", workflow, "--by", "pat", "--why", "it runs")

	closed(t, s, id)
	require.Len(t, pages(t, s, ""), 1)
	noDuplicates(t, s)
	requireEndings(t, s, workflow)
}

// requireEndings requires that the ends of the three runs of a workflow can be read: one was
// reset, one terminated, one has completed.
func requireEndings(t *testing.T, s *e2e.Stack, workflow string) {
	t.Helper()
	ends := host.NewEndings(s.Client)
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	var ended []string
	require.Eventually(t, func() bool {
		n, err := ends.CountEnded(t.Context(), from, to)
		require.NoError(t, err)
		runs, next, err := ends.ListEnded(t.Context(), from, to, nil)
		require.NoError(t, err)
		require.Empty(t, next)
		ended = nil
		for _, r := range runs {
			if r.WorkflowID != workflow {
				continue
			}
			end, err := ends.Ending(t.Context(), r)
			require.NoError(t, err)
			require.False(t, end.Unread)
			require.False(t, r.Scheduled)
			ended = append(ended, r.Status+" "+end.Why)
		}
		return len(runs) == n && len(ended) == 3
	}, soon, 200*time.Millisecond)
	require.Equal(t, "completed ", ended[0])
	require.Equal(t, "terminated by mistake", ended[1])
	require.Contains(t, ended[2], "terminated ")
}

// same requires that a work order is where it was, and that no text has left meanwhile.
func same(t *testing.T, s *e2e.Stack, id string, before maintenance.Description, sent []string) {
	t.Helper()
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool {
		return d.Stage == before.Stage && d.UnderWay == 0 && len(d.Pages) == len(before.Pages)
	}, 2*soon)
	require.NoError(t, err)
	require.Equal(t, before.Pages[0].Person, d.Pages[0].Person)
	require.Equal(t, sent, sidsOf(t, s))
}

// sidsOf are the carrier's ids of all texts.
func sidsOf(t *testing.T, s *e2e.Stack) []string {
	t.Helper()
	all, err := s.Texts(t.Context(), "")
	require.NoError(t, err)
	var ids []string
	for _, text := range all {
		ids = append(ids, text.SID)
	}
	return ids
}
