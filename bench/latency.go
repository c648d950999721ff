package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows/maintenance"
)

// perSecond is the rate at which emergencies arrive in the latency measurement.
const perSecond = 10

// latency measures from the webhook's departure to the arrival of the on-call
// person's text at the carrier, and counts what one emergency costs.
func latency(ctx context.Context, s settings, dir string) (err error) {
	stack, err := e2e.Start(ctx, e2e.Options{Binary: s.binary, Data: dir, Args: []string{"--ephemeral"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	if err := cost(ctx, stack); err != nil {
		return err
	}
	departed := map[string]time.Time{}
	var mu sync.Mutex
	var failure error
	var group sync.WaitGroup
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for range int(s.latency.Seconds() * perSecond) {
		<-tick.C
		group.Go(func() {
			id, body := emergency()
			mu.Lock()
			departed[id] = time.Now()
			mu.Unlock()
			if err := post(ctx, http.DefaultClient, stack.Ingress+"/webhooks/rentvine", body); err != nil {
				mu.Lock()
				failure = errors.Join(failure, err)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if failure != nil {
		return failure
	}
	times, err := arrivals(ctx, stack, departed)
	if err != nil {
		return err
	}
	fmt.Printf("\nwebhook to the on-call person's text, %d emergencies at %d/s, each in a building that RentVine does not know: p50 %s, p99 %s, max %s\n",
		len(times), perSecond, ms(times[len(times)/2]), ms(times[len(times)*99/100]), ms(times[len(times)-1]))
	return nil
}

// arrivals waits until each emergency has its first page and returns the delays,
// sorted.
func arrivals(ctx context.Context, stack *e2e.Stack, departed map[string]time.Time) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		var texts []e2e.Text
		if err := stack.Get(ctx, "/_messages", &texts); err != nil {
			return nil, err
		}
		first := map[string]time.Duration{}
		for _, t := range texts {
			_, rest, found := strings.Cut(t.Body, "at property ")
			if !found || !strings.Contains(t.Body, "Reply 1") {
				continue
			}
			id := rest[:min(len(rest), 7)]
			if at, ours := departed[id]; ours {
				if took := t.Created.Sub(at); first[id] == 0 || took < first[id] {
					first[id] = took
				}
			}
		}
		if len(first) == len(departed) {
			var times []time.Duration
			for _, d := range first {
				times = append(times, d)
			}
			slices.Sort(times)
			return times, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d emergencies were paged", len(first), len(departed))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// cost counts one emergency that is acknowledged at the first page and then
// closed in RentVine.
func cost(ctx context.Context, stack *e2e.Stack) error {
	id, err := stack.Emergency(ctx)
	if err != nil {
		return err
	}
	page, err := stack.WaitForText(ctx, "Reply 1", "", 20*time.Second)
	if err != nil {
		return err
	}
	if err := stack.Reply(ctx, page.To, "1"); err != nil {
		return err
	}
	acknowledged := func(d maintenance.Description) bool {
		return d.Stage == maintenance.StageDispatching && len(d.Offers) > 0
	}
	if _, err := stack.Until(ctx, id, acknowledged, 20*time.Second); err != nil {
		return err
	}
	atAcknowledged, err := stack.Cost(ctx, maintenance.WorkOrderID(id))
	if err != nil {
		return err
	}
	if err := stack.CloseInRentVine(ctx, id); err != nil {
		return err
	}
	if err := stack.UntilClosed(ctx, id, 30*time.Second); err != nil {
		return err
	}
	total, err := stack.Cost(ctx, maintenance.WorkOrderID(id))
	if err != nil {
		return err
	}
	fmt.Printf("\none emergency acknowledged at the first page: %d actions, %d history events when the job is offered; %d actions, %d events when RentVine has closed it\n",
		atAcknowledged.Actions, atAcknowledged.Events, total.Actions, total.Events)
	fmt.Printf("  %s\n", total.Breakdown())
	return nil
}
