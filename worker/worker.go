// Package worker hosts the workflows and activities: which task queue runs what,
// with which limits, and how it stops.
package worker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/activities"
	"github.com/aictive/keyholder/workflows"
)

// Config is what a worker process hosts.
type Config struct {
	// Client is of cluster.Dial, which lets notes of workflows travel (durable.NewTrail).
	Client     client.Client
	Activities *activities.Activities
	// Queues are the task queues to serve; empty means all.
	Queues []string
	// BuildID turns Worker Deployment versioning on; "" runs unversioned.
	BuildID string
	// Deployment is the name that all builds have in common; "" is DefaultDeployment.
	Deployment string
	// QuickBooksPerMinute is how many requests a minute QuickBooks takes; 0 is its own
	// limit, 500.
	QuickBooksPerMinute int
	// Slots bound what the main queue does at once; "" is SlotsFixed.
	Slots Slots
	// StopTimeout is how long running activities may take to finish at Stop.
	StopTimeout time.Duration
	// OnFatalError is called when a worker cannot go on.
	OnFatalError func(error)
	// Registerer is where the worker's own metrics go; nil for nowhere.
	Registerer prometheus.Registerer
}

// DefaultDeployment is the name under which all builds of the worker are known.
const DefaultDeployment = "keyholder"

// queue is one task queue and what it hosts.
type queue struct {
	name     string
	register func(worker.Worker, *activities.Activities)
	options  worker.Options
}

// quickBooksPerMinute is what a realm may be asked (contracts/sms-and-accounting.md 2).
const quickBooksPerMinute = 500

// queues is the whole table.
func queues(cfg Config) []queue {
	return []queue{
		// Its options are of mainOptions.
		{name: workflows.TaskQueue, register: hostWorkflows},
		// RentVine has no published limit (contracts/rentvine.md 1.7); few at once is
		// polite, and a slow RentVine fills only these slots.
		{name: activities.QueueRentVine, register: hostRentVine, options: worker.Options{
			MaxConcurrentActivityExecutionSize: 20, DisableWorkflowWorker: true,
		}},
		// What keeps OpenMoove's limits is the ledger of calls, over all workers.
		{name: activities.QueueOpenMoove, register: hostOpenMoove, options: worker.Options{
			MaxConcurrentActivityExecutionSize: 20, DisableWorkflowWorker: true,
		}},
		{name: activities.QueueBulk, register: hostBulk, options: worker.Options{
			MaxConcurrentActivityExecutionSize: 20, DisableWorkflowWorker: true,
		}},
		// QuickBooks takes 500 requests a minute and 10 at once (contracts/sms-and-accounting.md
		// 2). A booking costs one, and most are bookings: 60 % of the limit over all workers. An
		// order costs about six, for which each worker's client paces itself.
		{name: activities.QueueQuickBooks, register: hostQuickBooks, options: worker.Options{
			MaxConcurrentActivityExecutionSize: 10, TaskQueueActivitiesPerSecond: 0.6 / 60 * float64(cmp.Or(cfg.QuickBooksPerMinute, quickBooksPerMinute)), DisableWorkflowWorker: true,
		}},
		{name: activities.QueueWebhooks, register: hostWebhooks, options: worker.Options{
			MaxConcurrentActivityExecutionSize: 50, DisableWorkflowWorker: true,
		}},
	}
}

func hostWorkflows(w worker.Worker, a *activities.Activities) {
	for _, wf := range workflows.Registry() {
		wf.Register(w)
	}
	a.Register(w)
}

func hostRentVine(w worker.Worker, a *activities.Activities) { a.RegisterRentVine(w) }

func hostOpenMoove(w worker.Worker, a *activities.Activities) { a.RegisterOpenMoove(w) }

func hostQuickBooks(w worker.Worker, a *activities.Activities) { a.RegisterQuickBooks(w) }

func hostWebhooks(w worker.Worker, a *activities.Activities) { a.RegisterWebhooks(w) }

func hostBulk(w worker.Worker, a *activities.Activities) { a.RegisterBulk(w) }

// Queues are the names of all task queues.
func Queues() []string {
	var names []string
	for _, q := range queues(Config{}) {
		names = append(names, q.name)
	}
	return names
}

// Worker is a set of running pollers.
type Worker struct {
	workers []worker.Worker
	queues  []string
	// census and endCensus, which stops it, are nil where none is taken.
	census    *census
	endCensus func()
}

// Queues are the names of the task queues that it serves.
func (w *Worker) Queues() []string { return w.queues }

// New prepares a worker. The error names queues that do not exist.
func New(cfg Config) (*Worker, error) {
	for _, name := range cfg.Queues {
		if !slices.Contains(Queues(), name) {
			return nil, fmt.Errorf("no task queue %q; there are %s", name, strings.Join(Queues(), ", "))
		}
	}
	w := &Worker{}
	for _, q := range queues(cfg) {
		if len(cfg.Queues) > 0 && !slices.Contains(cfg.Queues, q.name) {
			continue
		}
		opts := q.options
		if q.name == workflows.TaskQueue {
			var err error
			if opts, err = mainOptions(cfg.Slots); err != nil {
				return nil, err
			}
		}
		scalePollers(&opts)
		opts.WorkerStopTimeout = cfg.StopTimeout
		opts.OnFatalError = cfg.OnFatalError
		opts.Interceptors = []interceptor.WorkerInterceptor{cfg.Activities.Auditing()}
		if cfg.BuildID != "" {
			opts.DeploymentOptions = worker.DeploymentOptions{
				UseVersioning:             true,
				Version:                   worker.WorkerDeploymentVersion{DeploymentName: cmp.Or(cfg.Deployment, DefaultDeployment), BuildID: cfg.BuildID},
				DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
			}
		}
		hosted := worker.New(cfg.Client, q.name, opts)
		q.register(hosted, cfg.Activities)
		w.workers = append(w.workers, hosted)
		w.queues = append(w.queues, q.name)
	}
	if err := w.addCensus(cfg); err != nil {
		return nil, err
	}
	return w, nil
}

// Start begins polling. Where one queue cannot start, those that did are stopped.
func (w *Worker) Start() error {
	for i, hosted := range w.workers {
		if err := hosted.Start(); err != nil {
			for _, started := range w.workers[:i] {
				started.Stop()
			}
			return errors.Join(errors.New("the worker could not start"), err)
		}
	}
	w.startCensus()
	return nil
}

// Stop stops polling and waits for running activities, all queues at once.
func (w *Worker) Stop() {
	if w.endCensus != nil {
		w.endCensus()
	}
	done := make(chan struct{})
	for _, hosted := range w.workers {
		go func() {
			hosted.Stop()
			done <- struct{}{}
		}()
	}
	for range w.workers {
		<-done
	}
}
