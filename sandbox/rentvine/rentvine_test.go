package rentvine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/rentvine"
)

// account is a sandbox over real HTTP and the raw calls that tests make.
type account struct {
	t      *testing.T
	server *rentvine.Server
	url    string
}

func open(t *testing.T, cfg rentvine.Config) account {
	t.Helper()
	s := rentvine.New(cfg)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return account{t, s, h.URL}
}

func (a account) call(method, path, contentType, body string) (int, string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	require.NoError(a.t, err)
	req.SetBasicAuth(rentvine.DevAccessKey, rentvine.DevSecret)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(a.t, err)
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return resp.StatusCode, string(out)
}

func (a account) get(path string) string {
	a.t.Helper()
	status, body := a.call(http.MethodGet, path, "", "")
	require.Equal(a.t, http.StatusOK, status, body)
	return body
}

func (a account) post(path, body string) string {
	a.t.Helper()
	status, out := a.call(http.MethodPost, path, "application/json", body)
	require.Equal(a.t, http.StatusOK, status, out)
	return out
}

func rows(t *testing.T, body string) []map[string]map[string]any {
	t.Helper()
	var out []map[string]map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &out))
	return out
}

func TestIdsAndFlagsAreText(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	require.Contains(t, a.get("/properties/1"), `"isMultiUnit":"0"`)
	wo := a.post("/maintenance/work-orders", `{"propertyID":1,"priorityID":3,"description":"x","isVacant":true}`)
	require.Contains(t, wo, `"propertyID":"1"`)
	require.Contains(t, wo, `"isVacant":"1"`)
	require.Contains(t, wo, `"schedulingStatusID":null`)
	require.Contains(t, wo, `"unitID":"1"`, "the only unit is filled in")
	require.Contains(t, wo, `"workOrderNumber":"1002"`, "the number is not the id")
}

func TestKeyIsChecked(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	for _, pair := range [][2]string{{"", ""}, {rentvine.DevAccessKey, "x"}, {"x", rentvine.DevSecret}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+"/properties", nil)
		require.NoError(t, err)
		req.SetBasicAuth(pair[0], pair[1])
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		require.Empty(t, body)
	}
}

func TestUnknownPathsAndWrongMethodsAre404(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{UnknownID: http.StatusBadRequest})
	for _, c := range [][2]string{
		{"PUT", "/maintenance/work-orders/1"}, {"PATCH", "/maintenance/work-orders/1"}, {"PATCH", "/leases/1"}, {"OPTIONS", "/leases/1"},
		{"GET", "/maintenance/work-orders/statuses/"}, {"GET", "/maintenance/technicians"}, {"GET", "/contacts/owners"}, {"GET", "/webhooks"},
	} {
		status, _ := a.call(c[0], c[1], "application/json", "{}")
		require.Equal(t, http.StatusNotFound, status, c)
	}
	status, _ := a.call(http.MethodGet, "/maintenance/work-orders/999", "", "")
	require.Equal(t, http.StatusBadRequest, status, "what an unknown record answers is configuration")
}

func TestSilentNoOps(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	before, _ := a.server.WorkOrder("1")
	for _, body := range []string{
		`{"workOrder":{"workOrderStatusID":15}}`, `{"primaryWorkOrderStatusID":3}`, `{"status":"closed"}`, `{"workOrderNumber":"9"}`,
	} {
		a.post("/maintenance/work-orders/1", body)
		after, _ := a.server.WorkOrder("1")
		require.Equal(t, before, after, body)
	}
	for _, path := range []string{"/vendors/11", "/owners/21"} {
		out := a.post(path, `{"email":"new@example.com","phone":"(213) 555-0199"}`)
		require.NotContains(t, out, "new@example.com")
		require.Contains(t, out, "555-0199", "other fields do persist")
	}
}

func TestStatusFollowsTheAccountsOwn(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	for _, row := range rows(t, a.get("/maintenance/work-order/statuses")) {
		st := row["workOrderStatus"]
		require.NotEqual(t, st["workOrderStatusID"], st["primaryWorkOrderStatusID"])
		out := a.post("/maintenance/work-orders/1", fmt.Sprintf(`{"workOrderStatusID":%s}`, st["workOrderStatusID"]))
		require.Contains(t, out, fmt.Sprintf(`"primaryWorkOrderStatusID":%q`, st["primaryWorkOrderStatusID"]))
	}
}

func TestRefusalsNameTheField(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	for body, field := range map[string]string{
		`{"workOrderStatusID":1}`: "workOrderStatusID", `{"priorityID":4}`: "priorityID", `{"vendorContactID":1}`: "vendorContactID",
		`{"scheduledStartDate":"11/21/2026"}`:                       "scheduledStartDate",
		`{"appointmentWindowStartDateTime":"2026-11-21T10:00:00Z"}`: "appointmentWindowStartDateTime",
		`{"description":{"html":"x"}}`:                              "description",
		`[]`:                                                        "body", `{} {}`: "body", `null`: "body",
	} {
		status, out := a.call(http.MethodPost, "/maintenance/work-orders/1", "application/json", body)
		require.Equal(t, http.StatusBadRequest, status, body)
		var problems map[string][]string
		require.NoError(t, json.Unmarshal([]byte(out), &problems))
		require.Contains(t, problems, field)
	}
	status, out := a.call(http.MethodPost, "/maintenance/work-orders", "application/json", `{"workOrder":{"propertyID":1}}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, out, "propertyID")
}

func TestVendorIsNotifiedUnlessToldNotTo(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	a.post("/maintenance/work-orders/1", `{"vendorContactID":11,"sendVendorNotification":false}`)
	require.Empty(t, a.server.VendorNotifications())
	a.post("/maintenance/work-orders/1", `{"priorityID":2}`)
	a.post("/maintenance/work-orders", `{"propertyID":1,"priorityID":3,"description":"x","vendorContactID":"11"}`)
	got := a.server.VendorNotifications()
	require.Len(t, got, 2)
	require.Equal(t, "11", got[0].VendorContactID)
	require.Equal(t, "1", got[0].WorkOrderID)
}

func TestPages(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{MaxPageSize: 20})
	for n := range 30 {
		a.server.PutWorkOrder(map[string]any{"propertyID": 2, "unitID": 2 + n%3, "description": fmt.Sprint(n)})
	}
	require.Len(t, rows(t, a.get("/maintenance/work-orders")), 15)
	require.Len(t, rows(t, a.get("/maintenance/work-orders?page=3")), 1)
	require.Equal(t, "[]\n", a.get("/maintenance/work-orders?page=4"))
	require.Equal(t, "[]\n", a.get("/maintenance/work-orders?page=99999999999"))
	require.Len(t, rows(t, a.get("/maintenance/work-orders?pageSize=500")), 20)
	require.Len(t, rows(t, a.get("/maintenance/work-orders?unitID=3&pageSize=500")), 10)
	require.Equal(t, "31", rows(t, a.get("/maintenance/work-orders"))[0]["workOrder"]["workOrderID"], "newest first")
}

func TestLeasesNameTenantsAndTheExportHasThem(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	require.Contains(t, a.get("/leases"), `"tenants":["Tara Tenant"]`)
	require.Contains(t, a.get("/leases/1"), `"tenants":["Tara Tenant"]`)
	out := a.get("/leases/export?leaseIDs[]=1&leaseIDs[]=3")
	require.Len(t, rowsAny(t, out), 2)
	require.Contains(t, out, `"phone":"(213) 555-0101"`)
	require.Contains(t, out, `"dateTimeCreated":"2025-05-20T17:00:00Z"`)
	require.Contains(t, a.get("/portfolios/search"), `"contacts":"[{\"contactID\"`)
}

func rowsAny(t *testing.T, body string) []any {
	t.Helper()
	var out []any
	require.NoError(t, json.Unmarshal([]byte(body), &out))
	return out
}

func TestThreeDateFormats(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	require.Contains(t, a.get("/maintenance/work-orders/1"), `"dateTimeCreated":"2026-09-01 16:30:00"`)
	require.Contains(t, a.get("/leases/export"), `"endDate":"2027-05-31"`)
	require.Contains(t, a.get("/leases/1/recurring-charges"), `"startDate":"06/01/2026"`)
	charge := `{"accountID":2,"amount":"10.00","description":"Pet","startDate":%q}`
	status, _ := a.call(http.MethodPost, "/leases/1/recurring-charges", "application/json", fmt.Sprintf(charge, "2026-12-01"))
	require.Equal(t, http.StatusBadRequest, status)
	a.post("/leases/1/recurring-charges", fmt.Sprintf(charge, "12/01/2026"))
	require.Len(t, rowsAny(t, a.get("/leases/1/recurring-charges")), 3)
}

func (a account) upload(query, name, data string) string {
	a.t.Helper()
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	part, err := form.CreateFormFile("file", name)
	require.NoError(a.t, err)
	_, err = io.WriteString(part, data)
	require.NoError(a.t, err)
	require.NoError(a.t, form.Close())
	status, out := a.call(http.MethodPost, "/files?"+query, form.FormDataContentType(), buf.String())
	require.Equal(a.t, http.StatusOK, status, out)
	return out
}

func TestFiles(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	require.Contains(t, a.upload("objectTypeID=16&objectID=1", "../report.pdf", "%PDF"), `"attachment":{`)
	require.Zero(t, a.server.Duplicates())
	a.upload("objectTypeID=16&objectID=2", "report.pdf", "%PDF")
	require.Zero(t, a.server.Duplicates(), "the same name on another object is another file")
	a.upload("objectTypeID=16&objectID=1", "report.pdf", "%PDF")
	require.Equal(t, 1, a.server.Duplicates())
	require.Len(t, rows(t, a.get("/files?objectTypeID=6&objectID=9")), 3, "filters are ignored")
	require.Equal(t, "%PDF", a.get("/files/1/download"))
	name, data, ok := a.server.File("1")
	require.True(t, ok)
	require.Equal(t, "report.pdf", name)
	require.Equal(t, "%PDF", string(data))
	status, _ := a.call(http.MethodDelete, "/files/1", "", "")
	require.Equal(t, http.StatusOK, status)
	_, _, ok = a.server.File("1")
	require.False(t, ok)
	status, _ = a.call(http.MethodPost, "/files?objectTypeID=16", "application/json", "{}")
	require.Equal(t, http.StatusBadRequest, status)

	live := open(t, rentvine.Config{FileReply: rentvine.FileReplyLive})
	require.JSONEq(t, `{"fileAttachment":{"fileID":"1"}}`, live.upload("objectTypeID=16&objectID=1", "a.pdf", "x"))
}

func TestReadingChatMarksItRead(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	read := func() []string {
		for _, table := range a.server.Tables() {
			if table.Name == "Chat messages" {
				return table.Rows[0]
			}
		}
		return nil
	}
	require.Equal(t, []string{"1", "1", "0", "Any news?"}, read())
	a.get("/chat/messages?chatObjectTypeID=1&objectID=1")
	require.Equal(t, []string{"1", "1", "1", "Any news?"}, read())
}

func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	type change struct {
		event, actor, id string
		changes          map[string][2]any
	}
	var mu sync.Mutex
	var heard []change
	var a account
	a = open(t, rentvine.Config{OnChange: func(event string, rec map[string]any, changes map[string][2]any) {
		id, _ := rec["workOrderID"].(string)
		actor, _ := rec[rentvine.ActorKey].(string)
		a.server.Tables() // the listener may use the sandbox
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, change{event, actor, id, changes})
	}})
	a.post("/maintenance/work-orders", `{"propertyID":1,"priorityID":3,"description":"x"}`)
	a.post("/maintenance/work-orders/2", `{"priorityID":3}`) // no change
	a.post("/maintenance/work-orders/2", `{"workOrderStatusID":13}`)
	require.True(t, a.server.SetWorkOrderStatus("2", "completed"))
	require.False(t, a.server.SetWorkOrderStatus("2", "Lost"))
	require.False(t, a.server.SetWorkOrderStatus("99", "Completed"))
	a.server.PutWorkOrder(map[string]any{"workOrderID": "2", "description": "by hand"})
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []change{
		{"work_order.created", rentvine.ActorAPI, "2", nil},
		{"work_order.updated", rentvine.ActorAPI, "2", map[string][2]any{
			"workOrderStatusID": {"11", "13"}, "primaryWorkOrderStatusID": {"1", "2"}, "isNew": {"1", "0"},
		}},
		{"work_order.updated", rentvine.ActorOffice, "2", map[string][2]any{
			"workOrderStatusID": {"13", "15"}, "primaryWorkOrderStatusID": {"2", "3"},
		}},
	}, heard)
	kept, _ := a.server.WorkOrder("2")
	require.NotContains(t, kept, rentvine.ActorKey)
}

func TestPutWorkOrderByHand(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	id := a.server.PutWorkOrder(map[string]any{
		"workOrderID": "4711", "propertyID": 1, "priority": "emergency", "isVacant": true, "nested": map[string]any{},
	})
	require.Equal(t, "4711", id)
	require.Equal(t, "4711", a.server.PutWorkOrder(map[string]any{"id": 4711.0, "workOrderStatusID": "15"}))
	wo, ok := a.server.WorkOrder("4711")
	require.True(t, ok)
	require.Equal(t, "1", wo["propertyID"], "what was not sent stays")
	require.Equal(t, "1", wo["isVacant"])
	require.Equal(t, "3", wo["primaryWorkOrderStatusID"])
	require.Equal(t, "1", wo["unitID"])
	require.NotContains(t, wo, "priority")
	require.Equal(t, "4712", a.server.PutWorkOrder(map[string]any{"propertyID": "2"}))
	require.Equal(t, []string{"New", "Scheduled", "In Progress", "Awaiting Parts", "Completed", "Cancelled", "Merged"}, a.server.StatusNames())
}

func TestVendorsAndTheirTrades(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	insured := map[string]any{}
	for _, row := range rows(t, a.get("/vendors/search")) {
		insured[row["contact"]["contactID"].(string)] = row["contact"]["insuranceExpiresDate"]
	}
	require.Len(t, insured, 8)
	require.Equal(t, "2036-12-31", insured["11"])
	require.Equal(t, "2026-01-31", insured["16"])
	require.NotContains(t, a.get("/maintenance/vendor-trades"), "vendors")
	var trades []struct {
		Vendors []map[string]any `json:"vendors"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.get("/maintenance/vendor-trades?includes=vendors")), &trades))
	require.Len(t, trades, 6)
	require.Len(t, trades[0].Vendors, 4)
	require.Equal(t, "14", trades[0].Vendors[1]["contactID"])
	require.Empty(t, trades[5].Vendors)
}

func TestDuplicatesAndReset(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	body := `{"propertyID":1,"priorityID":3,"description":"x"}`
	a.post("/maintenance/work-orders", body)
	require.Zero(t, a.server.Duplicates())
	a.post("/maintenance/work-orders", body)
	require.Equal(t, 1, a.server.Duplicates())
	require.Len(t, rows(t, a.get("/maintenance/work-orders")), 3, "nothing stops a duplicate")
	a.server.Reset()
	require.Zero(t, a.server.Duplicates())
	require.Len(t, rows(t, a.get("/maintenance/work-orders")), 1)
}

func TestTablesAreReadable(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	a.post("/maintenance/work-orders/1", `{"vendorContactID":11,"workOrderStatusID":12}`)
	a.upload("objectTypeID=16&objectID=1", "report.pdf", "%PDF")
	byName := map[string]rentvine.Table{}
	for _, table := range a.server.Tables() {
		byName[table.Name] = table
		for _, row := range table.Rows {
			require.Len(t, row, len(table.Columns), table.Name)
		}
	}
	require.Equal(t, []string{"1", "1001", "Scheduled", "Low"}, byName["Work orders"].Rows[0][:4])
	require.Equal(t, []string{"1", "report.pdf", "4", "16", "1"}, byName["Files"].Rows[0])
	require.Equal(t, "11", byName["Vendor notifications"].Rows[0][2])
	require.Len(t, byName["Technicians"].Rows, 4)
}

func ExampleServer() {
	server := httptest.NewServer(rentvine.New(rentvine.Config{}))
	defer server.Close()
	req, _ := http.NewRequest(http.MethodGet, server.URL+"/maintenance/vendor-trades/1", nil)
	req.SetBasicAuth(rentvine.DevAccessKey, rentvine.DevSecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	fmt.Print(string(body))
	// Output: {"vendorTrade":{"isVisibleTenantPortal":"1","name":"Plumbing","vendorTradeID":"1"}}
}
