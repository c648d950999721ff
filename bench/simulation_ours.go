package main

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aictive/keyholder/activities/polling"
	"github.com/aictive/keyholder/store"
)

const (
	// tick is how often the poller plans.
	tick = 2 * time.Second
	// webhookDelay is from a change to the arrival of its webhook.
	webhookDelay = 2 * time.Second
)

// midnight is the start of the simulated day.
var midnight = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// ours is our poller on the simulated day: the real planning over a list of watches
// in memory. The partner's windows are counted once more as the ledger of calls
// does, so that readers after webhooks and the poller share the key.
type ours struct {
	rules   polling.Rules
	partner *partner
	watcher *watcher
	ledger  *windows
	state   polling.State
	watches []store.Watch
	due     map[store.WatchClass]*watchHeap
	turns   *watchHeap
	random  *rand.Rand
	// delivered is the share of changes whose webhook arrives.
	delivered float64
	toRead    []change // told by webhook, to be read
	every     int
}

// simulateOurs runs our polling, with so large a share of the webhooks arriving.
func simulateOurs(p portfolio, delivered float64, seed uint64) result {
	o := &ours{
		rules: polling.Defaults(simulatedLimits()), partner: newPartner(p), watcher: newWatcher(),
		ledger: newWindows(simulatedLimits()), random: rand.New(rand.NewPCG(seed, 77)), delivered: delivered,
	}
	o.start()
	for at := time.Duration(0); at < simulatedDay; at += tick {
		for _, c := range o.partner.until(at) {
			o.watcher.happened(c)
			if o.random.Float64() < o.delivered {
				o.toRead = append(o.toRead, c)
			}
		}
		o.webhooks(at)
		o.turn(at)
		if at%(10*time.Minute) == 0 {
			o.every = o.rules.DetailEvery(o.counts())
		}
		o.poll(at)
	}
	for _, c := range o.partner.until(simulatedDay) {
		o.watcher.happened(c)
	}
	o.watcher.end()
	name := "ours"
	if delivered > 0 {
		name = fmt.Sprintf("ours, %.0f %% of webhooks", delivered*100)
	}
	return result{name: name, watcher: o.watcher, calls: o.partner.windows.calls + o.partner.refused, refused: o.partner.refused}
}

// start adds all sales at once, all just read: both pollers know at midnight what is
// true then.
func (o *ours) start() {
	o.due = map[store.WatchClass]*watchHeap{}
	key := func(w store.Watch) time.Time { return w.DueAt }
	for _, class := range store.WatchClasses() {
		o.due[class] = newWatchHeap(o, key)
	}
	o.turns = newWatchHeap(o, func(w store.Watch) time.Time { return w.TurnsAt })
	o.watches = make([]store.Watch, len(o.partner.nextDue))
	for i := range o.watches {
		w := store.Watch{
			PropertyID: fmt.Sprint(1000 + i), AddedAt: midnight, ReadAt: midnight, NextDue: dueTime(o.partner.nextDue[i]),
			TransactionID: "known", DetailDigest: "known", Reads: i % o.rules.MaxDetailEvery,
		}
		o.put(i, o.rules.Schedule(w, midnight))
	}
}

func dueTime(due time.Duration) time.Time {
	if due == noDue {
		return time.Time{}
	}
	return midnight.Add(due)
}

// put keeps a watch and its places.
func (o *ours) put(sale int, w store.Watch) {
	for _, class := range store.WatchClasses() {
		o.due[class].remove(sale)
	}
	o.turns.remove(sale)
	o.watches[sale] = w
	o.due[w.Class].add(sale)
	if !w.TurnsAt.IsZero() {
		o.turns.add(sale)
	}
}

func (o *ours) counts() map[store.WatchClass]int {
	counts := map[store.WatchClass]int{}
	for class, h := range o.due {
		counts[class] = h.Len()
	}
	return counts
}

// webhooks takes those that arrive: each lets its sale be read as soon as the key
// has the calls for it, the milestones alone where the webhook is about them, and
// that resets the sale's clock.
func (o *ours) webhooks(at time.Duration) {
	for len(o.toRead) > 0 {
		c := o.toRead[0]
		if c.at+webhookDelay > at {
			return
		}
		read := polling.Read{Watch: o.watches[c.sale], Detail: c.detail}
		if !o.read(c.sale, at, read, 0) {
			return
		}
		o.toRead = o.toRead[1:]
	}
}

// turn schedules anew whose class is another by now.
func (o *ours) turn(at time.Duration) {
	now := midnight.Add(at)
	for o.turns.Len() > 0 {
		sale := o.turns.sales[0]
		if o.watches[sale].TurnsAt.After(now) {
			return
		}
		o.put(sale, o.rules.Schedule(o.watches[sale], now))
	}
}

// poll plans and reads.
func (o *ours) poll(at time.Duration) {
	now := midnight.Add(at)
	due := map[store.WatchClass][]store.Watch{}
	sales := map[string]int{}
	for class, h := range o.due {
		for _, sale := range h.firstFew(o.rules.PlanLimit(), now) {
			due[class] = append(due[class], o.watches[sale])
			sales[o.watches[sale].PropertyID] = sale
		}
	}
	var reads []polling.Read
	reads, o.state = o.rules.Plan(o.state, now, o.every, due)
	for i, read := range reads {
		if o.read(sales[read.Watch.PropertyID], at, read, o.rules.Reserve) {
			continue
		}
		// What was planned and is not called is given back, and is due still.
		for _, later := range reads[i:] {
			o.state = o.rules.Return(o.state, later.Calls())
		}
		return
	}
}

// read makes the calls of a read, the milestones first; false where the ledger has
// none. Where it has too few for team and status, they are left to the next read. A
// team and a status that change are one change here, found by the last call.
func (o *ours) read(sale int, at time.Duration, read polling.Read, reserve float64) bool {
	done := 0
	for done < read.Calls() && o.ledger.take(at, reserve) {
		if o.partner.call(at) && (done == 0 || done == read.Calls()-1) {
			o.watcher.found(sale, at, done > 0)
		}
		done++
	}
	if done == 0 {
		return false
	}
	now := midnight.Add(at)
	w := polling.WasRead(o.watches[sale], now, read.Detail && done == read.Calls())
	w.NextDue = dueTime(o.partner.nextDue[sale])
	o.put(sale, o.rules.Schedule(w, now))
	return true
}

// watchHeap orders sales by a time of their watches.
type watchHeap struct {
	of    *ours
	key   func(store.Watch) time.Time
	sales []int
	place map[int]int
}

func newWatchHeap(of *ours, key func(store.Watch) time.Time) *watchHeap {
	return &watchHeap{of: of, key: key, place: map[int]int{}}
}

func (h *watchHeap) add(sale int) { heap.Push(h, sale) }

func (h *watchHeap) remove(sale int) {
	if i, ok := h.place[sale]; ok {
		heap.Remove(h, i)
	}
}

// firstFew are the first n in order whose time has come: taken out and put back.
func (h *watchHeap) firstFew(n int, now time.Time) []int {
	var first []int
	for len(first) < n && h.Len() > 0 && !h.key(h.of.watches[h.sales[0]]).After(now) {
		first = append(first, heap.Pop(h).(int))
	}
	for _, sale := range slices.Backward(first) {
		heap.Push(h, sale)
	}
	return first
}

// Len is how many there are.
func (h *watchHeap) Len() int { return len(h.sales) }

// Less orders by time, then by sale.
func (h *watchHeap) Less(i, j int) bool {
	a, b := h.key(h.of.watches[h.sales[i]]), h.key(h.of.watches[h.sales[j]])
	if a.Equal(b) {
		return h.sales[i] < h.sales[j]
	}
	return a.Before(b)
}

// Swap swaps two places.
func (h *watchHeap) Swap(i, j int) {
	h.sales[i], h.sales[j] = h.sales[j], h.sales[i]
	h.place[h.sales[i]], h.place[h.sales[j]] = i, j
}

// Push adds a sale at the end.
func (h *watchHeap) Push(sale any) {
	h.place[sale.(int)] = len(h.sales)
	h.sales = append(h.sales, sale.(int))
}

// Pop takes the last one.
func (h *watchHeap) Pop() any {
	sale := h.sales[len(h.sales)-1]
	h.sales = h.sales[:len(h.sales)-1]
	delete(h.place, sale)
	return sale
}
