package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox"
)

// bookkeeper is a sandbox whose events go to an ingress, and a command beside it.
func bookkeeper(t *testing.T, ingressURL string) command {
	t.Helper()
	s, err := sandbox.New(sandbox.Config{
		HTTPAddr: "127.0.0.1:0", SMTPAddr: "127.0.0.1:0", IngressURL: ingressURL, RentVineWebhookSecret: "s", TwilioAuthToken: "t",
		TwilioAccountSID: "AC1", TwilioNumber: "+12135550100", RentVineKey: "k", RentVineSecret: "s",
	})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return command{t: t, dir: t.TempDir(), settings: map[string]string{
		"KEYHOLDER_PUBLIC_URL": ingressURL, "KEYHOLDER_RENTVINE_WEBHOOK_SECRET": "s",
		"KEYHOLDER_RENTVINE_URL": "http://" + s.HTTPAddr() + "/rentvine/api/manager",
	}}
}

func TestBooksAreSent(t *testing.T) {
	t.Parallel()
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(ingress.Close)
	c := bookkeeper(t, ingress.URL)
	file := filepath.Join(c.dir, "bank.ofx")
	s := c.run("send", "rentvine", "books", "--count", "300", "--seed", "9", "--rate", "1000", "--gaps", "1", "--statement", file)
	require.NoError(t, s.failed)
	require.Contains(t, s.out.String(), "       1 missing_payment\n")
	require.Contains(t, s.out.String(), "       2 duplicate_charge\n")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "<OFX>")
	require.NoError(t, c.run("send", "rentvine", "lease_charge.created", "--set", "data.amount=5.00").failed)
	require.ErrorContains(t, c.run("send", "rentvine", "lease_charge.created", "--set", "data.amount=many").failed, "amount must be")
	require.ErrorContains(t, c.run("send", "rentvine", "books", "--count", "0").failed, "count or leases must be given")
	c.settings["KEYHOLDER_RENTVINE_URL"] = "https://acme.rentvine.com/api/manager"
	require.ErrorAs(t, c.run("send", "rentvine", "books").failed, new(usageError), "never in a real account")
}

func TestBooksThatAreRefusedAreSaid(t *testing.T) {
	t.Parallel()
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(ingress.Close)
	s := bookkeeper(t, ingress.URL).run("send", "rentvine", "books", "--count", "150", "--rate", "1000", "--outliers", "0", "--unsure", "0", "--gaps", "0", "--duplicates", "0")
	require.ErrorContains(t, s.failed, "events were not taken")
}
