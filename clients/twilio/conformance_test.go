package twilio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/twilio"
	stand "github.com/aictive/keyholder/sandbox/twilio"
)

// rig is the client, the stand-in, and an ingress that verifies and remembers.
type rig struct {
	client  *twilio.Client
	stand   *stand.Server
	api     *httptest.Server
	ingress *httptest.Server
	posts   chan url.Values
	// twiml is what the ingress answers to an inbound text.
	twiml    atomic.Value
	delivery atomic.Value
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{posts: make(chan url.Values, 100)}
	r.twiml.Store("<Response/>")
	r.delivery.Store(stand.Delivered)
	r.ingress = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !assertForm(t, req) || !twilio.ValidSignature([]string{"12345"}, "https://keyholder.example"+req.URL.RequestURI(), req.PostForm, req.Header.Get(twilio.SignatureHeader)) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		select {
		case r.posts <- req.PostForm:
		case <-req.Context().Done():
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprint(w, r.twiml.Load())
	}))
	t.Cleanup(r.ingress.Close)
	r.stand = stand.New(stand.Config{
		AccountSID: account, AuthToken: "12345", Number: ours,
		IngressURL: r.ingress.URL, PublicURL: "https://keyholder.example", Pace: time.Millisecond,
		Delivery: func() stand.Delivery { return r.delivery.Load().(stand.Delivery) },
	})
	t.Cleanup(r.stand.Close)
	r.api = httptest.NewServer(http.StripPrefix("/twilio", r.stand))
	t.Cleanup(r.api.Close)
	r.client = twilio.New(twilio.Config{
		AccountSID: account, AuthToken: "12345", BaseURL: r.api.URL + "/twilio/", From: ours,
		StatusCallbackURL: "https://keyholder.example/webhooks/twilio/status?k=1",
	})
	return r
}

func assertForm(t *testing.T, r *http.Request) bool {
	t.Helper()
	return r.Method == http.MethodPost && r.ParseForm() == nil
}

func (r *rig) next(t *testing.T) url.Values {
	t.Helper()
	select {
	case v := <-r.posts:
		return v
	case <-time.After(5 * time.Second):
		require.FailNow(t, "nothing signed reached the ingress")
		return nil
	}
}

func ExampleClient_Send() {
	server := stand.New(stand.Config{AccountSID: account, AuthToken: "12345", Number: ours})
	defer server.Close()
	api := httptest.NewServer(server)
	defer api.Close()
	client := twilio.New(twilio.Config{AccountSID: account, AuthToken: "12345", BaseURL: api.URL, From: ours})

	begun := time.Now()
	message, err := client.Send(context.Background(), theirs, "Water leak at 12 Elm St. Reply 1 if you are on it.", "")
	fmt.Println(message.Status, err)
	found, ok, err := client.Find(context.Background(), theirs, "Water leak at 12 Elm St. Reply 1 if you are on it.", begun)
	fmt.Println(ok, found.SID == message.SID, err)
	// Output:
	// queued <nil>
	// true true <nil>
}

func TestSendIsReportedBySignedCallbacks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m, err := r.client.Send(t.Context(), theirs, "hello", "")
	require.NoError(t, err)
	require.Regexp(t, `^SM[0-9a-f]{32}$`, m.SID)
	require.Equal(t, "queued", m.Status)
	for _, status := range []string{"sent", "delivered"} {
		form := r.next(t)
		require.Equal(t, status, form.Get("MessageStatus"))
		require.Equal(t, m.SID, form.Get("MessageSid"))
		require.Equal(t, theirs, form.Get("To"))
	}
	found, ok, err := r.client.Find(t.Context(), theirs, "hello", time.Now())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, twilio.Message{SID: m.SID, Status: "delivered"}, found)
}

func TestUndeliveredAndUnordered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.delivery.Store(stand.Undelivered)
	_, err := r.client.Send(t.Context(), theirs, "one", "")
	require.NoError(t, err)
	require.Equal(t, "sent", r.next(t).Get("MessageStatus"))
	last := r.next(t)
	require.Equal(t, "undelivered", last.Get("MessageStatus"))
	require.Equal(t, "30003", last.Get("ErrorCode"))

	r.delivery.Store(stand.Unordered)
	_, err = r.client.Send(t.Context(), theirs, "two", "https://keyholder.example/other")
	require.NoError(t, err)
	require.Equal(t, "delivered", r.next(t).Get("MessageStatus"))
	require.Equal(t, "sent", r.next(t).Get("MessageStatus"))
}

func TestRefusalsOfTheStandIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for to, want := range map[string]struct {
		kind partner.Kind
		code string
	}{
		"020 7946 0018": {partner.Invalid, "21211"},
		"+15005550001":  {partner.Invalid, "21211"},
		"+15005550002":  {partner.Invalid, "21612"},
		"+15005550004":  {partner.OptedOut, "21610"},
		"+15005550009":  {partner.Invalid, "21614"},
	} {
		_, err := r.client.Send(t.Context(), to, "hello", "")
		var e *partner.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, want.kind, e.Kind, to)
		require.Equal(t, want.code, e.Code)
	}
	stranger := twilio.New(twilio.Config{AccountSID: account, AuthToken: "wrong", BaseURL: r.api.URL + "/twilio", From: ours})
	_, err := stranger.Send(t.Context(), theirs, "hello", "")
	require.Equal(t, partner.Unauthorised, partner.KindOf(err))
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.twiml.Store("<Response><Message>You will hear no more.</Message></Response>")
	reply, err := r.stand.Inbound(t.Context(), theirs, "", " stop ")
	require.NoError(t, err)
	require.Contains(t, reply, "unsubscribed", "the ingress's own words no longer reach the person")
	form := r.next(t)
	require.Equal(t, "STOP", form.Get("OptOutType"))
	require.Equal(t, " stop ", form.Get("Body"))
	_, err = r.client.Send(t.Context(), theirs, "hello", "")
	require.Equal(t, partner.OptedOut, partner.KindOf(err))

	_, err = r.stand.Inbound(t.Context(), theirs, "", "START")
	require.NoError(t, err)
	require.Equal(t, "START", r.next(t).Get("OptOutType"))
	_, err = r.client.Send(t.Context(), theirs, "hello", "")
	require.NoError(t, err)
}

func TestInboundIsAnsweredByTwiML(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.twiml.Store(`<?xml version="1.0"?><Response><Message><Body>Thank you &amp; good luck</Body></Message></Response>`)
	reply, err := r.stand.Inbound(t.Context(), theirs, "", "1")
	require.NoError(t, err)
	require.Equal(t, "Thank you & good luck", reply)
	form := r.next(t)
	require.Equal(t, "1", form.Get("Body"))
	require.Equal(t, ours, form.Get("To"))
	require.Empty(t, form.Get("OptOutType"))

	r.twiml.Store("not xml")
	_, err = r.stand.Inbound(t.Context(), theirs, "", "1")
	require.ErrorContains(t, err, "TwiML")
}

func TestFindReadsPagesAndHonoursSince(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, err := r.client.Send(t.Context(), theirs, "the first", "")
	require.NoError(t, err)
	for i := range 250 {
		_, err := r.client.Send(t.Context(), theirs, fmt.Sprint("another ", i), "https://keyholder.example/silent")
		require.NoError(t, err)
		if i%20 == 0 {
			for len(r.posts) > 0 {
				<-r.posts
			}
		}
	}
	found, ok, err := r.client.Find(t.Context(), theirs, "the first", time.Now())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, first.SID, found.SID)
	_, ok, err = r.client.Find(t.Context(), theirs, "never sent", time.Now())
	require.NoError(t, err)
	require.False(t, ok)
	_, ok, err = r.client.Find(t.Context(), theirs, "the first", time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.False(t, ok)
	_, ok, err = r.client.Find(t.Context(), "+15550109999", "the first", time.Now())
	require.NoError(t, err)
	require.False(t, ok)
}

func TestDuplicatesAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, body := range []string{"a", "a", "b", "a"} {
		_, err := r.client.Send(t.Context(), theirs, body, "")
		require.NoError(t, err)
	}
	require.Equal(t, 2, r.stand.Duplicates())
	r.stand.Reset()
	require.Zero(t, r.stand.Duplicates())
}

func TestTheResourceIsTheContracts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m, err := r.client.Send(t.Context(), theirs, "hello", "")
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.api.URL+"/twilio/2010-04-01/Accounts/"+account+"/Messages/"+m.SID+".json", nil)
	require.NoError(t, err)
	req.SetBasicAuth(account, "12345")
	res, err := r.api.Client().Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var got map[string]any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&got))
	for _, field := range []string{
		"sid", "account_sid", "api_version", "body", "date_created", "date_updated", "date_sent", "direction", "error_code",
		"error_message", "from", "to", "messaging_service_sid", "num_media", "num_segments", "price", "price_unit", "status", "uri", "subresource_uris",
	} {
		require.Contains(t, got, field)
	}
	require.Equal(t, "outbound-api", got["direction"])
	_, err = time.Parse(time.RFC1123Z, got["date_created"].(string))
	require.NoError(t, err)
}
