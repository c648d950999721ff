package worker

import (
	"fmt"

	"go.temporal.io/sdk/contrib/sysinfo"
	"go.temporal.io/sdk/worker"
)

// Slots say how many tasks of the main queue a worker takes at once. The other queues
// always have a fixed number, because theirs is what a partner bears.
type Slots string

const (
	// SlotsFixed is a fixed number, the default.
	SlotsFixed Slots = "fixed"
	// SlotsResource takes tasks while the machine, or the container, has memory and
	// processor time left.
	SlotsResource Slots = "resource"
)

// Of the main queue, with fixed slots. A workflow task is short and bounded by the
// processor; an activity waits for others, and holds little.
const (
	fixedActivities = 200
	eagerActivities = 100
)

// With slots by resources, new tasks wait above these shares.
const (
	targetMemory    = 0.8
	targetProcessor = 0.9
)

// mainOptions are those of the main queue.
func mainOptions(slots Slots) (worker.Options, error) {
	o := worker.Options{MaxConcurrentEagerActivityExecutionSize: eagerActivities}
	switch slots {
	case SlotsFixed, "":
		o.MaxConcurrentActivityExecutionSize = fixedActivities
	case SlotsResource:
		tuner, err := resourceTuner()
		if err != nil {
			return o, err
		}
		o.Tuner = tuner
	default:
		return o, fmt.Errorf("slots of a worker are %s or %s, not %q", SlotsFixed, SlotsResource, slots)
	}
	return o, nil
}

// resourceTuner bounds workflow tasks and activities by what the machine has left. The
// SDK's pause of 50 ms between activities is left out: a page must leave at once.
func resourceTuner() (worker.WorkerTuner, error) {
	limits := worker.DefaultResourceControllerOptions()
	limits.MemTargetPercent, limits.CpuTargetPercent = targetMemory, targetProcessor
	limits.InfoSupplier = sysinfo.SysInfoProvider()
	controller := worker.NewResourceController(limits)
	tasks, err := worker.NewResourceBasedSlotSupplier(controller, worker.ResourceBasedSlotSupplierOptions{MinSlots: 20, MaxSlots: 1000})
	if err != nil {
		return nil, err
	}
	activities, err := worker.NewResourceBasedSlotSupplier(controller, worker.ResourceBasedSlotSupplierOptions{MinSlots: 20, MaxSlots: 1000})
	if err != nil {
		return nil, err
	}
	// The first look at a report is a local activity: it belongs to its workflow task.
	within, err := worker.NewFixedSizeSlotSupplier(1000)
	if err != nil {
		return nil, err
	}
	return worker.NewCompositeTuner(worker.CompositeTunerOptions{
		WorkflowSlotSupplier: tasks, ActivitySlotSupplier: activities, LocalActivitySlotSupplier: within,
		NexusSlotSupplier: within, SessionActivitySlotSupplier: within,
	})
}

const (
	// firstPollers are open at the start. With the SDK's two for workflow tasks, a backlog
	// of running workflows leaves none for new ones.
	firstPollers = 16
	// fewestPollers stay when nothing comes, so that what comes next finds one open.
	fewestPollers = 8
	// mostPollers bounds the open requests of one queue of one process.
	mostPollers = 50
)

// scalePollers lets the number of open polls follow the backlog, as Temporal reports it.
// A server that reports nothing leaves them at the first number.
func scalePollers(o *worker.Options) {
	scaling := worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
		InitialNumberOfPollers: firstPollers, MinimumNumberOfPollers: fewestPollers, MaximumNumberOfPollers: mostPollers,
	})
	if !o.DisableWorkflowWorker {
		o.WorkflowTaskPollerBehavior = scaling
	}
	o.ActivityTaskPollerBehavior = scaling
}

const (
	// cachedWorkflow is what a workflow may take in the cache of a worker, in bytes. A waiting
	// repair was measured at 87 KB (bench -only capacity); longer ones take more.
	cachedWorkflow = 128 << 10
	// cacheShare is the part of the memory that the cache may fill. The garbage collector
	// needs as much again, and activities with photos and reports need the rest.
	cacheShare = 0.4
	// Below the fewest a worker would replay at every step; above the most, the Go runtime
	// spends its time on looking after idle goroutines.
	fewestCached, mostCached = 500, 100_000
)

// StickyCache is how many workflows a worker with so many bytes of memory may keep, so
// that their next task needs no replay.
func StickyCache(memory uint64) int {
	return int(min(max(float64(memory)*cacheShare/cachedWorkflow, fewestCached), mostCached))
}

// SetStickyCache bounds the cache of all workers of this process. It must come before the
// first of them is started.
func SetStickyCache(workflows int) { worker.SetStickyWorkflowCacheSize(workflows) }
