package ingress

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/sales"
)

// answeredSale reads the answer about a sale.
func answeredSale(t *testing.T, a httpReply, status int) saleAnswer {
	t.Helper()
	require.Equal(t, status, a.status, a.body)
	var s saleAnswer
	require.NoError(t, json.Unmarshal([]byte(a.body), &s))
	require.Equal(t, "sale-request/"+s.RequestID, s.WorkflowID)
	return s
}

func TestAPICreatesASaleOnce(t *testing.T) {
	t.Parallel()
	clock := durable.DayClock(time.Now(), time.Minute)
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Clock, a.Limits.Wait = clock, 30*time.Second })
	sale := saleOf(t, "John")
	a := d.submit(sale)
	first := answeredSale(t, a, http.StatusCreated)
	require.Equal(t, "created", first.Status)
	require.Equal(t, d.hashes.SaleRequest(entity(t)+" High Street", "SW1A 1AA", "john.smith@example.com"), first.RequestID)
	require.NotEmpty(t, first.PropertyID)
	require.NotEmpty(t, first.TransactionID)
	require.Equal(t, []saleMember{{Role: "conveyancer", Email: "lawyer@lawfirm.example", Reason: "area SW1A"}}, *first.Team)
	require.Contains(t, a.body, `"missing_milestones":[]`)
	require.Equal(t, "/v1/sales/"+first.RequestID, a.header.Get("Location"))
	require.Empty(t, a.header.Get("Preference-Applied"))

	for name, again := range map[string]string{
		"word for word":     sale,
		"otherwise written": strings.NewReplacer("sw1a1aa", "SW1A 1AA", " High", ",  HIGH", "@example.com", "@EXAMPLE.com").Replace(sale),
		"by another name":   strings.Replace(sale, "John", "Ada", 1),
	} {
		second := answeredSale(t, d.submit(again, "Prefer", "respond-async"), http.StatusOK)
		require.Equal(t, "existing", second.Status, name)
		require.Equal(t, first.PropertyID, second.PropertyID, name)
		require.Equal(t, first.Team, second.Team, name)
		require.Equal(t, saidUnchanged, second.Message, name)
	}
	shown := answeredSale(t, d.get(a.header.Get("Location")), http.StatusOK)
	require.Equal(t, first, shown)

	d.requireStart(first.WorkflowID, clock)
	require.Equal(t, "1", d.apiMetric("POST /v1/sales", "created", 201))
	require.Equal(t, "3", d.apiMetric("POST /v1/sales", "existing", 200))
	require.Equal(t, "4", d.metric(`keyholder_ingress_api_seconds_count{route="POST /v1/sales"}`))
	require.Contains(t, d.log.String(), `"route":"/v1/sales","status":201`)
	for _, secret := range []string{"Smith", "smith@example", "High Street", "900123", newKey, "lawyer@"} {
		require.NotContains(t, d.log.String(), secret)
	}
}

// firstEvent is the start of a workflow.
func (d *apiDoor) firstEvent(workflowID string) *historypb.HistoryEvent {
	d.t.Helper()
	events := d.temporal.GetWorkflowHistory(d.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	require.True(d.t, events.HasNext())
	event, err := events.Next()
	require.NoError(d.t, err)
	return event
}

// requireStart looks at how the workflow was begun.
func (d *apiDoor) requireStart(workflowID string, clock durable.Clock) {
	d.t.Helper()
	event := d.firstEvent(workflowID)
	started := event.GetWorkflowExecutionStartedEventAttributes()
	require.Equal(d.t, sales.CreateName, started.GetWorkflowType().GetName())
	require.EqualValues(d.t, 3, started.GetPriority().GetPriorityKey())
	var in sales.CreateInput
	require.NoError(d.t, converter.GetDefaultDataConverter().FromPayloads(started.GetInput(), &in))
	require.Equal(d.t, "sale-request/"+in.RequestID, workflowID)
	require.InEpsilon(d.t, clock.Scale, in.Clock.Scale, 1e-9)
	require.True(d.t, clock.Epoch.Equal(in.Clock.Epoch))
	require.Equal(d.t, "+447700900123", in.Sale.Phone)
	require.Equal(d.t, "SW1A 1AA", in.Sale.Postcode)
	require.Equal(d.t, sales.StandardSale, in.Sale.Method)
	var summary string
	require.NoError(d.t, converter.GetDefaultDataConverter().FromPayload(event.GetUserMetadata().GetSummary(), &summary))
	require.Equal(d.t, "create sale", summary)
}

func TestAPIFindsASaleAtOpenMoove(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Wait = 30 * time.Second })
	found := answeredSale(t, d.submit(saleOf(t, "Found")), http.StatusOK)
	require.Equal(t, "existing", found.Status)
	require.Empty(t, found.Message, "this was the first submission")
}

func TestAPITellsMissingMilestones(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Wait = 30 * time.Second })
	auction := strings.Replace(saleOf(t, "John"), "{", `{"sale_method":"modern_auction",`, 1)
	made := answeredSale(t, d.submit(auction), http.StatusCreated)
	require.Equal(t, []string{"Auction Exchange"}, *made.MissingMilestones)
}

func TestAPIQueuesASaleAndLetsOthersAttach(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, nil)
	sale := saleOf(t, "Slow")
	a := d.submit(sale, "Prefer", "respond-async")
	queued := answeredSale(t, a, http.StatusAccepted)
	require.Equal(t, "queued", queued.Status)
	require.Equal(t, saidQueued, queued.Message)
	require.Equal(t, "respond-async", a.header.Get("Preference-Applied"))
	require.Equal(t, "/v1/sales/"+queued.RequestID, a.header.Get("Location"))
	require.NotContains(t, a.body, "team")

	began := time.Now()
	a = d.submit(sale, "Prefer", "handling=lenient, wait=1")
	require.Equal(t, saidUnchanged+" "+saidQueued, answeredSale(t, a, http.StatusAccepted).Message)
	require.Equal(t, "wait=1", a.header.Get("Preference-Applied"))
	require.GreaterOrEqual(t, time.Since(began), time.Second)
	require.Equal(t, "queued", answeredSale(t, d.get("/v1/sales/"+queued.RequestID), http.StatusOK).Status)

	attached := make(chan httpReply, 1)
	go func() {
		a, _ := d.try(http.MethodPost, "/v1/sales", bearing("Content-Type", "application/json", "Prefer", "wait=30"), strings.NewReader(sale))
		attached <- a
	}()
	require.Eventually(t, func() bool { return len(d.cfg.API.waiting) == 1 }, 20*time.Second, 10*time.Millisecond)
	d.letGo(queued.WorkflowID)
	made := answeredSale(t, <-attached, http.StatusCreated)
	require.NotEmpty(t, made.PropertyID)
	require.Equal(t, saidUnchanged, made.Message, "it began with another submission")
	require.Equal(t, made.PropertyID, answeredSale(t, d.submit(sale), http.StatusOK).PropertyID)
}

func TestAPIWaitsBeyondTheDeadlinesOfOtherRequests(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(_ *APIConfig, c *Config) {
		c.Limits.Read, c.Limits.Write = 300*time.Millisecond, 300*time.Millisecond
	})
	began := time.Now()
	answeredSale(t, d.submit(saleOf(t, "Slow"), "Prefer", "wait=2"), http.StatusAccepted)
	require.GreaterOrEqual(t, time.Since(began), 2*time.Second)
}

func TestAPIWaitersAreLimitedAndHoldUpNobody(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, c *Config) {
		a.Limits.Waiting, a.Limits.Sales, a.Limits.Wait = 1, 1, 30*time.Second
		c.Sources[0].InFlight = 1
	})
	slow := saleOf(t, "Slow")
	first := make(chan httpReply, 1)
	go func() {
		a, _ := d.try(http.MethodPost, "/v1/sales", bearing("Content-Type", "application/json"), strings.NewReader(slow))
		first <- a
	}()
	require.Eventually(t, func() bool { return len(d.cfg.API.waiting) == 1 }, 20*time.Second, 10*time.Millisecond)
	began := time.Now()
	queued := answeredSale(t, d.submit(slow), http.StatusAccepted)
	require.Less(t, time.Since(began), 20*time.Second, "no place to wait is no reason to wait")
	d.requireProblem(d.do(http.MethodPost, "/webhooks/rentvine", signed("x"), strings.NewReader("y")), 401)
	d.letGo(queued.WorkflowID)
	answeredSale(t, <-first, http.StatusCreated)
}

func TestAPIGoesOnWhenTheCallerHangsUp(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, nil)
	sale := saleOf(t, "Slow")
	conn := d.dial()
	conn.write("POST /v1/sales HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + newKey + "\r\nContent-Type: application/json\r\nPrefer: wait=30\r\n" +
		"Content-Length: " + strconv.Itoa(len(sale)) + "\r\n\r\n" + sale)
	require.Eventually(t, func() bool { return len(d.cfg.API.waiting) == 1 }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return len(d.cfg.API.waiting) == 0 }, 20*time.Second, 10*time.Millisecond, "nobody waits for nobody")
	queued := answeredSale(t, d.submit(sale, "Prefer", "wait=0"), http.StatusAccepted)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, d.describe(queued.WorkflowID).Status)
}

func TestAPITellsWhyASaleFailed(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Wait = 30 * time.Second })
	for name, tc := range map[string]struct {
		first  string
		want   int
		detail string
		fields []FieldError
	}{
		"invalid":               {"Invalid", 422, "phone_number: Invalid phone number format", []FieldError{{Path: "phone_number", Message: "Invalid phone number format"}}},
		"invalid for machines":  {"Machine", 422, "Invalid phone number format", []FieldError{{Path: "phone_number", Message: "Invalid phone number format"}}},
		"invalid without words": {"Vague", 422, "OpenMoove does not take this sale. Correct it and submit it again.", nil},
		"conflict":              {"Conflict", 409, "The postcode has another sale under way.", nil},
		"any other":             {"Broken", 502, "The creation ended without a property; its workflow says why. Submit the sale again to begin anew.", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &apiDoor{door: &door{Server: d.Server, t: t, url: d.url, log: d.log}, contract: d.contract}
			sale := saleOf(t, tc.first)
			a := d.submit(sale)
			d.requireProblem(a, tc.want)
			var p Problem
			require.NoError(t, json.Unmarshal([]byte(a.body), &p))
			require.Equal(t, tc.detail, p.Detail)
			require.Equal(t, tc.fields, p.Errors)
			require.Empty(t, a.header.Get("Location"))
			made := answeredSale(t, d.submit(strings.Replace(sale, tc.first, "John", 1)), http.StatusCreated)
			require.Equal(t, "created", made.Status, "what failed can be corrected and begun anew")
		})
	}
}

func TestAPIShowsARefusedSale(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Wait = 30 * time.Second })
	d.requireProblem(d.submit(saleOf(t, "Conflict")), 409)
	id := d.hashes.SaleRequest(entity(t)+" High Street", "SW1A 1AA", "john.smith@example.com")
	shown := answeredSale(t, d.get("/v1/sales/"+id), http.StatusOK)
	require.Equal(t, "refused", shown.Status)
	require.Equal(t, "The postcode has another sale under way.", shown.Message)
}

func TestAPIShowsTheFieldsOfARefusedSale(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Wait = 30 * time.Second })
	d.requireProblem(d.submit(saleOf(t, "Machine")), 422)
	id := d.hashes.SaleRequest(entity(t)+" High Street", "SW1A 1AA", "john.smith@example.com")
	shown := answeredSale(t, d.get("/v1/sales/"+id), http.StatusOK)
	require.Equal(t, "Invalid phone number format", shown.Message)
	require.Equal(t, []FieldError{{Path: "phone_number", Message: "Invalid phone number format"}}, shown.Errors)
}

func TestRefusalText(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"openmoove.create_client: invalid (HTTP 400): a: b":        "a: b",
		"openmoove.create_client: invalid (HTTP 400) [E12]: wrong": "wrong",
		"openmoove.create_sale: invalid: no auctioneer is left":    "no auctioneer is left",
		"openmoove.create_client: invalid (HTTP 400)":              "",
		"phone_number: Invalid phone number format":                "phone_number: Invalid phone number format",
		"OpenMoove refuses the phone: it is too short":             "OpenMoove refuses the phone: it is too short",
		"": "",
	} {
		require.Equal(t, want, refusalText(message), message)
	}
}

func TestAPISaysWhyASaleWaits(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, nil)
	for kind, want := range map[string]string{
		"unavailable":     "OpenMoove is away",
		"unknown_outcome": "OpenMoove broke off without an answer",
		"unauthorised":    "OpenMoove refuses our key: check KEYHOLDER_OPENMOOVE_API_KEY",
		"forbidden":       "OpenMoove does not allow our key to do this",
		"rate_limited":    "The key's calls are used up for now",
		"malformed":       "OpenMoove's answer cannot be read",
		"another":         "It could not be done so far",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			d := &apiDoor{door: &door{Server: d.Server, t: t, url: d.url, log: d.log}, contract: d.contract}
			queued := answeredSale(t, d.submit(strings.Replace(saleOf(t, "Stuck"), "Smith", kind, 1), "Prefer", "wait=0"), http.StatusAccepted)
			var shown saleAnswer
			require.Eventually(t, func() bool {
				shown = answeredSale(t, d.get("/v1/sales/"+queued.RequestID), http.StatusOK)
				return shown.Message != ""
			}, 30*time.Second, 50*time.Millisecond)
			require.Equal(t, "queued", shown.Status)
			require.Regexp(t, "^"+want+`.*; tried once, next try at 20\d\d-[-:T0-9]+Z\.$`, shown.Message)
			require.NotContains(t, shown.Message, "Jane")
		})
	}
}

func TestWaitingForCountsTheTries(t *testing.T) {
	t.Parallel()
	pending := &workflowpb.PendingActivityInfo{Attempt: 4, LastFailure: &failurepb.Failure{
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "unavailable"}},
	}}
	require.Equal(t, "OpenMoove is away; tried 3 times, and tried again now.", waitingFor(pending))
}

func TestAPIKnowsNoOtherSale(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, nil)
	for _, id := range []string{strings.Repeat("a", 24), "x", strings.Repeat("A", 24), "..%2Fwork-order%2F1", strings.Repeat("a", 2000)} {
		d.requireProblem(d.call(http.MethodGet, "/v1/sales/"+id, bearing(), nil), 404)
	}
}

func TestAPISaysWhenNoWorkerAnswers(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, NewRouter(RouterConfig{Client: testTemporal(t), Limit: 30 * time.Second}), func(a *APIConfig, _ *Config) {
		a.Limits.Describe = time.Second
	})
	queued := answeredSale(t, d.submit(saleOf(t, "John"), "Prefer", "wait=0"), http.StatusAccepted)
	began := time.Now()
	d.requireProblem(d.get("/v1/sales/"+queued.RequestID), 503)
	require.Less(t, time.Since(began), 20*time.Second)
	d.work()
	// It was recorded, so that the worker may be done with it before it is asked again.
	a := d.submit(saleOf(t, "John"), "Prefer", "wait=30")
	require.Contains(t, []int{http.StatusCreated, http.StatusOK}, a.status, a.body)
	require.NotEmpty(t, answeredSale(t, a, a.status).PropertyID)
}

func TestAPIConcurrentSubmissionsAreOneSale(t *testing.T) {
	t.Parallel()
	d := workingAPI(t, func(a *APIConfig, _ *Config) { a.Limits.Wait = 30 * time.Second })
	sale := saleOf(t, "John")
	const times = 30
	answers := make([]httpReply, times)
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() {
			answers[i], _ = d.try(http.MethodPost, "/v1/sales", bearing("Content-Type", "application/json"), strings.NewReader(sale))
		})
	}
	all.Wait()
	properties, workflowID := map[string]int{}, ""
	for _, a := range answers {
		require.Contains(t, []int{200, 201}, a.status, a.body)
		s := answeredSale(t, a, a.status)
		properties[s.PropertyID]++
		workflowID = s.WorkflowID
	}
	require.Len(t, properties, 1, "one run, one property")
	require.Eventually(t, func() bool {
		counted, err := d.temporal.CountWorkflow(background(t), &workflowservice.CountWorkflowExecutionsRequest{Query: "WorkflowId = '" + workflowID + "'"})
		return err == nil && counted.GetCount() == 1
	}, 20*time.Second, 100*time.Millisecond)
}

func TestAPINamesAllFieldsAtOnce(t *testing.T) {
	t.Parallel()
	d := openAPIDoor(t, awayRouter(t), nil)
	const sent = `{"first_name":"","email":"jane roe at home","phone_number":1234567,"property_address":"Secret Lane 1",` +
		`"property_postcode":"NOWHERE","sale_method":"raffle","products":["Not A Slug"],"zip":"X"}`
	a := d.call(http.MethodPost, "/v1/sales", bearing("Content-Type", "application/json"), strings.NewReader(sent))
	d.requireProblem(a, 422)
	var p Problem
	require.NoError(t, json.Unmarshal([]byte(a.body), &p))
	var paths []string
	for _, e := range p.Errors {
		require.NotEmpty(t, e.Message)
		paths = append(paths, e.Path)
	}
	require.ElementsMatch(t, []string{"first_name", "last_name", "email", "phone_number", "property_postcode", "sale_method", "products[0]", "zip"}, paths)
	for _, value := range []string{"jane", "1234567", "Secret", "NOWHERE", "raffle", "Slug\""} {
		require.NotContains(t, a.body, value)
		require.NotContains(t, d.log.String(), value)
	}
}

func TestPreferredWait(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]struct {
		wait    time.Duration
		applied string
	}{
		"":                                 {5 * time.Second, ""},
		"return=minimal":                   {5 * time.Second, ""},
		"wait=10":                          {10 * time.Second, "wait=10"},
		"wait=0":                           {0, "wait=0"},
		"wait=30":                          {30 * time.Second, "wait=30"},
		"wait=31":                          {30 * time.Second, "wait=30"},
		"wait=2147483647":                  {30 * time.Second, "wait=30"},
		"wait=99999999999999999999":        {5 * time.Second, ""},
		"wait=-1":                          {5 * time.Second, ""},
		"wait=1.5":                         {5 * time.Second, ""},
		"wait":                             {5 * time.Second, ""},
		`Wait = "7"`:                       {7 * time.Second, "wait=7"},
		"wait=3, wait=9":                   {3 * time.Second, "wait=3"},
		"respond-async":                    {0, "respond-async"},
		"Respond-Async; x=y":               {0, "respond-async"},
		"respond-async, wait=10":           {10 * time.Second, "respond-async, wait=10"},
		"return=minimal, wait=4;foo=\"1\"": {4 * time.Second, "wait=4"},
	} {
		wait, applied := preferredWait(headers("Prefer", sent), 5*time.Second)
		require.Equal(t, want.wait, wait, sent)
		require.Equal(t, want.applied, applied, sent)
	}
	wait, applied := preferredWait(headers("Prefer", "return=minimal", "Prefer", "wait=2"), 5*time.Second)
	require.Equal(t, 2*time.Second, wait)
	require.Equal(t, "wait=2", applied)
}
