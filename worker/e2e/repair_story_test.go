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
		"caps: {routine_per_day: 6}", "caps: {routine_per_day: 1000}",
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

// says presses a button of the newest question about a work order.
func says(t *testing.T, s *e2e.Stack, id, contains, to, choice string) {
	t.Helper()
	hands(t, s, id, contains, to, choice, nil, nil)
}

// asked waits for the newest text about a work order that contains something.
func asked(t *testing.T, s *e2e.Stack, id, contains, to string) e2e.Text {
	t.Helper()
	fields, err := s.WorkOrder(t.Context(), id)
	require.NoError(t, err)
	number, _ := fields["workOrderNumber"].(string)
	require.NotEmpty(t, number)
	var found e2e.Text
	require.Eventually(t, func() bool {
		texts, err := s.Texts(t.Context(), to)
		for _, text := range texts {
			if containsAll(text.Body, contains, "#"+number) {
				found = text
			}
		}
		return err == nil && found.Body != ""
	}, 4*soon, 25*time.Millisecond, "%q about #%s to %s", contains, number, to)
	return found
}

// hands answers a question with what its form asks.
func hands(t *testing.T, s *e2e.Stack, id, contains, to, choice string, fields map[string]string, photos map[string][][]byte) {
	t.Helper()
	said, err := s.AnswerForm(t.Context(), link(t, asked(t, s, id, contains, to)), choice, fields, photos)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, said.Status, said.Body)
}

// From the report of a leaking tap to the closed work order, by our own technician.
func TestALeakingTapIsRepaired(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", allDay(t), "--day", repairDay}})
	id := tap(t, s, nil)
	text(t, s, "we have your request", tenant1)

	says(t, s, id, "Reply 1", maria, repair.Accept)
	inStage(t, s, id, repair.Scheduling)
	says(t, s, id, "1 =", tenant1, repair.WindowChoice(0))
	d := inStage(t, s, id, repair.Scheduled)
	require.Equal(t, "maria", d.Technician)
	text(t, s, "on my way", maria)
	says(t, s, id, "on my way", maria, repair.Way)
	inStage(t, s, id, repair.OnTheWay)
	says(t, s, id, "on site", maria, repair.Here)
	inStage(t, s, id, repair.OnSite)
	before, err := e2e.Picture(1)
	require.NoError(t, err)
	after, err := e2e.Picture(2)
	require.NoError(t, err)
	hands(t, s, id, "hoto", maria, repair.Done, map[string]string{"checklist": "0,1,2"}, map[string][][]byte{"before": {before}, "after": {after}})
	inStage(t, s, id, repair.Confirming)
	hands(t, s, id, "fixed", tenant1, repair.Fixed, map[string]string{"rating": "5"}, nil)
	require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon))

	d, err = s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, maintenance.StageClosed, d.Ended.Outcome)
	require.Equal(t, 5, d.Repair.Rating)
	fields, err := s.WorkOrder(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "15", fields["workOrderStatusID"], "Completed")
	require.Equal(t, "31", fields["assignedToUserID"])
	noDuplicates(t, s)
	cost, err := s.Cost(t.Context(), maintenance.WorkOrderID(id))
	require.NoError(t, err)
	t.Logf("%d actions: %s", cost.Actions, cost.Breakdown())

	invited, err := s.Invitations(t.Context(), "contact1@example.com")
	require.NoError(t, err)
	require.Len(t, invited, 1)
	attached, err := s.Attached(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, attached, 2, "the photos")
}

// accepted brings a repair by our technician to the tenant's choice of a time.
func accepted(t *testing.T, s *e2e.Stack, data map[string]any) string {
	t.Helper()
	id := tap(t, s, data)
	says(t, s, id, "Reply 1", maria, repair.Accept)
	inStage(t, s, id, repair.Scheduling)
	return id
}

// bookedVisit brings it to the booked visit.
func bookedVisit(t *testing.T, s *e2e.Stack, data map[string]any) string {
	t.Helper()
	id := accepted(t, s, data)
	says(t, s, id, "1 =", tenant1, repair.WindowChoice(0))
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool {
		return d.Stage == maintenance.Stage(repair.Scheduled) && d.UnderWay == 0
	}, 4*soon)
	require.NoError(t, err, "%+v", d.Timeline)
	return id
}

// noVisits asserts that no visit is left in anybody's calendar.
func noVisits(t *testing.T, s *e2e.Stack) {
	t.Helper()
	open := map[string]int{}
	for _, to := range []string{"technician1@example.com", "contact1@example.com", "grace@example.com"} {
		invited, err := s.Invitations(t.Context(), to)
		require.NoError(t, err)
		for _, i := range invited {
			if i.Method == "CANCEL" {
				open[i.UID+" of "+to]--
			} else {
				open[i.UID+" of "+to]++
			}
		}
	}
	for visit, n := range open {
		require.Zero(t, n, "visit %s is still in a calendar", visit)
	}
}

// nothingDangles asserts that nobody is left with an order or a question, and that
// nobody was told anything twice.
func nothingDangles(t *testing.T, s *e2e.Stack, id string) {
	t.Helper()
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool { return d.UnderWay == 0 }, 2*soon)
	require.NoError(t, err)
	require.Empty(t, d.Repair.Asking)
	require.Empty(t, orders(t, s))
	noDuplicates(t, s)
}

// orders lists the purchase orders that QuickBooks has.
func orders(t *testing.T, s *e2e.Stack) []map[string]any {
	t.Helper()
	var all []map[string]any
	require.NoError(t, s.Get(t.Context(), "/_records/quickbooks/purchase-orders", &all))
	return all
}

// A repair that RentVine ends at any step leaves nothing behind.
func TestARepairEndedInRentVineLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", allDay(t), "--day", repairDay}})
	for name, story := range map[string]struct {
		status string
		play   func(t *testing.T) string
	}{
		"cancelled while offered": {"Cancelled", func(t *testing.T) string { id := tap(t, s, nil); inStage(t, s, id, repair.Offering); return id }},
		"merged while scheduling": {"Merged", func(t *testing.T) string { return accepted(t, s, nil) }},
		"closed with a visit":     {"Completed", func(t *testing.T) string { return bookedVisit(t, s, nil) }},
		"cancelled with a visit":  {"Cancelled", func(t *testing.T) string { return bookedVisit(t, s, nil) }},
	} {
		id := story.play(t)
		require.NoError(t, s.SetStatus(t.Context(), id, story.status))
		require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon), name)
		nothingDangles(t, s, id)
		noVisits(t, s)
	}
}

// The sandbox's plumbers, and the owner of the first portfolio.
const (
	pacific = "+12135550111"
	owner1  = "+12135550121"
)

// vendorsOnly sends every job to vendors.
func vendorsOnly(t *testing.T) string {
	t.Helper()
	return allDay(t, "technicians_up_to: 4h", "technicians_up_to: 1m", "within: 1d # for a bid", "within: 2h # for a bid")
}

// bidOf lets a vendor bid.
func bidOf(t *testing.T, s *e2e.Stack, id, to, price string) {
	t.Helper()
	d, err := s.Describe(t.Context(), id)
	require.NoError(t, err)
	hands(t, s, id, "what would you charge", to, "bid", map[string]string{"price": price, "earliest": d.OpenedAt.Format(time.DateOnly)}, nil)
}

// A vendor's repair above the limit: bids, the owner's word, the award, the order, and a
// withdrawal after which the next vendor gets the job.
func TestAVendorsRepairIsApprovedAndOrdered(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", vendorsOnly(t), "--day", repairDay}})
	id := tap(t, s, nil)
	bidOf(t, s, id, pacific, "450.00")
	bidOf(t, s, id, "+12135550114", "410")
	text(t, s, "what would you charge", "+12135550115") // who stays silent until the deadline
	inStage(t, s, id, repair.Approving)
	says(t, s, id, "May we go ahead", owner1, repair.Approve)
	says(t, s, id, "your bid", "+12135550114", repair.Accept)
	d := inStage(t, s, id, repair.Scheduling)
	require.Equal(t, "contact:14", d.Technician)
	require.Equal(t, "contact:21", d.Repair.ApprovedBy)
	require.Len(t, d.Repair.Orders, 1)
	says(t, s, id, "Which time suits you", tenant1, repair.WindowChoice(1))
	inStage(t, s, id, repair.Scheduled)

	// The vendor withdraws on the day; the other bid is offered after the owner's word.
	says(t, s, id, "on my way", "+12135550114", repair.Cannot)
	text(t, s, "cannot come", tenant1)
	says(t, s, id, "will cost about $450.00", owner1, repair.Approve)
	says(t, s, id, "your bid of $450.00", pacific, repair.Accept)
	inStage(t, s, id, repair.Scheduling)
	require.Eventually(t, func() bool { return len(orders(t, s)) == 1 }, 4*soon, 100*time.Millisecond, "the first order is gone, the second is there")

	require.NoError(t, s.SetStatus(t.Context(), id, "Cancelled"))
	require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon))
	nothingDangles(t, s, id)
}

// The owner declines: everybody is told, and nothing goes on.
func TestAnOwnerDeclines(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", vendorsOnly(t), "--day", repairDay}})
	id := tap(t, s, nil)
	bidOf(t, s, id, pacific, "900")
	bidOf(t, s, id, "+12135550114", "950")
	says(t, s, id, "May we go ahead", owner1, repair.Decline)
	inStage(t, s, id, repair.Stopped)
	text(t, s, "does not go on", tenant1)
	text(t, s, "has stopped", grace)
	nothingDangles(t, s, id)
	require.NoError(t, s.CloseInRentVine(t.Context(), id))
	require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon))
}

// handedIn brings a booked visit to the end of the work.
func handedIn(t *testing.T, s *e2e.Stack, id string, picture int) {
	t.Helper()
	for _, step := range []struct {
		contains string
		choice   string
		next     repair.Stage
	}{{"on my way", repair.Way, repair.OnTheWay}, {"I'm on site", repair.Here, repair.OnSite}} {
		goesOn(t, s, id, step.next, func() { says(t, s, id, step.contains, maria, step.choice) })
	}
	before, err := e2e.Picture(picture)
	require.NoError(t, err)
	after, err := e2e.Picture(picture + 1)
	require.NoError(t, err)
	photos := map[string][][]byte{"before": {before}, "after": {after}}
	goesOn(t, s, id, "", func() {
		hands(t, s, id, "with photos", maria, repair.Done, map[string]string{"checklist": "0,1,2"}, photos)
	})
}

// goesOn answers the newest question until it was the right one: the text of an earlier
// visit reads the same. The next stage "" is any other.
func goesOn(t *testing.T, s *e2e.Stack, id string, next repair.Stage, answer func()) {
	t.Helper()
	before, err := s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		answer()
		d, err := s.Describe(t.Context(), id)
		return err == nil && (d.Stage == maintenance.Stage(next) || next == "" && d.Stage != before.Stage)
	}, 6*soon, 200*time.Millisecond, "from %s to %s", before.Stage, next)
}

// Not fixed: the same technician comes again; then silence closes it.
func TestARepairThatDidNotHoldComesBack(t *testing.T) {
	t.Parallel()
	policy := allDay(t, "      remind_after: 24h # the tenant", "      remind_after: 4h # the tenant", "close_after: 48h", "close_after: 12h")
	s := start(t, e2e.Options{Args: []string{"--policy", policy, "--day", repairDay}})
	id := bookedVisit(t, s, nil)
	handedIn(t, s, id, 10)
	inStage(t, s, id, repair.Confirming)
	says(t, s, id, "Is it?", tenant1, repair.NotFixed)
	text(t, s, "is not fixed", maria)
	inStage(t, s, id, repair.Scheduling)
	goesOn(t, s, id, repair.Scheduled, func() { says(t, s, id, "Which time suits you", tenant1, repair.WindowChoice(0)) })
	handedIn(t, s, id, 12)
	inStage(t, s, id, repair.Confirming)
	require.NoError(t, s.UntilClosed(t.Context(), id, 3*time.Minute), "silence closes it")
	d, err := s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "silence", d.Repair.Confirmed)
	require.Equal(t, 1, d.Repair.Returns)
	nothingDangles(t, s, id)
}

// What was ordinary becomes an emergency: the visit is taken back and the on-call team
// is paged.
func TestARepairBecomesAnEmergency(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", allDay(t), "--day", repairDay}})
	id := bookedVisit(t, s, nil)
	reports(t, s, id, "The tap burst, water is flooding the kitchen and runs through the ceiling!")
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool { return len(d.Pages) > 0 }, 4*soon)
	require.NoError(t, err, "%+v", d.Timeline)
	text(t, s, "is off", maria)
	require.NoError(t, s.SetStatus(t.Context(), id, "Cancelled"))
	require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon))
	nothingDangles(t, s, id)
}

// reports changes the description of a work order as the office would.
func reports(t *testing.T, s *e2e.Stack, id, description string) {
	t.Helper()
	require.NoError(t, s.Post(t.Context(), "/_records/rentvine/work-orders", map[string]any{"workOrderID": id, "description": description}, nil))
	_, err := s.Deliver(t.Context(), s.Ingress, map[string]any{
		"event_type": "work_order.updated", "event_id": "words-" + id, "data": map[string]any{"id": id, "workOrderID": id, "description": description},
	})
	require.NoError(t, err)
}

// The tenants move out: the visit is made without them, and nobody waits for their word.
func TestTheTenantsMoveOut(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", allDay(t), "--day", repairDay}})
	id := accepted(t, s, nil)
	asked(t, s, id, "Which time suits you", tenant1)
	require.NoError(t, s.MoveOut(t.Context(), "1", "2026-01-01"))
	_, err := s.Deliver(t.Context(), s.Ingress, map[string]any{
		"event_type": "work_order.updated", "event_id": "moved-" + id, "data": map[string]any{"id": id, "workOrderID": id},
	})
	require.NoError(t, err)
	inStage(t, s, id, repair.Scheduled)
	handedIn(t, s, id, 20)
	require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon))
	d, err := s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "the check", d.Repair.Confirmed)
	nothingDangles(t, s, id)
}

// Reopened in RentVine after it had ended: the repair begins anew, and people are asked
// again under codes of their own.
func TestAReopenedRepairBeginsAnew(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", allDay(t), "--day", repairDay}})
	id := bookedVisit(t, s, nil)
	require.NoError(t, s.SetStatus(t.Context(), id, "Cancelled"))
	require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon))
	first := asked(t, s, id, "Reply 1 = accept", maria)
	require.NoError(t, s.SetStatus(t.Context(), id, "In Progress"))
	inStage(t, s, id, repair.Offering)
	require.Eventually(t, func() bool {
		return asked(t, s, id, "Reply 1 = accept", maria).Body != first.Body
	}, 4*soon, 50*time.Millisecond)
	says(t, s, id, "Reply 1 = accept", maria, repair.Accept)
	inStage(t, s, id, repair.Scheduling)
	require.NoError(t, s.SetStatus(t.Context(), id, "Cancelled"))
	require.NoError(t, s.UntilClosed(t.Context(), id, 4*soon))
	d, err := s.Until(t.Context(), id, func(d maintenance.Description) bool { return d.UnderWay == 0 }, 2*soon)
	require.NoError(t, err)
	require.Empty(t, d.Repair.Asking)
	noVisits(t, s)
}
