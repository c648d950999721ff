package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

// A Limit is how many calls a partner takes within a sliding window (real time).
type Limit struct {
	Calls  int
	Window time.Duration // 100 ms to 31 days
}

// CallRequest asks the ledger for calls at a partner.
type CallRequest struct {
	// Partner names the key whose limits are shared, such as "openmoove".
	Partner string
	// Limits are all in force at once. Whoever shares a key passes the same.
	Limits []Limit
	// Want is how many calls are asked for; fewer may be granted.
	Want int
	// Urgent may use the reserve. Others leave Reserve of each limit free, and get
	// nothing for a moment after an urgent request was refused.
	Urgent bool
	// Reserve is a share of each limit, such as 0.03, rounded up to whole calls. One
	// call of each limit is for everybody.
	Reserve float64
}

// CallGrant is the ledger's answer.
type CallGrant struct {
	// Granted is from 0 to Want. What is granted counts as used.
	Granted int
	// RetryAfter is above 0 where fewer than Want were granted: when more may be had.
	RetryAfter time.Duration
	// Left is what the tightest limit has left after this grant, reserve included.
	Left int
}

// Calls is the ledger of calls at partners whose limits are per key: one for all
// processes that share the store.
type Calls interface {
	// TakeCalls grants calls within the limits, exactly, however many processes ask.
	// A call has to reach the partner within a sixtieth of the shortest window after
	// its grant: ask for what is called at once, not for what is called later.
	TakeCalls(ctx context.Context, r CallRequest) (CallGrant, error)
	// NoteCalls keeps what the partner itself said was left until reset (real
	// time): other programs may use the same key. It never raises what is left
	// before reset, but a note whose reset is later replaces the earlier ones. A
	// reset in the past says nothing; no note holds longer than the longest limit's
	// window and a tenth.
	NoteCalls(ctx context.Context, partner string, left int, reset time.Time) error
	// CallsLeft tells how many calls each limit has left, in their order, and takes none.
	// What the partner itself has said bounds all of them.
	CallsLeft(ctx context.Context, partner string, limits []Limit) ([]int, error)
}

const (
	// shortestWindow keeps a bucket longer than SQLite's clock ticks.
	shortestWindow = 100 * time.Millisecond
	// longestWindow bounds the window of a limit, so that Prune knows what no limit
	// can still count.
	longestWindow = 31 * 24 * time.Hour
	// bucketsPerWindow is how finely the shortest window is counted.
	bucketsPerWindow = 60
	// urgentWait is how long others get nothing after an urgent request was refused.
	urgentWait = 2 * time.Second
	// noteJitter is by how much two resets may differ and mean the same: partners
	// say whole seconds, and replies travel.
	noteJitter = 2 * time.Second
	// noteExtra is how much longer than said a note holds: whole seconds again.
	noteExtra = time.Second
)

// TakeCalls grants calls within the limits.
func (d *database) TakeCalls(ctx context.Context, r CallRequest) (CallGrant, error) {
	if err := r.check(); err != nil {
		return CallGrant{}, fmt.Errorf("store: take calls: %w", err)
	}
	var grant CallGrant
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		l, err := d.lockLedger(ctx, tx, r.Partner)
		if err != nil {
			return err
		}
		list, err := l.rooms(ctx, r)
		if err != nil {
			return err
		}
		if grant, err = l.take(ctx, r, list); err != nil {
			return err
		}
		return l.save(ctx)
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return CallGrant{}, fmt.Errorf("store: take calls: %w", err)
	}
	return grant, nil
}

func (r CallRequest) check() error {
	if r.Partner == "" || len(r.Limits) == 0 {
		return errors.New("want a partner and its limits")
	}
	if r.Want < 0 || r.Reserve < 0 || r.Reserve >= 1 {
		return errors.New("want at least 0 calls and a reserve from 0 to below 1")
	}
	for _, limit := range r.Limits {
		if limit.Calls < 1 || limit.Window < shortestWindow || limit.Window > longestWindow {
			return fmt.Errorf("a limit of %d calls in %s: want 1 call or more in 100ms to 31 days", limit.Calls, limit.Window)
		}
	}
	return nil
}

// reserve is how many calls of a limit the request has to leave free.
func (r CallRequest) reserve(calls int) int {
	if r.Urgent {
		return 0
	}
	// Ten to the minus nine: 0.07 of 100 are 7 calls, whatever the floating point says.
	return min(int(math.Ceil(r.Reserve*float64(calls)-1e-9)), calls-1)
}

// windows are the shortest and the longest one.
func (r CallRequest) windows() (shortest, longest time.Duration) {
	shortest = longestWindow
	for _, limit := range r.Limits {
		shortest, longest = min(shortest, limit.Window), max(longest, limit.Window)
	}
	return shortest, longest
}

// room is what one limit, or what the partner said, leaves to a request.
type room struct {
	left    int64 // reserve included
	reserve int64
	window  time.Duration // of a limit, 0 for what the partner said
	calls   int64         // of a limit
	until   int64         // when what the partner said ends
}

// rooms lists what each limit and each thing that the partner said leaves.
func (l *ledger) rooms(ctx context.Context, r CallRequest) ([]room, error) {
	shortest, longest := r.windows()
	l.bucket = shortest.Microseconds() / bucketsPerWindow
	l.longest = longest.Microseconds()
	var list []room
	smallest := r.Limits[0].Calls
	for _, limit := range r.Limits {
		used, err := l.used(ctx, limit.Window)
		if err != nil {
			return nil, err
		}
		smallest = min(smallest, limit.Calls)
		list = append(list, room{
			left:    int64(limit.Calls) - used,
			reserve: int64(r.reserve(limit.Calls)),
			window:  limit.Window,
			calls:   int64(limit.Calls),
		})
	}
	notes, err := l.notes(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		until := min(n.until, n.notedAt+l.longest+l.longest/10)
		if l.now < until {
			// The partner does not say which limit it means: the reserve is the least.
			list = append(list, room{left: n.left - (l.granted - n.granted), reserve: int64(r.reserve(smallest)), until: until})
		}
	}
	return list, nil
}

// take grants what there is room for.
func (l *ledger) take(ctx context.Context, r CallRequest, list []room) (CallGrant, error) {
	least, free := int64(math.MaxInt64), int64(r.Want)
	for _, one := range list {
		least = min(least, one.left)
		free = min(free, one.left-one.reserve)
	}
	urgentWaits := l.urgentAt > 0 && l.now < l.urgentAt+urgentWait.Microseconds()
	if free < 0 || (urgentWaits && !r.Urgent) {
		free = 0
	}
	if err := l.add(ctx, free); err != nil {
		return CallGrant{}, err
	}
	grant := CallGrant{Granted: int(free), Left: int(max(least-free, 0))}
	if grant.Granted == r.Want {
		return grant, nil
	}
	retry := time.Millisecond.Microseconds()
	if r.Urgent {
		l.urgentAt, l.changed = l.now, true
	} else if urgentWaits {
		retry = max(l.urgentAt+urgentWait.Microseconds()-l.now, time.Second.Microseconds())
	}
	for _, one := range list {
		if one.left-free > one.reserve {
			continue
		}
		at := one.until
		if one.window > 0 {
			var err error
			if at, err = l.freeAt(ctx, one.window, one.calls-one.reserve); err != nil {
				return CallGrant{}, err
			}
		}
		retry = max(retry, at-l.now)
	}
	grant.RetryAfter = time.Duration(retry) * time.Microsecond
	return grant, nil
}

// NoteCalls keeps what the partner itself said was left until reset.
func (d *database) NoteCalls(ctx context.Context, partner string, left int, reset time.Time) error {
	if partner == "" {
		return errors.New("store: note calls: want a partner")
	}
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		l, err := d.lockLedger(ctx, tx, partner)
		if err != nil {
			return err
		}
		if err := l.note(ctx, int64(max(left, 0)), reset); err != nil {
			return err
		}
		return l.save(ctx)
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return fmt.Errorf("store: note calls: %w", err)
	}
	return nil
}

// CallsLeft tells how many calls each limit has left.
func (d *database) CallsLeft(ctx context.Context, partner string, limits []Limit) ([]int, error) {
	r := CallRequest{Partner: partner, Limits: limits, Urgent: true}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("store: calls left: %w", err)
	}
	left := make([]int, len(limits))
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		l, err := d.lockLedger(ctx, tx, partner)
		if err != nil {
			return err
		}
		list, err := l.rooms(ctx, r)
		if err != nil {
			return err
		}
		said := int64(math.MaxInt64)
		for _, note := range list[len(limits):] {
			said = min(said, note.left)
		}
		for i := range limits {
			left[i] = int(max(min(list[i].left, said), 0))
		}
		return errUnchanged
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, fmt.Errorf("store: calls left: %w", err)
	}
	return left, nil
}
