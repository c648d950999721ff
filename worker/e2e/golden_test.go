package e2e_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/temporalproto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/sync"
)

var golden = flag.Bool("golden", false, "record the golden histories anew")

// histories is where the golden histories are.
const histories = repo + "/testdata/histories"

// TestGolden plays the scenarios of the golden histories on the real system and
// keeps what Temporal recorded. The replay test holds every later build to them.
func TestGolden(t *testing.T) {
	if !*golden {
		t.Skip("records files; make golden runs it")
	}
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	for name, play := range map[string]func(*testing.T, *e2e.Stack) string{
		"acknowledged_and_repaired": playRepaired,
		"closed_in_rentvine":        playClosedInRentVine,
		"ordinary":                  playOrdinary,
		"life_safety":               playLifeSafety,
		"operated":                  playOperated,
		"reopened":                  playReopened,
		"audited":                   playRepaired, // notes ride in the headers of its activities
	} {
		t.Run(name, func(t *testing.T) { record(t, s, maintenance.WorkOrder.Name, name, play(t, s)) })
	}
	t.Run("joined", func(t *testing.T) {
		lead, joined := playJoined(t, s)
		record(t, s, maintenance.WorkOrder.Name, "lead", lead)
		record(t, s, maintenance.WorkOrder.Name, "joined", joined)
	})
	t.Run("discarded", func(t *testing.T) {
		record(t, s, sync.ParkedEvent.Name, "discarded", playDiscarded(t, s))
	})
	t.Run("reconciled", func(t *testing.T) {
		run, err := sync.CompareRentVine(t.Context(), s.Client, workflows.TaskQueue, activities.ReconcileInput{Full: true})
		require.NoError(t, err)
		require.NoError(t, run.Get(t.Context(), nil))
		record(t, s, sync.RentVine.Name, "reconciled", sync.RentVineFullID)
	})
	t.Run("sales", func(t *testing.T) { recordSales(t, s) })
	t.Run("following", recordFollowing)
	t.Run("leasing", func(t *testing.T) { recordLeasing(t) })
	t.Run("repairs", func(t *testing.T) { recordRepairs(t) })
	t.Run("books", recordBooks)
	t.Run("homes", recordHomes)
	t.Run("nobody_answers", func(t *testing.T) {
		quick := start(t, e2e.Options{Args: []string{"--day", "2m", "--policy", steady(t, "give_up_after: 4h", "give_up_after: 40m")}})
		record(t, quick, maintenance.WorkOrder.Name, "nobody_answers", playNobodyAnswers(t, quick))
	})
}

// record writes the history of a workflow's first run, without what says which
// machine it ran on.
func record(t *testing.T, s *e2e.Stack, workflow, scenario, workflowID string) {
	t.Helper()
	history := exported(t, s, workflowID)
	hideMachine(history.ProtoReflect())
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(history)
	require.NoError(t, err)
	path := filepath.Join(histories, workflow, scenario+".json")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o644))
}

// exported is the history of a workflow's first run as a client may fetch it.
func exported(t *testing.T, s *e2e.Stack, workflowID string) *historypb.History {
	t.Helper()
	d, err := s.Client.DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	history := &historypb.History{}
	events := s.Client.GetWorkflowHistory(t.Context(), workflowID, d.GetWorkflowExecutionInfo().GetFirstRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	require.NotEmpty(t, history.Events)
	return history
}

// hideMachine replaces every identity, which names a process and its host, and the
// names of sticky queues, which do the same.
func hideMachine(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Name() == "identity" && field.Kind() == protoreflect.StringKind:
			m.Set(field, protoreflect.ValueOfString("keyholder"))
		case field.Name() == "name" && m.Descriptor().Name() == "TaskQueue" && strings.Contains(value.String(), ":"):
			m.Set(field, protoreflect.ValueOfString("sticky")) // host:uuid
		case field.IsMap() || field.Kind() != protoreflect.MessageKind:
		case field.IsList():
			for i := range value.List().Len() {
				hideMachine(value.List().Get(i).Message())
			}
		default:
			hideMachine(value.Message())
		}
		return true
	})
}

func TestHideMachine(t *testing.T) {
	t.Parallel()
	history := &historypb.History{Events: []*historypb.HistoryEvent{{Attributes: &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{
		WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{Identity: "4711@host"},
	}}, {Attributes: &historypb.HistoryEvent_WorkflowTaskScheduledEventAttributes{
		WorkflowTaskScheduledEventAttributes: &historypb.WorkflowTaskScheduledEventAttributes{
			TaskQueue: &taskqueuepb.TaskQueue{Name: "host:b4de2b5e", NormalName: "main"},
		},
	}}}}
	hideMachine(history.ProtoReflect())
	wire, err := proto.Marshal(history)
	require.NoError(t, err)
	require.NotContains(t, string(wire), "host")
	for _, kept := range []string{"keyholder", "sticky", "main"} {
		require.Contains(t, string(wire), kept)
	}
}
