package durable

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// StartAbandoned starts another workflow that outlives the caller, whose result nobody
// waits for. It returns when that has begun; started is false where one of the same id
// runs already, or has run and the options' reuse policy allows no second. The parent
// close policy of the options is set here.
func StartAbandoned(ctx workflow.Context, name string, in any, opts workflow.ChildWorkflowOptions) (started bool, err error) {
	opts.ParentClosePolicy = enumspb.PARENT_CLOSE_POLICY_ABANDON
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, opts), name, in)
	err = child.GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return false, nil
	}
	return err == nil, err
}
