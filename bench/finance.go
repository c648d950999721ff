package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"github.com/aictive/keyholder/store"
	"github.com/aictive/keyholder/worker/e2e"
	"github.com/aictive/keyholder/workflows"
)

const (
	// booksLimit is how long all bookings may take, for each transaction.
	booksLimit = 500 * time.Millisecond
	// booksSeed makes the same books each time.
	booksSeed = 7
	// senders is how many events are under way at once, as the sandbox sends them.
	senders = 8
)

// planted is a mistake that is to be found.
type planted struct {
	Kind         string   `json:"kind"`
	LeaseID      string   `json:"lease_id"`
	Transactions []string `json:"transactions"`
}

// generated is what the sandbox says of the books that it made up.
type generated struct {
	Counts  map[string]int `json:"counts"`
	Planted []planted      `json:"planted"`
	Sending bool           `json:"sending"`
	Sent    int            `json:"sent"`
	Failed  int            `json:"failed"`
}

// finance books a made-up year while QuickBooks loses every twentieth reply, and counts
// what is booked, what is found, and what is found although it was not planted. The floor
// is a workflow of two empty activities, started in the same way.
func finance(ctx context.Context, s settings, dir string) (err error) {
	count := 3000
	if s.small {
		count = 300
	}
	stack, err := e2e.Start(ctx, e2e.Options{Binary: s.binary, Data: dir, Env: []string{"KEYHOLDER_QUICKBOOKS_PER_MINUTE=600000"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	if err := stack.Fault(ctx, "quickbooks", map[string]any{"reset_after_commit": true, "rate": 0.05}); err != nil {
		return err
	}
	began := time.Now()
	if err := stack.Post(ctx, "/_generate/books", map[string]any{
		"seed": booksSeed, "count": count, "duplicates": max(2, count/250), "gaps": max(2, count/250), "outliers": max(2, count/250),
		"unsure": 2, "updated": 20, "voided": 10, "send": true, "rate": 1000,
	}, nil); err != nil {
		return err
	}
	made, err := untilBooked(ctx, stack, time.Duration(count)*booksLimit)
	if err != nil {
		return err
	}
	took := time.Since(began)
	floor, err := floorOfBookings(ctx, stack.Client, max(count/10, 100))
	if err != nil {
		return err
	}
	ours := float64(made.Sent) / took.Seconds()
	fmt.Printf("\nbooking %d transactions (%d events), QuickBooks loses every twentieth reply: %.1f events/s, %.2f of a floor of %.1f/s\n",
		made.Counts["transactions"], made.Sent, ours, ours/floor, floor)
	if err := printBooks(ctx, stack); err != nil {
		return err
	}
	if err := printFindings(ctx, stack, made, filepath.Join(dir, "keyholder.db")); err != nil {
		return err
	}
	return printBookingCost(ctx, stack, made)
}

// untilBooked waits until all events are taken and no transaction is open but those of
// which nobody is sure.
func untilBooked(ctx context.Context, stack *e2e.Stack, limit time.Duration) (made generated, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for calm := 0; calm < 3; {
		if err := stack.Get(ctx, "/_generate/books", &made); err != nil {
			return made, err
		}
		unsure := 0
		for _, p := range made.Planted {
			if p.Kind == "unsure" {
				unsure++
			}
		}
		running, err := stack.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Query: "WorkflowType = 'finance.transaction' AND ExecutionStatus = 'Running'",
		})
		switch {
		case err != nil && ctx.Err() != nil:
			return made, fmt.Errorf("not all is booked after %s: %w", limit, ctx.Err())
		case made.Failed > 0:
			return made, fmt.Errorf("%d events were not taken", made.Failed)
		case err == nil && !made.Sending && running.Count <= int64(unsure):
			calm++
		default:
			calm = 0
		}
		select {
		case <-ctx.Done():
			return made, fmt.Errorf("not all is booked after %s: %w", limit, ctx.Err())
		case <-time.After(300 * time.Millisecond):
		}
	}
	return made, nil
}

const floorQueue = "bench-floor"

// floorBooking is the least that a booking can be: two activities.
func floorBooking(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for range 2 {
		if err := workflow.ExecuteActivity(ctx, floorStep).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func floorStep(context.Context) error { return nil }

// floorOfBookings is how many of them a worker completes in a second.
func floorOfBookings(ctx context.Context, c client.Client, count int) (perSecond float64, err error) {
	w := worker.New(c, floorQueue, worker.Options{DisableEagerActivities: true})
	w.RegisterWorkflow(floorBooking)
	w.RegisterActivity(floorStep)
	if err := w.Start(); err != nil {
		return 0, err
	}
	defer w.Stop()
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(senders * 4)
	for i := range count {
		group.Go(func() error {
			run, err := c.SignalWithStartWorkflow(ctx, fmt.Sprint("floor/", began.UnixNano(), "/", i), "event", i,
				client.StartWorkflowOptions{TaskQueue: floorQueue}, floorBooking)
			if err != nil {
				return err
			}
			return run.Get(ctx, nil)
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return float64(count) / time.Since(began).Seconds(), nil
}

func printBooks(ctx context.Context, stack *e2e.Stack) error {
	var books struct {
		Balanced   bool `json:"balanced"`
		Entries    int  `json:"entries"`
		Duplicates int  `json:"duplicates"`
	}
	if err := stack.Get(ctx, "/_books?partner=quickbooks", &books); err != nil {
		return err
	}
	fmt.Printf("  QuickBooks has %d entries, balanced %v, booked twice %d\n", books.Entries, books.Balanced, books.Duplicates)
	if !books.Balanced || books.Duplicates > 0 {
		return errors.New("the books in QuickBooks are wrong")
	}
	return nil
}

// printFindings closes the day, and compares what was found with what was planted.
func printFindings(ctx context.Context, stack *e2e.Stack, made generated, database string) error {
	if err := stack.Client.ScheduleClient().GetHandle(ctx, workflows.ScheduleDay).Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
		return err
	}
	if err := untilClosedDay(ctx, stack); err != nil {
		return err
	}
	s, err := store.Open(ctx, "sqlite:"+database)
	if err != nil {
		return err
	}
	found, err := s.Findings(ctx, "")
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	for _, kind := range []string{"duplicate_charge", "unusual_amount", "missing_payment"} {
		hidden, caught, findings, wrong := 0, 0, 0, 0
		for _, p := range made.Planted {
			if p.Kind != kind {
				continue
			}
			hidden++
			if slices.ContainsFunc(found, func(f store.Finding) bool { return f.Kind == kind && f.LeaseID == p.LeaseID }) {
				caught++
			}
		}
		for _, f := range found {
			if f.Kind != kind {
				continue
			}
			findings++
			if !slices.ContainsFunc(made.Planted, func(p planted) bool { return p.Kind == kind && p.LeaseID == f.LeaseID }) {
				wrong++
			}
		}
		fmt.Printf("  %s: %d of %d planted found, %d findings, %d false alarms\n", strings.ReplaceAll(kind, "_", " "), caught, hidden, findings, wrong)
	}
	return nil
}

func untilClosedDay(ctx context.Context, stack *e2e.Stack) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for {
		done, err := stack.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Query: "WorkflowType = 'finance.close_day' AND ExecutionStatus = 'Completed'",
		})
		if err == nil && done.Count > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the day was not closed: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// printBookingCost prints what one charge costs that is booked at once.
func printBookingCost(ctx context.Context, stack *e2e.Stack, made generated) error {
	i := slices.IndexFunc(made.Planted, func(p planted) bool { return p.Kind == "missing_payment" })
	id := "charge/" + made.Planted[i].Transactions[0]
	cost, err := stack.Cost(ctx, id)
	if err == nil {
		fmt.Printf("  %s: %d actions, %d events: %s\n", id, cost.Actions, cost.Events, cost.Breakdown())
	}
	return err
}
