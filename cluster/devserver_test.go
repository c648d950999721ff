package cluster_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
)

func TestDevServerServesWebUI(t *testing.T) {
	t.Parallel()
	server := devServer(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.UIURL(), nil)
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// A second start on the same file finds what the first one kept.
func TestDevServerKeepsItsFile(t *testing.T) {
	t.Parallel()
	needTemporal(t)
	o := cluster.DevServerOptions{DBFile: filepath.Join(t.TempDir(), "temporal.db"), LogFile: filepath.Join(t.TempDir(), "temporal.log"), LogLevel: "info"}
	for round := range 2 {
		server, err := cluster.StartDevServer(t.Context(), o)
		require.NoError(t, err)
		c, err := cluster.Dial(t.Context(), cluster.Options{Address: server.Address(), Plain: true})
		require.NoError(t, err)
		if round == 0 {
			_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "kept", TaskQueue: "nobody"}, "nothing")
		} else {
			_, err = c.DescribeWorkflowExecution(t.Context(), "kept", "")
		}
		require.NoError(t, err)
		c.Close()
		require.NoError(t, server.Stop(t.Context()))
		require.NoError(t, server.Stop(t.Context()), "stopping twice is harmless")
		require.NoError(t, cluster.ProbePort(t.Context(), "Temporal", server.Port()))
	}
	log, err := os.ReadFile(o.LogFile)
	require.NoError(t, err)
	require.NotEmpty(t, log)
}

func TestDevServerNamesTakenPorts(t *testing.T) {
	t.Parallel()
	var ports []int
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	// A binary that cannot run shows that nothing was started.
	_, err := cluster.StartDevServer(t.Context(), cluster.DevServerOptions{Binary: "/nowhere/temporal", Port: ports[0], UIPort: ports[1]})
	var taken *cluster.PortTakenError
	require.ErrorAs(t, err, &taken)
	require.Equal(t, ports[0], taken.Port)
	require.ErrorContains(t, err, "port "+strconv.Itoa(ports[0])+", needed for Temporal, is in use")
	require.ErrorContains(t, err, "port "+strconv.Itoa(ports[1])+", needed for Temporal's Web UI, is in use")
}

func TestDevServerThatCannotStart(t *testing.T) {
	t.Parallel()
	_, err := cluster.StartDevServer(t.Context(), cluster.DevServerOptions{Binary: "/nowhere/temporal"})
	require.ErrorIs(t, err, os.ErrNotExist)

	needTemporal(t)
	_, err = cluster.StartDevServer(t.Context(), cluster.DevServerOptions{DBFile: filepath.Join(t.TempDir(), "no", "such", "folder", "db")})
	require.ErrorContains(t, err, "ended while starting")
	require.ErrorContains(t, err, "no such", "the server's own words are quoted")
}

func TestDevServerIsKilledWhenItDoesNotEnd(t *testing.T) {
	t.Parallel()
	needTemporal(t)
	server, err := cluster.StartDevServer(t.Context(), cluster.DevServerOptions{})
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(server.PID(), syscall.SIGSTOP), "a stopped process does not hear SIGTERM")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, server.Stop(ctx), "had to be killed")
	<-server.Done()
	requireGone(t, server.PID())
}

const holdVariable = "KEYHOLDER_TEST_HOLD"

// hold is the parent that the next test kills: it starts a server, says its
// process id, and waits for ever.
func hold() int {
	server, err := cluster.StartDevServer(context.Background(), cluster.DevServerOptions{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("pid", server.PID(), server.Port())
	<-server.Done()
	return 0
}

func TestKilledParentLeavesNoServer(t *testing.T) {
	t.Parallel()
	needTemporal(t)
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), holdVariable+"=1")
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	var pid, port int
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	_, err = fmt.Sscanf(line, "pid %d %d", &pid, &port)
	require.NoError(t, err, line)
	require.NoError(t, syscall.Kill(pid, 0), "the server runs")

	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	requireGone(t, pid)
	require.Eventually(t, func() bool { return cluster.ProbePort(t.Context(), "Temporal", port) == nil }, 10*time.Second, 20*time.Millisecond)
}

// requireGone waits until the process has ended; one that nobody has reaped yet
// counts as ended.
func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		if runtime.GOOS == "linux" {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err != nil || strings.Contains(string(stat), ") Z ")
		}
		return syscall.Kill(pid, 0) != nil
	}, 10*time.Second, 20*time.Millisecond)
}
