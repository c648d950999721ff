package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/sandbox/quickbooks"
)

const qbCompany = "/quickbooks/v3/company/" + quickbooks.DevRealm

// qbToken asks for an access token as the app does.
func (r *rig) qbToken() string {
	r.t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {quickbooks.DevRefreshToken}}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.base+"/quickbooks/oauth2/v1/tokens/bearer", strings.NewReader(form.Encode()))
	require.NoError(r.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(quickbooks.DevClientID, quickbooks.DevClientSecret)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer func() { _ = res.Body.Close() }()
	var out struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(r.t, json.NewDecoder(res.Body).Decode(&out))
	require.NotEmpty(r.t, out.AccessToken)
	return out.AccessToken
}

// qbOrder creates a purchase order and returns the status.
func (r *rig) qbOrder(token, number string) int {
	r.t.Helper()
	body := `{"DocNumber":"` + number + `","VendorRef":{"value":"50"},"APAccountRef":{"value":"33"},"Line":[{"Amount":12.50,"DetailType":"AccountBasedExpenseLineDetail","Description":"1 x <Tap>","AccountBasedExpenseLineDetail":{"AccountRef":{"value":"77"}}}]}`
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.base+qbCompany+"/purchaseorder?requestid="+number, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	require.NoError(r.t, res.Body.Close())
	return res.StatusCode
}

func TestQuickBooksIsAPartnerLikeOthers(t *testing.T) {
	t.Parallel()
	_, keep := stateFile(t)
	r := newRig(t, keep)
	token := r.qbToken()
	require.Equal(t, 200, r.qbOrder(token, "WO1"))
	require.Equal(t, 401, r.qbOrder("nobody's", "WO1"))

	require.NoError(t, r.SetFault(sandbox.QuickBooks, sandbox.Fault{Status: 429, RetryAfter: "60s", Times: 1}))
	require.Equal(t, 429, r.qbOrder(token, "WO2"))
	require.Equal(t, 200, r.qbOrder(token, "WO2"))
	require.Equal(t, 400, r.call(http.MethodPut, "/_faults/quickbooks", `{"delivery":"unordered"}`, nil))
	var calls []sandbox.Call
	require.Equal(t, 200, r.call(http.MethodGet, "/_calls?partner=quickbooks", "", &calls))
	require.Len(t, calls, 5)
	require.Zero(t, r.Duplicates()[sandbox.QuickBooks])

	var page struct{ Parts map[string]string }
	require.Equal(t, 200, r.call(http.MethodGet, "/_page", "", &page))
	require.Contains(t, page.Parts["records"], "QuickBooks: purchase orders")
	require.Contains(t, page.Parts["records"], "1 x &lt;Tap&gt; = 12.50")
	require.Contains(t, page.Parts["faults"], "QuickBooks")

	var before, after []map[string]any
	require.Equal(t, 200, r.call(http.MethodGet, "/_records/quickbooks/purchase-orders", "", &before))
	require.Len(t, before, 2)
	stop(t, r.Sandbox)
	r.start(keep)
	require.Equal(t, 200, r.call(http.MethodGet, "/_records/quickbooks/purchase-orders", "", &after))
	require.Equal(t, before, after)
	require.Equal(t, 200, r.qbOrder(token, "WO1"), "the original reply, with the token of before")
	require.Equal(t, 204, r.call(http.MethodPost, "/_reset", "", nil))
	require.Equal(t, 200, r.call(http.MethodGet, "/_records/quickbooks/purchase-orders", "", &after))
	require.Empty(t, after)
}
