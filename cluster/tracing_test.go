package cluster_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap/zaptest/observer"

	"github.com/aictive/keyholder/cluster"
)

func nothing(context.Context) error { return nil }

func grumbles(ctx context.Context) error {
	activity.GetLogger(ctx).Info("grumbling")
	return temporal.NewNonRetryableApplicationError(secret, "grumble", errors.New(secret))
}

func lesson(workflow.Context) error { return nil }

// lectures asks for everything that is traced, and goes on in a second run.
func lectures(ctx workflow.Context, run int) (int, error) {
	opts := workflow.ActivityOptions{StartToCloseTimeout: time.Minute}
	ctx = workflow.WithActivityOptions(ctx, opts)
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
	if err := workflow.SetQueryHandler(ctx, "asked", func() (int, error) { return run, nil }); err != nil {
		return 0, err
	}
	if err := workflow.SetUpdateHandler(ctx, "told", func(ctx workflow.Context) error {
		return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, opts), "nothing").Get(ctx, nil)
	}); err != nil {
		return 0, err
	}
	if run == 2 {
		_ = workflow.ExecuteActivity(ctx, "grumbles").Get(ctx, nil)
		return run, nil
	}
	err := errors.Join(
		workflow.ExecuteActivity(ctx, "nothing").Get(ctx, nil), workflow.ExecuteLocalActivity(local, nothing).Get(ctx, nil),
		workflow.ExecuteChildWorkflow(ctx, "lesson").Get(ctx, nil))
	workflow.GetSignalChannel(ctx, "go on").Receive(ctx, nil)
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return 0, err
	}
	return 0, errors.Join(err, workflow.NewContinueAsNewError(ctx, "lectures", 2))
}

// All that a workflow does, and what is asked of it but for queries, is in the trace of
// what started or told it, and no span holds the words of an error.
func TestWorkflowsAreTraced(t *testing.T) {
	t.Parallel()
	server := devServer(t)
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	log := observed(t)
	c := dial(t, cluster.Options{Address: server.Address(), Tracer: tracer, Logger: log.logger})
	queue := uuid.NewString()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflowWithOptions(lectures, workflow.RegisterOptions{Name: "lectures"})
	w.RegisterWorkflowWithOptions(lesson, workflow.RegisterOptions{Name: "lesson"})
	w.RegisterActivity(nothing)
	w.RegisterActivity(grumbles)
	require.NoError(t, w.Start())

	ctx, door := tracer.Start(t.Context(), "the door")
	opts := client.StartWorkflowOptions{ID: "lectures/" + queue, TaskQueue: queue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.NewWithStartWorkflowOperation(opts, "lectures", 1),
		UpdateOptions:          client.UpdateWorkflowOptions{WorkflowID: opts.ID, UpdateName: "told", WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	require.NoError(t, err)
	require.NoError(t, handle.Get(ctx, nil))
	door.End()
	_, err = c.QueryWorkflow(t.Context(), opts.ID, "", "asked")
	require.NoError(t, err)

	ctx, other := tracer.Start(t.Context(), "another door")
	_, err = c.SignalWithStartWorkflow(ctx, opts.ID, "go on", nil, opts, "lectures", 1)
	require.NoError(t, err)
	require.NoError(t, c.GetWorkflow(t.Context(), opts.ID, "").Get(t.Context(), nil))
	other.End()
	w.Stop()

	named := func(trace sdktrace.ReadOnlySpan) (names []string) {
		for _, s := range spans.Ended() {
			if s.SpanContext().TraceID() == trace.SpanContext().TraceID() {
				names = append(names, s.Name())
			}
		}
		return names
	}
	first, second := named(find(t, spans, "the door")), named(find(t, spans, "another door"))
	require.Subset(t, first, []string{
		"UpdateWithStartWorkflow:told", "ValidateUpdate:told", "RunWorkflow:lectures", "StartActivity:nothing", "RunActivity:nothing",
		"StartChildWorkflow:lesson", "RunWorkflow:lesson", "StartActivity:grumbles", "RunActivity:grumbles",
	})
	require.Subset(t, second, []string{"SignalWithStartWorkflow:lectures", "HandleSignal:go on"})
	for _, name := range append(first, second...) {
		require.False(t, strings.HasPrefix(name, "QueryWorkflow") || strings.HasPrefix(name, "HandleQuery") || strings.HasPrefix(name, "HandleUpdate"), name)
	}
	require.Equal(t, 2, countOf(first, "RunWorkflow:lectures"), "a run and the one after it")
	require.Equal(t, 3, countOf(first, "RunActivity:nothing"), "of the update, of the workflow, and the local one")

	failed := find(t, spans, "RunActivity:grumbles")
	require.Equal(t, sdktrace.Status{Code: codes.Error}, failed.Status())
	require.Contains(t, failed.Attributes(), attribute.String("error.type", "grumble"))
	for _, s := range spans.Ended() {
		require.Empty(t, s.Events(), s.Name())
		for _, a := range s.Attributes() {
			require.NotContains(t, a.Value.String(), secret, s.Name())
		}
		if s.Name() == "RunWorkflow:lectures" {
			require.Equal(t, codes.Unset, s.Status().Code, "to go on is no failure")
		}
	}
	require.True(t, slices.ContainsFunc(log.lines.All(), func(line observer.LoggedEntry) bool {
		return line.ContextMap()["trace_id"] == failed.SpanContext().TraceID().String()
	}), "log lines name the trace")
}

func find(t *testing.T, spans *tracetest.SpanRecorder, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	i := slices.IndexFunc(spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() == name })
	require.GreaterOrEqual(t, i, 0, "no span %s", name)
	return spans.Ended()[i]
}

func countOf(names []string, name string) (n int) {
	for _, found := range names {
		if found == name {
			n++
		}
	}
	return n
}
