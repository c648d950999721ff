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
	"path/filepath"
	"strconv"
	"strings"
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
	// Client holds the data converter of a stack whose payloads are encrypted.
	Client client.Options
}

// Stack is a running "keyholder dev".
type Stack struct {
	// Ingress, Sandbox, UI and Metrics are base URLs; Temporal is host:port.
	Ingress, Sandbox, UI, Metrics, Temporal string
	// Client is connected to the stack's Temporal.
	Client client.Client

	opts Options
	args []string
	dev  *Process
}

// startLimit bounds the start of a stack on a slow machine.
const startLimit = 90 * time.Second

// Start runs a stack and returns when it is up. Stop it. Ports are chosen before
// they are used, so a start that loses one to another program is tried again.
func Start(ctx context.Context, o Options) (s *Stack, err error) {
	for range 3 {
		if s, err = start(ctx, o); err == nil || !strings.Contains(err.Error(), "in use") {
			return s, err
		}
	}
	return nil, err
}

func start(ctx context.Context, o Options) (*Stack, error) {
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
		Metrics: "http://" + local(5) + "/metrics",
	}
	s.args = append(append([]string{"dev", "--data", o.Data}, ports...), o.Args...)
	if err := s.Restart(ctx); err != nil {
		return nil, err
	}
	opts := o.Client
	opts.HostPort, opts.Logger = s.Temporal, log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	var err error
	s.Client, err = client.DialContext(ctx, opts)
	if err != nil {
		return nil, errors.Join(err, s.dev.Stop(10*time.Second))
	}
	return s, nil
}

// Restart runs "keyholder dev" again, on the same ports and data, after it has ended.
func (s *Stack) Restart(ctx context.Context) (err error) {
	if s.dev, err = Run(s.opts.Binary, s.args, s.opts.Env); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := s.dev.WaitFor(ctx, "up in "); err != nil {
		return errors.Join(err, s.dev.Stop(10*time.Second))
	}
	return nil
}

// Stop ends the stack as Ctrl-C does and says what it printed where it took
// longer than 10 seconds or failed.
func (s *Stack) Stop() error {
	s.Client.Close()
	return s.dev.Stop(10 * time.Second)
}

// Output is what the stack has printed so far.
func (s *Stack) Output() string { return s.dev.Output() }

// Binary is the keyholder command.
func (s *Stack) Binary() string { return s.opts.Binary }

// Dev is the process of the stack itself.
func (s *Stack) Dev() *Process { return s.dev }

// Worker runs another worker process beside the stack. Kill or Stop it.
func (s *Stack) Worker(ctx context.Context, env ...string) (*Process, error) {
	return s.beside(ctx, []string{"worker"}, "worker ready", env)
}

// WorkerOf runs a worker process for some task queues. Kill or Stop it.
func (s *Stack) WorkerOf(ctx context.Context, queues []string, env ...string) (*Process, error) {
	return s.beside(ctx, []string{"worker", "--queues", strings.Join(queues, ",")}, "worker ready", env)
}

// IngressBeside runs another ingress process at an address such as
// "127.0.0.1:8081". Kill or Stop it.
func (s *Stack) IngressBeside(ctx context.Context, address string, env ...string) (*Process, error) {
	return s.beside(ctx, []string{"ingress"}, "ingress ready", append(env, "KEYHOLDER_INGRESS_ADDR="+address))
}

// beside runs a part with the settings of the stack; those of env come first.
func (s *Stack) beside(ctx context.Context, command []string, ready string, env []string) (*Process, error) {
	settings, err := s.Settings()
	if err != nil {
		return nil, err
	}
	settings = append(settings, s.opts.Env...)
	settings = append(settings, "KEYHOLDER_METRICS_ADDR=127.0.0.1:0", "KEYHOLDER_LOG_LEVEL=info", "NO_COLOR=1")
	p, err := Run(s.opts.Binary, command, append(settings, env...))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := p.WaitFor(ctx, ready); err != nil {
		return nil, errors.Join(err, p.Stop(5*time.Second))
	}
	return p, nil
}

// Settings is the environment that the stack has left for commands beside it, as
// NAME=value.
func (s *Stack) Settings() ([]string, error) {
	text, err := os.ReadFile(filepath.Join(s.opts.Data, "dev.env"))
	if err != nil {
		return nil, err
	}
	var env []string
	for _, line := range strings.Split(string(text), "\n") {
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			env = append(env, name+"="+strings.Trim(value, "'"))
		}
	}
	return env, nil
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
