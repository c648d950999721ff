package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/aictive/keyholder/ingress/intake/intaketest"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/sales"
)

// recordSales plays the scenarios of sales. Invitations need days, so they have a
// stack of their own.
func recordSales(t *testing.T, s *e2e.Stack) {
	created := sell(t, s, saleOf(1, "modern_auction"))
	record(t, s, sales.Create.Name, "created", created.WorkflowID)
	_, existing, err := s.Sell(t.Context(), saleMadeElsewhere(t, s))
	require.NoError(t, err)
	record(t, s, sales.Create.Name, "existing", existing.WorkflowID)
	refused := saleOf(3, "modern_auction")
	refused["auctioneer_email"] = "refused@gavel.example.com"
	record(t, s, sales.Create.Name, "refused", refusedSale(t, s, refused))

	finished, err := s.Import(t.Context(), intaketest.CSV(8, 1, 1, 9))
	require.NoError(t, err)
	_, err = s.UntilImported(t.Context(), finished.ID, func(i e2e.ImportState) bool { return i.Status == "finished" }, 2*soon)
	require.NoError(t, err)
	closedImport(t, s, finished.ID)
	record(t, s, sales.Import.Name, "finished", sales.ImportWorkflowID(finished.ID))
	record(t, s, sales.Import.Name, "paused_and_cancelled", playPausedImport(t, s))

	// These take their days side by side.
	quick := start(t, e2e.Options{Args: []string{"--day", "2s"}})
	elsewhere := madeElsewhere(t, quick)
	silent := sell(t, quick, invitingSale(4, "silent@example.com"))
	willing := sell(t, quick, invitingSale(5, "willing@example.com"))
	another := sell(t, quick, invitingSale(6, "silent@example.com"))

	chase := sales.InvitationID(willing.PropertyID, "conveyancer")
	require.Eventually(t, func() bool {
		d, err := sales.DescribeInvitation.Ask(t.Context(), quick.Client, chase, "")
		return err == nil && len(d.Reminders) == 1
	}, 30*time.Second, 100*time.Millisecond)
	require.NoError(t, quick.Accept(t.Context(), willing.PropertyID, "conveyancer"))
	require.Eventually(t, func() bool { return ended(t, quick, chase) }, 60*time.Second, 200*time.Millisecond)
	record(t, quick, sales.Invitation.Name, "accepted", chase)
	record(t, quick, sales.Sale.Name, "invitation_accepted", sales.SaleID(willing.PropertyID))

	chase = sales.InvitationID(another.PropertyID, "conveyancer")
	chooseAnother(t, quick, chase)
	record(t, quick, sales.Invitation.Name, "chosen", chase)

	chase = sales.InvitationID(silent.PropertyID, "conveyancer")
	require.Eventually(t, func() bool { return ended(t, quick, chase) }, 120*time.Second, 200*time.Millisecond)
	record(t, quick, sales.Invitation.Name, "given_up", chase)
	record(t, quick, sales.Sale.Name, "invitation_given_up", sales.SaleID(silent.PropertyID))

	require.Eventually(t, func() bool {
		d, err := sales.DescribeSale.Ask(t.Context(), quick.Client, elsewhere, "")
		return err == nil && d.Origin == sales.OriginFound
	}, 180*time.Second, 200*time.Millisecond)
	record(t, quick, sales.Sale.Name, "made_elsewhere", elsewhere)
}

func invitingSale(number int, conveyancer string) map[string]any {
	sale := saleOf(number, "standard")
	sale["conveyancer_email"] = conveyancer
	return sale
}

func ended(t *testing.T, s *e2e.Stack, workflow string) bool {
	t.Helper()
	d, err := s.Client.DescribeWorkflowExecution(t.Context(), workflow, "")
	return err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

func closedImport(t *testing.T, s *e2e.Stack, id string) {
	t.Helper()
	require.Eventually(t, func() bool { return ended(t, s, sales.ImportWorkflowID(id)) }, soon, 50*time.Millisecond)
}

// saleMadeElsewhere is a sale that OpenMoove has already.
func saleMadeElsewhere(t *testing.T, s *e2e.Stack) map[string]any {
	t.Helper()
	sale := saleOf(2, "standard")
	made := map[string]any{"estate_agent_email": "agent@oakfield.example.com"}
	for k, v := range sale {
		made[k] = v
	}
	made["property_postcode"] = "SW4 6LB"
	require.NoError(t, s.Post(t.Context(), "/_records/openmoove/properties", made, nil))
	return sale
}

func refusedSale(t *testing.T, s *e2e.Stack, sale map[string]any) string {
	t.Helper()
	body, err := json.Marshal(sale)
	require.NoError(t, err)
	reply, err := s.API(t.Context(), http.MethodPost, "/v1/sales", "application/json", body)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnprocessableEntity, reply.Status, reply.Body)
	require.Contains(t, reply.Body, "auctioneer_email")
	// The answer names no workflow: the newest creation is it.
	list, err := s.Newest(t.Context(), sales.Create.Name)
	require.NoError(t, err)
	return list
}

func playPausedImport(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	require.NoError(t, s.Fault(t.Context(), "openmoove", map[string]any{"latency": "2s"}))
	submitted, err := s.Import(t.Context(), intaketest.CSV(40, 0, 0, 10))
	require.NoError(t, err)
	id := sales.ImportWorkflowID(submitted.ID)
	by := sales.ImportCommand{By: "office", Why: "for the record"}
	_, err = sales.PauseImport.Send(t.Context(), s.Client, id, "pause", by)
	require.NoError(t, err)
	_, err = sales.ResumeImport.Send(t.Context(), s.Client, id, "resume", by)
	require.NoError(t, err)
	_, err = sales.CancelImport.Send(t.Context(), s.Client, id, "cancel", by)
	require.NoError(t, err)
	require.NoError(t, s.Mend(t.Context(), "openmoove"))
	closedImport(t, s, submitted.ID)
	return id
}

// madeElsewhere is a sale that is first heard of by a webhook.
func madeElsewhere(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	saleMadeElsewhere(t, s)
	properties, err := s.Properties(t.Context())
	require.NoError(t, err)
	require.Len(t, properties, 1)
	return sales.SaleID(properties[0].ID.String())
}

// chooseAnother is an agent who chooses somebody else.
func chooseAnother(t *testing.T, s *e2e.Stack, chase string) {
	t.Helper()
	var link string
	require.Eventually(t, func() bool {
		mails, err := s.Mails(t.Context(), "agent@oakfield.example.com")
		if err != nil {
			return false
		}
		for _, m := range mails {
			if containsAll(m.Subject, "choose", "6 Larkhall") {
				link = linkPattern.FindString(m.Text)
			}
		}
		return link != ""
	}, 120*time.Second, 200*time.Millisecond)
	said, err := s.AnswerLink(t.Context(), link, "choose:lawson")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, said.Status, said.Body)
	require.Eventually(t, func() bool { return ended(t, s, chase) }, 60*time.Second, 200*time.Millisecond)
}
