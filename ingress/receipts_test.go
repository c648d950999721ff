package ingress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// receiptStore is a store of the test's own.
func receiptStore(t *testing.T) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "receipts.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// receiptsOf are all receipts, without the times and runs, which differ.
func receiptsOf(t *testing.T, s store.Store) []store.Receipt {
	t.Helper()
	list, err := s.Receipts(t.Context(), store.ReceiptFilter{})
	require.NoError(t, err)
	for i, r := range list {
		require.NotEmpty(t, r.RunID)
		require.WithinDuration(t, time.Now(), r.RecordedAt, time.Minute)
		list[i].RunID, list[i].RecordedAt = "", time.Time{}
	}
	return list
}

// failingReceipts fails as often as it is told, before or after it has kept the receipts.
type failingReceipts struct {
	Receipts
	mu    sync.Mutex
	times int
	after bool
}

func (f *failingReceipts) Accept(ctx context.Context, receipts ...store.Receipt) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times == 0 {
		return f.Receipts.Accept(ctx, receipts...)
	}
	f.times--
	if f.after {
		return errors.Join(f.Receipts.Accept(ctx, receipts...), errors.New("the answer was lost"))
	}
	return errors.New("the disk is full")
}

func TestDeliverKeepsReceipts(t *testing.T) {
	t.Parallel()
	s := receiptStore(t)
	r := testRouter(t, func(c *RouterConfig) { c.Receipts, c.Via = s, ViaReplay })
	first := workOrder(t, "work_order.created", "1")
	order := deliver(t, r, first)
	deliver(t, r, first)
	_, err := r.DeliverAs(t.Context(), first, ViaSync)
	require.NoError(t, err)
	_, err = r.DeliverAs(t.Context(), workOrder(t, "work_order.updated", "2"), ViaSync)
	require.NoError(t, err)
	held := deliver(t, r, workOrder(t, "inspection.created", "3"))
	want := store.Receipt{Source: SourceRentVine, Key: "rentvine:1", Type: "work_order.created", EntityID: entity(t), Via: ViaReplay,
		WorkflowID: order.WorkflowID, Outcome: "accepted", ReceivedAt: receivedAt}
	second, parked := want, want
	second.Key, second.Type, second.Via = "rentvine:2", "work_order.updated", ViaSync
	parked.Key, parked.Type, parked.WorkflowID, parked.Outcome, parked.Reason = "rentvine:3", "inspection.created", held.WorkflowID, "parked", ParkedUnknownType
	require.Equal(t, []store.Receipt{want, second, parked}, receiptsOf(t, s))

	entries, err := s.AuditEntries(t.Context(), store.AuditFilter{Entity: order.WorkflowID})
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, "event/rentvine:1", entries[0].ID)
	require.Equal(t, "work_order.updated by sync", entries[1].What)
}

// Temporal has confirmed, and whoever delivers is killed before the receipt is there. The
// sender repeats, whether the run goes on or has ended.
func TestDeliverAgainAfterALostReceipt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ends, after bool
		outcome     string
	}{
		"running":                        {outcome: "accepted"},
		"ended":                          {ends: true, outcome: "duplicate"},
		"kept, and nobody has been told": {ends: true, after: true, outcome: "accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := receiptStore(t)
			failing := &failingReceipts{Receipts: s, after: test.after}
			r := testRouter(t, func(c *RouterConfig) { c.Receipts = failing })
			order := deliver(t, r, workOrder(t, "work_order.created", "1"))
			e := workOrder(t, "work_order.updated", "2")
			if test.ends {
				e = workOrder(t, "work_order.updated", "2", "end")
			}
			failing.times = 1
			_, err := r.Deliver(t.Context(), e)
			require.ErrorContains(t, err, "keep the receipt for "+order.WorkflowID)
			if test.ends {
				require.NoError(t, r.cfg.Client.GetWorkflow(t.Context(), order.WorkflowID, order.RunID).Get(t.Context(), nil))
			}
			again := deliver(t, r, e)
			require.Equal(t, order.WorkflowID, again.WorkflowID)
			deliver(t, r, e)
			kept, err := s.Receipt(t.Context(), "rentvine:2")
			require.NoError(t, err)
			require.Equal(t, test.outcome, kept.Outcome)
			require.Len(t, receiptsOf(t, s), 2)
			require.Len(t, recorded(t, r.cfg.Client, order.WorkflowID, order.RunID).Taken, 2, "and the workflow has it once")
		})
	}
}

// Nobody is told 202, or that an event is known, before its receipt is kept.
func TestServerAnswersAfterTheReceipt(t *testing.T) {
	t.Parallel()
	s := receiptStore(t)
	failing := &failingReceipts{Receipts: s, times: 2}
	d := open(t, testRouter(t, func(c *RouterConfig) { c.Receipts = failing }), nil)
	body := created(t, "1")
	for range 2 {
		d.requireProblem(d.post(body), http.StatusServiceUnavailable)
		require.Empty(t, receiptsOf(t, s))
	}
	a := d.post(body)
	require.Equal(t, http.StatusAccepted, a.status, a.body)
	require.Equal(t, http.StatusOK, d.post(body).status)
	got := receiptsOf(t, s)
	require.Len(t, got, 1)
	require.Equal(t, digest([]byte(body)), got[0].Digest)
	require.Equal(t, ViaWebhook, got[0].Via)
	require.WithinDuration(t, time.Now(), got[0].ReceivedAt, time.Minute)
	require.Len(t, recorded(t, d.cfg.Router.cfg.Client, "work-order/"+entity(t), "").Taken, 1)
	require.NotContains(t, d.log.String(), "Jane")
}

func TestServerKeepsOneReceiptOfManyDeliveries(t *testing.T) {
	t.Parallel()
	s := receiptStore(t)
	d := open(t, testRouter(t, func(c *RouterConfig) { c.Receipts = s }), func(c *Config) {
		c.Sources[0].InFlight, c.Sources[0].PerSecond, c.Sources[0].Burst = 1000, 1e6, 1000
	})
	const events, times = 20, 5
	var all sync.WaitGroup
	for i := range events * times {
		all.Go(func() {
			body := created(t, fmt.Sprint(i%events))
			a, err := d.try(http.MethodPost, "/webhooks/rentvine", signed(body), strings.NewReader(body))
			if err != nil || a.status >= 300 {
				t.Error(a.status, err)
			}
		})
	}
	all.Wait()
	require.Len(t, receiptsOf(t, s), events)
	faults, err := s.VerifyAudit(t.Context(), "work-order/"+entity(t))
	require.NoError(t, err)
	require.Empty(t, faults)
}

// commits is a store whose commits the test lets pass one by one.
type commits struct {
	begun chan []store.Receipt
	pass  chan error
}

func (c commits) Accept(ctx context.Context, receipts ...store.Receipt) error {
	c.begun <- receipts
	select {
	case err := <-c.pass:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func someReceipt(n int) store.Receipt {
	return store.Receipt{Key: fmt.Sprint("rentvine:", n), WorkflowID: fmt.Sprint("work-order/", n)}
}

// waitFor waits until as many receipts wait for the next commit.
func (b *receiptBook) waitFor(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.waiting) == n
	}, 10*time.Second, time.Millisecond)
}

func TestReceiptsShareCommits(t *testing.T) {
	t.Parallel()
	c := commits{make(chan []store.Receipt), make(chan error)}
	b := newReceiptBook(c)
	told := make(chan error, 1000)
	keep := func(n int) { go func() { told <- b.keep(t.Context(), someReceipt(n)) }() }
	keep(0)
	require.Len(t, <-c.begun, 1, "who is alone does not wait for others")
	for n := range receiptBatch + 10 {
		keep(1 + n)
	}
	b.waitFor(t, receiptBatch+10)
	require.Empty(t, told)
	c.pass <- nil
	require.NoError(t, <-told)
	require.Len(t, <-c.begun, receiptBatch)
	c.pass <- errors.New("one of them is bad")
	for i := range receiptBatch {
		require.Len(t, <-c.begun, 1, "then each is kept by itself")
		if i == 3 {
			c.pass <- errors.New("this one is bad")
			require.ErrorContains(t, <-told, "this one is bad")
			continue
		}
		c.pass <- nil
		require.NoError(t, <-told)
	}
	require.Len(t, <-c.begun, 10)
	c.pass <- nil
	for range 10 {
		require.NoError(t, <-told, "the next commit is another")
	}
	keep(1)
	require.Len(t, <-c.begun, 1, "and so it goes on")
	c.pass <- nil
	require.NoError(t, <-told)
}

func TestReceiptsDoNotWaitForEver(t *testing.T) {
	t.Parallel()
	c := commits{make(chan []store.Receipt, 3), make(chan error)}
	b := newReceiptBook(c)
	b.limit = 200 * time.Millisecond
	require.ErrorIs(t, b.keep(t.Context(), someReceipt(2)), context.DeadlineExceeded, "a commit that hangs is given up")
}

// Who has given up repeats: nothing is written for them, and others need not wait for it.
func TestReceiptsForgetWhoHasGivenUp(t *testing.T) {
	t.Parallel()
	c := commits{make(chan []store.Receipt), make(chan error)}
	b := newReceiptBook(c)
	told := make(chan error, 2)
	keep := func(n int) { go func() { told <- b.keep(t.Context(), someReceipt(n)) }() }
	keep(0)
	<-c.begun
	gone, leave := context.WithCancel(t.Context())
	leave()
	require.ErrorIs(t, b.keep(gone, someReceipt(1)), context.Canceled)
	keep(2)
	b.waitFor(t, 2)
	c.pass <- nil
	require.Equal(t, []store.Receipt{someReceipt(2)}, <-c.begun)
	c.pass <- nil
	require.NoError(t, <-told)
	require.NoError(t, <-told)
}

func TestReceiptsWaitInABoundedQueue(t *testing.T) {
	t.Parallel()
	c := commits{make(chan []store.Receipt), make(chan error)}
	b := newReceiptBook(c)
	gone, leave := context.WithCancel(t.Context())
	defer leave()
	told := make(chan error, 1)
	go func() { told <- b.keep(t.Context(), someReceipt(0)) }()
	<-c.begun
	leave()
	for n := range mostWaiting {
		require.ErrorIs(t, b.keep(gone, someReceipt(1+n)), context.Canceled)
	}
	require.ErrorContains(t, b.keep(t.Context(), someReceipt(1)), "4096 others wait")
	c.pass <- nil
	require.NoError(t, <-told)
	b.waitFor(t, 0)
	go func() { told <- b.keep(t.Context(), someReceipt(1)) }()
	<-c.begun
	c.pass <- nil
	require.NoError(t, <-told, "and so it goes on")
}

// What cannot be kept fails alone.
func TestReceiptsRefuseWhatIsNone(t *testing.T) {
	t.Parallel()
	b := newReceiptBook(commits{})
	require.ErrorContains(t, b.keep(t.Context(), store.Receipt{Key: "k"}), "needs the event's key and its workflow")
	require.ErrorContains(t, b.keep(t.Context(), store.Receipt{WorkflowID: "w"}), "needs the event's key and its workflow")
	require.NoError(t, newReceiptBook(nil).keep(t.Context(), store.Receipt{}), "without a store nothing is kept")
}

// audited are the entries of an entity, without what the chain adds.
func audited(t *testing.T, s store.Store, entity string) []store.AuditEntry {
	t.Helper()
	list, err := s.AuditEntries(t.Context(), store.AuditFilter{Entity: entity})
	require.NoError(t, err)
	for i := range list {
		require.WithinDuration(t, time.Now(), list[i].At, time.Minute)
		list[i].At, list[i].Hash, list[i].Prev, list[i].Seq = time.Time{}, "", "", 0
	}
	return list
}

func TestAnswersAreAudited(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	first := r.ask(id, "page-1", "Water leak, 12 Elm St")
	r.tap(r.keys.Token(first.ID), "acknowledge", "Jane Roe lets me in")
	r.tap(r.keys.Token(first.ID), "decline", "")
	late := r.ask(id, "page-2", "Water leak, 12 Elm St")
	require.NoError(t, r.store.CloseQuestions(t.Context(), id, ""))
	r.tap(r.keys.Token(late.ID), "acknowledge", "")
	gone := r.ask(id, "page-3", "Water leak, 12 Elm St")
	r.end(id)
	r.tap(r.keys.Token(gone.ID), "acknowledge", "")

	want := func(q store.Question, what, details string) store.AuditEntry {
		return store.AuditEntry{ID: "answer/link-" + q.ID, Entity: id, Kind: store.AuditAnswer, Actor: "person/oncall-1", What: what,
			Links: []string{"question/" + q.ID}, Subject: "person/oncall-1", Details: details}
	}
	require.Equal(t, []store.AuditEntry{
		want(first, "page-1: acknowledge by link", `{"note":"Jane Roe lets me in"}`),
		want(late, "page-2: acknowledge by link, too late to change anything", ""),
		want(gone, "page-3: acknowledge by link, after the matter was closed", ""),
	}, audited(t, r.store, id))
}

func TestTextedAnswersAreAudited(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.ask(id, "page-1", "Water leak, 12 Elm St")
	require.Contains(t, r.text("SM1", "1 see you at 5").body, "You are on it")
	r.text("SM1", "1 see you at 5")
	require.Equal(t, []store.AuditEntry{{ID: "answer/sms-SM1", Entity: id, Kind: store.AuditAnswer, Actor: "person/oncall-1",
		What: "page-1: acknowledge by sms", Links: []string{"question/" + q.ID}, Subject: "person/oncall-1", Details: `{"note":"see you at 5"}`}}, audited(t, r.store, id))
}

// Who answers is told so even where the audit cannot be: the workflow has the answer.
func TestAnswersDoNotFailWithTheAudit(t *testing.T) {
	t.Parallel()
	r := newRig(t, testTemporal(t))
	r.work()
	id := r.begin("asking", "1")
	q := r.ask(id, "page-1", "Water leak, 12 Elm St")
	r.people.cfg.Store = deafAudit{r.store}
	require.Contains(t, r.tap(r.keys.Token(q.ID), "acknowledge", "").body, "You are on it, thank you.")
	require.Equal(t, 1, r.logs.FilterMessage("the audit could not be told").Len())
	require.Empty(t, audited(t, r.store, id))
}

// deafAudit is a store whose audit takes nothing.
type deafAudit struct{ store.Store }

func (deafAudit) Append(context.Context, ...store.AuditEntry) error { return errors.New("away") }

func (deafAudit) Accept(context.Context, ...store.Receipt) error { return errors.New("away") }

func TestLeadsAreAudited(t *testing.T) {
	t.Parallel()
	got := &leads{}
	r := letting(t, got)
	r.publish(home("12"))
	require.Equal(t, http.StatusOK, r.apply("12", typedLead()).status)
	require.Equal(t, http.StatusOK, r.apply("12", typedLead()).status)
	require.Len(t, got.got, 2)
	require.Equal(t, []store.AuditEntry{{ID: "lead/" + got.got[0].ID, Entity: home("12").WorkflowID, Kind: store.AuditEvent,
		Actor: got.got[0].Source, What: "lead by form", Ref: "12", Links: []string{}}}, audited(t, r.store, home("12").WorkflowID))
	require.Equal(t, "lead by mail", leadEntry(home("12"), portfolio.Lead{Via: "mail"}).What)
}

// A sale that has failed and is submitted again is a second submission.
func TestSubmissionsAreAudited(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, nil)
	sale := saleOf(t, "Conflict")
	for range 2 {
		d.requireProblem(d.submit(sale, "Prefer", "wait=30"), http.StatusConflict)
	}
	made := answeredSale(t, d.submit(strings.Replace(sale, "Conflict", "John", 1), "Prefer", "wait=30"), http.StatusCreated)
	d.submit(strings.Replace(sale, "Conflict", "John", 1), "Prefer", "wait=30")
	got := audited(t, d.store, made.WorkflowID)
	require.Len(t, got, 3)
	require.Equal(t, store.AuditEntry{ID: "submitted/" + got[2].RunID, Entity: made.WorkflowID, Kind: store.AuditEvent, Actor: "api",
		What: "sale submitted by api", Ref: made.RequestID, RunID: got[2].RunID, Links: []string{}}, got[2])
}

// Who is told that a sale or an import is there has its entry in the audit, also where that
// could not be written at first.
func TestSubmissionsAreAuditedAtLast(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, NewRouter(RouterConfig{Client: testTemporal(t), Limit: 30 * time.Second}), nil)
	sale, file := saleOf(t, "John"), csvOf(t, "Ada")
	d.cfg.API.cfg.Audit = deafAudit{}
	d.requireProblem(d.submit(sale, "Prefer", "wait=0"), http.StatusServiceUnavailable)
	d.requireProblem(d.upload("text/csv", file), http.StatusServiceUnavailable)
	d.requireProblem(d.upload("text/csv", file), http.StatusServiceUnavailable)
	d.cfg.API.cfg.Audit = d.store
	queued := answeredSale(t, d.submit(sale, "Prefer", "wait=0"), http.StatusAccepted)
	known := answerOf[importAnswer](t, d.upload("text/csv", file), http.StatusOK)
	for workflow, what := range map[string]string{queued.WorkflowID: "sale submitted by api", known.WorkflowID: "import of sales submitted by api"} {
		got := audited(t, d.store, workflow)
		require.Len(t, got, 1)
		require.Equal(t, what, got[0].What)
		require.Equal(t, "submitted/"+d.describe(workflow).WorkflowExecution.RunID, got[0].ID)
	}
}

func TestAPIKeepsWhatItAccepts(t *testing.T) {
	t.Parallel()
	id := propertyOf(t)
	d := following(t, func(a *APIConfig, _ *Config) { a.Audit = deafAudit{} }, FoundSale{PropertyID: id})
	body := fmt.Sprintf(`{"type":"contracts_exchanged","property_id":%q,"occurred_at":%q,"id":"evt-1"}`, id, time.Now().UTC().Format(time.RFC3339))
	d.requireProblem(d.report(body), http.StatusServiceUnavailable)
	d.cfg.API.cfg.Audit = d.store
	d.reported(body)
	d.reported(body)
	list, err := d.store.Receipts(t.Context(), store.ReceiptFilter{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.WithinDuration(t, time.Now(), list[0].ReceivedAt, time.Minute)
	list[0].ReceivedAt, list[0].RecordedAt = time.Time{}, time.Time{}
	require.Equal(t, store.Receipt{Source: "api", Key: "reported:contracts_exchanged:evt-1", Type: "contracts_exchanged", EntityID: id, Via: "api",
		WorkflowID: "sale/" + id, Outcome: "accepted"}, list[0])
	require.Len(t, d.signals("sale/"+id), 3, "the workflow takes a key once")
}
