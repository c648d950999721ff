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

	quick := start(t, e2e.Options{Args: []string{"--day", "2s"}})
	followed := saleOf(4, "standard")
	followed["conveyancer_email"] = "silent@example.com"
	out := sell(t, quick, followed)
	chase := sales.InvitationID(out.PropertyID, "conveyancer")
	require.Eventually(t, func() bool { return ended(t, quick, chase) }, 120*time.Second, 200*time.Millisecond)
	record(t, quick, sales.Invitation.Name, "given_up", chase)
	record(t, quick, sales.Sale.Name, "invitation_given_up", sales.SaleID(out.PropertyID))

	willing := saleOf(5, "standard")
	willing["conveyancer_email"] = "willing@example.com"
	out = sell(t, quick, willing)
	chase = sales.InvitationID(out.PropertyID, "conveyancer")
	time.Sleep(7 * time.Second) // past the first reminder
	require.NoError(t, quick.Accept(t.Context(), out.PropertyID, "conveyancer"))
	require.Eventually(t, func() bool { return ended(t, quick, chase) }, 60*time.Second, 200*time.Millisecond)
	record(t, quick, sales.Invitation.Name, "accepted", chase)
	record(t, quick, sales.Sale.Name, "invitation_accepted", sales.SaleID(out.PropertyID))
	record(t, quick, sales.Sale.Name, "made_elsewhere", playMadeElsewhere(t, quick))
	record(t, quick, sales.Invitation.Name, "chosen", playChosen(t, quick))
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

// playMadeElsewhere is a sale that was first heard of by a webhook.
func playMadeElsewhere(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	saleMadeElsewhere(t, s)
	var id string
	require.Eventually(t, func() bool {
		properties, err := s.Properties(t.Context())
		if err != nil {
			return false
		}
		for _, p := range properties {
			if p.Address == "2 Larkhall Rise, London" {
				id = p.ID.String()
			}
		}
		return id != ""
	}, soon, 50*time.Millisecond)
	require.Eventually(t, func() bool {
		d, err := sales.DescribeSale.Ask(t.Context(), s.Client, sales.SaleID(id), "")
		return err == nil && d.Origin == sales.OriginFound
	}, 180*time.Second, 200*time.Millisecond)
	return sales.SaleID(id)
}

// playChosen is an agent who chooses somebody else.
func playChosen(t *testing.T, s *e2e.Stack) string {
	t.Helper()
	sale := saleOf(6, "standard")
	sale["conveyancer_email"] = "silent@example.com"
	out := sell(t, s, sale)
	chase := sales.InvitationID(out.PropertyID, "conveyancer")
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
	return chase
}
