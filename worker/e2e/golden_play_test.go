package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
	"github.com/aictive/keyholder/workflows/sync"
)

// closed closes the work order as the office would and waits for the workflow.
func closed(t *testing.T, s *e2e.Stack, id string) string {
	t.Helper()
	require.NoError(t, s.CloseInRentVine(t.Context(), id))
	require.NoError(t, s.UntilClosed(t.Context(), id, 2*soon))
	return maintenance.WorkOrderID(id)
}

// until waits for a stage with nothing under way.
func until(t *testing.T, s *e2e.Stack, id string, stage maintenance.Stage) maintenance.Description {
	t.Helper()
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool { return d.Stage == stage && d.UnderWay == 0 }, 2*soon)
	require.NoError(t, err)
	return d
}

// answer presses a button of the newest question about a work order that a text
// asks, so that earlier scenarios on the same phone do not matter.
func answer(t *testing.T, s *e2e.Stack, id, contains, to, choice string) {
	t.Helper()
	fields, err := s.WorkOrder(t.Context(), id)
	require.NoError(t, err)
	number, _ := fields["workOrderNumber"].(string)
	require.NotEmpty(t, number)
	var asked e2e.Text
	require.Eventually(t, func() bool {
		texts, err := s.Texts(t.Context(), to)
		if err != nil {
			return false
		}
		for _, text := range texts {
			if containsAll(text.Body, contains, "#"+number) {
				asked = text
			}
		}
		return asked.Body != ""
	}, 2*soon, 25*time.Millisecond, "%q about #%s to %s", contains, number, to)
	said, err := s.AnswerLink(t.Context(), link(t, asked), choice)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, said.Status, said.Body)
}

// fix plays a response from the page to the report that it is done.
func fix(t *testing.T, s *e2e.Stack, id string) {
	t.Helper()
	answer(t, s, id, "Reply 1 = on it", alma, "acknowledge")
	answer(t, s, id, "EMERGENCY JOB", maria, "accept")
	answer(t, s, id, "Reply 1 when you are there", maria, "on_site")
	answer(t, s, id, "reply 1 when #", maria, "done")
	until(t, s, id, maintenance.StageRepaired)
}

func playRepaired(t *testing.T, s *e2e.Stack) string {
	id := emergency(t, s, nil)
	fix(t, s, id)
	return closed(t, s, id)
}

func playClosedInRentVine(t *testing.T, s *e2e.Stack) string {
	id := emergency(t, s, nil)
	until(t, s, id, maintenance.StagePaging)
	return closed(t, s, id)
}

func playOrdinary(t *testing.T, s *e2e.Stack) string {
	id := emergency(t, s, map[string]any{"description": "The bathroom door squeaks.", "priorityID": "1"})
	until(t, s, id, maintenance.Stage(repair.Offering))
	return closed(t, s, id)
}

func playLifeSafety(t *testing.T, s *e2e.Stack) string {
	id := emergency(t, s, map[string]any{"description": "I smell gas in the kitchen."})
	answer(t, s, id, "Reply 1 = on it", alma, "decline")
	answer(t, s, id, "Reply 1 = on it", ben, "acknowledge")
	until(t, s, id, maintenance.StageDispatching)
	return closed(t, s, id)
}

// playOperated is a response led by an operator's commands.
func playOperated(t *testing.T, s *e2e.Stack) string {
	id := emergency(t, s, nil)
	workflow := maintenance.WorkOrderID(id)
	until(t, s, id, maintenance.StagePaging)
	by := maintenance.Command{By: "operator", Why: "for the record"}
	_, err := maintenance.Pause.Send(t.Context(), s.Client, workflow, "pause", by)
	require.NoError(t, err)
	_, err = maintenance.Resume.Send(t.Context(), s.Client, workflow, "resume", by)
	require.NoError(t, err)
	_, err = maintenance.Reassign.Send(t.Context(), s.Client, workflow, "reassign-1", maintenance.Reassignment{Command: by, Technician: "maria"})
	require.NoError(t, err)
	answer(t, s, id, "Reply 1 when you are there", maria, "give_up")
	_, err = maintenance.Reassign.Send(t.Context(), s.Client, workflow, "reassign-2", maintenance.Reassignment{Command: by, Technician: "ana"})
	require.NoError(t, err)
	until(t, s, id, maintenance.StageAccepted)
	_, err = maintenance.Close.Send(t.Context(), s.Client, workflow, "close", maintenance.Closing{Command: by, Outcome: maintenance.StageClosed})
	require.NoError(t, err)
	require.NoError(t, s.UntilClosed(t.Context(), id, 2*soon))
	return workflow
}

// playReopened is the run that a reopened work order gets.
func playReopened(t *testing.T, s *e2e.Stack) string {
	id := emergency(t, s, nil)
	workflow := closed(t, s, id)
	first, err := s.Client.DescribeWorkflowExecution(t.Context(), workflow, "")
	require.NoError(t, err)
	reopened(t, s, id)
	require.Eventually(t, func() bool {
		d, err := s.Client.DescribeWorkflowExecution(t.Context(), workflow, "")
		return err == nil && d.GetWorkflowExecutionInfo().GetExecution().GetRunId() != first.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}, soon, 25*time.Millisecond)
	answer(t, s, id, "Reply 1 = on it", alma, "acknowledge")
	until(t, s, id, maintenance.StageDispatching)
	return closed(t, s, id)
}

// reopened is the office setting a closed work order back to the beginning.
func reopened(t *testing.T, s *e2e.Stack, id string) {
	t.Helper()
	require.NoError(t, s.Put(t.Context(), "/_records/rentvine/work-orders/"+id+"/status", map[string]string{"status": "New"}, nil))
}

// portland is a burst pipe in a unit of the building with several.
func portland(unit string) map[string]any {
	return map[string]any{"propertyID": "2", "portfolioID": "2", "unitID": unit, "leaseID": unit, "requestedByContactID": unit}
}

// playJoined is one burst pipe that two tenants report; the lead's response is
// cancelled, and the report that had joined it starts one of its own.
func playJoined(t *testing.T, s *e2e.Stack) (lead, joined string) {
	first := emergency(t, s, portland("2"))
	until(t, s, first, maintenance.StagePaging)
	second := emergency(t, s, portland("3"))
	until(t, s, second, maintenance.StageJoined)
	until(t, s, first, maintenance.StagePaging)
	_, err := maintenance.Close.Send(t.Context(), s.Client, maintenance.WorkOrderID(first), "close",
		maintenance.Closing{Command: maintenance.Command{By: "operator"}, Outcome: maintenance.StageCancelled})
	require.NoError(t, err)
	require.NoError(t, s.UntilClosed(t.Context(), first, 2*soon))
	until(t, s, second, maintenance.StagePaging)
	return maintenance.WorkOrderID(first), closed(t, s, second)
}

func playDiscarded(t *testing.T, s *e2e.Stack) string {
	workflow := parked(t, s)
	_, err := sync.Discard.Send(t.Context(), s.Client, workflow, "discard", sync.ParkedCommand{By: "operator", Why: "for the record"})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		d, err := s.Client.DescribeWorkflowExecution(t.Context(), workflow, "")
		return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	}, soon, 25*time.Millisecond)
	return workflow
}

// parked sends an event that no workflow takes and returns the workflow that holds it.
func parked(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	event := created("7001", "evt_parked")
	event["event_type"] = "inspection.created"
	taken := deliver(t, s, s.Ingress, event, http.StatusAccepted)
	require.True(t, taken.Parked)
	describedAsParked(t, s, taken.WorkflowID)
	return taken.WorkflowID
}

// describedAsParked waits until a workflow holds its event.
func describedAsParked(t *testing.T, s *e2e.Stack, workflow string) {
	t.Helper()
	require.Eventually(t, func() bool {
		d, err := sync.DescribeParked.Ask(t.Context(), s.Client, workflow, "")
		return err == nil && d.State == "parked" && d.Type != ""
	}, soon, 25*time.Millisecond)
}

// playNobodyAnswers is a ladder to its end: the team, the escalation, the breaches
// and the giving up.
func playNobodyAnswers(t *testing.T, s *e2e.Stack) string {
	id := emergency(t, s, nil)
	text(t, s, "NOBODY on call answers", grace)
	require.Eventually(t, func() bool {
		d, err := s.Describe(t.Context(), id)
		return err == nil && len(d.Timeline) > 0 && contains(d, "gave up paging; the manager has been told")
	}, 3*soon, 100*time.Millisecond)
	return closed(t, s, id)
}
