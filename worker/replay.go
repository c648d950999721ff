package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/durable"
)

// Replayer replays histories against the workflow code of this build.
type Replayer struct {
	replayer worker.WorkflowReplayer
}

// NewReplayer knows every workflow of the registry. dc may be nil; histories with
// encrypted payloads need the converter that has the keys.
func NewReplayer(dc converter.DataConverter) (*Replayer, error) {
	trail := durable.NewTrail(cmp.Or(dc, converter.GetDefaultDataConverter()))
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		DataConverter: dc, Interceptors: []interceptor.WorkerInterceptor{trail},
	})
	if err != nil {
		return nil, err
	}
	for _, wf := range workflows.Registry() {
		wf.Register(r)
	}
	return &Replayer{r}, nil
}

// Histories lists the golden histories of a workflow: dir/<name>/*.json.
func Histories(dir, workflowName string) ([]string, error) {
	return filepath.Glob(filepath.Join(dir, workflowName, "*.json"))
}

// File replays one history in JSON. The error says at which event the code
// would have done something else.
func (r *Replayer) File(path string) error {
	if err := r.replayer.ReplayWorkflowHistoryFromJSONFile(nil, path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Folder replays every JSON file below dir and returns how many there were; all
// failures come back together. A folder without histories is an error.
func (r *Replayer) Folder(dir string) (int, error) {
	var failures []error
	count := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		count++
		failures = append(failures, r.File(path))
		return nil
	})
	if err == nil && count == 0 {
		err = fmt.Errorf("%s holds no histories: %w", dir, os.ErrNotExist)
	}
	return count, errors.Join(append(failures, err)...)
}

// Open replays the open workflows of a namespace, at most limit, newest first,
// and returns how many it replayed; all failures come back together.
func (r *Replayer) Open(ctx context.Context, c client.Client, limit int) (int, error) {
	var failures []error
	count := 0
	var page []byte
	for count < limit {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: "ExecutionStatus = 'Running'", PageSize: int32(min(limit, 100)), NextPageToken: page,
		})
		if err != nil {
			return count, errors.Join(append(failures, err)...)
		}
		for _, info := range list.GetExecutions() {
			if count == limit {
				break
			}
			count++
			failures = append(failures, r.execution(ctx, c, workflow.Execution{
				ID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId(),
			}))
		}
		if page = list.GetNextPageToken(); len(page) == 0 {
			break
		}
	}
	return count, errors.Join(failures...)
}

func (r *Replayer) execution(ctx context.Context, c client.Client, e workflow.Execution) error {
	events := c.GetWorkflowHistory(ctx, e.ID, e.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	history := &historypb.History{}
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return fmt.Errorf("%s: %w", e.ID, err)
		}
		history.Events = append(history.Events, event)
	}
	if err := r.replayer.ReplayWorkflowHistoryWithOptions(nil, history, worker.ReplayWorkflowHistoryOptions{OriginalExecution: e}); err != nil {
		return fmt.Errorf("%s: %w", e.ID, err)
	}
	return nil
}
