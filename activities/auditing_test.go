package activities

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

var (
	pay     = durable.Activity[string, string]{Name: "test.pay", Attempt: time.Minute}
	payHere = durable.Activity[string, string]{Name: "test.pay_here", Attempt: time.Minute}
)

// buy takes an event, pays, and takes another one.
func buy(ctx workflow.Context, _ string) (None, error) {
	var seen durable.Seen
	durable.TakeOnce(ctx, &seen, "rentvine/1")
	if _, err := payHere.RunLocal(ctx, "1", "pay"); err != nil {
		return None{}, err
	}
	_, err := pay.Run(ctx, "2", "pay")
	durable.TakeOnce(ctx, &seen, "rentvine/2")
	return None{}, err
}

// flaky is an audit that is away for the first few times, and hangs then or not.
type flaky struct {
	store.Store
	away, appended int
	hangs          bool
}

func (f *flaky) Append(ctx context.Context, entries ...store.AuditEntry) error {
	if f.away > 0 {
		f.away--
		if f.hangs {
			<-ctx.Done()
		}
		return errors.New("the database is away")
	}
	f.appended++
	return f.Store.Append(ctx, entries...)
}

// shop plays buy with an audit.
type shop struct {
	*testsuite.TestWorkflowEnvironment
	audit *flaky
	// pays answers for both activities; tries counts.
	pays  func(ctx context.Context, try int) error
	tries int
}

func newShop(t *testing.T) *shop {
	t.Helper()
	kept, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "audit.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, kept.Close()) })
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &shop{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), audit: &flaky{Store: kept}}
	s.pays = func(ctx context.Context, _ int) error {
		record(ctx, store.AuditEntry{ID: "effect/paid", Kind: store.AuditWrite, What: "pays", Partner: "quickbooks", Ref: "77"})
		return nil
	}
	a := New(Config{Store: s.audit})
	s.SetWorkerOptions(worker.Options{
		DeadlockDetectionTimeout: 10 * time.Second,
		Interceptors:             []interceptor.WorkerInterceptor{durable.NewTrail(converter.GetDefaultDataConverter()), a.Auditing()},
	})
	s.RegisterWorkflow(buy)
	pay.Bind(s, func(ctx context.Context, in string) (string, error) {
		s.tries++
		return in, s.pays(ctx, s.tries)
	})
	payHere.Bind(s, func(_ context.Context, in string) (string, error) { return in, nil })
	return s
}

func (s *shop) entries(t *testing.T) []store.AuditEntry {
	t.Helper()
	entries, err := s.audit.AuditEntries(t.Context(), store.AuditFilter{Entity: "default-test-workflow-id"})
	require.NoError(t, err)
	faults, err := s.audit.VerifyAudit(t.Context(), "default-test-workflow-id")
	require.NoError(t, err)
	require.Empty(t, faults)
	return entries
}

func ids(entries []store.AuditEntry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.ID)
	}
	return out
}

func TestATryWritesNotesAndWhatItDidTogether(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ExecuteWorkflow(buy, "")
	require.NoError(t, s.GetWorkflowError())
	entries := s.entries(t)
	require.Equal(t, []string{"took/default-test-workflow-id/rentvine/1", "effect/paid"}, ids(entries))
	require.Equal(t, 1, s.audit.appended, "the local activity had nothing to write")
	require.Equal(t, store.AuditTook, entries[0].Kind)
	require.Equal(t, "rentvine/1", entries[0].Ref)
	require.Empty(t, entries[0].Step)
	paid := entries[1]
	require.Equal(t, "test.pay", paid.Step)
	require.Equal(t, "default-test-run-id", paid.RunID)
	require.Equal(t, "77", paid.Ref)
	require.WithinDuration(t, time.Now(), paid.At, time.Minute)
	var left struct {
		Trail []durable.Note `json:"trail"`
	}
	require.NoError(t, s.GetWorkflowResult(&left))
	require.Len(t, left.Trail, 1)
	require.Equal(t, "rentvine/2", left.Trail[0].Ref)
}

// What was done is recorded however the try ends, and once.
func TestATryIsAuditedHoweverItEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context) error{
		"error": func(context.Context) error { return errors.New("away") },
		"panic": func(context.Context) error { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			done := s.pays
			s.pays = func(ctx context.Context, try int) error {
				require.NoError(t, done(ctx, try))
				if try == 1 {
					return end(ctx)
				}
				require.Len(t, s.entries(t), 2, "the first try has written already")
				return nil
			}
			s.ExecuteWorkflow(buy, "")
			require.NoError(t, s.GetWorkflowError())
			require.Equal(t, 2, s.tries)
			require.Equal(t, []string{"took/default-test-workflow-id/rentvine/1", "effect/paid"}, ids(s.entries(t)))
		})
	}
}

// A worker may be killed after the effect and before the audit: the next try writes both.
func TestAnAuditThatIsAwayFailsTheTry(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.audit.away = 2
	s.ExecuteWorkflow(buy, "")
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, 3, s.tries)
	require.Equal(t, []string{"took/default-test-workflow-id/rentvine/1", "effect/paid"}, ids(s.entries(t)))
}

// A try that only carried notes ends as it would have, soon and once, and its workflow keeps
// them.
func TestNotesThatCannotBeWrittenHoldUpNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hangs bool
		err   error
	}{
		"a result":               {false, nil},
		"a result, and it hangs": {true, nil},
		"a refusal":              {false, temporal.NewNonRetryableApplicationError("no", "invalid", nil, "why")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.audit.away, s.audit.hangs = 1, c.hangs
			s.pays = func(context.Context, int) error { return c.err }
			began := time.Now()
			s.ExecuteWorkflow(buy, "")
			require.Less(t, time.Since(began), auditLimit)
			require.Equal(t, 1, s.tries)
			require.Empty(t, s.entries(t))
			var left struct {
				Trail []durable.Note `json:"trail"`
			}
			if c.err == nil {
				require.NoError(t, s.GetWorkflowResult(&left))
			} else {
				require.Equal(t, "invalid", durable.KindOf(s.GetWorkflowError()))
				left.Trail = durable.NotesLeft(s.GetWorkflowError())
			}
			var refs []string
			for _, n := range left.Trail {
				refs = append(refs, n.Ref)
			}
			require.ElementsMatch(t, []string{"rentvine/1", "rentvine/2"}, refs)
		})
	}
}

// A cancelled try has little time left, but writes what it did.
func TestACancelledTryIsAudited(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	i := &auditing{audit: s.audit}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var e testsuite.WorkflowTestSuite
	env := e.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{i}, BackgroundActivityContext: ctx})
	pay.Bind(env, func(ctx context.Context, in string) (string, error) {
		return in, errors.Join(s.pays(ctx, 1), ctx.Err())
	})
	_, err := env.ExecuteActivity(pay.Name, "1")
	require.Error(t, err)
	require.Equal(t, []string{"effect/paid"}, ids(s.entries(t)))
}

// A batch writes down what it has recorded before it notes its progress; notes go first.
func TestABatchWritesInBetween(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	done := s.pays
	s.pays = func(ctx context.Context, try int) error {
		require.NoError(t, done(ctx, try))
		require.NoError(t, writeDown(ctx))
		require.Len(t, s.entries(t), 2)
		record(ctx, store.AuditEntry{ID: "effect/second", Kind: store.AuditWrite, Entity: "lease/3"})
		return nil
	}
	s.ExecuteWorkflow(buy, "")
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, 2, s.audit.appended)
	other, err := s.audit.AuditEntries(t.Context(), store.AuditFilter{Entity: "lease/3"})
	require.NoError(t, err)
	require.Equal(t, []string{"effect/second"}, ids(other))
}

// What cannot be read is passed over: the audit does not stop the work.
func TestNotesThatCannotBeReadArePassedOver(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.SetWorkerOptions(worker.Options{
		DeadlockDetectionTimeout: 10 * time.Second,
		Interceptors:             []interceptor.WorkerInterceptor{durable.NewTrail(garbling{converter.GetDefaultDataConverter()}), (&Activities{Config: Config{Store: s.audit}}).Auditing()},
	})
	s.ExecuteWorkflow(buy, "")
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, []string{"effect/paid"}, ids(s.entries(t)))
}

// garbling writes what nobody can read.
type garbling struct{ converter.DataConverter }

func (g garbling) ToPayload(v any) (*commonpb.Payload, error) {
	p, err := g.DataConverter.ToPayload(v)
	p.Data = []byte("{")
	return p, err
}
