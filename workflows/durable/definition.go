package durable

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Definition is a workflow under its durable name.
type Definition[I, O any] struct {
	// Name is data in every running workflow: never change it.
	Name string
	// Run is a plain named function.
	Run func(workflow.Context, I) (O, error)
	// Versioning applies where Worker Deployment versioning is on: short
	// workflows are pinned to their build, long ones move to the current one.
	Versioning workflow.VersioningBehavior
}

// Workflow is a Definition without its types, for the registry.
type Workflow interface {
	WorkflowName() string
	Register(worker.WorkflowRegistry)
}

// WorkflowName is the durable name.
func (d Definition[I, O]) WorkflowName() string { return d.Name }

// Register makes the workflow known to a worker or replayer.
func (d Definition[I, O]) Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(d.Run, workflow.RegisterOptions{Name: d.Name, VersioningBehavior: d.Versioning})
}

// Entity is the input of a workflow that stands for one record of a partner. It
// is started by the first event about the record, which follows as a signal.
type Entity[S any] struct {
	// ID is the partner's id of the record.
	ID string `json:"id"`
	// Clock is recorded at the start and never changes for this workflow.
	Clock Clock `json:"clock,omitzero"`
	// Seen holds the events taken by earlier runs.
	Seen Seen `json:"seen,omitzero"`
	// State is what continue-as-new carries; nil in the first run.
	State *S `json:"state,omitempty"`
}
