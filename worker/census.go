package worker

import (
	"context"
	"fmt"
	"slices"
	gosync "sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/time/rate"

	"github.com/aictive/keyholder/workflows"
	"github.com/aictive/keyholder/workflows/maintenance"
	"github.com/aictive/keyholder/workflows/sync"
)

const (
	// censusEvery is the least time between two looks; one that takes long is followed by a
	// pause twenty times as long, so that a slow visibility store is left in peace.
	censusEvery = time.Minute
	censusShare = 20
	// countWithin bounds one count, and countsPerSecond how fast they follow each other.
	countWithin     = 10 * time.Second
	countsPerSecond = 20
)

// census counts open workflows by what Temporal's visibility says, in the background:
// a scrape asks nobody, however often it comes. Every worker of the main queue takes one,
// so that dashboards use max(), never sum().
type census struct {
	count func(ctx context.Context, query string) (int64, error)
	now   func() time.Time

	up, age, open, sla, parked, oldest *prometheus.Desc

	mu    gosync.Mutex
	found tally
}

// tally is what a look has found.
type tally struct {
	// at is when the last look ended that succeeded, zero for never; up tells whether that
	// was the last one.
	at        time.Time
	up        bool
	open, sla map[string]int64
	parked    int64
	// oldest is when the oldest parked event was parked, to a minute; zero for none.
	oldest time.Time
}

func newCensus(c client.Client) *census {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("keyholder_"+name, help+" The same in all workers: use max().", labels, nil)
	}
	pace := rate.NewLimiter(countsPerSecond, 1)
	return &census{
		now: time.Now,
		count: func(ctx context.Context, query string) (int64, error) {
			if err := pace.Wait(ctx); err != nil {
				return 0, err
			}
			ctx, cancel := context.WithTimeout(ctx, countWithin)
			defer cancel()
			n, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
			return n.GetCount(), err
		},
		up:     desc("visibility_up", "1 where the last look at Temporal's visibility has succeeded, else 0."),
		age:    desc("visibility_age_seconds", "How old the counts of workflows are (real time)."),
		open:   desc("workflows_open", "Workflows that run, by type.", "type"),
		sla:    desc("sla_open", "Work orders that run, by how their promises stand.", "state"),
		parked: desc("parked_events", "Events that are parked: no workflow takes them, and somebody has to decide."),
		oldest: desc("parked_oldest_age_seconds", "How long the oldest parked event has been parked, to a minute (real time); 0 where there is none."),
	}
}

// run looks until ctx ends.
func (c *census) run(ctx context.Context) {
	for {
		began := time.Now()
		c.note(c.look(ctx))
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(censusEvery, censusShare*time.Since(began))):
		}
	}
}

// note keeps what a look has found; one that failed leaves what was found before.
func (c *census) note(found tally, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.found = found
	}
	c.found.up = err == nil
}

// addCensus takes the census where the worker serves the main queue and its metrics are
// wanted.
func (w *Worker) addCensus(cfg Config) error {
	if cfg.Registerer == nil || len(cfg.Queues) > 0 && !slices.Contains(cfg.Queues, workflows.TaskQueue) {
		return nil
	}
	w.census = newCensus(cfg.Client)
	return cfg.Registerer.Register(w.census)
}

// startCensus begins to count, until endCensus.
func (w *Worker) startCensus() {
	if w.census == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.census.run(ctx)
	}()
	w.endCensus = func() {
		cancel()
		<-done
	}
}

func running(workflowType string) string {
	return fmt.Sprintf("ExecutionStatus = 'Running' AND WorkflowType = '%s'", workflowType)
}

// look counts everything once.
func (c *census) look(ctx context.Context) (tally, error) {
	t := tally{open: map[string]int64{}, sla: map[string]int64{}}
	var err error
	for _, w := range workflows.Registry() {
		if t.open[w.WorkflowName()], err = c.count(ctx, running(w.WorkflowName())); err != nil {
			return tally{}, err
		}
	}
	for _, state := range maintenance.SLAStates() {
		query := fmt.Sprintf("%s AND SLAState = '%s'", running(maintenance.WorkOrderName), state)
		if t.sla[state], err = c.count(ctx, query); err != nil {
			return tally{}, err
		}
	}
	t.parked = t.open[sync.ParkedEventName]
	if t.parked > 0 {
		t.oldest, err = oldest(c.now(), func(before time.Time) (int64, error) {
			return c.count(ctx, fmt.Sprintf("%s AND StartTime < '%s'", running(sync.ParkedEventName), before.UTC().Format(time.RFC3339Nano)))
		})
	}
	t.at = c.now()
	return t, err
}

const (
	// oldestWithin is how exactly the oldest is found.
	oldestWithin = time.Minute
	// oldestEver bounds the search.
	oldestEver = 10 * 365 * 24 * time.Hour
)

// oldest finds when the oldest of some things began, never before it did and less than a
// minute after, from how many began before a time. (Lists of SQL visibility cannot be
// ordered, and may be long.) There must be one.
func oldest(now time.Time, began func(before time.Time) (int64, error)) (time.Time, error) {
	// It began at none or later, and before some.
	none, some := now.Add(-oldestWithin), now
	for age := oldestWithin; age < oldestEver; age *= 2 {
		none = now.Add(-age)
		n, err := began(none)
		if err != nil {
			return time.Time{}, err
		}
		if n == 0 {
			break
		}
		some = none
	}
	for some.Sub(none) > oldestWithin {
		middle := none.Add(some.Sub(none) / 2)
		n, err := began(middle)
		if err != nil {
			return time.Time{}, err
		}
		if n > 0 {
			some = middle
		} else {
			none = middle
		}
	}
	return some, nil
}

// Describe lists the metrics.
func (c *census) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.up, c.age, c.open, c.sla, c.parked, c.oldest} {
		ch <- d
	}
}

// Collect sends what the last look has found, however old that is.
func (c *census) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	t := c.found
	c.mu.Unlock()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	up := 0.0
	if t.up {
		up = 1
	}
	gauge(c.up, up)
	if t.at.IsZero() {
		return
	}
	gauge(c.age, c.now().Sub(t.at).Seconds())
	for name, n := range t.open {
		gauge(c.open, float64(n), name)
	}
	for state, n := range t.sla {
		gauge(c.sla, float64(n), state)
	}
	gauge(c.parked, float64(t.parked))
	waiting := 0.0
	if !t.oldest.IsZero() {
		waiting = max(c.now().Sub(t.oldest).Seconds(), 0)
	}
	gauge(c.oldest, waiting)
}
