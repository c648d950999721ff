package prove_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	activitypb "go.temporal.io/api/activity/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/aictive/keyholder/prove"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
)

// history is one that a test makes up, and what comes after its events, nil for its end.
type history struct {
	events []*historypb.HistoryEvent
	fails  error
}

func (h *history) HasNext() bool { return len(h.events) > 0 || h.fails != nil }

func (h *history) Next() (*historypb.HistoryEvent, error) {
	if len(h.events) == 0 {
		return nil, h.fails
	}
	next := h.events[0]
	h.events = h.events[1:]
	return next, nil
}

func signalled(t *testing.T, name string, with any) *historypb.HistoryEvent {
	t.Helper()
	input, err := converter.GetDefaultDataConverter().ToPayloads(with)
	require.NoError(t, err)
	return &historypb.HistoryEvent{
		EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{
			SignalName: name, Input: input,
		}},
	}
}

func TestSignalled(t *testing.T) {
	t.Parallel()
	received := durable.EventReceived.Name
	decided := &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED}
	a := signalled(t, received, durable.Event{Key: "a"})
	yes, found := prove.Signalled{Found: true, Handled: true}, prove.Signalled{Found: true}
	for name, c := range map[string]struct {
		events []*historypb.HistoryEvent
		fails  error
		want   map[string]prove.Signalled
		unread string
	}{
		"handled":                   {events: []*historypb.HistoryEvent{a, decided, signalled(t, received, durable.Event{Key: "c"})}, want: map[string]prove.Signalled{"a": yes}},
		"not yet":                   {events: []*historypb.HistoryEvent{decided, a}, want: map[string]prove.Signalled{"a": found}},
		"another system's word":     {events: []*historypb.HistoryEvent{signalled(t, sales.MilestoneReported.Name, sales.MilestoneReport{Key: "b"}), decided}, want: map[string]prove.Signalled{"b": yes}},
		"another signal":            {events: []*historypb.HistoryEvent{signalled(t, "other", durable.Event{Key: "a"}), decided}, want: map[string]prove.Signalled{}},
		"no workflow could read it": {events: []*historypb.HistoryEvent{signalled(t, received, map[string]any{"key": "a", "received_at": "soon"}), decided}, want: map[string]prove.Signalled{}},
		"enough is read":            {events: []*historypb.HistoryEvent{a, signalled(t, received, durable.Event{Key: "b"}), decided}, fails: errors.New("away"), want: map[string]prove.Signalled{"a": yes, "b": yes}},
		"repeated at the end":       {events: []*historypb.HistoryEvent{a, decided, a}, want: map[string]prove.Signalled{"a": yes}},
		"the rest is away":          {events: []*historypb.HistoryEvent{a, decided}, fails: serviceerror.NewUnavailable("away"), want: map[string]prove.Signalled{"a": yes}, unread: "away"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &mocks.Client{}
			client.On("GetWorkflowHistory", mock.Anything, "work-order/7", "r1", false, mock.Anything).Return(&history{c.events, c.fails}).Once()
			said, err := prove.NewCluster(client, "default", nil).Signalled(t.Context(), "work-order/7", "r1", []string{"a", "b"})
			require.NoError(t, err)
			require.Equal(t, c.want, said.Signalled)
			require.Equal(t, c.unread, said.Unread)
		})
	}

	client := &mocks.Client{}
	client.On("GetWorkflowHistory", mock.Anything, "work-order/7", "r1", false, mock.Anything).Return(&history{fails: serviceerror.NewNotFound("gone")}).Once()
	_, err := prove.NewCluster(client, "default", nil).Signalled(t.Context(), "work-order/7", "r1", []string{"a"})
	require.ErrorIs(t, err, prove.ErrNoWorkflow)

	long := make([]*historypb.HistoryEvent, 20_001)
	for i := range long {
		long[i] = decided
	}
	client.On("GetWorkflowHistory", mock.Anything, "work-order/7", "r1", false, mock.Anything).Return(&history{events: long}).Once()
	said, err := prove.NewCluster(client, "default", nil).Signalled(t.Context(), "work-order/7", "r1", []string{"a"})
	require.NoError(t, err)
	require.Contains(t, said.Unread, "more than 20000 events")
}

// An activity in a backlog waits its turn; one that nobody works on is in trouble.
func TestTroublesOfWaitingActivities(t *testing.T) {
	t.Parallel()
	client := &mocks.Client{}
	at := time.Now().Add(-time.Hour).UTC()
	waits := func(queue string) *workflowpb.PendingActivityInfo {
		return &workflowpb.PendingActivityInfo{
			ActivityType: &commonpb.ActivityType{Name: "book"}, State: enumspb.PENDING_ACTIVITY_STATE_SCHEDULED, ScheduledTime: timestamppb.New(at),
			ActivityOptions: &activitypb.ActivityOptions{TaskQueue: &taskqueuepb.TaskQueue{Name: queue}},
		}
	}
	client.On("DescribeWorkflowExecution", mock.Anything, "lease/1", "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
		PendingActivities: []*workflowpb.PendingActivityInfo{waits("busy"), waits("left"), waits("busy"), waits("")},
	}, nil)
	client.On("DescribeTaskQueue", mock.Anything, "busy", enumspb.TASK_QUEUE_TYPE_ACTIVITY).
		Return(&workflowservice.DescribeTaskQueueResponse{Pollers: []*taskqueuepb.PollerInfo{{Identity: "w"}}}, nil).Once()
	client.On("DescribeTaskQueue", mock.Anything, "left", enumspb.TASK_QUEUE_TYPE_ACTIVITY).Return(&workflowservice.DescribeTaskQueueResponse{}, nil).Once()
	list, err := prove.NewCluster(client, "default", nil).Troubles(t.Context(), "lease/1")
	require.NoError(t, err)
	turn := prove.Trouble{Since: at, What: "activity book waits its turn", Queued: true}
	worker := prove.Trouble{Since: at, What: "activity book waits for a worker"}
	require.Equal(t, []prove.Trouble{turn, worker, turn, worker}, list)
	client.AssertExpectations(t)
}
