package activities

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"github.com/aictive/keyholder/clients/rentvine"
	"github.com/aictive/keyholder/policy"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

// watcher compares a RentVine over HTTP with what is known of it; events are what it told.
type watcher struct {
	*account

	mu     sync.Mutex
	events []durable.Event
	// away makes telling fail.
	away error
	// ahead is by how much RentVine's clock is ahead of ours, now by how much both are.
	ahead, later time.Duration
}

func newWatcher(t *testing.T) *watcher {
	t.Helper()
	w := &watcher{account: newAccount(t)}
	w.box = sandbox.New(sandbox.Config{Now: func() time.Time { return w.now().Add(w.ahead) }})
	w.acts.Now, w.acts.Policy = w.now, hastyPolicy(t)
	w.acts.Keys = store.NewKeys("link key of the tests")
	w.acts.Deliver = func(_ context.Context, ev durable.Event) (Redelivery, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.away != nil {
			return Redelivery{}, w.away
		}
		w.events = append(w.events, ev)
		return Redelivery{Routed: !strings.HasPrefix(ev.Type, "unit.")}, nil
	}
	return w
}

// hastyPolicy is the built-in one without pauses.
func hastyPolicy(t *testing.T) *policy.File {
	t.Helper()
	text, err := os.ReadFile("../policy/policy.yaml")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), "pause: 50ms", "pause: 0s", 1)), 0o600))
	rules, err := policy.Open(path, nil)
	require.NoError(t, err)
	require.Zero(t, rules.Sync().Pause)
	return rules
}

func (w *watcher) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.later)
}

func (w *watcher) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.later += d
}

// told are the events since the last call.
func (w *watcher) told() []durable.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}

// types are what was told since the last call, in order.
func (w *watcher) types() []string {
	var out []string
	for _, ev := range w.told() {
		out = append(out, ev.Type+" "+ev.EntityID)
	}
	slices.Sort(out)
	return out
}

func (w *watcher) look(in ReconcileInput) Reconciled {
	w.t.Helper()
	done, err := w.acts.reconcileRentVine(w.t.Context(), in)
	require.NoError(w.t, err)
	return done
}

// learned is a watcher that has looked once, a minute ago.
func learned(t *testing.T) *watcher {
	t.Helper()
	w := newWatcher(t)
	require.NotZero(t, w.look(ReconcileInput{}).Adopted)
	require.Empty(t, w.told())
	w.wait(time.Minute)
	return w
}

func (w *watcher) lease(fields map[string]any) string {
	w.t.Helper()
	id, _, err := w.box.PutLease(fields)
	require.NoError(w.t, err)
	return id
}

func (w *watcher) money(lease, kind, amount string) string {
	w.t.Helper()
	id, err := w.box.AddTransaction(lease, map[string]any{"type": kind, "amount": amount})
	require.NoError(w.t, err)
	return id
}

// What was there before is nobody's news, however often it is looked at; what is made
// after that is.
func TestTheFirstLookIsSilent(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	first := w.look(ReconcileInput{})
	require.True(t, first.Full)
	require.Equal(t, first.Seen, first.Adopted)
	require.Greater(t, first.Seen, 10)
	require.Empty(t, first.Failed)
	again := w.look(ReconcileInput{})
	require.False(t, again.Full, "once a day is enough")
	require.Zero(t, again.Adopted)
	full := w.look(ReconcileInput{Full: true})
	require.True(t, full.Full)
	require.Equal(t, first.Seen, full.Seen)
	require.Empty(t, w.told())
}

// An hour without webhooks: one look tells exactly what has happened, and the next nothing.
func TestWhatNoWebhookHasToldIsTold(t *testing.T) {
	t.Parallel()
	w := learned(t)
	order := w.box.PutWorkOrder(map[string]any{"propertyID": "1", "description": "Water pours from the ceiling"})
	w.box.PutWorkOrder(map[string]any{"workOrderID": "1", "vendorContactID": "11"})
	lease := w.lease(map[string]any{"startDate": "2026-12-01", "endDate": "2027-11-30"})
	require.NoError(t, w.box.ChangeLease("2", map[string]any{"noticeDate": "2026-11-20"}))
	charge, payment := w.money("2", "charge", "42.00"), w.money("2", "payment", "100.00")
	bill, err := w.box.AddBill(map[string]any{"reference": "Invoice 7", "amount": "275.00"})
	require.NoError(t, err)
	require.NoError(t, w.box.ChangeProperty("1", map[string]any{"name": "Elm House"}))
	require.NoError(t, w.box.ChangeUnit("1", map[string]any{"rent": "1999.00"}))

	differs, err := w.acts.Differences(t.Context(), true, 100)
	require.NoError(t, err)
	require.Len(t, differs.Differences, 9)
	require.Contains(t, differs.Differences, Difference{Record: "work-order/1", Event: "work_order.updated", Fields: []string{"vendorContactID"}})
	require.Empty(t, w.told(), "a comparison tells nobody")

	done := w.look(ReconcileInput{Full: true})
	events := w.told()
	w.mu.Lock()
	w.events = slices.Clone(events)
	w.mu.Unlock()
	require.ElementsMatch(t, []string{
		"work_order.created " + order, "work_order.updated 1", "lease.created " + lease, "lease.updated 2",
		"lease_charge.created " + charge, "payment.received " + payment, "invoice.generated " + bill, "property.updated 1", "unit.updated 1",
	}, w.types())
	require.Equal(t, 9, done.Events)
	require.Equal(t, 1, done.Parked)
	keys := map[string]bool{}
	for _, ev := range events {
		keys[ev.Key] = true
		require.Equal(t, "rentvine", ev.Source)
		require.True(t, strings.HasPrefix(ev.Key, "rentvine/sync/"), ev.Key)
		switch ev.Type {
		case "work_order.updated":
			require.Equal(t, map[string]durable.Change{"vendorContactID": {New: "11"}}, ev.Changes)
		case "property.updated":
			require.Equal(t, map[string]durable.Change{"name": {}}, ev.Changes, "no hash is shown")
		case "unit.updated":
			require.Equal(t, "1999", ev.Changes["rent"].New)
			require.JSONEq(t, `{"unitID": "1", "propertyID": "1"}`, string(ev.Data))
		case "payment.received":
			require.Contains(t, string(ev.Data), `"paymentID":"`+payment+`"`)
			require.Contains(t, string(ev.Data), `"leaseID":"2"`)
		}
	}
	require.Len(t, keys, len(events))

	for range 2 {
		require.Zero(t, w.look(ReconcileInput{Full: true}).Events)
	}
	differs, err = w.acts.Differences(t.Context(), true, 100)
	require.NoError(t, err)
	require.Empty(t, differs.Differences, "what was told is on its way")
}

// The workflow has read what the webhook told of before the look: nothing is told twice,
// and what changes after that is.
func TestWhatTheWorkflowHasReadIsNoNews(t *testing.T) {
	t.Parallel()
	w := learned(t)
	ctx := t.Context()
	order := w.box.PutWorkOrder(map[string]any{"propertyID": "1", "unitID": "1", "description": "A tap drips"})
	_, err := w.acts.readReport(ctx, ReadReportInput{WorkOrderID: order, BestEffort: true})
	require.NoError(t, err)
	require.NoError(t, w.box.ChangeLease("2", map[string]any{"noticeDate": "2026-11-20"}))
	_, err = w.acts.readLease(ctx, "2")
	require.NoError(t, err)
	payment := w.money("2", "payment", "100.00")
	_, err = w.acts.readTransaction(ctx, ReadTransactionInput{ID: "payment/" + payment, Hint: TransactionHint{LeaseID: "2"}})
	require.NoError(t, err)
	bill, err := w.box.AddBill(map[string]any{"reference": "Invoice 7", "amount": "275.00"})
	require.NoError(t, err)
	_, err = w.acts.readTransaction(ctx, ReadTransactionInput{ID: "invoice/" + bill})
	require.NoError(t, err)
	require.NoError(t, w.box.ChangeProperty("1", map[string]any{"name": "Elm House"}))
	require.NoError(t, w.box.ChangeUnit("1", map[string]any{"rent": "1999.00"}))
	_, err = w.acts.readProperty(ctx, "1")
	require.NoError(t, err)
	require.Zero(t, w.look(ReconcileInput{}).Events)

	require.NoError(t, w.box.ChangeTransaction(payment, map[string]any{"isVoided": "1"}))
	require.NoError(t, w.box.ChangeBill(bill, map[string]any{"reference": "Invoice 8"}))
	w.box.PutWorkOrder(map[string]any{"workOrderID": order, "description": "A tap pours"})
	w.look(ReconcileInput{Full: true})
	require.Equal(t, []string{"invoice.generated " + bill, "payment.received " + payment, "work_order.updated " + order}, w.types())
}

// Only who is told of a record can know it: that another workflow has read a lease says
// nothing.
func TestWhatAnotherWorkflowHasReadIsNews(t *testing.T) {
	t.Parallel()
	w := learned(t)
	require.NoError(t, w.box.ChangeLease("2", map[string]any{"noticeDate": "2026-11-20"}))
	env := activityEnvironment() // of no lease's workflow
	ReadLease.Bind(env, w.acts.readLease)
	_, err := env.ExecuteActivity(ReadLease.Name, "2")
	require.NoError(t, err)
	w.look(ReconcileInput{})
	require.Equal(t, []string{"lease.updated 2"}, w.types())
}

// Our own writes come back from nowhere; what somebody else changes at the same moment does.
func TestOwnWritesAreNoNews(t *testing.T) {
	t.Parallel()
	w := learned(t)
	wish := UpdateWorkOrderInput{ScheduledDate: "2026-11-25", VendorContactID: "11", StatusNames: []string{"Scheduled"}, Primary: StatusOpen, EstimatedAmount: "120.00"}
	written, err := w.update(wish)
	require.NoError(t, err)
	require.True(t, written.Changed)
	lease, err := w.acts.RentVine.LeaseWithTenants(t.Context(), "2")
	require.NoError(t, err)
	renewed, err := w.acts.writeRenewal(t.Context(), WriteRenewalInput{LeaseID: "2", OldEnd: lease.EndDate, End: "2028-06-30"})
	require.NoError(t, err)
	require.True(t, renewed.OK, renewed.Differences)
	rent, err := w.acts.writeUnitRent(t.Context(), WriteUnitRentInput{PropertyID: "1", UnitID: "1", Rent: 199900})
	require.NoError(t, err)
	require.True(t, rent.OK)
	w.wait(time.Minute)
	w.look(ReconcileInput{Full: true})
	require.Empty(t, w.types())

	// The same again, and a person changes another field meanwhile.
	wish.ScheduledDate = "2026-11-26"
	_, err = w.update(wish)
	require.NoError(t, err)
	w.box.PutWorkOrder(map[string]any{"workOrderID": "1", "priorityID": "3"})
	w.wait(time.Minute)
	w.look(ReconcileInput{})
	events := w.told()
	require.Len(t, events, 1)
	require.Contains(t, events[0].Changes, "priorityID")
	require.Len(t, events[0].Changes, 1)
}

// A write whose answer was lost is recognised by the try that finds it done.
func TestAWriteThatIsFoundDoneIsOurs(t *testing.T) {
	t.Parallel()
	w := learned(t)
	wish := UpdateWorkOrderInput{ScheduledDate: "2026-11-25"}
	w.box.PutWorkOrder(map[string]any{"workOrderID": "1", "scheduledStartDate": "2026-11-25"})
	_, err := w.update(wish)
	require.NoError(t, err)
	w.wait(time.Minute)
	require.Zero(t, w.look(ReconcileInput{}).Events)
}

// A work order that was closed is on no list of open ones: it is read by itself, once.
func TestWorkOrdersThatHaveEndedAreFound(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	order := w.box.PutWorkOrder(map[string]any{"propertyID": "1", "description": "A tap drips"})
	gone := w.box.PutWorkOrder(map[string]any{"propertyID": "1", "description": "A door squeaks"})
	w.look(ReconcileInput{})
	require.True(t, w.box.SetWorkOrderStatus(order, "Completed"))
	w.twisted(func(rw http.ResponseWriter, r *http.Request, _ []byte) bool {
		if strings.HasSuffix(r.URL.Path, "/work-orders/"+gone) {
			rw.WriteHeader(http.StatusNotFound)
			return true
		}
		if strings.HasSuffix(r.URL.Path, "/work-orders") {
			_, _ = rw.Write([]byte("[]"))
			return true
		}
		return false
	})
	w.look(ReconcileInput{})
	var closed durable.Event
	for _, ev := range w.told() {
		require.Equal(t, "work_order.updated", ev.Type)
		if ev.EntityID == order {
			closed = ev
		} else {
			require.Equal(t, gone, ev.EntityID, "others are open still")
		}
	}
	require.Equal(t, "3", closed.Changes["primaryWorkOrderStatusID"].New)
	w.twisted(nil)
	// Its workflow reads it.
	_, err := w.acts.readReport(t.Context(), ReadReportInput{WorkOrderID: order})
	require.NoError(t, err)
	require.Zero(t, w.look(ReconcileInput{}).Events)
	require.True(t, w.box.SetWorkOrderStatus(order, "In Progress") || w.box.SetWorkOrderStatus(order, "Open"))
	w.look(ReconcileInput{})
	require.Equal(t, []string{"work_order.updated " + order}, w.types(), "it is open again")
}

// The same value as once before is news again, if the workflow has read another meanwhile.
func TestBackAndForth(t *testing.T) {
	t.Parallel()
	w := learned(t)
	keys := map[string]bool{}
	for range 3 {
		for _, day := range []string{"2026-11-20", "2026-11-21"} {
			require.NoError(t, w.box.ChangeLease("2", map[string]any{"noticeDate": day}))
			w.wait(time.Minute)
			w.look(ReconcileInput{})
			events := w.told()
			require.Len(t, events, 1)
			require.False(t, keys[events[0].Key], "workflows take a key once")
			keys[events[0].Key] = true
			_, err := w.acts.readLease(t.Context(), "2")
			require.NoError(t, err)
		}
	}
}

// A look that could not tell tells again, under the same key.
func TestATellingThatFailedIsRepeated(t *testing.T) {
	t.Parallel()
	w := learned(t)
	require.NoError(t, w.box.ChangeLease("2", map[string]any{"noticeDate": "2026-11-20"}))
	w.away = serviceerror.NewUnavailable("Temporal is away")
	_, err := w.acts.reconcileRentVine(t.Context(), ReconcileInput{})
	require.ErrorIs(t, err, w.away)
	w.away = nil
	handedOn := w.acts.Store
	w.acts.Store = noteless{handedOn} // it dies between the telling and the note
	_, err = w.acts.reconcileRentVine(t.Context(), ReconcileInput{})
	require.ErrorIs(t, err, errForgetful)
	w.acts.Store = handedOn
	w.look(ReconcileInput{})
	events := w.told()
	require.Len(t, events, 2)
	require.Equal(t, events[0].Key, events[1].Key)
	require.Zero(t, w.look(ReconcileInput{}).Events)
}

var errForgetful = errors.New("the worker has died")

type noteless struct{ store.Store }

func (noteless) ListedAs(context.Context, string, string, bool) error { return errForgetful }

// RentVine's limits break a walk off: the next try goes on with the kind and page on which
// it was, and tells nothing twice.
func TestAWalkThatBreaksOffGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	w := learned(t)
	w.box.PutWorkOrder(map[string]any{"propertyID": "1", "description": "A tap drips"})
	for range 230 {
		w.money("2", "charge", "42.00")
	}
	limited, asked := true, []string{}
	var mu sync.Mutex
	w.twisted(func(rw http.ResponseWriter, r *http.Request, _ []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path+"?"+r.URL.Query().Get("page"))
		if limited && strings.HasSuffix(r.URL.Path, "/transactions/search") && r.URL.Query().Get("page") == "3" {
			rw.Header().Set("Retry-After", "1")
			rw.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	})
	var at Reconciled
	try := func() (done Reconciled, err error) {
		env := activityEnvironment()
		ReconcileRentVine.Bind(env, w.acts.reconcileRentVine)
		env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
			require.NoError(t, details.Get(&at))
		})
		if at.Kind != "" {
			env.SetHeartbeatDetails(at)
		}
		value, err := env.ExecuteActivity(ReconcileRentVine.Name, ReconcileInput{})
		if err == nil {
			require.NoError(t, value.Get(&done))
		}
		return done, err
	}
	_, err := try()
	require.ErrorContains(t, err, "429")
	require.Equal(t, kindTransactions, at.Kind)
	require.Equal(t, 2, at.Page)
	mu.Lock()
	limited, asked = false, nil
	mu.Unlock()
	done, err := try()
	require.NoError(t, err)
	require.Contains(t, asked[0], "/transactions/search?2", "not from the beginning")
	require.Equal(t, 230, done.Told["lease_charge.created"])
	require.Equal(t, 1, done.Told["work_order.created"])
	require.Len(t, w.told(), 231)
}

// What RentVine refuses to show holds up nothing else, and is said.
func TestAKindThatIsRefusedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := learned(t)
	require.NoError(t, w.box.ChangeUnit("1", map[string]any{"rent": "1999.00"}))
	w.twisted(func(rw http.ResponseWriter, r *http.Request, _ []byte) bool {
		refused := strings.Contains(r.URL.Path, "/accounting/")
		if refused {
			rw.WriteHeader(http.StatusForbidden)
		}
		return refused
	})
	done := w.look(ReconcileInput{Full: true})
	require.Equal(t, []FailedKind{{Kind: kindTransactions, Why: "forbidden"}, {Kind: kindBills, Why: "forbidden"}}, done.Failed)
	require.Equal(t, []string{"unit.updated 1"}, w.types())
}

// A look through everything that was not through everything is made again, not at once.
func TestALookThatLeftSomethingOutIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := learned(t)
	w.wait(72 * time.Hour)
	w.twisted(func(rw http.ResponseWriter, r *http.Request, _ []byte) bool {
		if !strings.HasSuffix(r.URL.Path, "/properties/export") {
			return false
		}
		_, _ = rw.Write([]byte(`[{"property":{"propertyID":{"x":1}}},{"property":{"propertyID":"1","name":"Elm House"}}]`))
		return true
	})
	done := w.look(ReconcileInput{})
	require.True(t, done.Full)
	require.Equal(t, []FailedKind{{Kind: kindProperties, Why: "malformed"}}, done.Failed)
	require.Equal(t, []string{"property.updated 1"}, w.types(), "the row that can be read is compared")
	w.twisted(nil)
	require.False(t, w.look(ReconcileInput{}).Full)
	w.wait(time.Hour)
	require.True(t, w.look(ReconcileInput{}).Full)
	w.wait(time.Hour)
	require.False(t, w.look(ReconcileInput{}).Full)
}

// One record that cannot be told of holds up no other; many in a row end the look.
func TestOneThatCannotBeToldOfHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := learned(t)
	deliver, broken := w.acts.Deliver, map[string]bool{"2": true}
	w.acts.Deliver = func(ctx context.Context, ev durable.Event) (Redelivery, error) {
		if broken[ev.EntityID] || broken["all"] {
			return Redelivery{}, errors.New("its workflow does not answer")
		}
		return deliver(ctx, ev)
	}
	require.NoError(t, w.box.ChangeLease("2", map[string]any{"noticeDate": "2026-11-20"}))
	lease := w.lease(map[string]any{"startDate": "2026-12-01"})
	done := w.look(ReconcileInput{})
	require.Equal(t, []string{"lease.created " + lease}, w.types())
	require.Equal(t, 1, done.Untold)
	require.Equal(t, []FailedKind{{Kind: kindLeases, Record: "lease/2", Why: "not told"}}, done.Failed)
	delete(broken, "2")
	require.Empty(t, w.look(ReconcileInput{}).Failed)
	require.Equal(t, []string{"lease.updated 2"}, w.types())

	broken["all"] = true
	for range mostUntold {
		w.lease(map[string]any{"startDate": "2026-12-01"})
	}
	_, err := w.acts.reconcileRentVine(t.Context(), ReconcileInput{})
	require.ErrorContains(t, err, "does not answer")
}

// Another key makes nothing look changed: what cannot be compared is learned, the rest is
// compared as ever.
func TestAnotherKeyChangesNothing(t *testing.T) {
	t.Parallel()
	w := learned(t)
	w.acts.Keys = store.NewKeys("another link key")
	require.NoError(t, w.box.ChangeUnit("1", map[string]any{"rent": "1999.00"}))
	w.look(ReconcileInput{Full: true})
	require.Equal(t, []string{"unit.updated 1"}, w.types())
	w.wait(time.Minute)
	require.NoError(t, w.box.ChangeProperty("1", map[string]any{"name": "Elm House"}))
	w.look(ReconcileInput{Full: true})
	require.Equal(t, []string{"property.updated 1"}, w.types(), "hashes of the new key are compared")
}

// A list and a reader that differ for good are told once; a list that goes back and forth
// is told each time, though nobody reads in between.
func TestWhatDiffersForGoodIsToldOnce(t *testing.T) {
	t.Parallel()
	w := learned(t)
	l, err := w.acts.RentVine.LeaseWithTenants(t.Context(), "2")
	require.NoError(t, err)
	read := func() {
		fields := w.acts.leaseFields(l)
		fields["leaseStatusID"] = "as nobody else says it"
		w.wait(time.Minute)
		require.NoError(t, w.acts.knows(t.Context(), w.now(), "lease/2", fields))
		w.wait(time.Minute)
	}
	read()
	w.look(ReconcileInput{Full: true})
	require.Equal(t, []string{"lease.updated 2"}, w.types())
	for range 3 {
		read() // its workflow, which was told
		w.look(ReconcileInput{Full: true})
		require.Empty(t, w.types())
	}
	keys := map[string]bool{}
	for range 2 {
		for _, day := range []string{"2026-11-20", "2026-11-21"} {
			require.NoError(t, w.box.ChangeLease("2", map[string]any{"noticeDate": day}))
			w.look(ReconcileInput{})
			events := w.told()
			require.Len(t, events, 1)
			require.False(t, keys[events[0].Key])
			keys[events[0].Key] = true
			require.Zero(t, w.look(ReconcileInput{}).Events)
		}
	}
}

// What was undone before anybody has looked again is found too.
func TestWhatIsUndoneIsFound(t *testing.T) {
	t.Parallel()
	w := learned(t)
	unit, err := w.acts.RentVine.Unit(t.Context(), "1", "1")
	require.NoError(t, err)
	rent, err := w.acts.writeUnitRent(t.Context(), WriteUnitRentInput{PropertyID: "1", UnitID: "1", Rent: 199900})
	require.NoError(t, err)
	require.True(t, rent.OK)
	require.NoError(t, w.box.ChangeUnit("1", map[string]any{"rent": unit.Rent}))
	w.wait(time.Minute)
	w.look(ReconcileInput{Full: true})
	require.Equal(t, []string{"unit.updated 1"}, w.types())
}

// What was parked is not parked again while it stays as it is.
func TestWhatWasParkedIsKnown(t *testing.T) {
	t.Parallel()
	w := learned(t)
	require.NoError(t, w.box.ChangeUnit("1", map[string]any{"rent": "1999.00"}))
	require.Equal(t, 1, w.look(ReconcileInput{Full: true}).Parked)
	require.NoError(t, w.box.ChangeUnit("1", map[string]any{"size": "901"}))
	w.told()
	w.wait(time.Minute)
	require.Equal(t, 1, w.look(ReconcileInput{Full: true}).Parked)
	events := w.told()
	require.Len(t, events, 1)
	require.NotContains(t, events[0].Changes, "rent")
}

// A work order that is gone is told of once and not read again; one that RentVine refuses
// to show is not gone.
func TestWorkOrdersThatAreGone(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	gone := w.box.PutWorkOrder(map[string]any{"propertyID": "1", "description": "A door squeaks"})
	w.look(ReconcileInput{})
	w.wait(time.Minute)
	status, asked := http.StatusForbidden, 0
	w.twisted(func(rw http.ResponseWriter, r *http.Request, _ []byte) bool {
		if strings.HasSuffix(r.URL.Path, "/work-orders/"+gone) {
			asked++
			rw.WriteHeader(status)
			return true
		}
		if strings.HasSuffix(r.URL.Path, "/work-orders") {
			_, _ = rw.Write([]byte("[]"))
			return true
		}
		return false
	})
	done := w.look(ReconcileInput{})
	require.Equal(t, []FailedKind{{Kind: kindWorkOrders, Record: "work-order/" + gone, Why: "forbidden"}}, done.Failed)
	require.Empty(t, w.types())
	status = http.StatusNotFound
	w.look(ReconcileInput{})
	require.Equal(t, []string{"work_order.updated " + gone}, w.types())
	asked = 0
	w.look(ReconcileInput{})
	require.Empty(t, w.types())
	require.Zero(t, asked)
}

// RentVine's clock may be ahead or behind: what changes between two looks is found.
func TestClocksThatDisagree(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-2 * time.Hour, 2 * time.Hour} {
		w := newWatcher(t)
		w.ahead = ahead
		w.look(ReconcileInput{})
		for range 3 {
			w.wait(15 * time.Minute)
			lease := w.lease(map[string]any{"startDate": "2026-12-01"})
			w.look(ReconcileInput{})
			require.Equal(t, []string{"lease.created " + lease}, w.types())
		}
	}
}

// A lease that changed long before the last look, of which the filter does not tell, is
// found by the daily look, also where a night was missed.
func TestTheDailyLookFindsTheRest(t *testing.T) {
	t.Parallel()
	w := learned(t)
	w.ahead = -40 * time.Hour // it says that it was changed long ago
	require.NoError(t, w.box.ChangeLease("2", map[string]any{"noticeDate": "2026-11-20"}))
	require.False(t, w.look(ReconcileInput{}).Full)
	require.Empty(t, w.types())
	w.wait(72 * time.Hour)
	require.True(t, w.look(ReconcileInput{}).Full)
	require.Equal(t, []string{"lease.updated 2"}, w.types())
	require.False(t, w.look(ReconcileInput{}).Full)
}

func TestFullDue(t *testing.T) {
	t.Parallel()
	const at, zone = policy.TimeOfDay(2*60 + 15), "America/Los_Angeles"
	now := time.Date(2026, 11, 23, 10, 20, 0, 0, time.UTC) // 02:20 there
	for name, c := range map[string]struct {
		now, last time.Time
		want      bool
	}{
		"never":                  {now, time.Time{}, true},
		"just made":              {now, now.Add(-4 * time.Minute), false},
		"made last night":        {now, now.Add(-24 * time.Hour), true},
		"not yet":                {now.Add(-10 * time.Minute), now.Add(-24 * time.Hour), false},
		"missed for days":        {now.Add(-10 * time.Minute), now.Add(-72 * time.Hour), true},
		"asked for in the day":   {now.Add(12 * time.Hour), now.Add(11 * time.Hour), false},
		"the hour that is twice": {time.Date(2026, 11, 1, 10, 20, 0, 0, time.UTC), time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), true},
		"the hour that is not":   {time.Date(2026, 3, 8, 10, 20, 0, 0, time.UTC), time.Date(2026, 3, 8, 9, 0, 0, 0, time.UTC), true},
	} {
		require.Equal(t, c.want, fullDue(c.now, c.last, at, zone), name)
	}
	require.True(t, fullDue(now, now.Add(-24*time.Hour), at, "Nowhere"), "in UTC")
}

// What is read while something is written is older than the write, however late it is
// compared.
func TestAPageOlderThanWhatIsKnownTellsNothing(t *testing.T) {
	t.Parallel()
	w := learned(t)
	w.twisted(func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		if strings.HasSuffix(r.URL.Path, "/leases/export") && r.URL.Query().Get("leaseIDs[]") == "" {
			// While the list is on its way, the workflow reads and somebody changes more.
			l, err := w.acts.RentVine.LeaseWithTenants(context.Background(), "2")
			if err == nil {
				l.NoticeDate = "2026-11-29"
				_ = w.acts.knows(context.Background(), w.now(), "lease/2", w.acts.leaseFields(l))
			}
		}
		return false
	})
	w.look(ReconcileInput{Full: true})
	require.Empty(t, w.types())
	w.twisted(nil)
	w.wait(time.Minute)
	w.look(ReconcileInput{Full: true})
	require.Equal(t, []string{"lease.updated 2"}, w.types(), "the next look sees what there is")
}

// Of very much, a look tells a part, and the next goes on.
func TestALookTellsSoMuchAndNoMore(t *testing.T) {
	t.Parallel()
	w := learned(t)
	for range 5 {
		w.box.PutWorkOrder(map[string]any{"propertyID": "1", "description": "A tap drips"})
	}
	r := &reconciling{Activities: w.acts, rules: w.acts.Policy.Sync(), most: 3, done: Reconciled{Began: w.now()}}
	require.NoError(t, r.walk(t.Context()))
	require.True(t, r.done.Left)
	require.Len(t, w.told(), 3)
	done := w.look(ReconcileInput{})
	require.False(t, done.Left)
	require.Len(t, w.told(), 2)
	found, err := w.acts.Differences(t.Context(), true, 1)
	require.NoError(t, err)
	require.Empty(t, found.Differences)
}

// A lease of which nobody has heard is new only where RentVine made it since we looked
// first; charges dated long before that are not new either, however late they are entered.
func TestWhatIsOldIsNotTakenForNew(t *testing.T) {
	t.Parallel()
	w := learned(t)
	r := &reconciling{Activities: w.acts, rules: w.acts.Policy.Sync(), most: 10, done: Reconciled{Began: w.now()}, learned: time.Date(2026, 7, 8, 12, 0, 0, 0, time.UTC)}
	of := func(record string, createdAt time.Time, day string) held {
		return held{record: record, entity: "1", created: "created", updated: "updated", fields: map[string]string{"x": "1"}, createdAt: createdAt, day: day}
	}
	for _, h := range []held{
		of("lease/901", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ""), of("lease/902", w.now().Add(time.Minute), ""), of("lease/903", time.Time{}, ""),
		of("charge/904", time.Time{}, "2026-06-30"), of("charge/905", time.Time{}, "2026-07-01"),
	} {
		require.NoError(t, r.compare(t.Context(), h))
	}
	events := w.told()
	var what []string
	for _, ev := range events {
		what = append(what, ev.Type)
	}
	require.Equal(t, []string{"updated", "created", "created", "created"}, what)
	require.Len(t, r.adopted, 1)
}

// Fields are known as the lists show them, whoever reads them.
func TestReadersAndListsAgree(t *testing.T) {
	t.Parallel()
	w := newWatcher(t)
	order, err := w.acts.RentVine.WorkOrder(t.Context(), "1")
	require.NoError(t, err)
	require.NoError(t, w.acts.RentVine.EachWorkOrder(t.Context(), rentvine.WorkOrderFilter{}, func(_ int, listed rentvine.WorkOrder) bool {
		if listed.ID == "1" {
			require.Equal(t, w.acts.workOrderFields(order), w.acts.workOrderFields(listed))
		}
		return true
	}))
	for name, value := range w.acts.workOrderFields(order) {
		require.NotContains(t, value, "tap", name)
	}
	property, err := w.acts.RentVine.Property(t.Context(), "1")
	require.NoError(t, err)
	require.NoError(t, w.acts.RentVine.EachProperty(t.Context(), 1, func(_ int, listed rentvine.Property) bool {
		if listed.ID == "1" {
			require.Equal(t, w.acts.propertyFields(property), w.acts.propertyFields(listed))
		}
		return true
	}))
}
