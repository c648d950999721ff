package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/workflows/durable"
)

const (
	// startFor bounds how long a dev server may take until it answers.
	startFor = 60 * time.Second
	// killAfter is how long Close waits for an orderly end.
	killAfter = 5 * time.Second
	// tailSize is how much of the server's output an error quotes at most.
	tailSize = 4 << 10
)

// DevServerOptions say which Temporal dev server to run.
type DevServerOptions struct {
	// Binary is Temporal's command line tool; "" asks FindTemporal.
	Binary string
	// DBFile keeps the workflows between runs (SQLite); "" keeps them in memory.
	DBFile string
	// Port and UIPort are where the server and the Web UI listen on the loopback
	// interface; 0 means a free one.
	Port, UIPort int
	// Namespace is created at the start; "" means "default".
	Namespace string
	// LogFile receives the server's own log, appended; "" drops it.
	LogFile string
	// LogLevel is debug, info, warn, error or never; "" means warn.
	LogLevel string
}

// DevServer is a running Temporal dev server. It is in a process group of its
// own, so that Ctrl-C in a terminal reaches only us and we stop it in order, and
// it ends when we are killed.
type DevServer struct {
	namespace    string
	port, uiPort int
	process      *os.Process
	tail         *tail
	done         chan struct{}
	err          error // valid once done is closed
}

// StartDevServer runs `temporal server start-dev` with DynamicConfig and the
// search attributes, and returns once it answers, within a minute. A taken port
// is a *PortTakenError, found before anything is started. ctx bounds the start
// alone: end the server with Stop or Close.
func StartDevServer(ctx context.Context, o DevServerOptions) (*DevServer, error) {
	var err error
	for range startTries {
		filled := o
		if err := filled.fill(ctx); err != nil {
			return nil, err
		}
		var d *DevServer
		d, err = startOnce(ctx, filled)
		// A port that we have picked ourselves may be lost to another program meanwhile.
		var taken *PortTakenError
		picked := (o.Port == 0 || o.UIPort == 0) && errors.As(err, &taken)
		if !picked && !errors.Is(err, errEnded) {
			return d, err
		}
	}
	return nil, err
}

// startTries is how often a server that ends while it starts is started: it picks
// more ports for its own use and may lose one to another program.
const startTries = 3

// errEnded marks a server that ended before it answered.
var errEnded = errors.New("temporal's dev server ended while starting")

func startOnce(ctx context.Context, o DevServerOptions) (*DevServer, error) {
	if err := errors.Join(ProbePort(ctx, "Temporal", o.Port), ProbePort(ctx, "Temporal's Web UI", o.UIPort)); err != nil {
		return nil, err
	}
	d := &DevServer{namespace: o.Namespace, port: o.Port, uiPort: o.UIPort, tail: &tail{}, done: make(chan struct{})}
	if err := d.launch(o); err != nil {
		return nil, fmt.Errorf("start Temporal's dev server: %w", err)
	}
	if err := d.waitHealthy(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (o *DevServerOptions) fill(ctx context.Context) (err error) {
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	if o.LogLevel == "" {
		o.LogLevel = "warn"
	}
	if o.Binary == "" {
		if o.Binary, err = FindTemporal(); err != nil {
			return err
		}
	}
	for _, port := range []*int{&o.Port, &o.UIPort} {
		if *port == 0 {
			if *port, err = FreePort(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *DevServerOptions) args() []string {
	args := []string{
		"server", "start-dev", "--ip", "127.0.0.1",
		"--port", strconv.Itoa(o.Port), "--ui-port", strconv.Itoa(o.UIPort),
		"--namespace", o.Namespace, "--log-level", o.LogLevel,
		// The tool's own settings (profiles, TEMPORAL_*) are about other clusters.
		"--disable-config-file", "--disable-config-env",
	}
	if o.DBFile != "" {
		// A write-ahead log survives the end of any process, at a fraction of the waits for
		// the disk; only a machine that loses power may lose the last moments.
		args = append(args, "--db-filename", o.DBFile, "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1")
	}
	for _, s := range DynamicConfig() {
		args = append(args, "--dynamic-config-value", s.Key+"="+s.Value)
	}
	attributes := durable.SearchAttributes()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		args = append(args, "--search-attribute", name+"="+attributes[name].String())
	}
	return args
}

// launch starts the process and a goroutine that waits for its end. On Linux the
// kernel ends the child when the thread that started it ends, so the goroutine
// keeps its thread for as long as the child lives.
func (d *DevServer) launch(o DevServerOptions) error {
	cmd, release, err := guarded(o.Binary, o.args()...)
	if err != nil {
		return err
	}
	out := io.Writer(d.tail)
	var file *os.File
	if o.LogFile != "" {
		if file, err = os.OpenFile(o.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			release()
			return err
		}
		out = io.MultiWriter(d.tail, file)
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		d.process = cmd.Process
		started <- err
		if err == nil {
			d.err = cmd.Wait()
		}
		release()
		if file != nil {
			d.err = errors.Join(d.err, file.Close())
		}
		close(d.done)
	}()
	return <-started
}

// waitHealthy polls until the frontend serves the namespace.
func (d *DevServer) waitHealthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startFor)
	defer cancel()
	c, err := Dial(ctx, Options{Address: d.Address(), Namespace: d.namespace, Plain: true, Lazy: true})
	if err != nil {
		return err
	}
	defer c.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := d.look(ctx, c)
		if err == nil {
			return nil
		}
		select {
		case <-d.done:
			return fmt.Errorf("%w (%w): %s", errEnded, errors.Join(d.err, err), d.tail)
		case <-ctx.Done():
			return fmt.Errorf("temporal's dev server does not answer (%w): %s", errors.Join(ctx.Err(), err), d.tail)
		case <-tick.C:
		}
	}
}

func (d *DevServer) look(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := c.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return err
	}
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: d.namespace})
	return err
}

// Address is where clients dial, "127.0.0.1:port".
func (d *DevServer) Address() string { return loopback(d.port) }

// Port is the port of Address.
func (d *DevServer) Port() int { return d.port }

// Namespace is the namespace that was created at the start.
func (d *DevServer) Namespace() string { return d.namespace }

// UIURL is the address of the Web UI, without a slash at the end.
func (d *DevServer) UIURL() string { return "http://localhost:" + strconv.Itoa(d.uiPort) }

// PID is the id of the process that we started.
func (d *DevServer) PID() int { return d.process.Pid }

// Done is closed when the server has ended, whoever ended it.
func (d *DevServer) Done() <-chan struct{} { return d.done }

// Stop asks the server to end and waits. When ctx ends first it kills the server
// and returns an error that says so. Stopping twice is harmless.
func (d *DevServer) Stop(ctx context.Context) error {
	select {
	case <-d.done:
		return nil
	default:
	}
	if err := d.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(err, d.kill())
	}
	select {
	case <-d.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("temporal's dev server had to be killed: %w", ctx.Err()), d.kill())
	}
}

// Close is Stop with a limit of 5 seconds.
func (d *DevServer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), killAfter)
	defer cancel()
	return d.Stop(ctx)
}

func (d *DevServer) kill() error {
	err := killGroup(d.process)
	<-d.done // WaitDelay bounds this
	return err
}

// tail keeps the end of what was written.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if cut := len(t.text) - tailSize; cut > 0 {
		t.text = append(t.text[:0], t.text[cut:]...)
	}
	return len(p), nil
}

// String is the end of the output, "" where there was none.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
