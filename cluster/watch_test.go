//go:build unix

package cluster

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The shell that watches over a server on systems without a parent-death signal
// is tested on all.
func startWatched(t *testing.T, script string) (cmd *exec.Cmd, out *bufio.Reader, release func()) {
	t.Helper()
	cmd, release, err := watched("/bin/sh", "-c", script)
	require.NoError(t, err)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		ignore(killGroup(cmd.Process))
		release()
	})
	return cmd, bufio.NewReader(pipe), release
}

func TestWatchedEndsWithItsParent(t *testing.T) {
	t.Parallel()
	cmd, out, release := startWatched(t, `trap '' TERM; echo ready; exec sleep 60`)
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	release() // what a dying parent does to the pipe
	done := make(chan error, 1)
	go func() {
		_, _ = io.Copy(io.Discard, out)
		done <- cmd.Wait()
	}()
	select {
	case err := <-done:
		require.Error(t, err)
		require.Equal(t, 128+int(syscall.SIGKILL), cmd.ProcessState.ExitCode())
	case <-time.After(10 * time.Second):
		t.Fatal("the watched process outlives its parent")
	}
}

func TestWatchedHandsTermOn(t *testing.T) {
	t.Parallel()
	cmd, out, release := startWatched(t, `trap 'echo orderly; exit 3' TERM; echo ready; while :; do sleep 0.05; done`)
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(out)
	require.NoError(t, err)
	require.Equal(t, "orderly", strings.TrimSpace(string(rest)))
	require.Error(t, cmd.Wait())
	require.Equal(t, 3, cmd.ProcessState.ExitCode())
	release()
	require.ErrorIs(t, cmd.Process.Signal(syscall.SIGTERM), os.ErrProcessDone)
}
