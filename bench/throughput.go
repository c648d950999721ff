package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aictive/keyholder/cluster"
	"github.com/aictive/keyholder/worker/e2e"
)

// measured is one round of one side.
type measured struct {
	perSecond float64
	p50, p99  time.Duration
}

// throughput compares acknowledging: no worker runs, so that both sides cost the
// server the same.
func throughput(ctx context.Context, s settings, dir string) (err error) {
	stack, err := e2e.Start(ctx, e2e.Options{Binary: s.binary, Data: dir, Args: []string{"--ephemeral", "--without", "worker"},
		Env: []string{"KEYHOLDER_WEBHOOKS_PER_SECOND=100000"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	port, err := cluster.FreePort(ctx)
	if err != nil {
		return err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	floor, err := e2e.Run(os.Args[0], []string{"-floor", addr, "-temporal", stack.Temporal}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.Stop(5*time.Second)) }()
	sides := map[string]string{"floor": "http://" + addr + "/", "ingress": stack.Ingress + "/webhooks/rentvine"}
	for _, url := range sides {
		if err := untilAnswered(ctx, url); err != nil {
			return err
		}
	}
	fmt.Printf("acknowledging a webhook, median of %d rounds of %s each\n", s.rounds, s.perRound)
	fmt.Printf("%-12s %10s %10s %8s %24s %24s\n", "connections", "floor/s", "ingress/s", "ratio", "p50 floor, ingress", "p99 floor, ingress")
	for _, connections := range []int{1, 8, 32} {
		results := map[string][]measured{}
		for round := range s.rounds {
			order := []string{"floor", "ingress"}
			if round%2 == 1 {
				slices.Reverse(order)
			}
			for _, side := range order {
				m, err := load(ctx, sides[side], connections, s.perRound)
				if err != nil {
					return fmt.Errorf("%s: %w", side, err)
				}
				results[side] = append(results[side], m)
			}
		}
		f, i := median(results["floor"]), median(results["ingress"])
		fmt.Printf("%-12d %10.1f %10.1f %8.2f %12s %9s %.2f %12s %9s %.2f\n", connections, f.perSecond, i.perSecond, i.perSecond/f.perSecond,
			ms(f.p50), ms(i.p50), float64(i.p50)/float64(f.p50), ms(f.p99), ms(i.p99), float64(i.p99)/float64(f.p99))
	}
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

func median(rounds []measured) measured {
	pick := func(value func(measured) float64) float64 {
		var values []float64
		for _, r := range rounds {
			values = append(values, value(r))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return measured{
		perSecond: pick(func(m measured) float64 { return m.perSecond }),
		p50:       time.Duration(pick(func(m measured) float64 { return float64(m.p50) })),
		p99:       time.Duration(pick(func(m measured) float64 { return float64(m.p99) })),
	}
}

// sequence numbers the work orders of a run, so that each is a workflow of its own.
var sequence atomic.Int64

// emergency is a webhook about a new work order in a building of its own, so that
// none joins another's response.
func emergency() (id string, body []byte) {
	n := sequence.Add(1)
	id = fmt.Sprint(9_000_000 + n)
	return id, fmt.Appendf(nil, `{"event_type":"work_order.created","event_id":"bench-%s","data":{"workOrderID":"%s","propertyID":"%s","primaryWorkOrderStatusID":"1","priorityID":"3","description":"A pipe burst under the sink and water is flooding the floor"}}`, id, id, id)
}

// load posts over a number of connections for a time; every reply must be 202.
func load(ctx context.Context, url string, connections int, lasting time.Duration) (measured, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var times []time.Duration
	var failure error
	began := time.Now()
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			for time.Since(began) < lasting && ctx.Err() == nil {
				_, body := emergency()
				start := time.Now()
				err := post(ctx, client, url, body)
				took := time.Since(start)
				mu.Lock()
				times = append(times, took)
				failure = errors.Join(failure, err)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	elapsed := time.Since(began)
	if failure != nil || len(times) == 0 {
		return measured{}, errors.Join(failure, ctx.Err())
	}
	slices.Sort(times)
	return measured{perSecond: float64(len(times)) / elapsed.Seconds(), p50: times[len(times)/2], p99: times[len(times)*99/100]}, nil
}

func post(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-RentVine-Signature", e2e.Sign(body))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	return nil
}

// untilAnswered waits for a server to take webhooks.
func untilAnswered(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		_, body := emergency()
		err := post(ctx, http.DefaultClient, url, body)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}
