package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
)

const (
	partners = "/openmoove/api/v1/partners"
	older    = "/openmoove/api/partners"
	sales    = "/_records/openmoove/properties"
)

// sell creates a sale by the API and returns its id.
func (r *rig) sell(address string) int {
	r.t.Helper()
	var made struct {
		ID int `json:"property_id"`
	}
	require.Equal(r.t, http.StatusCreated, r.call(http.MethodPost, partners+"/clients/", saleBody(address), &made))
	require.NotZero(r.t, made.ID)
	return made.ID
}

func saleBody(address string) string {
	return `{"first_name":"Jane","last_name":"Doe","email":"jane@example.com","phone_number":"+447700900123","property_postcode":"LS1 5HD",` +
		`"estate_agent_email":"agent@oakfield.example.com","conveyancer_email":"sam.lee@fielding.example.com","property_address":"` + address + `"}`
}

func (r *rig) sale() event {
	r.t.Helper()
	return next(r.t, r.sales)
}

func TestOpenMooveIsAtBothBases(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.sell("4 Park Row")
	require.Greater(t, id, 1_000_000, "not the number of a property of another life")
	require.Equal(t, "property.created", r.sale().body["event"])
	detail := fmt.Sprintf("/properties/%d/detail/", id)
	require.JSONEq(t, r.body(partners+detail), r.body(older+detail))
	res, err := r.do(http.MethodGet, older+"/properties/?page_size=2", "")
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, "100", res.Header.Get("X-RateLimit-Limit"))
	require.Equal(t, "96", res.Header.Get("X-RateLimit-Remaining"), "one key, one limit")
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(raw), `"next":"`+r.base+older+`/properties/?page=2\u0026page_size=2"`)

	var page struct{ Results []map[string]any }
	require.Equal(t, 200, r.call(http.MethodGet, partners+"/properties", "", &page), "the client follows the redirect to the slash")
	require.Len(t, page.Results, 4)
}

func TestOpenMoovesCallsAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sandbox.Config) { c.OpenMooveLimits, c.OpenMooveKey = "2/1h", "om_dev" })
	r.sell("4 Park Row")
	require.Equal(t, 400, r.call(http.MethodPost, partners+"/clients/", `{}`, nil))
	require.Equal(t, 429, r.call(http.MethodPost, partners+"/clients/", saleBody("5 Park Row"), nil))
	require.Equal(t, 429, r.call(http.MethodGet, partners+"/products/", "", nil))
	var calls []sandbox.Call
	require.Equal(t, 200, r.call(http.MethodGet, "/_calls?partner=openmoove", "", &calls))
	require.Len(t, calls, 4)
	require.Equal(t, []int{201, 400, 429, 429}, []int{calls[0].Status, calls[1].Status, calls[2].Status, calls[3].Status})
	require.Equal(t, partners+"/clients/", calls[0].Path)
	require.JSONEq(t, `{"openmoove":{"201":1,"400":1,"429":2}}`, r.body("/_calls/statuses"))
}

func TestOpenMoovesLimitsAreChecked(t *testing.T) {
	t.Parallel()
	_, err := sandbox.New(sandbox.Config{
		IngressURL: "http://127.0.0.1", RentVineWebhookSecret: "s", TwilioAuthToken: "t", TwilioAccountSID: "a", TwilioNumber: ours,
		RentVineKey: "k", RentVineSecret: "s", OpenMooveLimits: "many",
	})
	require.ErrorContains(t, err, "OpenMooveLimits")
}

func TestAnInvitationIsAcceptedByHand(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, time.March, 1, 12, 0, 0, 0, time.UTC)
	r := newRig(t, func(c *sandbox.Config) { c.BusinessNow = func() time.Time { return now } })
	id := r.sell("4 Park Row")
	r.sale()
	path := fmt.Sprintf("%s/%d", sales, id)
	require.Contains(t, r.body(fmt.Sprintf("%s/properties/%d/detail/", partners, id)), `"invited_at":"2031-03-01T12:00:00Z"`)
	require.Equal(t, 404, r.call(http.MethodPost, path+"/accept", `{"role":"auctioneer"}`, nil))
	require.Equal(t, 404, r.call(http.MethodPost, sales+"/77/accept", `{"role":"conveyancer"}`, nil))
	require.Equal(t, 400, r.call(http.MethodPost, path+"/accept", `{"rôle":"conveyancer"}`, nil))
	var p struct {
		Team []struct {
			Role   string
			Active bool
		}
	}
	require.Equal(t, 200, r.call(http.MethodPost, path+"/accept", `{"role":"conveyancer"}`, &p))
	require.True(t, p.Team[1].Active)
	e := r.sale()
	require.Equal(t, "property.updated", e.body["event"])
	require.EqualValues(t, id, e.body["data"].(map[string]any)["property_id"])
}

func TestMilestonesAreChangedByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	milestone := sales + "/1/milestones/13"
	due := func() any {
		var list []map[string]any
		require.Equal(t, 200, r.call(http.MethodGet, partners+"/properties/1/milestones/", "", &list))
		return list[2]["due_date"]
	}
	require.Equal(t, 200, r.call(http.MethodPut, milestone, `{"due_date":"2032-05-06"}`, nil))
	require.Equal(t, "property.milestone.updated", r.sale().body["event"])
	require.Equal(t, "2032-05-06T23:59:59Z", due(), "a day ends as OpenMoove's due dates do")
	require.Equal(t, 200, r.call(http.MethodPut, milestone, `{"due_date":"2032-05-06T10:00:00+01:00"}`, nil))
	require.Equal(t, "property.milestone.updated", r.sale().body["event"])
	require.Equal(t, "2032-05-06T09:00:00Z", due())
	require.Equal(t, 200, r.call(http.MethodPut, milestone, `{"completed":true}`, nil))
	told := []any{r.sale().body["event"], r.sale().body["event"]}
	require.ElementsMatch(t, []any{"property.milestone.updated", "property.milestone.completed"}, told)
	require.Equal(t, "2032-05-06T09:00:00Z", due(), "what the body does not name stays")
	require.Equal(t, 200, r.call(http.MethodPut, milestone, `{"completed":false,"due_date":null}`, nil))
	require.Equal(t, "property.milestone.updated", r.sale().body["event"])
	require.Nil(t, due())
	for _, bad := range []string{`{"due_date":"soon"}`, `{"due_date":5}`, `{"done":true}`} {
		require.Equal(t, 400, r.call(http.MethodPut, milestone, bad, nil), bad)
	}
	require.Equal(t, 404, r.call(http.MethodPut, sales+"/1/milestones/99", `{"completed":true}`, nil))
	require.Equal(t, 200, r.call(http.MethodPost, sales+"/1/milestones", `{"name":"Survey","due_date":"2032-01-01"}`, nil))
	require.Equal(t, "property.milestone.created", r.sale().body["event"])
	require.Equal(t, 400, r.call(http.MethodPost, sales+"/1/milestones", `{}`, nil))

	require.Equal(t, 200, r.call(http.MethodPut, sales+"/1", `{"status":"Under offer"}`, nil))
	require.Equal(t, "property.updated", r.sale().body["event"])
	require.Contains(t, r.body(partners+"/properties/11111111-1111-4111-8111-000000000001/"), `"status":"Under offer"`)
}

func TestASaleIsCreatedElsewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var p struct {
		ID            int    `json:"id"`
		TransactionID string `json:"transaction_id"`
	}
	require.Equal(t, 400, r.call(http.MethodPost, sales, `{"property_address":"1 Elm Row"}`, nil))
	require.Equal(t, 201, r.call(http.MethodPost, sales, `{"property_address":"1 Elm Row","property_postcode":"LS1 1AA","email":"x@example.com"}`, &p))
	require.JSONEq(t, `{}`, r.body("/_calls/statuses"), "it was no call")
	require.EqualValues(t, p.ID, r.sale().body["data"].(map[string]any)["property_id"])
	require.Contains(t, r.body(partners+"/properties/"+p.TransactionID+"/"), "1 Elm Row")
	require.Contains(t, r.body(sales), p.TransactionID)
	require.Contains(t, r.body(fmt.Sprintf("%s/%d", sales, p.ID)), "1 Elm Row")
}

func TestOpenMoovesOptions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, 200, r.call(http.MethodPut, "/_records/openmoove/options", `{"without_team":true,"webhook_first":true}`, nil))
	require.JSONEq(t, `{"without_team":true,"without_detail":false,"webhook_first":true,"without_webhooks":false,"changes_a_day":0}`,
		r.body("/_records/openmoove/options"))
	require.NotContains(t, r.body(partners+"/properties/1/detail/"), `"team"`)
	r.sell("4 Park Row")
	require.Len(t, r.sales, 1, "the webhook was there before the reply")
	require.Equal(t, 200, r.call(http.MethodPut, "/_records/openmoove/options", `{"without_detail":true}`, nil))
	require.Equal(t, 404, r.call(http.MethodGet, partners+"/properties/1/detail/", "", nil))
	for _, bad := range []string{`{"team":false}`, `{"changes_a_day":-1}`, `{"changes_a_day":100001}`} {
		require.Equal(t, 400, r.call(http.MethodPut, "/_records/openmoove/options", bad, nil), bad)
	}
	require.Equal(t, 204, r.call(http.MethodPost, "/_reset", "", nil))
	require.Contains(t, r.body(partners+"/properties/1/detail/"), `"team"`)
}

func TestOpenMoovesWebhooksAreRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *sandbox.Config) { c.OpenMooveRetries = []time.Duration{0, time.Millisecond, time.Millisecond} })
	r.refuseSales.Store(2)
	r.sell("4 Park Row")
	first := r.sale()
	for range 2 {
		require.Equal(t, first.raw, r.sale().raw)
	}
}

func TestSendSignsASampleOfOpenMoove(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var sent sandbox.Sent
	send := func(event, overrides string) map[string]any {
		t.Helper()
		require.Equal(t, 200, r.call(http.MethodPost, "/_send/openmoove/"+event, overrides, &sent), event)
		require.Equal(t, http.StatusAccepted, sent.Status)
		e := r.sale()
		mac := hmac.New(sha256.New, []byte(saleSecret))
		mac.Write(e.raw)
		require.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), e.signature)
		require.Equal(t, event, e.body["event"])
		at, err := time.Parse(time.RFC3339, e.body["timestamp"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), at, time.Minute)
		return e.body["data"].(map[string]any)
	}
	data := send("property.created", "")
	require.Equal(t, sent.PropertyID, fmt.Sprint(int(data["property_id"].(float64))))
	uuid := data["property"].(map[string]any)["transactionId"].(string)
	require.Contains(t, r.body(partners+"/properties/"+uuid+"/"), uuid, "the property exists")
	again := send("property.created", "")
	require.NotEqual(t, data["property_id"], again["property_id"])
	require.Zero(t, r.Duplicates()["openmoove"])

	data = send("property.milestone.completed", "")
	require.EqualValues(t, 1, data["property_id"])
	require.Equal(t, "Property Marketing", data["milestone"].(map[string]any)["name"])
	require.NotNil(t, data["milestone"].(map[string]any)["completed_date"])
	require.Contains(t, r.body(partners+"/properties/1/milestones/current/"), "Offer Acceptance", "it happened to the record too")
	data = send("property.milestone.updated", `{"milestone":{"id":13,"completed":false}}`)
	require.Equal(t, "Property Marketing", data["milestone"].(map[string]any)["name"])
	require.Contains(t, r.body(partners+"/properties/1/milestones/current/"), "Property Marketing")
	data = send("property.milestone.created", `{"property_id":2}`)
	require.EqualValues(t, 2, data["property_id"])
	require.Contains(t, r.body(partners+"/properties/2/milestones/"), "Survey")
	send("property.updated", "")
	require.EqualValues(t, 99, send("property.milestone.updated", `{"property_id":99}`)["property_id"], "a property that is not there")

	require.Equal(t, 404, r.call(http.MethodPost, "/_send/openmoove/work_order.created", "", nil))
	require.Equal(t, 400, r.call(http.MethodPost, "/_send/openmoove/property.updated", "[]", nil))
	r.start(func(c *sandbox.Config) { c.OpenMooveWebhookSecret = "" })
	require.Equal(t, 409, r.call(http.MethodPost, "/_send/openmoove/property.updated", "", nil))
}

func TestOpenMoovesFaultsHaveItsErrorBody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fault := func(f string) {
		require.Equal(t, 200, r.call(http.MethodPut, "/_faults/openmoove", f, nil), f)
	}
	for status, detail := range map[int]string{
		401: "Invalid API key provided", 403: "You do not have permission to perform this action", 404: "Not found.",
		429: "Request was throttled. Expected available in 5 seconds.", 503: "a fault of the sandbox",
	} {
		fault(fmt.Sprintf(`{"status":%d,"retry_after":"5s"}`, status))
		var body map[string]string
		require.Equal(t, status, r.call(http.MethodGet, partners+"/products/", "", &body))
		require.Equal(t, map[string]string{"detail": detail}, body)
	}
	fault(`{"reset_after_commit":true,"method":"POST","times":1}`)
	res, err := r.do(http.MethodPost, partners+"/clients/", saleBody("4 Park Row"))
	if err == nil {
		_ = res.Body.Close()
	}
	require.Error(t, err)
	require.Contains(t, r.body(partners+"/properties/"), "4 Park Row", "it was carried out")
	require.Equal(t, "property.created", r.sale().body["event"])
	fault(`{"malformed_body":true,"times":1}`)
	res, err = r.do(http.MethodGet, older+"/properties/", "")
	require.NoError(t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.False(t, json.Valid(raw))
}

func TestOpenMooveOutlivesARestart(t *testing.T) {
	t.Parallel()
	_, keep := stateFile(t)
	r := newRig(t, keep)
	id := r.sell("4 Park Row")
	r.sell("4 Park Row")
	require.Equal(t, 200, r.call(http.MethodPost, fmt.Sprintf("%s/%d/accept", sales, id), `{"role":"conveyancer"}`, nil))
	require.Equal(t, 200, r.call(http.MethodPut, sales+"/1/milestones/13", `{"completed":true}`, nil))
	reads := []string{
		sales, partners + fmt.Sprintf("/properties/%d/detail/", id), partners + "/properties/1/milestones/", "/_duplicates",
	}
	before := map[string]string{}
	for _, path := range reads {
		before[path] = r.body(path)
	}
	stop(t, r.Sandbox)
	r.start(keep)
	for path, want := range before {
		require.Equal(t, want, r.body(path), path)
	}
	require.Equal(t, id+2, r.sell("5 Park Row"), "ids go on")
}

// A state file of the time before OpenMoove still loads.
func TestAnOlderStateLoads(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep)
	id := r.create("Burst pipe")
	stop(t, r.Sandbox)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var state map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &state))
	delete(state, "openmoove")
	raw, err = json.Marshal(state)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	r.start(keep)
	require.NoFileExists(t, file+".broken")
	require.Contains(t, r.body("/rentvine/api/manager/maintenance/work-orders/"+id), "Burst pipe")
	require.Contains(t, r.body(partners+"/properties/1/detail/"), "Orchard Lane")

	state["openmoove"] = json.RawMessage(`{"properties":[{"id":5}]}`)
	raw, err = json.Marshal(state)
	require.NoError(t, err)
	stop(t, r.Sandbox)
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	r.start(keep)
	require.FileExists(t, file+".broken")
	require.NotContains(t, r.body("/rentvine/api/manager/maintenance/work-orders"), "Burst pipe", "all or nothing")
}

// With thousands of properties the page stays small, and the state file is written
// seldom enough.
func TestManyProperties(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep, func(c *sandbox.Config) { c.OpenMooveLimits, c.OpenMooveWebhookSecret = "100000/1h", "" })
	const rows = 600
	writes, last := 0, time.Time{}
	begun := time.Now()
	for i := range rows {
		r.sell(strconv.Itoa(i) + " Long Road")
		if info, err := os.Stat(file); err == nil && !info.ModTime().Equal(last) {
			writes, last = writes+1, info.ModTime()
		}
	}
	took := time.Since(begun)
	require.LessOrEqual(t, writes, int(took/(500*time.Millisecond))+1, "one write in half a second at most")
	page := r.body("/")
	require.Equal(t, 50, strings.Count(page, `data-sale="`))
	require.Contains(t, page, strconv.Itoa(rows-1)+" Long Road")
	require.Contains(t, page, fmt.Sprintf("The newest 50 of %d properties", rows+3))
	require.Zero(t, r.Duplicates()["openmoove"])
	require.Len(t, r.Calls(sandbox.OpenMoove), rows)
	stop(t, r.Sandbox)
	left, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	require.Equal(t, []string{file}, left)
}

// What OpenMoove has answered is there after a kill at any moment: the journal holds
// what the last snapshot does not.
func TestAKillLosesNothingOfOpenMoove(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep)
	first := r.sell("1 Park Row")
	require.Eventually(t, func() bool {
		raw, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(raw), "1 Park Row")
	}, 5*time.Second, 5*time.Millisecond)
	for i := range 50 {
		r.sell(strconv.Itoa(i+2) + " Park Row")
	}
	require.Equal(t, 200, r.call(http.MethodPost, fmt.Sprintf("%s/%d/accept", sales, first+50), `{"role":"conveyancer"}`, nil))
	want := r.body(sales)

	// The files as a kill leaves them, with a line that was cut. The journal is read
	// first: a snapshot that comes between the two holds what it empties.
	copied := filepath.Join(t.TempDir(), "copy.json")
	for _, name := range []string{".openmoove", ""} {
		raw, err := os.ReadFile(file + name)
		require.NoError(t, err)
		if name != "" {
			raw = append(raw, `{"change":99,"prop`...)
		}
		require.NoError(t, os.WriteFile(copied+name, raw, 0o600))
	}
	r.start(func(c *sandbox.Config) { c.StateFile = copied })
	require.Equal(t, want, r.body(sales))
	require.Equal(t, first+51, r.sell("60 Park Row"), "no id names a second property")
	stop(t, r.Sandbox)
	require.NoFileExists(t, copied+".openmoove")
	r.start(func(c *sandbox.Config) { c.StateFile = copied })
	require.Contains(t, r.body(sales), "60 Park Row")
}

func TestAResetIsNotUndoneByTheJournal(t *testing.T) {
	t.Parallel()
	file, keep := stateFile(t)
	r := newRig(t, keep)
	r.sell("1 Park Row")
	journal, err := os.ReadFile(file + ".openmoove")
	require.NoError(t, err)
	require.Equal(t, 204, r.call(http.MethodPost, "/_reset", "", nil))
	stop(t, r.Sandbox)
	require.NoError(t, os.WriteFile(file+".openmoove", journal, 0o600))
	r.start(keep)
	require.NotContains(t, r.body(sales), "1 Park Row")
}
