package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ledger is a partner's row of call_ledgers, locked until the transaction ends.
//
// Calls are counted ever (granted). A bucket holds those granted within a
// sixtieth of the shortest window and knows how many came before it, so that what
// a window has used is one subtraction: granted, less what came before the first
// bucket that the window touches. A bucket counts until its last call is a window
// and one bucket old: a call arrives a little after its grant.
//
// The ledger has a time of its own, which is the database's clock while that goes
// forward. Where the clock jumps back, the ledger goes on from its last grant at
// the clock's pace, until the clock has caught up with its last grant. So no grant
// is forgotten, and none blocks for longer than it should by more than the jump; a
// jump of hours costs nothing. A jump forward cannot be told from a time in which
// nobody called.
type ledger struct {
	tx      *sql.Tx
	partner string
	changed bool

	clock int64 // the database's, as all times here in microseconds
	now   int64 // the ledger's
	ahead int64 // now less clock, after a jump back

	granted      int64
	bucketBegan  int64
	bucketLast   int64
	bucketBefore int64
	urgentAt     int64 // when an urgent request was last refused, 0 for never

	bucket  int64 // how long a bucket is
	longest int64 // the longest window
}

// errUnchanged rolls a transaction back that has nothing to write, which saves
// the wait for the disk.
var errUnchanged = errors.New("nothing to write")

// lockLedger waits for others and reads the partner's ledger and the clock.
func (d *database) lockLedger(ctx context.Context, tx *sql.Tx, partner string) (*ledger, error) {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO call_ledgers (partner) VALUES ($1)
		ON CONFLICT (partner) DO UPDATE SET partner = excluded.partner`, partner)
	if err != nil {
		return nil, err
	}
	l := &ledger{tx: tx, partner: partner}
	// Another statement, so that the clock is read once the lock is held.
	err = tx.QueryRowContext(ctx, `
		SELECT `+d.clock+`, granted, bucket_began, bucket_last, bucket_before, urgent_at, ahead
		FROM call_ledgers WHERE partner = $1`, partner).
		Scan(&l.clock, &l.granted, &l.bucketBegan, &l.bucketLast, &l.bucketBefore, &l.urgentAt, &l.ahead)
	if err != nil {
		return nil, err
	}
	ahead := l.ahead
	last := max(l.bucketLast, l.urgentAt)
	if l.clock >= last {
		ahead = 0
	} else if l.clock+ahead < last {
		ahead = last - l.clock
	}
	l.changed = ahead != l.ahead
	l.ahead, l.now = ahead, l.clock+ahead
	return l, nil
}

// save writes the ledger, or returns errUnchanged.
func (l *ledger) save(ctx context.Context) error {
	if !l.changed {
		return errUnchanged
	}
	_, err := l.tx.ExecContext(ctx, `
		UPDATE call_ledgers SET granted = $1, bucket_began = $2, bucket_last = $3, bucket_before = $4, urgent_at = $5, ahead = $6
		WHERE partner = $7`,
		l.granted, l.bucketBegan, l.bucketLast, l.bucketBefore, l.urgentAt, l.ahead, l.partner)
	return err
}

// used counts the calls within a window.
func (l *ledger) used(ctx context.Context, window time.Duration) (int64, error) {
	since := l.now - window.Microseconds() - l.bucket
	if l.bucketLast <= since {
		return 0, nil
	}
	var before int64
	err := l.tx.QueryRowContext(ctx, `
		SELECT before_calls FROM call_buckets WHERE partner = $1 AND last_at > $2
		ORDER BY last_at LIMIT 1`, l.partner, since).Scan(&before)
	if errors.Is(err, sql.ErrNoRows) {
		before, err = l.bucketBefore, nil
	}
	return l.granted - before, err
}

// freeAt is when so many calls have left a window that fewer than calls are in it.
func (l *ledger) freeAt(ctx context.Context, window time.Duration, calls int64) (int64, error) {
	// The last bucket that has to leave: with it, calls or more are counted.
	leaves, before := l.bucketLast, l.granted-calls
	if l.bucketBefore > before {
		err := l.tx.QueryRowContext(ctx, `
			SELECT last_at FROM call_buckets WHERE partner = $1 AND before_calls <= $2
			ORDER BY before_calls DESC LIMIT 1`, l.partner, before).Scan(&leaves)
		if err != nil {
			return 0, err
		}
	}
	return leaves + window.Microseconds() + l.bucket, nil
}

// add counts calls as granted now.
func (l *ledger) add(ctx context.Context, calls int64) error {
	if calls == 0 {
		return nil
	}
	l.changed = true
	if l.now > l.bucketLast && l.now >= l.bucketBegan+l.bucket {
		if err := l.closeBucket(ctx); err != nil {
			return err
		}
		l.bucketBegan, l.bucketBefore = l.now, l.granted
	}
	l.bucketLast = l.now
	l.granted += calls
	return nil
}

// closeBucket puts the bucket to the others and deletes those that no window
// touches any more.
func (l *ledger) closeBucket(ctx context.Context) error {
	if l.granted == 0 {
		return nil // there is none yet
	}
	_, err := l.tx.ExecContext(ctx, `
		INSERT INTO call_buckets (partner, last_at, before_calls) VALUES ($1, $2, $3)`, l.partner, l.bucketLast, l.bucketBefore)
	if err != nil {
		return err
	}
	_, err = l.tx.ExecContext(ctx, `
		DELETE FROM call_buckets WHERE partner = $1 AND last_at <= $2`, l.partner, l.now-l.longest-l.bucket)
	return err
}

// callNote is what the partner said at notedAt: left calls until a time, when so
// many had been granted ever. Times are the ledger's but for reset, the partner's.
type callNote struct {
	reset, notedAt, until int64
	left, granted         int64
}

func (l *ledger) notes(ctx context.Context) ([]callNote, error) {
	rows, err := l.tx.QueryContext(ctx, `
		SELECT reset_at, noted_at, until_at, left_calls, granted FROM call_notes
		WHERE partner = $1 AND until_at > $2 ORDER BY reset_at`, l.partner, l.now)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []callNote
	for rows.Next() {
		var n callNote
		if err := rows.Scan(&n.reset, &n.notedAt, &n.until, &n.left, &n.granted); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}

// note keeps what the partner said, unless that is known to be too much.
//
// Replies arrive out of order, and a note does not know of calls under way: so of
// notes for the same reset the one counts that leaves less now. One for an earlier
// reset stands beside a later one: a partner may speak of the minute after it
// spoke of the hour.
func (l *ledger) note(ctx context.Context, left int64, reset time.Time) error {
	n := callNote{reset: micros(reset), notedAt: l.now, left: left, granted: l.granted}
	n.until = l.now + n.reset + noteExtra.Microseconds() - l.clock
	if reset.IsZero() || n.until <= l.now {
		return nil
	}
	known, err := l.notes(ctx)
	if err != nil {
		return err
	}
	for _, k := range known {
		same := max(k.reset, n.reset)-min(k.reset, n.reset) <= noteJitter.Microseconds()
		if same && k.left-(l.granted-k.granted) <= left {
			return nil
		}
		if same {
			// The earliest reset stays, else resets that creep would never end.
			n.reset, n.until = min(n.reset, k.reset), min(n.until, k.until)
		}
	}
	l.changed = true
	// It takes the place of what is over, earlier or the same.
	_, err = l.tx.ExecContext(ctx, `
		DELETE FROM call_notes WHERE partner = $1 AND (until_at <= $2 OR reset_at <= $3)`,
		l.partner, l.now, n.reset+noteJitter.Microseconds())
	if err != nil {
		return err
	}
	_, err = l.tx.ExecContext(ctx, `
		INSERT INTO call_notes (partner, reset_at, noted_at, until_at, left_calls, granted) VALUES ($1, $2, $3, $4, $5, $6)`,
		l.partner, n.reset, n.notedAt, n.until, n.left, n.granted)
	return err
}
