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

// TestTheWire compares what is sent and read with the contract, not with the stand-in.
func TestTheWire(t *testing.T) {
	t.Parallel()
	type seen struct{ method, uri, auth, body string }
	var last seen
	replies := map[string]string{
		"POST /v3/company/913/purchaseorder": `{"PurchaseOrder":{"domain":"QBO","sparse":false,"Id":"257","SyncToken":"0","MetaData":{},"DocNumber":"WO1","POStatus":"Open","VendorRef":{"value":"1","name":"Hicks"},"PrivateNote":"n","TotalAmt":25.0,"Line":[{"Id":"1"}]},"time":"2026-11-21T10:00:00.000-08:00"}`,
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
