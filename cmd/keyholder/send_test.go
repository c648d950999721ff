package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/ingress"
	"github.com/aictive/keyholder/sandbox/samples"
)

// delivered is what an ingress was sent.
type delivered struct {
	path   string
	header http.Header
	body   []byte
}

// receive is an ingress that takes everything and keeps it.
func receive(t *testing.T) (url string, got chan delivered) {
	got = make(chan delivered, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- delivered{r.URL.Path, r.Header, body}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func TestSendOpenMoove(t *testing.T) {
	t.Parallel()
	url, got := receive(t)
	c := command{t: t, dir: t.TempDir(), settings: map[string]string{
		"KEYHOLDER_PUBLIC_URL": url, "KEYHOLDER_RENTVINE_WEBHOOK_SECRET": "rentvine's", "KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET": "newest,older",
	}}
	send := func(args ...string) map[string]any {
		t.Helper()
		s := c.run(append([]string{"send", "openmoove"}, args...)...)
		require.NoError(t, s.failed)
		d := <-got
		require.Equal(t, "/webhooks/openmoove", d.path)
		verifier, err := ingress.NewVerifier(ingress.SourceOpenMoove, ingress.Signature{Secrets: secrets([]string{"newest"})})
		require.NoError(t, err)
		_, err = verifier.Verify(d.header, d.body, time.Now())
		require.NoError(t, err)
		require.NotEmpty(t, d.header.Get("X-OpenMoove-Signature"))
		var body map[string]any
		require.NoError(t, json.Unmarshal(d.body, &body))
		return body
	}
	for _, event := range samples.OpenMooveNames() {
		body := send(event)
		require.Equal(t, event, body["event"])
		at, err := time.Parse(time.RFC3339Nano, body["timestamp"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), at, time.Minute)
		require.EqualValues(t, 1, body["data"].(map[string]any)["property_id"])
		require.NotEqual(t, body["timestamp"], send(event)["timestamp"], "each one is a new event")
	}
	data := send("property.created")["data"].(map[string]any)
	require.Contains(t, data, "property")
	data = send("property.created", "--set", "data.property_id=2")["data"].(map[string]any)
	require.Equal(t, map[string]any{"property_id": 2.0}, data, "the description is property 1's")
	data = send("property.milestone.updated", "--set", "data.property_id=2", "--set", "data.milestone.completed=true")["data"].(map[string]any)
	require.EqualValues(t, 2, data["property_id"])
	require.Equal(t, true, data["milestone"].(map[string]any)["completed"])
	require.Equal(t, map[string]any{"a": 1.0}, send(c.file("any.json", `{"a":1}`)), "a file is sent as it is")

	for _, args := range [][]string{{"openmoove", "work_order.created"}, {"rentvine", "property.milestone.created"}, {"nobody", "property.created"}} {
		require.ErrorAs(t, c.run(append([]string{"send"}, args...)...).failed, new(usageError), "%v", args)
	}
	c.settings["KEYHOLDER_OPENMOOVE_WEBHOOK_SECRET"] = ""
	require.ErrorAs(t, c.run("send", "openmoove", "property.created").failed, new(usageError), "nothing to sign with")
}
