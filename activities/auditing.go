package activities

import (
	"context"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// auditLimit is how long writing the audit of a try may take (real time), notesLimit
	// where there are notes alone: tries of look-ups have few seconds.
	auditLimit = 5 * time.Second
	notesLimit = time.Second
)

// Auditing is what each worker runs its activities through: when a try ends, however it
// ends, the audit has the notes that its workflow gave it on the way and what the try did,
// all in one transaction. A try that has nothing to write costs nothing; entries that are
// there already are passed over.
//
// While the audit cannot be written, a try that has done something fails and is repeated,
// which is safe as every activity is. One that only carried notes ends as it would have,
// so that nobody waits for the audit and no partner is asked again; its workflow learns of
// it (durable.Undelivered), and the notes leave with what it asks for next.
func (a *Activities) Auditing() interceptor.WorkerInterceptor {
	return &auditing{audit: a.Store}
}

type auditing struct {
	interceptor.WorkerInterceptorBase
	audit interface {
		Append(ctx context.Context, entries ...store.AuditEntry) error
	}
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (i *auditing) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &audited{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, auditing: i}
}

type audited struct {
	interceptor.ActivityInboundInterceptorBase
	auditing *auditing
}

// ExecuteActivity runs one try. A try that panics is audited too.
func (t *audited) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (out any, err error) {
	info := activity.GetInfo(ctx)
	var notes []store.AuditEntry
	for _, n := range durable.NotesOf(ctx) {
		notes = append(notes, noteEntry(info.WorkflowExecution.ID, info.WorkflowExecution.RunID, n))
	}
	r := &recorder{}
	r.write = func(ctx context.Context, entries []store.AuditEntry) error {
		if err := t.auditing.write(ctx, info, notes, entries); err != nil {
			return err
		}
		notes = nil
		return nil
	}
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		failed := r.write(ctx, r.entries)
		switch {
		case failed == nil:
		case len(r.entries) > 0:
			out, err = nil, failed
		default:
			activity.GetLogger(ctx).Warn("the workflow's notes could not be written: it keeps them", "count", len(notes), "error", failed)
			out, err = durable.Undelivered(out, err)
		}
	}()
	return t.Next.ExecuteActivity(context.WithValue(ctx, recorderKey{}, r), in)
}

// write appends notes, then entries. It goes on where the try was cancelled or has timed
// out.
func (i *auditing) write(ctx context.Context, info activity.Info, notes, entries []store.AuditEntry) error {
	all := slices.Clone(notes)
	for _, e := range entries {
		if e.Entity == "" {
			e.Entity = info.WorkflowExecution.ID
		}
		e.RunID, e.Step = info.WorkflowExecution.RunID, info.ActivityType.Name
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil
	}
	limit := auditLimit
	if len(entries) == 0 {
		limit = notesLimit
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if err := i.audit.Append(ctx, all...); err != nil {
		return temporal.NewApplicationErrorWithCause("the audit could not be written", durable.KindAudit, err)
	}
	return nil
}
