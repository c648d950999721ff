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
	case WatchOverdue, WatchDueSoon, WatchRest:
		return true
	}
	return false
}

// Watch is one followed sale as the poller knows it. It holds ids, times and
// digests alone. Times are real where nothing else is said, zero where there is
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
	// ReadAt is when the last read that succeeded began, HeardAt when a webhook last
	// told of the sale.
	ReadAt  time.Time
	HeardAt time.Time
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
	// Read are those that were read at least once; MeanAge and OldestAge say how long
	// ago that was.
	Read      int
	MeanAge   time.Duration
	OldestAge time.Duration
}

// Watches is the list of sales that are followed by polling, one row a property.
type Watches interface {
	// PutWatch adds a watch, or brings the one of the property up to date. A watch
	// with an earlier ReadAt than is known changes nothing, and updated is false. An
	// empty TransactionID and an earlier HeardAt leave what is known.
	PutWatch(ctx context.Context, w Watch) (updated bool, err error)
	// UpdateWatch is PutWatch for a watch that is there: one that was removed
	// meanwhile stays away, and updated is false.
	UpdateWatch(ctx context.Context, w Watch) (updated bool, err error)
	// Watch returns one by its property's id, or ErrNotFound.
	Watch(ctx context.Context, propertyID string) (Watch, error)
	// DueWatches lists those of a class and shard whose read should have begun at
	// now (real time), longest due first.
	DueWatches(ctx context.Context, class WatchClass, now time.Time, shard WatchShard, limit int) ([]Watch, error)
	// TurnedWatches lists those of a shard whose class is another at now (business
	// time), first turned first.
	TurnedWatches(ctx context.Context, now time.Time, shard WatchShard, limit int) ([]Watch, error)
	// TouchWatch notes that a webhook told of the sale at a real time, and when it
	// is read next. Where a later one is known, nothing changes. ErrNotFound where
	// there is no watch.
	TouchWatch(ctx context.Context, propertyID string, heardAt, dueAt time.Time) error
	// RemoveWatch ends a watch; none is fine too.
	RemoveWatch(ctx context.Context, propertyID string) error
	// CountWatches tells of each class how many there are and how fresh they are at
	// now (real time). A class without watches is missing.
	CountWatches(ctx context.Context, now time.Time) (map[WatchClass]WatchCount, error)
}

// watchSlots is how many slots the ids are hashed to: a shard is every so many of
// them.
const watchSlots = 1024

const watchColumns = `property_id, transaction_id, class, next_due, turns_at, added_at, read_at,
	heard_at, failed_at, failures, due_at, reads, milestones_digest, detail_digest`

func (w Watch) check() error {
	if w.PropertyID == "" || !w.Class.known() {
		return errors.New("want a property and one of the classes")
	}
	if w.DueAt.IsZero() || w.Reads < 0 || w.Failures < 0 {
		return errors.New("want when it is read next, and counts of 0 or more")
	}
	return nil
}

// PutWatch adds a watch, or brings the one of the property up to date.
func (d *database) PutWatch(ctx context.Context, w Watch) (bool, error) {
	updated, err := d.UpdateWatch(ctx, w)
	if err != nil || updated {
		return updated, err
	}
	if w.AddedAt.IsZero() {
		w.AddedAt = time.Now()
	}
	n, err := d.change(ctx, `
		INSERT INTO watches (slot, `+watchColumns+`) VALUES `+places(1, 15)+`
		ON CONFLICT (property_id) DO NOTHING`,
		watchSlot(w.PropertyID), w.PropertyID, w.TransactionID, string(w.Class), micros(w.NextDue), micros(w.TurnsAt), micros(w.AddedAt),
		micros(w.ReadAt), micros(w.HeardAt), micros(w.FailedAt), w.Failures, micros(w.DueAt), w.Reads, w.MilestonesDigest, w.DetailDigest)
	if err != nil {
		return false, fmt.Errorf("store: put watch: %w", err)
	}
	if n > 0 {
		return true, nil
	}
	// It is there: with a later read, or added by another caller a moment ago.
	return d.UpdateWatch(ctx, w)
}

// UpdateWatch is PutWatch for a watch that is there.
func (d *database) UpdateWatch(ctx context.Context, w Watch) (bool, error) {
	if err := w.check(); err != nil {
		return false, fmt.Errorf("store: put watch: %w", err)
	}
	n, err := d.change(ctx, `
		UPDATE watches SET
			transaction_id = CASE WHEN $2 = '' THEN transaction_id ELSE $2 END,
			heard_at = CASE WHEN heard_at > $3 THEN heard_at ELSE $3 END,
			class = $4, next_due = $5, turns_at = $6, read_at = $7, failed_at = $8, failures = $9,
			due_at = $10, reads = $11, milestones_digest = $12, detail_digest = $13
		WHERE property_id = $1 AND read_at <= $7`,
		w.PropertyID, w.TransactionID, micros(w.HeardAt), string(w.Class), micros(w.NextDue), micros(w.TurnsAt), micros(w.ReadAt),
		micros(w.FailedAt), w.Failures, micros(w.DueAt), w.Reads, w.MilestonesDigest, w.DetailDigest)
	if err != nil {
		return false, fmt.Errorf("store: update watch: %w", err)
	}
	return n > 0, nil
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
	list, err := d.watches(ctx, `WHERE property_id = $1`, propertyID)
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
	rows, err := d.read.QueryContext(ctx, `SELECT `+watchColumns+` FROM watches `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("store: list watches: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Watch
	for rows.Next() {
		var w Watch
		var class string
		var nextDue, turns, added, read, heard, failed, due int64
		err := rows.Scan(&w.PropertyID, &w.TransactionID, &class, &nextDue, &turns, &added, &read,
			&heard, &failed, &w.Failures, &due, &w.Reads, &w.MilestonesDigest, &w.DetailDigest)
		if err != nil {
			return nil, fmt.Errorf("store: list watches: %w", err)
		}
		w.Class = WatchClass(class)
		w.NextDue, w.TurnsAt, w.AddedAt = fromMicros(nextDue), fromMicros(turns), fromMicros(added)
		w.ReadAt, w.HeardAt, w.FailedAt, w.DueAt = fromMicros(read), fromMicros(heard), fromMicros(failed), fromMicros(due)
		list = append(list, w)
	}
	return list, orNotFound(rows.Err())
}

// TouchWatch notes that a webhook told of the sale, and when it is read next.
func (d *database) TouchWatch(ctx context.Context, propertyID string, heardAt, dueAt time.Time) error {
	if heardAt.IsZero() || dueAt.IsZero() {
		return errors.New("store: touch watch: want when it was heard of and when it is read next")
	}
	n, err := d.change(ctx, `
		UPDATE watches SET
			due_at = CASE WHEN heard_at > $2 OR read_at > $2 THEN due_at ELSE $3 END,
			heard_at = CASE WHEN heard_at > $2 THEN heard_at ELSE $2 END
		WHERE property_id = $1`, propertyID, micros(heardAt), micros(dueAt))
	if err != nil {
		return fmt.Errorf("store: touch watch: %w", err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// RemoveWatch ends a watch; none is fine too.
func (d *database) RemoveWatch(ctx context.Context, propertyID string) error {
	if _, err := d.change(ctx, `DELETE FROM watches WHERE property_id = $1`, propertyID); err != nil {
		return fmt.Errorf("store: remove watch: %w", err)
	}
	return nil
}

// CountWatches tells of each class how many there are and how fresh they are.
func (d *database) CountWatches(ctx context.Context, now time.Time) (map[WatchClass]WatchCount, error) {
	// Sums of ages, not of times: those of many times would not fit a BIGINT.
	rows, err := d.read.QueryContext(ctx, `
		SELECT class, count(*),
			sum(CASE WHEN due_at < $1 THEN 1 ELSE 0 END), max($1 - due_at),
			sum(CASE WHEN read_at > 0 THEN 1 ELSE 0 END),
			CAST(sum(CASE WHEN read_at > 0 THEN $1 - read_at ELSE 0 END) AS BIGINT),
			max(CASE WHEN read_at > 0 THEN $1 - read_at ELSE 0 END)
		FROM watches GROUP BY class`, micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: count watches: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	list := map[WatchClass]WatchCount{}
	for rows.Next() {
		var class string
		var c WatchCount
		var wait, ages, oldest int64
		if err := rows.Scan(&class, &c.Watches, &c.Late, &wait, &c.Read, &ages, &oldest); err != nil {
			return nil, fmt.Errorf("store: count watches: %w", err)
		}
		c.LongestWait = time.Duration(max(wait, 0)) * time.Microsecond
		c.MeanAge = time.Duration(ages/int64(max(c.Read, 1))) * time.Microsecond
		c.OldestAge = time.Duration(max(oldest, 0)) * time.Microsecond
		list[WatchClass(class)] = c
	}
	return list, orNotFound(rows.Err())
}
