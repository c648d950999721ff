package e2e_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// personal is what must not be read by others: names, phones, mails, addresses and
// words of the people in this story.
func personal() []string {
	return []string{
		"Tara", "Tenant", "Alma", "Castillo", "Okafor", "Lindqvist", "Maria", "Fixit", "@example.com",
		"5550101", "555-0101", "5550142", "5550143", "5550131", "5550140", "Elm Street", "90026",
		"spraying", "kitchen", "Reply 1", "Harbor Homes", "sister",
	}
}

// With a payload key, neither Temporal's history nor a log holds anything personal,
// however much is logged and however much goes wrong.
func TestNothingPersonalInHistoriesAndLogs(t *testing.T) {
	t.Parallel()
	key := "k1:" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("e2e-", 8)))
	keys, err := cluster.ParseKeys(key)
	require.NoError(t, err)
	data, failures := keys.Converters()
	s := start(t, e2e.Options{
		Args: []string{"--without", "worker,ingress", "--policy", steady(t)}, Env: []string{"KEYHOLDER_PAYLOAD_KEYS=" + key},
		Client: client.Options{DataConverter: data, FailureConverter: failures},
	})
	door, err := s.IngressBeside(t.Context(), strings.TrimPrefix(s.Ingress, "http://"), "KEYHOLDER_LOG_LEVEL=debug")
	require.NoError(t, err)
	t.Cleanup(func() { _ = door.Kill() }) // where the test did not come to its end
	hosts := worker(t, s, "KEYHOLDER_LOG_LEVEL=debug")

	require.NoError(t, s.Fault(t.Context(), "twilio", map[string]any{"status": 503, "times": 2}))
	id := emergency(t, s, nil)
	asked := page(t, s, alma, 1)
	reply(t, s, alma, "2 sorry, I am at my sister's")
	require.NoError(t, s.Fault(t.Context(), "rentvine", map[string]any{"malformed_body": true, "method": "POST", "times": 2}))
	said, err := s.AnswerLink(t.Context(), link(t, page(t, s, ben, 1)), "acknowledge", "with my sister, in the kitchen")
	require.NoError(t, err)
	require.Contains(t, said.Body, "you are on it")
	answer(t, s, id, "EMERGENCY JOB", maria, "accept")
	answer(t, s, id, "Reply 1 when you are there", maria, "on_site")
	answer(t, s, id, "reply 1 when #", maria, "done")
	until(t, s, id, maintenance.StageRepaired)
	refusedNumber(t, s)
	closed(t, s, id)

	wire, err := proto.Marshal(exported(t, s, maintenance.WorkOrderID(id)))
	require.NoError(t, err)
	described, err := s.Client.DescribeWorkflowExecution(t.Context(), maintenance.WorkOrderID(id), "")
	require.NoError(t, err)
	info, err := proto.Marshal(described)
	require.NoError(t, err)
	require.NoError(t, door.Stop(10*time.Second))
	require.NoError(t, hosts.Stop(10*time.Second))
	_, token, _ := strings.Cut(link(t, asked), "/a/")
	for place, text := range map[string]string{
		"history": string(wire), "description": string(info), "ingress log": door.Output(), "worker log": hosts.Output(),
	} {
		require.NotEmpty(t, text, place)
		require.Less(t, len(text), 1<<20, "%s was cut", place)
		for _, secret := range append(personal(), token, "dev-twilio-token", "rv_dev_secret", "dev-link-key", "dev-rentvine-webhook-secret") {
			require.NotContains(t, text, secret, place)
		}
	}
	require.Contains(t, hosts.Output(), "DEBUG")
}

// refusedNumber lets somebody unknown write, with words that nobody asked for.
func refusedNumber(t *testing.T, s *e2e.Stack) {
	t.Helper()
	require.Contains(t, reply(t, s, "+12135550199", "My name is Tara Tenant, the kitchen is flooded"), "no open question")
}

// The search above would find what is there: without a key it is.
func TestPersonalDataIsFoundWithoutAKey(t *testing.T) {
	t.Parallel()
	file, err := os.Open(filepath.Join(histories, maintenance.WorkOrderName, "acknowledged_and_repaired.json"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	history, err := client.HistoryFromJSON(file, client.HistoryJSONOptions{})
	require.NoError(t, err)
	plain, err := proto.Marshal(history)
	require.NoError(t, err)
	for _, secret := range []string{"Tara", "Alma", "Fixit", "@example.com", "5550101", "Elm Street", "spraying", "Reply 1"} {
		require.Contains(t, string(plain), secret)
	}
}
