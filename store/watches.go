package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"
)

// WatchClass says how pressing it is to know a sale's state.
type WatchClass string

// The classes of watches, most pressing first.
const (
	WatchOverdue WatchClass = "overdue"
	WatchDueSoon WatchClass = "due_soon"
	WatchRest    WatchClass = "rest"
)

// WatchClasses lists them, most pressing first.
func WatchClasses() []WatchClass { return []WatchClass{WatchOverdue, WatchDueSoon, WatchRest} }

func (c WatchClass) known() bool {
	switch c {
	case WatchOverdue, WatchDueSoon, WatchRest, watchEnded:
		return true
	}
	return false
}

// Watch is one followed sale as the poller knows it. Times are real where nothing else is said, zero where there is
// none.
type Watch struct {
	// PropertyID is OpenMoove's integer id, in decimal; TransactionID the UUID.
	PropertyID    string
	TransactionID string
	Class         WatchClass
	// NextDue is the earliest due date of an open milestone (business time), zero
	// where no milestone has one.
	NextDue time.Time
	// TurnsAt is when Class is another by the clock alone (business time), zero for
	// never.
	TurnsAt time.Time
	// AddedAt is now where PutWatch gets none, and stays.
	AddedAt time.Time
	// ReadAt is when the last read that succeeded began.
	ReadAt time.Time
	// FailedAt is when the last of Failures reads that failed since ReadAt began.
	FailedAt time.Time
	Failures int
	// DueAt is when the next read should begin.
	DueAt time.Time
	// Reads counts reads since the last one that took status and team too.
	Reads int
	// The digests are of what was last seen, of milestones and of status and team.
	MilestonesDigest string
	DetailDigest     string
	// View is what was last seen, "" before the first read: JSON that only its writer
	// reads. It may hold an address.
	View string
	// EndedAt is when the sale was over, zero while it is followed.
	EndedAt time.Time
}

// WatchShard is a poller's part of the watches: the one numbered Number of Count,
// from 0. The zero value is all of them.
type WatchShard struct {
	Number int
	Count  int
}

// WatchCount is how fresh a class is.
type WatchCount struct {
	Watches int
	// Late are those whose read should have begun; LongestWait is by how much the
	// latest of them is late.
	Late        int
	LongestWait time.Duration
	// Read are those that were read at least once, Failing those whose last read failed.
	// MeanAge and OldestAge say how long ago they were read, or added where they never
	// were.
	Read      int
	Failing   int
	MeanAge   time.Duration
	OldestAge time.Duration
}

// Watches is the list of sales that are followed by polling, one row a property.
// The row of a sale that has ended stays and is neither read nor counted.
type Watches interface {
	// AddWatch adds a watch where the property has none, ended or not; added tells
	// whether it had none.
	AddWatch(ctx context.Context, w Watch) (added bool, err error)
	// PutWatch adds a watch, or brings the one of the property up to date, also one
	// that has ended: the sale is followed again. Where somebody else has read the sale
	// since the watch was loaded with this ReadAt (zero for one that was not there),
	// nothing changes, and updated is false. An empty TransactionID leaves what is
	// known.
	PutWatch(ctx context.Context, w Watch, loaded time.Time) (updated bool, err error)
	// UpdateWatch is PutWatch for a watch that is there and has not ended.
	UpdateWatch(ctx context.Context, w Watch, loaded time.Time) (updated bool, err error)
	// ForgetSeen empties the digests of what was last seen, so that the next read is
	// told whatever it shows. Who has loaded the watch before does not bring them back.
	ForgetSeen(ctx context.Context, propertyID string) error
	// Watch returns one by its property's id, ended or not, or ErrNotFound.
	Watch(ctx context.Context, propertyID string) (Watch, error)
	// WatchOf is Watch by the UUID.
	WatchOf(ctx context.Context, transactionID string) (Watch, error)
	// DueWatches lists those of a class and shard whose read should have begun at
	// now (real time), longest due first.
	DueWatches(ctx context.Context, class WatchClass, now time.Time, shard WatchShard, limit int) ([]Watch, error)
	// TurnedWatches lists those of a shard whose class is another at now (business
	// time), first turned first.
	TurnedWatches(ctx context.Context, now time.Time, shard WatchShard, limit int) ([]Watch, error)
	// AllWatches calls each with every watch that has not ended before a time (real
	// time), in no order, until each returns an error, which it passes on.
	AllWatches(ctx context.Context, endedSince time.Time, each func(Watch) error) error
	// EndWatch ends a watch; one that is not there is added as ended, so that the
	// property is not taken for a new sale.
	EndWatch(ctx context.Context, propertyID string) error
	// Unwatched lists properties of OpenMoove that were never watched, at most limit.
	Unwatched(ctx context.Context, limit int) ([]PropertyRef, error)
	// CountWatches tells of each class how many there are and how fresh they are at
	// now (real time). A class without watches is missing.
	CountWatches(ctx context.Context, now time.Time) (map[WatchClass]WatchCount, error)
}

// watchEnded is the class of those that have ended.
const watchEnded WatchClass = "ended"

// watchSlots is how many slots the ids are hashed to: a shard is every so many of
// them.
const watchSlots = 1024

const watchColumns = `property_id, transaction_id, class, next_due, turns_at, added_at, read_at,
	failed_at, failures, due_at, reads, milestones_digest, detail_digest, view, ended_at`

func (w Watch) check() error {
	if w.PropertyID == "" || !w.Class.known() {
		return errors.New("want a property and one of the classes")
	}
	if w.DueAt.IsZero() || w.Reads < 0 || w.Failures < 0 {
		return errors.New("want when it is read next, and counts of 0 or more")
	}
	return nil
}

// AddWatch adds a watch where the property has none.
func (d *database) AddWatch(ctx context.Context, w Watch) (bool, error) {
	if err := w.check(); err != nil {
		return false, fmt.Errorf("store: add watch: %w", err)
	}
	if w.AddedAt.IsZero() {
		w.AddedAt = time.Now()
	}
	n, err := d.change(ctx, `
		INSERT INTO watches (slot, `+watchColumns+`) VALUES `+places(1, 16)+`
		ON CONFLICT (property_id) DO NOTHING`,
		watchSlot(w.PropertyID), w.PropertyID, w.TransactionID, string(w.Class), micros(w.NextDue), micros(w.TurnsAt), micros(w.AddedAt),
		micros(w.ReadAt), micros(w.FailedAt), w.Failures, micros(w.DueAt), w.Reads, w.MilestonesDigest, w.DetailDigest, w.View, micros(w.EndedAt))
	if err != nil {
		return false, fmt.Errorf("store: add watch: %w", err)
	}
	return n > 0, nil
}

// PutWatch adds a watch, or brings the one of the property up to date.
func (d *database) PutWatch(ctx context.Context, w Watch, loaded time.Time) (bool, error) {
	w.EndedAt = time.Time{}
	updated, err := d.updateWatch(ctx, w, loaded, ``)
	if err != nil || updated || !loaded.IsZero() {
		return updated, err
	}
	return d.AddWatch(ctx, w)
}

// UpdateWatch is PutWatch for a watch that is there and has not ended.
func (d *database) UpdateWatch(ctx context.Context, w Watch, loaded time.Time) (bool, error) {
	return d.updateWatch(ctx, w, loaded, ` AND ended_at = 0`)
}

func (d *database) updateWatch(ctx context.Context, w Watch, loaded time.Time, only string) (bool, error) {
	if err := w.check(); err != nil {
		return false, fmt.Errorf("store: put watch: %w", err)
	}
	n, err := d.change(ctx, `
		UPDATE watches SET
			transaction_id = CASE WHEN $2 = '' THEN transaction_id ELSE $2 END,
			class = $3, next_due = $4, turns_at = $5, read_at = $6, failed_at = $7, failures = $8,
			due_at = $9, reads = $10, milestones_digest = $11, detail_digest = $12, view = $13, ended_at = 0
		WHERE property_id = $1 AND read_at = $14`+only,
		w.PropertyID, w.TransactionID, string(w.Class), micros(w.NextDue), micros(w.TurnsAt), micros(w.ReadAt),
		micros(w.FailedAt), w.Failures, micros(w.DueAt), w.Reads, w.MilestonesDigest, w.DetailDigest, w.View,
		micros(loaded))
	if err != nil {
		return false, fmt.Errorf("store: update watch: %w", err)
	}
	return n > 0, nil
}

// ForgetSeen empties the digests of what was last seen.
func (d *database) ForgetSeen(ctx context.Context, propertyID string) error {
	if _, err := d.change(ctx, `
		UPDATE watches SET milestones_digest = '', detail_digest = '', read_at = read_at + 1 WHERE property_id = $1`, propertyID); err != nil {
		return fmt.Errorf("store: forget what was seen: %w", err)
	}
	return nil
}

// watchSlot is the slot of an id: even, and the same for ever.
func watchSlot(propertyID string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(propertyID)) // a hash takes everything
	// The low bits of FNV of short decimal texts are uneven: fold the high ones in.
	sum := h.Sum32()
	return int64((sum ^ sum>>10 ^ sum>>20) % watchSlots)
}

// Watch returns one by its property's id, or ErrNotFound.
func (d *database) Watch(ctx context.Context, propertyID string) (Watch, error) {
	return d.oneWatch(ctx, `WHERE property_id = $1`, propertyID)
}

// WatchOf returns one by the UUID, or ErrNotFound.
func (d *database) WatchOf(ctx context.Context, transactionID string) (Watch, error) {
	return d.oneWatch(ctx, `WHERE transaction_id = $1 AND transaction_id <> '' ORDER BY ended_at, property_id LIMIT 1`, transactionID)
}

func (d *database) oneWatch(ctx context.Context, where string, args ...any) (Watch, error) {
	list, err := d.watches(ctx, where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Watch{}, err
	}
	return list[0], nil
}

// DueWatches lists those of a class and shard that are due, longest due first.
func (d *database) DueWatches(ctx context.Context, class WatchClass, now time.Time, shard WatchShard, limit int) ([]Watch, error) {
	return d.watches(ctx, `WHERE class = $1 AND due_at <= $2 AND slot % $3 = $4 ORDER BY due_at, property_id LIMIT $5`,
		string(class), micros(now), max(shard.Count, 1), shard.Number, max(limit, 0))
}

// TurnedWatches lists those of a shard whose class is another at now.
func (d *database) TurnedWatches(ctx context.Context, now time.Time, shard WatchShard, limit int) ([]Watch, error) {
	return d.watches(ctx, `WHERE turns_at > 0 AND turns_at <= $1 AND slot % $2 = $3 ORDER BY turns_at, property_id LIMIT $4`,
		micros(now), max(shard.Count, 1), shard.Number, max(limit, 0))
}

func (d *database) watches(ctx context.Context, where string, args ...any) ([]Watch, error) {
	var list []Watch
	err := d.eachWatch(ctx, func(w Watch) error {
		list = append(list, w)
		return nil
	}, where, args...)
	return list, err
}

func (d *database) eachWatch(ctx context.Context, each func(Watch) error, where string, args ...any) error {
	rows, err := d.read.QueryContext(ctx, `SELECT `+watchColumns+` FROM watches `+where, args...)
	if err != nil {
		return fmt.Errorf("store: list watches: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	for rows.Next() {
		var w Watch
		var class string
		var nextDue, turns, added, read, failed, due, ended int64
		err := rows.Scan(&w.PropertyID, &w.TransactionID, &class, &nextDue, &turns, &added, &read,
			&failed, &w.Failures, &due, &w.Reads, &w.MilestonesDigest, &w.DetailDigest, &w.View, &ended)
		if err != nil {
			return fmt.Errorf("store: list watches: %w", err)
		}
		w.Class = WatchClass(class)
		w.NextDue, w.TurnsAt, w.AddedAt = fromMicros(nextDue), fromMicros(turns), fromMicros(added)
		w.ReadAt, w.FailedAt, w.DueAt, w.EndedAt = fromMicros(read), fromMicros(failed), fromMicros(due), fromMicros(ended)
		if err := each(w); err != nil {
			return err
		}
	}
	return orNotFound(rows.Err())
}

// AllWatches calls each with every watch that has not ended before a time.
func (d *database) AllWatches(ctx context.Context, endedSince time.Time, each func(Watch) error) error {
	return d.eachWatch(ctx, each, `WHERE ended_at = 0 OR ended_at >= $1`, micros(endedSince))
}

// EndWatch ends a watch; one that is not there is added as ended.
func (d *database) EndWatch(ctx context.Context, propertyID string) error {
	now := time.Now()
	if _, err := d.AddWatch(ctx, Watch{PropertyID: propertyID, Class: watchEnded, AddedAt: now, DueAt: now, EndedAt: now}); err != nil {
		return err
	}
	_, err := d.change(ctx, `UPDATE watches SET class = $2, turns_at = 0, ended_at = $3 WHERE property_id = $1 AND ended_at = 0`,
		propertyID, string(watchEnded), micros(now))
	if err != nil {
		return fmt.Errorf("store: end watch: %w", err)
	}
	return nil
}

// Unwatched lists properties of OpenMoove that were never watched.
func (d *database) Unwatched(ctx context.Context, limit int) ([]PropertyRef, error) {
	return d.propertyRefs(ctx, `
		WHERE NOT EXISTS (SELECT 1 FROM watches w WHERE w.property_id = properties.id) ORDER BY length(id), id LIMIT $1`, max(limit, 0))
}

// CountWatches tells of each class how many there are and how fresh they are.
func (d *database) CountWatches(ctx context.Context, now time.Time) (map[WatchClass]WatchCount, error) {
	// Sums of ages, not of times: those of many times would not fit a BIGINT.
	rows, err := d.read.QueryContext(ctx, `
		SELECT class, count(*),
			sum(CASE WHEN due_at < $1 THEN 1 ELSE 0 END), max($1 - due_at),
			sum(CASE WHEN read_at > 0 THEN 1 ELSE 0 END),
			sum(CASE WHEN failures > 0 THEN 1 ELSE 0 END),
			CAST(sum($1 - CASE WHEN read_at > 0 THEN read_at ELSE added_at END) AS BIGINT),
			max($1 - CASE WHEN read_at > 0 THEN read_at ELSE added_at END)
		FROM watches WHERE ended_at = 0 GROUP BY class`, micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: count watches: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	list := map[WatchClass]WatchCount{}
	for rows.Next() {
		var class string
		var c WatchCount
		var wait, ages, oldest int64
		if err := rows.Scan(&class, &c.Watches, &c.Late, &wait, &c.Read, &c.Failing, &ages, &oldest); err != nil {
			return nil, fmt.Errorf("store: count watches: %w", err)
		}
		c.LongestWait = time.Duration(max(wait, 0)) * time.Microsecond
		c.MeanAge = time.Duration(max(ages, 0)/int64(max(c.Watches, 1))) * time.Microsecond
		c.OldestAge = time.Duration(max(oldest, 0)) * time.Microsecond
		list[WatchClass(class)] = c
	}
	return list, orNotFound(rows.Err())
}
