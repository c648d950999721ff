package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
	"github.com/aictive/keyholder/sandbox/subscriber"
)

const outSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func subscribed(c *sandbox.Config) { c.SubscriberSecret = outSecret }

// publish delivers an outgoing webhook as Keyholder does, and returns the status, 0 where
// the line was dropped, and where it was redirected to.
func (r *rig) publish(path, id, body string) (status int, location string) {
	r.t.Helper()
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(outSecret, "whsec_"))
	require.NoError(r.t, err)
	now := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	_, _ = io.WriteString(mac, id+"."+now+"."+body)
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.base+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", now)
	req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode, res.Header.Get("Location")
}

func (r *rig) received() (out []subscriber.Webhook) {
	r.t.Helper()
	require.Equal(r.t, 200, r.call(http.MethodGet, "/_webhooks", "", &out))
	return out
}

func TestOutgoingWebhooksAreReceived(t *testing.T) {
	t.Parallel()
	r := newRig(t, subscribed)
	require.JSONEq(t, `[]`, r.body("/_webhooks"))
	const body = `{"type":"sale.milestone_completed","timestamp":"2031-03-03T09:00:00Z","data":{"property_id":7}}`
	status, _ := r.publish("/subscriber/crm", "msg_1", body)
	require.Equal(t, 204, status)

	// Faults strike as at every partner.
	fault := func(f string) { require.Equal(t, 200, r.call(http.MethodPut, "/_faults/subscriber", f, nil), f) }
	fault(`{"status":503,"times":1}`)
	status, _ = r.publish("/subscriber/crm", "msg_2", body)
	require.Equal(t, 503, status)
	require.Len(t, r.received(), 1)
	fault(`{"reset_after_commit":true,"times":1}`)
	status, _ = r.publish("/subscriber/crm", "msg_2", body)
	require.Zero(t, status)
	fault(`{"latency":"120ms","times":1}`)
	begun := time.Now()
	status, _ = r.publish("/subscriber/crm", "msg_2", body)
	require.Equal(t, 204, status)
	require.GreaterOrEqual(t, time.Since(begun), 120*time.Millisecond)
	got := r.received()
	require.Len(t, got, 2)
	require.Equal(t, 1, got[0].Deliveries)
	require.Equal(t, 2, got[1].Deliveries, "what was taken before the line dropped counts")

	require.Equal(t, 401, r.call(http.MethodPost, "/subscriber/crm", body, nil))
	require.Equal(t, 405, r.call(http.MethodGet, "/subscriber/crm", "", nil), "a redirect that was followed ends here")
	var calls []sandbox.Call
	require.Equal(t, 200, r.call(http.MethodGet, "/_calls?partner=subscriber", "", &calls))
	var statuses []int
	for _, c := range calls {
		statuses = append(statuses, c.Status)
	}
	require.Equal(t, []int{204, 503, 204, 204, 401, 405}, statuses)
	require.NotContains(t, fmt.Sprint(calls), "v1,", "signatures are not kept")

	status, location := r.publish("/subscriber-redirect/crm", "msg_3", body)
	require.Equal(t, 302, status)
	require.Equal(t, "/subscriber/crm", location)
	require.Len(t, r.received(), 2)

	require.Equal(t, 204, r.call(http.MethodPost, "/_reset", "", nil))
	require.Empty(t, r.received())
}

func TestTheSubscribersSecret(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	status, _ := r.publish("/subscriber/crm", "msg_1", `{}`)
	require.Equal(t, 404, status, "no secret, no receiver")
	require.Contains(t, r.body("/"), "started without a secret")
	_, err := sandbox.New(sandbox.Config{
		IngressURL: "http://127.0.0.1", RentVineWebhookSecret: "s", TwilioAuthToken: "t", TwilioAccountSID: "a", TwilioNumber: ours,
		RentVineKey: "k", RentVineSecret: "s", SubscriberSecret: "hunter2",
	})
	require.ErrorContains(t, err, `SubscriberSecret: the secret begins with "whsec_"`)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestThePageShowsTheLastWebhooks(t *testing.T) {
	t.Parallel()
	r := newRig(t, subscribed)
	require.Contains(t, r.body("/"), "None yet.")
	for i := range 25 {
		status, _ := r.publish("/subscriber/crm", fmt.Sprintf("msg_%d", i), fmt.Sprintf(`{"type":"sale.<b>changed</b>","data":{"n":%d}}`, i))
		require.Equal(t, 204, status)
	}
	page := r.body("/")
	require.Equal(t, 20, strings.Count(page, `<tr data-key="outgoing crm msg_`))
	require.Contains(t, page, "sale.&lt;b&gt;changed")
	require.Contains(t, page, "crm msg_24")
	require.NotContains(t, page, `crm msg_4"`)
	require.Contains(t, page, "The newest 20 of 25")
}
