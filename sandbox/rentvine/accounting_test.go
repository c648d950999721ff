package rentvine_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/books"
	"github.com/aictive/keyholder/sandbox/rentvine"
)

func TestChargesNameTheirAccount(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	rows := rowsOf(t, a.get("/accounting/transactions?pageSize=3&propertyIDs[]=2&datePostedMax=2026-11-01&search=park"))
	entry := rows[0]["transactionEntries"].([]any)[0].(map[string]any)
	require.Equal(t, "2", entry["accountID"])
	require.Empty(t, rowsOf(t, a.get("/accounting/transactions?pageSize=1"))[0]["transactionEntries"], "a payment has none")
	accounts := rowsOf(t, a.get("/accounting/accounts"))
	require.Len(t, accounts, 11)
	require.Equal(t, "Rent", accounts[0]["account"].(map[string]any)["name"])
	require.Equal(t, "1", accounts[0]["account"].(map[string]any)["isRent"])
	require.Equal(t, map[string]any{"name": "Income"}, accounts[0]["accountCategory"])
	require.Len(t, rowsOf(t, a.get("/accounting/bank-accounts")), 1)
}

func TestALeaseIsChargedByTheAPI(t *testing.T) {
	t.Parallel()
	var heard []string
	a := open(t, rentvine.Config{Now: autumn, OnChange: func(event string, rec map[string]any, _ map[string][2]any) {
		heard = append(heard, fmt.Sprint(event, rec["leaseChargeID"], rec["propertyID"], rec["amount"], rec["accountID"]))
	}})
	const path, body = "/accounting/leases/3/charges", `{"datePosted":"2026-11-20","amount":31,"chargeAccountID":4,"description":"Water"}`
	require.Contains(t, a.post(path, body), `"transactionID":"145"`)
	require.Equal(t, []string{"lease_charge.created145" + "2" + "31" + "4"}, heard)
	require.Zero(t, a.server.Duplicates())
	a.post(path, body)
	require.Equal(t, 1, a.server.Duplicates(), "nothing stops a second one")
	a.refused(path, `{"datePosted":"11/20/2026","amount":31,"chargeAccountID":4}`, "datePosted")
	a.refused(path, `{"datePosted":"2026-11-20","amount":"-1","chargeAccountID":4}`, "amount")
	a.refused(path, `{"datePosted":"2026-11-20","amount":1,"chargeAccountID":99}`, "chargeAccountID")
	status, _ := a.call(http.MethodPost, "/accounting/leases/99/charges", "application/json", body)
	require.Equal(t, http.StatusNotFound, status)
}

func TestATransactionIsChangedByHand(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	require.NoError(t, a.server.ChangeTransaction("142", map[string]any{
		"amount": "1900.00", "datePosted": "2026-10-31", "description": "Rent, corrected", "accountID": 4, "isVoided": true,
	}))
	data, ok := a.server.AccountingEvent("142")
	require.True(t, ok)
	require.Equal(t, map[string]any{
		"leaseChargeID": "142", "transactionID": "142", "leaseID": "4", "propertyID": "2", "unitID": "4", "accountID": "4",
		"amount": "1900.00", "datePosted": "2026-10-31", "description": "Rent, corrected", "reference": "", "isVoided": "1",
	}, data)
	require.Len(t, rowsOf(t, a.get("/accounting/transactions?isVoided=1")), 1)
	data, _ = a.server.AccountingEvent("144")
	require.Equal(t, "144", data["paymentID"])
	require.NotContains(t, data, "accountID")
	before := a.get("/accounting/transactions?pageSize=200")
	for want, fields := range map[string]map[string]any{
		"amount must":           {"amount": "much", "description": "x"},
		"accountID: there is":   {"accountID": "99"},
		"leaseID is not":        {"leaseID": "1"},
		"not a date":            {"datePosted": "soon"},
		"type must be":          {"type": "gift"},
		"description is not a ": {"description": []any{"x"}},
	} {
		require.ErrorContains(t, a.server.ChangeTransaction("142", fields), want)
	}
	require.Equal(t, before, a.get("/accounting/transactions?pageSize=200"))
	require.ErrorIs(t, a.server.ChangeTransaction("999", nil), rentvine.ErrNoTransaction)
}

func TestBillsAreNotVoidedByTheAPI(t *testing.T) {
	t.Parallel()
	var heard []string
	a := open(t, rentvine.Config{Now: autumn, OnChange: func(event string, rec map[string]any, _ map[string][2]any) {
		heard = append(heard, fmt.Sprint(event, rec["invoiceID"], " ", rec["propertyID"], " ", rec["amount"]))
	}})
	const body = `{"payeeContactID":11,"billDate":"2026-11-20","dateDue":"2026-12-20","reference":"R","isVoided":1,"isApproved":0,
		"charges":[{"ledgerID":1000000002,"chargeAccountID":7,"amount":"100.00","description":"Tap"},{"ledgerID":5001,"chargeAccountID":8,"amount":20.50}]}`
	out := a.post("/accounting/bills", body)
	require.Contains(t, out, `"billID":"2"`)
	require.Contains(t, out, `"isVoided":"0"`)
	require.Contains(t, out, `"isApproved":"1"`)
	require.Equal(t, []string{"invoice.generated2 2 120.50"}, heard)
	a.post("/accounting/bills", body)
	require.Equal(t, 1, a.server.Duplicates())
	for body, field := range map[string]string{
		strings.Replace(body, `"payeeContactID":11`, `"payeeContactID":1`, 1):                      "payeeContactID",
		strings.Replace(body, `"payeeContactID":11`, `"payeeContactID":11,"vendorContactID":1`, 1): "vendorContactID",
		strings.Replace(body, "1000000002", "7", 1):                                                "charges[0].ledgerID",
		strings.Replace(body, "20.50", "0", 1):                                                     "charges[1].amount",
		`{"payeeContactID":11,"billDate":"2026-11-20","dateDue":"2026-12-20"}`:                     "charges",
	} {
		a.refused("/accounting/bills", body, field)
	}
	require.Contains(t, a.post("/accounting/bills/2", `{"isVoided":true,"reference":"S"}`), `"isVoided":"0"`)
	require.Contains(t, a.get("/accounting/bills/2"), `"reference":"S"`)
	status, _ := a.call(http.MethodDelete, "/accounting/bills/2", "", "")
	require.Equal(t, http.StatusBadRequest, status)
	status, _ = a.call(http.MethodPost, "/accounting/bills/2/void", "application/json", "{}")
	require.Equal(t, http.StatusNotFound, status)

	require.NoError(t, a.server.ChangeBill("2", map[string]any{"isVoided": true, "amount": "99.00", "propertyID": 1, "accountID": 9}))
	bill, _ := a.server.BillEvent("2")
	require.Equal(t, [4]any{"1", "119.50", "1", "9"}, [4]any{bill["isVoided"], bill["amount"], bill["propertyID"], bill["accountID"]})
	require.Len(t, rowsOf(t, a.get("/accounting/bills")), 3)
	require.ErrorContains(t, a.server.ChangeBill("2", map[string]any{"propertyID": 99}), "propertyID")
	require.ErrorContains(t, a.server.ChangeBill("2", map[string]any{"amount": "x"}), "charges[0].amount")
	require.ErrorContains(t, a.server.ChangeBill("2", map[string]any{"charges": "x"}), "charges is not a field")
	require.ErrorIs(t, a.server.ChangeBill("9", nil), rentvine.ErrNoBill)
	_, err := a.server.AddBill(map[string]any{"description": "without an amount"})
	require.ErrorContains(t, err, "amount")

	snapshot, err := a.server.Snapshot()
	require.NoError(t, err)
	later := rentvine.New(rentvine.Config{})
	require.NoError(t, later.Restore(snapshot))
	restored, ok := later.BillEvent("2")
	require.True(t, ok)
	require.Equal(t, bill, restored)
	require.NoError(t, later.ChangeBill("2", map[string]any{"amount": "1.00"}))
	restored, _ = later.BillEvent("2")
	require.Equal(t, "21.50", restored["amount"], "the other charge stays")
}

func TestLedgersAreSearchedByName(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{})
	rows := rowsOf(t, a.get("/accounting/ledgers?search=alder"))
	require.Len(t, rows, 1)
	require.Equal(t, map[string]any{"ledgerID": "1000000002", "ledgerTypeID": "3", "objectID": "2", "name": "Alder House"}, rows[0]["ledger"])
	require.Len(t, rowsOf(t, a.get("/accounting/ledgers/search?search=unit")), 4)
	require.Contains(t, a.get("/accounting/ledgers/5003"), `"address2":"Apt 102"`)
	status, _ := a.call(http.MethodGet, "/accounting/ledgers", "", "")
	require.Equal(t, http.StatusBadRequest, status)
	for _, id := range []string{"5000", "5099", "1000000099", "2000000099", "7", "x"} {
		status, _ = a.call(http.MethodGet, "/accounting/ledgers/"+id, "", "")
		require.Equal(t, http.StatusNotFound, status, id)
	}
}

func TestGeneratedBooksAreRecords(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	cfg := books.Config{Seed: 3, Leases: 60, Duplicates: 2, Gaps: 2, Outliers: 2, Unsure: 2, Updated: 100, Voided: 50}
	b, err := a.server.GenerateBooks(cfg)
	require.NoError(t, err)
	require.Equal(t, "2025-12-01", b.Statement.From)
	require.Equal(t, "2026-11-21", b.Statement.To)
	lease := b.Leases[13]
	out := a.get("/leases/export?leaseIDs[]=" + lease.ID)
	require.Contains(t, out, fmt.Sprintf(`"portfolioID":%q`, lease.PortfolioID))
	require.Contains(t, out, lease.Unit)
	require.Len(t, rowsOf(t, a.get("/leases/"+lease.ID+"/recurring-charges")), len(lease.Recurring))
	require.Contains(t, a.get("/owners/101"), "Owner of Portfolio 3")
	ours := slices.DeleteFunc(slices.Clone(b.Transactions), func(one books.Transaction) bool {
		return one.Kind == books.Bill || one.PropertyID != lease.PropertyID
	})
	listed := 0
	for page := 1; ; page++ {
		rows := rowsOf(t, a.get(fmt.Sprintf("/accounting/transactions/search?pageSize=100&page=%d&propertyIDs[]=%s", page, lease.PropertyID)))
		listed += len(rows)
		if len(rows) < 100 {
			break
		}
	}
	require.Len(t, ours, listed)

	names := map[string]int{}
	for _, e := range b.Events {
		event, data, changes, err := a.server.Happen(b.Transactions[e.Transaction], e)
		require.NoError(t, err)
		names[event]++
		require.Equal(t, e.Update, len(changes) > 0)
		if e.Voided {
			require.Equal(t, "1", data["isVoided"])
		} else if e.Update {
			require.Equal(t, books.Dollars(e.Amount), data["amount"])
		}
	}
	require.Len(t, names, 4)
	require.Positive(t, names["lease_charge.updated"])

	// A restart keeps them; a reset does not, and gives no id twice.
	snapshot, err := a.server.Snapshot()
	require.NoError(t, err)
	later := rentvine.New(rentvine.Config{Now: autumn})
	require.NoError(t, later.Restore(snapshot))
	data, ok := later.AccountingEvent(ours[0].ID)
	require.True(t, ok)
	require.Equal(t, lease.PropertyID, data["propertyID"])
	later.Reset()
	again, err := later.GenerateBooks(cfg)
	require.NoError(t, err)
	require.NotEqual(t, b.Leases[0].ID, again.Leases[0].ID)
	require.NotEqual(t, b.Transactions[0].ID, again.Transactions[0].ID)

	_, err = a.server.GenerateBooks(books.Config{Leases: 1, To: "2026-11-22"})
	require.ErrorContains(t, err, "today")
	_, err = a.server.GenerateBooks(books.Config{})
	require.ErrorContains(t, err, "count or leases")
}

// A search of one property looks at its transactions alone, and so does the balance of a
// lease: ten thousand events ask for both.
func TestManyTransactionsStayQuick(t *testing.T) {
	t.Parallel()
	a := open(t, rentvine.Config{Now: autumn})
	b, err := a.server.GenerateBooks(books.Config{Seed: 1, Count: 10_000})
	require.NoError(t, err)
	begun := time.Now()
	for i := range 300 {
		one := b.Transactions[i*30]
		a.get("/accounting/transactions/search?pageSize=100&propertyIDs[]=" + one.PropertyID + "&datePostedMin=" + one.Day + "&datePostedMax=" + one.Day)
		if one.LeaseID != "" {
			a.get("/leases/export?leaseIDs[]=" + one.LeaseID)
		}
	}
	t.Logf("%s a pair", time.Since(begun)/300)
	require.Less(t, time.Since(begun), 30*time.Second)
}
