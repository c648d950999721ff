package rentvine_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
)

// anAutumnDay is after all that the sandbox is seeded with.
func anAutumnDay() time.Time { return time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC) }

func inAutumn() sandbox.Config { return sandbox.Config{Now: anAutumnDay} }

func TestLeaseOfTheContract(t *testing.T) {
	t.Parallel()
	lease, err := answering(t, `[{"lease":{"leaseID":7,"code":"K-7","propertyID":5,"primaryLeaseStatusID":2,"leaseStatusID":3,
		"startDate":"2026-01-01","endDate":"2026-12-31","moveInDate":"2025-12-30","noticeDate":"2026-11-01","expectedMoveOutDate":"12/31/2026",
		"closedDate":"0000-00-00","increaseEligibilityDate":"some day","isMarkedToVacate":true,"isMonthToMonth":"1",
		"dateTimeCreated":"2025-12-01T10:00:00-08:00","dateTimeModified":"lately",
		"tenants":[{"contactID":22,"name":"A B","email":"","phone":"","isActive":true}]},
		"balances":{"unpaidTotalAmount":1925.5,"unpaidRentAmount":"1850.00","pastDueTotalAmount":0,"pastDueRentAmount":null},
		"unpaidCharges":[{"isOverdue":false}],"portfolio":{"portfolioID":3},
		"property":{"propertyID":5,"address":"400 NW Alder Street","city":"Portland","stateID":"OR","postalCode":97209,"latitude":"45.5","longitude":-122.6},
		"unit":{"unitID":"9","address2":"Apt 102"}}]`).LeaseWithTenants(t.Context(), "7")
	require.NoError(t, err)
	require.Equal(t, rentvine.Lease{
		ID: "7", Code: "K-7", PropertyID: "5", UnitID: "9", PortfolioID: "3", PrimaryStatus: rentvine.LeaseActive, StatusID: "3",
		StartDate: "2026-01-01", EndDate: "2026-12-31", MoveInDate: "2025-12-30", NoticeDate: "2026-11-01", ExpectedMoveOutDate: "2026-12-31",
		MarkedToVacate: true, MonthToMonth: true, CreatedAt: time.Date(2025, 12, 1, 18, 0, 0, 0, time.UTC),
		Tenants: []rentvine.Contact{{ID: "22", Type: rentvine.ContactTenant, Name: "A B", IsActive: true}},
		Balance: rentvine.Balances{UnpaidTotal: "1925.5", UnpaidRent: "1850.00", PastDueTotal: "0"},
		Address: "400 NW Alder Street", UnitLabel: "Apt 102", City: "Portland", StateID: "OR", PostalCode: "97209",
		Latitude: 45.5, Longitude: -122.6, Located: true,
	}, lease, "the address is the property's where the unit has none")

	bare, err := answering(t, `[{"lease":{"leaseID":7}}]`).LeaseWithTenants(t.Context(), "7")
	require.NoError(t, err)
	require.Equal(t, rentvine.Lease{ID: "7"}, bare)
	for _, bad := range []string{
		`[{"lease":{"leaseID":7,"endDate":"soon"}}]`, `[{"lease":{"leaseID":7,"noticeDate":"soon"}}]`,
		`[{"lease":{"leaseID":7},"balances":{"unpaidTotalAmount":{}}}]`, `[{"lease":{"leaseID":7,"isMonthToMonth":"perhaps"}}]`,
	} {
		_, err = answering(t, bad).LeaseWithTenants(t.Context(), "7")
		require.Equal(t, partner.Malformed, partner.KindOf(err), "a date that decides is read or refused: %s", bad)
	}
}

func TestEveryLeaseIsShownAndAWalkGoesOn(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{MaxPageSize: 3, Now: anAutumnDay}), t.Context()
	for n := range 5 {
		_, _, err := a.server.PutLease(map[string]any{"unitID": 1 + n%4, "primaryLeaseStatusID": 1 + n%3})
		require.NoError(t, err)
	}
	var ids []string
	collect := func(l rentvine.Lease) bool {
		ids = append(ids, l.ID)
		return true
	}
	require.NoError(t, a.client.EachLease(ctx, time.Time{}, nil, collect))
	require.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, ids)
	require.Contains(t, a.calls()[0].uri, "pageSize=100")
	require.NotContains(t, a.calls()[0].uri, "dateTimeModifiedMin")

	ids = nil
	require.NoError(t, a.client.EachLease(ctx, time.Time{}, []rentvine.PrimaryLeaseStatus{rentvine.LeasePending, rentvine.LeaseClosed}, collect))
	require.Equal(t, []string{"5", "7", "8"}, ids)

	ids = nil
	require.NoError(t, a.client.EachLease(ctx, anAutumnDay(), nil, collect))
	require.Equal(t, []string{"5", "6", "7", "8", "9"}, ids, "the seeded ones were changed in May")
	calls := a.calls()
	asked, err := url.Parse(calls[len(calls)-1].uri)
	require.NoError(t, err)
	require.Equal(t, "2026-11-21 04:00:00", asked.Query().Get("dateTimeModifiedMin"), "14 hours earlier, in whichever zone that is read")

	ids = nil
	pages := map[string]int{}
	require.NoError(t, a.client.EachLeaseFrom(ctx, 2, time.Time{}, nil, func(page int, l rentvine.Lease) bool {
		ids = append(ids, l.ID)
		pages[l.ID] = page
		return len(ids) < 5
	}))
	require.Equal(t, map[string]int{"4": 2, "5": 2, "6": 2, "7": 3, "8": 3}, pages)
	ids = nil
	require.NoError(t, a.client.EachLeaseFrom(ctx, 9, time.Time{}, nil, func(_ int, l rentvine.Lease) bool { return collect(l) }))
	require.Empty(t, ids, "past the end")

	asks := 0
	endless := handled(t, func(w http.ResponseWriter, _ *http.Request) {
		asks++
		_, _ = fmt.Fprintf(w, `[{"lease":{"leaseID":%d}}]`, asks)
	})
	err = endless.EachLeaseFrom(ctx, 990, time.Time{}, nil, func(int, rentvine.Lease) bool { return true })
	require.Equal(t, partner.Invalid, partner.KindOf(err), "pages are bounded")
	require.Equal(t, 11, asks)
}

func TestLeaseStatuses(t *testing.T) {
	t.Parallel()
	names, err := open(t, sandbox.Config{MaxPageSize: 3}).client.LeaseStatuses(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"1": "Pending", "2": "Active", "3": "Active - Notice Given", "4": "Closed"}, names)
	_, err = answering(t, `[{"leaseStatus":{"name":"Pending"}}]`).LeaseStatuses(t.Context())
	require.Equal(t, partner.Malformed, partner.KindOf(err))
}

func TestUpdateLeaseReadsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, inAutumn()), t.Context()
	after, err := a.client.UpdateLease(ctx, "2", rentvine.LeaseChange{EndDate: new("2028-05-31"), NoticeDate: new("2026-11-20")})
	require.NoError(t, err)
	require.Equal(t, call{http.MethodPost, "/leases/2", []byte(`{"endDate":"2028-05-31","noticeDate":"2026-11-20"}`)}, a.calls()[0], "bare and partial")
	require.Equal(t, "2028-05-31", after.EndDate)
	require.Equal(t, "2026-11-20", after.NoticeDate)
	require.Equal(t, "2026-06-01", after.StartDate)
	require.Equal(t, anAutumnDay(), after.ModifiedAt)
	after, err = a.client.UpdateLease(ctx, "2", rentvine.LeaseChange{NoticeDate: new(""), ExpectedMoveOutDate: new("2028-05-31"), StartDate: new("2026-06-02")})
	require.NoError(t, err)
	require.Empty(t, after.NoticeDate, "an empty date clears")
	require.Equal(t, "2028-05-31", after.ExpectedMoveOutDate)
	require.Equal(t, "2026-06-02", after.StartDate)

	made := len(a.calls())
	for _, bad := range []rentvine.LeaseChange{{}, {EndDate: new("05/31/2028")}, {NoticeDate: new("soon")}} {
		_, err = a.client.UpdateLease(ctx, "2", bad)
		require.Equal(t, partner.Invalid, partner.KindOf(err))
	}
	_, err = a.client.UpdateLease(ctx, "../1", rentvine.LeaseChange{EndDate: new("2028-05-31")})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.Len(t, a.calls(), made, "nothing was sent")
	_, err = a.client.UpdateLease(ctx, "99", rentvine.LeaseChange{EndDate: new("2028-05-31")})
	require.Equal(t, partner.NotFound, partner.KindOf(err))

	ignored := handled(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `{"lease":{"leaseID":"1","endDate":"2028-05-31"}}`)
			return
		}
		_, _ = io.WriteString(w, `[{"lease":{"leaseID":"1","endDate":"2027-05-31"}}]`)
	})
	after, err = ignored.UpdateLease(ctx, "1", rentvine.LeaseChange{EndDate: new("2028-05-31")})
	require.NoError(t, err)
	require.Equal(t, "2027-05-31", after.EndDate, "what the record says counts, not the reply (4.4)")
	_, err = answering(t, `<html>busy</html>`).UpdateLease(ctx, "1", rentvine.LeaseChange{EndDate: new("2028-05-31")})
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err))
}

func TestRecurringChargesAreInUSOrderOnTheWire(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{MaxPageSize: 2}), t.Context()
	charges, err := a.client.RecurringCharges(ctx, "1")
	require.NoError(t, err)
	rent := rentvine.RecurringCharge{
		ID: "1", AccountID: "1", Description: "Rent", Amount: "1850.00", IsRent: true, StartDate: "2026-06-01", EndDate: "2027-05-31",
		Frequency: "1", DayDue: 1,
	}
	require.Len(t, charges, 2)
	require.Equal(t, rent, charges[0])
	require.False(t, charges[1].IsRent)

	ended, err := a.client.UpdateRecurringCharge(ctx, "1", rent.ID, rentvine.RecurringChargeChange{EndDate: new("2027-04-30")})
	require.NoError(t, err)
	require.Equal(t, "2027-04-30", ended.EndDate)
	require.Equal(t, "1850.00", ended.Amount)
	added, err := a.client.AddRecurringCharge(ctx, "1", rentvine.NewRecurringCharge{
		AccountID: "1", Description: "Rent", Amount: "1942.50", StartDate: "2027-05-01", EndDate: "2028-04-30", Frequency: rent.Frequency, DayDue: 1,
	})
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"accountID": 1.0, "description": "Rent", "amount": "1942.50", "startDate": "05/01/2027", "endDate": "04/30/2028", "frequency": "1", "dayDue": 1.0,
	}, a.lastBody(t))
	changed, err := a.client.UpdateRecurringCharge(ctx, "1", added, rentvine.RecurringChargeChange{Amount: new("1900.00"), EndDate: new(""), Description: new("Rent 2027")})
	require.NoError(t, err)
	require.Equal(t, rentvine.RecurringCharge{
		ID: added, AccountID: "1", Description: "Rent 2027", Amount: "1900.00", IsRent: true, StartDate: "2027-05-01", Frequency: "1", DayDue: 1,
	}, changed)
	charges, err = a.client.RecurringCharges(ctx, "1")
	require.NoError(t, err)
	require.Len(t, charges, 3, "from every page")

	_, err = a.client.UpdateRecurringCharge(ctx, "2", rent.ID, rentvine.RecurringChargeChange{Amount: new("1.00")})
	require.Equal(t, partner.NotFound, partner.KindOf(err), "it is another lease's")
	_, err = a.client.AddRecurringCharge(ctx, "1", rentvine.NewRecurringCharge{AccountID: "1", Amount: "1.00"})
	require.EqualError(t, err, "rentvine.add_recurring_charge: invalid (HTTP 400): startDate: Value is Required")
	made := len(a.calls())
	for _, bad := range []rentvine.NewRecurringCharge{
		{AccountID: "rent", Amount: "1.00", StartDate: "2027-05-01"}, {AccountID: "1", Amount: "1.00", StartDate: "05/01/2027"},
	} {
		_, err = a.client.AddRecurringCharge(ctx, "1", bad)
		require.Equal(t, partner.Invalid, partner.KindOf(err))
	}
	_, err = a.client.UpdateRecurringCharge(ctx, "1", "1", rentvine.RecurringChargeChange{})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.Len(t, a.calls(), made, "nothing was sent")
}

func TestRecurringChargesOfTheContract(t *testing.T) {
	t.Parallel()
	got, err := answering(t, `[{"recurringCharge":{"leaseRecurringChargeID":31,"description":"Rent","amount":1850},"account":{"accountID":4,"name":"Rent","isRent":true}},
		{"recurringCharge":{"leaseRecurringChargeID":"32","amount":"75.00","startDate":"06/01/2026","dayDue":"first"}}]`).RecurringCharges(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, []rentvine.RecurringCharge{
		{ID: "31", AccountID: "4", Description: "Rent", Amount: "1850", IsRent: true}, {ID: "32", Amount: "75.00", StartDate: "2026-06-01"},
	}, got)
	charge := rentvine.NewRecurringCharge{AccountID: "1", Amount: "1.00", StartDate: "2027-05-01"}
	for _, reply := range []string{`{"leaseRecurringChargeID":"33"}`, `{"recurringCharge":{"leaseRecurringChargeID":33}}`} {
		id, err := answering(t, reply).AddRecurringCharge(t.Context(), "1", charge)
		require.NoError(t, err)
		require.Equal(t, "33", id)
	}
	_, err = answering(t, `{"message":"ok"}`).AddRecurringCharge(t.Context(), "1", charge)
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err), "it may have been added")
}

func TestTransactionsOfALease(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 9, 30, 23, 0, 0, 0, time.UTC)
	for name, unnamed := range map[string]bool{"rows name the lease": false, "rows name only the unit": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, ctx := open(t, sandbox.Config{MaxPageSize: 7, Now: anAutumnDay, UnnamedLeases: unnamed}), t.Context()
			got, err := a.client.LeaseTransactions(ctx, "2", since)
			require.NoError(t, err)
			require.Len(t, got, 6, "two months")
			lease := map[bool]string{false: "2"}[unnamed]
			require.Equal(t, rentvine.Transaction{
				ID: got[0].ID, Type: rentvine.TransactionPayment, Amount: "1925.00", DatePosted: "2026-11-10", Description: "Payment",
				LeaseID: lease, UnitID: "2", LedgerID: "5002", PropertyID: "2", PortfolioID: "2",
			}, got[0])
			require.Equal(t, rentvine.TransactionCharge, got[1].Type)
			require.Equal(t, "2026-11-01", got[1].DatePosted)
			for _, one := range got {
				require.Equal(t, "2", one.UnitID)
				require.GreaterOrEqual(t, one.DatePosted, "2026-09-30")
			}
			asked := a.calls()[1].uri
			require.Contains(t, asked, "propertyIDs%5B%5D=2")
			require.Contains(t, asked, "datePostedMin=2026-09-30")
			all, err := a.client.LeaseTransactions(ctx, "2", time.Time{})
			require.NoError(t, err)
			require.Len(t, all, 36)

			// The next tenants' entries on the same unit are not theirs.
			require.True(t, a.server.EndLease("2", "2026-11-15"))
			next, _, err := a.server.PutLease(map[string]any{"unitID": "2", "moveInDate": "2026-11-18", "startDate": "2026-11-20"})
			require.NoError(t, err)
			_, err = a.server.AddTransaction(next, map[string]any{"type": "payment", "amount": "900.00", "datePosted": "2026-11-18", "isVoided": true})
			require.NoError(t, err)
			got, err = a.client.LeaseTransactions(ctx, "2", since)
			require.NoError(t, err)
			require.Len(t, got, 6)
			got, err = a.client.LeaseTransactions(ctx, next, since)
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.True(t, got[0].Voided)
			require.Equal(t, "900.00", got[0].Amount)
		})
	}
	_, err := open(t, inAutumn()).client.LeaseTransactions(t.Context(), "99", since)
	require.Equal(t, partner.NotFound, partner.KindOf(err))
}

// searched is a client whose search of transactions answers with rows, whatever is
// asked, about lease 7 of unit 9.
func searched(t *testing.T, rows string) *rentvine.Client {
	t.Helper()
	return handled(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/leases/export" {
			rows := `[{"lease":{"leaseID":7,"propertyID":5,"unitID":9,"startDate":"2026-01-01","moveInDate":"2025-12-20","closedDate":"2026-12-31"}}]`
			_, _ = io.WriteString(w, rows)
			return
		}
		_, _ = io.WriteString(w, rows)
	})
}

func TestTransactionsOfTheContract(t *testing.T) {
	t.Parallel()
	row := func(id int, transaction, beside string) string {
		return fmt.Sprintf(`{"transaction":{"transactionID":%d,%s},"portfolio":{},"transactionEntries":[]%s}`, id, transaction, beside)
	}
	const day = `"datePosted":"2026-03-01"`
	got, err := searched(t, "["+strings.Join([]string{
		row(1, `"type":"Lease Charge","amount":1850.00,"description":"Rent","reference":"R1","isVoided":false,`+day, `,"unit":{"unitID":9},"ledger":{"ledgerID":"44"}`),
		row(2, `"type":"payment","amount":"-1850.00","isVoided":"1",`+day, `,"ledger":{"ledgerID":45,"ledgerTypeID":4,"objectID":"9"}`),
		row(3, `"type":3,`+day, `,"lease":{"leaseID":"7"}`),
		row(4, `"type":"Vendor Payment",`+day, `,"unit":{"unitID":9}`),
		row(5, `"type":"charge",`+day, `,"unit":{"unitID":8}`),                                 // another unit
		row(6, `"type":"charge",`+day, `,"unit":{"unitID":9},"lease":{"leaseID":8}`),           // another lease
		row(7, `"type":"charge",`+day, ``),                                                     // neither
		row(8, `"type":"charge","datePosted":"2025-12-19"`, `,"unit":{"unitID":9}`),            // before the move-in
		row(9, `"type":"charge","datePosted":"2027-01-01"`, `,"unit":{"unitID":9}`),            // after the end
		row(10, `"type":"charge",`+day, `,"ledger":{"ledgerTypeID":3,"objectID":9}`),           // a property's ledger
		row(11, `"type":"lease_credit","datePosted":"2025-12-20"`, `,"unit":{"unitID":9}`),     // the day of the move-in
		row(12, `"type":"charge","datePosted":"2025-12-01"`, `,"ledger":{"leaseID":"7"}`),      // before, but named
		row(13, `"type":"Charge","datePosted":null`, `,"unit":{"unitID":9}`),                   // without a day
		row(14, `"type":"Tenant payment","datePosted":"12/31/2026"`, `,"unit":{"unitID":"9"}`), // the last day
	}, ",")+"]").LeaseTransactions(t.Context(), "7", time.Time{})
	require.NoError(t, err)
	kinds := map[string]rentvine.TransactionType{}
	for _, one := range got {
		kinds[one.ID] = one.Type
	}
	require.Equal(t, map[string]rentvine.TransactionType{
		"1": "charge", "2": "payment", "3": "3", "4": "vendor payment", "11": "credit", "12": "charge", "14": "payment",
	}, kinds)
	require.Equal(t, rentvine.Transaction{
		ID: "1", Type: "charge", Amount: "1850.00", DatePosted: "2026-03-01", Description: "Rent", Reference: "R1", UnitID: "9", LedgerID: "44",
	}, got[0])
	require.Equal(t, rentvine.Transaction{
		ID: "2", Type: "payment", Amount: "-1850.00", DatePosted: "2026-03-01", Voided: true, UnitID: "9", LedgerID: "45",
	}, got[1])
	for _, bad := range []string{`[{"transaction":{}}]`, `[{"charge":{}}]`, `{"data":[]}`} {
		_, err = searched(t, bad).LeaseTransactions(t.Context(), "7", time.Time{})
		require.Equal(t, partner.Malformed, partner.KindOf(err), bad)
	}
	_, err = answering(t, `[{"lease":{"leaseID":7}}]`).LeaseTransactions(t.Context(), "7", time.Time{})
	require.Equal(t, partner.Malformed, partner.KindOf(err), "no property to search")
}

func TestWorkOrdersOfALease(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{MaxPageSize: 2}), t.Context()
	reference := "[KH-check-3-1]"
	made, err := a.client.CreateWorkOrder(ctx, rentvine.NewWorkOrder{
		PropertyID: "2", UnitID: "3", LeaseID: "3", Priority: rentvine.PriorityLow, Description: "Check the filters " + reference,
	})
	require.NoError(t, err)
	office := a.server.PutWorkOrder(map[string]any{"propertyID": "2", "unitID": "3", "description": "by the office"})
	a.server.PutWorkOrder(map[string]any{"propertyID": "2", "unitID": "3", "leaseID": "9", "description": "of those before"})
	a.server.PutWorkOrder(map[string]any{"propertyID": "2", "unitID": "4", "description": "next door"})
	ids := func(orders []rentvine.WorkOrder) []string {
		var ids []string
		for _, o := range orders {
			ids = append(ids, o.ID)
		}
		return ids
	}
	orders, err := a.client.LeaseWorkOrders(ctx, "3", "3")
	require.NoError(t, err)
	require.Equal(t, []string{made.ID, office}, ids(orders))
	require.Contains(t, orders[0].Description, reference)
	orders, err = a.client.LeaseWorkOrders(ctx, "3", "")
	require.NoError(t, err)
	require.Equal(t, []string{made.ID}, ids(orders))

	unfiltered := answering(t, `[{"workOrder":{"workOrderID":1,"leaseID":3}},{"workOrder":{"workOrderID":2,"leaseID":4}},{"workOrder":{"workOrderID":3,"unitID":3}},
		{"workOrder":{"workOrderID":4}}]`)
	orders, err = unfiltered.LeaseWorkOrders(ctx, "3", "3")
	require.NoError(t, err)
	require.Equal(t, []string{"1", "3"}, ids(orders))
	for _, bad := range [][2]string{{"", "3"}, {"x", ""}, {"3", "x"}} {
		_, err = a.client.LeaseWorkOrders(ctx, bad[0], bad[1])
		require.Equal(t, partner.Invalid, partner.KindOf(err))
	}
}

func TestInspections(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, sandbox.Config{}), t.Context()
	none, err := a.client.Inspections(ctx, "1")
	require.NoError(t, err)
	require.Empty(t, none)
	made, err := a.client.CreateInspection(ctx, rentvine.NewInspection{UnitID: "2", TypeID: "1", StatusID: "1"})
	require.NoError(t, err)
	require.Equal(t, rentvine.Inspection{ID: "1", PropertyID: "2", UnitID: "2", TypeID: "1", StatusID: "1"}, made)
	require.Equal(t, map[string]any{"unitID": 2.0, "inspectionTypeID": 1.0, "inspectionStatusID": 1.0}, a.lastBody(t))
	found, err := a.client.Inspections(ctx, "2")
	require.NoError(t, err)
	require.Equal(t, []rentvine.Inspection{made}, found)
	_, err = a.client.CreateInspection(ctx, rentvine.NewInspection{UnitID: "99", TypeID: "1", StatusID: "1"})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	calls := len(a.calls())
	_, err = a.client.CreateInspection(ctx, rentvine.NewInspection{UnitID: "2"})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.Len(t, a.calls(), calls, "all fields are needed")

	unfiltered, err := answering(t, `[{"inspection":{"inspectionID":1,"unitID":3},"property":{"propertyID":"2"}},
		{"inspection":{"inspectionID":"2","inspectionTypeID":4},"unit":{"unitID":8,"propertyID":5}},{"inspection":{"inspectionID":3}}]`).Inspections(ctx, "2")
	require.NoError(t, err)
	require.Equal(t, []rentvine.Inspection{{ID: "1", PropertyID: "2", UnitID: "3"}, {ID: "3"}}, unfiltered)
	_, err = answering(t, `{"inspection":{}}`).CreateInspection(ctx, rentvine.NewInspection{UnitID: "2", TypeID: "1", StatusID: "1"})
	require.Equal(t, partner.UnknownOutcome, partner.KindOf(err))
}

func TestUnitsForComparables(t *testing.T) {
	t.Parallel()
	units, err := open(t, sandbox.Config{MaxPageSize: 3}).client.Units(t.Context())
	require.NoError(t, err)
	require.Len(t, units, 4)
	require.Equal(t, rentvine.Unit{
		ID: "1", PropertyID: "1", Address: "12 Elm Street", City: "Los Angeles", StateID: "CA", PostalCode: "90026", IsActive: true,
		Beds: 3, BedsKnown: true, FullBaths: 2, Size: 1380, Rent: "0.00",
	}, units[0])
	odd, err := answering(t, `[{"unit":{"unitID":1,"beds":0,"fullBaths":1,"size":"412"}},{"unit":{"unitID":2,"beds":null,"size":"1,200"}},{"unit":{"unitID":3,"beds":"-1"}}]`).
		Units(t.Context())
	require.NoError(t, err)
	require.Equal(t, []rentvine.Unit{{ID: "1", BedsKnown: true, FullBaths: 1, Size: 412}, {ID: "2"}, {ID: "3"}}, odd)
}
