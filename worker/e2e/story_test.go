package e2e_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// The story of the README, with the built-in policy and whoever is on call today.
func TestFromWebhookToReport(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{})
	id := emergency(t, s, nil)

	paged := page(t, s, "", 1)
	require.Contains(t, paged.Body, "12 Elm Street")
	text(t, s, "we have your report", tenant1)
	text(t, s, "On-call is being paged", grace)
	require.Contains(t, reply(t, s, paged.To, "1"), "you are on it")
	d, err := s.Until(t.Context(), id, at(maintenance.StageDispatching), soon)
	require.NoError(t, err)
	require.Equal(t, "sms", d.Acknowledged.Via)

	job := text(t, s, "EMERGENCY JOB", maria)
	require.Contains(t, reply(t, s, job.To, "1"), "the job is yours")
	text(t, s, "is coming for your report", tenant1)
	text(t, s, "Reply 1 when you are there", maria)
	require.Contains(t, reply(t, s, maria, "1"), "Tell us when it is done")
	text(t, s, "is at your building", tenant1)
	text(t, s, "reply 1 when #", maria)
	require.Contains(t, reply(t, s, maria, "1"), "well done")
	text(t, s, "reports the work on", tenant1)
	text(t, s, "Please check and close it", grace)

	requireWritten(t, s, id, "13", "31")
	requireReported(t, s, id)
	require.NoError(t, s.CloseInRentVine(t.Context(), id))
	require.NoError(t, s.UntilClosed(t.Context(), id, soon))
	text(t, s, "is closed", tenant1)

	d, err = s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, maintenance.StageClosed, d.Stage)
	require.Equal(t, "met", d.SLA)
	require.Len(t, d.Pages, 1)
	require.Zero(t, d.UnderWay)
	require.Len(t, pages(t, s, ""), 1)
	noDuplicates(t, s)
}

// at fits a work order that has come to a stage.
func at(stage maintenance.Stage) func(maintenance.Description) bool {
	return func(d maintenance.Description) bool { return d.Stage == stage }
}

// requireWritten waits until RentVine holds the status, the technician and a date
// for the visit.
func requireWritten(t *testing.T, s *e2e.Stack, id, status, technician string) {
	t.Helper()
	var fields map[string]any
	require.Eventually(t, func() bool {
		var err error
		fields, err = s.WorkOrder(t.Context(), id)
		return err == nil && fields["workOrderStatusID"] == status && fields["assignedToUserID"] == technician
	}, 2*soon, 50*time.Millisecond, "status %s and technician %s in RentVine", status, technician)
	require.Regexp(t, `^\d{4}-\d\d-\d\d`, fields["scheduledStartDate"])
}

// requireReported waits until the incident report is attached in RentVine and in
// the manager's mailbox, each once.
func requireReported(t *testing.T, s *e2e.Stack, id string) {
	t.Helper()
	type listed struct {
		File struct {
			FileID   string `json:"fileID"`
			FileName string `json:"fileName"`
		} `json:"file"`
		Attachment struct {
			ObjectID string `json:"objectID"`
		} `json:"attachment"`
	}
	var attached []listed
	require.Eventually(t, func() bool {
		var files []listed
		if s.RentVine(t.Context(), "/files?includes=attachment", &files) != nil {
			return false
		}
		attached = slices.DeleteFunc(files, func(f listed) bool { return f.Attachment.ObjectID != id })
		return len(attached) > 0
	}, soon, 50*time.Millisecond, "the report in RentVine")
	require.Len(t, attached, 1)
	require.Contains(t, attached[0].File.FileName, ".pdf")

	require.Eventually(t, func() bool {
		mails, err := s.Mails(t.Context(), "grace@example.com")
		return err == nil && slices.ContainsFunc(mails, func(m e2e.Mail) bool {
			return strings.Contains(m.Subject, "Incident") && len(m.Attachments) == 1 &&
				m.Attachments[0].ContentType == "application/pdf" && m.Attachments[0].Size > 1000
		})
	}, soon, 50*time.Millisecond, "the report by mail")
}

var linkPattern = regexp.MustCompile(`http://\S+/a/\S+`)

// link is the action link of a text.
func link(t *testing.T, text e2e.Text) string {
	t.Helper()
	found := linkPattern.FindString(text.Body)
	require.NotEmpty(t, found, text.Body)
	return found
}

func TestActionLinkActsOnceAndOnlyByItsButton(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t), "--day", "10m"}})
	id := emergency(t, s, nil)
	first := link(t, page(t, s, alma, 1))
	other := link(t, page(t, s, ben, 1))

	for range 2 {
		shown, err := s.OpenLink(t.Context(), first)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, shown.Status)
		require.Contains(t, shown.Body, "12 Elm Street")
		require.Contains(t, shown.Body, "acknowledge")
	}
	d, err := s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, maintenance.StagePaging, d.Stage)

	pressed, err := s.AnswerLink(t.Context(), first, "acknowledge")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, pressed.Status)
	require.Contains(t, pressed.Body, "you are on it")
	d, err = s.Until(t.Context(), id, at(maintenance.StageDispatching), soon)
	require.NoError(t, err)
	require.Equal(t, "alma", d.Acknowledged.By)
	require.Equal(t, "link", d.Acknowledged.Via)

	again, err := s.AnswerLink(t.Context(), first, "decline")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, again.Status)
	require.Contains(t, again.Body, "on it", "the recorded answer is shown")

	late, err := s.AnswerLink(t.Context(), other, "acknowledge")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, late.Status)
	require.Contains(t, late.Body, "Somebody is on it already")
	d, err = s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "alma", d.Acknowledged.By)
	require.Equal(t, 1, d.LateAnswers)
	noDuplicates(t, s)
}
