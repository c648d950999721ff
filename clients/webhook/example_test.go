package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/aictive/keyholder/clients/webhook"
)

// A receiver on this machine is told of one event.
func ExampleClient_Post() {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("webhook-id"), "is signed:", r.Header.Get("webhook-signature") != "")
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()

	client := webhook.New(webhook.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer client.Close()
	err := client.Post(context.Background(), webhook.Delivery{
		URL:     receiver.URL,
		Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		ID:      "evt_1",
		Body:    []byte(`{"type":"sale.completed","timestamp":"2026-11-21T18:00:00Z","data":{}}`),
	})
	fmt.Println(err)
	// Output:
	// evt_1 is signed: true
	// <nil>
}
