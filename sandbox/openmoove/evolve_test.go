package openmoove

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// patience is for a machine that has much else to do.
const patience = 30 * time.Second

// clock is business time that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2031, time.March, 3, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// portfolio is a server with so many sales and a log of what happens from now on.
func portfolio(t testing.TB, cfg Config, sales int) *Server {
	t.Helper()
	cfg.Log = zap.NewNop()
	s, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	if sales > 0 {
		_, err = s.CreatePortfolio(sales, 1, true)
		require.NoError(t, err)
	}
	return s
}

// evolve makes so many changes, evenly over a time.
func evolve(s *Server, c *clock, changes int, over time.Duration) (made int) {
	for range changes {
		if s.evolver.step(c.add(over / time.Duration(changes))) {
			made++
		}
	}
	return made
}

func TestSalesEvolve(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := portfolio(t, Config{Now: c.Now}, 300)
	before := s.Newest(-1)
	first := len(before) - 3 // the seeded ones were not created now
	require.Len(t, s.ChangesAfter(0), first)
	const days, perDay = 3, 300
	require.Equal(t, days*perDay, evolve(s, c, days*perDay, days*24*time.Hour))

	kinds, last := map[ChangeKind]int{}, map[int]time.Time{}
	state := map[int]*Property{}
	for _, p := range before {
		state[p.ID] = p.copy()
	}
	log := s.ChangesAfter(first)
	require.Len(t, log, days*perDay, "one line for each change, and no change without its line")
	for i, got := range log {
		require.Equal(t, first+1+i, got.N)
		kinds[got.Kind]++
		if at, ok := last[got.PropertyID]; ok {
			require.GreaterOrEqual(t, got.At.Sub(at), rest, "a sale rests while there are others")
		}
		last[got.PropertyID] = got.At
		follow(t, state[got.PropertyID], got)
	}
	for kind, least := range map[ChangeKind]int{MilestoneReached: 200, MilestoneRescheduled: 150, StatusChanged: 20, Accepted: 30, MilestoneAdded: 30} {
		require.Greater(t, kinds[kind], least, kind)
	}
	require.Zero(t, kinds[MilestoneReopened])
	for _, p := range s.Newest(-1) {
		require.Equal(t, state[p.ID].Milestones, p.Milestones, "the log tells all that has happened")
		require.Equal(t, state[p.ID].Status, p.Status)
		require.Equal(t, active(state[p.ID]), active(p))
		if p.Current() == nil {
			require.Equal(t, sold, p.Status, "a sale ends as sold")
		}
	}
}

func active(p *Property) (out []bool) {
	for _, m := range p.Team {
		out = append(out, m.Active)
	}
	return out
}

// follow does to a sale what the log says, and checks that it makes sense.
func follow(t *testing.T, p *Property, c Change) {
	t.Helper()
	i := slices.IndexFunc(p.Milestones, func(m Milestone) bool { return m.ID == c.MilestoneID })
	switch c.Kind {
	case MilestoneReached:
		require.Equal(t, p.Current().ID, c.MilestoneID, "the current one is completed")
		p.Milestones[i].CompletedAt = c.At
	case MilestoneRescheduled:
		require.False(t, p.Milestones[i].Completed())
		require.NotEqual(t, p.Milestones[i].DueDate, c.DueDate)
		require.False(t, c.DueDate.IsZero())
		require.Less(t, c.At.Sub(c.DueDate), 4*24*time.Hour, "overdue by days at most")
		p.Milestones[i].DueDate = c.DueDate
	case MilestoneAdded:
		p.Milestones = append(p.Milestones, Milestone{
			ID: c.MilestoneID, Name: c.Milestone, Order: len(p.Milestones) + 1, AssignedTo: "Estate Agent", DueDate: c.DueDate,
		})
	case Accepted:
		at := slices.IndexFunc(p.Team, func(m Member) bool { return m.Role == c.Role })
		require.False(t, p.Team[at].Active)
		p.Team[at].Active = true
	case StatusChanged:
		require.Equal(t, nextStatus(p.Status), c.Status)
		p.Status = c.Status
	case Created, MilestoneReopened:
		require.Fail(t, "nothing is created or reopened by itself")
	}
}

func TestOneSeedTellsOneStory(t *testing.T) {
	t.Parallel()
	story := func(seed uint64, before int) []Change {
		c := newClock()
		s := portfolio(t, Config{Now: c.Now, Seed: seed}, 0)
		_, err := s.CreatePortfolio(40, 7, true)
		require.NoError(t, err)
		if before > 0 { // a Reset begins the story again
			evolve(s, c, before, time.Hour)
			s.Reset()
			c.add(-time.Hour)
			s.mu.Lock()
			s.db = s.fresh(0, 0)
			s.log = changeLog{}
			s.mu.Unlock()
			_, err := s.CreatePortfolio(40, 7, true)
			require.NoError(t, err)
		}
		evolve(s, c, 200, 48*time.Hour)
		return s.ChangesAfter(0)
	}
	first := story(3, 0)
	require.Equal(t, first, story(3, 0))
	require.Equal(t, first, story(3, 25))
	require.NotEqual(t, first, story(4, 0))
}

func TestEvolvingEndsWhenAllIsCompleted(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := portfolio(t, Config{Now: c.Now}, 10)
	made := evolve(s, c, 2000, 2000*time.Hour)
	require.Less(t, made, 2000)
	require.Len(t, s.ChangesAfter(10), made)
	for _, p := range s.Newest(-1) {
		require.Nil(t, p.Current())
		require.LessOrEqual(t, len(p.Milestones), 12)
	}
	_, err := s.Create(map[string]any{"property_address": "1 Elm Row", "property_postcode": "LS1 1AA", "email": "x@example.com"})
	require.NoError(t, err)
	require.True(t, s.evolver.step(c.add(time.Hour)), "it goes on with a new sale")
	require.True(t, s.evolver.step(c.Now()), "a sale that is alone does not rest")
}

func TestChangesComeAtRandomAtTheirRate(t *testing.T) {
	t.Parallel()
	e := newEvolver(nil, Config{})
	const n, perDay = 20_000, 300
	var sum time.Duration
	short := 0
	for range n {
		gap := e.gap(perDay)
		sum += gap
		if gap < 24*time.Hour/perDay {
			short++
		}
	}
	require.InEpsilon(t, float64(24*time.Hour)/perDay, float64(sum)/n, 0.03)
	require.InEpsilon(t, 0.632, float64(short)/n, 0.03, "gaps are exponential")
}

func TestTheClockSetsThePace(t *testing.T) {
	t.Parallel()
	c := newClock()
	told := make(chan struct{}, 10_000)
	s := portfolio(t, Config{Now: c.Now, OnChange: func() { told <- struct{}{} }}, 400)
	made := func() int { return len(s.ChangesAfter(400)) }
	require.NoError(t, s.SetOptions(Options{ChangesADay: 400}))
	require.Never(t, func() bool { return made() > 0 }, 5*evolveTick, evolveTick, "no business time passes, nothing happens")
	require.Empty(t, told)
	c.add(12 * time.Hour)
	require.Eventually(t, func() bool { return made() > 150 }, patience, 5*time.Millisecond)
	require.Never(t, func() bool { return made() > 260 }, 3*evolveTick, evolveTick, "about 200 in half a day")
	require.NotEmpty(t, told)

	// Another option leaves it alone; 0 ends it.
	require.NoError(t, s.SetOptions(Options{ChangesADay: 400, WithoutTeam: true}))
	was := made()
	c.add(12 * time.Hour)
	require.Eventually(t, func() bool { return made() > was+150 }, patience, 5*time.Millisecond)
	require.NoError(t, s.SetOptions(Options{}))
	was = made()
	c.add(24 * time.Hour)
	require.Never(t, func() bool { return made() > was }, 5*evolveTick, evolveTick)

	// After a jump only so much is made good.
	require.NoError(t, s.SetOptions(Options{ChangesADay: MaxChangesADay}))
	c.add(24 * time.Hour)
	require.Eventually(t, func() bool { return made() == was+maxAtOnce }, patience, 5*time.Millisecond)
	require.Never(t, func() bool { return made() > was+maxAtOnce }, 3*evolveTick, evolveTick)
}

func TestResetAndCloseEndEvolving(t *testing.T) {
	t.Parallel()
	s := portfolio(t, Config{Now: fast()}, 50)
	require.NoError(t, s.SetOptions(Options{ChangesADay: MaxChangesADay}))
	require.Eventually(t, func() bool { return len(s.ChangesAfter(50)) > 5 }, patience, 5*time.Millisecond)
	s.Reset()
	require.Equal(t, Options{}, s.Options())
	require.Never(t, func() bool { return len(s.ChangesAfter(0)) > 0 }, 5*evolveTick, evolveTick)

	require.NoError(t, s.SetOptions(Options{ChangesADay: MaxChangesADay}))
	require.Eventually(t, func() bool { return len(s.ChangesAfter(0)) > 5 }, patience, 5*time.Millisecond)
	s.Close()
	was := len(s.ChangesAfter(0))
	require.NoError(t, s.SetOptions(Options{ChangesADay: 5}))
	require.Never(t, func() bool { return len(s.ChangesAfter(0)) > was }, 5*evolveTick, evolveTick, "not after Close")
}

// fast is a clock on which a day lasts 2.4 s.
func fast() func() time.Time {
	begun := time.Now()
	return func() time.Time { return begun.Add(36_000 * time.Since(begun)) }
}

// Options that change while much happens neither block nor leave two at work.
func TestOptionsChangeWhileSalesEvolve(t *testing.T) {
	t.Parallel()
	s := portfolio(t, Config{Now: fast()}, 100)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 25 {
				_ = s.SetOptions(Options{ChangesADay: (i + j) % 3 * 40_000})
				if j%10 == 9 {
					s.Reset()
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.SetOptions(Options{}))
	was := len(s.ChangesAfter(0))
	require.Never(t, func() bool { return len(s.ChangesAfter(0)) > was }, 5*evolveTick, evolveTick)
}

func TestChangesADayIsBounded(t *testing.T) {
	t.Parallel()
	s := portfolio(t, Config{}, 0)
	for _, n := range []int{-1, MaxChangesADay + 1} {
		require.ErrorContains(t, s.SetOptions(Options{WithoutTeam: true, ChangesADay: n}), "changes_a_day is 0 to 100000")
		require.Equal(t, Options{}, s.Options())
	}
}

func TestTheLogIsBounded(t *testing.T) {
	t.Parallel()
	var l changeLog
	require.Equal(t, []Change{}, l.after(0), "an empty list, not null")
	for range maxLogged + 5_000 {
		l.add(Change{})
	}
	all := l.after(0)
	require.LessOrEqual(t, len(all), maxLogged)
	require.GreaterOrEqual(t, len(all), maxLogged*9/10)
	require.Equal(t, maxLogged+5_000, all[len(all)-1].N)
	require.Equal(t, all, l.after(all[0].N-1))
	for after, want := range map[int]int{-5: len(all), maxLogged + 4_999: 1, maxLogged + 5_000: 0, maxLogged * 2: 0, all[0].N: len(all) - 1} {
		require.Len(t, l.after(after), want, "after %d", after)
	}
}

func TestAPortfolioThatHasNoRoomIsNotBegun(t *testing.T) {
	t.Parallel()
	s := portfolio(t, Config{}, 0)
	one := s.Newest(1)[0]
	s.properties = slices.Repeat([]*Property{one}, maxProperties-10)
	_, err := s.CreatePortfolio(11, 1, true)
	require.ErrorIs(t, err, errFull)
	require.Equal(t, maxProperties-10, s.Count())
	_, err = s.CreatePortfolio(10, 1, true)
	require.NoError(t, err)
}

func BenchmarkEvolve(b *testing.B) {
	for _, sales := range []int{300, 5_000} {
		b.Run(strconv.Itoa(sales), func(b *testing.B) {
			c := newClock()
			s := portfolio(b, Config{Now: c.Now, Journal: func(int64, []byte) {}}, sales)
			for b.Loop() {
				if !s.evolver.step(c.add(time.Second)) {
					b.StopTimer()
					s.Reset()
					_, err := s.CreatePortfolio(sales, 1, true)
					require.NoError(b, err)
					b.StartTimer()
				}
			}
		})
	}
}

func ExampleServer_ChangesAfter() {
	at := time.Date(2031, time.March, 3, 9, 0, 0, 0, time.UTC)
	s, err := New(Config{Now: func() time.Time { return at }})
	if err != nil {
		return
	}
	defer s.Close()
	if _, err := s.SetStatus("1", "Under offer"); err != nil {
		return
	}
	for _, c := range s.ChangesAfter(0) {
		fmt.Println(c.N, c.At.Format(time.DateOnly), c.PropertyID, c.Kind, c.Status)
	}
	// Output: 1 2031-03-03 1 status Under offer
}
