package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/workflows/durable"
)

// The floor's workflow and its task queue.
const (
	holdWorkflow = "bench.hold"
	heldQueue    = "bench-held"
)

// hold waits for signals and does nothing with them.
func hold(ctx workflow.Context) error {
	for {
		var event int
		workflow.GetSignalChannel(ctx, durable.EventReceived.Name).Receive(ctx, &event)
	}
}

// serveHold is the worker of the floor.
func serveHold(ctx context.Context, metrics, temporal string) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: temporal, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return err
	}
	defer c.Close()
	w := worker.New(c, heldQueue, worker.Options{MaxConcurrentWorkflowTaskPollers: 16})
	w.RegisterWorkflowWithOptions(hold, workflow.RegisterOptions{Name: holdWorkflow})
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	server := &http.Server{Addr: metrics, ReadHeaderTimeout: 5 * time.Second, Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Println("holding")
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// inUse are the bytes of heap and stacks of a process, the least of some looks: between
// them it collects its garbage.
func inUse(ctx context.Context, metrics string) (least float64, err error) {
	for look := range 40 {
		bytes, err := memory(ctx, metrics)
		if err != nil {
			return 0, err
		}
		if look == 0 || bytes < least {
			least = bytes
		}
		time.Sleep(50 * time.Millisecond)
	}
	return least, nil
}

// memory is what a process says of its heap and stacks.
func memory(ctx context.Context, metrics string) (bytes float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	found := 0
	lines := bufio.NewScanner(io.LimitReader(resp.Body, 16<<20))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if name != "go_memstats_heap_alloc_bytes" && name != "go_memstats_stack_inuse_bytes" {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		bytes, found = bytes+n, found+1
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	if found != 2 {
		return 0, errors.New("the worker's metrics do not say how much memory it uses")
	}
	return bytes, nil
}

// printCapacity compares the repairs with the floor.
func printCapacity(count int, floor, ours held) {
	fmt.Printf("\n%d open ordinary repairs, each waiting for a technician's answer, beside %d workflows that do nothing\n", count, count)
	fmt.Printf("  %-44s %12s %12s %8s\n", "", "floor", "repairs", "ratio")
	line := func(what, format string, floor, ours float64) {
		ratio := "-"
		if floor > 0 {
			ratio = fmt.Sprintf("%.2f", ours/floor)
		}
		fmt.Printf("  %-44s %12s %12s %8s\n", what, fmt.Sprintf(format, floor), fmt.Sprintf(format, ours), ratio)
	}
	const kilobyte = 1 << 10
	line("history, events each", "%.0f", floor.events, ours.events)
	line("history, KB each", "%.1f", floor.history/kilobyte, ours.history/kilobyte)
	line("memory of the worker, KB each", "%.1f", floor.heap/kilobyte, ours.heap/kilobyte)
	line("Temporal's database, KB each", "%.1f", floor.disk/kilobyte, ours.disk/kilobyte)
	line("Keyholder's store, KB each", "%.1f", floor.store/kilobyte, ours.store/kilobyte)
	line("started and waiting, a second", "%.1f", floor.starts, ours.starts)
	line("signalled and waiting again, a second", "%.1f", floor.signals, ours.signals)
	line("worker killed, all have taken a signal, s", "%.1f", floor.recovered.Seconds(), ours.recovered.Seconds())
}
