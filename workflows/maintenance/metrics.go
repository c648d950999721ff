package maintenance

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/aictive/keyholder/workflows/durable"
)

// What work orders show Prometheus.
var (
	promises = durable.Counter{Metric: durable.Metric{
		Name:   "keyholder_sla_promises_total",
		Help:   "Promises of emergencies whose outcome is certain: kept or missed.",
		Labels: []string{"promise", "outcome"},
	}}
	acknowledged = durable.Timer{Metric: durable.Metric{
		Name:   "keyholder_work_order_acknowledge_seconds",
		Help:   "Business time from the report, or from when it became an emergency, until somebody took it, by severity: life_safety, emergency or ordinary.",
		Labels: []string{"severity"},
	}}
	repaired = durable.Timer{Metric: durable.Metric{
		Name:   "keyholder_work_order_repair_seconds",
		Help:   "Business time from the report, or from when it became an emergency, until the repair was done, by kind: emergency or ordinary.",
		Labels: []string{"kind"},
	}}
)

// Metrics are those of this package.
func Metrics() []durable.Metric {
	return []durable.Metric{promises.Metric, acknowledged.Metric, repaired.Metric}
}

// The outcomes of a promise.
const (
	promiseKept   = "kept"
	promiseMissed = "missed"
)

// The values of severity and kind.
const (
	kindLifeSafety = "life_safety"
	kindEmergency  = "emergency"
	kindOrdinary   = "ordinary"
)

// measure counts what has become certain, each once in the life of a work order.
func (w *run) measure(ctx workflow.Context) {
	s := w.state
	for _, sla := range allSLAs() {
		if outcome := s.judged(sla); outcome != "" && s.once("promise/"+string(sla)) {
			promises.Inc(ctx, string(sla), outcome)
		}
	}
	if took, severity, ok := s.acknowledgedIn(); ok {
		what := kindOrdinary
		if severity != kindOrdinary {
			what = kindEmergency
		}
		if s.once("acknowledged/" + what) {
			acknowledged.Record(ctx, took, severity)
		}
	}
	if took, kind, ok := s.repairedIn(w.id); ok && s.once("repaired") {
		repaired.Record(ctx, took, kind)
	}
}

// once tells whether something has not been counted yet, and remembers that it is now.
func (s *State) once(what string) bool {
	if slices.Contains(s.Counted, what) {
		return false
	}
	s.Counted = append(s.Counted, what)
	return true
}

// judged is the outcome of a promise, "" while it is open, and where it never came to it.
// A technician may give the job back: until the repair is done, or the work order has
// ended, only the acknowledgement is kept for good.
func (s *State) judged(sla SLA) string {
	switch {
	case s.missed(sla):
		return promiseMissed
	case s.keptAt(sla).IsZero():
		return ""
	case sla == SLAAcknowledge || s.repaired() || s.Ended != nil:
		return promiseKept
	}
	return ""
}

// acknowledgedIn is how long it took until somebody had the work order.
func (s *State) acknowledgedIn() (took time.Duration, severity string, ok bool) {
	if s.Acknowledged != nil || s.Job != nil {
		at := s.keptAt(SLAAcknowledge)
		if s.Job != nil {
			at = earlier(at, s.Job.Accepted.At)
		}
		severity = kindEmergency
		if s.Assessment.LifeSafety {
			severity = kindLifeSafety
		}
		return at.Sub(s.since()), severity, true
	}
	if s.repairing() && s.Repair.Worker != nil {
		return s.Repair.Worker.At.Sub(s.OpenedAt), kindOrdinary, true
	}
	return 0, "", false
}

// repairedIn is how long it took until the repair was done; false where nothing was.
func (s *State) repairedIn(id string) (took time.Duration, kind string, ok bool) {
	if s.repaired() {
		return s.Job.Repaired.At.Sub(s.since()), kindEmergency, true
	}
	r, ok := s.record(id)
	if !ok {
		return 0, "", false
	}
	if r.Emergency {
		return r.DoneAt.Sub(s.since()), kindEmergency, true
	}
	return r.DoneAt.Sub(r.OpenedAt), kindOrdinary, true
}
