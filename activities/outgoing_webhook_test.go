package activities

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/aictive/keyholder/clients/partner"
	"github.com/aictive/keyholder/clients/webhook"
)

const (
	signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	olderSecret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"
)

func TestParseSubscribers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]Subscriber{
		"":       nil,
		" ;\n; ": nil,
		"crm https://crm.example.com/hooks?t=a,b " + signingSecret: {
			{Interest: Interest{Name: "crm"}, URL: "https://crm.example.com/hooks?t=a,b", Secrets: []string{signingSecret}},
		},
		"crm https://crm.example.com " + signingSecret + "," + olderSecret + " sale.completed,sale.at_risk;\n  bank-2  http://10.0.0.7:8080/in\t" + olderSecret + ";": {
			{Interest: Interest{Name: "crm", Events: []string{"sale.completed", "sale.at_risk"}}, URL: "https://crm.example.com", Secrets: []string{signingSecret, olderSecret}},
			{Interest: Interest{Name: "bank-2"}, URL: "http://10.0.0.7:8080/in", Secrets: []string{olderSecret}},
		},
	} {
		got, err := ParseSubscribers(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
}

func TestParseSubscribersSaysAllThatIsWrongAndNoSecret(t *testing.T) {
	t.Parallel()
	got, err := ParseSubscribers(strings.Join([]string{
		"CRM https://jane:token@example.com/token token " + signingSecret,
		"crm ftp://example.com/token " + signingSecret + ",," + signingSecret[6:] + " sale.completed,,Sale-Completed",
		"bank https://example.com/token " + olderSecret + " sale..completed",
		"bank https://example.com/token " + strings.Repeat(olderSecret+",", 5) + olderSecret,
		"lone",
		signingSecret + " https://example.com/token crm",
		"spaced https://example.com/token " + signingSecret + ", " + olderSecret,
	}, ";"))
	require.Nil(t, got)
	want := []string{
		"entry 1: the name must be", "entry 1: the address must hold no user name", "entry 1: secret 1: a secret must begin with whsec_", "entry 1: event 1 must be a dotted name",
		"entry 2 (crm): the address must begin with https://", "entry 2 (crm): secret 2: a secret must", "entry 2 (crm): secret 3: a secret must",
		"entry 2 (crm): event 2 must be", "entry 2 (crm): event 3 must be",
		"entry 3 (bank): event 1 must be a dotted name",
		"entry 4 (bank): the name is taken", "entry 4 (bank): it has 6 secrets; at most 5",
		"entry 5 (lone): it must be",
		"entry 6: the name must be", "entry 6: secret 1: a secret must begin",
		"entry 7 (spaced): secret 2: a secret must begin", "entry 7 (spaced): event 1 must",
	}
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, len(want), "%v", err)
	for i, line := range lines {
		require.Contains(t, line, "KEYHOLDER_SUBSCRIBERS, "+want[i])
	}
	for _, private := range []string{"MfKQ9r8G", "token", "jane", "example.com"} {
		require.NotContains(t, err.Error(), private)
	}

	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprintf("s%d https://example.com %s", i, signingSecret))
	}
	_, err = ParseSubscribers(strings.Join(many, ";"))
	require.ErrorContains(t, err, "has 21 entries; at most 20")
	list, err := ParseSubscribers(strings.Join(many[:20], ";"))
	require.NoError(t, err)
	require.Len(t, list, 20)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", list, list, list, list[0]), "whsec_", "a list that is logged tells no secret")
}

func TestSubscribersAreToldOfWhatTheyWant(t *testing.T) {
	t.Parallel()
	require.True(t, Interest{}.Wants("sale.completed"))
	some := Interest{Events: []string{"sale.completed"}}
	require.True(t, some.Wants("sale.completed"))
	require.False(t, some.Wants("sale"))
	require.False(t, some.Wants(""))
}

func TestTheBodyOfAnOutgoingWebhook(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 19, 0, 0, 500, time.FixedZone("", 3600))
	event := OutgoingEvent{ID: "evt_1", Type: "sale.completed", Timestamp: at, Data: json.RawMessage(`{ "n": 12345678901234567890.10, "b": "<&>" }`)}
	body, err := event.body()
	require.NoError(t, err)
	want := []byte(`{"type":"sale.completed","timestamp":"2026-11-21T18:00:00.0000005Z","data":{"n":12345678901234567890.10,"b":"\u003c\u0026\u003e"}}`)
	require.Equal(t, want, body, "to the byte")

	// Whoever retries has the event from its own copy of the input.
	wire, err := json.Marshal(event)
	require.NoError(t, err)
	var back OutgoingEvent
	require.NoError(t, json.Unmarshal(wire, &back))
	again, err := back.body()
	require.NoError(t, err)
	require.Equal(t, body, again)

	event.Data = nil
	body, err = event.body()
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(body), `"data":{}}`))

	for name, change := range map[string]func(*OutgoingEvent){
		"no type":         func(e *OutgoingEvent) { e.Type = "" },
		"a strange type":  func(e *OutgoingEvent) { e.Type = "jane roe" },
		"no time":         func(e *OutgoingEvent) { e.Timestamp = time.Time{} },
		"no JSON":         func(e *OutgoingEvent) { e.Data = json.RawMessage(`{"jane`) },
		"spaces":          func(e *OutgoingEvent) { e.Data = json.RawMessage(`  `) },
		"a list":          func(e *OutgoingEvent) { e.Data = json.RawMessage(`["jane"]`) },
		"a year too many": func(e *OutgoingEvent) { e.Timestamp = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		e := OutgoingEvent{Type: "sale.completed", Timestamp: at}
		change(&e)
		_, err := e.body()
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "jane")
	}
}

func TestPausesBetweenWebhooks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attempt    int32
		asked, min time.Duration
	}{
		{1, 0, time.Second},
		{2, 0, 2 * time.Second},
		{11, 0, 1024 * time.Second},
		{13, 0, time.Hour},
		{1000, 0, time.Hour},
		{1, 7 * time.Second, 7 * time.Second},
		{11, time.Second, 1024 * time.Second},
		{13, 24 * time.Hour, 24 * time.Hour},
	} {
		spread := map[time.Duration]bool{}
		for range 50 {
			got := webhookPause(c.asked, c.attempt)
			require.GreaterOrEqual(t, got, c.min)
			require.Less(t, got, c.min*6/5)
			spread[got] = true
		}
		require.Greater(t, len(spread), 1, "they come back one after the other")
	}
	var tries int
	for elapsed := time.Duration(0); elapsed < PostWebhook.Within; tries++ {
		elapsed += webhookPause(0, int32(tries+1))
	}
	require.Greater(t, tries, 60)
	require.Less(t, tries, 90, "three days of a subscriber that is away cost so many actions")
}

func TestPostingAWebhook(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var bodies []string
	status := http.StatusOK
	crm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Retry-After", "7")
		signed, err := standardwebhooks.NewWebhook(olderSecret)
		mu.Lock()
		defer mu.Unlock()
		if err != nil || signed.Verify(body, r.Header) != nil || r.Header.Get("webhook-id") != "evt_1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		bodies = append(bodies, string(body))
		w.WriteHeader(status)
	}))
	t.Cleanup(crm.Close)
	client := webhook.New(webhook.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, HTTP: partner.HTTPConfig{BreakAfter: 1000}})
	t.Cleanup(client.Close)
	a := New(Config{OutgoingWebhooks: OutgoingWebhooks{Client: client, Subscribers: []Subscriber{
		{Interest: Interest{Name: "crm"}, URL: crm.URL + "/token", Secrets: []string{signingSecret, olderSecret}},
		{Interest: Interest{Name: "stranger"}, URL: crm.URL + "/token", Secrets: []string{signingSecret}},
		{Interest: Interest{Name: "inside"}, URL: "https://10.0.0.1/token", Secrets: []string{signingSecret}},
	}}})
	event := OutgoingEvent{ID: "evt_1", Type: "sale.completed", Timestamp: time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC), Data: json.RawMessage(`{"property_id":"jane"}`)}
	post := func(subscriber string, event OutgoingEvent) *temporal.ApplicationError {
		_, err := a.postWebhook(t.Context(), PostWebhookInput{Subscriber: subscriber, Event: event})
		if err == nil {
			return nil
		}
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		for _, private := range []string{"token", "jane", "MfKQ9r8G"} {
			require.NotContains(t, err.Error(), private)
		}
		return app
	}

	require.Nil(t, post("crm", event))
	status = http.StatusServiceUnavailable
	failed := post("crm", event)
	require.False(t, failed.NonRetryable())
	require.Equal(t, string(partner.Unavailable), failed.Type())
	require.InDelta(t, 7.7*float64(time.Second), float64(failed.NextRetryDelay()), 0.7*float64(time.Second))
	status = http.StatusGone
	failed = post("crm", event)
	require.True(t, failed.NonRetryable())
	require.Contains(t, failed.Error(), "wants no more")
	require.Len(t, bodies, 3)
	require.Equal(t, bodies[0], bodies[2], "the same bytes at every attempt")

	failed = post("stranger", event)
	require.False(t, failed.NonRetryable(), "somebody may put the secret right")
	require.Equal(t, string(partner.Unauthorised), failed.Type())
	failed = post("inside", event)
	require.True(t, failed.NonRetryable())
	require.Contains(t, failed.Error(), "KEYHOLDER_SUBSCRIBERS_ALLOW")
	failed = post("gone", event)
	require.True(t, failed.NonRetryable())
	require.Contains(t, failed.Error(), "KEYHOLDER_SUBSCRIBERS")
	failed = post("crm", OutgoingEvent{ID: "evt.1", Type: "sale.completed", Timestamp: event.Timestamp})
	require.True(t, failed.NonRetryable())
	failed = post("crm", OutgoingEvent{ID: "evt_1"})
	require.True(t, failed.NonRetryable())
	require.Len(t, bodies, 3)
}
