package durable_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/workflows/durable"
)

// walk is what a test's workflow does: its steps in order.
type walk struct {
	Steps []string      `json:"steps"`
	Clock durable.Clock `json:"clock,omitzero"`
	// Carried is what an earlier run of it had noted in its timeline.
	Carried []noted `json:"carried,omitempty"`
}

type walked struct {
	Done int `json:"done"`
}

// noted is a line of a timeline.
type noted struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

func (n noted) Line() durable.Line { return durable.Line{At: n.At, What: n.What} }

var (
	goRemote = durable.Activity[string, string]{Name: "walk.remote", Attempt: time.Minute}
	goLocal  = durable.Activity[string, string]{Name: "walk.local", Attempt: time.Minute}
	goBrief  = durable.Activity[string, string]{Name: "walk.brief", Attempt: time.Second, Within: time.Second}
	stopWalk = durable.Update[durable.Command, string]{Name: "stop"}
)

// wander does its steps: "take <key>", "note <line>" in its timeline, "lose" its
// oldest line, "many <n>" decisions, "remote", "brief", "cancelled", "local" and "child" ask for others,
// "wait" for what is said, take "answers", "sleep", and end with "again" or "fail <how>".
func wander(ctx workflow.Context, in walk) (walked, error) {
	ctx = durable.WithClock(ctx, in.Clock)
	var seen durable.Seen
	lines, stopped := in.Carried, false
	durable.TellTimeline(ctx, func() []noted { return lines })
	if err := stopWalk.Handle(ctx, func(_ workflow.Context, c durable.Command) error { return c.Validate() }, func(workflow.Context, durable.Command) (string, error) {
		stopped = true
		return "stopped", nil
	}); err != nil {
		return walked{}, err
	}
	for _, step := range in.Steps {
		verb, rest, _ := strings.Cut(step, " ")
		var err error
		switch verb {
		case "take":
			durable.TakeOnce(ctx, &seen, rest)
		case "note":
			lines = append(lines, noted{durable.Now(ctx), rest})
		case "lose":
			lines = lines[1:]
		case "many":
			var n int
			_, err = fmt.Sscan(rest, &n)
			for i := range n {
				durable.Tell(ctx, durable.Note{Kind: durable.NoteDecided, What: fmt.Sprint("decision ", i, " ", strings.Repeat("x", 250))})
			}
		case "remote":
			_, err = goRemote.Run(ctx, rest, "go")
		case "brief":
			_, _ = goBrief.Run(ctx, rest, "go") // the test looks at what comes after
		case "cancelled":
			gone, cancel := workflow.WithCancel(ctx)
			f := goBrief.Start(gone, rest, "go")
			cancel()
			_, _ = f.Get(ctx) // as above
		case "local":
			_, err = goLocal.RunLocal(ctx, rest, "go")
		case "child":
			_, err = durable.StartAbandoned(ctx, "child", "", workflow.ChildWorkflowOptions{WorkflowID: rest})
		case "answers":
			durable.AnswerReceived.Drain(ctx)
		case "wait":
			err = workflow.Await(ctx, func() bool { return stopped && durable.AnswerReceived.Pending(ctx) })
		case "sleep":
			err = workflow.Sleep(ctx, time.Hour)
		case "again":
			return walked{}, workflow.NewContinueAsNewError(ctx, "wander", walk{Carried: lines, Clock: in.Clock})
		case "fail":
			err = endOf(ctx, rest)
		}
		if err != nil {
			return walked{}, err
		}
	}
	return walked{Done: len(in.Steps)}, nil
}

// endOf is an error in which a run of wander ends.
func endOf(ctx workflow.Context, how string) error {
	switch how {
	case "typed":
		return temporal.NewNonRetryableApplicationError("lost", "not_delivered", nil, "the way")
	case "cancelled":
		return fmt.Errorf("on the way: %w", temporal.NewCanceledError())
	case "activity":
		_, err := goBrief.Run(ctx, "", "go")
		return err
	case "timer":
		return temporal.NewTimeoutError(1, nil)
	}
	return errors.New("lost")
}

// path is a test's run of wander, and what each remote activity carried.
type path struct {
	*testsuite.TestWorkflowEnvironment
	mu      sync.Mutex
	carried [][]durable.Note
	// remote and brief are how the activities end.
	remote func(try int) error
	brief  error
}

func newPath(t *testing.T, dc converter.DataConverter) *path {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	p := &path{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), remote: func(int) error { return nil }}
	p.SetWorkerOptions(worker.Options{
		DeadlockDetectionTimeout: 10 * time.Second, Interceptors: []interceptor.WorkerInterceptor{durable.NewTrail(dc)},
	})
	p.RegisterWorkflowWithOptions(wander, workflow.RegisterOptions{Name: "wander"})
	p.RegisterWorkflowWithOptions(func(workflow.Context, string) error { return nil }, workflow.RegisterOptions{Name: "child"})
	goRemote.Bind(p, func(ctx context.Context, in string) (string, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.carried = append(p.carried, durable.NotesOf(ctx))
		return in, p.remote(len(p.carried))
	})
	p.RegisterActivityWithOptions(func(context.Context, string) (any, error) {
		if p.brief == nil {
			return durable.Undelivered("brief", nil)
		}
		return "", p.brief
	}, activity.RegisterOptions{Name: goBrief.Name})
	goLocal.Bind(p, func(ctx context.Context, in string) (string, error) {
		if len(durable.NotesOf(ctx)) > 0 {
			return "", temporal.NewNonRetryableApplicationError("a local activity carries notes", "wrong", nil)
		}
		return in, nil
	})
	return p
}

// texts are notes in short.
func texts(notes []durable.Note) []string {
	var out []string
	for _, n := range notes {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", n.Kind, n.Actor, n.What, n.Ref)))
	}
	return out
}

// left are the notes in the result, in short.
func (p *path) left(t *testing.T) []string {
	t.Helper()
	var result struct {
		Done  int            `json:"done"`
		Trail []durable.Note `json:"trail"`
	}
	require.NoError(t, p.GetWorkflowError())
	require.NoError(t, p.GetWorkflowResult(&result))
	require.NotZero(t, result.Done, "its own fields are there")
	return texts(result.Trail)
}

func TestNotesRideOnTheNextRemoteActivity(t *testing.T) {
	t.Parallel()
	p := newPath(t, converter.GetDefaultDataConverter())
	p.ExecuteWorkflow("wander", walk{Steps: []string{"take a", "take a", "local x", "note left home", "remote x", "remote y", "child work-order/2", "take b", "remote z", "note home again", "take c"}})
	require.Equal(t, []string{"took   c", "decision  home again"}, p.left(t), "what is left is in the result")
	require.Len(t, p.carried, 3)
	require.Equal(t, []string{"took   a", "decision  left home"}, texts(p.carried[0]))
	require.Empty(t, p.carried[1])
	require.ElementsMatch(t, []string{"began  begins work-order/2 work-order/2", "took   b"}, texts(p.carried[2]))
}

func TestAResultWithoutNotesIsAsItWas(t *testing.T) {
	t.Parallel()
	p := newPath(t, converter.GetDefaultDataConverter())
	p.ExecuteWorkflow("wander", walk{Steps: []string{"take a", "remote x"}})
	var raw json.RawMessage
	require.NoError(t, p.GetWorkflowResult(&raw))
	require.JSONEq(t, `{"done": 2}`, string(raw))
}

func TestRetriesCarryTheSameNotes(t *testing.T) {
	t.Parallel()
	p := newPath(t, converter.GetDefaultDataConverter())
	p.remote = func(try int) error {
		if try < 3 {
			return errors.New("away")
		}
		return nil
	}
	p.ExecuteWorkflow("wander", walk{Steps: []string{"take a", "remote x", "take b"}})
	require.Equal(t, []string{"took   b"}, p.left(t))
	require.Len(t, p.carried, 3)
	require.Equal(t, p.carried[0], p.carried[2])
}

// An activity that could not write the audit may have lost what it carried; so may one that
// has timed out or was cancelled, as it may never have begun.
func TestNotesThatWereNotDeliveredLeaveAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		back bool
	}{
		"failed by itself":     {temporal.NewNonRetryableApplicationError("no", "invalid", nil, "why"), false},
		"failed and says so":   {says(temporal.NewNonRetryableApplicationError("no", "invalid", nil, "why")), true},
		"ended and says so":    {nil, true},
		"had not begun":        {errors.New("unable to decode the activity function input payload"), true},
		"the audit was away":   {temporal.NewNonRetryableApplicationError("no", durable.KindAudit, nil), true},
		"its time was up":      {temporal.NewTimeoutError(2, nil), true},
		"timed out afterwards": {temporal.NewTimeoutError(2, temporal.NewApplicationError("no", "invalid")), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPath(t, converter.GetDefaultDataConverter())
			p.brief = c.err
			p.ExecuteWorkflow("wander", walk{Steps: []string{"take a", "brief", "take b", "remote x"}})
			require.Empty(t, p.left(t))
			require.Len(t, p.carried, 1)
			want := []string{"took   b"}
			if c.back {
				want = []string{"took   a", "took   b"}
			}
			require.ElementsMatch(t, want, texts(p.carried[0]))
		})
	}
}

// says is an activity's error with the mark that its notes were not written.
func says(err error) error {
	_, err = durable.Undelivered(nil, err)
	return err
}

// The mark changes nothing for whoever reads the result or the error.
func TestAnActivityThatCouldNotWriteNotesEndsAsItWould(t *testing.T) {
	t.Parallel()
	out, err := durable.Undelivered(map[string]int{"n": 7}, nil)
	require.NoError(t, err)
	p, err := converter.GetDefaultDataConverter().ToPayload(out)
	require.NoError(t, err)
	var read map[string]int
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(p, &read))
	require.Equal(t, map[string]int{"n": 7}, read)

	cause := errors.New("away")
	marked := says(temporal.NewApplicationErrorWithOptions("no", "busy", temporal.ApplicationErrorOptions{
		NonRetryable: true, NextRetryDelay: time.Minute, Cause: cause, Details: []any{[]string{"first"}},
	}))
	var app *temporal.ApplicationError
	require.ErrorAs(t, marked, &app)
	require.ErrorIs(t, marked, cause)
	require.Equal(t, "busy", app.Type())
	require.Equal(t, "no", app.Message())
	require.True(t, app.NonRetryable())
	require.Equal(t, time.Minute, app.NextRetryDelay())
	var details []string
	require.NoError(t, app.Details(&details))
	require.Equal(t, []string{"first"}, details)
	require.Equal(t, cause, says(cause))
}

func TestNotesOfACancelledActivityLeaveAgain(t *testing.T) {
	t.Parallel()
	p := newPath(t, converter.GetDefaultDataConverter())
	p.ExecuteWorkflow("wander", walk{Steps: []string{"take a", "cancelled", "take b", "remote x"}})
	require.Empty(t, p.left(t))
	require.ElementsMatch(t, []string{"took   a", "took   b"}, texts(p.carried[0]))
}

// What a run has left goes on, encrypted where payloads are, and lines that were told stay
// told.
func TestTheNextRunTakesOver(t *testing.T) {
	t.Parallel()
	keys, err := cluster.ParseKeys("k:" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	require.NoError(t, err)
	dc, _ := keys.Converters()
	first := newPath(t, dc)
	first.ExecuteWorkflow("wander", walk{Steps: []string{"note one", "remote x", "lose", "note two", "take a", "again"}})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, first.GetWorkflowError(), &again)
	require.Equal(t, []string{"decision  one"}, texts(first.carried[0]))
	require.Len(t, again.Header.GetFields(), 1)
	require.NotContains(t, again.Header.String(), "two")
	var next walk
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))

	second := newPath(t, dc)
	second.SetHeader(again.Header)
	next.Steps = []string{"note three", "remote x"}
	second.ExecuteWorkflow("wander", next)
	require.Empty(t, second.left(t))
	require.Equal(t, []string{"took   a", "decision  two", "decision  three"}, texts(second.carried[0]))

	// A run whose header cannot be read begins anew, and tells what its timeline holds.
	third := newPath(t, dc)
	third.SetHeader(&commonpb.Header{Fields: map[string]*commonpb.Payload{"keyholder-trail": {
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte("json/plain")}, Data: []byte("{"),
	}}})
	third.ExecuteWorkflow("wander", next)
	require.Empty(t, third.left(t))
	require.Equal(t, []string{"decision  two", "decision  three"}, texts(third.carried[0]))
}

func TestTimelinesAreToldInRealTime(t *testing.T) {
	t.Parallel()
	p := newPath(t, converter.GetDefaultDataConverter())
	began := p.Now()
	p.ExecuteWorkflow("wander", walk{Clock: durable.DayClock(began.Add(-time.Hour), time.Minute), Steps: []string{"note one", "sleep", "remote x"}})
	require.Empty(t, p.left(t))
	require.WithinDuration(t, began, p.carried[0][0].At, time.Second, "when it was noted, not when it left")
}

func TestCommandsAndAnswersAreTold(t *testing.T) {
	t.Parallel()
	p := newPath(t, converter.GetDefaultDataConverter())
	refused := make(chan error, 1)
	callback := &testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(err error) { refused <- err }, OnComplete: func(any, error) {}}
	p.RegisterDelayedCallback(func() {
		p.UpdateWorkflow(stopWalk.Name, "1", callback, durable.Command{By: "ops"})
	}, time.Minute)
	p.RegisterDelayedCallback(func() {
		p.SignalWorkflow(durable.AnswerReceived.Name, durable.Answer{ID: "q7", Step: "approve", Person: "21", Choice: "yes", Via: "sms"})
		p.SignalWorkflow(durable.AnswerReceived.Name, durable.Answer{ID: "8", Step: "approve", Person: "22", Choice: "no", Via: "operator"})
		p.UpdateWorkflow(stopWalk.Name, "2", callback, durable.Command{By: "ops", Why: "it rains"})
	}, 2*time.Minute)
	p.ExecuteWorkflow("wander", walk{Steps: []string{"wait", "answers", "remote x"}})
	require.Empty(t, p.left(t))
	require.Error(t, <-refused)
	require.ElementsMatch(t, []string{"command operator/ops stop", "took person/21 approve: yes by sms answer/q7", "answer person/22 approve: no by operator 8"}, texts(p.carried[0]))
	for _, n := range p.carried[0] {
		require.Equal(t, n.Kind == durable.NoteCommand, n.Details == "it rains", "why is free text")
	}
}

// One activity carries a bounded number of notes, and a run holds a bounded number of them;
// decisions make room for events, and the audit is told how many.
func TestTheTrailIsBounded(t *testing.T) {
	t.Parallel()
	p := newPath(t, converter.GetDefaultDataConverter())
	p.ExecuteWorkflow("wander", walk{Steps: []string{"take first", "many 1200", "take last", "remote x", "remote y"}})
	left := p.left(t)
	for _, notes := range p.carried {
		require.NotEmpty(t, notes)
		require.LessOrEqual(t, len(notes), 101)
		raw, err := json.Marshal(notes)
		require.NoError(t, err)
		require.Less(t, len(raw), 40<<10)
	}
	all := append(append(texts(p.carried[0]), texts(p.carried[1])...), left...)
	require.Len(t, all, 1001)
	require.Contains(t, all, "took   first")
	require.Contains(t, all, "took   last")
	require.Contains(t, all, "decision  202 notes were left out: too many waited")
	require.Contains(t, strings.Join(all, "\n"), "decision 1199 ")
}

// A run that fails does so as it would have, with its notes in the error.
func TestAFailedRunFailsAsItDid(t *testing.T) {
	t.Parallel()
	for how, c := range map[string]struct{ kind, says string }{
		"plain": {"failed", "lost"}, "typed": {"not_delivered", "lost"}, "activity": {"invalid", "activity error"},
		"cancelled": {"cancelled", ""}, "timer": {"timeout", ""},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			p := newPath(t, converter.GetDefaultDataConverter())
			p.brief = temporal.NewNonRetryableApplicationError("no", "invalid", nil, "the way")
			p.ExecuteWorkflow("wander", walk{Steps: []string{"remote x", "take a", "fail " + how}})
			err := p.GetWorkflowError()
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.kind, durable.KindOf(err))
			// The activity, if any, has carried them.
			if how == "activity" {
				require.Empty(t, durable.NotesLeft(err))
				return
			}
			require.Equal(t, []string{"took   a"}, texts(durable.NotesLeft(err)))
			var app *temporal.ApplicationError
			if how == "typed" {
				require.ErrorAs(t, err, &app)
				require.True(t, app.NonRetryable())
				var details string
				require.NoError(t, app.Details(&details))
				require.Equal(t, "the way", details)
			}
		})
	}
	require.Empty(t, durable.NotesLeft(temporal.NewApplicationError("no", "invalid", "one")))
}
