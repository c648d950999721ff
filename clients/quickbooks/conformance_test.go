package quickbooks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/partner/partnertest"
	"github.com/aictive/keyholder/clients/quickbooks"
)

// fixed is a token that cannot be renewed.
type fixed string

func (f fixed) Token(context.Context) (string, error)         { return string(f), nil }
func (f fixed) Renew(context.Context, string) (string, error) { return string(f), nil }

func refusal(_ int, text string) string {
	return fmt.Sprintf(`{"Fault":{"Error":[{"Message":%q,"Detail":%q,"code":"2050","element":%q}],"type":"ValidationFault"},"time":"2026-11-21T10:00:00Z"}`, text, text, text)
}

func anOrder() quickbooks.NewPurchaseOrder {
	return quickbooks.NewPurchaseOrder{
		RequestID: "r", Number: "WO1", VendorID: "1", AccountID: "2", PayablesID: "3", Note: "n",
		Lines: []quickbooks.Line{{Text: "Tap", Quantity: 1, UnitPrice: 100}},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	type client = *quickbooks.Client
	partnertest.Run(t, partnertest.Suite[client]{
		New: func(base string, limits partner.HTTPConfig) client {
			return quickbooks.New(quickbooks.Config{BaseURL: base, Realm: "913", Tokens: fixed("topsecret"), HTTP: limits})
		},
		Refusal: refusal, Secrets: []string{"topsecret"}, Throttled: time.Minute,
		Calls: []partnertest.Call[client]{
			{
				Name: "create purchase order", Write: true, Body: `{"PurchaseOrder":{"Id":"1","TotalAmt":1.00}}`,
				Do: func(ctx context.Context, c client) error { _, err := c.CreatePurchaseOrder(ctx, anOrder()); return err },
			},
			{
				Name: "create vendor", Write: true, Body: `{"Vendor":{"Id":"1","DisplayName":"Jane Roe"}}`,
				Do: func(ctx context.Context, c client) error {
					_, err := c.CreateVendor(ctx, quickbooks.NewVendor{RequestID: "r", Name: partnertest.Name, Email: partnertest.Mail})
					return err
				},
			},
			{
				Name: "create journal entry", Write: true, Body: wireEntry,
				Do: func(ctx context.Context, c client) error {
					e := anEntry()
					e.Lines[0].Text = partnertest.Name
					_, err := c.CreateJournalEntry(ctx, e)
					return err
				},
			},
			{
				Name: "create invoice", Write: true, Body: `{"Invoice":{"Id":"1","TotalAmt":1.00}}`,
				Do: func(ctx context.Context, c client) error {
					return second(c.CreateInvoice(ctx, quickbooks.NewInvoice{
						RequestID: "r", Number: "I1", CustomerID: "1", Day: "2026-11-02", DueDay: "2026-12-02",
						Lines: []quickbooks.SalesLine{{ItemID: "1", Text: partnertest.Name, Amount: 100}},
					}))
				},
			},
			{
				Name: "create payment", Write: true, Body: `{"Payment":{"Id":"1","TotalAmt":1.00}}`,
				Do: func(ctx context.Context, c client) error {
					return second(c.CreatePayment(ctx, quickbooks.NewPayment{RequestID: "r", Number: "P1", CustomerID: "1", AccountID: "1", Day: "2026-11-02", Amount: 100}))
				},
			},
			{
				Name: "create bill", Write: true, Body: `{"Bill":{"Id":"1","TotalAmt":1.00}}`,
				Do: func(ctx context.Context, c client) error {
					return second(c.CreateBill(ctx, quickbooks.NewBill{
						RequestID: "r", Number: "B1", VendorID: "1", PayablesID: "1", Day: "2026-11-02", DueDay: "2026-12-02",
						Lines: []quickbooks.BillLine{{AccountID: "1", Text: partnertest.Name, Amount: 100}},
					}))
				},
			},
			{
				Name: "create customer", Write: true, Body: `{"Customer":{"Id":"1","DisplayName":"Jane Roe"}}`,
				Do: func(ctx context.Context, c client) error {
					return second(c.CreateCustomer(ctx, quickbooks.NewCustomer{RequestID: "r", Name: partnertest.Name, Email: partnertest.Mail}))
				},
			},
			{
				Name: "invoice", Body: `{"Invoice":{"Id":"1","TotalAmt":1}}`,
				Do: func(ctx context.Context, c client) error { return second(c.Invoice(ctx, "1")) },
			},
			{
				Name: "find journal entry", Body: `{"QueryResponse":{"JournalEntry":[{"Id":"1","PrivateNote":"n"}]}}`,
				Do: func(ctx context.Context, c client) error {
					_, _, err := c.FindJournalEntry(ctx, "1", "n")
					return err
				},
			},
			{
				Name: "journal entries", Body: `{"QueryResponse":{"JournalEntry":[{"Id":"1","PrivateNote":"n"}]}}`,
				Do: func(ctx context.Context, c client) error {
					return c.JournalEntries(ctx, "2026-11-01", "2026-11-30", func(quickbooks.JournalEntry) bool { return true })
				},
			},
			{
				Name: "accounts", Body: `{"QueryResponse":{"Account":[{"Id":"1","Name":"Rent"}]}}`,
				Do: func(ctx context.Context, c client) error { return second(c.Accounts(ctx)) },
			},
			{
				Name: "find customer", Body: `{"QueryResponse":{"Customer":[{"Id":"1","DisplayName":"Jane Roe"}]}}`,
				Do: func(ctx context.Context, c client) error {
					_, _, err := c.FindCustomer(ctx, partnertest.Name)
					return err
				},
			},
			{
				Name: "purchase order", Body: `{"PurchaseOrder":{"Id":"1","TotalAmt":1}}`,
				Do: func(ctx context.Context, c client) error { _, err := c.PurchaseOrder(ctx, "1"); return err },
			},
			{
				Name: "find vendor", Body: `{"QueryResponse":{"Vendor":[{"Id":"1","DisplayName":"Jane Roe"}]}}`,
				Do: func(ctx context.Context, c client) error {
					_, _, err := c.FindVendor(ctx, partnertest.Name)
					return err
				},
			},
		},
	})
}

func TestConformanceOfTokens(t *testing.T) {
	t.Parallel()
	type tokens = *quickbooks.Tokens
	partnertest.Run(t, partnertest.Suite[tokens]{
		New: func(base string, limits partner.HTTPConfig) tokens {
			return quickbooks.NewTokens(quickbooks.OAuthConfig{
				TokenURL: base, ClientID: "an-app", ClientSecret: "topsecret", RefreshToken: "rt-secret", Store: process{&memory{}, "one"}, HTTP: limits,
			})
		},
		Refusal: func(_ int, text string) string {
			return fmt.Sprintf(`{"error":%q,"error_description":%q}`, text, text)
		},
		Secrets: []string{"topsecret", "rt-secret", "access-secret"},
		Calls: []partnertest.Call[tokens]{{
			Name: "refresh", Write: true, Body: `{"access_token":"access-secret","refresh_token":"rt-2","expires_in":3600,"x_refresh_token_expires_in":8726400}`,
			Do: func(ctx context.Context, c tokens) error { _, err := c.Renew(ctx, "access-secret"); return err },
		}},
	})
}

// wireEntry is anEntry as QuickBooks answers it: with no total, and a line that moves
// nothing.
const wireEntry = `{"JournalEntry":{"SyncToken":"0","domain":"QBO","TxnDate":"2026-11-02","sparse":false,"Adjustment":false,"Id":"227","DocNumber":"CH12-1","PrivateNote":"charge/12 1","TxnTaxDetail":{},"TotalAmt":0,"Line":[
	{"JournalEntryLineDetail":{"PostingType":"Debit","AccountRef":{"name":"Tenant Receivables","value":"41"}},"DetailType":"JournalEntryLineDetail","Amount":1500.25,"Id":"0","Description":"Rent"},
	{"JournalEntryLineDetail":{"PostingType":"Credit","AccountRef":{"name":"Rental Income","value":"50"}},"DetailType":"JournalEntryLineDetail","Amount":1400.0,"Id":"1"},
	{"JournalEntryLineDetail":{"PostingType":"Credit","AccountRef":{"name":"Pet Rent","value":"53"}},"DetailType":"JournalEntryLineDetail","Amount":100.25,"Id":"2"},
	{"DetailType":"DescriptionOnly","Description":"a note","Id":"3"}],"MetaData":{}},"time":"2026-11-02T10:00:00.000-08:00"}`

// TestTheWire compares what is sent and read with the contract, not with the stand-in.
func TestTheWire(t *testing.T) {
	t.Parallel()
	type seen struct{ method, uri, auth, body string }
	var last seen
	replies := map[string]string{
		"POST /v3/company/913/purchaseorder": `{"PurchaseOrder":{"domain":"QBO","sparse":false,"Id":"257","SyncToken":"0","MetaData":{},"DocNumber":"WO1","POStatus":"Open","VendorRef":{"value":"1","name":"Hicks"},"PrivateNote":"n","TotalAmt":25.0,"Line":[{"Id":"1"}]},"time":"2026-11-21T10:00:00.000-08:00"}`,
		"POST /v3/company/913/journalentry":  wireEntry,
		"POST /v3/company/913/invoice":       `{"Invoice":{"Id":"130","SyncToken":"0","DocNumber":"I1","TxnDate":"2026-11-02","DueDate":"2026-12-02","CustomerRef":{"value":"60","name":"Amy"},"TotalAmt":10.80,"Balance":10.80,"Line":[{"Id":"1"},{"DetailType":"SubTotalLineDetail","Amount":10}]},"time":"x"}`,
		"POST /v3/company/913/payment":       `{"Payment":{"Id":"131","SyncToken":"0","PaymentRefNum":"P1","TxnDate":"2026-11-02","CustomerRef":{"value":"60"},"TotalAmt":10,"UnappliedAmt":0,"ProcessPayment":false},"time":"x"}`,
		"POST /v3/company/913/bill":          `{"Bill":{"Id":"132","SyncToken":"0","DocNumber":"B1","TxnDate":"2026-11-02","DueDate":"2026-12-02","VendorRef":{"value":"50"},"TotalAmt":10.0,"Balance":10.0},"time":"x"}`,
		"GET /v3/company/913/query":          `{"QueryResponse":{},"time":"2026-11-21T10:00:00.000-08:00"}`,
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last = seen{r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), string(body)}
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		_, _ = io.WriteString(w, replies[r.Method+" "+r.URL.Path])
	}))
	t.Cleanup(api.Close)
	c := quickbooks.New(quickbooks.Config{BaseURL: api.URL, Realm: "913", Tokens: fixed("at")})
	t.Cleanup(c.Close)

	order := anOrder()
	order.Memo, order.Lines[0].Quantity, order.Lines[0].UnitPrice = "for Elm St", 2, 1250
	got, err := c.CreatePurchaseOrder(t.Context(), order)
	require.NoError(t, err)
	require.Equal(t, quickbooks.PurchaseOrder{ID: "257", SyncToken: "0", Number: "WO1", VendorID: "1", Note: "n", Total: 2500}, got)
	require.Equal(t, "/v3/company/913/purchaseorder?minorversion=75&requestid=r", last.uri)
	require.Equal(t, "Bearer at", last.auth)
	require.Contains(t, last.body, `"Amount":25.00`)
	require.JSONEq(t, `{"DocNumber":"WO1","VendorRef":{"value":"1"},"APAccountRef":{"value":"3"},"POStatus":"Open","PrivateNote":"n","Memo":"for Elm St",
		"Line":[{"DetailType":"AccountBasedExpenseLineDetail","Amount":25,"Description":"2 x Tap","AccountBasedExpenseLineDetail":{"AccountRef":{"value":"2"}}}]}`, last.body)

	entry, err := c.CreateJournalEntry(t.Context(), anEntry())
	require.NoError(t, err)
	require.Equal(t, quickbooks.JournalEntry{ID: "227", SyncToken: "0", Number: "CH12-1", Day: "2026-11-02", Note: "charge/12 1", Total: 150_025, Lines: anEntry().Lines}, entry)
	require.Equal(t, "/v3/company/913/journalentry?minorversion=75&requestid=r", last.uri)
	require.JSONEq(t, `{"DocNumber":"CH12-1","TxnDate":"2026-11-02","PrivateNote":"charge/12 1","Line":[
		{"DetailType":"JournalEntryLineDetail","Amount":1500.25,"Description":"Rent","JournalEntryLineDetail":{"PostingType":"Debit","AccountRef":{"value":"41"}}},
		{"DetailType":"JournalEntryLineDetail","Amount":1400.00,"JournalEntryLineDetail":{"PostingType":"Credit","AccountRef":{"value":"50"}}},
		{"DetailType":"JournalEntryLineDetail","Amount":100.25,"JournalEntryLineDetail":{"PostingType":"Credit","AccountRef":{"value":"53"}}}]}`, last.body)

	invoice, err := c.CreateInvoice(t.Context(), quickbooks.NewInvoice{
		RequestID: "i", Number: "I1", CustomerID: "60", Day: "2026-11-02", DueDay: "2026-12-02", Note: "n", Lines: []quickbooks.SalesLine{{ItemID: "70", Text: "Rent", Amount: 1000}},
	})
	require.NoError(t, err)
	require.EqualValues(t, 1080, invoice.Total, "with sales tax")
	require.JSONEq(t, `{"DocNumber":"I1","CustomerRef":{"value":"60"},"TxnDate":"2026-11-02","DueDate":"2026-12-02","PrivateNote":"n",
		"Line":[{"DetailType":"SalesItemLineDetail","Amount":10.00,"Description":"Rent","SalesItemLineDetail":{"ItemRef":{"value":"70"}}}]}`, last.body)
	_, err = c.CreatePayment(t.Context(), quickbooks.NewPayment{
		RequestID: "p", Number: "P1", CustomerID: "60", AccountID: "40", InvoiceID: "130", Day: "2026-11-02", Note: "n", Amount: 1000,
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"PaymentRefNum":"P1","CustomerRef":{"value":"60"},"DepositToAccountRef":{"value":"40"},"TxnDate":"2026-11-02","PrivateNote":"n","TotalAmt":10.00,
		"Line":[{"Amount":10.00,"LinkedTxn":[{"TxnId":"130","TxnType":"Invoice"}]}]}`, last.body)
	_, err = c.CreateBill(t.Context(), quickbooks.NewBill{
		RequestID: "b", Number: "B1", VendorID: "50", PayablesID: "33", Day: "2026-11-02", DueDay: "2026-12-02", Note: "n", Lines: []quickbooks.BillLine{{AccountID: "77", Text: "Tap", Amount: 1000}},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"DocNumber":"B1","VendorRef":{"value":"50"},"APAccountRef":{"value":"33"},"TxnDate":"2026-11-02","DueDate":"2026-12-02","PrivateNote":"n",
		"Line":[{"DetailType":"AccountBasedExpenseLineDetail","Amount":10.00,"Description":"Tap","AccountBasedExpenseLineDetail":{"AccountRef":{"value":"77"}}}]}`, last.body)

	_, ok, err := c.FindVendor(t.Context(), `O'Neil & Co`)
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, `/v3/company/913/query?minorversion=75&query=select+%2A+from+Vendor+where+DisplayName+%3D+%27O%5C%27Neil+%26+Co%27`, last.uri)
}

// TestFaultsByTheirCode has the recorded forms of contracts/sms-and-accounting.md 2.
func TestFaultsByTheirCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   partner.Kind
	}{
		"validation":           {400, refusal(0, "x"), partner.Invalid},
		"not found":            {400, `{"Fault":{"Error":[{"Message":"Object Not Found","Detail":"","code":"610"}],"type":"ValidationFault"}}`, partner.NotFound},
		"stale":                {400, `{"Fault":{"Error":[{"Message":"Stale Object Error","code":"5010"}],"type":"ValidationFault"}}`, partner.Conflict},
		"duplicate name":       {400, `{"Fault":{"Error":[{"Message":"Duplicate Name Exists Error","code":"6240"}],"type":"ValidationFault"}}`, partner.Conflict},
		"duplicate number":     {200, `{"Fault":{"Error":[{"Message":"Duplicate Document Number Error","code":"6140"}],"type":"ValidationFault"}}`, partner.Conflict},
		"another duplicate":    {200, `{"Fault":{"Error":[{"Message":"The account period has closed","code":"6210"}],"type":"ValidationFault"}}`, partner.Conflict},
		"number as code":       {200, `{"Fault":{"Error":[{"Message":"Object Not Found","code":610}],"type":"ValidationFault"}}`, partner.NotFound},
		"token, small letters": {401, `{"fault":{"error":[{"message":"AuthenticationFailed","detail":"Token expired","code":"3200"}],"type":"AUTHENTICATION"}}`, partner.Unauthorised},
		"token in a 200":       {200, `{"Fault":{"Error":[{"Message":"AuthenticationFailed","code":"3200"}],"type":"AUTHENTICATION"}}`, partner.Unauthorised},
		"authorisation":        {200, `{"Fault":{"Error":[],"type":"AuthorizationFault"}}`, partner.Forbidden},
		"system":               {200, `{"Fault":{"Error":[],"type":"SystemFault"}}`, partner.UnknownOutcome},
		"neither":              {200, `{"time":"2026-11-21T10:00:00Z"}`, partner.UnknownOutcome},
		"no id":                {200, `{"PurchaseOrder":{"DocNumber":"1"}}`, partner.UnknownOutcome},
		"a broken amount":      {200, `{"PurchaseOrder":{"Id":"1","TotalAmt":1.234}}`, partner.UnknownOutcome},
		"throttled":            {429, ``, partner.RateLimited},
		"business rule":        {200, `{"Fault":{"Error":[{"Message":"A business validation error has occurred while processing your request","Detail":"","code":"6000"}],"type":"SystemFault"}}`, partner.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(api.Close)
			client := quickbooks.New(quickbooks.Config{BaseURL: api.URL, Realm: "913", Tokens: fixed("at")})
			t.Cleanup(client.Close)
			_, err := client.CreatePurchaseOrder(t.Context(), anOrder())
			kind(t, c.want, err)
		})
	}
}
