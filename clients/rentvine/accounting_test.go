package rentvine_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/rentvine"
	sandbox "github.com/aictive/keyholder/sandbox/rentvine"
)

func TestAccounts(t *testing.T) {
	t.Parallel()
	got, err := open(t, sandbox.Config{MaxPageSize: 3}).client.Accounts(t.Context())
	require.NoError(t, err)
	require.Len(t, got, 11)
	require.Equal(t, rentvine.Account{ID: "1", Number: "4000", Name: "Rent", IsActive: true, IsRent: true}, got[0])
	require.Equal(t, rentvine.Account{ID: "6", Number: "2200", Name: "Security Deposit", IsActive: true}, got[5])

	got, err = answering(t, `[{"account":{"accountID":7,"number":4000,"name":"Rent","isActive":true,"isRent":0},"accountCategory":{}}]`).Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []rentvine.Account{{ID: "7", Number: "4000", Name: "Rent", IsActive: true}}, got)
	for _, bad := range []string{`[{"account":{}}]`, `[{"accountID":1}]`, `{"data":[]}`} {
		_, err = answering(t, bad).Accounts(t.Context())
		require.Equal(t, partner.Malformed, partner.KindOf(err), bad)
	}
}

func TestBillsAndTheirLedgers(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, inAutumn()), t.Context()
	id, err := a.server.AddBill(map[string]any{"amount": "275.00", "description": "New tap", "propertyID": 2, "workOrderID": 1, "reference": "INV-7"})
	require.NoError(t, err)
	bill, err := a.client.Bill(ctx, id)
	require.NoError(t, err)
	require.Equal(t, rentvine.Bill{
		ID: id, PayeeContactID: "11", Day: "2026-11-21", DueDay: "2026-11-21", Reference: "INV-7", WorkOrderID: "1",
		Charges: []rentvine.BillCharge{{LedgerID: "1000000002", AccountID: "7", Amount: "275.00", Description: "New tap"}},
	}, bill)
	ledger, err := a.client.Ledger(ctx, bill.Charges[0].LedgerID)
	require.NoError(t, err)
	require.Equal(t, rentvine.Ledger{ID: "1000000002", Name: "Alder House", PropertyID: "2"}, ledger)
	ledger, err = a.client.Ledger(ctx, "5003")
	require.NoError(t, err)
	require.Equal(t, rentvine.Ledger{ID: "5003", Name: "Unit 3", UnitID: "3", PropertyID: "2"}, ledger)
	ledger, err = a.client.Ledger(ctx, "2000000002")
	require.NoError(t, err)
	require.Equal(t, rentvine.Ledger{ID: "2000000002", Name: "Portland Buildings", PortfolioID: "2"}, ledger)
	require.NoError(t, a.server.ChangeBill(id, map[string]any{"isVoided": true}))
	bill, err = a.client.Bill(ctx, id)
	require.NoError(t, err)
	require.True(t, bill.Voided)
	_, err = a.client.Bill(ctx, "99")
	require.Equal(t, partner.NotFound, partner.KindOf(err))
	_, err = a.client.Ledger(ctx, "../x")
	require.Equal(t, partner.Invalid, partner.KindOf(err))
}

func TestBillsOfTheContract(t *testing.T) {
	t.Parallel()
	charge := func(ledger string) string {
		return `{"ledgerID":"4","chargeAccountID":"9","amount":120,"description":"Tap"` + ledger + `}`
	}
	for body, want := range map[string]rentvine.Bill{
		`{"bill":{"billID":1,"isVoided":"1","billDate":"2026-11-21","propertyID":5,"charges":[` + charge("") + `]},"contact":{}}`: {
			Day: "2026-11-21", Voided: true, PropertyID: "5",
		},
		`{"bill":{"billID":"1"},"charges":[` + charge(`,"ledger":{"ledgerTypeID":"2","objectID":3}`) + `]}`: {PortfolioID: "3"},
		`{"bill":{"billID":"1","charges":[` + charge(`,"ledger":{"ledgerTypeID":3,"objectID":3}`) + `,` +
			charge(`,"ledger":{"ledgerTypeID":3,"objectID":4}`) + `]}}`: {},
	} {
		got, err := answering(t, body).Bill(t.Context(), "1")
		require.NoError(t, err)
		require.Equal(t, rentvine.BillCharge{LedgerID: "4", AccountID: "9", Amount: "120", Description: "Tap"}, got.Charges[0])
		want.ID, want.Charges = "1", got.Charges
		require.Equal(t, want, got)
	}
	for _, bad := range []string{`{"bill":{"charges":[]}}`, `{"bill":{"billID":1}}`, `{"bill":{"billID":1,"charges":{}}}`, `[]`, `{"bill":{"billID":1,"charges":[],"billDate":"soon"}}`} {
		_, err := answering(t, bad).Bill(t.Context(), "1")
		require.Equal(t, partner.Malformed, partner.KindOf(err), bad)
	}
}

func TestTransactionsSayWhereAndOnWhichAccount(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, inAutumn()), t.Context()
	rows, err := a.client.Transactions(ctx, rentvine.TransactionFilter{PropertyID: "2", From: "2026-10-01", To: "2026-10-31", Search: "park"})
	require.NoError(t, err)
	require.Len(t, rows, 3)
	for _, one := range rows {
		require.Equal(t, "2", one.AccountID)
		require.Equal(t, "2", one.PropertyID)
		require.Equal(t, "2", one.PortfolioID)
		require.Equal(t, "2026-10-01", one.DatePosted)
	}
	rows, err = a.client.Transactions(ctx, rentvine.TransactionFilter{Most: 7})
	require.NoError(t, err)
	require.Len(t, rows, 7)
	_, err = a.client.Transactions(ctx, rentvine.TransactionFilter{PropertyID: "x"})
	require.Equal(t, partner.Invalid, partner.KindOf(err))

	row := func(fields, entries string) string {
		return `{"transaction":{"transactionID":1` + fields + `},"transactionEntries":` + entries + `}`
	}
	for _, c := range []struct{ row, account string }{
		{row("", `[{"accountID":4,"amount":"1.00"}]`), "4"},
		{row("", `[{"transactionEntry":{"chargeAccountID":"5"}},{"transactionEntry":{"accountID":null}}]`), "5"},
		{row("", `[{"accountID":4},{"accountID":5}]`), ""},
		{row("", `[]`), ""}, {row("", `null`), ""}, {row("", `{}`), ""},
		{row(`,"chargeAccountID":6,"accountID":7`, `[{"accountID":4}]`), "6"},
		{row(`,"accountID":"7"`, `[{"accountID":4}]`), "7"},
	} {
		rows, err := answering(t, "["+c.row+"]").Transactions(ctx, rentvine.TransactionFilter{})
		require.NoError(t, err)
		require.Equal(t, c.account, rows[0].AccountID, c.row)
	}
	for _, bad := range []string{row("", `[7]`), row("", `[{"accountID":"rent"}]`), `{"transaction":{}}`} {
		_, err := answering(t, "["+bad+"]").Transactions(ctx, rentvine.TransactionFilter{})
		require.Equal(t, partner.Malformed, partner.KindOf(err), bad)
	}
	rows, err = answering(t, `[{"transaction":{"transactionID":1},"ledger":{"ledgerTypeID":3,"objectID":8},"portfolio":{"portfolioID":9}}]`).
		Transactions(ctx, rentvine.TransactionFilter{})
	require.NoError(t, err)
	require.Equal(t, []rentvine.Transaction{{ID: "1", PropertyID: "8", PortfolioID: "9"}}, rows)
}

func TestATransactionIsFoundByItsID(t *testing.T) {
	t.Parallel()
	a, ctx := open(t, inAutumn()), t.Context()
	id, err := a.server.AddTransaction("3", map[string]any{"type": "charge", "amount": "31.00", "datePosted": "2026-11-05", "accountID": 4})
	require.NoError(t, err)
	require.NoError(t, a.server.ChangeTransaction(id, map[string]any{"isVoided": true}))
	for name, c := range map[string]struct {
		hint  rentvine.TransactionHint
		calls int
	}{
		"by the property and day":           {rentvine.TransactionHint{PropertyID: "2", Day: "2026-11-05"}, 1},
		"a day off":                         {rentvine.TransactionHint{PropertyID: "2", LeaseID: "3", Day: "2026-11-06"}, 1},
		"by the lease and day":              {rentvine.TransactionHint{LeaseID: "3", Day: "2026-11-05"}, 2},
		"by the lease":                      {rentvine.TransactionHint{LeaseID: "3"}, 2},
		"another day":                       {rentvine.TransactionHint{LeaseID: "3", Day: "2026-01-05"}, 4},
		"another property":                  {rentvine.TransactionHint{PropertyID: "1", LeaseID: "3", Day: "2026-11-05"}, 3},
		"another property and no lease":     {rentvine.TransactionHint{PropertyID: "1", Day: "2026-11-05"}, 4},
		"without a hint":                    {rentvine.TransactionHint{}, 1},
		"of a lease that RentVine has not":  {rentvine.TransactionHint{LeaseID: "99"}, 2},
		"with a day that nobody can read":   {rentvine.TransactionHint{PropertyID: "2", Day: "soon"}, 1},
		"of a lease and another's property": {rentvine.TransactionHint{PropertyID: "1", LeaseID: "3"}, 2},
	} {
		before := len(a.calls())
		got, found, err := a.client.FindTransaction(ctx, id, c.hint)
		require.NoError(t, err, name)
		require.True(t, found, name)
		require.Equal(t, rentvine.Transaction{
			ID: id, Type: rentvine.TransactionCharge, Amount: "31.00", DatePosted: "2026-11-05", Voided: true,
			LeaseID: "3", UnitID: "3", LedgerID: "5003", PropertyID: "2", PortfolioID: "2", AccountID: "4",
		}, got, name)
		require.Len(t, a.calls(), before+c.calls, name)
	}
	_, found, err := a.client.FindTransaction(ctx, "999", rentvine.TransactionHint{LeaseID: "3", Day: "2026-11-05"})
	require.NoError(t, err)
	require.False(t, found)
	for _, hint := range []rentvine.TransactionHint{{LeaseID: "x"}, {PropertyID: "x"}} {
		_, _, err = a.client.FindTransaction(ctx, id, hint)
		require.Equal(t, partner.Invalid, partner.KindOf(err))
	}
	_, _, err = a.client.FindTransaction(ctx, "", rentvine.TransactionHint{})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
}

// An account of more transactions than are looked through: a property has one page,
// all properties together have no end.
func TestWhatWasNotLookedThroughIsNotMissing(t *testing.T) {
	t.Parallel()
	ctx, most := t.Context(), 0
	c := handled(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		page, _ := strconv.Atoi(q.Get("page"))
		page = max(page, 1)
		switch {
		case r.URL.Path == "/leases/export":
			_, _ = io.WriteString(w, `[{"lease":{"leaseID":7,"propertyID":5}}]`)
		case q.Has("propertyIDs[]") && page > 1:
			_, _ = io.WriteString(w, `[]`)
		case q.Has("propertyIDs[]"):
			_, _ = io.WriteString(w, `[{"transaction":{"transactionID":1}}]`)
		default:
			most = max(most, page)
			var rows []string
			for n := range 100 {
				rows = append(rows, fmt.Sprintf(`{"transaction":{"transactionID":%d}}`, page*1000+n))
			}
			_, _ = io.WriteString(w, "["+strings.Join(rows, ",")+"]")
		}
	})
	_, found, err := c.FindTransaction(ctx, "20099", rentvine.TransactionHint{})
	require.NoError(t, err)
	require.True(t, found, "the last row that is looked at")
	_, _, err = c.FindTransaction(ctx, "900000", rentvine.TransactionHint{})
	require.Equal(t, partner.Invalid, partner.KindOf(err))
	require.ErrorContains(t, err, "not on the first pages")
	require.Equal(t, 21, most)
	_, _, err = c.FindTransaction(ctx, "900000", rentvine.TransactionHint{PropertyID: "5"})
	require.Equal(t, partner.Invalid, partner.KindOf(err), "the hint may be wrong")
	_, found, err = c.FindTransaction(ctx, "900000", rentvine.TransactionHint{LeaseID: "7"})
	require.NoError(t, err, "the lease's property was read to its end")
	require.False(t, found)
}
