package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"go.temporal.io/sdk/client"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/durable"
	"github.com/aictive/keyholder/workflows/maintenance"
)

const (
	// warmUp are opened before anything is measured, so that what a process sets up once is
	// not counted.
	warmUp = 20
	// collect makes Go collect garbage often, so that the heap is little more than what is in
	// use. Both sides have it.
	collect = "GOGC=20"
	// lanes are how many requests are under way at once.
	lanes = 16
	// tries is how often an event is sent that is not taken: a partner repeats it as well.
	tries = 40
	// capacityLimit bounds each step.
	capacityLimit = 15 * time.Minute
)

// capacity opens many workflows that wait, and measures what one takes: memory of the
// worker, disk, history, starts and signals a second, and the time until all go on after
// the worker was killed. The floor is the engine alone: a workflow that waits for signals
// and does nothing with them, started without an ingress.
func capacity(ctx context.Context, s settings, dir string) (err error) {
	count := 2000
	if s.small {
		count = 200
	}
	if s.events > 0 {
		count = s.events
	}
	stack, err := e2e.Start(ctx, e2e.Options{Binary: s.binary, Data: dir, Args: []string{"--without", "worker,ingress"},
		Env: []string{"KEYHOLDER_WEBHOOKS_PER_SECOND=100000", "KEYHOLDER_STICKY_CACHE=100000"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	port, err := cluster.FreePort(ctx)
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	ingress, err := stack.IngressBeside(ctx, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ingress.Stop(15*time.Second)) }()
	var sides []held
	for _, side := range []capacitySide{emptySide(stack), repairSide(stack, "http://"+address)} {
		h, err := side.measure(ctx, stack, dir, count)
		if err != nil {
			return fmt.Errorf("capacity of %s: %w", side.name, err)
		}
		sides = append(sides, h)
	}
	printCapacity(count, sides[0], sides[1])
	return nil
}

// capacitySide is one of the two kinds of workflows that are held open.
type capacitySide struct {
	name string
	id   func(n int) string
	// tell starts workflow n with its first event, or signals it with a later one.
	tell func(ctx context.Context, n, event int) error
	// run starts the worker; its metrics are at that address.
	run func(ctx context.Context, metrics string) (*e2e.Process, error)
}

// repairSide are ordinary repairs, reported through the ingress, each waiting for a
// technician's answer. RentVine does not know their buildings: what the webhook says
// must do.
func repairSide(stack *e2e.Stack, ingress string) capacitySide {
	number := func(n int) string { return fmt.Sprint(7_000_000 + n) }
	poster := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: lanes}, Timeout: 30 * time.Second}
	return capacitySide{
		name: "repairs", id: func(n int) string { return maintenance.WorkOrderID(number(n)) },
		tell: func(ctx context.Context, n, event int) error {
			what := "work_order.created"
			if event > 0 {
				what = "work_order.updated"
			}
			return post(ctx, poster, ingress+"/webhooks/rentvine", fmt.Appendf(nil, `{"event_type":"%s","event_id":"held-%d-%d","data":{"workOrderID":"%s","propertyID":"%s",`+
				`"primaryWorkOrderStatusID":"1","priorityID":"2","description":"The kitchen tap is leaking slowly"}}`, what, n, event, number(n), number(n)))
		},
		run: func(ctx context.Context, metrics string) (*e2e.Process, error) {
			return stack.Worker(ctx, collect, "KEYHOLDER_METRICS_ADDR="+metrics, "KEYHOLDER_LOG_LEVEL=info")
		},
	}
}

// emptySide are workflows of the engine alone.
func emptySide(stack *e2e.Stack) capacitySide {
	id := func(n int) string { return fmt.Sprintf("held/%d", n) }
	return capacitySide{
		name: "the floor", id: id,
		tell: func(ctx context.Context, n, event int) error {
			_, err := stack.Client.SignalWithStartWorkflow(ctx, id(n), durable.EventReceived.Name, event,
				client.StartWorkflowOptions{TaskQueue: heldQueue}, holdWorkflow)
			return err
		},
		run: func(ctx context.Context, metrics string) (*e2e.Process, error) {
			p, err := e2e.Run(os.Args[0], []string{"-floor", metrics, "-temporal", stack.Temporal, "-hold"}, []string{collect})
			if err != nil {
				return nil, err
			}
			return p, p.WaitFor(ctx, "holding")
		},
	}
}

// held is what a side takes.
type held struct {
	// starts and signals are a second.
	starts, signals float64
	// heap, disk and history are bytes for each open workflow, store those of Keyholder's own
	// database.
	heap, disk, store, history, events float64
	// recovered is from the start of another worker until all have taken a signal.
	recovered time.Duration
}

// measure opens the workflows, signals each, kills the worker, signals each again and
// starts another worker.
func (c capacitySide) measure(ctx context.Context, stack *e2e.Stack, dir string, count int) (h held, err error) {
	port, err := cluster.FreePort(ctx)
	if err != nil {
		return h, err
	}
	metrics := fmt.Sprintf("127.0.0.1:%d", port)
	worker, err := c.run(ctx, metrics)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, worker.Stop(15*time.Second)) }()
	if _, err := c.round(ctx, stack, count, count+warmUp, 0); err != nil {
		return h, err
	}
	before, err := inUse(ctx, metrics)
	if err != nil {
		return h, err
	}
	disk, own := sizes(dir, "temporal.db"), sizes(dir, "keyholder.db")
	took, err := c.round(ctx, stack, 0, count, 0)
	if err != nil {
		return h, err
	}
	after, err := inUse(ctx, metrics)
	if err != nil {
		return h, err
	}
	each := func(bytes float64) float64 { return max(bytes, 0) / float64(count) }
	h.starts, h.heap = float64(count)/took.Seconds(), each(after-before)
	h.disk, h.store = each(sizes(dir, "temporal.db")-disk), each(sizes(dir, "keyholder.db")-own)
	if h.events, h.history, err = c.histories(ctx, stack, count); err != nil {
		return h, err
	}
	if took, err = c.round(ctx, stack, 0, count, 1); err != nil {
		return h, err
	}
	h.signals = float64(count) / took.Seconds()
	if err := worker.Kill(); err != nil {
		return h, err
	}
	if err := c.tellAll(ctx, 0, count, 2); err != nil {
		return h, err
	}
	began := time.Now()
	if worker, err = c.run(ctx, metrics); err != nil {
		return h, err
	}
	if err := c.untilTaken(ctx, stack, 0, count); err != nil {
		return h, err
	}
	h.recovered = time.Since(began)
	return h, nil
}

// round tells workflows of an event and waits until all have taken it.
func (c capacitySide) round(ctx context.Context, stack *e2e.Stack, from, to, event int) (time.Duration, error) {
	began := time.Now()
	if err := c.tellAll(ctx, from, to, event); err != nil {
		return 0, err
	}
	err := c.untilTaken(ctx, stack, from, to)
	return time.Since(began), err
}

func (c capacitySide) tellAll(ctx context.Context, from, to, event int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lanes)
	for n := from; n < to; n++ {
		group.Go(func() (err error) {
			for range tries {
				if err = c.tell(ctx, n, event); err == nil || ctx.Err() != nil {
					break
				}
				time.Sleep(250 * time.Millisecond)
			}
			return err
		})
	}
	return group.Wait()
}

// untilTaken waits until no workflow has a task or an activity left to do.
func (c capacitySide) untilTaken(ctx context.Context, stack *e2e.Stack, from, to int) error {
	ctx, cancel := context.WithTimeout(ctx, capacityLimit)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lanes)
	for n := from; n < to; n++ {
		group.Go(func() error {
			for {
				d, err := stack.Client.DescribeWorkflowExecution(ctx, c.id(n), "")
				if err != nil {
					return err
				}
				if status := d.GetWorkflowExecutionInfo().GetStatus(); status != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
					return fmt.Errorf("%s is %s, it should wait", c.id(n), status)
				}
				if d.GetPendingWorkflowTask() == nil && len(d.GetPendingActivities()) == 0 {
					return nil
				}
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(100 * time.Millisecond):
				}
			}
		})
	}
	return group.Wait()
}

// histories are the events and bytes of a workflow, the medians.
func (c capacitySide) histories(ctx context.Context, stack *e2e.Stack, count int) (events, bytes float64, err error) {
	var lengths, sizes []int64
	for n := 0; n < count; n += max(count/100, 1) {
		d, err := stack.Client.DescribeWorkflowExecution(ctx, c.id(n), "")
		if err != nil {
			return 0, 0, err
		}
		lengths = append(lengths, d.GetWorkflowExecutionInfo().GetHistoryLength())
		sizes = append(sizes, d.GetWorkflowExecutionInfo().GetHistorySizeBytes())
	}
	slices.Sort(lengths)
	slices.Sort(sizes)
	return float64(lengths[len(lengths)/2]), float64(sizes[len(sizes)/2]), nil
}

// sizes are the bytes of a database of SQLite and of what belongs to it.
func sizes(dir, name string) (bytes float64) {
	found, _ := filepath.Glob(filepath.Join(dir, name+"*"))
	for _, path := range found {
		if info, err := os.Stat(path); err == nil && !strings.HasSuffix(path, "-shm") {
			bytes += float64(info.Size())
		}
	}
	return bytes
}
