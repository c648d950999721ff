package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// Cost is what one workflow has cost so far, in the units that Temporal bills.
type Cost struct {
	Actions, Events int
	byKind          map[string]int
}

// Breakdown lists the actions by kind.
func (c Cost) Breakdown() string {
	var parts []string
	for kind, n := range c.byKind {
		parts = append(parts, fmt.Sprintf("%s %d", kind, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// Cost counts a workflow's history as Temporal bills it: starts, signals,
// updates, timers, activities, search attributes, and the local activities of a
// workflow task as one. Retries of activities are counted by the attempt of their
// last start. Queries are not in a history.
func (s *Stack) Cost(ctx context.Context, workflowID string) (Cost, error) {
	var history []*historypb.HistoryEvent
	events := s.Client.GetWorkflowHistory(ctx, workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return Cost{}, err
		}
		history = append(history, event)
	}
	return CostOf(history), nil
}

// CostOf counts the events of one run as Cost does.
func CostOf(history []*historypb.HistoryEvent) Cost {
	c := Cost{byKind: map[string]int{}, Events: len(history)}
	count := func(kind string, n int) {
		c.Actions += n
		c.byKind[kind] += n
	}
	signals := 0
	markersOfTask := map[int64]bool{}
	for _, event := range history {
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			signals++
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
			count("update", 1)
		case enumspb.EVENT_TYPE_TIMER_STARTED:
			count("timer", 1)
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			count("activity", 1)
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			count("activity", retries(event))
		case enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
			count("search attributes", 1)
		case enumspb.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
			count("signal sent", 1)
		case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
			// The child's own start is counted with the child.
			count("child", 1)
		case enumspb.EVENT_TYPE_MARKER_RECORDED:
			marker := event.GetMarkerRecordedEventAttributes()
			if marker.GetMarkerName() == "LocalActivity" {
				markersOfTask[marker.GetWorkflowTaskCompletedEventId()] = true
			}
		}
	}
	// SignalWithStart is one action in all; the first signal came with the start.
	count("start", 1)
	count("signal", max(signals-1, 0))
	count("local activities", len(markersOfTask))
	return c
}

func retries(event *historypb.HistoryEvent) int {
	return int(event.GetActivityTaskStartedEventAttributes().GetAttempt()) - 1
}
