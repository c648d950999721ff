package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/prove"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// setUp prepares the namespace with the commands of the documentation and starts the
// parts that are the same in every build.
func setUp(t *testing.T, o *operated) {
	require.Contains(t, o.keyholder(t, "setup"), "namespace keyholder is ready")
	require.Equal(t, "namespace keyholder is ready\n", o.keyholder(t, "setup", "--check"), "nothing is left to do")
	require.Contains(t, o.keyholder(t, "schedules", "apply"), "created")
	require.NoError(t, o.Sandbox(t.Context()))
	var err error
	o.ingress, err = o.Ingress(t.Context())
	require.NoError(t, err)
}

func waitsForVersion(t *testing.T, o *operated) {
	o.worker(t, "a")
	require.Eventually(t, func() bool {
		status, why := o.readiness(t, "a")
		return status == http.StatusServiceUnavailable && strings.Contains(why, "no current version is set")
	}, patience, 100*time.Millisecond)

	id := emergency(t, o.s, nil) // 202: what is accepted waits
	require.Empty(t, o.build(t, maintenance.WorkOrderID(id)))
	require.Empty(t, pages(t, o.s, ""))

	o.deployment(t, "set-current-version", "a")
	require.Eventually(t, func() bool { status, _ := o.readiness(t, "a"); return status == http.StatusOK }, patience, 100*time.Millisecond)
	_, err := o.s.WaitForText(t.Context(), "Reply 1 = on it", alma, patience)
	require.NoError(t, err)
	o.requireBuild(t, "a", maintenance.WorkOrderID(id))
	require.NoError(t, o.s.SetStatus(t.Context(), id, "Cancelled"))
	o.closed(t, id)
	o.keyholder(t, "sync", "now", "--full", "--wait", "2m") // learns what there is
}

// seenTo is the story of the README.
func seenTo(t *testing.T, o *operated) {
	s, earlier := o.s, len(pages(t, o.s, alma))
	id := emergency(t, s, nil)
	page(t, s, alma, earlier+1)
	require.Contains(t, reply(t, s, alma, newest(t, s, alma)), "you are on it")
	for _, step := range [][2]string{
		{"EMERGENCY JOB", "the job is yours"}, {"Reply 1 when you are there", "Tell us when it is done"}, {"reply 1 when #", "well done"},
	} {
		_, err := s.WaitForText(t.Context(), step[0], maria, patience)
		require.NoError(t, err)
		require.Contains(t, reply(t, s, maria, "1"), step[1])
	}
	requireWritten(t, s, id, "13", "31")
	requireReported(t, s, id)
	require.NoError(t, s.CloseInRentVine(t.Context(), id))
	o.closed(t, id)
}

// taps starts ordinary work orders, which stay open.
func taps(t *testing.T, o *operated, n int) (ids []string) {
	t.Helper()
	for range n {
		id, err := o.s.Tap(t.Context(), nil)
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

func takesOver(t *testing.T, o *operated) {
	before := taps(t, o, 8)
	for _, id := range before {
		o.requireBuild(t, "a", maintenance.WorkOrderID(id))
	}

	o.worker(t, "b")
	o.deployment(t, "set-ramping-version", "b", "--percentage", "50")
	during := taps(t, o, 16)
	byBuild := map[string]int{}
	for _, id := range during {
		require.Eventually(t, func() bool { return o.build(t, maintenance.WorkOrderID(id)) != "" }, patience, 100*time.Millisecond)
		byBuild[o.build(t, maintenance.WorkOrderID(id))]++
	}
	t.Logf("of %d new work orders while build b takes 50 %%: %v", len(during), byBuild)
	require.Positive(t, byBuild["a"])
	require.Positive(t, byBuild["b"])
	require.Len(t, byBuild, 2)

	o.deployment(t, "set-current-version", "b")
	for _, id := range append(before, during...) {
		require.NoError(t, o.s.SetStatus(t.Context(), id, "Cancelled")) // the next step
		o.requireBuild(t, "b", maintenance.WorkOrderID(id))
		o.closed(t, id)
	}
	o.drained(t, "a")
}

func comesBack(t *testing.T, o *operated) {
	earlier := len(pages(t, o.s, alma))
	id := emergency(t, o.s, nil)
	page(t, o.s, alma, earlier+1)
	o.requireBuild(t, "b", maintenance.WorkOrderID(id))

	o.deployment(t, "set-current-version", "a")
	o.acknowledged(t, id)
	o.requireBuild(t, "a", maintenance.WorkOrderID(id))
	o.drained(t, "b")
	require.NoError(t, o.workers["b"].Stop(30*time.Second))
	require.NoError(t, o.s.CloseInRentVine(t.Context(), id))
	o.closed(t, id)
}

// acknowledged answers the newest page until the answer is taken, as a person would.
func (o *operated) acknowledged(t *testing.T, id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		said, err := o.s.AnswerText(t.Context(), alma, newest(t, o.s, alma))
		if err != nil || said == "" {
			return false
		}
		_, err = o.s.Until(t.Context(), id, func(d maintenance.Description) bool { return d.Acknowledged != nil }, soon)
		return err == nil
	}, patience, time.Second, "the page is answered")
}

func serverKilled(t *testing.T, o *operated) {
	earlier := len(pages(t, o.s, alma))
	id := emergency(t, o.s, nil)
	page(t, o.s, alma, earlier+1)
	require.Equal(t, 1, countRuns(t, o.s, "WorkflowType = '"+maintenance.WorkOrderName+"' AND Stage = 'paging' AND ExecutionStatus = 'Running'"))

	require.NoError(t, o.Temporal.Kill())
	refused(t, o.s, o.s.Ingress, created("8100", "evt_killed"))
	require.NoError(t, o.Temporal.Start(t.Context()))

	o.acknowledged(t, id)
	require.NoError(t, o.s.CloseInRentVine(t.Context(), id))
	o.closed(t, id)
}

// databaseRestarted takes PostgreSQL away under the server, the store and a stream of
// webhooks; each is sent again until it is taken.
func databaseRestarted(t *testing.T, o *operated) {
	const events = 40
	queue := make(chan string, events)
	for n := range events {
		id := fmt.Sprint(8200 + n)
		require.NoError(t, o.s.Post(t.Context(), "/_records/rentvine/work-orders", ordinary(id)["data"], nil))
		queue <- id
	}
	close(queue)
	refusals := make(chan string, 1000)
	var taken atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for id := range queue {
				o.deliverUntilTaken(t, id, refusals)
				taken.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return taken.Load() >= 8 }, patience, 5*time.Millisecond)
	require.NoError(t, o.Database.Stop())
	require.Eventually(t, func() bool { return len(refusals) > 3 }, patience, 50*time.Millisecond, "nobody takes webhooks without a database")
	require.NoError(t, o.Database.Start(t.Context()))
	group.Wait()
	close(refusals)
	said := map[string]int{}
	for why := range refusals {
		said[why]++
	}
	t.Logf("%d webhooks taken while PostgreSQL was restarted; put off: %v", events, said)
	require.Positive(t, said["503"], "senders are asked to come again")
	for n := range events {
		exists(t, o.s, maintenance.WorkOrderID(fmt.Sprint(8200+n)))
	}
}

// ordinary reports what is no emergency.
func ordinary(id string) map[string]any {
	event := created(id, "evt_ordinary_"+id)
	data := event["data"].(map[string]any)
	data["description"], data["priorityID"] = "The tap in the kitchen drips", "1"
	return event
}

// deliverUntilTaken posts an event as a partner does that repeats what was not taken.
func (o *operated) deliverUntilTaken(t *testing.T, id string, refusals chan<- string) {
	event := ordinary(id)
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline) && t.Context().Err() == nil; time.Sleep(300 * time.Millisecond) {
		reply, err := o.s.Deliver(t.Context(), o.s.Ingress, event)
		switch {
		case err != nil:
			put(refusals, "no answer")
		case reply.Status == http.StatusAccepted, reply.Status == http.StatusOK:
			return
		default:
			put(refusals, fmt.Sprint(reply.Status))
		}
	}
	t.Errorf("the event of work order %s was never taken", id)
}

func put(to chan<- string, what string) {
	select {
	case to <- what:
	default:
	}
}

var inlineCode = regexp.MustCompile("`([^`\n]+)`")

// filtersWork asks the server what the documentation tells people to ask.
func filtersWork(t *testing.T, o *operated) {
	files, err := filepath.Glob(filepath.Join(repo, "docs", "*.md"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(repo, "docs", "how-to", "*.md"))
	require.NoError(t, err)
	fields := []string{"WorkflowType", "WorkflowId", "ExecutionStatus", "StartTime", "CloseTime", "TemporalWorkerDeploymentVersion"}
	for name := range durable.SearchAttributes() {
		fields = append(fields, name)
	}
	filter := regexp.MustCompile(`^\(?(` + strings.Join(fields, "|") + `)\s*(=|!=|<|>|IN\b|IS\b|STARTS_WITH\b|BETWEEN\b)`)
	found := 0
	for _, file := range append(files, more...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, code := range inlineCode.FindAllStringSubmatch(string(text), -1) {
			if !filter.MatchString(code[1]) {
				continue
			}
			found++
			_, err := o.s.Client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: code[1], PageSize: 5})
			require.NoError(t, err, "%s: %s", filepath.Base(file), code[1])
		}
	}
	t.Logf("%d list filters", found)
	require.GreaterOrEqual(t, found, 8)
	require.Positive(t, countRuns(t, o.s, "WorkflowType = '"+maintenance.WorkOrderName+"' AND ExecutionStatus = 'Completed'"))
	require.Equal(t, "namespace keyholder is ready\n", o.keyholder(t, "setup", "--check"))
}

// nothingDiffers proves that what was accepted was done once. As after any outage one
// comparison comes first: what a record looked like when its webhook came is noted beside
// the work, and may be missing for those that arrived as the store went away.
func nothingDiffers(t *testing.T, o *operated) {
	o.keyholder(t, "sync", "now", "--full", "--wait", "2m")
	var p proved
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(time.Second) {
		out, _, code := o.try(t, keyholder(), "prove", "--json", "--grace", "1s", "--chains", "all")
		p = proved{}
		require.NoError(t, json.Unmarshal([]byte(out), &p), out)
		if code == 0 && p.Agrees && !slices.ContainsFunc(p.Pending, func(d prove.Finding) bool { return !polls(d) }) {
			break
		}
		require.True(t, time.Now().Before(deadline), "it differs: %s", out)
	}
	t.Logf("%+v", p.Tallies)
	require.GreaterOrEqual(t, p.compared(prove.CheckReceipts), 40)
	noDuplicates(t, o.s)
}

// polls tells whether a line is about the poller of sales: a run of it lasts for five
// minutes, and what failed before, without a database, is told until its end.
func polls(d prove.Finding) bool { return strings.Contains(d.What, activities.PollSales.Name) }
