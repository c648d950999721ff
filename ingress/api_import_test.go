package ingress

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/sales"
)

func (d *apiDoor) upload(media, body string) httpReply {
	d.t.Helper()
	return d.call(http.MethodPost, "/v1/sales/import", bearing("Content-Type", media), strings.NewReader(body))
}

func answerOf[T any](t *testing.T, a httpReply, status int) T {
	t.Helper()
	require.Equal(t, status, a.status, a.body)
	var v T
	require.NoError(t, json.Unmarshal([]byte(a.body), &v))
	return v
}

func (d *apiDoor) results(id string) [][]string {
	d.t.Helper()
	a := d.get("/v1/sales/import/" + id + "/results.csv")
	require.Equal(d.t, http.StatusOK, a.status, a.body)
	require.Equal(d.t, `attachment; filename="import-`+id+`.csv"`, a.header.Get("Content-Disposition"))
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	require.NoError(d.t, err)
	return rows
}

// mixed is a file with two good rows, a wrong one and two that repeat.
func mixed(t *testing.T) string {
	good := strings.SplitAfter(csvOf(t, "John", "Ada"), "\n")
	wrong := strings.NewReplacer("SW1A 1AA", "NOWHERE", "john.smith@example.com", "jane roe").Replace(good[1])
	spelt := strings.Replace(good[1], "High Street", "HIGH STREET", 1)
	return good[0] + good[1] + wrong + good[2] + spelt + good[2]
}

func TestAPIImportsTheGoodRowsOfAFile(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, nil)
	a := d.upload("text/csv", mixed(t))
	accepted := answerOf[acceptedImport](t, a, http.StatusAccepted)
	id := accepted.ImportID
	require.Equal(t, importID(d.hashes, []byte(mixed(t)), 1), id)
	require.Equal(t, acceptedImport{ImportID: id, Status: "accepted", Rows: 5, Valid: 2, Invalid: 1, Duplicate: 2, WorkflowID: "import/" + id,
		StatusURL: "/v1/sales/import/" + id, ResultsURL: "/v1/sales/import/" + id + "/results.csv", Problems: accepted.Problems}, accepted)
	require.Equal(t, accepted.StatusURL, a.header.Get("Location"))
	var places []string
	for _, p := range accepted.Problems {
		places = append(places, fmt.Sprint(p.Row, " ", p.Path))
	}
	require.Equal(t, []string{"3 email", "3 property_postcode", "5 ", "6 "}, places)
	require.Equal(t, "the same sale as row 2", accepted.Problems[2].Message)
	require.Equal(t, "the same sale as row 4", accepted.Problems[3].Message)

	waiting, err := d.store.WaitingRows(t.Context(), id, 0, 100)
	require.NoError(t, err)
	require.Len(t, waiting, 2)
	var sale sales.NewSale
	require.NoError(t, json.Unmarshal(waiting[0].Payload, &sale))
	require.Equal(t, "+447700900123", sale.Phone)
	require.Equal(t, d.hashes.SaleRequest(sale.Address, sale.Postcode, sale.Email), waiting[0].Key)

	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, d.describe("import/"+id).Status)
	started := d.firstEvent("import/" + id).GetWorkflowExecutionStartedEventAttributes()
	require.EqualValues(t, 5, started.GetPriority().GetPriorityKey())

	again := answerOf[importAnswer](t, d.upload("text/csv", mixed(t)), http.StatusOK)
	require.Equal(t, id, again.ImportID)
	require.Equal(t, "running", again.Status)
	require.Equal(t, ImportCounts{Waiting: 2, Invalid: 1, Duplicate: 2}, again.Counts)
	require.Equal(t, "import "+id, again.Note)
	require.InDelta(t, 3600, *again.ETASeconds, 60)

	require.Equal(t, [][]string{
		{"row", "status", "property_id", "transaction_id", "problems"},
		{"2", "waiting", "", "", ""},
		{"3", "invalid", "", "", d.results(id)[2][4]},
		{"4", "waiting", "", "", ""},
		{"5", "duplicate", "", "", "the same sale as row 2"},
		{"6", "duplicate", "", "", "the same sale as row 4"},
	}, d.results(id))
	for _, secret := range []string{"Smith", "jane", "High Street", "NOWHERE", id} {
		require.NotContains(t, strings.ReplaceAll(d.log.String(), `"workflow_id":"import/`+id+`"`, ""), secret)
	}
	require.Equal(t, "1", d.apiMetric("POST /v1/sales/import", "accepted", 202))
}

func TestAPIImportsJSON(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, nil)
	file := "[" + saleOf(t, "John") + "," + saleOf(t, "John") + ",7]"
	accepted := answerOf[acceptedImport](t, d.upload("application/json; charset=utf-8", file), http.StatusAccepted)
	require.Equal(t, []int{3, 1, 1, 1}, []int{accepted.Rows, accepted.Valid, accepted.Invalid, accepted.Duplicate})
	require.Equal(t, "the same sale as row 1", accepted.Problems[0].Message)
	require.Equal(t, 3, accepted.Problems[1].Row)
}

func TestAPITakesCommandsToAnImport(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Command = 30 * time.Second })
	accepted := answerOf[acceptedImport](t, d.upload("text/csv", csvOf(t, "John")), http.StatusAccepted)
	command := func(name, body string) httpReply {
		return d.call(http.MethodPost, accepted.StatusURL+"/"+name, bearing("Content-Type", "application/json"), strings.NewReader(body))
	}
	const order = `{"by":"pat","why":"the office checks"}`
	a := command("resume", order)
	d.requireProblem(a, 409)
	require.Contains(t, a.body, "the import is running: it cannot resume")
	paused := answerOf[importAnswer](t, command("pause", order), http.StatusOK)
	require.Equal(t, "paused", paused.Status)
	require.Equal(t, "pat: the office checks", paused.Note)
	require.Equal(t, 1, paused.Counts.Waiting)
	d.requireProblem(command("pause", order), 409)
	require.Equal(t, "running", answerOf[importAnswer](t, command("resume", order), http.StatusOK).Status)

	for body, want := range map[string]int{
		`{"by":"pat"}`: 422, `{"why":"x"}`: 422, `{"by":" ","why":"x"}`: 422, `{"by":1,"why":"x"}`: 422, `[]`: 422, `null`: 422,
		`{"by":"pat","why":"` + strings.Repeat("ü", 201) + `"}`: 422, `{"by":"pat","why":"`: 400, ``: 400,
	} {
		d.requireProblem(command("cancel", body), want)
	}
	require.Equal(t, "cancelled", answerOf[importAnswer](t, command("cancel", order), http.StatusOK).Status)
	require.NoError(t, d.temporal.GetWorkflow(background(t), accepted.WorkflowID, "").Get(background(t), nil))
	d.requireProblem(command("cancel", order), 409)
}

func (d *apiDoor) requireNothingStored(file string) {
	d.t.Helper()
	_, err := d.store.Import(d.t.Context(), importID(d.hashes, []byte(file), 1))
	require.ErrorIs(d.t, err, store.ErrNotFound)
}

func TestAPIRefusesFilesOfWhichNothingCanBeUsed(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	good := csvOf(t, "John")
	for name, tc := range map[string]struct {
		media, file string
		want        int
		row         int
	}{
		"empty":             {"text/csv", "", 400, 0},
		"header only":       {"text/csv", strings.SplitAfter(good, "\n")[0], 400, 0},
		"UTF-16":            {"text/csv", "\xff\xfef\x00i\x00r\x00s\x00t\x00", 400, 1},
		"Windows encoding":  {"text/csv", strings.Replace(good, "Smith", "Sm\xefth", 1), 400, 2},
		"unknown column":    {"text/csv", strings.Replace(good, "last_name", "favourite_colour", 1), 400, 1},
		"open quote":        {"text/csv", strings.Replace(good, `"1 High`, `"1 "High`, 1), 400, 2},
		"a workbook":        {"text/csv", "PK\x03\x04\x00\x00" + strings.Repeat("\x00", 100), 400, 1},
		"10 MB cell":        {"text/csv", strings.Replace(good, "Smith", strings.Repeat("Smith ", 10<<20/6), 1), 422, 2},
		"JSON as CSV":       {"text/csv", "[" + saleOf(t, "John") + "]", 400, 1},
		"CSV as JSON":       {"application/json", good, 400, 1},
		"JSON, not a list":  {"application/json", saleOf(t, "John"), 400, 0},
		"JSON, empty list":  {"application/json", "[]", 400, 0},
		"JSON, no sales":    {"application/json", "[1,2,3]", 422, 1},
		"only wrong rows":   {"text/csv", strings.ReplaceAll(csvOf(t, make([]string, 300)...), "SW1A", "X"), 422, 2},
		"more than 10,000":  {"text/csv", csvOf(t, strings.Split(strings.Repeat("John,", 10_000)+"John", ",")...), 400, 10_002},
		"a bomb of columns": {"text/csv", strings.Repeat("a,", 1<<20), 400, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The slots are for two; the others are told to come again.
			d := &apiDoor{door: &door{Server: d.Server, t: t, url: d.url, log: d.log}, contract: d.contract, store: d.store, hashes: d.hashes}
			var a httpReply
			require.Eventually(t, func() bool { a = d.upload(tc.media, tc.file); return a.status != 429 }, 60*time.Second, 50*time.Millisecond)
			d.requireProblem(a, tc.want)
			p := answerOf[Problem](t, a, tc.want)
			require.NotEmpty(t, p.Errors)
			require.LessOrEqual(t, len(p.Errors), 100)
			require.Equal(t, tc.row, p.Errors[0].Row, a.body)
			for _, value := range []string{"Smith", "John", "High Street", "900123", "smith@"} {
				require.NotContains(t, a.body, value)
			}
			require.Less(t, len(a.body), 64<<10)
			d.requireNothingStored(tc.file)
		})
	}
}

func TestAPIGoesOnWithAnImportThatWasNeverStarted(t *testing.T) {
	t.Parallel()
	away := openAPIDoor(t, awayRouter(t), nil)
	file := csvOf(t, "John")
	id := importID(away.hashes, []byte(file), 1)
	for range 2 {
		a := away.upload("text/csv", file)
		away.requireProblem(a, 503)
		require.Contains(t, a.body, "Send the same file again")
	}
	kept := answerOf[importAnswer](t, away.get("/v1/sales/import/"+id), http.StatusOK)
	require.Equal(t, "accepted", kept.Status)
	require.Equal(t, 1, kept.Counts.Waiting)

	back := openAPIDoor(t, NewRouter(RouterConfig{Client: testTemporal(t), Limit: 30 * time.Second}), func(a *APIConfig, _ *Config) { a.Imports = away.store })
	unstarted := answerOf[importAnswer](t, back.get("/v1/sales/import/"+id), http.StatusOK)
	require.Contains(t, unstarted.Note, "send the same file again")
	back.work()
	known := answerOf[importAnswer](t, back.upload("text/csv", file), http.StatusOK)
	require.Equal(t, "running", known.Status)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, back.describe(known.WorkflowID).Status)

	// A workflow that an operator terminated is begun again, too.
	require.NoError(t, back.temporal.TerminateWorkflow(t.Context(), known.WorkflowID, "", "test"))
	require.Equal(t, "running", answerOf[importAnswer](t, back.upload("text/csv", file), http.StatusOK).Status)
}

func TestAPIShowsAFinishedImport(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	file := csvOf(t, "John", "Ada")
	id := importID(d.hashes, []byte(file), 1)
	d.requireProblem(d.upload("text/csv", file), 503)
	require.NoError(t, d.store.FinishRow(t.Context(), id, store.ImportRow{Number: 2, State: store.RowCreated, PropertyID: "71", TransactionID: "u-71"}))
	require.NoError(t, d.store.FinishRow(t.Context(), id, store.ImportRow{Number: 3, State: store.RowRefused,
		Problems: []store.RowProblem{{Field: "phone_number", Message: "=Invalid phone number format"}}}))
	require.NoError(t, d.store.FinishImport(t.Context(), id))
	// All of it works without Temporal.
	known := answerOf[importAnswer](t, d.upload("text/csv", file), http.StatusOK)
	require.Equal(t, "finished", known.Status)
	require.Equal(t, ImportCounts{Created: 1, Refused: 1}, known.Counts)
	require.False(t, known.FinishedAt.IsZero())
	require.Nil(t, known.ETASeconds)
	require.Equal(t, known, answerOf[importAnswer](t, d.get(known.StatusURL), http.StatusOK))
	require.Equal(t, [][]string{
		{"row", "status", "property_id", "transaction_id", "problems"},
		{"2", "created", "71", "u-71", ""},
		{"3", "refused", "", "", "phone_number: =Invalid phone number format"},
	}, d.results(id))
}

func TestAPISaysWhyAnImportWaits(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, NewRouter(RouterConfig{Client: testTemporal(t), Limit: 30 * time.Second}), nil)
	d.workOn(stuckImport)
	accepted := answerOf[acceptedImport](t, d.upload("text/csv", csvOf(t, "John")), http.StatusAccepted)
	var shown importAnswer
	require.Eventually(t, func() bool {
		shown = answerOf[importAnswer](t, d.get(accepted.StatusURL), http.StatusOK)
		return strings.Contains(shown.Note, "next try")
	}, 30*time.Second, 50*time.Millisecond)
	require.Equal(t, "running", shown.Status)
	require.Regexp(t, `^OpenMoove refuses our key: check KEYHOLDER_OPENMOOVE_API_KEY; tried once, next try at `, shown.Note)
	require.Nil(t, shown.ETASeconds, "nobody knows when")
}

func TestAPIRunsAFileAgain(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, nil)
	file := csvOf(t, "John", "Ada")
	again := func() httpReply {
		t.Helper()
		return d.call(http.MethodPost, "/v1/sales/import?again=true", bearing("Content-Type", "text/csv"), strings.NewReader(file))
	}
	first := answerOf[acceptedImport](t, again(), http.StatusAccepted)
	require.Equal(t, importID(d.hashes, []byte(file), 1), first.ImportID, "the first run has the file's own id")
	require.Equal(t, first.ImportID, answerOf[importAnswer](t, again(), http.StatusOK).ImportID, "what runs is not begun again")

	require.NoError(t, d.store.FinishRow(t.Context(), first.ImportID, store.ImportRow{Number: 2, State: store.RowRefused}))
	require.NoError(t, d.store.FinishImport(t.Context(), first.ImportID))
	ended := answerOf[importAnswer](t, d.upload("text/csv", file), http.StatusOK)
	require.Equal(t, first.ImportID, ended.ImportID)
	require.Equal(t, "cancelled", ended.Status)
	require.Contains(t, ended.Message, "1 rows were cancelled and 1 refused. To try them again send the same file with ?again=true (keyholder import FILE --again)")

	second := answerOf[acceptedImport](t, again(), http.StatusAccepted)
	require.Equal(t, importID(d.hashes, []byte(file), 2), second.ImportID)
	require.NotEqual(t, first.ImportID, second.ImportID)
	require.Equal(t, 2, second.Valid)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, d.describe(second.WorkflowID).Status)
	for name, a := range map[string]httpReply{"again": again(), "without": d.upload("text/csv", file)} {
		require.Equal(t, second.ImportID, answerOf[importAnswer](t, a, http.StatusOK).ImportID, name)
	}
	for _, row := range []int{2, 3} {
		require.NoError(t, d.store.FinishRow(t.Context(), second.ImportID, store.ImportRow{Number: row, State: store.RowExisting, PropertyID: "7"}))
	}
	require.NoError(t, d.store.FinishImport(t.Context(), second.ImportID))
	done := answerOf[importAnswer](t, d.upload("text/csv", file), http.StatusOK)
	require.Equal(t, second.ImportID, done.ImportID)
	require.Empty(t, done.Message, "nothing is left to try")
	require.Equal(t, importID(d.hashes, []byte(file), 3), answerOf[acceptedImport](t, again(), http.StatusAccepted).ImportID)

	d.requireProblem(d.call(http.MethodPost, "/v1/sales/import?again=perhaps", bearing("Content-Type", "text/csv"), strings.NewReader(file)), 400)
}

func TestAPIConcurrentRunsAgainAreOneRun(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Imports = 8 })
	file := csvOf(t, "John")
	first := answerOf[acceptedImport](t, d.upload("text/csv", file), http.StatusAccepted)
	require.NoError(t, d.store.FinishImport(t.Context(), first.ImportID))
	counts := map[int]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			a, _ := d.try(http.MethodPost, "/v1/sales/import?again=true", bearing("Content-Type", "text/csv"), strings.NewReader(file))
			mu.Lock()
			defer mu.Unlock()
			counts[a.status]++
		})
	}
	all.Wait()
	require.Equal(t, map[int]int{202: 1, 200: 7}, counts)
}

func TestAPIKnowsNoOtherImport(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	for _, id := range []string{strings.Repeat("a", 24), "x", "..%2F..%2Fsale", strings.Repeat("a", 2000)} {
		path := "/v1/sales/import/" + id
		d.requireProblem(d.get(path), 404)
		d.requireProblem(d.get(path+"/results.csv"), 404)
		d.requireProblem(d.call(http.MethodPost, path+"/pause", bearing("Content-Type", "application/json"), strings.NewReader(`{"by":"pat","why":"x"}`)), 404)
	}
}

func TestAPIConcurrentUploadsAreOneImport(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Imports = 8 })
	file := csvOf(t, strings.Split(strings.Repeat("John,", 99)+"John", ",")...)
	counts, ids := map[int]int{}, map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			a, _ := d.try(http.MethodPost, "/v1/sales/import", bearing("Content-Type", "text/csv"), strings.NewReader(file))
			var answer importAnswer
			_ = json.Unmarshal([]byte(a.body), &answer)
			mu.Lock()
			defer mu.Unlock()
			counts[a.status]++
			ids[answer.ImportID] = true
		})
	}
	all.Wait()
	require.Equal(t, map[int]int{202: 1, 200: 7}, counts)
	require.Len(t, ids, 1)
	i, err := d.store.Import(t.Context(), importID(d.hashes, []byte(file), 1))
	require.NoError(t, err)
	require.Equal(t, map[store.RowState]int{store.RowWaiting: 100}, i.Counts)
}

func TestAPIResultsOfManyRows(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	for _, rows := range []int{resultsPage, resultsPage + 1, 2*resultsPage + 200} {
		file := csvOf(t, strings.Split(strings.Repeat("John,", rows-1)+"John", ",")...)
		d.requireProblem(d.upload("text/csv", file), 503)
		got := d.results(importID(d.hashes, []byte(file), 1))
		require.Len(t, got, rows+1)
		for i, row := range got[1:] {
			require.Equal(t, fmt.Sprint(i+2), row[0])
		}
	}
}

// leaky is the real store until it fails at a page.
type leaky struct {
	store.Imports
	failAfter int
}

func (l leaky) Rows(ctx context.Context, id string, after, limit int) ([]store.ImportRow, error) {
	if after >= l.failAfter {
		return nil, errors.New("the disk is gone")
	}
	return l.Imports.Rows(ctx, id, after, limit)
}

func TestAPIResultsThatBreakOffAreSeenToBreakOff(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.Imports = leaky{a.Imports, 1} })
	file := csvOf(t, strings.Split(strings.Repeat("John,", resultsPage)+"John", ",")...)
	d.requireProblem(d.upload("text/csv", file), 503)
	_, err := d.try(http.MethodGet, importPath(importID(d.hashes, []byte(file), 1))+"/results.csv", bearing(), nil)
	require.Error(t, err, "half of the rows must not look like all of them")

	gone := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.Imports = leaky{d.store, 0} })
	gone.requireProblem(gone.get(importPath(importID(d.hashes, []byte(file), 1))+"/results.csv"), 503)
}

func TestAPISaysWhenTheStoreIsAway(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	st, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/gone.db")
	require.NoError(t, err)
	require.NoError(t, st.Close())
	d.cfg.API.cfg.Imports = st
	d.requireProblem(d.upload("text/csv", csvOf(t, "John")), 503)
	a := d.get("/v1/sales/import/" + strings.Repeat("a", 24))
	d.requireProblem(a, 503)
	require.NotContains(t, a.body, "sql")
}
