package activities

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities/analysis"
	"github.com/aictive/keyholder/activities/listingtext"
	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/store"
)

// listened gives a recorder to ctx, and returns what was recorded since the last call.
func listened(ctx context.Context) (context.Context, func() []store.AuditEntry) {
	r := &recorder{}
	return context.WithValue(ctx, recorderKey{}, r), func() []store.AuditEntry {
		r.mu.Lock()
		defer r.mu.Unlock()
		heard := r.entries
		r.entries = nil
		return heard
	}
}

// whats are what entries say, by their IDs.
func whats(list []store.AuditEntry) map[string]string {
	out := map[string]string{}
	for _, e := range list {
		out[e.ID] = e.What
	}
	return out
}

func TestAnEffectIsRecordedWhoeverHasDoneIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	ctx, heard := listened(t.Context())
	var fail error
	found := ""
	e := effect{
		key: "lease/1@1/check/smoke/1", about: about{kind: store.AuditWrite, partner: atRentVine, what: "a work order", links: []string{"lease/1"}, makes: "work-order/"},
		find: func(context.Context, time.Time) (string, bool, error) { return found, found != "", nil },
		act:  func(context.Context) (string, error) { return "7 8", fail },
	}
	fail = &partner.Error{Kind: partner.UnknownOutcome}
	_, err := w.a.once(ctx, e)
	require.Error(t, err)
	require.Empty(t, heard(), "nobody knows whether it was done")
	found = "7 8"
	for range 2 { // found, then known
		_, err = w.a.once(ctx, e)
		require.NoError(t, err)
		list := heard()
		require.Len(t, list, 1)
		require.WithinDuration(t, time.Now(), list[0].At, time.Minute)
		list[0].At = time.Time{}
		require.Equal(t, store.AuditEntry{
			ID: "effect/lease/1@1/check/smoke/1", Kind: store.AuditWrite, What: "a work order", Partner: "rentvine", Ref: "7 8",
			Links: []string{"lease/1", "work-order/7"},
		}, list[0])
	}
	e.key = "another"
	fail = &partner.Error{Kind: partner.Invalid}
	found = ""
	_, err = w.a.once(ctx, e)
	require.Error(t, err)
	require.Empty(t, heard())
}

func TestAMessageIsRecordedWithoutAddressAndLink(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(12))
	r.consents(ConsentGiven)
	ctx, heard := listened(r.ctx)
	r.ctx = ctx
	m := offer("1")
	m.Text = "Answer {code} at {link} or at " + r.acts.PublicURL + "/o/secret, please"
	m.MailText = "Mailed: " + m.Text
	m.Ask = &Ask{Purpose: "offer", Title: "A title", Options: []Option{{Key: "1", Choice: "yes", Label: "Yes"}}, ExpiresAt: by(40)}
	require.Equal(t, sentBy("1", SMS), r.send(m))
	question := r.acts.Keys.QuestionID("lease/1/1", "1", "tenant-7")
	list := heard()
	require.Len(t, list, 1)
	require.Equal(t, "SM", list[0].Ref[:2])
	list[0].Ref, list[0].At = "", time.Time{}
	require.Equal(t, store.AuditEntry{
		ID: "effect/lease/1/1/1/sms", Kind: store.AuditMessage, What: "text to tenant-7: 1, routine, campaign renewal", Partner: "twilio",
		Links: []string{"question/" + question}, Subject: "contact/7", Details: "Answer [code] at [link] or at [link] please",
	}, list[0])
	require.Equal(t, sentBy("1", SMS), r.send(m))
	require.Equal(t, map[string]string{"effect/lease/1/1/1/sms": "text to tenant-7: 1, routine, campaign renewal"}, whats(heard()), "a repeat names the same")

	m.Step, m.Channels, m.Ask = "2", []Channel{Mail}, nil
	require.Equal(t, sentBy("2", Mail), r.send(m))
	list = heard()
	require.Len(t, list, 1)
	require.Equal(t, "effect/lease/1/1/2/mail", list[0].ID)
	require.Equal(t, "mail", list[0].Partner)
	require.Equal(t, "Your lease\nMailed: Answer [code] at [link] or at [link] please", list[0].Details)
}

func TestWhyAMessageDidNotLeaveIsRecorded(t *testing.T) {
	t.Parallel()
	r := newMailRoom(t, by(22))
	r.consents(ConsentGiven)
	ctx, heard := listened(r.ctx)
	r.ctx = ctx
	for range 2 {
		require.Equal(t, MessageHeld, r.send(offer("1")).Outcome)
		require.Equal(t, map[string]string{
			"held/lease/1/1/1/quiet-hours/2026-11-24T16:00:00Z": "message to tenant-7: 1, routine, campaign renewal: held back until 2026-11-24T16:00:00Z, quiet hours",
		}, whats(heard()))
	}
	require.NoError(t, r.acts.Store.SetSetting(t.Context(), "outbound_paused", "1"))
	r.send(offer("1"))
	list := heard()
	require.NotContains(t, list[0].What, "until", "nobody knows until when")
	require.Len(t, list, 1)
	require.Equal(t, "held/lease/1/1/1/outbound-messages-are-paused", list[0].ID)
	require.Equal(t, store.AuditDecision, list[0].Kind)
	require.Equal(t, "policy", list[0].Actor)
	_, err := r.acts.sendInvitations(ctx, invitations())
	require.Error(t, err)
	require.Len(t, heard(), 3, "one for each who should have had it")
	require.NoError(t, r.acts.Store.SetSetting(t.Context(), "outbound_paused", ""))

	nobody := offer("2")
	nobody.To.Email, nobody.ContactID = "", "9"
	require.Equal(t, MessageImpossible, r.send(nobody).Outcome)
	for id, what := range whats(heard()) {
		require.Equal(t, "held/lease/1/1/2/sms:-no-consent;-mail:-no-address", id)
		require.Contains(t, what, "not sent, sms: no consent; mail: no address")
	}
	r.acts.Outbound, err = NewOutbound("record", nil)
	require.NoError(t, err)
	mailed := offer("3")
	mailed.Channels = []Channel{Mail}
	require.Equal(t, MessageRecorded, r.send(mailed).Outcome)
	require.Equal(t, map[string]string{
		"held/lease/1/1/3/KEYHOLDER_OUTBOUND-is-record": "message to tenant-7: 3, routine, campaign renewal: recorded only, KEYHOLDER_OUTBOUND is record",
	}, whats(heard()))
}

func TestACalendarEntryIsRecordedForEach(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "live")
	ctx, heard := listened(d.ctx)
	_, err := d.acts.sendInvitations(ctx, invitations())
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"effect/work-order/4711/1/invitation/work-order-4711/1/tenant-1":              "mail to tenant-1: calendar entry of a visit, version 1",
		"effect/work-order/4711/1/invitation/work-order-4711/1/tech-1":                "mail to tech-1: calendar entry of a visit, version 1",
		"held/work-order/4711/1/invitation/work-order-4711/1/tech-2/mail:-no-address": "mail to tech-2: calendar entry of a visit, version 1: not sent, mail: no address",
	}, whats(heard()))
}

func TestAnOrderIsRecordedWithItsVendorAndItsMail(t *testing.T) {
	t.Parallel()
	d := newTill(t)
	ctx, heard := listened(t.Context())
	in := someOrder("work-order/4/order-1")
	order, err := d.acts.createPurchaseOrder(ctx, in)
	require.NoError(t, err)
	want := map[string]string{
		"effect/work-order/4/order-1/quickbooks-vendor/0": "vendor contact:14",
		"effect/work-order/4/order-1/quickbooks":          "purchase order WO1004-1 to contact:14",
		"effect/work-order/4/order-1/purchase-order-mail": "mail to contact:14: purchase order WO1004-1",
	}
	list := heard()
	require.Equal(t, want, whats(list))
	require.Equal(t, order.ID, list[1].Ref)
	_, err = d.acts.createPurchaseOrder(ctx, in)
	require.NoError(t, err)
	delete(want, "effect/work-order/4/order-1/quickbooks-vendor/0")
	require.Equal(t, want, whats(heard()), "what is done is recorded again, under the same names")
	_, err = d.acts.createPurchaseOrder(ctx, someOrder("work-order/4/order-2"))
	require.NoError(t, err)
	require.Len(t, heard(), 2, "a vendor who was there is not recorded")
	_, err = d.acts.cancelPurchaseOrder(ctx, CancelPurchaseOrderInput{Ref: in.Ref, ID: order.ID, Number: in.Number, Vendor: in.Vendor, Company: in.Company})
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"write/": "purchase order WO1004-1 deleted",
		"effect/work-order/4/order-1/purchase-order-cancelled": "mail to contact:14: purchase order WO1004-1 is cancelled",
	}, whats(heard()))
}

func TestOnlyWhatChangesAWorkOrderIsRecorded(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	ctx, heard := listened(t.Context())
	in := UpdateWorkOrderInput{
		WorkOrderID: "1", StatusNames: []string{"Scheduled"}, Primary: StatusOpen, ScheduledDate: "2026-11-24", VendorContactID: "11", ClearAssigned: true,
		ClosingDescription: "Jane's tap drips", EstimatedAmount: "120.00",
	}
	_, err := a.acts.updateWorkOrder(ctx, in)
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"write/": "work order 1: status 12 (Scheduled), no assigned user, vendor 11, from 2026-11-24, estimate 120.00, closing description",
	}, whats(heard()))
	_, err = a.acts.updateWorkOrder(ctx, in)
	require.NoError(t, err)
	require.Empty(t, heard())
}

func TestARenewalAndARentAreRecorded(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	ctx, heard := listened(t.Context())
	id := rented(a, "1850.00")
	_, err := a.acts.writeRenewal(ctx, agreedOn(id, 1900_50))
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"write/end":     "end of lease " + id + ": 2028-07-31",
		"write/charges": "recurring charges of lease " + id + ": until 2028-07-31, rent 1900.50 from 2027-08-01",
	}, whats(heard()))
	for _, want := range []map[string]string{{"write/": "asking rent of unit 3: 2050.50"}, {}} {
		_, err = a.acts.writeUnitRent(ctx, WriteUnitRentInput{PropertyID: "2", UnitID: "3", Rent: 2050_50})
		require.NoError(t, err)
		require.Equal(t, want, whats(heard()))
	}
}

func TestDecisionsAreRecordedWithWhoMadeThem(t *testing.T) {
	t.Parallel()
	a := New(Config{})
	ctx, heard := listened(t.Context())
	out, err := a.analyzeMaintenance(ctx, AnalyzeInput{WorkOrderID: "4", Report: analysis.Report{Text: "Jane's tap drips"}})
	require.NoError(t, err)
	_, err = a.writeListing(ctx, WriteListingInput{Facts: listingtext.Facts{}, Headline: "A home"})
	require.NoError(t, err)
	list := heard()
	require.Len(t, list, 2)
	for _, e := range list {
		require.Equal(t, store.AuditDecision, e.Kind)
		require.Equal(t, "policy", e.Actor)
		require.NotContains(t, e.What, "Jane")
	}
	require.Contains(t, list[0].What, "analysis of work order 4: "+string(out.Priority)+", ")
	require.Equal(t, "model", deciderOf("rules 3, model gpt"))
}

// forgetful is a store whose audit fails at first.
type forgetful struct {
	store.Store
	fails *atomic.Int32
}

func (f forgetful) Append(ctx context.Context, entries ...store.AuditEntry) error {
	if f.fails.Add(-1) >= 0 {
		return errors.New("the disk is full")
	}
	return f.Store.Append(ctx, entries...)
}

// auditedRun runs an activity as workers do, and returns what the audit has of it.
func auditedRun(t *testing.T, a *Activities, run func(workflow.Context) error) []store.AuditEntry {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{a.Auditing()}})
	UpdateWorkOrder.Bind(env, a.updateWorkOrder)
	CreateCheck.Bind(env, a.createCheck)
	env.RegisterWorkflow(run)
	env.ExecuteWorkflow(run)
	require.NoError(t, env.GetWorkflowError())
	list, err := a.Store.AuditEntries(t.Context(), store.AuditFilter{})
	require.NoError(t, err)
	return list
}

// Whatever is lost in between, the audit has each write once.
func TestNothingThatWasDoneGoesUnrecorded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fails  int32
		lost   string
		suffix string
	}{
		"nothing is lost":     {},
		"the audit fails":     {fails: 1, suffix: " (a repeat found it so)"},
		"the reply was lost":  {lost: "/maintenance/work-orders/1", suffix: " (a repeat found it so)"},
		"and the audit fails": {fails: 2, lost: "/maintenance/work-orders/1", suffix: " (a repeat found it so)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t)
			fails := &atomic.Int32{}
			fails.Store(c.fails)
			a.acts.Store = forgetful{a.acts.Store, fails}
			if c.lost != "" {
				a.twisted(lost(a, c.lost))
			}
			list := auditedRun(t, a.acts, func(ctx workflow.Context) error {
				_, err := UpdateWorkOrder.Run(ctx, UpdateWorkOrderInput{WorkOrderID: "1", AssignedUserID: "31"}, "write")
				if err == nil {
					_, err = CreateCheck.Run(ctx, CreateCheckInput{Ref: "lease/1@1", LeaseID: "1", PropertyID: "1", UnitID: "1", CheckID: "smoke", Name: "Smoke", Number: 1}, "check")
				}
				return err
			})
			require.Len(t, list, 2)
			require.Equal(t, "work order 1: assigned user 31"+c.suffix, list[0].What)
			require.True(t, strings.HasPrefix(list[0].ID, "write/default-test-workflow-id/default-test-run-id/"), list[0].ID)
			require.Equal(t, "rentvine.update_work_order", list[0].Step)
			require.Equal(t, "default-test-workflow-id", list[0].Entity)
			require.Equal(t, "effect/lease/1@1/check/smoke/1", list[1].ID)
			require.Equal(t, []string{"work-order/" + list[1].Ref}, list[1].Links)
		})
	}
}

// A batch that is killed after it has noted its progress has written down what it did.
func TestABatchWritesDownBeforeItGoesOn(t *testing.T) {
	t.Parallel()
	kept := &recorder{}
	ctx := context.WithValue(t.Context(), recorderKey{}, kept)
	var written []string
	fail := errors.New("away")
	kept.write = func(_ context.Context, list []store.AuditEntry) error {
		if fail != nil {
			return fail
		}
		for _, e := range list {
			written = append(written, e.ID)
		}
		return nil
	}
	require.NoError(t, writeDown(ctx), "nothing to write")
	record(ctx, store.AuditEntry{ID: "1"})
	require.ErrorIs(t, writeDown(ctx), fail)
	fail = nil
	record(ctx, store.AuditEntry{ID: "2"})
	require.NoError(t, writeDown(ctx))
	require.NoError(t, writeDown(ctx))
	require.Equal(t, []string{"1", "2"}, written, "what could not be written is kept")
	require.NoError(t, writeDown(t.Context()))

	// Packs: all that was done is written down when the next place is noted.
	l := newLandlords(t, "1", "2")
	env := activityEnvironment()
	env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	SendOwnerPacks.Bind(env, l.acts.sendOwnerPacks)
	written = nil
	_, err := env.ExecuteActivity(SendOwnerPacks.Name, "2026-10")
	require.NoError(t, err)
	require.Contains(t, written, "effect/portfolio/1/owner-pack-1-2026-10.pdf")
	require.Empty(t, kept.entries)
}

func TestEachOwnersMailAndFileAreRecorded(t *testing.T) {
	t.Parallel()
	l := newRequests(t)
	id := l.request("1", l.acts.Policy.Portfolio("", "").Owners.DigestAge+time.Hour)
	env := activityEnvironment()
	ctx, heard := listened(t.Context())
	env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	SendOwnerDigests.Bind(env, l.acts.sendOwnerDigests)
	_, err := env.ExecuteActivity(SendOwnerDigests.Name, OwnerDigestInput{At: looked()})
	require.NoError(t, err)
	list := heard()
	require.Len(t, list, 2)
	require.Equal(t, store.AuditMessage, list[0].Kind)
	require.Equal(t, []string{"portfolio/1"}, list[0].Links)
	require.Equal(t, "effect/owner-digest/1/request/"+id+"/0", list[1].ID)
	require.Equal(t, []string{"portfolio/1", "work-order/" + id}, list[1].Links)
}

func TestWithoutLinks(t *testing.T) {
	t.Parallel()
	a := New(Config{PublicURL: "https://kh.example"})
	for text, want := range map[string]string{
		"none":                          "none",
		"https://kh.example/a/s":        "[link]",
		"at https://kh.example/a/s now": "at [link] now",
		"https://kh.example/a/s\nhttps://kh.example/o/t.": "[link]\n[link]",
		"https://other.example/a":                         "https://other.example/a",
	} {
		require.Equal(t, want, a.withoutLinks(text))
	}
	long := a.withoutLinks(strings.Repeat("é", mostKept))
	require.LessOrEqual(t, len(long), mostKept+len("…"))
	require.True(t, strings.HasSuffix(long, "é…"))
}
