package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// temporalOf is the process id of the stack's Temporal.
func temporalOf(t *testing.T, s *e2e.Stack) int {
	t.Helper()
	parent := strconv.Itoa(s.Dev().PID())
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skipf("looks for processes in /proc: %v", err)
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue
		}
		// "pid (name) state parent ..."
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == parent && bytes.Contains(stat, []byte("(temporal)")) {
			return pid
		}
	}
	require.Fail(t, "the stack has no temporal process")
	return 0
}

func suspend(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
}

func resume(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
}

func kill(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
}

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }, 10*time.Second, 20*time.Millisecond, "process %d", pid)
}

// command runs keyholder to its end and returns what it said and its exit code.
func command(t *testing.T, env []string, args ...string) (said string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, keyholder(), args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		require.NoError(t, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestDevNamesTheTakenPort(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	port := taken.Addr().(*net.TCPAddr).Port
	flags := []string{"--temporal-port", "--ui-port", "--sandbox-port", "--smtp-port", "--ingress-port", "--metrics-port"}
	for _, flag := range flags {
		args := []string{"dev", "--data", t.TempDir(), flag, strconv.Itoa(port)}
		for _, other := range flags {
			if other != flag {
				args = append(args, other, "0")
			}
		}
		said, code := command(t, nil, args...)
		require.Equal(t, 2, code, said)
		require.Contains(t, said, fmt.Sprintf("port %d", port))
		require.Contains(t, said, flag)
	}
}

// What waits goes on after a stop and a second start on the same data, both quick;
// the data keeps its clock; nothing is left behind, not even by a killed parent.
func TestDevStopsAndStartsAgain(t *testing.T) {
	t.Parallel()
	needTemporal(t)
	o := e2e.Options{Binary: keyholder(), Data: t.TempDir(), Args: []string{"--policy", steady(t)}}
	s, err := e2e.Start(t.Context(), o)
	require.NoError(t, err)
	server := temporalOf(t, s)
	id := emergency(t, s, nil)
	asked := page(t, s, alma, 1)
	until(t, s, id, maintenance.StagePaging)
	for _, door := range []string{s.Ingress, s.Sandbox} {
		// A browser keeps connections ready that carry nothing yet.
		spare, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(door, "http://"))
		require.NoError(t, err)
		defer func() { _ = spare.Close() }()
	}
	began := time.Now()
	require.NoError(t, s.Stop())
	require.Less(t, time.Since(began), 10*time.Second)
	gone(t, server)

	said, code := command(t, nil, "dev", "--data", o.Data, "--day", "10m", "--temporal-port", "0", "--ui-port", "0",
		"--sandbox-port", "0", "--smtp-port", "0", "--ingress-port", "0", "--metrics-port", "0")
	require.Equal(t, 2, code, said)
	require.Contains(t, said, "give --day 24h0m0s, or start afresh with --data FOLDER or --ephemeral")

	began = time.Now()
	s, err = e2e.Start(t.Context(), o)
	require.NoError(t, err)
	require.Less(t, time.Since(began), 10*time.Second)
	server = temporalOf(t, s)
	d, err := s.Describe(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, maintenance.StagePaging, d.Stage)
	require.Contains(t, reply(t, s, asked.To, "1"), "you are on it")
	until(t, s, id, maintenance.StageDispatching)

	require.NoError(t, s.Dev().Kill())
	s.Client.Close()
	gone(t, server)
}

func TestSetupChecksAndPrepares(t *testing.T) {
	t.Parallel()
	s := start(t, e2e.Options{})
	env := []string{"TEMPORAL_ADDRESS=" + s.Temporal}
	said, code := command(t, env, "setup", "--check")
	require.Zero(t, code, said)
	require.Contains(t, said, "is ready")

	env = append(env, "TEMPORAL_NAMESPACE=second")
	said, code = command(t, env, "setup", "--check")
	require.Equal(t, 1, code, said)
	said, code = command(t, env, "setup")
	require.Zero(t, code, said)
	require.Eventually(t, func() bool { said, code = command(t, env, "setup", "--check"); return code == 0 }, soon, 500*time.Millisecond, said)

	said, code = command(t, []string{"TEMPORAL_ADDRESS=127.0.0.1:1"}, "setup", "--check")
	require.Equal(t, 1, code, said)
	require.Contains(t, said, "127.0.0.1:1")
}

func TestVerifyReplaysFoldersAndOpenWorkflows(t *testing.T) {
	t.Parallel()
	said, code := command(t, nil, "verify", histories)
	require.Zero(t, code, said)
	require.Regexp(t, `replayed [1-9]\d* histories`, said)

	said, code = command(t, nil, "verify", t.TempDir())
	require.Equal(t, 1, code, said)
	require.Contains(t, said, "holds no histories")

	broken := t.TempDir()
	text, err := os.ReadFile(filepath.Join(histories, "maintenance.work_order", "life_safety.json"))
	require.NoError(t, err)
	text = bytes.ReplaceAll(text, []byte(`"messages.send"`), []byte(`"messages.send_twice"`))
	require.NoError(t, os.WriteFile(filepath.Join(broken, "broken.json"), text, 0o600))
	said, code = command(t, nil, "verify", broken)
	require.Equal(t, 1, code, said)
	require.Contains(t, said, "broken.json")
	require.Contains(t, said, "messages.send_twice")

	said, code = command(t, nil, "verify")
	require.Equal(t, 2, code, said)

	s := start(t, e2e.Options{Args: []string{"--policy", steady(t)}})
	until(t, s, emergency(t, s, nil), maintenance.StagePaging)
	require.Eventually(t, func() bool {
		said, code = command(t, []string{"TEMPORAL_ADDRESS=" + s.Temporal}, "verify", "--open")
		return code == 0 && regexp.MustCompile(`replayed [2-9] running workflows`).MatchString(said)
	}, soon, 500*time.Millisecond, said)
}
