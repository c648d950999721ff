package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/policy"
	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/sales"
)

// newSale is a fictitious sale; number makes it one of its own.
func newSale(number int, method sales.SaleMethod) sales.NewSale {
	return sales.NewSale{
		FirstName: "Harriet", LastName: "Seller", Email: fmt.Sprintf("test+%d@example.com", number), Phone: "+447700900123",
		Address: fmt.Sprintf("%d Larkhall Rise, London", number), Postcode: "SW4 6LB", Method: method,
	}
}

func (s *scenario) request(sale sales.NewSale) string {
	return s.keys.SaleRequest(sale.Address, sale.Postcode, sale.Email)
}

// create runs sales.create for a sale in an environment of its own.
func (s *scenario) create(sale sales.NewSale) (sales.CreateResult, error) {
	s.t.Helper()
	s.freshEnvironment(sales.CreateID(s.request(sale)))
	s.env.ExecuteWorkflow(sales.CreateName, sales.CreateInput{RequestID: s.request(sale), Sale: sale})
	require.True(s.t, s.env.IsWorkflowCompleted())
	if err := s.env.GetWorkflowError(); err != nil {
		return sales.CreateResult{}, err
	}
	var result sales.CreateResult
	require.NoError(s.t, s.env.GetWorkflowResult(&result))
	return result, nil
}

// posts counts the calls that create.
func (s *scenario) posts() int {
	n := 0
	for _, c := range s.box.Calls(sandbox.OpenMoove) {
		if c.Method == http.MethodPost {
			n++
		}
	}
	return n
}

func (s *scenario) noDuplicateProperties() {
	s.t.Helper()
	require.Zero(s.t, s.box.Duplicates()[sandbox.OpenMoove])
}

func TestASaleOfEachMethodIsCreatedWithTheRightPeople(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	for i, method := range []sales.SaleMethod{sales.StandardSale, sales.ModernAuction, sales.SecureSale} {
		result, err := s.create(newSale(i+1, method))
		require.NoError(t, err)
		require.NotEmpty(t, result.PropertyID)
		require.NotEmpty(t, result.TransactionID)
		require.False(t, result.Existing)
		require.Empty(t, result.MissingMilestones)
		roles := map[activities.Role]string{}
		for _, m := range result.Team {
			roles[m.Role] = m.Reason
		}
		require.Contains(t, roles, activities.EstateAgent)
		require.Contains(t, roles, activities.Conveyancer)
		require.Equal(t, method != sales.StandardSale, roles[activities.Auctioneer] != "")
		facts := s.handed[i]
		require.Equal(t, result.PropertyID, facts.PropertyID)
		require.Equal(t, sales.OriginCreated, facts.Origin)
		require.True(t, facts.View.TeamKnown)

		known, err := s.store.Property(t.Context(), result.PropertyID)
		require.NoError(t, err)
		require.Equal(t, result.TransactionID, known.TransactionID)
	}
	load, err := s.store.CaseLoad(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, load["oakfield"])
}

func TestTheSameSaleAgainIsTheExistingOne(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	first, err := s.create(newSale(1, sales.StandardSale))
	require.NoError(t, err)
	again := newSale(1, sales.StandardSale)
	again.Address = "1  LARKHALL RISE London"
	second, err := s.create(again)
	require.NoError(t, err)
	require.Equal(t, first.PropertyID, second.PropertyID)
	require.Equal(t, first.Team, second.Team, "the team is that of the creation")
	other := newSale(1, sales.StandardSale)
	other.Email = "test+other@example.com"
	third, err := s.create(other)
	require.NoError(t, err)
	require.NotEqual(t, first.PropertyID, third.PropertyID, "another seller")
	require.Equal(t, 2, s.posts())
	s.noDuplicateProperties()
}

func TestASaleMadeInOpenMooveItselfIsFound(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	sale := newSale(1, sales.StandardSale)
	s.call(http.MethodPost, "/_records/openmoove/properties", map[string]any{
		"first_name": sale.FirstName, "last_name": sale.LastName, "email": strings.ToUpper(sale.Email), "phone_number": sale.Phone,
		"property_address": sale.Address, "property_postcode": sale.Postcode, "estate_agent_email": "agent@oakfield.example.com",
	}, nil)
	result, err := s.create(sale)
	require.NoError(t, err)
	require.True(t, result.Existing)
	require.Zero(t, s.posts())
	require.Equal(t, sales.OriginFound, s.handed[0].Origin)
}

func TestAnUnknownOutcomeNeverMakesASecondProperty(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"the line drops after the commit": {ResetAfterCommit: true, Method: http.MethodPost, Times: 1},
		"half a reply":                    {MalformedBody: true, Method: http.MethodPost, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			require.NoError(t, s.box.SetFault(sandbox.OpenMoove, fault))
			result, err := s.create(newSale(1, sales.StandardSale))
			require.NoError(t, err)
			require.NotEmpty(t, result.PropertyID)
			require.False(t, result.Existing, "it is ours")
			require.Equal(t, 1, s.posts())
			s.noDuplicateProperties()
		})
	}
}

func TestOpenMooveAwayIsWaitedOut(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.OpenMoove, sandbox.Fault{Status: 503, Times: 8}))
	var queued sales.CreateDescription
	sale := newSale(1, sales.StandardSale)
	s.freshEnvironment(sales.CreateID(s.request(sale)))
	s.at(time.Second, func() {
		value, err := s.env.QueryWorkflow(sales.DescribeCreate.Name)
		require.NoError(t, err)
		require.NoError(t, value.Get(&queued))
	})
	s.env.ExecuteWorkflow(sales.CreateName, sales.CreateInput{RequestID: s.request(sale), Sale: sale})
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, sales.CreateQueued, queued.State)
	require.Equal(t, 1, s.posts())
}

func TestWhatOpenMooveRefusesIsSaidByField(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	sale := newSale(1, sales.ModernAuction)
	sale.Auctioneer = "refused@gavel.example.com"
	_, err := s.create(sale)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, "invalid", app.Type())
	var problems []activities.FieldProblem
	require.NoError(t, app.Details(&problems))
	require.Len(t, problems, 1)
	require.Equal(t, "auctioneer_email", problems[0].Path)
	require.NotContains(t, err.Error(), "refused@gavel")
	require.Empty(t, s.handed)
}

// The list of products is read once, and again only before a sale is refused by it.
func TestAnUnknownProductIsRefusedBeforeTheCreation(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	for n, product := range []string{"moove-ready-pack", "moove-ready-pack", "gold-pack"} {
		sale := newSale(n+1, sales.StandardSale)
		sale.Products = []string{product}
		_, err := s.create(sale)
		if product == "moove-ready-pack" {
			require.NoError(t, err)
			continue
		}
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		var problems []activities.FieldProblem
		require.NoError(t, app.Details(&problems))
		require.Equal(t, "products", problems[0].Path)
		require.Contains(t, problems[0].Message, "it has moove-ready-pack")
	}
	require.Equal(t, 2, s.posts())
	lists := 0
	for _, call := range s.box.Calls(sandbox.OpenMoove) {
		if strings.HasSuffix(call.Path, "/products/") {
			lists++
		}
	}
	require.Equal(t, 1, lists, "the list is younger than a minute")
}

func TestARefusedAuctioneerIsReplacedByTheNext(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.policyWith(t, "lots@gavelton.example.com", "refuse.lots@gavelton.example.com")
	result, err := s.create(newSale(1, sales.ModernAuction))
	require.NoError(t, err)
	for _, m := range result.Team {
		if m.Role == activities.Auctioneer {
			require.Equal(t, "hammond", m.ID)
		}
	}
	require.Equal(t, 2, s.posts())
}

// The first try's outcome is unknown, and the repeat is refused for its auctioneer:
// the next one is tried all the same.
func TestARefusedAuctioneerIsReplacedAfterAnUnknownOutcomeToo(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.policyWith(t, "lots@gavelton.example.com", "refuse.lots@gavelton.example.com")
	sale := newSale(1, sales.ModernAuction)
	// As a worker leaves it that died after it had begun, long ago.
	key := "sale/" + s.request(sale) + "/create"
	note := `{"owner":"another","chosen":[{"role":"auctioneer","id":"gavelton","reason":"covers *"},{"role":"estate_agent","id":"oakfield","reason":"covers SW"}]}`
	_, first, err := s.store.BeginEffect(t.Context(), key, note)
	require.NoError(t, err)
	require.True(t, first)
	s.acts.Store = longAgo{s.acts.Store}
	result, err := s.create(sale)
	require.NoError(t, err)
	roles := map[activities.Role]string{}
	for _, m := range result.Team {
		roles[m.Role] = m.ID
	}
	require.Equal(t, "hammond", roles[activities.Auctioneer])
}

// longAgo is a store whose effects are quiet for an hour.
type longAgo struct{ store.Store }

func (l longAgo) BeginEffect(ctx context.Context, key, note string) (store.Effect, bool, error) {
	e, first, err := l.Store.BeginEffect(ctx, key, note)
	e.Quiet += time.Hour
	return e, first, err
}

func TestMissingMilestonesAreReported(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.policyWith(t, "Exchange of Contracts", "Signing of the Moon")
	result, err := s.create(newSale(1, sales.StandardSale))
	require.NoError(t, err)
	require.Equal(t, []string{"Signing of the Moon"}, result.MissingMilestones)
}

func TestACreationThatCannotBeHandedOverTriesAgain(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.handOverErr = errors.New("Temporal is away")
	s.at(0, func() {})
	sale := newSale(1, sales.StandardSale)
	s.freshEnvironment(sales.CreateID(s.request(sale)))
	s.at(time.Minute, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handOverErr = nil
	})
	s.env.ExecuteWorkflow(sales.CreateName, sales.CreateInput{RequestID: s.request(sale), Sale: sale})
	require.NoError(t, s.env.GetWorkflowError())
	require.Len(t, s.handed, 1)
	require.Equal(t, 1, s.posts())
}

// imported keeps rows in the store and runs sales.import over them.
func (s *scenario) imported(rows int, during func()) (sales.ImportProgress, error) {
	s.t.Helper()
	var kept []store.ImportRow
	for i := range rows {
		sale := newSale(i+1, sales.StandardSale)
		payload, err := json.Marshal(sale)
		require.NoError(s.t, err)
		kept = append(kept, store.ImportRow{Number: i + 2, Key: s.request(sale), Payload: payload, State: store.RowWaiting})
	}
	_, err := s.store.CreateImport(s.t.Context(), "file", kept)
	require.NoError(s.t, err)
	s.freshEnvironment(sales.ImportWorkflowID("file"))
	if during != nil {
		during()
	}
	s.env.ExecuteWorkflow(sales.ImportName, sales.ImportInput{ImportID: "file"})
	require.True(s.t, s.env.IsWorkflowCompleted())
	if err := s.env.GetWorkflowError(); err != nil {
		return sales.ImportProgress{}, err
	}
	var progress sales.ImportProgress
	require.NoError(s.t, s.env.GetWorkflowResult(&progress))
	return progress, nil
}

func TestAnImportCreatesEachRowOnce(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	already, err := s.create(newSale(3, sales.StandardSale))
	require.NoError(t, err)
	progress, err := s.imported(20, nil)
	require.NoError(t, err)
	require.Equal(t, sales.ImportProgress{Rows: 20, Created: 19, Existing: 1}, progress)
	require.Equal(t, 20, s.posts())
	s.noDuplicateProperties()
	require.Len(t, s.handed, 21)
	rows, err := s.store.Rows(t.Context(), "file", 0, 100)
	require.NoError(t, err)
	require.Equal(t, already.PropertyID, rows[2].PropertyID)
	for _, row := range rows {
		require.NotEmpty(t, row.TransactionID)
		require.Empty(t, row.Payload)
	}
}

func TestAnImportSurvivesDroppedLines(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.OpenMoove, sandbox.Fault{ResetAfterCommit: true, Method: http.MethodPost, Times: 3}))
	progress, err := s.imported(30, nil)
	require.NoError(t, err)
	require.Equal(t, 30, progress.Created)
	s.noDuplicateProperties()
}

func TestAnImportWaitsForTheOpenMooveThatIsAway(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.OpenMoove, sandbox.Fault{Status: 503, Times: 6}))
	progress, err := s.imported(10, nil)
	require.NoError(t, err)
	require.Equal(t, 10, progress.Created)
	s.noDuplicateProperties()
}

func TestARefusedRowDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.OpenMoove, sandbox.Fault{Status: 400, Method: http.MethodPost, Times: 2}))
	progress, err := s.imported(10, nil)
	require.NoError(t, err)
	require.Equal(t, sales.ImportProgress{Rows: 10, Created: 8, Refused: 2}, progress)
}

// A row whose outcome nobody learns is left to a person in the end, and does not
// hold up the others meanwhile.
func TestARowThatStaysUnusableIsLeftToAPerson(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	require.NoError(t, s.box.SetFault(sandbox.OpenMoove, sandbox.Fault{Status: 500, Method: http.MethodPost, Times: 1}))
	progress, err := s.imported(1, func() {
		for range 30 {
			require.NoError(t, s.store.DeferRow(t.Context(), "file", 2, -time.Second))
		}
	})
	require.NoError(t, err)
	require.Equal(t, sales.ImportProgress{Rows: 1, Refused: 1}, progress)
	rows, err := s.store.Rows(t.Context(), "file", 0, 10)
	require.NoError(t, err)
	require.Contains(t, rows[0].Problems[0].Message, "look there")
}

func TestAnImportIsPausedResumedAndCancelled(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	why := sales.ImportCommand{By: "office", Why: "lunch"}
	var unnamed, paused, twice, resumed, again, cancelled *updated
	// A look at the list, one row, and the hour's calls are used up but for the reserve.
	s.acts.OpenMoove.Limits = []store.Limit{{Calls: 3, Window: time.Hour}}
	progress, err := s.imported(5, func() {
		s.at(time.Minute, func() { unnamed = command(s, sales.PauseImport, sales.ImportCommand{}) })
		s.at(2*time.Minute, func() { paused = command(s, sales.PauseImport, why) })
		s.at(3*time.Minute, func() { twice = command(s, sales.PauseImport, why) })
		s.at(30*time.Minute, func() { resumed = command(s, sales.ResumeImport, why) })
		s.at(31*time.Minute, func() { again = command(s, sales.ResumeImport, why) })
		s.at(40*time.Minute, func() { cancelled = command(s, sales.CancelImport, why) })
	})
	require.NoError(t, err)
	require.ErrorContains(t, unnamed.err, "who decided")
	require.NoError(t, paused.err)
	require.Equal(t, sales.ImportPaused, paused.out.(sales.ImportDescription).State)
	require.ErrorContains(t, twice.err, "the import is paused")
	require.NoError(t, resumed.err)
	require.ErrorContains(t, again.err, "cannot resume")
	require.NoError(t, cancelled.err)
	require.Equal(t, sales.ImportProgress{Rows: 5, Created: 1, Cancelled: 4}, progress)
}

func TestAnImportContinuesAsNewWithAllThatItKnows(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	s.acts.OpenMoove.Limits = []store.Limit{{Calls: 3, Window: time.Hour}}
	why := sales.ImportCommand{By: "office", Why: "lunch"}
	var before sales.ImportDescription
	_, err := s.imported(5, func() {
		s.at(time.Minute, func() {
			s.env.SetContinueAsNewSuggested(true)
			paused := command(s, sales.PauseImport, why)
			require.NoError(t, paused.err)
		})
		s.at(2*time.Minute, func() { s.env.SetContinueAsNewSuggested(false) })
	})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &next)
	var in sales.ImportInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	require.Equal(t, "file", in.ImportID)
	require.Equal(t, why, *in.State.Paused)
	require.Equal(t, 1, in.State.Progress.Created)

	s.freshEnvironment(sales.ImportWorkflowID("file"))
	s.at(time.Minute, func() {
		value, err := s.env.QueryWorkflow(sales.DescribeImport.Name)
		require.NoError(t, err)
		require.NoError(t, value.Get(&before))
		command(s, sales.CancelImport, why)
	})
	s.env.ExecuteWorkflow(sales.ImportName, in)
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, sales.ImportPaused, before.State)
	require.Equal(t, in.State.Progress, before.Progress)
}

// policyWith runs on the built-in policy with a text of it replaced.
func (s *scenario) policyWith(t *testing.T, old, changed string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "policy", "policy.yaml"))
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), old, changed)), 0o600))
	s.acts.Policy, err = policy.Open(file, func(err error) { t.Error(err) })
	require.NoError(t, err)
}
