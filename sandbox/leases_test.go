package sandbox_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
)

// inSpring lets the business be in another time than the test.
func inSpring(c *sandbox.Config) {
	c.BusinessNow = func() time.Time { return time.Date(2031, 4, 10, 23, 30, 0, 0, time.UTC) }
}

func TestANewLeaseIsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	var sent sandbox.Sent
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease.created", "", &sent))
	n, err := strconv.Atoi(sent.LeaseID)
	require.NoError(t, err)
	require.Greater(t, n, 1_000_000, "not the number of a lease of another life")
	e := r.webhook()
	require.Equal(t, "lease.created", e.body["event_type"])
	require.NotEqual(t, "sample-lease-created", e.body["event_id"])
	data := e.body["data"].(map[string]any)
	require.Equal(t, sent.LeaseID, data["leaseID"])
	require.Equal(t, "L-"+sent.LeaseID, data["code"])
	require.Equal(t, "1", data["unitID"])
	require.Equal(t, "1", data["primaryLeaseStatusID"])
	require.Equal(t, "2031-04-20", data["moveInDate"], "10 days of business time")
	require.Equal(t, "2032-05-14", data["endDate"], "400 days")
	require.Equal(t, "2031-04-10T23:30:00Z", data["dateTimeModified"])
	require.NotContains(t, data, "tenants")
	require.Contains(t, r.body("/rentvine/api/manager/leases/export?leaseIDs[]="+sent.LeaseID), `"endDate":"2032-05-14"`)

	var oregon sandbox.Sent
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease.created.oregon",
		`{"moveInDate":"2031-05-01","tenantName":"Ora Gon","rent":"2000.00","spare":"x"}`, &oregon))
	require.NotEqual(t, sent.LeaseID, oregon.LeaseID)
	e = r.webhook()
	require.Equal(t, "lease.created", e.body["event_type"])
	data = e.body["data"].(map[string]any)
	require.Equal(t, "2", data["propertyID"])
	require.Equal(t, "2031-05-01", data["moveInDate"])
	require.Equal(t, "2032-05-14", data["endDate"])
	require.Equal(t, "x", data["spare"], "the event alone has it")
	require.NotContains(t, data, "tenantName")
	require.NotContains(t, data, "rent")
	require.Contains(t, r.body("/rentvine/api/manager/leases/export?leaseIDs[]="+oregon.LeaseID), `"name":"Ora Gon"`)
	require.Contains(t, r.body("/rentvine/api/manager/leases/"+oregon.LeaseID+"/recurring-charges"), `"amount":"2000.00"`)

	require.Equal(t, http.StatusBadRequest, r.call(http.MethodPost, "/_send/rentvine/lease.created", `{"endDate":"soon"}`, nil))
}

func TestAnEventTellsOfALeaseAsItIs(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	var sent sandbox.Sent
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease.created", `{"leaseID":"3"}`, &sent))
	require.Equal(t, "3", sent.LeaseID)
	data := r.webhook().body["data"].(map[string]any)
	require.Equal(t, "3", data["unitID"])
	require.Equal(t, "2025-06-01", data["moveInDate"], "not the sample's")

	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease.created", `{"leaseID":5}`, &sent))
	require.Equal(t, "5", sent.LeaseID, "made where there is none")
	require.Equal(t, "2031-04-20", r.webhook().body["data"].(map[string]any)["moveInDate"])

	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease.updated", `{"leaseID":"5","noticeDate":"2031-04-01"}`, &sent))
	e := r.webhook()
	require.Equal(t, "2031-04-01", e.body["data"].(map[string]any)["noticeDate"])
	require.Equal(t, map[string]any{"noticeDate": map[string]any{"old": nil, "new": "2031-04-01"}}, e.body["changes"])
	require.Contains(t, r.body("/rentvine/api/manager/leases/5"), `"noticeDate":"2031-04-01"`)

	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease.updated", "", &sent))
	require.Equal(t, "1", sent.LeaseID, "the sample's")
	require.Equal(t, map[string]any{"old": "2027-05-31", "new": "2027-08-31"}, r.webhook().body["changes"].(map[string]any)["endDate"])
	require.Contains(t, r.body("/rentvine/api/manager/leases/1"), `"endDate":"2027-08-31"`)
}

func TestLeasesOfAPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	const records = "/_records/rentvine/leases"
	var made map[string]string
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, records, `{"unitID":2,"endDate":"2031-07-01","phone":"(503) 555-0188"}`, &made))
	require.Equal(t, http.StatusOK, r.call(http.MethodPut, records+"/"+made["lease_id"], `{"primaryLeaseStatusID":2,"moveInDate":"2030-07-01"}`, nil))
	out := r.body("/rentvine/api/manager/leases/export?primaryLeaseStatusIDs[]=2&leaseIDs[]=" + made["lease_id"])
	require.Contains(t, out, `"moveInDate":"2030-07-01"`)
	require.Contains(t, out, `"phone":"(503) 555-0188"`)
	require.Contains(t, r.body("/rentvine/api/manager/tenants/"+made["contact_id"]), "555-0188")
	var paid map[string]string
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, records+"/"+made["lease_id"]+"/transactions",
		`{"type":"charge","amount":"1850.00","datePosted":"2031-04-01","description":"Rent"}`, &paid))
	require.NotEmpty(t, paid["transaction_id"])
	require.Contains(t, r.body("/rentvine/api/manager/leases/export?leaseIDs[]="+made["lease_id"]), `"pastDueRentAmount":1850.00`)
	require.Empty(t, r.webhooks, "nobody is told")

	for _, wrong := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodPost, records, `{"endDay":"2031-07-01"}`, http.StatusBadRequest},
		{http.MethodPost, records, `[]`, http.StatusBadRequest},
		{http.MethodPut, records + "/1", `{"endDate":"never"}`, http.StatusBadRequest},
		{http.MethodPut, records + "/1", `[]`, http.StatusBadRequest},
		{http.MethodPut, records + "/99", `{}`, http.StatusNotFound},
		{http.MethodPost, records + "/1/transactions", `{"type":"gift","amount":"1.00"}`, http.StatusBadRequest},
		{http.MethodPost, records + "/1/transactions", `7`, http.StatusBadRequest},
		{http.MethodPost, records + "/99/transactions", `{"type":"payment","amount":"1.00"}`, http.StatusNotFound},
	} {
		require.Equal(t, wrong.status, r.call(wrong.method, wrong.path, wrong.body, nil), wrong)
	}

	// A write by the API is told.
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/rentvine/api/manager/leases/"+made["lease_id"], `{"endDate":"2032-07-01"}`, nil))
	e := r.webhook()
	require.Equal(t, "lease.updated", e.body["event_type"])
	require.Equal(t, map[string]any{"old": "2031-07-01", "new": "2032-07-01"}, e.body["changes"].(map[string]any)["endDate"])
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/rentvine/api/manager/leases/1/recurring-charges", `{"accountID":1,"amount":"9.00","startDate":"05/01/2031"}`, nil))
	require.Equal(t, "1", r.webhook().body["data"].(map[string]any)["leaseID"])
	for _, shown := range []string{"Inspections", "Transactions", "Recurring charges", "month to month", "lease.created.oregon"} {
		require.Contains(t, r.body("/"), shown)
	}
}
