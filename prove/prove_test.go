package prove_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/aictive/keyholder/prove"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// temporal is a cluster as a test wants it.
type temporal struct {
	runs      map[string]prove.WorkflowRun
	seen      map[string][]string
	signalled map[string]prove.Signalled
	unread    string
	bad       []prove.WorkflowRun
	troubles  map[string][]prove.Trouble

	mu        sync.Mutex
	asked     int
	histories int
}

func (f *temporal) Latest(_ context.Context, id string) (prove.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	run, ok := f.runs[id]
	if !ok {
		return run, prove.ErrNoWorkflow
	}
	run.WorkflowID = id
	return run, nil
}

func (f *temporal) Seen(_ context.Context, id string) (seen durable.Seen, err error) {
	keys, ok := f.seen[id]
	if !ok {
		return seen, fmt.Errorf("%s does not answer", id)
	}
	for _, key := range keys {
		seen.Events = append(seen.Events, durable.SeenEvent{Key: key, At: time.Now()})
	}
	return seen, nil
}

func (f *temporal) Signalled(_ context.Context, id, _ string, keys []string) (prove.History, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.histories++
	h := prove.History{Signalled: map[string]prove.Signalled{}, Unread: f.unread}
	if _, ok := f.runs[id]; !ok {
		return h, prove.ErrNoWorkflow
	}
	for _, key := range keys {
		if said, ok := f.signalled[key]; ok {
			h.Signalled[key] = said
		}
	}
	return h, nil
}

func (f *temporal) EndedBadly(_ context.Context, _, _ time.Time, most int, each func(prove.WorkflowRun) error) (bool, error) {
	for _, run := range f.bad[:min(len(f.bad), most)] {
		if err := each(run); err != nil {
			return false, err
		}
	}
	return len(f.bad) <= most, nil
}

func (f *temporal) EachRunning(_ context.Context, _ int, each func(prove.WorkflowRun) error) (bool, error) {
	for id, run := range f.runs {
		if !run.Running() {
			continue
		}
		run.WorkflowID = id
		if err := each(run); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (f *temporal) Troubles(_ context.Context, id string) ([]prove.Trouble, error) {
	return f.troubles[id], nil
}

const (
	goes       = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	over       = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	terminated = enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED
)

func run(id string, status enumspb.WorkflowExecutionStatus) prove.WorkflowRun {
	return prove.WorkflowRun{RunID: id, Type: "some.workflow", Status: status}
}

func openStore(t testing.TB) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), ":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// proves runs all checks over the last day.
func proves(t testing.TB, s store.Store, f *temporal, change ...func(*prove.Config)) *prove.Report {
	t.Helper()
	cfg := prove.Config{Store: s, Temporal: f, Since: time.Now().Add(-24 * time.Hour), Until: time.Now().Add(time.Second)}
	for _, c := range change {
		c(&cfg)
	}
	report, err := prove.Run(t.Context(), cfg)
	require.NoError(t, err)
	return report
}

// found are findings as check, entity and key.
func found(list []prove.Finding) []string {
	lines := []string{}
	for _, f := range list {
		lines = append(lines, f.Check+" "+f.Entity+" "+f.Key)
	}
	return lines
}

func compared(r *prove.Report, what string) int {
	for _, t := range r.Tallies {
		if t.What == what {
			return t.Compared
		}
	}
	return -1
}

// long is longer ago than any grace.
const long = time.Hour

func accept(t testing.TB, s store.Store, key, workflowID, outcome string, ago time.Duration) {
	t.Helper()
	at := time.Now().Add(-ago)
	require.NoError(t, s.Accept(t.Context(), store.Receipt{
		Source: "rentvine", Key: key, Type: "work_order.updated", EntityID: "7", Via: "webhook", WorkflowID: workflowID, RunID: "r1", Outcome: outcome,
		ReceivedAt: at, RecordedAt: at,
	}))
}

func took(t testing.TB, s store.Store, key, workflowID string) {
	t.Helper()
	require.NoError(t, s.Append(t.Context(), store.AuditEntry{
		ID: "took/" + workflowID + "/" + key, Entity: workflowID, Kind: store.AuditTook, At: time.Now(), Ref: key,
	}))
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	const workOrder = "work-order/7"
	yes := prove.Signalled{Found: true, Handled: true}
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprint("other", i)
	}
	for name, c := range map[string]struct {
		outcome   string
		ago       time.Duration
		took      bool
		run       *prove.WorkflowRun
		seen      []string
		signalled prove.Signalled
		unread    string

		differs, pending string // part of what is said
		asked            bool
	}{
		"the audit knows that it was taken": {outcome: "accepted", ago: long, took: true},
		"the workflow knows it":             {outcome: "accepted", ago: long, run: at(run("r1", goes)), seen: []string{"k"}, asked: true},
		"an ended workflow knows it":        {outcome: "accepted", ago: long, run: at(run("r2", over)), seen: []string{"k"}, asked: true},
		"received and never taken":          {outcome: "accepted", ago: long, run: at(run("r1", goes)), seen: []string{"other"}, signalled: yes, differs: "has not taken it", asked: true},
		"received and not yet taken":        {outcome: "accepted", ago: 0, run: at(run("r1", goes)), seen: []string{}, signalled: yes, pending: "has not taken it", asked: true},
		"ended and never took it":           {outcome: "accepted", ago: 0, run: at(run("r1", over)), seen: []string{}, signalled: yes, differs: "has not taken it", asked: true},
		"the workflow may have forgotten":   {outcome: "accepted", ago: 50 * time.Hour, run: at(run("r1", goes)), seen: []string{"other"}, signalled: yes, asked: true},
		"it may have been pushed out":       {outcome: "accepted", ago: long, run: at(run("r1", goes)), seen: many, signalled: yes, asked: true},
		"a history that cannot be read":     {outcome: "accepted", ago: long, run: at(run("r1", goes)), unread: "it is long", differs: "could not be read to its end: it is long", asked: true},
		"read far enough":                   {outcome: "accepted", ago: long, run: at(run("r1", goes)), unread: "it is long", signalled: yes, asked: true},
		"a workflow that does not answer":   {outcome: "accepted", ago: long, run: at(run("r1", goes)), signalled: yes, asked: true},
		"a duplicate needs nothing":         {outcome: "duplicate", ago: long},
		"Temporal knows no workflow":        {outcome: "accepted", ago: 0, differs: "knows no such workflow", asked: true},
		"on its way":                        {outcome: "accepted", ago: 0, run: at(run("r1", goes)), signalled: prove.Signalled{Found: true}, pending: "has not come to it", asked: true},
		"too long on its way":               {outcome: "accepted", ago: long, run: at(run("r1", goes)), signalled: prove.Signalled{Found: true}, differs: "has not come to it", asked: true},
		"lost":                              {outcome: "accepted", ago: long, run: at(run("r1", goes)), differs: "does not have it", asked: true},
		"ended over it":                     {outcome: "accepted", ago: 0, run: at(run("r1", over)), signalled: prove.Signalled{Found: true}, differs: "ended before", asked: true},
		"parked":                            {outcome: "parked", ago: long, run: at(run("r1", goes)), pending: "until somebody", asked: true},
		"decided about":                     {outcome: "parked", ago: long, run: at(run("r1", over)), asked: true},
		"parked and terminated":             {outcome: "parked", ago: long, run: at(run("r1", terminated)), differs: "does not have it", asked: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := openStore(t), &temporal{runs: map[string]prove.WorkflowRun{}, seen: map[string][]string{}, signalled: map[string]prove.Signalled{"k": c.signalled}, unread: c.unread}
			accept(t, s, "k", workOrder, c.outcome, c.ago)
			if c.took {
				took(t, s, "k", workOrder)
			}
			if c.run != nil {
				f.runs[workOrder] = *c.run
			}
			if c.seen != nil {
				f.seen[workOrder] = c.seen
			}
			r := proves(t, s, f, func(c *prove.Config) { c.Since = c.Since.Add(-48 * time.Hour) })
			one(t, c.differs, r.Differences)
			one(t, c.pending, r.Pending)
			require.Equal(t, c.asked, f.asked > 0)
			require.Equal(t, 1, compared(r, "accepted events were taken by their workflows"))
			require.Equal(t, 1, compared(r, "events that the audit tells of have a receipt"))
			require.Equal(t, c.differs == "", r.Agrees())
		})
	}
}

func at(r prove.WorkflowRun) *prove.WorkflowRun { return &r }

// one asserts that there is one finding that says so, or none for "".
func one(t *testing.T, says string, list []prove.Finding) {
	t.Helper()
	if says == "" {
		require.Empty(t, list)
		return
	}
	require.Len(t, list, 1)
	require.Contains(t, list[0].What, says)
	require.Equal(t, "receipts", list[0].Check)
	require.Equal(t, "k", list[0].Key)
}

// Many receipts are read in pages, and each workflow is asked once.
func TestManyReceipts(t *testing.T) {
	t.Parallel()
	s, f := openStore(t), &temporal{runs: map[string]prove.WorkflowRun{}, seen: map[string][]string{}}
	const n, untold = 1300, 40
	for i := range n {
		key, id := fmt.Sprint("k", i), fmt.Sprint("work-order/", i%100)
		accept(t, s, key, id, "accepted", long)
		if i%100 < 100-untold {
			took(t, s, key, id)
			continue
		}
		f.runs[id] = run("r1", goes)
		f.seen[id] = append(f.seen[id], key)
	}
	r := proves(t, s, f)
	require.True(t, r.Agrees(), "%v", r.Differences)
	require.Equal(t, n, compared(r, "accepted events were taken by their workflows"))
	require.Equal(t, n, compared(r, "events that the audit tells of have a receipt"))
	require.Equal(t, 100, compared(r, "chains of the audit hold"))
	require.Equal(t, untold, f.asked)
	require.Zero(t, f.histories)

	// A history is read once for all events of its run.
	for id := range f.runs {
		delete(f.seen, id)
	}
	r = proves(t, s, f)
	require.Equal(t, untold*n/100, r.Tallies[0].Differences)
	require.Equal(t, untold, f.histories)
}

// A parked event that somebody replays must be taken by the workflow that it is sent to.
func TestReplays(t *testing.T) {
	t.Parallel()
	s, f := openStore(t), &temporal{runs: map[string]prove.WorkflowRun{"work-order/9": run("r1", goes)}, seen: map[string][]string{"work-order/9": {}}}
	accept(t, s, "k/replay", "work-order/8", "accepted", long) // an odd key alone makes no replay
	took(t, s, "k/replay", "work-order/8")
	for key, to := range map[string]string{"k7": "work-order/7", "k9": "work-order/9"} {
		accept(t, s, key, "parked/rentvine/"+key, "parked", 2*long)
		f.runs["parked/rentvine/"+key] = run("r1", over)
		require.NoError(t, s.Accept(t.Context(), store.Receipt{
			Source: "rentvine", Key: key, Type: "work_order.updated", EntityID: "7", Via: "replay", WorkflowID: to, RunID: "r1", Outcome: "accepted",
			RecordedAt: time.Now().Add(-long),
		}))
	}
	took(t, s, "k7", "work-order/7")
	r := proves(t, s, f)
	require.Equal(t, []string{"receipts work-order/9 k9"}, found(r.Differences))
	require.Contains(t, r.Differences[0].What, "has not taken it")
	require.Equal(t, 2, compared(r, "replayed events were taken by their workflows"))
	require.Equal(t, 5, compared(r, "events that the audit tells of have a receipt"))

	f.seen["work-order/9"] = []string{"k9"}
	require.True(t, proves(t, s, f).Agrees())
}

// Where a comparison stops at its bound, nothing is proved.
func TestNotComplete(t *testing.T) {
	t.Parallel()
	f := &temporal{runs: map[string]prove.WorkflowRun{"lease/1": run("r2", goes)}}
	for range 100_001 {
		f.bad = append(f.bad, prove.WorkflowRun{WorkflowID: "lease/1", RunID: "r1", Status: terminated})
	}
	r := proves(t, openStore(t), f)
	require.Empty(t, r.Differences)
	require.False(t, r.Complete)
	require.False(t, r.Agrees())
	require.Contains(t, text(t, r), "(the latest 100000; there are more)")
	require.Contains(t, text(t, r), "not everything was")
	require.NotContains(t, text(t, r), "Nothing differs.")

	f.bad = f.bad[1:]
	require.True(t, proves(t, openStore(t), f).Agrees())
}

// Chains that do not go on are recomputed only where all are; a head that is gone hides none.
func TestChains(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "store.db")
	s, err := store.Open(t.Context(), file)
	require.NoError(t, err)
	for id, ago := range map[string]time.Duration{"lease/1": long, "lease/2": long, "lease/3": 50 * time.Hour, "lease/4": 50 * time.Hour} {
		require.NoError(t, s.Append(t.Context(), store.AuditEntry{ID: "note/" + id, Entity: id, Kind: store.AuditDecision, At: time.Now().Add(-ago)}))
	}
	require.NoError(t, s.Close())
	tamper(t, file, `DROP TRIGGER audit_heads_stay`, `DROP TRIGGER audit_entries_last`,
		`DELETE FROM audit_heads WHERE entity IN ('lease/1', 'lease/3')`, `UPDATE audit_entries SET what = 'x' WHERE entity = 'lease/4'`)
	s, err = store.Open(t.Context(), file)
	require.NoError(t, err)
	defer s.Close()
	r := proves(t, s, &temporal{})
	require.Equal(t, []string{"chains lease/1 entry 1"}, found(r.Differences))
	require.Equal(t, 2, compared(r, "chains of the audit hold"))
	require.Contains(t, text(t, r), "--chains=all")
	require.True(t, r.Complete, "that is by choice")

	r = proves(t, s, &temporal{}, func(c *prove.Config) { c.AllChains = true })
	require.Equal(t, []string{"chains lease/1 entry 1", "chains lease/3 entry 1", "chains lease/4 entry 1"}, found(r.Differences))
	require.Equal(t, 4, compared(r, "chains of the audit hold"))
}

// tamper changes a store as whoever owns its database can.
func tamper(t *testing.T, file string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

func TestRuns(t *testing.T) {
	t.Parallel()
	f := &temporal{
		runs: map[string]prove.WorkflowRun{
			"lease/1": run("r1", terminated), "lease/2": run("r2", goes), "lease/3": run("r2", terminated),
			"lease/4": run("r1", goes), "lease/5": run("r1", goes), "lease/6": run("r1", goes),
		},
		bad: []prove.WorkflowRun{
			{WorkflowID: "lease/1", RunID: "r1", Status: terminated, EndedAt: time.Now()}, // the last run
			{WorkflowID: "lease/2", RunID: "r1", Status: terminated},                      // was reset
			{WorkflowID: "lease/3", RunID: "r1", Status: enumspb.WORKFLOW_EXECUTION_STATUS_FAILED, EndedAt: time.Now()},
			{WorkflowID: "lease/9", RunID: "r1", Status: enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, EndedAt: time.Now()}, // forgotten meanwhile
		},
		troubles: map[string][]prove.Trouble{
			"lease/4": {{Since: time.Now().Add(-time.Hour), What: "activity a fails as forbidden, 9 tries"}, {What: "a workflow task fails, 3 tries"}},
			"lease/5": {{Since: time.Now().Add(-5 * time.Minute), What: "activity a fails as unavailable, 2 tries"}},
			"lease/6": {{Since: time.Now(), What: "a workflow task waits for a worker"}, {Since: time.Now().Add(-time.Hour), What: "activity b waits its turn", Queued: true}},
		},
	}
	r := proves(t, openStore(t), f)
	require.ElementsMatch(t, []string{"runs lease/1 r1", "runs lease/3 r1", "runs lease/9 r1", "runs lease/4 r1", "runs lease/4 r1"}, found(r.Differences))
	require.Equal(t, []string{"runs lease/5 r1", "runs lease/6 r1"}, found(r.Pending))
	require.Contains(t, r.Pending[1].What, "waits its turn")
	require.Equal(t, 4, compared(r, "runs that failed, were terminated or timed out have another in their place"))
	require.Equal(t, 4, compared(r, "running workflows get their work done"))
	for _, d := range r.Differences {
		require.NotContains(t, d.What, "0001-01-01")
		require.NotEmpty(t, d.Advice)
	}
}

func effect(t *testing.T, s store.Store, key string, done, told bool) {
	t.Helper()
	_, _, err := s.BeginEffect(t.Context(), key, "")
	require.NoError(t, err)
	if done {
		require.NoError(t, s.FinishEffect(t.Context(), key, "ref "+key))
	}
	if told {
		tell(t, s, key)
	}
}

func tell(t *testing.T, s store.Store, key string) {
	t.Helper()
	require.NoError(t, s.Append(t.Context(), store.AuditEntry{ID: "effect/" + key, Entity: "work-order/7", Kind: store.AuditWrite, At: time.Now()}))
}

func TestEffects(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	effect(t, s, "work-order/7/1/good", true, true)
	effect(t, s, "work-order/7/1/unknown", false, false)
	effect(t, s, "work-order/7/1/untold", true, false)
	tell(t, s, "work-order/7/1/undone")
	effect(t, s, "work-order/7/1/page/sms", true, true)
	// What a text answered is in the journal and is no effect at a partner.
	effect(t, s, "sms-in/SM1", true, false)
	effect(t, s, "owner-digest/1/request/7/0", true, false)
	for key, status := range map[string]string{"page/sms": "queued", "lost/sms": "delivered", "kept/sms": "recorded"} {
		key = "work-order/7/1/" + key
		require.NoError(t, s.RecordMessage(t.Context(), store.Message{
			Key: key, Ref: key, WorkflowID: "work-order/7", SentAt: time.Now(), Status: store.MessageStatus(status),
		}))
	}
	inAnHour := func(c *prove.Config) { c.Now = time.Now().Add(time.Hour) }
	r := proves(t, s, &temporal{}, inAnHour)
	differ := []string{
		"effects work-order/7 work-order/7/1/unknown", "effects work-order/7 work-order/7/1/untold",
		"effects work-order/7 work-order/7/1/undone", "effects work-order/7 work-order/7/1/lost/sms",
	}
	require.ElementsMatch(t, differ, found(r.Differences))
	require.Empty(t, r.Pending)
	require.Equal(t, 2, compared(r, "messages that left were done once and are in the audit"))

	r = proves(t, s, &temporal{})
	require.Equal(t, []string{differ[2]}, found(r.Differences), "all else may be under way")
	require.ElementsMatch(t, []string{differ[0], differ[1], differ[3]}, found(r.Pending))

	earlier := func(c *prove.Config) { c.Since, c.Until = c.Since.Add(-48*time.Hour), c.Until.Add(-48*time.Hour) }
	r = proves(t, s, &temporal{}, earlier)
	require.True(t, r.Agrees(), "%v", r.Differences)
	require.Zero(t, compared(r, "effects that were done are in the audit"))

	later := func(c *prove.Config) {
		c.Now, c.Since, c.Until = c.Until.Add(48*time.Hour), c.Since.Add(48*time.Hour), c.Until.Add(48*time.Hour)
	}
	r = proves(t, s, &temporal{}, later)
	require.Equal(t, []string{differ[0]}, found(r.Differences), "an outcome stays unknown")
}

func TestPartners(t *testing.T) {
	t.Parallel()
	r := proves(t, openStore(t), &temporal{})
	require.True(t, r.Agrees())
	require.Contains(t, text(t, r), "partners were not asked")

	r = proves(t, openStore(t), &temporal{}, func(c *prove.Config) {
		c.Partners = func(context.Context) (int, []prove.Finding, error) {
			return 12, []prove.Finding{{Entity: "lease/3", Key: "endDate", What: "it differs"}}, nil
		}
	})
	require.Equal(t, []string{"partners lease/3 endDate"}, found(r.Differences))
	require.Equal(t, 12, compared(r, "partners' records agree with what is known of them"))

	_, err := prove.Run(t.Context(), prove.Config{
		Store: openStore(t), Temporal: &temporal{}, Since: time.Now().Add(-time.Hour), Until: time.Now(),
		Partners: func(context.Context) (int, []prove.Finding, error) { return 0, nil, fmt.Errorf("no answer") },
	})
	require.ErrorContains(t, err, "partners could not be compared: no answer", "nothing is proved by half a comparison")
}

func text(t *testing.T, r *prove.Report) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, r.WriteText(&out))
	return out.String()
}

func TestEmptyPeriod(t *testing.T) {
	t.Parallel()
	_, err := prove.Run(t.Context(), prove.Config{Since: time.Now(), Until: time.Now().Add(-time.Hour)})
	require.ErrorContains(t, err, "--since")
}

func TestPrint(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	r := proves(t, s, &temporal{})
	require.Contains(t, text(t, r), "Nothing differs.")

	accept(t, s, "k1", "work-order/7", "accepted", long)
	accept(t, s, "k2", "parked/rentvine/1", "parked", long)
	r = proves(t, s, &temporal{runs: map[string]prove.WorkflowRun{"parked/rentvine/1": run("r1", goes)}})
	said := text(t, r)
	require.Contains(t, said, "Differences:\n  receipts  work-order/7  k1\n")
	require.Contains(t, said, "\n      -> ")
	require.Contains(t, said, "Pending:\n  receipts  parked/rentvine/1  k2\n")
	require.Contains(t, said, "\n1 difference.\n")

	var out bytes.Buffer
	require.NoError(t, r.WriteJSON(&out))
	var back struct {
		Agrees      bool
		Tallies     []prove.Tally
		Differences []prove.Finding
		Pending     []prove.Finding
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	require.False(t, back.Agrees)
	require.Equal(t, r.Differences, back.Differences)
	require.Equal(t, r.Pending, back.Pending)
	require.Len(t, back.Tallies, len(r.Tallies))
}

// Whoever owns the database can take its guards away; what they then change is found.
func TestTampering(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "store.db")
	s, err := store.Open(t.Context(), file)
	require.NoError(t, err)
	for i := range 3 {
		key, id := fmt.Sprint("k", i), fmt.Sprint("work-order/", i)
		accept(t, s, key, id, "accepted", long)
		took(t, s, key, id)
	}
	require.True(t, proves(t, s, &temporal{}).Agrees())
	require.NoError(t, s.Close())

	tamper(t, file, `DROP TRIGGER receipts_stay`, `DROP TRIGGER audit_entries_last`,
		`DELETE FROM receipts WHERE receipt_key = 'k1'`,
		`UPDATE audit_entries SET what = 'work_order.updated by nobody' WHERE id = 'event/k2'`)

	s, err = store.Open(t.Context(), file)
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, []string{"receipts work-order/1 k1", "chains work-order/2 entry 1"}, found(proves(t, s, &temporal{}).Differences))
}

// A list is bounded, its count is not.
func TestBounded(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for i := range 1100 {
		accept(t, s, fmt.Sprint("k", i), fmt.Sprint("work-order/", i), "accepted", long)
	}
	r := proves(t, s, &temporal{})
	require.Len(t, r.Differences, 1000)
	require.Equal(t, 1100, r.Tallies[0].Differences)
	require.Contains(t, text(t, r), "1100 differences.")
}

// Run it with: go test ./prove -run none -bench . -benchtime 1x
func BenchmarkProve(b *testing.B) {
	for _, n := range []int{10_000, 30_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmark(b, n) })
	}
}

// benchmark proves n receipts of 0.7 n workflows, of which one in 50 is not in the audit yet.
func benchmark(b *testing.B, n int) {
	const batch = 500
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "store.db"))
	require.NoError(b, err)
	defer s.Close()
	f := &temporal{runs: map[string]prove.WorkflowRun{}, seen: map[string][]string{}}
	began := time.Now().Add(-long)
	for from := 0; from < n; from += batch {
		var receipts []store.Receipt
		var entries []store.AuditEntry
		for i := from; i < from+batch; i++ {
			key, id := fmt.Sprint("rentvine:", i), fmt.Sprint("work-order/", i%(n*7/10))
			when := began.Add(time.Duration(i) * time.Millisecond)
			receipts = append(receipts, store.Receipt{
				Source: "rentvine", Key: key, Type: "work_order.updated", EntityID: id, Via: "webhook",
				WorkflowID: id, RunID: "r1", Outcome: "accepted", ReceivedAt: when, RecordedAt: when,
			})
			if i%50 == 0 {
				f.runs[id] = run("r1", goes)
				f.seen[id] = append(f.seen[id], key)
				continue
			}
			entries = append(entries, store.AuditEntry{ID: "took/" + id + "/" + key, Entity: id, Kind: store.AuditTook, At: when, Ref: key})
		}
		require.NoError(b, s.Accept(b.Context(), receipts...))
		require.NoError(b, s.Append(b.Context(), entries...))
	}
	b.ResetTimer()
	for range b.N {
		r := proves(b, s, f)
		require.True(b, r.Agrees(), "%v", r.Differences)
		require.Equal(b, n, compared(r, "accepted events were taken by their workflows"))
	}
}
