package docs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// blockLimit bounds one try of a block.
	blockLimit = 3 * time.Minute
	// upLimit bounds the start of "keyholder dev", which may have to build first.
	upLimit = 5 * time.Minute
	// downLimit bounds its end.
	downLimit = time.Minute
	// between is the pause between two tries of a block that waits.
	between = time.Second
)

// startsDev finds a block that starts "keyholder dev", which goes on until the next one.
var startsDev = regexp.MustCompile(`^([A-Z_]+=\S+ +)*(make dev|(bin/)?keyholder dev)\b`)

// TestEveryCommandOfTheDocumentationRuns runs each block of language sh as it stands, page by
// page, in a copy of the repository, beside the "keyholder dev" that the page has started.
func TestEveryCommandOfTheDocumentationRuns(t *testing.T) {
	if os.Getenv("KEYHOLDER_DOCS_CHECK") == "" {
		t.Skip("runs all commands of the documentation, on the default ports: make docs-check")
	}
	requirePorts(t)
	s := newScratch(t)
	for _, p := range pages(t) {
		t.Run(p.path, func(t *testing.T) {
			began := time.Now()
			run := &running{scratch: s}
			t.Cleanup(func() {
				run.stopDev(t)
				s.clear(t)
			})
			if p.beside != "" {
				run.startDev(t, p.path, p.beside)
			}
			ran := 0
			for _, b := range p.blocks {
				at := fmt.Sprintf("%s:%d", p.path, b.line)
				switch {
				case b.language != "sh":
				case b.notRun != "":
					t.Logf("not run: %s: %s", at, b.notRun)
				case startsDev.MatchString(b.text):
					ran++
					run.startDev(t, at, b.text)
				default:
					ran++
					run.block(t, at, b)
				}
			}
			t.Logf("%d blocks in %s", ran, time.Since(began).Round(time.Second))
		})
	}
}

// requirePorts refuses to begin where a port of "keyholder dev" is taken.
func requirePorts(t *testing.T) {
	t.Helper()
	for _, port := range []int{7233, 8233, 8080, 8090, 1025, 9090} {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		require.NoError(t, err, "the documentation's commands need the default ports: end the \"keyholder dev\" or whatever else listens on %d", port)
		require.NoError(t, listener.Close())
	}
}

// notHanded begin the variables that would make the commands do other than for a newcomer: our
// own, Temporal's and OpenTelemetry's, and what the make that runs this test has set.
var notHanded = []string{"KEYHOLDER_", "TEMPORAL_", "OTEL_", "MAKE", "MFLAGS", "ARGS=", "VERSION=", "PATH="}

// scratch is a copy of the repository, so that nothing of the developer's is touched.
type scratch struct {
	dir string
	env []string
}

func newScratch(t *testing.T) *scratch {
	t.Helper()
	s := &scratch{dir: t.TempDir()}
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	require.NoError(t, err, "the copy has the files that git knows")
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		copyFile(t, filepath.Join(root, name), filepath.Join(s.dir, name))
	}
	ensure := exec.CommandContext(t.Context(), "tools/temporal/ensure")
	ensure.Dir, ensure.Stderr = root, os.Stderr
	temporal, err := ensure.Output()
	require.NoError(t, err)
	temporalPath := strings.TrimSpace(string(temporal))
	bin := filepath.Join(s.dir, "bin")
	require.NoError(t, os.MkdirAll(bin, 0o755))
	require.NoError(t, os.Symlink(temporalPath, filepath.Join(bin, "temporal")))
	s.env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc(notHanded, func(name string) bool { return strings.HasPrefix(v, name) })
	})
	s.env = append(s.env, "PATH="+bin+":"+os.Getenv("PATH"), "KEYHOLDER_TEMPORAL_BIN="+temporalPath)
	build := s.command(t.Context(), "make build")
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return s
}

// copyFile leaves out what git knows and somebody has removed.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	require.NoError(t, err)
	text, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(t, os.WriteFile(to, text, info.Mode().Perm()))
}

// command runs lines as a shell would, in a group of its own that ends with ctx.
func (s *scratch) command(ctx context.Context, lines string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", lines)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// clear removes the data of a page, so that the next one begins afresh.
func (s *scratch) clear(t *testing.T) {
	t.Helper()
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, ".data")))
}

// running is what a page has started.
type running struct {
	*scratch
	dev     *exec.Cmd
	ended   chan error
	unguard func()
	output  string
}

// block runs one block, once or until it succeeds.
func (r *running) block(t *testing.T, at string, b block) {
	t.Helper()
	began := time.Now()
	var problem string
	for {
		problem = r.try(t.Context(), b)
		if problem == "" || time.Since(began) >= b.waits {
			break
		}
		time.Sleep(between)
	}
	require.Empty(t, problem, "%s:\n%s\nlog of keyholder dev:\n%s", at, b.text, r.devSaid())
	t.Logf("%s: %s", at, time.Since(began).Round(time.Millisecond))
}

// try says what is wrong with one run of a block, "" where nothing is.
func (r *running) try(ctx context.Context, b block) string {
	ctx, cancel := context.WithTimeout(ctx, blockLimit)
	defer cancel()
	var said bytes.Buffer
	cmd := r.command(ctx, b.text)
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, tail(said.String()))
	}
	for _, text := range b.prints {
		if !strings.Contains(said.String(), text) {
			return fmt.Sprintf("%q is not in the output:\n%s", text, tail(said.String()))
		}
	}
	return ""
}

// startDev starts "keyholder dev" in place of the one that runs, and waits until it is up.
func (r *running) startDev(t *testing.T, at, line string) {
	t.Helper()
	require.NotContains(t, strings.TrimSpace(line), "\n", "%s: \"keyholder dev\" goes on until it is ended, so it stands alone in its block", at)
	r.stopDev(t)
	r.output = filepath.Join(t.TempDir(), "dev.log")
	file, err := os.Create(r.output)
	require.NoError(t, err)
	r.dev = r.command(context.WithoutCancel(t.Context()), strings.TrimSpace(line))
	r.dev.Stdout, r.dev.Stderr = file, file
	require.NoError(t, r.dev.Start())
	r.unguard = guard(t, r.dev.Process.Pid)
	ended := make(chan error, 1)
	go func(dev *exec.Cmd) { ended <- dev.Wait(); _ = file.Close() }(r.dev)
	r.ended = ended
	for began := time.Now(); !strings.Contains(r.devSaid(), "up in"); time.Sleep(between / 5) {
		select {
		case err := <-ended:
			r.dev = nil
			r.unguard()
			require.Fail(t, "keyholder dev has ended", "%s: %v\n%s", at, err, r.devSaid())
		default:
		}
		require.Less(t, time.Since(began), upLimit, "%s: keyholder dev is not up\n%s", at, r.devSaid())
	}
}

// stopDev ends it as Ctrl-C does.
func (r *running) stopDev(t *testing.T) {
	t.Helper()
	if r.dev == nil {
		return
	}
	group := -r.dev.Process.Pid
	r.dev = nil
	_ = syscall.Kill(group, syscall.SIGINT)
	// make may end before what it has started.
	for began := time.Now(); syscall.Kill(group, 0) == nil; time.Sleep(between / 5) {
		if time.Since(began) > downLimit {
			_ = syscall.Kill(group, syscall.SIGKILL)
			r.unguard()
			require.Fail(t, "keyholder dev does not end", "%s", r.devSaid())
		}
	}
	<-r.ended
	r.unguard()
	for _, trouble := range []string{"panic:", "DATA RACE"} {
		require.NotContains(t, r.devSaid(), trouble)
	}
}

// guard ends a process group when this test ends before it, however that comes about: neither
// Ctrl-C nor the time limit of "go test" lets a test clean up. The pipe closes with its holder.
func guard(t *testing.T, group int) (unguard func()) {
	t.Helper()
	ours, its, err := os.Pipe()
	require.NoError(t, err)
	lines := fmt.Sprintf("read -r _; kill -INT -- -%[1]d && sleep 15 && kill -KILL -- -%[1]d", group)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "bash", "-c", lines)
	cmd.Stdin = ours
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = errors.Join(ours.Close(), its.Close())
	}
}

// devSaid is the end of what "keyholder dev" has printed.
func (r *running) devSaid() string {
	file, err := os.Open(r.output)
	if err != nil {
		return ""
	}
	defer file.Close()
	const most = 256 << 10
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return err.Error()
	}
	return tail(string(text))
}

// tail keeps what a reader of a failure needs.
func tail(text string) string {
	const most = 6000
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}
