package worker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/worker"
	"github.com/aictive/keyholder/workflows"
)

const histories = "../testdata/histories"

func replayer(t *testing.T) *worker.Replayer {
	t.Helper()
	r, err := worker.NewReplayer(nil)
	require.NoError(t, err)
	return r
}

// Every workflow that exists has golden histories, and this build replays them.
func TestReplayGolden(t *testing.T) {
	t.Parallel()
	for _, wf := range workflows.Registry() {
		t.Run(wf.WorkflowName(), func(t *testing.T) {
			t.Parallel()
			paths, err := worker.Histories(histories, wf.WorkflowName())
			require.NoError(t, err)
			require.NotEmpty(t, paths, "record one: make golden")
			for _, path := range paths {
				require.NoError(t, replayer(t).File(path))
			}
		})
	}
}

// Every folder of histories belongs to a workflow: one that was renamed would
// otherwise be forgotten with the runs that still have the old name.
func TestReplayFoldersAreWorkflows(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, wf := range workflows.Registry() {
		known[wf.WorkflowName()] = true
	}
	folders, err := os.ReadDir(histories)
	require.NoError(t, err)
	for _, folder := range folders {
		require.True(t, known[folder.Name()], "no workflow %q in the registry", folder.Name())
	}
}

// What a history may be broken by. A replay that does not see it proves nothing.
func TestReplaySeesBrokenHistories(t *testing.T) {
	t.Parallel()
	for name, mutate := range map[string]func(*historypb.History) bool{
		"another activity": func(h *historypb.History) bool {
			return first(h, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, func(e *historypb.HistoryEvent) {
				e.GetActivityTaskScheduledEventAttributes().GetActivityType().Name = "messages.send_twice"
			})
		},
		"another timer": func(h *historypb.History) bool {
			return first(h, enumspb.EVENT_TYPE_TIMER_STARTED, func(e *historypb.HistoryEvent) {
				e.GetTimerStartedEventAttributes().TimerId = "4711"
			})
		},
		"a local activity under another name": func(h *historypb.History) bool {
			return first(h, enumspb.EVENT_TYPE_MARKER_RECORDED, func(e *historypb.HistoryEvent) {
				for _, p := range e.GetMarkerRecordedEventAttributes().GetDetails()["data"].GetPayloads() {
					p.Data = []byte(strings.Replace(string(p.GetData()), "rentvine.read_report", "rentvine.read_it", 1))
				}
			})
		},
		"a timer in an activity's place": func(h *historypb.History) bool {
			return first(h, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, func(e *historypb.HistoryEvent) {
				task := e.GetActivityTaskScheduledEventAttributes().GetWorkflowTaskCompletedEventId()
				e.EventType = enumspb.EVENT_TYPE_TIMER_STARTED
				e.Attributes = &historypb.HistoryEvent_TimerStartedEventAttributes{TimerStartedEventAttributes: &historypb.TimerStartedEventAttributes{
					TimerId: "4711", WorkflowTaskCompletedEventId: task,
				}}
			})
		},
		"another workflow": func(h *historypb.History) bool {
			return first(h, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, func(e *historypb.HistoryEvent) {
				e.GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().Name = "maintenance.unknown"
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden := filepath.Join(histories, "maintenance.work_order", "acknowledged_and_repaired.json")
			require.NoError(t, replayer(t).File(write(t, read(t, golden))), "unbroken, the copy replays")
			broken := read(t, golden)
			require.True(t, mutate(broken), "the history has no such event")
			path := write(t, broken)
			require.ErrorContains(t, replayer(t).File(path), path)
			count, err := replayer(t).Folder(filepath.Dir(path))
			require.Error(t, err)
			require.Equal(t, 1, count)
		})
	}
}

func TestReplayOfNothingFails(t *testing.T) {
	t.Parallel()
	_, err := replayer(t).Folder(t.TempDir())
	require.ErrorContains(t, err, "holds no histories")
	_, err = replayer(t).Folder("../testdata/no-such-folder")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Error(t, replayer(t).File(filepath.Join(histories, "maintenance.work_order", "no-such-file.json")))
}

func read(t *testing.T, path string) *historypb.History {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	history, err := client.HistoryFromJSON(file, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return history
}

func write(t *testing.T, history *historypb.History) string {
	t.Helper()
	text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(history)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "history.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// first changes the first event of a type and tells whether there was one.
func first(h *historypb.History, kind enumspb.EventType, change func(*historypb.HistoryEvent)) bool {
	for _, e := range h.GetEvents() {
		if e.GetEventType() == kind {
			change(e)
			return true
		}
	}
	return false
}
