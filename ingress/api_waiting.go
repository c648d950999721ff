package ingress

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/workflow/v1"
	"go.uber.org/zap"
)

// whyWaiting says in words why a workflow waits: what its activity last failed with
// and when it is tried again. "" where nothing fails, or Temporal does not say.
func (a *API) whyWaiting(ctx context.Context, workflowID string) string {
	found, err := a.cfg.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		a.cfg.Log.Info("a waiting workflow could not be described", zap.String("workflow", workflowID), zap.Error(err))
		return ""
	}
	for _, pending := range found.GetPendingActivities() {
		if pending.GetLastFailure() != nil {
			return waitingFor(pending)
		}
	}
	return ""
}

// waitingFor puts a failure in words by its type alone, which is the kind of the
// partner's error: its message is for logs.
func waitingFor(pending *workflow.PendingActivityInfo) string {
	var why string
	switch pending.GetLastFailure().GetApplicationFailureInfo().GetType() {
	case "unavailable":
		why = "OpenMoove is away"
	case "unknown_outcome":
		why = "OpenMoove broke off without an answer, and is asked first whether the property is there"
	case "malformed":
		why = "OpenMoove's answer cannot be read"
	case "unauthorised":
		why = "OpenMoove refuses our key: check KEYHOLDER_OPENMOOVE_API_KEY"
	case "forbidden":
		why = "OpenMoove does not allow our key to do this: check KEYHOLDER_OPENMOOVE_API_KEY and what its key may do"
	case "rate_limited":
		why = "The key's calls are used up for now"
	default:
		why = "It could not be done so far, and the workflow in Temporal says why"
	}
	// A try that is under way counts as an attempt already.
	tried := max(pending.GetAttempt()-1, 1)
	if next := pending.GetNextAttemptScheduleTime(); next != nil {
		return fmt.Sprintf("%s; tried %s, next try at %s.", why, times(tried), next.AsTime().UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("%s; tried %s, and tried again now.", why, times(tried))
}

func times(n int32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
