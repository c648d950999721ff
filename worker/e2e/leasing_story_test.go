package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/leasing"
	"github.com/aictive/keyholder/workflows/leasing/movein"
	"github.com/aictive/keyholder/workflows/leasing/renewal"
	"github.com/aictive/keyholder/workflows/leasing/retention"
)

// A lease's months pass in minutes.
const leaseDay = "500ms"

// patient is a policy whose people may take their time, so that a slow machine tells the
// same story as a fast one; texts leave at any hour.
func patient(t *testing.T, changes ...string) string {
	t.Helper()
	return steady(t, append([]string{
		"caps: {routine_per_day: 6}", "caps: {routine_per_day: 1000}",
		"per_week: 3", "per_week: 1000",
		"per_month: 8", "per_month: 1000",
		"escalate_owner: 5d", "escalate_owner: 60d",
		"remind_owner: [1d, 3d]", "remind_owner: [50d]",
		"approval: 10d", "approval: 60d",
		"decide_within: 2d", "decide_within: 30d",
		"sign_remind: 3d", "sign_remind: 30d",
		"survey_remind: 3d", "survey_remind: 50d",
		"survey_close: 10d", "survey_close: 60d",
		"answer_within: 7d", "answer_within: 60d",
		"outreach_within: 5d", "outreach_within: 60d",
		"confirm_within: 2d", "confirm_within: 30d",
		"electricity@example.com, days_before: 10", "electricity@example.com, days_before: 30",
		"gas@example.com, days_before: 10", "gas@example.com, days_before: 30",
		"{name: Water, days_before: 10}", "{name: Water, days_before: 30}",
		"utility_chase: [5, 2]", "utility_chase: [28, 2]",
		"remind_after: 1d", "remind_after: 20d",
	}, changes...)...)
}

// story is one lease of a stack.
type story struct {
	*testing.T
	s     *e2e.Stack
	id    string
	phone string
}

// letLease makes a lease whose tenants move in and whose end is so many days from today.
func letLease(t *testing.T, s *e2e.Stack, sample string, movesIn, ends int, phone string) *story {
	t.Helper()
	today := businessToday(t, s)
	id, err := s.Lease(t.Context(), sample, map[string]any{
		"moveInDate": today.AddDate(0, 0, movesIn).Format(time.DateOnly), "startDate": today.AddDate(0, 0, movesIn).Format(time.DateOnly),
		"endDate": today.AddDate(0, 0, ends).Format(time.DateOnly), "phone": phone, "tenantName": "Tia Tenant", "email": tenantMail,
	})
	require.NoError(t, err)
	l := &story{T: t, s: s, id: id, phone: phone}
	l.until(func(d leasing.LeaseDescription) bool { return d.Stage != leasing.StageUnread })
	return l
}

// businessToday is the business day, as the sandbox's RentVine has it.
func businessToday(t *testing.T, s *e2e.Stack) time.Time {
	t.Helper()
	var made struct {
		LeaseID string `json:"lease_id"`
	}
	require.NoError(t, s.Post(t.Context(), "/_records/rentvine/leases", map[string]any{"primaryLeaseStatusID": "3"}, &made))
	lease, err := s.RentVineLease(t.Context(), made.LeaseID)
	require.NoError(t, err)
	at, err := time.Parse(time.RFC3339, lease["dateTimeCreated"].(string))
	require.NoError(t, err, lease)
	return at.UTC().Truncate(24 * time.Hour)
}

func (l *story) until(fits func(leasing.LeaseDescription) bool) leasing.LeaseDescription {
	l.Helper()
	d, err := l.s.UntilLease(l.Context(), l.id, fits, 6*soon)
	require.NoError(l, err, "%+v", d)
	return d
}

// under waits for a campaign to begin and returns its workflow.
func (l *story) under(course func(leasing.LeaseDescription) leasing.Course) string {
	l.Helper()
	return course(l.until(func(d leasing.LeaseDescription) bool { return course(d).WorkflowID != "" })).WorkflowID
}

// ended waits for the last campaign of a kind to end and returns how.
func (l *story) ended(course func(leasing.LeaseDescription) leasing.Course) string {
	l.Helper()
	return course(l.until(func(d leasing.LeaseDescription) bool { return course(d).Outcome != "" && course(d).WorkflowID == "" })).Outcome
}

func moveInOf(d leasing.LeaseDescription) leasing.Course    { return d.MoveIn }
func renewalOf(d leasing.LeaseDescription) leasing.Course   { return d.Renewal }
func retentionOf(d leasing.LeaseDescription) leasing.Course { return d.Retention }

// mailed waits for the newest mail to an address that contains something, and that was
// not answered yet.
func (l *story) mailed(to string, contains ...string) string {
	l.Helper()
	found := ""
	require.Eventually(l, func() bool {
		mails, err := l.s.Mails(l.Context(), to)
		for _, m := range mails {
			if containsAll(m.Subject+"\n"+m.Text, contains...) {
				found = m.Text
			}
		}
		return err == nil && found != ""
	}, 4*soon, 50*time.Millisecond, "mail to %s with %q: %s", to, contains, lazily(l.seen))
	return found
}

// texted waits for the newest text to a number that contains something.
func (l *story) texted(to string, contains ...string) string {
	l.Helper()
	found := ""
	require.Eventually(l, func() bool {
		texts, err := l.s.Texts(l.Context(), to)
		for _, m := range texts {
			if containsAll(m.Body, contains...) {
				found = m.Body
			}
		}
		return err == nil && found != ""
	}, 4*soon, 50*time.Millisecond, "text to %s with %q: %s", to, contains, lazily(l.seen))
	return found
}

// lazily is text that is made when it is printed.
type lazily func() string

func (f lazily) String() string { return f() }

// seen is what people got so far.
func (l *story) seen() string {
	var lines []string
	var mails []e2e.Mail
	if err := l.s.Get(l.Context(), "/_mails", &mails); err != nil {
		return err.Error()
	}
	for _, m := range mails {
		lines = append(lines, strings.Join(m.To, ",")+": "+m.Subject)
	}
	texts, err := l.s.Texts(l.Context(), "")
	if err != nil {
		return err.Error()
	}
	for _, m := range texts {
		lines = append(lines, m.To+": "+m.Body)
	}
	if d, err := l.s.DescribeLease(l.Context(), l.id); err == nil {
		lines = append(lines, fmt.Sprintf("%+v", d.Timeline))
		for _, id := range []string{d.MoveIn.WorkflowID, d.Renewal.WorkflowID, d.Retention.WorkflowID} {
			if c, err := l.s.DescribeCampaign(l.Context(), id); id != "" && err == nil {
				lines = append(lines, fmt.Sprintf("%s %s: %+v", id, c.Stage, c.Log))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// answers presses a button of the page behind the link in a text or mail.
func (l *story) answers(message, choice string, fields map[string]string) {
	l.Helper()
	page := e2e.LinkIn(message)
	require.NotEmpty(l, page, message)
	said, err := l.s.AnswerForm(l.Context(), page, choice, fields, nil)
	require.NoError(l, err)
	require.Equal(l, http.StatusOK, said.Status, said.Body)
}

const (
	vendorMail = "crates@example.com"
	ownerMail  = "contact21@example.com"
	tenantMail = "tia@example.com"
)

// movesIn plays a move-in to its end.
func (l *story) movesIn() {
	l.Helper()
	l.answers(l.mailed(vendorMail, "/a/"), "confirm", nil)
	for _, utility := range []string{"Electricity", "Gas", "Water"} {
		l.answers(l.texted(l.phone, utility), "done", nil)
	}
	l.mailed("technician1@example.com", "Move-in inspection")
	l.answers(l.texted(maria, "inspection"), "done", nil)
	require.Equal(l, movein.Completed, l.ended(moveInOf))
}

// withdrawn plays a renewal whose lease first ends sooner, and then is given notice of.
func (l *story) withdrawn() {
	l.Helper()
	l.under(renewalOf)
	l.answers(l.mailed(ownerMail, "approv", "/a/"), renewal.Approve, nil)
	l.texted(l.phone, "like you to stay")
	d := l.until(func(leasing.LeaseDescription) bool { return true })
	ends, err := time.Parse(time.DateOnly, d.Ends)
	require.NoError(l, err)
	require.NoError(l, l.s.ChangeLease(l.Context(), l.id, map[string]any{"endDate": ends.AddDate(0, 0, -9).Format(time.DateOnly)}))
	l.texted(l.phone, "no longer holds")
	require.NoError(l, l.s.ChangeLease(l.Context(), l.id, map[string]any{"noticeDate": ends.AddDate(0, 0, -60).Format(time.DateOnly)}))
}

// kept plays a retention.
func (l *story) kept() {
	l.Helper()
	l.answers(l.mailed(tenantMail, "like living here", "/a/"), retention.Send, map[string]string{"rating": "2", "note": "The heating was broken for weeks."})
	l.answers(l.mailed(tenantMail, "thank-you", "/a/"), retention.Accept, nil)
	l.answers(l.texted(grace, "call"), retention.Done, map[string]string{"note": "A good talk."})
	require.Contains(l, []string{"improved", "unchanged", "worse"}, l.ended(retentionOf))
}

// closed waits for a workflow to complete.
func (l *story) closed(workflowID string) {
	l.Helper()
	require.Eventually(l, func() bool {
		d, err := l.s.Client.DescribeWorkflowExecution(l.Context(), workflowID, "")
		return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	}, 4*soon, 50*time.Millisecond, "%s: %s", workflowID, lazily(l.seen))
}

// swept runs a sweep and returns its workflow.
func swept(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	run, err := s.Client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "sweep", TaskQueue: workflows.TaskQueue}, leasing.SweepName, activities.None{})
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
	return run.GetID()
}

// renewed plays a renewal from the owner's approval to the record at RentVine.
func (l *story) renewed() {
	l.Helper()
	l.under(renewalOf)
	l.answers(l.mailed(ownerMail, "approv", "/a/"), renewal.Approve, nil)
	l.answers(l.texted(l.phone, "like you to stay"), renewal.Accept, nil)
	l.answers(l.texted(l.phone, "sign"), renewal.Sign, map[string]string{"name": "Tia Tenant"})
	require.Equal(l, renewal.OutcomeRenewed, l.ended(renewalOf))
}

// From a signed lease through the move-in to its renewal, with all that is ordered, asked
// and written back on the way.
func TestALeaseFromMoveInToRenewal(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", patient(t), "--day", leaseDay}})
	l := letLease(t, s, "lease.created", 35, 170, "+13235550177")
	moveIn := l.under(moveInOf)
	l.movesIn()
	before := l.until(func(d leasing.LeaseDescription) bool {
		return d.Stage == leasing.StageLiving || d.Stage == leasing.StageRenewing
	})
	l.renewed()
	after := l.until(func(d leasing.LeaseDescription) bool { return d.Ends != before.Ends })
	require.Equal(t, []string{"1850.00", "1905.00"}, l.rents(), "three percent more, to the next five dollars")
	inRentVine, err := s.RentVineLease(t.Context(), l.id)
	require.NoError(t, err)
	require.Equal(t, after.Ends, inRentVine["endDate"])
	require.Equal(t, leasing.StageLiving, after.Stage)
	noDuplicates(t, s)
	total := 0
	for _, id := range []string{leasing.LeaseID(l.id), moveIn, after.Renewal.WorkflowID, "renewal/" + l.id + "/" + before.Ends} {
		if id == "" {
			continue
		}
		cost, err := s.Cost(t.Context(), id)
		require.NoError(t, err)
		t.Logf("%s: %d actions, %d events: %s", id, cost.Actions, cost.Events, cost.Breakdown())
		total += cost.Actions
	}
	t.Logf("a lease with move-in and renewal: %d actions", total)
}

// In Oregon an increase needs 90 days' notice: the campaign begins before that. The
// tenant says nothing to any of the questions, and nothing is renewed.
func TestASilentTenantIsNotRenewed(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", patient(t, "approval: 60d", "approval: 10d", "escalate_owner: 60d", "escalate_owner: 10d", "remind_owner: [50d]", "remind_owner: [9d]"), "--day", leaseDay}})
	l := letLease(t, s, "lease.created.oregon", 2, 130, "+15035550177")
	id := l.under(renewalOf)
	d, err := s.DescribeCampaign(t.Context(), id)
	require.NoError(t, err)
	lease, err := s.RentVineLease(t.Context(), l.id)
	require.NoError(t, err)
	ends, err := time.Parse(time.DateOnly, lease["endDate"].(string))
	require.NoError(t, err)
	require.Greater(t, ends.Sub(d.BeganAt), 92*24*time.Hour, "before day -90")

	l.answers(l.mailed("contact22@example.com", "approv", "/a/"), renewal.Change, map[string]string{"amount": "1942.50"})
	l.texted(l.phone, "like you to stay", "$1,942.50")
	require.Equal(t, renewal.OutcomeSilent, l.ended(renewalOf))
	d, err = s.DescribeCampaign(t.Context(), id)
	require.NoError(t, err)
	asked := 0
	texts, err := s.Texts(t.Context(), l.phone)
	require.NoError(t, err)
	for _, m := range texts {
		if strings.Contains(m.Body, "like you to stay") {
			asked++
		}
	}
	require.Equal(t, 4, asked, "the offer, and at 60, 45 and 30 days: %+v", d.Log)
	lease, err = s.RentVineLease(t.Context(), l.id)
	require.NoError(t, err)
	require.Equal(t, ends.Format(time.DateOnly), lease["endDate"])
	noDuplicates(t, s)
}

// anxious is a policy that sees risks early.
func anxious(t *testing.T) string {
	t.Helper()
	return patient(t, "assess: 90d", "assess: 10d", "risk: 60 ", "risk: 20 ", "measure_after: 45d", "measure_after: 3d")
}

// The dates of a lease move while it is renewed, then notice is given, then it is closed.
func TestALeaseChangesWhileItIsRenewed(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", patient(t), "--day", leaseDay}})
	l := letLease(t, s, "lease.created", -3, 100, "+13235550179")
	l.withdrawn()
	require.Equal(t, renewal.OutcomeCancelled, l.ended(renewalOf))
	l.until(func(d leasing.LeaseDescription) bool { return d.Stage == leasing.StageLeaving })
	require.NoError(t, s.ChangeLease(t.Context(), l.id, map[string]any{"primaryLeaseStatusID": "3"}))
	l.closed(leasing.LeaseID(l.id))
	l.nobodyIsAsked()
	noDuplicates(t, s)
}

// Workers are killed between the steps of a renewal, and RentVine's answer to the first
// write is lost: each step happens once.
func TestARenewalSurvivesKilledWorkers(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--without", "worker", "--policy", patient(t), "--day", leaseDay}})
	running := worker(t, s)
	again := func(after time.Duration) {
		t.Helper()
		time.Sleep(after)
		require.NoError(t, running.Kill())
		running = worker(t, s)
	}
	l := letLease(t, s, "lease.created", -3, 110, "+13235550176")
	again(50 * time.Millisecond)
	l.answers(l.mailed(ownerMail, "approv", "/a/"), renewal.Approve, nil)
	again(20 * time.Millisecond)
	l.answers(l.texted(l.phone, "like you to stay"), renewal.Accept, nil)
	require.NoError(t, s.Fault(t.Context(), "rentvine", map[string]any{"reset_after_commit": true, "method": "POST", "times": 2}))
	l.answers(l.texted(l.phone, "sign"), renewal.Sign, map[string]string{"name": "Tia Tenant"})
	again(100 * time.Millisecond)
	require.Equal(t, renewal.OutcomeRenewed, l.ended(renewalOf))
	require.Equal(t, []string{"1850.00", "1905.00"}, l.rents())
	noDuplicates(t, s)
}

// rents are the lease's charges of rent at RentVine, in the order in which they were made.
func (l *story) rents() (amounts []string) {
	l.Helper()
	var charges []struct {
		Charge struct {
			Amount string `json:"amount"`
		} `json:"recurringCharge"`
	}
	require.NoError(l, l.s.RentVine(l.Context(), "/leases/"+l.id+"/recurring-charges", &charges))
	for _, c := range charges {
		amounts = append(amounts, c.Charge.Amount)
	}
	return amounts
}

// nobodyIsAsked: all questions about the lease are closed.
func (l *story) nobodyIsAsked() {
	l.Helper()
	texts, err := l.s.Texts(l.Context(), l.phone)
	require.NoError(l, err)
	for _, m := range texts {
		page := e2e.LinkIn(m.Body)
		if page == "" {
			continue
		}
		shown, err := l.s.OpenLink(l.Context(), page)
		require.NoError(l, err)
		require.NotContains(l, shown.Body, "<button", m.Body)
	}
}

// Tenants at risk are asked how they are, offered something and called.
func TestATenantAtRiskIsKept(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", anxious(t), "--day", leaseDay}})
	l := letLease(t, s, "lease.created", -3, 400, "+13235550178")
	l.under(retentionOf)
	l.kept()
	d := l.until(func(leasing.LeaseDescription) bool { return true })
	require.NotNil(t, d.Assessment)
	noDuplicates(t, s)
}
