// Package e2e runs the built binary as people do, on real ports, and tests the
// whole system through its outer doors: webhooks in, texts and records out.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/aictive/keyholder/cluster"
)

// Options of a stack.
type Options struct {
	// Binary is the keyholder command.
	Binary string
	// Data is the folder of its data.
	Data string
	// Args are added to "keyholder dev".
	Args []string
	// Env is added to the environment, as NAME=value.
	Env []string
}

// Stack is a running "keyholder dev".
type Stack struct {
	// Ingress, Sandbox, UI and Metrics are base URLs; Temporal is host:port.
	Ingress, Sandbox, UI, Metrics, Temporal string
	// Client is connected to the stack's Temporal.
	Client client.Client

	opts Options
	dev  *Process
	// webhookSecret signs as the sandbox's RentVine does.
	webhookSecret string
}

// startLimit bounds the start of a stack on a slow machine.
const startLimit = 90 * time.Second

// Start runs a stack and returns when it is up. Stop it.
func Start(ctx context.Context, o Options) (*Stack, error) {
	var ports []string
	var numbers []int
	for range 6 {
		port, err := cluster.FreePort(ctx)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, port)
	}
	for i, flag := range []string{"--temporal-port", "--ui-port", "--ingress-port", "--sandbox-port", "--smtp-port", "--metrics-port"} {
		ports = append(ports, flag, strconv.Itoa(numbers[i]))
	}
	local := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", numbers[i]) }
	s := &Stack{
		opts: o, Temporal: local(0), UI: "http://" + local(1), Ingress: "http://" + local(2), Sandbox: "http://" + local(3),
		Metrics: "http://" + local(5) + "/metrics", webhookSecret: "dev-rentvine-webhook-secret",
	}
	dev, err := Run(o.Binary, append(append([]string{"dev", "--data", o.Data}, ports...), o.Args...), o.Env)
	if err != nil {
		return nil, err
	}
	s.dev = dev
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := dev.waitFor(ctx, "up in "); err != nil {
		return nil, errors.Join(err, dev.Stop(10*time.Second))
	}
	s.Client, err = client.DialContext(ctx, client.Options{HostPort: s.Temporal, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return nil, errors.Join(err, dev.Stop(10*time.Second))
	}
	return s, nil
}

// Stop ends the stack as Ctrl-C does and says what it printed where it took
// longer than 10 seconds or failed.
func (s *Stack) Stop() error {
	s.Client.Close()
	return s.dev.Stop(10 * time.Second)
}

// Output is what the stack has printed so far.
func (s *Stack) Output() string { return s.dev.Output() }

// Worker runs another worker process beside the stack. Kill or Stop it.
func (s *Stack) Worker(ctx context.Context, env ...string) (*Process, error) {
	settings, err := os.ReadFile(filepath.Join(s.opts.Data, "dev.env"))
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(string(settings), "\n") {
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			env = append(env, name+"="+strings.Trim(value, "'"))
		}
	}
	env = append(env, "KEYHOLDER_METRICS_ADDR=127.0.0.1:0", "KEYHOLDER_LOG_LEVEL=info", "NO_COLOR=1")
	p, err := Run(s.opts.Binary, []string{"worker"}, env)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := p.waitFor(ctx, "worker ready"); err != nil {
		return nil, errors.Join(err, p.Stop(5*time.Second))
	}
	return p, nil
}

// Process is a running command.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error

	mu     sync.Mutex
	output bytes.Buffer
}

// Run starts the command; its output is kept, at most 1 MiB of it.
func Run(binary string, args, env []string) (*Process, error) {
	p := &Process{cmd: exec.Command(binary, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Write keeps output.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.output.Len() < 1<<20 {
		p.output.Write(b)
	}
	return len(b), nil
}

// Output is what the command has printed so far.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process as a crash does.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	<-p.done
	return nil
}

// Stop asks the process to end and kills it after the limit, which is an error.
func (p *Process) Stop(limit time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-p.done:
		if p.err != nil {
			return fmt.Errorf("%w\n%s", p.err, p.Output())
		}
		return nil
	case <-time.After(limit):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("did not stop within %s\n%s", limit, p.Output())
	}
}

// waitFor waits until the process has printed the text.
func (p *Process) waitFor(ctx context.Context, text string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if strings.Contains(p.Output(), text) {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("ended before %q: %w\n%s", text, p.err, p.Output())
		case <-ctx.Done():
			return fmt.Errorf("no %q: %w\n%s", text, ctx.Err(), p.Output())
		}
	}
}

// Get reads JSON from the sandbox.
func (s *Stack) Get(ctx context.Context, path string, into any) error {
	return s.call(ctx, http.MethodGet, path, nil, into)
}

// Put and Post send JSON to the sandbox and read its reply into into, if not nil.
func (s *Stack) Put(ctx context.Context, path string, body, into any) error {
	return s.call(ctx, http.MethodPut, path, body, into)
}

// Post is Put by POST.
func (s *Stack) Post(ctx context.Context, path string, body, into any) error {
	return s.call(ctx, http.MethodPost, path, body, into)
}

func (s *Stack) call(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.Sandbox+path, reader)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if into == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, into)
}
