package sandbox_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/aictive/keyholder/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "AC00000000000000000000000000000001"
	ours    = "+12135550100"
	theirs  = "+12135550110"
	secret  = "webhook-secret"
	// saleSecret signs OpenMoove's webhooks.
	saleSecret = "openmoove-secret"
)

// rig is a sandbox and an ingress that notes what reaches it.
type rig struct {
	*sandbox.Sandbox
	t        *testing.T
	base     string
	ingress  string
	webhooks chan event
	sales    chan event
	texts    chan url.Values
	// refuseSales is how many of OpenMoove's webhooks the ingress refuses first.
	refuseSales atomic.Int32
}

type event struct {
	raw       []byte
	signature string
	body      map[string]any
}

func newRig(t *testing.T, settings ...func(*sandbox.Config)) *rig {
	t.Helper()
	r := &rig{t: t, webhooks: make(chan event, 100), sales: make(chan event, 100), texts: make(chan url.Values, 100)}
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, _ := io.ReadAll(req.Body)
		switch req.URL.Path {
		case "/webhooks/rentvine":
			e := event{raw: raw, signature: req.Header.Get("X-RentVine-Signature")}
			_ = json.Unmarshal(raw, &e.body)
			r.webhooks <- e
			w.WriteHeader(http.StatusAccepted)
			_, _ = fmt.Fprint(w, `{"workflow":"work-order/1"}`)
		case "/webhooks/openmoove":
			e := event{raw: raw, signature: req.Header.Get("X-OpenMoove-Signature")}
			_ = json.Unmarshal(raw, &e.body)
			r.sales <- e
			if r.refuseSales.Add(-1) >= 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.WriteHeader(http.StatusAccepted)
			_, _ = fmt.Fprint(w, `{"workflow":"sale/1"}`)
		case "/webhooks/twilio/message":
			form, _ := url.ParseQuery(string(raw))
			form.Set("signature", req.Header.Get("X-Twilio-Signature"))
			r.texts <- form
			_, _ = fmt.Fprint(w, `<Response><Message>Thank you. Details: http://127.0.0.1/a/token.</Message></Response>`)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(func() {
		ingress.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	r.ingress = ingress.URL
	r.start(settings...)
	return r
}

// start begins a life of the sandbox that ends with the test, if not before.
func (r *rig) start(settings ...func(*sandbox.Config)) {
	r.t.Helper()
	cfg := sandbox.Config{
		HTTPAddr: "127.0.0.1:0", SMTPAddr: "127.0.0.1:0", IngressURL: r.ingress,
		RentVineWebhookSecret: secret, TwilioAuthToken: "12345", TwilioAccountSID: account, TwilioNumber: ours,
		RentVineKey: "key", RentVineSecret: "api-secret", OpenMooveWebhookSecret: saleSecret, TextPace: time.Millisecond,
		People: map[string]string{theirs: "Grace <Lindqvist>"},
	}
	for _, set := range settings {
		set(&cfg)
	}
	s, err := sandbox.New(cfg)
	require.NoError(r.t, err)
	require.NoError(r.t, s.Start(r.t.Context()))
	r.t.Cleanup(func() { stop(r.t, s) })
	r.Sandbox, r.base = s, "http://"+s.HTTPAddr()
}

// stop closes a sandbox; a second time is nothing.
func stop(t *testing.T, s *sandbox.Sandbox) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(t, s.Close(ctx))
}

// call makes a request and returns the status and the body, which is decoded
// into the value if there is one.
func (r *rig) call(method, path, body string, into any) int {
	r.t.Helper()
	res, err := r.do(method, path, body)
	require.NoError(r.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	if into != nil {
		require.NoError(r.t, json.Unmarshal(raw, into), "%s", raw)
	}
	return res.StatusCode
}

func (r *rig) do(method, path, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, strings.NewReader(body))
	require.NoError(r.t, err)
	switch {
	case strings.HasPrefix(path, "/twilio"):
		req.SetBasicAuth(account, "12345")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case strings.HasPrefix(path, "/rentvine"):
		req.SetBasicAuth("key", "api-secret")
	case strings.HasPrefix(path, "/openmoove"):
		req.Header.Set("X-API-KEY", "om_dev")
		req.Header.Set("Content-Type", "application/json")
	}
	return http.DefaultClient.Do(req)
}

func (r *rig) text(body string) int {
	r.t.Helper()
	return r.call(http.MethodPost, "/twilio/2010-04-01/Accounts/"+account+"/Messages.json",
		url.Values{"From": {ours}, "To": {theirs}, "Body": {body}}.Encode(), nil)
}

func (r *rig) webhook() event {
	r.t.Helper()
	return next(r.t, r.webhooks)
}

func next[T any](t *testing.T, from chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(5 * time.Second):
		require.FailNow(t, "nothing reached the ingress")
		panic("unreachable")
	}
}

func TestNewNamesAllThatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := sandbox.New(sandbox.Config{IngressURL: "http://127.0.0.1"})
	require.ErrorContains(t, err, "RentVineWebhookSecret")
	require.ErrorContains(t, err, "TwilioNumber")
	require.NotContains(t, err.Error(), "IngressURL")
}

func TestATakenPortIsNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other, err := sandbox.New(sandbox.Config{
		HTTPAddr: r.HTTPAddr(), SMTPAddr: "127.0.0.1:0", IngressURL: "http://127.0.0.1", RentVineWebhookSecret: "s",
		TwilioAuthToken: "t", TwilioAccountSID: "a", TwilioNumber: ours, RentVineKey: "k", RentVineSecret: "s",
	})
	require.NoError(t, err)
	require.ErrorContains(t, other.Start(t.Context()), r.HTTPAddr())
	require.NoError(t, other.Close(t.Context()))
}

func TestSendSignsASampleAboutARecordOfItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var sent sandbox.Sent
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/work_order.created", `{"description":"No heat"}`, &sent))
	require.Equal(t, http.StatusAccepted, sent.Status)
	require.NotEmpty(t, sent.WorkOrderID)
	require.Equal(t, map[string]any{"workflow": "work-order/1"}, sent.Body)
	e := r.webhook()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(e.raw)
	require.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), e.signature)
	data := e.body["data"].(map[string]any)
	require.Equal(t, sent.WorkOrderID, data["workOrderID"])
	require.Equal(t, "No heat", data["description"])
	var record map[string]map[string]any
	require.Equal(t, http.StatusOK, r.call(http.MethodGet, "/rentvine/api/manager/maintenance/work-orders/"+sent.WorkOrderID, "", &record))
	require.Equal(t, "No heat", record["workOrder"]["description"])

	var again sandbox.Sent
	r.call(http.MethodPost, "/_send/rentvine/work_order.created", "", &again)
	require.NotEqual(t, sent.WorkOrderID, again.WorkOrderID)
	require.NotEqual(t, e.body["event_id"], r.webhook().body["event_id"])

	var given sandbox.Sent
	r.call(http.MethodPost, "/_send/rentvine/work_order.created.live", `{"workOrderID": 900}`, &given)
	require.Equal(t, "900", given.WorkOrderID)
	require.Equal(t, "900", r.webhook().body["event"].(map[string]any)["objectID"])

	require.Equal(t, http.StatusNotFound, r.call(http.MethodPost, "/_send/rentvine/no.such", "", nil))
	require.Equal(t, http.StatusBadRequest, r.call(http.MethodPost, "/_send/rentvine/lease.created", "[1]", nil))
}

func TestAStatusChangedByHandIsTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var made map[string]string
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_records/rentvine/work-orders", `{"description":"Dripping tap","propertyID":"1"}`, &made))
	path := "/_records/rentvine/work-orders/" + made["work_order_id"] + "/status"
	require.Equal(t, http.StatusNotFound, r.call(http.MethodPut, path, `{"status":"Nonsense"}`, nil))
	require.Equal(t, http.StatusOK, r.call(http.MethodPut, path, `{"status":"Completed"}`, nil))
	e := r.webhook()
	require.Equal(t, "work_order.updated", e.body["event_type"])
	require.Equal(t, made["work_order_id"], e.body["data"].(map[string]any)["workOrderID"])
	require.Contains(t, e.body["changes"], "workOrderStatusID")
	require.NotContains(t, e.body["data"], "userID")

	// A write by the API is told too.
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/rentvine/api/manager/maintenance/work-orders/"+made["work_order_id"], `{"vendorInstructions":"Ring twice"}`, nil))
	require.Contains(t, r.webhook().body["changes"], "vendorInstructions")
}

func TestAWorkOrderIsReopenedByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var sent sandbox.Sent
	require.Equal(t, http.StatusOK, r.call(http.MethodPost, "/_send/rentvine/work_order.created.tap", "", &sent))
	e := r.webhook()
	require.Equal(t, "work_order.created", e.body["event_type"])
	require.Contains(t, e.body["data"].(map[string]any)["description"], "tap is leaking")
	path := "/_records/rentvine/work-orders/" + sent.WorkOrderID + "/status"
	for status, primary := range map[string]string{"Merged": "5", "Completed": "3"} {
		require.Equal(t, http.StatusOK, r.call(http.MethodPut, path, `{"status":"`+status+`"}`, nil))
		require.Equal(t, primary, r.webhook().body["data"].(map[string]any)["primaryWorkOrderStatusID"])
		require.Equal(t, http.StatusOK, r.call(http.MethodPut, path, `{"status":"In Progress"}`, nil))
		e := r.webhook()
		require.Equal(t, "2", e.body["data"].(map[string]any)["primaryWorkOrderStatusID"])
		require.Equal(t, map[string]any{"old": primary, "new": "2"}, e.body["changes"].(map[string]any)["primaryWorkOrderStatusID"])
	}
}

func TestAMoveOutRecordedByHandIsTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const path = "/_records/rentvine/leases/1/move-out"
	require.Equal(t, http.StatusNotFound, r.call(http.MethodPut, "/_records/rentvine/leases/99/move-out", `{}`, nil))
	require.Equal(t, http.StatusNotFound, r.call(http.MethodPut, path, `{"date":"tomorrow"}`, nil))
	require.Equal(t, http.StatusBadRequest, r.call(http.MethodPut, path, `{"day":"2026-11-20"}`, nil))
	require.Equal(t, http.StatusOK, r.call(http.MethodPut, path, `{"date":"2026-11-20"}`, nil))
	e := r.webhook()
	require.Equal(t, "lease.updated", e.body["event_type"])
	data := e.body["data"].(map[string]any)
	require.Equal(t, "1", data["leaseID"])
	require.Equal(t, "2026-11-20", data["moveOutDate"])
	require.NotContains(t, data, "userID")
	require.Equal(t, map[string]any{"old": "2", "new": "3"}, e.body["changes"].(map[string]any)["primaryLeaseStatusID"])
	require.Contains(t, r.body("/"), `data-move-out`)
	require.Contains(t, r.body("/rentvine/api/manager/leases/export?leaseIDs[]=1"), `"isActive":"0"`)
	require.Contains(t, r.body("/rentvine/api/manager/leases/export?leaseIDs[]=2"), `"isActive":"1"`)
}

func TestCallsAreNotedWithoutCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, http.StatusCreated, r.text("hello"))
	r.call(http.MethodGet, "/rentvine/api/manager/properties?page=1", "", nil)
	var calls []map[string]any
	require.Equal(t, http.StatusOK, r.call(http.MethodGet, "/_calls?partner=twilio", "", &calls))
	require.Len(t, calls, 1)
	require.Equal(t, "POST", calls[0]["method"])
	require.EqualValues(t, 201, calls[0]["status"])
	require.Contains(t, calls[0]["body"], "Body=hello")
	require.Contains(t, calls[0]["path"], "/Messages.json")
	r.call(http.MethodGet, "/_calls", "", &calls)
	require.Len(t, calls, 2)
	require.NotContains(t, fmt.Sprint(calls), "Basic")
	require.Equal(t, http.StatusNotFound, r.call(http.MethodGet, "/_calls?partner=nobody", "", nil))
}

func TestFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	set := func(body string) {
		require.Equal(t, http.StatusOK, r.call(http.MethodPut, "/_faults/twilio", body, nil), body)
	}
	path := "/twilio/2010-04-01/Accounts/" + account + "/Messages.json"

	set(`{"status":503,"times":2,"retry_after":"1500ms"}`)
	res, err := r.do(http.MethodGet, path, "")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 503, res.StatusCode)
	require.Equal(t, "2", res.Header.Get("Retry-After"))
	require.Equal(t, 503, r.text("one"))
	require.Equal(t, 201, r.text("two"), "the fault has ended by itself")

	set(`{"reset_after_commit":true,"method":"POST"}`)
	res, err = r.do(http.MethodPost, path, url.Values{"From": {ours}, "To": {theirs}, "Body": {"three"}}.Encode())
	if err == nil {
		_ = res.Body.Close()
	}
	require.Error(t, err)
	var list struct{ Messages []map[string]any }
	require.Equal(t, 200, r.call(http.MethodGet, path, "", &list), "reads are spared")
	require.Equal(t, "three", list.Messages[0]["body"], "it was carried out")

	set(`{"malformed_body":true}`)
	res, err = r.do(http.MethodGet, path, "")
	require.NoError(t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Error(t, json.Unmarshal(raw, &list))

	set(`{"latency":"120ms"}`)
	begun := time.Now()
	require.Equal(t, 201, r.text("four"))
	require.GreaterOrEqual(t, time.Since(begun), 120*time.Millisecond)

	var all map[string]sandbox.Fault
	r.call(http.MethodGet, "/_faults", "", &all)
	require.Equal(t, map[string]sandbox.Fault{"twilio": {Latency: "120ms"}}, all)
	require.Equal(t, http.StatusNoContent, r.call(http.MethodDelete, "/_faults/twilio", "", nil))
	r.call(http.MethodGet, "/_faults", "", &all)

	set(`{"delivery":"undelivered","times":1}`)
	require.Equal(t, 201, r.text("five"))
	require.Eventually(t, func() bool {
		var messages []map[string]any
		r.call(http.MethodGet, "/_messages", "", &messages)
		return messages[len(messages)-1]["status"] == "undelivered"
	}, 5*time.Second, 5*time.Millisecond)
}

func TestAFaultMustMakeSense(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for path, body := range map[string]string{
		"/_faults/nobody":    `{"status":503}`,
		"/_faults/twilio":    `{"statsu":503}`,
		"/_faults/rentvine":  `{"delivery":"undelivered"}`,
		"/_faults/rentvine?": `{}`,
		"/_faults/twilio?1":  `{"status":503,"rate":2}`,
		"/_faults/twilio?2":  `{"latency":"2h"}`,
		"/_faults/twilio?3":  `{"status":99}`,
		"/_faults/smtp":      `{"status":250}`,
		"/_faults/smtp?1":    `{"malformed_body":true}`,
		"/_faults/openmoove": `{"delivery":"undelivered"}`,
	} {
		require.Equal(t, http.StatusBadRequest, r.call(http.MethodPut, path, body, nil), body)
	}
}

func TestResetAndDuplicates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.text("same")
	r.text("same")
	var count map[string]int
	r.call(http.MethodGet, "/_duplicates", "", &count)
	require.Equal(t, map[string]int{"twilio": 1, "rentvine": 0, "openmoove": 0, "quickbooks": 0, "smtp": 0}, count)
	require.Equal(t, http.StatusNoContent, r.call(http.MethodPost, "/_reset", "", nil))
	r.call(http.MethodGet, "/_duplicates", "", &count)
	require.Equal(t, map[string]int{"twilio": 0, "rentvine": 0, "openmoove": 0, "quickbooks": 0, "smtp": 0}, count)
	for _, path := range []string{"/_messages", "/_mails", "/_calls"} {
		var list []any
		require.Equal(t, 200, r.call(http.MethodGet, path, "", &list))
		require.NotNil(t, list, "an empty list, not null")
		require.Empty(t, list)
	}
}

func TestAnotherSitesPageCannotPressButtons(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.base+"/_reset", bytes.NewReader(nil))
	require.NoError(t, err)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusForbidden, res.StatusCode)
}
