package ingress

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
)

const (
	newKey = "the-newest-key-of-the-test"
	oldKey = "an-older-key-of-the-test"
)

// goOn ends the waiting of the workflows below.
var goOn = durable.Signal[string]{Name: "go_on"}

// createAsTold stands behind the door in place of the real sales.create: the first
// name of the seller tells how it ends.
func createAsTold(ctx workflow.Context, in sales.CreateInput) (sales.CreateResult, error) {
	now := sales.CreateDescription{State: sales.CreateQueued}
	if err := sales.DescribeCreate.Handle(ctx, func() (sales.CreateDescription, error) { return now, nil }); err != nil {
		return sales.CreateResult{}, err
	}
	refuse := func(kind, text string, details ...any) (sales.CreateResult, error) {
		now.State, now.Problem = sales.CreateRefused, text
		return sales.CreateResult{}, temporal.NewNonRetryableApplicationError(text, kind, nil, details...)
	}
	switch in.Sale.FirstName {
	case "Slow":
		if err := workflow.Await(ctx, func() bool { return goOn.Pending(ctx) }); err != nil {
			return sales.CreateResult{}, err
		}
		goOn.Drain(ctx)
	case "Stuck":
		// The last name is the kind of the failure.
		return sales.CreateResult{}, fail(ctx, in.Sale.LastName)
	case "Machine":
		return refuse("invalid", "openmoove.create_client: invalid (HTTP 400): Invalid phone number format",
			[]activities.FieldProblem{{Path: "phone_number", Message: "Invalid phone number format"}})
	case "Invalid":
		return refuse("invalid", "phone_number: Invalid phone number format",
			[]activities.FieldProblem{{Path: "phone_number", Message: "Invalid phone number format"}})
	case "Vague":
		return refuse("invalid", "", "no list of fields")
	case "Conflict":
		return refuse("conflict", "The postcode has another sale under way.")
	case "Broken":
		return sales.CreateResult{}, errors.New("a bug that quotes Jane Roe")
	}
	// A number of the run, so that two runs would show.
	run := fnv.New32a()
	_, _ = run.Write([]byte(workflow.GetInfo(ctx).WorkflowExecution.RunID))
	now.CreateResult = sales.CreateResult{
		PropertyID: fmt.Sprint(run.Sum32()), TransactionID: "3fa85f64-5717-4562-b3fc-2c963f66afa6", Existing: in.Sale.FirstName == "Found",
		Team: []activities.Assigned{{Role: "conveyancer", Email: "lawyer@lawfirm.example", ID: "c1", Reason: "area SW1A"}},
	}
	if in.Sale.Method != sales.StandardSale {
		now.MissingMilestones = []string{"Auction Exchange"}
	}
	now.State = sales.CreateDone
	return now.CreateResult, nil
}

// fail runs an activity that fails with this kind, again and again.
func fail(ctx workflow.Context, kind string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Hour},
	})
	return workflow.ExecuteActivity(ctx, "fail", kind).Get(ctx, nil)
}

// stuckImport stands in place of a sales.import that OpenMoove does not answer.
func stuckImport(ctx workflow.Context, _ sales.ImportInput) (sales.ImportProgress, error) {
	now := sales.ImportDescription{State: sales.ImportRunning, DoneBy: workflow.Now(ctx).Add(time.Hour)}
	if err := sales.DescribeImport.Handle(ctx, func() (sales.ImportDescription, error) { return now, nil }); err != nil {
		return sales.ImportProgress{}, err
	}
	return sales.ImportProgress{}, fail(ctx, "unauthorised")
}

// importAsTold stands in place of sales.import: it takes commands until it is
// cancelled.
func importAsTold(ctx workflow.Context, in sales.ImportInput) (sales.ImportProgress, error) {
	now := sales.ImportDescription{State: sales.ImportRunning, DoneBy: workflow.Now(ctx).Add(time.Hour), Note: "import " + in.ImportID}
	if err := sales.DescribeImport.Handle(ctx, func() (sales.ImportDescription, error) { return now, nil }); err != nil {
		return sales.ImportProgress{}, err
	}
	for _, c := range []struct {
		command durable.Update[sales.ImportCommand, sales.ImportDescription]
		from    []sales.ImportStage
		to      sales.ImportStage
	}{
		{sales.PauseImport, []sales.ImportStage{sales.ImportRunning}, sales.ImportPaused},
		{sales.ResumeImport, []sales.ImportStage{sales.ImportPaused}, sales.ImportRunning},
		{sales.CancelImport, []sales.ImportStage{sales.ImportRunning, sales.ImportPaused}, sales.ImportCancelled},
	} {
		err := c.command.Handle(ctx, func(workflow.Context, sales.ImportCommand) error {
			if !slices.Contains(c.from, now.State) {
				return fmt.Errorf("the import is %s: it cannot %s", now.State, c.command.Name)
			}
			return nil
		}, func(_ workflow.Context, in sales.ImportCommand) (sales.ImportDescription, error) {
			now.State, now.Note = c.to, in.By+": "+in.Why
			return now, nil
		})
		if err != nil {
			return sales.ImportProgress{}, err
		}
	}
	err := workflow.Await(ctx, func() bool { return now.State == sales.ImportCancelled && workflow.AllHandlersFinished(ctx) })
	return now.Progress, err
}

// apiDoor is a door with /v1, a real store and a real Temporal.
type apiDoor struct {
	*door
	contract *contract
	temporal client.Client
	store    store.Store
	hashes   store.Keys
	queue    string
}

type apiChange func(*APIConfig, *Config)

// openAPIDoor opens /v1 on a queue of the test's own, on which nobody works yet.
func openAPIDoor(t *testing.T, router *Router, change apiChange) *apiDoor {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "api.db")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	d := &apiDoor{contract: newContract(t), temporal: router.cfg.Client, store: st,
		hashes: store.NewKeys("secret of " + t.Name()), queue: "api-" + entity(t)}
	d.door = open(t, router, func(c *Config) {
		c.Registry = prometheus.NewRegistry()
		cfg := APIConfig{
			Keys: []string{newKey, oldKey}, Temporal: d.temporal, TaskQueue: d.queue, Hashes: d.hashes, Imports: d.store, Audit: d.store,
			FindSale: followed{}.find, MilestoneEvents: usualEvents, Report: someReport(t),
			Log: c.Log, Registerer: c.Registry, Limits: APILimits{PerSecond: 1e6, Burst: 1e6, Start: router.cfg.Limit, Describe: router.cfg.Limit},
		}
		if change != nil {
			change(&cfg, c)
		}
		c.API, err = NewAPI(cfg)
		require.NoError(t, err)
	})
	return d
}

// workingAPI is a door with a worker behind it. The limits are wide, so that a busy
// machine does not fail the tests.
func workingAPI(t *testing.T, change apiChange) *apiDoor {
	t.Helper()
	d := openAPIDoor(t, NewRouter(RouterConfig{Client: testTemporal(t), Limit: 30 * time.Second}), change)
	d.work()
	return d
}

func (d *apiDoor) work() {
	d.t.Helper()
	d.workOn(importAsTold)
}

// workOn starts a worker with a stand-in for sales.import.
func (d *apiDoor) workOn(imports func(workflow.Context, sales.ImportInput) (sales.ImportProgress, error)) {
	d.t.Helper()
	w := worker.New(d.temporal, d.queue, worker.Options{})
	w.RegisterWorkflowWithOptions(createAsTold, workflow.RegisterOptions{Name: sales.CreateName})
	w.RegisterActivityWithOptions(func(_ context.Context, kind string) error {
		return temporal.NewApplicationError("openmoove.create_client: a text that quotes Jane Roe", kind)
	}, activity.RegisterOptions{Name: "fail"})
	w.RegisterWorkflowWithOptions(imports, workflow.RegisterOptions{Name: sales.ImportName})
	require.NoError(d.t, w.Start())
	d.t.Cleanup(w.Stop)
}

// bearing are the headers of a request with the newest key and others.
func bearing(pairs ...string) http.Header {
	h := headers(pairs...)
	h.Set("Authorization", "Bearer "+newKey)
	return h
}

// call sends a request and holds the answer against the OpenAPI document.
func (d *apiDoor) call(method, path string, h http.Header, body io.Reader) httpReply {
	d.t.Helper()
	a := d.do(method, path, h, body)
	d.contract.requireAnswer(d.t, method, path, a)
	return a
}

// submit posts a sale that the document allows.
func (d *apiDoor) submit(sale string, pairs ...string) httpReply {
	d.t.Helper()
	h := bearing(append([]string{"Content-Type", "application/json"}, pairs...)...)
	d.contract.requireRequest(d.t, http.MethodPost, "/v1/sales", h, sale)
	return d.call(http.MethodPost, "/v1/sales", h, strings.NewReader(sale))
}

func (d *apiDoor) get(path string) httpReply {
	d.t.Helper()
	return d.call(http.MethodGet, path, bearing(), nil)
}

// history of a workflow's runs, newest last.
func (d *apiDoor) describe(workflowID string) *client.WorkflowExecutionDescription {
	d.t.Helper()
	found, err := d.temporal.DescribeWorkflow(d.t.Context(), workflowID, "")
	require.NoError(d.t, err)
	return found
}

func (d *apiDoor) letGo(workflowID string) {
	d.t.Helper()
	require.NoError(d.t, goOn.Send(d.t.Context(), d.temporal, workflowID, ""))
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	known := "/v1/sales/import/" + strings.Repeat("a", 24)
	for name, tc := range map[string]struct {
		path string
		h    http.Header
		want int
	}{
		"newest key":         {known, headers("Authorization", "Bearer "+newKey), 404},
		"older key":          {known, headers("Authorization", "Bearer "+oldKey), 404},
		"scheme in any case": {known, headers("Authorization", "bEARER "+newKey), 404},
		"none":               {known, nil, 401},
		"empty":              {known, headers("Authorization", ""), 401},
		"scheme alone":       {known, headers("Authorization", "Bearer"), 401},
		"empty key":          {known, headers("Authorization", "Bearer "), 401},
		"wrong":              {known, headers("Authorization", "Bearer "+strings.Repeat("x", len(newKey))), 401},
		"beginning of a key": {known, headers("Authorization", "Bearer "+newKey[:len(newKey)-1]), 401},
		"key and more":       {known, headers("Authorization", "Bearer "+newKey+"x"), 401},
		"another case":       {known, headers("Authorization", "Bearer "+strings.ToUpper(newKey)), 401},
		"both keys":          {known, headers("Authorization", "Bearer "+newKey+","+oldKey), 401},
		"two headers":        {known, headers("Authorization", "Bearer "+newKey, "Authorization", "Bearer "+newKey), 401},
		"basic":              {known, headers("Authorization", "Basic "+newKey), 401},
		"no scheme":          {known, headers("Authorization", newKey), 401},
		"in the query":       {known + "?api_key=" + newKey + "&access_token=" + newKey, nil, 401},
		"as partners do":     {known, headers("X-API-KEY", newKey), 401},
		"very long":          {known, headers("Authorization", "Bearer "+strings.Repeat("x", 8<<10)), 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &apiDoor{door: &door{Server: d.Server, t: t, url: d.url, log: d.log}, contract: d.contract}
			a := d.do(http.MethodGet, tc.path, tc.h, nil)
			d.requireProblem(a, tc.want)
			require.Equal(t, tc.want == 401, a.header.Get("WWW-Authenticate") != "")
			require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			require.NotContains(t, a.body, newKey)
		})
	}
}

func TestEveryAPIRouteWantsAKey(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	guarded := 0
	for _, r := range d.echo.Routes() {
		if !strings.HasPrefix(r.Path, "/v1/") || r.Path == "/v1/openapi.json" {
			continue
		}
		guarded++
		path := strings.NewReplacer(":request_id", strings.Repeat("a", 24), ":id", strings.Repeat("a", 24)).Replace(r.Path)
		d.requireProblem(d.call(r.Method, path, headers("Content-Type", "application/json"), strings.NewReader("{}")), 401)
	}
	require.Equal(t, 10, guarded)
	require.NotContains(t, d.log.String(), strings.Repeat("a", 24), "the log has routes, no paths")
}

func TestWithoutAKeyThereIsNoAPI(t *testing.T) {
	t.Parallel()
	d := open(t, awayRouter(t), nil)
	for _, path := range []string{"/v1/sales", "/v1/openapi.json", "/v1/reports/sales", "/v1/sales/import/" + strings.Repeat("a", 24)} {
		d.requireProblem(d.do(http.MethodGet, path, bearing(), nil), 404)
	}
	d.requireProblem(d.do(http.MethodPost, "/v1/sales", bearing("Content-Type", "application/json"), strings.NewReader("{}")), 404)
}

func TestNewAPIRefusesKeys(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		keys []string
		says string
	}{
		"none":           {nil, "no key"},
		"short":          {[]string{"fifteen-letters"}, "API key 1: it must have 16"},
		"spaces fill up": {[]string{"short           "}, "API key 1: it must have 16"},
		"an empty one":   {[]string{newKey, ""}, "API key 2: it must have 16"},
		"a space inside": {[]string{"sixteen letters with spaces"}, "visible ASCII"},
		"not ASCII":      {[]string{"schlüsselschlüssel"}, "visible ASCII"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewAPI(APIConfig{Keys: tc.keys})
			require.ErrorContains(t, err, tc.says)
			for _, key := range tc.keys {
				if key != "" {
					require.NotContains(t, err.Error(), key)
				}
			}
		})
	}
	_, err := NewAPI(APIConfig{Keys: []string{"sixteen-letters!", " padded-and-long-enough\n"}})
	require.NoError(t, err)
}

func TestAPILimitsTheRateOfEachKey(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.Limits.PerSecond, a.Limits.Burst = 0.001, 2 })
	path := "/v1/sales/import/" + strings.Repeat("a", 24)
	for range 5 {
		d.requireProblem(d.call(http.MethodGet, path, headers("Authorization", "Bearer "+strings.Repeat("x", 20)), nil), 401)
	}
	d.requireProblem(d.get(path), 404)
	d.requireProblem(d.get(path), 404)
	d.requireProblem(d.get(path), 429)
	d.requireProblem(d.call(http.MethodGet, path, headers("Authorization", "Bearer "+oldKey), nil), 404)
	require.Equal(t, http.StatusOK, d.do(http.MethodGet, "/v1/openapi.json", nil, nil).status)
	require.Equal(t, "1", d.apiMetric("GET /v1/sales/import/:id", "rate_limited", 429))
}

// apiMetric is how often a route was answered so.
func (d *apiDoor) apiMetric(route, reason string, code int) string {
	d.t.Helper()
	return d.metric(fmt.Sprintf("keyholder_ingress_api_requests_total{code=%q,reason=%q,route=%q}", fmt.Sprint(code), reason, route))
}

func TestAPIBodies(t *testing.T) {
	t.Parallel()
	// Temporal is away: a body that passes everything is answered 503.
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.Limits.ImportBytes = 1 << 20 })
	good := saleOf(t, "John")
	const limit = 64 << 10
	exact := good + strings.Repeat(" ", limit-len(good))
	csvLimit := csvOf(t, "John") + strings.Repeat("\n", 1<<20-len(csvOf(t, "John")))
	chunked := func(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) }
	plain := []string{"Content-Type", "application/json"}
	for name, tc := range map[string]struct {
		path    string
		headers []string
		body    io.Reader
		want    int
	}{
		"fine":                     {"/v1/sales", plain, strings.NewReader(good), 503},
		"at the limit":             {"/v1/sales", plain, strings.NewReader(exact), 503},
		"chunked, at the limit":    {"/v1/sales", plain, chunked(exact), 503},
		"one byte more":            {"/v1/sales", plain, strings.NewReader(exact + " "), 413},
		"chunked, one byte more":   {"/v1/sales", plain, chunked(exact + " "), 413},
		"endless":                  {"/v1/sales", plain, io.LimitReader(zeros{}, 1<<30), 413},
		"no type":                  {"/v1/sales", nil, strings.NewReader(good), 415},
		"text":                     {"/v1/sales", []string{"Content-Type", "text/plain"}, strings.NewReader(good), 415},
		"CSV as a sale":            {"/v1/sales", []string{"Content-Type", "text/csv"}, strings.NewReader(good), 415},
		"form":                     {"/v1/sales", []string{"Content-Type", "application/x-www-form-urlencoded"}, strings.NewReader(good), 415},
		"two types":                {"/v1/sales", append([]string{"Content-Type", "text/csv"}, plain...), strings.NewReader(good), 415},
		"another charset":          {"/v1/sales", []string{"Content-Type", "application/json; charset=latin1"}, strings.NewReader(good), 415},
		"compressed":               {"/v1/sales", append([]string{"Content-Encoding", "gzip"}, plain...), strings.NewReader(good), 415},
		"charset named":            {"/v1/sales", []string{"Content-Type", "application/json; charset=UTF-8"}, strings.NewReader(good), 503},
		"not JSON":                 {"/v1/sales", plain, strings.NewReader(good[1:]), 400},
		"cut JSON":                 {"/v1/sales", plain, strings.NewReader(good[:len(good)-1]), 400},
		"two values":               {"/v1/sales", plain, strings.NewReader(good + good), 400},
		"nothing":                  {"/v1/sales", plain, nil, 400},
		"not UTF-8":                {"/v1/sales", plain, strings.NewReader(strings.Replace(good, "Smith", "Sm\xefth", 1)), 400},
		"very deep":                {"/v1/sales", plain, strings.NewReader(strings.Repeat("[", limit)), 400},
		"an array":                 {"/v1/sales", plain, strings.NewReader("[" + good + "]"), 422},
		"null":                     {"/v1/sales", plain, strings.NewReader("null"), 422},
		"a field twice":            {"/v1/sales", plain, strings.NewReader(strings.Replace(good, "{", `{"last_name":"Roe",`, 1)), 422},
		"import as text":           {"/v1/sales/import", []string{"Content-Type", "text/plain"}, strings.NewReader(good), 415},
		"import as a form":         {"/v1/sales/import", []string{"Content-Type", "multipart/form-data; boundary=x"}, strings.NewReader(good), 415},
		"import as UTF-16":         {"/v1/sales/import", []string{"Content-Type", "text/csv; charset=utf-16"}, strings.NewReader(good), 415},
		"import, chunked, large":   {"/v1/sales/import", []string{"Content-Type", "text/csv"}, chunked(csvLimit + "\n"), 413},
		"import, endless":          {"/v1/sales/import", []string{"Content-Type", "text/csv"}, io.LimitReader(zeros{}, 1<<30), 413},
		"import, larger than said": {"/v1/sales/import", plain, strings.NewReader(csvLimit + "\n"), 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &apiDoor{door: &door{Server: d.Server, t: t, url: d.url, log: d.log}, contract: d.contract}
			a := d.call(http.MethodPost, tc.path, bearing(tc.headers...), tc.body)
			d.requireProblem(a, tc.want)
			require.NotContains(t, a.body, "Smith")
		})
	}
	a := d.call(http.MethodPost, "/v1/sales/import", bearing("Content-Type", "text/csv"), strings.NewReader(csvLimit))
	d.requireProblem(a, 503)
}

// slowly begins a request of which the body never comes.
func (d *apiDoor) slowly(path, media string) slow {
	d.t.Helper()
	conn := d.dial()
	conn.write("POST " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + newKey +
		"\r\nContent-Type: " + media + "\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n")
	require.Equal(d.t, http.StatusContinue, conn.status(), "the server begins to read the body")
	conn.write("{")
	return conn
}

func TestAPISlowBodies(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, c *Config) {
		c.Limits.Read, a.Limits.Upload = 300*time.Millisecond, 600*time.Millisecond
	})
	sale, file := d.slowly("/v1/sales", "application/json"), d.slowly("/v1/sales/import", "text/csv")
	began := time.Now()
	require.Equal(t, http.StatusRequestTimeout, sale.status())
	require.Equal(t, http.StatusRequestTimeout, file.status())
	require.Greater(t, time.Since(began), 400*time.Millisecond, "a file has more time than other bodies")
}

func TestAPILimitsBodiesInFlight(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), func(a *APIConfig, _ *Config) { a.Limits.Sales = 1 })
	d.slowly("/v1/sales", "application/json")
	d.requireProblem(d.submit(saleOf(t, "John")), 429)
	for range 2 {
		d.slowly("/v1/sales/import", "text/csv")
	}
	d.requireProblem(d.call(http.MethodPost, "/v1/sales/import", bearing("Content-Type", "text/csv"), strings.NewReader("x")), 429)
	d.requireProblem(d.post(created(t, "1")), 503)
}

func TestAPISaysWhenTemporalIsAway(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	a := d.submit(saleOf(t, "John"), "Prefer", "wait=30")
	d.requireProblem(a, 503)
	require.Empty(t, a.header.Get("Location"))
	d.requireProblem(d.get("/v1/sales/"+strings.Repeat("a", 24)), 503)
	require.NotContains(t, d.log.String(), "Smith")
	require.Equal(t, "1", d.apiMetric("POST /v1/sales", "not_confirmed", 503))
}

// saleOf is a sale that no other test submits.
func saleOf(t *testing.T, firstName string) string {
	return fmt.Sprintf(`{"first_name":%q,"last_name":"Smith","email":"john.smith@example.com","phone_number":"07700 900123",`+
		`"property_address":"%s High Street","property_postcode":"sw1a1aa"}`, firstName, entity(t))
}

// csvOf is a file with one row for each name.
func csvOf(t *testing.T, firstNames ...string) string {
	var b strings.Builder
	b.WriteString("first_name,last_name,email,phone_number,property_address,property_postcode\n")
	for i, name := range firstNames {
		fmt.Fprintf(&b, "%s,Smith,john.smith@example.com,07700 900123,\"%d High Street, %s\",SW1A 1AA\n", name, i+1, entity(t))
	}
	return b.String()
}

// background outlives the test's own context, for what runs beside it.
func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
