package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
)

// A repair's hours pass in seconds: a day in a minute.
const repairDay = "1m"

// allDay is a policy under which visits begin all day long, with little notice, and
// nobody is replaced for being slow.
func allDay(t *testing.T, changes ...string) string {
	t.Helper()
	return steady(t, append([]string{
		"days: [mon, tue, wed, thu, fri, sat]", "days: [mon, tue, wed, thu, fri, sat, sun]",
		"slots: [{from: 08:00, to: 12:00}, {from: 12:00, to: 16:00}, {from: 16:00, to: 19:00}]",
		"slots: [{from: 00:00, to: 06:00}, {from: 06:00, to: 12:00}, {from: 12:00, to: 18:00}, {from: 18:00, to: 23:59}]",
		"lead: 12h", "lead: 3h",
		"remind: [24h, 1h]", "remind: [24h, 2h]",
		"late: 1h", "late: 24h",
		"offer_within: 4h", "offer_within: 2d",
	}, changes...)...)
}

// tap is the ordinary request of the stories.
func tap(t *testing.T, s *e2e.Stack, data map[string]any) string {
	t.Helper()
	id, err := s.Tap(t.Context(), data)
	require.NoError(t, err)
	return id
}

// inStage waits for a stage of the repair.
func inStage(t *testing.T, s *e2e.Stack, id string, stage repair.Stage) maintenance.Description {
	t.Helper()
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool { return d.Stage == maintenance.Stage(stage) }, 4*soon)
	require.NoError(t, err, "%+v", d.Timeline)
	return d
}

// says presses a button of the newest question of a kind to a phone.
func says(t *testing.T, s *e2e.Stack, contains, to, choice string) {
	t.Helper()
	hands(t, s, contains, to, choice, nil, nil)
}

// hands answers a question with what its form asks.
func hands(t *testing.T, s *e2e.Stack, contains, to, choice string, fields map[string]string, photos map[string][][]byte) {
	t.Helper()
	asked := text(t, s, contains, to)
	said, err := s.AnswerForm(t.Context(), link(t, asked), choice, fields, photos)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, said.Status, said.Body)
}

// From the report of a leaking tap to the closed work order, by our own technician.
func TestALeakingTapIsRepaired(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", allDay(t), "--day", repairDay}})
	id := tap(t, s, nil)
	text(t, s, "we have your request", tenant1)

	says(t, s, "Reply 1", maria, repair.Accept)
	inStage(t, s, id, repair.Scheduling)
	says(t, s, "1 =", tenant1, repair.WindowChoice(0))
	d := inStage(t, s, id, repair.Scheduled)
	require.Equal(t, "maria", d.Technician)
	text(t, s, "on my way", maria)
	says(t, s, "on my way", maria, repair.Way)
	inStage(t, s, id, repair.OnTheWay)
	says(t, s, "on site", maria, repair.Here)
	inStage(t, s, id, repair.OnSite)
	before, err := e2e.Picture(1)
	require.NoError(t, err)
	after, err := e2e.Picture(2)
	require.NoError(t, err)
	hands(t, s, "hoto", maria, repair.Done, map[string]string{"checklist": "0,1,2"}, map[string][][]byte{"before": {before}, "after": {after}})
	inStage(t, s, id, repair.Confirming)
	hands(t, s, "fixed", tenant1, repair.Fixed, map[string]string{"rating": "5"}, nil)
	require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon))

	d, err = s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, maintenance.StageClosed, maintenance.Stage(d.Ended.Outcome))
	require.Equal(t, 5, d.Repair.Rating)
	fields, err := s.WorkOrder(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "15", fields["workOrderStatusID"], "Completed")
	require.Equal(t, "31", fields["assignedToUserID"])
	noDuplicates(t, s)
	cost, err := s.Cost(t.Context(), maintenance.WorkOrderID(id))
	require.NoError(t, err)
	t.Logf("%d actions: %s", cost.Actions, cost.Breakdown())
	time.Sleep(0)
}
