package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// repo is the root of the repository, seen from this package.
const repo = "../.."

// TestMain builds the program once, unless KEYHOLDER_BIN names one that was built
// before, and leaves its place in that variable.
func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	binary := os.Getenv("KEYHOLDER_BIN")
	if binary == "" {
		dir, err := os.MkdirTemp("", "keyholder-e2e-")
		if err != nil {
			return 1, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "keyholder")
		build := exec.Command("go", "build", "-o", binary, "./cmd/keyholder")
		build.Dir, build.Env = repo, append(os.Environ(), "CGO_ENABLED=0")
		if said, err := build.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("go build: %w\n%s", err, said)
		}
	} else if !filepath.IsAbs(binary) {
		binary = filepath.Join(repo, binary)
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return 1, err
	}
	if err := os.Setenv("KEYHOLDER_BIN", binary); err != nil {
		return 1, err
	}
	// The program runs in folders from which bin/temporal is not found.
	if found, err := temporal(); err == nil {
		if err := os.Setenv(cluster.BinaryVariable, found); err != nil {
			return 1, err
		}
	}
	return m.Run(), nil
}

func keyholder() string { return os.Getenv("KEYHOLDER_BIN") }

// temporal is the binary that all stacks run.
var temporal = sync.OnceValues(cluster.FindTemporal)

// needTemporal skips where there is no Temporal to run.
func needTemporal(t *testing.T) {
	t.Helper()
	if _, err := temporal(); err != nil {
		t.Skipf("needs Temporal's dev server: %v", err)
	}
}

// start runs a stack until the end of the test.
func start(t *testing.T, o e2e.Options) *e2e.Stack {
	t.Helper()
	needTemporal(t)
	o.Binary = keyholder()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	s, err := e2e.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("the stack did not stop cleanly: %v", err)
		}
		if t.Failed() {
			t.Logf("the stack said:\n%s", s.Output())
		}
	})
	return s
}

// worker runs a worker beside a stack until the end of the test.
func worker(t *testing.T, s *e2e.Stack, env ...string) *e2e.Process {
	t.Helper()
	w, err := s.Worker(t.Context(), env...)
	require.NoError(t, err)
	t.Cleanup(func() {
		select {
		case <-w.Done():
		default:
			if err := w.Stop(10 * time.Second); err != nil {
				t.Errorf("the worker did not stop cleanly: %v", err)
			}
		}
		if t.Failed() {
			t.Logf("a worker said:\n%s", w.Output())
		}
	})
	return w
}

// steady is the built-in policy with one on-call team, alma before ben, in both
// portfolios and no quiet hours, so that a test does not depend on the day. The
// changes are pairs of old and new text.
func steady(t *testing.T, changes ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repo, "policy", "policy.yaml"))
	require.NoError(t, err)
	policy := string(text)
	changes = append([]string{
		"      - [alma, ben]\n      - [ben, chloe]\n      - [chloe, alma]\n", "      - [alma, ben]\n",
		"        - [ivan, june]\n        - [june, ivan]\n", "        - [alma, ben]\n",
		"quiet_hours: {from: 21:00, to: 08:00}", "quiet_hours: {from: 00:00, to: 00:00}",
	}, changes...)
	for i := 0; i < len(changes); i += 2 {
		require.Contains(t, policy, changes[i])
		policy = strings.Replace(policy, changes[i], changes[i+1], 1)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte(policy), 0o600))
	return path
}

// The phones of the policy and of the sandbox's tenants.
const (
	alma    = "+12135550142"
	ben     = "+12135550143"
	omar    = "+12135550141"
	grace   = "+12135550140"
	maria   = "+12135550131"
	tenant1 = "+12135550101"
	tenant2 = "+15035550102"
	tenant3 = "+15035550103"
)

// soon is how long something may take that should happen at once, on a machine
// that is busy with other tests.
const soon = 40 * time.Second

// pages are the texts that ask an on-call person, all or one person's.
func pages(t *testing.T, s *e2e.Stack, to string) []e2e.Text {
	t.Helper()
	texts, err := s.Texts(t.Context(), to)
	require.NoError(t, err)
	var found []e2e.Text
	for _, text := range texts {
		if strings.Contains(text.Body, "Reply 1 = on it") {
			found = append(found, text)
		}
	}
	return found
}

// page waits for the n-th page to a person.
func page(t *testing.T, s *e2e.Stack, to string, n int) e2e.Text {
	t.Helper()
	var found []e2e.Text
	require.Eventually(t, func() bool { found = pages(t, s, to); return len(found) >= n }, 2*soon, 25*time.Millisecond, "page %d to %s", n, to)
	return found[n-1]
}

// text waits for a text.
func text(t *testing.T, s *e2e.Stack, contains, to string) e2e.Text {
	t.Helper()
	found, err := s.WaitForText(t.Context(), contains, to, soon)
	require.NoError(t, err)
	return found
}

// reply answers a text and returns what is said back.
func reply(t *testing.T, s *e2e.Stack, from, body string) string {
	t.Helper()
	said, err := s.AnswerText(t.Context(), from, body)
	require.NoError(t, err)
	return said
}

// emergency reports a burst pipe.
func emergency(t *testing.T, s *e2e.Stack, data map[string]any) string {
	t.Helper()
	id, err := s.Emergency(t.Context(), data)
	require.NoError(t, err)
	return id
}

// noDuplicates asserts that no partner was told anything twice.
func noDuplicates(t *testing.T, s *e2e.Stack) {
	t.Helper()
	counts, err := s.Duplicates(t.Context())
	require.NoError(t, err)
	require.Len(t, counts, 5)
	for partner, n := range counts {
		require.Zero(t, n, "duplicates at %s", partner)
	}
}

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// contains tells whether the timeline says so.
func contains(d maintenance.Description, what string) bool {
	return slices.ContainsFunc(d.Timeline, func(e maintenance.Entry) bool { return e.What == what })
}
