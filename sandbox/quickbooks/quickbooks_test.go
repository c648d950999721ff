package quickbooks

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ask makes a request of the stand-in and decodes its answer.
func ask(t *testing.T, s *Server, r *http.Request, status int) map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.Equal(t, status, w.Code, w.Body.String())
	var out map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	return out
}

func refresh(t *testing.T, s *Server, token string, status int) map[string]any {
	t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	r := httptest.NewRequest(http.MethodPost, "/oauth2/v1/tokens/bearer", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(DevClientID, DevClientSecret)
	return ask(t, s, r, status)
}

func call(t *testing.T, s *Server, method, path, body string, status int) map[string]any {
	t.Helper()
	s.mu.Lock()
	access := s.sign("at", 1, time.Now().Add(time.Minute))
	s.mu.Unlock()
	r := httptest.NewRequest(method, "/v3/company/"+DevRealm+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+access)
	return ask(t, s, r, status)
}

func TestRefreshTokensRollAndTheOldOneDies(t *testing.T) {
	t.Parallel()
	s := New(Config{RollAfter: time.Nanosecond, OldFor: time.Hour})
	first := refresh(t, s, DevRefreshToken, 200)["refresh_token"].(string)
	require.NotEqual(t, DevRefreshToken, first)
	refresh(t, s, DevRefreshToken, 200) // still good for a while
	require.Equal(t, "invalid_grant", refresh(t, s, DevRefreshToken, 400)["error"], "two before")
	require.Equal(t, "invalid_grant", refresh(t, s, first+"x", 400)["error"])

	kept := New(Config{})
	require.Equal(t, DevRefreshToken, refresh(t, kept, DevRefreshToken, 200)["refresh_token"], "it rolls about daily")
	after := New(Config{})
	refresh(t, after, first, 200) // one of an earlier life
	strict := New(Config{RollAfter: time.Nanosecond, OldFor: time.Nanosecond})
	refresh(t, strict, DevRefreshToken, 200)
	refresh(t, strict, DevRefreshToken, 400)
	strict.Reset()
	refresh(t, strict, DevRefreshToken, 200)
}

func TestWithoutAGoodTokenNothingIsTold(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	for _, token := range []string{"", "Bearer ", "Bearer at.1.99999999999999.00", "Bearer " + s.sign("at", 1, time.Now().Add(-time.Second)), "Bearer " + s.sign("rt", 1, time.Now().Add(time.Hour))} {
		r := httptest.NewRequest(http.MethodGet, "/v3/company/"+DevRealm+"/query?query=select+*+from+Vendor", nil)
		r.Header.Set("Authorization", token)
		require.Contains(t, ask(t, s, r, 401), "fault", "small letters")
	}
}

const order = `{"DocNumber":"1","VendorRef":{"value":"50"},"APAccountRef":{"value":"33"},"Line":[{"Amount":12.5,"DetailType":"AccountBasedExpenseLineDetail","Description":"x","AccountBasedExpenseLineDetail":{"AccountRef":{"value":"77"}}}]}`

func code(body map[string]any) string {
	fault, _ := body["Fault"].(map[string]any)
	list, _ := fault["Error"].([]any)
	if len(list) == 0 {
		return ""
	}
	return list[0].(map[string]any)["code"].(string)
}

func TestRequestIDsFaultsAndDuplicates(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	made := call(t, s, "POST", "/purchaseorder?requestid=a", order, 200)["PurchaseOrder"]
	require.Equal(t, made, call(t, s, "POST", "/purchaseorder?requestid=a", strings.ReplaceAll(order, "12.5", "99"), 200)["PurchaseOrder"], "the original reply")
	require.Equal(t, "6140", code(call(t, s, "POST", "/purchaseorder?requestid=b", order, 400)))
	require.Equal(t, "2500", code(call(t, s, "POST", "/purchaseorder?requestid=b", strings.Replace(order, `"50"`, `"51"`, 1), 400)))
	require.Equal(t, "610", code(call(t, s, "GET", "/purchaseorder/999", "", 400)))
	require.Equal(t, "5010", code(call(t, s, "POST", "/purchaseorder?operation=delete", `{"Id":"101","SyncToken":"7"}`, 400)))
	require.Equal(t, "6240", code(call(t, s, "POST", "/vendor", `{"DisplayName":"pacific plumbing"}`, 400)))
	require.Equal(t, "4000", code(call(t, s, "GET", "/query?query=drop", "", 400)))
	require.Zero(t, s.Duplicates())
	require.Equal(t, "6140", code(call(t, New(Config{FaultStatus: 200, AllowSameNumber: false}).with(s), "POST", "/purchaseorder", order, 200)))

	loose := New(Config{AllowSameNumber: true})
	call(t, loose, "POST", "/purchaseorder", order, 200)
	call(t, loose, "POST", "/purchaseorder", order, 200)
	require.Equal(t, 1, loose.Duplicates())
	require.Len(t, loose.Orders(), 2)
}

// with takes over the records of another stand-in, by its snapshot.
func (s *Server) with(other *Server) *Server {
	raw, err := other.Snapshot()
	if err == nil {
		err = s.Restore(raw)
	}
	if err != nil {
		panic(err)
	}
	return s
}

func TestRecordsOutliveARestart(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	call(t, s, "POST", "/purchaseorder?requestid=a", order, 200)
	next := New(Config{}).with(s)
	require.Equal(t, s.Orders(), next.Orders())
	require.Equal(t, "12.50", next.Orders()[0].Total)
	call(t, next, "POST", "/purchaseorder?requestid=a", order, 200)
	require.Len(t, next.Orders(), 1)
	require.Equal(t, []string{"QuickBooks: purchase orders", "QuickBooks: vendors"}, []string{next.Tables()[0].Name, next.Tables()[1].Name})
	require.Error(t, next.Restore([]byte("{")))
	next.Reset()
	require.Empty(t, next.Orders())
}

func TestTheLimitOfAMinute(t *testing.T) {
	t.Parallel()
	s := New(Config{PerMinute: 1})
	call(t, s, "GET", "/query?query=select+*+from+Vendor", "", 200)
	require.Equal(t, "003001", code(call(t, s, "GET", "/query?query=select+*+from+Vendor", "", 429)))
}
