package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/maintenance/repair"
	"github.com/aictive/keyholder/workflows/portfolio"
)

// recordHomes plays homes: let and withdrawn, priced, and with what they must have.
func recordHomes(t *testing.T) {
	t.Run("let", recordLetting)
	t.Run("priced", recordPricing)
	t.Run("watched", recordCompliance)
	t.Run("owners", recordOwners)
}

func recordLetting(t *testing.T) {
	h := startHomes(t, e2e.Options{Args: []string{"--policy", showings(t), "--day", homeDay}})
	sweep := h.adopts("1")
	record(t, h.s, portfolio.Sweep.Name, "found", sweep)
	h.moveOut("1")
	h.publishes("1950.00")
	h.chooses(h.asksByForm().Body)
	h.asksByMail()
	h.texted(patPhone, "we show you")
	h.applies()
	h.signs()
	require.Equal(t, portfolio.StageLet, h.result("1").Outcome)
	record(t, h.s, portfolio.Vacancy.Name, "let", portfolio.VacancyID("1"))
	record(t, h.s, portfolio.Property.Name, "let", portfolio.PropertyID("1"))
}

// recordPricing plays rents that were changed: one is decided, one stays, and one home is
// taken off the market.
func recordPricing(t *testing.T) {
	h := startHomes(t, e2e.Options{Args: []string{"--policy", showings(t), "--day", homeDay}})
	h.adopts("2")
	h.market()
	for unit, outcome := range map[string]string{"2": portfolio.PricingChanged, "3": portfolio.PricingKept} {
		_, _, err := h.s.Place(t.Context(), "unit.updated", map[string]any{"unitID": unit, "rent": "2400.00"})
		require.NoError(t, err)
		choice := "keep"
		if outcome == portfolio.PricingChanged {
			choice = "other"
		}
		h.fills("helen@example.com", choice, map[string]string{"rent": "2200.00"}, nil, "What rent should", "Apt 10"+map[string]string{"2": "1", "3": "2"}[unit])
		h.ends(portfolio.PricingID(unit))
		record(t, h.s, portfolio.Pricing.Name, outcome, portfolio.PricingID(unit))
	}
	h.moveOut("4")
	h.fills("helen@example.com", "withdraw", map[string]string{"note": "It is rebuilt."}, nil, "Publish 400 NW Alder Street", "Apt 201")
	require.Equal(t, portfolio.StageWithdrawn, h.result("4").Outcome)
	record(t, h.s, portfolio.Vacancy.Name, "withdrawn", portfolio.VacancyID("4"))
	record(t, h.s, portfolio.Property.Name, "priced", portfolio.PropertyID("2"))
}

// market reads in what homes in Portland ask.
func (h *homes) market() {
	h.Helper()
	rows := []string{"ref,date,zip,city,state,beds,baths,size,built,rent"}
	seen := time.Now().AddDate(0, 0, -3).Format(time.DateOnly)
	for i := range 8 {
		rows = append(rows, fmt.Sprintf("m%d,%s,97209,Portland,OR,%d,1,%d,1995,%d.00", i, seen, 1+i%2, 640+i%2*220, 2050+i%2*150+i*10))
	}
	file := filepath.Join(h.TempDir(), "rents.csv")
	require.NoError(h, os.WriteFile(file, []byte(strings.Join(rows, "\n")+"\n"), 0o600))
	out, code := command(h.T, nil, "market", "import", file, "--source", "survey", "--data", h.data)
	require.Zero(h, code, out)
}

// recordCompliance plays what a new property must have, until nobody looks after it.
func recordCompliance(t *testing.T) {
	h := startHomes(t, e2e.Options{Args: []string{"--policy", certificates(t), "--day", yearDay}})
	propertyID, watch := h.insured()
	h.fills(managerMail, "close", map[string]string{"items": "0,1", "note": "an old friend"}, nil, "New property: 9 Birch Lane")
	h.mailed(escalationMail, "Overdue since", "Property insurance", "9 Birch Lane")
	h.renews(watch, "8760h", "Overdue since", "Property insurance", "9 Birch Lane")
	record(t, h.s, portfolio.Compliance.Name, "renewed", watch)
	h.mailed(managerMail, "Seismic gas", "9 Birch Lane")
	_, _, err := h.s.Place(t.Context(), "property.updated", map[string]any{"propertyID": propertyID, "isActive": "0"})
	require.NoError(t, err)
	h.ends(portfolio.PropertyID(propertyID))
	h.ends(portfolio.ComplianceID(propertyID, "", "gas_shutoff"))
	record(t, h.s, portfolio.Compliance.Name, "dropped", portfolio.ComplianceID(propertyID, "", "gas_shutoff"))
	record(t, h.s, portfolio.Property.Name, "new_and_gone", portfolio.PropertyID(propertyID))
}

// recordOwners plays a repair, the pack in which it is, and the digest of what is open.
func recordOwners(t *testing.T) {
	h := startHomes(t, e2e.Options{Args: []string{"--policy", allDay(t), "--day", repairDay}})
	h.adopts("1")
	id := bookedVisit(t, h.s, nil)
	handedIn(t, h.s, id, 40)
	inStage(t, h.s, id, repair.Confirming)
	hands(t, h.s, id, "Is it?", tenant1, repair.Fixed, map[string]string{"rating": "5"}, nil)
	require.NoError(t, h.s.UntilClosed(t.Context(), id, 4*soon))
	record(t, h.s, maintenance.WorkOrder.Name, "repair_recorded", maintenance.WorkOrderID(id))

	month := h.closesMonth("month-end", businessToday(t, h.s).Format("2006-01"))
	require.NoError(t, month.Get(t.Context(), nil))
	record(t, h.s, portfolio.MonthEnd.Name, "sent", month.GetID())
	clock, err := h.s.ClockOf(t.Context(), portfolio.PropertyID("1"))
	require.NoError(t, err)
	digest, err := h.s.Client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "digest", TaskQueue: workflows.TaskQueue},
		portfolio.DigestName, portfolio.DigestInput{Clock: clock})
	require.NoError(t, err)
	require.NoError(t, digest.Get(t.Context(), nil))
	record(t, h.s, portfolio.Digest.Name, "told", digest.GetID())
}
