package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/clients/openmoove"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/policy"
	sandbox "github.com/aictive/keyholder/sandbox/openmoove"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// office is a poller's surroundings, real but for Temporal: a SQLite store, the
// client, and the sandbox's OpenMoove over HTTP.
type office struct {
	t    *testing.T
	acts *Activities
	box  *sandbox.Server
	// ctx is that of an activity which runs as long as the test.
	ctx   context.Context
	sales int

	mu sync.Mutex
	// asked are the calls that arrived, oldest first.
	asked []asked
	// fault answers in OpenMoove's place where it returns true.
	fault func(http.ResponseWriter, *http.Request) bool
	// shown is what the workflow of each sale was told, by property.
	shown map[string][]SaleView
	// away is why Temporal takes nothing; unheard why it is not known whether it did.
	away, unheard error
	// over are the properties whose workflow has ended.
	over map[string]bool
	// known is what the workflow of each sale makes of what it was told and saw itself.
	known map[string]*known
}

// asked is one call that reached OpenMoove.
type asked struct {
	at     time.Time
	path   string
	status int
}

// everything is a limit that no test reaches.
func everything() []store.Limit { return []store.Limit{{Calls: 6000, Window: time.Minute}} }

// newOffice is an office whose key has a limit, at OpenMoove and in the ledger.
func newOffice(t *testing.T, limits ...store.Limit) *office {
	t.Helper()
	o := &office{t: t, shown: map[string][]SaleView{}, over: map[string]bool{}, known: map[string]*known{}}
	var texts []string
	for _, l := range limits {
		texts = append(texts, fmt.Sprintf("%d/%s", l.Calls, l.Window))
	}
	var err error
	o.box, err = sandbox.New(sandbox.Config{Limits: strings.Join(texts, ",")})
	require.NoError(t, err)
	t.Cleanup(o.box.Close)
	server := httptest.NewServer(http.HandlerFunc(o.answer))
	t.Cleanup(server.Close)
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "keyholder.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, kept.Close()) })
	rules, err := policy.Open("", nil)
	require.NoError(t, err)
	client := openmoove.New(openmoove.Config{
		// The breaker keeps real time, which is not what is looked at here.
		BaseURL: server.URL, APIKey: sandbox.DevKey, HTTP: partner.HTTPConfig{BreakAfter: 100_000},
	})
	t.Cleanup(client.Close)
	o.acts = New(Config{
		OpenMoove: OpenMoove{Client: client, Limits: limits}, Policy: rules, Store: kept, Keys: store.NewKeys("link key of the tests"),
		ShowSale: o.show, HandOver: func(context.Context, SaleFacts) (bool, error) { return true, nil }, Log: zap.NewNop(),
	})
	o.ctx = activityContext(t)
	return o
}

// answer is OpenMoove with its faults.
func (o *office) answer(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	fault, at := o.fault, len(o.asked)
	o.asked = append(o.asked, asked{at: time.Now(), path: r.URL.Path})
	o.mu.Unlock()
	reply := &noted{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.asked[at].status = reply.status
	}()
	if fault == nil || !fault(reply, r) {
		o.box.ServeHTTP(reply, r)
	}
}

// noted keeps the status of a reply.
type noted struct {
	http.ResponseWriter
	status int
}

// WriteHeader passes the status on.
func (n *noted) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// show is Temporal.
func (o *office) show(_ context.Context, propertyID string, view SaleView) (follows bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away != nil || o.over[propertyID] {
		return false, o.away
	}
	o.shown[propertyID] = append(o.shown[propertyID], view)
	o.saw(propertyID, view)
	return o.unheard == nil, o.unheard
}

// activityContext is the context of an activity that runs as long as the test.
func activityContext(t *testing.T) context.Context {
	t.Helper()
	env := activityEnvironment()
	lent, done, ended := make(chan context.Context), make(chan struct{}), make(chan struct{})
	env.RegisterActivityWithOptions(func(ctx context.Context) error {
		lent <- ctx
		<-done
		return nil
	}, activity.RegisterOptions{Name: "test.lend_context"})
	go func() {
		defer close(ended)
		_, _ = env.ExecuteActivity("test.lend_context") // it returns nil
	}()
	t.Cleanup(func() {
		close(done)
		<-ended
	})
	return <-lent
}

func activityEnvironment() *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	return suite.NewTestActivityEnvironment()
}

// during runs f while OpenMoove answers with a fault.
func (o *office) during(fault func(http.ResponseWriter, *http.Request) bool, f func()) {
	set := func(fault func(http.ResponseWriter, *http.Request) bool) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.fault = fault
	}
	set(fault)
	defer set(nil)
	f()
}

// status is a fault of everything.
func status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		return true
	}
}

// only limits a fault to a sale's milestones.
func only(id string, fault func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == milestonesOf(id) && fault(w, r)
	}
}

func milestonesOf(id string) string { return "/properties/" + id + "/milestones/" }

// calls counts what arrived with a path such as "/properties/*/milestones/".
func (o *office) calls(pattern string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, c := range o.asked {
		if ok, err := path.Match(pattern, c.path); ok && err == nil {
			n++
		}
	}
	return n
}

// refused counts what OpenMoove answered with 429.
func (o *office) refused() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, c := range o.asked {
		if c.status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// views are what the workflow of a sale was told.
func (o *office) views(id string) []SaleView {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]SaleView(nil), o.shown[id]...)
}

func (o *office) last(id string) SaleView {
	o.t.Helper()
	views := o.views(id)
	require.NotEmpty(o.t, views)
	return views[len(views)-1]
}

// sale makes a sale at OpenMoove whose conveyancer is invited.
func (o *office) sale() (id string) {
	o.t.Helper()
	o.sales++
	p, err := o.box.Create(map[string]any{
		"email": fmt.Sprintf("test+%d@example.com", o.sales), "property_address": fmt.Sprintf("%d Larkhall Rise, London", o.sales),
		"property_postcode": "SW4 6LB", "conveyancer_email": "sales@pemberton.example.com",
	})
	require.NoError(o.t, err)
	return strconv.Itoa(p.ID)
}

// watched makes sales that are polled and were shown once. Their UUIDs are known.
func (o *office) watched(n int) (ids []string) {
	o.t.Helper()
	for range n {
		id := o.sale()
		require.NoError(o.t, o.acts.addWatch(o.t.Context(), o.acts.pollRules(1), id, o.property(id).TransactionID))
		ids = append(ids, id)
	}
	o.due(ids...)
	p := o.poller(0, 1)
	p.listAt = time.Now().Add(time.Hour)
	o.round(p)
	for _, id := range ids {
		require.Len(o.t, o.views(id), 1)
	}
	return ids
}

// property is a sale as OpenMoove holds it.
func (o *office) property(id string) *sandbox.Property {
	o.t.Helper()
	p, err := o.box.Property(id)
	require.NoError(o.t, err)
	return p
}

func (o *office) watch(id string) store.Watch {
	o.t.Helper()
	w, err := o.acts.Store.Watch(o.t.Context(), id)
	require.NoError(o.t, err)
	return w
}

// due lets the next read of sales be due, with team and status.
func (o *office) due(ids ...string) {
	o.t.Helper()
	o.dueAt(time.Now().Add(-time.Second), true, ids...)
}

func (o *office) dueAt(at time.Time, detail bool, ids ...string) {
	o.t.Helper()
	for _, id := range ids {
		w := o.watch(id)
		w.DueAt, w.Reads = at, 0
		if detail {
			w.Reads = 100
		}
		updated, err := o.acts.Store.UpdateWatch(o.t.Context(), w, w.ReadAt)
		require.NoError(o.t, err)
		require.True(o.t, updated)
	}
}

// poller is one that starts. It takes team and status with every fourth read.
func (o *office) poller(number, shards int) *poll {
	return &poll{
		Activities: o.acts, rules: o.acts.pollRules(shards), shard: store.WatchShard{Number: number, Count: shards},
		every: 4, countedAt: time.Now().Add(time.Hour), failing: map[string]bool{},
	}
}

// try makes one decision with as many calls as a decision may have.
func (o *office) try(p *poll) error {
	p.state = p.rules.Return(polling.State{At: time.Now()}, math.MaxInt32)
	return p.round(o.ctx)
}

func (o *office) round(p *poll) {
	o.t.Helper()
	require.NoError(o.t, o.try(p))
}

// listIsOld lets the poller look at OpenMoove's list again.
func (o *office) listIsOld(p *poll) {
	o.t.Helper()
	p.listAt = time.Time{}
	require.NoError(o.t, o.acts.Store.SetSetting(o.t.Context(), listedSetting, ""))
}

func TestASaleMadeElsewhereIsAdoptedAndShownOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	id := o.sale()
	p := o.poller(0, 1)
	o.round(p)
	require.Equal(t, o.box.Count(), p.result.Adopted)
	w := o.watch(id)
	require.Empty(t, w.TransactionID, "the list has no UUIDs")
	require.WithinRange(t, w.DueAt, w.AddedAt, w.AddedAt.Add(p.rules.Rest))
	require.Empty(t, o.views(id), "it was not read yet")

	o.due(id)
	o.round(p)
	view := o.last(id)
	property := o.property(id)
	require.Equal(t, milestonesIn(property), view.Milestones)
	require.True(t, view.MilestonesKnown)
	require.Equal(t, membersIn(property), view.Team)
	require.Equal(t, property.Address, view.Address)
	require.Equal(t, SaleMethod(property.Method), view.Method)
	require.WithinDuration(t, property.CreatedAt, view.CreatedAt, time.Microsecond, "as the list said")
	require.Equal(t, 1, p.result.Changed)

	lists := o.calls("/properties/")
	for range 2 {
		again := o.poller(0, 1) // as after a restart
		o.due(id)
		o.round(again)
		require.Equal(t, 1, again.result.Read)
		require.Zero(t, again.result.Changed+again.result.Adopted)
	}
	require.Len(t, o.views(id), 1)
	require.Equal(t, lists, o.calls("/properties/"), "the list is young enough")

	another := o.sale()
	o.listIsOld(p)
	o.round(p)
	require.Equal(t, store.WatchRest, o.watch(another).Class)
	only := o.poller(1, 2)
	o.listIsOld(p)
	lists = o.calls("/properties/")
	o.round(only)
	require.Equal(t, lists, o.calls("/properties/"), "the first shard alone looks at the list")
}

// A list that cannot be read keeps nobody from being polled, and what was read of it
// is adopted.
func TestAListThatCannotBeReadIsTriedLater(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	id := o.watched(1)[0]
	made, err := o.box.CreatePortfolio(150, 1, true)
	require.NoError(t, err)
	o.due(id)
	read := o.calls(milestonesOf(id))
	p := o.poller(0, 1)
	began := time.Now()
	o.during(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/properties/" && r.URL.Query().Get("page") == "2" && status(http.StatusBadGateway)(w, r)
	}, func() { o.round(p) })
	// On a slow machine some that were adopted are due, and read, as well.
	require.Equal(t, read+1, o.calls(milestonesOf(id)), "the one that is due is read, once")
	require.Len(t, o.views(id), 1, "nothing has changed")
	require.Equal(t, 99, p.result.Adopted, "a page but for the one that is watched")
	require.WithinRange(t, p.listAt, began, time.Now().Add(maxOutagePause))

	p.listAt = time.Time{}
	o.round(p)
	require.Equal(t, len(made)+3, p.result.Adopted, "the seeded ones are sales too")
	require.WithinRange(t, p.listAt, began.Add(30*time.Minute), time.Now().Add(30*time.Minute))
}

func TestNothingIsShownWhereNothingHasChanged(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	ids := o.watched(5)
	p := o.poller(0, 1)
	for n := range 4 {
		o.dueAt(time.Now().Add(-time.Second), n%2 == 0, ids...)
		o.round(p)
	}
	require.Equal(t, 20, p.result.Read)
	require.Zero(t, p.result.Changed)
	for _, id := range ids {
		require.Len(t, o.views(id), 1)
		require.True(t, o.watch(id).DueAt.After(time.Now().Add(4*time.Minute)), "its clock began anew")
	}
}

// Each kind of change is shown by the next read that takes it, and once.
func TestEachKindOfChangeIsShown(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	id := o.watched(1)[0]
	first := strconv.Itoa(o.property(id).Milestones[0].ID)
	yes, no, never := true, false, time.Time{}
	someDay := time.Now().AddDate(0, 0, 40).UTC().Truncate(time.Second)
	milestone := func(c sandbox.MilestoneChange) func() (*sandbox.Property, error) {
		return func() (*sandbox.Property, error) { return o.box.SetMilestone(id, first, c) }
	}
	p := o.poller(0, 1)
	for n, c := range []struct {
		name   string
		change func() (*sandbox.Property, error)
		detail bool
		shows  func(SaleView) bool
	}{
		{"completed", milestone(sandbox.MilestoneChange{Completed: &yes}), false, func(v SaleView) bool { return v.Milestones[0].Completed }},
		{"reopened", milestone(sandbox.MilestoneChange{Completed: &no}), false, func(v SaleView) bool { return !v.Milestones[0].Completed }},
		{"due date moved", milestone(sandbox.MilestoneChange{DueDate: &someDay}), false, func(v SaleView) bool { return v.Milestones[0].DueAt.Equal(someDay) }},
		{"due date gone", milestone(sandbox.MilestoneChange{DueDate: &never}), false, func(v SaleView) bool { return v.Milestones[0].DueAt.IsZero() }},
		{"added", func() (*sandbox.Property, error) { return o.box.AddMilestone(id, "Survey", "", someDay) }, false,
			func(v SaleView) bool { return v.Milestones[6].Name == "Survey" }},
		{"accepted", func() (*sandbox.Property, error) { return o.box.Accept(id, "conveyancer") }, true,
			func(v SaleView) bool { return v.Team[0].Role == Conveyancer && v.Team[0].Active }},
		{"status", func() (*sandbox.Property, error) { return o.box.SetStatus(id, "Under offer") }, true,
			func(v SaleView) bool { return v.Status == "Under offer" }},
	} {
		_, err := c.change()
		require.NoError(t, err, c.name)
		o.dueAt(time.Now().Add(-time.Second), false, id)
		o.round(p)
		if c.detail {
			require.Len(t, o.views(id), n+1, "%s: the milestones alone do not show it", c.name)
			o.due(id)
			o.round(p)
		}
		require.Len(t, o.views(id), n+2, c.name)
		require.True(t, c.shows(o.last(id)), c.name)
		require.Equal(t, !c.detail, o.last(id).TeamUnread, c.name)
		o.due(id)
		o.round(p)
		require.Len(t, o.views(id), n+2, "%s: once", c.name)
	}
}

// The status is part of the PDTF object, which is read by its UUID alone
// (contracts/openmoove.md 2).
func TestTheStatusIsShownWhereTheUUIDIsKnown(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	id := o.sale()
	p := o.poller(0, 1)
	o.round(p)
	o.due(id)
	o.round(p)
	_, err := o.box.SetStatus(id, "Sold")
	require.NoError(t, err)
	o.due(id)
	o.round(p)
	require.Len(t, o.views(id), 1)
	require.Empty(t, o.last(id).Status)

	// A creation whose reply was slower than the list hands the sale over.
	_, err = o.acts.handOverSale(o.ctx, SaleFacts{PropertyID: id, TransactionID: o.property(id).TransactionID})
	require.NoError(t, err)
	o.due(id)
	o.round(p)
	require.Len(t, o.views(id), 2, "what the UUID shows is new")
	require.Equal(t, "Sold", o.last(id).Status)
}

// OpenMoove may have lost the older form of the detail: what there is without it is
// shown.
func TestASaleWithoutItsOlderFormIsShown(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"with its UUID": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, everything()...)
			id := o.sale()
			require.NoError(t, o.box.SetOptions(sandbox.Options{WithoutDetail: true}))
			uuid := ""
			if known {
				uuid = o.property(id).TransactionID
			}
			require.NoError(t, o.acts.addWatch(t.Context(), o.acts.pollRules(1), id, uuid))
			o.due(id)
			o.round(o.poller(0, 1))
			require.Equal(t, milestonesIn(o.property(id)), o.last(id).Milestones)
			require.Zero(t, o.watch(id).Failures)
		})
	}
}

// Whatever Temporal did not take is told again by the next attempt.
func TestAChangeIsToldAgainWhereTemporalIsAway(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(*office, error){
		"it takes nothing":    func(o *office, err error) { o.away = err },
		"its answer was lost": func(o *office, err error) { o.unheard = err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, everything()...)
			ids := o.watched(3)
			for _, id := range ids {
				_, err := o.box.SetStatus(id, "Sold")
				require.NoError(t, err)
			}
			gone := errors.New("Temporal is away")
			fails(o, gone)
			p := o.poller(0, 1)
			for range 3 {
				o.due(ids...)
				require.ErrorIs(t, o.try(p), gone)
			}
			o.mu.Lock()
			clear(o.shown)
			o.mu.Unlock()
			fails(o, nil)
			o.round(p)
			o.due(ids...)
			o.round(p)
			for _, id := range ids {
				require.Len(t, o.views(id), 1)
				require.Equal(t, "Sold", o.last(id).Status)
			}
		})
	}
}

func TestAnEndedSaleIsPolledNoMore(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	ids := o.watched(2)
	o.over[ids[0]] = true
	o.due(ids...)
	p := o.poller(0, 1)
	o.round(p)
	require.Zero(t, o.watch(ids[0]).EndedAt, "nothing has changed: nobody was asked")

	_, err := o.box.SetStatus(ids[0], "Sold")
	require.NoError(t, err)
	o.due(ids...)
	o.round(p)
	require.NotZero(t, o.watch(ids[0]).EndedAt)
	require.Zero(t, o.watch(ids[1]).EndedAt)
	before := o.calls(milestonesOf(ids[0]))
	o.listIsOld(p)
	o.round(p)
	require.Equal(t, before, o.calls(milestonesOf(ids[0])))
	require.Equal(t, o.box.Count()-2, p.result.Adopted, "it is not taken for a new one")
}

// A due date that passes needs no read to be noticed.
func TestTimeAloneMakesASaleMorePressing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	p := o.poller(0, 1)
	for _, c := range []struct {
		ahead time.Duration
		from  store.WatchClass
		to    store.WatchClass
	}{
		{p.rules.SoonWithin, store.WatchRest, store.WatchDueSoon},
		{0, store.WatchDueSoon, store.WatchOverdue},
	} {
		id := o.watched(1)[0]
		turns := time.Now().Add(1500 * time.Millisecond)
		for i, m := range o.property(id).Milestones {
			due := time.Time{}
			if i == 0 {
				due = turns.Add(c.ahead)
			}
			_, err := o.box.SetMilestone(id, strconv.Itoa(m.ID), sandbox.MilestoneChange{DueDate: &due})
			require.NoError(t, err)
		}
		o.due(id)
		o.round(p)
		before := o.watch(id)
		require.Equal(t, c.from, before.Class)
		require.WithinDuration(t, turns, before.TurnsAt, time.Millisecond)
		calls := o.calls(milestonesOf(id))
		require.Eventually(t, func() bool {
			o.round(p)
			return o.watch(id).Class == c.to
		}, 5*time.Second, 50*time.Millisecond)
		require.False(t, time.Now().Before(turns))
		after := o.watch(id)
		require.WithinRange(t, after.DueAt, after.ReadAt.Add(p.rules.Target(c.to)*9/10), after.ReadAt.Add(p.rules.Target(c.to)))
		require.True(t, after.DueAt.Before(before.DueAt))
		require.Equal(t, calls, o.calls(milestonesOf(id)), "nobody asked OpenMoove")
	}
}

func TestWhileOpenMooveIsAwayNobodysTurnPasses(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"503":             status(http.StatusServiceUnavailable),
		"500":             status(http.StatusInternalServerError),
		"a key gone bad":  status(http.StatusUnauthorized),
		"a key forbidden": status(http.StatusForbidden),
		"the line drops":  func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, everything()...)
			ids := o.watched(5)
			o.due(ids...)
			turns := map[string]store.Watch{}
			for _, id := range ids {
				turns[id] = o.watch(id)
			}
			p := o.poller(0, 1)
			p.listAt = time.Now().Add(time.Hour)
			o.during(fault, func() {
				for _, seconds := range []float64{5, 10, 20, 40, 60, 60} {
					o.round(p)
					require.InDelta(t, seconds, p.pause.Seconds(), 0)
				}
			})
			for _, id := range ids {
				require.Equal(t, turns[id], o.watch(id))
			}
			_, err := o.box.SetStatus(ids[0], "Sold")
			require.NoError(t, err)
			o.round(p)
			require.Zero(t, p.pause)
			require.Equal(t, "Sold", o.last(ids[0]).Status, "what happened meanwhile is shown")
			require.Equal(t, 5, p.result.Read)
			require.Equal(t, 30, p.result.Failed)
		})
	}
}

// A sale that can never be read is tried less and less often.
func TestOneSaleThatAlwaysFailsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"it is gone":      status(http.StatusNotFound),
		"a server error":  status(http.StatusInternalServerError),
		"a locked record": status(http.StatusForbidden),
		"an odd reply": func(w http.ResponseWriter, _ *http.Request) bool {
			_, err := w.Write([]byte(`{"half of`))
			return err == nil
		},
	} {
		for among, c := range map[string]struct {
			bad   int
			calls float64
		}{"among others": {1, 100}, "alone in a decision": {1, 3}, "two, each alone": {2, 3}, "two that fill a decision": {2, 6}} {
			t.Run(name+", "+among, func(t *testing.T) {
				t.Parallel()
				o := newOffice(t, everything()...)
				ids := o.watched(3 + c.bad)
				bad, good := ids[:c.bad], ids[c.bad:]
				p := o.poller(0, 1)
				p.listAt = time.Now().Add(time.Hour)
				for _, id := range good {
					_, err := o.box.SetStatus(id, "Sold")
					require.NoError(t, err)
				}
				o.due(good...)
				o.dueAt(time.Now().Add(-time.Minute), true, bad...)
				fails := func(w http.ResponseWriter, r *http.Request) bool {
					return slices.ContainsFunc(bad, func(id string) bool { return r.URL.Path == milestonesOf(id) }) && fault(w, r)
				}
				o.during(fails, func() {
					for range 16 {
						// As few calls as a key of 100 a minute has between two decisions.
						p.state = polling.State{Calls: c.calls, At: time.Now()}
						require.NoError(t, p.round(o.ctx))
					}
				})
				for _, id := range good {
					require.Len(t, o.views(id), 2, "it was read")
				}
				for _, id := range bad {
					w := o.watch(id)
					require.Positive(t, w.Failures)
					require.True(t, w.DueAt.After(w.FailedAt.Add(4*time.Minute)))
				}
				o.due(bad...)
				o.round(p)
				for _, id := range bad {
					require.Zero(t, o.watch(id).Failures, "it is back")
				}
			})
		}
	}
}

// Another program uses the key too: from the first 429 on nobody of ours calls
// before the limit's reset.
func TestARefusalHoldsEverybodyUntilItsReset(t *testing.T) {
	t.Parallel()
	o := newOffice(t, store.Limit{Calls: 40, Window: 4 * time.Second})
	ids := o.watched(1) // 3 calls
	o.due(ids...)
	p := o.poller(0, 1)
	p.listAt = time.Now().Add(time.Hour)
	var last time.Time
	for range 40 {
		_, err := o.acts.OpenMoove.Client.Products(t.Context())
		if partner.KindOf(err) == partner.RateLimited {
			break
		}
		require.NoError(t, err)
		last = time.Now()
	}
	mine := o.refused()
	o.round(p)
	require.Equal(t, mine+1, o.refused())
	require.Positive(t, p.pause)
	require.LessOrEqual(t, p.pause, 6*time.Second)
	turn := o.watch(ids[0])
	require.Zero(t, turn.Failures, "it is not the sale's fault")

	asked := o.calls("/properties/*/*/")
	for time.Since(last) < 2*time.Second {
		o.round(p)
		o.round(o.poller(0, 1)) // a poller that starts does not know
		_, err := o.acts.readSale(o.ctx, ReadSaleInput{PropertyID: ids[0], Urgent: true})
		require.ErrorContains(t, err, string(partner.RateLimited))
		require.Equal(t, asked, o.calls("/properties/*/*/"), "nobody calls before the reset")
		<-time.After(100 * time.Millisecond)
	}
	require.Eventually(t, func() bool {
		o.round(p)
		return p.result.Read > 0
	}, 10*time.Second, 50*time.Millisecond)
	require.Equal(t, mine+1, o.refused())
	require.Zero(t, p.pause)
}

func TestTwoPollersShareTheSales(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	ids := o.watched(40)
	o.due(ids...)
	before := o.calls("/properties/*/milestones/")
	var group sync.WaitGroup
	pollers := []*poll{o.poller(0, 2), o.poller(1, 2)}
	for _, p := range pollers {
		p.listAt = time.Now().Add(time.Hour)
		group.Go(func() {
			for range 3 {
				if err := o.try(p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	require.Equal(t, before+40, o.calls("/properties/*/milestones/"), "each sale once")
	for _, p := range pollers {
		require.Greater(t, p.result.Read, 10)
	}
}

// run is the activity until during has returned, and then the worker is stopped; or
// until it fails where during is nil.
func (o *office) run(in PollInput, during func()) (result PollResult, took time.Duration, err error) {
	env, stop := activityEnvironment(), make(chan struct{})
	o.acts.RegisterBulk(env)
	env.SetWorkerStopChannel(stop)
	var stopped time.Time
	if during != nil {
		go func() {
			during()
			stopped = time.Now()
			close(stop)
		}()
		defer func() { <-stop }()
	}
	value, err := env.ExecuteActivity(PollSales.Name, in)
	if err != nil {
		return result, 0, err
	}
	<-stop
	return result, time.Since(stopped), value.Get(&result)
}

// eventually waits for something without failing the test, which another goroutine
// must not.
func eventually(within time.Duration, happened func() bool) {
	for began := time.Now(); !happened() && time.Since(began) < within; {
		<-time.After(5 * time.Millisecond)
	}
}

func TestWhoeverStopsTheWorkerDoesNotWait(t *testing.T) {
	t.Parallel()
	hangs := func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}
	for name, c := range map[string]struct {
		fault func(http.ResponseWriter, *http.Request) bool
		reads int
	}{"between two decisions": {nil, 2}, "while OpenMoove hangs": {hangs, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, everything()...)
			ids := o.watched(2)
			o.due(ids...)
			require.NoError(t, o.acts.Store.SetSetting(t.Context(), listedSetting, time.Now().UTC().Format(time.RFC3339Nano)))
			before := o.calls("/properties/*/milestones/")
			o.during(c.fault, func() {
				result, took, err := o.run(PollInput{}, func() {
					eventually(20*time.Second, func() bool {
						return o.calls("/properties/*/milestones/") >= before+2 && (c.reads == 0 || o.watch(ids[1]).Reads == 0 && o.watch(ids[0]).Reads == 0)
					})
				})
				require.NoError(t, err)
				require.Less(t, took, time.Second)
				require.Equal(t, c.reads, result.Read)
				require.Zero(t, result.Failed, "who is cut off has not failed")
				require.WithinDuration(t, time.Now(), result.State.At, 10*time.Second, "the next run goes on from here")
				require.Equal(t, 1, result.Shards)
			})
			if c.reads == 0 {
				require.True(t, o.watch(ids[0]).DueAt.Before(time.Now()), "its turn stays")
			}
		})
	}
}

func TestARunEndsWhereTemporalIsAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t, everything()...)
	ids := o.watched(1)
	_, err := o.box.SetStatus(ids[0], "Sold")
	require.NoError(t, err)
	o.due(ids...)
	o.away = errors.New("Temporal is away")
	_, _, err = o.run(PollInput{}, nil)
	require.ErrorContains(t, err, "Temporal is away")
	require.True(t, o.watch(ids[0]).DueAt.Before(time.Now()), "the next attempt begins with it")
}

// The policy may ask for more pollers than a small key has calls for.
func TestThereAreNoMorePollersThanTheLimitsCarry(t *testing.T) {
	t.Parallel()
	for want, limit := range map[int]store.Limit{16: {Calls: 100, Window: time.Minute}, 11: {Calls: 40, Window: time.Minute}} {
		o := newOffice(t, limit)
		text, err := os.ReadFile(filepath.Join("..", "policy", "policy.yaml"))
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "policy.yaml")
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "shards: 1 ", "shards: 16 ", 1)), 0o600))
		o.acts.Policy, err = policy.Open(file, nil)
		require.NoError(t, err)
		result, _, err := o.run(PollInput{}, func() {})
		require.NoError(t, err)
		require.NoError(t, o.acts.pollRules(result.Shards).Check())
		require.Equal(t, want, result.Shards)
	}
}

// However often pollers start again, with whatever state, and whatever else calls
// beside them: OpenMoove refuses nothing.
func TestTheLimitsHoldOverRestartsAndBesideOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, store.Limit{Calls: 120, Window: 6 * time.Second})
	_, err := o.box.CreatePortfolio(60, 1, true)
	require.NoError(t, err)
	// Everybody is due every second or so, three times more often than can be.
	o.acts.Clock = durable.DayClock(time.Now(), time.Minute)
	began := time.Now()
	// One window and a half, and long enough for a machine that is busy.
	busy := func() bool {
		ran := time.Since(began)
		return ran < 9*time.Second || o.calls("/properties/*/milestones/") < 60 && ran < 40*time.Second
	}
	var group sync.WaitGroup
	reads := [2]int{}
	for shard := range reads {
		group.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(shard)))
			states := []polling.State{{}}
			for busy() {
				lasts := time.Duration(100+random.IntN(900)) * time.Millisecond
				result, _, err := o.run(PollInput{Shard: shard, Shards: 2, State: states[random.IntN(len(states))]}, func() { <-time.After(lasts) })
				if err != nil {
					t.Error(err)
				}
				reads[shard] += result.Read
				states = append(states[max(0, len(states)-3):], result.State)
			}
		})
	}
	looks := [2]int{}
	for i, urgent := range []bool{false, true} {
		group.Go(func() {
			for busy() {
				_, err := o.acts.readSale(o.ctx, ReadSaleInput{PropertyID: "1", MilestonesOnly: true, Urgent: urgent})
				var app *temporal.ApplicationError
				switch {
				case err == nil:
					looks[i]++
					<-time.After(200 * time.Millisecond)
				case errors.As(err, &app) && app.Type() == string(partner.RateLimited):
					<-time.After(min(app.NextRetryDelay(), 500*time.Millisecond))
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	require.Zero(t, o.refused())
	require.GreaterOrEqual(t, o.calls("/properties/*/milestones/"), 60)
	require.Positive(t, reads[0])
	require.Positive(t, reads[1])
	require.Positive(t, looks[0], "an import goes on beside them")
	require.Positive(t, looks[1], "and so does a person")
}

// milestonesIn and membersIn are a sale as a view should show it.
func milestonesIn(p *sandbox.Property) (list []Milestone) {
	for _, m := range p.Milestones {
		list = append(list, Milestone{
			ID: strconv.Itoa(m.ID), Name: m.Name, Order: m.Order, Completed: m.Completed(), CompletedAt: m.CompletedAt.UTC(), DueAt: m.DueDate.UTC().Truncate(time.Microsecond),
		})
	}
	return list
}

func membersIn(p *sandbox.Property) (list []TeamMember) {
	for _, m := range p.Team {
		list = append(list, TeamMember{
			Role: Role(m.Role), Email: m.Email, Name: m.Name, Firm: m.Firm, Active: m.Active, InvitedAt: m.InvitedAt.UTC().Truncate(time.Microsecond),
		})
	}
	slices.SortFunc(list, func(a, b TeamMember) int { return strings.Compare(string(a.Role), string(b.Role)) })
	return list
}
