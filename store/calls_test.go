package store_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/store"
)

// ledger is a partner's ledger of calls whose clock the test moves.
type ledger struct {
	t       *testing.T
	s       store.Store
	partner string
	now     time.Time
}

func newLedger(t *testing.T, s store.Store, partner string) *ledger {
	t.Helper()
	store.SetClock(s, `(SELECT CAST(value AS BIGINT) FROM settings WHERE name = 'test clock')`)
	l := &ledger{t: t, s: s, partner: partner, now: time.Now().Truncate(time.Second)}
	l.pass(0)
	return l
}

// pass moves the clock, back where d is negative.
func (l *ledger) pass(d time.Duration) {
	l.t.Helper()
	l.now = l.now.Add(d)
	require.NoError(l.t, l.s.SetSetting(l.t.Context(), "test clock", fmt.Sprint(l.now.UnixMicro())))
}

func (l *ledger) take(want int, change ...func(*store.CallRequest)) store.CallGrant {
	l.t.Helper()
	r := store.CallRequest{Partner: l.partner, Limits: limits, Want: want}
	for _, c := range change {
		c(&r)
	}
	g, err := l.s.TakeCalls(l.t.Context(), r)
	require.NoError(l.t, err)
	require.LessOrEqual(l.t, g.Granted, want)
	require.Equal(l.t, g.Granted < want, g.RetryAfter > 0, "%+v", g)
	return g
}

func (l *ledger) note(left int, in time.Duration) {
	l.t.Helper()
	require.NoError(l.t, l.s.NoteCalls(l.t.Context(), l.partner, left, l.now.Add(in)))
}

// limits are OpenMoove's (contracts/openmoove.md 1). A bucket is 1 s.
var limits = []store.Limit{{Calls: 100, Window: time.Minute}, {Calls: 1000, Window: time.Hour}}

const bucket = time.Second

func urgent(r *store.CallRequest)  { r.Urgent = true }
func reserve(r *store.CallRequest) { r.Reserve = 0.03 }

func only(list ...store.Limit) func(*store.CallRequest) {
	return func(r *store.CallRequest) { r.Limits = list }
}

func TestTakeCalls(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		l := newLedger(t, open(), "p")
		require.Equal(t, store.CallGrant{Left: 100}, l.take(0))
		require.Equal(t, store.CallGrant{Granted: 60, Left: 40}, l.take(60))
		l.pass(30 * time.Second)
		require.Equal(t, store.CallGrant{Granted: 40, RetryAfter: 30*time.Second + bucket}, l.take(60))
		require.Equal(t, store.CallGrant{RetryAfter: 30*time.Second + bucket}, l.take(1))
		l.pass(30*time.Second + bucket - time.Microsecond)
		require.Equal(t, store.CallGrant{RetryAfter: time.Millisecond}, l.take(1))
		l.pass(time.Microsecond)
		require.Equal(t, store.CallGrant{Granted: 60, RetryAfter: 30 * time.Second}, l.take(61))

		other := l.take(1, func(r *store.CallRequest) { r.Partner = "another" })
		require.Equal(t, 1, other.Granted, "partners have their own ledgers")
	})
}

func TestTakeCallsWithinTheHour(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		l := newLedger(t, open(), "p")
		for range 10 {
			require.Equal(t, 100, l.take(100).Granted)
			l.pass(time.Minute + bucket)
		}
		g := l.take(100)
		require.Zero(t, g.Granted)
		require.Equal(t, time.Hour+bucket-10*(time.Minute+bucket), g.RetryAfter)
		l.pass(g.RetryAfter)
		require.Equal(t, store.CallGrant{Granted: 100, Left: 0, RetryAfter: time.Minute + bucket}, l.take(200))
	})
}

func TestTakeCallsRefusesNonsense(t *testing.T) {
	t.Parallel()
	s := open(t, ":memory:")
	good := store.CallRequest{Partner: "p", Limits: limits, Want: 1}
	_, err := s.TakeCalls(t.Context(), good)
	require.NoError(t, err)
	for name, change := range map[string]func(*store.CallRequest){
		"no partner":       func(r *store.CallRequest) { r.Partner = "" },
		"no limits":        only(),
		"no calls":         only(store.Limit{Window: time.Minute}),
		"no window":        only(store.Limit{Calls: 1}),
		"too long":         only(store.Limit{Calls: 1, Window: 32 * 24 * time.Hour}),
		"less than none":   func(r *store.CallRequest) { r.Want = -1 },
		"whole reserve":    func(r *store.CallRequest) { r.Reserve = 1 },
		"negative reserve": func(r *store.CallRequest) { r.Reserve = -0.1 },
	} {
		bad := good
		change(&bad)
		_, err := s.TakeCalls(t.Context(), bad)
		require.Error(t, err, name)
	}
	require.Error(t, s.NoteCalls(t.Context(), "", 1, time.Now().Add(time.Minute)))
}

func TestReserveIsForUrgentCalls(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		l := newLedger(t, open(), "p")
		require.Equal(t, store.CallGrant{Granted: 97, Left: 3, RetryAfter: time.Minute + bucket}, l.take(200, reserve))
		require.Equal(t, store.CallGrant{Granted: 3}, l.take(3, reserve, urgent))
		require.Zero(t, l.take(1, reserve, urgent).Granted)
		l.pass(time.Minute + bucket)

		few := only(store.Limit{Calls: 10, Window: time.Minute})
		require.Equal(t, 9, l.take(10, few, reserve).Granted, "0.3 calls are rounded up")
		require.Equal(t, 1, l.take(10, few, reserve, urgent).Granted)
		l.pass(time.Minute + bucket)
		one := only(store.Limit{Calls: 1, Window: time.Minute})
		require.Equal(t, 1, l.take(1, one, reserve).Granted, "the only call is for everybody")
		l.pass(2 * time.Hour)
		seven := func(r *store.CallRequest) { r.Reserve = 0.07 }
		require.Equal(t, 93, l.take(100, seven).Granted, "7 of 100, though 0.07*100 > 7 in floating point")
	})
}

func TestOthersWaitForAnUrgentRequest(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		l := newLedger(t, open(), "p")
		few := only(store.Limit{Calls: 10, Window: time.Second})
		require.Equal(t, 6, l.take(6, few, urgent).Granted)
		require.Equal(t, 4, l.take(4, few).Granted, "nobody was refused")
		l.pass(500 * time.Millisecond)
		require.Zero(t, l.take(1, few, urgent).Granted)
		l.pass(700 * time.Millisecond) // the window is free
		require.Equal(t, store.CallGrant{Left: 10, RetryAfter: 1300 * time.Millisecond}, l.take(5, few))
		require.Equal(t, 8, l.take(8, few, urgent).Granted)
		l.pass(time.Second)
		require.Equal(t, store.CallGrant{Left: 2, RetryAfter: time.Second}, l.take(2, few), "at least a second")
		l.pass(300 * time.Millisecond)
		require.Equal(t, 10, l.take(10, few).Granted)

		l.pass(time.Minute)
		require.Equal(t, 10, l.take(12, few, urgent).Granted, "granted in part")
		l.pass(1100 * time.Millisecond)
		require.Zero(t, l.take(1, few).Granted)
		l.pass(900 * time.Millisecond)
		require.Equal(t, 1, l.take(1, few).Granted)
	})
}

func TestPartnersWord(t *testing.T) {
	type do = func(l *ledger)
	granted := func(want int, change ...func(*store.CallRequest)) do {
		return func(l *ledger) { l.t.Helper(); require.Equal(l.t, want, l.take(100, change...).Granted) }
	}
	taken := func(n int) do { return func(l *ledger) { l.t.Helper(); require.Equal(l.t, n, l.take(n).Granted) } }
	note := func(left int, in time.Duration) do { return func(l *ledger) { l.note(left, in) } }
	pass := func(d time.Duration) do { return func(l *ledger) { l.pass(d) } }
	const minute = time.Minute
	cases := map[string][]do{
		"bounds what is granted":          {note(5, minute), taken(2), granted(3), granted(0)},
		"none left blocks until reset":    {note(0, minute), granted(0), pass(minute + time.Second - 1000), granted(0), pass(1000), granted(100)},
		"less than none":                  {note(-3, minute), granted(0), pass(minute + time.Second), granted(100)},
		"nobody else calls":               {taken(10), note(90, minute), granted(90)},
		"calls were under way":            {taken(20), note(90, minute), granted(80)},
		"others call too":                 {taken(10), note(40, minute), granted(40)},
		"a higher one does not raise":     {note(5, minute), taken(2), note(50, minute), granted(3)},
		"out of order":                    {taken(3), note(7, minute), note(9, minute), note(8, minute), granted(7)},
		"a lower one lowers":              {note(50, minute), note(5, minute), granted(5)},
		"lower, though more at that time": {note(50, minute), taken(48), note(10, minute), granted(2)},
		"nearly the same reset":           {note(5, minute), note(50, minute+1500*time.Millisecond), granted(5)},
		"resets that creep":               {note(5, minute), note(50, minute+1500*time.Millisecond), note(60, minute+3*time.Second), granted(60)},
		"a later reset replaces":          {note(5, minute), note(50, 2*minute), granted(50)},
		"an earlier one stands beside":    {note(50, time.Hour), note(5, minute), granted(5), pass(minute + 2*time.Second), granted(45)},
		"in the past":                     {note(0, -minute), granted(100)},
		"past by less than a second":      {note(0, -500*time.Millisecond), granted(0), pass(500 * time.Millisecond), granted(100)},
		"too far away":                    {note(5, 1000*time.Hour), granted(5), pass(66*minute - 1000), granted(0), pass(1000), granted(100)},
		"others leave the reserve":        {note(5, minute), granted(2, reserve), granted(3, reserve, urgent)},
		"after the clock jumped back":     {taken(1), note(0, minute), pass(-time.Hour), granted(0), pass(minute + time.Second), granted(100)},
		"after the clock jumped far back": {taken(1), note(0, minute), pass(-9999 * time.Hour), granted(0), pass(minute + time.Second - 1000), granted(0), pass(1000), granted(100)},
	}
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		for name, steps := range cases {
			t.Run(name, func(t *testing.T) {
				l := newLedger(t, s, name)
				for _, step := range steps {
					step(l)
				}
			})
		}
	})
}

func TestPartnersWordSaysWhenToRetry(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		l := newLedger(t, open(), "p")
		l.note(7, 20*time.Minute)
		require.Equal(t, store.CallGrant{Granted: 7, RetryAfter: 20*time.Minute + time.Second}, l.take(8))
		l.pass(10 * time.Minute)
		require.Equal(t, store.CallGrant{RetryAfter: 10*time.Minute + time.Second}, l.take(1))
	})
}

// A clock that is put right must not grant again what was granted, nor block
// for as long as it was wrong.
func TestClockJumpsBack(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		for _, jump := range []time.Duration{22 * time.Second, 59 * time.Second, time.Hour, 10_000 * time.Hour} {
			l := newLedger(t, s, jump.String())
			require.Equal(t, 50, l.take(50).Granted)
			l.pass(40 * time.Second)
			require.Equal(t, 50, l.take(50).Granted)
			l.pass(-jump)
			require.Equal(t, store.CallGrant{RetryAfter: 20*time.Second + bucket}, l.take(1))
			l.pass(20*time.Second + bucket)
			require.Equal(t, store.CallGrant{Granted: 50, RetryAfter: 40 * time.Second}, l.take(100))
			l.pass(jump) // and forward again
			require.Zero(t, l.take(100).Granted, "no time has passed")
			l.pass(40 * time.Second)
			require.Equal(t, 50, l.take(100).Granted)
		}
	})
}

// A small jump, as when a clock is set by the network, costs no more than itself.
func TestClockJumpsBackALittle(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		for _, jump := range []time.Duration{time.Microsecond, time.Second, 20 * time.Second} {
			l := newLedger(t, s, jump.String())
			require.Equal(t, 100, l.take(100).Granted)
			l.pass(-jump)
			l.pass(time.Minute + bucket)
			require.Equal(t, store.CallGrant{RetryAfter: max(jump, time.Millisecond)}, l.take(1))
			l.pass(jump)
			require.Equal(t, 100, l.take(100).Granted)
		}
	})
}

// Random requests, clocks and limits against the definition: never more than a
// limit in a window, and never refused where two buckets more would be free too.
func TestTakeCallsAtRandom(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		random := rand.New(rand.NewPCG(1, 2))
		s := open()
		for round := range 3 {
			l := newLedger(t, s, fmt.Sprint("p", round))
			list := []store.Limit{
				{Calls: 5 + random.IntN(30), Window: time.Duration(1+random.IntN(20)) * time.Second},
				{Calls: 20 + random.IntN(100), Window: time.Duration(20+random.IntN(60)) * time.Second},
			}
			width := min(list[0].Window, list[1].Window) / 60
			type granted struct {
				at time.Time
				n  int
			}
			var all []granted
			count := func(window time.Duration) (n int) {
				for _, g := range slices.Backward(all) {
					if l.now.Sub(g.at) >= window {
						break
					}
					n += g.n
				}
				return n
			}
			for range 300 {
				l.pass(time.Duration(random.Int64N(int64(list[0].Window / 8))))
				want := 1 + random.IntN(8)
				g := l.take(want, only(list...))
				all = append(all, granted{l.now, g.Granted})
				tight := g.Granted == want
				for _, limit := range list {
					require.LessOrEqual(t, count(limit.Window), limit.Calls, "%v", limit)
					tight = tight || count(limit.Window+2*width+time.Microsecond) >= limit.Calls
				}
				require.True(t, tight, "refused without need")
				if g.RetryAfter > time.Millisecond && random.IntN(4) == 0 {
					l.pass(g.RetryAfter - 2*time.Microsecond)
					require.Zero(t, l.take(1, only(list...)).Granted)
					l.pass(2 * time.Microsecond)
					again := l.take(1, only(list...)).Granted
					require.Equal(t, 1, again, "RetryAfter is when one may be had")
					all = append(all, granted{l.now, again})
				}
			}
		}
	})
}

// However often somebody calls, a partner has 60 buckets of the shortest window.
func TestCallsTakeLittleSpace(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		l := newLedger(t, open(t, at), "p")
		for range 400 {
			l.pass(8 * time.Millisecond)
			l.take(1, only(store.Limit{Calls: 1000, Window: time.Second}, store.Limit{Calls: 1500, Window: 2 * time.Second}))
		}
		n := countRows(t, at, `SELECT count(*) FROM call_buckets`)
		require.Greater(t, n, 60)
		require.LessOrEqual(t, n, 2*60+2)
	})
}

// Calls and notes of a partner that nobody calls any more go; those that a limit
// may still count stay, whatever time is asked for.
func TestPruneCalls(t *testing.T) {
	eachURL(t, func(t *testing.T, at string) {
		s := open(t, at)
		l := newLedger(t, s, "p")
		for _, partner := range []string{"old", "new"} {
			l.partner = partner
			if partner == "old" {
				l.pass(-100 * 24 * time.Hour)
			}
			for range 3 {
				l.pass(2 * bucket)
				l.take(30)
			}
			l.note(50, time.Hour)
			if partner == "old" {
				l.pass(100 * 24 * time.Hour)
			}
		}
		n, err := s.(store.Pruner).Prune(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.EqualValues(t, 3, n, "two buckets and a note")
		require.Equal(t, 10, l.take(11).Granted)
		require.Zero(t, countRows(t, at, `SELECT count(*) FROM call_notes WHERE partner = 'old'`))
	})
}

// The real clock of either database moves.
func TestCallsOnTheDatabasesClock(t *testing.T) {
	each(t, func(t *testing.T, open func() store.Store) {
		s := open()
		r := store.CallRequest{Partner: "p", Limits: []store.Limit{{Calls: 3, Window: 300 * time.Millisecond}}, Want: 3}
		for range 3 {
			require.Eventually(t, func() bool {
				g, err := s.TakeCalls(t.Context(), r)
				require.NoError(t, err)
				require.Less(t, g.RetryAfter, 306*time.Millisecond)
				return g.Granted == 3
			}, 10*time.Second, 5*time.Millisecond)
		}
		require.NoError(t, s.NoteCalls(t.Context(), "p", 0, time.Now().Add(time.Hour)))
		g, err := s.TakeCalls(t.Context(), r)
		require.NoError(t, err)
		require.Zero(t, g.Granted)
		require.InDelta(t, 330*time.Millisecond, g.RetryAfter, float64(100*time.Millisecond), "no longer than the window and a tenth")
	})
}

// How long a request takes with an hour of calls in the ledger.
func BenchmarkTakeCalls(b *testing.B) {
	for name, request := range map[string]store.CallRequest{
		"granted": {Partner: "p", Want: 20, Limits: []store.Limit{{Calls: 1e9, Window: time.Minute}, {Calls: 1e9, Window: time.Hour}}},
		"refused": {Partner: "p", Want: 20, Limits: []store.Limit{{Calls: 1, Window: time.Minute}, {Calls: 3000, Window: time.Hour}}},
	} {
		b.Run(name, func(b *testing.B) {
			s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"))
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, s.Close()) })
			fill := store.CallRequest{Partner: "p", Want: 1, Limits: []store.Limit{{Calls: 1e9, Window: time.Minute}, {Calls: 1e9, Window: time.Hour}}}
			for now, i := time.Now(), 3600; i > 0; i-- {
				store.SetClock(s, fmt.Sprint(now.Add(time.Duration(-i)*time.Second).UnixMicro()))
				_, err := s.TakeCalls(b.Context(), fill)
				require.NoError(b, err)
			}
			store.SetClock(s, `CAST(unixepoch('subsec') * 1000000 AS BIGINT)`)
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				_, err := s.TakeCalls(b.Context(), request)
				took = append(took, time.Since(began))
				require.NoError(b, err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
