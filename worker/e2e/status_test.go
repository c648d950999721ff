package e2e_test

import (
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// statusLine is a check of "keyholder status --json".
type statusLine struct {
	Name  string `json:"name"`
	Level string `json:"level"`
	Says  string `json:"says"`
	Do    string `json:"do"`
	Link  string `json:"link"`
}

// readStatus runs "keyholder status --json" beside a stack. The lines are by name; of several
// of one name the last is kept.
func readStatus(t *testing.T, s *e2e.Stack) (lines map[string]statusLine, code int) {
	t.Helper()
	env, err := s.Settings()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), keyholder(), "status", "--json", "--timeout", "60s")
	cmd.Env = append(cmd.Environ(), env...)
	said, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	var found struct {
		Checks []statusLine `json:"checks"`
	}
	require.NoError(t, json.Unmarshal(said, &found), string(said))
	lines = map[string]statusLine{}
	for _, c := range found.Checks {
		lines[c.Name] = c
	}
	return lines, cmd.ProcessState.ExitCode()
}

// statusUntil reads the status until it is as wanted.
func statusUntil(t *testing.T, s *e2e.Stack, limit time.Duration, what string, wanted func(lines map[string]statusLine, code int) bool) map[string]statusLine {
	t.Helper()
	var lines map[string]statusLine
	var code int
	for end := time.Now().Add(limit); ; time.Sleep(time.Second) {
		lines, code = readStatus(t, s)
		if wanted(lines, code) {
			return lines
		}
		if time.Now().After(end) {
			require.Failf(t, "the status is not as wanted", "%s: exit %d, %+v", what, code, lines)
		}
	}
}

// The status is 0 while all is well, and else names what needs somebody: queues that nobody
// serves, a missed promise, a parked event, messages that are held back.
func TestStatusNamesWhatNeedsSomebody(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t), "--day", "10m", "--without", "worker"}})
	lines, code := readStatus(t, s)
	require.Equal(t, 1, code)
	require.Equal(t, "bad", lines["queue keyholder"].Level)
	require.Contains(t, lines["queue keyholder-rentvine"].Says, "no worker takes its activity tasks")
	require.Contains(t, lines["queue keyholder"].Says, "no worker takes its")
	require.Contains(t, lines["queue keyholder"].Do, "keyholder worker")

	worker(t, s)
	lines = statusUntil(t, s, 2*time.Minute, "all is well", func(_ map[string]statusLine, code int) bool { return code == 0 })
	for _, name := range []string{"temporal", "namespace", "queue keyholder", "deployment", "workflows", "emergencies", "promises", "parked events", "stuck work", "failed work", "schedules", "store", "comparison", "openmoove calls", "messages", "quickbooks"} {
		require.Equal(t, "ok", lines[name].Level, "%s: %+v", name, lines[name])
	}

	id := emergency(t, s, nil)
	held(t, s, "status", durable.Event{Source: "rentvine", Type: "unknown.created", EntityID: "1", Key: "rentvine:status", Data: json.RawMessage(`{}`)}, time.Hour)
	outbound(t, s, "pause")
	lines = statusUntil(t, s, 2*time.Minute, "three lines", func(lines map[string]statusLine, code int) bool {
		return code == 1 && lines["promises"].Level == "look" && lines["emergencies"].Level == "look" && lines["parked events"].Level == "look" && lines["messages"].Level == "look"
	})
	require.Contains(t, lines["promises"].Says, maintenance.WorkOrderID(id))
	require.Contains(t, lines["emergencies"].Says, maintenance.WorkOrderID(id))
	require.Contains(t, lines["parked events"].Says, "1 waits for somebody, the oldest for 1h")
	require.Contains(t, lines["parked events"].Link, "/namespaces/default/workflows?query=")
	outbound(t, s, "resume")
}

// outbound holds back messages, or lets them leave.
func outbound(t *testing.T, s *e2e.Stack, what string) {
	t.Helper()
	env, err := s.Settings()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), keyholder(), "outbound", what)
	cmd.Env = append(cmd.Environ(), env...)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))
}

// Where Temporal cannot be reached, that is a line, and the store is asked all the same.
func TestStatusWithoutTemporal(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	env, err := s.Settings()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), keyholder(), "status", "--timeout", "20s")
	cmd.Env = append(append(cmd.Environ(), env...), "TEMPORAL_ADDRESS=127.0.0.1:1")
	said, err := cmd.Output()
	require.Error(t, err)
	require.Equal(t, 1, cmd.ProcessState.ExitCode())
	require.Regexp(t, `(?m)^bad +temporal +cannot be reached`, string(said))
	require.Regexp(t, `(?m)^ok +store `, string(said))
	require.Regexp(t, `(?m)^ok +messages `, string(said))

	wrong := exec.CommandContext(t.Context(), keyholder(), "status", "--timeout", "1ms")
	require.Error(t, wrong.Run())
	require.Equal(t, 2, wrong.ProcessState.ExitCode())
}
