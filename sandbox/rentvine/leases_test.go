package rentvine_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/rentvine"
)

func autumn() time.Time { return time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC) }

func (a account) refused(path, body, field string) {
	a.t.Helper()
	status, out := a.call(http.MethodPost, path, "application/json", body)
	require.Equal(a.t, http.StatusBadRequest, status, body)
	var problems map[string][]string
	require.NoError(a.t, json.Unmarshal([]byte(out), &problems))
	require.Contains(a.t, problems, field)
}

func TestLeasesTakeDatesOnly(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	before := a.get("/leases/2")
	for _, body := range []string{
		`{"lease":{"endDate":"2028-05-31"}}`, `{"primaryLeaseStatusID":3}`, `{"rent":"2000.00"}`, `{"leaseID":"9","closedDate":"2026-11-01"}`, `{}`,
	} {
		a.post("/leases/2", body)
		require.Equal(t, before, a.get("/leases/2"), body)
	}
	out := a.post("/leases/2", `{"endDate":"2028-05-31","noticeDate":"2026-11-20"}`)
	require.Contains(t, out, `"endDate":"2028-05-31"`)
	require.Contains(t, out, `"startDate":"2026-06-01"`, "the rest stays")
	require.Contains(t, out, `"dateTimeModified":"2026-11-21T18:00:00Z"`)
	require.Contains(t, out, `"tenants":["Toby Tenant"]`)
	require.Contains(t, a.post("/leases/2", `{"noticeDate":null}`), `"noticeDate":null`)
	a.refused("/leases/2", `{"endDate":"05/31/2028"}`, "endDate")
	a.refused("/leases/2", `{"noticeDate":{"day":1}}`, "noticeDate")
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		status, _ := a.call(method, "/leases/2", "application/json", `{"endDate":"2029-05-31"}`)
		require.Equal(t, http.StatusNotFound, status)
	}
	status, _ := a.call(http.MethodPost, "/leases/99", "application/json", `{"endDate":"2029-05-31"}`)
	require.Equal(t, http.StatusNotFound, status)
}

func TestTheExportFiltersByGroupAndTime(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	a.post("/leases/2", `{"endDate":"2028-05-31"}`)
	require.NoError(t, a.server.ChangeLease("3", map[string]any{"leaseStatusID": "3"}))
	id, _, err := a.server.PutLease(nil)
	require.NoError(t, err)
	for query, want := range map[string][]string{
		"":                          {"1", "2", "3", "4", id},
		"primaryLeaseStatusIDs[]=1": {id},
		"leaseStatusIDs[]=3":        {"3"},
		"leaseIDs[]=1&leaseIDs[]=3": {"1", "3"},
		"dateTimeModifiedMin=2026-06-01+00:00:00":                                              {"2", "3", id},
		"dateTimeModifiedMin=2026-11-21+18:00:01":                                              nil,
		"dateTimeModifiedMax=2026-06-01+00:00:00":                                              {"1", "4"},
		"dateTimeModifiedMin=2026-06-01+00:00:00&primaryLeaseStatusIDs[]=2&leaseStatusIDs[]=2": {"2"},
	} {
		var got []string
		for _, row := range rowsOf(t, a.get("/leases/export?"+query)) {
			got = append(got, row["lease"].(map[string]any)["leaseID"].(string))
		}
		require.Equal(t, want, got, query)
	}
	status, _ := a.call(http.MethodGet, "/leases/export?dateTimeModifiedMin=2026-06-01T00:00:00Z", "", "")
	require.Equal(t, http.StatusBadRequest, status, "one format only")
}

func rowsOf(t *testing.T, body string) []map[string]any {
	t.Helper()
	var out []map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &out))
	return out
}

func TestBalancesFollowFromTransactions(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := autumn()
	a := open(t, rentvine.Config{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	owed := func() string {
		out, err := json.Marshal(rowsOf(t, a.get("/leases/export?leaseIDs[]=2"))[0]["balances"])
		require.NoError(t, err)
		return string(out)
	}
	balance := func(total, rent, late, lateRent string) string {
		return fmt.Sprintf(`{"unpaidTotalAmount":%s,"unpaidRentAmount":%s,"pastDueTotalAmount":%s,"pastDueRentAmount":%s}`, total, rent, late, lateRent)
	}
	require.JSONEq(t, balance("0", "0", "0", "0"), owed())
	add := func(fields map[string]any) {
		_, err := a.server.AddTransaction("2", fields)
		require.NoError(t, err)
	}
	add(map[string]any{"type": "charge", "amount": "1850.00", "datePosted": "2026-11-20"})
	add(map[string]any{"type": "charge", "amount": "50.5", "accountID": "3", "description": "Late fee"}) // today
	add(map[string]any{"type": "charge", "amount": "75.00", "datePosted": "2026-12-01", "accountID": "2"})
	require.JSONEq(t, balance("1900.5", "1850", "1850", "1850"), owed())
	add(map[string]any{"type": "Payment", "amount": "1000.25"})
	add(map[string]any{"type": "payment", "amount": "9000.00", "isVoided": true})
	require.JSONEq(t, balance("900.25", "849.75", "849.75", "849.75"), owed(), "the oldest is paid first")
	require.Contains(t, a.get("/leases/export?leaseIDs[]=2"), `"unpaidCharges":[{"isOverdue":true},{"isOverdue":false}]`)
	add(map[string]any{"type": "credit", "amount": "900.25"})
	require.JSONEq(t, balance("0", "0", "0", "0"), owed())
	mu.Lock()
	now = time.Date(2026, 12, 2, 8, 0, 0, 0, time.UTC)
	mu.Unlock()
	require.JSONEq(t, balance("75", "0", "75", "0"), owed(), "a charge counts from its day")

	for want, fields := range map[string]map[string]any{
		"type must":      {"amount": "1.00"},
		"amount must":    {"type": "payment", "amount": "1.005"},
		"not a date":     {"type": "payment", "amount": "1.00", "datePosted": "12/01/2026"},
		"paidOn is not":  {"type": "payment", "amount": "1.00", "paidOn": "2026-12-01"},
		"leaseID is not": {"type": "payment", "amount": "1.00", "leaseID": "1"},
	} {
		_, err := a.server.AddTransaction("2", fields)
		require.ErrorContains(t, err, want)
	}
	for _, amount := range []string{"", "-1", "+1", "1e3", "1,000", "abc", ".5", "-0"} {
		_, err := a.server.AddTransaction("2", map[string]any{"type": "payment", "amount": amount})
		require.ErrorContains(t, err, "amount must", amount)
	}
	_, err := a.server.AddTransaction("99", nil)
	require.ErrorIs(t, err, rentvine.ErrNoLease)
}

func TestTransactionsAreSearched(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	const search = "/accounting/transactions/search"
	require.Len(t, rowsOf(t, a.get(search)), 15)
	require.Len(t, rowsOf(t, a.get("/accounting/transactions?pageSize=200")), 144)
	require.Len(t, rowsOf(t, a.get(search+"?pageSize=200&propertyIDs[]=1")), 36)
	require.Len(t, rowsOf(t, a.get(search+"?pageSize=200&primaryLedgerIDs[]=5003&search=PARK")), 12)
	require.Len(t, rowsOf(t, a.get(search+"?datePostedMin=2026-11-02&datePostedMax=2026-11-12")), 1)
	require.Empty(t, rowsOf(t, a.get(search+"?isVoided=1")))
	first := rowsOf(t, a.get(search))[0]
	require.Equal(t, map[string]any{
		"transactionID": "72", "leaseID": "2", "type": "Payment", "amount": "1925.00", "datePosted": "2026-11-10", "description": "Payment",
		"reference": "", "isVoided": "0",
	}, first["transaction"], "newest first")
	require.Equal(t, "Apt 101", first["unit"].(map[string]any)["address2"])
	require.Equal(t, "2", first["ledger"].(map[string]any)["objectID"])
	require.NotContains(t, open(t, rentvine.Config{Now: autumn, UnnamedLeases: true}).get(search), "leaseID")
	spring := open(t, rentvine.Config{Now: func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }})
	require.Equal(t, "2026-03-01", rowsOf(t, spring.get(search))[0]["transaction"].(map[string]any)["datePosted"], "nothing of the future")

	late := map[string]int{}
	for _, row := range rowsOf(t, a.get(search+"?pageSize=200")) {
		paid := row["transaction"].(map[string]any)
		if paid["type"] == "Payment" && !strings.HasSuffix(paid["datePosted"].(string), "-01") {
			late[paid["leaseID"].(string)]++
		}
	}
	require.Equal(t, map[string]int{"2": 9, "3": 5}, late)
}

func TestRecurringChargesAreChangedAndRemoved(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	const path = "/leases/1/recurring-charges/1"
	before := a.get("/leases/1/recurring-charges")
	a.post(path, `{"recurringCharge":{"amount":"1.00"}}`)
	require.Equal(t, before, a.get("/leases/1/recurring-charges"), "a wrapped body changes nothing")
	out := a.post(path, `{"endDate":"04/30/2027"}`)
	require.Contains(t, out, `"endDate":"04/30/2027"`)
	require.Contains(t, out, `"amount":"1850.00"`)
	a.refused(path, `{"endDate":"2027-04-30"}`, "endDate")
	a.refused(path, `{"amount":"a lot"}`, "amount")
	for _, wrong := range []string{"/leases/2/recurring-charges/1", "/leases/1/recurring-charges/99", "/leases/99/recurring-charges/1"} {
		for _, method := range []string{http.MethodPost, http.MethodDelete} {
			status, _ := a.call(method, wrong, "application/json", `{}`)
			require.Equal(t, http.StatusNotFound, status)
		}
	}
	added := `{"accountID":1,"amount":1900,"description":"Rent","startDate":"05/01/2027"}`
	a.post("/leases/1/recurring-charges", added)
	require.Zero(t, a.server.Duplicates())
	a.post("/leases/1/recurring-charges", added)
	require.Equal(t, 1, a.server.Duplicates(), "nothing stops a second one")
	status, _ := a.call(http.MethodDelete, "/leases/1/recurring-charges/10", "", "")
	require.Equal(t, http.StatusOK, status)
	require.Len(t, rowsOf(t, a.get("/leases/1/recurring-charges")), 3)
}

func TestInspectionsTakeWhatIsOnRecord(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	require.Equal(t, "[]\n", a.get("/maintenance/inspections"))
	out := a.post("/maintenance/inspections", `{"unitID":2,"inspectionTypeID":1,"inspectionStatusID":1,"scheduledDate":"2026-12-01"}`)
	require.JSONEq(t, `{"inspection":{"inspectionID":"1","unitID":"2","propertyID":"2","inspectionTypeID":"1","inspectionStatusID":"1",
		"dateTimeCreated":"2026-11-21 18:00:00"}}`, out, "nothing else is known")
	a.refused("/maintenance/inspections", `{"unitID":99,"inspectionTypeID":1,"inspectionStatusID":1}`, "unitID")
	a.refused("/maintenance/inspections", `{"inspection":{"unitID":2}}`, "inspectionTypeID")
	require.Equal(t, "[]\n", a.get("/maintenance/inspections?propertyID=1"))
	require.Len(t, rowsOf(t, a.get("/maintenance/inspections?propertyID=2")), 1)
	require.JSONEq(t, out, a.get("/maintenance/inspections/1"))
}

func TestWritesToALeaseAreTold(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []string
	var a account
	a = open(t, rentvine.Config{Now: autumn, OnChange: func(event string, rec map[string]any, changes map[string][2]any) {
		a.server.Tables() // the listener may use the sandbox
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprint(event, " ", rec["leaseID"], " ", rec[rentvine.ActorKey], " ", changes["endDate"], " ", changes["dateTimeModified"], " ", rec["tenants"]))
	}})
	a.post("/leases/1", `{"endDate":"2027-05-31"}`) // no change
	a.post("/leases/1", `{"endDate":"2028-05-31"}`)
	a.post("/leases/2/recurring-charges", `{"accountID":1,"amount":"1.00","startDate":"05/01/2027"}`)
	a.post("/leases/3/recurring-charges/5", `{"amount":"1850.00"}`) // no change
	a.post("/leases/3/recurring-charges/5", `{"amount":"1900.00"}`)
	status, _ := a.call(http.MethodDelete, "/leases/4/recurring-charges/8", "", "")
	require.Equal(t, http.StatusOK, status)
	_, _, err := a.server.PutLease(nil) // by hand: tells nobody
	require.NoError(t, err)
	require.NoError(t, a.server.ChangeLease("1", map[string]any{"endDate": "2029-05-31"}))
	_, err = a.server.AddTransaction("1", map[string]any{"type": "payment", "amount": "1.00"})
	require.NoError(t, err)
	mu.Lock()
	defer mu.Unlock()
	touched := "[2026-05-20T17:00:00Z 2026-11-21T18:00:00Z] <nil>"
	require.Equal(t, []string{
		"lease.updated 1 api [2027-05-31 2028-05-31] " + touched, "lease.updated 2 api [<nil> <nil>] " + touched,
		"lease.updated 3 api [<nil> <nil>] " + touched, "lease.updated 4 api [<nil> <nil>] " + touched,
	}, heard)
}

func TestLeasesByHand(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn, LeasesAfter: 700})
	id, who, err := a.server.PutLease(map[string]any{"moveInDate": "2026-12-01", "startDate": "2026-12-01", "endDate": "2027-12-26"})
	require.NoError(t, err)
	require.Equal(t, []string{"701", "701"}, []string{id, who})
	row := rowsOf(t, a.get("/leases/export?leaseIDs[]="+id))[0]
	lease := row["lease"].(map[string]any)
	require.Equal(t, "L-701", lease["code"])
	require.Equal(t, "1", lease["primaryLeaseStatusID"])
	require.Equal(t, "1", lease["unitID"])
	require.Equal(t, "2026-11-21T18:00:00Z", lease["dateTimeCreated"])
	require.Nil(t, lease["noticeDate"])
	tenant := lease["tenants"].([]any)[0].(map[string]any)
	require.Regexp(t, `^\((213|310|323|818|626)\) 555-01\d\d$`, tenant["phone"])
	require.Equal(t, "contact701@example.com", tenant["email"])
	require.Equal(t, "90026", row["property"].(map[string]any)["postalCode"])
	require.Contains(t, a.get("/tenants/"+who), tenant["name"])
	charges := a.get("/leases/" + id + "/recurring-charges")
	require.Contains(t, charges, `"amount":"1850.00"`)
	require.Contains(t, charges, `"startDate":"12/01/2026"`)
	require.Contains(t, charges, `"isRent":"1"`)

	other, _, err := a.server.PutLease(map[string]any{
		"propertyID": 2, "rent": "1999.99", "tenantName": "Ada Lodger", "phone": "(971) 555-0142", "email": "ada@example.com", "leaseStatusID": 2,
	})
	require.NoError(t, err)
	require.Equal(t, "702", other)
	out := a.get("/leases/export?leaseIDs[]=" + other)
	for _, want := range []string{`"name":"Ada Lodger"`, `"phone":"(971) 555-0142"`, `"email":"ada@example.com"`, `"unitID":"2"`, `"primaryLeaseStatusID":"2"`, `"moveInDate":null`} {
		require.Contains(t, out, want)
	}
	require.Contains(t, a.get("/leases/"+other+"/recurring-charges"), `"amount":"1999.99"`)

	require.NoError(t, a.server.ChangeLease(id, map[string]any{
		"endDate": "2028-01-31", "noticeDate": "2026-11-20", "primaryLeaseStatusID": 3, "moveInDate": "", "isMonthToMonth": true, "phone": "(213) 555-0143",
	}))
	changed, ok := a.server.Lease(id)
	require.True(t, ok)
	require.Equal(t, "2028-01-31", changed["endDate"])
	require.Nil(t, changed["moveInDate"])
	require.Equal(t, "2026-12-01", changed["startDate"])
	require.Equal(t, "1", changed["isMonthToMonth"])
	require.Equal(t, "4", changed["leaseStatusID"], "the status follows its group")
	require.NotContains(t, changed, "tenants")
	require.Contains(t, a.get("/tenants/"+who), `(213) 555-0143`)
	same, whose, err := a.server.PutLease(map[string]any{"leaseID": id, "endDate": "2028-02-29"})
	require.NoError(t, err)
	require.Equal(t, []string{id, who}, []string{same, whose})

	for want, fields := range map[string]map[string]any{
		"endDay is not a field of a lease": {"endDay": "2027-01-01"}, "endDate is not a date": {"endDate": "01/01/2027"},
		"unitID: there is no 99": {"unitID": "99"}, "primaryLeaseStatusID must": {"primaryLeaseStatusID": "4"},
		"single value": {"noticeDate": []any{}}, "dateTimeModified is not": {"dateTimeModified": "2026-01-01"},
	} {
		require.ErrorContains(t, a.server.ChangeLease(id, fields), want)
		_, _, err = a.server.PutLease(fields)
		require.ErrorContains(t, err, want)
	}
	for want, fields := range map[string]map[string]any{
		"rent must": {"rent": "much"}, "leaseID must": {"leaseID": "x"}, "recurring charge": {"leaseID": id, "rent": "1.00"},
	} {
		_, _, err = a.server.PutLease(fields)
		require.ErrorContains(t, err, want)
	}
	require.ErrorIs(t, a.server.ChangeLease("99", nil), rentvine.ErrNoLease)
	_, ok = a.server.Lease("99")
	require.False(t, ok)

	a.server.Reset()
	next, whoNext, err := a.server.PutLease(nil)
	require.NoError(t, err)
	require.Equal(t, []string{"703", "703"}, []string{next, whoNext}, "no id names a second one")
	_, contactID, err := open(t, rentvine.Config{}).server.PutLease(nil)
	require.NoError(t, err)
	require.Equal(t, "101", contactID, "not the id of a vendor or owner")
}

func TestNewTenantsHaveNumbersOfTheirOwn(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	phones := map[any]bool{}
	for n := range 200 {
		_, who, err := a.server.PutLease(map[string]any{"unitID": 1 + n%2})
		require.NoError(t, err)
		phone := rowsOf(t, "["+a.get("/tenants/"+who)+"]")[0]["contact"].(map[string]any)["phone"]
		require.False(t, phones[phone], phone)
		phones[phone] = true
	}
}

func TestLeasesOutliveARestart(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	id, _, err := a.server.PutLease(map[string]any{"unitID": 3, "endDate": "2027-12-26"})
	require.NoError(t, err)
	_, err = a.server.AddTransaction(id, map[string]any{"type": "charge", "amount": "12.34"})
	require.NoError(t, err)
	a.post("/maintenance/inspections", `{"unitID":2,"inspectionTypeID":1,"inspectionStatusID":1}`)
	require.True(t, a.server.EndLease("2", "2026-10-31"))
	snapshot, err := a.server.Snapshot()
	require.NoError(t, err)
	b := open(t, rentvine.Config{Now: autumn})
	require.NoError(t, b.server.Restore(snapshot))
	for _, path := range []string{
		"/leases", "/leases/export", "/tenants", "/maintenance/inspections", "/accounting/transactions?pageSize=200", "/leases/" + id + "/recurring-charges",
	} {
		require.Equal(t, a.get(path), b.get(path), path)
	}
	require.Contains(t, b.get("/leases/export?leaseIDs[]="+id), `"unpaidTotalAmount":12.34`)
	next, _, err := b.server.PutLease(nil)
	require.NoError(t, err)
	require.Equal(t, "6", next)

	// A snapshot of the time when leases were always the seeded ones.
	var old map[string]any
	require.NoError(t, json.Unmarshal(snapshot, &old))
	for _, name := range []string{"leases", "tenants", "transactions", "inspections"} {
		delete(old["tables"].(map[string]any), name)
	}
	old["moves"] = map[string]string{"2": "2026-10-30"}
	snapshot, err = json.Marshal(old)
	require.NoError(t, err)
	require.NoError(t, b.server.Restore(snapshot))
	require.Equal(t, []string{"1", "3", "4"}, b.server.LeaseIDs())
	moved, _ := b.server.Lease("2")
	require.Equal(t, "2026-10-30", moved["moveOutDate"])
	require.Contains(t, b.get("/leases/export?leaseIDs[]=2"), `"isActive":"0"`)
}

func TestNewTablesAreReadable(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	a.post("/leases/4", `{"noticeDate":"2026-11-20"}`)
	a.post("/maintenance/inspections", `{"unitID":2,"inspectionTypeID":3,"inspectionStatusID":1}`)
	first := map[string][]string{}
	for _, table := range a.server.Tables() {
		if len(table.Rows) > 0 {
			first[table.Name] = table.Rows[0]
			require.Len(t, table.Rows[0], len(table.Columns), table.Name)
		}
	}
	require.Equal(t, []string{"4", "Active", "2", "4", "2025-06-01", "2026-06-01", "2027-05-31", "2026-11-20", "", "", "0", "2026-11-21T18:00:00Z"}, first["Leases"])
	require.Equal(t, []string{"1", "2", "2", "3", "1", "2026-11-21 18:00:00"}, first["Inspections"])
	require.Equal(t, []string{"144", "4", "Payment", "1925.00", "2026-11-01", "", "Payment", "0"}, first["Transactions"])
	require.Equal(t, []string{"8", "4", "Parking", "75.00", "06/01/2026", "05/31/2027"}, first["Recurring charges"])
}
