package durable

import (
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
)

// The endings of names: what a metric is shows in what it is called.
const (
	counterEnding = "_total"
	timerEnding   = "_seconds"
)

type (
	// Metric is a number that workflows show Prometheus, through the worker that runs
	// them. Declare it as a Counter or a Timer.
	Metric struct {
		// Name is the whole name as Prometheus has it; Help says what it means.
		Name, Help string
		// Labels come from closed sets: never an id, never what somebody wrote.
		Labels []string
	}
	// Counter counts decisions; its name ends in _total.
	Counter struct{ Metric }
	// Timer measures how long something took in business time; its name ends in _seconds.
	Timer struct{ Metric }
)

// Inc counts one; values are those of the labels, in their order. Nothing is counted
// while a workflow replays. Where a workflow task fails and is tried again, its work may
// be counted twice: a metric shows how things go, the audit says what happened.
func (c Counter) Inc(ctx workflow.Context, values ...string) {
	workflow.GetMetricsHandler(ctx).WithTags(c.tags(values)).Counter(strings.TrimSuffix(c.Name, counterEnding)).Inc(1)
}

// Record notes a duration of business time, which is real time in production; otherwise
// as Counter.Inc.
func (t Timer) Record(ctx workflow.Context, took time.Duration, values ...string) {
	workflow.GetMetricsHandler(ctx).WithTags(t.tags(values)).Timer(strings.TrimSuffix(t.Name, timerEnding)).Record(max(took, 0))
}

// tags gives every label a value: a metric has one set of labels.
func (m Metric) tags(values []string) map[string]string {
	tags := make(map[string]string, len(m.Labels))
	for i, label := range m.Labels {
		tags[label] = ""
		if i < len(values) {
			tags[label] = values[i]
		}
	}
	return tags
}
