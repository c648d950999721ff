package openmoove

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"
)

const (
	// evolveTick is how often the business clock is looked at, in real time: how it runs
	// is not known here.
	evolveTick = 20 * time.Millisecond
	// maxAtOnce bounds the changes of one look. After a jump of the clock the rest of
	// what was due is left out.
	maxAtOnce = 1_000
	// rest is how long a sale is left alone after it has evolved, in business time and
	// as long as there is another: somebody who reads it every half hour then sees each
	// change on its own.
	rest = 2 * time.Hour
	// pickTries is how many sales are drawn at most before one is taken.
	pickTries = 64
)

// Weights of the kinds of changes, among those that a sale allows.
const (
	weightComplete = 40
	weightMove     = 30
	weightStatus   = 12
	weightAccept   = 10
	weightAdd      = 8
)

// Statuses in the order in which a sale has them.
const (
	forSale    = "For sale"
	underOffer = "Under offer"
	sold       = "Sold"
)

// extras are the names of milestones that are added to sales, to each once at most.
func extras() []string {
	return []string{"Survey", "Mortgage Offer", "Local Searches", "Enquiries Answered", "Management Pack", "Fixtures and Contents"}
}

// evolver changes sales by itself, as people in OpenMoove's own pages would do it:
// through the functions of byhand.go, so that all is told and logged alike. Gaps
// between changes are exponential in business time, sales are drawn evenly from those
// that are not completed. Nothing is ever reopened: between two reads that could not be
// told from no change.
type evolver struct {
	server   *Server
	onChange func()
	seed     uint64

	perDay int
	closed bool
	stop   context.CancelFunc // nil while nothing evolves
	done   chan struct{}

	// The goroutine's own while there is one.
	random *rand.Rand
	// touched is when sales have evolved last, by id.
	touched map[int]time.Time
}

func newEvolver(s *Server, cfg Config) *evolver {
	e := &evolver{server: s, onChange: cfg.OnChange, seed: cfg.Seed}
	e.begin()
	return e
}

func (e *evolver) begin() {
	e.random, e.touched = rand.New(rand.NewPCG(e.seed, 0)), map[int]time.Time{}
}

// set lets so many changes happen a day from now on. When it returns, no change of the
// rate before is under way.
func (e *evolver) set(perDay int) {
	if e.closed || perDay == e.perDay {
		return
	}
	e.end()
	e.perDay = perDay
	if perDay == 0 {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	e.stop, e.done = stop, make(chan struct{})
	go e.run(ctx, e.done, e.server.cfg.Now().Add(e.gap(perDay)), perDay)
}

// end stops the goroutine and waits for it.
func (e *evolver) end() {
	if e.stop != nil {
		e.stop()
		<-e.done
		e.stop = nil
	}
}

func (e *evolver) reset() {
	e.set(0)
	e.begin()
}

func (e *evolver) close() {
	e.set(0)
	e.closed = true
}

// run changes what is due, first at next, until the context ends.
func (e *evolver) run(ctx context.Context, done chan<- struct{}, next time.Time, perDay int) {
	defer close(done)
	tick := time.NewTicker(evolveTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			var changed bool
			if next, changed = e.upTo(ctx, next, perDay); changed && e.onChange != nil {
				e.onChange()
			}
		}
	}
}

// upTo makes the changes that are due, the first at next, and returns when the first
// is that is not.
func (e *evolver) upTo(ctx context.Context, next time.Time, perDay int) (then time.Time, changed bool) {
	now := e.server.cfg.Now()
	for range maxAtOnce {
		if next.After(now) || ctx.Err() != nil {
			return next, changed
		}
		changed = e.step(now) || changed
		next = next.Add(e.gap(perDay))
	}
	return now.Add(e.gap(perDay)), changed
}

func (e *evolver) gap(perDay int) time.Duration {
	return time.Duration(e.random.ExpFloat64() * float64(24*time.Hour) / float64(perDay))
}

// step makes one change, and tells whether there was a sale to change.
func (e *evolver) step(now time.Time) bool {
	p := e.pick(now)
	if p == nil {
		return false
	}
	e.touched[p.ID] = now
	if err := e.change(p, now); err != nil {
		e.server.cfg.Log.Warn("openmoove stand-in: a sale did not evolve", zap.Int("property", p.ID), zap.Error(err))
		return false
	}
	return true
}

// pick draws a sale that is not completed, nil where all are: the first drawn that has
// rested, else the one drawn that has rested for longest. Only where hardly any is open
// does it look through all.
func (e *evolver) pick(now time.Time) *Property {
	s := e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.properties)
	if n == 0 {
		return nil
	}
	var tired *Property
	for range pickTries {
		p := s.properties[e.random.IntN(n)]
		switch at, touched := e.touched[p.ID]; {
		case p.Current() == nil:
		case !touched || now.Sub(at) >= rest:
			return p
		case tired == nil || at.Before(e.touched[tired.ID]):
			tired = p
		}
	}
	for i, from := 0, e.random.IntN(n); tired == nil && i < n; i++ {
		if p := s.properties[(from+i)%n]; p.Current() != nil {
			tired = p
		}
	}
	return tired
}

// deed is a change that a sale allows.
type deed struct {
	weight int
	do     func() error
}

// change does one of the things that a sale allows.
func (e *evolver) change(p *Property, now time.Time) error {
	deeds := e.deeds(p, now)
	all := 0
	for _, d := range deeds {
		all += d.weight
	}
	at := e.random.IntN(all)
	for _, d := range deeds {
		if at -= d.weight; at < 0 {
			return d.do()
		}
	}
	return nil // cannot be: at was below the sum
}

// deeds are all that a sale allows; to move a due date is always among them.
func (e *evolver) deeds(p *Property, now time.Time) []deed {
	s, id := e.server, strconv.Itoa(p.ID)
	current, status := p.Current(), nextStatus(p.Status)
	deeds := []deed{{weightMove, func() error {
		m := e.someOpen(p)
		due := e.newDueDate(m, now)
		_, err := s.SetMilestone(id, strconv.Itoa(m.ID), MilestoneChange{DueDate: &due})
		return err
	}}}
	// A sale ends as sold.
	if status == "" || len(p.Milestones)-p.CompletedMilestones() > 1 {
		deeds = append(deeds, deed{weightComplete, func() error {
			completed := true
			_, err := s.SetMilestone(id, strconv.Itoa(current.ID), MilestoneChange{Completed: &completed})
			return err
		}})
	}
	if status != "" {
		deeds = append(deeds, deed{weightStatus, func() error { _, err := s.SetStatus(id, status); return err }})
	}
	if i := slices.IndexFunc(p.Team, func(m Member) bool { return !m.Active }); i >= 0 {
		deeds = append(deeds, deed{weightAccept, func() error { _, err := s.Accept(id, p.Team[i].Role); return err }})
	}
	missing := slices.DeleteFunc(extras(), func(name string) bool {
		return slices.ContainsFunc(p.Milestones, func(m Milestone) bool { return m.Name == name })
	})
	if len(missing) > 0 {
		deeds = append(deeds, deed{weightAdd, func() error {
			due := endOfDay(now.AddDate(0, 0, e.between(5, 30)))
			_, err := s.AddMilestone(id, missing[e.random.IntN(len(missing))], "", due)
			return err
		}})
	}
	return deeds
}

func nextStatus(status string) string {
	switch status {
	case forSale:
		return underOffer
	case underOffer:
		return sold
	}
	return ""
}

// someOpen is the current milestone half of the time, else any that is open.
func (e *evolver) someOpen(p *Property) Milestone {
	if e.random.IntN(2) == 0 {
		return *p.Current()
	}
	open := slices.DeleteFunc(slices.Clone(p.Milestones), Milestone.Completed)
	return open[e.random.IntN(len(open))]
}

// newDueDate is another than before: now and then an earlier one, between two days ago
// and five days ahead, else a later one.
func (e *evolver) newDueDate(m Milestone, now time.Time) time.Time {
	if m.DueDate.IsZero() {
		return endOfDay(now.AddDate(0, 0, e.between(3, 30)))
	}
	if e.random.IntN(100) < 40 {
		if earlier := endOfDay(now.AddDate(0, 0, e.between(-2, 5))); earlier.Before(m.DueDate) {
			return earlier
		}
	}
	from := m.DueDate
	if now.After(from) {
		from = now
	}
	return endOfDay(from.AddDate(0, 0, e.between(1, 21)))
}

// between is a number from low to high, both of them possible.
func (e *evolver) between(low, high int) int { return low + e.random.IntN(high-low+1) }
