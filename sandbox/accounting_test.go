package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/sandbox/books"
)

func (e event) data() map[string]any {
	data, _ := e.body["data"].(map[string]any)
	return data
}

func TestMoneyIsSentAndThere(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	const api = "/rentvine/api/manager/accounting"
	var sent sandbox.Sent
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease_charge.created", `{"leaseID":3,"amount":"42.00","accountID":4,"description":"Water","note":"x"}`, &sent))
	require.Equal(t, "3", sent.LeaseID)
	data := r.webhook().data()
	require.Equal(t, sent.TransactionID, data["leaseChargeID"])
	require.Equal(t, map[string]any{
		"leaseChargeID": sent.TransactionID, "transactionID": sent.TransactionID, "leaseID": "3", "propertyID": "2", "unitID": "3", "accountID": "4",
		"amount": "42.00", "datePosted": "2031-04-10", "description": "Water", "reference": "", "isVoided": "0", "note": "x",
	}, data, "of today, with what is no field")
	require.Contains(t, r.body(api+"/transactions/search?search=water"), `"amount":"42.00"`)

	charge := sent.TransactionID
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease_charge.updated", `{"leaseChargeID":"`+charge+`","amount":"40.00","isVoided":true}`, &sent))
	e := r.webhook()
	require.Equal(t, map[string]any{
		"amount": map[string]any{"old": "42.00", "new": "40.00"}, "isVoided": map[string]any{"old": "0", "new": "1"},
	}, e.body["changes"])
	require.Equal(t, "Water", e.data()["description"])
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/lease_charge.updated", "", &sent))
	require.Equal(t, "1", sent.TransactionID, "the sample's")
	require.Equal(t, map[string]any{"amount": map[string]any{"old": "1850.00", "new": "1900.00"}}, r.webhook().body["changes"])

	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/payment.received", `{"amount":"500.00"}`, &sent))
	data = r.webhook().data()
	require.Equal(t, sent.TransactionID, data["paymentID"])
	require.Equal(t, "1", data["leaseID"])
	require.NotContains(t, data, "leaseChargeID")
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/payment.received", `{"paymentID":"`+sent.TransactionID+`"}`, &sent))
	require.Equal(t, "500.00", r.webhook().data()["amount"], "told again, as it is")

	sent = sandbox.Sent{}
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/invoice.generated", `{"propertyID":2,"amount":"99.50"}`, &sent))
	data = r.webhook().data()
	require.Empty(t, sent.TransactionID)
	require.Equal(t, [4]any{sent.BillID, "2", "99.50", "2031-04-10"}, [4]any{data["invoiceID"], data["propertyID"], data["amount"], data["datePosted"]})
	require.Contains(t, r.body(api+"/bills/"+sent.BillID), `"ledgerID":"1000000002"`)

	for _, wrong := range []string{
		"lease_charge.created {\"leaseID\":99}", "lease_charge.created {\"amount\":\"much\"}", "lease_charge.updated {\"leaseChargeID\":\"9\"}x",
		"payment.received {\"transactionID\":\"999\"}", "invoice.generated {\"billID\":99}", "invoice.generated {\"propertyID\":99}",
	} {
		name, body, _ := strings.Cut(strings.TrimSuffix(wrong, "x"), " ")
		body = strings.Replace(body, `"9"`, `"999999999"`, 1)
		require.Equal(t, http.StatusBadRequest, r.call(http.MethodPost, "/_send/rentvine/"+name, body, nil), wrong)
	}
	require.Empty(t, r.webhooks)
}

func TestMoneyOfAPersonTellsNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	const records = "/_records/rentvine"
	require.Equal(t, http.StatusOK, r.call(http.MethodPut, records+"/transactions/1", `{"isVoided":true}`, nil))
	require.Contains(t, r.body("/rentvine/api/manager/accounting/transactions/search?isVoided=1"), `"transactionID":"1"`)
	var made map[string]string
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, records+"/bills", `{"amount":"12.00"}`, &made))
	require.Equal(t, http.StatusOK, r.call(http.MethodPut, records+"/bills/"+made["bill_id"], `{"isVoided":true}`, nil))
	for path, status := range map[string]int{"/transactions/999": 404, "/bills/999": 404, "/bills/1": 400, "/transactions/1": 400} {
		require.Equal(t, status, r.call(http.MethodPut, records+path, `{"amount":"x"}`, nil), path)
	}
	require.Empty(t, r.webhooks)

	// A write by the API is told.
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/rentvine/api/manager/accounting/leases/2/charges",
		`{"datePosted":"2031-04-10","amount":"7.00","chargeAccountID":3}`, nil))
	e := r.webhook()
	require.Equal(t, "lease_charge.created", e.body["event_type"])
	require.Equal(t, "2", e.data()["leaseID"])
}

// generated is what POST and GET /_generate/books answer.
type generated struct {
	Counts       map[string]int
	Planted      []books.Planted
	Totals       books.Totals
	Sending      bool
	Sent, Failed int
}

func TestBooksAreGeneratedAndSent(t *testing.T) {
	t.Parallel()
	// An ingress that is busy now and then, and takes each event in the end.
	var mu sync.Mutex
	taken, refusals := map[string]string{}, 0
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var e struct {
			EventID   string `json:"event_id"`
			EventType string `json:"event_type"`
		}
		_ = json.NewDecoder(req.Body).Decode(&e)
		mu.Lock()
		defer mu.Unlock()
		if refusals++; refusals%40 == 1 {
			w.WriteHeader([]int{http.StatusServiceUnavailable, http.StatusTooManyRequests}[refusals/40%2])
			return
		}
		taken[e.EventID] = e.EventType
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(ingress.Close)
	r := newRig(t, inSpring, func(c *sandbox.Config) { c.IngressURL = ingress.URL })
	var got generated
	require.Equal(t, http.StatusNotFound, r.call(http.MethodGet, "/_generate/books", "", nil))
	const cfg = `{"seed":5,"leases":12,"duplicates":1,"gaps":1,"outliers":1,"unsure":1,"updated":100,"send":true,"rate":1000}`
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_generate/books", cfg, &got))
	require.Equal(t, 12, got.Counts["leases"])
	require.Equal(t, http.StatusConflict, r.call(http.MethodPost, "/_generate/books", cfg, nil))
	require.Eventually(t, func() bool {
		got = generated{}
		return r.call(http.MethodGet, "/_generate/books", "", &got) == http.StatusOK && !got.Sending
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, got.Counts["events"], got.Sent)
	require.Zero(t, got.Failed)
	mu.Lock()
	require.Len(t, taken, got.Counts["events"])
	names := map[string]int{}
	for _, name := range taken {
		names[name]++
	}
	mu.Unlock()
	require.Equal(t, got.Counts["charges"], names["lease_charge.created"])
	require.Equal(t, got.Counts["payments"], names["payment.received"])
	require.Equal(t, got.Counts["bills"], names["invoice.generated"])
	require.Positive(t, names["lease_charge.updated"])
	require.True(t, strings.HasPrefix(r.body("/_generate/books/statement.csv"), "date,amount,description,reference,balance\n"))
	require.Contains(t, r.body("/_generate/books/statement.ofx"), "<CURDEF>USD")
	for _, bad := range []string{`{"leases":1,"rate":2000}`, `{"leases":1,"to":"2040-01-01"}`, `{"leases":1,"colour":"red"}`, `{}`} {
		require.Equal(t, http.StatusBadRequest, r.call(http.MethodPost, "/_generate/books", bad, nil), bad)
	}
}

func TestBooksThatAreNotSentHaveHappened(t *testing.T) {
	t.Parallel()
	r := newRig(t, inSpring)
	var got generated
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_generate/books", `{"seed":5,"leases":10,"voided":500}`, &got))
	require.False(t, got.Sending)
	require.Contains(t, r.body("/rentvine/api/manager/accounting/transactions/search?isVoided=1&pageSize=1"), `"isVoided":"1"`)
	require.Empty(t, r.webhooks)
	r.Reset()
	require.Equal(t, http.StatusNotFound, r.call(http.MethodGet, "/_generate/books/statement.csv", "", nil))
}

func TestACloseEndsTheSending(t *testing.T) {
	t.Parallel()
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(ingress.Close)
	r := newRig(t, inSpring, func(c *sandbox.Config) { c.IngressURL = ingress.URL })
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_generate/books", `{"leases":3,"send":true}`, nil))
	begun := time.Now()
	stop(t, r.Sandbox)
	require.Less(t, time.Since(begun), 10*time.Second)
}
