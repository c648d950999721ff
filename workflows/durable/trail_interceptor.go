package durable

import (
	"bytes"
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// trailHeader is the header field in which notes travel.
const trailHeader = "keyholder-trail"

// KindAudit is the kind of an activity's error where the audit could not be written: the
// notes that it carried may not be there.
const KindAudit = "audit"

// NewTrail makes the notes of workflows travel. It is an interceptor of the client, whose
// workers use it then; dc is the client's own converter, so that notes are as private as
// payloads.
func NewTrail(dc converter.DataConverter) interceptor.Interceptor {
	return &trails{dc: dc}
}

// NotesOf are the notes that the running activity was given on its way.
func NotesOf(ctx context.Context) []Note {
	notes, _ := ctx.Value(notesKey{}).([]Note)
	return notes
}

type notesKey struct{}

type trails struct {
	interceptor.InterceptorBase
	dc converter.DataConverter
}

// luggage is what travels in the header: an activity has notes, a continued run also what
// was told of the timeline.
type luggage struct {
	Notes []Note `json:"notes,omitempty"`
	Told  string `json:"told,omitempty"`
}

// leftover is what the result of a run holds beside its own fields.
type leftover struct {
	Trail []Note `json:"trail"`
}

// unpack reads what came in a header. What cannot be read is passed over: the audit must
// not stop the work.
func (i *trails) unpack(header map[string]*commonpb.Payload) (l luggage, err error) {
	if p := header[trailHeader]; p != nil {
		err = i.dc.FromPayload(p, &l)
	}
	return l, err
}

// InterceptWorkflow gives each run its trail.
func (i *trails) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &trailIn{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, trails: i, trail: &trail{}}
}

// trailIn sees what comes to a run and what it ends with.
type trailIn struct {
	interceptor.WorkflowInboundInterceptorBase
	trails *trails
	trail  *trail
}

// Init puts trailOut before what the run asks for.
func (in *trailIn) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	return in.Next.Init(&trailOut{
		WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: outbound}, trails: in.trails, trail: in.trail,
	})
}

// ExecuteWorkflow takes over the notes of the run before and hands on what is left: to the
// next run, in the result, or in the error (NotesLeft).
func (in *trailIn) ExecuteWorkflow(ctx workflow.Context, input *interceptor.ExecuteWorkflowInput) (any, error) {
	before, err := in.trails.unpack(interceptor.WorkflowHeader(ctx))
	if err != nil {
		workflow.GetLogger(ctx).Warn("the notes of the run before cannot be read")
	}
	in.trail.notes, in.trail.told = before.Notes, before.Told
	ctx = workflow.WithValue(ctx, trailKey{}, in.trail)
	result, err := in.Next.ExecuteWorkflow(ctx, input)
	var again *workflow.ContinueAsNewError
	if errors.As(err, &again) {
		in.trails.handOn(ctx, again, luggage{Notes: in.trail.rest(ctx), Told: in.trail.told})
		return result, err
	}
	if err != nil {
		return result, withRest(err, in.trail.rest(ctx))
	}
	return withTrail(ctx, result, in.trail.rest(ctx)), nil
}

// ExecuteUpdate gives handlers the trail: the SDK gives them a context of their own.
func (in *trailIn) ExecuteUpdate(ctx workflow.Context, input *interceptor.UpdateInput) (any, error) {
	return in.Next.ExecuteUpdate(workflow.WithValue(ctx, trailKey{}, in.trail), input)
}

// handOn gives the next run what this one has left.
func (i *trails) handOn(ctx workflow.Context, again *workflow.ContinueAsNewError, l luggage) {
	if len(l.Notes) == 0 && l.Told == "" {
		return
	}
	p, err := i.dc.ToPayload(l)
	if err != nil {
		workflow.GetLogger(ctx).Error("notes cannot be handed on", "count", len(l.Notes))
		return
	}
	if again.Header == nil {
		again.Header = &commonpb.Header{}
	}
	if again.Header.Fields == nil {
		again.Header.Fields = map[string]*commonpb.Payload{}
	}
	again.Header.Fields[trailHeader] = p
}

// withTrail is the result with the notes as its field "trail" (leftover). A result that is
// no JSON object stays as it is.
func withTrail(ctx workflow.Context, result any, notes []Note) any {
	if len(notes) == 0 {
		return result
	}
	plain := converter.GetDefaultDataConverter()
	own, err := plain.ToPayload(result)
	left, err2 := plain.ToPayload(leftover{notes})
	if errors.Join(err, err2) != nil || !bytes.HasPrefix(own.GetData(), []byte("{")) {
		workflow.GetLogger(ctx).Error("notes cannot be left in the result", "count", len(notes))
		return result
	}
	if fields := bytes.TrimPrefix(own.Data, []byte("{")); !bytes.Equal(fields, []byte("}")) {
		own.Data = append(append(bytes.TrimSuffix(own.Data, []byte("}")), ','), left.Data[1:]...)
	} else {
		own.Data = left.Data
	}
	return converter.NewRawValue(own)
}

// trailOut sees what a run asks for.
type trailOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	trails *trails
	trail  *trail
}

// ExecuteActivity lets the activity carry notes. Local activities carry none, as nothing
// of their header is recorded.
func (out *trailOut) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	notes := out.trail.next(ctx)
	if len(notes) == 0 {
		return out.Next.ExecuteActivity(ctx, name, args...)
	}
	p, err := out.trails.dc.ToPayload(luggage{Notes: notes})
	if err != nil {
		workflow.GetLogger(ctx).Error("notes cannot be carried", "count", len(notes))
		return out.Next.ExecuteActivity(ctx, name, args...)
	}
	interceptor.WorkflowHeader(ctx)[trailHeader] = p
	f := out.Next.ExecuteActivity(ctx, name, args...)
	out.trail.carried = append(out.trail.carried, carried{
		notes: notes, ready: f.IsReady,
		delivered: func(ctx workflow.Context) bool {
			var result converter.RawValue
			err := f.Get(ctx, &result)
			return delivered(result, err)
		},
	})
	return f
}

// ExecuteChildWorkflow notes the child, once it runs.
func (out *trailOut) ExecuteChildWorkflow(ctx workflow.Context, name string, args ...any) workflow.ChildWorkflowFuture {
	child := out.Next.ExecuteChildWorkflow(ctx, name, args...)
	started := child.GetChildWorkflowExecution()
	id := workflow.GetChildWorkflowOptions(ctx).WorkflowID
	if id == "" || len(out.trail.begun) >= maxNotes {
		return child
	}
	out.trail.begun = append(out.trail.begun, begun{
		note:  Note{Kind: NoteBegan, At: workflow.Now(ctx), What: "begins " + id, Ref: id},
		ready: started.IsReady,
		runs:  func(ctx workflow.Context) bool { return started.Get(ctx, nil) == nil },
	})
	return child
}

// InterceptActivity gives activities the notes that came with them.
func (i *trails) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &trailCarrier{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, trails: i}
}

type trailCarrier struct {
	interceptor.ActivityInboundInterceptorBase
	trails *trails
}

// ExecuteActivity unpacks the notes for NotesOf.
func (c *trailCarrier) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	l, err := c.trails.unpack(interceptor.Header(ctx))
	if err != nil {
		activity.GetLogger(ctx).Warn("the workflow's notes cannot be read")
	}
	if len(l.Notes) > 0 {
		ctx = context.WithValue(ctx, notesKey{}, l.Notes)
	}
	return c.Next.ExecuteActivity(ctx, in)
}
